/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a BMP: OS/2 1 and 2, Windows 3, and its versions 2 to 5. */
#include "image/bmp.h"

#include <string.h>

#include "base/report.h"

enum {
    FILE_HEADER_BYTES = 14,
    CORE_BYTES = 12,   /* OS/2 1: 16-bit sizes, palette entries of 3 bytes */
    INFO_BYTES = 40,   /* Windows 3; longer headers begin like it */
    MASKED_BYTES = 52, /* from here on the masks are part of the header */
    COMPRESSION_NONE = 0,
    COMPRESSION_RLE8 = 1,
    COMPRESSION_RLE4 = 2,
    COMPRESSION_MASKS = 3,
    MAXIMUM_COLOURS = 256
};

typedef struct reader {
    const r2n_encoded_picture *picture;
    r2n_byte_cursor cursor;
    uint32_t header_bytes;
    uint32_t data;
    uint32_t compression;
    uint32_t colours; /* as written: 0 means all */
    res2net_report *report;
} reader;

static res2net_status fail_kind(const reader *r, int64_t offset, const char *what, long long value)
{
    return r2n_fail(r->report, RES2NET_UNSUPPORTED, r->picture->name, offset,
                    "this kind of BMP is not read (%s %lld): convert it to a 24-bit BMP or a PNG",
                    what, value);
}

static res2net_status fail_cut_header(const reader *r)
{
    return r2n_fail(r->report, RES2NET_BAD_PICTURE, r->picture->name, (int64_t)r->picture->size,
                    "the BMP is cut off inside its header, after %zu bytes: copy or download it "
                    "again",
                    r->picture->size);
}

/* The fields that both kinds of header have. */
static res2net_status read_geometry(reader *r, r2n_bmp *bmp)
{
    r2n_byte_cursor *cursor = &r->cursor;
    r2n_cursor_seek(cursor, 10); /* the file's size before it is often wrong */
    r->data = r2n_cursor_u32le(cursor);
    r->header_bytes = r2n_cursor_u32le(cursor);
    int64_t width, height;
    if (r->header_bytes == CORE_BYTES) {
        width = r2n_cursor_u16le(cursor);
        height = r2n_cursor_u16le(cursor);
    } else {
        width = (int32_t)r2n_cursor_u32le(cursor);
        height = (int32_t)r2n_cursor_u32le(cursor);
    }
    r2n_cursor_skip(cursor, 2); /* planes: always 1, whatever is written */
    bmp->bits = r2n_cursor_u16le(cursor);
    if (cursor->failed)
        return fail_cut_header(r);
    bmp->top_down = height < 0;
    height = height < 0 ? -height : height;
    if (width < 0)
        return r2n_fail(r->report, RES2NET_BAD_PICTURE, r->picture->name, 18,
                        "the BMP's header says a width of %lld: it is damaged", (long long)width);
    const res2net_status status =
        r2n_decode_check_size(r->picture, (uint64_t)width, (uint64_t)height, 18, r->report);
    bmp->width = (int32_t)width;
    bmp->height = (int32_t)height;
    return status;
}

static res2net_status read_info(reader *r)
{
    r2n_byte_cursor *cursor = &r->cursor;
    const uint32_t known[] = {CORE_BYTES, INFO_BYTES, MASKED_BYTES, 56, 64, 108, 124};
    int is_known = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        is_known = is_known || known[i] == r->header_bytes;
    if (!is_known)
        return fail_kind(r, FILE_HEADER_BYTES, "header of bytes:", r->header_bytes);
    if (r->header_bytes == CORE_BYTES)
        return RES2NET_OK;
    r->compression = r2n_cursor_u32le(cursor);
    r2n_cursor_skip(cursor, 12); /* the data's size, and the resolution */
    r->colours = r2n_cursor_u32le(cursor);
    r2n_cursor_skip(cursor, 4);
    return cursor->failed ? fail_cut_header(r) : RES2NET_OK;
}

static res2net_status check_kind(const reader *r, r2n_bmp *bmp)
{
    const int bits = bmp->bits;
    if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
        return fail_kind(r, 28, "bits a pixel:", bits);
    bmp->run_lengths = (r->compression == COMPRESSION_RLE8 && bits == 8) ||
                       (r->compression == COMPRESSION_RLE4 && bits == 4);
    const int masks = r->compression == COMPRESSION_MASKS && (bits == 16 || bits == 32);
    if (!bmp->run_lengths && !masks && r->compression != COMPRESSION_NONE)
        return fail_kind(r, 30, "compression", r->compression);
    return RES2NET_OK;
}

static int set_channel(r2n_bmp_channel *channel, uint32_t mask, int pixel_bits)
{
    *channel = (r2n_bmp_channel){.mask = mask};
    if (mask == 0)
        return 0;
    while ((mask & 1) == 0) {
        mask >>= 1;
        channel->shift++;
    }
    while ((mask & 1) != 0) {
        mask >>= 1;
        channel->bits++;
    }
    return mask == 0 && channel->shift + channel->bits <= pixel_bits;
}

static res2net_status set_channels(reader *r, r2n_bmp *bmp)
{
    uint32_t masks[3] = {0x7C00, 0x3E0, 0x1F};
    if (bmp->bits == 32) {
        masks[0] = 0xFF0000;
        masks[1] = 0xFF00;
        masks[2] = 0xFF;
    }
    if (r->compression == COMPRESSION_MASKS) {
        uint32_t read[3];
        r2n_cursor_seek(&r->cursor, FILE_HEADER_BYTES + INFO_BYTES);
        for (int i = 0; i < 3; i++)
            read[i] = r2n_cursor_u32le(&r->cursor);
        if (r->cursor.failed)
            return fail_cut_header(r);
        /* Some writers of 32 bits leave them all 0: the usual ones. */
        if (bmp->bits == 16 || read[0] != 0 || read[1] != 0 || read[2] != 0)
            memcpy(masks, read, sizeof masks);
    }
    int good = (masks[0] & masks[1]) == 0 && ((masks[0] | masks[1]) & masks[2]) == 0;
    for (int i = 0; i < 3; i++)
        good = set_channel(&bmp->channels[i], masks[i], bmp->bits) && good;
    if (good)
        return RES2NET_OK;
    return r2n_fail(r->report, RES2NET_BAD_PICTURE, r->picture->name,
                    FILE_HEADER_BYTES + INFO_BYTES,
                    "the BMP's colour masks 0x%X, 0x%X and 0x%X are not three runs of bits in %d: "
                    "it is damaged",
                    masks[0], masks[1], masks[2], bmp->bits);
}

/* Fewer colours than the depth allows may be there: by number, or by where the pixels begin. */
static res2net_status read_palette(reader *r, r2n_bmp *bmp)
{
    const size_t start = FILE_HEADER_BYTES + (size_t)r->header_bytes;
    const size_t entry = r->header_bytes == CORE_BYTES ? 3 : 4;
    size_t colours = (size_t)1 << bmp->bits;
    if (r->colours > MAXIMUM_COLOURS)
        return r2n_fail(r->report, RES2NET_BAD_PICTURE, r->picture->name, 46,
                        "the BMP's header says %u colours for %d bits: it is damaged", r->colours,
                        bmp->bits);
    if (r->colours != 0 && r->colours < colours)
        colours = r->colours;
    if (r->data > start && (r->data - start) / entry < colours)
        colours = (r->data - start) / entry;
    r2n_cursor_seek(&r->cursor, start);
    const uint8_t *at = r2n_cursor_take(&r->cursor, colours * entry);
    if (at == NULL)
        return fail_cut_header(r);
    for (size_t i = 0; i < colours; i++)
        for (int k = 0; k < 3; k++)
            bmp->palette[i][k] = at[i * entry + 2 - (size_t)k];
    bmp->colours = (int)colours;
    return RES2NET_OK;
}

/* Where the pixels begin; 0 stands for right behind the header. */
static res2net_status place_data(const reader *r, r2n_bmp *bmp)
{
    const size_t start = FILE_HEADER_BYTES + (size_t)r->header_bytes;
    bmp->data = r->data != 0
                    ? r->data
                    : (bmp->bits <= 8 || r->cursor.position > start ? r->cursor.position : start);
    if (bmp->data < start)
        return r2n_fail(r->report, RES2NET_BAD_PICTURE, r->picture->name, 10,
                        "the BMP's pixels begin at byte %zu, inside its header: it is damaged",
                        bmp->data);
    if (bmp->data >= r->picture->size)
        return r2n_fail(r->report, RES2NET_BAD_PICTURE, r->picture->name, (int64_t)r->picture->size,
                        "the BMP is cut off: its pixels would begin at byte %zu, and it has %zu "
                        "bytes; copy or download it again",
                        bmp->data, r->picture->size);
    return RES2NET_OK;
}

res2net_status r2n_bmp_read_header(const r2n_encoded_picture *picture, r2n_bmp *bmp,
                                   res2net_report *report)
{
    reader r = {
        .picture = picture, .cursor = r2n_cursor(picture->bytes, picture->size), .report = report};
    *bmp = (r2n_bmp){0};
    res2net_status status = read_geometry(&r, bmp);
    if (status == RES2NET_OK)
        status = read_info(&r);
    if (status == RES2NET_OK)
        status = check_kind(&r, bmp);
    if (status == RES2NET_OK && bmp->bits <= 8)
        status = read_palette(&r, bmp);
    if (status == RES2NET_OK && (bmp->bits == 16 || bmp->bits == 32))
        status = set_channels(&r, bmp);
    return status == RES2NET_OK ? place_data(&r, bmp) : status;
}
