/* SPDX-License-Identifier: Apache-2.0 */
/* What the pool takes of the machine: as many threads as affinity and quota allow, no processor
 * time when idle; and what it makes of each thread's arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/cgroup.h"
#include "base/thread_pool.h"

enum { MOST_THREADS = 8 };

/* The library's own stays in its archive: this process is in the groups that a test says. */
static r2n_cgroup_limits group_limits;

r2n_cgroup_limits r2n_cgroup_limits_read(const char *root)
{
    (void)root;
    return group_limits;
}

/* ---- sizes ---- */

typedef struct tally {
    _Atomic int ran[MOST_THREADS]; /* how often thread i did */
    _Atomic int threads;
} tally;

static void count_threads(void *context, r2n_team *team, int thread, int threads)
{
    tally *t = context;
    atomic_fetch_add(&t->ran[thread], 1);
    atomic_store(&t->threads, threads);
    r2n_team_barrier(team);
}

/* Threads 0 .. wanted - 1 ran once each, and no other. */
static int runs_on(int threads, int wanted)
{
    tally t = {.threads = 0};
    r2n_thread_pool_run(threads, count_threads, &t);
    int fine = t.threads == wanted;
    for (int i = 0; i < MOST_THREADS; i++)
        fine = fine && t.ran[i] == (i < wanted);
    return fine;
}

/* Leaves the calling process the first `wanted` of the processors it may use. */
static int keep_processors(int wanted)
{
    cpu_set_t all, kept;
    CPU_ZERO(&kept);
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return 0;
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&kept) < wanted; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &kept);
    return sched_setaffinity(0, sizeof kept, &kept) == 0;
}

/* In a child, because a process settles its number once. */
static void expect_size(int processors, double quota, int wanted)
{
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60); /* a pool that waits for ever is ended */
        group_limits.quota = quota;
        const int sized = keep_processors(processors) && r2n_thread_pool_size(0) == wanted &&
                          runs_on(0, wanted) && runs_on(wanted + 1, wanted + 1);
        _exit(sized ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%d processors, a quota of %g: not %d threads", processors, quota, wanted);
}

static void affinity_and_quota_size_the_pool(void **state)
{
    (void)state;
    const int most = MOST_THREADS - 1;
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    const int there = CPU_COUNT(&set) < most ? CPU_COUNT(&set) : most;
    for (int processors = 1; processors <= there; processors++) {
        const int two = processors < 2 ? processors : 2;
        expect_size(processors, 0, processors);
        expect_size(processors, 0.25, 1);
        expect_size(processors, 1, 1);
        expect_size(processors, 1.5, two);
        expect_size(processors, 2, two);
        expect_size(processors, 64, processors);
    }
    if (there < most)
        print_message("SKIPPED: pools of more than the %d processors of this process\n", there);
}

static void the_environment_comes_before_the_machine(void **state)
{
    (void)state;
    static const char *const nonsense[] = {"", "0", "-1", "257", "3x", "x", "99999999999999999999"};
    const int usable = r2n_thread_pool_size(0);
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        setenv("RES2NET_THREADS", nonsense[i], 1);
        assert_int_equal(r2n_thread_pool_size(0), usable);
        assert_int_equal(r2n_thread_pool_size(-5), usable);
    }
    setenv("RES2NET_THREADS", "256", 1);
    assert_int_equal(r2n_thread_pool_size(0), 256);
    setenv("RES2NET_THREADS", "3", 1);
    assert_int_equal(r2n_thread_pool_size(0), 3);
    assert_true(runs_on(0, 3));
    assert_true(runs_on(2, 2)); /* what the caller says comes before both */
    assert_int_equal(r2n_thread_pool_size(1000), 256);
    unsetenv("RES2NET_THREADS");
    assert_int_equal(r2n_thread_pool_size(0), usable);
    r2n_thread_pool_shutdown();
}

static void jobs_of_any_size_follow_each_other(void **state)
{
    (void)state;
    static const int sizes[] = {8, 2, 5, 1, 3, 8, 4, 2, 7};
    for (int repeat = 0; repeat < 20; repeat++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            assert_true(runs_on(sizes[i], sizes[i]));
    r2n_thread_pool_shutdown();
}

/* ---- idleness ---- */

static double processor_seconds(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static const double child_seconds = 0.2;

/* Something to wait for: a child that ends once it has used `child_seconds` of a processor. */
static pid_t fork_worker(void)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        while (processor_seconds() < child_seconds) {
        }
        _exit(0);
    }
    return child;
}

static void wait_for(pid_t child)
{
    int status = -1;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        abort(); /* cmocka's assertions are for its own thread only */
}

/* Three workers that spun would use more of the processors than the child that is waited for,
 * however busy the machine is. */
static void idle_workers_use_no_processor(void **state)
{
    (void)state;
    assert_true(runs_on(4, 4));
    const pid_t child = fork_worker();
    const double before = processor_seconds();
    wait_for(child);
    assert_true(processor_seconds() - before < child_seconds / 4);
    r2n_thread_pool_shutdown();
}

static void wait_in_thread_0(void *context, r2n_team *team, int thread, int threads)
{
    (void)threads;
    if (thread == 0)
        wait_for(*(const pid_t *)context);
    r2n_team_barrier(team);
}

/* The threads at a barrier give up their spinning when another is long in coming. */
static void a_long_wait_at_a_barrier_uses_no_processor(void **state)
{
    (void)state;
    assert_true(runs_on(4, 4));
    pid_t child = fork_worker();
    const double before = processor_seconds();
    r2n_thread_pool_run(4, wait_in_thread_0, &child);
    assert_true(processor_seconds() - before < child_seconds / 4);
    r2n_thread_pool_shutdown();
}

/* ---- arithmetic ---- */

#if defined(__x86_64__)

/* Masked exceptions, rounding to nearest, flush-to-zero, denormals-are-zero; the lowest six bits
 * tell what has happened. */
enum { DEFAULT_CONTROL = 0x1f80, JOB_CONTROL = 0x9fc0, HAPPENED = 0x3f };

typedef struct look {
    unsigned control[MOST_THREADS];
    float flushed[MOST_THREADS], taken_as_zero[MOST_THREADS], rounded[MOST_THREADS];
    int nested; /* another job is run in each thread: on few threads while the pool is busy */
    _Atomic int wrong;
} look;

static void look_at_arithmetic(void *context, r2n_team *team, int thread, int threads)
{
    (void)team, (void)threads;
    look *l = context;
    volatile float small = 1.5e-38f, subnormal = 1e-39f, large = 1e30f, one = 1, bit = 1e-9f;
    if (l->nested) {
        look inner = {.nested = 0};
        r2n_thread_pool_run(4, look_at_arithmetic, &inner);
        if (inner.control[0] != JOB_CONTROL)
            atomic_store(&l->wrong, 1);
    }
    l->flushed[thread] = small * 0.25f;
    l->taken_as_zero[thread] = subnormal * large;
    l->rounded[thread] = one + bit;
    l->control[thread] = _mm_getcsr() & ~(unsigned)HAPPENED;
}

static void expect_job_arithmetic(unsigned callers, int threads, int nested)
{
    look l = {.nested = nested};
    _mm_setcsr(callers);
    r2n_thread_pool_run(threads, look_at_arithmetic, &l);
    const unsigned after = _mm_getcsr();
    _mm_setcsr(DEFAULT_CONTROL);
    assert_int_equal(after, callers);
    assert_int_equal(l.wrong, 0);
    for (int i = 0; i < threads; i++) {
        assert_int_equal(l.control[i], JOB_CONTROL);
        assert_true(l.flushed[i] == 0 && l.taken_as_zero[i] == 0 && l.rounded[i] == 1);
    }
}

static void leave_another_setting(void *context, r2n_team *team, int thread, int threads)
{
    (void)context, (void)team, (void)thread, (void)threads;
    _mm_setcsr(0x7f80); /* rounds towards zero, keeps subnormal numbers */
}

/* Neither the next job nor the caller has what a job set for itself. */
static void a_jobs_own_setting_ends_with_it(void **state)
{
    (void)state;
    for (int threads = 1; threads <= MOST_THREADS; threads += threads) {
        const unsigned before = _mm_getcsr();
        r2n_thread_pool_run(threads, leave_another_setting, NULL);
        assert_int_equal(_mm_getcsr(), before);
        expect_job_arithmetic(DEFAULT_CONTROL, threads, 0);
    }
    r2n_thread_pool_shutdown();
}

/* Whatever the caller computes with: its own rounding, flushing, traps, exceptions that happened.
 */
static void a_job_flushes_and_the_caller_gets_its_own_back(void **state)
{
    (void)state;
    static const unsigned settings[] = {DEFAULT_CONTROL, JOB_CONTROL, 0x3f80, 0x5f80, 0x7f80,
                                        0x9f80,          0x1fc0,      0x1fbf, 0x1900};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        for (int threads = 1; threads <= MOST_THREADS; threads += threads) {
            expect_job_arithmetic(settings[i], threads, 0);
            expect_job_arithmetic(settings[i], threads, 1);
        }
    r2n_thread_pool_shutdown();
}

#else

static void a_job_flushes_and_the_caller_gets_its_own_back(void **state)
{
    (void)state;
    print_message("SKIPPED: flush-to-zero is for x86-64\n");
    skip();
}

static void a_jobs_own_setting_ends_with_it(void **state)
{
    (void)state;
    skip();
}

#endif

enum { TURNS = 2000 };

typedef struct turns {
    _Atomic int turn;
    _Atomic int wrong;
} turns;

typedef struct my_turn {
    turns *t;
    int wanted;
} my_turn;

static int turn_is_there(const void *context)
{
    const my_turn *m = context;
    return atomic_load(&m->t->turn) >= m->wanted;
}

/* Threads take turns: each waits for the one before it. */
static void take_turns(void *context, r2n_team *team, int thread, int threads)
{
    turns *t = context;
    for (int turn = thread; turn < TURNS; turn += threads) {
        const my_turn m = {t, turn};
        r2n_team_wait(team, turn_is_there, &m);
        if (atomic_fetch_add(&t->turn, 1) != turn)
            atomic_store(&t->wrong, 1);
        r2n_team_tell(team);
    }
}

static void threads_wait_for_what_others_tell(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 5; threads++) {
        turns t = {0, 0};
        r2n_thread_pool_run(threads, take_turns, &t);
        assert_int_equal(atomic_load(&t.turn), TURNS);
        assert_int_equal(atomic_load(&t.wrong), 0);
    }
    r2n_thread_pool_shutdown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(affinity_and_quota_size_the_pool),
        cmocka_unit_test(the_environment_comes_before_the_machine),
        cmocka_unit_test(jobs_of_any_size_follow_each_other),
        cmocka_unit_test(threads_wait_for_what_others_tell),
        cmocka_unit_test(idle_workers_use_no_processor),
        cmocka_unit_test(a_long_wait_at_a_barrier_uses_no_processor),
        cmocka_unit_test(a_job_flushes_and_the_caller_gets_its_own_back),
        cmocka_unit_test(a_jobs_own_setting_ends_with_it),
    };
    unsetenv("RES2NET_THREADS");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
