/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's programs written by shared/spec/paddleclas.md 5.3 to 5.5: .pdmodel with .pdiparams, and
 * inference.json. */
#ifndef R2N_TESTS_PADDLE_FIXTURE_H
#define R2N_TESTS_PADDLE_FIXTURE_H

#include "import_fixture.h"

#include <stdarg.h>
#include <stdlib.h>

#include "formats/protobuf_writer.h"

typedef struct paddle_manner {
    int old;     /* mul, flatten_contiguous_range, and a scale by 1 at the end, as 2.1 wrote */
    int softmax; /* at the end */
    const char *other; /* an operation in the place of the first ReLU, or NULL */
} paddle_manner;

typedef struct paddle_writer {
    const network *n;
    const paddle_manner *m;
    r2n_text block; /* of the .pdmodel */
    r2n_text json;  /* operations of the .json */
    int ids;        /* the last id given */
    int relus;
} paddle_writer;

/* ---- tensors ---- */

/* Parameters' names are only names; these sort as p0, p1, p10, p11, p2. */
static inline const char *paddle_parameter_name(const network *n, const r2n_tensor *tensor,
                                                char out[16])
{
    snprintf(out, 16, "p%d", (int)(tensor - n->weights->tensors));
    return out;
}

typedef struct paddle_named {
    char name[16];
    const r2n_tensor *tensor;
} paddle_named;

static inline int paddle_compare(const void *a, const void *b)
{
    return strcmp(((const paddle_named *)a)->name, ((const paddle_named *)b)->name);
}

/* The classifier's matrix is stored [features][classes]. */
static inline int paddle_is_turned(const r2n_tensor *tensor)
{
    return tensor->rank == 2;
}

static inline void paddle_descriptor(r2n_text *text, const r2n_tensor *tensor)
{
    r2n_protobuf_put_integer(text, 1, 5);
    for (int32_t i = 0; i < tensor->rank; i++)
        r2n_protobuf_put_integer(
            text, 2, tensor->shape[paddle_is_turned(tensor) ? tensor->rank - 1 - i : i]);
}

static inline void paddle_little_endian(r2n_text *text, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        const uint8_t byte = i < sizeof number ? (uint8_t)(number >> (8 * i)) : 0;
        r2n_text_put_bytes(text, &byte, 1);
    }
}

static inline r2n_text paddle_parameters(const network *n)
{
    static paddle_named sorted[1024];
    r2n_text text = {0}, descriptor = {0};
    assert_true(n->weights->count <= 1024);
    for (size_t i = 0; i < n->weights->count; i++) {
        sorted[i].tensor = &n->weights->tensors[i];
        (void)paddle_parameter_name(n, sorted[i].tensor, sorted[i].name);
    }
    qsort(sorted, n->weights->count, sizeof sorted[0], paddle_compare);
    for (size_t i = 0; i < n->weights->count; i++) {
        const r2n_tensor *tensor = sorted[i].tensor;
        descriptor.size = 0;
        paddle_descriptor(&descriptor, tensor);
        paddle_little_endian(&text, 0, 4 + 8 + 4);
        paddle_little_endian(&text, descriptor.size, 4);
        r2n_text_put_bytes(&text, descriptor.data, descriptor.size);
        if (!paddle_is_turned(tensor)) {
            r2n_text_put_bytes(&text, tensor->data, (size_t)tensor->count * sizeof(float));
            continue;
        }
        for (int64_t f = 0; f < tensor->shape[1]; f++)
            for (int64_t c = 0; c < tensor->shape[0]; c++)
                r2n_text_put_bytes(&text, &tensor->data[c * tensor->shape[1] + f], sizeof(float));
    }
    r2n_free(descriptor.data);
    assert_false(text.failed);
    return text;
}

/* ---- .pdmodel -------------------------------------------------------------------------------- */

/* A variable; `tensor` is a parameter's. */
static inline void pdmodel_variable(r2n_text *block, const char *name, const r2n_tensor *tensor,
                                    int64_t kind)
{
    r2n_text variable = {0}, type = {0}, dense = {0}, descriptor = {0};
    r2n_protobuf_put_string(&variable, 1, name);
    r2n_protobuf_put_integer(&type, 1, kind);
    if (tensor != NULL)
        paddle_descriptor(&descriptor, tensor);
    else
        r2n_protobuf_put_integer(&descriptor, 1, 5);
    r2n_protobuf_put_message(&dense, 1, &descriptor);
    if (kind == 7)
        r2n_protobuf_put_message(&type, 3, &dense);
    r2n_protobuf_put_message(&variable, 2, &type);
    if (tensor != NULL || kind != 7)
        r2n_protobuf_put_integer(&variable, 3, 1);
    r2n_protobuf_put_message(block, 3, &variable);
    r2n_free(variable.data);
    r2n_free(type.data);
    r2n_free(dense.data);
    r2n_free(descriptor.data);
}

static inline void pdmodel_slot(r2n_text *operation, uint32_t field, const char *slot,
                                const char *argument)
{
    r2n_text text = {0};
    r2n_protobuf_put_string(&text, 1, slot);
    r2n_protobuf_put_string(&text, 2, argument);
    r2n_protobuf_put_message(operation, field, &text);
    r2n_free(text.data);
}

/* `field` 3 (int), 10 (boolean). */
static inline void pdmodel_integer(r2n_text *operation, const char *name, uint32_t field,
                                   int64_t value)
{
    r2n_text text = {0};
    r2n_protobuf_put_string(&text, 1, name);
    r2n_protobuf_put_integer(&text, 2, field == 3 ? 0 : 6);
    r2n_protobuf_put_integer(&text, field, value);
    r2n_protobuf_put_message(operation, 4, &text);
    r2n_free(text.data);
}

static inline void pdmodel_integers(r2n_text *operation, const char *name, int64_t a, int64_t b)
{
    r2n_text text = {0};
    r2n_protobuf_put_string(&text, 1, name);
    r2n_protobuf_put_integer(&text, 2, 3);
    r2n_protobuf_put_integer(&text, 6, a);
    r2n_protobuf_put_integer(&text, 6, b);
    r2n_protobuf_put_message(operation, 4, &text);
    r2n_free(text.data);
}

static inline void pdmodel_text(r2n_text *operation, const char *name, const char *value)
{
    r2n_text text = {0};
    r2n_protobuf_put_string(&text, 1, name);
    r2n_protobuf_put_integer(&text, 2, 2);
    r2n_protobuf_put_string(&text, 5, value);
    r2n_protobuf_put_message(operation, 4, &text);
    r2n_free(text.data);
}

static inline void pdmodel_put(paddle_writer *w, r2n_text *operation, const char *type)
{
    r2n_protobuf_put_string(operation, 3, type);
    r2n_protobuf_put_message(&w->block, 4, operation);
    r2n_free(operation->data);
    *operation = (r2n_text){0};
}

static inline const char *paddle_variable(int32_t node, char name[24])
{
    snprintf(name, 24, "t%d", (int)node);
    return name;
}

static inline void pdmodel_weight(paddle_writer *w, r2n_text *operation, const char *slot,
                                  const r2n_node *node, const char *what)
{
    char name[16];
    pdmodel_slot(operation, 1, slot,
                 paddle_parameter_name(w->n, network_tensor(w->n, node, what), name));
}

static inline void pdmodel_window(r2n_text *operation, const r2n_node *node)
{
    pdmodel_integers(operation, "strides", node->stride, node->stride);
    pdmodel_integers(operation, "paddings", node->padding, node->padding);
    pdmodel_text(operation, "padding_algorithm", "EXPLICIT");
}

static inline void pdmodel_split(paddle_writer *w, int32_t number, const char *x)
{
    const r2n_node *nodes = w->n->graph->nodes;
    r2n_text op = {0}, outputs = {0};
    char y[24];
    int64_t count = 0;
    if (nodes[number].first_channel != 0)
        return;
    pdmodel_slot(&op, 1, "X", x);
    r2n_protobuf_put_string(&outputs, 1, "Out");
    for (int32_t i = number; i < w->n->graph->count; i++)
        if (nodes[i].kind == R2N_NODE_SLICE && nodes[i].inputs[0] == nodes[number].inputs[0]) {
            r2n_protobuf_put_string(&outputs, 2, paddle_variable(i, y));
            count++;
        }
    r2n_protobuf_put_message(&op, 2, &outputs);
    pdmodel_integer(&op, "axis", 3, 1);
    pdmodel_integer(&op, "num", 3, count);
    pdmodel_put(w, &op, "split");
    r2n_free(outputs.data);
}

static inline void pdmodel_classifier(paddle_writer *w, const r2n_node *node, const char *x,
                                      const char *y)
{
    r2n_text op = {0};
    pdmodel_slot(&op, 1, "X", x);
    pdmodel_slot(&op, 2, "Out", "flat");
    if (w->m->old) {
        pdmodel_integer(&op, "start_axis", 3, 1);
        pdmodel_integer(&op, "stop_axis", 3, -1);
        pdmodel_put(w, &op, "flatten_contiguous_range");
    } else {
        pdmodel_integers(&op, "shape", -1, network_tensor(w->n, node, "weight")->shape[1]);
        pdmodel_put(w, &op, "reshape2");
    }
    pdmodel_slot(&op, 1, "X", "flat");
    pdmodel_weight(w, &op, "Y", node, "weight");
    pdmodel_slot(&op, 2, "Out", "product");
    if (w->m->old)
        pdmodel_integer(&op, "x_num_col_dims", 3, 1);
    pdmodel_put(w, &op, w->m->old ? "mul" : "matmul_v2");
    pdmodel_slot(&op, 1, "X", "product");
    pdmodel_weight(w, &op, "Y", node, "bias");
    pdmodel_slot(&op, 2, "Out", w->m->softmax || w->m->old ? "scores" : y);
    pdmodel_integer(&op, "axis", 3, w->m->old ? 1 : -1);
    pdmodel_put(w, &op, "elementwise_add");
    if (w->m->softmax) {
        pdmodel_slot(&op, 1, "X", "scores");
        pdmodel_slot(&op, 2, "Out", w->m->old ? "scores" : y);
        pdmodel_put(w, &op, "softmax");
    }
    if (w->m->old) {
        pdmodel_slot(&op, 1, "X", "scores");
        pdmodel_slot(&op, 2, "Out", y);
        pdmodel_put(w, &op, "scale");
    }
}

static inline void pdmodel_node(paddle_writer *w, int32_t number)
{
    const r2n_node *node = &w->n->graph->nodes[number];
    char x[24] = "", other[24], y[24];
    r2n_text op = {0};
    if (node->input_count > 0)
        (void)paddle_variable(node->inputs[0], x);
    (void)paddle_variable(number, y);
    switch (node->kind) {
    case R2N_NODE_INPUT:
        pdmodel_slot(&op, 1, "X", "feed");
        pdmodel_slot(&op, 2, "Out", y);
        pdmodel_put(w, &op, "feed");
        break;
    case R2N_NODE_CONVOLUTION:
        pdmodel_slot(&op, 1, "Input", x);
        pdmodel_weight(w, &op, "Filter", node, "weight");
        pdmodel_slot(&op, 2, "Output", y);
        pdmodel_window(&op, node);
        pdmodel_put(w, &op, "conv2d");
        break;
    case R2N_NODE_BATCH_NORM:
        pdmodel_slot(&op, 1, "X", x);
        pdmodel_weight(w, &op, "Scale", node, "weight");
        pdmodel_weight(w, &op, "Bias", node, "bias");
        pdmodel_weight(w, &op, "Mean", node, "running_mean");
        pdmodel_weight(w, &op, "Variance", node, "running_var");
        pdmodel_slot(&op, 2, "Y", y);
        pdmodel_integer(&op, "is_test", 10, 1);
        pdmodel_put(w, &op, "batch_norm");
        break;
    case R2N_NODE_RELU:
        pdmodel_slot(&op, 1, "X", x);
        pdmodel_slot(&op, 2, "Out", y);
        pdmodel_put(w, &op, w->m->other != NULL && w->relus++ == 0 ? w->m->other : "relu");
        break;
    case R2N_NODE_ADD:
        pdmodel_slot(&op, 1, "X", x);
        pdmodel_slot(&op, 1, "Y", paddle_variable(node->inputs[1], other));
        pdmodel_slot(&op, 2, "Out", y);
        pdmodel_put(w, &op, "elementwise_add");
        break;
    case R2N_NODE_SLICE:
        pdmodel_split(w, number, x);
        break;
    case R2N_NODE_CONCAT: {
        r2n_text inputs = {0};
        r2n_protobuf_put_string(&inputs, 1, "X");
        for (int32_t i = 0; i < node->input_count; i++)
            r2n_protobuf_put_string(&inputs, 2, paddle_variable(node->inputs[i], other));
        r2n_protobuf_put_message(&op, 1, &inputs);
        r2n_free(inputs.data);
        pdmodel_slot(&op, 2, "Out", y);
        pdmodel_integer(&op, "axis", 3, 1);
        pdmodel_put(w, &op, "concat");
        break;
    }
    case R2N_NODE_POOL:
        pdmodel_slot(&op, 1, "X", x);
        pdmodel_slot(&op, 2, "Out", y);
        pdmodel_window(&op, node);
        pdmodel_integers(&op, "ksize", node->kernel, node->kernel);
        pdmodel_text(&op, "pooling_type", node->pool_is_average ? "avg" : "max");
        pdmodel_integer(&op, "ceil_mode", 10, node->ceil_mode);
        pdmodel_integer(&op, "exclusive", 10, !node->count_padding);
        pdmodel_put(w, &op, "pool2d");
        break;
    case R2N_NODE_GLOBAL_POOL:
        pdmodel_slot(&op, 1, "X", x);
        pdmodel_slot(&op, 2, "Out", y);
        pdmodel_integers(&op, "ksize", 1, 1);
        pdmodel_text(&op, "pooling_type", "avg");
        pdmodel_integer(&op, w->m->old ? "global_pooling" : "adaptive", 10, 1);
        pdmodel_put(w, &op, "pool2d");
        break;
    case R2N_NODE_LINEAR:
        pdmodel_classifier(w, node, x, y);
        break;
    }
}

static inline r2n_text pdmodel_file(const network *n, const paddle_manner *m)
{
    paddle_writer w = {.n = n, .m = m};
    r2n_text program = {0}, op = {0};
    char name[16], last[24];
    r2n_protobuf_put_integer(&w.block, 1, 0);
    r2n_protobuf_put_integer(&w.block, 2, -1);
    pdmodel_variable(&w.block, "feed", NULL, 9);
    pdmodel_variable(&w.block, "fetch", NULL, 10);
    for (size_t i = 0; i < n->weights->count; i++) {
        const r2n_tensor *tensor = &n->weights->tensors[i];
        pdmodel_variable(&w.block, paddle_parameter_name(n, tensor, name), tensor, 7);
    }
    for (int32_t i = 0; i < n->graph->count; i++)
        pdmodel_variable(&w.block, paddle_variable(i, last), NULL, 7);
    pdmodel_variable(&w.block, "flat", NULL, 7);
    pdmodel_variable(&w.block, "product", NULL, 7);
    pdmodel_variable(&w.block, "scores", NULL, 7);
    for (int32_t i = 0; i < n->graph->count; i++)
        pdmodel_node(&w, i);
    pdmodel_slot(&op, 1, "X", last);
    pdmodel_slot(&op, 2, "Out", "fetch");
    pdmodel_put(&w, &op, "fetch");
    r2n_protobuf_put_message(&program, 1, &w.block);
    r2n_free(w.block.data);
    assert_false(program.failed);
    return program;
}

/* ---- inference.json -------------------------------------------------------------------------- */

static inline void pir_put(paddle_writer *w, const char *format, ...) RES2NET_PRINTF(2, 3);

static inline void pir_put(paddle_writer *w, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    r2n_text_put(&w->json, text);
}

/* Ids: node i is i + 1; parameter t follows; then what operations need between. */
static inline int pir_id(const paddle_writer *w, const r2n_node *node, const char *what)
{
    return w->n->graph->count + 1 +
           (int)(network_tensor(w->n, node, what) - w->n->weights->tensors);
}

static inline int pir_integers(paddle_writer *w, int64_t a, int64_t b)
{
    pir_put(w,
            ",{\"#\":\"1.full_int_array\",\"A\":[{\"AT\":{\"#\":\"0.a_array\",\"D\":[{\"#\":"
            "\"0.a_i64\",\"D\":%d},{\"#\":\"0.a_i64\",\"D\":%d}]},\"N\":\"value\"}],\"I\":[],"
            "\"O\":[{\"%%\":%d}]}",
            (int)a, (int)b, ++w->ids);
    return w->ids;
}

static inline int pir_axis(paddle_writer *w)
{
    pir_put(w,
            ",{\"#\":\"1.full\",\"A\":[{\"AT\":{\"#\":\"0.a_f64\",\"D\":1.0},\"N\":\"value\"}],"
            "\"I\":[],\"O\":[{\"%%\":%d}]}",
            ++w->ids);
    return w->ids;
}

static inline void pir_window(paddle_writer *w, const r2n_node *node)
{
    static const char *const names[] = {"strides", "paddings"};
    const int values[] = {node->stride, node->padding};
    for (int i = 0; i < 2; i++)
        pir_put(w,
                "%s{\"AT\":{\"#\":\"0.a_array\",\"D\":[{\"#\":\"0.a_i32\",\"D\":%d},{\"#\":"
                "\"0.a_i32\",\"D\":%d}]},\"N\":\"%s\"}",
                i == 0 ? "" : ",", values[i], values[i], names[i]);
}

static inline void pir_boolean(paddle_writer *w, const char *name, int value)
{
    pir_put(w, ",{\"AT\":{\"#\":\"0.a_bool\",\"D\":%s},\"N\":\"%s\"}", value ? "true" : "false",
            name);
}

/* One operand, one result, no attributes. */
static inline void pir_simple(paddle_writer *w, const char *type, int x, int y)
{
    pir_put(w, ",{\"#\":\"1.%s\",\"A\":[],\"I\":[{\"%%\":%d}],\"O\":[{\"%%\":%d}]}", type, x, y);
}

static inline void pir_split(paddle_writer *w, int32_t number)
{
    const r2n_node *nodes = w->n->graph->nodes;
    int count = 0;
    if (nodes[number].first_channel != 0)
        return;
    for (int32_t i = number; i < w->n->graph->count; i++)
        count += nodes[i].kind == R2N_NODE_SLICE && nodes[i].inputs[0] == nodes[number].inputs[0];
    const int axis = pir_axis(w), list = ++w->ids;
    pir_put(w,
            ",{\"#\":\"1.split_with_num\",\"A\":[{\"AT\":{\"#\":\"0.a_i32\",\"D\":%d},\"N\":"
            "\"num\"}],\"I\":[{\"%%\":%d},{\"%%\":%d}],\"O\":[{\"%%\":%d}]}",
            count, nodes[number].inputs[0] + 1, axis, list);
    pir_put(w, ",{\"#\":\"0.split\",\"A\":[],\"I\":[{\"%%\":%d}],\"O\":[", list);
    for (int32_t i = number, put = 0; i < w->n->graph->count; i++)
        if (nodes[i].kind == R2N_NODE_SLICE && nodes[i].inputs[0] == nodes[number].inputs[0])
            pir_put(w, "%s{\"%%\":%d}", put++ == 0 ? "" : ",", (int)i + 1);
    pir_put(w, "]}");
}

static inline void pir_concat(paddle_writer *w, int32_t number)
{
    const r2n_node *node = &w->n->graph->nodes[number];
    const int axis = pir_axis(w), list = ++w->ids;
    pir_put(w, ",{\"#\":\"0.combine\",\"A\":[],\"I\":[");
    for (int32_t i = 0; i < node->input_count; i++)
        pir_put(w, "%s{\"%%\":%d}", i == 0 ? "" : ",", (int)node->inputs[i] + 1);
    pir_put(w, "],\"O\":[{\"%%\":%d}]}", list);
    pir_put(w, ",{\"#\":\"1.concat\",\"A\":[],\"I\":[{\"%%\":%d},{\"%%\":%d}],\"O\":[{\"%%\":%d}]}",
            list, axis, (int)number + 1);
}

static inline void pir_pool(paddle_writer *w, int32_t number)
{
    const r2n_node *node = &w->n->graph->nodes[number];
    const int global = node->kind == R2N_NODE_GLOBAL_POOL;
    const int64_t kernel = global ? 1 : node->kernel;
    const int operand = pir_integers(w, kernel, kernel);
    pir_put(w, ",{\"#\":\"1.pool2d\",\"A\":[");
    pir_window(w, node);
    pir_boolean(w, "ceil_mode", node->ceil_mode);
    pir_boolean(w, "exclusive", !node->count_padding);
    pir_boolean(w, "adaptive", global);
    pir_put(w, ",{\"AT\":{\"#\":\"0.a_str\",\"D\":\"%s\"},\"N\":\"pooling_type\"}",
            global || node->pool_is_average ? "avg" : "max");
    pir_put(w, "],\"I\":[{\"%%\":%d},{\"%%\":%d}],\"O\":[{\"%%\":%d}]}", node->inputs[0] + 1,
            operand, (int)number + 1);
}

static inline void pir_classifier(paddle_writer *w, int32_t number)
{
    const r2n_node *node = &w->n->graph->nodes[number];
    const int shape = pir_integers(w, -1, network_tensor(w->n, node, "weight")->shape[1]);
    const int flat = ++w->ids, product = ++w->ids;
    const int scores = w->m->softmax ? ++w->ids : number + 1;
    pir_put(w,
            ",{\"#\":\"1.reshape\",\"A\":[],\"I\":[{\"%%\":%d},{\"%%\":%d}],\"O\":[{\"%%\":%d}]}",
            node->inputs[0] + 1, shape, flat);
    pir_put(w, ",{\"#\":\"1.matmul\",\"A\":[],\"I\":[{\"%%\":%d},{\"%%\":%d}],\"O\":[{\"%%\":%d}]}",
            flat, pir_id(w, node, "weight"), product);
    pir_put(w, ",{\"#\":\"1.add\",\"A\":[],\"I\":[{\"%%\":%d},{\"%%\":%d}],\"O\":[{\"%%\":%d}]}",
            product, pir_id(w, node, "bias"), scores);
    if (w->m->softmax)
        pir_simple(w, "softmax", scores, number + 1);
}

static inline void pir_node(paddle_writer *w, int32_t number)
{
    const r2n_node *node = &w->n->graph->nodes[number];
    const int x = node->input_count > 0 ? node->inputs[0] + 1 : 0, y = number + 1;
    switch (node->kind) {
    case R2N_NODE_INPUT:
        pir_put(w, ",{\"#\":\"1.data\",\"A\":[],\"I\":[],\"O\":[{\"%%\":%d}]}", y);
        break;
    case R2N_NODE_CONVOLUTION:
        pir_put(w, ",{\"#\":\"1.conv2d\",\"A\":[");
        pir_window(w, node);
        pir_put(w, "],\"I\":[{\"%%\":%d},{\"%%\":%d}],\"O\":[{\"%%\":%d}]}", x,
                pir_id(w, node, "weight"), y);
        break;
    case R2N_NODE_BATCH_NORM:
        pir_put(w, ",{\"#\":\"1.batch_norm_\",\"A\":[{\"AT\":{\"#\":\"0.a_bool\",\"D\":true},"
                   "\"N\":\"is_test\"}],");
        pir_put(w,
                "\"I\":[{\"%%\":%d},{\"%%\":%d},{\"%%\":%d},{\"%%\":%d},{\"%%\":%d}],\"O\":[{"
                "\"%%\":%d}]}",
                x, pir_id(w, node, "running_mean"), pir_id(w, node, "running_var"),
                pir_id(w, node, "weight"), pir_id(w, node, "bias"), y);
        break;
    case R2N_NODE_RELU:
        pir_simple(w, w->m->other != NULL && w->relus++ == 0 ? w->m->other : "relu", x, y);
        break;
    case R2N_NODE_ADD:
        pir_put(w,
                ",{\"#\":\"1.add\",\"A\":[],\"I\":[{\"%%\":%d},{\"%%\":%d}],\"O\":[{\"%%\":%d}]}",
                x, node->inputs[1] + 1, y);
        break;
    case R2N_NODE_SLICE:
        pir_split(w, number);
        break;
    case R2N_NODE_CONCAT:
        pir_concat(w, number);
        break;
    case R2N_NODE_POOL:
    case R2N_NODE_GLOBAL_POOL:
        pir_pool(w, number);
        break;
    case R2N_NODE_LINEAR:
        pir_classifier(w, number);
        break;
    }
}

static inline r2n_text pir_file(const network *n, const paddle_manner *m)
{
    paddle_writer w = {.n = n, .m = m, .ids = n->graph->count + (int)n->weights->count + 1};
    pir_put(&w, "{\"base_code\":{\"magic\":\"pir\",\"version\":4,\"trainable\":true},\"program\":"
                "{\"regions\":[{\"#\":\"region_0\",\"blocks\":[{\"#\":\"block_0\",\"args\":[],"
                "\"ops\":[");
    for (size_t i = 0; i < n->weights->count; i++) {
        const r2n_tensor *tensor = &n->weights->tensors[i];
        char name[16];
        (void)paddle_parameter_name(n, tensor, name);
        pir_put(&w,
                "%s{\"#\":\"p\",\"A\":[0,1,1,\"%s\"],\"O\":{\"%%\":%d,\"TT\":{\"#\":"
                "\"0.t_dtensor\",\"D\":[{\"#\":\"0.t_f32\"},[",
                i == 0 ? "" : ",", name, n->graph->count + 1 + (int)i);
        for (int32_t d = 0; d < tensor->rank; d++)
            pir_put(&w, "%s%d", d == 0 ? "" : ",",
                    (int)tensor->shape[paddle_is_turned(tensor) ? tensor->rank - 1 - d : d]);
        pir_put(&w, "],\"NCHW\",[],0]}}}");
    }
    for (int32_t i = 0; i < n->graph->count; i++)
        pir_node(&w, i);
    w.ids++;
    pir_simple(&w, "fetch", n->graph->count, w.ids);
    pir_put(&w, "]}]}]}}");
    assert_false(w.json.failed);
    return w.json;
}

#endif
