/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX files written by the standard's field numbers, in the manners that exporters have. */
#ifndef R2N_TESTS_ONNX_FIXTURE_H
#define R2N_TESTS_ONNX_FIXTURE_H

#include "import_fixture.h"

#include "formats/protobuf_writer.h"
#include "weights/metadata.h"

typedef enum onnx_numbers { ONNX_RAW, ONNX_TYPED, ONNX_HALF_TYPED, ONNX_DOUBLE } onnx_numbers;
typedef enum onnx_split {
    ONNX_SPLIT_ATTRIBUTE, /* sizes as an attribute: opset 2 to 12 */
    ONNX_SPLIT_INPUT,     /* as an input: opset 13 on */
    ONNX_SPLIT_EQUAL,
    ONNX_SLICE_ATTRIBUTES, /* a Slice a group: opset 1 to 9 */
    ONNX_SLICE_INPUTS
} onnx_split;
typedef enum onnx_head {
    ONNX_FLATTEN_GEMM,
    ONNX_RESHAPE_MATMUL,   /* [0, -1], then MatMul and Add */
    ONNX_COMPUTED_RESHAPE, /* sizes by Shape, Gather, Unsqueeze and Concat */
    ONNX_MEAN_SQUEEZE
} onnx_head;

typedef struct onnx_manner {
    onnx_numbers numbers;
    onnx_split split;
    onnx_head head;
    int constants;     /* weights as Constant nodes, not as initializers */
    int identities;    /* Identity, Dropout and Cast after ReLUs */
    int inputs_listed; /* weights among the graph's inputs, as before IR 4 */
    int softmax, metadata;
    const char *other; /* an operation in the place of the first ReLU, or NULL */
} onnx_manner;

typedef struct onnx_writer {
    const network *n;
    const onnx_manner *m;
    r2n_text graph;
    int temporaries;
} onnx_writer;

/* ---- attributes ---- */

static inline void onnx_attribute_integer(r2n_text *node, const char *name, int64_t value)
{
    r2n_text a = {0};
    r2n_protobuf_put_string(&a, 1, name);
    r2n_protobuf_put_integer(&a, 3, value);
    r2n_protobuf_put_integer(&a, 20, 2);
    r2n_protobuf_put_message(node, 5, &a);
    r2n_free(a.data);
}

static inline void onnx_attribute_integers(r2n_text *node, const char *name, const int64_t *values,
                                           size_t count)
{
    r2n_text a = {0};
    r2n_protobuf_put_string(&a, 1, name);
    r2n_protobuf_put_repeated(&a, 8, values, count);
    r2n_protobuf_put_integer(&a, 20, 7);
    r2n_protobuf_put_message(node, 5, &a);
    r2n_free(a.data);
}

static inline void onnx_attribute_tensor(r2n_text *node, const char *name, r2n_text *tensor)
{
    r2n_text a = {0};
    r2n_protobuf_put_string(&a, 1, name);
    r2n_protobuf_put_message(&a, 5, tensor);
    r2n_protobuf_put_message(node, 5, &a);
    r2n_free(a.data);
}

/* Begins a node: inputs, outputs and type. `inputs` ends with NULL. */
static inline r2n_text onnx_node(const char *type, const char *const *inputs, const char *output)
{
    r2n_text node = {0};
    for (; *inputs != NULL; inputs++)
        r2n_protobuf_put_string(&node, 1, *inputs);
    if (output != NULL)
        r2n_protobuf_put_string(&node, 2, output);
    r2n_protobuf_put_string(&node, 4, type);
    return node;
}

static inline void onnx_put(onnx_writer *w, r2n_text *node)
{
    r2n_protobuf_put_message(&w->graph, 1, node);
    r2n_free(node->data);
}

#define ONNX_NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- tensors ---- */

/* A number of the formula that halves hold, so that every type keeps it. */
static inline uint16_t onnx_half(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return (uint16_t)(bits >> 16); /* as bfloat16 */
}

static inline void onnx_put_numbers(r2n_text *tensor, const float *numbers, size_t count,
                                    onnx_numbers form)
{
    r2n_text packed = {0};
    switch (form) {
    case ONNX_RAW:
        r2n_protobuf_put_integer(tensor, 2, 1);
        r2n_protobuf_put_bytes(tensor, 9, numbers, count * sizeof *numbers);
        break;
    case ONNX_TYPED:
        r2n_protobuf_put_integer(tensor, 2, 1);
        r2n_protobuf_put_bytes(tensor, 4, numbers, count * sizeof *numbers);
        break;
    case ONNX_HALF_TYPED:
        r2n_protobuf_put_integer(tensor, 2, 16);
        for (size_t i = 0; i < count; i++)
            r2n_protobuf_put_varint(&packed, onnx_half(numbers[i]));
        r2n_protobuf_put_bytes(tensor, 5, packed.data, packed.size);
        break;
    case ONNX_DOUBLE:
        r2n_protobuf_put_integer(tensor, 2, 11);
        for (size_t i = 0; i < count; i++) {
            const double number = numbers[i];
            r2n_text_put_bytes(&packed, &number, sizeof number);
        }
        r2n_protobuf_put_bytes(tensor, 9, packed.data, packed.size);
        break;
    }
    r2n_free(packed.data);
}

static inline void onnx_put_tensor(onnx_writer *w, const char *name, int32_t rank,
                                   const int64_t *shape, const float *numbers)
{
    r2n_text tensor = {0};
    size_t count = 1;
    for (int32_t i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    r2n_protobuf_put_packed(&tensor, 1, shape, (size_t)rank);
    onnx_put_numbers(&tensor, numbers, count, w->m->numbers);
    if (w->m->constants) {
        r2n_text node = {0};
        r2n_protobuf_put_string(&node, 2, name);
        r2n_protobuf_put_string(&node, 4, "Constant");
        onnx_attribute_tensor(&node, "value", &tensor);
        onnx_put(w, &node);
    } else {
        r2n_protobuf_put_string(&tensor, 8, name);
        r2n_protobuf_put_message(&w->graph, 5, &tensor);
    }
    r2n_free(tensor.data);
    if (!w->m->inputs_listed)
        return;
    r2n_text input = {0};
    r2n_protobuf_put_string(&input, 1, name);
    r2n_protobuf_put_message(&w->graph, 11, &input);
    r2n_free(input.data);
}

/* int64, as a Constant. */
static inline void onnx_put_integers(onnx_writer *w, const char *name, const int64_t *values,
                                     int64_t count)
{
    r2n_text tensor = {0}, node = {0};
    r2n_protobuf_put_packed(&tensor, 1, &count, 1);
    r2n_protobuf_put_integer(&tensor, 2, 7);
    r2n_protobuf_put_bytes(&tensor, 9, values, (size_t)count * sizeof *values);
    r2n_protobuf_put_string(&node, 2, name);
    r2n_protobuf_put_string(&node, 4, "Constant");
    onnx_attribute_tensor(&node, "value", &tensor);
    onnx_put(w, &node);
    r2n_free(tensor.data);
}

static inline const char *onnx_weight(onnx_writer *w, const r2n_node *node, const char *what,
                                      char name[R2N_NAME_BYTES + 16])
{
    const r2n_tensor *tensor = network_tensor(w->n, node, what);
    snprintf(name, R2N_NAME_BYTES + 16, "w%d", (int)(tensor - w->n->weights->tensors));
    onnx_put_tensor(w, name, tensor->rank, tensor->shape, tensor->data);
    return name;
}

/* ---- nodes ---- */

static inline const char *onnx_value(int32_t node, char name[24])
{
    snprintf(name, 24, "v%d", (int)node);
    return name;
}

static inline void onnx_window(r2n_text *text, const r2n_node *node)
{
    const int64_t kernel[2] = {node->kernel, node->kernel};
    const int64_t stride[2] = {node->stride, node->stride};
    const int64_t pads[4] = {node->padding, node->padding, node->padding, node->padding};
    onnx_attribute_integers(text, "kernel_shape", kernel, 2);
    onnx_attribute_integers(text, "strides", stride, 2);
    onnx_attribute_integers(text, "pads", pads, 4);
}

static inline void onnx_slices(onnx_writer *w, int32_t number)
{
    const r2n_node *nodes = w->n->graph->nodes, *first = &nodes[number];
    char x[24], y[24], sizes_name[24];
    int64_t sizes[16], count = 0;
    (void)onnx_value(first->inputs[0], x);
    if (w->m->split >= ONNX_SLICE_ATTRIBUTES) {
        const int64_t axis = 1, start = first->first_channel, end = start + first->channels;
        if (w->m->split == ONNX_SLICE_INPUTS) {
            r2n_text node;
            char names[3][32];
            const int64_t values[3] = {start, end, axis};
            for (int i = 0; i < 3; i++) {
                snprintf(names[i], 32, "slice%d_%d", (int)number, i);
                onnx_put_integers(w, names[i], &values[i], 1);
            }
            node = onnx_node("Slice", ONNX_NAMES(x, names[0], names[1], names[2]),
                             onnx_value(number, y));
            onnx_put(w, &node);
            return;
        }
        r2n_text node = onnx_node("Slice", ONNX_NAMES(x), onnx_value(number, y));
        onnx_attribute_integers(&node, "starts", &start, 1);
        onnx_attribute_integers(&node, "ends", &end, 1);
        onnx_attribute_integers(&node, "axes", &axis, 1);
        onnx_put(w, &node);
        return;
    }
    if (first->first_channel != 0)
        return; /* made with the first */
    for (int32_t i = number; i < w->n->graph->count; i++)
        if (nodes[i].kind == R2N_NODE_SLICE && nodes[i].inputs[0] == first->inputs[0])
            sizes[count++] = nodes[i].channels;
    snprintf(sizes_name, sizeof sizes_name, "sizes%d", (int)number);
    if (w->m->split == ONNX_SPLIT_INPUT)
        onnx_put_integers(w, sizes_name, sizes, count);
    r2n_text node = w->m->split == ONNX_SPLIT_INPUT
                        ? onnx_node("Split", ONNX_NAMES(x, sizes_name), NULL)
                        : onnx_node("Split", ONNX_NAMES(x), NULL);
    for (int32_t i = number; i < w->n->graph->count; i++)
        if (nodes[i].kind == R2N_NODE_SLICE && nodes[i].inputs[0] == first->inputs[0])
            r2n_protobuf_put_string(&node, 2, onnx_value(i, y));
    onnx_attribute_integer(&node, "axis", 1);
    if (w->m->split == ONNX_SPLIT_ATTRIBUTE)
        onnx_attribute_integers(&node, "split", sizes, (size_t)count);
    onnx_put(w, &node);
}

/* ReLU, perhaps with what computes nothing behind it. */
static inline void onnx_relu(onnx_writer *w, int32_t number, const char *x, const char *y)
{
    const int first = w->m->other != NULL && w->temporaries++ == 0;
    const char *type = first ? w->m->other : "Relu";
    r2n_text node = onnx_node(type, ONNX_NAMES(x), w->m->identities ? "" : y);
    if (w->m->identities) {
        char a[32], b[32], c[32];
        r2n_free(node.data);
        snprintf(a, sizeof a, "a%d", (int)number);
        snprintf(b, sizeof b, "b%d", (int)number);
        snprintf(c, sizeof c, "c%d", (int)number);
        node = onnx_node(type, ONNX_NAMES(x), a);
        onnx_put(w, &node);
        node = onnx_node("Identity", ONNX_NAMES(a), b);
        onnx_put(w, &node);
        node = onnx_node("Dropout", ONNX_NAMES(b), c);
        onnx_put(w, &node);
        node = onnx_node("Cast", ONNX_NAMES(c), y);
        onnx_attribute_integer(&node, "to", 1);
    }
    onnx_put(w, &node);
}

static inline void onnx_flatten(onnx_writer *w, const char *x)
{
    static const int64_t target[2] = {0, -1}, zero = 0, rest = -1;
    r2n_text node;
    if (w->m->head == ONNX_COMPUTED_RESHAPE) {
        node = onnx_node("Shape", ONNX_NAMES(x), "sizes_of_map");
        onnx_put(w, &node);
        onnx_put_integers(w, "zero", &zero, 1);
        node = onnx_node("Gather", ONNX_NAMES("sizes_of_map", "zero"), "images");
        onnx_put(w, &node);
        onnx_put_integers(w, "rest", &rest, 1);
        node = onnx_node("Concat", ONNX_NAMES("images", "rest"), "target");
        onnx_attribute_integer(&node, "axis", 0);
        onnx_put(w, &node);
    } else {
        onnx_put_integers(w, "target", target, 2);
    }
    if (w->m->head == ONNX_FLATTEN_GEMM) {
        node = onnx_node("Flatten", ONNX_NAMES(x), "flat");
        onnx_attribute_integer(&node, "axis", 1);
    } else if (w->m->head == ONNX_MEAN_SQUEEZE) {
        static const int64_t axes[2] = {2, 3};
        node = onnx_node("Squeeze", ONNX_NAMES(x), "flat");
        onnx_attribute_integers(&node, "axes", axes, 2);
    } else {
        node = onnx_node("Reshape", ONNX_NAMES(x, "target"), "flat");
    }
    onnx_put(w, &node);
}

static inline void onnx_classifier(onnx_writer *w, const r2n_node *ours, const char *x,
                                   const char *y)
{
    char weight[R2N_NAME_BYTES + 16], bias[R2N_NAME_BYTES + 16];
    const r2n_tensor *matrix = network_tensor(w->n, ours, "weight");
    const char *scores = w->m->softmax ? "scores" : y;
    r2n_text node;
    onnx_flatten(w, x);
    if (w->m->head == ONNX_FLATTEN_GEMM) {
        node = onnx_node("Gemm",
                         ONNX_NAMES("flat", onnx_weight(w, ours, "weight", weight),
                                    onnx_weight(w, ours, "bias", bias)),
                         scores);
        onnx_attribute_integer(&node, "transB", 1);
        onnx_put(w, &node);
    } else {
        float *turned = r2n_allocate((size_t)matrix->count, sizeof *turned);
        const int64_t shape[2] = {matrix->shape[1], matrix->shape[0]};
        for (int64_t c = 0; c < shape[1]; c++)
            for (int64_t f = 0; f < shape[0]; f++)
                turned[f * shape[1] + c] = matrix->data[c * shape[0] + f];
        onnx_put_tensor(w, "turned", 2, shape, turned);
        r2n_free(turned);
        node = onnx_node("MatMul", ONNX_NAMES("flat", "turned"), "product");
        onnx_put(w, &node);
        node = onnx_node("Add", ONNX_NAMES("product", onnx_weight(w, ours, "bias", bias)), scores);
        onnx_put(w, &node);
    }
    if (w->m->softmax) {
        node = onnx_node("Softmax", ONNX_NAMES("scores"), y);
        onnx_attribute_integer(&node, "axis", 1);
        onnx_put(w, &node);
    }
}

static inline void onnx_batch_norm(onnx_writer *w, const r2n_node *ours, const char *x,
                                   const char *y)
{
    char names[4][R2N_NAME_BYTES + 16];
    r2n_text node = onnx_node("BatchNormalization",
                              ONNX_NAMES(x, onnx_weight(w, ours, "weight", names[0]),
                                         onnx_weight(w, ours, "bias", names[1]),
                                         onnx_weight(w, ours, "running_mean", names[2]),
                                         onnx_weight(w, ours, "running_var", names[3])),
                              y);
    onnx_put(w, &node);
}

static inline void onnx_write_node(onnx_writer *w, int32_t number)
{
    const r2n_node *ours = &w->n->graph->nodes[number];
    char x[24] = "", other[24], y[24], weight[R2N_NAME_BYTES + 16];
    r2n_text node;
    if (ours->input_count > 0)
        (void)onnx_value(ours->inputs[0], x);
    (void)onnx_value(number, y);
    switch (ours->kind) {
    case R2N_NODE_INPUT:
        return;
    case R2N_NODE_CONVOLUTION:
        node = onnx_node("Conv", ONNX_NAMES(x, onnx_weight(w, ours, "weight", weight)), y);
        onnx_window(&node, ours);
        break;
    case R2N_NODE_BATCH_NORM:
        onnx_batch_norm(w, ours, x, y);
        return;
    case R2N_NODE_RELU:
        onnx_relu(w, number, x, y);
        return;
    case R2N_NODE_ADD:
        node = onnx_node("Add", ONNX_NAMES(x, onnx_value(ours->inputs[1], other)), y);
        break;
    case R2N_NODE_SLICE:
        onnx_slices(w, number);
        return;
    case R2N_NODE_CONCAT:
        node = onnx_node("Concat", ONNX_NAMES(x), y);
        for (int32_t i = 1; i < ours->input_count; i++)
            r2n_protobuf_put_string(&node, 1, onnx_value(ours->inputs[i], other));
        onnx_attribute_integer(&node, "axis", 1);
        break;
    case R2N_NODE_POOL:
        node = onnx_node(ours->pool_is_average ? "AveragePool" : "MaxPool", ONNX_NAMES(x), y);
        onnx_window(&node, ours);
        onnx_attribute_integer(&node, "ceil_mode", ours->ceil_mode);
        if (ours->pool_is_average)
            onnx_attribute_integer(&node, "count_include_pad", ours->count_padding);
        break;
    case R2N_NODE_GLOBAL_POOL:
        if (w->m->head == ONNX_MEAN_SQUEEZE) {
            static const int64_t axes[2] = {-2, -1};
            node = onnx_node("ReduceMean", ONNX_NAMES(x), y);
            onnx_attribute_integers(&node, "axes", axes, 2);
        } else {
            node = onnx_node("GlobalAveragePool", ONNX_NAMES(x), y);
        }
        break;
    case R2N_NODE_LINEAR:
        onnx_classifier(w, ours, x, y);
        return;
    default:
        return;
    }
    onnx_put(w, &node);
}

static inline void onnx_put_metadata(r2n_text *model, const char *key, const char *value)
{
    r2n_text entry = {0};
    r2n_protobuf_put_string(&entry, 1, key);
    r2n_protobuf_put_string(&entry, 2, value);
    r2n_protobuf_put_message(model, 14, &entry);
    r2n_free(entry.data);
}

/* The file's bytes: r2n_free(text.data). */
static inline r2n_text onnx_file(const network *n, const onnx_manner *m)
{
    onnx_writer w = {.n = n, .m = m};
    r2n_text model = {0}, value = {0}, set = {0};
    char name[24];
    for (int32_t i = 0; i < n->graph->count; i++)
        onnx_write_node(&w, i);
    r2n_protobuf_put_string(&value, 1, "v0");
    r2n_protobuf_put_message(&w.graph, 11, &value);
    r2n_protobuf_put_string(&value, 1, onnx_value(n->graph->count - 1, name));
    r2n_protobuf_put_message(&w.graph, 12, &value);
    r2n_protobuf_put_integer(&model, 1, 8);
    r2n_protobuf_put_message(&model, 7, &w.graph);
    r2n_protobuf_put_integer(&set, 2, 13);
    r2n_protobuf_put_message(&model, 8, &set);
    if (m->metadata) {
        onnx_put_metadata(&model, R2N_KEY_LABELS, "a\nb\nc");
        onnx_put_metadata(&model, R2N_KEY_LICENCE, "none");
        onnx_put_metadata(&model, "other", "thing");
    }
    r2n_free(w.graph.data);
    r2n_free(value.data);
    r2n_free(set.data);
    assert_false(model.failed);
    return model;
}

#endif
