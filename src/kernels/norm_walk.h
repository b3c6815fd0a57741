/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of batch statistics and of batch norm backwards that every vector ISA shares: parts,
 * rows, and runs of channels that lie side by side in all views. Plain code, compiled for the
 * plainest CPU, that knows an element's size and nothing else of it; a room brings what happens to
 * a run of a row. Pitches are in elements of the precision; f32 uses an address by its plain name,
 * bf16 by the one with `any`. `element_bytes`: 4 or 2.
 */
#ifndef R2N_KERNELS_NORM_WALK_H
#define R2N_KERNELS_NORM_WALK_H

#include "kernels/kernels.h"

/* A row of pixels, one run of channels of each; its sums are added to `sums` and `squares`. */
typedef struct r2n_statistics_row {
    union {
        const float *input;
        const void *any_input;
    };
    int64_t pitch;
    int32_t columns, channels;
    double *sums, *squares; /* [channels]; no squares: NULL */
} r2n_statistics_row;

typedef void r2n_statistics_function(const r2n_statistics_row *row);

void r2n_statistics_walk(int32_t element_bytes, r2n_statistics_function *function,
                         const r2n_statistics_arguments *arguments, const void *block,
                         r2n_range range);

typedef struct r2n_norm_sums_row {
    union {
        float *gradient;
        void *any_gradient;
    };
    union {
        const float *input;
        const void *any_input;
    };
    union { /* R2N_MASK_OF_RESULT */
        const float *result;
        const void *any_result;
    };
    int64_t gradient_pitch, input_pitch, result_pitch;
    int32_t columns, channels;
    int32_t mask;
    const float *scale, *shift; /* [channels]: R2N_MASK_OF_INPUT */
    const float *mean;
    double *sums, *products;
} r2n_norm_sums_row;

typedef void r2n_norm_sums_function(const r2n_norm_sums_row *row);

void r2n_norm_sums_walk(int32_t element_bytes, r2n_norm_sums_function *function,
                        const r2n_norm_sums_arguments *arguments, void *block, r2n_range range);

typedef struct r2n_norm_gradient_row {
    union {
        const float *gradient;
        const void *any_gradient;
    };
    union {
        const float *input;
        const void *any_input;
    };
    union { /* may be the gradient */
        float *output;
        void *any_output;
    };
    int64_t gradient_pitch, input_pitch, output_pitch;
    int32_t columns, channels;
    int32_t mask;
    const float *scale, *shift; /* [channels]: R2N_MASK_OF_INPUT */
    const float *mean, *by_gradient, *by_input, *constant;
} r2n_norm_gradient_row;

typedef void r2n_norm_gradient_function(const r2n_norm_gradient_row *row);

void r2n_norm_gradient_walk(int32_t element_bytes, r2n_norm_gradient_function *function,
                            const r2n_norm_gradient_arguments *arguments, void *block,
                            r2n_range range);

#endif
