/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PaddleClas training configuration. spec: shared/spec/paddleclas.md 2.2 to 2.7.
 * Keys that PaddleClas has and that mean nothing here (device, num_workers' shared memory, ...) are
 * taken; keys that nobody knows are refused with the nearest name.
 */
#ifndef R2N_TRAIN_CONFIG_H
#define R2N_TRAIN_CONFIG_H

#include "model/catalogue.h"
#include "train/learning_rate.h"
#include "train/loader.h"
#include "train/loss.h"
#include "train/optimiser.h"

typedef struct r2n_data_config {
    char *list, *root, *delimiter; /* cls_label_path, image_root; strings NULL where absent */
    r2n_transforms *transforms;
    r2n_batch_transforms *batch_transforms; /* or NULL */
    int32_t batch;
    int drop_last, shuffle;
    int paddle_order; /* sampler name DistributedBatchSampler and Global.sampler_order: paddle */
    int balanced;     /* sampler: balanced True (ours) */
    int skip_bad;     /* dataset: on_bad_image: skip (ours); default stop */
    int32_t workers;
    int64_t cache_bytes; /* loader: cache_megabytes (ours) */
} r2n_data_config;

typedef struct r2n_train_config {
    /* Global */
    char *checkpoints;      /* prefix to resume from, or NULL */
    char *pretrained_model; /* with its ending, or NULL */
    char *output_dir;
    int32_t save_interval /* below 1: no epoch_N */, eval_interval, start_eval_epoch, epochs,
        print_batch_step, update_freq;
    int eval_during_train; /* 0 also where there is no DataLoader.Eval.dataset */
    int use_visualdl;
    int64_t seed;
    int32_t image_rows, image_columns; /* image_shape, or 0: of exports, no transform reads it */
    int freeze_stages; /* Global.freeze_stages (ours): the stem and so many stages; 0: nothing */
    int32_t stop_after_epoch;     /* Global.stop_after_epoch (ours): 0, none */
    int32_t stop_after_bad_steps; /* Global.stop_after_bad_steps (ours), 20 */
    int64_t save_iterations; /* Global.save_iterations (ours): `latest` every so many; 0: none */
    /* Arch */
    r2n_architecture architecture; /* with class_num */
    r2n_family family;             /* Arch.family (ours); default: the architecture's origin */
    char *arch_pretrained;         /* Arch.pretrained: a path, or NULL */
    int bf16; /* AMP section that is on, or --precision bf16 (set by the caller) */
    /* Loss, Optimizer, EMA */
    r2n_loss_options train_loss, eval_loss; /* class_weights: `class_weights` below */
    float *class_weights;
    r2n_optimiser_options optimiser;
    char **no_decay_names; /* substrings of Paddle's structured names, "conv1._batch_norm.weight" */
    int32_t no_decay_count;
    int no_decay_one_dimensional; /* only where PaddleClas would follow it */
    r2n_schedule schedule;        /* iterations are filled in by the loop */
    double ema_decay;             /* 0: none */
    /* DataLoader */
    r2n_data_config train, eval;
    char *eval_transforms_yaml; /* eval's transform_ops as res2net_load_options takes a `recipe`
                                   (JSON), or NULL */
    int count_train_metric;     /* Metric.Train has TopkAcc, and labels are hard */
} r2n_train_config;

/* INVALID_ARGUMENT with line and column for what cannot be, UNSUPPORTED for what PaddleClas would
 * do and this does not, and where this build lacks libyaml. On failure `out` is empty. */
res2net_status r2n_train_config_parse(const char *text, size_t size, const char *name,
                                      const char *const *overrides, size_t override_count,
                                      r2n_train_config *out, res2net_report *report);
void r2n_train_config_free(r2n_train_config *config);

/* "key.path: value  # default | file.yaml:12 | -o key.path=value", a line a value, every key that a
 * run uses (r2n_free). Parses again. */
char *r2n_train_config_print(const char *text, size_t size, const char *name,
                             const char *const *overrides, size_t override_count,
                             res2net_report *report);

#endif
