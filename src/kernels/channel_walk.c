/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/channel_walk.h"

#include <assert.h>
#include <stddef.h>

enum { LANES = 16 };

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int64_t channel_offset(const r2n_view *view, int32_t channel)
{
    return (channel / view->group_channels) * view->group_pitch + channel % view->group_channels;
}

/* How many channels from `channel` on, at most `run`, lie side by side in the view. */
static int32_t limit_run(const r2n_view *view, int32_t channel, int32_t run)
{
    return view->groups == 1 ? run
                             : smaller(run, view->group_channels - channel % view->group_channels);
}

/* ---- pools ---- */

typedef struct span {
    int32_t first, last; /* cells inside the picture */
    int32_t counted;     /* and those of the padding */
} span;

/* The cells of a window along one side. What hangs over even the padding is never counted. */
static span window_span(int32_t start, int32_t kernel, int32_t size, int32_t padding)
{
    const span s = {start < 0 ? 0 : start, smaller(start + kernel, size),
                    smaller(start + kernel, size + padding) - start};
    assert(s.first < s.last);
    return s;
}

void r2n_pool_f32_walk(r2n_window_function *maximum, r2n_window_function *average,
                       const r2n_pool_arguments *pool, float *block, r2n_range range)
{
    r2n_window_function *function = pool->kind == R2N_POOL_MAXIMUM ? maximum : average;
    const r2n_view *in = &pool->input, *out = &pool->output;
    const int32_t last = smaller(range.block_last * LANES, pool->channels);
    r2n_pool_window w = {.row_pitch = in->row_pitch, .pixel_pitch = in->pixel_pitch};
    for (int32_t i = range.row_first; i < range.row_last; i++) {
        const int32_t image = i / pool->rows;
        const int32_t row = i % pool->rows;
        const span y = window_span(row * pool->stride - pool->padding, pool->kernel_rows,
                                   pool->input_rows, pool->padding);
        const float *from = block + in->offset + image * in->image_pitch + y.first * in->row_pitch;
        float *to = block + out->offset + image * out->image_pitch + row * out->row_pitch;
        w.rows = y.last - y.first;
        for (int32_t column = 0; column < pool->columns; column++) {
            const span x = window_span(column * pool->stride - pool->padding, pool->kernel_columns,
                                       pool->input_columns, pool->padding);
            w.columns = x.last - x.first;
            w.factor =
                1.0f / (float)(pool->count_padding ? y.counted * x.counted : w.rows * w.columns);
            for (int32_t c = range.block_first * LANES; c < last; c += w.channels) {
                w.channels = limit_run(out, c, limit_run(in, c, last - c));
                w.from = from + x.first * in->pixel_pitch + channel_offset(in, c);
                w.to = to + column * out->pixel_pitch + channel_offset(out, c);
                function(&w);
            }
        }
    }
}

/* ---- elementwise ---- */

static int64_t row_offset(const r2n_view *view, int32_t image, int32_t row, int32_t channel)
{
    return view->offset + image * view->image_pitch + row * view->row_pitch +
           channel_offset(view, channel);
}

void r2n_elementwise_f32_walk(r2n_elementwise_function *function,
                              const r2n_elementwise_arguments *step, float *block, r2n_range range)
{
    const int32_t last = smaller(range.block_last * LANES, step->channels);
    r2n_elementwise_row r = {.a_pitch = step->a.pixel_pitch,
                             .output_pitch = step->output.pixel_pitch,
                             .columns = step->columns,
                             .relu = step->relu};
    for (int32_t i = range.row_first; i < range.row_last; i++) {
        const int32_t image = i / step->rows;
        const int32_t row = i % step->rows;
        for (int32_t c = range.block_first * LANES; c < last; c += r.channels) {
            r.channels = limit_run(&step->output, c, limit_run(&step->a, c, last - c));
            r.a = block + row_offset(&step->a, image, row, c);
            r.output = block + row_offset(&step->output, image, row, c);
            if (step->b_there) {
                r.channels = limit_run(&step->b, c, r.channels);
                r.b = block + row_offset(&step->b, image, row, c);
                r.b_pitch = step->b.pixel_pitch;
            }
            r.scale = step->scale != NULL ? step->scale + c : NULL;
            r.shift = step->shift != NULL ? step->shift + c : NULL;
            function(&r);
        }
    }
}
