/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk over a winograd step that every vector ISA shares: a strip of tiles at a time goes
 * through input transform, products and output transform within the first caches. Plain code,
 * compiled for the plainest CPU; a room brings the transforms, and its gemm's tiles multiply.
 */
#ifndef R2N_KERNELS_WINOGRAD_WALK_H
#define R2N_KERNELS_WINOGRAD_WALK_H

#include "kernels/gemm_walk.h"

/* Tiles that follow each other in one row of the input. */
typedef struct r2n_winograd_input {
    const float *from; /* d0 of the first tile */
    int64_t pixel_pitch;
    int32_t pixels; /* to read from there on; those after them are 0 */
    int32_t tiles;
    int32_t channels;
    float *to; /* [point][tile][channels filled up with zeros to 16] */
    int64_t point_pitch, tile_pitch;
} r2n_winograd_input;

/* Tiles that follow each other in one row of the output. */
typedef struct r2n_winograd_output {
    const float *from; /* [point][tile][blocks * 16] sums */
    int64_t point_pitch, tile_pitch;
    const float *bias; /* [blocks * 16] */
    int32_t blocks, last_lanes;
    int32_t relu;
    int32_t pixels; /* to write */
    float *output;
    float *chain; /* NULL for none */
    int64_t output_pitch, chain_pitch;
} r2n_winograd_output;

typedef struct r2n_winograd_set {
    const r2n_tile_set *gemm; /* f32 */
    void (*transform)(const r2n_winograd_input *row);
    void (*finish)(const r2n_winograd_output *row);
} r2n_winograd_set;

/* The rooms' tiles, of their gemm.c. */
extern const r2n_tile_set r2n_gemm_f32_avx512_tiles, r2n_gemm_f32_avx2_tiles;

void r2n_winograd_f32_walk(const r2n_winograd_set *set, const r2n_winograd_arguments *winograd,
                           float *block, r2n_range range);
/* Why the walk cannot take it: too many input channels for its scratch; else NULL. */
const char *r2n_winograd_f32_walk_accepts(const void *arguments);

#endif
