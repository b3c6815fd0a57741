/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's newer programs, inference.json. spec: shared/spec/paddleclas.md 5.5. */
#ifndef R2N_IMPORT_PIR_INTERNAL_H
#define R2N_IMPORT_PIR_INTERNAL_H

#include "formats/json.h"
#include "import/paddle_internal.h"

/* What an id of the program stands for: a value of the graph, or a list of them. */
typedef struct r2n_pir_id {
    int32_t value; /* -1: none */
    int32_t first, count;
} r2n_pir_id;

enum { R2N_PIR_OPERANDS = 16 };

typedef struct r2n_pir_reader {
    r2n_foreign_graph *graph;
    r2n_pir_id *ids;
    size_t id_count;
    int32_t *lists; /* values of the lists, one behind the other */
    size_t list_count, list_capacity;
} r2n_pir_reader;

typedef struct r2n_pir_operation {
    r2n_foreign_label label; /* the type without its dialect */
    int dialect;             /* 0 builtin, 1 pd_op */
    const r2n_json_value *attributes;
    const r2n_pir_id *operands[R2N_PIR_OPERANDS + 1]; /* NULL: none */
    int32_t operand_count;
    r2n_pir_id *results[R2N_PIR_OPERANDS + 1];
    int32_t result_count;
} r2n_pir_operation;

/* `operation` holds pointers into `reader->ids`, which stays where it is. */
res2net_status r2n_pir_add(r2n_pir_reader *reader, const r2n_pir_operation *operation);
/* The "D" of an attribute, or NULL. */
const r2n_json_value *r2n_pir_attribute(const r2n_json_value *attributes, const char *name);

#endif
