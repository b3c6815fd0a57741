/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen channels of a pixel as floats, from a block of floats or of bf16: `bf16`, a constant,
 * says which. For this room and the one of AVX512_BF16, which compiles the same bodies for bf16. */
#ifndef R2N_KERNELS_X86_AVX512_CHANNELS_H
#define R2N_KERNELS_X86_AVX512_CHANNELS_H

#include "kernels/x86_avx512/bf16.h"

#define CHANNELS_INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };

/* The first `channels` of sixteen lanes. */
CHANNELS_INLINE __mmask16 lanes_from(int32_t channels)
{
    if (channels <= 0)
        return 0;
    return channels >= LANES ? (__mmask16)0xffff : (__mmask16)((1u << channels) - 1);
}

/* `at` counts elements. */
CHANNELS_INLINE __m512 load_channels(const void *from, int64_t at, __mmask16 lanes, const int bf16)
{
    if (bf16)
        return load_bf16((const uint16_t *)from + at, 0, lanes, 1);
    return _mm512_maskz_loadu_ps(lanes, (const float *)from + at);
}

CHANNELS_INLINE void store_channels(void *to, int64_t at, __mmask16 lanes, __m512 values,
                                    const int bf16)
{
    if (bf16)
        store_bf16((uint16_t *)to + at, 0, lanes, values, 1);
    else
        _mm512_mask_storeu_ps((float *)to + at, lanes, values);
}

/* Asks for 32 channels `ahead` elements after those at `at`. Of wide pixels a pass over a row takes
 * a line here and one there, which no CPU foresees; so each asks for the next row's of the same
 * pass, a row being about `columns` times the pitch. */
CHANNELS_INLINE void prefetch_channels(const void *from, int64_t at, int64_t ahead, const int bf16)
{
    const char *there = (const char *)from + (at + ahead) * (bf16 ? 2 : 4);
    _mm_prefetch(there, _MM_HINT_T1);
    if (!bf16)
        _mm_prefetch(there + 64, _MM_HINT_T1);
}

#endif
