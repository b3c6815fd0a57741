/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of an inference.json as operations of a foreign graph. Axes, kernels and shapes are
 * operands there: small constants of integers. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "import/pir_internal.h"

/* ---- attributes ------------------------------------------------------------------------------ */

static int64_t integer(const r2n_pir_operation *operation, const char *name, int64_t otherwise)
{
    const r2n_json_value *value = r2n_pir_attribute(operation->attributes, name);
    int64_t number;
    if (value != NULL && (value->kind == R2N_JSON_TRUE || value->kind == R2N_JSON_FALSE))
        return value->kind == R2N_JSON_TRUE;
    return value != NULL && r2n_json_integer(value, &number) ? number : otherwise;
}

static double number(const r2n_pir_operation *operation, const char *name, double otherwise)
{
    const r2n_json_value *value = r2n_pir_attribute(operation->attributes, name);
    return value != NULL && value->kind == R2N_JSON_NUMBER ? value->number : otherwise;
}

/* Is the attribute this text, or not there? */
static int text_is(const r2n_pir_operation *operation, const char *name, const char *text)
{
    const r2n_json_value *value = r2n_pir_attribute(operation->attributes, name);
    return value == NULL || (value->kind == R2N_JSON_STRING && strcmp(value->text, text) == 0);
}

/* [1, 2] or [{"#": "0.a_i32", "D": 1}, ...]: how many; -1 for none, -2 for what is no such list. */
static int64_t integers(const r2n_pir_operation *operation, const char *name,
                        int64_t values[R2N_FOREIGN_INTEGERS])
{
    const r2n_json_value *list = r2n_pir_attribute(operation->attributes, name);
    int64_t count = 0;
    if (list == NULL)
        return -1;
    if (list->kind != R2N_JSON_ARRAY || list->count > R2N_FOREIGN_INTEGERS)
        return -2;
    for (const r2n_json_value *item = list->first; item != NULL; item = item->next) {
        const r2n_json_value *value =
            item->kind == R2N_JSON_OBJECT ? r2n_json_member(item, "D") : item;
        if (value == NULL || !r2n_json_integer(value, &values[count++]))
            return -2;
    }
    return count;
}

/* ---- operands -------------------------------------------------------------------------------- */

static int32_t operand(const r2n_pir_operation *operation, int32_t number)
{
    return number < operation->operand_count && operation->operands[number] != NULL
               ? operation->operands[number]->value
               : -1;
}

/* The integers of a constant operand; -1 where there is none. */
static int64_t listed(const r2n_pir_reader *reader, const r2n_pir_operation *operation,
                      int32_t number, int64_t values[R2N_FOREIGN_INTEGERS])
{
    const int32_t value = operand(operation, number);
    if (!r2n_foreign_is_constant(reader->graph, value))
        return -1;
    const r2n_foreign_value *constant = &reader->graph->values[value];
    if (constant->integer_count > 0)
        memcpy(values, constant->integers, (size_t)constant->integer_count * sizeof *values);
    return constant->integer_count;
}

static int is_channel_axis(const r2n_pir_reader *reader, const r2n_pir_operation *operation,
                           int32_t number)
{
    int64_t axis[R2N_FOREIGN_INTEGERS];
    return listed(reader, operation, number, axis) == 1 && (axis[0] == 1 || axis[0] == -3);
}

static int32_t mismatch(r2n_pir_reader *reader, const r2n_pir_operation *operation,
                        const char *text)
{
    char name[R2N_FOREIGN_NAME_BYTES];
    r2n_foreign_label_text(&operation->label, name);
    return r2n_foreign_refuse(reader->graph, RES2NET_MISMATCH, operation->label.offset, "%s: %s",
                              name, text);
}

/* ---- lists of values ------------------------------------------------------------------------- */

static void put_list(r2n_pir_reader *reader, r2n_pir_id *id, const int32_t *values, int32_t count)
{
    if (!r2n_grow((void **)&reader->lists, &reader->list_capacity,
                  reader->list_count + (size_t)count, sizeof *reader->lists)) {
        (void)r2n_foreign_no_memory(reader->graph);
        return;
    }
    if (count > 0)
        memcpy(reader->lists + reader->list_count, values, (size_t)count * sizeof *values);
    id->first = (int32_t)reader->list_count;
    id->count = count;
    reader->list_count += (size_t)count;
}

/* ---- windows --------------------------------------------------------------------------------- */

static int take_pair(const r2n_pir_operation *operation, const char *name, int64_t pair[2])
{
    int64_t values[R2N_FOREIGN_INTEGERS];
    const int64_t count = integers(operation, name, values);
    if (count == 2)
        memcpy(pair, values, 2 * sizeof *pair);
    return count == 2 || count == -1;
}

static int take_padding(const r2n_pir_operation *operation, int64_t padding[4])
{
    int64_t values[R2N_FOREIGN_INTEGERS];
    const int64_t count = integers(operation, "paddings", values);
    for (int i = 0; i < 4 && count > 0; i++)
        padding[i] = count == 4 ? values[i] : values[i % 2];
    return count == 4 || count == 2 || count == -1;
}

static int take_window(r2n_pir_reader *reader, const r2n_pir_operation *operation,
                       r2n_foreign_window *w)
{
    const char *text = NULL;
    if (!text_is(operation, "padding_algorithm", "EXPLICIT"))
        text = "its padding is not written out (padding_algorithm)";
    else if (!text_is(operation, "data_format", "NCHW"))
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

static int32_t convolution(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    r2n_foreign_window window = r2n_foreign_window_default();
    const int32_t weight = operand(operation, 1);
    if (r2n_foreign_is_constant(reader->graph, weight)) {
        window.kernel[0] = reader->graph->values[weight].shape[2];
        window.kernel[1] = reader->graph->values[weight].shape[3];
    }
    if (!take_window(reader, operation, &window))
        return -1;
    return r2n_foreign_convolution(reader->graph, &operation->label, operand(operation, 0), weight,
                                   -1, &window);
}

static int32_t global_pool(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    return r2n_foreign_simple(reader->graph, &operation->label, R2N_FOREIGN_GLOBAL_POOL,
                              operand(operation, 0));
}

static int32_t pool(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    r2n_foreign_window window = r2n_foreign_window_default();
    int64_t kernel[R2N_FOREIGN_INTEGERS];
    const int is_average = !text_is(operation, "pooling_type", "max");
    const int adaptive = integer(operation, "adaptive", 0) != 0;
    if (!take_window(reader, operation, &window))
        return -1;
    if (listed(reader, operation, 1, kernel) != 2)
        return mismatch(reader, operation, "its window has not two dimensions");
    memcpy(window.kernel, kernel, sizeof window.kernel);
    if (is_average && !text_is(operation, "pooling_type", "avg"))
        return mismatch(reader, operation, "neither a maximum nor an average");
    if (integer(operation, "global_pooling", 0) != 0 ||
        (adaptive && kernel[0] == 1 && kernel[1] == 1))
        return is_average ? global_pool(reader, operation)
                          : mismatch(reader, operation, "a Res2Net's last pool is an average");
    if (adaptive)
        return mismatch(reader, operation, "an adaptive pool to more than one pixel");
    const r2n_foreign_pool_rule rule = {.is_average = is_average,
                                        .ceil_mode = integer(operation, "ceil_mode", 0) != 0,
                                        .count_padding =
                                            is_average && integer(operation, "exclusive", 1) == 0};
    return r2n_foreign_pool(reader->graph, &operation->label, operand(operation, 0), &window, rule);
}

/* ---- the other operations of a Res2Net ------------------------------------------------------- */

/* Operands: x, mean, variance, scale, offset. */
static int32_t batch_norm(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    const int32_t inputs[5] = {operand(operation, 0), operand(operation, 3), operand(operation, 4),
                               operand(operation, 1), operand(operation, 2)};
    if (integer(operation, "is_test", 0) == 0 && integer(operation, "use_global_stats", 0) == 0)
        return mismatch(reader, operation,
                        "it takes the batch's statistics; export the network in evaluation mode");
    return r2n_foreign_batch_norm(reader->graph, &operation->label, inputs,
                                  number(operation, "epsilon", 1e-5f));
}

static int32_t relu(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    return r2n_foreign_simple(reader->graph, &operation->label, R2N_FOREIGN_RELU,
                              operand(operation, 0));
}

static int32_t sum(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    return r2n_foreign_sum(reader->graph, &operation->label, operand(operation, 0),
                           operand(operation, 1));
}

static int32_t concat(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    const r2n_pir_id *list = operation->operand_count > 0 ? operation->operands[0] : NULL;
    if (list == NULL || list->count == 0 || !is_channel_axis(reader, operation, 1))
        return mismatch(reader, operation, "it joins along another axis than the channels");
    return r2n_foreign_concat(reader->graph, &operation->label, reader->lists + list->first,
                              list->count);
}

static int32_t slice(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    int64_t axes[R2N_FOREIGN_INTEGERS], starts[R2N_FOREIGN_INTEGERS], ends[R2N_FOREIGN_INTEGERS],
        dropped[R2N_FOREIGN_INTEGERS];
    const int32_t x = operand(operation, 0);
    if (x < 0 || integers(operation, "axes", axes) != 1 || axes[0] != 1 ||
        listed(reader, operation, 1, starts) != 1 || listed(reader, operation, 2, ends) != 1 ||
        integers(operation, "decrease_axis", dropped) > 0)
        return mismatch(reader, operation, "it cuts other than one range of channels");
    const int64_t whole = reader->graph->values[x].channels;
    const int64_t start = starts[0] < 0 ? starts[0] + whole : starts[0];
    const int64_t end = ends[0] < 0 ? ends[0] + whole : ends[0] < whole ? ends[0] : whole;
    return r2n_foreign_slice(reader->graph, &operation->label, x, start, end - start);
}

static int32_t to_matrix(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    return r2n_foreign_simple(reader->graph, &operation->label, R2N_FOREIGN_RESHAPE,
                              operand(operation, 0));
}

static int32_t reshape(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    int64_t sizes[R2N_FOREIGN_INTEGERS];
    const int32_t x = operand(operation, 0);
    const int64_t channels = x < 0 ? 0 : reader->graph->values[x].channels;
    if (listed(reader, operation, 1, sizes) != 2 || (sizes[1] != -1 && sizes[1] != channels))
        return mismatch(reader, operation, "it does not make a matrix of images and channels");
    return to_matrix(reader, operation);
}

static int32_t flatten(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    const int64_t stop = integer(operation, "stop_axis", -1);
    if (integer(operation, "start_axis", 1) != 1 || (stop != -1 && stop != 3))
        return mismatch(reader, operation, "it does not make a matrix of images and channels");
    return to_matrix(reader, operation);
}

static int are_rows_and_columns(const int64_t *axes, int64_t count)
{
    return count == 2 && ((axes[0] == 2 && axes[1] == 3) || (axes[0] == -2 && axes[1] == -1));
}

static int32_t squeeze(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    int64_t axes[R2N_FOREIGN_INTEGERS] = {0};
    return are_rows_and_columns(axes, listed(reader, operation, 1, axes))
               ? to_matrix(reader, operation)
               : mismatch(reader, operation, "it does not leave images and channels");
}

static int32_t mean(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    int64_t axes[R2N_FOREIGN_INTEGERS] = {0};
    return are_rows_and_columns(axes, integers(operation, "axis", axes))
               ? global_pool(reader, operation)
               : mismatch(reader, operation, "its mean is not over rows and columns");
}

static int32_t multiply(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    if (integer(operation, "transpose_x", 0) != 0)
        return mismatch(reader, operation, "it transposes the picture's side");
    return r2n_foreign_multiply(reader->graph, &operation->label, operand(operation, 0),
                                operand(operation, 1), -1,
                                integer(operation, "transpose_y", 0) != 0);
}

static int32_t softmax(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    const int64_t axis = integer(operation, "axis", -1);
    if (axis != -1 && axis != 1)
        return mismatch(reader, operation, "it is not over the classes");
    return r2n_foreign_simple(reader->graph, &operation->label, R2N_FOREIGN_SOFTMAX,
                              operand(operation, 0));
}

/* ---- what computes nothing, and constants ---------------------------------------------------- */

static int32_t same(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    const int32_t x = operand(operation, 0);
    return x >= 0 ? x : mismatch(reader, operation, "its input is missing");
}

static int32_t scale(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    int64_t factor[R2N_FOREIGN_INTEGERS];
    if (listed(reader, operation, 1, factor) != 1 || factor[0] != 1 ||
        number(operation, "bias", 0) != 0)
        return mismatch(reader, operation, "it scales or shifts by other than 1 and 0");
    return same(reader, operation);
}

static int32_t dropout(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    if (r2n_pir_attribute(operation->attributes, "mode") == NULL ||
        !text_is(operation, "mode", "upscale_in_train"))
        return mismatch(reader, operation, "it scales in inference (downgrade_in_infer)");
    return same(reader, operation);
}

static int32_t cast(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    static const char *const types[] = {"float32", "float16", "bfloat16", "float64"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (text_is(operation, "dtype", types[i]))
            return same(reader, operation);
    return mismatch(reader, operation, "it makes integers of what a Res2Net keeps as floats");
}

static int32_t put_integers(r2n_pir_reader *reader, const int64_t *values, int64_t count)
{
    const r2n_foreign_tensor tensor = {.rank = 1,
                                       .shape = &count,
                                       .type = R2N_ELEMENT_INTEGER,
                                       .integer_count = (int32_t)count,
                                       .integers = values};
    return r2n_foreign_constant(reader->graph, &tensor);
}

/* One number, mostly an axis; other than a whole one stays unknown, and is then refused where it
 * matters. */
static int32_t full(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    const double value = number(operation, "value", NAN);
    const int64_t whole = value >= -1e6 && value <= 1e6 ? (int64_t)value : 0;
    return put_integers(reader, &whole, value == (double)whole);
}

static int32_t full_integers(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    int64_t values[R2N_FOREIGN_INTEGERS] = {0};
    const int64_t count = integers(operation, "value", values);
    return put_integers(reader, values, count < 0 ? 0 : count);
}

static int32_t picture(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    enum { PICTURE_CHANNELS = 3 };
    if (reader->graph->input >= 0)
        return mismatch(reader, operation, "a second input; a classifier of pictures has one");
    reader->graph->input = r2n_foreign_plain_value(reader->graph, PICTURE_CHANNELS);
    return reader->graph->input;
}

static int32_t fetch(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    if (reader->graph->output >= 0)
        return mismatch(reader, operation, "a second output; a classifier has its scores only");
    reader->graph->output = same(reader, operation);
    return reader->graph->output;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void split(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    int64_t sizes[R2N_FOREIGN_INTEGERS];
    int32_t outputs[R2N_FOREIGN_INPUTS];
    const int by_number = operation->label.type_bytes > strlen("split");
    const int64_t sections = by_number ? -1 : listed(reader, operation, 1, sizes);
    const int64_t count = by_number ? integer(operation, "num", 0) : sections;
    if (!is_channel_axis(reader, operation, by_number ? 1 : 2) || count < 1 ||
        operation->results[0] == NULL) {
        (void)mismatch(reader, operation,
                       "it splits other than the channels, or into computed sizes");
        return;
    }
    if (r2n_foreign_split(reader->graph, &operation->label, operand(operation, 0),
                          by_number ? NULL : sizes, count, outputs) >= 0)
        put_list(reader, operation->results[0], outputs, (int32_t)count);
}

static void combine(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    int32_t values[R2N_PIR_OPERANDS + 1];
    if (operation->result_count < 1 || operation->results[0] == NULL)
        return;
    for (int32_t i = 0; i < operation->operand_count; i++)
        values[i] = operand(operation, i);
    put_list(reader, operation->results[0], values, operation->operand_count);
}

/* A list's values as values of their own. */
static void take_apart(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    const r2n_pir_id *list = operation->operand_count > 0 ? operation->operands[0] : NULL;
    for (int32_t i = 0; i < operation->result_count; i++) {
        if (operation->results[i] == NULL || list == NULL || i >= list->count) {
            (void)mismatch(reader, operation, "it takes more values than its list has");
            return;
        }
        operation->results[i]->value = reader->lists[list->first + i];
    }
}

static int32_t one_of_list(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    const r2n_pir_id *list = operation->operand_count > 0 ? operation->operands[0] : NULL;
    const int64_t index = integer(operation, "index", -1);
    if (list == NULL || index < 0 || index >= list->count)
        return mismatch(reader, operation, "it takes a value that its list has not");
    return reader->lists[list->first + index];
}

/* ---- all ------------------------------------------------------------------------------------- */

typedef struct translation {
    int dialect;
    const char *type;
    int32_t (*add)(r2n_pir_reader *reader, const r2n_pir_operation *operation);
} translation;

static const translation translations[] = {{1, "data", picture},
                                           {1, "feed", picture},
                                           {1, "fetch", fetch},
                                           {1, "conv2d", convolution},
                                           {1, "depthwise_conv2d", convolution},
                                           {1, "batch_norm_", batch_norm},
                                           {1, "batch_norm", batch_norm},
                                           {1, "relu", relu},
                                           {1, "relu_", relu},
                                           {1, "add", sum},
                                           {1, "add_", sum},
                                           {1, "concat", concat},
                                           {1, "slice", slice},
                                           {1, "pool2d", pool},
                                           {1, "mean", mean},
                                           {1, "reshape", reshape},
                                           {1, "reshape_", reshape},
                                           {1, "flatten", flatten},
                                           {1, "flatten_", flatten},
                                           {1, "squeeze", squeeze},
                                           {1, "matmul", multiply},
                                           {1, "softmax", softmax},
                                           {1, "softmax_", softmax},
                                           {1, "scale", scale},
                                           {1, "scale_", scale},
                                           {1, "dropout", dropout},
                                           {1, "assign", same},
                                           {1, "share_data_", same},
                                           {1, "cast", cast},
                                           {1, "full", full},
                                           {1, "full_int_array", full_integers},
                                           {0, "slice", one_of_list}};

static int is_type(const r2n_pir_operation *operation, int dialect, const char *type)
{
    return operation->dialect == dialect && strcmp(operation->label.type, type) == 0;
}

/* Those whose operand or result is a list; 0 for other operations. */
static int add_list(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    static const struct {
        int dialect;
        const char *type;
        void (*add)(r2n_pir_reader *reader, const r2n_pir_operation *operation);
    } rows[] = {{1, "split_with_num", split},
                {1, "split", split},
                {0, "combine", combine},
                {0, "split", take_apart}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (is_type(operation, rows[i].dialect, rows[i].type)) {
            rows[i].add(reader, operation);
            return 1;
        }
    return 0;
}

res2net_status r2n_pir_add(r2n_pir_reader *reader, const r2n_pir_operation *operation)
{
    if (add_list(reader, operation))
        return reader->graph->status;
    for (size_t i = 0; i < sizeof translations / sizeof translations[0]; i++) {
        if (!is_type(operation, translations[i].dialect, translations[i].type))
            continue;
        const int32_t value = translations[i].add(reader, operation);
        if (operation->result_count > 0 && operation->results[0] != NULL)
            operation->results[0]->value = value;
        return reader->graph->status;
    }
    (void)r2n_foreign_unknown(reader->graph, &operation->label);
    return reader->graph->status;
}
