/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f32 tiles of AVX-512: up to 28 sums of 16 channels in registers over the whole reduction, and the
 * epilogue on them. One body, always inlined with constant sizes; gemm_walk.c calls the tiles.
 *
 * A k takes one load a block of packed weights and one broadcast a pixel. With 14 pixels x 2
 * blocks, or 9 x 3 where the number of blocks is odd, the two FMA units are the limit, not the
 * loads.
 */
#include <immintrin.h>

#include "kernels/winograd_walk.h"
#include "kernels/x86_avx512/gemm_tiles.h"

r2n_kernel_function r2n_gemm_f32_avx512;

/* One k of one pixel: the value to all lanes, times each block's weights. */
#define MULTIPLY_ADD(i, address)                                                                   \
    if (i < pixels) {                                                                              \
        const __m512 a = _mm512_set1_ps(*(const float *)(address + at));                           \
        s##i##_0 = _mm512_fmadd_ps(a, b0, s##i##_0);                                               \
        if (blocks > 1)                                                                            \
            s##i##_1 = _mm512_fmadd_ps(a, b1, s##i##_1);                                           \
        if (blocks > 2)                                                                            \
            s##i##_2 = _mm512_fmadd_ps(a, b2, s##i##_2);                                           \
    }

#define ONE_K(k)                                                                                   \
    {                                                                                              \
        const int64_t at = (k) * (int64_t)sizeof(float);                                           \
        const __m512 b0 = load_weights(b, (k));                                                    \
        const __m512 b1 = blocks > 1 ? load_weights(b + weights_pitch, (k)) : b0;                  \
        const __m512 b2 = blocks > 2 ? load_weights(b + 2 * weights_pitch, (k)) : b0;              \
        EACH_PIXEL(MULTIPLY_ADD)                                                                   \
    }

ALWAYS_INLINE __m512 load_weights(const char *b, int k)
{
    return _mm512_loadu_ps((const float *)(b + k * 64));
}

#define ADD_RESIDUAL(sum, pixel, block)                                                            \
    sum = _mm512_add_ps(                                                                           \
        sum, _mm512_maskz_loadu_ps(BLOCK_MASK(block),                                              \
                                   AT(tile->residual, tile->residual_pitch, pixel, block)));
#define STORE(sum, pixel, block)                                                                   \
    _mm512_mask_storeu_ps(AT(tile->output, tile->output_pitch, pixel, block), BLOCK_MASK(block),   \
                          sum);
#define ADD_CHAIN(sum, pixel, block)                                                               \
    sum = _mm512_add_ps(_mm512_maskz_loadu_ps(BLOCK_MASK(block),                                   \
                                              AT(tile->chain, tile->chain_pitch, pixel, block)),   \
                        sum);
#define STORE_CHAIN(sum, pixel, block)                                                             \
    _mm512_mask_storeu_ps(AT(tile->chain, tile->chain_pitch, pixel, block), BLOCK_MASK(block), sum);

ALWAYS_INLINE void compute(const r2n_tile *tile, const int pixels, const int blocks)
{
    EACH_PIXEL(DECLARE_SUMS)
    const int64_t weights_pitch = tile->weights_pitch * (int64_t)sizeof(float);
    const char *prefetch = tile->prefetch;
    const int64_t prefetch_step = tile->prefetch_step;
    for (int32_t i = 0; i < tile->source_count; i++) {
        const r2n_gemm_source *source = &tile->sources[i];
        const int64_t pitch = source->pixel_pitch * (int64_t)sizeof(float);
        const char *a0 = (const char *)(tile->block + pixel_offset(tile, source));
        const char *a3 = pixels > 3 ? a0 + 3 * pitch : a0;
        const char *a6 = pixels > 6 ? a0 + 6 * pitch : a0;
        const char *a9 = pixels > 9 ? a0 + 9 * pitch : a0;
        const char *a12 = pixels > 12 ? a0 + 12 * pitch : a0;
        const char *b = (const char *)(tile->weights + (int64_t)source->k_first * 16);
        int32_t k = source->channels;
        for (; k >= 4; k -= 4) {
            _mm_prefetch(prefetch, _MM_HINT_T1);
            _mm_prefetch(prefetch + 64, _MM_HINT_T1);
            prefetch += prefetch_step;
            ONE_K(0)
            ONE_K(1)
            ONE_K(2)
            ONE_K(3)
            a0 += 16, a3 += 16, a6 += 16, a9 += 16, a12 += 16;
            b += 4 * 64;
        }
        for (; k > 0; k--) {
            ONE_K(0)
            a0 += 4, a3 += 4, a6 += 4, a9 += 4, a12 += 4;
            b += 64;
        }
    }
    const __mmask16 last_mask = (__mmask16)((1u << tile->last_lanes) - 1);
    const __m512 bias0 = _mm512_loadu_ps(tile->bias);
    const __m512 bias1 = blocks > 1 ? _mm512_loadu_ps(tile->bias + 16) : bias0;
    const __m512 bias2 = blocks > 2 ? _mm512_loadu_ps(tile->bias + 32) : bias0;
    EACH_SUM(ADD_BIAS)
    if (tile->residual != NULL) {
        EACH_SUM(ADD_RESIDUAL)
    }
    if (tile->relu) {
        EACH_SUM(RELU)
    }
    EACH_SUM(STORE)
    if (tile->chain != NULL) {
        /* All loads first: one that overlaps a store's masked lanes would wait for the cache. */
        EACH_SUM(ADD_CHAIN)
        EACH_SUM(STORE_CHAIN)
    }
}

DEFINE_TILES

const r2n_tile_set r2n_gemm_f32_avx512_tiles = {
    .panel_blocks = 2, .cache_bytes = 1 << 21, .pixels = TILE_PIXELS, .tiles = TILE_TABLE};

void r2n_gemm_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_gemm_f32_walk(&r2n_gemm_f32_avx512_tiles, arguments, block, range);
}
