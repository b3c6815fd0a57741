/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way into foreign bytes: a place in a block that never leaves it.
 *
 * A read past the end gives 0 or NULL, does not move, and is remembered in `failed`, so a parser
 * may read a whole header and ask once. Every read copes with any alignment.
 *
 *     r2n_byte_cursor cursor = r2n_cursor(bytes, size);
 *     const uint32_t magic = r2n_cursor_u32le(&cursor);
 *     const uint8_t *body = r2n_cursor_take(&cursor, r2n_cursor_u16be(&cursor));
 *     if (cursor.failed)
 *         return r2n_fail(report, RES2NET_DAMAGED, name, (int64_t)cursor.position, "cut off");
 */
#ifndef R2N_FORMATS_BYTE_CURSOR_H
#define R2N_FORMATS_BYTE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

typedef struct r2n_byte_cursor {
    const uint8_t *data;
    size_t size;
    size_t position; /* always <= size */
    int failed;      /* a read, skip or seek went past the end */
} r2n_byte_cursor;

static inline r2n_byte_cursor r2n_cursor(const void *data, size_t size)
{
    const r2n_byte_cursor cursor = {(const uint8_t *)data, data == NULL ? 0 : size, 0, 0};
    return cursor;
}

static inline size_t r2n_cursor_left(const r2n_byte_cursor *cursor)
{
    return cursor->size - cursor->position;
}

/* The next `bytes` bytes, passed over; NULL (and nothing passed over) where fewer are left. */
static inline const uint8_t *r2n_cursor_take(r2n_byte_cursor *cursor, uint64_t bytes)
{
    if (cursor->data == NULL || bytes > r2n_cursor_left(cursor)) {
        cursor->failed = 1;
        return NULL;
    }
    const uint8_t *start = cursor->data + cursor->position;
    cursor->position += (size_t)bytes;
    return start;
}

static inline void r2n_cursor_skip(r2n_byte_cursor *cursor, uint64_t bytes)
{
    (void)r2n_cursor_take(cursor, bytes);
}

static inline void r2n_cursor_seek(r2n_byte_cursor *cursor, uint64_t position)
{
    if (position > cursor->size)
        cursor->failed = 1;
    else
        cursor->position = (size_t)position;
}

/* The bytes [offset, offset + bytes) as a cursor of their own; a failed empty one where they are
 * not all there. */
static inline r2n_byte_cursor r2n_cursor_window(const r2n_byte_cursor *cursor, uint64_t offset,
                                                uint64_t bytes)
{
    r2n_byte_cursor window = {NULL, 0, 0, 1};
    if (cursor->data != NULL && offset <= cursor->size && bytes <= cursor->size - (size_t)offset)
        window = r2n_cursor(cursor->data + (size_t)offset, (size_t)bytes);
    return window;
}

static inline uint64_t r2n_cursor_little_endian(r2n_byte_cursor *cursor, size_t bytes)
{
    const uint8_t *at = r2n_cursor_take(cursor, bytes);
    uint64_t value = 0;
    for (size_t i = 0; at != NULL && i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static inline uint64_t r2n_cursor_big_endian(r2n_byte_cursor *cursor, size_t bytes)
{
    const uint8_t *at = r2n_cursor_take(cursor, bytes);
    uint64_t value = 0;
    for (size_t i = 0; at != NULL && i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static inline uint8_t r2n_cursor_u8(r2n_byte_cursor *cursor)
{
    return (uint8_t)r2n_cursor_little_endian(cursor, 1);
}

static inline uint16_t r2n_cursor_u16le(r2n_byte_cursor *cursor)
{
    return (uint16_t)r2n_cursor_little_endian(cursor, 2);
}

static inline uint32_t r2n_cursor_u32le(r2n_byte_cursor *cursor)
{
    return (uint32_t)r2n_cursor_little_endian(cursor, 4);
}

static inline uint64_t r2n_cursor_u64le(r2n_byte_cursor *cursor)
{
    return r2n_cursor_little_endian(cursor, 8);
}

static inline uint16_t r2n_cursor_u16be(r2n_byte_cursor *cursor)
{
    return (uint16_t)r2n_cursor_big_endian(cursor, 2);
}

static inline uint32_t r2n_cursor_u32be(r2n_byte_cursor *cursor)
{
    return (uint32_t)r2n_cursor_big_endian(cursor, 4);
}

#endif
