/* SPDX-License-Identifier: Apache-2.0 */
/* The pictures of the highest loss of an evaluation, kept in a heap of fixed size. */
#ifndef R2N_PREDICT_WORST_PICTURES_H
#define R2N_PREDICT_WORST_PICTURES_H

#include "data/dataset.h"
#include "res2net/evaluate.h"

/* Keeps the picture if there is room, or if it is worse than the best that is kept, which then
 * goes. Of equal losses the earlier item is the worse. `heap` has room for `room` pictures. */
void r2n_worst_offer(res2net_worst_picture *heap, int32_t *count, int32_t room,
                     const res2net_worst_picture *picture);

/* Puts the worst first and gives each its name, and pixels where it is a CIFAR record of `source`.
 * OUT_OF_MEMORY, the pictures then being fit for r2n_worst_free. */
res2net_status r2n_worst_finish(res2net_worst_picture *pictures, int32_t count,
                                const r2n_dataset *dataset, const char *source,
                                res2net_report *report);
void r2n_worst_free(res2net_worst_picture *pictures, int32_t count); /* NULL is allowed */

#endif
