/* SPDX-License-Identifier: Apache-2.0 */
/* A set's pictures, prepared as predict prepares them, in groups of one size. */
#ifndef R2N_QUANTIZE_PICTURES_H
#define R2N_QUANTIZE_PICTURES_H

#include "data/dataset.h"
#include "predict/session.h"
#include "res2net/quantize.h"

/* Pictures that run together. */
typedef struct r2n_picture_group {
    const float *input;    /* [count][3][rows][columns] */
    const int32_t *labels; /* [count]; -1 where the set has none */
    int32_t count, rows, columns;
} r2n_picture_group;

typedef res2net_status r2n_group_work(void *context, const r2n_picture_group *group,
                                      res2net_report *report);

typedef struct r2n_picture_run {
    const res2net_session *session; /* prepares */
    const r2n_dataset *dataset;
    size_t samples; /* spread evenly over the set; 0, or more than there are: all */
    int32_t batch;
    int stop_on_bad; /* an unreadable picture ends the run; else it is counted and left out */
    res2net_progress *progress;
    void *progress_context;
    int64_t done_before, total; /* what progress is told besides */
    r2n_group_work *work;
    void *context;
} r2n_picture_run;

/* How many pictures a run goes through. */
size_t r2n_picture_run_count(const r2n_picture_run *run);
/* Goes through them in the set's order. Problems with pictures are told in the report. */
res2net_status r2n_picture_run_all(const r2n_picture_run *run, int64_t *skipped,
                                   res2net_report *report);

#endif
