/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batch statistics and batch norm backwards of AVX-512. Sums of a row are taken of 32 channels at a
 * time: a sum is one chain of additions, and two or four of them hide each other's latency.
 */
#include <immintrin.h>

#include "kernels/norm_walk.h"

r2n_kernel_function r2n_statistics_f32_avx512;
r2n_kernel_function r2n_norm_sums_f32_avx512;
r2n_kernel_function r2n_norm_gradient_f32_avx512;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };

/* The first `channels` of sixteen lanes. */
ALWAYS_INLINE __mmask16 lanes_from(int32_t channels)
{
    if (channels <= 0)
        return 0;
    return channels >= LANES ? (__mmask16)0xffff : (__mmask16)((1u << channels) - 1);
}

/* A row's sums to those of the rows before it, in double. */
ALWAYS_INLINE void add_row(double *to, __mmask16 mask, __m512 sums)
{
    const __mmask8 low = (__mmask8)mask, high = (__mmask8)(mask >> 8);
    const __m512d first = _mm512_cvtps_pd(_mm512_castps512_ps256(sums));
    const __m512d second = _mm512_cvtps_pd(_mm512_extractf32x8_ps(sums, 1));
    _mm512_mask_storeu_pd(to, low, _mm512_add_pd(_mm512_maskz_loadu_pd(low, to), first));
    if (high != 0)
        _mm512_mask_storeu_pd(to + 8, high,
                              _mm512_add_pd(_mm512_maskz_loadu_pd(high, to + 8), second));
}

/* ---- statistics ---- */

/* Of 16 channels, or of 32 of which the last have `mask`. */
ALWAYS_INLINE void sum_channels(const r2n_statistics_row *r, int32_t c, const int vectors,
                                const int squares, __mmask16 mask)
{
    const __mmask16 mask0 = vectors > 1 ? (__mmask16)0xffff : mask;
    __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0, square0 = sum0, square1 = sum0;
    const float *from = r->input + c;
    for (int32_t left = r->columns; left > 0; left--, from += r->pitch) {
        const __m512 v0 = _mm512_maskz_loadu_ps(mask0, from);
        sum0 = _mm512_add_ps(sum0, v0);
        if (squares)
            square0 = _mm512_fmadd_ps(v0, v0, square0);
        if (vectors > 1) {
            const __m512 v1 = _mm512_maskz_loadu_ps(mask, from + LANES);
            sum1 = _mm512_add_ps(sum1, v1);
            if (squares)
                square1 = _mm512_fmadd_ps(v1, v1, square1);
        }
    }
    add_row(r->sums + c, mask0, sum0);
    if (vectors > 1)
        add_row(r->sums + c + LANES, mask, sum1);
    if (squares) {
        add_row(r->squares + c, mask0, square0);
        if (vectors > 1)
            add_row(r->squares + c + LANES, mask, square1);
    }
}

static void statistics_row(const r2n_statistics_row *r)
{
    for (int32_t c = 0; c < r->channels; c += 2 * LANES) {
        const int32_t left = r->channels - c;
        const __mmask16 mask = lanes_from(left > LANES ? left - LANES : left);
        if (r->squares != NULL && left > LANES)
            sum_channels(r, c, 2, 1, mask);
        else if (r->squares != NULL)
            sum_channels(r, c, 1, 1, mask);
        else if (left > LANES)
            sum_channels(r, c, 2, 0, mask);
        else
            sum_channels(r, c, 1, 0, mask);
    }
}

void r2n_statistics_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_statistics_f32_walk(statistics_row, arguments, block, range);
}

/* ---- batch norm's sums ---- */

/* What a vector of channels needs in every pixel. */
typedef struct lanes {
    __mmask16 mask;
    __m512 scale, shift, mean;
} lanes;

ALWAYS_INLINE lanes load_lanes(const float *scale, const float *shift, const float *mean,
                               const int relu, int32_t c, __mmask16 mask)
{
    lanes l = {.mask = mask, .mean = _mm512_maskz_loadu_ps(mask, mean + c)};
    l.scale = l.shift = _mm512_setzero_ps();
    if (relu) {
        l.scale = _mm512_maskz_loadu_ps(mask, scale + c);
        l.shift = _mm512_maskz_loadu_ps(mask, shift + c);
    }
    return l;
}

/* The gradient where a ReLU let its number through. */
ALWAYS_INLINE __m512 where_positive(__m512 of, __m512 gradient)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(of, _mm512_setzero_ps(), _CMP_GT_OQ), gradient);
}

ALWAYS_INLINE void sum_pixel(const r2n_norm_sums_row *r, int64_t pixel, int32_t c, const int mask,
                             const lanes *l, __m512 *sum, __m512 *product)
{
    float *at = r->gradient + pixel * r->gradient_pitch + c;
    const __m512 x = _mm512_maskz_loadu_ps(l->mask, r->input + pixel * r->input_pitch + c);
    __m512 g = _mm512_maskz_loadu_ps(l->mask, at);
    if (mask == R2N_MASK_OF_INPUT)
        g = where_positive(_mm512_fmadd_ps(x, l->scale, l->shift), g);
    if (mask == R2N_MASK_OF_RESULT) {
        g = where_positive(_mm512_maskz_loadu_ps(l->mask, r->result + pixel * r->result_pitch + c),
                           g);
        _mm512_mask_storeu_ps(at, l->mask, g);
    }
    *sum = _mm512_add_ps(*sum, g);
    *product = _mm512_fmadd_ps(g, _mm512_sub_ps(x, l->mean), *product);
}

ALWAYS_INLINE void sum_gradients(const r2n_norm_sums_row *r, const int mask)
{
    for (int32_t c = 0; c < r->channels; c += 2 * LANES) {
        const int32_t left = r->channels - c;
        const int relu = mask == R2N_MASK_OF_INPUT;
        const lanes l0 = load_lanes(r->scale, r->shift, r->mean, relu, c, lanes_from(left));
        __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0, product0 = sum0, product1 = sum0;
        if (left <= LANES) {
            for (int32_t i = 0; i < r->columns; i++)
                sum_pixel(r, i, c, mask, &l0, &sum0, &product0);
        } else {
            const lanes l1 =
                load_lanes(r->scale, r->shift, r->mean, relu, c + LANES, lanes_from(left - LANES));
            for (int32_t i = 0; i < r->columns; i++) {
                sum_pixel(r, i, c, mask, &l0, &sum0, &product0);
                sum_pixel(r, i, c + LANES, mask, &l1, &sum1, &product1);
            }
            add_row(r->sums + c + LANES, l1.mask, sum1);
            add_row(r->products + c + LANES, l1.mask, product1);
        }
        add_row(r->sums + c, l0.mask, sum0);
        add_row(r->products + c, l0.mask, product0);
    }
}

static void norm_sums_row(const r2n_norm_sums_row *r)
{
    if (r->mask == R2N_MASK_OF_INPUT)
        sum_gradients(r, R2N_MASK_OF_INPUT);
    else if (r->mask == R2N_MASK_OF_RESULT)
        sum_gradients(r, R2N_MASK_OF_RESULT);
    else
        sum_gradients(r, R2N_MASK_NONE);
}

void r2n_norm_sums_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_norm_sums_f32_walk(norm_sums_row, arguments, block, range);
}

/* ---- batch norm's gradient ---- */

ALWAYS_INLINE void give_gradient(const r2n_norm_gradient_row *r, const int relu)
{
    for (int32_t c = 0; c < r->channels; c += LANES) {
        const __mmask16 mask = lanes_from(r->channels - c);
        const lanes l = load_lanes(r->scale, r->shift, r->mean, relu, c, mask);
        const __m512 by_gradient = _mm512_maskz_loadu_ps(mask, r->by_gradient + c);
        const __m512 by_input = _mm512_maskz_loadu_ps(mask, r->by_input + c);
        const __m512 constant = _mm512_maskz_loadu_ps(mask, r->constant + c);
        for (int32_t i = 0; i < r->columns; i++) {
            const __m512 x = _mm512_maskz_loadu_ps(mask, r->input + i * r->input_pitch + c);
            __m512 g = _mm512_maskz_loadu_ps(mask, r->gradient + i * r->gradient_pitch + c);
            if (relu)
                g = where_positive(_mm512_fmadd_ps(x, l.scale, l.shift), g);
            const __m512 rest = _mm512_fmadd_ps(_mm512_sub_ps(x, l.mean), by_input, constant);
            _mm512_mask_storeu_ps(r->output + i * r->output_pitch + c, mask,
                                  _mm512_fmadd_ps(g, by_gradient, rest));
        }
    }
}

static void norm_gradient_row(const r2n_norm_gradient_row *r)
{
    if (r->mask == R2N_MASK_OF_INPUT)
        give_gradient(r, 1);
    else
        give_gradient(r, 0);
}

void r2n_norm_gradient_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_norm_gradient_f32_walk(norm_gradient_row, arguments, block, range);
}
