/* SPDX-License-Identifier: Apache-2.0 */
/* What no schedule can be, what is told, and what Paddle's scheduler would save of itself. The
 * rates themselves: test_train_parts.c. */
#include <math.h>

#include "train/learning_rate.h"
#include "unit/expect.h"

static r2n_schedule cosine(double warmup)
{
    return (r2n_schedule){.kind = R2N_SCHEDULE_COSINE,
                          .rate = 0.1,
                          .epochs = 4,
                          .iterations = 5,
                          .warmup_epochs = warmup};
}

static void expect_refused(r2n_schedule schedule, const char *words)
{
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_schedule_check(&schedule, report), RES2NET_INVALID_ARGUMENT);
    expect_problem(report, RES2NET_INVALID_ARGUMENT, words);
    res2net_report_destroy(report);
}

static void test_refused(void **state)
{
    (void)state;
    r2n_schedule s = cosine(0);
    assert_int_equal(r2n_schedule_check(&s, NULL), RES2NET_OK);
    s.rate = -0.1;
    expect_refused(s, "learning_rate");
    s = cosine(0);
    s.minimum = NAN;
    expect_refused(s, "eta_min");
    s = cosine(0);
    s.epochs = 0;
    expect_refused(s, "epochs");
    s = cosine(1);
    s.warmup_start = 0.1;
    expect_refused(s, "warmup_start_lr");
    expect_refused(cosine(-1), "warmup_epoch");
    expect_refused(cosine(NAN), "warmup_epoch");
    s = (r2n_schedule){.kind = R2N_SCHEDULE_LINEAR, .rate = 0.1, .epochs = 1};
    expect_refused(s, "power");
    s.kind = R2N_SCHEDULE_STEP;
    expect_refused(s, "step_size");
    s.step_epochs = 1;
    s.gamma = 1.5;
    expect_refused(s, "gamma");
    s.kind = R2N_SCHEDULE_PIECEWISE;
    expect_refused(s, "decay_epochs");
    s.points = 2;
    s.at[0] = s.at[1] = 3;
    expect_refused(s, "grow");
    s.at[1] = 4;
    s.values[2] = -1;
    expect_refused(s, "values");
    s.points = R2N_SCHEDULE_POINTS + 1;
    expect_refused(s, "64");
}

static void test_warmup_is_cut(void **state)
{
    (void)state;
    res2net_report *report = res2net_report_create();
    r2n_schedule s = cosine(9);
    assert_int_equal(r2n_schedule_check(&s, report), RES2NET_OK);
    expect_problem(report, RES2NET_OK, "9 is more than the run's 4 epochs");
    assert_true(s.warmup_epochs == 4);
    assert_true(fabs(r2n_schedule_rate(&s, 10) - 0.05) < 1e-12);
    assert_true(r2n_schedule_rate(&s, 20) == 0.1 && r2n_schedule_rate(&s, 99) == 0.1);
    s = cosine(4);
    assert_int_equal(r2n_schedule_check(&s, report), RES2NET_OK);
    assert_int_equal(res2net_report_count(report), 0);
    res2net_report_destroy(report);
}

static void test_classes(void **state)
{
    (void)state;
    const char *const names[] = {"LRScheduler", "CosineAnnealingDecay", "PolynomialDecay",
                                 "StepDecay",   "MultiStepDecay",       "PiecewiseDecay"};
    for (int kind = R2N_SCHEDULE_CONSTANT; kind <= R2N_SCHEDULE_PIECEWISE; kind++) {
        r2n_schedule s = cosine(0);
        s.kind = (r2n_schedule_kind)kind;
        assert_string_equal(r2n_schedule_class(&s), names[kind]);
        s.warmup_epochs = 1;
        assert_string_equal(r2n_schedule_class(&s), "LinearWarmup");
        s.warmup_epochs = 0.01; /* rounds to no step */
        assert_string_equal(r2n_schedule_class(&s), names[kind]);
    }
}

static void test_place(void **state)
{
    (void)state;
    r2n_schedule s = cosine(1);
    r2n_schedule_place place = r2n_schedule_where(&s, 2);
    assert_true(place.warms_up && place.decays && place.step == 2 && place.decay_step == 0);
    assert_true(fabs(place.rate - 0.04) < 1e-12 && place.decay_rate == 0.1);
    place = r2n_schedule_where(&s, 11);
    assert_true(place.step == 11 && place.decay_step == 6);
    assert_true(place.rate == place.decay_rate && place.rate == r2n_schedule_rate(&s, 11));
    s = cosine(0);
    s.by_epoch = 1;
    place = r2n_schedule_where(&s, 11);
    assert_true(!place.warms_up && place.step == 2 && place.rate == r2n_schedule_rate(&s, 10));
    s = cosine(4);
    assert_true(!r2n_schedule_where(&s, 3).decays);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_warmup_is_cut),
        cmocka_unit_test(test_classes), cmocka_unit_test(test_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
