/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a placement: every thread of a team goes through the steps, does its range of each, and
 * waits for the others. A range never changes a result, so neither does the number of threads.
 */
#include "plan/placement_internal.h"

#include <string.h>

#include "base/os.h"
#include "base/thread_pool.h"
#include "plan/wavefront.h"

typedef struct run {
    const r2n_placement *placement;
    void *block;
    const float *input;
    float *logits;
    double *seconds; /* per step, or NULL */
    r2n_wavefront wavefront;
} run;

int32_t r2n_share(int32_t items, int thread, int threads)
{
    return (int32_t)((int64_t)items * thread / threads);
}

static int32_t largest_share(int32_t items, int threads)
{
    return (items + threads - 1) / threads;
}

/* Splits rows or channel blocks. Rows wherever the weights are few: the rows of every step then
 * meet the same core, whose cache has what the last step wrote. Else whichever makes the slowest
 * thread faster: its arithmetic, plus the weights it has to read (all of them when rows are split;
 * they come from beyond its own cache). */
static int split_rows(const r2n_placed_step *step, int threads)
{
    const int64_t few_bytes = 1200000; /* of weights: about half of a core's second-level cache */
    const double weight_cost = 16;     /* multiply-accumulates in the time of reading one weight */
    const double rows_share = (double)largest_share(step->rows, threads) / step->rows;
    const double blocks_share = (double)largest_share(step->blocks, threads) / step->blocks;
    const double by_rows = (double)step->macs * rows_share + (double)step->weights * weight_cost;
    const double by_blocks =
        (double)step->macs * blocks_share + (double)step->weights * blocks_share * weight_cost;
    if (step->macs == 0)
        return rows_share <= blocks_share;
    return (step->block_bytes * step->blocks <= few_bytes && step->rows >= 2 * threads) ||
           by_rows <= by_blocks;
}

static r2n_range range_of(const r2n_placed_step *step, int thread, int threads)
{
    r2n_range range = {.row_last = step->rows, .block_last = step->blocks};
    if (threads == 1)
        return range;
    if (split_rows(step, threads)) {
        range.row_first = r2n_share(step->rows, thread, threads);
        range.row_last = r2n_share(step->rows, thread + 1, threads);
    } else {
        range.block_first = r2n_share(step->blocks, thread, threads);
        range.block_last = r2n_share(step->blocks, thread + 1, threads);
    }
    return range;
}

/* With a hint at what the thread reads first in the next step: a panel of its weights. */
r2n_range r2n_placement_range(const r2n_placed_step *step, int thread, int threads)
{
    const int32_t panel_blocks = 3;
    const r2n_placed_step *next = step->next;
    r2n_range range = range_of(step, thread, threads);
    if (next != NULL && next->packed != NULL) {
        const r2n_range after = range_of(next, thread, threads);
        const int32_t blocks = after.block_last - after.block_first;
        range.next = next->packed + after.block_first * next->block_bytes;
        range.next_bytes = (blocks < panel_blocks ? blocks : panel_blocks) * next->block_bytes;
    }
    return range;
}

static void copy_input(const run *r, int thread, int threads)
{
    const r2n_placement *p = r->placement;
    const int32_t rows = p->batch * p->rows;
    r2n_placement_put_rows(p, r->block, r->input, r2n_share(rows, thread, threads),
                           r2n_share(rows, thread + 1, threads));
}

/* Every thread's range of one step. */
static void run_step(const run *r, int32_t index, r2n_team *team, int thread, int threads)
{
    const r2n_placed_step *step = &r->placement->steps[index];
    const r2n_range range = r2n_placement_range(step, thread, threads);
    const double start = r->seconds != NULL ? r2n_seconds() : 0;
    if (range.row_first < range.row_last && range.block_first < range.block_last)
        step->kernel->run(&step->arguments, r->block, range);
    r2n_team_barrier(team);
    if (r->seconds != NULL && thread == 0) {
        const double taken = r2n_seconds() - start;
        if (r->seconds[index] == 0 || taken < r->seconds[index])
            r->seconds[index] = taken;
    }
}

/* Are there images enough, and is every step of the group split by rows? */
static int runs_in_bands(const r2n_placement *placement, const r2n_band_group *group, int threads)
{
    if (threads > R2N_WAVEFRONT_THREADS || placement->batch < placement->band_images * threads)
        return 0;
    for (int32_t i = 0; i < group->step_count && threads > 1; i++)
        if (!split_rows(&placement->steps[group->first_step + i], threads))
            return 0;
    return 1;
}

static void run_steps(void *context, r2n_team *team, int thread, int threads)
{
    run *r = context;
    const r2n_placement *p = r->placement;
    int32_t group = 0;
    int turn = 0;
    copy_input(r, thread, threads);
    r2n_team_barrier(team);
    for (int32_t i = 0; i < p->plan->step_count; i++) {
        while (group < p->group_count && p->groups[group].first_step < i)
            group++;
        if (r->seconds == NULL && group < p->group_count && p->groups[group].first_step == i &&
            runs_in_bands(p, &p->groups[group], threads)) {
            r2n_wavefront_run(&r->wavefront, turn++, p, &p->groups[group], r->block, team, thread,
                              threads);
            r2n_team_barrier(team);
            i += p->groups[group].step_count - 1;
        } else {
            run_step(r, i, team, thread, threads);
        }
    }
    if (thread == 0)
        r2n_placement_get_logits(p, r->block, r->logits);
}

void r2n_placement_run(const r2n_placement *placement, void *block, const float *input,
                       float *logits, int threads)
{
    r2n_placement_time(placement, block, input, logits, threads, NULL);
}

void r2n_placement_time(const r2n_placement *placement, void *block, const float *input,
                        float *logits, int threads, double *seconds)
{
    run r = {.placement = placement,
             .block = block,
             .input = input,
             .logits = logits,
             .seconds = seconds};
    r2n_thread_pool_run(threads, run_steps, &r);
}
