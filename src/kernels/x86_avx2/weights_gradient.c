/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiles of the gradient by weights of AVX2: up to 6 rows k times one block of 16 channels, two
 * registers, over all pixels of a chunk. One body, always inlined with constant sizes;
 * weights_gradient_walk.c calls the tiles.
 */
#include <immintrin.h>

#include "kernels/weights_gradient_walk.h"

r2n_kernel_function r2n_weights_gradient_f32_avx2;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { HALF = 8, LANES = R2N_GRADIENT_LANES };

#define EACH_K(X) X(0) X(1) X(2) X(3) X(4) X(5)

/* X(sum, k, half) for every sum in use. */
#define EACH_SUM_OF_K(X, i)                                                                        \
    if (i < k_count) {                                                                             \
        X(s##i##_0, i, 0)                                                                          \
        X(s##i##_1, i, 1)                                                                          \
    }
#define EACH_SUM(X)                                                                                \
    EACH_SUM_OF_K(X, 0)                                                                            \
    EACH_SUM_OF_K(X, 1)                                                                            \
    EACH_SUM_OF_K(X, 2)                                                                            \
    EACH_SUM_OF_K(X, 3)                                                                            \
    EACH_SUM_OF_K(X, 4)                                                                            \
    EACH_SUM_OF_K(X, 5)

#define DECLARE(i) __m256 s##i##_0 = _mm256_setzero_ps(), s##i##_1 = s##i##_0;

#define MULTIPLY_ADD(i)                                                                            \
    if (i < k_count) {                                                                             \
        const __m256 value = _mm256_broadcast_ss(a + (i));                                         \
        s##i##_0 = _mm256_fmadd_ps(value, g0, s##i##_0);                                           \
        s##i##_1 = _mm256_fmadd_ps(value, g1, s##i##_1);                                           \
    }

#define PLACE(base, i, half) (base + (i)*LANES + (half)*HALF)

#define RESUME(sum, i, half)  sum = _mm256_loadu_ps(PLACE(tile->resumed, i, half));
#define SUSPEND(sum, i, half) _mm256_storeu_ps(PLACE(tile->suspended, i, half), sum);
#define ADD(sum, i, half)     sum = _mm256_add_ps(_mm256_loadu_ps(PLACE(tile->output, i, half)), sum);
#define CLEAR(sum, i, half)   sum = _mm256_and_ps(sum, mask##half);
#define STORE(sum, i, half)   _mm256_storeu_ps(PLACE(tile->output, i, half), sum);

/* All bits of the lanes from `first` on that have a channel. */
ALWAYS_INLINE __m256 lanes_mask(int32_t channels, int32_t first)
{
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(channels - first),
                                                  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)));
}

ALWAYS_INLINE void compute(const r2n_gradient_tile *tile, const int k_count)
{
    EACH_K(DECLARE)
    const float *gradient = tile->gradient;
    const int64_t pitch = tile->pixel_pitch;
    const char *prefetch = tile->prefetch;
    const int64_t prefetch_step = tile->prefetch_step;
    if (tile->resumed != NULL) {
        EACH_SUM(RESUME)
    }
    for (int32_t i = 0; i < tile->run_count; i++) {
        const float *a = tile->runs[i].first + tile->k;
        for (int64_t left = tile->runs[i].pixels; left > 0; left--) {
            const __m256 g0 = _mm256_loadu_ps(gradient);
            const __m256 g1 = _mm256_loadu_ps(gradient + HALF);
            EACH_K(MULTIPLY_ADD)
            _mm_prefetch(prefetch, _MM_HINT_T1);
            prefetch += prefetch_step;
            a += pitch;
            gradient += LANES;
        }
    }
    if (tile->suspended != NULL) {
        EACH_SUM(SUSPEND)
        return;
    }
    if (tile->adds) {
        EACH_SUM(ADD)
    }
    if (tile->last_lanes < LANES) {
        const __m256 mask0 = lanes_mask(tile->last_lanes, 0);
        const __m256 mask1 = lanes_mask(tile->last_lanes, HALF);
        EACH_SUM(CLEAR)
    }
    EACH_SUM(STORE)
}

#define TILE(k_count)                                                                              \
    static void tile_##k_count(const r2n_gradient_tile *tile)                                      \
    {                                                                                              \
        compute(tile, k_count);                                                                    \
    }

TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
TILE(6)

static const r2n_gradient_tile_set set = {
    .most_k = 6,
    .most_blocks = 1,
    .cache_bytes = 1 << 19,
    .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6}}};

void r2n_weights_gradient_f32_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_weights_gradient_f32_walk(&set, arguments, block, range);
}
