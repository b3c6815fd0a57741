/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/zip_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/byte_cursor.h"
#include "formats/crc32.h"

enum {
    END_SIGNATURE = 0x06054b50,
    END_BYTES = 22,
    END64_SIGNATURE = 0x06064b50,
    END64_BYTES = 56,
    LOCATOR64_SIGNATURE = 0x07064b50,
    LOCATOR64_BYTES = 20,
    CENTRAL_SIGNATURE = 0x02014b50,
    CENTRAL_BYTES = 46,
    LOCAL_SIGNATURE = 0x04034b50,
    LOCAL_BYTES = 30,
    MAXIMUM_COMMENT = 65535,
    FLAG_ENCRYPTED = 1,
    EXTRA_ZIP64 = 1
};

typedef struct opener {
    r2n_byte_cursor cursor;
    const char *file;
    res2net_report *report;
    r2n_zip *zip;
    uint64_t directory_offset, directory_bytes, entry_count;
    size_t names_used;
} opener;

#define FAIL(o, status, place, ...) r2n_fail((o)->report, status, (o)->file, place, __VA_ARGS__)

/* The end record is the last thing in the archive, before a comment of at most 64 KiB. */
static res2net_status find_end(opener *o, size_t *position)
{
    const size_t size = o->cursor.size;
    const size_t reach = size < END_BYTES + MAXIMUM_COMMENT ? size : END_BYTES + MAXIMUM_COMMENT;
    for (size_t back = END_BYTES; back <= reach; back++) {
        r2n_byte_cursor cursor = r2n_cursor_window(&o->cursor, size - back, back);
        if (r2n_cursor_u32le(&cursor) != END_SIGNATURE)
            continue;
        r2n_cursor_seek(&cursor, END_BYTES - 2);
        if (r2n_cursor_u16le(&cursor) == back - END_BYTES) {
            *position = size - back;
            return RES2NET_OK;
        }
    }
    return FAIL(o, RES2NET_DAMAGED, (int64_t)size,
                "the zip archive has no end record: it is cut off (a download that stopped?) or "
                "something was added to its end; fetch the file again");
}

static res2net_status read_end64(opener *o, size_t end)
{
    r2n_byte_cursor locator = r2n_cursor_window(&o->cursor, end - LOCATOR64_BYTES, LOCATOR64_BYTES);
    const uint32_t signature = r2n_cursor_u32le(&locator);
    r2n_cursor_skip(&locator, 4);
    const uint64_t offset = r2n_cursor_u64le(&locator);
    if (end < LOCATOR64_BYTES || signature != LOCATOR64_SIGNATURE)
        return FAIL(o, RES2NET_DAMAGED, (int64_t)end,
                    "zip: the end record speaks of zip64, but its locator is missing");
    r2n_byte_cursor record = r2n_cursor_window(&o->cursor, offset, END64_BYTES);
    if (r2n_cursor_u32le(&record) != END64_SIGNATURE)
        return FAIL(o, RES2NET_DAMAGED, (int64_t)end,
                    "zip: the zip64 end record is not where its locator says");
    r2n_cursor_skip(&record, 8 + 2 + 2);
    const uint32_t disc = r2n_cursor_u32le(&record);
    const uint32_t directory_disc = r2n_cursor_u32le(&record);
    const uint64_t here = r2n_cursor_u64le(&record);
    o->entry_count = r2n_cursor_u64le(&record);
    o->directory_bytes = r2n_cursor_u64le(&record);
    o->directory_offset = r2n_cursor_u64le(&record);
    if (disc != 0 || directory_disc != 0 || here != o->entry_count)
        return FAIL(o, RES2NET_UNSUPPORTED, (int64_t)offset,
                    "zip: archives on several discs are not supported");
    return RES2NET_OK;
}

static res2net_status read_end(opener *o)
{
    size_t end = 0;
    res2net_status status = find_end(o, &end);
    if (status != RES2NET_OK)
        return status;
    r2n_byte_cursor cursor = r2n_cursor_window(&o->cursor, end, END_BYTES);
    r2n_cursor_skip(&cursor, 4);
    const uint16_t disc = r2n_cursor_u16le(&cursor);
    const uint16_t directory_disc = r2n_cursor_u16le(&cursor);
    const uint16_t here = r2n_cursor_u16le(&cursor);
    o->entry_count = r2n_cursor_u16le(&cursor);
    o->directory_bytes = r2n_cursor_u32le(&cursor);
    o->directory_offset = r2n_cursor_u32le(&cursor);
    if (o->entry_count == 0xFFFF || o->directory_bytes == 0xFFFFFFFF ||
        o->directory_offset == 0xFFFFFFFF)
        status = read_end64(o, end);
    else if (disc != 0 || directory_disc != 0 || here != o->entry_count)
        return FAIL(o, RES2NET_UNSUPPORTED, (int64_t)end,
                    "zip: archives on several discs are not supported");
    if (status != RES2NET_OK)
        return status;
    if (r2n_cursor_window(&o->cursor, o->directory_offset, o->directory_bytes).failed)
        return FAIL(o, RES2NET_DAMAGED, (int64_t)end,
                    "zip: the central directory (%" PRIu64 " bytes at %" PRIu64
                    ") is not inside the file of %zu bytes: the file is cut or damaged",
                    o->directory_bytes, o->directory_offset, o->cursor.size);
    if (o->entry_count > R2N_ZIP_MAXIMUM_ENTRIES)
        return FAIL(o, RES2NET_LIMIT_EXCEEDED, (int64_t)end,
                    "zip: %" PRIu64 " entries, at most %d are taken", o->entry_count,
                    (int)R2N_ZIP_MAXIMUM_ENTRIES);
    if (o->entry_count * CENTRAL_BYTES > o->directory_bytes)
        return FAIL(o, RES2NET_DAMAGED, (int64_t)end,
                    "zip: %" PRIu64 " entries do not fit a central directory of %" PRIu64 " bytes",
                    o->entry_count, o->directory_bytes);
    return RES2NET_OK;
}

/* Sizes and offset of 0xFFFFFFFF stand in the zip64 extra field, in this order. */
static int read_extra64(const uint8_t *extra, size_t bytes, uint64_t *values[3])
{
    r2n_byte_cursor cursor = r2n_cursor(extra, bytes);
    while (r2n_cursor_left(&cursor) >= 4) {
        const uint16_t id = r2n_cursor_u16le(&cursor);
        const uint16_t length = r2n_cursor_u16le(&cursor);
        r2n_byte_cursor field = r2n_cursor_window(&cursor, cursor.position, length);
        r2n_cursor_skip(&cursor, length);
        if (id != EXTRA_ZIP64)
            continue;
        for (int i = 0; i < 3; i++)
            if (*values[i] == 0xFFFFFFFF)
                *values[i] = r2n_cursor_u64le(&field);
        return !field.failed;
    }
    return 0;
}

/* The data begins after the local header, whose name must be the directory's. */
static res2net_status locate_data(opener *o, r2n_zip_entry *entry, uint64_t local, uint16_t method)
{
    r2n_byte_cursor cursor = o->cursor;
    r2n_cursor_seek(&cursor, local);
    const size_t start = cursor.position;
    const uint32_t signature = r2n_cursor_u32le(&cursor);
    r2n_cursor_skip(&cursor, 4);
    const uint16_t local_method = r2n_cursor_u16le(&cursor);
    r2n_cursor_seek(&cursor,
                    start + LOCAL_BYTES - 4 <= cursor.size ? start + LOCAL_BYTES - 4 : UINT64_MAX);
    const uint16_t name_bytes = r2n_cursor_u16le(&cursor);
    const uint16_t extra_bytes = r2n_cursor_u16le(&cursor);
    const uint8_t *name = r2n_cursor_take(&cursor, name_bytes);
    r2n_cursor_skip(&cursor, extra_bytes);
    if (cursor.failed || signature != LOCAL_SIGNATURE || local_method != method ||
        name_bytes != strlen(entry->name) || memcmp(name, entry->name, name_bytes) != 0)
        return FAIL(o, RES2NET_DAMAGED, (int64_t)start,
                    "zip: the header of \"%s\" at %" PRIu64
                    " does not agree with the central directory",
                    entry->name, local);
    entry->offset = (int64_t)cursor.position;
    entry->data = r2n_cursor_take(&cursor, entry->size);
    if (entry->data == NULL)
        return FAIL(o, RES2NET_DAMAGED, entry->offset,
                    "zip: \"%s\" has %zu bytes, but the file ends %zu bytes after its start",
                    entry->name, entry->size, r2n_cursor_left(&cursor));
    return RES2NET_OK;
}

static res2net_status read_entry(opener *o, r2n_byte_cursor *directory, r2n_zip_entry *entry)
{
    const int64_t place = (int64_t)(o->directory_offset + directory->position);
    const uint32_t signature = r2n_cursor_u32le(directory);
    r2n_cursor_skip(directory, 4);
    const uint16_t flags = r2n_cursor_u16le(directory);
    const uint16_t method = r2n_cursor_u16le(directory);
    r2n_cursor_skip(directory, 4);
    entry->crc32 = r2n_cursor_u32le(directory);
    uint64_t compressed = r2n_cursor_u32le(directory);
    uint64_t size = r2n_cursor_u32le(directory);
    const uint16_t name_bytes = r2n_cursor_u16le(directory);
    const uint16_t extra_bytes = r2n_cursor_u16le(directory);
    const uint16_t comment_bytes = r2n_cursor_u16le(directory);
    r2n_cursor_skip(directory, 2 + 2 + 4);
    uint64_t local = r2n_cursor_u32le(directory);
    const uint8_t *name = r2n_cursor_take(directory, name_bytes);
    const uint8_t *extra = r2n_cursor_take(directory, extra_bytes);
    r2n_cursor_skip(directory, comment_bytes);
    if (directory->failed || signature != CENTRAL_SIGNATURE)
        return FAIL(o, RES2NET_DAMAGED, place, "zip: the central directory is damaged");
    if (memchr(name, '\0', name_bytes) != NULL)
        return FAIL(o, RES2NET_DAMAGED, place, "zip: an entry's name has a NUL byte");
    char *copy = o->zip->names + o->names_used;
    memcpy(copy, name, name_bytes);
    copy[name_bytes] = '\0';
    o->names_used += (size_t)name_bytes + 1;
    entry->name = copy;
    if ((size == 0xFFFFFFFF || compressed == 0xFFFFFFFF || local == 0xFFFFFFFF) &&
        !read_extra64(extra, extra_bytes, (uint64_t *[]){&size, &compressed, &local}))
        return FAIL(o, RES2NET_DAMAGED, place, "zip: \"%s\" lacks its zip64 sizes", copy);
    if (flags & FLAG_ENCRYPTED)
        return FAIL(o, RES2NET_UNSUPPORTED, place, "zip: \"%s\" is encrypted", copy);
    if (method != 0)
        return FAIL(o, RES2NET_UNSUPPORTED, place,
                    "zip: \"%s\" is compressed (method %u); weights archives are stored. Was the "
                    "file zipped again? Unpack it first",
                    copy, method);
    if (compressed != size || size > SIZE_MAX)
        return FAIL(o, RES2NET_DAMAGED, place, "zip: \"%s\" is stored, yet its two sizes differ",
                    copy);
    if (local >= o->cursor.size)
        return FAIL(o, RES2NET_DAMAGED, place,
                    "zip: the header of \"%s\" at %" PRIu64 " is beyond the end of the file", copy,
                    local);
    entry->size = (size_t)size;
    return locate_data(o, entry, local, method);
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const r2n_zip_entry *)a)->name, ((const r2n_zip_entry *)b)->name);
}

static res2net_status read_directory(opener *o)
{
    r2n_zip *zip = o->zip;
    r2n_byte_cursor directory =
        r2n_cursor_window(&o->cursor, o->directory_offset, o->directory_bytes);
    /* Names lie in the directory with 46 bytes around each: its size is room for all with NULs. */
    zip->names = r2n_allocate((size_t)o->directory_bytes + 1, 1);
    zip->entries = r2n_allocate_zeroed((size_t)o->entry_count, sizeof *zip->entries);
    if (zip->names == NULL || zip->entries == NULL)
        return FAIL(o, RES2NET_OUT_OF_MEMORY, -1, "no memory for %" PRIu64 " zip entries",
                    o->entry_count);
    for (; zip->count < o->entry_count; zip->count++) {
        const res2net_status status = read_entry(o, &directory, &zip->entries[zip->count]);
        if (status != RES2NET_OK)
            return status;
    }
    qsort(zip->entries, zip->count, sizeof *zip->entries, compare_entries);
    for (size_t i = 1; i < zip->count; i++)
        if (strcmp(zip->entries[i - 1].name, zip->entries[i].name) == 0)
            return FAIL(o, RES2NET_DAMAGED, zip->entries[i].offset,
                        "zip: two entries have the name \"%s\"", zip->entries[i].name);
    return RES2NET_OK;
}

res2net_status r2n_zip_open(const void *data, size_t size, const char *file, r2n_zip **out,
                            res2net_report *report)
{
    *out = NULL;
    opener o = {.cursor = r2n_cursor(data, size), .file = file, .report = report};
    res2net_status status = read_end(&o);
    if (status != RES2NET_OK)
        return status;
    o.zip = r2n_allocate_zeroed(1, sizeof *o.zip);
    if (o.zip == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, file, -1, "no memory to open the archive");
    o.zip->file = file;
    status = read_directory(&o);
    if (status != RES2NET_OK) {
        r2n_zip_close(o.zip);
        return status;
    }
    *out = o.zip;
    return RES2NET_OK;
}

void r2n_zip_close(r2n_zip *zip)
{
    if (zip == NULL)
        return;
    r2n_free(zip->entries);
    r2n_free(zip->names);
    r2n_free(zip);
}

r2n_zip_entry *r2n_zip_find(const r2n_zip *zip, const char *name)
{
    const r2n_zip_entry wanted = {.name = name};
    return zip->count == 0
               ? NULL
               : bsearch(&wanted, zip->entries, zip->count, sizeof *zip->entries, compare_entries);
}

res2net_status r2n_zip_check(const r2n_zip *zip, r2n_zip_entry *entry, res2net_report *report)
{
    if (!entry->checked && r2n_crc32(0, entry->data, entry->size) != entry->crc32)
        return r2n_fail(report, RES2NET_DAMAGED, zip->file, entry->offset,
                        "zip: the %zu bytes of \"%s\" do not have the checksum the archive gives: "
                        "they are damaged; fetch the file again",
                        entry->size, entry->name);
    entry->checked = 1;
    return RES2NET_OK;
}
