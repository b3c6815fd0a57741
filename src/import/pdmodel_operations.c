/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's operations of a .pdmodel, old ones among them, as operations of a foreign graph. */
#include <string.h>

#include "import/paddle_internal.h"

/* ---- attributes ------------------------------------------------------------------------------ */

enum attribute_field {
    NAME = 1,
    INTEGER = 3,
    NUMBER = 4,
    TEXT = 5,
    INTEGERS = 6,
    BOOLEAN = 10,
    LONG = 13,
    LONGS = 15
};

static int find(const r2n_paddle_operation *operation, const char *name,
                r2n_protobuf_reader *attribute)
{
    for (int32_t i = 0; i < operation->attribute_count; i++) {
        r2n_protobuf_reader reader = operation->attributes[i];
        r2n_protobuf_field field;
        *attribute = reader;
        while (r2n_protobuf_next(&reader, &field))
            if (field.number == NAME && r2n_protobuf_is(&field, name))
                return 1;
    }
    return 0;
}

static int64_t integer(const r2n_paddle_operation *operation, const char *name, int64_t otherwise)
{
    r2n_protobuf_reader attribute;
    r2n_protobuf_field field;
    if (find(operation, name, &attribute))
        while (r2n_protobuf_next(&attribute, &field))
            if (field.kind == R2N_PROTOBUF_VARINT &&
                (field.number == INTEGER || field.number == BOOLEAN || field.number == LONG))
                return field.number == INTEGER ? (int32_t)field.value : (int64_t)field.value;
    return otherwise;
}

static double number(const r2n_paddle_operation *operation, const char *name, double otherwise)
{
    r2n_protobuf_reader attribute;
    r2n_protobuf_field field;
    if (find(operation, name, &attribute))
        while (r2n_protobuf_next(&attribute, &field))
            if (field.number == NUMBER)
                return (double)r2n_protobuf_float(&field);
    return otherwise;
}

/* Is the attribute this text, or not there? */
static int text_is(const r2n_paddle_operation *operation, const char *name, const char *text)
{
    r2n_protobuf_reader attribute;
    r2n_protobuf_field field;
    if (find(operation, name, &attribute))
        while (r2n_protobuf_next(&attribute, &field))
            if (field.number == TEXT)
                return r2n_protobuf_is(&field, text);
    return 1;
}

/* How many; -1 for none, -2 for more than there is room for. */
static int64_t integers(const r2n_paddle_operation *operation, const char *name,
                        int64_t values[R2N_FOREIGN_INTEGERS])
{
    r2n_protobuf_reader attribute;
    r2n_protobuf_field field;
    int64_t count = 0;
    if (!find(operation, name, &attribute))
        return -1;
    while (count >= 0 && r2n_protobuf_next(&attribute, &field))
        if (field.number == INTEGERS || field.number == LONGS)
            count = r2n_protobuf_integers(&field, values, count, R2N_FOREIGN_INTEGERS);
    for (int64_t i = 0; i < count; i++)
        if (values[i] >= 0 && values[i] <= UINT32_MAX && values[i] > INT32_MAX)
            values[i] = (int32_t)values[i]; /* a negative one in 32 bits */
    return count < 0 ? -2 : count;
}

/* ---- variables ------------------------------------------------------------------------------- */

static const r2n_paddle_slot *slot(const r2n_paddle_slot *slots, int32_t count, const char *name)
{
    const size_t length = strlen(name);
    for (int32_t i = 0; i < count; i++)
        if (slots[i].name.size == length && memcmp(slots[i].name.bytes, name, length) == 0 &&
            slots[i].count > 0)
            return &slots[i];
    return NULL;
}

static int32_t value_of(const r2n_pdmodel_reader *reader, const r2n_name *name)
{
    const int32_t *place = r2n_name_table_find(&reader->names, name->bytes, name->size);
    return place == NULL ? -1 : *place;
}

/* -1: not given. */
static int32_t input(const r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation,
                     const char *name)
{
    const r2n_paddle_slot *found = slot(operation->inputs, operation->input_count, name);
    return found == NULL ? -1 : value_of(reader, &found->arguments[0]);
}

static int has_input(const r2n_paddle_operation *operation, const char *name)
{
    return slot(operation->inputs, operation->input_count, name) != NULL;
}

static int32_t mismatch(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation,
                        const char *text)
{
    char name[R2N_FOREIGN_NAME_BYTES];
    r2n_foreign_label_text(&operation->label, name);
    return r2n_foreign_refuse(reader->graph, RES2NET_MISMATCH, operation->label.offset, "%s: %s",
                              name, text);
}

/* ---- windows --------------------------------------------------------------------------------- */

static int take_pair(const r2n_paddle_operation *operation, const char *name, int64_t pair[2])
{
    int64_t values[R2N_FOREIGN_INTEGERS];
    const int64_t count = integers(operation, name, values);
    if (count == 2)
        memcpy(pair, values, 2 * sizeof *pair);
    return count == 2 || count == -1;
}

/* [rows, columns], or all four sides. */
static int take_padding(const r2n_paddle_operation *operation, int64_t padding[4])
{
    int64_t values[R2N_FOREIGN_INTEGERS];
    const int64_t count = integers(operation, "paddings", values);
    for (int i = 0; i < 4 && count > 0; i++)
        padding[i] = count == 4 ? values[i] : values[i % 2];
    return count == 4 || count == 2 || count == -1;
}

static int take_window(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation,
                       r2n_foreign_window *w)
{
    const char *text = NULL;
    if (!text_is(operation, "padding_algorithm", "EXPLICIT"))
        text = "its padding is not written out (padding_algorithm)";
    else if (!text_is(operation, "data_format", "NCHW") &&
             !text_is(operation, "data_format", "AnyLayout"))
        text = "its channels come last (data_format)";
    else if (!take_pair(operation, "strides", w->stride) ||
             !take_pair(operation, "dilations", w->dilation) ||
             !take_padding(operation, w->padding))
        text = "its window has not two dimensions";
    if (text != NULL)
        (void)mismatch(reader, operation, text);
    w->groups = integer(operation, "groups", 1);
    return text == NULL;
}

static int32_t convolution(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    r2n_foreign_window window = r2n_foreign_window_default();
    const int32_t weight = input(reader, operation, "Filter");
    if (r2n_foreign_is_constant(reader->graph, weight)) {
        window.kernel[0] = reader->graph->values[weight].shape[2];
        window.kernel[1] = reader->graph->values[weight].shape[3];
    }
    if (!take_window(reader, operation, &window))
        return -1;
    return r2n_foreign_convolution(reader->graph, &operation->label,
                                   input(reader, operation, "Input"), weight,
                                   input(reader, operation, "Bias"), &window);
}

static int32_t global_pool(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    return r2n_foreign_simple(reader->graph, &operation->label, R2N_FOREIGN_GLOBAL_POOL,
                              input(reader, operation, "X"));
}

static int32_t pool(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    r2n_foreign_window window = r2n_foreign_window_default();
    const int is_average = !text_is(operation, "pooling_type", "max");
    const int adaptive = integer(operation, "adaptive", 0) != 0;
    if (!take_window(reader, operation, &window))
        return -1;
    if (!take_pair(operation, "ksize", window.kernel))
        return mismatch(reader, operation, "its window has not two dimensions");
    if (is_average && !text_is(operation, "pooling_type", "avg"))
        return mismatch(reader, operation, "neither a maximum nor an average");
    if (integer(operation, "global_pooling", 0) != 0 ||
        (adaptive && window.kernel[0] == 1 && window.kernel[1] == 1))
        return is_average ? global_pool(reader, operation)
                          : mismatch(reader, operation, "a Res2Net's last pool is an average");
    if (adaptive)
        return mismatch(reader, operation, "an adaptive pool to more than one pixel");
    const r2n_foreign_pool_rule rule = {.is_average = is_average,
                                        .ceil_mode = integer(operation, "ceil_mode", 0) != 0,
                                        .count_padding =
                                            is_average && integer(operation, "exclusive", 1) == 0};
    return r2n_foreign_pool(reader->graph, &operation->label, input(reader, operation, "X"),
                            &window, rule);
}

/* ---- the other operations of a Res2Net ------------------------------------------------------- */

static int32_t batch_norm(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    const int32_t inputs[5] = {input(reader, operation, "X"), input(reader, operation, "Scale"),
                               input(reader, operation, "Bias"), input(reader, operation, "Mean"),
                               input(reader, operation, "Variance")};
    if (integer(operation, "is_test", 0) == 0 && integer(operation, "use_global_stats", 0) == 0)
        return mismatch(reader, operation,
                        "it takes the batch's statistics; export the network in evaluation mode");
    if (integer(operation, "fuse_with_relu", 0) != 0)
        return mismatch(reader, operation, "it has a ReLU in it; export the network as it is");
    return r2n_foreign_batch_norm(reader->graph, &operation->label, inputs,
                                  number(operation, "epsilon", 1e-5f));
}

static int32_t relu(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    return r2n_foreign_simple(reader->graph, &operation->label, R2N_FOREIGN_RELU,
                              input(reader, operation, "X"));
}

/* Along channels from axis 1, a bias has no rows and columns. */
static int32_t sum(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    const int32_t x = input(reader, operation, "X");
    int32_t y = input(reader, operation, "Y");
    const r2n_foreign_operation *before = r2n_foreign_producer(reader->graph, x);
    if (before != NULL && before->kind == R2N_FOREIGN_CONVOLUTION &&
        integer(operation, "axis", -1) == 1 && r2n_foreign_is_constant(reader->graph, y) &&
        reader->graph->values[y].rank == 1) {
        const int64_t shape[3] = {reader->graph->values[y].count, 1, 1};
        const r2n_foreign_value from = reader->graph->values[y];
        const r2n_foreign_tensor tensor = {.rank = 3,
                                           .shape = shape,
                                           .type = from.type,
                                           .data = from.data,
                                           .bytes = from.type == R2N_ELEMENT_INTEGER
                                                        ? 0
                                                        : (size_t)from.count *
                                                              r2n_element_bytes(from.type),
                                           .integer_count = -1};
        y = r2n_foreign_constant(reader->graph, &tensor);
    }
    return r2n_foreign_sum(reader->graph, &operation->label, x, y);
}

static int32_t concat(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    const r2n_paddle_slot *found = slot(operation->inputs, operation->input_count, "X");
    int32_t values[R2N_FOREIGN_INPUTS + 1];
    const int64_t axis = integer(operation, "axis", 0);
    if ((axis != 1 && axis != -3) || has_input(operation, "AxisTensor"))
        return mismatch(reader, operation, "it joins along another axis than the channels");
    for (int32_t i = 0; found != NULL && i < found->count; i++)
        values[i] = value_of(reader, &found->arguments[i]);
    return r2n_foreign_concat(reader->graph, &operation->label, values,
                              found == NULL ? 0 : found->count);
}

static int32_t slice(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    int64_t axes[R2N_FOREIGN_INTEGERS], starts[R2N_FOREIGN_INTEGERS], ends[R2N_FOREIGN_INTEGERS],
        dropped[R2N_FOREIGN_INTEGERS];
    const int32_t x = input(reader, operation, "Input");
    if (x < 0 || integers(operation, "axes", axes) != 1 || axes[0] != 1 ||
        integers(operation, "starts", starts) != 1 || integers(operation, "ends", ends) != 1 ||
        integers(operation, "decrease_axis", dropped) > 0)
        return mismatch(reader, operation, "it cuts other than one range of channels");
    const int64_t whole = reader->graph->values[x].channels;
    const int64_t start = starts[0] < 0 ? starts[0] + whole : starts[0];
    const int64_t end = ends[0] < 0 ? ends[0] + whole : ends[0] < whole ? ends[0] : whole;
    return r2n_foreign_slice(reader->graph, &operation->label, x, start, end - start);
}

static int32_t to_matrix(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    return r2n_foreign_simple(reader->graph, &operation->label, R2N_FOREIGN_RESHAPE,
                              input(reader, operation, "X"));
}

static int32_t reshape(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    int64_t sizes[R2N_FOREIGN_INTEGERS];
    const int32_t x = input(reader, operation, "X");
    const int64_t channels = x < 0 ? 0 : reader->graph->values[x].channels;
    if (integers(operation, "shape", sizes) != 2 || (sizes[1] != -1 && sizes[1] != channels))
        return mismatch(reader, operation, "it does not make a matrix of images and channels");
    return to_matrix(reader, operation);
}

static int32_t flatten(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    const int64_t stop = integer(operation, "stop_axis", -1);
    if (integer(operation, "start_axis", 1) != 1 || (stop != -1 && stop != 3) ||
        integer(operation, "axis", 1) != 1)
        return mismatch(reader, operation, "it does not make a matrix of images and channels");
    return to_matrix(reader, operation);
}

static int are_rows_and_columns(const int64_t *axes, int64_t count)
{
    return count == 2 && ((axes[0] == 2 && axes[1] == 3) || (axes[0] == -2 && axes[1] == -1));
}

static int32_t squeeze(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    int64_t axes[R2N_FOREIGN_INTEGERS] = {0};
    return are_rows_and_columns(axes, integers(operation, "axes", axes))
               ? to_matrix(reader, operation)
               : mismatch(reader, operation, "it does not leave images and channels");
}

static int32_t mean(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    int64_t axes[R2N_FOREIGN_INTEGERS] = {0};
    if (integer(operation, "reduce_all", 0) != 0 ||
        !are_rows_and_columns(axes, integers(operation, "dim", axes)))
        return mismatch(reader, operation, "its mean is not over rows and columns");
    return global_pool(reader, operation);
}

/* matmul_v2, matmul and mul, which makes a matrix of what comes in. */
static int32_t multiply(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    if (integer(operation, "trans_x", 0) != 0 || integer(operation, "transpose_X", 0) != 0 ||
        number(operation, "alpha", 1) != 1 || integer(operation, "x_num_col_dims", 1) != 1 ||
        integer(operation, "y_num_col_dims", 1) != 1)
        return mismatch(reader, operation, "it transposes the picture's side or has a factor");
    const int transposed =
        integer(operation, "trans_y", 0) != 0 || integer(operation, "transpose_Y", 0) != 0;
    return r2n_foreign_multiply(reader->graph, &operation->label, input(reader, operation, "X"),
                                input(reader, operation, "Y"), -1, transposed);
}

static int32_t softmax(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    const int64_t axis = integer(operation, "axis", -1);
    if (axis != -1 && axis != 1)
        return mismatch(reader, operation, "it is not over the classes");
    return r2n_foreign_simple(reader->graph, &operation->label, R2N_FOREIGN_SOFTMAX,
                              input(reader, operation, "X"));
}

/* ---- what computes nothing ------------------------------------------------------------------- */

static int32_t same(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    const int32_t x = input(reader, operation, "X");
    return x >= 0 ? x : mismatch(reader, operation, "its input is missing");
}

/* Exports of Paddle 2.1 and 2.2 end with one. */
static int32_t scale(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    if (number(operation, "scale", 1) != 1 || number(operation, "bias", 0) != 0 ||
        has_input(operation, "ScaleTensor"))
        return mismatch(reader, operation, "it scales or shifts by other than 1 and 0");
    return same(reader, operation);
}

static int32_t dropout(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    r2n_protobuf_reader attribute;
    const int written = find(operation, "dropout_implementation", &attribute);
    if (number(operation, "dropout_prob", 0.5) != 0 &&
        (!written || !text_is(operation, "dropout_implementation", "upscale_in_train")))
        return mismatch(reader, operation, "it scales in inference (downgrade_in_infer)");
    return same(reader, operation);
}

static int32_t cast(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    const int64_t to = integer(operation, "out_dtype", R2N_PADDLE_FP32);
    return to == R2N_PADDLE_FP32 || to == R2N_PADDLE_FP16 || to == R2N_PADDLE_BF16 ||
                   to == R2N_PADDLE_FP64
               ? same(reader, operation)
               : mismatch(reader, operation, "it makes integers of what a Res2Net keeps as floats");
}

/* ---- all ------------------------------------------------------------------------------------- */

typedef struct translation {
    const char *type, *output;
    int32_t (*add)(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation);
} translation;

static const translation translations[] = {
    {"conv2d", "Output", convolution}, {"depthwise_conv2d", "Output", convolution},
    {"batch_norm", "Y", batch_norm},   {"relu", "Out", relu},
    {"elementwise_add", "Out", sum},   {"concat", "Out", concat},
    {"slice", "Out", slice},           {"pool2d", "Out", pool},
    {"reduce_mean", "Out", mean},      {"reshape2", "Out", reshape},
    {"reshape", "Out", reshape},       {"flatten_contiguous_range", "Out", flatten},
    {"flatten2", "Out", flatten},      {"flatten", "Out", flatten},
    {"squeeze2", "Out", squeeze},      {"matmul_v2", "Out", multiply},
    {"matmul", "Out", multiply},       {"mul", "Out", multiply},
    {"softmax", "Out", softmax},       {"scale", "Out", scale},
    {"assign", "Out", same},           {"share_data", "Out", same},
    {"dropout", "Out", dropout},       {"cast", "Out", cast}};

/* Variables may be given anew: in-place operations. */
static void give(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation,
                 const char *output, int32_t number, int32_t value)
{
    const r2n_paddle_slot *found = slot(operation->outputs, operation->output_count, output);
    if (reader->graph->status != RES2NET_OK)
        return;
    int32_t *place = found == NULL || number >= found->count
                         ? NULL
                         : r2n_name_table_find(&reader->names, found->arguments[number].bytes,
                                               found->arguments[number].size);
    if (place == NULL)
        (void)mismatch(reader, operation, "its result is no variable of the program");
    else
        *place = value;
}

static void feed(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    enum { PICTURE_CHANNELS = 3 };
    if (reader->graph->input >= 0) {
        (void)mismatch(reader, operation, "a second input; a classifier of pictures has one");
        return;
    }
    reader->graph->input = r2n_foreign_plain_value(reader->graph, PICTURE_CHANNELS);
    give(reader, operation, "Out", 0, reader->graph->input);
}

static void fetch(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    const int32_t x = input(reader, operation, "X");
    if (reader->graph->output >= 0 || x < 0)
        (void)mismatch(reader, operation,
                       x < 0 ? "no operation makes it"
                             : "a second output; a classifier has its scores only");
    else
        reader->graph->output = x;
}

/* As many groups as there are outputs. */
static void split(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    int64_t sizes[R2N_FOREIGN_INTEGERS];
    int32_t outputs[R2N_FOREIGN_INPUTS];
    const r2n_paddle_slot *found = slot(operation->outputs, operation->output_count, "Out");
    const int64_t axis = integer(operation, "axis", 0);
    const int64_t sections = integers(operation, "sections", sizes);
    const int32_t count = found == NULL ? 0 : found->count;
    if ((axis != 1 && axis != -3) || has_input(operation, "AxisTensor") ||
        has_input(operation, "SectionsTensorList") || (sections > 0 && sections != count)) {
        (void)mismatch(reader, operation,
                       "it splits other than the channels, or into computed sizes");
        return;
    }
    if (r2n_foreign_split(reader->graph, &operation->label, input(reader, operation, "X"),
                          sections > 0 ? sizes : NULL, count, outputs) < 0)
        return;
    for (int32_t i = 0; i < count; i++)
        give(reader, operation, "Out", i, outputs[i]);
}

static int is_type(const r2n_paddle_operation *operation, const char *type)
{
    return operation->label.type_bytes == strlen(type) &&
           memcmp(operation->label.type, type, operation->label.type_bytes) == 0;
}

res2net_status r2n_pdmodel_add(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation)
{
    static const struct {
        const char *type;
        void (*add)(r2n_pdmodel_reader *reader, const r2n_paddle_operation *operation);
    } others[] = {{"feed", feed}, {"fetch", fetch}, {"split", split}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (is_type(operation, others[i].type)) {
            others[i].add(reader, operation);
            return reader->graph->status;
        }
    for (size_t i = 0; i < sizeof translations / sizeof translations[0]; i++)
        if (is_type(operation, translations[i].type)) {
            const int32_t value = translations[i].add(reader, operation);
            give(reader, operation, translations[i].output, 0, value);
            return reader->graph->status;
        }
    (void)r2n_foreign_unknown(reader->graph, &operation->label);
    return reader->graph->status;
}
