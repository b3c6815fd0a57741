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

typedef struct pool_walk {
    const r2n_pool_arguments *pool;
    r2n_window_function *function;
    char *block;
    int64_t element_bytes;
    float scale;
    int32_t first, last; /* channels */
} pool_walk;

/* The cells of a window along one side. What hangs over even the padding is never counted. */
static span window_span(int32_t start, int32_t kernel, int32_t size, int32_t padding)
{
    const span s = {start < 0 ? 0 : start, smaller(start + kernel, size),
                    smaller(start + kernel, size + padding) - start};
    assert(s.first < s.last);
    return s;
}

/* A window's runs of channels that lie side by side in input and output; offsets are in elements.
 */
static void walk_runs(const pool_walk *p, r2n_pool_window *w, int64_t from, int64_t to)
{
    const r2n_view *in = &p->pool->input, *out = &p->pool->output;
    for (int32_t c = p->first; c < p->last; c += w->channels) {
        w->channels = limit_run(out, c, limit_run(in, c, p->last - c));
        w->any_from = p->block + (from + channel_offset(in, c)) * p->element_bytes;
        w->any_to = p->block + (to + channel_offset(out, c)) * p->element_bytes;
        p->function(w);
    }
}

static void walk_row(const pool_walk *p, int32_t image, int32_t row)
{
    const r2n_pool_arguments *pool = p->pool;
    const r2n_view *in = &pool->input, *out = &pool->output;
    const span y = window_span(row * pool->stride - pool->padding, pool->kernel_rows,
                               pool->input_rows, pool->padding);
    const int64_t from = in->offset + image * in->image_pitch + y.first * in->row_pitch;
    const int64_t to = out->offset + image * out->image_pitch + row * out->row_pitch;
    r2n_pool_window w = {.rows = y.last - y.first,
                         .row_pitch = in->row_pitch,
                         .pixel_pitch = in->pixel_pitch,
                         .from_low_pitch = in->low_pitch,
                         .to_low_pitch = out->low_pitch};
    for (int32_t column = 0; column < pool->columns; column++) {
        const span x = window_span(column * pool->stride - pool->padding, pool->kernel_columns,
                                   pool->input_columns, pool->padding);
        w.columns = x.last - x.first;
        w.factor =
            p->scale / (float)(pool->count_padding ? y.counted * x.counted : w.rows * w.columns);
        walk_runs(p, &w, from + x.first * in->pixel_pitch, to + column * out->pixel_pitch);
    }
}

void r2n_pool_walk(int32_t element_bytes, r2n_window_function *maximum,
                   r2n_window_function *average, const r2n_pool_arguments *pool, void *block,
                   r2n_range range)
{
    const pool_walk p = {.pool = pool,
                         .function = pool->kind == R2N_POOL_MAXIMUM ? maximum : average,
                         .block = block,
                         .element_bytes = element_bytes,
                         .scale = element_bytes == 1 ? pool->scale : 1.0f,
                         .first = range.block_first * LANES,
                         .last = smaller(range.block_last * LANES, pool->channels)};
    for (int32_t i = range.row_first; i < range.row_last; i++)
        walk_row(&p, i / pool->rows, i % pool->rows);
}

void r2n_pool_f32_walk(r2n_window_function *maximum, r2n_window_function *average,
                       const r2n_pool_arguments *pool, float *block, r2n_range range)
{
    r2n_pool_walk(sizeof(float), maximum, average, pool, block, range);
}

/* ---- elementwise ---- */

/* In bytes. */
static int64_t row_offset(const r2n_view *view, int64_t element_bytes, int32_t image, int32_t row,
                          int32_t channel)
{
    return element_bytes * (view->offset + image * view->image_pitch + row * view->row_pitch +
                            channel_offset(view, channel));
}

void r2n_elementwise_walk(int32_t element_bytes, r2n_elementwise_function *function,
                          const r2n_elementwise_arguments *step, void *memory, r2n_range range)
{
    char *block = memory;
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
            r.any_a = block + row_offset(&step->a, element_bytes, image, row, c);
            r.any_output = block + row_offset(&step->output, element_bytes, image, row, c);
            if (step->b_there) {
                r.channels = limit_run(&step->b, c, r.channels);
                r.any_b = block + row_offset(&step->b, element_bytes, image, row, c);
                r.b_pitch = step->b.pixel_pitch;
            }
            r.scale = step->scale != NULL ? step->scale + c : NULL;
            r.shift = step->shift != NULL ? step->shift + c : NULL;
            function(&r);
        }
    }
}
