/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was written, read back and compared with what it was written from, while it still has its
 * temporary name. shared/spec/users.md A5: that the exported model gives what evaluation gave is
 * what users miss most.
 */
#ifndef R2N_EXPORT_CHECK_H
#define R2N_EXPORT_CHECK_H

#include "export/export.h"
#include "plan/plan.h"

typedef struct r2n_export_expectation {
    const r2n_export_model *model;
    int32_t softmax; /* the file's last step */
    /* The largest difference between two logits, as a part of the largest logit. 0: every tensor
     * has the bytes of the model's, and nothing is run. */
    float tolerance;
    const char *target; /* the name that users know, for messages */
    /* Of an int8 file: the plan that it was written from; else NULL. What was read back then has to
     * have its scales and levels, and runs in int8 too. */
    const r2n_plan *int8;
} r2n_export_expectation;

/* `file` is what r2n_import takes. MISMATCH where architecture, family, last step, tensors or
 * logits differ; NOT_FINITE where the model itself has no finite answer; r2n_import's own errors
 * where the file cannot be read back; OUT_OF_MEMORY. The caller removes the file on failure. */
res2net_status r2n_export_check(const r2n_export_expectation *expected, const char *file,
                                res2net_report *report);

#endif
