/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 tiles of AVX-512 VNNI: up to 28 sums of 16 channels in registers over the whole reduction,
 * and the epilogue on them. One body, always inlined with constant sizes; gemm_walk.c calls the
 * tiles.
 *
 * Four k take one load a block of packed weights and one broadcast a pixel; sums are exact, so that
 * their order is free. The epilogue runs on the same two ports as the products and is what few
 * channels cost: conversions to bytes are shared by all blocks of one pixel, or four pixels of one.
 */
#include <immintrin.h>
#include <string.h>

#include "kernels/gemm_walk.h"

r2n_kernel_function r2n_gemm_int8_avx512;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* X(pixel, its address from the five pointers of a source): offsets an address can hold. */
#define EACH_PIXEL(X)                                                                              \
    X(0, a0)                                                                                       \
    X(1, a0 + pitch)                                                                               \
    X(2, a0 + 2 * pitch)                                                                           \
    X(3, a3)                                                                                       \
    X(4, a0 + 4 * pitch)                                                                           \
    X(5, a3 + 2 * pitch)                                                                           \
    X(6, a6)                                                                                       \
    X(7, a3 + 4 * pitch)                                                                           \
    X(8, a0 + 8 * pitch)                                                                           \
    X(9, a9)                                                                                       \
    X(10, a6 + 4 * pitch)                                                                          \
    X(11, a3 + 8 * pitch)                                                                          \
    X(12, a12)                                                                                     \
    X(13, a9 + 4 * pitch)

#define DECLARE_SUMS(i, address)                                                                   \
    __m512i s##i##_0 = _mm512_setzero_si512(), s##i##_1 = s##i##_0, s##i##_2 = s##i##_0;           \
    __m512 v##i##_0 = _mm512_setzero_ps(), v##i##_1 = v##i##_0, v##i##_2 = v##i##_0;

/* The same thing for every sum in use. X(pixel, block) */
#define EACH_SUM_OF_PIXEL(X, i)                                                                    \
    if (i < pixels) {                                                                              \
        X(i, 0)                                                                                    \
        if (blocks > 1)                                                                            \
            X(i, 1)                                                                                \
        if (blocks > 2)                                                                            \
            X(i, 2)                                                                                \
    }
#define EACH_SUM(X)                                                                                \
    EACH_SUM_OF_PIXEL(X, 0)                                                                        \
    EACH_SUM_OF_PIXEL(X, 1)                                                                        \
    EACH_SUM_OF_PIXEL(X, 2)                                                                        \
    EACH_SUM_OF_PIXEL(X, 3)                                                                        \
    EACH_SUM_OF_PIXEL(X, 4)                                                                        \
    EACH_SUM_OF_PIXEL(X, 5)                                                                        \
    EACH_SUM_OF_PIXEL(X, 6)                                                                        \
    EACH_SUM_OF_PIXEL(X, 7)                                                                        \
    EACH_SUM_OF_PIXEL(X, 8)                                                                        \
    EACH_SUM_OF_PIXEL(X, 9)                                                                        \
    EACH_SUM_OF_PIXEL(X, 10)                                                                       \
    EACH_SUM_OF_PIXEL(X, 11)                                                                       \
    EACH_SUM_OF_PIXEL(X, 12)                                                                       \
    EACH_SUM_OF_PIXEL(X, 13)

/* GCC 12 does not see that the intrinsic adds in place: it copies sums to and fro, some of them by
 * way of the stack. */
#define ADD_PRODUCTS(sum, a, b) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));

/* Four k of one pixel to all lanes, times each block's weights. */
#define MULTIPLY_ADD(i, address)                                                                   \
    if (i < pixels) {                                                                              \
        const __m512i a = broadcast_four(address + at);                                            \
        ADD_PRODUCTS(s##i##_0, a, b0)                                                              \
        if (blocks > 1)                                                                            \
            ADD_PRODUCTS(s##i##_1, a, b1)                                                          \
        if (blocks > 2)                                                                            \
            ADD_PRODUCTS(s##i##_2, a, b2)                                                          \
    }

#define FOUR_K(quad)                                                                               \
    {                                                                                              \
        const int64_t at = (quad)*4;                                                               \
        const __m512i b0 = _mm512_loadu_si512(b + (quad)*64);                                      \
        const __m512i b1 = blocks > 1 ? _mm512_loadu_si512(b + weights_pitch + (quad)*64) : b0;    \
        const __m512i b2 =                                                                         \
            blocks > 2 ? _mm512_loadu_si512(b + 2 * weights_pitch + (quad)*64) : b0;               \
        EACH_PIXEL(MULTIPLY_ADD)                                                                   \
    }

ALWAYS_INLINE __m512i broadcast_four(const uint8_t *from)
{
    int32_t four;
    memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
}

ALWAYS_INLINE const uint8_t *pixel_address(const r2n_tile *tile, const r2n_gemm_source *source)
{
    return (const uint8_t *)tile->any_block + source->offset + tile->image * source->image_pitch +
           tile->row * source->row_pitch + tile->column * source->pixel_pitch;
}

/* 16 bytes as floats. */
ALWAYS_INLINE __m512 load_bytes(const uint8_t *from, int all_lanes, __mmask16 mask)
{
    const __m128i bytes =
        all_lanes ? _mm_loadu_si128((const __m128i *)from) : _mm_maskz_loadu_epi8(mask, from);
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
}

/* The nearest integer, at most 127; a negative one becomes 0 when it is packed. The order of
 * operands keeps NaN, whose integer is negative. */
ALWAYS_INLINE __m512i to_integer(__m512 v)
{
    return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_set1_ps(R2N_INT8_MAXIMUM), v));
}

/* 64 bytes: all of a's, then b's, c's and d's. */
ALWAYS_INLINE __m512i pack(__m512 a, __m512 b, __m512 c, __m512 d)
{
    const __m512i ab = _mm512_packs_epi32(to_integer(a), to_integer(b));
    const __m512i cd = _mm512_packs_epi32(to_integer(c), to_integer(d));
    /* Every quarter now has four channels of each. */
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(ab, cd));
}

ALWAYS_INLINE void store_16(uint8_t *to, __m128i bytes, int all_lanes, uint64_t mask)
{
    if (all_lanes)
        _mm_storeu_si128((__m128i *)to, bytes);
    else
        _mm_mask_storeu_epi8(to, (__mmask16)mask, bytes);
}

ALWAYS_INLINE void store_32(uint8_t *to, __m256i bytes, int all_lanes, uint64_t mask)
{
    if (all_lanes)
        _mm256_storeu_si256((__m256i *)to, bytes);
    else
        _mm256_mask_storeu_epi8(to, (__mmask32)mask, bytes);
}

/* Channels of some pixels to bytes, in as few conversions as may be. `count` pixels of one block,
 * at most four; of two blocks, at most two; one pixel of three. */
ALWAYS_INLINE void store_pixels(uint8_t *to, int64_t pitch, int count, int all_lanes, uint64_t mask,
                                __m512 a, __m512 b, __m512 c, __m512 d, int blocks)
{
    const __m512i bytes = pack(a, b, c, d);
    if (blocks == 3) {
        _mm512_mask_storeu_epi8(to, mask, bytes);
        return;
    }
    if (blocks == 2) {
        store_32(to, _mm512_castsi512_si256(bytes), all_lanes, mask);
        if (count > 1)
            store_32(to + pitch, _mm512_extracti64x4_epi64(bytes, 1), all_lanes, mask);
        return;
    }
    store_16(to, _mm512_castsi512_si128(bytes), all_lanes, mask);
    if (count > 1)
        store_16(to + pitch, _mm512_extracti32x4_epi32(bytes, 1), all_lanes, mask);
    if (count > 2)
        store_16(to + 2 * pitch, _mm512_extracti32x4_epi32(bytes, 2), all_lanes, mask);
    if (count > 3)
        store_16(to + 3 * pitch, _mm512_extracti32x4_epi32(bytes, 3), all_lanes, mask);
}

/* Four pixels from i on, or as many as there are. */
#define STORE_FOUR(base, base_pitch, i, j, k, l)                                                   \
    if (i < pixels) {                                                                              \
        if (blocks == 1)                                                                           \
            store_pixels((base) + i * (base_pitch), base_pitch, pixels - i, all_lanes, row_mask,   \
                         v##i##_0, v##j##_0, v##k##_0, v##l##_0, 1);                               \
        if (blocks == 2)                                                                           \
            store_pixels((base) + i * (base_pitch), base_pitch, pixels - i, all_lanes, row_mask,   \
                         v##i##_0, v##i##_1, v##j##_0, v##j##_1, 2);                               \
        if (blocks == 2 && k < pixels)                                                             \
            store_pixels((base) + k * (base_pitch), base_pitch, pixels - k, all_lanes, row_mask,   \
                         v##k##_0, v##k##_1, v##l##_0, v##l##_1, 2);                               \
    }
#define STORE_WIDE(base, base_pitch, i)                                                            \
    if (blocks == 3 && i < pixels)                                                                 \
        store_pixels((base) + i * (base_pitch), base_pitch, 1, all_lanes, row_mask, v##i##_0,      \
                     v##i##_1, v##i##_2, v##i##_2, 3);
#define STORE_ALL(base, base_pitch)                                                                \
    STORE_FOUR(base, base_pitch, 0, 1, 2, 3)                                                       \
    STORE_FOUR(base, base_pitch, 4, 5, 6, 7)                                                       \
    STORE_FOUR(base, base_pitch, 8, 9, 10, 11)                                                     \
    STORE_FOUR(base, base_pitch, 12, 13, 13, 13)                                                   \
    STORE_WIDE(base, base_pitch, 0)                                                                \
    STORE_WIDE(base, base_pitch, 1)                                                                \
    STORE_WIDE(base, base_pitch, 2)                                                                \
    STORE_WIDE(base, base_pitch, 3)                                                                \
    STORE_WIDE(base, base_pitch, 4)                                                                \
    STORE_WIDE(base, base_pitch, 5)                                                                \
    STORE_WIDE(base, base_pitch, 6)                                                                \
    STORE_WIDE(base, base_pitch, 7)                                                                \
    STORE_WIDE(base, base_pitch, 8)

#define BLOCK_IS_WHOLE(block)              (all_lanes || (block) + 1 < blocks)
#define AT(base, base_pitch, pixel, block) ((base) + (pixel) * (base_pitch) + (block)*16)

#define CLEAR(i, block) v##i##_##block = zero;
#define SCALE(i, block)                                                                            \
    v##i##_##block = _mm512_fmadd_ps(_mm512_cvtepi32_ps(s##i##_##block), scale##block, bias##block);
#define ADD_RESIDUAL(i, block)                                                                     \
    v##i##_##block = _mm512_fmadd_ps(load_bytes(AT(residual, tile->residual_pitch, i, block),      \
                                                BLOCK_IS_WHOLE(block), last_mask),                 \
                                     residual_scale, v##i##_##block);
#define RELU(i, block) v##i##_##block = _mm512_max_ps(v##i##_##block, zero); /* NaN becomes 0 */
#define ADD_CHAIN(i, block)                                                                        \
    v##i##_##block = _mm512_fmadd_ps(                                                              \
        load_bytes(AT(chain, tile->chain_pitch, i, block), BLOCK_IS_WHOLE(block), last_mask),      \
        chain_scale, _mm512_mul_ps(v##i##_##block, value_scale));
#define STORE_FLOAT(i, block)                                                                      \
    _mm512_mask_storeu_ps((float *)(output + i * tile->output_pitch) + (block)*16,                 \
                          BLOCK_IS_WHOLE(block) ? (__mmask16)0xffff : last_mask, v##i##_##block);

/* The epilogue's memory side; only a block with missing channels has masks. */
#define FINISH(all)                                                                                \
    {                                                                                              \
        const int all_lanes = (all);                                                               \
        if (residual != NULL) {                                                                    \
            const __m512 residual_scale = _mm512_set1_ps(tile->epilogue->residual_scale);          \
            EACH_SUM(ADD_RESIDUAL)                                                                 \
        }                                                                                          \
        if (tile->relu && chain != NULL) { /* the byte of a negative value is 0 anyway */          \
            EACH_SUM(RELU)                                                                         \
        }                                                                                          \
        STORE_ALL(output, tile->output_pitch)                                                      \
        if (chain != NULL) {                                                                       \
            /* All loads first: one that overlaps a store's masked lanes would wait. */            \
            const __m512 chain_scale = _mm512_set1_ps(tile->epilogue->chain_scale);                \
            const __m512 value_scale = _mm512_set1_ps(tile->epilogue->value_scale);                \
            EACH_SUM(ADD_CHAIN)                                                                    \
            STORE_ALL(chain, tile->chain_pitch)                                                    \
        }                                                                                          \
    }

ALWAYS_INLINE void compute(const r2n_tile *tile, const int pixels, const int blocks)
{
    EACH_PIXEL(DECLARE_SUMS)
    const int64_t weights_pitch = tile->weights_pitch;
    const char *prefetch = tile->prefetch;
    const int64_t prefetch_step = tile->prefetch_step;
    for (int32_t i = 0; i < tile->source_count; i++) {
        const r2n_gemm_source *source = &tile->sources[i];
        const int64_t pitch = source->pixel_pitch;
        const uint8_t *a0 = pixel_address(tile, source);
        const uint8_t *a3 = pixels > 3 ? a0 + 3 * pitch : a0;
        const uint8_t *a6 = pixels > 6 ? a0 + 6 * pitch : a0;
        const uint8_t *a9 = pixels > 9 ? a0 + 9 * pitch : a0;
        const uint8_t *a12 = pixels > 12 ? a0 + 12 * pitch : a0;
        const uint8_t *b = (const uint8_t *)tile->any_weights + (int64_t)source->k_first * 16;
        int32_t k = source->channels;
        for (; k >= 16; k -= 16) {
            _mm_prefetch(prefetch, _MM_HINT_T1);
            _mm_prefetch(prefetch + 64, _MM_HINT_T1);
            prefetch += prefetch_step;
            FOUR_K(0)
            FOUR_K(1)
            FOUR_K(2)
            FOUR_K(3)
            a0 += 16, a3 += 16, a6 += 16, a9 += 16, a12 += 16;
            b += 4 * 64;
        }
        for (; k > 0; k -= 4) {
            FOUR_K(0)
            a0 += 4, a3 += 4, a6 += 4, a9 += 4, a12 += 4;
            b += 64;
        }
    }
    const __m512 zero = _mm512_setzero_ps();
    const __mmask16 last_mask = (__mmask16)((1u << tile->last_lanes) - 1);
    const uint64_t row_mask = (UINT64_C(1) << ((blocks - 1) * 16 + tile->last_lanes)) - 1;
    const __m512 scale0 = _mm512_loadu_ps(tile->scale);
    const __m512 scale1 = blocks > 1 ? _mm512_loadu_ps(tile->scale + 16) : scale0;
    const __m512 scale2 = blocks > 2 ? _mm512_loadu_ps(tile->scale + 32) : scale0;
    const __m512 bias0 = _mm512_loadu_ps(tile->bias);
    const __m512 bias1 = blocks > 1 ? _mm512_loadu_ps(tile->bias + 16) : bias0;
    const __m512 bias2 = blocks > 2 ? _mm512_loadu_ps(tile->bias + 32) : bias0;
    uint8_t *output = tile->any_output;
    uint8_t *chain = tile->any_chain;
    const uint8_t *residual = tile->any_residual;
    EACH_SUM(SCALE)
    if (tile->epilogue->float_output) {
        const int all_lanes = 0;
        EACH_SUM(STORE_FLOAT)
        return;
    }
    if (tile->last_lanes == 16)
        FINISH(1)
    else
        FINISH(0)
}

#define TILE(pixels, blocks)                                                                       \
    static void tile_##pixels##x##blocks(const r2n_tile *tile)                                     \
    {                                                                                              \
        compute(tile, pixels, blocks);                                                             \
    }

#define TILES_1_TO_7(X, blocks)                                                                    \
    X(1, blocks) X(2, blocks) X(3, blocks) X(4, blocks) X(5, blocks) X(6, blocks) X(7, blocks)
#define TILES_8_TO_14(X, blocks)                                                                   \
    X(8, blocks) X(9, blocks) X(10, blocks) X(11, blocks) X(12, blocks) X(13, blocks) X(14, blocks)

TILES_1_TO_7(TILE, 1)
TILES_8_TO_14(TILE, 1)
TILES_1_TO_7(TILE, 2)
TILES_8_TO_14(TILE, 2)
TILES_1_TO_7(TILE, 3)
TILE(8, 3)
TILE(9, 3)

#define NAME(pixels, blocks) tile_##pixels##x##blocks,

static const r2n_tile_set tile_set = {.panel_blocks = 2,
                                      .cache_bytes = 1 << 21,
                                      .pixels = {14, 14, 9},
                                      .tiles = {{TILES_1_TO_7(NAME, 1) TILES_8_TO_14(NAME, 1)},
                                                {TILES_1_TO_7(NAME, 2) TILES_8_TO_14(NAME, 2)},
                                                {TILES_1_TO_7(NAME, 3) NAME(8, 3) NAME(9, 3)}}};

void r2n_gemm_int8_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_gemm_walk(&tile_set, 1, arguments, block, range);
}
