/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order of the walk: the range's pixels are cut into chunks whose activations fit in half of the
 * second-level cache; for each chunk the panels of weights pass by, and under each panel the tiles
 * of the chunk. A panel so comes from memory once a chunk and stays near while all tiles use it.
 *
 * A tile's pixels must lie at one pitch in every tensor. Rows (and images) that follow each other
 * without a gap in all tensors make one long run of pixels; elsewhere a run is one row.
 */
#include "kernels/gemm_walk.h"

#include <assert.h>
#include <stddef.h>

enum { LINE_BYTES = 64, K_STEP = 4 };

typedef struct walk {
    const r2n_tile_set *set;
    const r2n_gemm_arguments *gemm;
    float *block;
    r2n_range range;
    int scatters; /* some view has its channels in separated groups */
    int joins_rows, joins_images;
    int64_t chunk_pixels;
} walk;

/* A run of pixels at one pitch: `length` pixels from the first of a row. */
typedef struct run {
    int32_t first_row; /* counted over all images */
    int64_t length;
} run;

/* The runs [first, last) from pixel `from` to pixel `to`, or to their end. */
typedef struct chunk {
    int64_t first, last;
    int64_t from, to;
} chunk;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t pieces(int64_t whole, int64_t most)
{
    return (whole + most - 1) / most;
}

static void look_at_pitches(walk *w, int64_t image_pitch, int64_t row_pitch, int64_t pixel_pitch)
{
    const r2n_gemm_arguments *gemm = w->gemm;
    if (gemm->rows > 1 && row_pitch != gemm->columns * pixel_pitch)
        w->joins_rows = 0;
    if (gemm->images > 1 && image_pitch != (int64_t)gemm->rows * gemm->columns * pixel_pitch)
        w->joins_images = 0;
}

static void look_at_view(walk *w, const r2n_view *view)
{
    look_at_pitches(w, view->image_pitch, view->row_pitch, view->pixel_pitch);
    if (view->groups > 1 && view->group_pitch != view->group_channels)
        w->scatters = 1;
}

static void look_at_tensors(walk *w)
{
    const r2n_gemm_arguments *gemm = w->gemm;
    for (int32_t i = 0; i < gemm->source_count; i++) {
        const r2n_gemm_source *source = &gemm->sources[i];
        look_at_pitches(w, source->image_pitch, source->row_pitch, source->pixel_pitch);
    }
    look_at_view(w, &gemm->output);
    if (gemm->epilogue.residual_there)
        look_at_view(w, &gemm->epilogue.residual);
    if (gemm->epilogue.chain_there)
        look_at_view(w, &gemm->epilogue.chain);
    w->joins_images &= w->joins_rows;
}

/* Few weights stay in the cache and may pass by often: then all that a chunk reads and writes shall
 * fit beside them. Many weights come from afar each time: then only what the tiles read again and
 * again, their operands, shall fit, and chunks be few. */
static void choose_chunk(walk *w)
{
    const r2n_gemm_arguments *gemm = w->gemm;
    const r2n_epilogue *epilogue = &gemm->epilogue;
    const int64_t lanes = (int64_t)(w->range.block_last - w->range.block_first) * R2N_TILE_LANES;
    const int64_t half = w->set->cache_bytes / 2;
    int64_t channels = 0;
    for (int32_t i = 0; i < gemm->source_count; i++)
        channels += gemm->sources[i].channels;
    int64_t bytes = half;
    if (lanes * channels * (int64_t)sizeof(float) <= half / 2) {
        bytes = half / 2;
        channels += lanes * (1 + (epilogue->residual_there != 0) + (epilogue->chain_there != 0));
    }
    w->chunk_pixels = bytes / ((channels + 1) * (int64_t)sizeof(float));
    if (w->chunk_pixels < R2N_TILE_MAXIMUM_PIXELS)
        w->chunk_pixels = R2N_TILE_MAXIMUM_PIXELS;
}

static int64_t run_count(const walk *w)
{
    if (w->joins_images)
        return 1;
    if (w->joins_rows)
        return (w->range.row_last - 1) / w->gemm->rows - w->range.row_first / w->gemm->rows + 1;
    return w->range.row_last - w->range.row_first;
}

static run run_at(const walk *w, int64_t index)
{
    const int64_t rows = w->gemm->rows;
    int64_t first = w->range.row_first;
    int64_t last = w->range.row_last;
    if (!w->joins_rows) {
        first += index;
        last = first + 1;
    } else if (!w->joins_images) { /* the part of a picture that is in the range */
        const int64_t image = first / rows + index;
        if (index > 0)
            first = image * rows;
        last = smaller(last, (image + 1) * rows);
    }
    return (run){(int32_t)first, (last - first) * w->gemm->columns};
}

static int64_t pixel_offset(const r2n_view *view, const r2n_tile *tile)
{
    return view->offset + tile->image * view->image_pitch + tile->row * view->row_pitch +
           tile->column * view->pixel_pitch;
}

static int64_t channel_offset(const r2n_view *view, int32_t channel)
{
    return (channel / view->group_channels) * view->group_pitch + channel % view->group_channels;
}

/* Channels that scatter: the tile leaves sum + bias in a scratch, and the rest of the epilogue is
 * done here, element by element with the same roundings. */
static void compute_scattered(const walk *w, const r2n_tile *tile, r2n_tile_function *function,
                              int32_t pixels, int32_t first_channel, int32_t channels)
{
    const r2n_epilogue *epilogue = &w->gemm->epilogue;
    float scratch[R2N_TILE_MAXIMUM_PIXELS * R2N_TILE_MAXIMUM_BLOCKS * R2N_TILE_LANES];
    const int64_t pitch = (int64_t)pieces(channels, R2N_TILE_LANES) * R2N_TILE_LANES;
    r2n_tile plain = *tile;
    plain.output = scratch;
    plain.output_pitch = pitch;
    plain.last_lanes = R2N_TILE_LANES;
    plain.residual = plain.chain = NULL;
    plain.relu = 0;
    function(&plain);
    for (int32_t pixel = 0; pixel < pixels; pixel++)
        for (int32_t i = 0; i < channels; i++) {
            const int32_t channel = first_channel + i;
            float value = scratch[pixel * pitch + i];
            if (tile->residual != NULL)
                value += tile->residual[pixel * tile->residual_pitch +
                                        channel_offset(&epilogue->residual, channel)];
            if (tile->relu && value <= 0) /* false for NaN, which stays */
                value = 0;
            tile->output[pixel * tile->output_pitch + channel_offset(&w->gemm->output, channel)] =
                value;
            if (tile->chain != NULL)
                tile->chain[pixel * tile->chain_pitch +
                            channel_offset(&epilogue->chain, channel)] += value;
        }
}

/* `tile` has its panel's fields and its place in the picture; this sets the rest and computes. */
static void compute_tile(const walk *w, r2n_tile *tile, int32_t pixels, int32_t first_block,
                         int32_t blocks)
{
    const r2n_gemm_arguments *gemm = w->gemm;
    const r2n_epilogue *epilogue = &gemm->epilogue;
    const int32_t first_channel = first_block * R2N_TILE_LANES;
    const int32_t channels =
        (int32_t)smaller(blocks * R2N_TILE_LANES, gemm->channels - first_channel);
    r2n_tile_function *function = w->set->tiles[blocks - 1][pixels - 1];
    const int64_t shift = w->scatters ? 0 : first_channel;
    tile->output = w->block + pixel_offset(&gemm->output, tile) + shift;
    if (epilogue->residual_there)
        tile->residual = w->block + pixel_offset(&epilogue->residual, tile) + shift;
    if (epilogue->chain_there)
        tile->chain = w->block + pixel_offset(&epilogue->chain, tile) + shift;
    tile->last_lanes = channels - (blocks - 1) * R2N_TILE_LANES;
    if (w->scatters)
        compute_scattered(w, tile, function, pixels, first_channel, channels);
    else
        function(tile);
}

static int64_t tile_count(const walk *w, const chunk *c, int32_t blocks)
{
    int64_t count = 0;
    for (int64_t i = c->first; i < c->last; i++)
        count += pieces(smaller(c->to, run_at(w, i).length) - c->from, w->set->pixels[blocks - 1]);
    return count;
}

/* All tiles of a chunk under one panel; `next_bytes` of weights follow this panel's and are fetched
 * in even portions meanwhile. */
static void walk_tiles(const walk *w, r2n_tile *tile, const chunk *c, int32_t first_block,
                       int32_t blocks, int64_t next_bytes)
{
    const int32_t most = w->set->pixels[blocks - 1];
    const int64_t steps = w->gemm->k_total / K_STEP + 1;
    const int64_t tiles = tile_count(w, c, blocks);
    const int64_t portion = pieces(next_bytes, tiles * steps * LINE_BYTES) * LINE_BYTES;
    const char *end = tile->prefetch + next_bytes;
    for (int64_t i = c->first; i < c->last; i++) {
        const run r = run_at(w, i);
        const int64_t run_pixels = smaller(c->to, r.length) - c->from;
        const int64_t run_tiles = pieces(run_pixels, most);
        const int32_t least = (int32_t)(run_pixels / run_tiles);
        const int64_t larger = run_pixels % run_tiles; /* tiles of one pixel more */
        tile->image = r.first_row / w->gemm->rows;
        tile->row = r.first_row % w->gemm->rows;
        tile->column = (int32_t)c->from;
        for (int64_t j = 0; j < run_tiles; j++) {
            const int32_t pixels = least + (j < larger);
            tile->prefetch_step = tile->prefetch < end ? portion : 0;
            compute_tile(w, tile, pixels, first_block, blocks);
            tile->prefetch += tile->prefetch_step * steps;
            tile->column += pixels;
        }
    }
}

/* Panels of the room's favourite width; a remainder makes some of them one block wider. */
static int32_t panel_count(const walk *w)
{
    const int32_t panels = (w->range.block_last - w->range.block_first) / w->set->panel_blocks;
    return panels > 0 ? panels : 1;
}

static void walk_chunk(const walk *w, const chunk *c)
{
    const r2n_gemm_arguments *gemm = w->gemm;
    r2n_tile tile = {.block = w->block,
                     .sources = gemm->sources,
                     .source_count = gemm->source_count,
                     .weights_pitch = (int64_t)gemm->k_total * R2N_TILE_LANES,
                     .residual_pitch = gemm->epilogue.residual.pixel_pitch,
                     .output_pitch = gemm->output.pixel_pitch,
                     .chain_pitch = gemm->epilogue.chain.pixel_pitch,
                     .relu = gemm->epilogue.relu};
    int32_t block = w->range.block_first;
    for (int32_t left = panel_count(w); left > 0; left--) {
        const int32_t blocks = (int32_t)pieces(w->range.block_last - block, left);
        const int32_t next =
            left > 1 ? (int32_t)pieces(w->range.block_last - block - blocks, left - 1) : 0;
        tile.weights = (const float *)gemm->weights + block * tile.weights_pitch;
        tile.bias = gemm->epilogue.bias + (int64_t)block * R2N_TILE_LANES;
        tile.prefetch = (const char *)(tile.weights + blocks * tile.weights_pitch);
        walk_tiles(w, &tile, c, block, blocks, next * tile.weights_pitch * (int64_t)sizeof(float));
        block += blocks;
    }
}

void r2n_gemm_f32_walk(const r2n_tile_set *set, const r2n_gemm_arguments *gemm, float *block,
                       r2n_range range)
{
    walk w = {.set = set,
              .gemm = gemm,
              .block = block,
              .range = range,
              .joins_rows = 1,
              .joins_images = 1};
    assert(gemm->epilogue.sums == NULL && gemm->epilogue.squares == NULL);
    if (range.row_first >= range.row_last || range.block_first >= range.block_last)
        return;
    look_at_tensors(&w);
    choose_chunk(&w);
    const int64_t runs = run_count(&w);
    const int64_t longest = w.joins_images
                                ? run_at(&w, 0).length
                                : (w.joins_rows ? (int64_t)gemm->rows : 1) * gemm->columns;
    if (longest > w.chunk_pixels) { /* parts of one run */
        for (int64_t i = 0; i < runs; i++) {
            const int64_t length = run_at(&w, i).length;
            int64_t from = 0;
            for (int64_t left = pieces(length, w.chunk_pixels); left > 0; left--) {
                const chunk c = {i, i + 1, from, from + pieces(length - from, left)};
                walk_chunk(&w, &c);
                from = c.to;
            }
        }
    } else { /* several runs */
        const int64_t step = w.chunk_pixels / longest;
        for (int64_t i = 0; i < runs; i += step) {
            const chunk c = {i, smaller(i + step, runs), 0, longest};
            walk_chunk(&w, &c);
        }
    }
}
