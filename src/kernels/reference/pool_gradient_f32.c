/* SPDX-License-Identifier: Apache-2.0 */
/* The specification of a pool's gradient (kernels.h): sums in double, a cell at a time. */
#include <math.h>

#include "kernels/kernels.h"
#include "kernels/reference/place.h"

enum { LANES = 16 };

r2n_kernel_function r2n_pool_gradient_f32_reference;

/* One channel of one window of the picture. */
typedef struct window {
    const r2n_pool_arguments *pool;
    place at; /* of the output */
    int32_t row_first, row_last, column_first, column_last;
} window;

static window window_at(const r2n_pool_arguments *pool, place at)
{
    const int32_t row = at.row * pool->stride - pool->padding;
    const int32_t column = at.column * pool->stride - pool->padding;
    const int32_t row_end = row + pool->kernel_rows, column_end = column + pool->kernel_columns;
    return (window){pool,
                    at,
                    row > 0 ? row : 0,
                    row_end < pool->input_rows ? row_end : pool->input_rows,
                    column > 0 ? column : 0,
                    column_end < pool->input_columns ? column_end : pool->input_columns};
}

/* Is the cell the one that the window's maximum came from? */
static int wins(const window *w, const float *block, place cell)
{
    place best = {w->at.image, w->row_first, w->column_first, w->at.channel};
    float largest = block[index_in(&w->pool->input, best)];
    for (int32_t row = w->row_first; row < w->row_last; row++)
        for (int32_t column = w->column_first; column < w->column_last; column++) {
            const place p = {w->at.image, row, column, w->at.channel};
            const float value = block[index_in(&w->pool->input, p)];
            if (value > largest || (isnan(value) && !isnan(largest))) {
                largest = value;
                best = p;
            }
        }
    return best.row == cell.row && best.column == cell.column;
}

static double share(const window *w, const float *block, place cell)
{
    const r2n_pool_arguments *pool = w->pool;
    if (cell.row < w->row_first || cell.row >= w->row_last || cell.column < w->column_first ||
        cell.column >= w->column_last)
        return 0;
    if (pool->kind == R2N_POOL_MAXIMUM)
        return wins(w, block, cell) ? 1 : 0;
    const int32_t cells = pool->count_padding
                              ? pool->kernel_rows * pool->kernel_columns
                              : (w->row_last - w->row_first) * (w->column_last - w->column_first);
    return (double)(1.0f / (float)cells);
}

static double gradient_of(const r2n_pool_gradient_arguments *g, const float *block, place cell)
{
    const r2n_pool_arguments *pool = &g->pool;
    double sum = 0;
    for (int32_t row = 0; row < pool->rows; row++)
        for (int32_t column = 0; column < pool->columns; column++) {
            const place at = {cell.image, row, column, cell.channel};
            const window w = window_at(pool, at);
            const double factor = share(&w, block, cell);
            if (factor != 0)
                sum += factor * (double)block[index_in(&g->gradient, at)];
        }
    return sum;
}

void r2n_pool_gradient_f32_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_pool_gradient_arguments *g = arguments;
    float *block = memory;
    const int32_t last =
        range.block_last * LANES < g->pool.channels ? range.block_last * LANES : g->pool.channels;
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < g->pool.input_columns; column++)
            for (int32_t n = range.block_first * LANES; n < last; n++) {
                const place cell = {row / g->pool.input_rows, row % g->pool.input_rows, column, n};
                const double sum = gradient_of(g, block, cell);
                float *to = &block[index_in(&g->input_gradient, cell)];
                *to = (float)(g->add ? (double)*to + sum : sum);
            }
}
