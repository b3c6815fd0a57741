/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the gradients by weights of floats and of bf16 have in common: up to 28 sums of 16 floats in
 * registers, 14 rows k times two blocks, each in a variable of its own. The file that includes this
 * has a type `gradient_tile` and `compute(tile, k_count, blocks)`. For this room and the one of
 * AVX-512 BF16, whose flags contain this one's.
 */
#ifndef R2N_KERNELS_X86_AVX512_WEIGHTS_GRADIENT_TILES_H
#define R2N_KERNELS_X86_AVX512_WEIGHTS_GRADIENT_TILES_H

#include <immintrin.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };

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

/* To the packed weights; `last_mask` are the lanes of the last block that are channels. */
#define OUTPUT(i, block)   (tile->output + (block)*tile->output_pitch + (i)*LANES)
#define MASK(block)        ((block) + 1 < blocks ? (__mmask16)0xffff : last_mask)
#define ADD(sum, i, block) sum = _mm512_add_ps(_mm512_loadu_ps(OUTPUT(i, block)), sum);
#define STORE(sum, i, block)                                                                       \
    _mm512_storeu_ps(OUTPUT(i, block), _mm512_maskz_mov_ps(MASK(block), sum));

#define TILE(k_count, blocks)                                                                      \
    static void tile_##k_count##x##blocks(const gradient_tile *tile)                               \
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

#define NAME(k_count, blocks) tile_##k_count##x##blocks,

#endif
