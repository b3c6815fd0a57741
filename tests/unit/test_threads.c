/* SPDX-License-Identifier: Apache-2.0 */
/* One model under many threads: answers equal to the serial ones bit for bit, what a run leaves of
 * the caller's thread, and forked children. RES2NET_SOAK=1 takes Res2Net50 (./run soak). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fenv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "res2net/res2net.h"
#include "unit/sanitizers.h"

#define SMALL "cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=10"
enum { CALLERS = 8, SIDES = 9, CLASSES = 1000, LARGEST = 288 };

/* What all callers share. `callers` of them make `calls` each. */
typedef struct scene {
    const res2net_model *model;
    int first_side, side_step; /* sides first, first + step, ...: SIDES of them */
    int calls;
    int classes;
    float (*expected)[CLASSES]; /* [SIDES] */
    _Atomic int wrong;
} scene;

typedef struct caller {
    scene *scene;
    int number;
} caller;

static float input[3 * LARGEST * LARGEST];

static void fill_noise(void)
{
    for (size_t i = 0; i < sizeof input / sizeof *input; i++)
        input[i] = (float)((uint32_t)i * 2654435761u >> 16) / 16384.0f - 2.0f;
}

static int side_of(const scene *s, int index)
{
    return s->first_side + s->side_step * (index % SIDES);
}

/* Sessions of one to three threads, and of as many as there are. */
static void *call(void *argument)
{
    const caller *c = argument;
    scene *s = c->scene;
    const res2net_session_options options = {.threads = c->number % 4};
    res2net_session *session = NULL;
    float *logits = calloc(CLASSES, sizeof *logits);
    if (logits == NULL || res2net_session_create(s->model, &options, &session, NULL) != RES2NET_OK)
        atomic_fetch_add(&s->wrong, 1);
    for (int i = 0; i < s->calls && session != NULL; i++) {
        const int index = (i + c->number) % SIDES; /* neighbours have other sizes */
        const int side = side_of(s, index);
        if (res2net_session_run(session, input, 1, side, side, logits, NULL) != RES2NET_OK ||
            memcmp(logits, s->expected[index], (size_t)s->classes * sizeof *logits) != 0)
            atomic_fetch_add(&s->wrong, 1);
    }
    res2net_session_destroy(session);
    free(logits);
    return NULL;
}

static void answer_serially(scene *s)
{
    const res2net_session_options alone = {.threads = 1};
    res2net_session *session;
    assert_int_equal(res2net_session_create(s->model, &alone, &session, NULL), RES2NET_OK);
    for (int i = 0; i < SIDES; i++)
        assert_int_equal(res2net_session_run(session, input, 1, side_of(s, i), side_of(s, i),
                                             s->expected[i], NULL),
                         RES2NET_OK);
    for (int i = 1; i < SIDES; i++) /* else a mix-up of sizes would pass */
        assert_memory_not_equal(s->expected[i], s->expected[i - 1],
                                (size_t)s->classes * sizeof **s->expected);
    res2net_session_destroy(session);
}

static void threads_share_a_model(void **state)
{
    (void)state;
    static float expected[SIDES][CLASSES];
    const int soak = getenv("RES2NET_SOAK") != NULL;
    res2net_model *model;
    res2net_model_info info;
    pthread_t threads[CALLERS];
    caller callers[CALLERS];
    assert_int_equal(res2net_model_create(soak ? "Res2Net50_26w_4s" : SMALL, RES2NET_FAMILY_PADDLE,
                                          3, &model, NULL),
                     RES2NET_OK);
    res2net_model_describe(model, &info);
    scene s = {.model = model,
               .first_side = soak ? 192 : 32,
               .side_step = soak ? 12 : 4,
               .calls = soak || !R2N_SANITIZED ? 1000 : 40,
               .classes = info.classes,
               .expected = expected};
    answer_serially(&s);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller){.scene = &s, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(s.wrong, 0);
    res2net_model_destroy(model);
}

/* ---- the caller's arithmetic ---- */

/* Subnormal pictures, in a thread that rounds another way: the answers of a zero picture (they are
 * flushed), and the caller's rounding and flush bits as they were. */
static void the_callers_arithmetic_is_restored(void **state)
{
    (void)state;
    enum { SIDE = 33, FLOATS = 3 * SIDE * SIDE };
    static float zero[FLOATS], tiny[FLOATS];
    float expected[10], logits[10];
    res2net_model *model;
    res2net_session *session;
    const char *isa, *missing;
    for (int i = 0; i < FLOATS; i++)
        tiny[i] = i % 2 ? 1e-40f : -3e-42f;
    assert_int_equal(res2net_model_create(SMALL, RES2NET_FAMILY_TORCH, 5, &model, NULL),
                     RES2NET_OK);
    for (int i = 0; res2net_system_isa(i, &isa, &missing); i++)
        for (int threads = 1; threads <= 2 && missing == NULL; threads++) {
            const res2net_session_options options = {.isa = isa, .threads = threads};
            assert_int_equal(res2net_session_create(model, &options, &session, NULL), RES2NET_OK);
            assert_int_equal(res2net_session_run(session, zero, 1, SIDE, SIDE, expected, NULL),
                             RES2NET_OK);
            assert_int_equal(fesetround(FE_UPWARD), 0);
#if defined(__x86_64__)
            const unsigned before = _mm_getcsr();
#endif
            const res2net_status status =
                res2net_session_run(session, tiny, 1, SIDE, SIDE, logits, NULL);
#if defined(__x86_64__)
            assert_int_equal(_mm_getcsr() & ~0x3fu, before & ~0x3fu); /* without the sticky flags */
            assert_int_equal(_mm_getcsr() & 0x8040u, 0);
            assert_memory_equal(logits, expected, sizeof expected);
#endif
            assert_int_equal(fegetround(), FE_UPWARD);
            assert_int_equal(fesetround(FE_TONEAREST), 0);
            assert_int_equal(status, RES2NET_OK);
            res2net_session_destroy(session);
        }
    res2net_model_destroy(model);
}

/* ---- fork ---- */

/* A child has none of its parent's workers: it must not wait for them. */
static void a_forked_child_answers_too(void **state)
{
    (void)state;
    enum { SIDE = 40 };
    float expected[10], logits[10];
    const res2net_session_options options = {.threads = 2};
    res2net_model *model;
    res2net_session *session;
    int status;
    assert_int_equal(res2net_model_create(SMALL, RES2NET_FAMILY_TORCH, 7, &model, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_session_create(model, &options, &session, NULL), RES2NET_OK);
    assert_int_equal(res2net_session_run(session, input, 1, SIDE, SIDE, expected, NULL),
                     RES2NET_OK);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60); /* a child that waits for ever is ended */
        const int same =
            res2net_session_run(session, input, 1, SIDE, SIDE, logits, NULL) == RES2NET_OK &&
            memcmp(logits, expected, sizeof expected) == 0;
        _exit(same ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_a_model),
        cmocka_unit_test(the_callers_arithmetic_is_restored),
        cmocka_unit_test(a_forked_child_answers_too),
    };
    const struct CMUnitTest without_fork[] = {
        cmocka_unit_test(threads_share_a_model),
        cmocka_unit_test(the_callers_arithmetic_is_restored),
    };
    fill_noise();
    /* The thread sanitizer ends children that start threads. */
    return R2N_THREAD_SANITIZED ? cmocka_run_group_tests(without_fork, NULL, NULL)
                                : cmocka_run_group_tests(tests, NULL, NULL);
}
