/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as log lines, tables and pages print them, and the list of epochs. */
#include "train/records_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { DIGITS_BYTES = 400 }; /* "%.17f" of the largest double */

/* The locale's decimal point, one byte or more, becomes one '.'. */
static void put_with_point(r2n_text *text, char *digits)
{
    char *out = digits;
    for (const char *at = digits; *at != '\0'; at++) {
        if (strchr("0123456789+-e", *at) != NULL)
            *out++ = *at;
        else if (out == digits || out[-1] != '.')
            *out++ = '.';
    }
    *out = '\0';
    r2n_text_put(text, digits);
}

/* 1 where the number was not finite and is now put. */
static int put_not_finite(r2n_text *text, double number)
{
    if (isfinite(number))
        return 0;
    r2n_text_put(text, isnan(number) ? "nan" : number > 0 ? "inf" : "-inf");
    return 1;
}

void r2n_put_fixed(r2n_text *text, double number, int digits)
{
    char buffer[DIGITS_BYTES];
    if (put_not_finite(text, number))
        return;
    snprintf(buffer, sizeof buffer, "%.*f", digits, number);
    put_with_point(text, buffer);
}

void r2n_put_general(r2n_text *text, double number, int digits)
{
    char buffer[DIGITS_BYTES];
    if (put_not_finite(text, number))
        return;
    snprintf(buffer, sizeof buffer, "%.*g", digits, number);
    put_with_point(text, buffer);
}

void r2n_put_shortest(r2n_text *text, double number)
{
    enum { ENOUGH = 17 };
    char buffer[DIGITS_BYTES];
    if (put_not_finite(text, number))
        return;
    for (int digits = 1; digits <= ENOUGH; digits++) {
        snprintf(buffer, sizeof buffer, "%.*g", digits, number);
        if (strtod(buffer, NULL) == number)
            break;
    }
    if (strspn(buffer, "-0123456789") == strlen(buffer))
        strcat(buffer, ".0");
    put_with_point(text, buffer);
}

void r2n_put_duration(r2n_text *text, double seconds)
{
    enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };
    char buffer[64];
    const double most = 999999999.0 * DAY; /* Python's own limit */
    const int64_t whole = !(seconds > 0) ? 0 : (int64_t)(seconds < most ? seconds : most);
    const int64_t days = whole / DAY;
    if (days > 0) {
        snprintf(buffer, sizeof buffer, "%" PRId64 " day%s, ", days, days == 1 ? "" : "s");
        r2n_text_put(text, buffer);
    }
    snprintf(buffer, sizeof buffer, "%d:%02d:%02d", (int)(whole % DAY / HOUR),
             (int)(whole % HOUR / MINUTE), (int)(whole % MINUTE));
    r2n_text_put(text, buffer);
}

int r2n_history_add(r2n_history *history, const r2n_epoch_record *record)
{
    if (!r2n_grow((void **)&history->rows, &history->capacity, history->count + 1,
                  sizeof *history->rows))
        return 0;
    history->rows[history->count++] = *record;
    return 1;
}

int64_t r2n_history_best(const r2n_history *history)
{
    int64_t best = -1;
    for (size_t i = 0; i < history->count; i++)
        if (history->rows[i].evaluated &&
            (best < 0 || history->rows[i].eval_top1 > history->rows[best].eval_top1))
            best = (int64_t)i;
    return best;
}
