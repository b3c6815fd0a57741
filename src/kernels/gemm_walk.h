/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk over a gemm's output that every vector ISA shares: which pixels and blocks of channels
 * make a tile, and in which order tiles are computed. Plain code, compiled for the plainest CPU; a
 * room brings the tiles.
 */
#ifndef R2N_KERNELS_GEMM_WALK_H
#define R2N_KERNELS_GEMM_WALK_H

#include "kernels/kernels.h"

enum { R2N_TILE_LANES = 16, R2N_TILE_MAXIMUM_BLOCKS = 3, R2N_TILE_MAXIMUM_PIXELS = 14 };

/* Some pixels of a run times some blocks of 16 channels. Pitches between pixels are in floats. */
typedef struct r2n_tile {
    const float *block;             /* the activation block */
    const r2n_gemm_source *sources; /* [source_count] */
    int32_t source_count;
    int32_t image, row, column; /* of the first pixel */
    const float *weights;       /* of the first block, k = 0 */
    int64_t weights_pitch;      /* floats from block to block */
    const float *bias;          /* of the first block */
    const float *residual;      /* [pixel 0][first channel], or NULL for none */
    float *output;
    float *chain; /* NULL for none */
    int64_t residual_pitch, output_pitch, chain_pitch;
    int32_t last_lanes; /* channels in the last block, 1 to 16 */
    int32_t relu;
    const char *prefetch;  /* bytes of weights that a later tile will read: a hint, never a load */
    int64_t prefetch_step; /* bytes to go on by every four k; 0 for none */
} r2n_tile;

typedef void r2n_tile_function(const r2n_tile *tile);

/* What a room brings. */
typedef struct r2n_tile_set {
    int32_t panel_blocks; /* blocks of 16 channels to walk at once; some panels get one more */
    int64_t cache_bytes;  /* second-level cache of a core */
    /* [blocks - 1]: pixels of the largest tile */
    int32_t pixels[R2N_TILE_MAXIMUM_BLOCKS];
    /* [blocks - 1][pixels - 1] */
    r2n_tile_function *tiles[R2N_TILE_MAXIMUM_BLOCKS][R2N_TILE_MAXIMUM_PIXELS];
} r2n_tile_set;

void r2n_gemm_f32_walk(const r2n_tile_set *set, const r2n_gemm_arguments *gemm, float *block,
                       r2n_range range);

#endif
