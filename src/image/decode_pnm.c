/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PBM, PGM and PPM, ours: plain (P1 to P3) and binary (P4 to P6), 1 to 65535 levels. Comments count
 * wherever white space may be before the pixels, and anywhere among plain ones.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/report.h"
#include "formats/byte_cursor.h"
#include "image/decode.h"
#include "image/resize.h"

enum { MAXIMUM_LEVEL = 65535, TABLE_LEVELS = 256 };

typedef struct pnm {
    const r2n_encoded_picture *picture;
    r2n_byte_cursor cursor;
    int kind;     /* 1 to 6 */
    int plain;    /* numbers in text */
    int bitmap;   /* 1 is black */
    int channels; /* 1 or 3 */
    int32_t width, height;
    int32_t level;               /* the largest value */
    uint8_t table[TABLE_LEVELS]; /* value -> 8 bits, where there are no more levels than that */
    res2net_report *report;
} pnm;

static int is_space(int byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static int peek(const pnm *p)
{
    return r2n_cursor_left(&p->cursor) > 0 ? p->cursor.data[p->cursor.position] : -1;
}

static void skip_blanks(pnm *p)
{
    for (int byte = peek(p); byte == '#' || is_space(byte); byte = peek(p)) {
        while (byte == '#' && peek(p) >= 0 && peek(p) != '\n' && peek(p) != '\r')
            p->cursor.position++;
        if (peek(p) >= 0)
            p->cursor.position++;
    }
}

static res2net_status fail_here(const pnm *p, const char *what)
{
    const int byte = peek(p);
    char found[32] = "the end of the file";
    if (byte >= 0)
        snprintf(found, sizeof found, "byte 0x%02X", (unsigned)byte);
    return r2n_fail(p->report, RES2NET_BAD_PICTURE, p->picture->name, (int64_t)p->cursor.position,
                    "where the PNM has %s there is %s: it is damaged", what, found);
}

/* The next number, at most `largest`; -1 without one. *whole: something follows it, so that no
 * digit can be missing. */
static int64_t read_number(pnm *p, int64_t largest, int *whole)
{
    int64_t value = -1;
    skip_blanks(p);
    for (int byte = peek(p); byte >= '0' && byte <= '9'; byte = peek(p)) {
        value = (value < 0 ? 0 : value * 10) + (byte - '0');
        if (value > largest)
            value = largest + 1;
        p->cursor.position++;
    }
    *whole = peek(p) >= 0;
    return value;
}

static res2net_status read_header(pnm *p)
{
    int64_t numbers[3] = {0, 0, 1};
    static const char *const names[] = {"its width", "its height", "its largest value"};
    const int count = p->bitmap ? 2 : 3;
    p->cursor.position = 2;
    for (int i = 0; i < count; i++) {
        int whole;
        numbers[i] = read_number(p, UINT32_MAX, &whole);
        if (numbers[i] < 0 || !whole)
            return fail_here(p, names[i]);
        if (!is_space(peek(p)) && peek(p) != '#')
            return fail_here(p, "white space");
    }
    if (!p->plain)
        p->cursor.position++; /* exactly one byte lies between the numbers and the pixels */
    if (numbers[2] < 1 || numbers[2] > MAXIMUM_LEVEL)
        return r2n_fail(
            p->report, RES2NET_BAD_PICTURE, p->picture->name, (int64_t)p->cursor.position,
            "the PNM's largest value is %lld: it must be 1 to 65535", (long long)numbers[2]);
    p->width = (int32_t)(numbers[0] & INT32_MAX);
    p->height = (int32_t)(numbers[1] & INT32_MAX);
    p->level = (int32_t)numbers[2];
    return r2n_decode_check_size(p->picture, (uint64_t)numbers[0], (uint64_t)numbers[1], 2,
                                 p->report);
}

/* OpenCV rounds down, and takes the high byte of 16 bits; Pillow rounds to the nearest, in double.
 */
static uint8_t to_8_bits(const pnm *p, int32_t value)
{
    if (p->bitmap)
        return value != 0 ? 0 : 255;
    if (p->picture->options.decoder == R2N_DECODER_PILLOW)
        return (uint8_t)rint(value / (double)p->level * 255);
    return (uint8_t)(p->level < TABLE_LEVELS ? value * 255 / p->level
                                             : (int64_t)value * 256 / ((int64_t)p->level + 1));
}

/* Bytes that a picture of this header needs at least. */
static uint64_t row_bytes(const pnm *p)
{
    const uint64_t values = (uint64_t)p->width * (uint64_t)p->channels;
    if (p->plain)
        return p->bitmap ? values : 2 * values - 1; /* a digit and a blank each */
    return p->bitmap ? (values + 7) / 8 : values * (p->level > 255 ? 2 : 1);
}

static res2net_status fail_value(const pnm *p, int64_t value, size_t offset)
{
    return r2n_fail(p->report, RES2NET_BAD_PICTURE, p->picture->name, (int64_t)offset,
                    "the PNM has the value %lld, and its largest is said to be %d: it is damaged",
                    (long long)value, (int)p->level);
}

/* One plain value into *value. *end: the file ends before it. */
static res2net_status read_plain(pnm *p, int64_t *value, int *end)
{
    int whole = 1;
    *end = 0;
    skip_blanks(p);
    if (p->bitmap) { /* digits need no blanks between them */
        const int byte = peek(p);
        *end = byte < 0;
        *value = byte - '0';
        if (!*end && byte != '0' && byte != '1')
            return fail_here(p, "a 0 or 1");
        p->cursor.position += !*end;
        return RES2NET_OK;
    }
    const size_t offset = p->cursor.position;
    *end = peek(p) < 0;
    *value = *end ? 0 : read_number(p, MAXIMUM_LEVEL, &whole);
    if (*value < 0 || (whole && !*end && !is_space(peek(p)) && peek(p) != '#'))
        return fail_here(p, "a number");
    return *value > p->level ? fail_value(p, *value, offset) : RES2NET_OK;
}

static void put(const pnm *p, uint8_t *row, int64_t i, int32_t value)
{
    const uint8_t byte = p->level < TABLE_LEVELS ? p->table[value] : to_8_bits(p, value);
    if (p->channels == 3)
        row[i] = byte;
    else
        row[3 * i] = row[3 * i + 1] = row[3 * i + 2] = byte;
}

static res2net_status plain_row(pnm *p, uint8_t *row, int *end)
{
    const int64_t values = (int64_t)p->width * p->channels;
    for (int64_t i = 0; i < values; i++) {
        int64_t value;
        const res2net_status status = read_plain(p, &value, end);
        if (status != RES2NET_OK || *end)
            return status;
        put(p, row, i, (int32_t)value);
    }
    return RES2NET_OK;
}

static res2net_status binary_row(pnm *p, uint8_t *row, int *end)
{
    const int64_t values = (int64_t)p->width * p->channels;
    const size_t offset = p->cursor.position;
    const uint8_t *in = r2n_cursor_take(&p->cursor, row_bytes(p));
    *end = in == NULL;
    for (int64_t i = 0; !*end && i < values; i++) {
        int32_t value;
        if (p->bitmap)
            value = in[i / 8] >> (7 - i % 8) & 1;
        else
            value = p->level > 255 ? in[2 * i] << 8 | in[2 * i + 1] : in[i];
        if (value > p->level)
            return fail_value(p, value, offset + (size_t)i * (p->level > 255 ? 2 : 1));
        put(p, row, i, value);
    }
    return RES2NET_OK;
}

static res2net_status read_rows(pnm *p, r2n_pixels *out)
{
    const size_t row_size = (size_t)p->width * 3;
    for (int32_t y = 0; y < p->height; y++) {
        uint8_t *row = out->rgb + (size_t)y * row_size;
        int end = 0;
        const res2net_status status = (p->plain ? plain_row : binary_row)(p, row, &end);
        if (status != RES2NET_OK)
            return status;
        if (end) {
            memset(row, 0, (size_t)(p->height - y) * row_size);
            return r2n_decode_cut_off(p->picture, "PNM", y, "black", p->report);
        }
    }
    return RES2NET_OK;
}

res2net_status r2n_decode_pnm(const r2n_encoded_picture *picture, r2n_pixels *out,
                              res2net_report *report)
{
    pnm p = {.picture = picture,
             .cursor = r2n_cursor(picture->bytes, picture->size),
             .kind = picture->bytes[1] - '0',
             .report = report};
    *out = (r2n_pixels){0};
    p.plain = p.kind <= 3;
    p.bitmap = p.kind == 1 || p.kind == 4;
    p.channels = p.kind == 3 || p.kind == 6 ? 3 : 1;
    res2net_status status = read_header(&p);
    if (status == RES2NET_OK && !picture->options.tolerate_truncated) {
        const uint64_t rows = r2n_cursor_left(&p.cursor) / row_bytes(&p);
        const uint64_t rest = r2n_cursor_left(&p.cursor) % row_bytes(&p);
        status = r2n_decode_check_promise(picture, (uint64_t)p.width, (uint64_t)p.height,
                                          (rows + (rest > 0)) * (uint64_t)p.width, report);
    }
    if (status == RES2NET_OK)
        status = r2n_pixels_allocate(out, p.width, p.height, picture->name, report);
    if (status != RES2NET_OK)
        return status;
    for (int32_t value = 0; value < TABLE_LEVELS && value <= p.level; value++)
        p.table[value] = to_8_bits(&p, value);
    status = read_rows(&p, out);
    if (status != RES2NET_OK)
        r2n_pixels_free(out);
    return status;
}
