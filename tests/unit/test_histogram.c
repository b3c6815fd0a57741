/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms count the same in any order, and the scale they choose is the best one that a search
 * over the values themselves finds. */
#include "unit/expect.h"

#include <math.h>

#include "quantize/histogram.h"

enum { VALUES = 20000 };

static float values[VALUES];
static r2n_histogram one, two, three;
static uint32_t state;

static double uniform(void)
{
    state = state * 1664525u + 1013904223u;
    return ((double)(state >> 8) + 0.5) / 16777216.0;
}

/* A ReLU's result: zeros, and a tail of exponential, Gaussian or uniform values; `outliers` of them
 * are far out. */
static void make_values(int kind, double size, int outliers)
{
    state = (uint32_t)kind * 77 + (uint32_t)outliers + 1;
    for (int i = 0; i < VALUES; i++) {
        const double u = uniform(), w = uniform();
        double v = kind == 0   ? -log(u)
                   : kind == 1 ? fmax(0, sqrt(-2 * log(u)) * cos(6.283185307179586 * w))
                               : u;
        if (i < outliers)
            v = 20 + 10 * u;
        values[i] = (float)(v * size);
    }
}

static double error_of(int levels, double scale)
{
    double sum = 0;
    for (int i = 0; i < VALUES; i++) {
        const double off = (double)values[i] - scale * fmin(nearbyint(values[i] / scale), levels);
        sum += off * off;
    }
    return sum;
}

static void the_scale_is_the_best_one(void **unused)
{
    static const double sizes[] = {1e-6, 0.37, 1, 5e4};
    static const int outliers[] = {0, 1, 20}, levels[] = {127, 63};
    (void)unused;
    for (int kind = 0; kind < 3; kind++)
        for (int s = 0; s < 4; s++)
            for (int o = 0; o < 3; o++)
                for (int l = 0; l < 2; l++) {
                    double least = INFINITY;
                    float largest = 0;
                    make_values(kind, sizes[s], outliers[o]);
                    for (int i = 0; i < VALUES; i++)
                        largest = fmaxf(largest, values[i]);
                    for (int i = 50; i <= 1000; i += 5)
                        least = fmin(
                            least, error_of(levels[l], (double)largest * i / (1000.0 * levels[l])));
                    r2n_histogram_clear(&one);
                    r2n_histogram_add(&one, values, VALUES);
                    const float scale = r2n_histogram_scale(&one, levels[l]);
                    const double error = error_of(levels[l], (double)scale);
                    if (!(error <= 1.02 * least))
                        fail_msg("kind %d, size %g, %d outliers, %d levels: %g, not %g", kind,
                                 sizes[s], outliers[o], levels[l], error, least);
                    assert_true(fabs(r2n_histogram_error(&one, levels[l], scale) / error - 1) <
                                0.05);
                }
}

/* Cutting off pays where few values are far out: the check would be idle if it never did. */
static void outliers_are_cut_off(void **unused)
{
    (void)unused;
    make_values(0, 1, 1);
    r2n_histogram_clear(&one);
    r2n_histogram_add(&one, values, VALUES);
    assert_true(r2n_histogram_scale(&one, 15) < 0.5f * one.largest / 15);
    make_values(2, 1, 0);
    r2n_histogram_clear(&one);
    r2n_histogram_add(&one, values, VALUES);
    assert_true(r2n_histogram_scale(&one, 127) > 0.98f * one.largest / 127);
}

static void order_and_shares_change_nothing(void **unused)
{
    (void)unused;
    make_values(0, 3, 5);
    for (int i = 0; i < VALUES; i += 3)
        values[i] = -values[i];
    r2n_histogram_clear(&one);
    r2n_histogram_add(&one, values, VALUES);
    assert_true(one.largest > 60 && one.exponent == 7);
    /* One by one from the end. */
    r2n_histogram_clear(&two);
    for (int i = VALUES - 1; i >= 0; i--)
        r2n_histogram_add(&two, values + i, 1);
    assert_memory_equal(&one, &two, sizeof one);
    /* In three unequal shares, merged in another order. */
    r2n_histogram_clear(&two);
    r2n_histogram_clear(&three);
    r2n_histogram_add(&two, values + 19000, VALUES - 19000);
    r2n_histogram_add(&three, values + 4, 18996);
    r2n_histogram_merge(&two, &three);
    r2n_histogram_clear(&three);
    r2n_histogram_merge(&two, &three); /* nothing */
    r2n_histogram_add(&three, values, 4);
    r2n_histogram_merge(&three, &two);
    assert_memory_equal(&one, &three, sizeof one);
}

static void strange_values(void **unused)
{
    static const float nothing[3] = {0, -0.0f, 0};
    const float strange[4] = {1, INFINITY, NAN, 3e38f};
    (void)unused;
    r2n_histogram_clear(&one);
    r2n_histogram_add(&one, nothing, 3);
    assert_true(one.largest <= 0 && one.strange == 0);
    const float scale = r2n_histogram_scale(&one, 127);
    assert_true(scale > 0 && scale < 1e-5f);
    r2n_histogram_add(&one, strange, 4);
    assert_int_equal(one.strange, 3);
    /* The largest and the smallest numbers that are counted. */
    const float ends[2] = {1e36f, 1e-36f};
    r2n_histogram_clear(&one);
    r2n_histogram_add(&one, ends, 2);
    assert_int_equal(one.strange, 0);
    assert_true(one.counts[0] == 1 && isnormal(r2n_histogram_scale(&one, 127)));
    r2n_histogram_clear(&one);
    r2n_histogram_add(&one, ends + 1, 1);
    assert_true(isnormal(r2n_histogram_scale(&one, 127)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scale_is_the_best_one),
        cmocka_unit_test(outliers_are_cut_off),
        cmocka_unit_test(order_and_shares_change_nothing),
        cmocka_unit_test(strange_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
