/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef R2N_QUANTIZE_QUANTIZE_H
#define R2N_QUANTIZE_QUANTIZE_H

#include "quantize/pictures.h"

/* ---- calibrate.c: what every value that int8 stores is like ---- */

typedef struct r2n_calibration r2n_calibration;

/* `session` is one of f32. */
res2net_status r2n_calibration_create(res2net_session *session, r2n_calibration **out,
                                      res2net_report *report);
void r2n_calibration_destroy(r2n_calibration *calibration); /* NULL is allowed */
/* An r2n_group_work: runs the pictures and looks at their values. */
res2net_status r2n_calibration_see(void *calibration, const r2n_picture_group *group,
                                   res2net_report *report);
/* The scales, one a node of the graph, 0 where a node has none: [count], the caller's (r2n_free);
 * NULL without memory. */
float *r2n_calibration_scales(const r2n_calibration *calibration, int32_t *count);

/* ---- contrast.c: two sessions of one model on the same pictures ---- */

/* Sums of squares. */
typedef struct r2n_energy {
    double signal, noise;
} r2n_energy;

typedef struct r2n_contrast {
    res2net_session *sessions[2];
    res2net_comparison *out; /* counts so far */
    r2n_energy *steps;       /* one a step of the plans, or NULL: whole runs */
    r2n_energy scores;
    double loss[2]; /* sums */
    double largest_score, largest_difference;
    int32_t node;     /* being compared */
    float *values;    /* two rows a thread */
    r2n_energy *rows; /* one a row of the node */
    float *logits[2];
    size_t value_capacity, row_capacity, logit_capacity[2];
} r2n_contrast;

/* Begins with a cleared comparison; `steps` is NULL or cleared, and the caller's. */
r2n_contrast r2n_contrast_begin(res2net_session *first, res2net_session *second, r2n_energy *steps,
                                res2net_comparison *out);
/* An r2n_group_work. */
res2net_status r2n_contrast_see(void *contrast, const r2n_picture_group *group,
                                res2net_report *report);
/* Completes the comparison and gives memory back. */
void r2n_contrast_end(r2n_contrast *contrast);
/* In decibels; infinite without noise. */
double r2n_decibels(r2n_energy energy);

#endif
