/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pool of threads a process. The caller of `r2n_thread_pool_run` is thread 0 and works too.
 *
 * Idle workers sleep in the kernel. While a job runs, `r2n_team_barrier` spins for a
 * fraction of a millisecond, then sleeps. Nothing is pinned. In every thread of a job arithmetic
 * rounds to nearest and flushes denormals to zero; the caller's setting is put back afterwards. A
 * forked child starts workers of its own.
 */
#ifndef R2N_BASE_THREAD_POOL_H
#define R2N_BASE_THREAD_POOL_H

#include <stddef.h>

typedef struct r2n_team r2n_team;

/* `thread` counts from 0 to threads - 1. */
typedef void r2n_task(void *context, r2n_team *team, int thread, int threads);

/* Runs task(context, team, t, n) for t = 0 .. n - 1 at once, one thread each, and returns when all
 * are done. n is `threads`; where that is 0 or less it is what RES2NET_THREADS says, else what
 * affinity and cgroup quota allow. When the pool is busy with another caller's job, or threads
 * cannot be created, the job runs on fewer, down to the caller alone: results must not depend on n.
 */
void r2n_thread_pool_run(int threads, r2n_task *task, void *context);

/* Runs one(context, index) for every index below `count`, each once, on up to `threads` threads as
 * above: a thread that is done with one takes the next, so that long ones hold nobody up. For work
 * of uneven size, such as pictures. */
typedef void r2n_each(void *context, size_t index);
void r2n_thread_pool_each(int threads, size_t count, r2n_each *one, void *context);

/* The number of threads a job gets when it asks for `threads` and nobody else is at work. */
int r2n_thread_pool_size(int threads);

/* All threads of the team wait for each other; writes before it are seen by all after it. */
void r2n_team_barrier(r2n_team *team);

/* Waits until there(context) is not 0, spinning and then sleeping as the barrier does. What it
 * looks at are atomics, read sequentially consistent, that other threads of the team write
 * sequentially consistent and then call r2n_team_tell. `there` is also called with a lock held: it
 * must be short and call nothing of the pool. */
typedef int r2n_team_condition(const void *context);
void r2n_team_wait(r2n_team *team, r2n_team_condition *there, const void *context);
void r2n_team_tell(r2n_team *team);

/* Ends the workers (they start again when needed). Only when no job runs; for tests and exit. */
void r2n_thread_pool_shutdown(void);

#endif
