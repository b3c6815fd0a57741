/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tiles of the gradient by weights of AVX-512: up to 14 rows k times two blocks of 16 channels in
 * registers over all pixels of a chunk. One body, always inlined with constant sizes;
 * weights_gradient_walk.c calls the tiles.
 *
 * A pixel takes one load a block of the gradient and one broadcast a k, for two fused multiply-adds
 * a k: the FMA units are the limit, not the loads.
 */
#include <immintrin.h>

#include "kernels/weights_gradient_walk.h"

r2n_kernel_function r2n_weights_gradient_f32_avx512;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { LANES = R2N_GRADIENT_LANES };

#define EACH_K(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)

/* X(sum, k, block) for every sum in use. */
#define EACH_SUM_OF_K(X, i)                                                                        \
    if (i < k_count) {                                                                             \
        X(s##i##_0, i, 0)                                                                          \
        if (blocks > 1)                                                                            \
            X(s##i##_1, i, 1)                                                                      \
    }
#define EACH_SUM(X)                                                                                \
    EACH_SUM_OF_K(X, 0)                                                                            \
    EACH_SUM_OF_K(X, 1)                                                                            \
    EACH_SUM_OF_K(X, 2)                                                                            \
    EACH_SUM_OF_K(X, 3)                                                                            \
    EACH_SUM_OF_K(X, 4)                                                                            \
    EACH_SUM_OF_K(X, 5)                                                                            \
    EACH_SUM_OF_K(X, 6)                                                                            \
    EACH_SUM_OF_K(X, 7)                                                                            \
    EACH_SUM_OF_K(X, 8)                                                                            \
    EACH_SUM_OF_K(X, 9)                                                                            \
    EACH_SUM_OF_K(X, 10)                                                                           \
    EACH_SUM_OF_K(X, 11)                                                                           \
    EACH_SUM_OF_K(X, 12)                                                                           \
    EACH_SUM_OF_K(X, 13)

#define DECLARE(i) __m512 s##i##_0 = _mm512_setzero_ps(), s##i##_1 = s##i##_0;

#define MULTIPLY_ADD(i)                                                                            \
    if (i < k_count) {                                                                             \
        const __m512 value = _mm512_set1_ps(a[i]);                                                 \
        s##i##_0 = _mm512_fmadd_ps(value, g0, s##i##_0);                                           \
        if (blocks > 1)                                                                            \
            s##i##_1 = _mm512_fmadd_ps(value, g1, s##i##_1);                                       \
    }

/* Sums that wait lie as [k][blocks][16]. */
#define RESUME(sum, i, block) sum = _mm512_loadu_ps(tile->resumed + ((i)*blocks + (block)) * LANES);
#define SUSPEND(sum, i, block)                                                                     \
    _mm512_storeu_ps(tile->suspended + ((i)*blocks + (block)) * LANES, sum);

#define OUTPUT(i, block)   (tile->output + (block)*tile->output_pitch + (i)*LANES)
#define MASK(block)        ((block) + 1 < blocks ? (__mmask16)0xffff : last_mask)
#define ADD(sum, i, block) sum = _mm512_add_ps(_mm512_loadu_ps(OUTPUT(i, block)), sum);
#define STORE(sum, i, block)                                                                       \
    _mm512_storeu_ps(OUTPUT(i, block), _mm512_maskz_mov_ps(MASK(block), sum));

ALWAYS_INLINE void compute(const r2n_gradient_tile *tile, const int k_count, const int blocks)
{
    EACH_K(DECLARE)
    const float *gradient = tile->gradient;
    const int64_t pitch = tile->pixel_pitch;
    if (tile->resumed != NULL) {
        EACH_SUM(RESUME)
    }
    for (int32_t i = 0; i < tile->run_count; i++) {
        const float *a = tile->runs[i].first + tile->k;
        for (int64_t left = tile->runs[i].pixels; left > 0; left--) {
            const __m512 g0 = _mm512_loadu_ps(gradient);
            const __m512 g1 = blocks > 1 ? _mm512_loadu_ps(gradient + LANES) : g0;
            EACH_K(MULTIPLY_ADD)
            a += pitch;
            gradient += blocks * LANES;
        }
    }
    if (tile->suspended != NULL) {
        EACH_SUM(SUSPEND)
        return;
    }
    const __mmask16 last_mask = (__mmask16)((1u << tile->last_lanes) - 1);
    if (tile->adds) {
        EACH_SUM(ADD)
    }
    EACH_SUM(STORE)
}

#define TILE(k_count, blocks)                                                                      \
    static void tile_##k_count##x##blocks(const r2n_gradient_tile *tile)                           \
    {                                                                                              \
        compute(tile, k_count, blocks);                                                            \
    }

#define TILES(X, blocks)                                                                           \
    X(1, blocks)                                                                                   \
    X(2, blocks)                                                                                   \
    X(3, blocks)                                                                                   \
    X(4, blocks)                                                                                   \
    X(5, blocks)                                                                                   \
    X(6, blocks)                                                                                   \
    X(7, blocks)                                                                                   \
    X(8, blocks)                                                                                   \
    X(9, blocks)                                                                                   \
    X(10, blocks)                                                                                  \
    X(11, blocks)                                                                                  \
    X(12, blocks)                                                                                  \
    X(13, blocks)                                                                                  \
    X(14, blocks)

TILES(TILE, 1)
TILES(TILE, 2)

#define NAME(k_count, blocks) tile_##k_count##x##blocks,

static const r2n_gradient_tile_set set = {.most_k = 14,
                                          .most_blocks = 2,
                                          .cache_bytes = 1 << 20,
                                          .tiles = {{TILES(NAME, 1)}, {TILES(NAME, 2)}}};

void r2n_weights_gradient_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_weights_gradient_f32_walk(&set, arguments, block, range);
}
