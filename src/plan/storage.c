/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which buffer holds which value.
 *
 * Slices are parts of their parent's buffer. The computed inputs of a concatenation are written
 * side by side into one buffer; slices among its inputs stay where they are, so a concatenated
 * value may have several segments. A hierarchical add made in place lives in its slice.
 */
#include "plan/plan_internal.h"

#include <string.h>

#include "base/memory.h"

typedef struct storage {
    r2n_plan *plan;
    r2n_segment *slots; /* [count] place in a concatenation's buffer; channels 0: none */
    uint8_t *computed;  /* [count] some step writes this value */
    int32_t *chained;   /* [count] for a hierarchical add made in place: its slice, else -1 */
} storage;

static int32_t new_buffer(r2n_plan *plan, int32_t channels, int32_t shape_of)
{
    plan->buffers[plan->buffer_count] = (r2n_buffer){.channels = channels,
                                                     .group_channels = channels,
                                                     .shape_of = shape_of,
                                                     .first_step = -1,
                                                     .last_step = -1};
    return plan->buffer_count++;
}

/* Gives the computed inputs of each concatenation their places before they are visited. */
static void reserve_concatenations(storage *s)
{
    const r2n_graph *graph = s->plan->graph;
    for (int32_t i = 0; i < graph->count; i++) {
        const r2n_node *node = &graph->nodes[i];
        int32_t channels = 0;
        if (node->kind != R2N_NODE_CONCAT)
            continue;
        for (int32_t j = 0; j < node->input_count; j++)
            if (s->computed[node->inputs[j]])
                channels += graph->nodes[node->inputs[j]].channels;
        if (channels == 0)
            continue;
        const int32_t buffer = new_buffer(s->plan, channels, i);
        int32_t first = 0;
        for (int32_t j = 0; j < node->input_count; j++) {
            const int32_t input = node->inputs[j];
            if (!s->computed[input])
                continue;
            s->slots[input] = (r2n_segment){buffer, first, graph->nodes[input].channels};
            first += graph->nodes[input].channels;
        }
    }
}

/* Adds a segment, joined with the last one where they touch. */
static void add_segment(r2n_value *value, r2n_segment segment)
{
    if (value->count > 0) {
        r2n_segment *last = &value->segments[value->count - 1];
        if (last->buffer == segment.buffer &&
            last->first_channel + last->channels == segment.first_channel) {
            last->channels += segment.channels;
            return;
        }
    }
    value->segments[value->count++] = segment;
}

static void slice_value(const r2n_value *parent, int32_t first, int32_t channels, r2n_value *out)
{
    for (int32_t i = 0; i < parent->count && channels > 0; i++) {
        r2n_segment segment = parent->segments[i];
        if (first >= segment.channels) {
            first -= segment.channels;
            continue;
        }
        segment.first_channel += first;
        segment.channels -= first;
        if (segment.channels > channels)
            segment.channels = channels;
        add_segment(out, segment);
        channels -= segment.channels;
        first = 0;
    }
}

static void place_values(storage *s)
{
    const r2n_graph *graph = s->plan->graph;
    for (int32_t i = 0; i < graph->count; i++) {
        const r2n_node *node = &graph->nodes[i];
        r2n_value *value = &s->plan->values[i];
        if (node->kind == R2N_NODE_SLICE) {
            slice_value(&s->plan->values[node->inputs[0]], node->first_channel, node->channels,
                        value);
        } else if (node->kind == R2N_NODE_CONCAT) {
            for (int32_t j = 0; j < node->input_count; j++) {
                const r2n_value *input = &s->plan->values[node->inputs[j]];
                for (int32_t k = 0; k < input->count; k++)
                    add_segment(value, input->segments[k]);
            }
        } else if (s->chained[i] >= 0) {
            *value = s->plan->values[s->chained[i]];
        } else if (s->slots[i].channels > 0) {
            add_segment(value, s->slots[i]);
        } else if (s->computed[i] || node->kind == R2N_NODE_INPUT) {
            const int32_t buffer = new_buffer(s->plan, node->channels, i);
            add_segment(value, (r2n_segment){buffer, 0, node->channels});
        }
    }
}

static void touch(r2n_plan *plan, int32_t node, int32_t step, int32_t border)
{
    if (node < 0)
        return;
    const r2n_value *value = &plan->values[node];
    for (int32_t i = 0; i < value->count; i++) {
        r2n_buffer *buffer = &plan->buffers[value->segments[i].buffer];
        if (buffer->first_step < 0)
            buffer->first_step = step;
        buffer->last_step = step;
        if (border > buffer->border)
            buffer->border = border;
    }
}

static void find_lifetimes(r2n_plan *plan)
{
    const r2n_node *nodes = plan->graph->nodes;
    for (int32_t i = 0; i < plan->graph->count; i++)
        if (nodes[i].kind == R2N_NODE_INPUT)
            touch(plan, i, 0, 0);
    for (int32_t i = 0; i < plan->step_count; i++) {
        const r2n_step *step = &plan->steps[i];
        touch(plan, step->result, i, 0);
        if (step->operation == R2N_OPERATION_GEMM) {
            for (int32_t j = 0; j < step->part_count; j++)
                touch(plan, step->parts[j].input, i, nodes[step->parts[j].node].padding);
            touch(plan, step->residual, i, 0);
            touch(plan, step->chain, i, 0);
        } else {
            touch(plan, step->a, i, 0);
            touch(plan, step->b, i, 0);
        }
    }
}

static int32_t common_divisor(int32_t a, int32_t b)
{
    while (b != 0) {
        const int32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The widest groups at whose ends all values in the buffer begin and end, filled up to what the
 * precision multiplies at once. */
static void choose_groups(r2n_plan *plan)
{
    const int32_t multiple = r2n_precision_facts_of(plan->precision)->group;
    const int32_t last = plan->graph->count - 1;
    for (int32_t i = 0; i < plan->graph->count; i++)
        for (int32_t j = 0; j < plan->values[i].count; j++) {
            const r2n_segment *segment = &plan->values[i].segments[j];
            r2n_buffer *buffer = &plan->buffers[segment->buffer];
            buffer->group_channels = common_divisor(buffer->group_channels, segment->first_channel);
            buffer->group_channels = common_divisor(buffer->group_channels, segment->channels);
        }
    for (int32_t i = 0; i < plan->buffer_count; i++) {
        r2n_buffer *buffer = &plan->buffers[i];
        buffer->group_pitch = (buffer->group_channels + multiple - 1) / multiple * multiple;
    }
    plan->buffers[plan->values[last].segments[0].buffer].holds_floats = 1;
}

/* A 3x3 convolution of stride 1 on one run of channels: half the multiplications in f32. But twice
 * the weights: where they are many, reading them would take longer than multiplying. */
static int takes_winograd(const r2n_plan *plan, const r2n_step *step)
{
    const int32_t many_weights = 200000;
    if (plan->mode != R2N_PLAN_INFERENCE || plan->precision != R2N_PRECISION_F32 ||
        step->operation != R2N_OPERATION_GEMM || step->part_count != 1 || step->residual >= 0)
        return 0;
    const r2n_node *node = &plan->graph->nodes[step->parts[0].node];
    return node->kind == R2N_NODE_CONVOLUTION && node->kernel == R2N_WINOGRAD_ROWS &&
           node->stride == 1 && node->padding == 1 &&
           plan->values[step->parts[0].input].count == 1 &&
           2 * (int64_t)node->channels * step->parts[0].k <= many_weights;
}

/* Where the parts' weights are among a step's packed rows. */
static void place_rows(r2n_plan *plan)
{
    const r2n_precision_facts *facts = r2n_precision_facts_of(plan->precision);
    for (int32_t i = 0; i < plan->step_count; i++) {
        r2n_step *step = &plan->steps[i];
        for (int32_t j = 0; j < step->part_count; j++) {
            r2n_part *part = &step->parts[j];
            const r2n_value *input = &plan->values[part->input];
            const int32_t taps = part->k / plan->graph->nodes[part->input].channels;
            part->k_first = step->k_total;
            part->rows = 0;
            for (int32_t k = 0; k < input->count; k++)
                part->rows += taps * r2n_segment_elements(plan, &input->segments[k]);
            step->k_total += part->rows * facts->weight_terms;
        }
        step->winograd = takes_winograd(plan, step);
        if (step->winograd) /* six points in place of three columns */
            step->k_total *= 2;
    }
}

int32_t r2n_buffer_place(const r2n_buffer *buffer, int32_t channel)
{
    return channel / buffer->group_channels * buffer->group_pitch +
           channel % buffer->group_channels;
}

int32_t r2n_segment_elements(const r2n_plan *plan, const r2n_segment *segment)
{
    const r2n_buffer *buffer = &plan->buffers[segment->buffer];
    return buffer->holds_floats ? segment->channels
                                : segment->channels / buffer->group_channels * buffer->group_pitch;
}

int32_t r2n_value_elements(const r2n_plan *plan, int32_t node)
{
    return r2n_segment_elements(plan, &plan->values[node].segments[0]);
}

/* Pools, adds and results need one run of channels: only a gemm reads several segments. */
static int is_contiguous(const r2n_plan *plan, int32_t node)
{
    return node < 0 || plan->values[node].count == 1;
}

static res2net_status check_storage(const r2n_plan *plan, res2net_report *report)
{
    for (int32_t i = 0; i < plan->step_count; i++) {
        const r2n_step *step = &plan->steps[i];
        int fine = is_contiguous(plan, step->result) && is_contiguous(plan, step->chain) &&
                   is_contiguous(plan, step->residual);
        if (step->operation != R2N_OPERATION_GEMM)
            fine = fine && is_contiguous(plan, step->a) && is_contiguous(plan, step->b);
        if (!fine)
            return r2n_fail(report, RES2NET_INTERNAL, NULL, -1,
                            "the plan's step %s needs a value in one piece", step->name);
    }
    return RES2NET_OK;
}

res2net_status r2n_plan_assign_storage(r2n_plan *plan, res2net_report *report)
{
    const size_t count = (size_t)plan->graph->count;
    res2net_status status;
    storage s = {.plan = plan,
                 .slots = r2n_allocate_zeroed(count, sizeof *s.slots),
                 .computed = r2n_allocate_zeroed(count, 1),
                 .chained = r2n_allocate(count, sizeof *s.chained)};
    plan->values = r2n_allocate_zeroed(count, sizeof *plan->values);
    plan->buffers = r2n_allocate_zeroed(count, sizeof *plan->buffers);
    if (s.slots == NULL || s.computed == NULL || s.chained == NULL || plan->values == NULL ||
        plan->buffers == NULL) {
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the plan");
    } else {
        for (size_t i = 0; i < count; i++)
            s.chained[i] = -1;
        for (int32_t i = 0; i < plan->step_count; i++) {
            const r2n_step *step = &plan->steps[i];
            s.computed[step->result] = 1;
            if (step->operation == R2N_OPERATION_GEMM && step->chain >= 0) {
                const r2n_node *add = &plan->graph->nodes[step->chain];
                const int side = add->inputs[0] == step->result;
                s.chained[step->chain] = add->inputs[side];
            }
        }
        reserve_concatenations(&s);
        place_values(&s);
        find_lifetimes(plan);
        choose_groups(plan);
        place_rows(plan);
        status = check_storage(plan, report);
    }
    r2n_free(s.slots);
    r2n_free(s.computed);
    r2n_free(s.chained);
    return status;
}
