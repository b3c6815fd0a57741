/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers make and match.c reads: operations and values of a foreign graph, in the words
 * of this project. Values are numbered; an operation's result is a value; constants are values with
 * data.
 */
#ifndef R2N_IMPORT_FOREIGN_GRAPH_H
#define R2N_IMPORT_FOREIGN_GRAPH_H

#include "weights/weights.h"

typedef enum r2n_foreign_kind {
    R2N_FOREIGN_CONVOLUTION, /* x, weight[, bias] */
    R2N_FOREIGN_BATCH_NORM,  /* x, scale, bias, mean, variance */
    R2N_FOREIGN_RELU,
    R2N_FOREIGN_ADD,   /* x, y: a value or a constant (the classifier's bias) */
    R2N_FOREIGN_SLICE, /* x: channels [first, first + channels) */
    R2N_FOREIGN_CONCAT,
    R2N_FOREIGN_POOL,
    R2N_FOREIGN_GLOBAL_POOL,
    R2N_FOREIGN_RESHAPE,  /* to [images, channels] */
    R2N_FOREIGN_MULTIPLY, /* x, matrix[, bias] */
    R2N_FOREIGN_SOFTMAX,
    R2N_FOREIGN_IDENTITY /* also a scale by 1 */
} r2n_foreign_kind;

enum { R2N_FOREIGN_INPUTS = 16 };

typedef struct r2n_foreign_operation {
    r2n_foreign_kind kind;
    int32_t inputs[R2N_FOREIGN_INPUTS]; /* values; made before */
    int32_t input_count;
    int32_t output; /* value */
    int32_t kernel, stride, padding;
    int32_t pool_is_average, ceil_mode, count_padding;
    int32_t first_channel, channels;
    int32_t transposed; /* MULTIPLY: the matrix is [outputs][inputs] */
    double epsilon;
    char name[128]; /* for messages */
} r2n_foreign_operation;

/* A constant's data, converted to float. */
typedef struct r2n_foreign_constant {
    int32_t rank;
    int64_t shape[4];
    float *data; /* r2n_free; NULL for a value that is computed */
} r2n_foreign_constant;

typedef struct r2n_foreign_graph {
    r2n_foreign_operation *operations;
    size_t operation_count, operation_capacity;
    r2n_foreign_constant *values; /* [value] */
    size_t value_count, value_capacity;
    int32_t input, output; /* values: the picture and the scores */
} r2n_foreign_graph;

void r2n_foreign_graph_free(r2n_foreign_graph *graph);

#endif
