/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The specification of the int8 pools (kernels.h): a maximum of bytes; an average of an exact sum,
 * with two roundings in f32 and one to a byte. Every ISA has these bytes.
 */
#include <math.h>

#include "kernels/kernels.h"
#include "kernels/reference/window.h"

enum { LANES = 16 };

r2n_kernel_function r2n_pool_int8_reference;

static uint8_t maximum(const uint8_t *from, const r2n_view *view, window w)
{
    uint8_t best = 0;
    for (int32_t row = w.row_first; row < w.row_last; row++)
        for (int32_t column = w.column_first; column < w.column_last; column++) {
            const uint8_t value = from[row * view->row_pitch + column * view->pixel_pitch];
            best = value > best ? value : best;
        }
    return best;
}

static uint8_t average(const uint8_t *from, const r2n_view *view, window w, float scale)
{
    int32_t sum = 0;
    for (int32_t row = w.row_first; row < w.row_last; row++)
        for (int32_t column = w.column_first; column < w.column_last; column++)
            sum += from[row * view->row_pitch + column * view->pixel_pitch];
    const float factor = scale / (float)w.divisor;
    const float whole = nearbyintf((float)sum * factor);
    if (!(whole > 0))
        return 0;
    return whole < R2N_INT8_MAXIMUM ? (uint8_t)whole : R2N_INT8_MAXIMUM;
}

static void pool_pixel(const r2n_pool_arguments *pool, uint8_t *block, int32_t image, int32_t row,
                       int32_t column, r2n_range range)
{
    const window w = window_at(pool, row, column);
    const uint8_t *from = block + pool->input.offset + image * pool->input.image_pitch;
    uint8_t *to = block + pool->output.offset + image * pool->output.image_pitch +
                  row * pool->output.row_pitch + column * pool->output.pixel_pitch;
    const int32_t last = smaller(range.block_last * LANES, pool->channels);
    for (int32_t channel = range.block_first * LANES; channel < last; channel++) {
        const uint8_t *picture = from + channel_offset(&pool->input, channel);
        to[channel_offset(&pool->output, channel)] =
            pool->kind == R2N_POOL_MAXIMUM ? maximum(picture, &pool->input, w)
                                           : average(picture, &pool->input, w, pool->scale);
    }
}

void r2n_pool_int8_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_pool_arguments *pool = arguments;
    check_pool(pool, range);
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < pool->columns; column++)
            pool_pixel(pool, memory, row / pool->rows, row % pool->rows, column, range);
}
