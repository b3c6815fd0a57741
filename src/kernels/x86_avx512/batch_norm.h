/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batch statistics and batch norm backwards of AVX-512, of f32 and bf16. All take 32 channels at a
 * time where there are as many: a sum is one chain of additions, and two or four of them hide each
 * other's latency; and of bf16 these are a whole line of cache.
 */
#ifndef R2N_KERNELS_X86_AVX512_BATCH_NORM_H
#define R2N_KERNELS_X86_AVX512_BATCH_NORM_H

#include "kernels/norm_walk.h"
#include "kernels/x86_avx512/channels.h"

/* A row's sums to those of the rows before it, in double. */
CHANNELS_INLINE void add_row(double *to, __mmask16 mask, __m512 sums)
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
CHANNELS_INLINE void sum_channels(const r2n_statistics_row *r, int32_t c, const int vectors,
                                  const int squares, __mmask16 mask, const int bf16)
{
    const __mmask16 mask0 = vectors > 1 ? (__mmask16)0xffff : mask;
    __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0, square0 = sum0, square1 = sum0;
    int64_t at = c;
    for (int32_t left = r->columns; left > 0; left--, at += r->pitch) {
        const __m512 v0 = load_channels(r->any_input, at, mask0, bf16);
        sum0 = _mm512_add_ps(sum0, v0);
        if (squares)
            square0 = _mm512_fmadd_ps(v0, v0, square0);
        if (vectors > 1) {
            const __m512 v1 = load_channels(r->any_input, at + LANES, mask, bf16);
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

CHANNELS_INLINE void sum_statistics(const r2n_statistics_row *r, const int bf16)
{
    for (int32_t c = 0; c < r->channels; c += 2 * LANES) {
        const int32_t left = r->channels - c;
        const __mmask16 mask = lanes_from(left > LANES ? left - LANES : left);
        if (r->squares != NULL && left > LANES)
            sum_channels(r, c, 2, 1, mask, bf16);
        else if (r->squares != NULL)
            sum_channels(r, c, 1, 1, mask, bf16);
        else if (left > LANES)
            sum_channels(r, c, 2, 0, mask, bf16);
        else
            sum_channels(r, c, 1, 0, mask, bf16);
    }
}

/* ---- batch norm's sums ---- */

/* What a vector of channels needs in every pixel. */
typedef struct norm_lanes {
    __mmask16 mask;
    __m512 scale, shift, mean;
} norm_lanes;

CHANNELS_INLINE norm_lanes load_lanes(const float *scale, const float *shift, const float *mean,
                                      const int relu, int32_t c, __mmask16 mask)
{
    norm_lanes l = {.mask = mask, .mean = _mm512_maskz_loadu_ps(mask, mean + c)};
    l.scale = l.shift = _mm512_setzero_ps();
    if (relu) {
        l.scale = _mm512_maskz_loadu_ps(mask, scale + c);
        l.shift = _mm512_maskz_loadu_ps(mask, shift + c);
    }
    return l;
}

/* The gradient where a ReLU let its number through. */
CHANNELS_INLINE __m512 where_positive(__m512 of, __m512 gradient)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(of, _mm512_setzero_ps(), _CMP_GT_OQ), gradient);
}

CHANNELS_INLINE void sum_pixel(const r2n_norm_sums_row *r, int64_t pixel, int32_t c, const int mask,
                               const norm_lanes *l, __m512 *sum, __m512 *product, const int bf16)
{
    const int64_t at = pixel * r->gradient_pitch + c;
    const __m512 x = load_channels(r->any_input, pixel * r->input_pitch + c, l->mask, bf16);
    __m512 g = load_channels(r->any_gradient, at, l->mask, bf16);
    if (mask == R2N_MASK_OF_INPUT)
        g = where_positive(_mm512_fmadd_ps(x, l->scale, l->shift), g);
    if (mask == R2N_MASK_OF_RESULT) {
        g = where_positive(load_channels(r->any_result, pixel * r->result_pitch + c, l->mask, bf16),
                           g);
        store_channels(r->any_gradient, at, l->mask, g, bf16);
    }
    *sum = _mm512_add_ps(*sum, g);
    *product = _mm512_fmadd_ps(g, _mm512_sub_ps(x, l->mean), *product);
}

CHANNELS_INLINE void prefetch_sums(const r2n_norm_sums_row *r, int64_t pixel, int32_t c,
                                   const int mask, const int bf16)
{
    prefetch_channels(r->any_input, pixel * r->input_pitch + c, r->columns * r->input_pitch, bf16);
    prefetch_channels(r->any_gradient, pixel * r->gradient_pitch + c,
                      r->columns * r->gradient_pitch, bf16);
    if (mask == R2N_MASK_OF_RESULT)
        prefetch_channels(r->any_result, pixel * r->result_pitch + c, r->columns * r->result_pitch,
                          bf16);
}

CHANNELS_INLINE void sum_masked(const r2n_norm_sums_row *r, const int mask, const int bf16)
{
    for (int32_t c = 0; c < r->channels; c += 2 * LANES) {
        const int32_t left = r->channels - c;
        const int relu = mask == R2N_MASK_OF_INPUT;
        const norm_lanes l0 = load_lanes(r->scale, r->shift, r->mean, relu, c, lanes_from(left));
        __m512 sum0 = _mm512_setzero_ps(), sum1 = sum0, product0 = sum0, product1 = sum0;
        if (left <= LANES) {
            for (int32_t i = 0; i < r->columns; i++)
                sum_pixel(r, i, c, mask, &l0, &sum0, &product0, bf16);
        } else {
            const norm_lanes l1 =
                load_lanes(r->scale, r->shift, r->mean, relu, c + LANES, lanes_from(left - LANES));
            for (int32_t i = 0; i < r->columns; i++) {
                prefetch_sums(r, i, c, mask, bf16);
                sum_pixel(r, i, c, mask, &l0, &sum0, &product0, bf16);
                sum_pixel(r, i, c + LANES, mask, &l1, &sum1, &product1, bf16);
            }
            add_row(r->sums + c + LANES, l1.mask, sum1);
            add_row(r->products + c + LANES, l1.mask, product1);
        }
        add_row(r->sums + c, l0.mask, sum0);
        add_row(r->products + c, l0.mask, product0);
    }
}

CHANNELS_INLINE void sum_gradients(const r2n_norm_sums_row *r, const int bf16)
{
    if (r->mask == R2N_MASK_OF_INPUT)
        sum_masked(r, R2N_MASK_OF_INPUT, bf16);
    else if (r->mask == R2N_MASK_OF_RESULT)
        sum_masked(r, R2N_MASK_OF_RESULT, bf16);
    else
        sum_masked(r, R2N_MASK_NONE, bf16);
}

/* ---- batch norm's gradient ---- */

typedef struct gradient_lanes {
    norm_lanes norm;
    __m512 by_gradient, by_input, constant;
} gradient_lanes;

CHANNELS_INLINE gradient_lanes load_gradient_lanes(const r2n_norm_gradient_row *r, const int relu,
                                                   int32_t c)
{
    const __mmask16 mask = lanes_from(r->channels - c);
    return (gradient_lanes){.norm = load_lanes(r->scale, r->shift, r->mean, relu, c, mask),
                            .by_gradient = _mm512_maskz_loadu_ps(mask, r->by_gradient + c),
                            .by_input = _mm512_maskz_loadu_ps(mask, r->by_input + c),
                            .constant = _mm512_maskz_loadu_ps(mask, r->constant + c)};
}

CHANNELS_INLINE void give_pixel(const r2n_norm_gradient_row *r, int64_t pixel, int32_t c,
                                const int relu, const gradient_lanes *l, const int bf16)
{
    const __mmask16 mask = l->norm.mask;
    const __m512 x = load_channels(r->any_input, pixel * r->input_pitch + c, mask, bf16);
    __m512 g = load_channels(r->any_gradient, pixel * r->gradient_pitch + c, mask, bf16);
    if (relu)
        g = where_positive(_mm512_fmadd_ps(x, l->norm.scale, l->norm.shift), g);
    const __m512 rest = _mm512_fmadd_ps(_mm512_sub_ps(x, l->norm.mean), l->by_input, l->constant);
    store_channels(r->any_output, pixel * r->output_pitch + c, mask,
                   _mm512_fmadd_ps(g, l->by_gradient, rest), bf16);
}

CHANNELS_INLINE void give_masked(const r2n_norm_gradient_row *r, const int relu, const int bf16)
{
    int32_t c = 0;
    for (; c + LANES < r->channels; c += 2 * LANES) {
        const gradient_lanes l0 = load_gradient_lanes(r, relu, c);
        const gradient_lanes l1 = load_gradient_lanes(r, relu, c + LANES);
        for (int32_t i = 0; i < r->columns; i++) {
            prefetch_channels(r->any_input, i * r->input_pitch + c, r->columns * r->input_pitch,
                              bf16);
            prefetch_channels(r->any_gradient, i * r->gradient_pitch + c,
                              r->columns * r->gradient_pitch, bf16);
            prefetch_channels(r->any_output, i * r->output_pitch + c, r->columns * r->output_pitch,
                              bf16);
            give_pixel(r, i, c, relu, &l0, bf16);
            give_pixel(r, i, c + LANES, relu, &l1, bf16);
        }
    }
    if (c < r->channels) {
        const gradient_lanes l = load_gradient_lanes(r, relu, c);
        for (int32_t i = 0; i < r->columns; i++)
            give_pixel(r, i, c, relu, &l, bf16);
    }
}

CHANNELS_INLINE void give_gradients(const r2n_norm_gradient_row *r, const int bf16)
{
    if (r->mask == R2N_MASK_OF_INPUT)
        give_masked(r, 1, bf16);
    else
        give_masked(r, 0, bf16);
}

#endif
