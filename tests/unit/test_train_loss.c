/* SPDX-License-Identifier: Apache-2.0 */
/* What Paddle is not asked about (test_train_parts.c has its answers): extremes, and the gradient
 * beside differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "train/loss.h"

enum { IMAGES = 2, CLASSES = 3 };

static const r2n_loss_options plain = {.weight = 1};

static void test_extreme_logits(void **state)
{
    (void)state;
    const float logits[IMAGES * CLASSES] = {3e38F, -3e38F, 0, -INFINITY, 5, 5};
    const int32_t labels[IMAGES] = {0, 1};
    float gradient[IMAGES * CLASSES];
    int64_t correct;
    const double loss =
        r2n_cross_entropy(&plain, IMAGES, CLASSES, logits, labels, NULL, gradient, &correct);
    assert_true(fabs(loss - log(2) / 2) < 1e-12); /* (0 + log 2) / 2 */
    assert_int_equal(correct, 2);                 /* of equal logits the first counts */
    const float expected[IMAGES * CLASSES] = {0, 0, 0, 0, -0.25F, 0.25F};
    for (int i = 0; i < IMAGES * CLASSES; i++)
        assert_true(fabsf(gradient[i] - expected[i]) < 1e-7F);
}

static void test_not_finite_is_told(void **state)
{
    (void)state;
    for (int at = 0; at < CLASSES; at++) {
        float logits[CLASSES] = {1, 2, 3}, gradient[CLASSES];
        const int32_t label = 0;
        logits[at] = at == 1 ? INFINITY : NAN;
        assert_true(
            !isfinite(r2n_cross_entropy(&plain, 1, CLASSES, logits, &label, NULL, gradient, NULL)));
        assert_true(isnan(gradient[0]));
    }
}

static void test_nobody_counts(void **state)
{
    (void)state;
    const float logits[CLASSES] = {1, 2, 3}, weights[CLASSES] = {0, 1, 1};
    const int32_t label = 0;
    float gradient[CLASSES] = {7, 7, 7};
    const r2n_loss_options options = {.weight = 1, .class_weights = weights};
    assert_true(r2n_cross_entropy(&options, 1, CLASSES, logits, &label, NULL, gradient, NULL) == 0);
    for (int i = 0; i < CLASSES; i++)
        assert_true(gradient[i] == 0);
}

static void test_gradient_is_the_slope(void **state)
{
    (void)state;
    float logits[IMAGES * CLASSES] = {0.5F, -1, 2, 0.25F, 1.5F, -0.75F};
    const float targets[IMAGES * CLASSES] = {0.7F, 0.3F, 0, 0, 0.4F, 0.6F};
    const float weights[CLASSES] = {0.5F, 2, 1};
    const r2n_loss_options options = {.weight = 0.5, .epsilon = 0.1, .class_weights = weights};
    float gradient[IMAGES * CLASSES];
    int64_t correct;
    r2n_cross_entropy(&options, IMAGES, CLASSES, logits, NULL, targets, gradient, &correct);
    assert_int_equal(correct, 0);
    for (int i = 0; i < IMAGES * CLASSES; i++) {
        const float kept = logits[i], step = 1.0F / 1024;
        logits[i] = kept + step;
        const double above =
            r2n_cross_entropy(&options, IMAGES, CLASSES, logits, NULL, targets, NULL, NULL);
        logits[i] = kept - step;
        const double below =
            r2n_cross_entropy(&options, IMAGES, CLASSES, logits, NULL, targets, NULL, NULL);
        logits[i] = kept;
        assert_true(fabs((above - below) * 512 - (double)gradient[i]) < 1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extreme_logits), cmocka_unit_test(test_not_finite_is_told),
        cmocka_unit_test(test_nobody_counts), cmocka_unit_test(test_gradient_is_the_slope)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
