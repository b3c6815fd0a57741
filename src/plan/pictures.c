/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures into the activation block in the plan's precision, and scores out of it. */
#include "plan/placement_internal.h"

#include <string.h>

#include "kernels/bf16.h"

enum { CHANNELS = 3 };

/* One row of a picture, as planes, on its way to pixels. */
typedef struct row {
    const float *from; /* [CHANNELS][plane] */
    int64_t plane;
    int32_t columns;
    int64_t to; /* elements from the block's start */
    const r2n_view *view;
    float factor; /* int8: levels in one */
} row;

static void put_f32(const row *r, void *block)
{
    float *to = (float *)block + r->to;
    for (int32_t column = 0; column < r->columns; column++)
        for (int channel = 0; channel < CHANNELS; channel++)
            to[column * r->view->pixel_pitch + channel] = r->from[channel * r->plane + column];
}

static void put_bf16(const row *r, void *block)
{
    uint16_t *to = (uint16_t *)block + r->to;
    for (int32_t column = 0; column < r->columns; column++)
        for (int channel = 0; channel < CHANNELS; channel++)
            to[column * r->view->pixel_pitch + channel] =
                r2n_bf16_from_float(r->from[channel * r->plane + column]);
}

static void put_bf16x3(const row *r, void *block)
{
    uint16_t *to = (uint16_t *)block + r->to;
    for (int32_t column = 0; column < r->columns; column++)
        for (int channel = 0; channel < CHANNELS; channel++) {
            const float value = r->from[channel * r->plane + column];
            const uint16_t high = r2n_bf16_from_float(value);
            const int64_t at = column * r->view->pixel_pitch + channel;
            to[at] = high;
            to[at + r->view->low_pitch] = r2n_bf16_from_float(value - r2n_float_from_bf16(high));
        }
}

/* `value` held to the levels there are, then the nearest integer. Adding a number in whose binade
 * floats are a whole step apart rounds as nearbyintf does, without a call a value. */
static uint8_t picture_level(float value)
{
    const float most = R2N_INT8_MAXIMUM - R2N_INT8_PICTURE_ZERO;
    const float whole_steps = 12582912.0f; /* 1.5 * 2^23 */
    value = value > -most ? value : -most;
    value = value < most ? value : most;
    const float rounded = (value + whole_steps) - whole_steps;
    return (uint8_t)((int32_t)rounded + R2N_INT8_PICTURE_ZERO);
}

static void put_int8(const row *r, void *block)
{
    uint8_t *to = (uint8_t *)block + r->to;
    for (int32_t column = 0; column < r->columns; column++)
        for (int channel = 0; channel < CHANNELS; channel++)
            to[column * r->view->pixel_pitch + channel] =
                picture_level(r->from[channel * r->plane + column] * r->factor);
}

/* Elements that fill a pixel up stay what the block was cleared to. */
void r2n_placement_put_rows(const r2n_placement *placement, void *block, const float *input,
                            int32_t first, int32_t last)
{
    static void (*const put[R2N_PRECISION_COUNT])(const row *,
                                                  void *) = {[R2N_PRECISION_F32] = put_f32,
                                                             [R2N_PRECISION_BF16] = put_bf16,
                                                             [R2N_PRECISION_BF16X3] = put_bf16x3,
                                                             [R2N_PRECISION_INT8] = put_int8};
    const r2n_placement *p = placement;
    const r2n_view *view = &p->input;
    row r = {.plane = (int64_t)p->rows * p->columns,
             .columns = p->columns,
             .view = view,
             .factor = p->plan->precision == R2N_PRECISION_INT8
                           ? 1 / p->plan->scales[r2n_plan_input(p->plan)]
                           : 1};
    for (int32_t i = first; i < last; i++) {
        const int64_t image = i / p->rows, line = i % p->rows;
        r.from = input + image * CHANNELS * r.plane + line * p->columns;
        r.to = view->offset + image * view->image_pitch + line * view->row_pitch;
        put[p->plan->precision](&r, block);
    }
}

void r2n_placement_get_logits(const r2n_placement *placement, const void *block, float *logits)
{
    const r2n_view *view = &placement->logits;
    const size_t classes = (size_t)view->group_channels;
    const size_t bytes = (size_t)r2n_precision_facts_of(placement->plan->precision)->bytes;
    for (int32_t image = 0; image < placement->batch; image++)
        memcpy(logits + (size_t)image * classes,
               (const uint8_t *)block + (size_t)(view->offset + image * view->image_pitch) * bytes,
               classes * sizeof(float));
}
