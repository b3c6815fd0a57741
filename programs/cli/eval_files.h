/* SPDX-License-Identifier: Apache-2.0 */
/* The files of `eval --report`: a writer each. */
#ifndef CLI_EVAL_FILES_H
#define CLI_EVAL_FILES_H

#include <stdio.h>

#include "res2net/res2net.h"

typedef struct eval_result {
    const res2net_model *model;
    const res2net_evaluation *found;
    const char *folder; /* where the files go */
} eval_result;

/* eval_tables.c */
void eval_write_classes(FILE *out, const eval_result *result);
void eval_write_confusion(FILE *out, const eval_result *result); /* needs a matrix */
void eval_write_pairs(FILE *out, const eval_result *result);     /* likewise */

/* eval_confusion_chart.c: a square a pair of classes, with its numbers as tooltips. */
enum { EVAL_CHART_CLASSES = 1024 }; /* at most; it needs a matrix */
void eval_draw_confusion(FILE *out, const eval_result *result);

/* eval_calibration_chart.c: the share that is right against confidence. */
void eval_draw_calibration(FILE *out, const eval_result *result);

/* eval_worst_page.c: the pictures of the highest loss. Files are linked relative to the folder,
 * CIFAR records are in the page. */
void eval_write_worst_page(FILE *out, const eval_result *result);

#endif
