/* SPDX-License-Identifier: Apache-2.0 */
/* The insides of a session, for the files of this room. */
#ifndef R2N_PREDICT_SESSION_H
#define R2N_PREDICT_SESSION_H

#include "data/dataset.h"
#include "predict/model.h"
#include "res2net/session.h"

struct res2net_session {
    const res2net_model *model;
    const r2n_plan *plan;
    r2n_precision precision;
    r2n_isa isa;
    int threads; /* as asked for: 0 means all */
    r2n_recipe recipe;
    int has_recipe;
    r2n_image_options pictures; /* how they are decoded */
    r2n_placement *placement;   /* of the last batch and size */
    int32_t batch, rows, columns;
    float *block;
    int64_t block_bytes;
};

/* The caller's ceiling (NULL: none), else the environment's; both are held to the same rules. */
res2net_status r2n_session_choose_isa(const char *name, r2n_isa *isa, res2net_report *report);

/* Makes placement and block fit; keeps them when they do. */
res2net_status r2n_session_fit(res2net_session *session, int32_t batch, int32_t rows,
                               int32_t columns, res2net_report *report);

/* prepare.c: the defaults, with what the caller of the library says of limits and cut off files.
 * INVALID_ARGUMENT. */
res2net_status r2n_picture_options(int64_t maximum_pixels, int truncated, r2n_image_options *out,
                                   res2net_report *report);

/* prepare.c: RGB pixels (owned by the caller) through the recipe into a tensor. */
res2net_status r2n_session_prepare_pixels(const res2net_session *session, const r2n_pixels *pixels,
                                          const char *name, res2net_tensor *out,
                                          res2net_report *report);

/* The same of a CIFAR record. */
res2net_status r2n_session_prepare_record(const res2net_session *session,
                                          const r2n_dataset *dataset, size_t index,
                                          const char *name, res2net_tensor *out,
                                          res2net_report *report);

#endif
