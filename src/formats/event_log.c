/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/event_log.h"

#include <string.h>

#include "base/memory.h"
#include "formats/crc32.h"

/* ---- protocol buffers ---------------------------------------------------------------------- */

/* How a field's value is stored. */
enum { WIRE_VARINT = 0, WIRE_EIGHT_BYTES = 1, WIRE_BYTES = 2, WIRE_FOUR_BYTES = 5 };

static void put_little_endian(r2n_text *out, uint64_t value, int bytes)
{
    uint8_t data[8];
    for (int i = 0; i < bytes; i++)
        data[i] = (uint8_t)(value >> 8 * i);
    r2n_text_put_bytes(out, data, (size_t)bytes);
}

static void put_varint(r2n_text *out, uint64_t value)
{
    uint8_t data[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        data[size++] = (uint8_t)(value | 0x80);
    data[size++] = (uint8_t)value;
    r2n_text_put_bytes(out, data, size);
}

static void put_key(r2n_text *out, unsigned field, unsigned wire)
{
    put_varint(out, field << 3 | wire);
}

static void put_bytes_field(r2n_text *out, unsigned field, const void *data, size_t size)
{
    put_key(out, field, WIRE_BYTES);
    put_varint(out, size);
    r2n_text_put_bytes(out, data, size);
}

static void put_string_field(r2n_text *out, unsigned field, const char *string)
{
    put_bytes_field(out, field, string, strlen(string));
}

/* The field of a message that was built apart, which is given back. */
static void put_message_field(r2n_text *out, unsigned field, r2n_text *message)
{
    out->failed |= message->failed;
    put_bytes_field(out, field, message->data, message->size);
    r2n_free(message->data);
    *message = (r2n_text){0};
}

/* Zero is what an absent number means (proto3), and writers leave it out. */
static void put_integer_field(r2n_text *out, unsigned field, int64_t value)
{
    if (value == 0)
        return;
    put_key(out, field, WIRE_VARINT);
    put_varint(out, (uint64_t)value);
}

static void put_float_field(r2n_text *out, unsigned field, double value)
{
    const float single = (float)value;
    uint32_t bits;
    memcpy(&bits, &single, sizeof bits);
    put_key(out, field, WIRE_FOUR_BYTES);
    put_little_endian(out, bits, 4);
}

static void put_double_field(r2n_text *out, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(out, field, WIRE_EIGHT_BYTES);
    put_little_endian(out, bits, 8);
}

/* ---- VisualDL: Record{1: Value{1: step, 2: tag, 3: milliseconds, one of 4: float, 10: meta}} - */

enum { RECORD_VALUE = 1, VALUE_ID = 1, VALUE_TAG, VALUE_TIME, VALUE_FLOAT, VALUE_META_DATA = 10 };

/* A length, and the record, without checksums. */
static void put_visualdl_record(r2n_text *out, r2n_text *value)
{
    r2n_text record = {0};
    put_message_field(&record, RECORD_VALUE, value);
    put_little_endian(out, record.size, 8);
    r2n_text_put_bytes(out, record.data, record.size);
    out->failed |= record.failed;
    r2n_free(record.data);
}

void r2n_visualdl_put_start(r2n_text *out, int64_t milliseconds)
{
    r2n_text value = {0};
    put_string_field(&value, VALUE_TAG, "meta_data_tag");
    put_integer_field(&value, VALUE_TIME, milliseconds);
    put_bytes_field(&value, VALUE_META_DATA, "", 0); /* a display name: none */
    put_visualdl_record(out, &value);
}

void r2n_visualdl_put_scalar(r2n_text *out, int64_t milliseconds, const char *tag, int64_t step,
                             double scalar)
{
    r2n_text value = {0};
    put_integer_field(&value, VALUE_ID, step);
    put_string_field(&value, VALUE_TAG, tag);
    put_integer_field(&value, VALUE_TIME, milliseconds);
    put_float_field(&value, VALUE_FLOAT, scalar);
    put_visualdl_record(out, &value);
}

/* ---- TensorBoard: Event{1: seconds, 2: step, one of 3: version, 5: Summary{1: Value}} -------- */

enum { EVENT_TIME = 1, EVENT_STEP, EVENT_VERSION, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1, SUMMARY_TAG = 1, SUMMARY_FLOAT };

/* TFRecord stores checksums so that a checksum of data with checksums in it stays a good one. */
static uint32_t masked(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static void put_tensorboard_record(r2n_text *out, r2n_text *event)
{
    r2n_text length = {0};
    put_little_endian(&length, event->size, 8);
    r2n_text_put_bytes(out, length.data, length.size);
    put_little_endian(out, masked(r2n_crc32c(0, length.data, length.size)), 4);
    r2n_text_put_bytes(out, event->data, event->size);
    put_little_endian(out, masked(r2n_crc32c(0, event->data, event->size)), 4);
    out->failed |= length.failed | event->failed;
    r2n_free(length.data);
    r2n_free(event->data);
}

void r2n_tensorboard_put_start(r2n_text *out, double seconds)
{
    r2n_text event = {0};
    put_double_field(&event, EVENT_TIME, seconds);
    put_string_field(&event, EVENT_VERSION, "brain.Event:2");
    put_tensorboard_record(out, &event);
}

void r2n_tensorboard_put_scalar(r2n_text *out, double seconds, const char *tag, int64_t step,
                                double scalar)
{
    r2n_text event = {0}, summary = {0}, value = {0};
    put_string_field(&value, SUMMARY_TAG, tag);
    put_float_field(&value, SUMMARY_FLOAT, scalar);
    put_message_field(&summary, SUMMARY_VALUE, &value);
    put_double_field(&event, EVENT_TIME, seconds);
    put_integer_field(&event, EVENT_STEP, step);
    put_message_field(&event, EVENT_SUMMARY, &summary);
    put_tensorboard_record(out, &event);
}
