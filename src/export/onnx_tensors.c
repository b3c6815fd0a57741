/* SPDX-License-Identifier: Apache-2.0 */
/* Initializers: batch norms folded in, numbers rounded to the type of the file, written as they
 * come. */
#include "export/onnx_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formats/protobuf_writer.h"

enum { INITIALIZER = 5 };                                        /* of GraphProto */
enum { DIMS = 1, DATA_TYPE = 2, TENSOR_NAME = 8, RAW_DATA = 9 }; /* of TensorProto */
enum { WIRE_BYTES = 2 };
static const double EPSILON = 1e-5; /* both families, spec 1.7 */

/* ---- the list -------------------------------------------------------------------------------- */

r2n_onnx_tensor *r2n_onnx_add_tensor(r2n_onnx_graph *graph, const char *prefix, const char *suffix)
{
    if (!r2n_grow((void **)&graph->tensors, &graph->tensor_capacity, graph->tensor_count + 1,
                  sizeof *graph->tensors))
        return NULL;
    r2n_onnx_tensor *tensor = &graph->tensors[graph->tensor_count++];
    memset(tensor, 0, sizeof *tensor);
    snprintf(tensor->name, sizeof tensor->name, "%.95s%s", prefix, suffix);
    return tensor;
}

static const float *find(const r2n_onnx_graph *graph, const char *prefix, const char *suffix,
                         int64_t count)
{
    char name[R2N_ONNX_NAME_BYTES];
    snprintf(name, sizeof name, "%.95s%s", prefix, suffix);
    const r2n_tensor *tensor = r2n_tensor_set_find(graph->model->weights, name);
    if (tensor != NULL && tensor->count == count)
        return tensor->data;
    r2n_fail(graph->report, RES2NET_MISMATCH, graph->path, -1,
             "the tensor %s is missing or of another size", name);
    return NULL;
}

res2net_status r2n_onnx_add_weights(r2n_onnx_graph *graph, const char *prefix, const char *suffix,
                                    r2n_onnx_type type, int32_t rank, const int64_t *shape)
{
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++)
        count *= shape[i];
    const float *data = find(graph, prefix, suffix, count);
    if (data == NULL)
        return RES2NET_MISMATCH;
    r2n_onnx_tensor *tensor = r2n_onnx_add_tensor(graph, prefix, suffix);
    if (tensor == NULL)
        return r2n_onnx_no_memory(graph);
    tensor->type = type;
    tensor->rank = rank;
    memcpy(tensor->shape, shape, (size_t)rank * sizeof *shape);
    tensor->count = count;
    tensor->data = data;
    return RES2NET_OK;
}

res2net_status r2n_onnx_find_norm(const r2n_onnx_graph *graph, const r2n_node *node,
                                  r2n_onnx_norm *norm)
{
    norm->scale = find(graph, node->tensor, ".weight", node->channels);
    norm->offset = find(graph, node->tensor, ".bias", node->channels);
    norm->mean = find(graph, node->tensor, ".running_mean", node->channels);
    norm->variance = find(graph, node->tensor, ".running_var", node->channels);
    return norm->scale == NULL || norm->offset == NULL || norm->mean == NULL ||
                   norm->variance == NULL
               ? RES2NET_MISMATCH
               : RES2NET_OK;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* IEEE half, to the nearest, ties to even; infinite from 65520 on. */
static uint16_t half_from_float(float value)
{
    uint32_t bits, half;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000u;
    bits &= 0x7fffffffu;
    if (bits >= 0x47800000u) /* 65536 */
        return (uint16_t)(sign | 0x7c00u);
    if (bits < 0x38800000u) { /* below 2^-14 the steps are all 2^-24: those of a float at 0.5 */
        const float shifted = fabsf(value) + 0.5f;
        memcpy(&half, &shifted, sizeof half);
        return (uint16_t)(sign | (half - 0x3f000000u));
    }
    half = (bits + 0xfffu + (bits >> 13 & 1u) - 0x38000000u) >> 13;
    return (uint16_t)(sign | half);
}

/* bf16, to the nearest, ties to even. The numbers are finite. */
static uint16_t brain_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static size_t type_bytes(r2n_onnx_type type)
{
    if (type == R2N_ONNX_INT8 || type == R2N_ONNX_UINT8)
        return 1;
    return type == R2N_ONNX_INT64 ? 8 : type == R2N_ONNX_FLOAT ? 4 : 2;
}

static const char *type_name(r2n_onnx_type type)
{
    return type == R2N_ONNX_FLOAT16 ? "f16" : type == R2N_ONNX_BFLOAT16 ? "bf16" : "f32";
}

/* The number's bytes; 0 where the type has no such large one. */
static int encode(r2n_onnx_type type, double number, uint8_t *to)
{
    const float value = (float)number;
    if (type == R2N_ONNX_FLOAT) {
        memcpy(to, &value, sizeof value);
        return isfinite(value) != 0;
    }
    const uint16_t half =
        type == R2N_ONNX_FLOAT16 ? half_from_float(value) : brain_from_float(value);
    const uint16_t exponent = type == R2N_ONNX_FLOAT16 ? 0x7c00 : 0x7f80;
    memcpy(to, &half, sizeof half);
    return (half & exponent) != exponent;
}

/* A channel of a folded batch norm is x * factor + offset. */
static double norm_factor(const r2n_onnx_norm *norm, int64_t channel)
{
    return (double)norm->scale[channel] / sqrt((double)norm->variance[channel] + EPSILON);
}

static double norm_offset(const r2n_onnx_norm *norm, int64_t channel)
{
    return (double)norm->offset[channel] - (double)norm->mean[channel] * norm_factor(norm, channel);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put_head(const r2n_onnx_tensor *tensor, r2n_text *text)
{
    r2n_protobuf_put_repeated(text, DIMS, tensor->shape, (size_t)tensor->rank);
    r2n_protobuf_put_integer(text, DATA_TYPE, tensor->type);
    r2n_protobuf_put_string(text, TENSOR_NAME, tensor->name);
    r2n_protobuf_put_tag(text, RAW_DATA, WIRE_BYTES);
    r2n_protobuf_put_varint(text, (uint64_t)tensor->count * type_bytes(tensor->type));
}

res2net_status r2n_onnx_tensor_bytes(const r2n_onnx_graph *graph, uint64_t *bytes)
{
    r2n_text head = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i < graph->tensor_count; i++) {
        const r2n_onnx_tensor *tensor = &graph->tensors[i];
        head.size = 0;
        put_head(tensor, &head);
        const uint64_t whole = head.size + (uint64_t)tensor->count * type_bytes(tensor->type);
        sum += 1 + r2n_protobuf_varint_bytes(whole) + whole; /* the field's number takes one byte */
    }
    *bytes = sum;
    r2n_free(head.data);
    return head.failed ? r2n_onnx_no_memory(graph) : RES2NET_OK;
}

/* Numbers on their way to the file. */
typedef struct stream {
    r2n_file_writer *file;
    size_t size;
    uint8_t bytes[16384];
} stream;

static void flush(stream *s)
{
    r2n_writer_put(s->file, s->bytes, s->size);
    s->size = 0;
}

static uint8_t *room_for_one(stream *s)
{
    enum { WIDEST = 8 };
    if (s->size + WIDEST > sizeof s->bytes)
        flush(s);
    return s->bytes + s->size;
}

static int put_number(stream *s, r2n_onnx_type type, double number)
{
    const int fits = encode(type, number, room_for_one(s));
    s->size += type_bytes(type);
    return fits;
}

/* 0 where a number does not fit. */
static int put_numbers(stream *s, const r2n_onnx_tensor *tensor)
{
    const int64_t channels = tensor->shape[0], row = tensor->count / channels;
    const int folded = tensor->norm.scale != NULL;
    int fit = 1;
    for (int64_t c = 0; c < channels && tensor->data == NULL; c++)
        fit &= put_number(s, tensor->type, norm_offset(&tensor->norm, c));
    for (int64_t c = 0; c < channels && tensor->data != NULL; c++) {
        const double factor = folded ? norm_factor(&tensor->norm, c) : 1;
        const float *from = tensor->data + c * row;
        for (int64_t i = 0; i < row; i++)
            fit &= put_number(s, tensor->type, (double)from[i] * factor);
    }
    flush(s);
    return fit;
}

static void put_sizes(stream *s, const r2n_onnx_tensor *tensor)
{
    for (int64_t i = 0; i < tensor->count; i++) {
        memcpy(room_for_one(s), &tensor->each, sizeof tensor->each);
        s->size += sizeof tensor->each;
    }
    flush(s);
}

/* The levels of a node's weights, or their scales; 0 where one of these is too large. */
static int put_quantized(stream *s, const r2n_onnx_graph *graph, const r2n_onnx_tensor *tensor,
                         int8_t *levels, float *scales, res2net_status *status)
{
    const int is_levels = tensor->type == R2N_ONNX_INT8;
    int fit = 1;
    *status = r2n_plan_read_levels(graph->plan, tensor->levels_of, is_levels ? levels : NULL,
                                   scales, graph->report);
    if (*status != RES2NET_OK)
        return 1;
    if (is_levels)
        r2n_writer_put(s->file, levels, (size_t)tensor->count);
    for (int64_t c = 0; c < tensor->count && !is_levels; c++)
        fit &= put_number(s, tensor->type, (double)scales[c] / (double)tensor->input_scale);
    flush(s);
    return fit;
}

static int put_levels(stream *s, const r2n_onnx_graph *graph, const r2n_onnx_tensor *tensor,
                      res2net_status *status)
{
    int8_t *levels = r2n_allocate_zeroed((size_t)tensor->count, sizeof *levels);
    float *scales = r2n_allocate(tensor->rank > 0 ? (size_t)tensor->shape[0] : 1, sizeof *scales);
    int fit = 1;
    if (levels == NULL || scales == NULL)
        *status = r2n_onnx_no_memory(graph);
    else if (tensor->levels_of == 0)
        r2n_writer_put(s->file, levels, (size_t)tensor->count);
    else
        fit = put_quantized(s, graph, tensor, levels, scales, status);
    r2n_free(levels);
    r2n_free(scales);
    return fit;
}

/* 0 where a number does not fit. */
static int put_data(stream *s, const r2n_onnx_graph *graph, const r2n_onnx_tensor *tensor,
                    res2net_status *status)
{
    if (type_bytes(tensor->type) == 1 || tensor->levels_of != 0)
        return put_levels(s, graph, tensor, status);
    if (tensor->type == R2N_ONNX_INT64) {
        put_sizes(s, tensor);
        return 1;
    }
    if (tensor->type != R2N_ONNX_FLOAT || tensor->norm.scale != NULL)
        return put_numbers(s, tensor);
    r2n_writer_put(s->file, tensor->data, (size_t)tensor->count * sizeof *tensor->data);
    return 1;
}

res2net_status r2n_onnx_write_tensors(const r2n_onnx_graph *graph, r2n_file_writer *file)
{
    r2n_text head = {0}, field = {0};
    stream s = {.file = file};
    res2net_status status = RES2NET_OK;
    for (size_t i = 0; i < graph->tensor_count && status == RES2NET_OK; i++) {
        const r2n_onnx_tensor *tensor = &graph->tensors[i];
        head.size = field.size = 0;
        put_head(tensor, &head);
        r2n_protobuf_put_tag(&field, INITIALIZER, WIRE_BYTES);
        r2n_protobuf_put_varint(&field,
                                head.size + (uint64_t)tensor->count * type_bytes(tensor->type));
        r2n_text_put_bytes(&field, head.data, head.size);
        if (head.failed || field.failed) {
            status = r2n_onnx_no_memory(graph);
            break;
        }
        r2n_writer_put(file, field.data, field.size);
        if (!put_data(&s, graph, tensor, &status))
            status = r2n_fail(graph->report, RES2NET_LIMIT_EXCEEDED, graph->path, -1,
                              "a number of %s is larger than %s holds; write the weights in f32, "
                              "or keep the batch norms",
                              tensor->name, type_name(tensor->type));
    }
    r2n_free(head.data);
    r2n_free(field.data);
    return status;
}
