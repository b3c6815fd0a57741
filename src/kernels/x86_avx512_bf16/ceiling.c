/* SPDX-License-Identifier: Apache-2.0 */
/* 24 independent chains of bf16 dot products that never leave registers. */
#include <immintrin.h>
#include <stdint.h>

int64_t r2n_ceiling_bf16_avx512(int64_t rounds);

enum { CHAINS = 24, MACS = 32 };

int64_t r2n_ceiling_bf16_avx512(int64_t rounds)
{
    __m512 sums[CHAINS];
    __m512i a = _mm512_set1_epi16(0x3f00);
    __m512i b = _mm512_set1_epi16(0x3e80);
    for (int i = 0; i < CHAINS; i++)
        sums[i] = _mm512_set1_ps((float)i);
    for (int64_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : "+v"(a), "+v"(b)); /* keeps the loop from being worked out ahead */
#pragma GCC unroll 24
        for (int i = 0; i < CHAINS; i++)
            sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)a, (__m512bh)b);
    }
#pragma GCC unroll 24
    for (int i = 0; i < CHAINS; i++)
        __asm__ volatile("" : : "v"(sums[i])); /* and its results from being dropped */
    return rounds * CHAINS * MACS;
}
