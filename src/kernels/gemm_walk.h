/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk over a gemm's output that every vector ISA and precision shares: which pixels and blocks
 * of channels make a tile, and in which order tiles are computed. Plain code, compiled for the
 * plainest CPU, that knows an element's size and nothing else of it; a room brings the tiles.
 */
#ifndef R2N_KERNELS_GEMM_WALK_H
#define R2N_KERNELS_GEMM_WALK_H

#include "kernels/kernels.h"

enum { R2N_TILE_LANES = 16, R2N_TILE_MAXIMUM_BLOCKS = 3, R2N_TILE_MAXIMUM_PIXELS = 32 };
/* Of a tile with a function of its own. */
enum { R2N_TILE_MAXIMUM_FUNCTION_PIXELS = 14 };

/* Some pixels of a run times some blocks of 16 channels. Pitches are in elements of the precision;
 * f32 tiles use an address by its plain name, other precisions by the one with `any`. */
typedef struct r2n_tile {
    union { /* the activation block */
        const float *block;
        const void *any_block;
    };
    const r2n_gemm_source *sources; /* [source_count] */
    int32_t source_count;
    int32_t image, row, column; /* of the first pixel */
    int32_t pixels, blocks;
    union { /* of the first block, k = 0 */
        const float *weights;
        const void *any_weights;
    };
    int64_t weights_pitch; /* elements from block to block */
    const float *bias;     /* of the first block */
    const float *scale;    /* int8: of the first block */
    union {                /* [pixel 0][first channel], or NULL for none */
        const float *residual;
        const void *any_residual;
    };
    union {
        float *output;
        void *any_output;
    };
    union { /* NULL for none */
        float *chain;
        void *any_chain;
    };
    int64_t residual_pitch, output_pitch, chain_pitch;
    int64_t residual_low_pitch, output_low_pitch, chain_low_pitch; /* bf16x3 */
    int32_t last_lanes; /* channels in the last block, 1 to 16 */
    int32_t relu;
    const r2n_epilogue *epilogue; /* for what is the same in every tile */
    void *room;                   /* the set's */
    const char *prefetch;         /* weights that a later tile will read: hints, never loads, for
                                     the R2N_TILE_PREFETCH_BYTES that begin here */
    int64_t prefetch_step;        /* bytes to go on by every R2N_TILE_STEP_BYTES of a block */
} r2n_tile;

/* Packed weights of a block that a tile multiplies with between two prefetches: four vectors of 16
 * lanes, which are 4, 8 or 16 k. What a source's channels leave over has no prefetch. */
enum { R2N_TILE_STEP_BYTES = 256, R2N_TILE_PREFETCH_BYTES = 128 };

typedef void r2n_tile_function(const r2n_tile *tile);

/* What a room brings. */
typedef struct r2n_tile_set {
    int32_t panel_blocks;     /* blocks of 16 channels to walk at once */
    int32_t narrow_remainder; /* some panels get one less then, else one more */
    int64_t cache_bytes;      /* second-level cache of a core */
    void *room;               /* the room's own, for its tiles */
    /* [blocks - 1]: pixels of the largest tile */
    int32_t pixels[R2N_TILE_MAXIMUM_BLOCKS];
    r2n_tile_function *any_tile; /* for tiles of every size, or NULL */
    /* [blocks - 1][pixels - 1] */
    r2n_tile_function *tiles[R2N_TILE_MAXIMUM_BLOCKS][R2N_TILE_MAXIMUM_FUNCTION_PIXELS];
} r2n_tile_set;

/* `element_bytes`: 1, 2 or 4, of an activation and of a weight. */
void r2n_gemm_walk(const r2n_tile_set *set, int32_t element_bytes, const r2n_gemm_arguments *gemm,
                   void *block, r2n_range range);
void r2n_gemm_f32_walk(const r2n_tile_set *set, const r2n_gemm_arguments *gemm, float *block,
                       r2n_range range);

#endif
