/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/protobuf_reader.h"

#include <string.h>

static uint64_t read_varint(r2n_byte_cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = r2n_cursor_u8(cursor);
        if (cursor->failed || (shift == 63 && byte > 1))
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    cursor->failed = 1;
    return 0;
}

r2n_protobuf_reader r2n_protobuf(const void *data, size_t size, uint64_t start)
{
    return (r2n_protobuf_reader){r2n_cursor(data, size), start};
}

int r2n_protobuf_next(r2n_protobuf_reader *reader, r2n_protobuf_field *field)
{
    enum { KIND_BITS = 3, MOST_NUMBER = (1 << 29) - 1 };
    r2n_byte_cursor *cursor = &reader->cursor;
    *field = (r2n_protobuf_field){.at = reader->start + cursor->position};
    if (cursor->failed || r2n_cursor_left(cursor) == 0)
        return 0;
    const uint64_t tag = read_varint(cursor);
    const uint64_t number = tag >> KIND_BITS;
    if (number == 0 || number > MOST_NUMBER)
        cursor->failed = 1;
    field->number = (uint32_t)number;
    field->kind = (r2n_protobuf_kind)(tag & ((1 << KIND_BITS) - 1));
    switch (field->kind) {
    case R2N_PROTOBUF_VARINT:
        field->value = read_varint(cursor);
        break;
    case R2N_PROTOBUF_FIXED64:
        field->value = r2n_cursor_u64le(cursor);
        break;
    case R2N_PROTOBUF_FIXED32:
        field->value = r2n_cursor_u32le(cursor);
        break;
    case R2N_PROTOBUF_BYTES: {
        const uint64_t size = read_varint(cursor);
        field->bytes = cursor->failed ? NULL : r2n_cursor_take(cursor, size);
        field->size = field->bytes == NULL ? 0 : (size_t)size;
        break;
    }
    default: /* groups, and what was never given out */
        cursor->failed = 1;
        break;
    }
    return !cursor->failed;
}

r2n_protobuf_reader r2n_protobuf_open(const r2n_protobuf_reader *reader,
                                      const r2n_protobuf_field *field)
{
    const uint64_t start = field->bytes == NULL
                               ? field->at
                               : reader->start + (uint64_t)(field->bytes - reader->cursor.data);
    return r2n_protobuf(field->bytes, field->size, start);
}

float r2n_protobuf_float(const r2n_protobuf_field *field)
{
    const uint32_t bits = (uint32_t)field->value;
    float value = 0;
    if (field->kind == R2N_PROTOBUF_FIXED32)
        memcpy(&value, &bits, sizeof value);
    return value;
}

int r2n_protobuf_is(const r2n_protobuf_field *field, const char *text)
{
    return field->kind == R2N_PROTOBUF_BYTES && field->size == strlen(text) &&
           memcmp(field->bytes, text, field->size) == 0;
}

int64_t r2n_protobuf_integers(const r2n_protobuf_field *field, int64_t *values, int64_t count,
                              int64_t most)
{
    if (field->kind == R2N_PROTOBUF_VARINT) {
        if (count >= most)
            return -1;
        values[count] = (int64_t)field->value;
        return count + 1;
    }
    r2n_byte_cursor cursor = r2n_cursor(field->bytes, field->size);
    if (field->kind != R2N_PROTOBUF_BYTES)
        return -1;
    while (r2n_cursor_left(&cursor) > 0) {
        const uint64_t value = read_varint(&cursor);
        if (cursor.failed || count >= most)
            return -1;
        values[count++] = (int64_t)value;
    }
    return count;
}
