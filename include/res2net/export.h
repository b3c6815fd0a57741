/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model to files that other runtimes read.
 *
 *     const res2net_export_options options = {.format = RES2NET_EXPORT_ONNX};
 *     res2net_export(model, "net.onnx", &options, report);
 */
#ifndef RES2NET_EXPORT_H
#define RES2NET_EXPORT_H

#include "res2net/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum res2net_export_format {
    RES2NET_EXPORT_ONNX = 0,
    RES2NET_EXPORT_PADDLE = 1 /* an inference model; a folder */
} res2net_export_format;

typedef enum res2net_export_weights {
    RES2NET_EXPORT_WEIGHTS_F32 = 0,
    RES2NET_EXPORT_WEIGHTS_F16 = 1,
    RES2NET_EXPORT_WEIGHTS_BF16 = 2,
    RES2NET_EXPORT_WEIGHTS_INT8 = 3 /* activations too, for models that are calibrated */
} res2net_export_weights;

/* All zero is the default. */
typedef struct res2net_export_options {
    res2net_export_format format;
    int32_t batch, height, width; /* 0: dynamic */
    int32_t logits;               /* 1: ends in logits; 0: in a softmax */
    /* ONNX only. */
    int32_t opset;                  /* 11 to 28; 0: 17 */
    int32_t keep_batch_norm;        /* 1: batch norms stay; 0: they are folded into convolutions */
    res2net_export_weights weights; /* what convolutions and the classifier are stored in; they are
                                       widened to f32 when they are used. BF16 from opset 13 on.
                                       INT8, from 13 to 27 and with folded norms: QuantizeLinear and
                                       DequantizeLinear round as sessions of int8 do */
} res2net_export_options;

/* Writes the model to `path`. Input "x" is [batch, 3, height, width], normalised as sessions do it;
 * output "scores" or "logits" (Paddle's names where it is Paddle's) is [batch, classes].
 * Preprocessing and labels go along. The file or folder appears whole or not at all; a folder that
 * is there keeps its other files. `options` may be NULL. INVALID_ARGUMENT, UNSUPPORTED;
 * MISMATCH where what was written does not read back as the model;
 * LIMIT_EXCEEDED for files over 2 GiB and numbers that the weights' type cannot hold; NOT_FINITE,
 * OUT_OF_MEMORY, WRITE_FAILED. */
RES2NET_API res2net_status res2net_export(const res2net_model *model, const char *path,
                                          const res2net_export_options *options,
                                          res2net_report *report);

#ifdef __cplusplus
}
#endif
#endif
