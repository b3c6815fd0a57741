/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batch norm's gradients, alone, with a ReLU, and with an addition and a ReLU: statistics, the sums
 * over g and over g * (x - mean), then the gradient by x from their coefficients.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/grad.h"

enum { IMAGES = 3, ROWS = 3, COLUMNS = 4, PIXELS = IMAGES * ROWS * COLUMNS, CHANNELS = 21 };
enum { MEAN, SCALE, SHIFT, BY_GRADIENT, BY_INPUT, CONSTANT, TABLES };

static const double epsilon = 1e-5;

typedef struct setting {
    int32_t mask;
    numbers x, weight, bias, addend, r; /* the addend: with R2N_MASK_OF_RESULT */
} setting;

/* Mean and 1 / sqrt(variance + epsilon) of a channel. */
static void measure(const setting *s, int32_t n, double *mean, double *inverse)
{
    double sum = 0, square = 0;
    for (int32_t pixel = 0; pixel < PIXELS; pixel++)
        sum += s->x.values[pixel * CHANNELS + n];
    *mean = sum / PIXELS;
    for (int32_t pixel = 0; pixel < PIXELS; pixel++)
        square += pow(s->x.values[pixel * CHANNELS + n] - *mean, 2);
    *inverse = 1 / sqrt(square / PIXELS + epsilon);
}

static double loss(const void *context)
{
    const setting *s = context;
    double sum = 0;
    for (int32_t n = 0; n < CHANNELS; n++) {
        double mean, inverse;
        measure(s, n, &mean, &inverse);
        for (int32_t pixel = 0; pixel < PIXELS; pixel++) {
            const int64_t at = pixel * CHANNELS + n;
            double y = (s->x.values[at] - mean) * inverse * s->weight.values[n] + s->bias.values[n];
            if (s->mask == R2N_MASK_OF_RESULT)
                y += s->addend.values[at];
            if (s->mask != R2N_MASK_NONE && y < 0)
                y = 0;
            sum += y * s->r.values[at];
        }
    }
    return sum;
}

static r2n_view dense(int64_t offset)
{
    return (r2n_view){.offset = offset,
                      .image_pitch = ROWS * COLUMNS * CHANNELS,
                      .row_pitch = COLUMNS * CHANNELS,
                      .pixel_pitch = CHANNELS,
                      .groups = 1,
                      .group_channels = CHANNELS};
}

typedef struct tables {
    float values[TABLES][CHANNELS];
    double sums[2][CHANNELS];
} tables;

/* From the statistics' sums. */
static void set_forward(const setting *s, tables *t)
{
    for (int32_t n = 0; n < CHANNELS; n++) {
        const double mean = t->sums[0][n] / PIXELS;
        const double variance = t->sums[1][n] / PIXELS - mean * mean;
        const double scale = s->weight.values[n] / sqrt(variance + epsilon);
        t->values[MEAN][n] = (float)mean;
        t->values[SCALE][n] = (float)scale;
        t->values[SHIFT][n] = (float)(s->bias.values[n] - mean * scale);
    }
}

/* From the sums of batch norm backwards; also the gradients by weight and bias. */
static void set_backward(const setting *s, tables *t, float *by_weight, float *by_bias)
{
    for (int32_t n = 0; n < CHANNELS; n++) {
        double mean, inverse;
        measure(s, n, &mean, &inverse);
        const double k = s->weight.values[n] * inverse;
        t->values[BY_GRADIENT][n] = (float)k;
        t->values[BY_INPUT][n] = (float)(-k * inverse * inverse * t->sums[1][n] / PIXELS);
        t->values[CONSTANT][n] = (float)(-k * t->sums[0][n] / PIXELS);
        by_weight[n] = (float)(t->sums[1][n] * inverse);
        by_bias[n] = (float)t->sums[0][n];
    }
}

/* What stands before the ReLU, and the sign of what comes out: enough for a mask. */
static void put_result(const setting *s, const tables *t, float *result)
{
    for (int64_t at = 0; at < s->x.count; at++) {
        const int64_t n = at % CHANNELS;
        result[at] = (float)(s->x.values[at] * (double)t->values[SCALE][n] +
                             (double)t->values[SHIFT][n] + s->addend.values[at]);
    }
}

static void check_norm_slopes(problem *p, const setting *s, r2n_isa isa)
{
    const int64_t count = s->x.count;
    const int32_t rows = IMAGES * ROWS;
    float *block = grad_memory(3 * count, sizeof *block);
    float by_weight[CHANNELS], by_bias[CHANNELS];
    tables t;
    for (int64_t i = 0; i < count; i++) {
        block[i] = (float)s->x.values[i];
        block[count + i] = (float)s->r.values[i];
    }
    const r2n_statistics_arguments statistics = {IMAGES, ROWS,     COLUMNS,   CHANNELS,
                                                 rows,   dense(0), t.sums[0], t.sums[1]};
    run_best(R2N_OPERATION_STATISTICS, isa, &statistics, block, rows, CHANNELS);
    set_forward(s, &t);
    put_result(s, &t, block + 2 * count);
    const r2n_norm_sums_arguments sums = {.images = IMAGES,
                                          .rows = ROWS,
                                          .columns = COLUMNS,
                                          .channels = CHANNELS,
                                          .part_rows = rows,
                                          .mask = s->mask,
                                          .scale = t.values[SCALE],
                                          .shift = t.values[SHIFT],
                                          .mean = t.values[MEAN],
                                          .gradient = dense(count),
                                          .input = dense(0),
                                          .result = dense(2 * count),
                                          .sums = t.sums[0],
                                          .products = t.sums[1]};
    run_best(R2N_OPERATION_NORM_SUMS, isa, &sums, block, rows, CHANNELS);
    if (s->mask == R2N_MASK_OF_RESULT)
        compare_slopes(p, isa, "addend", s->addend, block + count);
    set_backward(s, &t, by_weight, by_bias);
    const int32_t rest = s->mask == R2N_MASK_OF_INPUT ? R2N_MASK_OF_INPUT : R2N_MASK_NONE;
    const r2n_norm_gradient_arguments gradient = {.images = IMAGES,
                                                  .rows = ROWS,
                                                  .columns = COLUMNS,
                                                  .channels = CHANNELS,
                                                  .mask = rest,
                                                  .scale = t.values[SCALE],
                                                  .shift = t.values[SHIFT],
                                                  .mean = t.values[MEAN],
                                                  .by_gradient = t.values[BY_GRADIENT],
                                                  .by_input = t.values[BY_INPUT],
                                                  .constant = t.values[CONSTANT],
                                                  .gradient = dense(count),
                                                  .input = dense(0),
                                                  .output = dense(count)};
    run_best(R2N_OPERATION_NORM_GRADIENT, isa, &gradient, block, rows, CHANNELS);
    compare_slopes(p, isa, "input", s->x, block + count);
    compare_slopes(p, isa, "weight", s->weight, by_weight);
    compare_slopes(p, isa, "bias", s->bias, by_bias);
    r2n_free(block);
}

void grad_norm(problem *p)
{
    static const char *const texts[] = {"batch norm", "batch norm, ReLU",
                                        "batch norm, addition, ReLU"};
    for (int32_t mask = R2N_MASK_NONE; mask <= R2N_MASK_OF_RESULT; mask++) {
        setting s = {.mask = mask};
        s.x = random_numbers(p->random, PIXELS * CHANNELS);
        s.addend = random_numbers(p->random, PIXELS * CHANNELS);
        s.r = random_numbers(p->random, PIXELS * CHANNELS);
        s.weight = random_numbers(p->random, CHANNELS);
        s.bias = random_numbers(p->random, CHANNELS);
        p->text = texts[mask];
        p->loss = loss;
        p->context = &s;
        for (r2n_isa isa = R2N_ISA_REFERENCE; isa <= p->options->isa; isa++)
            check_norm_slopes(p, &s, isa);
        r2n_free(s.x.values);
        r2n_free(s.addend.values);
        r2n_free(s.r.values);
        r2n_free(s.weight.values);
        r2n_free(s.bias.values);
    }
}
