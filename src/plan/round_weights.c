/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounds the weights of an output channel to levels so that their sum is kept.
 *
 * What a convolution reads is never negative, so that its weights' rounding errors add up to a
 * shift of the result: the error of the sum of weights, times the mean of the input. Rounding a few
 * weights, those nearest to the middle between two levels, to the other side takes it away.
 */
#include <math.h>

#include "plan/plan_internal.h"

/* A weight on its way to a level. */
typedef struct candidate {
    float off;     /* level - weight, times the sign of the sum of these; 0: none */
    int64_t index; /* of equal ones the first comes first */
} candidate;

static float off_of(float value, float step, float sign)
{
    const float level = (float)r2n_int8_level(value, step);
    if (level * sign <= -R2N_INT8_MAXIMUM) /* there is no level beyond */
        return 0;
    return (level - value / step) * sign;
}

static int comes_before(candidate a, candidate b)
{
    return a.off > b.off || (a.off >= b.off && a.index < b.index);
}

/* The best candidate after `last`. */
static candidate next_candidate(const float *row, int64_t count, float step, float sign,
                                candidate last)
{
    candidate best = {0, count};
    for (int64_t i = 0; i < count; i++) {
        const candidate one = {off_of(row[i], step, sign), i};
        if (comes_before(last, one) && comes_before(one, best))
            best = one;
    }
    return best;
}

void r2n_round_row(float *row, int64_t count, float step)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)((float)r2n_int8_level(row[i], step) - row[i] / step);
    const float sign = sum > 0 ? 1 : -1;
    candidate last = {2, -1};
    for (int64_t left = (int64_t)nearbyint(fabs(sum)); left > 0; left--) {
        const candidate next = next_candidate(row, count, step, sign, last);
        if (next.off <= 0)
            break;
        last = next;
    }
    for (int64_t i = 0; i < count; i++) {
        const candidate one = {off_of(row[i], step, sign), i};
        float level = (float)r2n_int8_level(row[i], step);
        if (one.off > 0 && !comes_before(last, one))
            level -= sign;
        row[i] = level * step;
    }
}
