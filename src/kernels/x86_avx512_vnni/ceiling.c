/* SPDX-License-Identifier: Apache-2.0 */
/* 24 independent chains of byte dot products that never leave registers. */
#include <immintrin.h>
#include <stdint.h>

int64_t r2n_ceiling_int8_avx512(int64_t rounds);

enum { CHAINS = 24, MACS = 64 };

int64_t r2n_ceiling_int8_avx512(int64_t rounds)
{
    __m512i sums[CHAINS];
    __m512i a = _mm512_set1_epi8(77);
    __m512i b = _mm512_set1_epi8(-33);
    for (int i = 0; i < CHAINS; i++)
        sums[i] = _mm512_set1_epi32(i);
    for (int64_t r = 0; r < rounds; r++) {
        __asm__ volatile("" : "+v"(a), "+v"(b)); /* keeps the loop from being worked out ahead */
#pragma GCC unroll 24
        for (int i = 0; i < CHAINS; i++)
            sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
    }
#pragma GCC unroll 24
    for (int i = 0; i < CHAINS; i++)
        __asm__ volatile("" : : "v"(sums[i])); /* and its results from being dropped */
    return rounds * CHAINS * MACS;
}
