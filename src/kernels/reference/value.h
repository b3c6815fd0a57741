/* SPDX-License-Identifier: Apache-2.0 */
/* Elements of a block of f32 or bf16 as floats, for operations that are the same in both. Only for
 * this folder. */
#ifndef R2N_KERNELS_REFERENCE_VALUE_H
#define R2N_KERNELS_REFERENCE_VALUE_H

#include "kernels/kernels.h"
#include "kernels/reference/terms.h"

typedef struct values {
    r2n_precision precision;
    union {
        float *f32;
        uint16_t *bf16;
        void *any;
    };
} values;

static inline float value_at(values v, int64_t index)
{
    return v.precision == R2N_PRECISION_BF16 ? load(&v.bf16[index], 0) : v.f32[index];
}

static inline void put_value(values v, int64_t index, float value)
{
    if (v.precision == R2N_PRECISION_BF16)
        store(&v.bf16[index], 0, value);
    else
        v.f32[index] = value;
}

#endif
