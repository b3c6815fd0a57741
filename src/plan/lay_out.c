/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offsets of all buffers in one block.
 *
 * Buffers with zero borders come first: each has its place, shared only with buffers of the very
 * same geometry whose lifetimes do not meet, so that borders are cleared once and stay zero. The
 * others are packed behind them by lifetime, largest first.
 */
#include "plan/placement_internal.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
    LINE_BYTES = 64,      /* a cache line */
    ALIASING_BYTES = 2048 /* pixels so far apart fall into few cache sets: shift them by a line */
};

static const int64_t MAXIMUM_BYTES = (int64_t)1 << 36; /* 64 GiB */

static int64_t round_up(int64_t value, int64_t multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

static void measure(const r2n_placement *placement, int32_t index, r2n_placed_buffer *placed)
{
    const r2n_precision_facts *facts = r2n_precision_facts_of(placement->plan->precision);
    const r2n_buffer *buffer = &placement->plan->buffers[index];
    const r2n_shape shape = placement->shapes[buffer->shape_of];
    const int64_t border = buffer->border;
    int64_t pixel = buffer->channels / buffer->group_channels * buffer->group_pitch;
    if (buffer->holds_floats)
        pixel = buffer->channels * (int64_t)sizeof(float) / facts->bytes;
    if (pixel * facts->bytes % ALIASING_BYTES == 0)
        pixel += LINE_BYTES / facts->bytes;
    r2n_view *view = &placed->view;
    view->pixel_pitch = pixel;
    view->row_pitch = (shape.columns + border) * pixel;
    view->image_pitch = (shape.rows + border) * view->row_pitch;
    view->offset = border * (view->row_pitch + pixel);
    placed->elements =
        round_up(view->offset + placement->batch * view->image_pitch, LINE_BYTES / facts->bytes);
    if (facts->terms > 1) { /* all low terms lie behind all high ones */
        view->low_pitch = placed->elements;
        placed->elements *= facts->terms;
    }
}

static int lifetimes_meet(const r2n_buffer *a, const r2n_buffer *b)
{
    return a->first_step <= b->last_step && b->first_step <= a->last_step;
}

static int same_geometry(const r2n_placed_buffer *a, const r2n_placed_buffer *b)
{
    return a->elements == b->elements && a->view.offset == b->view.offset &&
           a->view.pixel_pitch == b->view.pixel_pitch && a->view.row_pitch == b->view.row_pitch &&
           a->view.image_pitch == b->view.image_pitch;
}

/* A place of another bordered buffer that this one may take, or -1. */
static int64_t shared_place(const r2n_placement *placement, int32_t index)
{
    const r2n_buffer *buffers = placement->plan->buffers;
    const r2n_placed_buffer *placed = placement->buffers;
    for (int32_t i = 0; i < index; i++) {
        if (buffers[i].border == 0 || buffers[i].border != buffers[index].border ||
            !same_geometry(&placed[i], &placed[index]))
            continue;
        int free = 1;
        for (int32_t j = 0; j < index && free; j++)
            free = buffers[j].border == 0 || placed[j].offset != placed[i].offset ||
                   !lifetimes_meet(&buffers[j], &buffers[index]);
        if (free)
            return placed[i].offset;
    }
    return -1;
}

static void place_bordered(r2n_placement *placement)
{
    const r2n_plan *plan = placement->plan;
    for (int32_t i = 0; i < plan->buffer_count; i++) {
        if (plan->buffers[i].border == 0)
            continue;
        const int64_t shared = shared_place(placement, i);
        placement->buffers[i].offset = shared >= 0 ? shared : placement->bordered_elements;
        if (shared < 0)
            placement->bordered_elements += placement->buffers[i].elements;
    }
}

/* The lowest offset at which buffer `index` meets none of those placed before it. */
static int64_t lowest_free(const r2n_placement *placement, const int32_t *order, int32_t placed,
                           int32_t index)
{
    const r2n_buffer *buffers = placement->plan->buffers;
    int64_t offset = placement->bordered_elements;
    for (int again = 1; again;) {
        again = 0;
        for (int32_t i = 0; i < placed; i++) {
            const r2n_placed_buffer *other = &placement->buffers[order[i]];
            if (lifetimes_meet(&buffers[order[i]], &buffers[index]) &&
                offset < other->offset + other->elements &&
                other->offset < offset + placement->buffers[index].elements) {
                offset = other->offset + other->elements;
                again = 1;
            }
        }
    }
    return offset;
}

static void place_rest(r2n_placement *placement, int32_t *order)
{
    const r2n_plan *plan = placement->plan;
    int32_t count = 0;
    for (int32_t i = 0; i < plan->buffer_count; i++) {
        if (plan->buffers[i].border != 0)
            continue;
        int32_t at = count++;
        for (;
             at > 0 && placement->buffers[order[at - 1]].elements < placement->buffers[i].elements;
             at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    placement->block_elements = placement->bordered_elements;
    for (int32_t i = 0; i < count; i++) {
        r2n_placed_buffer *buffer = &placement->buffers[order[i]];
        buffer->offset = lowest_free(placement, order, i, order[i]);
        if (buffer->offset + buffer->elements > placement->block_elements)
            placement->block_elements = buffer->offset + buffer->elements;
    }
}

res2net_status r2n_placement_lay_out(r2n_placement *placement, res2net_report *report)
{
    const int32_t count = placement->plan->buffer_count;
    const int64_t bytes = r2n_precision_facts_of(placement->plan->precision)->bytes;
    int64_t total = 0;
    for (int32_t i = 0; i < count; i++) {
        measure(placement, i, &placement->buffers[i]);
        total += placement->buffers[i].elements;
        if (total > MAXIMUM_BYTES * 16)
            break;
    }
    int32_t *order = r2n_allocate((size_t)count, sizeof *order);
    if (order == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to lay out a run");
    if (total <= MAXIMUM_BYTES * 16) {
        place_bordered(placement);
        place_rest(placement, order);
    }
    r2n_free(order);
    if (total > MAXIMUM_BYTES * 16 || placement->block_elements * bytes > MAXIMUM_BYTES)
        return r2n_fail(
            report, RES2NET_LIMIT_EXCEEDED, NULL, -1,
            "a batch of %d pictures of %dx%d needs over 64 GiB: take a smaller batch or "
            "size",
            placement->batch, placement->columns, placement->rows);
    for (int32_t i = 0; i < count; i++)
        placement->buffers[i].view.offset += placement->buffers[i].offset;
    return RES2NET_OK;
}
