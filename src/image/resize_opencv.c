/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenCV 4.6's INTER_LINEAR on 8-bit pixels, bit for bit: fixed point with 11 bits a coefficient,
 * no antialiasing. The rows are interpolated to 15 bits first, then pairs of rows are mixed.
 * The exact halving, which OpenCV sends to its area code, gives the same bits through this way.
 */
#include "image/resize.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/report.h"

enum {
    COEFFICIENT_ONE = 2048,
    BLOCK = 16 /* a constant trip count: compilers vectorise the loop at -O2 too */
};

/* One output column: bytes of its left and right source pixel in a row, and their shares. */
typedef struct column_tap {
    int32_t left, right;
    int16_t left_share, right_share;
} column_tap;

/* Where output index `index` falls between the source indices *first and *first + 1. OpenCV takes
 * the scale in double and the position in float32. */
static void source_position(int32_t index, int32_t in_size, int32_t out_size, int32_t *first,
                            float *fraction)
{
    const double scale = 1.0 / ((double)out_size / (double)in_size);
    const float position = (float)(((double)index + 0.5) * scale - 0.5);
    const float whole = floorf(position);
    *first = (int32_t)whole;
    *fraction = position - whole;
}

static int16_t share_of(float fraction)
{
    return (int16_t)rintf(fraction * (float)COEFFICIENT_ONE);
}

static void find_columns(column_tap *taps, int32_t in_width, const r2n_window *window)
{
    for (int32_t i = 0; i < window->width; i++) {
        int32_t first;
        float fraction;
        source_position(window->x + i, in_width, window->full_width, &first, &fraction);
        if (first < 0 || first >= in_width - 1) {
            /* Outside, the border pixel alone counts. */
            first = first < 0 ? 0 : in_width - 1;
            fraction = 0.0f;
        }
        const int32_t second = first + 1 < in_width ? first + 1 : first;
        taps[i] =
            (column_tap){first * 3, second * 3, share_of(1.0f - fraction), share_of(fraction)};
    }
}

/* A source row at the window's columns, with 15 bits: OpenCV drops the lowest 4 of the 19. */
static void interpolate_row(const uint8_t *row, const column_tap *taps, int32_t width, int16_t *out)
{
    for (int32_t i = 0; i < width; i++) {
        const uint8_t *left = row + taps[i].left;
        const uint8_t *right = row + taps[i].right;
        const int32_t left_share = taps[i].left_share, right_share = taps[i].right_share;
        out[0] = (int16_t)((left[0] * left_share + right[0] * right_share) >> 4);
        out[1] = (int16_t)((left[1] * left_share + right[1] * right_share) >> 4);
        out[2] = (int16_t)((left[2] * left_share + right[2] * right_share) >> 4);
        out += 3;
    }
}

/* Shares sum to 2048 or 2049 and rows are at most 255 * 2049 / 16, so the result fits 8 bits. */
static uint8_t mix(int16_t top, int16_t bottom, int16_t top_share, int16_t bottom_share)
{
    return (uint8_t)((((top * top_share) >> 16) + ((bottom * bottom_share) >> 16) + 2) >> 2);
}

static void mix_rows(const int16_t *top, const int16_t *bottom, int16_t top_share,
                     int16_t bottom_share, uint8_t *out, size_t count)
{
    size_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK) {
        uint8_t block[BLOCK];
        for (size_t k = 0; k < BLOCK; k++)
            block[k] = mix(top[i + k], bottom[i + k], top_share, bottom_share);
        memcpy(out + i, block, BLOCK);
    }
    for (; i < count; i++)
        out[i] = mix(top[i], bottom[i], top_share, bottom_share);
}

static int32_t clamp_index(int32_t index, int32_t size)
{
    return index < 0 ? 0 : index >= size ? size - 1 : index;
}

/* Two interpolated rows are kept, since neighbouring output rows share them. */
static void resize_rows(const r2n_pixels *in, const r2n_window *window, const column_tap *taps,
                        int16_t *rows[2], uint8_t *out, size_t row_bytes)
{
    const size_t in_row_bytes = (size_t)in->width * 3;
    int32_t held[2] = {-1, -1};
    for (int32_t y = 0; y < window->height; y++) {
        int32_t first;
        float fraction;
        source_position(window->y + y, in->height, window->full_height, &first, &fraction);
        /* At the border both rows are the same one, but keep their shares: so does OpenCV. */
        const int32_t wanted[2] = {clamp_index(first, in->height),
                                   clamp_index(first + 1, in->height)};
        if (held[0] != wanted[0] && held[1] == wanted[0]) {
            int16_t *row = rows[0];
            rows[0] = rows[1];
            rows[1] = row;
            held[1] = held[0];
            held[0] = wanted[0];
        }
        for (int i = 0; i < 2; i++) {
            if (held[i] != wanted[i])
                interpolate_row(in->rgb + (size_t)wanted[i] * in_row_bytes, taps, window->width,
                                rows[i]);
            held[i] = wanted[i];
        }
        mix_rows(rows[0], rows[1], share_of(1.0f - fraction), share_of(fraction),
                 out + (size_t)y * row_bytes, (size_t)window->width * 3);
    }
}

res2net_status r2n_resize_opencv(const r2n_pixels *in, const r2n_window *window, uint8_t *out,
                                 size_t row_bytes, res2net_report *report)
{
    const size_t width = (size_t)window->width;
    column_tap *taps = r2n_allocate(width, sizeof(*taps));
    int16_t *block = r2n_allocate(width * 2 * 3, sizeof(*block));
    res2net_status status = RES2NET_OK;
    if (taps == NULL || block == NULL) {
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                          "no memory for two rows of %d pixels", (int)window->width);
    } else {
        int16_t *rows[2] = {block, block + width * 3};
        find_columns(taps, in->width, window);
        resize_rows(in, window, taps, rows, out, row_bytes);
    }
    r2n_free(taps);
    r2n_free(block);
    return status;
}
