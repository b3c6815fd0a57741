/* SPDX-License-Identifier: Apache-2.0 */
/* What the pools of all precisions share. Only for this folder. */
#ifndef R2N_KERNELS_REFERENCE_WINDOW_H
#define R2N_KERNELS_REFERENCE_WINDOW_H

#include <assert.h>

#include "kernels/kernels.h"

/* The cells of one window that are inside the picture, and what an average divides by. */
typedef struct window {
    int32_t row_first, row_last;
    int32_t column_first, column_last;
    int32_t divisor;
} window;

static inline int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static inline window window_at(const r2n_pool_arguments *pool, int32_t row, int32_t column)
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

static inline int64_t channel_offset(const r2n_view *view, int32_t channel)
{
    return (channel / view->group_channels) * view->group_pitch + channel % view->group_channels;
}

/* What every pool takes for granted. */
static inline void check_pool(const r2n_pool_arguments *pool, r2n_range range)
{
    (void)pool; /* NDEBUG */
    (void)range;
    assert(pool->kind == R2N_POOL_MAXIMUM || pool->kind == R2N_POOL_AVERAGE);
    assert(pool->stride > 0 && pool->padding >= 0);
    assert(range.row_first >= 0 && range.row_last <= pool->images * pool->rows);
    assert(pool->input.groups * pool->input.group_channels == pool->channels);
    assert(pool->output.groups * pool->output.group_channels == pool->channels);
}

#endif
