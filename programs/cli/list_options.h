/* SPDX-License-Identifier: Apache-2.0 */
/* How lists are read: the options that predict, eval and data check share. */
#ifndef CLI_LIST_OPTIONS_H
#define CLI_LIST_OPTIONS_H

#include "options.h"

/* clang-format off */
#define LIST_OPTIONS                                                                               \
    {.name = "root",                                                                               \
     .kind = OPTION_FOLDER,                                                                        \
     .argument = "FOLDER",                                                                         \
     .default_note = "the list's folder",                                                          \
     .help = "where the list's relative paths begin"},                                             \
    {.name = "delimiter",                                                                          \
     .kind = OPTION_TEXT,                                                                          \
     .argument = "TEXT",                                                                           \
     .default_note = "the last run of blanks in a line",                                           \
     .help = "what stands between path and label in the list; \\t is a tab"}
/* clang-format on */

/* The delimiter for the library; NULL for the default. */
const char *list_delimiter(const command_line *line);

#endif
