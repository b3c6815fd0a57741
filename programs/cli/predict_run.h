/* SPDX-License-Identifier: Apache-2.0 */
/* The work of `predict`: inputs in order, batches of equal size, results in the inputs' order. */
#ifndef CLI_PREDICT_RUN_H
#define CLI_PREDICT_RUN_H

#include "inputs.h"
#include "res2net/res2net.h"

typedef struct predict_settings {
    const char *format;
    int32_t topk;
    int32_t batch;
    int threads; /* 0: all */
    int skip_bad;
    const char *input_npy;   /* or NULL */
    const char *dump_input;  /* or NULL */
    const char *dump_logits; /* or NULL */
} predict_settings;

/* The exit status of the verb. */
int predict_run(const predict_settings *settings, const res2net_model *model,
                res2net_session *session, const inputs *all);

#endif
