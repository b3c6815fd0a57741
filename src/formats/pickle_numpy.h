/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy arrays of f32 put into a pickle, as NumPy itself puts them. */
#ifndef R2N_FORMATS_PICKLE_NUMPY_H
#define R2N_FORMATS_PICKLE_NUMPY_H

#include "formats/pickle_writer.h"

/* Memo numbers of what all arrays share. */
typedef struct r2n_pickle_numpy {
    uint32_t reconstruct, ndarray, dtype;
} r2n_pickle_numpy;

/* Once a pickle, before the first array: leaves nothing on the stack. */
void r2n_pickle_numpy_begin(r2n_pickle_writer *writer, r2n_pickle_numpy *numpy);
void r2n_pickle_put_array(r2n_pickle_writer *writer, const r2n_pickle_numpy *numpy, int32_t rank,
                          const int64_t *shape, const float *data);
/* The array [columns][rows] of data [rows][columns]. */
void r2n_pickle_put_transposed(r2n_pickle_writer *writer, const r2n_pickle_numpy *numpy,
                               int64_t rows, int64_t columns, const float *data);

#endif
