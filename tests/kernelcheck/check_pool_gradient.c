/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random gradients of pools of f32 and bf16. Expected values are worked out here window by window:
 * in double, and with the contract's own roundings, which every vector kernel must have to the bit,
 * and in bf16 reference/ too.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/pool_sizes.h"
#include "kernels/bf16.h"

enum { SCENE_ELEMENTS = 600000, CASES_A_FILL = 100, TEXT_BYTES = 200, LANES = 16 };

typedef struct pool_gradient_case {
    r2n_pool_gradient_arguments gradient;
    scene before;
    fill fill;
    /* Of each element of the scene, the input gradient's in use. */
    double *value, *magnitude;
    float *rounded;
    char text[TEXT_BYTES];
} pool_gradient_case;

/* Few different values, zeros of both signs among them, so that many windows have several largest
 * cells. */
static void make_equals(pool_gradient_case *c, random_state *random, extent in)
{
    static const float values[] = {0.0f, -0.0f, 1.0f};
    const r2n_view *view = &c->gradient.pool.input;
    scene *s = &c->before;
    for (int32_t image = 0; image < in.images; image++)
        for (int32_t row = 0; row < in.rows; row++)
            for (int32_t column = 0; column < in.columns; column++)
                for (int32_t n = 0; n < in.channels; n++) {
                    const int64_t at = view_index(view, image, row, column, n);
                    const float value = values[random_between(random, 0, 2)];
                    if (s->precision == R2N_PRECISION_BF16)
                        s->bf16[at] = r2n_bf16_from_float(value);
                    else
                        s->values[at] = value;
                }
}

static void make_case(pool_gradient_case *c, random_state *random, r2n_precision precision, fill f)
{
    r2n_pool_arguments *pool = &c->gradient.pool;
    memset(c, 0, sizeof *c);
    c->fill = f;
    make_pool_sizes(pool, random);
    c->gradient.add = random_between(random, 0, 1);
    const extent in = {pool->images, pool->input_rows, pool->input_columns, pool->channels};
    const extent out = {pool->images, pool->rows, pool->columns, pool->channels};
    scene_begin(&c->before, precision, SCENE_ELEMENTS);
    pool->input = scene_view(&c->before, random, in, random_between(random, 0, 4) == 0);
    c->gradient.gradient = scene_view(&c->before, random, out, random_between(random, 0, 4) == 0);
    c->gradient.input_gradient =
        scene_view(&c->before, random, in, random_between(random, 0, 4) == 0);
    if (pool->kind == R2N_POOL_MAXIMUM) /* of an average it is not read */
        scene_mark_view(&c->before, random, f, &pool->input, in, ROLE_READ);
    scene_mark_view(&c->before, random, f, &c->gradient.gradient, out, ROLE_READ);
    scene_mark_view(&c->before, random, f, &c->gradient.input_gradient, in, ROLE_WRITTEN);
    if (pool->kind == R2N_POOL_MAXIMUM && random_between(random, 0, 3) == 0)
        make_equals(c, random, in);
    const int64_t cut = scene_trim(&c->before);
    pool->input.offset -= cut;
    c->gradient.gradient.offset -= cut;
    c->gradient.input_gradient.offset -= cut;
    snprintf(c->text, sizeof c->text, "%s, %s %dx%d/%d+%d%s%s, %d image(s) of %dx%d, %d channels",
             fill_name(f), pool->kind == R2N_POOL_MAXIMUM ? "maximum" : "average",
             pool->kernel_rows, pool->kernel_columns, pool->stride, pool->padding,
             pool->count_padding ? " counted" : "", c->gradient.add ? " added" : "", pool->images,
             pool->input_rows, pool->input_columns, pool->channels);
}

/* ---- expectations ---- */

static void *allocate(const pool_gradient_case *c, size_t bytes)
{
    void *memory = r2n_allocate_zeroed((size_t)c->before.elements, bytes);
    if (memory == NULL) {
        fprintf(stderr, "kernelcheck: out of memory\n");
        exit(3);
    }
    return memory;
}

static void give(pool_gradient_case *c, int64_t at, double value, float rounded)
{
    c->value[at] += value;
    c->magnitude[at] += fabs(value);
    c->rounded[at] = (float)stored_value(c->before.precision, c->rounded[at] + rounded);
}

static float value_of(const pool_gradient_case *c, int64_t at)
{
    return (float)value_at(&c->before, c->before.any, at);
}

/* A window's cell in the picture, or -1. */
static int64_t cell_index(const pool_gradient_case *c, const r2n_view *view, const int32_t at[4],
                          int32_t cell)
{
    const r2n_pool_arguments *pool = &c->gradient.pool;
    const int32_t y = at[1] * pool->stride - pool->padding + cell / pool->kernel_columns;
    const int32_t x = at[2] * pool->stride - pool->padding + cell % pool->kernel_columns;
    if (y < 0 || y >= pool->input_rows || x < 0 || x >= pool->input_columns)
        return -1;
    return view_index(view, at[0], y, x, at[3]);
}

/* What an average divides by: the whole window but for what hangs over the padding, or its cells in
 * the picture. */
static int32_t count_cells(const r2n_pool_arguments *pool, const int32_t at[4])
{
    int32_t count = 0;
    for (int32_t cell = 0; cell < pool->kernel_rows * pool->kernel_columns; cell++) {
        const int32_t y = at[1] * pool->stride - pool->padding + cell / pool->kernel_columns;
        const int32_t x = at[2] * pool->stride - pool->padding + cell % pool->kernel_columns;
        const int32_t padding = pool->count_padding ? pool->padding : 0;
        count += y >= -padding && y < pool->input_rows + padding && x >= -padding &&
                 x < pool->input_columns + padding;
    }
    return count;
}

/* at: image, row, column, channel of the output. */
static void give_window(pool_gradient_case *c, const int32_t at[4])
{
    const r2n_pool_arguments *pool = &c->gradient.pool;
    const r2n_view *to = &c->gradient.input_gradient;
    const float g = value_of(c, view_index(&c->gradient.gradient, at[0], at[1], at[2], at[3]));
    const int32_t cells = pool->kernel_rows * pool->kernel_columns;
    const float factor = 1.0f / (float)count_cells(pool, at);
    int32_t winner = -1;
    float best = 0;
    for (int32_t cell = 0; cell < cells; cell++) {
        const int64_t into = cell_index(c, to, at, cell);
        if (into < 0)
            continue;
        if (pool->kind == R2N_POOL_AVERAGE) {
            give(c, into, (double)g * (double)factor, g * factor);
            continue;
        }
        const float value = value_of(c, cell_index(c, &pool->input, at, cell));
        if (winner < 0 || value > best || (isnan(value) && !isnan(best))) {
            winner = cell;
            best = value;
        }
    }
    if (pool->kind == R2N_POOL_MAXIMUM)
        give(c, cell_index(c, to, at, winner), (double)g, g);
}

static void expect(pool_gradient_case *c)
{
    const r2n_pool_arguments *pool = &c->gradient.pool;
    c->value = allocate(c, sizeof *c->value);
    c->magnitude = allocate(c, sizeof *c->magnitude);
    c->rounded = allocate(c, sizeof *c->rounded);
    for (int64_t i = 0; i < c->before.elements && c->gradient.add; i++)
        if (c->before.roles[i] == ROLE_WRITTEN) {
            c->rounded[i] = value_of(c, i);
            c->value[i] = (double)c->rounded[i];
            c->magnitude[i] = fabs(c->value[i]);
        }
    for (int32_t image = 0; image < pool->images; image++)
        for (int32_t row = 0; row < pool->rows; row++)
            for (int32_t column = 0; column < pool->columns; column++)
                for (int32_t n = 0; n < pool->channels; n++)
                    give_window(c, (int32_t[4]){image, row, column, n});
}

/* A cell of bf16 is rounded after each window. */
static int is_near(const pool_gradient_case *c, float found, int64_t at, int32_t windows)
{
    const double step = ldexp(1, c->before.precision == R2N_PRECISION_BF16 ? -8 : -24);
    const double smallest = ldexp(1, c->before.precision == R2N_PRECISION_BF16 ? -126 : -149);
    return fabs((double)found - c->value[at]) <=
           (2 * windows + 8) * (step * c->magnitude[at] + smallest);
}

static int is_good(const pool_gradient_case *c, const r2n_kernel *kernel, float found, int64_t at)
{
    const double value = c->value[at];
    const int is_exact =
        kernel->isa != R2N_ISA_REFERENCE || c->before.precision == R2N_PRECISION_BF16;
    const int32_t windows = c->gradient.pool.kernel_rows * c->gradient.pool.kernel_columns;
    if (is_exact && !same_value(found, c->rounded[at]))
        return 0;
    if (!isfinite(value))
        return isnan(value) ? isnan(found) : (double)found == value;
    if (c->fill == FILL_INTEGER && c->gradient.pool.kind == R2N_POOL_MAXIMUM)
        return (double)found == value;
    return is_near(c, found, at, windows);
}

static void check_case(tally *t, const options *o, random_state *random, pool_gradient_case *c)
{
    const r2n_pool_arguments *pool = &c->gradient.pool;
    const r2n_range whole = {.row_last = pool->images * pool->input_rows,
                             .block_last = (pool->channels + LANES - 1) / LANES};
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        int64_t bad = 0;
        if (!kernel_does(kernel, R2N_OPERATION_POOL_GRADIENT, c->before.precision, o))
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = &c->gradient,
                           .whole = whole,
                           .before = &c->before,
                           .text = c->text,
                           .granule_rows = pool->input_rows};
        void *after = check_kernel(t, &one, random, NULL, "");
        for (int64_t at = 0; at < c->before.elements; at++)
            bad += c->before.roles[at] == ROLE_WRITTEN &&
                   !is_good(c, kernel, (float)value_at(&c->before, after, at), at);
        tally_count(t, bad == 0, "%s: %s: %lld elements are wrong", kernel->name, c->text,
                    (long long)bad);
        r2n_free(after);
    }
}

static void check_precision(tally *t, const options *o, r2n_precision precision)
{
    random_state random = {o->seed};
    if (!any_kernel_does(R2N_OPERATION_POOL_GRADIENT, precision, o))
        return;
    for (int i = 0; i < FILL_COUNT * CASES_A_FILL; i++) {
        pool_gradient_case c;
        make_case(&c, &random, precision, (fill)(i % FILL_COUNT));
        expect(&c);
        check_case(t, o, &random, &c);
        r2n_free(c.value);
        r2n_free(c.magnitude);
        r2n_free(c.rounded);
        scene_release(&c.before);
    }
}

void check_pool_gradient(tally *t, const options *o)
{
    check_precision(t, o, R2N_PRECISION_F32);
    check_precision(t, o, R2N_PRECISION_BF16);
}
