/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of an ONNX graph. A value has the name of the node of ours that makes it, the picture
 * is "x" and the results "logits" and "scores". Every attribute that a runtime may have its own
 * default for is written.
 */
#include "export/onnx_internal.h"

#include <stdio.h>
#include <string.h>

#include "formats/protobuf_writer.h"

enum { NODE = 1 };                                                           /* of GraphProto */
enum { INPUT = 1, OUTPUT = 2, NODE_NAME = 3, OPERATION = 4, ATTRIBUTE = 5 }; /* of NodeProto */
enum { ATTRIBUTE_NAME = 1, A_FLOAT = 2, AN_INTEGER = 3, INTEGERS = 8, TYPE = 20 }; /* of its own */
enum { TYPE_FLOAT = 1, TYPE_INTEGER = 2, TYPE_INTEGERS = 7 };
enum { SPLIT_SIZES_ARE_AN_INPUT = 13, TRAINING_IS_A_MODE = 14 }; /* opsets */
static const float EPSILON = 1e-5f;                              /* both families, spec 1.7 */
static const float MOMENTUM = 0.9f; /* what is kept of the old statistics */

/* ---- one node -------------------------------------------------------------------------------- */

static void put_input(r2n_onnx_graph *g, const char *value)
{
    r2n_protobuf_put_string(&g->message, INPUT, value);
}

static void put_parameter(r2n_onnx_graph *g, const char *prefix, const char *suffix)
{
    char name[R2N_ONNX_NAME_BYTES];
    snprintf(name, sizeof name, "%.95s%s", prefix, suffix);
    put_input(g, name);
}

static void put_output(r2n_onnx_graph *g, const char *value)
{
    r2n_protobuf_put_string(&g->message, OUTPUT, value);
}

static void put_kind(r2n_onnx_graph *g, const char *name, const char *operation)
{
    r2n_protobuf_put_string(&g->message, NODE_NAME, name);
    r2n_protobuf_put_string(&g->message, OPERATION, operation);
}

static void end_attribute(r2n_onnx_graph *g, int64_t type)
{
    r2n_protobuf_put_integer(&g->attribute, TYPE, type);
    r2n_protobuf_put_message(&g->message, ATTRIBUTE, &g->attribute);
}

static void put_integer(r2n_onnx_graph *g, const char *name, int64_t value)
{
    r2n_protobuf_put_string(&g->attribute, ATTRIBUTE_NAME, name);
    r2n_protobuf_put_integer(&g->attribute, AN_INTEGER, value);
    end_attribute(g, TYPE_INTEGER);
}

static void put_float(r2n_onnx_graph *g, const char *name, float value)
{
    r2n_protobuf_put_string(&g->attribute, ATTRIBUTE_NAME, name);
    r2n_protobuf_put_float(&g->attribute, A_FLOAT, value);
    end_attribute(g, TYPE_FLOAT);
}

/* `count` times the same. */
static void put_equal(r2n_onnx_graph *g, const char *name, int64_t value, int32_t count)
{
    r2n_protobuf_put_string(&g->attribute, ATTRIBUTE_NAME, name);
    for (int32_t i = 0; i < count; i++)
        r2n_protobuf_put_integer(&g->attribute, INTEGERS, value);
    end_attribute(g, TYPE_INTEGERS);
}

static void end_node(r2n_onnx_graph *g)
{
    r2n_protobuf_put_message(&g->nodes, NODE, &g->message);
}

void r2n_onnx_put_node(r2n_onnx_graph *graph, const char *operation, const char *const *inputs,
                       const char *output)
{
    for (; *inputs != NULL; inputs++)
        put_input(graph, *inputs);
    put_output(graph, output);
    put_kind(graph, output, operation);
    end_node(graph);
}

/* ---- values ---------------------------------------------------------------------------------- */

static const r2n_node *node_of(const r2n_onnx_graph *g, int32_t index)
{
    return &g->model->graph->nodes[index];
}

/* The batch norm that vanishes into this convolution, or NULL. In our graphs a convolution has one
 * reader: the batch norm after it. */
static const r2n_node *folded_norm(const r2n_onnx_graph *g, int32_t convolution)
{
    const int32_t next = convolution + 1;
    return !g->options.keep_batch_norm && next < g->model->graph->count &&
                   node_of(g, next)->kind == R2N_NODE_BATCH_NORM &&
                   node_of(g, next)->inputs[0] == convolution
               ? node_of(g, next)
               : NULL;
}

static int is_folded(const r2n_onnx_graph *g, int32_t norm)
{
    const int32_t input = node_of(g, norm)->inputs[0];
    return node_of(g, input)->kind == R2N_NODE_CONVOLUTION &&
           folded_norm(g, input) == node_of(g, norm);
}

static const char *value_name(const r2n_onnx_graph *g, int32_t index)
{
    const r2n_node *node = node_of(g, index);
    if (node->kind == R2N_NODE_INPUT)
        return "x";
    if (node->kind == R2N_NODE_LINEAR)
        return "logits";
    if (node->kind == R2N_NODE_BATCH_NORM && is_folded(g, index))
        return node_of(g, node->inputs[0])->name;
    return node->name;
}

/* What node `reader` reads of the value `input`. */
static void put_value(r2n_onnx_graph *g, int32_t reader, int32_t input)
{
    char name[R2N_ONNX_NAME_BYTES];
    const int rounded = g->plan != NULL && r2n_onnx_reads_rounded(g, reader, input, name);
    put_input(g, rounded ? name : value_name(g, input));
}

/* ---- operations ------------------------------------------------------------------------------ */

static r2n_onnx_type weights_type(const r2n_onnx_graph *g)
{
    return g->options.weights == R2N_EXPORT_F16    ? R2N_ONNX_FLOAT16
           : g->options.weights == R2N_EXPORT_BF16 ? R2N_ONNX_BFLOAT16
           : g->options.weights == R2N_EXPORT_INT8 ? R2N_ONNX_INT8
                                                   : R2N_ONNX_FLOAT;
}

/* Matrices and filters that are kept in 16 bits, or as levels with a scale a channel, are widened
 * by a node of their own: runtimes do it once, when they load the file, or multiply in int8. */
static void widen(r2n_onnx_graph *g, const r2n_node *node)
{
    char name[R2N_ONNX_NAME_BYTES];
    if (weights_type(g) == R2N_ONNX_FLOAT)
        return;
    snprintf(name, sizeof name, "%.95s.weight.f32", node->tensor);
    put_parameter(g, node->tensor, ".weight");
    if (weights_type(g) == R2N_ONNX_INT8)
        put_parameter(g, node->tensor, ".weight.scale");
    put_output(g, name);
    put_kind(g, name, weights_type(g) == R2N_ONNX_INT8 ? "DequantizeLinear" : "Cast");
    if (weights_type(g) == R2N_ONNX_INT8)
        put_integer(g, "axis", 0);
    else
        put_integer(g, "to", R2N_ONNX_FLOAT);
    end_node(g);
}

static void put_widened(r2n_onnx_graph *g, const r2n_node *node)
{
    put_parameter(g, node->tensor, weights_type(g) == R2N_ONNX_FLOAT ? ".weight" : ".weight.f32");
}

static res2net_status fold(r2n_onnx_graph *g, const r2n_node *convolution, const r2n_node *norm)
{
    r2n_onnx_tensor *weight = &g->tensors[g->tensor_count - 1];
    const res2net_status status = r2n_onnx_find_norm(g, norm, &weight->norm);
    if (status != RES2NET_OK)
        return status;
    const r2n_onnx_norm factors = weight->norm;
    r2n_onnx_tensor *bias = r2n_onnx_add_tensor(g, convolution->tensor, ".bias");
    if (bias == NULL)
        return r2n_onnx_no_memory(g);
    bias->type = R2N_ONNX_FLOAT;
    bias->rank = 1;
    bias->shape[0] = bias->count = convolution->channels;
    bias->norm = factors;
    return RES2NET_OK;
}

static res2net_status make_convolution(r2n_onnx_graph *g, int32_t index)
{
    const r2n_node *node = node_of(g, index), *norm = folded_norm(g, index);
    const int64_t shape[] = {node->channels, node_of(g, node->inputs[0])->channels, node->kernel,
                             node->kernel};
    const size_t weight = g->tensor_count;
    res2net_status status =
        r2n_onnx_add_weights(g, node->tensor, ".weight", weights_type(g), 4, shape);
    if (status == RES2NET_OK && norm != NULL)
        status = fold(g, node, norm);
    if (status == RES2NET_OK && g->plan != NULL)
        status = r2n_onnx_round_weights(g, index, weight);
    if (status != RES2NET_OK)
        return status;
    widen(g, node);
    put_value(g, index, node->inputs[0]);
    put_widened(g, node);
    if (norm != NULL)
        put_parameter(g, node->tensor, ".bias");
    put_output(g, node->name);
    put_kind(g, node->name, "Conv");
    put_equal(g, "dilations", 1, 2);
    put_integer(g, "group", 1);
    put_equal(g, "kernel_shape", node->kernel, 2);
    put_equal(g, "pads", node->padding, 4);
    put_equal(g, "strides", node->stride, 2);
    end_node(g);
    return RES2NET_OK;
}

static res2net_status make_batch_norm(r2n_onnx_graph *g, int32_t index)
{
    static const char *const suffixes[] = {".weight", ".bias", ".running_mean", ".running_var"};
    const r2n_node *node = node_of(g, index);
    const int64_t channels = node->channels;
    if (is_folded(g, index))
        return RES2NET_OK;
    put_input(g, value_name(g, node->inputs[0]));
    for (int i = 0; i < 4; i++) {
        const res2net_status status =
            r2n_onnx_add_weights(g, node->tensor, suffixes[i], R2N_ONNX_FLOAT, 1, &channels);
        if (status != RES2NET_OK)
            return status;
        put_parameter(g, node->tensor, suffixes[i]);
    }
    put_output(g, node->name);
    put_kind(g, node->name, "BatchNormalization");
    put_float(g, "epsilon", EPSILON);
    /* Before there was a training mode, some took any momentum but 1 for training. */
    put_float(g, "momentum", g->options.opset >= TRAINING_IS_A_MODE ? MOMENTUM : 1);
    if (g->options.opset >= TRAINING_IS_A_MODE)
        put_integer(g, "training_mode", 0);
    end_node(g);
    return RES2NET_OK;
}

/* All slices of a value as one Split, where the first of them is. They are equal, and together the
 * whole value. */
static res2net_status make_split(r2n_onnx_graph *g, int32_t index)
{
    const r2n_graph *graph = g->model->graph;
    const r2n_node *first = node_of(g, index);
    char name[R2N_NAME_BYTES];
    if (first->first_channel != 0)
        return RES2NET_OK;
    /* "layer1.0.split.0" without its last part */
    snprintf(name, sizeof name, "%s", first->name);
    char *dot = strrchr(name, '.');
    if (dot != NULL)
        *dot = '\0';
    int32_t parts = 0;
    put_input(g, value_name(g, first->inputs[0]));
    const int as_input = g->options.opset >= SPLIT_SIZES_ARE_AN_INPUT;
    if (as_input)
        put_parameter(g, name, ".sizes");
    for (int32_t i = index; i < graph->count; i++)
        if (node_of(g, i)->kind == R2N_NODE_SLICE && node_of(g, i)->inputs[0] == first->inputs[0]) {
            put_output(g, node_of(g, i)->name);
            parts++;
        }
    put_kind(g, name, "Split");
    put_integer(g, "axis", 1);
    if (!as_input)
        put_equal(g, "split", first->channels, parts);
    end_node(g);
    if (!as_input)
        return RES2NET_OK;
    r2n_onnx_tensor *sizes = r2n_onnx_add_tensor(g, name, ".sizes");
    if (sizes == NULL)
        return r2n_onnx_no_memory(g);
    sizes->type = R2N_ONNX_INT64;
    sizes->rank = 1;
    sizes->shape[0] = sizes->count = parts;
    sizes->each = first->channels;
    return RES2NET_OK;
}

static void make_pool(r2n_onnx_graph *g, int32_t index)
{
    const r2n_node *node = node_of(g, index);
    put_value(g, index, node->inputs[0]);
    put_output(g, node->name);
    put_kind(g, node->name, node->pool_is_average ? "AveragePool" : "MaxPool");
    put_integer(g, "ceil_mode", node->ceil_mode);
    if (node->pool_is_average)
        put_integer(g, "count_include_pad", node->count_padding);
    put_equal(g, "kernel_shape", node->kernel, 2);
    put_equal(g, "pads", node->padding, 4);
    put_equal(g, "strides", node->stride, 2);
    end_node(g);
}

/* ReLU, addition, concatenation, global pool: inputs, and at most an axis. */
static void make_simple(r2n_onnx_graph *g, int32_t index, const char *operation)
{
    const r2n_node *node = node_of(g, index);
    char output[R2N_ONNX_NAME_BYTES];
    for (int32_t i = 0; i < node->input_count; i++)
        put_value(g, index, node->inputs[i]);
    snprintf(output, sizeof output, "%.95s%s", node->name,
             node->kind == R2N_NODE_CONCAT && g->plan != NULL ? ".levels" : "");
    put_output(g, output);
    put_kind(g, node->name, operation);
    if (node->kind == R2N_NODE_CONCAT)
        put_integer(g, "axis", 1);
    end_node(g);
}

static void end_with_axis(r2n_onnx_graph *g, const char *to, const char *name,
                          const char *operation)
{
    put_output(g, to);
    put_kind(g, name, operation);
    put_integer(g, "axis", 1);
    end_node(g);
}

static res2net_status make_linear(r2n_onnx_graph *g, int32_t index)
{
    const r2n_node *node = node_of(g, index);
    const int64_t shape[] = {node->channels, node_of(g, node->inputs[0])->channels};
    const size_t weight = g->tensor_count;
    res2net_status status =
        r2n_onnx_add_weights(g, node->tensor, ".weight", weights_type(g), 2, shape);
    if (status == RES2NET_OK)
        status = r2n_onnx_add_weights(g, node->tensor, ".bias", R2N_ONNX_FLOAT, 1, shape);
    if (status == RES2NET_OK && g->plan != NULL)
        status = r2n_onnx_round_weights(g, index, weight);
    if (status != RES2NET_OK)
        return status;
    put_value(g, index, node->inputs[0]);
    end_with_axis(g, "flatten", "flatten", "Flatten");
    widen(g, node);
    put_input(g, "flatten");
    put_widened(g, node);
    put_parameter(g, node->tensor, ".bias");
    put_output(g, "logits");
    put_kind(g, node->name, "Gemm");
    put_float(g, "alpha", 1);
    put_float(g, "beta", 1);
    put_integer(g, "transA", 0);
    put_integer(g, "transB", 1); /* the matrix is [classes][features] */
    end_node(g);
    if (g->options.softmax) {
        put_input(g, "logits");
        end_with_axis(g, "scores", "softmax", "Softmax");
    }
    return RES2NET_OK;
}

static res2net_status make_node(r2n_onnx_graph *g, int32_t index)
{
    switch (node_of(g, index)->kind) {
    case R2N_NODE_INPUT:
        return RES2NET_OK;
    case R2N_NODE_CONVOLUTION:
        return make_convolution(g, index);
    case R2N_NODE_BATCH_NORM:
        return make_batch_norm(g, index);
    case R2N_NODE_SLICE:
        return make_split(g, index);
    case R2N_NODE_LINEAR:
        return make_linear(g, index);
    case R2N_NODE_POOL:
        make_pool(g, index);
        return RES2NET_OK;
    case R2N_NODE_RELU:
        make_simple(g, index, "Relu");
        return RES2NET_OK;
    case R2N_NODE_ADD:
        make_simple(g, index, "Add");
        return RES2NET_OK;
    case R2N_NODE_CONCAT:
        make_simple(g, index, "Concat");
        return RES2NET_OK;
    case R2N_NODE_GLOBAL_POOL:
        make_simple(g, index, "GlobalAveragePool");
        return RES2NET_OK;
    }
    return r2n_fail(g->report, RES2NET_INTERNAL, g->path, -1, "%s is no node that ONNX has",
                    node_of(g, index)->name);
}

static res2net_status make_rounded_node(r2n_onnx_graph *g, int32_t index)
{
    const res2net_status status = make_node(g, index);
    return status == RES2NET_OK && g->plan != NULL ? r2n_onnx_round_value(g, index) : status;
}

res2net_status r2n_onnx_make_nodes(r2n_onnx_graph *graph)
{
    res2net_status status = RES2NET_OK;
    for (int32_t i = 0; i < graph->model->graph->count && status == RES2NET_OK; i++)
        status = make_rounded_node(graph, i);
    if (status == RES2NET_OK && graph->nodes.failed)
        status = r2n_onnx_no_memory(graph);
    return status;
}
