/* SPDX-License-Identifier: Apache-2.0 */
/* Weights files, from sniffing to canonical tensors. Checksums of .r2n and of zip archives are put
 * right first, so that mutations get past them. */
#ifndef R2N_TESTS_FUZZ_READ_WEIGHTS_H
#define R2N_TESTS_FUZZ_READ_WEIGHTS_H

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/byte_cursor.h"
#include "formats/crc32.h"
#include "weights/weights.h"

static inline void fuzz_put_u32(uint8_t *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static inline void fuzz_seal_r2n(uint8_t *file, size_t size)
{
    uint64_t offset, bytes;
    if (size < 64)
        return;
    memcpy(&offset, file + 16, 8);
    memcpy(&bytes, file + 24, 8);
    if (offset <= size && bytes <= size - offset)
        fuzz_put_u32(file + 48, r2n_crc32(0, file + offset, (size_t)bytes));
    fuzz_put_u32(file + 60, r2n_crc32(0, file, 60));
}

/* Gives every central directory entry that can be followed the checksum its data have. */
static inline void fuzz_seal_zip(uint8_t *file, size_t size)
{
    const r2n_byte_cursor whole = r2n_cursor(file, size);
    for (size_t at = 0; size >= 46 && at <= size - 46; at++) {
        if (file[at] != 'P')
            continue;
        r2n_byte_cursor entry = r2n_cursor_window(&whole, at, 46);
        if (r2n_cursor_u32le(&entry) != 0x02014b50)
            continue;
        r2n_cursor_seek(&entry, 20);
        const uint32_t bytes = r2n_cursor_u32le(&entry);
        r2n_cursor_seek(&entry, 42);
        const uint64_t local = r2n_cursor_u32le(&entry);
        r2n_byte_cursor header = r2n_cursor_window(&whole, local, 30);
        r2n_cursor_seek(&header, 26);
        const uint64_t name = r2n_cursor_u16le(&header);
        const uint64_t extra = r2n_cursor_u16le(&header);
        r2n_byte_cursor data = r2n_cursor_window(&whole, local + 30 + name + extra, bytes);
        if (!header.failed && !data.failed)
            fuzz_put_u32(file + at + 16, r2n_crc32(0, data.data, data.size));
    }
}

static inline void fuzz_look(const r2n_tensor_set *set)
{
    volatile float sum = 0;
    for (size_t i = 0; i < set->count; i++) {
        const r2n_tensor *tensor = &set->tensors[i];
        if (tensor->count < 1 || r2n_tensor_set_find(set, tensor->name) != tensor)
            abort();
        sum = sum + tensor->data[0] + tensor->data[tensor->count - 1];
    }
}

/* Reads what is of this format, and passes over all else. */
static inline void fuzz_read_weights(const uint8_t *data, size_t size, int any,
                                     r2n_weights_format format)
{
    r2n_tensor_set *set, *canonical;
    r2n_architecture architecture;
    r2n_family family;
    const r2n_weights_format found = r2n_weights_sniff(data, size);
    if (!any && found != format)
        return;
    uint8_t *copy = (uint8_t *)r2n_copy_bytes(data, size);
    res2net_report *report = res2net_report_create();
    if (copy == NULL || report == NULL)
        abort();
    if (found == R2N_WEIGHTS_R2N)
        fuzz_seal_r2n(copy, size);
    if (found == R2N_WEIGHTS_PTH)
        fuzz_seal_zip(copy, size);
    if (r2n_weights_read_memory(copy, size, "fuzz", &set, report) == RES2NET_OK) {
        fuzz_look(set);
        r2n_weights_verify(set, "fuzz", report);
        if (r2n_weights_canonicalise(set, NULL, R2N_FAMILY_UNKNOWN, "fuzz", &canonical,
                                     &architecture, &family, report) == RES2NET_OK) {
            fuzz_look(canonical);
            r2n_tensor_set_destroy(canonical);
        }
    } else if (res2net_report_count(report) == 0) {
        abort(); /* a refusal says why */
    }
    res2net_report_destroy(report);
    r2n_free(copy);
}

#endif
