/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the ONNX writer share. Field numbers are those of onnx.proto.
 *
 * The nodes are a few hundred kilobytes and are made in memory; the weights are written straight
 * into the file, folded and converted on the way, after all lengths are known.
 */
#ifndef R2N_EXPORT_ONNX_INTERNAL_H
#define R2N_EXPORT_ONNX_INTERNAL_H

#include "base/os.h"
#include "export/export.h"
#include "formats/json_writer.h"

/* TensorProto.DataType */
typedef enum r2n_onnx_type {
    R2N_ONNX_FLOAT = 1,
    R2N_ONNX_INT64 = 7,
    R2N_ONNX_FLOAT16 = 10,
    R2N_ONNX_BFLOAT16 = 16
} r2n_onnx_type;

enum {
    R2N_ONNX_FIRST_OPSET = 11,
    R2N_ONNX_LAST_OPSET = 28,
    R2N_ONNX_DEFAULT_OPSET = 17,
    R2N_ONNX_NAME_BYTES = R2N_NAME_BYTES + 16
};

/* A batch norm's tensors, one number a channel. */
typedef struct r2n_onnx_norm {
    const float *scale, *offset, *mean, *variance;
} r2n_onnx_norm;

/* An initializer: a constant of the graph. */
typedef struct r2n_onnx_tensor {
    char name[R2N_ONNX_NAME_BYTES];
    r2n_onnx_type type;
    int32_t rank;
    int64_t shape[4];
    int64_t count;
    const float *data;  /* NULL: the offsets of `norm`, or `each` */
    r2n_onnx_norm norm; /* folded in; NULLs where there is none */
    int64_t each;       /* INT64: all of them are this */
} r2n_onnx_tensor;

typedef struct r2n_onnx_graph {
    const r2n_export_model *model;
    r2n_onnx_options options; /* checked, the opset chosen */
    const char *path;
    res2net_report *report;
    r2n_text nodes;              /* the graph's field `node`, many times */
    r2n_text message, attribute; /* of the node in the making */
    r2n_onnx_tensor *tensors;    /* in the order of their use */
    size_t tensor_count, tensor_capacity;
} r2n_onnx_graph;

res2net_status r2n_onnx_no_memory(const r2n_onnx_graph *graph);

/* onnx_nodes.c: makes the nodes and lists the tensors that they read. MISMATCH, OUT_OF_MEMORY. */
res2net_status r2n_onnx_make_nodes(r2n_onnx_graph *graph);

/* onnx_tensors.c: a new tensor, all zero but for its name; NULL without memory. */
r2n_onnx_tensor *r2n_onnx_add_tensor(r2n_onnx_graph *graph, const char *prefix, const char *suffix);
/* The same with a tensor of the weights, in the type `type`; MISMATCH where it is not there or
 * has another count than the shape. */
res2net_status r2n_onnx_add_weights(r2n_onnx_graph *graph, const char *prefix, const char *suffix,
                                    r2n_onnx_type type, int32_t rank, const int64_t *shape);
/* What the batch norm `node` has. */
res2net_status r2n_onnx_find_norm(const r2n_onnx_graph *graph, const r2n_node *node,
                                  r2n_onnx_norm *norm);
/* All tensors as the graph's field `initializer`: their bytes, and writing them. LIMIT_EXCEEDED
 * where a number is too large for the type. */
res2net_status r2n_onnx_tensor_bytes(const r2n_onnx_graph *graph, uint64_t *bytes);
res2net_status r2n_onnx_write_tensors(const r2n_onnx_graph *graph, r2n_file_writer *file);

#endif
