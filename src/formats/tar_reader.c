/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/tar_reader.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "formats/byte_cursor.h"

enum {
    RECORD = 512,
    NAME_BYTES = 100,
    SIZE_AT = 124,
    SIZE_BYTES = 12,
    CHECKSUM_AT = 148,
    CHECKSUM_BYTES = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_BYTES = 155
};

typedef struct opener {
    r2n_byte_cursor cursor;
    const char *file;
    res2net_report *report;
    r2n_tar *tar;
    /* What an extended header says of the next entry. */
    char *long_name;
    int has_size;
    uint64_t size;
} opener;

#define FAIL(o, status, ...)                                                                       \
    r2n_fail((o)->report, status, (o)->file, (int64_t)(o)->cursor.position, __VA_ARGS__)

/* An octal number that ends in a blank or NUL, or one in base 256. */
static int read_number(const uint8_t *at, size_t bytes, uint64_t *value)
{
    size_t i = 0;
    *value = 0;
    if ((at[0] & 0x80) != 0) {
        if (at[0] != 0x80)
            return 0; /* below zero */
        for (i = 1; i < bytes; i++) {
            if (*value >> 55 != 0)
                return 0;
            *value = *value << 8 | at[i];
        }
        return 1;
    }
    while (i < bytes && at[i] == ' ')
        i++;
    for (; i < bytes && at[i] >= '0' && at[i] <= '7'; i++)
        *value = *value * 8 + (uint64_t)(at[i] - '0');
    return i == bytes || at[i] == ' ' || at[i] == '\0';
}

/* The sum of all bytes, the checksum's own taken as blanks. */
static int checksum_is_right(const uint8_t *header)
{
    uint64_t stated, sum = 0;
    for (size_t i = 0; i < RECORD; i++)
        sum += i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_BYTES ? ' ' : header[i];
    return read_number(header + CHECKSUM_AT, CHECKSUM_BYTES, &stated) && stated == sum;
}

int r2n_tar_recognises(const void *data, size_t size)
{
    const uint8_t *header = data;
    return size >= RECORD && header[0] != '\0' && checksum_is_right(header);
}

static int is_empty(const uint8_t *header)
{
    for (size_t i = 0; i < RECORD; i++)
        if (header[i] != 0)
            return 0;
    return 1;
}

static size_t length_within(const uint8_t *text, size_t most)
{
    const uint8_t *end = memchr(text, '\0', most);
    return end == NULL ? most : (size_t)(end - text);
}

/* ---- extended headers ------------------------------------------------------------------------ */

static res2net_status keep_name(opener *o, const uint8_t *text, size_t bytes)
{
    bytes = length_within(text, bytes);
    if (bytes == 0 || bytes > R2N_TAR_MAXIMUM_NAME)
        return FAIL(o, RES2NET_DAMAGED, "the tar archive has an empty or very long name");
    r2n_free(o->long_name);
    o->long_name = r2n_copy_bytes(text, bytes);
    return o->long_name != NULL ? RES2NET_OK
                                : FAIL(o, RES2NET_OUT_OF_MEMORY, "no memory for a name");
}

/* "24 path=folder/file\n" records. */
static res2net_status read_pax(opener *o, r2n_byte_cursor text)
{
    while (r2n_cursor_left(&text) > 0) {
        const size_t start = text.position;
        uint64_t length = 0;
        uint8_t c = r2n_cursor_u8(&text);
        for (; c >= '0' && c <= '9' && length < ((uint64_t)1 << 32); c = r2n_cursor_u8(&text))
            length = length * 10 + (uint64_t)(c - '0');
        const uint64_t used = text.position - start;
        const uint8_t *body = length > used ? r2n_cursor_take(&text, length - used) : NULL;
        if (c != ' ' || body == NULL || body[length - used - 1] != '\n')
            return FAIL(o, RES2NET_DAMAGED, "the tar archive has a damaged extended header");
        const size_t bytes = (size_t)(length - used - 1);
        if (bytes > 5 && memcmp(body, "path=", 5) == 0) {
            const res2net_status status = keep_name(o, body + 5, bytes - 5);
            if (status != RES2NET_OK)
                return status;
        }
        if (bytes > 11 && memcmp(body, "GNU.sparse.", 11) == 0)
            return FAIL(o, RES2NET_UNSUPPORTED,
                        "the tar archive has sparse files: pack it anew "
                        "without --sparse");
        if (bytes > 5 && memcmp(body, "size=", 5) == 0) {
            o->size = 0;
            o->has_size = 1;
            for (size_t i = 5;
                 i < bytes && body[i] >= '0' && body[i] <= '9' && o->size < (uint64_t)1 << 59; i++)
                o->size = o->size * 10 + (uint64_t)(body[i] - '0');
        }
    }
    return RES2NET_OK;
}

/* ---- entries --------------------------------------------------------------------------------- */

static char *name_of(const uint8_t *header)
{
    char name[NAME_BYTES + PREFIX_BYTES + 2];
    size_t used = 0;
    const size_t prefix = length_within(header + PREFIX_AT, PREFIX_BYTES);
    /* "ustar\0": GNU's own "ustar  " has times where the prefix is. */
    if (memcmp(header + MAGIC_AT, "ustar\0", 6) == 0 && prefix > 0) {
        memcpy(name, header + PREFIX_AT, prefix);
        name[prefix] = '/';
        used = prefix + 1;
    }
    const size_t bytes = length_within(header, NAME_BYTES);
    memcpy(name + used, header, bytes);
    return r2n_copy_bytes(name, used + bytes);
}

static res2net_status add_entry(opener *o, const uint8_t *header, const uint8_t *data, size_t size)
{
    r2n_tar *tar = o->tar;
    if (tar->count >= R2N_TAR_MAXIMUM_ENTRIES)
        return FAIL(o, RES2NET_LIMIT_EXCEEDED, "the tar archive has more than %d files",
                    (int)R2N_TAR_MAXIMUM_ENTRIES);
    char *name = o->long_name != NULL ? o->long_name : name_of(header);
    o->long_name = NULL;
    if (name != NULL && name[0] == '\0') {
        r2n_free(name);
        return FAIL(o, RES2NET_DAMAGED, "a file of the tar archive has no name");
    }
    if (name == NULL ||
        !r2n_grow((void **)&tar->entries, &tar->capacity, tar->count + 1, sizeof *tar->entries)) {
        r2n_free(name);
        return FAIL(o, RES2NET_OUT_OF_MEMORY, "no memory for the tar archive's names");
    }
    tar->entries[tar->count++] =
        (r2n_tar_entry){name, data, size, (int64_t)(data - o->cursor.data)};
    return RES2NET_OK;
}

static res2net_status take_entry(opener *o, const uint8_t *header, const uint8_t *data, size_t size)
{
    res2net_status status = RES2NET_OK;
    switch (header[TYPE_AT]) {
    case 'x': /* of the next entry */
        return read_pax(o, r2n_cursor(data, size));
    case 'L':
        return keep_name(o, data, size);
    case 'g': /* of all entries: times and comments; a path for all makes no sense */
    case 'K': /* the next link's target */
        return RES2NET_OK;
    case 'S':
        return FAIL(o, RES2NET_UNSUPPORTED,
                    "the tar archive has sparse files: pack it anew without --sparse");
    case '0':
    case '\0':
    case '7':
        status = add_entry(o, header, data, size);
        break;
    default: /* folders, links, devices */
        break;
    }
    r2n_free(o->long_name);
    o->long_name = NULL;
    o->has_size = 0;
    return status;
}

static res2net_status read_all(opener *o)
{
    while (r2n_cursor_left(&o->cursor) > 0) {
        uint64_t size;
        const uint8_t *header = r2n_cursor_take(&o->cursor, RECORD);
        if (header != NULL && is_empty(header))
            return RES2NET_OK; /* what follows is padding */
        if (header == NULL)
            return FAIL(o, RES2NET_DAMAGED,
                        "the tar archive is cut off within a header; fetch it again");
        if (!checksum_is_right(header) || !read_number(header + SIZE_AT, SIZE_BYTES, &size))
            return FAIL(o, RES2NET_DAMAGED, "the tar archive has a damaged header; fetch it again");
        static const char extended[4] = {'x', 'g', 'L', 'K'};
        const int is_extended = memchr(extended, header[TYPE_AT], sizeof extended) != NULL;
        if (o->has_size && !is_extended)
            size = o->size;
        if (header[TYPE_AT] >= '1' && header[TYPE_AT] <= '6')
            size = 0; /* links and folders have no data, whatever they state */
        const uint8_t *data = r2n_cursor_take(&o->cursor, size);
        if (data == NULL)
            return FAIL(o, RES2NET_DAMAGED,
                        "the tar archive is cut off: a file of it has %" PRIu64
                        " bytes, of which %zu are there; fetch it again",
                        size, r2n_cursor_left(&o->cursor));
        const uint64_t padding = (RECORD - size % RECORD) % RECORD;
        if (padding <= r2n_cursor_left(&o->cursor))
            r2n_cursor_skip(&o->cursor, padding);
        else
            r2n_cursor_seek(&o->cursor, o->cursor.size);
        const res2net_status status = take_entry(o, header, data, (size_t)size);
        if (status != RES2NET_OK)
            return status;
    }
    return RES2NET_OK;
}

res2net_status r2n_tar_open(const void *data, size_t size, const char *file, r2n_tar **out,
                            res2net_report *report)
{
    opener o = {.cursor = r2n_cursor(data, size), .file = file, .report = report};
    *out = NULL;
    o.tar = r2n_allocate_zeroed(1, sizeof *o.tar);
    if (o.tar == NULL)
        return FAIL(&o, RES2NET_OUT_OF_MEMORY, "no memory for the tar archive");
    const res2net_status status = read_all(&o);
    r2n_free(o.long_name);
    if (status != RES2NET_OK)
        r2n_tar_close(o.tar);
    else
        *out = o.tar;
    return status;
}

void r2n_tar_close(r2n_tar *tar)
{
    if (tar == NULL)
        return;
    for (size_t i = 0; i < tar->count; i++)
        r2n_free(tar->entries[i].name);
    r2n_free(tar->entries);
    r2n_free(tar);
}
