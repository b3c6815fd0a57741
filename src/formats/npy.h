/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy's .npy, versions 1 to 3: little-endian f4 and f8 and u1, C order. */
#ifndef R2N_FORMATS_NPY_H
#define R2N_FORMATS_NPY_H

#include "base/report.h"

enum { R2N_NPY_MAXIMUM_RANK = 8 };

typedef struct r2n_npy {
    int32_t rank;
    int64_t shape[R2N_NPY_MAXIMUM_RANK];
    int64_t count;
    float *data; /* converted to f32, owned: r2n_free */
} r2n_npy;

res2net_status r2n_npy_parse(const void *bytes, size_t size, const char *name, r2n_npy *out,
                             res2net_report *report);
/* Atomically writes float32 data [shape...]. */
res2net_status r2n_npy_write(const char *path, int32_t rank, const int64_t *shape,
                             const float *data, res2net_report *report);

#endif
