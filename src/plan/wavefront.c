/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every thread owns a run of rows in each step of the group. It always does the deepest step that
 * can go on, a band at a time: so a band passes through all steps before the next one begins, each
 * step behind the one before by the rows that its kernel reaches down, and images of a batch pass
 * one after the other.
 *
 * A step can go on when all rows of earlier steps that it depends on are done, here or at a
 * neighbour. This cannot lock up: as long as there are rows to do, take the earliest step that has
 * some; all earlier steps are done, so the thread that owns these rows can do them, and since it
 * waits only when none of its steps can go on, it will.
 *
 * Even threads go through their rows upwards and odd ones downwards: two neighbours are at the rows
 * between them either both at first or both at last, and hardly wait for each other.
 */
#include "plan/wavefront.h"

#include <stdatomic.h>

typedef struct part {
    const r2n_placement *placement;
    const r2n_band_group *group;
    r2n_progress *progress; /* [threads] */
    int thread, threads;
} part;

typedef struct rows {
    int32_t first, last; /* counted over all images; last is not among them */
} rows;

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static rows owned(const r2n_placed_step *step, int thread, int threads)
{
    return (rows){r2n_share(step->rows, thread, threads),
                  r2n_share(step->rows, thread + 1, threads)};
}

static int goes_down(int thread)
{
    return thread % 2 != 0;
}

/* `count` rows from where a thread that did `done` of its rows goes on. */
static rows next_rows(rows own, int down, int32_t done, int32_t count)
{
    return down ? (rows){own.first + done, own.first + done + count}
                : (rows){own.last - done - count, own.last - done};
}

/* Are these rows of step `index` of the group done? */
static int are_done(const part *p, int32_t index, rows wanted)
{
    const r2n_placed_step *step = &p->placement->steps[p->group->first_step + index];
    int thread = (int)(((int64_t)(wanted.first + 1) * p->threads - 1) / step->rows);
    for (; thread < p->threads; thread++) {
        const rows own = owned(step, thread, p->threads);
        if (own.first >= wanted.last)
            break;
        const rows common = {larger(own.first, wanted.first), smaller(own.last, wanted.last)};
        if (common.first >= common.last)
            continue;
        const rows done =
            next_rows(own, goes_down(thread), 0, atomic_load(&p->progress[thread].rows[index]));
        if (common.first < done.first || common.last > done.last)
            return 0;
    }
    return 1;
}

static int32_t divide_down(int32_t a, int32_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* Rows of the earlier step that `mine`, rows of one image of `step`, wait for. */
static rows rows_before(const part *p, const r2n_placed_step *step, const r2n_dependency *on,
                        rows mine)
{
    const int32_t image = mine.first / step->image_rows;
    const int32_t image_rows = p->placement->steps[on->step].image_rows;
    const int32_t top =
        (mine.first - image * step->image_rows) * on->mine.stride - on->mine.padding;
    const int32_t bottom = (mine.last - 1 - image * step->image_rows) * on->mine.stride -
                           on->mine.padding + on->mine.kernel - 1;
    const int32_t first =
        divide_down(top + on->theirs.padding - on->theirs.kernel, on->theirs.stride) + 1;
    const int32_t last = divide_down(bottom + on->theirs.padding, on->theirs.stride) + 1;
    return (rows){image * image_rows + larger(first, 0),
                  image * image_rows + smaller(last, image_rows)};
}

/* The rows of step `index` that this thread can do now, at most a band of one image. */
static rows ready_rows(const part *p, int32_t index)
{
    const r2n_placement *placement = p->placement;
    const r2n_placed_step *step = &placement->steps[p->group->first_step + index];
    const rows own = owned(step, p->thread, p->threads);
    const int down = goes_down(p->thread);
    const int32_t done = atomic_load(&p->progress[p->thread].rows[index]);
    const int32_t left = own.last - own.first - done;
    if (left == 0)
        return (rows){0, 0};
    const int32_t here = down ? own.first + done : own.last - done - 1;
    const int32_t image = here / step->image_rows;
    int32_t count =
        down ? (image + 1) * step->image_rows - here : here + 1 - image * step->image_rows;
    count = smaller(smaller(count, left), step->band_rows);
    for (int32_t i = 0; i < step->dependency_count; i++) {
        const r2n_dependency *on = &placement->dependencies[step->first_dependency + i];
        for (; count > 0; count--) {
            const rows wanted = rows_before(p, step, on, next_rows(own, down, done, count));
            if (wanted.first >= wanted.last || are_done(p, on->step - p->group->first_step, wanted))
                break;
        }
    }
    return next_rows(own, down, done, count);
}

/* The deepest step that can go on, or -1. */
static int32_t deepest(const part *p, rows *ready)
{
    for (int32_t i = p->group->step_count - 1; i >= 0; i--) {
        *ready = ready_rows(p, i);
        if (ready->first < ready->last)
            return i;
    }
    return -1;
}

static int can_go_on(const void *context)
{
    rows ready;
    return deepest(context, &ready) >= 0;
}

static int64_t owned_in_all(const part *p)
{
    int64_t count = 0;
    for (int32_t i = 0; i < p->group->step_count; i++) {
        const rows own =
            owned(&p->placement->steps[p->group->first_step + i], p->thread, p->threads);
        count += own.last - own.first;
    }
    return count;
}

void r2n_wavefront_run(r2n_wavefront *wavefront, int turn, const r2n_placement *placement,
                       const r2n_band_group *group, void *block, r2n_team *team, int thread,
                       int threads)
{
    const part p = {placement, group, wavefront->progress[turn % 2], thread, threads};
    r2n_progress *own = &p.progress[thread];
    for (int32_t i = 0; i < R2N_BAND_STEPS; i++)
        atomic_store_explicit(&wavefront->progress[(turn + 1) % 2][thread].rows[i], 0,
                              memory_order_relaxed);
    for (int64_t left = owned_in_all(&p); left > 0;) {
        rows ready;
        const int32_t index = deepest(&p, &ready);
        if (index < 0) {
            r2n_team_wait(team, can_go_on, &p);
            continue;
        }
        const r2n_placed_step *step = &placement->steps[p.group->first_step + index];
        step->kernel->run(&step->arguments, block,
                          (r2n_range){.row_first = ready.first,
                                      .row_last = ready.last,
                                      .block_last = step->blocks});
        atomic_fetch_add(&own->rows[index], ready.last - ready.first);
        r2n_team_tell(team);
        left -= ready.last - ready.first;
    }
}
