/* SPDX-License-Identifier: Apache-2.0 */
/* For train_parts.py: answers each line of standard input (tests/unit/train_parts.h) with a line of
 * numbers. */
#include <stdio.h>

#include "unit/train_parts.h"

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, stdin) > 0) {
        train_answer answer = train_parts_answer(line);
        for (size_t i = 0; i < answer.count; i++)
            printf("%s%.17g", i == 0 ? "" : " ", answer.numbers[i]);
        putchar('\n');
        r2n_free(answer.numbers);
    }
    free(line);
    return 0;
}
