/* SPDX-License-Identifier: Apache-2.0 */
/* Values of bf16 and bf16x3 as floats. Only for this folder. */
#ifndef R2N_KERNELS_REFERENCE_TERMS_H
#define R2N_KERNELS_REFERENCE_TERMS_H

#include "kernels/bf16.h"

/* Low terms are `low_pitch` elements behind the high ones; 0 where there are none. */
static inline float load(const uint16_t *high, int64_t low_pitch)
{
    const float value = r2n_float_from_bf16(*high);
    return low_pitch != 0 ? value + r2n_float_from_bf16(high[low_pitch]) : value;
}

static inline void store(uint16_t *high, int64_t low_pitch, float value)
{
    *high = r2n_bf16_from_float(value);
    if (low_pitch != 0)
        high[low_pitch] = r2n_bf16_from_float(value - r2n_float_from_bf16(*high));
}

#endif
