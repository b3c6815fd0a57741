/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of Paddle's programs share. spec: shared/spec/paddleclas.md 5.3 to 5.5. */
#ifndef R2N_IMPORT_PADDLE_INTERNAL_H
#define R2N_IMPORT_PADDLE_INTERNAL_H

#include "formats/protobuf_reader.h"
#include "import/foreign_graph.h"
#include "import/name_table.h"
#include "import/readers.h"

/* Paddle's numbers of types (VarType). */
enum r2n_paddle_type {
    R2N_PADDLE_BOOL = 0,
    R2N_PADDLE_INT16 = 1,
    R2N_PADDLE_INT32 = 2,
    R2N_PADDLE_INT64 = 3,
    R2N_PADDLE_FP16 = 4,
    R2N_PADDLE_FP32 = 5,
    R2N_PADDLE_FP64 = 6,
    R2N_PADDLE_DENSE_TENSOR = 7,
    R2N_PADDLE_FEED = 9,
    R2N_PADDLE_FETCH = 10,
    R2N_PADDLE_UINT8 = 20,
    R2N_PADDLE_INT8 = 21,
    R2N_PADDLE_BF16 = 22
};

/* A parameter as the program declares it. */
typedef struct r2n_paddle_parameter {
    r2n_name name; /* first: sorted by r2n_name_compare */
    uint64_t type;
    int32_t rank;
    int64_t shape[R2N_MAXIMUM_RANK];
    int64_t id;    /* the reader's own */
    int32_t value; /* of the graph, once read */
} r2n_paddle_parameter;

/* A tensor in a file of parameters. */
typedef struct r2n_paddle_record {
    int64_t shape[R2N_MAXIMUM_RANK], rank;
    uint64_t type;
    int64_t count; /* of its numbers */
    r2n_element_type element;
    const uint8_t *data;
    size_t bytes;
} r2n_paddle_record;

/* What comes before a tensor's numbers, then these. Each gives NULL, or what is wrong. */
const char *r2n_paddle_record_head(r2n_byte_cursor *cursor, r2n_paddle_record *record);
const char *r2n_paddle_record_data(r2n_byte_cursor *cursor, r2n_paddle_record *record);

/* Reads the file of all parameters, which are in it by ascending name, into constants; sorts
 * `parameters`. Without such a file (files->parameters NULL) each is in a file with its name. */
res2net_status r2n_read_pdiparams(r2n_foreign_graph *graph, const r2n_paddle_files *files,
                                  r2n_paddle_parameter *parameters, size_t count);

/* ---- operations of a .pdmodel ---- */

enum { R2N_PADDLE_SLOTS = 12, R2N_PADDLE_ATTRIBUTES = 96 };

/* A slot of an operation: "X" and its variables. */
typedef struct r2n_paddle_slot {
    r2n_name name;
    r2n_name arguments[R2N_FOREIGN_INPUTS + 1];
    int32_t count;
} r2n_paddle_slot;

typedef struct r2n_paddle_operation {
    r2n_foreign_label label;
    r2n_paddle_slot inputs[R2N_PADDLE_SLOTS], outputs[R2N_PADDLE_SLOTS];
    int32_t input_count, output_count;
    r2n_protobuf_reader attributes[R2N_PADDLE_ATTRIBUTES];
    int32_t attribute_count;
} r2n_paddle_operation;

typedef struct r2n_pdmodel_reader {
    r2n_foreign_graph *graph;
    r2n_name_table names; /* of variables, to the values they have now */
} r2n_pdmodel_reader;

res2net_status r2n_pdmodel_add(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation);

#endif
