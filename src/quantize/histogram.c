/* SPDX-License-Identifier: Apache-2.0 */
#include "quantize/histogram.h"

#include <math.h>
#include <string.h>

enum { BINS = R2N_HISTOGRAM_BINS };

void r2n_histogram_clear(r2n_histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
    histogram->exponent = R2N_HISTOGRAM_LOWEST_EXPONENT;
}

/* Widens the bins until they cover 2^exponent. */
static void widen(r2n_histogram *histogram, int32_t exponent)
{
    if (histogram->largest <= 0 && histogram->exponent < exponent)
        histogram->exponent = exponent;
    for (; histogram->exponent < exponent; histogram->exponent++) {
        uint64_t *counts = histogram->counts;
        for (int i = 0; i < BINS / 2; i++)
            counts[i] = counts[2 * i] + counts[2 * i + 1];
        memset(counts + BINS / 2, 0, BINS / 2 * sizeof *counts);
    }
}

/* The largest size among values that can be counted. */
static float largest_of(const float *values, int64_t count, int32_t *strange)
{
    const float limit = ldexpf(1, R2N_HISTOGRAM_HIGHEST_EXPONENT);
    float largest = 0;
    for (int64_t i = 0; i < count; i++) {
        const float size = fabsf(values[i]);
        if (!(size < limit))
            ++*strange;
        else if (size > largest)
            largest = size;
    }
    return largest;
}

void r2n_histogram_add(r2n_histogram *histogram, const float *values, int64_t count)
{
    const int32_t strange = histogram->strange;
    const float largest = largest_of(values, count, &histogram->strange);
    int exponent;
    if (largest <= 0 || histogram->strange > strange) /* strange ones end the calibration */
        return;
    frexpf(largest, &exponent); /* largest < 2^exponent */
    widen(histogram, exponent);
    histogram->largest = fmaxf(histogram->largest, largest);
    const float bins_in_one = ldexpf(BINS, -histogram->exponent);
    for (int64_t i = 0; i < count; i++)
        if (values[i] > 0 || values[i] < 0)
            histogram->counts[(int32_t)(fabsf(values[i]) * bins_in_one)]++;
}

void r2n_histogram_merge(r2n_histogram *histogram, r2n_histogram *from)
{
    widen(histogram, from->exponent);
    widen(from, histogram->exponent);
    histogram->strange += from->strange;
    histogram->largest = fmaxf(histogram->largest, from->largest);
    for (int i = 0; i < BINS; i++)
        histogram->counts[i] += from->counts[i];
}

/* ---- choosing a scale ---- */

double r2n_histogram_error(const r2n_histogram *histogram, int32_t levels, float scale)
{
    const double width = ldexp(1.0 / BINS, histogram->exponent);
    double sum = 0;
    for (int i = 0; i < BINS; i++) {
        if (histogram->counts[i] == 0)
            continue;
        const double value = (i + 0.5) * width;
        const double level = fmin(nearbyint(value / (double)scale), levels);
        const double off = value - level * (double)scale;
        sum += off * off * (double)histogram->counts[i];
    }
    return sum;
}

float r2n_histogram_scale(const r2n_histogram *histogram, int32_t levels)
{
    enum { STEPS = 128, LEAST = 16 }; /* of the largest value: where values are cut off */
    const float never_seen = ldexpf(1, -20);
    float best = histogram->largest / (float)levels;
    if (!(histogram->largest > ldexpf(1, R2N_HISTOGRAM_LOWEST_EXPONENT)))
        return never_seen;
    double least = r2n_histogram_error(histogram, levels, best);
    for (int step = STEPS - 1; step >= LEAST; step--) {
        const float scale = histogram->largest * (float)step / (float)(STEPS * levels);
        const double error = r2n_histogram_error(histogram, levels, scale);
        if (error < least) {
            least = error;
            best = scale;
        }
    }
    return best;
}
