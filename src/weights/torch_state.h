/* SPDX-License-Identifier: Apache-2.0 */
/* The state dict in a pickle of torch.save, whichever way the bytes of its storages are kept
 * beside it. Only for pth_read.c and pth_legacy.c. */
#ifndef R2N_WEIGHTS_TORCH_STATE_H
#define R2N_WEIGHTS_TORCH_STATE_H

#include "formats/pickle_reader.h"
#include "weights/reader.h"

typedef struct r2n_storage {
    const uint8_t *data;
    size_t bytes;
    int64_t offset; /* of data in the file, for messages */
} r2n_storage;

/* What a persistent id says: ('storage', type, key, location, elements[, view]). */
typedef struct r2n_storage_id {
    r2n_element_type type; /* INTEGER also for storages that are bytes without a type */
    int untyped;
    size_t element_bytes;
    const r2n_pickle_value *key; /* TEXT, or BYTES where Python 2 wrote it */
    int64_t elements;
    const r2n_pickle_value *view; /* (key, offset, elements) of the old form, or NULL */
} r2n_storage_id;

typedef struct r2n_torch_file {
    r2n_weights_reader *reader;
    int big_endian;
    /* Finds the bytes of the tensor `name`'s storage, or fails. */
    res2net_status (*find)(void *context, const r2n_storage_id *id, const char *name,
                           const r2n_pickle_value *place, r2n_storage *out);
    void *context;
} r2n_torch_file;

/* The Python names that a state dict or a training checkpoint is made of. */
extern const r2n_pickle_global r2n_torch_allowed[];

/* 0 where the value is no storage's id. */
int r2n_storage_id_read(const r2n_pickle_value *persistent, r2n_storage_id *id);

/* Adds the tensors of the state dict, out of the wrapper that timm would take. */
res2net_status r2n_torch_state_read(const r2n_torch_file *file, const r2n_pickle_value *root);

/* torch.save's form from before 1.6. */
int r2n_is_legacy_pth(const uint8_t *data, size_t size);
res2net_status r2n_read_legacy_pth(r2n_weights_reader *reader);

#endif
