/* SPDX-License-Identifier: Apache-2.0 */
/* The specification of batch statistics and of batch norm backwards (kernels.h): sums in double. */
#include "kernels/kernels.h"
#include "kernels/reference/place.h"

enum { LANES = 16 };

r2n_kernel_function r2n_statistics_f32_reference;
r2n_kernel_function r2n_norm_sums_f32_reference;
r2n_kernel_function r2n_norm_gradient_f32_reference;

static int32_t last_channel(r2n_range range, int32_t channels)
{
    return range.block_last * LANES < channels ? range.block_last * LANES : channels;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

void r2n_statistics_f32_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_statistics_arguments *s = arguments;
    const float *block = memory;
    assert(s->part_rows > 0 &&
           (range.row_first % s->part_rows == 0 || range.row_first >= range.row_last));
    for (int32_t first = range.row_first; first < range.row_last; first += s->part_rows)
        for (int32_t n = range.block_first * LANES; n < last_channel(range, s->channels); n++) {
            double sum = 0, square = 0;
            for (int32_t row = first; row < smaller(first + s->part_rows, range.row_last); row++)
                for (int32_t column = 0; column < s->columns; column++) {
                    const place p = {row / s->rows, row % s->rows, column, n};
                    const double value = (double)block[index_in(&s->input, p)];
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

void r2n_norm_sums_f32_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_norm_sums_arguments *s = arguments;
    float *block = memory;
    assert(s->part_rows > 0 &&
           (range.row_first % s->part_rows == 0 || range.row_first >= range.row_last));
    const int of_input = s->mask == R2N_MASK_OF_INPUT, of_result = s->mask == R2N_MASK_OF_RESULT;
    for (int32_t first = range.row_first; first < range.row_last; first += s->part_rows)
        for (int32_t n = range.block_first * LANES; n < last_channel(range, s->channels); n++) {
            double sum = 0, product = 0;
            for (int32_t row = first; row < smaller(first + s->part_rows, range.row_last); row++)
                for (int32_t column = 0; column < s->columns; column++) {
                    const place p = {row / s->rows, row % s->rows, column, n};
                    float *gradient = &block[index_in(&s->gradient, p)];
                    const float x = block[index_in(&s->input, p)];
                    const float g = let_through(s->mask, *gradient, x, of_input ? s->scale[n] : 0,
                                                of_input ? s->shift[n] : 0,
                                                of_result ? block[index_in(&s->result, p)] : 0);
                    if (of_result)
                        *gradient = g;
                    sum += (double)g;
                    product += (double)g * ((double)x - (double)s->mean[n]);
                }
            const int64_t at = (int64_t)(first / s->part_rows) * s->channels + n;
            s->sums[at] = sum;
            s->products[at] = product;
        }
}

void r2n_norm_gradient_f32_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_norm_gradient_arguments *s = arguments;
    float *block = memory;
    assert(s->mask == R2N_MASK_NONE || s->mask == R2N_MASK_OF_INPUT);
    const int of_input = s->mask == R2N_MASK_OF_INPUT;
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < s->columns; column++)
            for (int32_t n = range.block_first * LANES; n < last_channel(range, s->channels); n++) {
                const place p = {row / s->rows, row % s->rows, column, n};
                const float x = block[index_in(&s->input, p)];
                const float g =
                    let_through(s->mask, block[index_in(&s->gradient, p)], x,
                                of_input ? s->scale[n] : 0, of_input ? s->shift[n] : 0, 0);
                block[index_in(&s->output, p)] =
                    (float)((double)g * (double)s->by_gradient[n] +
                            ((double)x - (double)s->mean[n]) * (double)s->by_input[n] +
                            (double)s->constant[n]);
            }
}
