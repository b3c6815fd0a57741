/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, gradients that are not finite, frozen tensors, averages. The steps themselves:
 * test_train_parts.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "train/optimiser.h"
#include "train/random.h"

/* Several chunks, one of them short; a tensor as small as they get. */
enum { FIRST = 50000 / 16 * 16, SECOND = 16, THIRD = 20000 / 16 * 16, RANGES = 3 };
enum { COUNT = FIRST + SECOND + THIRD };

typedef struct blocks {
    float parameters[COUNT], gradients[COUNT], states[R2N_OPTIMISER_STATES][COUNT];
    r2n_optimiser_progress progress;
} blocks;

static const r2n_parameter_range ranges[RANGES] = {
    {0, FIRST, 1, 0}, {FIRST, SECOND, 0, 0}, {FIRST + SECOND, THIRD, 1, 0}};

static const r2n_optimiser_options options[] = {
    {.kind = R2N_OPTIMISER_SGD, .decay = 0.1, .l1 = 0.01, .clip_value = 2},
    {.kind = R2N_OPTIMISER_MOMENTUM, .momentum = 0.9, .decay = 1e-2, .clip_global_norm = 3},
    {.kind = R2N_OPTIMISER_MOMENTUM, .momentum = 0.9, .nesterov = 1, .clip_norm = 1},
    {.kind = R2N_OPTIMISER_ADAMW,
     .beta1 = 0.9,
     .beta2 = 0.999,
     .epsilon = 1e-8,
     .decay = 0.1,
     .clip_value = 1,
     .clip_norm = 5,
     .clip_global_norm = 4}};
enum { OPTIONS = sizeof options / sizeof options[0] };

static void fill(float *values, uint64_t number)
{
    r2n_random random = r2n_random_stream(3, R2N_RANDOM_INITIALISE, 0, number);
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)r2n_random_between(&random, -1.5, 1.5);
}

static int step(const r2n_optimiser_options *how, blocks *b, int threads)
{
    float *const states[] = {b->states[0], b->states[1]};
    return r2n_optimiser_step(how, ranges, RANGES, 0.1, &b->progress, b->parameters, b->gradients,
                              states, threads);
}

static void test_threads(void **state)
{
    static blocks one, many;
    (void)state;
    for (int o = 0; o < OPTIONS; o++)
        for (int threads = 2; threads <= 3; threads++) {
            memset(&one, 0, sizeof one);
            fill(one.parameters, 0);
            many = one;
            for (uint64_t i = 1; i <= 2; i++) {
                fill(one.gradients, i);
                fill(many.gradients, i);
                assert_int_equal(step(&options[o], &one, 1), 1);
                assert_int_equal(step(&options[o], &many, threads), 1);
            }
            assert_memory_equal(&one, &many, sizeof one);
            assert_int_equal(one.progress.steps, 2);
        }
}

static void test_not_finite(void **state)
{
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    static const int places[] = {0, FIRST - 1, FIRST + 3, COUNT - 1};
    static blocks b, before;
    (void)state;
    for (int o = 0; o < OPTIONS; o++)
        for (int w = 0; w < 3; w++)
            for (int p = 0; p < 4; p++) {
                memset(&b, 0, sizeof b);
                fill(b.parameters, 0);
                fill(b.states[0], 1);
                fill(b.states[1], 2);
                fill(b.gradients, 3);
                b.progress = (r2n_optimiser_progress){7, 0.5, 0.25};
                b.gradients[places[p]] = wrong[w];
                before = b;
                assert_int_equal(step(&options[o], &b, 2), 0);
                assert_memory_equal(&b, &before, sizeof b);
            }
    b.gradients[COUNT - 1] = 3e38F; /* a finite one of any size is taken */
    assert_int_equal(step(&options[0], &b, 2), 1);
}

/* A frozen tensor stays, and what stands in its gradient counts for nothing. */
static void test_frozen(void **state)
{
    static blocks b, before;
    r2n_parameter_range frozen[RANGES];
    float *const states[] = {b.states[0], b.states[1]};
    (void)state;
    memcpy(frozen, ranges, sizeof frozen);
    frozen[0].frozen = 1;
    memset(&b, 0, sizeof b);
    fill(b.parameters, 0);
    fill(b.gradients, 1);
    b.gradients[5] = NAN;
    before = b;
    assert_int_equal(r2n_optimiser_step(&options[3], frozen, RANGES, 0.1, &b.progress, b.parameters,
                                        b.gradients, states, 2),
                     1);
    assert_memory_equal(b.parameters, before.parameters, FIRST * sizeof(float));
    assert_memory_equal(b.states[0], before.states[0], FIRST * sizeof(float));
    for (int i = FIRST; i < COUNT; i++)
        assert_true(b.parameters[i] != before.parameters[i]);
}

static void test_average(void **state)
{
    static float average[COUNT], expected[COUNT], values[COUNT];
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        fill(average, 0);
        fill(values, 1);
        for (int i = 0; i < COUNT; i++)
            expected[i] = 0.99F * average[i] + (float)(1 - 0.99) * values[i];
        r2n_average_update(0.99, average, values, COUNT - 5, threads);
        assert_memory_equal(average, expected, (COUNT - 5) * sizeof(float));
        assert_true(average[COUNT - 1] != expected[COUNT - 1]); /* the last five are left */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads), cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_frozen), cmocka_unit_test(test_average)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
