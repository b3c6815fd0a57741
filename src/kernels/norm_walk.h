/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of batch statistics and of batch norm backwards that every vector ISA shares: parts,
 * rows, and runs of channels that lie side by side in all views. Plain code, compiled for the
 * plainest CPU; a room brings what happens to a run of a row.
 */
#ifndef R2N_KERNELS_NORM_WALK_H
#define R2N_KERNELS_NORM_WALK_H

#include "kernels/kernels.h"

/* A row of pixels, one run of channels of each; its sums are added to `sums` and `squares`. */
typedef struct r2n_statistics_row {
    const float *input;
    int64_t pitch;
    int32_t columns, channels;
    double *sums, *squares; /* [channels]; no squares: NULL */
} r2n_statistics_row;

typedef void r2n_statistics_function(const r2n_statistics_row *row);

void r2n_statistics_f32_walk(r2n_statistics_function *function,
                             const r2n_statistics_arguments *arguments, const float *block,
                             r2n_range range);

typedef struct r2n_norm_sums_row {
    float *gradient;
    const float *input;
    const float *result; /* R2N_MASK_OF_RESULT */
    int64_t gradient_pitch, input_pitch, result_pitch;
    int32_t columns, channels;
    int32_t mask;
    const float *scale, *shift; /* [channels]: R2N_MASK_OF_INPUT */
    const float *mean;
    double *sums, *products;
} r2n_norm_sums_row;

typedef void r2n_norm_sums_function(const r2n_norm_sums_row *row);

void r2n_norm_sums_f32_walk(r2n_norm_sums_function *function,
                            const r2n_norm_sums_arguments *arguments, float *block,
                            r2n_range range);

typedef struct r2n_norm_gradient_row {
    const float *gradient, *input;
    float *output; /* may be the gradient */
    int64_t gradient_pitch, input_pitch, output_pitch;
    int32_t columns, channels;
    int32_t mask;
    const float *scale, *shift; /* [channels]: R2N_MASK_OF_INPUT */
    const float *mean, *by_gradient, *by_input, *constant;
} r2n_norm_gradient_row;

typedef void r2n_norm_gradient_function(const r2n_norm_gradient_row *row);

void r2n_norm_gradient_f32_walk(r2n_norm_gradient_function *function,
                                const r2n_norm_gradient_arguments *arguments, float *block,
                                r2n_range range);

#endif
