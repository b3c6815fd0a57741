/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of a gradient by weights that every vector ISA shares: which weights make a tile, and in
 * which order tiles are computed. Plain code, compiled for the plainest CPU; a room brings the
 * tiles.
 */
#ifndef R2N_KERNELS_WEIGHTS_GRADIENT_WALK_H
#define R2N_KERNELS_WEIGHTS_GRADIENT_WALK_H

#include "kernels/gradient_ahead.h"

enum {
    R2N_GRADIENT_LANES = 16,
    R2N_GRADIENT_MOST_K = 14,
    R2N_GRADIENT_MOST_BLOCKS = 2,
    R2N_GRADIENT_SEGMENT = 512 /* pixels that a tile takes at once */
};

/* Pixels of a source that lie at one pitch. */
typedef struct r2n_pixel_run {
    const float *first; /* [its first pixel][channel 0] */
    int64_t pixels;
} r2n_pixel_run;

/* Some rows k of the weights of one source times some blocks of 16 channels; the sums of a chunk of
 * pixels, or of a segment of it. */
typedef struct r2n_gradient_tile {
    const r2n_pixel_run *runs; /* of the source, together a segment */
    int32_t run_count;
    int32_t k; /* the tile's first channel of the source */
    int64_t pixel_pitch;
    const float *gradient; /* [pixels of the segment][blocks][16], zeros after the last channel */
    const float *resumed;  /* sums to go on from, [k][blocks][16]; NULL for +0 */
    float *suspended;      /* where sums go that are not complete; NULL for `output` */
    float *output;         /* [k][16] of the first block */
    int64_t output_pitch;  /* floats from block to block */
    int32_t adds;          /* to what stands there */
    const char *prefetch;  /* a hint a pixel, */
    int64_t prefetch_step; /* so many bytes apart */
    int32_t last_lanes;    /* channels in the last block, 1 to 16; other lanes get 0 */
} r2n_gradient_tile;

typedef void r2n_gradient_tile_function(const r2n_gradient_tile *tile);

/* What a room brings. */
typedef struct r2n_gradient_tile_set {
    int32_t most_k, most_blocks; /* of a tile */
    int64_t cache_bytes;         /* second-level cache of a core */
    /* [blocks - 1][k - 1] */
    r2n_gradient_tile_function *tiles[R2N_GRADIENT_MOST_BLOCKS][R2N_GRADIENT_MOST_K];
} r2n_gradient_tile_set;

void r2n_weights_gradient_f32_walk(const r2n_gradient_tile_set *set,
                                   const r2n_weights_gradient_arguments *arguments,
                                   const float *block, r2n_range range);

#endif
