/* SPDX-License-Identifier: Apache-2.0 */
#include "kernelcheck/tile_emulation.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 8, ROWS = 16, ROW_BYTES = 64, LANES = 16, CONFIGURATION_BYTES = 64 };
enum { PALETTE_AT = 0, START_ROW_AT = 1, ROW_BYTES_AT = 16, ROWS_AT = 48 };

typedef struct tile {
    int rows, row_bytes; /* both 0: must not be used */
    unsigned char data[ROWS][ROW_BYTES];
} tile;

static tile tiles[TILES];
static int configured;

static void expect(int good, const char *instruction, const char *what)
{
    if (good)
        return;
    printf("FAILED emulated %s: %s\n", instruction, what);
    exit(1);
}

void emulated_configure(const void *configuration)
{
    unsigned char c[CONFIGURATION_BYTES];
    memcpy(c, configuration, sizeof c);
    expect(c[PALETTE_AT] == 1 && c[START_ROW_AT] == 0, "ldtilecfg", "palette or start row");
    for (int i = START_ROW_AT + 1; i < ROW_BYTES_AT; i++)
        expect(c[i] == 0, "ldtilecfg", "a reserved byte");
    for (int i = 0; i < ROWS; i++) {
        const int rows = c[ROWS_AT + i];
        const int row_bytes = c[ROW_BYTES_AT + 2 * i] + 256 * c[ROW_BYTES_AT + 2 * i + 1];
        expect(rows <= ROWS && row_bytes <= ROW_BYTES, "ldtilecfg", "a tile is too large");
        expect((rows == 0) == (row_bytes == 0), "ldtilecfg", "a tile is empty one way only");
        expect(i < TILES || rows == 0, "ldtilecfg", "there are eight tiles");
        if (i < TILES)
            tiles[i] = (tile){.rows = rows, .row_bytes = row_bytes}; /* and clears it */
    }
    configured = 1;
}

void emulated_release(void)
{
    memset(tiles, 0, sizeof tiles);
    configured = 0;
}

void emulated_expect_released(const char *kernel)
{
    expect(!configured, kernel, "leaves tiles configured");
}

static tile *use(int index, const char *instruction)
{
    expect(configured, instruction, "tiles are not configured");
    expect(index >= 0 && index < TILES, instruction, "no such tile");
    expect(tiles[index].rows > 0, instruction, "an empty tile");
    expect(tiles[index].row_bytes % 4 == 0, instruction, "row bytes are no multiple of 4");
    return &tiles[index];
}

void emulated_zero(int index)
{
    tile *t = use(index, "tilezero");
    memset(t->data, 0, sizeof t->data);
}

void emulated_load(int index, const void *address, int64_t pitch)
{
    tile *t = use(index, "tileloadd");
    memset(t->data, 0, sizeof t->data);
    for (int row = 0; row < t->rows; row++)
        memcpy(t->data[row], (const char *)address + row * pitch, (size_t)t->row_bytes);
}

void emulated_store(int index, void *address, int64_t pitch)
{
    const tile *t = use(index, "tilestored");
    for (int row = 0; row < t->rows; row++)
        memcpy((char *)address + row * pitch, t->data[row], (size_t)t->row_bytes);
}

/* The three tiles of a product, after the exceptions that all of these have. */
static tile *use_all(int sums, int a, int b, const char *instruction)
{
    const tile *s = use(sums, instruction), *x = use(a, instruction), *y = use(b, instruction);
    expect(sums != a && sums != b && a != b, instruction, "a tile is used twice");
    expect(s->rows == x->rows, instruction, "rows of the sums and of the first operand");
    expect(x->row_bytes / 4 == y->rows, instruction, "the operands do not fit each other");
    expect(s->row_bytes == y->row_bytes, instruction, "columns of the sums and of the second");
    return &tiles[sums];
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The two chains of fused multiply-adds of one row, over the even and the odd channels, then one
 * addition of the two and one to the sum. Not inlined: the caller has set how to round. */
static __attribute__((noinline)) void multiply_row(float *sums, const uint32_t *a,
                                                   uint32_t (*b)[LANES], int pairs)
{
    float even[LANES] = {0}, odd[LANES] = {0};
    for (int k = 0; k < pairs; k++) {
        const float a_even = float_of(a[k] << 16);
        const float a_odd = float_of(a[k] & 0xffff0000u);
        for (int n = 0; n < LANES; n++) {
            even[n] = fmaf(a_even, float_of(b[k][n] << 16), even[n]);
            odd[n] = fmaf(a_odd, float_of(b[k][n] & 0xffff0000u), odd[n]);
        }
    }
    for (int n = 0; n < LANES; n++)
        sums[n] = sums[n] + (even[n] + odd[n]);
}

void emulated_multiply_bf16(int sums, int a, int b)
{
    /* No exception taken, nearest even, denormal operands and results are zeros. */
    enum { TILE_ROUNDING = 0x9fc0 };
    tile *to = use_all(sums, a, b, "tdpbf16ps");
    const tile *x = &tiles[a];
    uint32_t weights[ROWS][LANES];
    memcpy(weights, tiles[b].data, sizeof weights);
    const unsigned before = _mm_getcsr();
    for (int row = 0; row < to->rows; row++) {
        float result[LANES];
        uint32_t pairs[LANES];
        memcpy(result, to->data[row], sizeof result);
        memcpy(pairs, x->data[row], sizeof pairs);
        _mm_setcsr(TILE_ROUNDING);
        multiply_row(result, pairs, weights, x->row_bytes / 4);
        _mm_setcsr(before);
        memcpy(to->data[row], result, (size_t)to->row_bytes);
    }
}

/* Four bytes times four bytes, added to each sum. Sums wrap as those of the CPU do. */
static void multiply_quads(uint32_t *sums, const unsigned char *a, const unsigned char *b)
{
    for (int n = 0; n < LANES; n++)
        for (int i = 0; i < 4; i++)
            sums[n] += (uint32_t)((int32_t)a[i] * (int8_t)b[4 * n + i]);
}

void emulated_multiply_int8(int sums, int a, int b)
{
    tile *to = use_all(sums, a, b, "tdpbusd");
    const tile *x = &tiles[a], *y = &tiles[b];
    for (int row = 0; row < to->rows; row++) {
        uint32_t result[LANES];
        memcpy(result, to->data[row], sizeof result);
        for (int k = 0; k < x->row_bytes / 4; k++)
            multiply_quads(result, &x->data[row][4 * k], y->data[k]);
        memcpy(to->data[row], result, (size_t)to->row_bytes);
    }
}
#endif
