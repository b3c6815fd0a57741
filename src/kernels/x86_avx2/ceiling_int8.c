/* SPDX-License-Identifier: Apache-2.0 */
/* 8 independent chains of the three instructions that make 32 exact products of bytes, in registers
 * only. */
#include <immintrin.h>
#include <stdint.h>

int64_t r2n_ceiling_int8_avx2(int64_t rounds);

enum { CHAINS = 8, MACS = 32 };

int64_t r2n_ceiling_int8_avx2(int64_t rounds)
{
    __m256i sums[CHAINS];
    __m256i a = _mm256_set1_epi8(77);
    __m256i b = _mm256_set1_epi8(-33);
    __m256i ones = _mm256_set1_epi16(1);
    for (int i = 0; i < CHAINS; i++)
        sums[i] = _mm256_set1_epi32(i);
    for (int64_t r = 0; r < rounds; r++) {
#pragma GCC unroll 8
        for (int i = 0; i < CHAINS; i++) {
            /* So that no product is worked out once for all. */
            __asm__ volatile("" : "+x"(a), "+x"(b), "+x"(ones));
            const __m256i pairs = _mm256_maddubs_epi16(a, b);
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(pairs, ones));
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < CHAINS; i++)
        __asm__ volatile("" : : "x"(sums[i])); /* and its results from being dropped */
    return rounds * CHAINS * MACS;
}
