/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sums of up to 32 pixels times 32 channels: two tiles of pixels times two blocks of channels,
 * over all sources, 64 bytes of channels at a time, as they lie: nothing is gathered or copied.
 *
 * Both tiles of pixels have the same rows, so that one configuration serves all operands: where
 * the pixels are an odd number, the second tile begins with the last pixel of the first, whose sums
 * are then computed twice, and the same.
 *
 * The end of a source whose channels are no multiple of 64 bytes has shorter rows, for which two of
 * the four operand registers are shaped. Changing the configuration instead would clear the sums.
 * So there is room for two lengths; ends of a rarer one are filled up with zeros in a copy.
 */
#ifndef R2N_KERNELS_X86_AMX_REDUCE_H
#define R2N_KERNELS_X86_AMX_REDUCE_H

#include <immintrin.h>

#include "kernels/gemm_walk.h"
#include "kernels/x86_amx/multiply.h"
#include "kernels/x86_amx/tile.h"

enum { MOST_PIXELS = 2 * TILE_ROWS, MOST_BLOCKS = 2 };
/* Of the sums: 32 channels of a pixel. */
enum { SUMS_PITCH = MOST_BLOCKS * R2N_TILE_LANES, SUMS_PITCH_BYTES = SUMS_PITCH * 4 };
/* Weights for one byte of a pixel's channels: 16 output channels'. */
enum { WEIGHTS_A_BYTE = R2N_TILE_LANES };
/* Of four bytes, in a row. */
enum { MOST_QUADS = TILE_ROW_BYTES / 4 };
/* Bytes of a source between two prefetches (gemm_walk.h). */
enum { PREFETCH_BYTES = R2N_TILE_STEP_BYTES / R2N_TILE_LANES };

/* f32, or int32_t for int8. */
typedef struct tile_sums {
    _Alignas(64) unsigned char bytes[MOST_PIXELS * SUMS_PITCH_BYTES];
} tile_sums;

/* What stays the same during a call of a kernel. */
typedef struct tile_room {
    int64_t element_bytes;
    int32_t lengths[2]; /* of the operands' rows, in bytes */
    int32_t rows;       /* of the configuration in use, 0 for none */
} tile_room;

/* An operand that is filled up with zeros. */
typedef struct padded_operands {
    _Alignas(64) char a0[TILE_ROWS * TILE_ROW_BYTES];
    _Alignas(64) char a1[TILE_ROWS * TILE_ROW_BYTES];
    _Alignas(64) char b0[TILE_ROWS * TILE_ROW_BYTES];
    _Alignas(64) char b1[TILE_ROWS * TILE_ROW_BYTES];
} padded_operands;

/* The length with the most steps, not counting `other`; 0 for none. */
static int32_t most_frequent(const int64_t steps[MOST_QUADS + 1], int32_t other)
{
    int32_t best = 0;
    for (int32_t quads = 1; quads <= MOST_QUADS; quads++)
        if (quads * 4 != other && steps[quads] > 0 && (best == 0 || steps[quads] > steps[best / 4]))
            best = quads * 4;
    return best;
}

static tile_room open_room(const r2n_gemm_arguments *gemm, int64_t element_bytes)
{
    tile_room room = {.element_bytes = element_bytes};
    int64_t steps[MOST_QUADS + 1] = {0}; /* of so many times four bytes */
    int lengths = 0;
    for (int32_t i = 0; i < gemm->source_count; i++) {
        const int64_t bytes = gemm->sources[i].channels * element_bytes;
        steps[MOST_QUADS] += bytes / TILE_ROW_BYTES;
        steps[bytes % TILE_ROW_BYTES / 4]++;
    }
    for (int quads = 1; quads <= MOST_QUADS; quads++)
        lengths += steps[quads] > 0;
    room.lengths[0] = most_frequent(steps, 0);
    room.lengths[1] = most_frequent(steps, room.lengths[0]);
    if (lengths == 0)
        room.lengths[0] = TILE_ROW_BYTES;
    if (lengths < 2)
        room.lengths[1] = room.lengths[0];
    else if (lengths > 2 && room.lengths[0] != TILE_ROW_BYTES) /* for all that are copied */
        room.lengths[1] = TILE_ROW_BYTES;
    return room;
}

static void configure_rows(tile_room *room, int32_t rows)
{
    tile_configuration configuration;
    if (room->rows == rows)
        return;
    describe_tiles(&configuration, rows, room->lengths);
    TILES_CONFIGURE(&configuration);
    room->rows = rows;
}

/* Copies `bytes` of each row and fills the row up. */
ALWAYS_INLINE void pad_rows(char *to, const char *from, int64_t pitch, int32_t rows, int32_t bytes)
{
    const __mmask16 quads = (__mmask16)((1u << bytes / 4) - 1);
    for (int32_t row = 0; row < rows; row++)
        _mm512_store_si512(to + row * TILE_ROW_BYTES,
                           _mm512_maskz_loadu_epi32(quads, from + row * pitch));
}

/* Copies the weights for `bytes` of channels, and adds rows of zeros. */
ALWAYS_INLINE void pad_weights(char *to, const char *from, int32_t bytes)
{
    for (int32_t row = 0; row < TILE_ROWS; row++)
        _mm512_store_si512(to + row * TILE_ROW_BYTES,
                           row < bytes / 4 ? _mm512_loadu_si512(from + row * TILE_ROW_BYTES)
                                           : _mm512_setzero_si512());
}

/* The operands by value, or those of the usual way would have to live in memory. */
ALWAYS_INLINE operands pad_operands(padded_operands *p, operands from, int32_t rows, int32_t bytes,
                                    const int tiles, const int blocks)
{
    pad_rows(p->a0, from.a0, from.a_pitch, rows, bytes);
    if (tiles > 1)
        pad_rows(p->a1, from.a1, from.a_pitch, rows, bytes);
    pad_weights(p->b0, from.b0, bytes);
    if (blocks > 1)
        pad_weights(p->b1, from.b1, bytes);
    return (operands){p->a0, p->a1, TILE_ROW_BYTES, p->b0, p->b1};
}

/* A step with one register for pixels and one for weights: five loads instead of four. */
#define MULTIPLY_WITH(a, b)                                                                        \
    do {                                                                                           \
        TILE_LOAD(a, o->a0, o->a_pitch);                                                           \
        TILE_LOAD(b, o->b0, TILE_ROW_BYTES);                                                       \
        MULTIPLY(0, a, b);                                                                         \
        if (blocks > 1) {                                                                          \
            TILE_LOAD(b, o->b1, TILE_ROW_BYTES);                                                   \
            MULTIPLY(1, a, b);                                                                     \
        }                                                                                          \
        if (tiles > 1) {                                                                           \
            TILE_LOAD(a, o->a1, o->a_pitch);                                                       \
            if (blocks > 1) {                                                                      \
                MULTIPLY(3, a, b);                                                                 \
                TILE_LOAD(b, o->b0, TILE_ROW_BYTES);                                               \
            }                                                                                      \
            MULTIPLY(2, a, b);                                                                     \
        }                                                                                          \
    } while (0)

ALWAYS_INLINE void multiply_first_length(const operands *o, const int tiles, const int blocks,
                                         const int is_int8)
{
    MULTIPLY_WITH(4, 5);
}

ALWAYS_INLINE void multiply_second_length(const operands *o, const int tiles, const int blocks,
                                          const int is_int8)
{
    MULTIPLY_WITH(6, 7);
}

/* A step of any length up to a row's. */
ALWAYS_INLINE void multiply_length(const tile_room *room, const operands *o, int32_t bytes,
                                   const int tiles, const int blocks, const int is_int8)
{
    if (bytes == room->lengths[0]) {
        multiply_first_length(o, tiles, blocks, is_int8);
    } else if (bytes == room->lengths[1]) {
        multiply_second_length(o, tiles, blocks, is_int8);
    } else {
        padded_operands copies;
        const operands padded = pad_operands(&copies, *o, room->rows, bytes, tiles, blocks);
        if (room->lengths[0] == TILE_ROW_BYTES)
            multiply_first_length(&padded, tiles, blocks, is_int8);
        else
            multiply_second_length(&padded, tiles, blocks, is_int8);
    }
}

ALWAYS_INLINE const char *prefetch_weights(const char *at, int64_t step, int32_t bytes)
{
    for (; bytes >= PREFETCH_BYTES; bytes -= PREFETCH_BYTES) {
        for (int line = 0; line < R2N_TILE_PREFETCH_BYTES; line += 64)
            _mm_prefetch(at + line, _MM_HINT_T1);
        at += step;
    }
    return at;
}

ALWAYS_INLINE void step_on(operands *o, int64_t bytes)
{
    o->a0 += bytes;
    o->a1 += bytes;
    o->b0 += bytes * WEIGHTS_A_BYTE;
    o->b1 += bytes * WEIGHTS_A_BYTE;
}

ALWAYS_INLINE operands first_operands(const tile_room *room, const r2n_tile *tile,
                                      const r2n_gemm_source *source, const int tiles,
                                      const int blocks)
{
    const int64_t element = room->element_bytes;
    const int64_t first = source->offset + tile->image * source->image_pitch +
                          tile->row * source->row_pitch + tile->column * source->pixel_pitch;
    operands o = {.a_pitch = source->pixel_pitch * element};
    o.a0 = (const char *)tile->any_block + first * element;
    o.a1 = tiles > 1 ? o.a0 + (tile->pixels - room->rows) * o.a_pitch : o.a0;
    o.b0 = (const char *)tile->any_weights + source->k_first * element * WEIGHTS_A_BYTE;
    o.b1 = blocks > 1 ? o.b0 + tile->weights_pitch * element : o.b0;
    return o;
}

ALWAYS_INLINE void reduce_shape(const tile_room *room, const r2n_tile *tile, tile_sums *sums,
                                const int tiles, const int blocks, const int is_int8)
{
    const int is_even = room->lengths[0] == room->lengths[1];
    const char *prefetch = tile->prefetch;
    const int64_t prefetch_step = tile->prefetch_step;
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    for (int32_t i = 0; i < tile->source_count; i++) {
        const r2n_gemm_source *source = &tile->sources[i];
        operands o = first_operands(room, tile, source, tiles, blocks);
        int64_t left = source->channels * room->element_bytes;
        if (is_even) {
            const int32_t length = room->lengths[0];
            for (; left > 0; left -= length) {
                prefetch = prefetch_weights(prefetch, prefetch_step, length);
                multiply_quickly(&o, tiles, blocks, is_int8);
                step_on(&o, length);
            }
            continue;
        }
        while (left > 0) {
            const int32_t length = left < TILE_ROW_BYTES ? (int32_t)left : TILE_ROW_BYTES;
            prefetch = prefetch_weights(prefetch, prefetch_step, length);
            multiply_length(room, &o, length, tiles, blocks, is_int8);
            step_on(&o, length);
            left -= length;
        }
    }
    unsigned char *second = sums->bytes + (tile->pixels - room->rows) * SUMS_PITCH_BYTES;
    TILE_STORE(0, sums->bytes, SUMS_PITCH_BYTES);
    if (blocks > 1)
        TILE_STORE(1, sums->bytes + TILE_ROW_BYTES, SUMS_PITCH_BYTES);
    if (tiles > 1)
        TILE_STORE(2, second, SUMS_PITCH_BYTES);
    if (tiles > 1 && blocks > 1)
        TILE_STORE(3, second + TILE_ROW_BYTES, SUMS_PITCH_BYTES);
}

/* Sums of the tile's pixels and blocks, SUMS_PITCH apart. `is_int8` is a constant. */
ALWAYS_INLINE void reduce(tile_room *room, const r2n_tile *tile, tile_sums *sums, const int is_int8)
{
    const int tiles = tile->pixels > TILE_ROWS ? 2 : 1;
    configure_rows(room, (tile->pixels + tiles - 1) / tiles);
    if (tiles > 1 && tile->blocks > 1)
        reduce_shape(room, tile, sums, 2, 2, is_int8);
    else if (tiles > 1)
        reduce_shape(room, tile, sums, 2, 1, is_int8);
    else if (tile->blocks > 1)
        reduce_shape(room, tile, sums, 1, 2, is_int8);
    else
        reduce_shape(room, tile, sums, 1, 1, is_int8);
}

#endif
