/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read ONNX share. Field numbers are of onnx.proto. */
#ifndef R2N_IMPORT_ONNX_INTERNAL_H
#define R2N_IMPORT_ONNX_INTERNAL_H

#include "formats/protobuf_reader.h"
#include "import/foreign_graph.h"
#include "import/name_table.h"

typedef struct r2n_onnx_reader {
    r2n_foreign_graph *graph;
    const char *folder;   /* of the file; NULL where there is none */
    r2n_name_table names; /* of values, to those of the graph */
    char *data_name;      /* of the file of external data that was opened last, */
    size_t data_file;     /* and which of the graph's files it is */
} r2n_onnx_reader;

enum { R2N_ONNX_ATTRIBUTES = 24 };

typedef struct r2n_onnx_node {
    r2n_foreign_label label;
    r2n_name inputs[R2N_FOREIGN_INPUTS + 1], outputs[R2N_FOREIGN_INPUTS + 1];
    int32_t input_count, output_count;
    r2n_protobuf_reader attributes[R2N_ONNX_ATTRIBUTES];
    int32_t attribute_count;
} r2n_onnx_node;

/* A TensorProto as a constant of the graph, or -1; its name goes to *name (may be NULL). */
int32_t r2n_onnx_tensor(r2n_onnx_reader *reader, r2n_protobuf_reader message, r2n_name *name);
/* The bytes of a tensor in a file of its own beside the model; NULL after a refusal. */
typedef struct r2n_onnx_external {
    r2n_name location;
    uint64_t offset, length; /* length 0: all that the tensor needs */
} r2n_onnx_external;
const uint8_t *r2n_onnx_external_data(r2n_onnx_reader *reader, const r2n_onnx_external *where,
                                      uint64_t bytes, int64_t offset);

/* One node into the graph. */
res2net_status r2n_onnx_add_node(r2n_onnx_reader *reader, const r2n_onnx_node *node);

#endif
