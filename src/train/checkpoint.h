/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run leaves behind and goes on from: PREFIX.pdparams, PREFIX.pdopt, PREFIX.pdstates, which
 * real Paddle loads, and PREFIX.r2n for predict. spec: shared/spec/paddleclas.md 2.8, 5.2.
 *
 * A save writes all files anew as PREFIX.new.*, gives those that are there a second name,
 * PREFIX.previous.*, and renames the new ones one by one, .pdstates last. .pdstates has the sizes
 * and hashes of the others: a set that a run was killed in the middle of is told by them, and the
 * one before it is used. Files of PaddleClas have none and are taken as they are.
 * docs/checkpoints.md
 */
#ifndef R2N_TRAIN_CHECKPOINT_H
#define R2N_TRAIN_CHECKPOINT_H

#include "train/learning_rate.h"
#include "weights/weights.h"

/* Where a run stands, beside its weights. Stored in .pdstates: "metric" and "epoch" as PaddleClas
 * has them, the rest under keys of ours that Paddle ignores. */
typedef struct r2n_run_state {
    int64_t epoch;      /* last one that was finished, from 1; 0: none */
    int64_t iteration;  /* in epoch + 1: batches done; 0 at an epoch's end */
    int64_t steps;      /* the schedule's iterations so far: optimiser steps, skipped ones too */
    double best_metric; /* top-1 so far, 0 to 1 */
    int64_t best_epoch;
    double last_rate; /* learning rate of the last iteration */
    uint64_t seed;
    int64_t skipped_steps, bad_streak; /* non-finite ones, and the latest run of them */
    double beta1_power, beta2_power; /* AdamW: r2n_optimiser_progress's; 1 before the first step */
    double epoch_loss; /* sum over this epoch's batches so far, for the log to go on */
    int has_ours;      /* 0: the file is PaddleClas' own, with metric and epoch alone */
} r2n_run_state;

/* Optimiser state, one set of tensors a kind of it, in canonical names and layout. */
typedef struct r2n_optimiser_state {
    const char *kind;              /* "velocity", "moment1", "moment2" */
    const r2n_tensor_set *tensors; /* trainable ones only */
} r2n_optimiser_state;

typedef struct r2n_checkpoint {
    const r2n_architecture *architecture;
    r2n_family family;
    const r2n_tensor_set *weights;  /* canonical, with running statistics */
    const r2n_tensor_set *averaged; /* EMA, or NULL: PREFIX.ema.pdparams, as release/2.5 */
    r2n_optimiser_state states[2];
    int state_count;
    const r2n_schedule *schedule; /* LR_Scheduler is its place after run.steps */
    double rate_factor;           /* all its rates are times this: 1 */
    r2n_run_state run;
} r2n_checkpoint;

/* `prefix`: "output/Res2Net50_26w_4s/latest". WRITE_FAILED leaves the old set as it was. A torch
 * family is written with the family key (keep_family). .r2n gets the weights' metadata. */
res2net_status r2n_checkpoint_write(const char *prefix, const r2n_checkpoint *checkpoint,
                                    res2net_report *report);

typedef struct r2n_loaded_checkpoint {
    r2n_architecture architecture;
    r2n_family family;
    r2n_tensor_set *weights;   /* canonical */
    r2n_tensor_set *averaged;  /* or NULL */
    r2n_tensor_set *states[2]; /* canonical names; NULL where absent */
    const char *kinds[2];      /* "velocity", or "moment1" and "moment2"; NULL where absent */
    double saved_rate;         /* LR_Scheduler's last_lr: of the next step */
    int64_t saved_last_epoch;  /* and last_epoch: its steps so far, of iterations or of epochs */
    r2n_run_state run;
} r2n_loaded_checkpoint;

/* Of ours or of Paddle's, whose run.steps are LR_Scheduler's. All or nothing; NOT_FOUND names the
 * missing one of the three files, DAMAGED the one that is not of the same save. A note says where
 * the save before the last one is taken. `architecture` may be NULL: what the weights are. */
res2net_status r2n_checkpoint_read(const char *prefix, const r2n_architecture *architecture,
                                   r2n_loaded_checkpoint *out, res2net_report *report);
void r2n_loaded_checkpoint_free(r2n_loaded_checkpoint *checkpoint);

#endif
