/* SPDX-License-Identifier: Apache-2.0 */
/* CELoss. spec: shared/spec/paddleclas.md 2.5. Everything in f32 with sums in double. */
#ifndef R2N_TRAIN_LOSS_H
#define R2N_TRAIN_LOSS_H

#include <stdint.h>

typedef struct r2n_loss_options {
    double epsilon; /* label smoothing; outside (0, 1): none */
    double weight;  /* of this loss: the gradient is multiplied by it, and so is `loss` */
    const float *class_weights; /* [classes], or NULL for none: a picture counts by its label's (of
                                   targets: by the sum of target times weight, as Paddle has it),
                                   and the mean divides by the sum of what all count */
} r2n_loss_options;

/* Mean over `images` rows of logits [images][classes]. Either labels (hard) or targets
 * [images][classes] (soft). gradient [images][classes] is d loss / d logits, or NULL. *correct, if
 * not NULL, gets the rows whose largest logit is the label (with targets: their largest entry). */
double r2n_cross_entropy(const r2n_loss_options *options, int32_t images, int32_t classes,
                         const float *logits, const int32_t *labels, const float *targets,
                         float *gradient, int64_t *correct);

#endif
