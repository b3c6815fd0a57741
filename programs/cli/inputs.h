/* SPDX-License-Identifier: Apache-2.0 */
/* INPUT...: files, folders, quoted patterns, standard input and list files to one list of pictures.
 */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include "options.h"
#include "res2net/res2net.h"

typedef struct input {
    char *path;  /* "-" is standard input; of a CIFAR record it is a name only */
    char *error; /* why it cannot even be tried, or NULL */
    int told;    /* it was said already */
    int in_list; /* it is number `index` of the list */
    size_t index;
} input;

typedef struct inputs {
    input *items;
    size_t count, room;
    res2net_list *list; /* --list, or NULL */
} inputs;

/* From the operands, --list and --root. EXIT_DONE, or the exit status after saying what is wrong.
 * Missing files are no failure here: they are inputs that will turn out bad. */
int inputs_gather(const command_line *line, inputs *all);
void inputs_free(inputs *all);

#endif
