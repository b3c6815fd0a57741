/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol buffers' wire format, put into a growing text: fields in the order they are put. A
 * nested message is a text of its own that is put as bytes.
 */
#ifndef R2N_FORMATS_PROTOBUF_WRITER_H
#define R2N_FORMATS_PROTOBUF_WRITER_H

#include "formats/json_writer.h"

/* A field's bytes before its value, the wire types being 0 (varint), 2 (bytes) and 5 (32 bits). */
void r2n_protobuf_put_varint(r2n_text *text, uint64_t value);
void r2n_protobuf_put_tag(r2n_text *text, uint32_t field, uint32_t wire_type);

/* int32, int64, uint64, bool, enum: negative numbers take ten bytes, as the format says. */
void r2n_protobuf_put_integer(r2n_text *text, uint32_t field, int64_t value);
void r2n_protobuf_put_float(r2n_text *text, uint32_t field, float value);
void r2n_protobuf_put_bytes(r2n_text *text, uint32_t field, const void *data, size_t bytes);
void r2n_protobuf_put_string(r2n_text *text, uint32_t field, const char *string);
/* The message's bytes as a field; the message is emptied for the next. A failed one fails the text.
 */
void r2n_protobuf_put_message(r2n_text *text, uint32_t field, r2n_text *message);
/* Many integers as one field of bytes, as proto3 has them, or each as a field of its own. */
void r2n_protobuf_put_packed(r2n_text *text, uint32_t field, const int64_t *values, size_t count);
void r2n_protobuf_put_repeated(r2n_text *text, uint32_t field, const int64_t *values, size_t count);
/* Bytes that a varint takes: for lengths that are written before what they count. */
size_t r2n_protobuf_varint_bytes(uint64_t value);

#endif
