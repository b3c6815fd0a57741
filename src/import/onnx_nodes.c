/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX' nodes as operations of a foreign graph. Attributes that are left out have the defaults of
 * the standard; where those changed with the operator set, both mean the same in a classifier. */
#include <string.h>

#include "import/onnx_internal.h"

/* ---- attributes ------------------------------------------------------------------------------ */

enum attribute_field { NAME = 1, NUMBER = 2, INTEGER = 3, TEXT = 4, TENSOR = 5, INTEGERS = 8 };

static const r2n_protobuf_reader *find_attribute(const r2n_onnx_node *node, const char *name)
{
    for (int32_t i = 0; i < node->attribute_count; i++) {
        r2n_protobuf_reader attribute = node->attributes[i];
        r2n_protobuf_field field;
        while (r2n_protobuf_next(&attribute, &field))
            if (field.number == NAME && r2n_protobuf_is(&field, name))
                return &node->attributes[i];
    }
    return NULL;
}

/* The attribute's field `number`, or 0. */
static int find_value(const r2n_onnx_node *node, const char *name, uint32_t number,
                      r2n_protobuf_field *value, r2n_protobuf_reader *inside)
{
    const r2n_protobuf_reader *found = find_attribute(node, name);
    r2n_protobuf_reader attribute = found == NULL ? r2n_protobuf(NULL, 0, 0) : *found;
    while (r2n_protobuf_next(&attribute, value))
        if (value->number == number) {
            if (inside != NULL)
                *inside = r2n_protobuf_open(&attribute, value);
            return 1;
        }
    return 0;
}

static int64_t integer(const r2n_onnx_node *node, const char *name, int64_t otherwise)
{
    r2n_protobuf_field field;
    if (!find_value(node, name, INTEGER, &field, NULL) || field.kind != R2N_PROTOBUF_VARINT)
        return otherwise;
    return (int64_t)field.value;
}

static double number(const r2n_onnx_node *node, const char *name, double otherwise)
{
    r2n_protobuf_field field;
    return find_value(node, name, NUMBER, &field, NULL) ? (double)r2n_protobuf_float(&field)
                                                        : otherwise;
}

static int text_is(const r2n_onnx_node *node, const char *name, const char *text)
{
    r2n_protobuf_field field;
    return find_value(node, name, TEXT, &field, NULL) && r2n_protobuf_is(&field, text);
}

/* The integers of an attribute: how many, -1 for none, -2 for more than `most`. */
static int64_t integers(const r2n_onnx_node *node, const char *name, int64_t *values, int64_t most)
{
    const r2n_protobuf_reader *found = find_attribute(node, name);
    r2n_protobuf_field field;
    int64_t count = 0;
    if (found == NULL)
        return -1;
    r2n_protobuf_reader attribute = *found;
    while (count >= 0 && r2n_protobuf_next(&attribute, &field))
        if (field.number == INTEGERS)
            count = r2n_protobuf_integers(&field, values, count, most);
    return count < 0 || attribute.cursor.failed ? -2 : count;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* -1: not given. */
static int32_t input(const r2n_onnx_reader *reader, const r2n_onnx_node *node, int32_t number)
{
    if (number >= node->input_count || node->inputs[number].size == 0)
        return -1;
    const int32_t *place =
        r2n_name_table_find(&reader->names, node->inputs[number].bytes, node->inputs[number].size);
    return place == NULL ? -1 : *place;
}

/* The integers of an attribute or, in newer operator sets, of an input; -1 for none. */
static int64_t listed(const r2n_onnx_reader *reader, const r2n_onnx_node *node, const char *name,
                      int32_t number, int64_t values[R2N_FOREIGN_INTEGERS])
{
    const int64_t count = integers(node, name, values, R2N_FOREIGN_INTEGERS);
    const int32_t value = input(reader, node, number);
    if (count != -1 || !r2n_foreign_is_constant(reader->graph, value))
        return count;
    const r2n_foreign_value *constant = &reader->graph->values[value];
    if (constant->integer_count < 0)
        return -2;
    memcpy(values, constant->integers, (size_t)constant->integer_count * sizeof *values);
    return constant->integer_count;
}

static int32_t mismatch(r2n_onnx_reader *reader, const r2n_onnx_node *node, const char *text)
{
    char name[R2N_FOREIGN_NAME_BYTES];
    r2n_foreign_label_text(&node->label, name);
    return r2n_foreign_refuse(reader->graph, RES2NET_MISMATCH, node->label.offset, "%s: %s", name,
                              text);
}

/* ---- windows --------------------------------------------------------------------------------- */

static int take_pair(const r2n_onnx_node *node, const char *name, int64_t *pair, int64_t size)
{
    int64_t values[4];
    const int64_t count = integers(node, name, values, 4);
    if (count == size)
        memcpy(pair, values, (size_t)size * sizeof *pair);
    return count == size || count == -1;
}

static int take_window(r2n_onnx_reader *reader, const r2n_onnx_node *node, r2n_foreign_window *w)
{
    const char *text = NULL;
    if (!text_is(node, "auto_pad", "NOTSET") && !text_is(node, "auto_pad", "VALID") &&
        find_attribute(node, "auto_pad") != NULL)
        text = "its padding depends on the picture (auto_pad); a Res2Net's is written in pads";
    else if (!take_pair(node, "kernel_shape", w->kernel, 2) ||
             !take_pair(node, "strides", w->stride, 2) || !take_pair(node, "pads", w->padding, 4) ||
             !take_pair(node, "dilations", w->dilation, 2))
        text = "its window has not two dimensions";
    if (text != NULL)
        (void)mismatch(reader, node, text);
    w->groups = integer(node, "group", 1);
    return text == NULL;
}

static int32_t convolution(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    r2n_foreign_window window = r2n_foreign_window_default();
    const int32_t weight = input(reader, node, 1);
    if (r2n_foreign_is_constant(reader->graph, weight)) {
        window.kernel[0] = reader->graph->values[weight].shape[2];
        window.kernel[1] = reader->graph->values[weight].shape[3];
    }
    if (!take_window(reader, node, &window))
        return -1;
    return r2n_foreign_convolution(reader->graph, &node->label, input(reader, node, 0), weight,
                                   input(reader, node, 2), &window);
}

static int32_t pool(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    r2n_foreign_window window = r2n_foreign_window_default();
    const r2n_foreign_pool_rule rule = {
        .is_average = node->label.type[0] == 'A', /* AveragePool, MaxPool */
        .ceil_mode = integer(node, "ceil_mode", 0) != 0,
        .count_padding = integer(node, "count_include_pad", 0) != 0};
    if (!take_window(reader, node, &window))
        return -1;
    return r2n_foreign_pool(reader->graph, &node->label, input(reader, node, 0), &window, rule);
}

/* ---- the other operations of a Res2Net ------------------------------------------------------- */

static int32_t batch_norm(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    int32_t inputs[5];
    for (int32_t i = 0; i < 5; i++)
        inputs[i] = input(reader, node, i);
    if (integer(node, "training_mode", 0) != 0)
        return mismatch(reader, node,
                        "it takes the batch's statistics (training_mode); export the network in "
                        "evaluation mode");
    return r2n_foreign_batch_norm(reader->graph, &node->label, inputs,
                                  number(node, "epsilon", 1e-5f));
}

static int32_t relu(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    return r2n_foreign_simple(reader->graph, &node->label, R2N_FOREIGN_RELU,
                              input(reader, node, 0));
}

static int32_t sum(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    if (node->input_count != 2)
        return mismatch(reader, node, "it adds more or fewer than two values");
    return r2n_foreign_sum(reader->graph, &node->label, input(reader, node, 0),
                           input(reader, node, 1));
}

static int is_shape(const r2n_onnx_reader *reader, int32_t value)
{
    return value >= 0 && (reader->graph->values[value].is_shape ||
                          reader->graph->values[value].integer_count >= 0);
}

/* A value that is computed from sizes. */
static int32_t shape(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    (void)node;
    const int32_t value = r2n_foreign_plain_value(reader->graph, 0);
    if (value >= 0)
        reader->graph->values[value].is_shape = 1;
    return value;
}

/* Gather, Unsqueeze, ... of sizes; of maps, no operation of a Res2Net. */
static int32_t of_shapes(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    for (int32_t i = 0; i < node->input_count && i < R2N_FOREIGN_INPUTS; i++)
        if (!is_shape(reader, input(reader, node, i)))
            return r2n_foreign_unknown(reader->graph, &node->label);
    return shape(reader, node);
}

static int32_t concat(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    int32_t values[R2N_FOREIGN_INPUTS + 1];
    if (is_shape(reader, input(reader, node, 0)))
        return of_shapes(reader, node);
    for (int32_t i = 0; i < node->input_count; i++)
        values[i] = input(reader, node, i);
    const int64_t axis = integer(node, "axis", 1);
    if (axis != 1 && axis != -3)
        return mismatch(reader, node, "it joins along another axis than the channels");
    return r2n_foreign_concat(reader->graph, &node->label, values, node->input_count);
}

static int32_t slice(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    int64_t starts[R2N_FOREIGN_INTEGERS], ends[R2N_FOREIGN_INTEGERS], axes[R2N_FOREIGN_INTEGERS],
        steps[R2N_FOREIGN_INTEGERS];
    const int32_t x = input(reader, node, 0);
    if (is_shape(reader, x))
        return of_shapes(reader, node);
    const int64_t axis_count = listed(reader, node, "axes", 3, axes);
    const int64_t step_count = listed(reader, node, "steps", 4, steps);
    if (x < 0 || listed(reader, node, "starts", 1, starts) != 1 ||
        listed(reader, node, "ends", 2, ends) != 1 || axis_count != 1 ||
        (axes[0] != 1 && axes[0] != -3) || (step_count != -1 && (step_count != 1 || steps[0] != 1)))
        return mismatch(reader, node, "it cuts other than one range of channels");
    const int64_t whole = reader->graph->values[x].channels;
    const int64_t start = starts[0] < 0 ? starts[0] + whole : starts[0];
    const int64_t end = ends[0] < 0 ? ends[0] + whole : ends[0] < whole ? ends[0] : whole;
    if (start < 0 || start > whole || end <= start)
        return mismatch(reader, node, "its range of channels is empty");
    return r2n_foreign_slice(reader->graph, &node->label, x, start, end - start);
}

static int32_t global_pool(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    return r2n_foreign_simple(reader->graph, &node->label, R2N_FOREIGN_GLOBAL_POOL,
                              input(reader, node, 0));
}

/* Are these the rows and the columns? */
static int are_rows_and_columns(const int64_t *axes, int64_t count)
{
    if (count != 2)
        return 0;
    const int64_t a = axes[0] < 0 ? axes[0] + 4 : axes[0];
    const int64_t b = axes[1] < 0 ? axes[1] + 4 : axes[1];
    return (a == 2 && b == 3) || (a == 3 && b == 2);
}

static int32_t mean(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    int64_t axes[R2N_FOREIGN_INTEGERS] = {0};
    if (!are_rows_and_columns(axes, listed(reader, node, "axes", 1, axes)))
        return mismatch(reader, node, "its mean is not over rows and columns");
    return global_pool(reader, node);
}

static int32_t to_matrix(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    return r2n_foreign_simple(reader->graph, &node->label, R2N_FOREIGN_RESHAPE,
                              input(reader, node, 0));
}

static int32_t flatten(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    const int64_t axis = integer(node, "axis", 1);
    return axis == 1 || axis == -3 ? to_matrix(reader, node)
                                   : mismatch(reader, node, "it does not keep the images apart");
}

static int32_t squeeze(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    int64_t axes[R2N_FOREIGN_INTEGERS] = {0};
    if (is_shape(reader, input(reader, node, 0)))
        return of_shapes(reader, node);
    return are_rows_and_columns(axes, listed(reader, node, "axes", 1, axes))
               ? to_matrix(reader, node)
               : mismatch(reader, node, "it does not leave images and channels");
}

/* [images, channels]: 0 keeps a size, -1 is what is left over; or computed from sizes. */
static int32_t reshape(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    int64_t sizes[R2N_FOREIGN_INTEGERS];
    const int32_t x = input(reader, node, 0), target = input(reader, node, 1);
    const int64_t channels = x < 0 ? 0 : reader->graph->values[x].channels;
    const int64_t count = listed(reader, node, "shape", 1, sizes);
    if (target >= 0 && reader->graph->values[target].is_shape)
        return to_matrix(reader, node);
    if (count != 2 || (sizes[1] != -1 && sizes[1] != channels))
        return mismatch(reader, node, "it does not make a matrix of images and channels");
    return to_matrix(reader, node);
}

static int32_t multiply(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    return r2n_foreign_multiply(reader->graph, &node->label, input(reader, node, 0),
                                input(reader, node, 1), -1, 0);
}

static int32_t gemm(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    if (integer(node, "transA", 0) != 0 || number(node, "alpha", 1) != 1 ||
        number(node, "beta", 1) != 1)
        return mismatch(reader, node, "it transposes the picture's side or has factors");
    return r2n_foreign_multiply(reader->graph, &node->label, input(reader, node, 0),
                                input(reader, node, 1), input(reader, node, 2),
                                integer(node, "transB", 0) != 0);
}

static int32_t transpose(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    int64_t order[4] = {1, 0, 0, 0};
    const int32_t x = input(reader, node, 0);
    const int64_t count = integers(node, "perm", order, 4);
    if (!r2n_foreign_is_constant(reader->graph, x) || reader->graph->values[x].rank != 2 ||
        (count != -1 && count != 2) || order[0] != 1 || order[1] != 0)
        return r2n_foreign_unknown(reader->graph, &node->label);
    return r2n_foreign_transposed(reader->graph, x);
}

static int32_t softmax(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    const int64_t axis = integer(node, "axis", -1);
    if (axis != 1 && axis != -1)
        return mismatch(reader, node, "it is not over the classes");
    return r2n_foreign_simple(reader->graph, &node->label, R2N_FOREIGN_SOFTMAX,
                              input(reader, node, 0));
}

/* ---- what computes nothing ------------------------------------------------------------------- */

static int32_t same(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    const int32_t x = input(reader, node, 0);
    return x >= 0 ? x : mismatch(reader, node, "its input is missing");
}

/* To a float type: the weights' own, or around a network in half floats. */
static int32_t cast(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    enum { FLOAT = 1, FLOAT16 = 10, DOUBLE = 11, BFLOAT16 = 16 };
    const int64_t to = integer(node, "to", FLOAT);
    if (is_shape(reader, input(reader, node, 0)) || to == FLOAT || to == FLOAT16 || to == DOUBLE ||
        to == BFLOAT16)
        return same(reader, node);
    return mismatch(reader, node, "it makes integers of what a Res2Net keeps as floats");
}

static int32_t constant(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    r2n_protobuf_field field;
    r2n_protobuf_reader inside;
    int64_t values[R2N_FOREIGN_INTEGERS];
    if (find_value(node, "value", TENSOR, &field, &inside))
        return r2n_onnx_tensor(reader, inside, NULL);
    int64_t count = integers(node, "value_ints", values, R2N_FOREIGN_INTEGERS);
    const int32_t rank = count >= 0;
    if (count == -1 && find_attribute(node, "value_int") != NULL) {
        values[0] = integer(node, "value_int", 0);
        count = 1;
    }
    const r2n_foreign_tensor tensor = {.rank = rank,
                                       .shape = &count,
                                       .type = R2N_ELEMENT_INTEGER,
                                       .integer_count = count < 0 ? -1 : (int32_t)count,
                                       .integers = values,
                                       .offset = node->label.offset};
    return r2n_foreign_constant(reader->graph, &tensor);
}

/* ---- int8 ------------------------------------------------------------------------------------ */

static int32_t clip(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    return r2n_foreign_hold(reader->graph, &node->label, input(reader, node, 0),
                            input(reader, node, 1), input(reader, node, 2));
}

static int32_t to_levels(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    return r2n_foreign_to_levels(reader->graph, &node->label, input(reader, node, 0),
                                 input(reader, node, 1), input(reader, node, 2));
}

static int32_t from_levels(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    return r2n_foreign_from_levels(reader->graph, &node->label, input(reader, node, 0),
                                   input(reader, node, 1), input(reader, node, 2),
                                   integer(node, "axis", 1));
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* Pads' order is all beginnings, then all ends, of [images, channels, rows, columns]. */
static int32_t pad(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    int64_t sizes[R2N_FOREIGN_INTEGERS];
    const int constant_mode =
        find_attribute(node, "mode") == NULL || text_is(node, "mode", "constant");
    if (!constant_mode || listed(reader, node, "pads", 1, sizes) != 8 || sizes[0] != 0 ||
        sizes[1] != 0 || sizes[4] != 0 || sizes[5] != 0 || number(node, "value", 0) != 0)
        return mismatch(reader, node, "it adds other than zeros around the map");
    const int32_t value = input(reader, node, 2);
    if (value >= 0) {
        const r2n_foreign_value *fill = &reader->graph->values[value];
        if (!fill->is_constant || fill->count != 1 || fill->type == R2N_ELEMENT_INTEGER ||
            r2n_element_read(fill->type, 0, fill->data) != 0)
            return mismatch(reader, node, "it adds other than zeros around the map");
    }
    const int64_t padding[4] = {sizes[2], sizes[3], sizes[6], sizes[7]};
    return r2n_foreign_pad(reader->graph, &node->label, input(reader, node, 0), padding);
}

/* ---- all ------------------------------------------------------------------------------------- */

typedef struct translation {
    const char *type;
    int32_t (*add)(r2n_onnx_reader *reader, const r2n_onnx_node *node); /* the result, or -1 */
} translation;

static const translation translations[] = {{"Conv", convolution},
                                           {"BatchNormalization", batch_norm},
                                           {"Relu", relu},
                                           {"Add", sum},
                                           {"Sum", sum},
                                           {"Concat", concat},
                                           {"Slice", slice},
                                           {"MaxPool", pool},
                                           {"AveragePool", pool},
                                           {"GlobalAveragePool", global_pool},
                                           {"ReduceMean", mean},
                                           {"Flatten", flatten},
                                           {"Reshape", reshape},
                                           {"Squeeze", squeeze},
                                           {"MatMul", multiply},
                                           {"Gemm", gemm},
                                           {"Transpose", transpose},
                                           {"Softmax", softmax},
                                           {"Clip", clip},
                                           {"QuantizeLinear", to_levels},
                                           {"DequantizeLinear", from_levels},
                                           {"Constant", constant},
                                           {"Pad", pad},
                                           {"Identity", same},
                                           {"Dropout", same},
                                           {"Cast", cast},
                                           {"Shape", shape},
                                           {"Gather", of_shapes},
                                           {"Unsqueeze", of_shapes},
                                           {"ConstantOfShape", of_shapes},
                                           {"Mul", of_shapes},
                                           {"Div", of_shapes}};

/* The output's value; every name is given once. */
static void give(r2n_onnx_reader *reader, const r2n_onnx_node *node, int32_t number, int32_t value)
{
    const r2n_name *name = &node->outputs[number];
    if (value < 0 || number >= node->output_count || name->size == 0)
        return;
    int32_t *place = r2n_name_table_find(&reader->names, name->bytes, name->size);
    if (place == NULL || *place >= 0)
        (void)r2n_foreign_refuse(reader->graph, RES2NET_DAMAGED, node->label.offset,
                                 "two operations give a value of the same name");
    else
        *place = value;
}

/* As many groups as there are outputs; equal ones without sizes. */
static void split(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    int64_t sizes[R2N_FOREIGN_INTEGERS];
    int32_t outputs[R2N_FOREIGN_INPUTS];
    const int64_t axis = integer(node, "axis", 0);
    const int64_t count = listed(reader, node, "split", 1, sizes);
    if ((axis != 1 && axis != -3) || (count != node->output_count && count != -1) ||
        (count == -1 && input(reader, node, 1) >= 0)) {
        (void)mismatch(reader, node, "it splits other than the channels, or into computed sizes");
        return;
    }
    if (r2n_foreign_split(reader->graph, &node->label, input(reader, node, 0),
                          count == -1 ? NULL : sizes, node->output_count, outputs) < 0)
        return;
    for (int32_t i = 0; i < node->output_count; i++)
        give(reader, node, i, outputs[i]);
}

static int is_type(const r2n_onnx_node *node, const char *type)
{
    return node->label.type_bytes == strlen(type) &&
           memcmp(node->label.type, type, node->label.type_bytes) == 0;
}

res2net_status r2n_onnx_add_node(r2n_onnx_reader *reader, const r2n_onnx_node *node)
{
    if (is_type(node, "Split")) {
        split(reader, node);
        return reader->graph->status;
    }
    for (size_t i = 0; i < sizeof translations / sizeof translations[0]; i++) {
        if (!is_type(node, translations[i].type))
            continue;
        give(reader, node, 0, translations[i].add(reader, node));
        return reader->graph->status;
    }
    (void)r2n_foreign_unknown(reader->graph, &node->label);
    return reader->graph->status;
}
