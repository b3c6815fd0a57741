/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batch statistics and batch norm backwards of AVX2, 8 channels a vector; sums of a row are taken
 * of 16 channels at a time, whose chains of additions hide each other's latency.
 */
#include <immintrin.h>

#include "kernels/norm_walk.h"

r2n_kernel_function r2n_statistics_f32_avx2;
r2n_kernel_function r2n_norm_sums_f32_avx2;
r2n_kernel_function r2n_norm_gradient_f32_avx2;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { LANES = 8 };

/* Channels of a vector; with `whole` known to the compiler, masks are left out where they are not
 * needed: masked stores are slow on some CPUs. */
typedef struct lanes {
    int whole;
    int32_t count;
    __m256i mask;
} lanes;

ALWAYS_INLINE lanes lanes_from(int32_t channels, const int whole)
{
    const __m256i mask =
        _mm256_cmpgt_epi32(_mm256_set1_epi32(channels), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    return (lanes){whole, channels, mask};
}

ALWAYS_INLINE __m256 load(const float *from, lanes l)
{
    return l.whole ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, l.mask);
}

ALWAYS_INLINE void store(float *to, __m256 v, lanes l)
{
    if (l.whole)
        _mm256_storeu_ps(to, v);
    else
        _mm256_maskstore_ps(to, l.mask, v);
}

/* A row's sums to those of the rows before it, in double. */
ALWAYS_INLINE void add_row(double *to, __m256 sums, lanes l)
{
    if (l.whole) {
        const __m256d first = _mm256_cvtps_pd(_mm256_castps256_ps128(sums));
        const __m256d second = _mm256_cvtps_pd(_mm256_extractf128_ps(sums, 1));
        _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), first));
        _mm256_storeu_pd(to + 4, _mm256_add_pd(_mm256_loadu_pd(to + 4), second));
        return;
    }
    float row[LANES];
    _mm256_storeu_ps(row, sums);
    for (int32_t i = 0; i < l.count; i++)
        to[i] += (double)row[i];
}

/* ---- statistics ---- */

ALWAYS_INLINE void sum_channels(const r2n_statistics_row *r, int32_t c, const int squares, lanes l)
{
    __m256 sum = _mm256_setzero_ps(), square = sum;
    const float *from = r->input + c;
    for (int32_t left = r->columns; left > 0; left--, from += r->pitch) {
        const __m256 v = load(from, l);
        sum = _mm256_add_ps(sum, v);
        if (squares)
            square = _mm256_fmadd_ps(v, v, square);
    }
    add_row(r->sums + c, sum, l);
    if (squares)
        add_row(r->squares + c, square, l);
}

/* 16 channels. */
ALWAYS_INLINE void sum_two(const r2n_statistics_row *r, int32_t c, const int squares)
{
    const lanes l = {.whole = 1, .count = LANES};
    __m256 sum0 = _mm256_setzero_ps(), sum1 = sum0, square0 = sum0, square1 = sum0;
    const float *from = r->input + c;
    for (int32_t left = r->columns; left > 0; left--, from += r->pitch) {
        const __m256 v0 = _mm256_loadu_ps(from), v1 = _mm256_loadu_ps(from + LANES);
        sum0 = _mm256_add_ps(sum0, v0);
        sum1 = _mm256_add_ps(sum1, v1);
        if (squares) {
            square0 = _mm256_fmadd_ps(v0, v0, square0);
            square1 = _mm256_fmadd_ps(v1, v1, square1);
        }
    }
    add_row(r->sums + c, sum0, l);
    add_row(r->sums + c + LANES, sum1, l);
    if (squares) {
        add_row(r->squares + c, square0, l);
        add_row(r->squares + c + LANES, square1, l);
    }
}

ALWAYS_INLINE void sum_all(const r2n_statistics_row *r, const int squares)
{
    int32_t c = 0;
    for (; c + 2 * LANES <= r->channels; c += 2 * LANES)
        sum_two(r, c, squares);
    if (c + LANES <= r->channels) {
        sum_channels(r, c, squares, lanes_from(LANES, 1));
        c += LANES;
    }
    if (c < r->channels)
        sum_channels(r, c, squares, lanes_from(r->channels - c, 0));
}

static void statistics_row(const r2n_statistics_row *r)
{
    if (r->squares != NULL)
        sum_all(r, 1);
    else
        sum_all(r, 0);
}

void r2n_statistics_f32_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_statistics_walk(sizeof(float), statistics_row, arguments, block, range);
}

/* ---- batch norm's sums ---- */

/* The gradient where a ReLU let its number through. */
ALWAYS_INLINE __m256 where_positive(__m256 of, __m256 gradient)
{
    return _mm256_and_ps(_mm256_cmp_ps(of, _mm256_setzero_ps(), _CMP_GT_OQ), gradient);
}

ALWAYS_INLINE void sum_pixel(const r2n_norm_sums_row *r, int64_t pixel, int32_t c, const int mask,
                             lanes l, __m256 *sum, __m256 *product)
{
    float *at = r->gradient + pixel * r->gradient_pitch + c;
    const __m256 x = load(r->input + pixel * r->input_pitch + c, l);
    __m256 g = load(at, l);
    if (mask == R2N_MASK_OF_INPUT)
        g = where_positive(_mm256_fmadd_ps(x, load(r->scale + c, l), load(r->shift + c, l)), g);
    if (mask == R2N_MASK_OF_RESULT) {
        g = where_positive(load(r->result + pixel * r->result_pitch + c, l), g);
        store(at, g, l);
    }
    *sum = _mm256_add_ps(*sum, g);
    *product = _mm256_fmadd_ps(g, _mm256_sub_ps(x, load(r->mean + c, l)), *product);
}

ALWAYS_INLINE void sum_gradients(const r2n_norm_sums_row *r, int32_t c, const int mask, lanes l)
{
    __m256 sum = _mm256_setzero_ps(), product = sum;
    for (int32_t i = 0; i < r->columns; i++)
        sum_pixel(r, i, c, mask, l, &sum, &product);
    add_row(r->sums + c, sum, l);
    add_row(r->products + c, product, l);
}

/* 16 channels. */
ALWAYS_INLINE void sum_two_gradients(const r2n_norm_sums_row *r, int32_t c, const int mask)
{
    const lanes l = {.whole = 1, .count = LANES};
    __m256 sum0 = _mm256_setzero_ps(), sum1 = sum0, product0 = sum0, product1 = sum0;
    for (int32_t i = 0; i < r->columns; i++) {
        sum_pixel(r, i, c, mask, l, &sum0, &product0);
        sum_pixel(r, i, c + LANES, mask, l, &sum1, &product1);
    }
    add_row(r->sums + c, sum0, l);
    add_row(r->sums + c + LANES, sum1, l);
    add_row(r->products + c, product0, l);
    add_row(r->products + c + LANES, product1, l);
}

ALWAYS_INLINE void sum_all_gradients(const r2n_norm_sums_row *r, const int mask)
{
    int32_t c = 0;
    for (; c + 2 * LANES <= r->channels; c += 2 * LANES)
        sum_two_gradients(r, c, mask);
    if (c + LANES <= r->channels) {
        sum_gradients(r, c, mask, lanes_from(LANES, 1));
        c += LANES;
    }
    if (c < r->channels)
        sum_gradients(r, c, mask, lanes_from(r->channels - c, 0));
}

static void norm_sums_row(const r2n_norm_sums_row *r)
{
    if (r->mask == R2N_MASK_OF_INPUT)
        sum_all_gradients(r, R2N_MASK_OF_INPUT);
    else if (r->mask == R2N_MASK_OF_RESULT)
        sum_all_gradients(r, R2N_MASK_OF_RESULT);
    else
        sum_all_gradients(r, R2N_MASK_NONE);
}

void r2n_norm_sums_f32_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_norm_sums_walk(sizeof(float), norm_sums_row, arguments, block, range);
}

/* ---- batch norm's gradient ---- */

ALWAYS_INLINE void give_channels(const r2n_norm_gradient_row *r, int32_t c, const int relu, lanes l)
{
    const __m256 scale = relu ? load(r->scale + c, l) : _mm256_setzero_ps();
    const __m256 shift = relu ? load(r->shift + c, l) : scale;
    const __m256 mean = load(r->mean + c, l);
    const __m256 by_gradient = load(r->by_gradient + c, l);
    const __m256 by_input = load(r->by_input + c, l);
    const __m256 constant = load(r->constant + c, l);
    for (int32_t i = 0; i < r->columns; i++) {
        const __m256 x = load(r->input + i * r->input_pitch + c, l);
        __m256 g = load(r->gradient + i * r->gradient_pitch + c, l);
        if (relu)
            g = where_positive(_mm256_fmadd_ps(x, scale, shift), g);
        const __m256 rest = _mm256_fmadd_ps(_mm256_sub_ps(x, mean), by_input, constant);
        store(r->output + i * r->output_pitch + c, _mm256_fmadd_ps(g, by_gradient, rest), l);
    }
}

ALWAYS_INLINE void give_all(const r2n_norm_gradient_row *r, const int relu)
{
    int32_t c = 0;
    for (; c + LANES <= r->channels; c += LANES)
        give_channels(r, c, relu, lanes_from(LANES, 1));
    if (c < r->channels)
        give_channels(r, c, relu, lanes_from(r->channels - c, 0));
}

static void norm_gradient_row(const r2n_norm_gradient_row *r)
{
    if (r->mask == R2N_MASK_OF_INPUT)
        give_all(r, 1);
    else
        give_all(r, 0);
}

void r2n_norm_gradient_f32_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_norm_gradient_walk(sizeof(float), norm_gradient_row, arguments, block, range);
}
