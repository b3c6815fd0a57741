/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random gradients by packed weights. Expected values are worked out in double, and the contract's
 * own roundings one by one, which every vector kernel must have to the bit; rows of the weights
 * that no source covers and gaps between parts hold canaries.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/gemm_case.h"

enum {
    SCENE_FLOATS = 1000000,
    LONG_SCENE_FLOATS = 4000000,
    CASES_A_FILL = 60,
    LONG_CASES = 3,
    MOST_PARTS = 4,
    LANES = 16
};

typedef struct gradient_case {
    gemm_case operands;
    r2n_weights_gradient_arguments gradient;
    int64_t output; /* its offset in the scene */
    char text[GEMM_TEXT_BYTES];
} gradient_case;

static int32_t blocks_of(const gradient_case *c)
{
    return (c->gradient.channels + LANES - 1) / LANES;
}

static int32_t all_rows(const gradient_case *c)
{
    return c->gradient.images * c->gradient.rows;
}

static int32_t part_count(const gradient_case *c)
{
    return (all_rows(c) + c->gradient.part_rows - 1) / c->gradient.part_rows;
}

static int64_t output_index(const gradient_case *c, int32_t part, int32_t k, int32_t channel)
{
    return c->output + part * c->gradient.part_pitch +
           ((int64_t)(channel / LANES) * c->gradient.k_total + k) * LANES + channel % LANES;
}

/* Pictures, rows, the pixels of a classifier, or chunks of more than 512 pixels. */
static void make_sizes(gemm_case *g, random_state *random, int is_long)
{
    const int32_t kind = random_between(random, 0, 5);
    g->gemm.images = random_between(random, 1, 3);
    g->gemm.rows = random_between(random, 1, 5);
    g->gemm.columns = random_between(random, 1, 14);
    g->gemm.channels = random_between(random, 1, 70);
    if (kind == 0) { /* a classifier's */
        g->gemm.images = random_between(random, 1, 40);
        g->gemm.rows = g->gemm.columns = 1;
    } else if (kind == 1) {
        g->gemm.columns = 1;
    }
    if (is_long) {
        g->gemm.rows = random_between(random, 15, 20);
        g->gemm.columns = random_between(random, 30, 40);
        g->gemm.channels = random_between(random, 1, 40);
    }
}

static void place_output(gradient_case *c, random_state *random)
{
    scene *s = &c->operands.before;
    r2n_weights_gradient_arguments *w = &c->gradient;
    w->part_pitch =
        (int64_t)blocks_of(c) * w->k_total * LANES + LANES * random_between(random, 0, 2);
    c->output = s->used + LANES - s->used % LANES;
    s->used = c->output + part_count(c) * w->part_pitch;
    for (int32_t part = 0; part < part_count(c); part++)
        for (int32_t i = 0; i < w->source_count; i++)
            for (int32_t k = 0; k < w->sources[i].channels; k++)
                for (int32_t n = 0; n < blocks_of(c) * LANES; n++)
                    scene_mark(s, random, c->operands.fill,
                               output_index(c, part, w->sources[i].k_first + k, n), ROLE_WRITTEN);
}

static void make_case(gradient_case *c, random_state *random, fill f, int is_long)
{
    gemm_case *g = &c->operands;
    r2n_weights_gradient_arguments *w = &c->gradient;
    memset(c, 0, sizeof *c);
    g->precision = R2N_PRECISION_F32;
    g->fill = f;
    make_sizes(g, random, is_long);
    scene_begin(&g->before, g->precision, is_long ? LONG_SCENE_FLOATS : SCENE_FLOATS);
    add_gemm_sources(g, random);
    w->images = g->gemm.images;
    w->rows = g->gemm.rows;
    w->columns = g->gemm.columns;
    w->channels = g->gemm.channels;
    w->k_total = g->gemm.k_total;
    w->source_count = g->gemm.source_count;
    w->sources = g->sources;
    w->chunk_rows = is_long ? random_between(random, 10, all_rows(c))
                            : random_between(random, 1, 1 + all_rows(c) / 2);
    w->part_rows = w->chunk_rows * random_between(random, 1, 3);
    if (random_between(random, 0, 3) == 0)
        w->part_rows = random_between(random, 1, all_rows(c));
    while (part_count(c) > MOST_PARTS)
        w->part_rows += w->chunk_rows;
    const extent e = {w->images, w->rows, w->columns, w->channels};
    w->gradient = scene_view(&g->before, random, e, 0);
    scene_mark_view(&g->before, random, f, &w->gradient, e, ROLE_READ);
    place_output(c, random);
    const int64_t cut = scene_trim(&g->before);
    for (int32_t i = 0; i < w->source_count; i++)
        g->sources[i].offset -= cut;
    w->gradient.offset -= cut;
    c->output -= cut;
    snprintf(c->text, sizeof c->text,
             "%s, %d image(s) of %dx%d, %d channels, %d sources, K %d, parts of %d rows, chunks of "
             "%d",
             fill_name(f), w->images, w->rows, w->columns, w->channels, w->source_count, w->k_total,
             w->part_rows, w->chunk_rows);
}

static void bind(void *context, void *block)
{
    gradient_case *c = context;
    c->gradient.output = (float *)block + c->output;
}

typedef struct expectation {
    double value, magnitude;
    float rounded; /* as the contract says */
    int32_t terms;
} expectation;

static expectation expect(const gradient_case *c, int32_t part, const r2n_gemm_source *source,
                          int32_t k, int32_t channel)
{
    const r2n_weights_gradient_arguments *w = &c->gradient;
    const float *block = c->operands.before.values;
    const int32_t first = part * w->part_rows;
    expectation e = {0};
    float chunk = 0;
    for (int32_t in_part = 0; in_part < w->part_rows && first + in_part < all_rows(c); in_part++) {
        const int32_t row = (first + in_part) % w->rows, image = (first + in_part) / w->rows;
        if (in_part > 0 && in_part % w->chunk_rows == 0) {
            e.rounded = in_part == w->chunk_rows ? chunk : e.rounded + chunk;
            chunk = 0;
        }
        for (int32_t column = 0; column < w->columns; column++) {
            const float a = block[source_index(source, image, row, column) + k];
            const float g = block[view_index(&w->gradient, image, row, column, channel)];
            chunk = fmaf(a, g, chunk);
            e.value += (double)a * (double)g;
            e.magnitude += fabs((double)a * (double)g);
        }
        e.terms += w->columns + 1;
    }
    e.rounded = e.terms <= w->chunk_rows * (w->columns + 1) ? chunk : e.rounded + chunk;
    return e;
}

static int is_good(const gradient_case *c, const r2n_kernel *kernel, float found, expectation e)
{
    if (kernel->isa != R2N_ISA_REFERENCE)
        return same_value(found, e.rounded);
    if (c->operands.fill == FILL_INTEGER)
        return (double)found == e.value;
    if (!isfinite(e.value))
        return isnan(e.value) ? isnan(found) : (double)found == e.value;
    return is_within(found, e.value, e.magnitude, 1);
}

/* The vector kernels' bits are near enough to the sums in double. */
static int rounding_is_good(const gradient_case *c, expectation e)
{
    if (c->operands.fill == FILL_INTEGER)
        return (double)e.rounded == e.value;
    return !isfinite(e.value) || is_within(e.rounded, e.value, e.magnitude, e.terms);
}

static void compare_with_expected(tally *t, const gradient_case *c, const r2n_kernel *kernel,
                                  const float *after)
{
    const r2n_weights_gradient_arguments *w = &c->gradient;
    int64_t bad = 0, far = 0;
    for (int32_t part = 0; part < part_count(c); part++)
        for (int32_t i = 0; i < w->source_count; i++)
            for (int32_t k = 0; k < w->sources[i].channels; k++)
                for (int32_t n = 0; n < blocks_of(c) * LANES; n++) {
                    const float found = after[output_index(c, part, w->sources[i].k_first + k, n)];
                    if (n >= w->channels) {
                        bad += !same_value(found, 0.0f);
                        continue;
                    }
                    const expectation e = expect(c, part, &w->sources[i], k, n);
                    bad += !is_good(c, kernel, found, e);
                    far += !rounding_is_good(c, e);
                }
    tally_count(t, bad == 0 && far == 0, "%s: %s: %lld elements are wrong, %lld roundings too far",
                kernel->name, c->text, (long long)bad, (long long)far);
}

static void check_case(tally *t, const options *o, random_state *random, gradient_case *c)
{
    const r2n_range whole = {.row_last = all_rows(c), .block_last = blocks_of(c)};
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        if (!kernel_does(kernel, R2N_OPERATION_WEIGHTS_GRADIENT, R2N_PRECISION_F32, o))
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = &c->gradient,
                           .whole = whole,
                           .before = &c->operands.before,
                           .text = c->text,
                           .granule_rows = c->gradient.part_rows,
                           .bind = bind,
                           .context = c};
        float *after = check_kernel(t, &one, random, NULL, "");
        compare_with_expected(t, c, kernel, after);
        r2n_free(after);
    }
}

void check_weights_gradient(tally *t, const options *o)
{
    random_state random = {o->seed};
    gradient_case c;
    if (!any_kernel_does(R2N_OPERATION_WEIGHTS_GRADIENT, R2N_PRECISION_F32, o))
        return;
    for (int i = 0; i < FILL_COUNT * CASES_A_FILL + LONG_CASES; i++) {
        make_case(&c, &random, (fill)(i % FILL_COUNT), i >= FILL_COUNT * CASES_A_FILL);
        check_case(t, o, &random, &c);
        scene_release(&c.operands.before);
    }
}
