/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8: what a level of every stored value is worth, chosen over a set of pictures.
 *
 *     res2net_quantization found;
 *     if (res2net_quantize(model, NULL, "list.txt", NULL, &found, report) == RES2NET_OK) {
 *         res2net_model_save(model, "net.r2n", NULL, report);
 *         res2net_quantization_free(&found);
 *     }
 *
 * Sessions of precision "int8" then run the model, and files saved from it keep what was chosen.
 */
#ifndef RES2NET_QUANTIZE_H
#define RES2NET_QUANTIZE_H

#include "res2net/evaluate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* All zero is the default. */
typedef struct res2net_quantize_options {
    const char *root, *delimiter; /* as for an evaluation */
    int32_t samples;              /* pictures taken, spread evenly over the list; 0: all of them */
    int32_t batch;                /* 0: 16 */
    res2net_on_bad_image on_bad_image; /* WRONG is as SKIP */
    res2net_progress *progress;        /* or NULL; total counts every pass over the pictures */
    void *progress_context;
} res2net_quantize_options;

/* The answers of two sessions to the same pictures. */
typedef struct res2net_comparison {
    int64_t images, skipped;
    int64_t labelled; /* of the images: with a label. The counts below are of these, 0 is the first
                         session and 1 the second */
    int64_t top1_correct[2], top5_correct[2];
    double loss[2];            /* mean cross entropy of the labelled images; 0 without any */
    int64_t same_answer;       /* images whose best class is the same */
    double signal_to_noise;    /* decibels: the first session's scores to the difference; infinite
                                  where there is none */
    double largest_difference; /* between two scores of one class, by the largest score */
} res2net_comparison;

typedef struct res2net_quantized_step {
    const char *name;       /* of the plan's step; lives as long as the model */
    double signal_to_noise; /* decibels: what f32 stores to its difference from what int8 stores,
                               all pictures; infinite where there is no difference */
} res2net_quantized_step;

typedef struct res2net_quantization {
    res2net_comparison pictures; /* f32 and int8, on the pictures of the calibration */
    size_t step_count;
    res2net_quantized_step *steps; /* in running order; the last one is the scores */
    double seconds;
} res2net_quantization;

/* Calibrates `model` for int8 in place of what it may be calibrated for already: runs the list's
 * pictures in f32, as a session of `session` would prepare them (NULL: the defaults; its precision
 * is not read), chooses the scales, then runs them in f32 and int8 step by step.
 *
 * Lines of the list may be paths without a label (`pictures.labelled` is then 0). The same list
 * gives the same scales for any batch and number of threads, and on every ISA but "reference",
 * whose f32 rounds otherwise. Sessions of the model in int8 must be gone before, and no
 * other thread may use the model or its sessions during the call.
 *
 * `out` is the caller's: `res2net_quantization_free`. On failure the model is as it was:
 * as of res2net_evaluate, and UNSUPPORTED for a network that cannot run in int8; NOT_FINITE where a
 * step gives numbers that are none. */
RES2NET_API res2net_status res2net_quantize(res2net_model *model,
                                            const res2net_session_options *session,
                                            const char *list,
                                            const res2net_quantize_options *options,
                                            res2net_quantization *out, res2net_report *report);
RES2NET_API void res2net_quantization_free(res2net_quantization *quantization);

/* Runs two sessions of one model over a list, as prepared by the first: what another precision
 * changes. Labels are needed. Fails as res2net_evaluate does. */
RES2NET_API res2net_status res2net_compare(res2net_session *first, res2net_session *second,
                                           const char *list,
                                           const res2net_quantize_options *options,
                                           res2net_comparison *out, res2net_report *report);

#ifdef __cplusplus
}
#endif
#endif
