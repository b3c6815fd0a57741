/* SPDX-License-Identifier: Apache-2.0 */
/* The specification of a pool's gradient (kernels.h): sums in double, a cell at a time. */
#include <math.h>

#include "kernels/kernels.h"
#include "kernels/reference/place.h"
#include "kernels/reference/window.h"

enum { LANES = 16 };

r2n_kernel_function r2n_pool_gradient_f32_reference;

/* Is the cell the one that the window's maximum came from? */
static int wins(const r2n_pool_arguments *pool, const window *w, const float *block, place cell)
{
    place best = {cell.image, w->row_first, w->column_first, cell.channel};
    float largest = block[index_in(&pool->input, best)];
    for (int32_t row = w->row_first; row < w->row_last; row++)
        for (int32_t column = w->column_first; column < w->column_last; column++) {
            const place p = {cell.image, row, column, cell.channel};
            const float value = block[index_in(&pool->input, p)];
            if (value > largest || (isnan(value) && !isnan(largest))) {
                largest = value;
                best = p;
            }
        }
    return best.row == cell.row && best.column == cell.column;
}

static double share(const r2n_pool_arguments *pool, const window *w, const float *block, place cell)
{
    if (cell.row < w->row_first || cell.row >= w->row_last || cell.column < w->column_first ||
        cell.column >= w->column_last)
        return 0;
    if (pool->kind == R2N_POOL_MAXIMUM)
        return wins(pool, w, block, cell) ? 1 : 0;
    return (double)(1.0f / (float)w->divisor);
}

static double gradient_of(const r2n_pool_gradient_arguments *g, const float *block, place cell)
{
    const r2n_pool_arguments *pool = &g->pool;
    double sum = 0;
    for (int32_t row = 0; row < pool->rows; row++)
        for (int32_t column = 0; column < pool->columns; column++) {
            const place at = {cell.image, row, column, cell.channel};
            const window w = window_at(pool, row, column);
            const double factor = share(pool, &w, block, cell);
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
