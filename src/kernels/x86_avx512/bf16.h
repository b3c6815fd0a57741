/* SPDX-License-Identifier: Apache-2.0 */
/* Sixteen bf16 numbers to floats and back, for this room and those of AVX512_BF16 and AMX, whose
 * CPUs have an instruction for the way back; without it the same is done with integers. */
#ifndef R2N_KERNELS_X86_AVX512_BF16_H
#define R2N_KERNELS_X86_AVX512_BF16_H

#include <immintrin.h>
#include <stdint.h>

#define BF16_INLINE static inline __attribute__((always_inline))

BF16_INLINE __m512 floats_from_bf16(__m256i values)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(values), 16));
}

#ifndef __AVX512BF16__
BF16_INLINE __m256i bf16_from_floats(__m512 values)
{
    const __m512i bits = _mm512_castps_si512(values);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    const __mmask16 is_nan = _mm512_cmp_ps_mask(values, values, _CMP_UNORD_Q);
    const __mmask16 is_normal = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x7f800000));
    __m512i result = _mm512_add_epi32(bits, up);
    result = _mm512_mask_or_epi32(result, is_nan, bits, _mm512_set1_epi32(0x400000));
    /* Zeros, and subnormals, which become such. */
    result = _mm512_mask_and_epi32(result, (__mmask16)~is_normal, bits,
                                   _mm512_set1_epi32((int)0x80000000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(result, 16));
}
#else
BF16_INLINE __m256i bf16_from_floats(__m512 values)
{
    return (__m256i)_mm512_cvtneps_pbh(values);
}
#endif

/* The low terms are `low_pitch` elements behind the high ones. `terms`, a constant, is 1 or 2. */
BF16_INLINE __m512 load_bf16(const void *from, int64_t low_pitch, __mmask16 lanes, const int terms)
{
    const uint16_t *high = from;
    const __m512 value = floats_from_bf16(_mm256_maskz_loadu_epi16(lanes, high));
    if (terms == 1)
        return value;
    return _mm512_add_ps(value,
                         floats_from_bf16(_mm256_maskz_loadu_epi16(lanes, high + low_pitch)));
}

BF16_INLINE void store_bf16(void *to, int64_t low_pitch, __mmask16 lanes, __m512 value,
                            const int terms)
{
    uint16_t *high = to;
    const __m256i rounded = bf16_from_floats(value);
    _mm256_mask_storeu_epi16(high, lanes, rounded);
    if (terms > 1)
        _mm256_mask_storeu_epi16(high + low_pitch, lanes,
                                 bf16_from_floats(_mm512_sub_ps(value, floats_from_bf16(rounded))));
}

#endif
