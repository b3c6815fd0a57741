/* SPDX-License-Identifier: Apache-2.0 */
/* Values as Python's repr() writes them. */
#ifndef CLI_PYTHON_REPR_H
#define CLI_PYTHON_REPR_H

#include <stdio.h>

void python_put_float(FILE *out, double value); /* 0 or at least 1e-5 and below 1e16 */
void python_put_text(FILE *out, const char *text);

#endif
