/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of a winograd step on AVX-512: 16 channels a vector, the formulas of kernels.h. */
#include "kernels/winograd_walk.h"

#include <immintrin.h>

r2n_kernel_function r2n_winograd_f32_avx512;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { LANES = 16, POINTS = R2N_WINOGRAD_POINTS, PIXELS = R2N_WINOGRAD_PIXELS };

ALWAYS_INLINE __mmask16 first_lanes(int32_t lanes)
{
    return lanes >= LANES ? (__mmask16)0xffff : (__mmask16)((1u << lanes) - 1);
}

/* fma(factor, a, b) */
ALWAYS_INLINE __m512 fma_by(float factor, __m512 a, __m512 b)
{
    return _mm512_fmadd_ps(_mm512_set1_ps(factor), a, b);
}

ALWAYS_INLINE void transform_tile(const __m512 *d, float *to, int64_t point_pitch)
{
    const __m512 a = fma_by(-4, d[2], d[4]);
    const __m512 b = fma_by(-4, d[1], d[3]);
    const __m512 e = _mm512_sub_ps(d[4], d[2]);
    const __m512 f = _mm512_sub_ps(d[3], d[1]);
    _mm512_store_ps(to, fma_by(4, d[0], fma_by(-5, d[2], d[4])));
    _mm512_store_ps(to + point_pitch, _mm512_add_ps(a, b));
    _mm512_store_ps(to + 2 * point_pitch, _mm512_sub_ps(a, b));
    _mm512_store_ps(to + 3 * point_pitch, fma_by(2, f, e));
    _mm512_store_ps(to + 4 * point_pitch, fma_by(-2, f, e));
    _mm512_store_ps(to + 5 * point_pitch, fma_by(4, d[1], fma_by(-5, d[3], d[5])));
}

static void transform(const r2n_winograd_input *row)
{
    for (int32_t c = 0; c < row->channels; c += LANES) {
        const __mmask16 lanes = first_lanes(row->channels - c);
        const float *from = row->from + c;
        float *to = row->to + c;
        __m512 d[POINTS];
        d[4] = _mm512_maskz_loadu_ps(lanes, from);
        d[5] = _mm512_maskz_loadu_ps(lanes, from + row->pixel_pitch);
        for (int32_t tile = 0; tile < row->tiles; tile++) {
            const int32_t left = row->pixels - tile * PIXELS;
            d[0] = d[4];
            d[1] = d[5];
            for (int i = 2; i < POINTS; i++)
                d[i] = _mm512_maskz_loadu_ps(i < left ? lanes : 0, from + i * row->pixel_pitch);
            transform_tile(d, to, row->point_pitch);
            from += PIXELS * row->pixel_pitch;
            to += row->tile_pitch;
        }
    }
}

ALWAYS_INLINE __m512 add_bias(const r2n_winograd_output *row, __m512 v, __m512 bias)
{
    v = _mm512_add_ps(v, bias);
    if (row->relu) /* keeps what is not <= 0: positive numbers and NaN */
        v = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ), v);
    return v;
}

ALWAYS_INLINE void finish_tile(const r2n_winograd_output *row, const float *from, __m512 bias,
                               __mmask16 lanes, int32_t pixels, int64_t at_output, int64_t at_chain)
{
    __m512 m[POINTS], y[PIXELS];
    for (int i = 0; i < POINTS; i++)
        m[i] = _mm512_load_ps(from + i * row->point_pitch);
    const __m512 s = _mm512_add_ps(m[1], m[2]);
    const __m512 t = _mm512_sub_ps(m[1], m[2]);
    const __m512 u = _mm512_add_ps(m[3], m[4]);
    const __m512 w = _mm512_sub_ps(m[3], m[4]);
    y[0] = add_bias(row, _mm512_add_ps(_mm512_add_ps(m[0], s), u), bias);
    y[1] = add_bias(row, fma_by(2, w, t), bias);
    y[2] = add_bias(row, fma_by(4, u, s), bias);
    y[3] = add_bias(row, _mm512_add_ps(fma_by(8, w, t), m[5]), bias);
    for (int i = 0; i < PIXELS; i++)
        _mm512_mask_storeu_ps(row->output + at_output + i * row->output_pitch,
                              i < pixels ? lanes : 0, y[i]);
    if (row->chain == NULL)
        return;
    float *chain = row->chain + at_chain;
    for (int i = 0; i < PIXELS; i++)
        y[i] = _mm512_add_ps(
            _mm512_maskz_loadu_ps(i < pixels ? lanes : 0, chain + i * row->chain_pitch), y[i]);
    for (int i = 0; i < PIXELS; i++)
        _mm512_mask_storeu_ps(chain + i * row->chain_pitch, i < pixels ? lanes : 0, y[i]);
}

static void finish(const r2n_winograd_output *row)
{
    for (int32_t block = 0; block < row->blocks; block++) {
        const __mmask16 lanes = block + 1 < row->blocks ? 0xffff : first_lanes(row->last_lanes);
        const __m512 bias = _mm512_loadu_ps(row->bias + block * LANES);
        const float *from = row->from + block * LANES;
        for (int32_t pixel = 0; pixel < row->pixels; pixel += PIXELS) {
            finish_tile(row, from, bias, lanes, row->pixels - pixel,
                        pixel * row->output_pitch + block * LANES,
                        pixel * row->chain_pitch + block * LANES);
            from += row->tile_pitch;
        }
    }
}

void r2n_winograd_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    static const r2n_winograd_set set = {&r2n_gemm_f32_avx512_tiles, transform, finish};
    r2n_winograd_f32_walk(&set, arguments, block, range);
}
