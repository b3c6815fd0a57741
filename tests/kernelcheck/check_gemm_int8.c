/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 matrix products: every tail of pixels and channels, random ones, and sums beyond what a
 * float holds exactly. Expected bytes are worked out here once more, apart from reference/, which
 * is checked too; all kernels must have them.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/gemm_case.h"

enum { MOST_PIXELS = 30, MOST_BLOCKS = 5 };
enum { CASES_A_FILL = 150, LARGE_CASES = 5, DEEP_CASES = 12 };

static int64_t sum_of(const gemm_case *c, int32_t image, int32_t row, int32_t column,
                      int32_t channel)
{
    const int8_t *weights = c->gemm.weights;
    int64_t sum = 0;
    for (int32_t i = 0; i < c->gemm.source_count; i++) {
        const r2n_gemm_source *source = &c->sources[i];
        const uint8_t *a = c->before.int8 + source_index(source, image, row, column);
        for (int32_t k = 0; k < source->channels; k++)
            sum += a[k] * weights[packed_index(c, source->k_first + k, channel)];
    }
    return sum;
}

static uint8_t byte_of(float v)
{
    const double held = fmin(fmax((double)v, 0), R2N_INT8_MAXIMUM);
    const double below = floor(held);
    const double rest = held - below;
    const int odd = fmod(below, 2) != 0;
    return (uint8_t)(below + (rest > 0.5 || (rest == 0.5 && odd)));
}

/* The contract, rounding by rounding. */
static int element_is_good(const gemm_case *c, const uint8_t *after, int32_t image, int32_t row,
                           int32_t column, int32_t channel)
{
    const r2n_epilogue *e = &c->gemm.epilogue;
    const float sum = (float)sum_of(c, image, row, column, channel);
    float v = fmaf(sum, e->scale[channel], e->bias[channel]);
    if (e->float_output) {
        const int64_t pixel = view_index(&c->gemm.output, image, row, column, 0);
        float found;
        memcpy(&found, after + pixel + channel * (int64_t)sizeof found, sizeof found);
        return same_value(found, v);
    }
    if (e->residual_there) {
        const int64_t at = view_index(&e->residual, image, row, column, channel);
        v = fmaf((float)c->before.int8[at], e->residual_scale, v);
    }
    if (e->relu && !(v > 0))
        v = 0;
    if (after[view_index(&c->gemm.output, image, row, column, channel)] != byte_of(v))
        return 0;
    if (!e->chain_there)
        return 1;
    const int64_t at = view_index(&e->chain, image, row, column, channel);
    const float added = v * e->value_scale;
    return after[at] == byte_of(fmaf((float)c->before.int8[at], e->chain_scale, added));
}

static void compare_with_contract(tally *t, const gemm_case *c, const r2n_kernel *kernel,
                                  const uint8_t *after)
{
    const r2n_gemm_arguments *gemm = &c->gemm;
    int64_t bad = 0;
    for (int32_t image = 0; image < gemm->images; image++)
        for (int32_t row = 0; row < gemm->rows; row++)
            for (int32_t column = 0; column < gemm->columns; column++)
                for (int32_t channel = 0; channel < gemm->channels; channel++)
                    bad += !element_is_good(c, after, image, row, column, channel);
    tally_count(t, bad == 0, "%s: %s: %lld elements are not what the contract says", kernel->name,
                c->text, (long long)bad);
}

static void check_case(tally *t, const options *o, random_state *random, const gemm_case *c)
{
    const r2n_kernel *reference = find_reference(R2N_OPERATION_GEMM, R2N_PRECISION_INT8);
    const trial plain = {.kernel = reference,
                         .arguments = &c->gemm,
                         .whole = whole_gemm(c),
                         .before = &c->before,
                         .text = c->text};
    uint8_t *expected = check_kernel(t, &plain, random, NULL, "");
    compare_with_contract(t, c, reference, expected);
    for (size_t i = 0; i < checked_kernel_count(); i++) {
        const r2n_kernel *kernel = checked_kernel(i);
        if (kernel == reference ||
            !kernel_does(kernel, R2N_OPERATION_GEMM, R2N_PRECISION_INT8, o) ||
            kernel->accepts(&c->gemm) != NULL)
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = &c->gemm,
                           .whole = whole_gemm(c),
                           .before = &c->before,
                           .text = c->text};
        r2n_free(check_kernel(t, &one, random, expected, reference->name));
    }
    r2n_free(expected);
}

void check_gemm_int8(tally *t, const options *o)
{
    random_state random = {o->seed};
    gemm_case c;
    if (!any_kernel_does(R2N_OPERATION_GEMM, R2N_PRECISION_INT8, o))
        return;
    for (int f = 0; f < FILL_COUNT; f++) {
        for (int32_t pixels = 1; pixels <= MOST_PIXELS; pixels++) /* every tile of every width */
            for (int32_t blocks = 1; blocks <= MOST_BLOCKS; blocks++) {
                make_gemm_case(&c, &random, R2N_PRECISION_INT8, (fill)f, pixels,
                               blocks * 16 - random_between(&random, 0, 15));
                check_case(t, o, &random, &c);
                release_gemm_case(&c);
            }
        for (int i = 0; i < CASES_A_FILL; i++) {
            make_gemm_case(&c, &random, R2N_PRECISION_INT8, (fill)f, 0, 0);
            check_case(t, o, &random, &c);
            release_gemm_case(&c);
        }
    }
    for (int i = 0; i < LARGE_CASES; i++) {
        make_large_gemm_case(&c, &random, R2N_PRECISION_INT8);
        check_case(t, o, &random, &c);
        release_gemm_case(&c);
    }
    for (int i = 0; i < DEEP_CASES; i++) {
        make_deep_gemm_case(&c, &random, R2N_PRECISION_INT8);
        check_case(t, o, &random, &c);
        release_gemm_case(&c);
    }
}
