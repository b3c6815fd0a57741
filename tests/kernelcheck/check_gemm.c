/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random matrix products: every tail of pixels and channels, taps, strides, several sources, gaps,
 * groups, epilogues, batches. Expected values are worked out here once more, in double, apart from
 * reference/, which is checked too.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/guard.h"

enum { INPUTS = 2, SOURCES = 2 * INPUTS * 9, TEXT_BYTES = 200 };
enum { MOST_PIXELS = 30, MOST_BLOCKS = 5 };
enum { CASES_A_FILL = 120, LARGE_CASES = 5, STATISTICS_CASES = 20 };
enum { SCENE_FLOATS = 600000, LARGE_SCENE_FLOATS = 4000000 };

typedef struct gemm_case {
    r2n_gemm_arguments gemm;
    r2n_gemm_source sources[SOURCES];
    scene before;
    fill fill;
    guarded weights, bias;
    char text[TEXT_BYTES];
} gemm_case;

/* What an element should be, and the sum of the magnitudes that rounding errors grow from. */
typedef struct expectation {
    double value, magnitude;
} expectation;

static extent output_extent(const gemm_case *c)
{
    return (extent){c->gemm.images, c->gemm.rows, c->gemm.columns, c->gemm.channels};
}

static void add_source(gemm_case *c, random_state *random, r2n_gemm_source source)
{
    c->gemm.k_total += random_between(random, 0, 7) == 0; /* rows that no source uses */
    source.k_first = c->gemm.k_total;
    c->gemm.k_total += source.channels;
    c->sources[c->gemm.source_count++] = source;
}

/* Reads one more tensor at 1, 3 or 9 taps, all its channels or two parts of them. */
static void add_input(gemm_case *c, random_state *random)
{
    const int32_t stride = random_between(random, 1, 2);
    const int32_t tap_rows = random_between(random, 0, 1) ? 3 : 1;
    const int32_t tap_columns = random_between(random, 0, 1) ? tap_rows : 1;
    const extent e = {c->gemm.images, (c->gemm.rows - 1) * stride + tap_rows,
                      (c->gemm.columns - 1) * stride + tap_columns, random_between(random, 1, 40)};
    const r2n_view view = scene_view(&c->before, random, e, 0);
    const int32_t part = random_between(random, 0, 3) == 0 ? e.channels / 2 : 0;
    for (int32_t tap = 0; tap < tap_rows * tap_columns; tap++) {
        r2n_gemm_source source = {.image_pitch = view.image_pitch,
                                  .row_pitch = view.row_pitch * stride,
                                  .pixel_pitch = view.pixel_pitch * stride};
        const int64_t corner =
            view.offset + tap / tap_columns * view.row_pitch + tap % tap_columns * view.pixel_pitch;
        if (part > 0) {
            source.offset = corner;
            source.channels = part;
            add_source(c, random, source);
        }
        source.offset = corner + part;
        source.channels = e.channels - part;
        add_source(c, random, source);
    }
}

static int64_t source_index(const r2n_gemm_source *source, int32_t image, int32_t row,
                            int32_t column)
{
    return source->offset + image * source->image_pitch + row * source->row_pitch +
           column * source->pixel_pitch;
}

static void mark_sources(gemm_case *c, random_state *random)
{
    for (int32_t i = 0; i < c->gemm.source_count; i++)
        for (int32_t image = 0; image < c->gemm.images; image++)
            for (int32_t row = 0; row < c->gemm.rows; row++)
                for (int32_t column = 0; column < c->gemm.columns; column++)
                    for (int32_t k = 0; k < c->sources[i].channels; k++)
                        scene_mark(&c->before, random, c->fill,
                                   source_index(&c->sources[i], image, row, column) + k, ROLE_READ);
}

static void place_outputs(gemm_case *c, random_state *random)
{
    r2n_epilogue *epilogue = &c->gemm.epilogue;
    const extent e = output_extent(c);
    const int groups = random_between(random, 0, 4) == 0;
    c->gemm.output = scene_view(&c->before, random, e, groups && random_between(random, 0, 1));
    epilogue->relu = random_between(random, 0, 1);
    epilogue->residual_there = random_between(random, 0, 1);
    epilogue->chain_there = random_between(random, 0, 1);
    if (epilogue->residual_there && random_between(random, 0, 7) == 0)
        epilogue->residual = c->gemm.output; /* added in place */
    else if (epilogue->residual_there)
        epilogue->residual =
            scene_view(&c->before, random, e, groups && random_between(random, 0, 1));
    if (epilogue->chain_there)
        epilogue->chain = scene_view(&c->before, random, e, groups && random_between(random, 0, 1));
    if (epilogue->residual_there)
        scene_mark_view(&c->before, random, c->fill, &epilogue->residual, e, ROLE_READ);
    if (epilogue->chain_there)
        scene_mark_view(&c->before, random, c->fill, &epilogue->chain, e, ROLE_WRITTEN);
    scene_mark_view(&c->before, random, c->fill, &c->gemm.output, e, ROLE_WRITTEN);
}

static void fill_weights(gemm_case *c, random_state *random)
{
    const size_t floats = r2n_packed_elements(c->gemm.channels, c->gemm.k_total);
    const int32_t padded = (c->gemm.channels + 15) / 16 * 16;
    c->weights = guard_allocate(floats * sizeof(float), 0);
    c->bias = guard_allocate((size_t)padded * sizeof(float), 0);
    float *weights = c->weights.data;
    float *bias = c->bias.data;
    for (size_t i = 0; i < floats; i++) {
        const int64_t channel = (int64_t)(i / 16) / c->gemm.k_total * 16 + (int64_t)(i % 16);
        weights[i] = channel < c->gemm.channels ? fill_value(random, c->fill) : 0.0f;
    }
    for (int32_t i = 0; i < padded; i++)
        bias[i] = i < c->gemm.channels ? fill_value(random, c->fill) : 0.0f;
    c->gemm.weights = weights;
    c->gemm.epilogue.bias = bias;
}

static void shift_offsets(gemm_case *c, int64_t floats)
{
    for (int32_t i = 0; i < c->gemm.source_count; i++)
        c->sources[i].offset -= floats;
    c->gemm.output.offset -= floats;
    c->gemm.epilogue.residual.offset -= floats;
    c->gemm.epilogue.chain.offset -= floats;
}

static void describe_case(gemm_case *c)
{
    const r2n_gemm_arguments *gemm = &c->gemm;
    snprintf(
        c->text, sizeof c->text, "%s, %d image(s) of %dx%d, %d channels, %d sources, K %d%s%s%s%s",
        fill_name(c->fill), gemm->images, gemm->rows, gemm->columns, gemm->channels,
        gemm->source_count, gemm->k_total, gemm->epilogue.relu ? ", relu" : "",
        gemm->epilogue.residual_there ? ", residual" : "",
        gemm->epilogue.chain_there ? ", chain" : "", gemm->output.groups > 1 ? ", grouped" : "");
}

/* columns of the output, channels: 0 for any. */
static void make_case(gemm_case *c, random_state *random, fill f, int32_t columns, int32_t channels)
{
    const int inputs_first = random_between(random, 0, 1); /* or what is written comes first */
    memset(c, 0, sizeof *c);
    c->fill = f;
    c->gemm.images = random_between(random, 0, 1) ? random_between(random, 2, 3) : 1;
    c->gemm.rows = random_between(random, 1, 4);
    c->gemm.columns = columns > 0 ? columns : random_between(random, 1, 30);
    c->gemm.channels = channels > 0 ? channels : random_between(random, 1, 70);
    c->gemm.sources = c->sources;
    scene_begin(&c->before, R2N_PRECISION_F32, SCENE_FLOATS);
    if (!inputs_first)
        place_outputs(c, random);
    for (int32_t i = random_between(random, 1, INPUTS); i > 0; i--)
        add_input(c, random);
    mark_sources(c, random);
    if (inputs_first)
        place_outputs(c, random);
    fill_weights(c, random);
    shift_offsets(c, scene_trim(&c->before));
    describe_case(c);
}

/* More operands than a core's second-level cache holds: the walk has to cut its range. */
static void make_large_case(gemm_case *c, random_state *random)
{
    memset(c, 0, sizeof *c);
    c->fill = FILL_REAL;
    c->gemm.images = 2;
    c->gemm.rows = random_between(random, 18, 22);
    c->gemm.columns = random_between(random, 30, 40);
    c->gemm.channels = random_between(random, 20, 40);
    c->gemm.sources = c->sources;
    scene_begin(&c->before, R2N_PRECISION_F32, LARGE_SCENE_FLOATS);
    const extent e = {2, c->gemm.rows, c->gemm.columns, random_between(random, 400, 600)};
    const r2n_view view = scene_view(&c->before, random, e, 0);
    add_source(c, random,
               (r2n_gemm_source){.offset = view.offset,
                                 .image_pitch = view.image_pitch,
                                 .row_pitch = view.row_pitch,
                                 .pixel_pitch = view.pixel_pitch,
                                 .channels = e.channels});
    mark_sources(c, random);
    place_outputs(c, random);
    fill_weights(c, random);
    shift_offsets(c, scene_trim(&c->before));
    describe_case(c);
}

static void release_case(gemm_case *c)
{
    scene_release(&c->before);
    guard_release(&c->weights);
    guard_release(&c->bias);
}

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
        const r2n_range whole = {0, c->gemm.images * c->gemm.rows, 0, (c->gemm.channels + 15) / 16};
        const trial one = {kernel, &c->gemm, whole, &c->before, c->text};
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
    make_case(&c, random, FILL_REAL, 0, 0);
    memset(found, 0, sizeof found);
    memset(expected, 0, sizeof expected);
    const int32_t part_rows = random_between(random, 1, 5);
    c.gemm.epilogue.sums = found[0];
    c.gemm.epilogue.squares = found[1];
    c.gemm.epilogue.statistics_rows = part_rows;
    const trial one = {kernel,
                       &c.gemm,
                       {0, c.gemm.images * c.gemm.rows, 0, (c.gemm.channels + 15) / 16},
                       &c.before,
                       c.text};
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
    release_case(&c);
}

void check_gemm(tally *t, const options *o)
{
    random_state random = {o->seed};
    gemm_case c;
    for (int f = 0; f < FILL_COUNT; f++) {
        for (int32_t pixels = 1; pixels <= MOST_PIXELS; pixels++) /* every tile of every width */
            for (int32_t blocks = 1; blocks <= MOST_BLOCKS; blocks++) {
                make_case(&c, &random, (fill)f, pixels,
                          blocks * 16 - random_between(&random, 0, 15));
                check_case(t, o, &random, &c);
                release_case(&c);
            }
        for (int i = 0; i < CASES_A_FILL; i++) {
            make_case(&c, &random, (fill)f, 0, 0);
            check_case(t, o, &random, &c);
            release_case(&c);
        }
    }
    for (int i = 0; i < LARGE_CASES; i++) {
        make_large_case(&c, &random);
        check_case(t, o, &random, &c);
        release_case(&c);
    }
    for (int i = 0; i < STATISTICS_CASES; i++)
        check_statistics(t, o, &random);
}
