/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's .pdopt: what an optimiser remembers. spec: shared/spec/paddleclas.md 2.8, 5.2. */
#ifndef R2N_WEIGHTS_PDOPT_H
#define R2N_WEIGHTS_PDOPT_H

#include "weights/weights.h"

/* Of "LR_Scheduler"; zeros where there is none. */
typedef struct r2n_saved_schedule {
    int64_t last_epoch; /* steps that it made */
    double last_rate;
} r2n_saved_schedule;

/* Tensors under the names that the file has: "conv1_weights_velocity_0". A list with one dict, as
 * PaddleClas writes it, or the dict alone. All or nothing. */
res2net_status r2n_pdopt_read(const char *path, r2n_tensor_set **out, r2n_saved_schedule *schedule,
                              res2net_report *report);
/* The same from memory, which must outlive the set. `name` is for messages. */
res2net_status r2n_pdopt_read_memory(const void *data, size_t size, const char *name,
                                     r2n_tensor_set **out, r2n_saved_schedule *schedule,
                                     res2net_report *report);

#endif
