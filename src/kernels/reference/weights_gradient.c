/* SPDX-License-Identifier: Apache-2.0 */
/* The specification of the gradient by packed weights (kernels.h), of f32 and of bf16: sums in
 * double. */
#include "kernels/bf16.h"
#include "kernels/kernels.h"
#include "kernels/reference/place.h"

enum { LANES = 16 };

r2n_kernel_function r2n_weights_gradient_f32_reference;
r2n_kernel_function r2n_weights_gradient_bf16_reference;

typedef double element_function(const void *block, int64_t index);

static double element_f32(const void *block, int64_t index)
{
    return (double)((const float *)block)[index];
}

static double element_bf16(const void *block, int64_t index)
{
    return (double)r2n_float_from_bf16(((const uint16_t *)block)[index]);
}

/* One entry, over rows [first, last). */
static double reduce(const r2n_weights_gradient_arguments *w, const void *block,
                     element_function *element, const r2n_gemm_source *source, int32_t k,
                     int32_t channel, int32_t first, int32_t last)
{
    double sum = 0;
    for (int32_t row = first; row < last; row++)
        for (int32_t column = 0; column < w->columns; column++) {
            const place p = {row / w->rows, row % w->rows, column, channel};
            sum += element(block, index_in_source(source, p) + k) *
                   element(block, index_in(&w->gradient, p));
        }
    return sum;
}

static void run(const r2n_weights_gradient_arguments *w, const void *block,
                element_function *element, r2n_range range)
{
    assert(w->part_rows > 0 &&
           (range.row_first % w->part_rows == 0 || range.row_first >= range.row_last));
    assert(w->chunk_rows > 0 && w->gradient.groups == 1);
    for (int32_t first = range.row_first; first < range.row_last; first += w->part_rows) {
        const int32_t end = first + w->part_rows;
        const int32_t last = end < range.row_last ? end : range.row_last;
        float *part = w->output + first / w->part_rows * w->part_pitch;
        for (int32_t n = range.block_first * LANES; n < range.block_last * LANES; n++)
            for (int32_t i = 0; i < w->source_count; i++)
                for (int32_t k = 0; k < w->sources[i].channels; k++) {
                    const int64_t at =
                        ((int64_t)(n / LANES) * w->k_total + w->sources[i].k_first + k) * LANES +
                        n % LANES;
                    part[at] = n >= w->channels ? 0
                                                : (float)reduce(w, block, element, &w->sources[i],
                                                                k, n, first, last);
                }
    }
}

void r2n_weights_gradient_f32_reference(const void *arguments, void *memory, r2n_range range)
{
    run(arguments, memory, element_f32, range);
}

void r2n_weights_gradient_bf16_reference(const void *arguments, void *memory, r2n_range range)
{
    run(arguments, memory, element_bf16, range);
}
