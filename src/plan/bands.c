/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which steps run as one group, band of rows by band of rows, so that what a step writes is still
 * in the core's second-level cache when the next one reads it; and which rows wait for which.
 *
 * A group begins and ends where a single buffer is alive (between residual blocks). Its steps have
 * few weights, for every band reads them again, and no two of its buffers share memory: then rows
 * depend on rows only through the buffers and channels that steps name, and what is found here is
 * all of it: reads after writes, and writes after reads and writes.
 */
#include "plan/placement_internal.h"

#include "base/memory.h"

static const int64_t WEIGHTS_BYTES = 7 << 18; /* they and a band pass through 2 MiB */
static const int64_t BAND_BYTES = 1 << 20;

enum { MAXIMUM_ACCESSES = (R2N_STEP_PARTS + 5) * R2N_NODE_INPUTS };

typedef struct access {
    r2n_segment segment;
    r2n_row_map rows;
    int writes;
} access;

typedef struct accesses {
    int32_t count;
    access list[MAXIMUM_ACCESSES];
} accesses;

static const r2n_row_map SAME_ROW = {1, 0, 1};

static void add_node(const r2n_plan *plan, int32_t node, r2n_row_map rows, int writes, accesses *to)
{
    if (node < 0)
        return;
    const r2n_value *value = &plan->values[node];
    for (int32_t i = 0; i < value->count; i++)
        to->list[to->count++] = (access){value->segments[i], rows, writes};
}

static r2n_row_map window(const r2n_placement *placement, int32_t node, int32_t input)
{
    const r2n_node *n = &placement->plan->graph->nodes[node];
    if (n->kind == R2N_NODE_GLOBAL_POOL)
        return (r2n_row_map){1, 0, placement->shapes[input].rows};
    if (n->kind == R2N_NODE_CONVOLUTION || n->kind == R2N_NODE_POOL)
        return (r2n_row_map){n->stride, n->padding, n->kernel};
    return SAME_ROW;
}

static void list_accesses(const r2n_placement *placement, int32_t index, accesses *to)
{
    const r2n_plan *plan = placement->plan;
    const r2n_step *step = &plan->steps[index];
    to->count = 0;
    add_node(plan, step->result, SAME_ROW, 1, to);
    if (step->operation == R2N_OPERATION_GEMM) {
        for (int32_t i = 0; i < step->part_count; i++)
            add_node(plan, step->parts[i].input,
                     window(placement, step->parts[i].node, step->parts[i].input), 0, to);
        add_node(plan, step->residual, SAME_ROW, 0, to);
        add_node(plan, step->chain, SAME_ROW, 1, to);
    } else {
        add_node(plan, step->a, window(placement, step->result, step->a), 0, to);
        add_node(plan, step->b, SAME_ROW, 0, to);
    }
}

static int conflict(const access *a, const access *b)
{
    return (a->writes || b->writes) && a->segment.buffer == b->segment.buffer &&
           a->segment.first_channel < b->segment.first_channel + b->segment.channels &&
           b->segment.first_channel < a->segment.first_channel + a->segment.channels;
}

/* Of step `later` on step `earlier`; with `to` NULL it only counts. */
static int32_t find_dependencies(const r2n_placement *placement, int32_t earlier, int32_t later,
                                 r2n_dependency *to)
{
    accesses theirs;
    accesses mine;
    int32_t count = 0;
    list_accesses(placement, earlier, &theirs);
    list_accesses(placement, later, &mine);
    for (int32_t i = 0; i < theirs.count; i++)
        for (int32_t j = 0; j < mine.count; j++) {
            if (!conflict(&theirs.list[i], &mine.list[j]))
                continue;
            if (to != NULL)
                to[count] = (r2n_dependency){earlier, theirs.list[i].rows, mine.list[j].rows};
            count++;
        }
    return count;
}

/* ---- groups --------------------------------------------------------------------------------- */

static int alive(const r2n_buffer *buffer, int32_t first, int32_t last)
{
    return buffer->first_step >= 0 && buffer->first_step <= last && buffer->last_step >= first;
}

/* One buffer only is read after step `index` that was written by then. */
static int is_narrow(const r2n_plan *plan, int32_t index)
{
    int32_t count = 0;
    for (int32_t i = 0; i < plan->buffer_count; i++)
        count += alive(&plan->buffers[i], index, index) &&
                 alive(&plan->buffers[i], index + 1, index + 1);
    return count <= 1;
}

static int share_memory(const r2n_placement *placement, int32_t first, int32_t last)
{
    const r2n_plan *plan = placement->plan;
    for (int32_t i = 0; i < plan->buffer_count; i++)
        for (int32_t j = 0; j < i && alive(&plan->buffers[i], first, last); j++) {
            const r2n_placed_buffer *a = &placement->buffers[i];
            const r2n_placed_buffer *b = &placement->buffers[j];
            if (alive(&plan->buffers[j], first, last) && a->offset < b->offset + b->elements &&
                b->offset < a->offset + a->elements)
                return 1;
        }
    return 0;
}

static int64_t weights_bytes(const r2n_placement *placement, int32_t first, int32_t last)
{
    int64_t elements = 0;
    for (int32_t i = first; i <= last; i++)
        elements += placement->steps[i].weights;
    return elements * r2n_precision_facts_of(placement->plan->precision)->bytes;
}

/* The last step of the longest group from `first`; -1 where there is none. */
static int32_t group_end(const r2n_placement *placement, int32_t first)
{
    int32_t end = -1;
    for (int32_t i = first; i < placement->plan->step_count && i < first + R2N_BAND_STEPS; i++) {
        if (weights_bytes(placement, first, i) > WEIGHTS_BYTES ||
            share_memory(placement, first, i) || placement->steps[i].image_rows < 2)
            break;
        if (is_narrow(placement->plan, i))
            end = i;
    }
    return end > first ? end : -1;
}

/* Bands of which all buffers of an image together fit. */
static void choose_bands(r2n_placement *placement, const r2n_band_group *group)
{
    const r2n_plan *plan = placement->plan;
    const int32_t last = group->first_step + group->step_count - 1;
    int64_t elements = 0;
    for (int32_t i = 0; i < plan->buffer_count; i++)
        if (alive(&plan->buffers[i], group->first_step, last))
            elements += placement->buffers[i].elements / placement->batch;
    const int64_t bytes = elements * r2n_precision_facts_of(plan->precision)->bytes;
    const int64_t bands = (bytes + BAND_BYTES - 1) / BAND_BYTES;
    for (int32_t i = group->first_step; i <= last; i++) {
        r2n_placed_step *step = &placement->steps[i];
        step->band_rows = (int32_t)((step->image_rows + bands - 1) / bands);
    }
}

static int32_t fill_dependencies(r2n_placement *placement, const r2n_band_group *group,
                                 r2n_dependency *to, int32_t count)
{
    for (int32_t j = 0; j < group->step_count; j++) {
        r2n_placed_step *step = &placement->steps[group->first_step + j];
        step->first_dependency = count;
        for (int32_t i = 0; i < j; i++)
            count += find_dependencies(placement, group->first_step + i, group->first_step + j,
                                       to == NULL ? NULL : to + count);
        step->dependency_count = count - step->first_dependency;
    }
    return count;
}

res2net_status r2n_placement_find_groups(r2n_placement *placement, res2net_report *report)
{
    placement->band_images = 4; /* less gains nothing: docs/decisions/0003-row-bands.md */
    const int32_t steps = placement->plan->step_count;
    int32_t count = 0;
    placement->groups = r2n_allocate((size_t)steps, sizeof *placement->groups);
    if (placement->groups == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to lay out a run");
    for (int32_t first = 0; first < steps;) {
        const int32_t end = group_end(placement, first);
        if (end >= 0) {
            r2n_band_group *group = &placement->groups[placement->group_count++];
            *group = (r2n_band_group){first, end - first + 1};
            choose_bands(placement, group);
            count = fill_dependencies(placement, group, NULL, count);
            first = end;
        } else {
            while (first < steps && !is_narrow(placement->plan, first))
                first++;
        }
        first++;
    }
    placement->dependencies = r2n_allocate((size_t)count + 1, sizeof *placement->dependencies);
    if (placement->dependencies == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to lay out a run");
    count = 0;
    for (int32_t i = 0; i < placement->group_count; i++)
        count = fill_dependencies(placement, &placement->groups[i], placement->dependencies, count);
    return RES2NET_OK;
}
