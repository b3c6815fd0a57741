/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inference.pdmodel: paddle.framework.proto.ProgramDesc (spec 5.4). A value has the name of the
 * node of ours that makes it. Every attribute that an operator's answer hangs on is written.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "export/paddle_internal.h"
#include "formats/protobuf_writer.h"

enum { PROGRAM_BLOCK = 1, PROGRAM_VERSION = 4, VERSION_NUMBER = 1 };
enum { BLOCK_INDEX = 1, BLOCK_PARENT = 2, BLOCK_VARIABLE = 3, BLOCK_OPERATION = 4 };
enum { VARIABLE_NAME = 1, VARIABLE_TYPE = 2, PERSISTABLE = 3 };
enum { TYPE = 1, DENSE_TENSOR = 3, TENSOR = 1, LEVELS = 2, DATA_TYPE = 1, DIMENSIONS = 2 };
enum { KIND_FP32 = 5, KIND_DENSE_TENSOR = 7, KIND_FEED = 9, KIND_FETCH = 10 };
enum { INPUTS = 1, OUTPUTS = 2, OPERATION_TYPE = 3, ATTRIBUTES = 4 };
enum { SLOT = 1, ARGUMENT = 2 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_TYPE = 2, AN_INTEGER = 3, A_FLOAT = 4, A_STRING = 5 };
enum { INTEGERS = 6, A_BOOLEAN = 10 };
enum { KIND_INTEGER = 0, KIND_FLOAT = 1, KIND_STRING = 2, KIND_INTEGERS = 3, KIND_BOOLEAN = 6 };
enum { ROOM = R2N_NAME_BYTES + 16 }; /* for a name with a tail */

typedef struct program {
    const r2n_paddle_export *export;
    r2n_text variables, operations; /* fields of the block */
    r2n_text operation, part;       /* in the making */
    r2n_text variable, type, dense, tensor;
} program;

/* ---- variables ------------------------------------------------------------------------------- */

static void end_variable(program *p, const char *name, int persistable)
{
    r2n_protobuf_put_string(&p->variable, VARIABLE_NAME, name);
    r2n_protobuf_put_message(&p->variable, VARIABLE_TYPE, &p->type);
    r2n_protobuf_put_integer(&p->variable, PERSISTABLE, persistable);
    r2n_protobuf_put_message(&p->variables, BLOCK_VARIABLE, &p->variable);
}

static void put_variable(program *p, const char *name, int32_t rank, const int64_t *shape,
                         int persistable)
{
    r2n_protobuf_put_integer(&p->tensor, DATA_TYPE, KIND_FP32);
    r2n_protobuf_put_repeated(&p->tensor, DIMENSIONS, shape, (size_t)rank);
    r2n_protobuf_put_message(&p->dense, TENSOR, &p->tensor);
    r2n_protobuf_put_integer(&p->dense, LEVELS, 0);
    r2n_protobuf_put_integer(&p->type, TYPE, KIND_DENSE_TENSOR);
    r2n_protobuf_put_message(&p->type, DENSE_TENSOR, &p->dense);
    end_variable(p, name, persistable);
}

static void put_port(program *p, const char *name, int64_t kind)
{
    r2n_protobuf_put_integer(&p->type, TYPE, kind);
    end_variable(p, name, 1);
}

static void put_parameters(program *p)
{
    for (size_t i = 0; i < p->export->count; i++) {
        const r2n_tensor_spec *spec = &p->export->specs[p->export->sorted[i]];
        int64_t shape[4];
        r2n_paddle_parameter_shape(spec, shape);
        put_variable(p, spec->paddle_parameter, spec->rank, shape, 1);
    }
}

static const char *value_name(const program *p, int32_t node)
{
    return p->export->model->graph->nodes[node].kind == R2N_NODE_INPUT
               ? R2N_PADDLE_INPUT
               : p->export->model->graph->nodes[node].name;
}

static void put_value(program *p, int32_t node)
{
    int64_t shape[4];
    r2n_paddle_value_shape(p->export, node, shape);
    put_variable(p, value_name(p, node), 4, shape, 0);
}

/* ---- one operation: inputs, outputs, type, attributes, end ----------------------------------- */

static void put_argument(program *p, uint32_t side, const char *slot, const char *argument)
{
    r2n_protobuf_put_string(&p->part, SLOT, slot);
    r2n_protobuf_put_string(&p->part, ARGUMENT, argument);
    r2n_protobuf_put_message(&p->operation, side, &p->part);
}

static void put_value_argument(program *p, uint32_t side, const char *slot, int32_t node)
{
    put_argument(p, side, slot, value_name(p, node));
}

/* A slot of several values. */
static void put_arguments(program *p, uint32_t side, const char *slot, const int32_t *nodes,
                          int32_t count)
{
    r2n_protobuf_put_string(&p->part, SLOT, slot);
    for (int32_t i = 0; i < count; i++)
        r2n_protobuf_put_string(&p->part, ARGUMENT, value_name(p, nodes[i]));
    r2n_protobuf_put_message(&p->operation, side, &p->part);
}

static const char *parameter_name(const program *p, const char *prefix, const char *suffix)
{
    return p->export->specs[r2n_paddle_find(p->export, prefix, suffix)].paddle_parameter;
}

static void put_type(program *p, const char *type)
{
    r2n_protobuf_put_string(&p->operation, OPERATION_TYPE, type);
}

static void begin_attribute(program *p, const char *name, int64_t kind)
{
    r2n_protobuf_put_string(&p->part, ATTRIBUTE_NAME, name);
    r2n_protobuf_put_integer(&p->part, ATTRIBUTE_TYPE, kind);
}

static void end_attribute(program *p)
{
    r2n_protobuf_put_message(&p->operation, ATTRIBUTES, &p->part);
}

static void put_integer(program *p, const char *name, int64_t value)
{
    begin_attribute(p, name, KIND_INTEGER);
    r2n_protobuf_put_integer(&p->part, AN_INTEGER, value);
    end_attribute(p);
}

static void put_integers(program *p, const char *name, int64_t first, int64_t second)
{
    begin_attribute(p, name, KIND_INTEGERS);
    r2n_protobuf_put_integer(&p->part, INTEGERS, first);
    r2n_protobuf_put_integer(&p->part, INTEGERS, second);
    end_attribute(p);
}

static void put_float(program *p, const char *name, float value)
{
    begin_attribute(p, name, KIND_FLOAT);
    r2n_protobuf_put_float(&p->part, A_FLOAT, value);
    end_attribute(p);
}

static void put_string(program *p, const char *name, const char *value)
{
    begin_attribute(p, name, KIND_STRING);
    r2n_protobuf_put_string(&p->part, A_STRING, value);
    end_attribute(p);
}

static void put_boolean(program *p, const char *name, int value)
{
    begin_attribute(p, name, KIND_BOOLEAN);
    r2n_protobuf_put_integer(&p->part, A_BOOLEAN, value);
    end_attribute(p);
}

static void end_operation(program *p)
{
    r2n_protobuf_put_message(&p->operations, BLOCK_OPERATION, &p->operation);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void put_convolution(program *p, int32_t i, const r2n_node *node)
{
    put_argument(p, INPUTS, "Filter", parameter_name(p, node->tensor, ".weight"));
    put_value_argument(p, INPUTS, "Input", node->inputs[0]);
    put_value_argument(p, OUTPUTS, "Output", i);
    put_type(p, "conv2d");
    put_string(p, "data_format", "NCHW");
    put_integers(p, "dilations", 1, 1);
    put_integer(p, "groups", 1);
    put_string(p, "padding_algorithm", "EXPLICIT");
    put_integers(p, "paddings", node->padding, node->padding);
    put_integers(p, "strides", node->stride, node->stride);
    end_operation(p);
}

/* An output that inference leaves as it is: one number a channel. */
static void put_saved(program *p, const r2n_node *node, const char *slot, const char *tail)
{
    const int64_t shape[] = {node->channels};
    char name[ROOM];
    snprintf(name, sizeof name, "%s%s", node->name, tail);
    put_variable(p, name, 1, shape, 0);
    put_argument(p, OUTPUTS, slot, name);
}

static void put_batch_norm(program *p, int32_t i, const r2n_node *node)
{
    const char *mean = parameter_name(p, node->tensor, ".running_mean");
    const char *variance = parameter_name(p, node->tensor, ".running_var");
    put_argument(p, INPUTS, "Bias", parameter_name(p, node->tensor, ".bias"));
    put_argument(p, INPUTS, "Mean", mean);
    put_argument(p, INPUTS, "Scale", parameter_name(p, node->tensor, ".weight"));
    put_argument(p, INPUTS, "Variance", variance);
    put_value_argument(p, INPUTS, "X", node->inputs[0]);
    put_argument(p, OUTPUTS, "MeanOut", mean);
    put_saved(p, node, "SavedMean", ".saved_mean");
    put_saved(p, node, "SavedVariance", ".saved_variance");
    put_argument(p, OUTPUTS, "VarianceOut", variance);
    put_value_argument(p, OUTPUTS, "Y", i);
    put_type(p, "batch_norm");
    put_string(p, "data_layout", "NCHW");
    put_float(p, "epsilon", R2N_PADDLE_EPSILON);
    put_boolean(p, "is_test", 1);
    put_float(p, "momentum", R2N_PADDLE_MOMENTUM);
    put_boolean(p, "trainable_statistics", 0);
    put_boolean(p, "use_global_stats", 0);
    end_operation(p);
}

static void put_relu(program *p, int32_t i, const r2n_node *node)
{
    put_value_argument(p, INPUTS, "X", node->inputs[0]);
    put_value_argument(p, OUTPUTS, "Out", i);
    put_type(p, "relu");
    end_operation(p);
}

static void put_sum(program *p, const char *x, const char *y, const char *out)
{
    put_argument(p, INPUTS, "X", x);
    put_argument(p, INPUTS, "Y", y);
    put_argument(p, OUTPUTS, "Out", out);
    put_type(p, "elementwise_add");
    put_integer(p, "axis", -1);
    end_operation(p);
}

/* All groups at once, where the first of them is. */
static void put_split(program *p, int32_t i, const r2n_node *node)
{
    int32_t nodes[R2N_NODE_INPUTS];
    const int32_t count = r2n_paddle_slices(p->export->model->graph, i, nodes);
    if (count == 0)
        return;
    put_value_argument(p, INPUTS, "X", node->inputs[0]);
    put_arguments(p, OUTPUTS, "Out", nodes, count);
    put_type(p, "split");
    put_integer(p, "axis", 1);
    put_integer(p, "num", count);
    begin_attribute(p, "sections", KIND_INTEGERS);
    end_attribute(p);
    end_operation(p);
}

static void put_concat(program *p, int32_t i, const r2n_node *node)
{
    put_arguments(p, INPUTS, "X", node->inputs, node->input_count);
    put_value_argument(p, OUTPUTS, "Out", i);
    put_type(p, "concat");
    put_integer(p, "axis", 1);
    end_operation(p);
}

/* The global pool is an adaptive one to 1 x 1. */
static void put_pool(program *p, int32_t i, const r2n_node *node)
{
    const int global = node->kind == R2N_NODE_GLOBAL_POOL;
    const int32_t kernel = global ? 1 : node->kernel;
    put_value_argument(p, INPUTS, "X", node->inputs[0]);
    put_value_argument(p, OUTPUTS, "Out", i);
    put_type(p, "pool2d");
    put_boolean(p, "adaptive", global);
    put_boolean(p, "ceil_mode", node->ceil_mode);
    put_string(p, "data_format", "NCHW");
    put_boolean(p, "exclusive", !node->count_padding);
    put_boolean(p, "global_pooling", 0);
    put_integers(p, "ksize", kernel, kernel);
    put_string(p, "padding_algorithm", "EXPLICIT");
    put_integers(p, "paddings", node->padding, node->padding);
    put_string(p, "pooling_type", global || node->pool_is_average ? "avg" : "max");
    put_integers(p, "strides", node->stride, node->stride);
    end_operation(p);
}

static void put_reshape(program *p, int32_t input, int32_t features, const char *out)
{
    static const char shape_name[] = "reshape2_0.tmp_1";
    const int64_t flat[] = {p->export->options.batch > 0 ? p->export->options.batch : -1, features};
    const int64_t old[] = {0, flat[0], features, 1, 1};
    put_variable(p, out, 2, flat, 0);
    put_variable(p, shape_name, 5, old, 0);
    put_value_argument(p, INPUTS, "X", input);
    put_argument(p, OUTPUTS, "Out", out);
    put_argument(p, OUTPUTS, "XShape", shape_name);
    put_type(p, "reshape2");
    put_integers(p, "shape", -1, features);
    end_operation(p);
}

/* The classifier: [images][features] times [features][classes], and the offsets. */
static void put_linear(program *p, const r2n_node *node)
{
    static const char flat[] = "reshape2_0.tmp_0", product[] = "linear_0.tmp_0";
    const r2n_graph *graph = p->export->model->graph;
    const int64_t shape[] = {p->export->options.batch > 0 ? p->export->options.batch : -1,
                             node->channels};
    put_reshape(p, node->inputs[0], graph->nodes[node->inputs[0]].channels, flat);
    put_variable(p, product, 2, shape, 0);
    put_argument(p, INPUTS, "X", flat);
    put_argument(p, INPUTS, "Y", parameter_name(p, node->tensor, ".weight"));
    put_argument(p, OUTPUTS, "Out", product);
    put_type(p, "matmul_v2");
    put_boolean(p, "trans_x", 0);
    put_boolean(p, "trans_y", 0);
    end_operation(p);
    put_variable(p, R2N_PADDLE_LOGITS, 2, shape, 0);
    put_sum(p, product, parameter_name(p, node->tensor, ".bias"), R2N_PADDLE_LOGITS);
    if (!p->export->options.softmax)
        return;
    put_variable(p, R2N_PADDLE_SOFTMAX, 2, shape, 0);
    put_argument(p, INPUTS, "X", R2N_PADDLE_LOGITS);
    put_argument(p, OUTPUTS, "Out", R2N_PADDLE_SOFTMAX);
    put_type(p, "softmax");
    put_integer(p, "axis", -1);
    end_operation(p);
}

static void put_port_operation(program *p, const char *type, const char *from, const char *to)
{
    put_argument(p, INPUTS, "X", from);
    put_argument(p, OUTPUTS, "Out", to);
    put_type(p, type);
    put_integer(p, "col", 0);
    end_operation(p);
}

static void put_node(program *p, int32_t i)
{
    const r2n_node *node = &p->export->model->graph->nodes[i];
    if (node->kind != R2N_NODE_LINEAR)
        put_value(p, i);
    switch (node->kind) {
    case R2N_NODE_INPUT:
        put_port_operation(p, "feed", "feed", R2N_PADDLE_INPUT);
        break;
    case R2N_NODE_CONVOLUTION:
        put_convolution(p, i, node);
        break;
    case R2N_NODE_BATCH_NORM:
        put_batch_norm(p, i, node);
        break;
    case R2N_NODE_RELU:
        put_relu(p, i, node);
        break;
    case R2N_NODE_ADD:
        put_sum(p, value_name(p, node->inputs[0]), value_name(p, node->inputs[1]), node->name);
        break;
    case R2N_NODE_SLICE:
        put_split(p, i, node);
        break;
    case R2N_NODE_CONCAT:
        put_concat(p, i, node);
        break;
    case R2N_NODE_POOL:
    case R2N_NODE_GLOBAL_POOL:
        put_pool(p, i, node);
        break;
    case R2N_NODE_LINEAR:
        put_linear(p, node);
        break;
    }
}

/* The version is 0, "none": what is written here is older than any change that versions tell. */
static void put_program(program *p, r2n_text *text)
{
    r2n_text block = {0}, version = {0};
    r2n_protobuf_put_integer(&block, BLOCK_INDEX, 0);
    r2n_protobuf_put_integer(&block, BLOCK_PARENT, -1);
    r2n_text_put_bytes(&block, p->variables.data, p->variables.size);
    r2n_text_put_bytes(&block, p->operations.data, p->operations.size);
    block.failed |= p->variables.failed || p->operations.failed;
    r2n_protobuf_put_message(text, PROGRAM_BLOCK, &block);
    r2n_protobuf_put_integer(&version, VERSION_NUMBER, 0);
    r2n_protobuf_put_message(text, PROGRAM_VERSION, &version);
    r2n_free(block.data);
    r2n_free(version.data);
}

void r2n_paddle_put_pdmodel(const r2n_paddle_export *export, r2n_text *text)
{
    program p = {.export = export};
    r2n_text *const owned[] = {&p.variables, &p.operations, &p.operation, &p.part,
                               &p.variable,  &p.type,       &p.dense,     &p.tensor};
    put_parameters(&p);
    for (int32_t i = 0; i < export->model->graph->count; i++)
        put_node(&p, i);
    put_port_operation(&p, "fetch",
                       export->options.softmax ? R2N_PADDLE_SOFTMAX : R2N_PADDLE_LOGITS, "fetch");
    put_port(&p, "feed", KIND_FEED);
    put_port(&p, "fetch", KIND_FETCH);
    put_program(&p, text);
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        r2n_free(owned[i]->data);
}
