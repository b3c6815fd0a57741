/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of a pool's gradient that every vector ISA shares: windows in rising order, and runs of
 * channels that lie side by side in all views. Plain code, compiled for the plainest CPU, that
 * knows an element's size and nothing else of it; a room brings what happens to a run of a window.
 */
#ifndef R2N_KERNELS_POOL_GRADIENT_WALK_H
#define R2N_KERNELS_POOL_GRADIENT_WALK_H

#include "kernels/kernels.h"

/* One window of the picture, those of its cells that are inside; its gradient is added to them.
 * Pitches are in elements of the precision; f32 uses an address by its plain name, bf16 by the one
 * with `any`. */
typedef struct r2n_pool_gradient_window {
    union { /* the window's */
        const float *gradient;
        const void *any_gradient;
    };
    union { /* of the first cell: maxima */
        const float *input;
        const void *any_input;
    };
    union { /* likewise */
        float *to;
        void *any_to;
    };
    int32_t rows, columns; /* cells, at least one */
    int64_t input_row_pitch, input_pixel_pitch;
    int64_t to_row_pitch, to_pixel_pitch;
    int32_t channels; /* of the run */
    float factor;     /* an average's 1 / count */
} r2n_pool_gradient_window;

typedef void r2n_pool_gradient_function(const r2n_pool_gradient_window *window);

/* `element_bytes`: 4 or 2. */
void r2n_pool_gradient_walk(int32_t element_bytes, r2n_pool_gradient_function *maximum,
                            r2n_pool_gradient_function *average,
                            const r2n_pool_gradient_arguments *arguments, void *block,
                            r2n_range range);

#endif
