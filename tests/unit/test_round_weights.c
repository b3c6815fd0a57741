/* SPDX-License-Identifier: Apache-2.0 */
/* Levels that keep the sum of a channel's weights, moving as few of them as that takes. */
#include "unit/expect.h"

#include <math.h>

#include "plan/plan_internal.h"

enum { MOST = 700 };

static uint32_t state = 3;

static float noise(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)((double)(state >> 8) / 8388608.0 - 1.0);
}

static void the_sum_is_kept(void **unused)
{
    static float row[MOST], before[MOST];
    int moved_in_all = 0;
    (void)unused;
    for (int count = 1; count <= MOST; count += 37)
        for (int kind = 0; kind < 3; kind++) {
            const float shift = kind == 2 ? 0.4f : 0;
            float largest = 0;
            for (int i = 0; i < count; i++) {
                before[i] = kind == 1 && i % 4 == 3 ? 0 : noise() * noise() + shift;
                largest = fmaxf(largest, fabsf(before[i]));
                row[i] = before[i];
            }
            const float step = largest / R2N_INT8_MAXIMUM;
            r2n_round_row(row, count, step);
            double sum = 0, nearest = 0;
            float least_moved = 1, most_left = 0;
            int moved = 0;
            for (int i = 0; i < count; i++)
                nearest += (double)((float)r2n_int8_level(before[i], step) - before[i] / step);
            const float sign = nearest > 0 ? 1 : -1;
            for (int i = 0; i < count; i++) {
                const int32_t level = r2n_int8_level(row[i], step);
                const int32_t rounded = r2n_int8_level(before[i], step);
                const float off = ((float)rounded - before[i] / step) * sign;
                assert_true(fabsf((float)level * step - row[i]) <= 0); /* exactly a level */
                sum += (double)((float)level - before[i] / step);
                if (level != rounded) {
                    assert_int_equal(level, rounded - (int32_t)sign);
                    moved++;
                    least_moved = fminf(least_moved, off);
                } else {
                    most_left = fmaxf(most_left, off);
                }
                if (before[i] <= 0 && before[i] >= 0)
                    assert_int_equal(level, 0);
            }
            assert_true(fabs(sum) <= 0.5 + 1e-4);
            assert_int_equal(moved, (int)nearbyint(fabs(nearest)));
            assert_true(moved == 0 || least_moved >= most_left);
            moved_in_all += moved;
        }
    assert_true(moved_in_all > 50);
}

/* Nothing lies beyond the last level, and equal weights move one by one, the first ones first. */
static void ends_and_ties(void **unused)
{
    float equal[6] = {127, 10.4f, 10.4f, 10.4f, 10.4f, 10.4f};
    float ends[3] = {-127.4f, -127.4f, 127.4f};
    float zeros[2] = {0, 0};
    (void)unused;
    r2n_round_row(equal, 6, 1); /* -2.0 in all */
    for (int i = 1; i < 6; i++)
        assert_true(fabsf(equal[i] - (i <= 2 ? 11.0f : 10.0f)) <= 0);
    r2n_round_row(ends, 3, 1);
    assert_true(ends[0] >= -127 && ends[0] <= -126 && ends[2] <= 127);
    r2n_round_row(zeros, 2, 1);
    assert_true(fabsf(zeros[0]) <= 0 && fabsf(zeros[1]) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_kept),
        cmocka_unit_test(ends_and_ties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
