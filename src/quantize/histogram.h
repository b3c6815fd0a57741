/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often values of which size are stored, and the scale that serves them best.
 *
 * Bins are equally wide and cover 0 to a power of two, which doubles when a larger value comes: two
 * bins then become one. A count therefore depends on the values alone, not on their order, nor on
 * how they were shared out among histograms that are merged afterwards.
 */
#ifndef R2N_QUANTIZE_HISTOGRAM_H
#define R2N_QUANTIZE_HISTOGRAM_H

#include <stdint.h>

enum {
    R2N_HISTOGRAM_BINS = 8192,
    R2N_HISTOGRAM_LOWEST_EXPONENT = -40,
    R2N_HISTOGRAM_HIGHEST_EXPONENT = 120
};

/* Of sizes: a negative value counts as a positive one; zeros are not counted, for any scale keeps
 * them. */
typedef struct r2n_histogram {
    int32_t exponent; /* the bins cover 0 to 2^exponent */
    int32_t strange;  /* infinite values, NaN, and those over 2^120 */
    float largest;
    uint64_t counts[R2N_HISTOGRAM_BINS];
} r2n_histogram;

void r2n_histogram_clear(r2n_histogram *histogram);
void r2n_histogram_add(r2n_histogram *histogram, const float *values, int64_t count);
/* Adds what `from` has counted; `from` is changed. */
void r2n_histogram_merge(r2n_histogram *histogram, r2n_histogram *from);

/* What one of `levels` levels shall be worth: a value v is stored as the nearest of 0 .. levels
 * times the scale. Larger values are cut off where that makes the mean of the squared errors
 * smaller. Never 0: a value that was always 0 keeps being one. */
float r2n_histogram_scale(const r2n_histogram *histogram, int32_t levels);
/* The mean of the squared errors, times the number of values counted. */
double r2n_histogram_error(const r2n_histogram *histogram, int32_t levels, float scale);

#endif
