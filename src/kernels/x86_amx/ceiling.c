/* SPDX-License-Identifier: Apache-2.0 */
/* Tile products on four sums, whose operands never leave their registers: the order of a 2x2 step.
 * Not on zeros, with which the CPU would be faster than it ever is. */
#include <stdint.h>

#include "kernels/x86_amx/tile.h"

#ifdef R2N_TILES_EMULATED
#define CEILING(precision) r2n_ceiling_##precision##_amx_emulated
#else
#define CEILING(precision) r2n_ceiling_##precision##_amx
#endif

int64_t CEILING(bf16)(int64_t rounds);
int64_t CEILING(bf16x3)(int64_t rounds);
int64_t CEILING(int8)(int64_t rounds);

enum { PRODUCTS_A_ROUND = 4, SUMS_A_PRODUCT = TILE_ROWS * TILE_ROWS };
enum { TERMS = 3 }; /* products of bf16 for one of bf16x3 */

typedef struct tile_operand {
    _Alignas(64) unsigned char bytes[TILE_ROWS * TILE_ROW_BYTES];
} tile_operand;

static void load_operands(const tile_operand *operand)
{
    static const int32_t lengths[2] = {TILE_ROW_BYTES, TILE_ROW_BYTES};
    tile_configuration configuration;
    describe_tiles(&configuration, TILE_ROWS, lengths);
    TILES_CONFIGURE(&configuration);
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    TILE_LOAD(4, operand->bytes, TILE_ROW_BYTES);
    TILE_LOAD(5, operand->bytes, TILE_ROW_BYTES);
    TILE_LOAD(6, operand->bytes, TILE_ROW_BYTES);
    TILE_LOAD(7, operand->bytes, TILE_ROW_BYTES);
}

int64_t CEILING(bf16)(int64_t rounds)
{
    tile_operand operand;
    for (uint32_t i = 0; i < TILE_ROWS * TILE_ROW_BYTES; i += 2) { /* 1 to 2, both signs */
        operand.bytes[i] = (unsigned char)(0x80 | (i * 37 & 0x7f));
        operand.bytes[i + 1] = i * 11 & 0x10 ? 0x3f : 0xbf;
    }
    load_operands(&operand);
    for (int64_t r = 0; r < rounds; r++) {
        TILE_MULTIPLY_BF16(0, 4, 5);
        TILE_MULTIPLY_BF16(1, 4, 7);
        TILE_MULTIPLY_BF16(2, 6, 5);
        TILE_MULTIPLY_BF16(3, 6, 7);
    }
    TILES_RELEASE();
    return rounds * PRODUCTS_A_ROUND * SUMS_A_PRODUCT * (TILE_ROW_BYTES / 2);
}

int64_t CEILING(bf16x3)(int64_t rounds)
{
    return CEILING(bf16)(rounds) / TERMS;
}

int64_t CEILING(int8)(int64_t rounds)
{
    tile_operand operand;
    for (uint32_t i = 0; i < TILE_ROWS * TILE_ROW_BYTES; i++)
        operand.bytes[i] = (unsigned char)(i * 37);
    load_operands(&operand);
    for (int64_t r = 0; r < rounds; r++) {
        TILE_MULTIPLY_INT8(0, 4, 5);
        TILE_MULTIPLY_INT8(1, 4, 7);
        TILE_MULTIPLY_INT8(2, 6, 5);
        TILE_MULTIPLY_INT8(3, 6, 7);
    }
    TILES_RELEASE();
    return rounds * PRODUCTS_A_ROUND * SUMS_A_PRODUCT * TILE_ROW_BYTES;
}
