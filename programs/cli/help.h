/* SPDX-License-Identifier: Apache-2.0 */
/* --help, printed from the tables. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "verbs.h"

void print_overview(FILE *out);
void print_help(FILE *out, const verb *verb);

/* "-m, --model FILE": how help and manual pages write a row. Returns its length. */
int option_spelling(char *buffer, size_t size, const option_row *row);
/* What follows the help text: default and environment variable, or "". */
void option_remarks(char *buffer, size_t size, const option_row *row);

#endif
