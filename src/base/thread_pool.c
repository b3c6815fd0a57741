/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/os.h"

enum { MAXIMUM_THREADS = 256, SPINS = 4000, CONDITION_SPINS = 400 };

struct r2n_team {
    int threads;
    _Atomic int waiting;       /* threads that reached the barrier */
    _Atomic unsigned barriers; /* barriers passed: the sense that waiters watch */
    _Atomic int sleepers;      /* threads in r2n_team_wait that may sleep */
    pthread_mutex_t lock;
    pthread_cond_t passed;
};

typedef struct pool {
    pthread_mutex_t busy; /* held by the caller whose job runs */
    pthread_mutex_t lock;
    pthread_cond_t work_there;
    pthread_cond_t work_done;
    pthread_t threads[MAXIMUM_THREADS]; /* [0] is not used: the caller */
    int started;                        /* workers alive */
    uint64_t job;                       /* number of the newest job */
    int job_threads;
    int job_open; /* workers that have not finished the job */
    int stopping;
    r2n_task *task;
    void *context;
    r2n_team team;
} pool;

#define NEW_POOL                                                                                   \
    {                                                                                              \
        .busy = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER,                      \
        .work_there = PTHREAD_COND_INITIALIZER, .work_done = PTHREAD_COND_INITIALIZER,             \
        .team = {.lock = PTHREAD_MUTEX_INITIALIZER, .passed = PTHREAD_COND_INITIALIZER},           \
    }

static pool the_pool = NEW_POOL;
static pthread_once_t fork_watched = PTHREAD_ONCE_INIT;

/* A forked child has the forking thread only: waiting for the parent's workers would never end. */
static void forget_workers(void)
{
    the_pool = (pool)NEW_POOL;
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, forget_workers);
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Rounding to nearest, no traps, flush-to-zero and denormals-are-zero, whatever the caller's
 * thread computes with; returns the old setting. */
static unsigned flush_denormals(void)
{
#if defined(__x86_64__)
    const unsigned old = _mm_getcsr();
    _mm_setcsr(0x9fc0u);
    return old;
#else
    return 0;
#endif
}

static void restore_denormals(unsigned old)
{
#if defined(__x86_64__)
    _mm_setcsr(old);
#else
    (void)old;
#endif
}

void r2n_team_barrier(r2n_team *team)
{
    if (team->threads == 1)
        return;
    const unsigned before = atomic_load_explicit(&team->barriers, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->waiting, 1, memory_order_acq_rel) == team->threads - 1) {
        atomic_store_explicit(&team->waiting, 0, memory_order_relaxed);
        pthread_mutex_lock(&team->lock);
        atomic_store_explicit(&team->barriers, before + 1, memory_order_release);
        pthread_cond_broadcast(&team->passed);
        pthread_mutex_unlock(&team->lock);
        return;
    }
    for (int spin = 0; spin < SPINS; spin++) {
        if (atomic_load_explicit(&team->barriers, memory_order_acquire) != before)
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&team->lock);
    while (atomic_load_explicit(&team->barriers, memory_order_acquire) == before)
        pthread_cond_wait(&team->passed, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

/* A teller writes, then looks for sleepers; a waiter counts itself, then looks at what was written.
 * All four are in one order (seq_cst), so one of the two sees the other. */
void r2n_team_wait(r2n_team *team, r2n_team_condition *there, const void *context)
{
    for (int spin = 0; spin < CONDITION_SPINS; spin++) {
        if (there(context))
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&team->lock);
    atomic_fetch_add(&team->sleepers, 1);
    while (!there(context))
        pthread_cond_wait(&team->passed, &team->lock);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->lock);
}

void r2n_team_tell(r2n_team *team)
{
    if (atomic_load(&team->sleepers) == 0)
        return;
    pthread_mutex_lock(&team->lock);
    pthread_cond_broadcast(&team->passed);
    pthread_mutex_unlock(&team->lock);
}

static void *worker(void *argument)
{
    const int thread = (int)(intptr_t)argument;
    uint64_t seen = 0;
    pthread_mutex_lock(&the_pool.lock);
    for (;;) {
        while (!the_pool.stopping && (the_pool.job == seen || thread >= the_pool.job_threads)) {
            seen = the_pool.job;
            pthread_cond_wait(&the_pool.work_there, &the_pool.lock);
        }
        if (the_pool.stopping)
            break;
        seen = the_pool.job;
        r2n_task *task = the_pool.task;
        void *context = the_pool.context;
        const int threads = the_pool.job_threads;
        pthread_mutex_unlock(&the_pool.lock);
        const unsigned old = flush_denormals();
        task(context, &the_pool.team, thread, threads);
        restore_denormals(old);
        pthread_mutex_lock(&the_pool.lock);
        if (--the_pool.job_open == 0)
            pthread_cond_signal(&the_pool.work_done);
    }
    pthread_mutex_unlock(&the_pool.lock);
    return NULL;
}

static int environment_threads(void)
{
    const char *text = getenv("RES2NET_THREADS");
    if (text == NULL)
        return 0;
    char *end;
    const long threads = strtol(text, &end, 10);
    return end == text || *end != '\0' || threads < 1 || threads > MAXIMUM_THREADS ? 0
                                                                                   : (int)threads;
}

int r2n_thread_pool_size(int threads)
{
    static _Atomic int usable;
    if (atomic_load(&usable) == 0)
        atomic_store(&usable, r2n_os_processor_limits().usable);
    if (threads <= 0)
        threads = environment_threads();
    if (threads <= 0)
        threads = atomic_load(&usable);
    return threads > MAXIMUM_THREADS ? MAXIMUM_THREADS : threads;
}

/* Starts workers up to `threads` - 1; returns how many threads there are now, the caller included.
 * Called with the_pool.lock held. */
static int start_workers(int threads)
{
    pthread_once(&fork_watched, watch_forks);
    while (the_pool.started < threads - 1) {
        const int thread = the_pool.started + 1;
        if (pthread_create(&the_pool.threads[thread], NULL, worker, (void *)(intptr_t)thread) != 0)
            break;
        the_pool.started++;
    }
    return the_pool.started + 1 < threads ? the_pool.started + 1 : threads;
}

static void run_alone(r2n_task *task, void *context)
{
    r2n_team alone = {.threads = 1};
    task(context, &alone, 0, 1);
}

void r2n_thread_pool_run(int threads, r2n_task *task, void *context)
{
    const unsigned old = flush_denormals();
    threads = r2n_thread_pool_size(threads);
    if (threads == 1 || pthread_mutex_trylock(&the_pool.busy) != 0) {
        run_alone(task, context);
        restore_denormals(old);
        return;
    }
    pthread_mutex_lock(&the_pool.lock);
    threads = start_workers(threads);
    the_pool.task = task;
    the_pool.context = context;
    the_pool.job_threads = threads;
    the_pool.job_open = threads - 1;
    the_pool.team.threads = threads;
    the_pool.job++;
    if (threads > 1)
        pthread_cond_broadcast(&the_pool.work_there);
    pthread_mutex_unlock(&the_pool.lock);
    task(context, &the_pool.team, 0, threads);
    pthread_mutex_lock(&the_pool.lock);
    while (the_pool.job_open > 0)
        pthread_cond_wait(&the_pool.work_done, &the_pool.lock);
    pthread_mutex_unlock(&the_pool.lock);
    pthread_mutex_unlock(&the_pool.busy);
    restore_denormals(old);
}

typedef struct each_job {
    r2n_each *one;
    void *context;
    size_t count;
    _Atomic size_t next;
} each_job;

static void take_each(void *context, r2n_team *team, int thread, int threads)
{
    each_job *job = context;
    (void)team;
    (void)thread;
    (void)threads;
    for (size_t i = atomic_fetch_add(&job->next, 1); i < job->count;
         i = atomic_fetch_add(&job->next, 1))
        job->one(job->context, i);
}

void r2n_thread_pool_each(int threads, size_t count, r2n_each *one, void *context)
{
    each_job job = {.one = one, .context = context, .count = count};
    threads = r2n_thread_pool_size(threads);
    r2n_thread_pool_run(count < (size_t)threads ? (int)count : threads, take_each, &job);
}

void r2n_thread_pool_shutdown(void)
{
    pthread_mutex_lock(&the_pool.busy);
    pthread_mutex_lock(&the_pool.lock);
    the_pool.stopping = 1;
    pthread_cond_broadcast(&the_pool.work_there);
    pthread_mutex_unlock(&the_pool.lock);
    for (int thread = 1; thread <= the_pool.started; thread++)
        pthread_join(the_pool.threads[thread], NULL);
    the_pool.started = 0;
    the_pool.stopping = 0;
    pthread_mutex_unlock(&the_pool.busy);
}
