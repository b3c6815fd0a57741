/* SPDX-License-Identifier: Apache-2.0 */
/* Which picture has which place in an epoch, and where its batches begin. docs/data-loading.md */
#ifndef R2N_TRAIN_ORDER_H
#define R2N_TRAIN_ORDER_H

#include "train/loader.h"

/* Places of every epoch: as many as pictures, or more where classes are balanced. All labels must
 * be in [0, options->classes). */
res2net_status r2n_order_length(const r2n_dataset *dataset, const r2n_loader_options *options,
                                int64_t *length, res2net_report *report);

/* order[place] = number of the picture in the set; the same for the same (seed, epoch). */
res2net_status r2n_order_make(const r2n_dataset *dataset, const r2n_loader_options *options,
                              int64_t epoch, int64_t length, int64_t *order,
                              res2net_report *report);

/* Batches of an epoch of `length` places, and the places first .. last - 1 of one of them. */
int64_t r2n_order_batches(const r2n_loader_options *options, int64_t length);
void r2n_order_batch(const r2n_loader_options *options, int64_t length, int64_t number,
                     int64_t *first, int64_t *last);

#endif
