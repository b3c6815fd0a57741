/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The specification of the pools of bf16 and bf16x3 (kernels.h): those of f32 on the values as
 * floats, the result converted. The order of an average's f32 additions is part of the contract, so
 * every ISA has these very bits.
 */
#include <math.h>

#include "kernels/kernels.h"
#include "kernels/reference/terms.h"
#include "kernels/reference/window.h"

enum { LANES = 16 };

r2n_kernel_function r2n_pool_bf16_reference;
r2n_kernel_function r2n_pool_bf16x3_reference;

static float maximum(const uint16_t *from, const r2n_view *view, window w)
{
    float best = -INFINITY;
    for (int32_t row = w.row_first; row < w.row_last; row++)
        for (int32_t column = w.column_first; column < w.column_last; column++) {
            const float value =
                load(&from[row * view->row_pitch + column * view->pixel_pitch], view->low_pitch);
            if (value > best || value != value) /* after a NaN the first is always false */
                best = value;
        }
    return best;
}

static float average(const uint16_t *from, const r2n_view *view, window w)
{
    float sum = 0;
    for (int32_t row = w.row_first; row < w.row_last; row++)
        for (int32_t column = w.column_first; column < w.column_last; column++)
            sum += load(&from[row * view->row_pitch + column * view->pixel_pitch], view->low_pitch);
    return sum * (1.0f / (float)w.divisor);
}

static void pool_pixel(const r2n_pool_arguments *pool, uint16_t *block, int32_t image, int32_t row,
                       int32_t column, r2n_range range)
{
    const window w = window_at(pool, row, column);
    const uint16_t *from = block + pool->input.offset + image * pool->input.image_pitch;
    uint16_t *to = block + pool->output.offset + image * pool->output.image_pitch +
                   row * pool->output.row_pitch + column * pool->output.pixel_pitch;
    const int32_t last = smaller(range.block_last * LANES, pool->channels);
    for (int32_t channel = range.block_first * LANES; channel < last; channel++) {
        const uint16_t *picture = from + channel_offset(&pool->input, channel);
        const float value = pool->kind == R2N_POOL_MAXIMUM ? maximum(picture, &pool->input, w)
                                                           : average(picture, &pool->input, w);
        store(&to[channel_offset(&pool->output, channel)], pool->output.low_pitch, value);
    }
}

void r2n_pool_bf16_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_pool_arguments *pool = arguments;
    check_pool(pool, range);
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < pool->columns; column++)
            pool_pixel(pool, memory, row / pool->rows, row % pool->rows, column, range);
}

void r2n_pool_bf16x3_reference(const void *arguments, void *memory, r2n_range range)
{
    assert(((const r2n_pool_arguments *)arguments)->input.low_pitch != 0);
    r2n_pool_bf16_reference(arguments, memory, range);
}
