/* SPDX-License-Identifier: Apache-2.0 */
/* The float types of weights files, widened to f32. */
#include "weights/reader.h"

#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "weights files are little-endian and are pointed into: this code needs such a machine"
#endif

size_t r2n_element_bytes(r2n_element_type type)
{
    static const size_t bytes[] = {4, 8, 2, 2, 0};
    return bytes[type];
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE half: 1 sign, 5 exponent, 10 fraction bits. */
static float widen_half(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 0x1F;
    const uint32_t fraction = half & 0x3FF;
    if (exponent == 0x1F)
        return from_bits(sign | 0x7F800000u | fraction << 13);
    if (exponent == 0) {
        const float value = (float)fraction * 0x1p-24f; /* subnormal: exact */
        return sign != 0 ? -value : value;
    }
    return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static uint64_t element_bits(int big_endian, const uint8_t *at, size_t bytes)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes; i++)
        bits |= (uint64_t)at[big_endian ? bytes - 1 - i : i] << (8 * i);
    return bits;
}

float r2n_element_read(r2n_element_type type, int big_endian, const uint8_t *at)
{
    const uint64_t bits = element_bits(big_endian, at, r2n_element_bytes(type));
    double wide;
    switch (type) {
    case R2N_ELEMENT_F32:
        return from_bits((uint32_t)bits);
    case R2N_ELEMENT_F64:
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    case R2N_ELEMENT_F16:
        return widen_half((uint16_t)bits);
    case R2N_ELEMENT_BF16:
        return from_bits((uint32_t)bits << 16);
    case R2N_ELEMENT_INTEGER:
        break;
    }
    return 0;
}

void r2n_elements_widen(r2n_element_type type, int big_endian, const uint8_t *from, int64_t count,
                        float *to)
{
    const size_t bytes = r2n_element_bytes(type);
    if (type == R2N_ELEMENT_F32 && !big_endian)
        memcpy(to, from, (size_t)count * sizeof *to);
    else
        for (int64_t i = 0; i < count; i++)
            to[i] = r2n_element_read(type, big_endian, from + (size_t)i * bytes);
}
