/* SPDX-License-Identifier: Apache-2.0 */
/* 8-bit pixels to floats. There are 256 values a channel, so each is computed once. */
#include "image/image.h"

enum { VALUES = 256 };

static void fill_table(const r2n_recipe *recipe, float table[3][VALUES])
{
    for (int channel = 0; channel < 3; channel++) {
        for (int value = 0; value < VALUES; value++) {
            /* One rounding to float32 an operation, as NumPy and PyTorch have it. */
            const float scaled = recipe->normalise_rule == R2N_NORMALISE_PADDLE
                                     ? (float)value * recipe->scale
                                     : (float)value / 255.0f;
            const float centred = scaled - recipe->mean[channel];
            table[channel][value] = centred / recipe->std[channel];
        }
    }
}

void r2n_normalise(const r2n_recipe *recipe, const r2n_pixels *in, float *out, int64_t row_pitch,
                   int64_t pixel_pitch, int64_t channel_pitch)
{
    float table[3][VALUES];
    fill_table(recipe, table);
    const uint8_t *pixel = in->rgb;
    for (int64_t y = 0; y < in->height; y++) {
        float *to = out + y * row_pitch;
        for (int64_t x = 0; x < in->width; x++) {
            to[0] = table[0][pixel[0]];
            to[channel_pitch] = table[1][pixel[1]];
            to[2 * channel_pitch] = table[2][pixel[2]];
            to += pixel_pitch;
            pixel += 3;
        }
    }
}
