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
#include "kernels/cpu_features.h"
#include "kernels/pixel_rows.h"

enum { COEFFICIENT_ONE = 2048 };

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

static void find_columns(r2n_pixel_pair *pairs, int32_t in_width, const r2n_window *window)
{
    for (int32_t i = 0; i < window->width; i++) {
        int32_t first;
        float fraction;
        source_position(window->x + i, in_width, window->full_width, &first, &fraction);
        /* Outside, the border pixel alone counts. */
        if (first < 0 || in_width == 1) {
            first = 0;
            fraction = 0.0f;
        } else if (first >= in_width - 1) {
            first = in_width - 2;
            fraction = 1.0f;
        }
        pairs[i] = (r2n_pixel_pair){first, share_of(1.0f - fraction), share_of(fraction)};
    }
}

static int32_t clamp_index(int32_t index, int32_t size)
{
    return index < 0 ? 0 : index >= size ? size - 1 : index;
}

/* Two interpolated rows are kept, since neighbouring output rows share them. */
static void resize_rows(const r2n_region *in, const r2n_window *window, const r2n_pixel_pair *pairs,
                        int16_t *rows[2], uint8_t *out, size_t row_bytes)
{
    const r2n_pixel_kernels *kernels = r2n_pixel_kernels_for(r2n_isa_default());
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
                /* OpenCV drops the lowest 4 of the 19 bits. */
                kernels->interpolate_row(pairs, window->width,
                                         in->rgb + (size_t)wanted[i] * in->row_bytes, in->width,
                                         rows[i]);
            held[i] = wanted[i];
        }
        kernels->mix_rows(rows[0], rows[1], share_of(1.0f - fraction), share_of(fraction),
                          out + (size_t)y * row_bytes, (size_t)window->width * 3);
    }
}

res2net_status r2n_resize_opencv(const r2n_region *in, const r2n_window *window, uint8_t *out,
                                 size_t row_bytes, res2net_report *report)
{
    const size_t width = (size_t)window->width;
    r2n_pixel_pair *pairs = r2n_allocate(width, sizeof(*pairs));
    int16_t *block = r2n_allocate(width * 2 * 3, sizeof(*block));
    res2net_status status = RES2NET_OK;
    if (pairs == NULL || block == NULL) {
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                          "no memory for two rows of %d pixels", (int)window->width);
    } else {
        int16_t *rows[2] = {block, block + width * 3};
        find_columns(pairs, in->width, window);
        resize_rows(in, window, pairs, rows, out, row_bytes);
    }
    r2n_free(pairs);
    r2n_free(block);
    return status;
}
