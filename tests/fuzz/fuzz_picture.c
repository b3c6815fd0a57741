/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a picture, through to the network's input. A PNG is also tried with its checksums
 * put right, so that changes get past them. */
#include <stdlib.h>
#include <string.h>

#include "formats/crc32.h"
#include "fuzz/decode_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void prepare(const r2n_pixels *pixels, int torch)
{
    enum { CROP = 8 };
    r2n_recipe recipe;
    r2n_pixels out;
    float tensor[3 * CROP * CROP];
    (torch ? r2n_recipe_torch : r2n_recipe_paddle)(&recipe);
    recipe.resize_short = 10;
    recipe.crop_width = recipe.crop_height = CROP;
    if (r2n_recipe_apply_pixels(&recipe, pixels, "fuzz", &out, NULL) != RES2NET_OK ||
        out.width != CROP || out.height != CROP)
        abort();
    r2n_normalise(&recipe, &out, tensor, CROP, 1, CROP * CROP);
    volatile float sum = 0;
    for (int i = 0; i < 3 * CROP * CROP; i++)
        sum = sum + tensor[i];
    r2n_pixels_free(&out);
}

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void repair_png(uint8_t *bytes, size_t size)
{
    for (size_t at = 8; at < size && size - at >= 12;) {
        const size_t length = read_u32(bytes + at);
        if (length > size - at - 12)
            return;
        const uint32_t crc = r2n_crc32(0, bytes + at + 4, length + 4);
        for (int i = 0; i < 4; i++)
            bytes[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    decode_both(data, size, prepare);
    if (size > 8 && data[1] == 'P') {
        uint8_t *copy = malloc(size);
        if (copy == NULL)
            return 0;
        memcpy(copy, data, size);
        repair_png(copy, size);
        decode_both(copy, size, prepare);
        free(copy);
    }
    return 0;
}
