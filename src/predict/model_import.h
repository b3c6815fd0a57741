/* SPDX-License-Identifier: Apache-2.0 */
#ifndef R2N_PREDICT_MODEL_IMPORT_H
#define R2N_PREDICT_MODEL_IMPORT_H

#include "import/import.h"
#include "res2net/model.h"

/* A graph that another program wrote, as src/import has read it, to the set of a model: what
 * inference.yml says of preprocessing and labels goes into its metadata. The set is the caller's;
 * `imported` is emptied. */
r2n_tensor_set *r2n_model_set_of_import(r2n_imported *imported, const char *name,
                                        const res2net_load_options *options,
                                        res2net_report *report);

#endif
