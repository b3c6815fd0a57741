/* SPDX-License-Identifier: Apache-2.0 */
/* A run step by step, whose values can be read as floats in between: for calibration. */
#include <string.h>

#include "base/thread_pool.h"
#include "kernels/bf16.h"
#include "plan/placement_internal.h"

void r2n_placement_put_input(const r2n_placement *placement, void *block, const float *input)
{
    r2n_placement_put_rows(placement, block, input, 0, placement->batch * placement->rows);
}

typedef struct step_run {
    const r2n_placed_step *step;
    void *block;
} step_run;

static void run_range(void *context, r2n_team *team, int thread, int threads)
{
    const step_run *run = context;
    const r2n_range range = r2n_placement_range(run->step, thread, threads);
    (void)team;
    if (range.row_first < range.row_last && range.block_first < range.block_last)
        run->step->kernel->run(&run->step->arguments, run->block, range);
}

void r2n_placement_run_step(const r2n_placement *placement, void *block, int32_t step, int threads)
{
    step_run run = {&placement->steps[step], block};
    r2n_thread_pool_run(threads, run_range, &run);
}

/* ---- which values there are ---- */

int32_t r2n_plan_step_count(const r2n_plan *plan)
{
    return plan->step_count;
}

const char *r2n_plan_step_name(const r2n_plan *plan, int32_t step)
{
    return plan->steps[step].name;
}

int32_t r2n_plan_step_result(const r2n_plan *plan, int32_t step)
{
    return plan->steps[step].result;
}

int32_t r2n_plan_input(const r2n_plan *plan)
{
    int32_t node = 0;
    while (plan->graph->nodes[node].kind != R2N_NODE_INPUT)
        node++;
    return node;
}

int32_t r2n_plan_scaled_values(const r2n_plan *plan, int32_t step,
                               int32_t nodes[R2N_SCALED_VALUES_OF_STEP])
{
    const r2n_graph *graph = plan->graph;
    const int32_t result = plan->steps[step].result;
    int32_t count = 0;
    for (int32_t i = result + 1; i < graph->count; i++)
        if (graph->nodes[i].kind == R2N_NODE_SLICE && graph->nodes[i].inputs[0] == result)
            nodes[count++] = i;
    if (count == 0 && result != graph->count - 1)
        nodes[count++] = result;
    if (plan->steps[step].chain >= 0)
        nodes[count++] = plan->steps[step].chain;
    return count;
}

/* ---- reading ---- */

int32_t r2n_placement_rows(const r2n_placement *placement, int32_t node)
{
    return placement->batch * placement->shapes[node].rows;
}

int32_t r2n_placement_row_values(const r2n_placement *placement, int32_t node)
{
    return placement->shapes[node].columns * placement->shapes[node].channels;
}

/* The value at an element of the block; `scale` is int8's. */
static float value_at(const r2n_placement *placement, const void *block, int64_t at, float scale,
                      int32_t zero, int64_t low_pitch)
{
    const uint16_t *halves = block;
    switch (placement->plan->precision) {
    case R2N_PRECISION_BF16:
        return r2n_float_from_bf16(halves[at]);
    case R2N_PRECISION_BF16X3:
        return r2n_float_from_bf16(halves[at]) + r2n_float_from_bf16(halves[at + low_pitch]);
    case R2N_PRECISION_INT8:
        return (float)((int32_t)((const uint8_t *)block)[at] - zero) * scale;
    default:
        return ((const float *)block)[at];
    }
}

void r2n_placement_read_row(const r2n_placement *placement, const void *block, int32_t node,
                            int32_t row, float *to)
{
    const r2n_plan *plan = placement->plan;
    const r2n_shape shape = placement->shapes[node];
    const r2n_segment *segment = &plan->values[node].segments[0];
    const r2n_buffer *buffer = &plan->buffers[segment->buffer];
    const r2n_view view = r2n_placement_view(placement, node, 0);
    const int32_t first = r2n_buffer_place(buffer, segment->first_channel);
    const int64_t start =
        view.offset + row / shape.rows * view.image_pitch + row % shape.rows * view.row_pitch;
    const int is_int8 = plan->precision == R2N_PRECISION_INT8;
    const int32_t zero =
        plan->graph->nodes[node].kind == R2N_NODE_INPUT ? R2N_INT8_PICTURE_ZERO : 0;
    if (buffer->holds_floats) { /* one pixel, floats in every precision */
        const int bytes = r2n_precision_facts_of(plan->precision)->bytes;
        memcpy(to, (const uint8_t *)block + start * bytes,
               (size_t)shape.columns * (size_t)shape.channels * sizeof(float));
        return;
    }
    for (int32_t c = 0; c < shape.channels; c++) {
        const float scale = is_int8 ? r2n_plan_channel_scale(plan, node, c) : 1;
        const int64_t place = start + r2n_buffer_place(buffer, segment->first_channel + c) - first;
        for (int32_t column = 0; column < shape.columns; column++)
            to[column * shape.channels + c] = value_at(
                placement, block, place + column * view.pixel_pitch, scale, zero, view.low_pitch);
    }
}

void r2n_placement_read_logits(const r2n_placement *placement, const void *block, float *logits)
{
    r2n_placement_get_logits(placement, block, logits);
}
