/* SPDX-License-Identifier: Apache-2.0 */
/* 12 independent chains of 8-lane multiply-adds that never leave registers. */
#include <immintrin.h>
#include <stdint.h>

int64_t r2n_ceiling_f32_avx2(int64_t rounds);

enum { CHAINS = 12, LANES = 8 };

int64_t r2n_ceiling_f32_avx2(int64_t rounds)
{
    __m256 sums[CHAINS];
    __m256 a = _mm256_set1_ps(0.5f);
    __m256 b = _mm256_set1_ps(0.25f);
    for (int i = 0; i < CHAINS; i++)
        sums[i] = _mm256_set1_ps((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : "+x"(a), "+x"(b)); /* keeps the loop from being worked out ahead */
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++)
            sums[i] = _mm256_fmadd_ps(a, b, sums[i]);
    }
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++)
        __asm__ volatile("" : : "x"(sums[i])); /* and its results from being dropped */
    return rounds * CHAINS * LANES;
}
