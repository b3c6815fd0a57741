/* SPDX-License-Identifier: Apache-2.0 */
/* Why weights and architecture do not belong together, in words. Only for src/weights. */
#ifndef R2N_WEIGHTS_DIAGNOSE_H
#define R2N_WEIGHTS_DIAGNOSE_H

#include "model/catalogue.h"

enum { R2N_SHAPE_TEXT_BYTES = 192 };

/* "[64, 3, 7, 7]" */
void r2n_shape_text(int32_t rank, const int64_t *shape, char *text);

/* Adds one problem that says what the tensors look like instead of `wanted`. Always MISMATCH. */
res2net_status r2n_diagnose(const r2n_architecture *wanted, const r2n_tensor_shape *tensors,
                            size_t count, const char *file, res2net_report *report);

#endif
