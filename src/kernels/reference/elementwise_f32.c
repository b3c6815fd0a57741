/* SPDX-License-Identifier: Apache-2.0 */
/* The specification of the f32 elementwise step (kernels.h): in double, one rounding before the
 * ReLU. */
#include "kernels/kernels.h"

#include <assert.h>

enum { LANES = 16 };

r2n_kernel_function r2n_elementwise_f32_reference;

static int64_t index_in(const r2n_view *view, int32_t image, int32_t row, int32_t column,
                        int32_t channel)
{
    return view->offset + image * view->image_pitch + row * view->row_pitch +
           column * view->pixel_pitch + (channel / view->group_channels) * view->group_pitch +
           channel % view->group_channels;
}

static void element(const r2n_elementwise_arguments *e, float *block, int32_t image, int32_t row,
                    int32_t column, int32_t channel)
{
    double sum = (double)block[index_in(&e->a, image, row, column, channel)];
    if (e->scale != NULL)
        sum *= (double)e->scale[channel];
    if (e->shift != NULL)
        sum += (double)e->shift[channel];
    if (e->b_there)
        sum += (double)block[index_in(&e->b, image, row, column, channel)];
    float value = (float)sum;
    if (e->relu && value <= 0) /* false for NaN, which stays */
        value = 0;
    block[index_in(&e->output, image, row, column, channel)] = value;
}

void r2n_elementwise_f32_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_elementwise_arguments *e = arguments;
    assert(range.row_first >= 0 && range.row_last <= e->images * e->rows);
    assert(e->a.groups * e->a.group_channels == e->channels);
    assert(!e->b_there || e->b.groups * e->b.group_channels == e->channels);
    assert(e->output.groups * e->output.group_channels == e->channels);
    const int32_t last =
        range.block_last * LANES < e->channels ? range.block_last * LANES : e->channels;
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < e->columns; column++)
            for (int32_t channel = range.block_first * LANES; channel < last; channel++)
                element(e, memory, row / e->rows, row % e->rows, column, channel);
}
