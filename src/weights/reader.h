/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of the formats share: a set being filled, and tensors as files store them. Only
 * for src/weights, and of it the elements and shapes for src/import. */
#ifndef R2N_WEIGHTS_READER_H
#define R2N_WEIGHTS_READER_H

#include "weights/weights.h"

typedef enum r2n_element_type {
    R2N_ELEMENT_F32,
    R2N_ELEMENT_F64,
    R2N_ELEMENT_F16,
    R2N_ELEMENT_BF16,
    R2N_ELEMENT_INTEGER /* of any width: such tensors are left out */
} r2n_element_type;

size_t r2n_element_bytes(r2n_element_type type); /* not for INTEGER */
/* One element, at any alignment. */
float r2n_element_read(r2n_element_type type, int big_endian, const uint8_t *at);
void r2n_elements_widen(r2n_element_type type, int big_endian, const uint8_t *from, int64_t count,
                        float *to);

typedef struct r2n_weights_reader {
    const uint8_t *data;
    size_t size;
    const char *file;
    res2net_report *report;
    r2n_tensor_set *set;
    uint64_t budget; /* bytes of converted tensors that may still be made */
    int points_into_file;
} r2n_weights_reader;

typedef struct r2n_stored_tensor {
    const char *name; /* not NUL-terminated */
    size_t name_bytes;
    int32_t rank;
    int64_t shape[R2N_MAXIMUM_RANK];
    int64_t stride[R2N_MAXIMUM_RANK]; /* in elements */
    r2n_element_type type;
    int big_endian;
    int is_ours;         /* f32 in a block that the set owns already */
    const uint8_t *data; /* element 0 */
    size_t bytes;        /* readable from there on */
    int64_t offset;      /* of data in the file, for messages */
} r2n_stored_tensor;

/* Row-major strides for the shape. */
void r2n_stored_strides(r2n_stored_tensor *tensor);
/* Product of the shape into *count; 0 where a size is not positive or the product overflows. */
int r2n_shape_count(int32_t rank, const int64_t *shape, int64_t *count);

/* Adds a tensor: points to its bytes where they are aligned f32 in row-major order, else converts.
 * Every element is checked to lie in `bytes`. Integer tensors are left out, and so is batch norm's
 * counter num_batches_tracked of any type: some programs make floats of all tensors. */
res2net_status r2n_reader_add(r2n_weights_reader *reader, const r2n_stored_tensor *tensor);
/* Puts an empty record behind the others and gives its number; name copied. -1 without memory. */
int64_t r2n_tensor_set_append(r2n_tensor_set *set, const char *name, size_t name_bytes,
                              int32_t rank, const int64_t *shape, int64_t count);
/* Makes `block` (r2n_allocate) the set's own; 0 without memory, the block then being freed. */
int r2n_tensor_set_own(r2n_tensor_set *set, void *block);

res2net_status r2n_read_pdparams(r2n_weights_reader *reader);
res2net_status r2n_read_pth(r2n_weights_reader *reader);
res2net_status r2n_read_safetensors(r2n_weights_reader *reader);
res2net_status r2n_read_r2n(r2n_weights_reader *reader);
/* r2n_read_r2n that also compares the data's checksums. */
res2net_status r2n_verify_r2n(r2n_weights_reader *reader);
/* Says what a file is that is none of the formats. */
res2net_status r2n_explain_unknown(const r2n_weights_reader *reader);

/* Whether a name of `bytes` bytes ends in `tail`. */
int r2n_name_ends_with(const char *name, size_t bytes, const char *tail);

/* Takes wrappers' prefixes off the names (module., _orig_mod., Student.) and refuses names that are
 * then the same. */
res2net_status r2n_plain_names(r2n_weights_reader *reader);

#endif
