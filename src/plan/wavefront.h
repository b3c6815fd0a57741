/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a group of steps as a wavefront over bands of rows. */
#ifndef R2N_PLAN_WAVEFRONT_H
#define R2N_PLAN_WAVEFRONT_H

#include "base/thread_pool.h"
#include "plan/placement_internal.h"

enum { R2N_WAVEFRONT_THREADS = 64 }; /* at most: rows of a picture are few */

/* Rows done, of each step in a group, by one thread: on cache lines of its own. */
typedef struct r2n_progress {
    _Alignas(64) _Atomic int32_t rows[R2N_BAND_STEPS];
} r2n_progress;

/* What the threads of a run share, zeroed before it. Two of everything: while one group runs, each
 * thread clears its counters for the next one. */
typedef struct r2n_wavefront {
    r2n_progress progress[2][R2N_WAVEFRONT_THREADS];
} r2n_wavefront;

/* Does thread `thread`'s part of a group, the `turn`th that is run in this way, counted from 0. A
 * barrier goes before and after each. */
void r2n_wavefront_run(r2n_wavefront *wavefront, int turn, const r2n_placement *placement,
                       const r2n_band_group *group, void *block, r2n_team *team, int thread,
                       int threads);

#endif
