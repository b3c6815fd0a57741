/* SPDX-License-Identifier: Apache-2.0 */
/* Dicts of numpy arrays as paddle.save writes them. Only for the readers of .pdparams and .pdopt.
 */
#ifndef R2N_WEIGHTS_PDPARAMS_H
#define R2N_WEIGHTS_PDPARAMS_H

#include "formats/pickle_reader.h"
#include "weights/reader.h"

/* The Python names that may stand in such files. */
extern const r2n_pickle_global r2n_paddle_globals[];

/* Adds every tensor of a dict {name: array or (name, array)}, also those in pieces; texts under
 * keys of ours become metadata, anything else is left. */
res2net_status r2n_read_paddle_dict(r2n_weights_reader *reader, const r2n_pickle_value *dict);

#endif
