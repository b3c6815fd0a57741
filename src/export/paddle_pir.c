/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inference.json: the same program in Paddle's newer representation (spec 5.5). Values have
 * numbers. "#" is an operation or a type, "A" attributes, "I" operands, "O" results with their
 * types "TT", "OA" what is known of the results.
 */
#include <string.h>

#include "base/memory.h"
#include "export/paddle_internal.h"

enum { FORMAT_VERSION = 4 }; /* Paddle 3.3.1's */

typedef struct program {
    const r2n_paddle_export *export;
    r2n_text *text;
    int64_t last;       /* number of the newest value */
    int64_t parameters; /* tensor i of the weights is value parameters + i */
    int64_t *values;    /* of the graph's nodes */
    int32_t items;      /* in the list that is being written */
    int32_t operations;
} program;

/* ---- pieces ---------------------------------------------------------------------------------- */

static void put(program *p, const char *piece)
{
    r2n_text_put(p->text, piece);
}

static void put_number(program *p, int64_t number)
{
    r2n_json_put_integer(p->text, number);
}

static void put_comma(program *p)
{
    put(p, p->items++ > 0 ? "," : "");
}

static void put_tensor_type(program *p, const char *element, int32_t rank, const int64_t *shape)
{
    put(p, "{\"#\":\"0.t_dtensor\",\"D\":[{\"#\":\"");
    put(p, element);
    put(p, "\"},[");
    for (int32_t i = 0; i < rank; i++) {
        put(p, i > 0 ? "," : "");
        put_number(p, shape[i]);
    }
    put(p, "],\"NCHW\",[],0]}");
}

static void begin_operation(program *p, const char *kind)
{
    put(p, p->operations++ > 0 ? ",\n{\"#\":\"" : "\n{\"#\":\"");
    put(p, kind);
    put(p, "\",\"A\":[");
    p->items = 0;
}

/* ---- attributes ------------------------------------------------------------------------------ */

static void begin_attribute(program *p, const char *type)
{
    put_comma(p);
    put(p, "{\"AT\":{\"#\":\"");
    put(p, type);
    put(p, "\",\"D\":");
}

static void end_attribute(program *p, const char *name)
{
    put(p, "},\"N\":\"");
    put(p, name);
    put(p, "\"}");
}

static void put_integer(program *p, const char *type, const char *name, int64_t value)
{
    begin_attribute(p, type);
    put_number(p, value);
    end_attribute(p, name);
}

static void put_float(program *p, const char *type, const char *name, double value)
{
    begin_attribute(p, type);
    r2n_json_put_number(p->text, value);
    end_attribute(p, name);
}

static void put_boolean(program *p, const char *name, int value)
{
    begin_attribute(p, "0.a_bool");
    put(p, value ? "true" : "false");
    end_attribute(p, name);
}

static void put_string(program *p, const char *type, const char *name, const char *value)
{
    begin_attribute(p, type);
    put(p, "\"");
    put(p, value);
    put(p, "\"");
    end_attribute(p, name);
}

/* An array of two, each with its type. */
static void put_pair(program *p, const char *type, const char *name, int64_t first, int64_t second)
{
    begin_attribute(p, "0.a_array");
    for (int i = 0; i < 2; i++) {
        put(p, i > 0 ? ",{\"#\":\"" : "[{\"#\":\"");
        put(p, type);
        put(p, "\",\"D\":");
        put_number(p, i > 0 ? second : first);
        put(p, "}");
    }
    put(p, "]");
    end_attribute(p, name);
}

/* `device` 0: none yet, 1: the CPU. */
static void put_place(program *p, int device)
{
    begin_attribute(p, "1.a_place");
    put(p, device ? "[1,0,\"\"]" : "[0,0,\"\"]");
    end_attribute(p, "place");
}

/* ---- operands and results -------------------------------------------------------------------- */

static void begin_operands(program *p)
{
    put(p, "],\"I\":[");
    p->items = 0;
}

static void put_operand(program *p, int64_t value)
{
    put_comma(p);
    put(p, "{\"%\":");
    put_number(p, value);
    put(p, "}");
}

static void put_node_operand(program *p, int32_t node)
{
    put_operand(p, p->values[node]);
}

static void put_parameter_operand(program *p, const char *prefix, const char *suffix)
{
    put_operand(p, p->parameters + (int64_t)r2n_paddle_find(p->export, prefix, suffix));
}

static void begin_results(program *p)
{
    put(p, "],\"O\":[");
    p->items = 0;
}

static int64_t begin_result(program *p)
{
    put_comma(p);
    put(p, "{\"%\":");
    put_number(p, ++p->last);
    put(p, ",\"TT\":");
    return p->last;
}

static int64_t put_result(program *p, const char *element, int32_t rank, const int64_t *shape)
{
    const int64_t value = begin_result(p);
    put_tensor_type(p, element, rank, shape);
    put(p, "}");
    return value;
}

static void put_node_result(program *p, int32_t node)
{
    int64_t shape[4];
    r2n_paddle_value_shape(p->export, node, shape);
    p->values[node] = put_result(p, "0.t_f32", 4, shape);
}

/* A result that is a list of the nodes' values. */
static int64_t put_list_result(program *p, const int32_t *nodes, int32_t count)
{
    const int64_t value = begin_result(p);
    put(p, "{\"#\":\"0.t_vec\",\"D\":[");
    for (int32_t i = 0; i < count; i++) {
        int64_t shape[4];
        r2n_paddle_value_shape(p->export, nodes[i], shape);
        put(p, i > 0 ? "," : "");
        put_tensor_type(p, "0.t_f32", 4, shape);
    }
    put(p, "]}}");
    return value;
}

static void end_operation(program *p, int constant)
{
    const int32_t results = p->items;
    put(p, "],\"OA\":[{\"AT\":{\"#\":\"0.a_array\",\"D\":[");
    for (int32_t i = 0; i < results; i++) {
        put(p, i > 0 ? "," : "");
        put(p, constant ? "{\"#\":\"0.a_bool\",\"D\":true}" : "{\"#\":\"0.a_bool\",\"D\":false}");
    }
    put(p, "]},\"N\":\"stop_gradient\"}]}");
}

/* ---- operations ------------------------------------------------------------------------------ */

static void put_parameters(program *p)
{
    p->parameters = p->last + 1;
    for (size_t i = 0; i < p->export->count; i++) {
        const r2n_tensor_spec *spec = &p->export->specs[i];
        int64_t shape[4];
        r2n_paddle_parameter_shape(spec, shape);
        begin_operation(p, "p");
        put(p, "0,1,1,");
        r2n_json_put_string(p->text, spec->paddle_parameter);
        put(p, "],\"DA\":[],\"O\":{\"%\":");
        put_number(p, ++p->last);
        put(p, ",\"TT\":");
        put_tensor_type(p, "0.t_f32", spec->rank, shape);
        put(p, spec->trainable ? "},\"OA\":[1,0,1],\"QA\":[]}" : "},\"OA\":[1,1,0],\"QA\":[]}");
    }
}

static void put_input(program *p, int32_t i)
{
    int64_t shape[4];
    r2n_paddle_value_shape(p->export, i, shape);
    begin_operation(p, "1.data");
    put_string(p, "0.a_str", "name", R2N_PADDLE_INPUT);
    begin_attribute(p, "1.a_intarray");
    for (int at = 0; at < 4; at++) {
        put(p, at > 0 ? "," : "[");
        put_number(p, shape[at]);
    }
    put(p, "]");
    end_attribute(p, "shape");
    put_string(p, "1.a_dtype", "dtype", "float32");
    put_place(p, 0);
    begin_operands(p);
    begin_results(p);
    put_node_result(p, i);
    end_operation(p, 0);
}

static void put_convolution(program *p, int32_t i, const r2n_node *node)
{
    begin_operation(p, "1.conv2d");
    put_pair(p, "0.a_i32", "strides", node->stride, node->stride);
    put_pair(p, "0.a_i32", "paddings", node->padding, node->padding);
    put_string(p, "0.a_str", "padding_algorithm", "EXPLICIT");
    put_pair(p, "0.a_i32", "dilations", 1, 1);
    put_integer(p, "0.a_i32", "groups", 1);
    put_string(p, "0.a_str", "data_format", "NCHW");
    begin_operands(p);
    put_node_operand(p, node->inputs[0]);
    put_parameter_operand(p, node->tensor, ".weight");
    begin_results(p);
    put_node_result(p, i);
    end_operation(p, 0);
}

static void put_batch_norm(program *p, int32_t i, const r2n_node *node)
{
    const int64_t channels[] = {node->channels}, unknown[] = {-1};
    begin_operation(p, "1.batch_norm_");
    put_boolean(p, "is_test", 1);
    put_float(p, "0.a_f32", "momentum", R2N_PADDLE_MOMENTUM);
    put_float(p, "0.a_f32", "epsilon", R2N_PADDLE_EPSILON);
    put_string(p, "0.a_str", "data_format", "NCHW");
    put_boolean(p, "use_global_stats", 0);
    put_boolean(p, "trainable_statistics", 0);
    begin_operands(p);
    put_node_operand(p, node->inputs[0]);
    put_parameter_operand(p, node->tensor, ".running_mean");
    put_parameter_operand(p, node->tensor, ".running_var");
    put_parameter_operand(p, node->tensor, ".weight");
    put_parameter_operand(p, node->tensor, ".bias");
    begin_results(p);
    put_node_result(p, i);
    for (int at = 0; at < 4; at++) /* new and saved mean and variance */
        (void)put_result(p, "0.t_f32", 1, channels);
    (void)put_result(p, "0.t_ui8", 1, unknown); /* reserved space */
    end_operation(p, 0);
}

static void put_relu(program *p, int32_t i, const r2n_node *node)
{
    begin_operation(p, "1.relu");
    begin_operands(p);
    put_node_operand(p, node->inputs[0]);
    begin_results(p);
    put_node_result(p, i);
    end_operation(p, 0);
}

static void put_sum(program *p, int32_t i, const r2n_node *node)
{
    begin_operation(p, "1.add");
    begin_operands(p);
    put_node_operand(p, node->inputs[0]);
    put_node_operand(p, node->inputs[1]);
    begin_results(p);
    put_node_result(p, i);
    end_operation(p, 0);
}

/* The number of the channels' dimension, as a value. */
static int64_t put_axis(program *p)
{
    static const int64_t shape[] = {1};
    begin_operation(p, "1.full");
    begin_attribute(p, "1.a_intarray");
    put(p, "[1]");
    end_attribute(p, "shape");
    put_float(p, "0.a_f64", "value", 1.0);
    put_string(p, "1.a_dtype", "dtype", "int32");
    put_place(p, 1);
    begin_operands(p);
    begin_results(p);
    const int64_t value = put_result(p, "0.t_i32", 1, shape);
    end_operation(p, 1);
    return value;
}

/* Two numbers as a value: sizes of a window, or the shape of a matrix. */
static int64_t put_sizes(program *p, int64_t first, int64_t second)
{
    static const int64_t shape[] = {2};
    begin_operation(p, "1.full_int_array");
    put_pair(p, "0.a_i64", "value", first, second);
    put_string(p, "1.a_dtype", "dtype", "int64");
    put_place(p, 1);
    begin_operands(p);
    begin_results(p);
    const int64_t value = put_result(p, "0.t_i64", 1, shape);
    end_operation(p, 1);
    return value;
}

/* All groups at once, where the first of them is. */
static void put_split(program *p, int32_t i, const r2n_node *node)
{
    int32_t nodes[R2N_NODE_INPUTS];
    const int32_t count = r2n_paddle_slices(p->export->model->graph, i, nodes);
    if (count == 0)
        return;
    const int64_t axis = put_axis(p);
    begin_operation(p, "1.split_with_num");
    put_integer(p, "0.a_i32", "num", count);
    begin_operands(p);
    put_node_operand(p, node->inputs[0]);
    put_operand(p, axis);
    begin_results(p);
    const int64_t list = put_list_result(p, nodes, count);
    end_operation(p, 0);
    begin_operation(p, "0.split");
    begin_operands(p);
    put_operand(p, list);
    begin_results(p);
    for (int32_t at = 0; at < count; at++)
        put_node_result(p, nodes[at]);
    end_operation(p, 0);
}

static void put_concat(program *p, int32_t i, const r2n_node *node)
{
    const int64_t axis = put_axis(p);
    begin_operation(p, "0.combine");
    begin_operands(p);
    for (int32_t at = 0; at < node->input_count; at++)
        put_node_operand(p, node->inputs[at]);
    begin_results(p);
    const int64_t list = put_list_result(p, node->inputs, node->input_count);
    end_operation(p, 0);
    begin_operation(p, "1.concat");
    begin_operands(p);
    put_operand(p, list);
    put_operand(p, axis);
    begin_results(p);
    put_node_result(p, i);
    end_operation(p, 0);
}

/* The global pool is an adaptive one to 1 x 1. */
static void put_pool(program *p, int32_t i, const r2n_node *node)
{
    const int global = node->kind == R2N_NODE_GLOBAL_POOL;
    const int64_t window = put_sizes(p, global ? 1 : node->kernel, global ? 1 : node->kernel);
    begin_operation(p, "1.pool2d");
    put_pair(p, "0.a_i64", "strides", node->stride, node->stride);
    put_pair(p, "0.a_i64", "paddings", node->padding, node->padding);
    put_boolean(p, "ceil_mode", node->ceil_mode);
    put_boolean(p, "exclusive", !node->count_padding);
    put_string(p, "0.a_str", "data_format", "NCHW");
    put_string(p, "0.a_str", "pooling_type", global || node->pool_is_average ? "avg" : "max");
    put_boolean(p, "global_pooling", 0);
    put_boolean(p, "adaptive", global);
    put_string(p, "0.a_str", "padding_algorithm", "EXPLICIT");
    begin_operands(p);
    put_node_operand(p, node->inputs[0]);
    put_operand(p, window);
    begin_results(p);
    put_node_result(p, i);
    end_operation(p, 0);
}

/* An operation of the head, whose values are [images][numbers]. The operation is begun, with its
 * attributes. `y` 0: none. */
static int64_t end_matrix_operation(program *p, int64_t x, int64_t y, int64_t numbers)
{
    const int64_t shape[] = {p->export->options.batch > 0 ? p->export->options.batch : -1, numbers};
    begin_operands(p);
    put_operand(p, x);
    if (y > 0)
        put_operand(p, y);
    begin_results(p);
    return put_result(p, "0.t_f32", 2, shape);
}

static int64_t put_softmax(program *p, int64_t logits, int64_t classes)
{
    begin_operation(p, "1.softmax");
    put_integer(p, "0.a_i32", "axis", -1);
    const int64_t scores = end_matrix_operation(p, logits, 0, classes);
    end_operation(p, 0);
    return scores;
}

static void put_head(program *p, const r2n_node *node)
{
    const int64_t features = p->export->model->graph->nodes[node->inputs[0]].channels;
    const int64_t weight = (int64_t)r2n_paddle_find(p->export, node->tensor, ".weight");
    const int64_t bias = (int64_t)r2n_paddle_find(p->export, node->tensor, ".bias");
    const int64_t shape = put_sizes(p, -1, features);
    begin_operation(p, "1.reshape");
    int64_t value = end_matrix_operation(p, p->values[node->inputs[0]], shape, features);
    end_operation(p, 0);
    begin_operation(p, "1.matmul");
    put_boolean(p, "transpose_x", 0);
    put_boolean(p, "transpose_y", 0);
    value = end_matrix_operation(p, value, p->parameters + weight, node->channels);
    end_operation(p, 0);
    begin_operation(p, "1.add");
    value = end_matrix_operation(p, value, p->parameters + bias, node->channels);
    end_operation(p, 0);
    if (p->export->options.softmax)
        value = put_softmax(p, value, node->channels);
    begin_operation(p, "1.fetch");
    put_string(p, "0.a_str", "name", "fetch_name_0");
    put_integer(p, "0.a_i32", "col", 0);
    (void)end_matrix_operation(p, value, 0, node->channels);
    put(p, "],\"OA\":[{\"AT\":{\"#\":\"0.a_array\",\"D\":[{\"#\":\"0.a_bool\",\"D\":true}]},"
           "\"N\":\"persistable\"},{\"AT\":{\"#\":\"0.a_array\",\"D\":[{\"#\":\"0.a_bool\",\"D\":"
           "false}]},\"N\":\"stop_gradient\"}]}");
}

static void put_node(program *p, int32_t i)
{
    const r2n_node *node = &p->export->model->graph->nodes[i];
    switch (node->kind) {
    case R2N_NODE_INPUT:
        put_input(p, i);
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
        put_sum(p, i, node);
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
        put_head(p, node);
        break;
    }
}

void r2n_paddle_put_pir(const r2n_paddle_export *export, r2n_text *text)
{
    const r2n_graph *graph = export->model->graph;
    program p = {.export = export, .text = text};
    p.values = r2n_allocate_zeroed((size_t)graph->count, sizeof *p.values);
    if (p.values == NULL) {
        text->failed = 1;
        return;
    }
    put(&p, "{\"base_code\":{\"magic\":\"pir\",\"trainable\":true,\"version\":");
    put_number(&p, FORMAT_VERSION);
    put(&p, "},\"program\":{\"regions\":[{\"#\":\"region_0\",\"blocks\":[{\"#\":\"block_0\","
            "\"args\":[],\"ops\":[");
    put_parameters(&p);
    for (int32_t i = 0; i < graph->count; i++)
        put_node(&p, i);
    put(&p, "\n]}]}]}}\n");
    r2n_free(p.values);
}
