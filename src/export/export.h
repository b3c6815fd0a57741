/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model to files of other runtimes. Every writer writes to a temporary name, reads back what it
 * wrote through src/import, and compares; a file that differs is removed and the reason told.
 */
#ifndef R2N_EXPORT_EXPORT_H
#define R2N_EXPORT_EXPORT_H

#include "model/graph.h"
#include "weights/weights.h"

/* What is exported; all of it is the caller's. */
typedef struct r2n_export_model {
    const r2n_graph *graph;        /* architecture and family are in it */
    const r2n_tensor_set *weights; /* canonical, complete */
    const char *preprocessing;     /* the recipe as JSON, or NULL */
    const char *const *labels;     /* class names in order, or NULL */
    int32_t label_count;
} r2n_export_model;

typedef enum r2n_export_weights {
    R2N_EXPORT_F32,
    R2N_EXPORT_F16,
    R2N_EXPORT_BF16,
    R2N_EXPORT_INT8 /* activations too: the model's calibration, as the int8 plan rounds */
} r2n_export_weights;

typedef struct r2n_onnx_options {
    int32_t opset;                /* 0: the default */
    int64_t batch, rows, columns; /* 0: dynamic, named "batch", "height", "width" */
    int32_t softmax;              /* 1: the last node is a softmax, else logits */
    int32_t keep_batch_norm;      /* 1: batch norms are nodes; 0: folded into the convolutions */
    r2n_export_weights weights;
} r2n_onnx_options;

res2net_status r2n_export_onnx(const r2n_export_model *model, const r2n_onnx_options *options,
                               const char *path, res2net_report *report);

typedef struct r2n_paddle_options {
    int64_t batch, rows, columns; /* batch 0: dynamic (-1); rows and columns 0: -1 */
    int32_t softmax;
} r2n_paddle_options;

/* A folder with inference.pdmodel, inference.json, inference.pdiparams, inference.pdiparams.info,
 * inference.yml, and serving_server/ and serving_client/ with their prototxt pairs. */
res2net_status r2n_export_paddle(const r2n_export_model *model, const r2n_paddle_options *options,
                                 const char *folder, res2net_report *report);

#endif
