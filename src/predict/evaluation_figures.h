/* SPDX-License-Identifier: Apache-2.0 */
/* LOGITS AND LABELS -> COUNTS -> FIGURES of an evaluation: precision, recall, F1, calibration. */
#ifndef R2N_PREDICT_EVALUATION_FIGURES_H
#define R2N_PREDICT_EVALUATION_FIGURES_H

#include "res2net/evaluate.h"

/* What the logits of one picture say. */
typedef struct r2n_answer {
    int32_t answer;                      /* the largest logit; the first of equal ones */
    int32_t better;                      /* how many classes come before the label */
    double confidence, label_confidence; /* the softmax of both */
    double loss;                         /* cross entropy, natural logarithm */
} r2n_answer;

r2n_answer r2n_answer_of(const float *logits, int32_t classes, int32_t label);

/* Counts a picture that ran. Until they are finished, the bins hold sums of confidences. */
void r2n_figures_count(res2net_evaluation *evaluation, int32_t label, const r2n_answer *answer);

/* All that follows from the counts. Once, after the last picture. */
void r2n_figures_finish(res2net_evaluation *evaluation);

#endif
