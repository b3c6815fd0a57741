/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules, losses and optimiser steps beside what the real Paddle answered:
 * tests/golden/train_parts.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "unit/train_parts.h"

static const double TOLERANCE = 1e-6;

/* Compares with the numbers of a line "= 1 2 3". */
static void expect_numbers(const char *word, const train_answer *answer, char *expected)
{
    size_t count = 0;
    char *end = expected + 1;
    for (char *at = end;; at = end, count++) {
        const double number = strtod(at, &end);
        if (end == at)
            break;
        assert_true(count < answer->count);
        if (!(fabs(answer->numbers[count] - number) <= TOLERANCE * fmax(1, fabs(number))))
            fail_msg("%.60s: number %zu is %.9g, Paddle has %.9g", word, count,
                     answer->numbers[count], number);
    }
    assert_true(count > 0);
    assert_int_equal(count, answer->count);
}

static void test_golden(void **state)
{
    enum { LINE = 65536 };
    static char word[LINE], expected[LINE];
    int cases = 0;
    FILE *file = fopen(R2N_SOURCE_DIR "/tests/golden/train_parts.txt", "r");
    (void)state;
    assert_non_null(file);
    assert_non_null(fgets(word, LINE, file)); /* versions */
    while (fgets(word, LINE, file) != NULL) {
        assert_non_null(fgets(expected, LINE, file));
        assert_true(expected[0] == '=' && strchr(expected, '\n') != NULL);
        train_answer answer = train_parts_answer(word);
        expect_numbers(word, &answer, expected);
        r2n_free(answer.numbers);
        cases++;
    }
    fclose(file);
    assert_true(cases >= 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
