/* SPDX-License-Identifier: Apache-2.0 */
/* f32 pools of AVX2: 8 channels of a window at a time, its cells in order. */
#include <immintrin.h>
#include <math.h>

#include "kernels/channel_walk.h"

r2n_kernel_function r2n_pool_f32_avx2;

enum { LANES = 8 };

/* The first `channels` of eight. */
static __m256i lanes_from(int32_t channels)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(channels),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* One vector of channels; with `whole` known to the compiler, masks are left out where they are
 * not needed: masked stores are slow on some CPUs. */
static inline __attribute__((always_inline)) __m256 load(const float *from, int whole, __m256i mask)
{
    return whole ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, mask);
}

static inline __attribute__((always_inline)) void store(float *to, __m256 v, int whole,
                                                        __m256i mask)
{
    if (whole)
        _mm256_storeu_ps(to, v);
    else
        _mm256_maskstore_ps(to, mask, v);
}

static inline __attribute__((always_inline)) void maximum_of(const r2n_pool_window *w, int32_t c,
                                                             int whole)
{
    const __m256i mask = lanes_from(w->channels - c);
    __m256 best = _mm256_set1_ps(-INFINITY);
    for (int32_t row = 0; row < w->rows; row++)
        for (int32_t column = 0; column < w->columns; column++) {
            const __m256 value =
                load(w->from + row * w->row_pitch + column * w->pixel_pitch + c, whole, mask);
            /* MAXPS keeps its second operand of equals and wherever there is a NaN, so that a NaN
             * that comes has to be put in. */
            best = _mm256_blendv_ps(_mm256_max_ps(value, best), value,
                                    _mm256_cmp_ps(value, value, _CMP_UNORD_Q));
        }
    store(w->to + c, best, whole, mask);
}

static inline __attribute__((always_inline)) void average_of(const r2n_pool_window *w, int32_t c,
                                                             int whole)
{
    const __m256i mask = lanes_from(w->channels - c);
    __m256 sum = _mm256_setzero_ps();
    for (int32_t row = 0; row < w->rows; row++)
        for (int32_t column = 0; column < w->columns; column++)
            sum = _mm256_add_ps(
                sum, load(w->from + row * w->row_pitch + column * w->pixel_pitch + c, whole, mask));
    store(w->to + c, _mm256_mul_ps(sum, _mm256_set1_ps(w->factor)), whole, mask);
}

static void maximum(const r2n_pool_window *w)
{
    int32_t c = 0;
    for (; c + LANES <= w->channels; c += LANES)
        maximum_of(w, c, 1);
    if (c < w->channels)
        maximum_of(w, c, 0);
}

static void average(const r2n_pool_window *w)
{
    int32_t c = 0;
    for (; c + LANES <= w->channels; c += LANES)
        average_of(w, c, 1);
    if (c < w->channels)
        average_of(w, c, 0);
}

void r2n_pool_f32_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_f32_walk(maximum, average, arguments, block, range);
}
