/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol buffers' wire format, read a field at a time from bytes that nobody vouches for. Nothing
 * is copied: bytes and nested messages are places in the input. No recursion: the caller opens a
 * nested message as a reader of its own.
 *
 *     r2n_protobuf_field field;
 *     while (r2n_protobuf_next(&reader, &field))
 *         if (field.number == 1) ...
 *     if (reader.cursor.failed) ... damaged at reader.start + reader.cursor.position
 */
#ifndef R2N_FORMATS_PROTOBUF_READER_H
#define R2N_FORMATS_PROTOBUF_READER_H

#include "formats/byte_cursor.h"

typedef enum r2n_protobuf_kind {
    R2N_PROTOBUF_VARINT = 0,
    R2N_PROTOBUF_FIXED64 = 1,
    R2N_PROTOBUF_BYTES = 2,
    R2N_PROTOBUF_FIXED32 = 5
} r2n_protobuf_kind;

typedef struct r2n_protobuf_reader {
    r2n_byte_cursor cursor;
    uint64_t start; /* of these bytes in the file, for messages */
} r2n_protobuf_reader;

typedef struct r2n_protobuf_field {
    uint32_t number;
    r2n_protobuf_kind kind;
    uint64_t value;       /* VARINT; FIXED64 and FIXED32 as their bits */
    const uint8_t *bytes; /* BYTES: `size` of them, perhaps none */
    size_t size;
    uint64_t at; /* of the field in the file */
} r2n_protobuf_field;

r2n_protobuf_reader r2n_protobuf(const void *data, size_t size, uint64_t start);
/* The next field; 0 at the end, or with `failed` where the bytes are no field (groups, field 0 and
 * varints of more than 64 bits are none). */
int r2n_protobuf_next(r2n_protobuf_reader *reader, r2n_protobuf_field *field);
/* A field of bytes as a message. */
r2n_protobuf_reader r2n_protobuf_open(const r2n_protobuf_reader *reader,
                                      const r2n_protobuf_field *field);
/* A field's float; 0 unless it has 32 bits. */
float r2n_protobuf_float(const r2n_protobuf_field *field);
/* Is the field's text this one? */
int r2n_protobuf_is(const r2n_protobuf_field *field, const char *text);
/* The integers of a field, packed or single, appended to `values` up to `most` in all: the new
 * count, or -1 where there are more or the bytes are damaged. */
int64_t r2n_protobuf_integers(const r2n_protobuf_field *field, int64_t *values, int64_t count,
                              int64_t most);

#endif
