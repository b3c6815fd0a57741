/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of pools and elementwise steps that every vector ISA shares: rows, columns, and runs of
 * channels that lie side by side in all views. Plain code, compiled for the plainest CPU; a room
 * brings what happens to a run.
 */
#ifndef R2N_KERNELS_CHANNEL_WALK_H
#define R2N_KERNELS_CHANNEL_WALK_H

#include "kernels/kernels.h"

/* Pitches are in elements of the precision; f32 uses an address by its plain name, other precisions
 * by the one with `any`. `element_bytes`: 1, 2 or 4, of an activation. */

/* One output pixel of a pool: the cells of its window that are inside the picture. */
typedef struct r2n_pool_window {
    union { /* the first cell's first channel of the run */
        const float *from;
        const void *any_from;
    };
    union {
        float *to;
        void *any_to;
    };
    int32_t rows, columns; /* cells, at least one */
    int64_t row_pitch, pixel_pitch;
    int64_t from_low_pitch, to_low_pitch; /* bf16x3 */
    int32_t channels;                     /* of the run */
    float factor;                         /* an average's 1 / count, in int8 scale / count */
} r2n_pool_window;

typedef void r2n_window_function(const r2n_pool_window *window);

void r2n_pool_walk(int32_t element_bytes, r2n_window_function *maximum,
                   r2n_window_function *average, const r2n_pool_arguments *pool, void *block,
                   r2n_range range);
void r2n_pool_f32_walk(r2n_window_function *maximum, r2n_window_function *average,
                       const r2n_pool_arguments *pool, float *block, r2n_range range);

/* A row of pixels of an elementwise step, one run of channels of each. */
typedef struct r2n_elementwise_row {
    union {
        const float *a;
        const void *any_a;
    };
    union { /* NULL for none */
        const float *b;
        const void *any_b;
    };
    union {
        float *output;
        void *any_output;
    };
    const float *scale, *shift; /* [channels], NULL for 1 and 0 */
    int64_t a_pitch, b_pitch, output_pitch;
    int32_t columns;
    int32_t channels;
    int32_t relu;
} r2n_elementwise_row;

typedef void r2n_elementwise_function(const r2n_elementwise_row *row);

void r2n_elementwise_walk(int32_t element_bytes, r2n_elementwise_function *function,
                          const r2n_elementwise_arguments *step, void *block, r2n_range range);

#endif
