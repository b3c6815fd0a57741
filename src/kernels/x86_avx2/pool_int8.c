/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 pools of AVX2: the maximum of 32 channels at a time, the sum of 16. What is left over goes
 * channel by channel, with the same operations.
 */
#include <immintrin.h>

#include "kernels/channel_walk.h"

r2n_kernel_function r2n_pool_int8_avx2;

enum { BYTES = 32, SUMS = 16 };

static int64_t cell(const r2n_pool_window *w, int32_t row, int32_t column)
{
    return row * w->row_pitch + column * w->pixel_pitch;
}

static void maximum(const r2n_pool_window *w)
{
    const uint8_t *from = w->any_from;
    uint8_t *to = w->any_to;
    int32_t c = 0;
    for (; c + BYTES <= w->channels; c += BYTES) {
        __m256i best = _mm256_setzero_si256();
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++)
                best = _mm256_max_epu8(
                    best, _mm256_loadu_si256((const __m256i *)(from + cell(w, row, column) + c)));
        _mm256_storeu_si256((__m256i *)(to + c), best);
    }
    for (; c < w->channels; c++) {
        uint8_t best = 0;
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++) {
                const uint8_t value = from[cell(w, row, column) + c];
                best = value > best ? value : best;
            }
        to[c] = best;
    }
}

/* The nearest integer of 0 to 127; the order of operands makes NaN a 0. */
static __m256i to_integers(__m256i sums, __m256 factor)
{
    const __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), factor);
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(R2N_INT8_MAXIMUM), v));
}

/* Bytes of eight sums in the lower half. */
static __m128i to_bytes(__m256i sums, __m256 factor)
{
    const __m256i integers = to_integers(sums, factor);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
    return _mm_packus_epi16(words, words);
}

static void average(const r2n_pool_window *w)
{
    const uint8_t *from = w->any_from;
    uint8_t *to = w->any_to;
    const __m256 factor = _mm256_set1_ps(w->factor);
    int32_t c = 0;
    for (; c + SUMS <= w->channels; c += SUMS) {
        __m256i low = _mm256_setzero_si256();
        __m256i high = low;
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++) {
                const __m128i bytes =
                    _mm_loadu_si128((const __m128i *)(from + cell(w, row, column) + c));
                low = _mm256_add_epi32(low, _mm256_cvtepu8_epi32(bytes));
                high = _mm256_add_epi32(high, _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)));
            }
        _mm_storeu_si128((__m128i *)(to + c),
                         _mm_unpacklo_epi64(to_bytes(low, factor), to_bytes(high, factor)));
    }
    for (; c < w->channels; c++) {
        int32_t sum = 0;
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++)
                sum += from[cell(w, row, column) + c];
        const __m128i byte = to_bytes(_mm256_set1_epi32(sum), factor);
        to[c] = (uint8_t)_mm_extract_epi8(byte, 0);
    }
}

void r2n_pool_int8_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_walk(1, maximum, average, arguments, block, range);
}
