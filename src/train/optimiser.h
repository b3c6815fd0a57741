/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Momentum, SGD, AdamW over one block of parameters. spec: shared/spec/paddleclas.md 2.4.
 *
 * Blocks are padded: every tensor begins at a multiple of 16 floats and what fills it up is zero in
 * parameters, gradients and state, and stays zero.
 */
#ifndef R2N_TRAIN_OPTIMISER_H
#define R2N_TRAIN_OPTIMISER_H

#include "base/report.h"

typedef enum r2n_optimiser_kind {
    R2N_OPTIMISER_SGD,
    R2N_OPTIMISER_MOMENTUM,
    R2N_OPTIMISER_ADAMW
} r2n_optimiser_kind;

typedef struct r2n_optimiser_options {
    r2n_optimiser_kind kind;
    double momentum;
    int nesterov;
    double decay; /* SGD, momentum: L2, added to the gradient before all else; AdamW: decoupled */
    double l1;    /* L1: l1 * sign(p) added to the gradient */
    double beta1, beta2, epsilon; /* AdamW */
    double clip_norm; /* each tensor's gradient norm, before decay; 0: none (ClipGradByNorm) */
    double clip_global_norm; /* of all together; 0: none */
    double clip_value;       /* each entry; 0: none */
} r2n_optimiser_options;

/* One trainable tensor in the blocks. */
typedef struct r2n_parameter_range {
    int64_t first, count; /* floats, with padding */
    int decays;           /* 0: decay does not touch it */
    int frozen;           /* left alone */
} r2n_parameter_range;

enum { R2N_OPTIMISER_STATES = 2 }; /* blocks as large as the parameters that a kind may need */
/* How many of them it needs: SGD 0, momentum 1 (velocity), AdamW 2 (moment1, moment2). */
int r2n_optimiser_states(r2n_optimiser_kind kind);

/* What an optimiser remembers beside its blocks: AdamW's powers of beta that the next step takes,
 * beta^(steps + 1) rounded to f32, as Paddle keeps them. The first step sets them itself, that is
 * where `steps` is 0 or beta1_power is 1 (all steps so far were left out). */
typedef struct r2n_optimiser_progress {
    int64_t steps;
    double beta1_power, beta2_power;
} r2n_optimiser_progress;

/* One step, by `threads` threads (0: all); results do not depend on their number. Gradients are
 * overwritten. Where a gradient is not finite nothing is changed and 0 comes back, else 1. */
int r2n_optimiser_step(const r2n_optimiser_options *options, const r2n_parameter_range *ranges,
                       size_t range_count, double rate, r2n_optimiser_progress *progress,
                       float *parameters, float *gradients, float *const *states, int threads);

/* average = decay * average + (1 - decay) * values, float by float. */
void r2n_average_update(double decay, float *average, const float *values, int64_t count,
                        int threads);

#endif
