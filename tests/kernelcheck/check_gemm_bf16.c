/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matrix products of bf16 and bf16x3: every tail of pixels and channels, and random ones. Expected
 * values are worked out here once more, in double, apart from reference/, which is checked too;
 * kernels on tiles must also have the contract's bits: 32 channels at a time, in two chains.
 *
 * Of AVX-512 BF16 no bits are demanded: the contract leaves the order of two channels' products to
 * the CPU. (Zen 4 does as Intel writes: fused, the odd channel first, denormals read and left as
 * zeros.)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/gemm_case.h"
#include "kernels/bf16.h"
#include "kernels/cpu_features.h"

enum {
    MOST_PIXELS = 34,
    MOST_BLOCKS = 4,
    CASES_A_FILL = 120,
    LARGE_CASES = 3,
    CONVERSION_CASES = 60
};
enum { STEP = 32, PAIR = 2, MOST_KERNELS = 8 };

/* One output element, and what is multiplied for it: source after source. */
typedef struct element {
    const gemm_case *c;
    int32_t image, row, column, channel;
    const float *inputs, *weights;
} element;

/* What it should be, and the sum of the magnitudes that rounding errors grow from. */
typedef struct expectation {
    double value, magnitude;
} expectation;

static int64_t index_in(const element *e, const r2n_view *view)
{
    return view_index(view, e->image, e->row, e->column, e->channel);
}

/* Of the scene before the kernel runs. */
static double before(const element *e, const r2n_view *view)
{
    return value_in(&e->c->before, e->c->before.any, view, index_in(e, view));
}

static double found_output(const element *e, const void *after)
{
    const r2n_view *view = &e->c->gemm.output;
    float score;
    if (!e->c->gemm.epilogue.float_output)
        return value_in(&e->c->before, after, view, index_in(e, view));
    const int64_t pixel = view_index(view, e->image, e->row, e->column, 0);
    memcpy(&score, (const uint16_t *)after + pixel + (int64_t)e->channel * PAIR, sizeof score);
    return (double)score;
}

static int32_t term_count(const r2n_gemm_arguments *gemm)
{
    int32_t count = 0;
    for (int32_t i = 0; i < gemm->source_count; i++)
        count += gemm->sources[i].channels;
    return count;
}

static expectation expect_output(const element *e)
{
    const r2n_gemm_arguments *gemm = &e->c->gemm;
    const float bias = gemm->epilogue.bias[e->channel];
    expectation x = {(double)bias, fabs((double)bias)};
    const int32_t terms = term_count(gemm);
    for (int32_t k = 0; k < terms; k++) {
        const double product = (double)e->inputs[k] * (double)e->weights[k];
        x.value += product;
        x.magnitude += fabs(product);
    }
    if (gemm->epilogue.residual_there) {
        const double residual = before(e, &gemm->epilogue.residual);
        x.value += residual;
        x.magnitude += fabs(residual);
    }
    if (gemm->epilogue.relu && x.value <= 0)
        x.value = 0;
    return x;
}

/* A source's channels as the tile instruction adds them: the even and the odd ones of 32 from zero,
 * both together, then to the sum. */
static float add_source(const float *inputs, const float *weights, int32_t channels, float sum)
{
    for (int32_t first = 0; first < channels; first += STEP) {
        float chains[PAIR] = {0};
        for (int32_t k = first; k < first + STEP && k < channels; k++)
            chains[k % PAIR] = flushed(fmaf(inputs[k], weights[k], chains[k % PAIR]));
        sum = flushed(sum + flushed(chains[0] + chains[1]));
    }
    return sum;
}

/* The contract's own roundings, one by one, before the conversion. */
static float round_output(const element *e)
{
    const r2n_gemm_arguments *gemm = &e->c->gemm;
    float v = 0;
    int32_t k = 0;
    for (int32_t i = 0; i < gemm->source_count; i++) {
        v = add_source(e->inputs + k, e->weights + k, gemm->sources[i].channels, v);
        k += gemm->sources[i].channels;
    }
    v += gemm->epilogue.bias[e->channel];
    if (gemm->epilogue.residual_there)
        v += (float)before(e, &gemm->epilogue.residual);
    return gemm->epilogue.relu && v <= 0 ? 0 : v;
}

static int has_value(double found, double expected)
{
    return isnan(expected) ? isnan(found) : found == expected;
}

/* `v` is the contract's value before the conversion. */
static int bits_are_good(const element *e, const void *after, float v)
{
    const r2n_epilogue *epilogue = &e->c->gemm.epilogue;
    const r2n_precision precision = e->c->precision;
    const double output = epilogue->float_output ? (double)v : stored_value(precision, v);
    if (!has_value(found_output(e, after), output))
        return 0;
    if (!epilogue->chain_there)
        return 1;
    const float chain = (float)before(e, &epilogue->chain) + v;
    return has_value(
        value_in(&e->c->before, after, &epilogue->chain, index_in(e, &epilogue->chain)),
        stored_value(precision, chain));
}

/* Equal for integers, else within the bound of rounded additions in any order. */
static int value_is_good(const element *e, r2n_precision stored, double found, expectation x)
{
    if (e->c->fill == FILL_INTEGER)
        return found == stored_value(stored, (float)x.value);
    /* Tiles make zeros of denormals: as wrong as the smallest normal number. */
    const double magnitude = x.magnitude + ldexp(1, -126 + 24);
    return is_within_stored(stored, found, x.value, magnitude, e->c->gemm.k_total);
}

static int is_good(const element *e, const void *after, expectation x)
{
    const r2n_epilogue *epilogue = &e->c->gemm.epilogue;
    const r2n_precision precision = e->c->precision;
    const double found = found_output(e, after);
    if (!value_is_good(e, epilogue->float_output ? R2N_PRECISION_F32 : precision, found, x) ||
        (epilogue->relu && signbit(found) && !isnan(found)))
        return 0;
    if (!epilogue->chain_there)
        return 1;
    const double chain = before(e, &epilogue->chain);
    x.value += chain;
    x.magnitude += fabs(chain);
    return value_is_good(
        e, precision,
        value_in(&e->c->before, after, &epilogue->chain, index_in(e, &epilogue->chain)), x);
}

/* A kernel that took the case, and what it left. */
typedef struct result {
    const r2n_kernel *kernel;
    void *after;
    int64_t wrong, other_bits; /* elements */
} result;

static void look_at_element(const element *e, result *results, int count)
{
    const expectation x = expect_output(e);
    const float v = round_output(e);
    for (int i = 0; i < count; i++) {
        results[i].wrong += !is_good(e, results[i].after, x);
        if (has_tile_bits(results[i].kernel))
            results[i].other_bits += !bits_are_good(e, results[i].after, v);
    }
}

static void gather_inputs(const gemm_case *c, int32_t image, int32_t row, int32_t column, float *to)
{
    for (int32_t i = 0; i < c->gemm.source_count; i++) {
        const r2n_gemm_source *source = &c->sources[i];
        const uint16_t *from = c->before.bf16 + source_index(source, image, row, column);
        for (int32_t k = 0; k < source->channels; k++)
            *to++ = r2n_float_from_bf16(from[k]);
    }
}

static void gather_weights(const gemm_case *c, int32_t channel, float *to)
{
    const uint16_t *weights = c->gemm.weights;
    for (int32_t i = 0; i < c->gemm.source_count; i++)
        for (int32_t k = 0; k < c->sources[i].channels; k++)
            *to++ =
                r2n_float_from_bf16(weights[packed_index(c, c->sources[i].k_first + k, channel)]);
}

static void look_at_pixel(element *e, float *inputs, const float *weights, result *results,
                          int count)
{
    const int32_t terms = term_count(&e->c->gemm);
    gather_inputs(e->c, e->image, e->row, e->column, inputs);
    for (e->channel = 0; e->channel < e->c->gemm.channels; e->channel++) {
        e->weights = weights + (int64_t)e->channel * terms;
        look_at_element(e, results, count);
    }
}

static void look_at_elements(const gemm_case *c, result *results, int count)
{
    const r2n_gemm_arguments *gemm = &c->gemm;
    const int32_t terms = term_count(gemm);
    float *inputs = r2n_allocate((size_t)terms, sizeof(float));
    float *weights = r2n_allocate((size_t)terms * (size_t)gemm->channels, sizeof(float));
    if (inputs == NULL || weights == NULL) {
        fprintf(stderr, "kernelcheck: out of memory\n");
        exit(3);
    }
    for (int32_t channel = 0; channel < gemm->channels; channel++)
        gather_weights(c, channel, weights + (int64_t)channel * terms);
    element e = {.c = c, .inputs = inputs};
    for (e.image = 0; e.image < gemm->images; e.image++)
        for (e.row = 0; e.row < gemm->rows; e.row++)
            for (e.column = 0; e.column < gemm->columns; e.column++)
                look_at_pixel(&e, inputs, weights, results, count);
    r2n_free(inputs);
    r2n_free(weights);
}

static void check_case(tally *t, const options *o, random_state *random, const gemm_case *c)
{
    result results[MOST_KERNELS];
    int count = 0;
    for (size_t i = 0; i < checked_kernel_count() && count < MOST_KERNELS; i++) {
        const r2n_kernel *kernel = checked_kernel(i);
        if (!kernel_does(kernel, R2N_OPERATION_GEMM, c->precision, o) ||
            kernel->accepts(&c->gemm) != NULL)
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = &c->gemm,
                           .whole = whole_gemm(c),
                           .before = &c->before,
                           .text = c->text};
        results[count++] =
            (result){.kernel = kernel, .after = check_kernel(t, &one, random, NULL, "")};
    }
    look_at_elements(c, results, count);
    for (int i = 0; i < count; i++) {
        const char *name = results[i].kernel->name;
        tally_count(t, results[i].wrong == 0, "%s: %s: %lld elements are wrong", name, c->text,
                    (long long)results[i].wrong);
        tally_count(t, results[i].other_bits == 0,
                    "%s: %s: %lld elements are not rounded as the contract says", name, c->text,
                    (long long)results[i].other_bits);
        r2n_free(results[i].after);
    }
}

/* Any bits; or a tie; or a denormal, an infinity, a NaN; or what rounds to infinity. */
static float any_float(random_state *random)
{
    uint32_t bits = (uint32_t)random_bits(random);
    float value;
    switch (random_between(random, 0, 4)) {
    case 0:
        bits = (bits & 0xffff0000u) | 0x8000u;
        break;
    case 1:
        bits &= 0x807fffffu;
        break;
    case 2:
        bits |= 0x7f800000u;
        break;
    case 3:
        bits |= 0x7f7fff00u;
        break;
    default:
        break;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The conversion alone: a bias of every kind, and nothing else. */
static void check_conversion(tally *t, const options *o, random_state *random, gemm_case *c)
{
    r2n_epilogue *epilogue = &c->gemm.epilogue;
    float *bias = c->bias.data;
    epilogue->relu = epilogue->residual_there = epilogue->chain_there = 0;
    memset(c->weights.data, 0, r2n_packed_elements(c->gemm.channels, c->gemm.k_total) * PAIR);
    for (int32_t i = 0; i < c->gemm.channels; i++)
        bias[i] = any_float(random);
    for (size_t i = 0; i < checked_kernel_count(); i++) {
        const r2n_kernel *kernel = checked_kernel(i);
        const trial one = {.kernel = kernel,
                           .arguments = &c->gemm,
                           .whole = whole_gemm(c),
                           .before = &c->before,
                           .text = c->text};
        int64_t wrong = 0;
        if (!kernel_does(kernel, R2N_OPERATION_GEMM, c->precision, o))
            continue;
        void *after = run_guarded(&one, NULL);
        for (int32_t channel = 0; channel < c->gemm.channels; channel++) {
            const element e = {.c = c, .channel = channel};
            const float v = 0.0f + bias[channel];
            wrong += !has_value(found_output(&e, after),
                                epilogue->float_output ? (double)v : stored_value(c->precision, v));
        }
        tally_count(t, wrong == 0, "%s: %s: %lld biases are converted wrongly", kernel->name,
                    c->text, (long long)wrong);
        r2n_free(after);
    }
}

static void check_precision(tally *t, const options *o, r2n_precision precision)
{
    random_state random = {o->seed};
    gemm_case c;
    for (int f = 0; f < FILL_COUNT; f++) {
        for (int32_t pixels = 1; pixels <= MOST_PIXELS; pixels++) /* every tile of every width */
            for (int32_t blocks = 1; blocks <= MOST_BLOCKS; blocks++) {
                make_gemm_case(&c, &random, precision, (fill)f, pixels,
                               blocks * 16 - random_between(&random, 0, 15));
                check_case(t, o, &random, &c);
                release_gemm_case(&c);
            }
        for (int i = 0; i < CASES_A_FILL; i++) {
            make_gemm_case(&c, &random, precision, (fill)f, 0, 0);
            check_case(t, o, &random, &c);
            release_gemm_case(&c);
        }
    }
    for (int i = 0; i < CONVERSION_CASES; i++) {
        make_gemm_case(&c, &random, precision, FILL_INTEGER, 1, 0);
        check_conversion(t, o, &random, &c);
        release_gemm_case(&c);
    }
    for (int i = 0; i < LARGE_CASES; i++) {
        make_large_gemm_case(&c, &random, precision);
        check_case(t, o, &random, &c);
        release_gemm_case(&c);
    }
}

void check_gemm_bf16(tally *t, const options *o)
{
    static const r2n_precision precisions[] = {R2N_PRECISION_BF16, R2N_PRECISION_BF16X3};
    for (size_t i = 0; i < sizeof precisions / sizeof precisions[0]; i++)
        if (any_kernel_does(R2N_OPERATION_GEMM, precisions[i], o))
            check_precision(t, o, precisions[i]);
#if defined(__x86_64__)
    if ((r2n_cpu_features() & R2N_FEATURE_AVX512) != 0)
        tally_count(t, emulated_ceilings_count(3), "the ceilings of emulated tiles");
#endif
}
