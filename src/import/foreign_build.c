/* SPDX-License-Identifier: Apache-2.0 */
/* Operations are added to a foreign graph: what all formats have in common is checked here. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "import/foreign_graph.h"

enum { MAXIMUM_OPERATIONS = 1 << 16, MAXIMUM_WINDOW = 64, MAXIMUM_CHANNELS = 1 << 20 };

/* ---- words ----------------------------------------------------------------------------------- */

static size_t put_printable(char *text, size_t room, const char *bytes, size_t count)
{
    size_t used = 0;
    while (used < count && used < room) {
        const char c = bytes[used];
        text[used++] = (char)(c >= 0x20 && c <= 0x7E ? c : '?');
    }
    return used;
}

void r2n_foreign_label_text(const r2n_foreign_label *label, char text[R2N_FOREIGN_NAME_BYTES])
{
    enum { MOST_TYPE = 32, MOST_NAME = R2N_FOREIGN_NAME_BYTES - MOST_TYPE - 4 };
    size_t used = put_printable(text, MOST_TYPE, label->type, label->type_bytes);
    if (label->name_bytes > 0) {
        text[used++] = ' ';
        text[used++] = '"';
        used += put_printable(text + used, MOST_NAME, label->name, label->name_bytes);
        text[used++] = '"';
    }
    text[used] = '\0';
}

static int32_t refuse(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                      res2net_status status, const char *format, ...) RES2NET_PRINTF(4, 5);

static int32_t refuse(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                      res2net_status status, const char *format, ...)
{
    char name[R2N_FOREIGN_NAME_BYTES], text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    r2n_foreign_label_text(label, name);
    return r2n_foreign_refuse(graph, status, label->offset, "%s: %s", name, text);
}

int32_t r2n_foreign_unknown(r2n_foreign_graph *graph, const r2n_foreign_label *label)
{
    static const char *const quantised[] = {"uantize", "QLinear", "Integer", "QGemm", "quantize"};
    static const char *const unfinished[] = {"SplitToSequence", "SequenceAt", "Expand", "CastLike"};
    char name[R2N_FOREIGN_NAME_BYTES];
    const r2n_foreign_label type = {.type = label->type, .type_bytes = label->type_bytes};
    r2n_foreign_label_text(&type, name);
    for (size_t i = 0; i < sizeof quantised / sizeof quantised[0]; i++)
        if (strstr(name, quantised[i]) != NULL)
            return r2n_foreign_other_int8(graph, label, "no operation of such a file");
    for (size_t i = 0; i < sizeof unfinished / sizeof unfinished[0]; i++)
        if (strcmp(name, unfinished[i]) == 0)
            return refuse(graph, label, RES2NET_MISMATCH,
                          "an export that was not optimised; export anew with optimize=True, which "
                          "is the default of torch.onnx.export");
    return refuse(graph, label, RES2NET_MISMATCH,
                  "no operation of a Res2Net (those are convolutions, batch norms, ReLU, sums, "
                  "splits, concatenations, pools and one matrix product)");
}

/* ---- adding ---------------------------------------------------------------------------------- */

/* Inputs that are computed values; `count` of them. Only concatenations take levels. */
static int are_computed(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                        const int32_t *values, int64_t count, int are_levels)
{
    for (int64_t i = 0; i < count; i++) {
        if (graph->status != RES2NET_OK)
            return 0;
        if (values[i] < 0 || r2n_foreign_is_constant(graph, values[i])) {
            (void)refuse(graph, label, RES2NET_MISMATCH, "its input %" PRId64 " is %s", i + 1,
                         values[i] < 0 ? "missing" : "a constant, not what the picture becomes");
            return 0;
        }
        const r2n_foreign_value *value = &graph->values[values[i]];
        if (value->form == R2N_FOREIGN_HELD) {
            (void)refuse(graph, label, RES2NET_MISMATCH,
                         "it reads what a Clip (ReLU6 and the like) gives; no Res2Net has one, but "
                         "before it rounds to int8");
            return 0;
        }
        if ((value->form == R2N_FOREIGN_LEVELS) != are_levels ||
            (are_levels && !(value->scale > 0))) {
            (void)r2n_foreign_other_int8(graph, label, "it reads levels as if they were numbers");
            return 0;
        }
    }
    return 1;
}

/* A constant of numbers with this rank; weights, of more than one, also as bytes. */
static const r2n_foreign_value *constant(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                                         int32_t value, const char *what, int32_t rank)
{
    if (graph->status != RES2NET_OK)
        return NULL;
    if (!r2n_foreign_is_constant(graph, value)) {
        (void)refuse(graph, label, RES2NET_MISMATCH, "its %s is %s; it has to be in the file", what,
                     value < 0 ? "missing" : "computed");
        return NULL;
    }
    const r2n_foreign_value *found = &graph->values[value];
    const int are_numbers = found->type != R2N_ELEMENT_INTEGER || (found->worth >= 0 && rank > 1);
    if (!are_numbers || found->rank != rank || found->count < 1) {
        (void)refuse(graph, label, RES2NET_MISMATCH,
                     "its %s has %" PRId32 " dimensions of %s; expected %" PRId32 " of floats",
                     what, found->rank, found->type == R2N_ELEMENT_INTEGER ? "integers" : "floats",
                     rank);
        return NULL;
    }
    return found;
}

/* Rounded numbers stand for what was rounded. */
static void take_input(const r2n_foreign_graph *graph, r2n_foreign_operation *operation,
                       int64_t number, int32_t value)
{
    const r2n_foreign_value *from = &graph->values[value];
    operation->inputs[number] = from->form == R2N_FOREIGN_COMPUTED ? value : from->source;
    operation->scales[number] = from->scale;
}

/* A new operation with its first input and its value; NULL after a refusal. */
static r2n_foreign_operation *add(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                                  r2n_foreign_kind kind, int32_t x, int64_t channels)
{
    if (graph->status != RES2NET_OK)
        return NULL;
    if (graph->operation_count >= MAXIMUM_OPERATIONS || channels > MAXIMUM_CHANNELS) {
        (void)refuse(graph, label, RES2NET_LIMIT_EXCEEDED,
                     "more than %d operations, or than %d channels", (int)MAXIMUM_OPERATIONS,
                     (int)MAXIMUM_CHANNELS);
        return NULL;
    }
    const int32_t output = r2n_foreign_plain_value(graph, (int32_t)channels);
    if (output < 0)
        return NULL;
    if (!r2n_grow((void **)&graph->operations, &graph->operation_capacity,
                  graph->operation_count + 1, sizeof *graph->operations)) {
        (void)r2n_foreign_no_memory(graph);
        return NULL;
    }
    r2n_foreign_operation *operation = &graph->operations[graph->operation_count];
    *operation =
        (r2n_foreign_operation){.kind = kind, .input_count = 1, .output = output, .stride = 1};
    take_input(graph, operation, 0, x);
    operation->channels = (int32_t)channels;
    r2n_foreign_label_text(label, operation->name);
    graph->values[output].producer = (int32_t)graph->operation_count++;
    return operation;
}

static int32_t value_of(const r2n_foreign_operation *operation)
{
    return operation == NULL ? -1 : operation->output;
}

static int32_t channels_of(const r2n_foreign_graph *graph, int32_t value)
{
    return value < 0 ? 0 : graph->values[value].channels;
}

/* ---- windows --------------------------------------------------------------------------------- */

r2n_foreign_window r2n_foreign_window_default(void)
{
    return (r2n_foreign_window){.stride = {1, 1}, .dilation = {1, 1}, .groups = 1};
}

static int check_window(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                        const r2n_foreign_window *w)
{
    const char *text = NULL;
    if (graph->status != RES2NET_OK)
        return 0;
    if (w->kernel[0] != w->kernel[1] || w->stride[0] != w->stride[1])
        text = "its kernel or stride is not square";
    else if (w->padding[1] != w->padding[0] || w->padding[2] != w->padding[0] ||
             w->padding[3] != w->padding[0])
        text = "its padding is not the same on all sides";
    else if (w->dilation[0] != 1 || w->dilation[1] != 1)
        text = "it is dilated";
    else if (w->groups != 1)
        text = "it has groups (a ResNeXt, Res2NeXt or depthwise network)";
    else if (w->kernel[0] < 1 || w->kernel[0] > MAXIMUM_WINDOW || w->stride[0] < 1 ||
             w->stride[0] > MAXIMUM_WINDOW || w->padding[0] < 0 || w->padding[0] > MAXIMUM_WINDOW)
        text = "its kernel, stride or padding is out of range";
    if (text != NULL)
        (void)refuse(graph, label, RES2NET_MISMATCH, "%s; no such window is in a Res2Net", text);
    return text == NULL;
}

static void take_window(r2n_foreign_operation *operation, const r2n_foreign_window *w)
{
    operation->kernel = (int32_t)w->kernel[0];
    operation->stride = (int32_t)w->stride[0];
    operation->padding = (int32_t)w->padding[0];
}

/* ---- operations ------------------------------------------------------------------------------ */

int32_t r2n_foreign_convolution(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                                int32_t weight, int32_t bias, const r2n_foreign_window *window)
{
    if (!are_computed(graph, label, &x, 1, 0) || !check_window(graph, label, window))
        return -1;
    const r2n_foreign_value *w = constant(graph, label, weight, "weight", 4);
    if (w == NULL)
        return -1;
    if (w->shape[2] != window->kernel[0] || w->shape[3] != window->kernel[1])
        return refuse(graph, label, RES2NET_MISMATCH,
                      "its weight is for a kernel of %" PRId64 " x %" PRId64
                      ", its attribute says %" PRId64,
                      w->shape[2], w->shape[3], window->kernel[0]);
    const int32_t inputs = channels_of(graph, x);
    if (inputs != 0 && w->shape[1] != inputs)
        return refuse(graph, label, RES2NET_MISMATCH,
                      "its weight takes %" PRId64 " channels; %" PRId32 " come in", w->shape[1],
                      inputs);
    const int64_t outputs = w->shape[0];
    if (bias >= 0) {
        const r2n_foreign_value *b = constant(graph, label, bias, "bias", 1);
        if (b != NULL && b->count != outputs)
            return refuse(graph, label, RES2NET_MISMATCH,
                          "its bias has %" PRId64 " numbers for %" PRId64 " channels", b->count,
                          outputs);
    }
    r2n_foreign_operation *operation = add(graph, label, R2N_FOREIGN_CONVOLUTION, x, outputs);
    if (operation == NULL)
        return -1;
    take_window(operation, window);
    operation->inputs[1] = weight;
    operation->inputs[2] = bias;
    operation->input_count = bias >= 0 ? 3 : 2;
    return operation->output;
}

int32_t r2n_foreign_batch_norm(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                               const int32_t inputs[5], double epsilon)
{
    static const char *const names[] = {"", "scale", "offset", "mean", "variance"};
    if (!are_computed(graph, label, inputs, 1, 0))
        return -1;
    const int32_t channels = channels_of(graph, inputs[0]);
    for (int i = 1; i < 5; i++) {
        const r2n_foreign_value *tensor = constant(graph, label, inputs[i], names[i], 1);
        if (tensor != NULL && channels != 0 && tensor->count != channels)
            return refuse(graph, label, RES2NET_MISMATCH,
                          "its %s has %" PRId64 " numbers for %" PRId32 " channels", names[i],
                          tensor->count, channels);
    }
    if (!(epsilon >= 0 && epsilon <= 1))
        return refuse(graph, label, RES2NET_MISMATCH, "its epsilon is %g", epsilon);
    r2n_foreign_operation *operation =
        add(graph, label, R2N_FOREIGN_BATCH_NORM, inputs[0], channels);
    if (operation == NULL)
        return -1;
    memcpy(operation->inputs + 1, inputs + 1, 4 * sizeof inputs[0]);
    operation->input_count = 5;
    operation->epsilon = epsilon;
    return operation->output;
}

int32_t r2n_foreign_simple(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                           r2n_foreign_kind kind, int32_t x)
{
    if (!are_computed(graph, label, &x, 1, 0))
        return -1;
    return value_of(add(graph, label, kind, x, channels_of(graph, x)));
}

/* How many numbers a bias has that is added to each of `channels` channels of a map (rank 1: of a
 * row of scores); 0 for what is none. */
static int is_bias(const r2n_foreign_value *value, int32_t channels, int of_map)
{
    const int32_t after = of_map ? 2 : 0; /* sizes of 1 behind the channels */
    if (value->type == R2N_ELEMENT_INTEGER || value->count != channels || value->rank > 4)
        return 0;
    return value->rank > after && value->shape[value->rank - 1 - after] == channels;
}

/* The same constant as a list of numbers. */
static int32_t flat(r2n_foreign_graph *graph, int32_t value)
{
    const r2n_foreign_value from = graph->values[value];
    const r2n_foreign_tensor tensor = {.rank = 1,
                                       .shape = &from.count,
                                       .type = from.type,
                                       .data = from.data,
                                       .bytes = (size_t)from.count * r2n_element_bytes(from.type),
                                       .integer_count = -1};
    return r2n_foreign_constant(graph, &tensor);
}

/* A constant is added: the bias of the convolution or matrix product before it. */
static int32_t add_bias(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                        int32_t bias)
{
    const r2n_foreign_operation *before = r2n_foreign_producer(graph, x);
    if (!are_computed(graph, label, &x, 1, 0))
        return -1;
    const int of_map = before != NULL && before->kind == R2N_FOREIGN_CONVOLUTION;
    if (before == NULL || before->input_count != 2 ||
        (!of_map && before->kind != R2N_FOREIGN_MULTIPLY) ||
        !is_bias(&graph->values[bias], before->channels, of_map))
        return refuse(graph, label, RES2NET_MISMATCH,
                      "a constant is added that is no bias of a convolution or of the classifier");
    const int32_t numbers = flat(graph, bias);
    const r2n_foreign_operation copy = *before;
    r2n_foreign_operation *operation =
        numbers < 0 ? NULL : add(graph, label, copy.kind, copy.inputs[0], copy.channels);
    if (operation == NULL)
        return -1;
    const int32_t output = operation->output;
    *operation = copy;
    operation->output = output;
    operation->inputs[2] = numbers;
    operation->input_count = 3;
    return output;
}

int32_t r2n_foreign_sum(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                        int32_t y)
{
    if (r2n_foreign_is_constant(graph, y) && !r2n_foreign_is_constant(graph, x))
        return add_bias(graph, label, x, y);
    if (r2n_foreign_is_constant(graph, x) && !r2n_foreign_is_constant(graph, y))
        return add_bias(graph, label, y, x);
    const int32_t inputs[2] = {x, y};
    if (!are_computed(graph, label, inputs, 2, 0))
        return -1;
    const int32_t channels = channels_of(graph, x);
    if (channels != channels_of(graph, y))
        return refuse(graph, label, RES2NET_MISMATCH, "it adds %" PRId32 " channels to %" PRId32,
                      channels_of(graph, y), channels);
    r2n_foreign_operation *operation = add(graph, label, R2N_FOREIGN_ADD, x, channels);
    if (operation == NULL)
        return -1;
    take_input(graph, operation, 1, y);
    operation->input_count = 2;
    return operation->output;
}

int32_t r2n_foreign_slice(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                          int64_t first, int64_t channels)
{
    if (!are_computed(graph, label, &x, 1, 0))
        return -1;
    const int32_t whole = channels_of(graph, x);
    if (first < 0 || channels < 1 || first > whole || channels > whole - first)
        return refuse(graph, label, RES2NET_MISMATCH,
                      "it takes channels %" PRId64 " to %" PRId64 " of %" PRId32, first,
                      first + (channels > 0 ? channels : 0), whole);
    r2n_foreign_operation *operation = add(graph, label, R2N_FOREIGN_SLICE, x, channels);
    if (operation == NULL)
        return -1;
    operation->first_channel = (int32_t)first;
    return operation->output;
}

int32_t r2n_foreign_split(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                          const int64_t *sizes, int64_t count, int32_t outputs[R2N_FOREIGN_INPUTS])
{
    int64_t first = 0;
    if (!are_computed(graph, label, &x, 1, 0))
        return -1;
    const int32_t whole = channels_of(graph, x);
    if (count < 1 || count > R2N_FOREIGN_INPUTS)
        return refuse(graph, label, RES2NET_MISMATCH,
                      "it makes %" PRId64 " groups; 1 to %d are supported", count,
                      (int)R2N_FOREIGN_INPUTS);
    if (sizes == NULL && whole % count != 0)
        return refuse(graph, label, RES2NET_MISMATCH,
                      "%" PRId32 " channels in %" PRId64 " groups are not equally wide", whole,
                      count);
    for (int64_t i = 0; i < count; i++) {
        const int64_t size = sizes != NULL ? sizes[i] : whole / count;
        outputs[i] = r2n_foreign_slice(graph, label, x, first, size);
        if (outputs[i] < 0)
            return -1;
        first += size;
    }
    if (first != whole)
        return refuse(graph, label, RES2NET_MISMATCH,
                      "its groups have %" PRId64 " channels together; %" PRId32 " come in", first,
                      whole);
    return outputs[0];
}

int32_t r2n_foreign_concat(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                           const int32_t *values, int64_t count)
{
    int64_t channels = 0;
    if (count < 1 || count > R2N_FOREIGN_INPUTS)
        return refuse(graph, label, RES2NET_MISMATCH,
                      "it joins %" PRId64 " values; 1 to %d are supported", count,
                      (int)R2N_FOREIGN_INPUTS);
    const int are_levels = values[0] >= 0 && graph->values[values[0]].form == R2N_FOREIGN_LEVELS;
    if (!are_computed(graph, label, values, count, are_levels))
        return -1;
    for (int64_t i = 0; i < count; i++)
        channels += channels_of(graph, values[i]);
    r2n_foreign_operation *operation = add(graph, label, R2N_FOREIGN_CONCAT, values[0], channels);
    if (operation == NULL)
        return -1;
    for (int64_t i = 1; i < count; i++)
        take_input(graph, operation, i, values[i]);
    operation->input_count = (int32_t)count;
    if (are_levels) {
        graph->values[operation->output].form = R2N_FOREIGN_LEVELS;
        graph->values[operation->output].source = operation->output;
    }
    return operation->output;
}

int32_t r2n_foreign_pad(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                        const int64_t padding[4])
{
    r2n_foreign_window window = r2n_foreign_window_default();
    window.kernel[0] = window.kernel[1] = 1;
    memcpy(window.padding, padding, sizeof window.padding);
    if (!are_computed(graph, label, &x, 1, 0) || !check_window(graph, label, &window))
        return -1;
    if (padding[0] == 0)
        return x;
    r2n_foreign_operation *operation = add(graph, label, R2N_FOREIGN_PAD, x, channels_of(graph, x));
    if (operation == NULL)
        return -1;
    operation->padding = (int32_t)padding[0];
    return operation->output;
}

/* How PyTorch's exporter writes rounding up for operator sets that have no ceil_mode: a last row
 * and column of padding, which the average leaves out. */
static void undo_ceil_padding(r2n_foreign_window *w, r2n_foreign_pool_rule *rule)
{
    const int64_t end = w->stride[0] - 1;
    if (!rule->is_average || rule->count_padding || rule->ceil_mode || end < 1 ||
        w->kernel[0] != w->stride[0] || w->padding[0] != 0 || w->padding[1] != 0 ||
        w->padding[2] != end || w->padding[3] != end)
        return;
    w->padding[2] = w->padding[3] = 0;
    rule->ceil_mode = 1;
}

int32_t r2n_foreign_pool(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                         const r2n_foreign_window *given, r2n_foreign_pool_rule rule)
{
    r2n_foreign_window plain = *given;
    const r2n_foreign_window *window = &plain;
    undo_ceil_padding(&plain, &rule);
    if (!are_computed(graph, label, &x, 1, 0) || !check_window(graph, label, window))
        return -1;
    if (window->kernel[0] == 1 && window->stride[0] == 1 && window->padding[0] == 0)
        return x; /* v1b's shortcut pool where there is no stride */
    const r2n_foreign_operation *before = r2n_foreign_producer(graph, x);
    int32_t padding = (int32_t)window->padding[0];
    if (before != NULL && before->kind == R2N_FOREIGN_PAD && rule.is_average && padding == 0) {
        /* How older exporters write an average that counts its padding. */
        padding = before->padding;
        rule.count_padding = 1;
        x = before->inputs[0];
    }
    r2n_foreign_operation *operation =
        add(graph, label, R2N_FOREIGN_POOL, x, channels_of(graph, x));
    if (operation == NULL)
        return -1;
    take_window(operation, window);
    operation->padding = padding;
    operation->pool_is_average = rule.is_average != 0;
    operation->ceil_mode = rule.ceil_mode != 0;
    operation->count_padding = rule.count_padding != 0;
    return operation->output;
}

int32_t r2n_foreign_multiply(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                             int32_t matrix, int32_t bias, int32_t transposed)
{
    if (!are_computed(graph, label, &x, 1, 0))
        return -1;
    const r2n_foreign_value *m = constant(graph, label, matrix, "matrix", 2);
    if (m == NULL)
        return -1;
    if (m->worth >= 0 && (!transposed || m->transposed))
        return r2n_foreign_other_int8(graph, label, "its matrix is the other way round");
    const int64_t inputs = m->shape[transposed ? 1 : 0], outputs = m->shape[transposed ? 0 : 1];
    const int32_t features = channels_of(graph, x);
    if (features != 0 && inputs != features)
        return refuse(graph, label, RES2NET_MISMATCH,
                      "its matrix takes %" PRId64 " features; %" PRId32 " channels come in", inputs,
                      features);
    if (bias >= 0 && (!r2n_foreign_is_constant(graph, bias) || outputs > MAXIMUM_CHANNELS ||
                      !is_bias(&graph->values[bias], (int32_t)outputs, 0)))
        return refuse(graph, label, RES2NET_MISMATCH,
                      "its bias is no constant with a number for each of %" PRId64 " scores",
                      outputs);
    const int32_t numbers = bias >= 0 ? flat(graph, bias) : -1;
    r2n_foreign_operation *operation = add(graph, label, R2N_FOREIGN_MULTIPLY, x, outputs);
    if (operation == NULL)
        return -1;
    operation->inputs[1] = matrix;
    operation->inputs[2] = numbers;
    operation->input_count = bias >= 0 ? 3 : 2;
    operation->transposed = transposed;
    return operation->output;
}
