/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of a winograd step on AVX2: 8 channels a vector, the formulas of kernels.h. */
#include "kernels/winograd_walk.h"

#include <immintrin.h>

r2n_kernel_function r2n_winograd_f32_avx2;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { LANES = 8, BLOCK = 16, POINTS = R2N_WINOGRAD_POINTS, PIXELS = R2N_WINOGRAD_PIXELS };

/* Of a vector the first `count` lanes; masked loads and stores are slow on some CPUs, so that whole
 * vectors go without. */
typedef struct lanes {
    int32_t count;
    __m256i mask;
} lanes;

ALWAYS_INLINE lanes first_lanes(int32_t count)
{
    return (lanes){count, _mm256_cmpgt_epi32(_mm256_set1_epi32(count),
                                             _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))};
}

ALWAYS_INLINE __m256 load(const float *from, lanes l)
{
    return l.count >= LANES ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, l.mask);
}

ALWAYS_INLINE void store(float *to, __m256 v, lanes l)
{
    if (l.count >= LANES)
        _mm256_storeu_ps(to, v);
    else
        _mm256_maskstore_ps(to, l.mask, v);
}

/* fma(factor, a, b) */
ALWAYS_INLINE __m256 fma_by(float factor, __m256 a, __m256 b)
{
    return _mm256_fmadd_ps(_mm256_set1_ps(factor), a, b);
}

ALWAYS_INLINE void transform_tile(const __m256 *d, float *to, int64_t point_pitch)
{
    const __m256 a = fma_by(-4, d[2], d[4]);
    const __m256 b = fma_by(-4, d[1], d[3]);
    const __m256 e = _mm256_sub_ps(d[4], d[2]);
    const __m256 f = _mm256_sub_ps(d[3], d[1]);
    _mm256_store_ps(to, fma_by(4, d[0], fma_by(-5, d[2], d[4])));
    _mm256_store_ps(to + point_pitch, _mm256_add_ps(a, b));
    _mm256_store_ps(to + 2 * point_pitch, _mm256_sub_ps(a, b));
    _mm256_store_ps(to + 3 * point_pitch, fma_by(2, f, e));
    _mm256_store_ps(to + 4 * point_pitch, fma_by(-2, f, e));
    _mm256_store_ps(to + 5 * point_pitch, fma_by(4, d[1], fma_by(-5, d[3], d[5])));
}

static void transform(const r2n_winograd_input *row)
{
    for (int32_t c = 0; c < row->channels; c += LANES) {
        const lanes l = first_lanes(row->channels - c);
        const float *from = row->from + c;
        float *to = row->to + c;
        __m256 d[POINTS];
        d[4] = load(from, l);
        d[5] = load(from + row->pixel_pitch, l);
        for (int32_t tile = 0; tile < row->tiles; tile++) {
            const int32_t left = row->pixels - tile * PIXELS;
            d[0] = d[4];
            d[1] = d[5];
            for (int i = 2; i < POINTS; i++)
                d[i] = i < left ? load(from + i * row->pixel_pitch, l) : _mm256_setzero_ps();
            transform_tile(d, to, row->point_pitch);
            from += PIXELS * row->pixel_pitch;
            to += row->tile_pitch;
        }
    }
}

ALWAYS_INLINE __m256 add_bias(const r2n_winograd_output *row, __m256 v, __m256 bias)
{
    v = _mm256_add_ps(v, bias);
    if (row->relu) /* keeps what is not <= 0: positive numbers and NaN */
        v = _mm256_and_ps(v, _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NLE_UQ));
    return v;
}

ALWAYS_INLINE void finish_tile(const r2n_winograd_output *row, const float *from, __m256 bias,
                               lanes l, int32_t pixels, int64_t at_output, int64_t at_chain)
{
    __m256 m[POINTS], y[PIXELS], sum[PIXELS];
    for (int i = 0; i < POINTS; i++)
        m[i] = _mm256_load_ps(from + i * row->point_pitch);
    const __m256 s = _mm256_add_ps(m[1], m[2]);
    const __m256 t = _mm256_sub_ps(m[1], m[2]);
    const __m256 u = _mm256_add_ps(m[3], m[4]);
    const __m256 w = _mm256_sub_ps(m[3], m[4]);
    y[0] = add_bias(row, _mm256_add_ps(_mm256_add_ps(m[0], s), u), bias);
    y[1] = add_bias(row, fma_by(2, w, t), bias);
    y[2] = add_bias(row, fma_by(4, u, s), bias);
    y[3] = add_bias(row, _mm256_add_ps(fma_by(8, w, t), m[5]), bias);
    for (int i = 0; i < PIXELS && i < pixels; i++)
        store(row->output + at_output + i * row->output_pitch, y[i], l);
    if (row->chain == NULL)
        return;
    float *chain = row->chain + at_chain;
    for (int i = 0; i < PIXELS && i < pixels; i++)
        sum[i] = _mm256_add_ps(load(chain + i * row->chain_pitch, l), y[i]);
    for (int i = 0; i < PIXELS && i < pixels; i++)
        store(chain + i * row->chain_pitch, sum[i], l);
}

static void finish(const r2n_winograd_output *row)
{
    const int32_t channels = (row->blocks - 1) * BLOCK + row->last_lanes;
    for (int32_t c = 0; c < channels; c += LANES) {
        const lanes l = first_lanes(channels - c);
        const __m256 bias = _mm256_loadu_ps(row->bias + c);
        const float *from = row->from + c;
        for (int32_t pixel = 0; pixel < row->pixels; pixel += PIXELS) {
            finish_tile(row, from, bias, l, row->pixels - pixel, pixel * row->output_pitch + c,
                        pixel * row->chain_pitch + c);
            from += row->tile_pitch;
        }
    }
}

void r2n_winograd_f32_avx2(const void *arguments, void *block, r2n_range range)
{
    static const r2n_winograd_set set = {&r2n_gemm_f32_avx2_tiles, transform, finish};
    r2n_winograd_f32_walk(&set, arguments, block, range);
}
