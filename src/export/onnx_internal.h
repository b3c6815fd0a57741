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
#include "plan/plan.h"

/* TensorProto.DataType */
typedef enum r2n_onnx_type {
    R2N_ONNX_FLOAT = 1,
    R2N_ONNX_UINT8 = 2,
    R2N_ONNX_INT8 = 3,
    R2N_ONNX_INT64 = 7,
    R2N_ONNX_FLOAT16 = 10,
    R2N_ONNX_BFLOAT16 = 16
} r2n_onnx_type;

enum {
    R2N_ONNX_FIRST_OPSET = 11,
    R2N_ONNX_LAST_OPSET = 28,
    R2N_ONNX_DEFAULT_OPSET = 17,
    R2N_ONNX_FIRST_INT8_OPSET = 13, /* DequantizeLinear has a scale a channel */
    R2N_ONNX_LAST_INT8_OPSET = 27,  /* onnxruntime 1.32 has no QuantizeLinear of 28 */
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
    /* int8: the node whose weights' levels (INT8) or scales (FLOAT) these are, and what a level of
     * its input is worth; 0 where they are not. INT8 and UINT8 without it: zeros. */
    int32_t levels_of;
    float input_scale;
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
    r2n_plan *plan;      /* of int8, or NULL; the rest is for it */
    uint8_t *is_rounded; /* [graph->count] the value is stored as levels */
    float *most;         /* [graph->count] what the largest level of a value is worth, */
    float picture_least; /* and the least one of the picture */
} r2n_onnx_graph;

res2net_status r2n_onnx_no_memory(const r2n_onnx_graph *graph);

/* onnx_nodes.c: makes the nodes and lists the tensors that they read. MISMATCH, OUT_OF_MEMORY. */
res2net_status r2n_onnx_make_nodes(r2n_onnx_graph *graph);

/* The same file: one node without attributes, called as its output. `inputs` ends with NULL. */
void r2n_onnx_put_node(r2n_onnx_graph *graph, const char *operation, const char *const *inputs,
                       const char *output);

/* onnx_quantized.c: everything that int8 adds to a graph. First of all: the plan. INVALID_ARGUMENT
 * without a calibration, UNSUPPORTED, OUT_OF_MEMORY. */
res2net_status r2n_onnx_start_quantized(r2n_onnx_graph *graph);
void r2n_onnx_end_quantized(r2n_onnx_graph *graph);
/* Rounds the value of node `index`, where it is one that is stored, after its own node. What a
 * concatenation gives are levels ("NAME.levels"). */
res2net_status r2n_onnx_round_value(r2n_onnx_graph *graph, int32_t index);
/* Whether `reader` takes the rounded value of `value`, or its levels, and what that is called. */
int r2n_onnx_reads_rounded(const r2n_onnx_graph *graph, int32_t reader, int32_t value,
                           char name[R2N_ONNX_NAME_BYTES]);
/* The weights of the convolution or classifier `index` (tensor number `weight` of the graph) become
 * levels, with a tensor of scales. */
res2net_status r2n_onnx_round_weights(r2n_onnx_graph *graph, int32_t index, size_t weight);

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
