/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NAME -> GRAPH, no numbers: what a Res2Net computes, as a list of nodes in running order.
 *
 * A value is a tensor [images, rows, columns, channels]. Nothing is fused or folded here: batch
 * norm and ReLU are nodes; the plan's passes decide. Node i's result is value i.
 */
#ifndef R2N_MODEL_GRAPH_H
#define R2N_MODEL_GRAPH_H

#include "model/catalogue.h"

typedef enum r2n_node_kind {
    R2N_NODE_INPUT,       /* the picture: 3 channels */
    R2N_NODE_CONVOLUTION, /* inputs: x. kernel, stride, padding, channels; tensor: weight */
    R2N_NODE_BATCH_NORM, /* inputs: x. tensors: weight, bias, running_mean, running_var; eps 1e-5 */
    R2N_NODE_RELU,       /* inputs: x */
    R2N_NODE_ADD,        /* inputs: x, y */
    R2N_NODE_SLICE,      /* inputs: x. channels [first_channel, first_channel + channels) */
    R2N_NODE_CONCAT,     /* inputs: 1 to 16 values, along channels */
    R2N_NODE_POOL, /* inputs: x. pool_kind, kernel, stride, padding, ceil_mode, count_padding */
    R2N_NODE_GLOBAL_POOL, /* inputs: x. average over all pixels -> 1 x 1 */
    R2N_NODE_LINEAR       /* inputs: x (1 x 1). tensors: weight [classes, features], bias */
} r2n_node_kind;

enum { R2N_NODE_INPUTS = 16 };

typedef struct r2n_node {
    r2n_node_kind kind;
    int32_t inputs[R2N_NODE_INPUTS]; /* node numbers, all smaller than this node's */
    int32_t input_count;
    int32_t channels; /* of the result */
    int32_t kernel, stride, padding;
    int32_t pool_is_average, ceil_mode, count_padding;
    int32_t first_channel;
    int32_t stage, block; /* 0-based; -1 in stem and head */
    /* Canonical prefix of the node's tensors, to which ".weight", ".bias", ".running_mean",
     * ".running_var" are added: "layer1.0.convs.0". "" where it has none. */
    char tensor[R2N_NAME_BYTES];
    char name[R2N_NAME_BYTES]; /* for people: "layer1.0.convs.0", "layer1.0.split", "maxpool" */
} r2n_node;

typedef struct r2n_graph {
    r2n_architecture architecture;
    r2n_family family;
    int32_t count;
    r2n_node *nodes; /* the last one is the LINEAR: logits */
} r2n_graph;

/* `family` PADDLE or TORCH. OUT_OF_MEMORY. */
res2net_status r2n_graph_create(const r2n_architecture *architecture, r2n_family family,
                                r2n_graph **out, res2net_report *report);
void r2n_graph_destroy(r2n_graph *graph);

typedef struct r2n_shape {
    int32_t rows, columns, channels;
} r2n_shape;

/* Shapes of all values for a picture of rows x columns (each at least 32, or 8 for a 3x3 stem),
 * into shapes[graph->count]. Convolution: floor((n + 2p - k) / s) + 1; ceil_mode pools round up.
 * INVALID_ARGUMENT when a map would be empty, LIMIT_EXCEEDED over 16384 a side. */
res2net_status r2n_graph_shapes(const r2n_graph *graph, int32_t rows, int32_t columns,
                                r2n_shape *shapes, res2net_report *report);

/* Multiply-accumulates of node `i` for one picture: convolution and linear; 0 for the rest. */
int64_t r2n_node_macs(const r2n_graph *graph, const r2n_shape *shapes, int32_t node);
/* Trainable parameters of node `i`. */
int64_t r2n_node_parameters(const r2n_graph *graph, int32_t node);
/* What node `i` is, for people: "convolution 3x3 / 2", "batch norm". */
enum { R2N_NODE_KIND_BYTES = 64 };
void r2n_node_kind_text(const r2n_node *node, char text[R2N_NODE_KIND_BYTES]);
/* Trainable parameters, and running mean + variance elements. */
int64_t r2n_architecture_parameters(const r2n_architecture *architecture);
int64_t r2n_architecture_statistics(const r2n_architecture *architecture);

#endif
