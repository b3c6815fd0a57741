/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients of f32 pools of AVX2: 8 channels of a window at a time, its cells in order. */
#include <immintrin.h>

#include "kernels/pool_gradient_walk.h"

r2n_kernel_function r2n_pool_gradient_f32_avx2;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { LANES = 8 };

/* The first `channels` of eight. */
ALWAYS_INLINE __m256i lanes_from(int32_t channels)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(channels),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* One vector of channels; with `whole` known to the compiler, masks are left out where they are
 * not needed: masked stores are slow on some CPUs. */
ALWAYS_INLINE __m256 load(const float *from, int whole, __m256i mask)
{
    return whole ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, mask);
}

ALWAYS_INLINE void store(float *to, __m256 v, int whole, __m256i mask)
{
    if (whole)
        _mm256_storeu_ps(to, v);
    else
        _mm256_maskstore_ps(to, mask, v);
}

/* The number of the cell that each channel's maximum came from. */
ALWAYS_INLINE __m256i find_winners(const r2n_pool_gradient_window *w, int32_t c, int whole,
                                   __m256i mask)
{
    __m256 best = load(w->input + c, whole, mask);
    __m256 winner = _mm256_setzero_ps();
    for (int32_t row = 0; row < w->rows; row++)
        for (int32_t column = 0; column < w->columns; column++) {
            const __m256 value =
                load(w->input + row * w->input_row_pitch + column * w->input_pixel_pitch + c, whole,
                     mask);
            /* Not <=: larger, or a NaN on either side, whose first shall stay. */
            const __m256 wins = _mm256_and_ps(_mm256_cmp_ps(best, best, _CMP_ORD_Q),
                                              _mm256_cmp_ps(value, best, _CMP_NLE_UQ));
            const __m256 cell = _mm256_castsi256_ps(_mm256_set1_epi32(row * w->columns + column));
            best = _mm256_blendv_ps(best, value, wins);
            winner = _mm256_blendv_ps(winner, cell, wins);
        }
    return _mm256_castps_si256(winner);
}

ALWAYS_INLINE void maximum_of(const r2n_pool_gradient_window *w, int32_t c, int whole)
{
    const __m256i mask = lanes_from(w->channels - c);
    const __m256 gradient = load(w->gradient + c, whole, mask);
    const __m256i winner = find_winners(w, c, whole, mask);
    for (int32_t row = 0; row < w->rows; row++)
        for (int32_t column = 0; column < w->columns; column++) {
            float *to = w->to + row * w->to_row_pitch + column * w->to_pixel_pitch + c;
            const __m256 here = _mm256_castsi256_ps(
                _mm256_cmpeq_epi32(winner, _mm256_set1_epi32(row * w->columns + column)));
            const __m256 there = load(to, whole, mask);
            /* What does not win keeps its bits, a zero's sign too. */
            store(to, _mm256_blendv_ps(there, _mm256_add_ps(there, gradient), here), whole, mask);
        }
}

ALWAYS_INLINE void average_of(const r2n_pool_gradient_window *w, int32_t c, int whole)
{
    const __m256i mask = lanes_from(w->channels - c);
    const __m256 share =
        _mm256_mul_ps(load(w->gradient + c, whole, mask), _mm256_set1_ps(w->factor));
    for (int32_t row = 0; row < w->rows; row++)
        for (int32_t column = 0; column < w->columns; column++) {
            float *to = w->to + row * w->to_row_pitch + column * w->to_pixel_pitch + c;
            store(to, _mm256_add_ps(load(to, whole, mask), share), whole, mask);
        }
}

static void maximum(const r2n_pool_gradient_window *w)
{
    int32_t c = 0;
    for (; c + LANES <= w->channels; c += LANES)
        maximum_of(w, c, 1);
    if (c < w->channels)
        maximum_of(w, c, 0);
}

static void average(const r2n_pool_gradient_window *w)
{
    int32_t c = 0;
    for (; c + LANES <= w->channels; c += LANES)
        average_of(w, c, 1);
    if (c < w->channels)
        average_of(w, c, 0);
}

void r2n_pool_gradient_f32_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_gradient_walk(sizeof(float), maximum, average, arguments, block, range);
}
