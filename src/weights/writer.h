/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers of the formats share. Only for src/weights. */
#ifndef R2N_WEIGHTS_WRITER_H
#define R2N_WEIGHTS_WRITER_H

#include "weights/weights.h"

/* A set that was found to be canonical for the architecture. */
typedef struct r2n_weights_writer {
    r2n_file_writer *file;
    const char *path;
    res2net_report *report;
    const r2n_tensor_set *set;
    const r2n_architecture *architecture;
    const r2n_tensor_spec *specs; /* one a tensor, in the set's order */
    r2n_family family;
    int tell_family; /* the names speak of another one */
} r2n_weights_writer;

/* Put everything into the file; write failures are the file writer's. */
res2net_status r2n_write_pdparams(r2n_weights_writer *writer);
res2net_status r2n_write_safetensors(r2n_weights_writer *writer);
res2net_status r2n_write_r2n(r2n_weights_writer *writer);

#endif
