/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f32 matrix products: every tail of pixels and channels, and random ones. Expected values are
 * worked out here once more, in double, apart from reference/, which is checked too.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/gemm_case.h"

enum { MOST_PIXELS = 30, MOST_BLOCKS = 5 };
enum { CASES_A_FILL = 120, LARGE_CASES = 5, STATISTICS_CASES = 20 };

/* What an element should be, and the sum of the magnitudes that rounding errors grow from. */
typedef struct expectation {
    double value, magnitude;
} expectation;

static expectation expect_output(const gemm_case *c, int32_t image, int32_t row, int32_t column,
                                 int32_t channel)
{
    const float *block = c->before.values;
    const float *weights = c->gemm.weights;
    expectation e = {c->gemm.epilogue.bias[channel], fabs(c->gemm.epilogue.bias[channel])};
    for (int32_t i = 0; i < c->gemm.source_count; i++) {
        const r2n_gemm_source *source = &c->sources[i];
        const float *a = block + source_index(source, image, row, column);
        const float *b =
            weights + ((int64_t)(channel / 16) * c->gemm.k_total + source->k_first) * 16;
        for (int32_t k = 0; k < source->channels; k++) {
            const double product = (double)a[k] * (double)b[k * 16 + channel % 16];
            e.value += product;
            e.magnitude += fabs(product);
        }
    }
    if (c->gemm.epilogue.residual_there) {
        const double residual =
            block[view_index(&c->gemm.epilogue.residual, image, row, column, channel)];
        e.value += residual;
        e.magnitude += fabs(residual);
    }
    if (c->gemm.epilogue.relu && e.value <= 0)
        e.value = 0;
    return e;
}

/* The contract's own roundings, one by one: what every vector kernel must have to the bit. */
static float round_output(const gemm_case *c, int32_t image, int32_t row, int32_t column,
                          int32_t channel)
{
    const float *block = c->before.values;
    const float *weights = c->gemm.weights;
    float sum = 0;
    for (int32_t i = 0; i < c->gemm.source_count; i++) {
        const r2n_gemm_source *source = &c->sources[i];
        const float *a = block + source_index(source, image, row, column);
        const float *b =
            weights + ((int64_t)(channel / 16) * c->gemm.k_total + source->k_first) * 16;
        for (int32_t k = 0; k < source->channels; k++)
            sum = fmaf(a[k], b[k * 16 + channel % 16], sum);
    }
    sum += c->gemm.epilogue.bias[channel];
    if (c->gemm.epilogue.residual_there)
        sum += block[view_index(&c->gemm.epilogue.residual, image, row, column, channel)];
    return c->gemm.epilogue.relu && sum <= 0 ? 0 : sum;
}

/* The output's and the chain's bits are those of the contract. */
static int bits_are_good(const gemm_case *c, const float *after, int32_t image, int32_t row,
                         int32_t column, int32_t channel)
{
    const float value = round_output(c, image, row, column, channel);
    if (!same_value(after[view_index(&c->gemm.output, image, row, column, channel)], value))
        return 0;
    if (!c->gemm.epilogue.chain_there)
        return 1;
    const int64_t at = view_index(&c->gemm.epilogue.chain, image, row, column, channel);
    return same_value(after[at], c->before.values[at] + value);
}

/* Equal for integers, else within the bound of rounded additions in any order. */
static int element_is_good(const gemm_case *c, float found, expectation e)
{
    if (c->fill == FILL_INTEGER)
        return (double)found == e.value && !signbit(found) == !(e.value < 0);
    if (!isfinite(e.value))
        return isnan(e.value) ? isnan(found) : (double)found == e.value;
    return is_within(found, e.value, e.magnitude, c->gemm.k_total);
}

static void compare_with_expected(tally *t, const gemm_case *c, const r2n_kernel *kernel,
                                  const float *after)
{
    const r2n_gemm_arguments *gemm = &c->gemm;
    int64_t bad = -1;
    double expected = 0;
    for (int32_t image = 0; image < gemm->images; image++)
        for (int32_t row = 0; row < gemm->rows; row++)
            for (int32_t column = 0; column < gemm->columns; column++)
                for (int32_t channel = 0; channel < gemm->channels && bad < 0; channel++) {
                    expectation e = expect_output(c, image, row, column, channel);
                    int64_t at = view_index(&gemm->output, image, row, column, channel);
                    int good = element_is_good(c, after[at], e) &&
                               !(gemm->epilogue.relu && signbit(after[at]) && !isnan(after[at]));
                    if (good && gemm->epilogue.chain_there) {
                        at = view_index(&gemm->epilogue.chain, image, row, column, channel);
                        e.value += (double)c->before.values[at];
                        e.magnitude += fabs((double)c->before.values[at]);
                        good = element_is_good(c, after[at], e);
                    }
                    bad = good ? -1 : at;
                    expected = e.value;
                }
    tally_count(t, bad < 0, "%s: %s: element %lld is %.9g, not %.9g", kernel->name, c->text,
                (long long)bad, bad < 0 ? 0 : (double)after[bad], expected);
}

static void compare_with_contract(tally *t, const gemm_case *c, const r2n_kernel *kernel,
                                  const float *after)
{
    const r2n_gemm_arguments *gemm = &c->gemm;
    int64_t bad = 0;
    for (int32_t image = 0; image < gemm->images; image++)
        for (int32_t row = 0; row < gemm->rows; row++)
            for (int32_t column = 0; column < gemm->columns; column++)
                for (int32_t channel = 0; channel < gemm->channels; channel++)
                    bad += !bits_are_good(c, after, image, row, column, channel);
    tally_count(t, bad == 0, "%s: %s: %lld elements are not rounded as the contract says",
                kernel->name, c->text, (long long)bad);
}

static void check_case(tally *t, const options *o, random_state *random, const gemm_case *c)
{
    const float *other = NULL; /* of the best vector kernel: the others must have its bits */
    const char *other_name = "";
    float *kept = NULL;
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        if (!kernel_does(kernel, R2N_OPERATION_GEMM, R2N_PRECISION_F32, o) ||
            kernel->accepts(&c->gemm) != NULL)
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = &c->gemm,
                           .whole = whole_gemm(c),
                           .before = &c->before,
                           .text = c->text};
        const int is_reference = kernel->isa == R2N_ISA_REFERENCE;
        float *after = check_kernel(t, &one, random, is_reference ? NULL : other, other_name);
        compare_with_expected(t, c, kernel, after);
        if (!is_reference)
            compare_with_contract(t, c, kernel, after);
        if (!is_reference && kept == NULL) {
            other = kept = after;
            other_name = kernel->name;
        } else {
            r2n_free(after);
        }
    }
    r2n_free(kept);
}

/* reference/ only: sums and squares of what it wrote, part by part. */
static void check_statistics(tally *t, const options *o, random_state *random)
{
    enum { MOST_PARTS = 12, MOST_CHANNELS = 70 };
    static double found[2][MOST_PARTS * MOST_CHANNELS], expected[2][MOST_PARTS * MOST_CHANNELS];
    const r2n_kernel *kernel = find_reference(R2N_OPERATION_GEMM, R2N_PRECISION_F32);
    gemm_case c;
    if (!kernel_is_checked(kernel, o))
        return;
    make_gemm_case(&c, random, R2N_PRECISION_F32, FILL_REAL, 0, 0);
    memset(found, 0, sizeof found);
    memset(expected, 0, sizeof expected);
    const int32_t part_rows = random_between(random, 1, 5);
    c.gemm.epilogue.sums = found[0];
    c.gemm.epilogue.squares = found[1];
    c.gemm.epilogue.statistics_rows = part_rows;
    const trial one = {.kernel = kernel,
                       .arguments = &c.gemm,
                       .whole = whole_gemm(&c),
                       .before = &c.before,
                       .text = c.text};
    float *after = run_guarded(&one, NULL);
    for (int32_t row = 0; row < c.gemm.images * c.gemm.rows; row++)
        for (int32_t column = 0; column < c.gemm.columns; column++)
            for (int32_t channel = 0; channel < c.gemm.channels; channel++) {
                const double value = after[view_index(&c.gemm.output, row / c.gemm.rows,
                                                      row % c.gemm.rows, column, channel)];
                const int32_t at = row / part_rows * c.gemm.channels + channel;
                expected[0][at] += value;
                expected[1][at] += value * value;
            }
    tally_count(t, memcmp(found, expected, sizeof found) == 0, "%s: %s: statistics", kernel->name,
                c.text);
    r2n_free(after);
    release_gemm_case(&c);
}

void check_gemm(tally *t, const options *o)
{
    random_state random = {o->seed};
    gemm_case c;
    for (int f = 0; f < FILL_COUNT; f++) {
        for (int32_t pixels = 1; pixels <= MOST_PIXELS; pixels++) /* every tile of every width */
            for (int32_t blocks = 1; blocks <= MOST_BLOCKS; blocks++) {
                make_gemm_case(&c, &random, R2N_PRECISION_F32, (fill)f, pixels,
                               blocks * 16 - random_between(&random, 0, 15));
                check_case(t, o, &random, &c);
                release_gemm_case(&c);
            }
        for (int i = 0; i < CASES_A_FILL; i++) {
            make_gemm_case(&c, &random, R2N_PRECISION_F32, (fill)f, 0, 0);
            check_case(t, o, &random, &c);
            release_gemm_case(&c);
        }
    }
    for (int i = 0; i < LARGE_CASES; i++) {
        make_large_gemm_case(&c, &random, R2N_PRECISION_F32);
        check_case(t, o, &random, &c);
        release_gemm_case(&c);
    }
    for (int i = 0; i < STATISTICS_CASES; i++)
        check_statistics(t, o, &random);
}
