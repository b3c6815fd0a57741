/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order of the walk: part by part and chunk by chunk; in a chunk, groups of rows k whose operands
 * fit in half of the second-level cache; under a group, panels of the gradient, copied so that
 * their channels lie side by side; under a panel, the tiles of the group. A tile's sums stay in
 * registers over all pixels of the chunk, so that the weights' gradient, which is large, is touched
 * once a chunk.
 *
 * A chunk of more pixels than the copy holds is computed in segments: then every tile goes through
 * all of them, its sums waiting in memory in between. That keeps the bits but is slow.
 */
#include "kernels/weights_gradient_walk.h"

#include <stddef.h>
#include <string.h>

#include "kernels/gradient_segments.h"

enum { LANES = R2N_GRADIENT_LANES, SEGMENT = R2N_GRADIENT_SEGMENT, NONE = -1 };

/* Rows k: from channel `k` of source `source` on. */
typedef struct k_place {
    int32_t source, k;
} k_place;

typedef struct walk {
    const r2n_gradient_tile_set *set;
    const r2n_weights_gradient_arguments *arguments;
    const float *block;
    r2n_range range;
    /* The chunk. Pixels are counted over all images. */
    float *part;
    int64_t first_pixel, last_pixel;
    int adds;
    /* The panel, and what is prepared of it. */
    int32_t first_block, blocks, last_lanes;
    int64_t packed_segment, listed_segment;
    int32_t listed_source;
    r2n_gradient_ahead ahead;
    int32_t run_count;
    r2n_pixel_run *runs; /* [SEGMENT] */
    float *packed;       /* [SEGMENT][blocks][16] */
} walk;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t pieces(int64_t whole, int64_t most)
{
    return (whole + most - 1) / most;
}

/* ---- pixels ---- */

/* From a pixel to the next one of its run. */
static int64_t step_of(const walk *w, const r2n_gemm_source *source)
{
    if (w->arguments->columns > 1)
        return source->pixel_pitch;
    return w->arguments->rows > 1 ? source->row_pitch : source->image_pitch;
}

/* The runs of pixels [first, last): rows, or several that follow each other without a gap. */
static void list_runs(walk *w, const r2n_gemm_source *source, int64_t first, int64_t last)
{
    const int64_t rows = w->arguments->rows, columns = w->arguments->columns;
    const int64_t step = step_of(w, source);
    const float *next = NULL;
    w->run_count = 0;
    for (int64_t at = first; at < last;) {
        const int64_t row = at / columns;
        const int64_t pixels = smaller(last, (row + 1) * columns) - at;
        const float *start = w->block + source->offset + row / rows * source->image_pitch +
                             row % rows * source->row_pitch + at % columns * source->pixel_pitch;
        if (start == next)
            w->runs[w->run_count - 1].pixels += pixels;
        else
            w->runs[w->run_count++] = (r2n_pixel_run){start, pixels};
        next = start + pixels * step;
        at += pixels;
    }
}

static void pack_gradient(walk *w, int64_t first, int64_t last)
{
    const r2n_view *view = &w->arguments->gradient;
    const r2n_gemm_source source = {.offset = view->offset + w->first_block * (int64_t)LANES,
                                    .image_pitch = view->image_pitch,
                                    .row_pitch = view->row_pitch,
                                    .pixel_pitch = view->pixel_pitch};
    const int64_t step = step_of(w, &source);
    const int32_t lanes = w->blocks * LANES;
    const int32_t channels = lanes - LANES + w->last_lanes;
    float *to = w->packed;
    list_runs(w, &source, first, last);
    for (int32_t i = 0; i < w->run_count; i++) {
        const float *from = w->runs[i].first;
        for (int64_t left = w->runs[i].pixels; left > 0; left--) {
            if (channels == 2 * LANES)
                memcpy(to, from, 2 * LANES * sizeof(float));
            else {
                memcpy(to, from, (size_t)channels * sizeof(float));
                memset(to + channels, 0, (size_t)(lanes - channels) * sizeof(float));
            }
            from += step;
            to += lanes;
        }
    }
}

/* Copy and list are those of this segment and source. */
static void prepare(walk *w, int64_t segment, int32_t source)
{
    const int64_t first = w->first_pixel + segment * SEGMENT;
    const int64_t last = smaller(first + SEGMENT, w->last_pixel);
    if (w->packed_segment != segment) {
        pack_gradient(w, first, last);
        w->packed_segment = segment;
        w->listed_segment = NONE;
    }
    if (w->listed_segment != segment || w->listed_source != source) {
        list_runs(w, &w->arguments->sources[source], first, last);
        w->listed_segment = segment;
        w->listed_source = source;
    }
}

/* ---- tiles ---- */

static void compute_tile(walk *w, k_place place, int32_t k_count)
{
    const r2n_weights_gradient_arguments *a = w->arguments;
    const r2n_gemm_source *source = &a->sources[place.source];
    const int64_t segments = pieces(w->last_pixel - w->first_pixel, SEGMENT);
    _Alignas(64) float waiting[R2N_GRADIENT_MOST_K * R2N_GRADIENT_MOST_BLOCKS * LANES];
    r2n_gradient_tile tile = {
        .runs = w->runs,
        .k = place.k,
        .pixel_pitch = step_of(w, source),
        .gradient = w->packed,
        .output =
            w->part + ((int64_t)w->first_block * a->k_total + source->k_first + place.k) * LANES,
        .output_pitch = (int64_t)a->k_total * LANES,
        .adds = w->adds,
        .prefetch_step = w->ahead.step,
        .last_lanes = w->last_lanes};
    for (int64_t segment = 0; segment < segments; segment++) {
        prepare(w, segment, place.source);
        const int64_t left = w->last_pixel - w->first_pixel - segment * SEGMENT;
        tile.run_count = w->run_count;
        tile.prefetch = w->ahead.prefetch;
        tile.resumed = segment > 0 ? waiting : NULL;
        tile.suspended = segment + 1 < segments ? waiting : NULL;
        w->set->tiles[w->blocks - 1][k_count - 1](&tile);
        r2n_gradient_ahead_used(&w->ahead, smaller(left, SEGMENT));
    }
}

static void walk_tiles(walk *w, k_place from, k_place to)
{
    const r2n_weights_gradient_arguments *a = w->arguments;
    for (k_place p = from; p.source < to.source || (p.source == to.source && p.k < to.k);) {
        const int32_t end = p.source == to.source ? to.k : a->sources[p.source].channels;
        for (int64_t left = pieces(end - p.k, w->set->most_k); left > 0; left--) {
            const int32_t k_count = (int32_t)pieces(end - p.k, left);
            compute_tile(w, p, k_count);
            p.k += k_count;
        }
        if (p.k == a->sources[p.source].channels)
            p = (k_place){p.source + 1, 0};
    }
}

static void walk_panels(walk *w, k_place from, k_place to)
{
    const int32_t channels = w->arguments->channels;
    for (int32_t block = w->range.block_first; block < w->range.block_last; block += w->blocks) {
        w->first_block = block;
        w->blocks = (int32_t)smaller(w->set->most_blocks, w->range.block_last - block);
        w->last_lanes = (int32_t)smaller(LANES, channels - (block + w->blocks - 1) * LANES);
        w->packed_segment = w->listed_segment = NONE;
        walk_tiles(w, from, to);
    }
}

/* Where a group ends that begins at `from` and has about `most` rows. Sources of the same tensor at
 * other taps count anew, which does no harm: panels then are copied a little more often. */
static k_place end_of_group(const walk *w, k_place from, int64_t most)
{
    const r2n_weights_gradient_arguments *a = w->arguments;
    while (from.source < a->source_count && most > 0) {
        const int64_t left = a->sources[from.source].channels - from.k;
        const int64_t even = pieces(left, pieces(left, most));
        const int64_t whole_tiles = pieces(even, w->set->most_k) * w->set->most_k;
        if (whole_tiles < left) {
            from.k += (int32_t)whole_tiles;
            return from;
        }
        most -= left;
        from = (k_place){from.source + 1, 0};
    }
    return from;
}

static void walk_chunk(walk *w)
{
    const int64_t pixels = w->last_pixel - w->first_pixel;
    const int64_t pixel_bytes = pixels * (int64_t)sizeof(float);
    const int64_t panels = pieces(w->range.block_last - w->range.block_first, w->set->most_blocks);
    const int64_t most = w->set->cache_bytes / 2 / pixel_bytes;
    const k_place end = {w->arguments->source_count, 0};
    r2n_gradient_ahead_begin(
        &w->ahead, w->arguments, w->block, sizeof *w->block, w->last_pixel,
        smaller(w->last_pixel + pixels, (int64_t)w->range.row_last * w->arguments->columns),
        r2n_gradient_tile_count(w->arguments, w->set->most_k) * panels * pixels);
    for (k_place from = {0, 0}; from.source < end.source;) {
        const k_place to = end_of_group(w, from, most > 64 ? most : 64);
        walk_panels(w, from, to);
        from = to;
    }
}

void r2n_weights_gradient_f32_walk(const r2n_gradient_tile_set *set,
                                   const r2n_weights_gradient_arguments *a, const float *block,
                                   r2n_range range)
{
    r2n_pixel_run runs[SEGMENT];
    _Alignas(64) float packed[SEGMENT * R2N_GRADIENT_MOST_BLOCKS * LANES];
    walk w = {
        .set = set, .arguments = a, .block = block, .range = range, .runs = runs, .packed = packed};
    r2n_gradient_segments chunks = r2n_gradient_segments_of(a, range, INT64_MAX);
    r2n_gradient_segment chunk;
    while (r2n_gradient_next(&chunks, &chunk)) {
        w.part = chunk.part;
        w.first_pixel = chunk.first_pixel;
        w.last_pixel = chunk.first_pixel + chunk.pixels;
        w.adds = chunk.adds;
        walk_chunk(&w);
    }
}
