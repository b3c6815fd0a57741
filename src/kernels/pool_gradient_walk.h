/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of a pool's gradient that every vector ISA shares: windows in rising order, and runs of
 * channels that lie side by side in all views. Plain code, compiled for the plainest CPU; a room
 * brings what happens to a run of a window.
 */
#ifndef R2N_KERNELS_POOL_GRADIENT_WALK_H
#define R2N_KERNELS_POOL_GRADIENT_WALK_H

#include "kernels/kernels.h"

/* One window of the picture, those of its cells that are inside; its gradient is added to them. */
typedef struct r2n_pool_gradient_window {
    const float *gradient; /* the window's */
    const float *input;    /* of the first cell: maxima */
    float *to;             /* likewise */
    int32_t rows, columns; /* cells, at least one */
    int64_t input_row_pitch, input_pixel_pitch;
    int64_t to_row_pitch, to_pixel_pitch;
    int32_t channels; /* of the run */
    float factor;     /* an average's 1 / count */
} r2n_pool_gradient_window;

typedef void r2n_pool_gradient_function(const r2n_pool_gradient_window *window);

void r2n_pool_gradient_f32_walk(r2n_pool_gradient_function *maximum,
                                r2n_pool_gradient_function *average,
                                const r2n_pool_gradient_arguments *arguments, float *block,
                                r2n_range range);

#endif
