/* SPDX-License-Identifier: Apache-2.0 */
/* The specification of the elementwise step (kernels.h): in double, one rounding to f32 before the
 * ReLU; bf16 is rounded once more as it is stored. */
#include "kernels/kernels.h"
#include "kernels/reference/place.h"
#include "kernels/reference/value.h"

enum { LANES = 16 };

r2n_kernel_function r2n_elementwise_f32_reference;
r2n_kernel_function r2n_elementwise_bf16_reference;

static void element(const r2n_elementwise_arguments *e, values block, place p)
{
    double sum = (double)value_at(block, index_in(&e->a, p));
    if (e->scale != NULL)
        sum *= (double)e->scale[p.channel];
    if (e->shift != NULL)
        sum += (double)e->shift[p.channel];
    if (e->b_there)
        sum += (double)value_at(block, index_in(&e->b, p));
    float value = (float)sum;
    if (e->relu && value <= 0) /* false for NaN, which stays */
        value = 0;
    put_value(block, index_in(&e->output, p), value);
}

static void compute(const r2n_elementwise_arguments *e, values block, r2n_range range)
{
    assert(range.row_first >= 0 && range.row_last <= e->images * e->rows);
    assert(e->a.groups * e->a.group_channels == e->channels);
    assert(!e->b_there || e->b.groups * e->b.group_channels == e->channels);
    assert(e->output.groups * e->output.group_channels == e->channels);
    const int32_t last =
        range.block_last * LANES < e->channels ? range.block_last * LANES : e->channels;
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < e->columns; column++)
            for (int32_t channel = range.block_first * LANES; channel < last; channel++)
                element(e, block, (place){row / e->rows, row % e->rows, column, channel});
}

void r2n_elementwise_f32_reference(const void *arguments, void *block, r2n_range range)
{
    compute(arguments, (values){R2N_PRECISION_F32, .any = block}, range);
}

void r2n_elementwise_bf16_reference(const void *arguments, void *block, r2n_range range)
{
    compute(arguments, (values){R2N_PRECISION_BF16, .any = block}, range);
}
