/* SPDX-License-Identifier: Apache-2.0 */
/* What every verb that decodes pictures lets the user say about the files. */
#ifndef CLI_DECODE_OPTIONS_H
#define CLI_DECODE_OPTIONS_H

#include "options.h"

/* Rows for a verb's table. */
#define DECODE_OPTIONS                                                                             \
    {.name = "truncated",                                                                          \
     .kind = OPTION_CHOICE,                                                                        \
     .fallback = "refuse",                                                                         \
     .choices = "refuse|tolerate",                                                                 \
     .help = "pictures whose end is missing"},                                                     \
    {                                                                                              \
        .name = "max-pixels", .kind = OPTION_INTEGER, .argument = "N", .minimum = 1,               \
        .maximum = 4294836225, .default_note = "178956970",                                        \
        .help = "width times height of a picture at most"                                          \
    }

/* Of a line whose verb has them: RES2NET_TRUNCATED_..., and 0 for the default limit. */
int truncated_option(const command_line *line);
int64_t maximum_pixels_option(const command_line *line);

#endif
