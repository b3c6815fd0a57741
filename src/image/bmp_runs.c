/* SPDX-License-Identifier: Apache-2.0 */
/* The run-length code of BMP, 4 and 8 bits. What a jump or an early end leaves out has the first
 * colour of the palette, as OpenCV and Pillow fill it. A run past the end of its row is damage. */
#include <string.h>

#include "base/report.h"
#include "image/bmp.h"

enum { END_OF_ROW = 0, END_OF_PICTURE = 1, JUMP = 2 };

typedef struct runs {
    const r2n_encoded_picture *picture;
    const r2n_bmp *bmp;
    r2n_byte_cursor cursor;
    r2n_pixels *out;
    int32_t x, y; /* y counts rows of the file */
    res2net_report *report;
} runs;

static res2net_status fail_place(const runs *r, int64_t offset, const char *what)
{
    return r2n_fail(r->report, RES2NET_BAD_PICTURE, r->picture->name, offset,
                    "a %s of the BMP leaves its %s (row %d, column %d): it is damaged", what,
                    r->y < r->bmp->height ? "row" : "picture", (int)r->y, (int)r->x);
}

static uint8_t *row_of(const runs *r, int32_t y)
{
    const int32_t row = r->bmp->top_down ? y : r->bmp->height - 1 - y;
    return r->out->rgb + (size_t)row * (size_t)r->bmp->width * 3;
}

/* `count` pixels; `in` has them one behind the other, or, where `repeat`, one byte of one (8 bits)
 * or two (4 bits, in turn). */
static res2net_status put(runs *r, int count, const uint8_t *in, int repeat, int64_t offset)
{
    const r2n_bmp *bmp = r->bmp;
    if (r->y >= bmp->height || count > bmp->width - r->x)
        return fail_place(r, offset, "run");
    uint8_t *to = row_of(r, r->y) + 3 * (size_t)r->x;
    for (int i = 0; i < count; i++) {
        int index = in[repeat ? 0 : bmp->bits == 8 ? i : i / 2];
        if (bmp->bits == 4)
            index = i % 2 == 0 ? index >> 4 : index & 15;
        if (index >= bmp->colours)
            return r2n_bmp_fail_index(r->picture, bmp, index, offset, r->report);
        memcpy(to + 3 * (size_t)i, bmp->palette[index], 3);
    }
    r->x += count;
    return RES2NET_OK;
}

/* One command; *end where it ends the picture. */
static res2net_status step(runs *r, int *end)
{
    r2n_byte_cursor *cursor = &r->cursor;
    const int64_t offset = (int64_t)cursor->position;
    const uint8_t *pair = r2n_cursor_take(cursor, 2);
    *end = pair == NULL || (pair[0] == 0 && pair[1] == END_OF_PICTURE);
    if (*end)
        return RES2NET_OK;
    if (pair[0] != 0)
        return put(r, pair[0], pair + 1, 1, offset);
    if (pair[1] == END_OF_ROW) {
        r->x = 0;
        r->y += r->y < r->bmp->height;
        return RES2NET_OK;
    }
    if (pair[1] == JUMP) {
        const uint8_t *by = r2n_cursor_take(cursor, 2);
        if (by == NULL)
            return RES2NET_OK;
        r->x += by[0];
        r->y += by[1];
        return r->x > r->bmp->width || r->y >= r->bmp->height ? fail_place(r, offset, "jump")
                                                              : RES2NET_OK;
    }
    const size_t bytes = r->bmp->bits == 8 ? pair[1] : (pair[1] + 1u) / 2;
    const uint8_t *in = r2n_cursor_take(cursor, bytes);
    if (in == NULL)
        return RES2NET_OK;
    if (bytes % 2 != 0 && r2n_cursor_left(cursor) > 0)
        r2n_cursor_skip(cursor, 1); /* to an even place */
    return put(r, pair[1], in, 0, offset);
}

res2net_status r2n_bmp_read_runs(const r2n_encoded_picture *picture, const r2n_bmp *bmp,
                                 r2n_pixels *out, res2net_report *report)
{
    runs r = {picture, bmp, r2n_cursor(picture->bytes, picture->size), out, 0, 0, report};
    const size_t pixels = (size_t)bmp->width * (size_t)bmp->height;
    int end = 0;
    r2n_cursor_seek(&r.cursor, bmp->data);
    if (bmp->colours > 0)
        for (size_t i = 0; i < pixels; i++)
            memcpy(out->rgb + 3 * i, bmp->palette[0], 3);
    while (!end && !r.cursor.failed) {
        const res2net_status status = step(&r, &end);
        if (status != RES2NET_OK)
            return status;
    }
    /* Without its end mark a picture is whole where its last row is. */
    if (!r.cursor.failed || r.y >= bmp->height || (r.y == bmp->height - 1 && r.x == bmp->width))
        return RES2NET_OK;
    for (int32_t y = r.y; y < bmp->height; y++) {
        const size_t from = y == r.y ? 3 * (size_t)r.x : 0;
        memset(row_of(&r, y) + from, 0, (size_t)bmp->width * 3 - from);
    }
    return r2n_decode_cut_off(picture, "BMP", r.y, "black", report);
}
