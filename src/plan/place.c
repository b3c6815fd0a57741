/* SPDX-License-Identifier: Apache-2.0 */
/* A plan for one batch and size: kernel arguments and kernels for every step. */
#include "plan/placement_internal.h"

#include <string.h>

#include "base/memory.h"

enum { BLOCK = 16, MAXIMUM_BATCH = 4096 };

r2n_view r2n_placement_view(const r2n_placement *placement, int32_t node, int32_t segment)
{
    const r2n_plan *plan = placement->plan;
    const r2n_segment *s = &plan->values[node].segments[segment];
    r2n_view view = placement->buffers[s->buffer].view;
    view.offset += r2n_buffer_place(&plan->buffers[s->buffer], s->first_channel);
    view.groups = 1;
    view.group_channels = r2n_segment_elements(plan, s);
    view.group_pitch = view.group_channels;
    return view;
}

/* Writes the sources of one run of channels: one, or for bf16x3 the three products of its terms.
 * Returns how many; with `to` NULL it only counts. */
static int32_t add_sources(const r2n_placement *placement, const r2n_part *part,
                           r2n_gemm_source source, int64_t low_pitch, r2n_gemm_source *to)
{
    if (placement->plan->precision != R2N_PRECISION_BF16X3) {
        if (to != NULL)
            *to = source;
        return 1;
    }
    if (to != NULL) {
        to[0] = to[1] = to[2] = source;
        to[1].k_first += part->rows; /* the weights' low terms */
        to[2].offset += low_pitch;
    }
    return 3;
}

/* A part's sources are taps times segments; taps of a row whose channels fill their pixels follow
 * each other in memory and are one source. With sources NULL it only counts. */
static int32_t part_sources(const r2n_placement *placement, const r2n_part *part,
                            r2n_gemm_source *sources)
{
    const r2n_plan *plan = placement->plan;
    const r2n_node *node = &plan->graph->nodes[part->node];
    const r2n_value *value = &plan->values[part->input];
    const int is_convolution = node->kind == R2N_NODE_CONVOLUTION;
    const int32_t kernel = is_convolution ? node->kernel : 1;
    const int32_t stride = is_convolution ? node->stride : 1;
    const int32_t padding = is_convolution ? node->padding : 0;
    const r2n_view first = r2n_placement_view(placement, part->input, 0);
    const int whole_rows =
        value->count == 1 && first.pixel_pitch == first.group_channels && kernel > 1;
    int32_t count = 0;
    int32_t k_first = part->k_first;
    for (int32_t row = 0; row < kernel; row++)
        for (int32_t column = 0; column < kernel; column += whole_rows ? kernel : 1)
            for (int32_t i = 0; i < value->count; i++) {
                const r2n_view view = r2n_placement_view(placement, part->input, i);
                const r2n_gemm_source source = {
                    .offset = view.offset + (row - padding) * view.row_pitch +
                              (column - padding) * view.pixel_pitch,
                    .image_pitch = view.image_pitch,
                    .row_pitch = view.row_pitch * stride,
                    .pixel_pitch = view.pixel_pitch * stride,
                    .channels = view.group_channels * (whole_rows ? kernel : 1),
                    .k_first = k_first};
                k_first += source.channels;
                count += add_sources(placement, part, source, view.low_pitch,
                                     sources == NULL ? NULL : sources + count);
            }
    return count;
}

static int32_t step_sources(const r2n_placement *placement, const r2n_step *step,
                            r2n_gemm_source *sources)
{
    int32_t count = 0;
    for (int32_t i = 0; !step->winograd && i < step->part_count; i++)
        count += part_sources(placement, &step->parts[i], sources == NULL ? NULL : sources + count);
    return count;
}

/* int8: scales of what an epilogue reads, in levels of what it writes. */
static void fill_scales(const r2n_plan *plan, const r2n_step *step, r2n_epilogue *epilogue)
{
    if (plan->precision != R2N_PRECISION_INT8)
        return;
    const float output = r2n_plan_channel_scale(plan, step->result, 0);
    epilogue->scale = step->scale;
    if (step->residual >= 0)
        epilogue->residual_scale = r2n_plan_channel_scale(plan, step->residual, 0) / output;
    if (step->chain >= 0) {
        const r2n_node *add = &plan->graph->nodes[step->chain];
        const int32_t slice = add->inputs[add->inputs[0] == step->result];
        const float sum = r2n_plan_channel_scale(plan, step->chain, 0);
        epilogue->chain_scale = r2n_plan_channel_scale(plan, slice, 0) / sum;
        epilogue->value_scale = output / sum;
    }
}

static void fill_epilogue(const r2n_placement *placement, const r2n_step *step,
                          r2n_epilogue *epilogue)
{
    const r2n_plan *plan = placement->plan;
    epilogue->bias = step->bias;
    epilogue->relu = step->relu;
    epilogue->float_output = step->result == plan->graph->count - 1;
    epilogue->residual_there = step->residual >= 0;
    if (step->residual >= 0)
        epilogue->residual = r2n_placement_view(placement, step->residual, 0);
    epilogue->chain_there = step->chain >= 0;
    if (step->chain >= 0)
        epilogue->chain = r2n_placement_view(placement, step->chain, 0);
    fill_scales(plan, step, epilogue);
}

static void fill_gemm(r2n_placement *placement, const r2n_step *step, r2n_gemm_source *sources,
                      r2n_placed_step *placed)
{
    const r2n_plan *plan = placement->plan;
    const r2n_shape shape = placement->shapes[step->result];
    r2n_gemm_arguments *gemm = &placed->arguments.gemm;
    *gemm = (r2n_gemm_arguments){.images = placement->batch,
                                 .rows = shape.rows,
                                 .columns = shape.columns,
                                 .channels = r2n_value_elements(plan, step->result),
                                 .k_total = step->k_total,
                                 .source_count = step_sources(placement, step, sources),
                                 .sources = sources,
                                 .weights = step->weights,
                                 .output = r2n_placement_view(placement, step->result, 0)};
    fill_epilogue(placement, step, &gemm->epilogue);
}

static void fill_winograd(const r2n_placement *placement, const r2n_step *step,
                          r2n_placed_step *placed)
{
    const r2n_plan *plan = placement->plan;
    const r2n_shape shape = placement->shapes[step->result];
    r2n_winograd_arguments *winograd = &placed->arguments.winograd;
    *winograd =
        (r2n_winograd_arguments){.images = placement->batch,
                                 .rows = shape.rows,
                                 .columns = shape.columns,
                                 .input_channels = r2n_value_elements(plan, step->parts[0].input),
                                 .channels = r2n_value_elements(plan, step->result),
                                 .input = r2n_placement_view(placement, step->parts[0].input, 0),
                                 .weights = step->weights,
                                 .output = r2n_placement_view(placement, step->result, 0)};
    fill_epilogue(placement, step, &winograd->epilogue);
}

/* MACs as the layer's definition has them, whatever computes it. */
static void count_work(const r2n_placement *placement, const r2n_step *step,
                       r2n_placed_step *placed)
{
    const r2n_shape shape = placement->shapes[step->result];
    for (int32_t i = 0; i < step->part_count; i++)
        placed->macs += (int64_t)placement->batch * shape.rows * shape.columns * shape.channels *
                        step->parts[i].k;
    placed->weights = (int64_t)r2n_packed_elements(
        r2n_value_elements(placement->plan, step->result), step->k_total);
    placed->packed = step->weights;
    placed->block_bytes = placed->weights / placed->blocks *
                          r2n_precision_facts_of(placement->plan->precision)->bytes;
}

static void fill_pool(const r2n_placement *placement, const r2n_step *step, r2n_placed_step *placed)
{
    const r2n_node *node = &placement->plan->graph->nodes[step->result];
    const r2n_shape in = placement->shapes[step->a];
    const r2n_shape out = placement->shapes[step->result];
    const int global = node->kind == R2N_NODE_GLOBAL_POOL;
    float scale = 1;
    if (placement->plan->precision == R2N_PRECISION_INT8)
        scale = r2n_plan_channel_scale(placement->plan, step->a, 0) /
                r2n_plan_channel_scale(placement->plan, step->result, 0);
    placed->arguments.pool = (r2n_pool_arguments){
        .kind = global || node->pool_is_average ? R2N_POOL_AVERAGE : R2N_POOL_MAXIMUM,
        .images = placement->batch,
        .input_rows = in.rows,
        .input_columns = in.columns,
        .rows = out.rows,
        .columns = out.columns,
        .channels = r2n_value_elements(placement->plan, step->result),
        .kernel_rows = global ? in.rows : node->kernel,
        .kernel_columns = global ? in.columns : node->kernel,
        .stride = global ? 1 : node->stride,
        .padding = global ? 0 : node->padding,
        .count_padding = global ? 0 : node->count_padding,
        .scale = scale,
        .input = r2n_placement_view(placement, step->a, 0),
        .output = r2n_placement_view(placement, step->result, 0)};
}

static void fill_elementwise(const r2n_placement *placement, const r2n_step *step,
                             r2n_placed_step *placed)
{
    const r2n_shape shape = placement->shapes[step->result];
    r2n_elementwise_arguments *elementwise = &placed->arguments.elementwise;
    *elementwise =
        (r2n_elementwise_arguments){.images = placement->batch,
                                    .rows = shape.rows,
                                    .columns = shape.columns,
                                    .channels = shape.channels,
                                    .scale = step->scale,
                                    .shift = step->shift,
                                    .b_there = step->b >= 0,
                                    .relu = step->relu,
                                    .a = r2n_placement_view(placement, step->a, 0),
                                    .output = r2n_placement_view(placement, step->result, 0)};
    if (step->b >= 0)
        elementwise->b = r2n_placement_view(placement, step->b, 0);
}

static void fill_steps(r2n_placement *placement)
{
    const r2n_plan *plan = placement->plan;
    r2n_gemm_source *sources = placement->sources;
    for (int32_t i = 0; i < plan->step_count; i++) {
        const r2n_step *step = &plan->steps[i];
        const r2n_shape shape = placement->shapes[step->result];
        r2n_placed_step *placed = &placement->steps[i];
        placed->next = i + 1 < plan->step_count ? placed + 1 : NULL;
        placed->rows = placement->batch * shape.rows;
        placed->image_rows = shape.rows;
        placed->blocks = (r2n_value_elements(plan, step->result) + BLOCK - 1) / BLOCK;
        count_work(placement, step, placed);
        if (step->winograd) {
            fill_winograd(placement, step, placed);
        } else if (step->operation == R2N_OPERATION_GEMM) {
            fill_gemm(placement, step, sources, placed);
            sources += placed->arguments.gemm.source_count;
        } else if (step->operation == R2N_OPERATION_POOL) {
            fill_pool(placement, step, placed);
        } else {
            fill_elementwise(placement, step, placed);
        }
        placed->kernel = r2n_choose_kernel(r2n_step_operation(step), plan->precision, plan->isa,
                                           &placed->arguments, NULL, 0);
    }
    const int32_t input = r2n_plan_input(plan);
    placement->input = r2n_placement_view(placement, input, 0);
    placement->input_buffer = plan->values[input].segments[0].buffer;
    placement->logits = r2n_placement_view(placement, plan->graph->count - 1, 0);
}

static res2net_status fill_placement(r2n_placement *placement, res2net_report *report)
{
    const r2n_plan *plan = placement->plan;
    int32_t sources = 0;
    placement->shapes = r2n_allocate((size_t)plan->graph->count, sizeof *placement->shapes);
    placement->buffers =
        r2n_allocate_zeroed((size_t)plan->buffer_count, sizeof *placement->buffers);
    placement->steps = r2n_allocate_zeroed((size_t)plan->step_count, sizeof *placement->steps);
    if (placement->shapes == NULL || placement->buffers == NULL || placement->steps == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to lay out a run");
    res2net_status status = r2n_graph_shapes(plan->graph, placement->rows, placement->columns,
                                             placement->shapes, report);
    if (status == RES2NET_OK)
        status = r2n_placement_lay_out(placement, report);
    if (status != RES2NET_OK)
        return status;
    for (int32_t i = 0; i < plan->step_count; i++)
        sources += step_sources(placement, &plan->steps[i], NULL);
    placement->sources = r2n_allocate((size_t)sources, sizeof *placement->sources);
    if (placement->sources == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to lay out a run");
    fill_steps(placement);
    return r2n_placement_find_groups(placement, report);
}

res2net_status r2n_placement_create(const r2n_plan *plan, int32_t batch, int32_t rows,
                                    int32_t columns, r2n_placement **out, res2net_report *report)
{
    *out = NULL;
    if (batch < 1 || batch > MAXIMUM_BATCH)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a batch has 1 to %d pictures, not %d", MAXIMUM_BATCH, batch);
    r2n_placement *placement = r2n_allocate_zeroed(1, sizeof *placement);
    if (placement == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to lay out a run");
    placement->plan = plan;
    placement->batch = batch;
    placement->rows = rows;
    placement->columns = columns;
    const res2net_status status = fill_placement(placement, report);
    if (status != RES2NET_OK) {
        r2n_placement_destroy(placement);
        return status;
    }
    *out = placement;
    return RES2NET_OK;
}

void r2n_placement_destroy(r2n_placement *placement)
{
    if (placement == NULL)
        return;
    r2n_free(placement->shapes);
    r2n_free(placement->buffers);
    r2n_free(placement->steps);
    r2n_free(placement->sources);
    r2n_free(placement->dependencies);
    r2n_free(placement->groups);
    r2n_free(placement);
}

int64_t r2n_placement_block_bytes(const r2n_placement *placement)
{
    return placement->block_elements * r2n_precision_facts_of(placement->plan->precision)->bytes;
}

void r2n_placement_clear(const r2n_placement *placement, void *block)
{
    const r2n_precision precision = placement->plan->precision;
    const r2n_placed_buffer *input = &placement->buffers[placement->input_buffer];
    memset(block, 0,
           (size_t)(placement->bordered_elements * r2n_precision_facts_of(precision)->bytes));
    if (precision == R2N_PRECISION_INT8)
        memset((uint8_t *)block + input->offset, R2N_INT8_PICTURE_ZERO, (size_t)input->elements);
}
