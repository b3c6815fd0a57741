/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/protobuf_writer.h"

#include <string.h>

#include "base/memory.h"

enum { VARINT = 0, BYTES = 2, FIXED32 = 5, MOST_VARINT_BYTES = 10 };

static size_t encode(uint64_t value, uint8_t bytes[MOST_VARINT_BYTES])
{
    size_t count = 0;
    for (; value > 0x7f; value >>= 7)
        bytes[count++] = (uint8_t)(value | 0x80);
    bytes[count++] = (uint8_t)value;
    return count;
}

size_t r2n_protobuf_varint_bytes(uint64_t value)
{
    uint8_t bytes[MOST_VARINT_BYTES];
    return encode(value, bytes);
}

void r2n_protobuf_put_varint(r2n_text *text, uint64_t value)
{
    uint8_t bytes[MOST_VARINT_BYTES];
    r2n_text_put_bytes(text, bytes, encode(value, bytes));
}

void r2n_protobuf_put_tag(r2n_text *text, uint32_t field, uint32_t wire_type)
{
    r2n_protobuf_put_varint(text, (uint64_t)field << 3 | wire_type);
}

void r2n_protobuf_put_integer(r2n_text *text, uint32_t field, int64_t value)
{
    r2n_protobuf_put_tag(text, field, VARINT);
    r2n_protobuf_put_varint(text, (uint64_t)value);
}

void r2n_protobuf_put_float(r2n_text *text, uint32_t field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint8_t bytes[] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                             (uint8_t)(bits >> 24)};
    r2n_protobuf_put_tag(text, field, FIXED32);
    r2n_text_put_bytes(text, bytes, sizeof bytes);
}

void r2n_protobuf_put_bytes(r2n_text *text, uint32_t field, const void *data, size_t bytes)
{
    r2n_protobuf_put_tag(text, field, BYTES);
    r2n_protobuf_put_varint(text, bytes);
    r2n_text_put_bytes(text, data, bytes);
}

void r2n_protobuf_put_string(r2n_text *text, uint32_t field, const char *string)
{
    r2n_protobuf_put_bytes(text, field, string, strlen(string));
}

void r2n_protobuf_put_message(r2n_text *text, uint32_t field, r2n_text *message)
{
    text->failed |= message->failed;
    r2n_protobuf_put_bytes(text, field, message->data, message->size);
    message->size = 0;
}

void r2n_protobuf_put_packed(r2n_text *text, uint32_t field, const int64_t *values, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += r2n_protobuf_varint_bytes((uint64_t)values[i]);
    r2n_protobuf_put_tag(text, field, BYTES);
    r2n_protobuf_put_varint(text, bytes);
    for (size_t i = 0; i < count; i++)
        r2n_protobuf_put_varint(text, (uint64_t)values[i]);
}

void r2n_protobuf_put_repeated(r2n_text *text, uint32_t field, const int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        r2n_protobuf_put_integer(text, field, values[i]);
}
