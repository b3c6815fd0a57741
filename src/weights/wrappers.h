/* SPDX-License-Identifier: Apache-2.0 */
/* The dict of tensors inside a training checkpoint. Only for the readers of pickles. */
#ifndef R2N_WEIGHTS_WRAPPERS_H
#define R2N_WEIGHTS_WRAPPERS_H

#include "formats/pickle_reader.h"
#include "weights/reader.h"

/* Gives the dict of tensors: the one under state_dict_ema, model_ema, state_dict or model, the
 * first of these that holds tensors (also one in the other); else the only one under net, params
 * and other usual names; else `root` itself. A note and the set's metadata say which wrapper was
 * taken. UNSUPPORTED where there is no such dict, or where it is not clear which one is meant. */
res2net_status r2n_unwrap(r2n_weights_reader *reader, const r2n_pickle_value *root,
                          int (*is_tensor)(const r2n_pickle_value *),
                          const r2n_pickle_value **dict);

#endif
