/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of up to four sums: two tiles of rows (registers 4 and 6) times two tiles of 16 lanes
 * (registers 5 and 7), four loads for four products.
 */
#ifndef R2N_KERNELS_X86_AMX_MULTIPLY_H
#define R2N_KERNELS_X86_AMX_MULTIPLY_H

#include "kernels/x86_amx/tile.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Operands of one step. */
typedef struct operands {
    const char *a0, *a1; /* both tiles of rows: a gemm's pixels */
    int64_t a_pitch;
    const char *b0, *b1; /* both blocks of lanes: a gemm's weights */
} operands;

#define MULTIPLY(sums, a, b)                                                                       \
    do {                                                                                           \
        if (is_int8)                                                                               \
            TILE_MULTIPLY_INT8(sums, a, b);                                                        \
        else                                                                                       \
            TILE_MULTIPLY_BF16(sums, a, b);                                                        \
    } while (0)

/* A step with all four operands in registers of one length. */
ALWAYS_INLINE void multiply_quickly(const operands *o, const int tiles, const int blocks,
                                    const int is_int8)
{
    TILE_LOAD(4, o->a0, o->a_pitch);
    TILE_LOAD(5, o->b0, TILE_ROW_BYTES);
    MULTIPLY(0, 4, 5);
    if (blocks > 1) {
        TILE_LOAD(7, o->b1, TILE_ROW_BYTES);
        MULTIPLY(1, 4, 7);
    }
    if (tiles > 1) {
        TILE_LOAD(6, o->a1, o->a_pitch);
        MULTIPLY(2, 6, 5);
        if (blocks > 1)
            MULTIPLY(3, 6, 7);
    }
}

#endif
