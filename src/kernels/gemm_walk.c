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
#include <string.h>

enum {
    PREFETCH_BYTES = R2N_TILE_PREFETCH_BYTES,
    STEP_LANE_BYTES = R2N_TILE_STEP_BYTES / R2N_TILE_LANES
};

typedef struct walk {
    const r2n_tile_set *set;
    const r2n_gemm_arguments *gemm;
    char *block;
    r2n_range range;
    int64_t element_bytes;
    int64_t output_bytes; /* of an output element: a float's with float_output */
    int64_t steps;        /* prefetches of a tile */
    int scatters;         /* some view has its channels in separated groups */
    int joins_rows, joins_images;
    int64_t chunk_pixels;
    const char **next; /* up to where the range's hint was fetched */
    const char *next_end;
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
        w->steps += source->channels * w->element_bytes / STEP_LANE_BYTES;
    }
    look_at_view(w, &gemm->output);
    if (gemm->epilogue.residual_there)
        look_at_view(w, &gemm->epilogue.residual);
    if (gemm->epilogue.chain_there)
        look_at_view(w, &gemm->epilogue.chain);
    w->joins_images &= w->joins_rows;
}

/* Few weights stay in the cache and may pass by often: then a chunk is two tiles, whose results are
 * written side by side. Many weights come from afar each time: then what the tiles read again and
 * again, their operands, shall fit, and chunks be few. */
static void choose_chunk(walk *w)
{
    const r2n_gemm_arguments *gemm = w->gemm;
    const int64_t lanes = (int64_t)(w->range.block_last - w->range.block_first) * R2N_TILE_LANES;
    const int64_t half = w->set->cache_bytes / 2;
    int64_t channels = 0;
    for (int32_t i = 0; i < gemm->source_count; i++)
        channels += gemm->sources[i].channels;
    w->chunk_pixels = half / ((channels + 1) * w->element_bytes);
    if (lanes * channels * w->element_bytes <= half / 2)
        w->chunk_pixels = smaller(w->chunk_pixels, 2 * R2N_TILE_MAXIMUM_PIXELS);
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

static char *pixel_address(const walk *w, const r2n_view *view, const r2n_tile *tile)
{
    return w->block + (view->offset + tile->image * view->image_pitch +
                       tile->row * view->row_pitch + tile->column * view->pixel_pitch) *
                          w->element_bytes;
}

/* ---- channels that scatter ---- */

enum {
    PACKED_PITCH = R2N_TILE_MAXIMUM_BLOCKS * R2N_TILE_LANES,
    PACKED_ELEMENTS = R2N_TILE_MAXIMUM_PIXELS * PACKED_PITCH
};

/* A tile's elements side by side, of bf16x3 all high terms before the low ones; of bf16 and int8
 * only a part is in use. */
typedef float packed_elements[PACKED_ELEMENTS];

/* The channels of one tile. */
typedef struct extent {
    int32_t pixels;
    int32_t first_channel, channels;
} extent;

/* Bytes from the first pixel's channel 0 to one of the extent's elements. */
static int64_t scattered_at(const walk *w, const r2n_view *view, const extent *e, int32_t pixel,
                            int32_t i)
{
    const int32_t channel = e->first_channel + i;
    return (pixel * view->pixel_pitch + channel / view->group_channels * view->group_pitch +
            channel % view->group_channels) *
           w->element_bytes;
}

static void gather_terms(const walk *w, const r2n_view *view, const extent *e, const void *from,
                         void *to)
{
    for (int32_t pixel = 0; pixel < e->pixels; pixel++)
        for (int32_t i = 0; i < e->channels; i++)
            memcpy((char *)to + (pixel * PACKED_PITCH + i) * w->element_bytes,
                   (const char *)from + scattered_at(w, view, e, pixel, i),
                   (size_t)w->element_bytes);
}

static void gather(const walk *w, const r2n_view *view, const extent *e, const char *from, char *to)
{
    gather_terms(w, view, e, from, to);
    if (view->low_pitch != 0)
        gather_terms(w, view, e, from + view->low_pitch * w->element_bytes,
                     to + PACKED_ELEMENTS * w->element_bytes);
}

static void scatter_terms(const walk *w, const r2n_view *view, const extent *e, const void *from,
                          void *to)
{
    for (int32_t pixel = 0; pixel < e->pixels; pixel++)
        for (int32_t i = 0; i < e->channels; i++)
            memcpy((char *)to + scattered_at(w, view, e, pixel, i),
                   (const char *)from + (pixel * PACKED_PITCH + i) * w->element_bytes,
                   (size_t)w->element_bytes);
}

static void scatter(const walk *w, const r2n_view *view, const extent *e, const char *from,
                    char *to)
{
    scatter_terms(w, view, e, from, to);
    if (view->low_pitch != 0)
        scatter_terms(w, view, e, from + PACKED_ELEMENTS * w->element_bytes,
                      to + view->low_pitch * w->element_bytes);
}

/* The tile works on copies where its channels lie side by side. */
static void compute_scattered(const walk *w, const r2n_tile *tile, r2n_tile_function *function,
                              const extent *e)
{
    const r2n_epilogue *epilogue = &w->gemm->epilogue;
    packed_elements output, residual, chain;
    r2n_tile packed = *tile;
    packed.output_pitch = packed.residual_pitch = packed.chain_pitch = PACKED_PITCH;
    packed.output_low_pitch = packed.residual_low_pitch = packed.chain_low_pitch = PACKED_ELEMENTS;
    packed.any_output = output;
    if (tile->any_residual != NULL) {
        gather(w, &epilogue->residual, e, tile->any_residual, (char *)residual);
        packed.any_residual = residual;
    }
    if (tile->any_chain != NULL) {
        gather(w, &epilogue->chain, e, tile->any_chain, (char *)chain);
        packed.any_chain = chain;
    }
    function(&packed);
    scatter(w, &w->gemm->output, e, (const char *)output, tile->any_output);
    if (tile->any_chain != NULL)
        scatter(w, &epilogue->chain, e, (const char *)chain, tile->any_chain);
}

/* ---- tiles ---- */

/* `tile` has its panel's fields and its place in the picture; this sets the rest and computes. */
static void compute_tile(const walk *w, r2n_tile *tile, int32_t pixels, int32_t first_block,
                         int32_t blocks)
{
    const r2n_gemm_arguments *gemm = w->gemm;
    const r2n_epilogue *epilogue = &gemm->epilogue;
    const int32_t first_channel = first_block * R2N_TILE_LANES;
    const int32_t channels =
        (int32_t)smaller(blocks * R2N_TILE_LANES, gemm->channels - first_channel);
    const extent e = {pixels, first_channel, channels};
    r2n_tile_function *function =
        w->set->any_tile != NULL ? w->set->any_tile : w->set->tiles[blocks - 1][pixels - 1];
    const int64_t shift = w->scatters ? 0 : first_channel;
    tile->any_output = pixel_address(w, &gemm->output, tile) + shift * w->output_bytes;
    if (epilogue->residual_there)
        tile->any_residual = pixel_address(w, &epilogue->residual, tile) + shift * w->element_bytes;
    if (epilogue->chain_there)
        tile->any_chain = pixel_address(w, &epilogue->chain, tile) + shift * w->element_bytes;
    tile->pixels = pixels;
    tile->blocks = blocks;
    tile->last_lanes = channels - (blocks - 1) * R2N_TILE_LANES;
    if (w->scatters)
        compute_scattered(w, tile, function, &e);
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

/* What to fetch in each step of each tile of a chunk, so that `bytes` come by its end. */
static int64_t even_portion(const walk *w, const chunk *c, int32_t blocks, int64_t bytes)
{
    const int64_t steps = tile_count(w, c, blocks) * w->steps;
    return steps > 0 ? pieces(bytes, steps * PREFETCH_BYTES) * PREFETCH_BYTES : 0;
}

/* All tiles of a chunk under one panel; memory up to `end` will be read soon and is fetched
 * meanwhile, at most `portion` bytes of it a step of a tile. */
static void walk_tiles(const walk *w, r2n_tile *tile, const chunk *c, int32_t first_block,
                       int32_t blocks, const char *end, int64_t portion)
{
    const int32_t most = w->set->pixels[blocks - 1];
    const int64_t steps = w->steps;
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

/* Panels of the room's favourite width; a remainder makes some of them one block wider, or
 * narrower. */
static int32_t panel_count(const walk *w)
{
    const int32_t blocks = w->range.block_last - w->range.block_first;
    const int32_t panels = blocks / w->set->panel_blocks;
    if (w->set->narrow_remainder)
        return (int32_t)pieces(blocks, w->set->panel_blocks);
    return panels > 0 ? panels : 1;
}

static void walk_chunk(const walk *w, const chunk *c)
{
    const r2n_gemm_arguments *gemm = w->gemm;
    r2n_tile tile = {.any_block = w->block,
                     .sources = gemm->sources,
                     .source_count = gemm->source_count,
                     .weights_pitch = (int64_t)gemm->k_total * R2N_TILE_LANES,
                     .residual_pitch = gemm->epilogue.residual.pixel_pitch,
                     .output_pitch = gemm->output.pixel_pitch,
                     .chain_pitch = gemm->epilogue.chain.pixel_pitch,
                     .residual_low_pitch = gemm->epilogue.residual.low_pitch,
                     .output_low_pitch = gemm->output.low_pitch,
                     .chain_low_pitch = gemm->epilogue.chain.low_pitch,
                     .room = w->set->room,
                     .relu = gemm->epilogue.relu,
                     .epilogue = &gemm->epilogue};
    const int64_t block_bytes = tile.weights_pitch * w->element_bytes;
    int32_t block = w->range.block_first;
    for (int32_t left = panel_count(w); left > 0; left--) {
        const int32_t blocks = (int32_t)pieces(w->range.block_last - block, left);
        const int32_t next =
            left > 1 ? (int32_t)pieces(w->range.block_last - block - blocks, left - 1) : 0;
        tile.any_weights = (const char *)gemm->weights + block * block_bytes;
        tile.bias = gemm->epilogue.bias + (int64_t)block * R2N_TILE_LANES;
        if (gemm->epilogue.scale != NULL)
            tile.scale = gemm->epilogue.scale + (int64_t)block * R2N_TILE_LANES;
        tile.prefetch = (const char *)tile.any_weights + blocks * block_bytes;
        if (next > 0) {
            const int64_t bytes = next * block_bytes;
            walk_tiles(w, &tile, c, block, blocks, tile.prefetch + bytes,
                       even_portion(w, c, blocks, bytes));
        } else { /* nothing of this step follows */
            tile.prefetch = *w->next;
            walk_tiles(w, &tile, c, block, blocks, w->next_end, PREFETCH_BYTES);
            *w->next = tile.prefetch;
        }
        block += blocks;
    }
}

void r2n_gemm_walk(const r2n_tile_set *set, int32_t element_bytes, const r2n_gemm_arguments *gemm,
                   void *block, r2n_range range)
{
    /* Without a hint nothing, at an address that exists. */
    const char *next = range.next_bytes > 0 ? range.next : gemm->weights;
    walk w = {.set = set,
              .next = &next,
              .next_end = next + range.next_bytes,
              .gemm = gemm,
              .block = block,
              .range = range,
              .element_bytes = element_bytes,
              .output_bytes = gemm->epilogue.float_output ? (int64_t)sizeof(float) : element_bytes,
              .joins_rows = 1,
              .joins_images = 1};
    assert(gemm->epilogue.sums == NULL && gemm->epilogue.squares == NULL);
    assert(!gemm->epilogue.float_output || gemm->output.groups == 1);
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

void r2n_gemm_f32_walk(const r2n_tile_set *set, const r2n_gemm_arguments *gemm, float *block,
                       r2n_range range)
{
    r2n_gemm_walk(set, sizeof(float), gemm, block, range);
}
