/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The specification of the pools of bf16 and bf16x3 (kernels.h): those of f32 on the values as
 * floats, the result converted. The order of an average's f32 additions is part of the contract, so
 * every ISA has these very bits.
 */
#include "kernels/kernels.h"

#include <assert.h>
#include <math.h>

#include "kernels/bf16.h"

enum { LANES = 16 };

r2n_kernel_function r2n_pool_bf16_reference;
r2n_kernel_function r2n_pool_bf16x3_reference;

/* The cells of one window that are inside the picture, and what an average divides by. */
typedef struct window {
    int32_t row_first, row_last;
    int32_t column_first, column_last;
    int32_t divisor;
} window;

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static window window_at(const r2n_pool_arguments *pool, int32_t row, int32_t column)
{
    const int32_t top = row * pool->stride - pool->padding;
    const int32_t left = column * pool->stride - pool->padding;
    window w = {top < 0 ? 0 : top, smaller(top + pool->kernel_rows, pool->input_rows),
                left < 0 ? 0 : left, smaller(left + pool->kernel_columns, pool->input_columns), 0};
    assert(w.row_first < w.row_last && w.column_first < w.column_last);
    if (pool->count_padding) /* what hangs over even the padding (ceil mode) is not counted */
        w.divisor =
            (smaller(top + pool->kernel_rows, pool->input_rows + pool->padding) - top) *
            (smaller(left + pool->kernel_columns, pool->input_columns + pool->padding) - left);
    else
        w.divisor = (w.row_last - w.row_first) * (w.column_last - w.column_first);
    return w;
}

static int64_t channel_offset(const r2n_view *view, int32_t channel)
{
    return (channel / view->group_channels) * view->group_pitch + channel % view->group_channels;
}

/* Low terms are `low_pitch` elements behind the high ones; 0 where there are none. */
static float load(const uint16_t *high, int64_t low_pitch)
{
    const float value = r2n_float_from_bf16(*high);
    return low_pitch != 0 ? value + r2n_float_from_bf16(high[low_pitch]) : value;
}

static void store(uint16_t *high, int64_t low_pitch, float value)
{
    *high = r2n_bf16_from_float(value);
    if (low_pitch != 0)
        high[low_pitch] = r2n_bf16_from_float(value - r2n_float_from_bf16(*high));
}

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
    assert(pool->kind == R2N_POOL_MAXIMUM || pool->kind == R2N_POOL_AVERAGE);
    assert(pool->stride > 0 && pool->padding >= 0);
    assert(range.row_first >= 0 && range.row_last <= pool->images * pool->rows);
    assert(pool->input.groups * pool->input.group_channels == pool->channels);
    assert(pool->output.groups * pool->output.group_channels == pool->channels);
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < pool->columns; column++)
            pool_pixel(pool, memory, row / pool->rows, row % pool->rows, column, range);
}

void r2n_pool_bf16x3_reference(const void *arguments, void *memory, r2n_range range)
{
    assert(((const r2n_pool_arguments *)arguments)->input.low_pitch != 0);
    r2n_pool_bf16_reference(arguments, memory, range);
}
