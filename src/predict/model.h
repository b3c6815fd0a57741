/* SPDX-License-Identifier: Apache-2.0 */
/* The insides of a model, for the files of this room. */
#ifndef R2N_PREDICT_MODEL_H
#define R2N_PREDICT_MODEL_H

#include <pthread.h>

#include "image/image.h"
#include "plan/plan.h"
#include "res2net/model.h"
#include "weights/weights.h"

/* Plans made so far, one a precision and ISA ceiling: shared by the sessions, made under the lock.
 */
typedef struct r2n_plan_cache {
    pthread_mutex_t lock;
    r2n_plan *plans[R2N_PRECISION_COUNT][R2N_ISA_COUNT];
} r2n_plan_cache;

struct res2net_model {
    r2n_architecture architecture;
    r2n_family family;
    r2n_graph *graph;
    r2n_tensor_set *weights; /* canonical */
    r2n_recipe recipe;
    int has_recipe;
    char *label_text; /* names, each ended by NUL, in class order */
    const char **labels;
    int32_t label_count; /* 0 or the class count */
    r2n_plan_cache *cache;
};

/* The plan for a precision and an ISA ceiling (mode inference); made on first use. */
res2net_status r2n_model_plan(const res2net_model *model, r2n_precision precision, r2n_isa isa,
                              const r2n_plan **out, res2net_report *report);

/* How pictures are prepared for it: its own recipe, or that of its family. 0: nobody knows (the
 * small nets have no usual one). */
int r2n_model_recipe(const res2net_model *model, r2n_recipe *out);

/* Gives the model a calibration for int8 ([*count] scales, r2n_allocate) and the caller the one it
 * had (NULL, 0 for none). No session of it in int8 may be left. */
void r2n_model_exchange_scales(res2net_model *model, float **scales, int32_t *count);

/* From a set that was made in memory, which is taken over, also on failure. */
res2net_status r2n_model_from_set(r2n_tensor_set *set, const char *name,
                                  const res2net_load_options *options, res2net_model **out,
                                  res2net_report *report);

/* model_labels.c: the names of all classes from a label file, a text of one name a line, or, for
 * 1000 classes, the built-in ImageNet names. `file` and `text` may be NULL. */
res2net_status r2n_model_set_labels(res2net_model *model, const char *file, const char *text,
                                    res2net_report *report);

#endif
