/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bf16 tiles of AVX-512 BF16: as those of f32 (x86_avx512/gemm.c), but each instruction adds two
 * channels' products to 16 sums. The sums, the bias and what is added to them are f32; only what is
 * stored is rounded.
 *
 * Two k take one load a block of packed weights and one broadcast of 32 bits a pixel, whose address
 * may be an odd multiple of 16.
 */
#include <immintrin.h>
#include <string.h>

#include "kernels/x86_avx512/bf16.h"
#include "kernels/x86_avx512/gemm_tiles.h"

r2n_kernel_function r2n_gemm_bf16_avx512;

enum { PAIR_BYTES = 2 * sizeof(uint16_t) };

/* GCC 12 does not see that the intrinsic adds in place: it copies sums to and fro. */
#define ADD_PRODUCTS(sum, a, b) __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));

/* Two k of one pixel: both values to all lanes, times each block's weights. */
#define MULTIPLY_ADD(i, address)                                                                   \
    if (i < pixels) {                                                                              \
        const __m512i a = broadcast_pair(address + at);                                            \
        ADD_PRODUCTS(s##i##_0, a, b0)                                                              \
        if (blocks > 1)                                                                            \
            ADD_PRODUCTS(s##i##_1, a, b1)                                                          \
        if (blocks > 2)                                                                            \
            ADD_PRODUCTS(s##i##_2, a, b2)                                                          \
    }

#define TWO_K(pair)                                                                                \
    {                                                                                              \
        const int64_t at = (pair)*PAIR_BYTES;                                                      \
        const __m512i b0 = _mm512_loadu_si512(b + (pair)*64);                                      \
        const __m512i b1 = blocks > 1 ? _mm512_loadu_si512(b + weights_pitch + (pair)*64) : b0;    \
        const __m512i b2 =                                                                         \
            blocks > 2 ? _mm512_loadu_si512(b + 2 * weights_pitch + (pair)*64) : b0;               \
        EACH_PIXEL(MULTIPLY_ADD)                                                                   \
    }

ALWAYS_INLINE __m512i broadcast_pair(const char *from)
{
    int32_t pair;
    memcpy(&pair, from, sizeof pair);
    return _mm512_set1_epi32(pair);
}

/* Sixteen values, or so many as the mask says, which costs much more. */
ALWAYS_INLINE __m512 load(const uint16_t *from, int all_lanes, __mmask16 mask)
{
    return floats_from_bf16(all_lanes ? _mm256_loadu_si256((const __m256i *)from)
                                      : _mm256_maskz_loadu_epi16(mask, from));
}

ALWAYS_INLINE void store(uint16_t *to, __m512 v, int all_lanes, __mmask16 mask)
{
    if (all_lanes)
        _mm256_storeu_si256((__m256i *)to, bf16_from_floats(v));
    else
        _mm256_mask_storeu_epi16(to, mask, bf16_from_floats(v));
}

#define ALL_LANES(block) (all_lanes || (block) + 1 < blocks)

#define ADD_RESIDUAL(sum, pixel, block)                                                            \
    sum = _mm512_add_ps(                                                                           \
        sum, load(AT(residual, tile->residual_pitch, pixel, block), ALL_LANES(block), last_mask));
#define STORE(sum, pixel, block)                                                                   \
    store(AT(output, tile->output_pitch, pixel, block), sum, ALL_LANES(block), last_mask);
#define ADD_CHAIN(sum, pixel, block)                                                               \
    sum = _mm512_add_ps(                                                                           \
        load(AT(chain, tile->chain_pitch, pixel, block), ALL_LANES(block), last_mask), sum);
#define STORE_CHAIN(sum, pixel, block)                                                             \
    store(AT(chain, tile->chain_pitch, pixel, block), sum, ALL_LANES(block), last_mask);
/* Pitches count elements of two bytes. */
#define STORE_FLOATS(sum, pixel, block)                                                            \
    _mm512_mask_storeu_ps((float *)(output + (pixel)*tile->output_pitch) + (block)*16,             \
                          BLOCK_MASK(block), sum);

ALWAYS_INLINE void compute(const r2n_tile *tile, const int pixels, const int blocks)
{
    EACH_PIXEL(DECLARE_SUMS)
    const int64_t weights_pitch = tile->weights_pitch * (int64_t)sizeof(uint16_t);
    const char *prefetch = tile->prefetch;
    const int64_t prefetch_step = tile->prefetch_step;
    for (int32_t i = 0; i < tile->source_count; i++) {
        const r2n_gemm_source *source = &tile->sources[i];
        const int64_t pitch = source->pixel_pitch * (int64_t)sizeof(uint16_t);
        const char *a0 =
            (const char *)((const uint16_t *)tile->any_block + pixel_offset(tile, source));
        const char *a3 = pixels > 3 ? a0 + 3 * pitch : a0;
        const char *a6 = pixels > 6 ? a0 + 6 * pitch : a0;
        const char *a9 = pixels > 9 ? a0 + 9 * pitch : a0;
        const char *a12 = pixels > 12 ? a0 + 12 * pitch : a0;
        const char *b =
            (const char *)((const uint16_t *)tile->any_weights + (int64_t)source->k_first * 16);
        int32_t pairs = source->channels / 2;
        for (; pairs >= 4; pairs -= 4) {
            _mm_prefetch(prefetch, _MM_HINT_T1);
            _mm_prefetch(prefetch + 64, _MM_HINT_T1);
            prefetch += prefetch_step;
            TWO_K(0)
            TWO_K(1)
            TWO_K(2)
            TWO_K(3)
            a0 += 16, a3 += 16, a6 += 16, a9 += 16, a12 += 16;
            b += 4 * 64;
        }
        for (; pairs > 0; pairs--) {
            TWO_K(0)
            a0 += 4, a3 += 4, a6 += 4, a9 += 4, a12 += 4;
            b += 64;
        }
    }
    const uint16_t *residual = tile->any_residual;
    uint16_t *output = tile->any_output;
    uint16_t *chain = tile->any_chain;
    const int all_lanes = tile->last_lanes == 16;
    const __mmask16 last_mask = (__mmask16)((1u << tile->last_lanes) - 1);
    const __m512 bias0 = _mm512_loadu_ps(tile->bias);
    const __m512 bias1 = blocks > 1 ? _mm512_loadu_ps(tile->bias + 16) : bias0;
    const __m512 bias2 = blocks > 2 ? _mm512_loadu_ps(tile->bias + 32) : bias0;
    EACH_SUM(ADD_BIAS)
    if (residual != NULL) {
        EACH_SUM(ADD_RESIDUAL)
    }
    if (tile->relu) {
        EACH_SUM(RELU)
    }
    if (tile->epilogue->float_output) {
        EACH_SUM(STORE_FLOATS)
        return;
    }
    EACH_SUM(STORE)
    if (chain != NULL) {
        /* All loads first: one that overlaps a store's masked lanes would wait for the cache. */
        EACH_SUM(ADD_CHAIN)
        EACH_SUM(STORE_CHAIN)
    }
}

DEFINE_TILES

void r2n_gemm_bf16_avx512(const void *arguments, void *block, r2n_range range)
{
    static const r2n_tile_set set = {
        .panel_blocks = 2, .cache_bytes = 1 << 21, .pixels = TILE_PIXELS, .tiles = TILE_TABLE};
    r2n_gemm_walk(&set, sizeof(uint16_t), arguments, block, range);
}
