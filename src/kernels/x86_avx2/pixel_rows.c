/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of pixels by AVX2. Products of 8-bit pixels and 24-bit weights are made by the instruction
 * that multiplies and adds pairs of 16 bits: a weight is high * 2^15 + low, and both sums are put
 * together at the end. They wrap around like the whole sum, which is known to fit. What could be
 * read or written past the end of a row is left to reference/.
 */
#include "kernels/pixel_rows.h"

#include <immintrin.h>
#include <string.h>

enum { LOW_BITS = 15, LOW_MASK = (1 << LOW_BITS) - 1 };

/* The 16-bit pairs (pixel 0, pixel 1) of the three channels, and (pixel 2, pixel 3). */
#define PAIRS_01 0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1
#define PAIRS_23 6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1

typedef struct sums {
    __m256i low, high;
} sums;

static __m256i load_two(const void *first, const void *second)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(first)),
                                   _mm_loadu_si128(second), 1);
}

static __m256i finish(sums s)
{
    const __m256i rounding = _mm256_set1_epi32(1 << (R2N_PIXEL_BITS - 1));
    const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(s.high, LOW_BITS), s.low);
    return _mm256_srai_epi32(_mm256_add_epi32(sum, rounding), R2N_PIXEL_BITS);
}

/* Outputs i and k, each in a lane: red, green, blue, nothing. */
static __m256i filter_two(const r2n_pixel_filter *filter, const uint8_t *row, int32_t i, int32_t k)
{
    const __m256i pairs_01 = _mm256_setr_epi8(PAIRS_01, PAIRS_01);
    const __m256i pairs_23 = _mm256_setr_epi8(PAIRS_23, PAIRS_23);
    const int32_t *weights = filter->weights + (int64_t)i * filter->stride;
    const int32_t *more_weights = filter->weights + (int64_t)k * filter->stride;
    const uint8_t *pixels = row + (int64_t)filter->spans[i].first * 3;
    const uint8_t *more_pixels = row + (int64_t)filter->spans[k].first * 3;
    sums s = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int32_t t = 0; t < filter->stride; t += R2N_PIXEL_MULTIPLE) {
        const __m256i weight = load_two(weights + t, more_weights + t);
        const __m256i halves =
            _mm256_packs_epi32(_mm256_and_si256(weight, _mm256_set1_epi32(LOW_MASK)),
                               _mm256_srai_epi32(weight, LOW_BITS));
        const __m256i pixel = load_two(pixels + (int64_t)t * 3, more_pixels + (int64_t)t * 3);
        const __m256i first = _mm256_shuffle_epi8(pixel, pairs_01);
        const __m256i second = _mm256_shuffle_epi8(pixel, pairs_23);
        s.low = _mm256_add_epi32(
            s.low, _mm256_add_epi32(_mm256_madd_epi16(first, _mm256_shuffle_epi32(halves, 0x00)),
                                    _mm256_madd_epi16(second, _mm256_shuffle_epi32(halves, 0x55))));
        s.high = _mm256_add_epi32(
            s.high,
            _mm256_add_epi32(_mm256_madd_epi16(first, _mm256_shuffle_epi32(halves, 0xaa)),
                             _mm256_madd_epi16(second, _mm256_shuffle_epi32(halves, 0xff))));
    }
    return finish(s);
}

static void store_bytes(uint8_t *out, __m128i value)
{
    const int32_t first = _mm_cvtsi128_si32(value);
    const int16_t last = (int16_t)_mm_extract_epi16(value, 2);
    memcpy(out, &first, sizeof first);
    memcpy(out + sizeof first, &last, sizeof last);
}

static void filter_row(const r2n_pixel_filter *filter, const uint8_t *row, int32_t pixels,
                       uint8_t *out)
{
    const __m256i dense =
        _mm256_setr_epi8(0, 1, 2, 4, 5, 6, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 4, 5, 6,
                         -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    /* The last weights' four pixels are loaded as 16 bytes. */
    const int64_t last_start = ((int64_t)pixels * 3 - 16) - (int64_t)(filter->stride - 4) * 3;
    int32_t i = 0;
    for (; i + 4 <= filter->outputs && (int64_t)filter->spans[i + 3].first * 3 <= last_start;
         i += 4) {
        const __m256i even = filter_two(filter, row, i, i + 2);
        const __m256i odd = filter_two(filter, row, i + 1, i + 3);
        const __m256i words = _mm256_packs_epi32(even, odd);
        const __m256i bytes = _mm256_shuffle_epi8(_mm256_packus_epi16(words, words), dense);
        store_bytes(out + (int64_t)i * 3, _mm256_castsi256_si128(bytes));
        store_bytes(out + (int64_t)i * 3 + 6, _mm256_extracti128_si256(bytes, 1));
    }
    const r2n_pixel_filter rest = {filter->outputs - i, filter->stride, filter->spans + i,
                                   filter->weights + (int64_t)i * filter->stride};
    r2n_pixel_kernels_reference.filter_row(&rest, row, pixels, out + (int64_t)i * 3);
}

/* Sixteen columns: both halves of the sums of columns 0-3 and 8-11, then of 4-7 and 12-15. */
static __m128i filter_block(const uint8_t *const *rows, const int32_t *weights, int32_t count,
                            size_t at)
{
    sums a = {_mm256_setzero_si256(), _mm256_setzero_si256()}, b = a;
    for (int32_t t = 0; t < count; t += 2) {
        const int there = t + 1 < count;
        const int32_t second_weight = there ? weights[t + 1] : 0;
        const __m256i first =
            _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(rows[t] + at)));
        const __m256i second =
            _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(rows[t + there] + at)));
        const __m256i low =
            _mm256_set1_epi32((int32_t)((uint32_t)(weights[t] & LOW_MASK) |
                                        (uint32_t)(second_weight & LOW_MASK) << 16));
        const __m256i high =
            _mm256_set1_epi32((int32_t)(((uint32_t)(weights[t] >> LOW_BITS) & 0xffffu) |
                                        (uint32_t)(second_weight >> LOW_BITS) << 16));
        const __m256i left = _mm256_unpacklo_epi16(first, second);
        const __m256i right = _mm256_unpackhi_epi16(first, second);
        a.low = _mm256_add_epi32(a.low, _mm256_madd_epi16(left, low));
        a.high = _mm256_add_epi32(a.high, _mm256_madd_epi16(left, high));
        b.low = _mm256_add_epi32(b.low, _mm256_madd_epi16(right, low));
        b.high = _mm256_add_epi32(b.high, _mm256_madd_epi16(right, high));
    }
    const __m256i words = _mm256_packs_epi32(finish(a), finish(b));
    return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

static void filter_columns(const uint8_t *const *rows, const int32_t *weights, int32_t count,
                           size_t bytes, uint8_t *out)
{
    for (size_t at = 0; at < bytes; at += R2N_PIXEL_BLOCK) {
        uint8_t block[R2N_PIXEL_BLOCK];
        _mm_storeu_si128((__m128i *)block, filter_block(rows, weights, count, at));
        memcpy(out + at, block, bytes - at < R2N_PIXEL_BLOCK ? bytes - at : R2N_PIXEL_BLOCK);
    }
}

/* Outputs i and k, each in a lane. */
static __m256i interpolate_two(const r2n_pixel_pair *i, const r2n_pixel_pair *k, const uint8_t *row)
{
    const __m256i pairs_01 = _mm256_setr_epi8(PAIRS_01, PAIRS_01);
    int32_t shares[2];
    memcpy(&shares[0], &i->share, sizeof shares[0]);
    memcpy(&shares[1], &k->share, sizeof shares[1]);
    const __m256i share = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_set1_epi32(shares[0])),
                                                  _mm_set1_epi32(shares[1]), 1);
    const __m128i first = _mm_loadl_epi64((const __m128i *)(row + (int64_t)i->first * 3));
    const __m128i second = _mm_loadl_epi64((const __m128i *)(row + (int64_t)k->first * 3));
    const __m256i pixels = _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
    return _mm256_srai_epi32(_mm256_madd_epi16(_mm256_shuffle_epi8(pixels, pairs_01), share),
                             R2N_PIXEL_SHIFT);
}

static void store_words(int16_t *out, __m128i value)
{
    const int32_t last = _mm_extract_epi32(value, 2);
    _mm_storel_epi64((__m128i *)out, value);
    memcpy(out + 4, &last, sizeof last);
}

static void interpolate_row(const r2n_pixel_pair *pairs, int32_t outputs, const uint8_t *row,
                            int32_t pixels, int16_t *out)
{
    const __m256i dense = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1,
                                           0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1);
    const int64_t last_start = (int64_t)pixels * 3 - 8; /* a pair is loaded as 8 bytes */
    int32_t i = 0;
    for (; i + 4 <= outputs && (int64_t)pairs[i + 3].first * 3 <= last_start; i += 4) {
        const __m256i even = interpolate_two(&pairs[i], &pairs[i + 2], row);
        const __m256i odd = interpolate_two(&pairs[i + 1], &pairs[i + 3], row);
        const __m256i words = _mm256_shuffle_epi8(_mm256_packs_epi32(even, odd), dense);
        store_words(out + (int64_t)i * 3, _mm256_castsi256_si128(words));
        store_words(out + (int64_t)i * 3 + 6, _mm256_extracti128_si256(words, 1));
    }
    r2n_pixel_kernels_reference.interpolate_row(pairs + i, outputs - i, row, pixels,
                                                out + (int64_t)i * 3);
}

static __m256i mix(const int16_t *top, const int16_t *bottom, __m256i share, __m256i bottom_share)
{
    const __m256i upper = _mm256_mulhi_epi16(_mm256_loadu_si256((const __m256i *)top), share);
    const __m256i lower =
        _mm256_mulhi_epi16(_mm256_loadu_si256((const __m256i *)bottom), bottom_share);
    return _mm256_srai_epi16(_mm256_add_epi16(_mm256_add_epi16(upper, lower), _mm256_set1_epi16(2)),
                             2);
}

static void mix_rows(const int16_t *top, const int16_t *bottom, int16_t share, int16_t bottom_share,
                     uint8_t *out, size_t count)
{
    const __m256i shares = _mm256_set1_epi16(share), others = _mm256_set1_epi16(bottom_share);
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        const __m256i bytes =
            _mm256_packus_epi16(mix(top + i, bottom + i, shares, others),
                                mix(top + i + 16, bottom + i + 16, shares, others));
        _mm256_storeu_si256((__m256i *)(out + i), _mm256_permute4x64_epi64(bytes, 0xd8));
    }
    r2n_pixel_kernels_reference.mix_rows(top + i, bottom + i, share, bottom_share, out + i,
                                         count - i);
}

const r2n_pixel_kernels r2n_pixel_kernels_avx2 = {filter_row, filter_columns, interpolate_row,
                                                  mix_rows};
