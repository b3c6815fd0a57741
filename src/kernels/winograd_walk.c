/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strip is a few rows of a few tiles: as many rows as the scratch holds, since each row of the
 * output needs three of the input. Its transformed input stays near while the panels of weights
 * pass by; the sums of a panel are turned into pixels at once.
 */
#include "kernels/winograd_walk.h"

#include <stdalign.h>
#include <stddef.h>

enum {
    LANES = R2N_TILE_LANES,
    POINTS = R2N_WINOGRAD_POINTS,
    PIXELS = R2N_WINOGRAD_PIXELS,
    INPUT_ROWS = R2N_WINOGRAD_ROWS,
    INPUT_FLOATS = 24576, /* scratch: 96 KiB for transformed inputs, 32 for sums */
    STRIP_ROWS = 7,
    STRIP_TILES = 28,
    SUM_FLOATS = POINTS * STRIP_TILES * R2N_TILE_MAXIMUM_BLOCKS * LANES,
};

typedef struct walk {
    const r2n_winograd_set *set;
    const r2n_winograd_arguments *winograd;
    float *block;
    r2n_range range;
    int64_t tile_pitch; /* of transformed input: channels filled up to 16 */
    const char **next;  /* up to where the range's hint was fetched */
    const char *next_end;
    float *inputs; /* scratch [point][row][tile][channels] */
    float *sums;   /* scratch [point][row][tile][channels of a panel] */
} walk;

/* Output rows and tiles of one picture. */
typedef struct strip {
    int32_t image, row, rows, tile, tiles;
} strip;

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t pieces(int32_t whole, int32_t most)
{
    return (whole + most - 1) / most;
}

static int64_t filled_up(int32_t channels)
{
    return (int64_t)pieces(channels, LANES) * LANES;
}

const char *r2n_winograd_f32_walk_accepts(const void *arguments)
{
    const r2n_winograd_arguments *winograd = arguments;
    const int64_t least = POINTS * INPUT_ROWS * filled_up(winograd->input_channels);
    return least > INPUT_FLOATS ? "too many input channels" : NULL;
}

static int64_t place(const r2n_view *view, const strip *s, int32_t row)
{
    return view->offset + s->image * view->image_pitch + (s->row + row) * view->row_pitch +
           (int64_t)s->tile * PIXELS * view->pixel_pitch;
}

static void transform_strip(const walk *w, const strip *s)
{
    const r2n_winograd_arguments *winograd = w->winograd;
    const int32_t rows = s->rows + INPUT_ROWS - 1;
    const int64_t row_floats = s->tiles * w->tile_pitch;
    for (int32_t row = 0; row < rows; row++) {
        const float *first = w->block + place(&winograd->input, s, row - 1);
        const r2n_winograd_input input = {.from = first - winograd->input.pixel_pitch,
                                          .pixel_pitch = winograd->input.pixel_pitch,
                                          .pixels = winograd->columns + 2 - s->tile * PIXELS,
                                          .tiles = s->tiles,
                                          .channels = winograd->input_channels,
                                          .to = w->inputs + row * row_floats,
                                          .point_pitch = rows * row_floats,
                                          .tile_pitch = w->tile_pitch};
        w->set->transform(&input);
    }
}

/* The sums of a panel at every point; memory between `from` and `end` will be read soon and is
 * fetched meanwhile. Returns how far that came. */
static const char *multiply_strip(const walk *w, const strip *s, int32_t first_block,
                                  int32_t blocks, const char *from, const char *end)
{
    static const float no_bias[R2N_TILE_MAXIMUM_BLOCKS * LANES];
    const r2n_winograd_arguments *winograd = w->winograd;
    const int32_t channels = winograd->input_channels;
    const int64_t k_total = (int64_t)POINTS * INPUT_ROWS * channels;
    const int64_t row_floats = s->tiles * w->tile_pitch;
    const int32_t tiles = s->rows * s->tiles;
    const int32_t runs = pieces(tiles, w->set->gemm->pixels[blocks - 1]);
    r2n_gemm_source sources[INPUT_ROWS];
    for (int32_t row = 0; row < INPUT_ROWS; row++)
        sources[row] = (r2n_gemm_source){.offset = row * row_floats,
                                         .pixel_pitch = w->tile_pitch,
                                         .channels = channels,
                                         .k_first = row * channels};
    const float *weights = winograd->weights + first_block * k_total * LANES;
    r2n_tile tile = {.sources = sources,
                     .source_count = INPUT_ROWS,
                     .weights_pitch = k_total * LANES,
                     .bias = no_bias,
                     .output_pitch = blocks * LANES,
                     .last_lanes = LANES,
                     .prefetch = from};
    for (int32_t point = 0; point < POINTS; point++) {
        const float *inputs = w->inputs + point * (s->rows + INPUT_ROWS - 1) * row_floats;
        float *sums = w->sums + (int64_t)point * tiles * blocks * LANES;
        int32_t done = 0;
        tile.weights = weights + (int64_t)point * INPUT_ROWS * channels * LANES;
        for (int32_t left = runs; left > 0; left--) {
            const int32_t size = pieces(tiles - done, left);
            tile.block = inputs + done * w->tile_pitch;
            tile.output = sums + (int64_t)done * blocks * LANES;
            tile.prefetch_step = tile.prefetch < end ? R2N_TILE_PREFETCH_BYTES : 0;
            w->set->gemm->tiles[blocks - 1][size - 1](&tile);
            tile.prefetch += tile.prefetch_step * INPUT_ROWS * (channels / 4);
            done += size;
        }
    }
    return tile.prefetch;
}

static void finish_strip(const walk *w, const strip *s, int32_t first_block, int32_t blocks)
{
    const r2n_winograd_arguments *winograd = w->winograd;
    const r2n_epilogue *epilogue = &winograd->epilogue;
    const int32_t channel = first_block * LANES;
    const int64_t row_floats = (int64_t)s->tiles * blocks * LANES;
    for (int32_t row = 0; row < s->rows; row++) {
        const r2n_winograd_output output = {
            .from = w->sums + row * row_floats,
            .point_pitch = s->rows * row_floats,
            .tile_pitch = (int64_t)blocks * LANES,
            .bias = epilogue->bias + channel,
            .blocks = blocks,
            .last_lanes = smaller(winograd->channels - channel - (blocks - 1) * LANES, LANES),
            .relu = epilogue->relu,
            .pixels = smaller(winograd->columns - s->tile * PIXELS, s->tiles * PIXELS),
            .output = w->block + place(&winograd->output, s, row) + channel,
            .output_pitch = winograd->output.pixel_pitch,
            .chain =
                epilogue->chain_there ? w->block + place(&epilogue->chain, s, row) + channel : NULL,
            .chain_pitch = epilogue->chain.pixel_pitch};
        w->set->finish(&output);
    }
}

/* Panels of the room's favourite width; a remainder makes some of them one block wider. */
static void walk_strip(const walk *w, const strip *s)
{
    const int32_t blocks = w->range.block_last - w->range.block_first;
    const int64_t block_bytes =
        (int64_t)POINTS * INPUT_ROWS * w->winograd->input_channels * LANES * (int64_t)sizeof(float);
    const int32_t panels = blocks / w->set->gemm->panel_blocks;
    int32_t block = w->range.block_first;
    transform_strip(w, s);
    for (int32_t left = panels > 0 ? panels : 1; left > 0; left--) {
        const int32_t size = pieces(w->range.block_last - block, left);
        const int32_t next = left > 1 ? pieces(w->range.block_last - block - size, left - 1) : 0;
        const char *from = (const char *)w->winograd->weights + (block + size) * block_bytes;
        if (next > 0) /* else nothing of this step follows */
            multiply_strip(w, s, block, size, from, from + next * block_bytes);
        else
            *w->next = multiply_strip(w, s, block, size, *w->next, w->next_end);
        finish_strip(w, s, block, size);
        block += size;
    }
}

/* Rows of one picture. */
static void walk_rows(const walk *w, int32_t image, int32_t row, int32_t row_last)
{
    const int32_t tiles = pieces(w->winograd->columns, PIXELS);
    const int64_t scratch_rows = INPUT_FLOATS / (POINTS * w->tile_pitch); /* of one tile */
    int32_t most_rows = smaller(STRIP_ROWS, (int32_t)scratch_rows - INPUT_ROWS + 1);
    for (int32_t left = pieces(row_last - row, most_rows); left > 0; left--) {
        strip s = {.image = image, .row = row, .rows = pieces(row_last - row, left)};
        const int32_t most_tiles =
            smaller(STRIP_TILES / s.rows, (int32_t)(scratch_rows / (s.rows + INPUT_ROWS - 1)));
        for (int32_t parts = pieces(tiles, most_tiles); parts > 0; parts--) {
            s.tiles = pieces(tiles - s.tile, parts);
            walk_strip(w, &s);
            s.tile += s.tiles;
        }
        row += s.rows;
    }
}

void r2n_winograd_f32_walk(const r2n_winograd_set *set, const r2n_winograd_arguments *winograd,
                           float *block, r2n_range range)
{
    alignas(64) float inputs[INPUT_FLOATS];
    alignas(64) float sums[SUM_FLOATS];
    /* Without a hint nothing, at an address that exists. */
    const char *next = range.next_bytes > 0 ? range.next : (const char *)winograd->weights;
    const walk w = {.set = set,
                    .next = &next,
                    .next_end = next + range.next_bytes,
                    .winograd = winograd,
                    .block = block,
                    .range = range,
                    .tile_pitch = filled_up(winograd->input_channels),
                    .inputs = inputs,
                    .sums = sums};
    if (range.block_first >= range.block_last)
        return;
    for (int32_t row = range.row_first; row < range.row_last;) {
        const int32_t image = row / winograd->rows;
        const int32_t first = row % winograd->rows;
        const int32_t last = smaller(winograd->rows, first + range.row_last - row);
        walk_rows(&w, image, first, last);
        row += last - first;
    }
}
