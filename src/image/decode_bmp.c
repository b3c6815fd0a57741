/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BMP, ours: no library of Debian reads it alone. Palette, 16, 24 and 32 bits by rows; run lengths
 * are in bmp_runs.c. The unused byte or alpha of 32 bits is dropped.
 */
#include <string.h>

#include "base/memory.h"
#include "base/report.h"
#include "image/bmp.h"
#include "image/resize.h"

res2net_status r2n_bmp_fail_index(const r2n_encoded_picture *picture, const r2n_bmp *bmp, int index,
                                  int64_t offset, res2net_report *report)
{
    return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, offset,
                    "the BMP has palette index %d, but its palette has %d colours: it is damaged",
                    index, bmp->colours);
}

/* Returns the first index that the palette lacks, or -1. */
static int palette_row(const r2n_bmp *bmp, const uint8_t *in, uint8_t *out)
{
    const int per_byte = 8 / bmp->bits, mask = (1 << bmp->bits) - 1;
    for (int32_t x = 0; x < bmp->width; x++) {
        const int shift = 8 - bmp->bits * (x % per_byte + 1);
        const int index = in[x / per_byte] >> shift & mask;
        if (index >= bmp->colours)
            return index;
        memcpy(out + 3 * (size_t)x, bmp->palette[index], 3);
    }
    return -1;
}

/* To 8 bits. OpenCV puts zeros below; Pillow spreads over 0 to 255, rounding down. */
static uint8_t widen(uint32_t pixel, const r2n_bmp_channel *channel, r2n_decoder decoder)
{
    const uint32_t value = (pixel & channel->mask) >> channel->shift;
    if (channel->bits == 8)
        return (uint8_t)value;
    if (decoder == R2N_DECODER_OPENCV)
        return (uint8_t)(channel->bits < 8 ? value << (8 - channel->bits)
                                           : value >> (channel->bits - 8));
    return (uint8_t)((uint64_t)value * 255 / (((uint64_t)1 << channel->bits) - 1));
}

static void masked_row(const r2n_bmp *bmp, r2n_decoder decoder, const uint8_t *in, uint8_t *out)
{
    const int bytes = bmp->bits / 8;
    for (int32_t x = 0; x < bmp->width; x++) {
        uint32_t pixel = 0;
        for (int i = 0; i < bytes; i++)
            pixel |= (uint32_t)in[i] << (8 * i);
        for (int i = 0; i < 3; i++)
            *out++ = widen(pixel, &bmp->channels[i], decoder);
        in += bytes;
    }
}

static void bgr_row(const r2n_bmp *bmp, const uint8_t *in, uint8_t *out)
{
    for (int32_t x = 0; x < bmp->width; x++) {
        out[0] = in[2];
        out[1] = in[1];
        out[2] = in[0];
        in += 3;
        out += 3;
    }
}

res2net_status r2n_bmp_read_rows(const r2n_encoded_picture *picture, const r2n_bmp *bmp,
                                 r2n_pixels *out, res2net_report *report)
{
    /* Sides are at most 65,535 or what the caller allows: far from overflow in 64 bits. */
    const uint64_t row_bytes = ((uint64_t)bmp->width * (uint64_t)bmp->bits + 7) / 8;
    const uint64_t padding = (4 - row_bytes % 4) % 4;
    r2n_byte_cursor cursor = r2n_cursor(picture->bytes, picture->size);
    r2n_cursor_seek(&cursor, bmp->data);
    for (int32_t y = 0; y < bmp->height; y++) {
        const int64_t offset = (int64_t)cursor.position;
        const uint8_t *in = r2n_cursor_take(&cursor, row_bytes);
        if (in == NULL)
            return r2n_decode_cut_off(picture, "BMP", y, "black", report);
        const int32_t row = bmp->top_down ? y : bmp->height - 1 - y;
        uint8_t *to = out->rgb + (size_t)row * (size_t)bmp->width * 3;
        int bad_index = -1;
        if (bmp->bits <= 8)
            bad_index = palette_row(bmp, in, to);
        else if (bmp->bits == 24)
            bgr_row(bmp, in, to);
        else
            masked_row(bmp, picture->options.decoder, in, to);
        if (bad_index >= 0)
            return r2n_bmp_fail_index(picture, bmp, bad_index, offset, report);
        /* Some writers leave out the padding of the last row. */
        if (y < bmp->height - 1)
            r2n_cursor_skip(&cursor, padding);
    }
    return RES2NET_OK;
}

/* How many pixels the bytes behind the header can stand for: exactly, in rows. Of run lengths, two
 * bytes run over up to 255 pixels, and four jump over up to 255 rows. */
static uint64_t promise(const r2n_encoded_picture *picture, const r2n_bmp *bmp)
{
    const uint64_t bytes = picture->size - bmp->data;
    if (!bmp->run_lengths)
        return (bytes * 8 + 31) / (uint64_t)bmp->bits;
    return bytes * 128 + bytes / 4 * 255 * (uint64_t)bmp->width;
}

res2net_status r2n_decode_bmp(const r2n_encoded_picture *picture, r2n_pixels *out,
                              res2net_report *report)
{
    r2n_bmp bmp;
    *out = (r2n_pixels){0};
    res2net_status status = r2n_bmp_read_header(picture, &bmp, report);
    if (status == RES2NET_OK && !picture->options.tolerate_truncated)
        status = r2n_decode_check_promise(picture, (uint64_t)bmp.width, (uint64_t)bmp.height,
                                          promise(picture, &bmp), report);
    if (status == RES2NET_OK)
        status = r2n_pixels_allocate(out, bmp.width, bmp.height, picture->name, report);
    if (status != RES2NET_OK)
        return status;
    memset(out->rgb, 0, (size_t)bmp.width * (size_t)bmp.height * 3);
    status = (bmp.run_lengths ? r2n_bmp_read_runs : r2n_bmp_read_rows)(picture, &bmp, out, report);
    if (status != RES2NET_OK)
        r2n_pixels_free(out);
    return status;
}
