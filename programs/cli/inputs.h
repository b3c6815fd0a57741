/* SPDX-License-Identifier: Apache-2.0 */
/* INPUT...: files, folders, quoted patterns, standard input and list files to one list of pictures.
 */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "options.h"

typedef struct input {
    char *path;  /* "-" is standard input */
    char *error; /* why it cannot even be tried, or NULL */
    int told;    /* it was said already */
} input;

typedef struct inputs {
    input *items;
    size_t count, room;
} inputs;

/* From the operands, --list and --root. EXIT_DONE, or the exit status after saying what is wrong.
 * Missing files are no failure here: they are inputs that will turn out bad. */
int inputs_gather(const command_line *line, inputs *all);
void inputs_free(inputs *all);

#endif
