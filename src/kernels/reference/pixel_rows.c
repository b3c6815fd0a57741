/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pixel_rows.h"

static uint8_t clip(int32_t sum)
{
    const int32_t value = sum >> R2N_PIXEL_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void filter_row(const r2n_pixel_filter *filter, const uint8_t *row, int32_t pixels,
                       uint8_t *out)
{
    (void)pixels;
    for (int32_t i = 0; i < filter->outputs; i++) {
        const int32_t *weights = filter->weights + (int64_t)i * filter->stride;
        const uint8_t *pixel = row + (int64_t)filter->spans[i].first * 3;
        int32_t red = 1 << (R2N_PIXEL_BITS - 1), green = red, blue = red;
        for (int32_t t = 0; t < filter->spans[i].count; t++) {
            red += pixel[0] * weights[t];
            green += pixel[1] * weights[t];
            blue += pixel[2] * weights[t];
            pixel += 3;
        }
        out[0] = clip(red);
        out[1] = clip(green);
        out[2] = clip(blue);
        out += 3;
    }
}

static void filter_columns(const uint8_t *const *rows, const int32_t *weights, int32_t count,
                           size_t bytes, uint8_t *out)
{
    for (size_t at = 0; at < bytes; at++) {
        int32_t sum = 1 << (R2N_PIXEL_BITS - 1);
        for (int32_t t = 0; t < count; t++)
            sum += rows[t][at] * weights[t];
        out[at] = clip(sum);
    }
}

static void interpolate_row(const r2n_pixel_pair *pairs, int32_t outputs, const uint8_t *row,
                            int32_t pixels, int16_t *out)
{
    const int next = pixels > 1 ? 3 : 0;
    for (int32_t i = 0; i < outputs; i++) {
        const uint8_t *pixel = row + (int64_t)pairs[i].first * 3;
        for (int c = 0; c < 3; c++)
            *out++ =
                (int16_t)((pixel[c] * pairs[i].share + pixel[c + next] * pairs[i].next_share) >>
                          R2N_PIXEL_SHIFT);
    }
}

static void mix_rows(const int16_t *top, const int16_t *bottom, int16_t share, int16_t bottom_share,
                     uint8_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] =
            (uint8_t)((((top[i] * share) >> 16) + ((bottom[i] * bottom_share) >> 16) + 2) >> 2);
}

const r2n_pixel_kernels r2n_pixel_kernels_reference = {filter_row, filter_columns, interpolate_row,
                                                       mix_rows};
