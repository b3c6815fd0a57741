/* SPDX-License-Identifier: Apache-2.0 */
/* The specification of a pool's gradient (kernels.h), a cell at a time: f32 sums in double; the
 * order and the roundings of bf16 are part of the contract, so every ISA has these very bits. */
#include <math.h>

#include "kernels/kernels.h"
#include "kernels/reference/place.h"
#include "kernels/reference/value.h"
#include "kernels/reference/window.h"

enum { LANES = 16 };

r2n_kernel_function r2n_pool_gradient_f32_reference;
r2n_kernel_function r2n_pool_gradient_bf16_reference;

/* Is the cell the one that the window's maximum came from? */
static int wins(const r2n_pool_arguments *pool, const window *w, values block, place cell)
{
    place best = {cell.image, w->row_first, w->column_first, cell.channel};
    float largest = value_at(block, index_in(&pool->input, best));
    for (int32_t row = w->row_first; row < w->row_last; row++)
        for (int32_t column = w->column_first; column < w->column_last; column++) {
            const place p = {cell.image, row, column, cell.channel};
            const float value = value_at(block, index_in(&pool->input, p));
            if (value > largest || (isnan(value) && !isnan(largest))) {
                largest = value;
                best = p;
            }
        }
    return best.row == cell.row && best.column == cell.column;
}

static double share(const r2n_pool_arguments *pool, const window *w, values block, place cell)
{
    if (cell.row < w->row_first || cell.row >= w->row_last || cell.column < w->column_first ||
        cell.column >= w->column_last)
        return 0;
    if (pool->kind == R2N_POOL_MAXIMUM)
        return wins(pool, w, block, cell) ? 1 : 0;
    return (double)(1.0f / (float)w->divisor);
}

/* A cell's sum after one window more. A cell of bf16 is stored after each. */
static double add_share(r2n_precision precision, double sum, double factor, float gradient)
{
    if (precision == R2N_PRECISION_F32)
        return sum + factor * (double)gradient;
    const float given = (float)factor * gradient;
    return (double)r2n_float_from_bf16(r2n_bf16_from_float((float)sum + given));
}

static float gradient_of(const r2n_pool_gradient_arguments *g, values block, place cell)
{
    const r2n_pool_arguments *pool = &g->pool;
    double sum = g->add ? (double)value_at(block, index_in(&g->input_gradient, cell)) : 0;
    for (int32_t row = 0; row < pool->rows; row++)
        for (int32_t column = 0; column < pool->columns; column++) {
            const place at = {cell.image, row, column, cell.channel};
            const window w = window_at(pool, row, column);
            const double factor = share(pool, &w, block, cell);
            if (factor != 0)
                sum = add_share(block.precision, sum, factor,
                                value_at(block, index_in(&g->gradient, at)));
        }
    return (float)sum;
}

static void give_gradient(const r2n_pool_gradient_arguments *g, values block, r2n_range range)
{
    const int32_t last =
        range.block_last * LANES < g->pool.channels ? range.block_last * LANES : g->pool.channels;
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < g->pool.input_columns; column++)
            for (int32_t n = range.block_first * LANES; n < last; n++) {
                const place cell = {row / g->pool.input_rows, row % g->pool.input_rows, column, n};
                put_value(block, index_in(&g->input_gradient, cell), gradient_of(g, block, cell));
            }
}

void r2n_pool_gradient_f32_reference(const void *arguments, void *block, r2n_range range)
{
    give_gradient(arguments, (values){R2N_PRECISION_F32, .any = block}, range);
}

void r2n_pool_gradient_bf16_reference(const void *arguments, void *block, r2n_range range)
{
    give_gradient(arguments, (values){R2N_PRECISION_BF16, .any = block}, range);
}
