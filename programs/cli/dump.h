/* SPDX-License-Identifier: Apache-2.0 */
/* --dump-input and --dump-logits: tensors gathered over a run, written as one .npy at its end. */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "res2net/res2net.h"

typedef struct dump {
    const char *path; /* NULL: nothing is gathered */
    float *values;
    size_t count, room; /* in rows */
    size_t row;         /* floats of a row; 0 before the first */
    int32_t rank;       /* of the file: 2 or 4 */
    int64_t shape[4];   /* [1..] are those of the first row */
} dump;

dump dump_begin(const char *path);
/* Rows of logits, or a picture. 0 when its size is not that of the first (see dump.shape). */
void dump_add_logits(dump *dump, const float *logits, int32_t rows, int32_t classes);
int dump_add_picture(dump *dump, const float *picture, int32_t height, int32_t width);
/* Writes the file; EXIT_DONE, or EXIT_FAILED after saying why. Not for an empty dump. */
int dump_write(dump *dump);
void dump_free(dump *dump);

#endif
