/* SPDX-License-Identifier: Apache-2.0 */
/* The specification of batch statistics and of batch norm backwards (kernels.h): sums in double. */
#include "kernels/kernels.h"
#include "kernels/reference/place.h"
#include "kernels/reference/value.h"

enum { LANES = 16 };

r2n_kernel_function r2n_statistics_f32_reference;
r2n_kernel_function r2n_norm_sums_f32_reference;
r2n_kernel_function r2n_norm_gradient_f32_reference;
r2n_kernel_function r2n_statistics_bf16_reference;
r2n_kernel_function r2n_norm_sums_bf16_reference;
r2n_kernel_function r2n_norm_gradient_bf16_reference;

static int32_t last_channel(r2n_range range, int32_t channels)
{
    return range.block_last * LANES < channels ? range.block_last * LANES : channels;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static void add_statistics(const r2n_statistics_arguments *s, values block, r2n_range range)
{
    assert(s->part_rows > 0 &&
           (range.row_first % s->part_rows == 0 || range.row_first >= range.row_last));
    for (int32_t first = range.row_first; first < range.row_last; first += s->part_rows)
        for (int32_t n = range.block_first * LANES; n < last_channel(range, s->channels); n++) {
            double sum = 0, square = 0;
            for (int32_t row = first; row < smaller(first + s->part_rows, range.row_last); row++)
                for (int32_t column = 0; column < s->columns; column++) {
                    const place p = {row / s->rows, row % s->rows, column, n};
                    const double value = (double)value_at(block, index_in(&s->input, p));
                    sum += value;
                    square += value * value;
                }
            const int64_t at = (int64_t)(first / s->part_rows) * s->channels + n;
            s->sums[at] = sum;
            if (s->squares != NULL)
                s->squares[at] = square;
        }
}

/* What the ReLU let through of a gradient. */
static float let_through(int32_t mask, float gradient, float x, float scale, float shift,
                         float result)
{
    if (mask == R2N_MASK_OF_INPUT)
        return (float)((double)x * (double)scale + (double)shift) > 0 ? gradient : 0;
    if (mask == R2N_MASK_OF_RESULT)
        return result > 0 ? gradient : 0;
    return gradient;
}

static void add_gradients(const r2n_norm_sums_arguments *s, values block, r2n_range range)
{
    assert(s->part_rows > 0 &&
           (range.row_first % s->part_rows == 0 || range.row_first >= range.row_last));
    const int of_input = s->mask == R2N_MASK_OF_INPUT, of_result = s->mask == R2N_MASK_OF_RESULT;
    for (int32_t first = range.row_first; first < range.row_last; first += s->part_rows)
        for (int32_t n = range.block_first * LANES; n < last_channel(range, s->channels); n++) {
            double sum = 0, product = 0;
            for (int32_t row = first; row < smaller(first + s->part_rows, range.row_last); row++)
                for (int32_t column = 0; column < s->columns; column++) {
                    const place p = {row / s->rows, row % s->rows, column, n};
                    const int64_t at = index_in(&s->gradient, p);
                    const float x = value_at(block, index_in(&s->input, p));
                    const float g =
                        let_through(s->mask, value_at(block, at), x, of_input ? s->scale[n] : 0,
                                    of_input ? s->shift[n] : 0,
                                    of_result ? value_at(block, index_in(&s->result, p)) : 0);
                    if (of_result)
                        put_value(block, at, g);
                    sum += (double)g;
                    product += (double)g * ((double)x - (double)s->mean[n]);
                }
            const int64_t at = (int64_t)(first / s->part_rows) * s->channels + n;
            s->sums[at] = sum;
            s->products[at] = product;
        }
}

static void give_gradients(const r2n_norm_gradient_arguments *s, values block, r2n_range range)
{
    assert(s->mask == R2N_MASK_NONE || s->mask == R2N_MASK_OF_INPUT);
    const int of_input = s->mask == R2N_MASK_OF_INPUT;
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < s->columns; column++)
            for (int32_t n = range.block_first * LANES; n < last_channel(range, s->channels); n++) {
                const place p = {row / s->rows, row % s->rows, column, n};
                const float x = value_at(block, index_in(&s->input, p));
                const float g =
                    let_through(s->mask, value_at(block, index_in(&s->gradient, p)), x,
                                of_input ? s->scale[n] : 0, of_input ? s->shift[n] : 0, 0);
                put_value(block, index_in(&s->output, p),
                          (float)((double)g * (double)s->by_gradient[n] +
                                  ((double)x - (double)s->mean[n]) * (double)s->by_input[n] +
                                  (double)s->constant[n]));
            }
}

void r2n_statistics_f32_reference(const void *arguments, void *block, r2n_range range)
{
    add_statistics(arguments, (values){R2N_PRECISION_F32, .any = block}, range);
}

void r2n_statistics_bf16_reference(const void *arguments, void *block, r2n_range range)
{
    add_statistics(arguments, (values){R2N_PRECISION_BF16, .any = block}, range);
}

void r2n_norm_sums_f32_reference(const void *arguments, void *block, r2n_range range)
{
    add_gradients(arguments, (values){R2N_PRECISION_F32, .any = block}, range);
}

void r2n_norm_sums_bf16_reference(const void *arguments, void *block, r2n_range range)
{
    add_gradients(arguments, (values){R2N_PRECISION_BF16, .any = block}, range);
}

void r2n_norm_gradient_f32_reference(const void *arguments, void *block, r2n_range range)
{
    give_gradients(arguments, (values){R2N_PRECISION_F32, .any = block}, range);
}

void r2n_norm_gradient_bf16_reference(const void *arguments, void *block, r2n_range range)
{
    give_gradients(arguments, (values){R2N_PRECISION_BF16, .any = block}, range);
}
