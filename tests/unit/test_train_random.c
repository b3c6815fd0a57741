/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's sampler order is numpy's; streams do not depend on each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/random.h"

/* spec/paddleclas.md 3: numpy 1.26, RandomState(0) and RandomState(1), shuffle of range(10). */
static void test_paddle_order(void **state)
{
    (void)state;
    static const int64_t expected[2][10] = {{2, 8, 4, 9, 1, 6, 7, 3, 0, 5},
                                            {2, 9, 6, 4, 0, 3, 1, 7, 8, 5}};
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        int64_t order[10];
        r2n_shuffle_as_paddle(epoch, order, 10);
        for (int i = 0; i < 10; i++)
            assert_int_equal(order[i], expected[epoch][i]);
    }
}

static void test_streams_differ(void **state)
{
    (void)state;
    uint64_t seen[2 * 2 * 3 * 3];
    int count = 0;
    for (uint64_t seed = 0; seed < 2; seed++)
        for (int purpose = R2N_RANDOM_SHUFFLE; purpose <= R2N_RANDOM_PICTURE; purpose++)
            for (uint64_t epoch = 0; epoch < 3; epoch++)
                for (uint64_t index = 0; index < 3; index++) {
                    r2n_random random = r2n_random_stream(seed, purpose, epoch, index);
                    seen[count] = r2n_random_bits(&random);
                    for (int i = 0; i < count; i++)
                        assert_true(seen[i] != seen[count]);
                    count++;
                }
    r2n_random a = r2n_random_stream(5, R2N_RANDOM_PICTURE, 7, 9);
    r2n_random b = r2n_random_stream(5, R2N_RANDOM_PICTURE, 7, 9);
    assert_true(r2n_random_bits(&a) == r2n_random_bits(&b));
}

/* Means of many draws of a fixed stream: wide limits, no chance in them. */
static void test_distributions(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    r2n_random random = r2n_random_stream(1, R2N_RANDOM_BATCH, 0, 0);
    double unit = 0, normal = 0, squares = 0, beta = 0, beta_squares = 0;
    int64_t counts[7] = {0};
    for (int i = 0; i < DRAWS; i++) {
        unit += r2n_random_unit(&random) / DRAWS;
        const double n = r2n_random_normal(&random), b = r2n_random_beta(&random, 0.2);
        normal += n / DRAWS;
        squares += n * n / DRAWS;
        beta += b / DRAWS;
        beta_squares += b * b / DRAWS;
        counts[r2n_random_below(&random, 7)]++;
    }
    assert_true(unit > 0.49 && unit < 0.51);
    assert_true(normal > -0.03 && normal < 0.03 && squares > 0.96 && squares < 1.04);
    /* Beta(0.2, 0.2): mean 0.5, variance 0.25 / 1.4 */
    assert_true(beta > 0.48 && beta < 0.52);
    assert_true(beta_squares - beta * beta > 0.168 && beta_squares - beta * beta < 0.189);
    for (int i = 0; i < 7; i++)
        assert_true(counts[i] > DRAWS / 7 - 300 && counts[i] < DRAWS / 7 + 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_paddle_order),
                                       cmocka_unit_test(test_streams_differ),
                                       cmocka_unit_test(test_distributions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
