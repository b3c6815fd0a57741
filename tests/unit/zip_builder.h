/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives built by hand, right or wrong. */
#ifndef R2N_TESTS_ZIP_BUILDER_H
#define R2N_TESTS_ZIP_BUILDER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "formats/crc32.h"

/* An archive built by hand; offsets of its parts are kept so that tests can spoil them. */
typedef struct archive {
    uint8_t bytes[4096];
    size_t size;
    size_t local[4], central[4], end;
} archive;

static inline void put(archive *a, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        a->bytes[a->size++] = (uint8_t)(i < 8 ? number >> (8 * i) : 0);
}

static inline void put_bytes(archive *a, const void *bytes, size_t size)
{
    memcpy(a->bytes + a->size, bytes, size);
    a->size += size;
}

static inline void put_local_bytes(archive *a, int number, const char *name, const void *data,
                                   size_t size)
{
    a->local[number] = a->size;
    put(a, 0x04034b50, 4);
    put(a, 20, 2);
    put(a, 0, 2 + 2 + 4);
    put(a, r2n_crc32(0, data, size), 4);
    put(a, size, 4);
    put(a, size, 4);
    put(a, strlen(name), 2);
    put(a, 3, 2);
    put_bytes(a, name, strlen(name));
    put_bytes(a, "pad", 3);
    put_bytes(a, data, size);
}

static inline void put_central_bytes(archive *a, int number, const char *name, const void *data,
                                     size_t size, int zip64)
{
    a->central[number] = a->size;
    put(a, 0x02014b50, 4);
    put(a, 20, 2);
    put(a, 20, 2);
    put(a, 0, 2 + 2 + 4);
    put(a, r2n_crc32(0, data, size), 4);
    put(a, zip64 ? 0xFFFFFFFF : size, 4);
    put(a, zip64 ? 0xFFFFFFFF : size, 4);
    put(a, strlen(name), 2);
    put(a, zip64 ? 28 : 0, 2);
    put(a, 0, 2 + 2 + 2 + 4);
    put(a, zip64 ? 0xFFFFFFFF : a->local[number], 4);
    put_bytes(a, name, strlen(name));
    if (zip64) {
        put(a, 1, 2);
        put(a, 24, 2);
        put(a, size, 8);
        put(a, size, 8);
        put(a, a->local[number], 8);
    }
}

static inline void put_local(archive *a, int number, const char *name, const char *data)
{
    put_local_bytes(a, number, name, data, strlen(data));
}

static inline void put_central(archive *a, int number, const char *name, const char *data,
                               int zip64)
{
    put_central_bytes(a, number, name, data, strlen(data), zip64);
}

static inline void put_end(archive *a, uint64_t count, size_t directory, int zip64)
{
    const uint64_t bytes = a->size - directory;
    if (zip64) {
        const size_t record = a->size;
        put(a, 0x06064b50, 4);
        put(a, 44, 8);
        put(a, 45, 2);
        put(a, 45, 2);
        put(a, 0, 8);
        put(a, count, 8);
        put(a, count, 8);
        put(a, bytes, 8);
        put(a, directory, 8);
        put(a, 0x07064b50, 4);
        put(a, 0, 4);
        put(a, record, 8);
        put(a, 1, 4);
    }
    a->end = a->size;
    put(a, 0x06054b50, 4);
    put(a, 0, 4);
    put(a, zip64 ? 0xFFFF : count, 2);
    put(a, zip64 ? 0xFFFF : count, 2);
    put(a, zip64 ? 0xFFFFFFFF : bytes, 4);
    put(a, zip64 ? 0xFFFFFFFF : directory, 4);
    put(a, 0, 2);
}

#endif
