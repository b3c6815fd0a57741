/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the matrix products of floats and of bf16 have in common: up to 28 sums of 16 floats in
 * registers, from 14 pixels x 2 blocks or 9 x 3, each in a variable of its own, and the tiles of
 * every size. The file that includes this has `compute(tile, pixels, blocks)`. For this room and
 * the one of AVX-512 BF16, whose flags contain this one's.
 */
#ifndef R2N_KERNELS_X86_AVX512_GEMM_TILES_H
#define R2N_KERNELS_X86_AVX512_GEMM_TILES_H

#include <immintrin.h>

#include "kernels/gemm_walk.h"

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
    __m512 s##i##_0 = _mm512_setzero_ps(), s##i##_1 = s##i##_0, s##i##_2 = s##i##_0;

/* The same thing for every sum in use. X(sum, pixel, block) */
#define EACH_SUM_OF_PIXEL(X, i)                                                                    \
    if (i < pixels) {                                                                              \
        X(s##i##_0, i, 0)                                                                          \
        if (blocks > 1)                                                                            \
            X(s##i##_1, i, 1)                                                                      \
        if (blocks > 2)                                                                            \
            X(s##i##_2, i, 2)                                                                      \
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

ALWAYS_INLINE int64_t pixel_offset(const r2n_tile *tile, const r2n_gemm_source *source)
{
    return source->offset + tile->image * source->image_pitch + tile->row * source->row_pitch +
           tile->column * source->pixel_pitch;
}

ALWAYS_INLINE __m512 relu(__m512 v)
{
    /* Keeps what is not <= 0: positive numbers and NaN. */
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ), v);
}

#define BLOCK_MASK(block)                  ((block) + 1 < blocks ? (__mmask16)0xffff : last_mask)
#define AT(base, base_pitch, pixel, block) ((base) + (pixel) * (base_pitch) + (block)*16)

#define ADD_BIAS(sum, pixel, block) sum = _mm512_add_ps(sum, bias##block);
#define RELU(sum, pixel, block)     sum = relu(sum);

#define TILE(pixels, blocks)                                                                       \
    static void tile_##pixels##x##blocks(const r2n_tile *tile)                                     \
    {                                                                                              \
        compute(tile, pixels, blocks);                                                             \
    }

#define TILES_1_TO_7(X, blocks)                                                                    \
    X(1, blocks) X(2, blocks) X(3, blocks) X(4, blocks) X(5, blocks) X(6, blocks) X(7, blocks)
#define TILES_8_TO_14(X, blocks)                                                                   \
    X(8, blocks) X(9, blocks) X(10, blocks) X(11, blocks) X(12, blocks) X(13, blocks) X(14, blocks)

/* Defines them all. */
#define DEFINE_TILES                                                                               \
    TILES_1_TO_7(TILE, 1)                                                                          \
    TILES_8_TO_14(TILE, 1)                                                                         \
    TILES_1_TO_7(TILE, 2)                                                                          \
    TILES_8_TO_14(TILE, 2)                                                                         \
    TILES_1_TO_7(TILE, 3)                                                                          \
    TILE(8, 3)                                                                                     \
    TILE(9, 3)

#define NAME(pixels, blocks) tile_##pixels##x##blocks,

/* [blocks - 1][pixels - 1], and the largest of each. */
#define TILE_PIXELS                                                                                \
    {                                                                                              \
        14, 14, 9                                                                                  \
    }
#define TILE_TABLE                                                                                 \
    {                                                                                              \
        {TILES_1_TO_7(NAME, 1) TILES_8_TO_14(NAME, 1)},                                            \
            {TILES_1_TO_7(NAME, 2) TILES_8_TO_14(NAME, 2)},                                        \
        {                                                                                          \
            TILES_1_TO_7(NAME, 3) NAME(8, 3) NAME(9, 3)                                            \
        }                                                                                          \
    }

#endif
