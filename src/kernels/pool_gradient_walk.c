/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/pool_gradient_walk.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { LANES = 16 };

typedef struct walk {
    const r2n_pool_gradient_arguments *arguments;
    r2n_pool_gradient_function *function;
    char *block;
    int64_t element_bytes;
    int32_t first, last; /* channels */
} walk;

/* The cells of a window along one side. What hangs over even the padding is never counted. */
typedef struct span {
    int32_t first, last; /* inside the picture */
    int32_t counted;     /* and those of the padding */
} span;

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static span window_span(int32_t start, int32_t kernel, int32_t size, int32_t padding)
{
    const span s = {start < 0 ? 0 : start, smaller(start + kernel, size),
                    smaller(start + kernel, size + padding) - start};
    assert(s.first < s.last);
    return s;
}

static int64_t channel_offset(const r2n_view *view, int32_t channel)
{
    return channel / view->group_channels * view->group_pitch + channel % view->group_channels;
}

static int64_t pixel_offset(const r2n_view *view, int32_t image, int32_t row, int32_t column)
{
    return view->offset + image * view->image_pitch + row * view->row_pitch +
           column * view->pixel_pitch;
}

/* How many channels from `channel` on, at most `run`, lie side by side in the view. */
static int32_t limit_run(const r2n_view *view, int32_t channel, int32_t run)
{
    return view->groups == 1 ? run
                             : smaller(run, view->group_channels - channel % view->group_channels);
}

static void *address(const walk *w, int64_t pixel, const r2n_view *view, int32_t channel)
{
    return w->block + (pixel + channel_offset(view, channel)) * w->element_bytes;
}

/* Zeros in a picture's cells, to which the windows then add. */
static void clear_image(const walk *w, int32_t image)
{
    const r2n_pool_arguments *pool = &w->arguments->pool;
    const r2n_view *to = &w->arguments->input_gradient;
    for (int32_t row = 0; row < pool->input_rows; row++)
        for (int32_t column = 0; column < pool->input_columns; column++) {
            const int64_t pixel = pixel_offset(to, image, row, column);
            for (int32_t c = w->first, run; c < w->last; c += run) {
                run = limit_run(to, c, w->last - c);
                memset(address(w, pixel, to, c), 0, (size_t)(run * w->element_bytes));
            }
        }
}

static void walk_runs(const walk *w, r2n_pool_gradient_window *window, int64_t gradient,
                      int64_t input, int64_t to)
{
    const r2n_pool_gradient_arguments *a = w->arguments;
    const int is_maximum = a->pool.kind == R2N_POOL_MAXIMUM;
    for (int32_t c = w->first; c < w->last; c += window->channels) {
        window->channels =
            limit_run(&a->gradient, c, limit_run(&a->input_gradient, c, w->last - c));
        if (is_maximum) {
            window->channels = limit_run(&a->pool.input, c, window->channels);
            window->any_input = address(w, input, &a->pool.input, c);
        }
        window->any_gradient = address(w, gradient, &a->gradient, c);
        window->any_to = address(w, to, &a->input_gradient, c);
        w->function(window);
    }
}

static void walk_row(const walk *w, int32_t image, int32_t row)
{
    const r2n_pool_gradient_arguments *a = w->arguments;
    const r2n_pool_arguments *pool = &a->pool;
    const span y = window_span(row * pool->stride - pool->padding, pool->kernel_rows,
                               pool->input_rows, pool->padding);
    r2n_pool_gradient_window window = {.rows = y.last - y.first,
                                       .input_row_pitch = pool->input.row_pitch,
                                       .input_pixel_pitch = pool->input.pixel_pitch,
                                       .to_row_pitch = a->input_gradient.row_pitch,
                                       .to_pixel_pitch = a->input_gradient.pixel_pitch};
    for (int32_t column = 0; column < pool->columns; column++) {
        const span x = window_span(column * pool->stride - pool->padding, pool->kernel_columns,
                                   pool->input_columns, pool->padding);
        window.columns = x.last - x.first;
        window.factor = 1.0f / (float)(pool->count_padding ? y.counted * x.counted
                                                           : window.rows * window.columns);
        walk_runs(w, &window, pixel_offset(&a->gradient, image, row, column),
                  pixel_offset(&pool->input, image, y.first, x.first),
                  pixel_offset(&a->input_gradient, image, y.first, x.first));
    }
}

void r2n_pool_gradient_walk(int32_t element_bytes, r2n_pool_gradient_function *maximum,
                            r2n_pool_gradient_function *average,
                            const r2n_pool_gradient_arguments *a, void *block, r2n_range range)
{
    const r2n_pool_arguments *pool = &a->pool;
    const walk w = {.arguments = a,
                    .function = pool->kind == R2N_POOL_MAXIMUM ? maximum : average,
                    .block = block,
                    .element_bytes = element_bytes,
                    .first = range.block_first * LANES,
                    .last = smaller(range.block_last * LANES, pool->channels)};
    assert(range.row_first % pool->input_rows == 0 && range.row_last % pool->input_rows == 0);
    for (int32_t image = range.row_first / pool->input_rows;
         image < range.row_last / pool->input_rows; image++) {
        if (!a->add)
            clear_image(&w, image);
        for (int32_t row = 0; row < pool->rows; row++)
            walk_row(&w, image, row);
    }
}
