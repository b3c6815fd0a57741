/* SPDX-License-Identifier: Apache-2.0 */
/* A run and its parts. Only for loop.c, start.c, save.c and train.c. */
#ifndef R2N_TRAIN_LOOP_H
#define R2N_TRAIN_LOOP_H

#include "res2net/train.h"
#include "train/checkpoint.h"
#include "train/config.h"
#include "train/network.h"
#include "train/records.h"

typedef struct r2n_training_run {
    const res2net_train_options *options;
    r2n_train_config config;
    res2net_report *report;
    char folder[1024];
    r2n_graph *graph;
    r2n_network *network;
    r2n_dataset *train, *eval; /* eval: for its number of pictures; NULL without evaluations */
    r2n_loader *loader;
    int64_t iterations; /* batches of an epoch that are used: a multiple of update_freq */
    char *labels;       /* class names, a line each, or NULL */

    r2n_parameter_range *ranges; /* trainable tensors */
    size_t range_count;
    float *states[R2N_OPTIMISER_STATES];
    float *averaged, *averaged_statistics; /* EMA, or NULL */
    float *accumulated;                    /* gradients of the batches of one step, or NULL */
    float *logits, *logit_gradients;       /* of a batch */
    r2n_optimiser_progress progress;
    r2n_run_state state;
    double rate_factor; /* saved rate to the configuration's */
    char notice[1024];  /* what loading has to say, for the log that is opened afterwards */

    r2n_records *records;
    double epoch_seconds;    /* of this process in this epoch, training alone */
    double evaluation_start; /* r2n_seconds() */
    int64_t epoch_images;
    double train_seconds;
    int64_t train_images;
    double train_loss;
} r2n_training_run;

/* start.c: from a configuration to a run that can begin. `quiet`: nothing is written (dry run). */
res2net_status r2n_run_open_data(r2n_training_run *run);
res2net_status r2n_run_make_network(r2n_training_run *run);
res2net_status r2n_run_load_weights(r2n_training_run *run);
void r2n_run_close(r2n_training_run *run);

/* save.c */
/* "velocity", "moment1", "moment2". */
const char *r2n_run_state_name(r2n_optimiser_kind kind, int state);
/* "latest", "best_model", "epoch_3" in the run's folder. */
res2net_status r2n_run_save(r2n_training_run *run, const char *name);
/* The state of the network, or its average, over the evaluation set. */
res2net_status r2n_run_evaluate(r2n_training_run *run, int averaged, res2net_evaluation *out);

/* loop.c: all epochs that are left. */
res2net_status r2n_run_epochs(r2n_training_run *run);

#endif
