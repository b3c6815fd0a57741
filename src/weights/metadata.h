/* SPDX-License-Identifier: Apache-2.0 */
/* What files say beside tensors, under one set of keys: "res2net.family" and so on. */
#ifndef R2N_WEIGHTS_METADATA_H
#define R2N_WEIGHTS_METADATA_H

#include "weights/weights.h"

#define R2N_KEY_ARCHITECTURE "res2net.architecture"
#define R2N_KEY_FAMILY       "res2net.family"
#define R2N_KEY_RECIPE       "res2net.recipe"
#define R2N_KEY_LABELS       "res2net.labels"
#define R2N_KEY_LICENCE      "res2net.licence"
#define R2N_KEY_SOURCE       "res2net.source"

/* Keeps a value whose key is one of ours; other keys are none of our business. A family that is
 * neither "paddle" nor "torch" is DAMAGED. */
res2net_status r2n_metadata_take(r2n_weights_metadata *metadata, const char *key, const char *value,
                                 size_t bytes, const char *file, res2net_report *report);

const char *r2n_family_name(r2n_family family); /* "paddle", "torch", "unknown" */

#endif
