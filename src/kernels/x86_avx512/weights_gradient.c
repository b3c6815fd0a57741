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
#include "kernels/x86_avx512/weights_gradient_tiles.h"

r2n_kernel_function r2n_weights_gradient_f32_avx512;

typedef r2n_gradient_tile gradient_tile;

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

ALWAYS_INLINE void compute(const r2n_gradient_tile *tile, const int k_count, const int blocks)
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
            const __m512 g0 = _mm512_loadu_ps(gradient);
            const __m512 g1 = blocks > 1 ? _mm512_loadu_ps(gradient + LANES) : g0;
            EACH_K(MULTIPLY_ADD)
            _mm_prefetch(prefetch, _MM_HINT_T1);
            prefetch += prefetch_step;
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

TILES(TILE, 1)
TILES(TILE, 2)

static const r2n_gradient_tile_set set = {.most_k = 14,
                                          .most_blocks = 2,
                                          .cache_bytes = 1 << 20,
                                          .tiles = {{TILES(NAME, 1)}, {TILES(NAME, 2)}}};

void r2n_weights_gradient_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_weights_gradient_f32_walk(&set, arguments, block, range);
}
