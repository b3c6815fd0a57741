/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX' TensorProto: numbers as raw bytes, in typed fields, or in a file beside the model. */
#include <string.h>

#include "base/memory.h"
#include "import/onnx_internal.h"

enum tensor_field {
    DIMENSIONS = 1,
    DATA_TYPE = 2,
    SEGMENT = 3,
    FLOAT_DATA = 4,
    INT32_DATA = 5,
    INT64_DATA = 7,
    NAME = 8,
    RAW_DATA = 9,
    DOUBLE_DATA = 10,
    EXTERNAL_DATA = 13,
    DATA_LOCATION = 14
};

enum data_type {
    FLOAT = 1,
    UINT8 = 2,
    INT8 = 3,
    INT32 = 6,
    INT64 = 7,
    FLOAT16 = 10,
    DOUBLE = 11,
    BFLOAT16 = 16
};

typedef struct tensor {
    r2n_name name;
    int64_t shape[R2N_MAXIMUM_RANK], rank;
    uint64_t type;
    const uint8_t *raw; /* RAW_DATA, or the only piece of FLOAT_DATA or DOUBLE_DATA */
    size_t raw_bytes;
    int raw_pieces, typed_pieces;
    int64_t integers[R2N_FOREIGN_INTEGERS], integer_count; /* -1: too many */
    r2n_protobuf_field packed;                             /* the last piece of INT32_DATA */
    int integer_pieces;
    int is_external;
    r2n_onnx_external external;
    int64_t offset;
} tensor;

static uint64_t decimal(const r2n_protobuf_field *field)
{
    uint64_t value = 0;
    for (size_t i = 0; i < field->size; i++) {
        if (field->bytes[i] < '0' || field->bytes[i] > '9' || value > UINT64_MAX / 10 - 9)
            return UINT64_MAX; /* beyond any file */
        value = value * 10 + (uint64_t)(field->bytes[i] - '0');
    }
    return value;
}

/* {key: "location" | "offset" | "length", value: text} */
static int take_external(r2n_protobuf_reader entry, r2n_onnx_external *external)
{
    r2n_protobuf_field field, key = {0}, value = {0};
    while (r2n_protobuf_next(&entry, &field)) {
        if (field.number == 1)
            key = field;
        if (field.number == 2)
            value = field;
    }
    if (r2n_protobuf_is(&key, "location"))
        external->location = (r2n_name){value.bytes, value.size};
    if (r2n_protobuf_is(&key, "offset"))
        external->offset = decimal(&value);
    if (r2n_protobuf_is(&key, "length"))
        external->length = decimal(&value);
    return !entry.cursor.failed;
}

/* A typed field of floats or doubles: one packed piece stays where it is; single numbers, which no
 * exporter writes for weights, are not gathered. */
static void take_piece(tensor *t, const r2n_protobuf_field *field)
{
    t->typed_pieces++;
    t->raw = field->bytes;
    t->raw_bytes = field->size;
    if (field->kind != R2N_PROTOBUF_BYTES)
        t->typed_pieces = 2;
}

static int take_field(tensor *t, const r2n_protobuf_reader *reader, const r2n_protobuf_field *field)
{
    switch (field->number) {
    case DIMENSIONS:
        t->rank = r2n_protobuf_integers(field, t->shape, t->rank, R2N_MAXIMUM_RANK);
        return t->rank >= 0;
    case DATA_TYPE:
        t->type = field->value;
        return 1;
    case NAME:
        t->name = (r2n_name){field->bytes, field->size};
        return 1;
    case RAW_DATA:
        t->raw = field->bytes;
        t->raw_bytes = field->size;
        t->raw_pieces++;
        return 1;
    case FLOAT_DATA:
    case DOUBLE_DATA:
        take_piece(t, field);
        return 1;
    case INT32_DATA:
    case INT64_DATA:
        t->packed = *field;
        t->integer_pieces++;
        if (t->integer_count >= 0)
            t->integer_count =
                r2n_protobuf_integers(field, t->integers, t->integer_count, R2N_FOREIGN_INTEGERS);
        return 1;
    case EXTERNAL_DATA:
        return take_external(r2n_protobuf_open(reader, field), &t->external);
    case DATA_LOCATION:
        t->is_external = field->value == 1;
        return 1;
    case SEGMENT:
        return 0;
    default:
        return 1;
    }
}

static r2n_element_type element_type(uint64_t type)
{
    return type == FLOAT      ? R2N_ELEMENT_F32
           : type == DOUBLE   ? R2N_ELEMENT_F64
           : type == FLOAT16  ? R2N_ELEMENT_F16
           : type == BFLOAT16 ? R2N_ELEMENT_BF16
                              : R2N_ELEMENT_INTEGER;
}

/* Weights as levels, and zero points. */
static int32_t add_bytes(r2n_onnx_reader *reader, const tensor *t)
{
    const r2n_foreign_tensor constant = {.rank = (int32_t)t->rank,
                                         .shape = t->shape,
                                         .type = R2N_ELEMENT_INTEGER,
                                         .byte_type = t->type == INT8 ? R2N_SIGNED_BYTES
                                                                      : R2N_UNSIGNED_BYTES,
                                         .data = t->raw,
                                         .bytes = t->raw_bytes,
                                         .integer_count = -1,
                                         .offset = t->offset};
    return r2n_foreign_constant(reader->graph, &constant);
}

/* Sizes, axes and the like. */
static int32_t add_integers(r2n_onnx_reader *reader, tensor *t)
{
    const size_t bytes = t->type == INT64 ? 8 : 4;
    if (t->raw != NULL && t->raw_bytes % bytes == 0 &&
        t->raw_bytes / bytes <= R2N_FOREIGN_INTEGERS && (t->type == INT64 || t->type == INT32)) {
        r2n_byte_cursor cursor = r2n_cursor(t->raw, t->raw_bytes);
        for (t->integer_count = 0; r2n_cursor_left(&cursor) > 0; t->integer_count++)
            t->integers[t->integer_count] = t->type == INT64 ? (int64_t)r2n_cursor_u64le(&cursor)
                                                             : (int32_t)r2n_cursor_u32le(&cursor);
    } else if (t->raw != NULL) {
        t->integer_count = -1;
    }
    int64_t count = 0;
    if (!r2n_shape_count((int32_t)t->rank, t->shape, &count) || count != t->integer_count)
        t->integer_count = -1;
    const r2n_foreign_tensor constant = {.rank = (int32_t)t->rank,
                                         .shape = t->shape,
                                         .type = R2N_ELEMENT_INTEGER,
                                         .integer_count = (int32_t)t->integer_count,
                                         .integers = t->integers,
                                         .offset = t->offset};
    return r2n_foreign_constant(reader->graph, &constant);
}

/* float16 and bfloat16 in the typed field are integers of 32 bits, each a varint. */
static int32_t add_halves(r2n_onnx_reader *reader, tensor *t)
{
    int64_t count = 0;
    if (t->integer_pieces != 1 || !r2n_shape_count((int32_t)t->rank, t->shape, &count) ||
        (uint64_t)count > t->packed.size)
        return r2n_foreign_refuse(reader->graph, RES2NET_DAMAGED, t->offset,
                                  "a tensor of half floats has fewer numbers than its shape");
    int64_t *numbers = r2n_allocate((size_t)count, sizeof *numbers);
    uint8_t *block = r2n_allocate((size_t)count, 2);
    const int read = numbers != NULL && block != NULL &&
                     r2n_protobuf_integers(&t->packed, numbers, 0, count) == count;
    for (int64_t i = 0; read && i < count; i++) {
        block[2 * i] = (uint8_t)numbers[i];
        block[2 * i + 1] = (uint8_t)((uint64_t)numbers[i] >> 8);
    }
    const int no_memory = numbers == NULL || block == NULL;
    r2n_free(numbers);
    if (!read) {
        r2n_free(block);
        return no_memory ? r2n_foreign_no_memory(reader->graph)
                         : r2n_foreign_refuse(reader->graph, RES2NET_DAMAGED, t->offset,
                                              "a tensor of half floats does not fit its shape");
    }
    t->raw = block;
    t->raw_bytes = (size_t)count * 2;
    return r2n_foreign_own_block(reader->graph, block) ? 0 : -1;
}

static int32_t add_tensor(r2n_onnx_reader *reader, tensor *t)
{
    r2n_foreign_graph *graph = reader->graph;
    const r2n_element_type type = element_type(t->type);
    if (t->typed_pieces > 1 || t->raw_pieces > 1)
        return r2n_foreign_refuse(graph, RES2NET_UNSUPPORTED, t->offset,
                                  "the numbers of a tensor lie in several pieces; save the file "
                                  "anew with the onnx package");
    const int is_bytes = t->type == INT8 || t->type == UINT8;
    if (t->is_external && (type != R2N_ELEMENT_INTEGER || is_bytes)) {
        int64_t count = 0;
        if (!r2n_shape_count((int32_t)t->rank, t->shape, &count) || count > INT64_MAX / 8)
            return r2n_foreign_refuse(graph, RES2NET_DAMAGED, t->offset,
                                      "a tensor's shape is out of range");
        t->raw_bytes = (size_t)count * (is_bytes ? 1 : r2n_element_bytes(type));
        t->raw = r2n_onnx_external_data(reader, &t->external, t->raw_bytes, t->offset);
        if (t->raw == NULL)
            return -1;
    }
    if (is_bytes && t->raw != NULL)
        return add_bytes(reader, t);
    if (type == R2N_ELEMENT_INTEGER)
        return add_integers(reader, t);
    if (t->raw == NULL && t->integer_pieces > 0 && r2n_element_bytes(type) == 2 &&
        add_halves(reader, t) < 0)
        return -1;
    const r2n_foreign_tensor constant = {.rank = (int32_t)t->rank,
                                         .shape = t->shape,
                                         .type = type,
                                         .data = t->raw,
                                         .bytes = t->raw == NULL ? 0 : t->raw_bytes,
                                         .integer_count = -1,
                                         .offset = t->offset};
    return r2n_foreign_constant(graph, &constant);
}

int32_t r2n_onnx_tensor(r2n_onnx_reader *reader, r2n_protobuf_reader message, r2n_name *name)
{
    tensor t = {.offset = (int64_t)message.start};
    r2n_protobuf_field field;
    while (r2n_protobuf_next(&message, &field))
        if (!take_field(&t, &message, &field))
            return r2n_foreign_refuse(reader->graph, RES2NET_UNSUPPORTED, (int64_t)field.at,
                                      "a tensor has more than %d dimensions, is a segment, or is "
                                      "damaged",
                                      (int)R2N_MAXIMUM_RANK);
    if (message.cursor.failed)
        return r2n_foreign_refuse(reader->graph, RES2NET_DAMAGED, t.offset,
                                  "a tensor is no protocol buffer");
    if (name != NULL)
        *name = t.name;
    return add_tensor(reader, &t);
}
