/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Training from a PaddleClas configuration: from first weights, from others' weights, or on from
 * where a run stopped. docs/training.md has the rules, docs/configuration.md the keys.
 */
#ifndef RES2NET_TRAIN_H
#define RES2NET_TRAIN_H

#include "res2net/evaluate.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct res2net_train_moment {
    int64_t epoch, epochs;         /* epoch from 1 */
    int64_t iteration, iterations; /* batches done of this epoch */
    double loss;                   /* average of this epoch so far */
    double images_per_second, seconds_left;
    int evaluates; /* 1: these are pictures of the epoch's evaluation, iteration of iterations */
} res2net_train_moment;

/* All zero is the default. Strings are read during the call only. */
typedef struct res2net_train_options {
    const char *const *overrides; /* PaddleClas' -o: "Global.epochs=10" */
    size_t override_count;
    const char *precision; /* NULL: what the configuration says; "f32" */
    const char *isa;       /* a ceiling, as for a session */
    int threads;           /* 0: RES2NET_THREADS, else what affinity and cgroup allow */
    int override_rate;     /* on resume the saved learning rate wins; 1: the configuration's does */
    /* Each may be NULL. `line`: what goes into train.log too. `progress`: after every batch;
     * anything but 0 ends the run after a save, with INTERRUPTED. */
    void (*line)(void *context, const char *text);
    int (*progress)(void *context, const res2net_train_moment *moment);
    void *context;
} res2net_train_options;

typedef struct res2net_training {
    char folder[1024]; /* where everything is: output_dir/Arch.name */
    int64_t epochs;    /* finished, earlier runs' too */
    int64_t steps;
    double train_loss; /* of the last epoch */
    double best_top1;  /* 0 to 1; -1 where nothing was evaluated */
    int64_t best_epoch;
    int64_t skipped_steps;    /* whose gradients were not finite */
    int64_t left_out;         /* pictures that could not be read, each time they were due */
    double seconds;           /* of this call */
    double images_per_second; /* of training alone */
} res2net_training;

/* Runs the configuration in the file `config`. INVALID_ARGUMENT and UNSUPPORTED name line and
 * column; BAD_LIST, NOT_FOUND, BAD_PICTURE tell of the data, NOT_FINITE that step after step gave
 * no numbers, INTERRUPTED that `progress` said so: `latest` is then saved. WRITE_FAILED leaves the
 * save before it whole. */
RES2NET_API res2net_status res2net_train(const char *config, const res2net_train_options *options,
                                         res2net_training *out, res2net_report *report);

/* What a run would be. Nothing is written; a step is tried for its time. */
typedef struct res2net_train_plan {
    char architecture[96];
    res2net_family family;
    int32_t classes, batch, rows, columns;
    int64_t parameters;
    int64_t train_pictures, eval_pictures; /* 0 without an evaluation */
    int64_t epochs, iterations;            /* iterations of an epoch */
    int64_t activation_bytes, parameter_bytes, gradient_bytes, state_bytes;
    double step_seconds;   /* measured, without reading pictures; 0 where memory does not suffice */
    double seconds;        /* of all epochs, from that, without evaluations */
    char transforms[1024]; /* for people */
} res2net_train_plan;
RES2NET_API res2net_status res2net_train_describe(const char *config,
                                                  const res2net_train_options *options,
                                                  res2net_train_plan *out, res2net_report *report);

/* Every value that a run would use, a line each, with where it comes from: a string that is the
 * caller's, `res2net_text_free`. */
RES2NET_API res2net_status res2net_train_print(const char *config,
                                               const res2net_train_options *options, char **text,
                                               res2net_report *report);
RES2NET_API void res2net_text_free(char *text);

#ifdef __cplusplus
}
#endif
#endif
