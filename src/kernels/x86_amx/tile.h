/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tile instructions, and the shapes of the eight tile registers. kernelcheck compiles the
 * kernels of this room a second time with R2N_TILES_EMULATED, and its own macros of the same names
 * in place of the instructions: so they are checked on CPUs that have no tiles.
 *
 * Instructions are written out instead of GCC's intrinsics, which hide from the compiler that a
 * tile load reads memory and that the whole configuration is read: it could move or drop the stores
 * before them.
 */
#ifndef R2N_KERNELS_X86_AMX_TILE_H
#define R2N_KERNELS_X86_AMX_TILE_H

#include <stdint.h>
#include <string.h>

enum { TILE_ROWS = 16, TILE_ROW_BYTES = 64, TILE_REGISTERS = 8, TILE_SUMS = 4 };

/* What ldtilecfg reads. A register with no rows must not be used. */
typedef struct tile_configuration {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_configuration;

#ifndef R2N_TILES_EMULATED
#define TILES_CONFIGURE(configuration)                                                             \
    __asm__ volatile("ldtilecfg %0" : : "m"(*(configuration)) : "memory")
#define TILES_RELEASE() __asm__ volatile("tilerelease" : : : "memory")
#define TILE_ZERO(t)    __asm__ volatile("tilezero %%tmm" #t : : :)
/* Row r of the tile is at address + r * pitch, in bytes. */
#define TILE_LOAD(t, address, pitch)                                                               \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #t                                               \
                     :                                                                             \
                     : "r"((const void *)(address)), "r"((int64_t)(pitch))                         \
                     : "memory")
#define TILE_STORE(t, address, pitch)                                                              \
    __asm__ volatile("tilestored %%tmm" #t ", (%0,%1,1)"                                           \
                     :                                                                             \
                     : "r"((void *)(address)), "r"((int64_t)(pitch))                               \
                     : "memory")
/* sums += a * b. a: rows of pixels; b: rows of 16 channels. */
#define TILE_MULTIPLY_BF16(sums, a, b)                                                             \
    __asm__ volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #sums : : :)
#define TILE_MULTIPLY_INT8(sums, a, b) /* a is unsigned, b is signed */                            \
    __asm__ volatile("tdpbusd %%tmm" #b ", %%tmm" #a ", %%tmm" #sums : : :)
#endif

/* The four sums, registers 0 to 3, are `rows` pixels of 16 channels. The operands are registers 4
 * to 7: in the even ones pixels, so many bytes of channels each; in the odd ones weights, a row for
 * every four bytes of channels. Registers 4 and 5 have lengths[0], 6 and 7 lengths[1]. */
static inline void describe_tiles(tile_configuration *c, int32_t rows, const int32_t lengths[2])
{
    memset(c, 0, sizeof *c);
    c->palette = 1;
    for (int t = 0; t < TILE_SUMS; t++) {
        c->rows[t] = (uint8_t)rows;
        c->row_bytes[t] = TILE_ROW_BYTES;
    }
    for (int t = TILE_SUMS; t < TILE_REGISTERS; t += 2) {
        const int32_t length = lengths[(t - TILE_SUMS) / 2];
        c->rows[t] = (uint8_t)rows;
        c->row_bytes[t] = (uint16_t)length;
        c->rows[t + 1] = (uint8_t)(length / 4);
        c->row_bytes[t + 1] = TILE_ROW_BYTES;
    }
}

#endif
