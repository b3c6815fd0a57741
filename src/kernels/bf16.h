/* SPDX-License-Identifier: Apache-2.0 */
/* bf16: the upper 16 bits of a float. Plain C, for packing, reference/ and whole tensors; the
 * optimised rooms have their own. */
#ifndef R2N_KERNELS_BF16_H
#define R2N_KERNELS_BF16_H

#include <stdint.h>
#include <string.h>

static inline float r2n_float_from_bf16(uint16_t value)
{
    const uint32_t bits = (uint32_t)value << 16;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

/* To the nearest, ties to even; subnormals become zeros of their sign, NaN stays a (quiet) NaN:
 * what the CPU's own instruction does. */
static inline uint16_t r2n_bf16_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40u);
    if ((bits & 0x7f800000u) == 0)
        return (uint16_t)(bits >> 16 & 0x8000u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

#endif
