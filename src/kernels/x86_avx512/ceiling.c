/* SPDX-License-Identifier: Apache-2.0 */
/* 24 independent chains of 16-lane multiply-adds that never leave registers. */
#include <immintrin.h>
#include <stdint.h>

int64_t r2n_ceiling_f32_avx512(int64_t rounds);

enum { CHAINS = 24, LANES = 16 };

int64_t r2n_ceiling_f32_avx512(int64_t rounds)
{
    __m512 sums[CHAINS];
    __m512 a = _mm512_set1_ps(0.5f);
    __m512 b = _mm512_set1_ps(0.25f);
    for (int i = 0; i < CHAINS; i++)
        sums[i] = _mm512_set1_ps((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : "+v"(a), "+v"(b)); /* keeps the loop from being worked out ahead */
#pragma GCC unroll 24
        for (int i = 0; i < CHAINS; i++)
            sums[i] = _mm512_fmadd_ps(a, b, sums[i]);
    }
#pragma GCC unroll 24
    for (int i = 0; i < CHAINS; i++)
        __asm__ volatile("" : : "v"(sums[i])); /* and its results from being dropped */
    return rounds * CHAINS * LANES;
}
