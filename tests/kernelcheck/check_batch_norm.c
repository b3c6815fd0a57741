/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random batch statistics, and batch norm backwards: its sums and its gradient, of f32 and bf16.
 * Expected values are worked out in double, and the contract's own roundings one by one, which
 * every vector kernel must have to the bit.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/guard.h"

enum {
    SCENE_ELEMENTS = 300000,
    CASES_A_FILL = 60,
    TEXT_BYTES = 200,
    TABLES = 6,
    LANES = 16,
    PIXEL_ROUNDINGS = 4
};

static const r2n_precision precisions[] = {R2N_PRECISION_F32, R2N_PRECISION_BF16};
static const r2n_operation operations[] = {R2N_OPERATION_STATISTICS, R2N_OPERATION_NORM_SUMS,
                                           R2N_OPERATION_NORM_GRADIENT};

typedef struct norm_case {
    r2n_operation operation;
    r2n_statistics_arguments statistics;
    r2n_norm_sums_arguments sums;
    r2n_norm_gradient_arguments gradient;
    extent size;
    int32_t mask, part_rows;
    scene before;
    fill fill;
    guarded tables[TABLES]; /* [channels]: scale, shift, mean, by_gradient, by_input, constant */
    r2n_view g, x, result, output;
    int64_t first, second; /* offsets of doubles, in elements; -1 for none */
    char text[TEXT_BYTES];
} norm_case;

static float table(const norm_case *c, int index, int32_t channel)
{
    return ((const float *)c->tables[index].data)[channel];
}

static int32_t all_rows(const norm_case *c)
{
    return c->size.images * c->size.rows;
}

static int32_t part_count(const norm_case *c)
{
    return (all_rows(c) + c->part_rows - 1) / c->part_rows;
}

/* ---- cases ---- */

static r2n_view place(norm_case *c, random_state *random, int role)
{
    const int may_group = random_between(random, 0, 4) == 0;
    const r2n_view view = scene_view(&c->before, random, c->size, may_group);
    scene_mark_view(&c->before, random, c->fill, &view, c->size, role);
    return view;
}

static void make_scene(norm_case *c, random_state *random, r2n_precision precision)
{
    const int64_t sums = (int64_t)part_count(c) * c->size.channels;
    scene_begin(&c->before, precision, SCENE_ELEMENTS);
    c->first = c->second = -1;
    c->x = place(c, random, ROLE_READ);
    if (c->operation != R2N_OPERATION_STATISTICS)
        c->g = place(c, random, c->mask == R2N_MASK_OF_RESULT ? ROLE_WRITTEN : ROLE_READ);
    if (c->mask == R2N_MASK_OF_RESULT)
        c->result = place(c, random, ROLE_READ);
    if (c->operation == R2N_OPERATION_NORM_GRADIENT) {
        c->output = c->g;
        if (random_between(random, 0, 2) == 0) /* in place */
            scene_mark_view(&c->before, random, c->fill, &c->g, c->size, ROLE_WRITTEN);
        else
            c->output = place(c, random, ROLE_WRITTEN);
    } else {
        c->first = scene_doubles(&c->before, random, sums);
        if (c->operation == R2N_OPERATION_NORM_SUMS || random_between(random, 0, 1))
            c->second = scene_doubles(&c->before, random, sums);
    }
    const int64_t cut = scene_trim(&c->before);
    c->x.offset -= cut;
    c->g.offset -= cut;
    c->result.offset -= cut;
    c->output.offset -= cut;
    c->first -= cut;
    c->second -= c->second < 0 ? 0 : cut;
}

static void set_arguments(norm_case *c)
{
    const extent e = c->size;
    const float *tables[TABLES];
    for (int i = 0; i < TABLES; i++)
        tables[i] = c->tables[i].data;
    const int relu = c->mask == R2N_MASK_OF_INPUT;
    c->statistics = (r2n_statistics_arguments){e.images,     e.rows, e.columns, e.channels,
                                               c->part_rows, c->x,   NULL,      NULL};
    c->sums = (r2n_norm_sums_arguments){.images = e.images,
                                        .rows = e.rows,
                                        .columns = e.columns,
                                        .channels = e.channels,
                                        .part_rows = c->part_rows,
                                        .mask = c->mask,
                                        .scale = relu ? tables[0] : NULL,
                                        .shift = relu ? tables[1] : NULL,
                                        .mean = tables[2],
                                        .gradient = c->g,
                                        .input = c->x,
                                        .result = c->result};
    c->gradient = (r2n_norm_gradient_arguments){.images = e.images,
                                                .rows = e.rows,
                                                .columns = e.columns,
                                                .channels = e.channels,
                                                .mask = c->mask,
                                                .scale = relu ? tables[0] : NULL,
                                                .shift = relu ? tables[1] : NULL,
                                                .mean = tables[2],
                                                .by_gradient = tables[3],
                                                .by_input = tables[4],
                                                .constant = tables[5],
                                                .gradient = c->g,
                                                .input = c->x,
                                                .output = c->output};
}

static void make_case(norm_case *c, random_state *random, r2n_precision precision,
                      r2n_operation operation, fill f)
{
    static const char *const masks[] = {"", ", ReLU of the input", ", ReLU of the result"};
    memset(c, 0, sizeof *c);
    c->operation = operation;
    c->fill = f;
    c->size = (extent){random_between(random, 1, 3), random_between(random, 1, 5),
                       random_between(random, 1, 12), random_between(random, 1, 90)};
    if (random_between(random, 0, 5) == 0) /* the classifier's bias */
        c->size.rows = c->size.columns = 1;
    c->part_rows = random_between(random, 1, all_rows(c) + 1);
    if (c->operation == R2N_OPERATION_NORM_SUMS)
        c->mask = random_between(random, R2N_MASK_NONE, R2N_MASK_OF_RESULT);
    else if (c->operation == R2N_OPERATION_NORM_GRADIENT)
        c->mask = random_between(random, R2N_MASK_NONE, R2N_MASK_OF_INPUT);
    for (int i = 0; i < TABLES; i++) {
        c->tables[i] = guard_allocate((size_t)c->size.channels * sizeof(float), i % 2);
        for (int32_t n = 0; n < c->size.channels; n++)
            ((float *)c->tables[i].data)[n] = fill_value(random, f);
    }
    make_scene(c, random, precision);
    set_arguments(c);
    snprintf(c->text, sizeof c->text, "%s, %d image(s) of %dx%d, %d channels, parts of %d rows%s",
             fill_name(f), c->size.images, c->size.rows, c->size.columns, c->size.channels,
             c->part_rows, masks[c->mask]);
}

static void bind(void *context, void *block)
{
    norm_case *c = context;
    const int64_t bytes = c->before.element_bytes;
    void *first = (char *)block + (c->first < 0 ? 0 : c->first) * bytes;
    void *second = c->second < 0 ? NULL : (char *)block + c->second * bytes;
    c->statistics.sums = c->sums.sums = first;
    c->statistics.squares = c->sums.products = second;
}

static const void *arguments_of(const norm_case *c)
{
    if (c->operation == R2N_OPERATION_STATISTICS)
        return &c->statistics;
    return c->operation == R2N_OPERATION_NORM_SUMS ? (const void *)&c->sums
                                                   : (const void *)&c->gradient;
}

static void release_case(norm_case *c)
{
    for (int i = 0; i < TABLES; i++)
        guard_release(&c->tables[i]);
    scene_release(&c->before);
}

/* ---- expectations ---- */

static float value_of(const norm_case *c, const r2n_view *view, int32_t row, int32_t column,
                      int32_t n)
{
    const int64_t at = view_index(view, row / c->size.rows, row % c->size.rows, column, n);
    return (float)value_at(&c->before, c->before.any, at);
}

/* The gradient that the ReLU let through. */
static float masked_gradient(const norm_case *c, int32_t row, int32_t column, int32_t n)
{
    const float g = value_of(c, &c->g, row, column, n);
    const float x = value_of(c, &c->x, row, column, n);
    if (c->mask == R2N_MASK_OF_INPUT)
        return fmaf(x, table(c, 0, n), table(c, 1, n)) > 0 ? g : 0;
    if (c->mask == R2N_MASK_OF_RESULT)
        return value_of(c, &c->result, row, column, n) > 0 ? g : 0;
    return g;
}

/* A part's two sums of a channel, in double and as the contract rounds. */
typedef struct sums {
    double value[2], magnitude[2], rounded[2];
} sums;

static sums expect_sums(const norm_case *c, int32_t part, int32_t n)
{
    sums s = {0};
    const int32_t end = (part + 1) * c->part_rows;
    for (int32_t row = part * c->part_rows; row < end && row < all_rows(c); row++) {
        float in_row[2] = {0, 0};
        for (int32_t column = 0; column < c->size.columns; column++) {
            const float x = value_of(c, &c->x, row, column, n);
            const int is_norm = c->operation == R2N_OPERATION_NORM_SUMS;
            const float first = is_norm ? masked_gradient(c, row, column, n) : x;
            const float mean = is_norm ? table(c, 2, n) : 0;
            const double product = (double)first * ((double)x - (double)mean);
            in_row[0] += first;
            in_row[1] = fmaf(first, x - mean, in_row[1]);
            s.value[0] += (double)first;
            s.value[1] += product;
            s.magnitude[0] += fabs((double)first);
            s.magnitude[1] += fabs((double)first) * (fabs((double)x) + fabs((double)mean));
        }
        s.rounded[0] += (double)in_row[0];
        s.rounded[1] += (double)in_row[1];
    }
    return s;
}

/* The bound of a row's roundings. */
static int is_near(const norm_case *c, double found, double expected, double magnitude)
{
    if (c->fill == FILL_INTEGER)
        return found == expected;
    if (!isfinite(expected))
        return isnan(expected) ? isnan(found) : found == expected;
    return fabs(found - expected) <=
           (c->size.columns + 8) * (ldexp(magnitude, -24) + ldexp(1, -149));
}

static int same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static int64_t wrong_sums(const norm_case *c, const r2n_kernel *kernel, const void *after)
{
    int64_t bad = 0;
    for (int32_t part = 0; part < part_count(c); part++)
        for (int32_t n = 0; n < c->size.channels; n++) {
            const sums s = expect_sums(c, part, n);
            for (int i = 0; i < 2; i++) {
                const int64_t at = (i == 0 ? c->first : c->second) * c->before.element_bytes;
                const int64_t before_it = (int64_t)part * c->size.channels + n;
                double found;
                if (at < 0)
                    continue;
                memcpy(&found, (const char *)after + at + before_it * (int64_t)sizeof found,
                       sizeof found);
                bad += !is_near(c, found, s.value[i], s.magnitude[i]);
                bad += kernel->isa != R2N_ISA_REFERENCE && !same_double(found, s.rounded[i]);
            }
        }
    return bad;
}

/* Of what is written a pixel: the gradient behind the ReLU, or the gradient by the input. */
static int pixel_is_good(const norm_case *c, const r2n_kernel *kernel, const void *after,
                         int32_t row, int32_t column, int32_t n)
{
    const r2n_precision precision = c->before.precision;
    const float g = masked_gradient(c, row, column, n);
    const r2n_view *view = c->mask == R2N_MASK_OF_RESULT ? &c->g : &c->output;
    const float found = (float)value_at(
        &c->before, after, view_index(view, row / c->size.rows, row % c->size.rows, column, n));
    if (c->mask == R2N_MASK_OF_RESULT)
        return same_value(found, g);
    const float x = value_of(c, &c->x, row, column, n), mean = table(c, 2, n);
    const float by_gradient = table(c, 3, n), by_input = table(c, 4, n), constant = table(c, 5, n);
    const float rounded = fmaf(g, by_gradient, fmaf(x - mean, by_input, constant));
    const double value = (double)g * (double)by_gradient +
                         ((double)x - (double)mean) * (double)by_input + (double)constant;
    const double magnitude = fabs((double)g * (double)by_gradient) +
                             (fabs((double)x) + fabs((double)mean)) * fabs((double)by_input) +
                             fabs((double)constant);
    if (kernel->isa != R2N_ISA_REFERENCE &&
        !same_value(found, (float)stored_value(precision, rounded)))
        return 0;
    if (c->fill == FILL_INTEGER)
        return (double)found == value;
    return is_within_stored(precision, (double)found, value, magnitude, PIXEL_ROUNDINGS);
}

static int64_t wrong_pixels(const norm_case *c, const r2n_kernel *kernel, const void *after)
{
    int64_t bad = 0;
    for (int32_t row = 0; row < all_rows(c); row++)
        for (int32_t column = 0; column < c->size.columns; column++)
            for (int32_t n = 0; n < c->size.channels; n++)
                bad += !pixel_is_good(c, kernel, after, row, column, n);
    return bad;
}

static void check_case(tally *t, const options *o, random_state *random, norm_case *c)
{
    const int sums = c->operation != R2N_OPERATION_NORM_GRADIENT;
    const r2n_range whole = {.row_last = all_rows(c),
                             .block_last = (c->size.channels + LANES - 1) / LANES};
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        if (!kernel_does(kernel, c->operation, c->before.precision, o))
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = arguments_of(c),
                           .whole = whole,
                           .before = &c->before,
                           .text = c->text,
                           .granule_rows = sums ? c->part_rows : 1,
                           .bind = bind,
                           .context = c};
        void *after = check_kernel(t, &one, random, NULL, "");
        int64_t bad = sums ? wrong_sums(c, kernel, after) : 0;
        if (!sums || c->mask == R2N_MASK_OF_RESULT)
            bad += wrong_pixels(c, kernel, after);
        tally_count(t, bad == 0, "%s: %s: %lld values are wrong", kernel->name, c->text,
                    (long long)bad);
        r2n_free(after);
    }
}

static void check_operation(tally *t, const options *o, r2n_precision precision,
                            r2n_operation operation)
{
    random_state random = {o->seed};
    if (!any_kernel_does(operation, precision, o))
        return;
    for (int i = 0; i < FILL_COUNT * CASES_A_FILL; i++) {
        norm_case c;
        make_case(&c, &random, precision, operation, (fill)(i % FILL_COUNT));
        check_case(t, o, &random, &c);
        release_case(&c);
    }
}

void check_batch_norm(tally *t, const options *o)
{
    for (size_t i = 0; i < sizeof precisions / sizeof precisions[0]; i++)
        for (size_t j = 0; j < sizeof operations / sizeof operations[0]; j++)
            check_operation(t, o, precisions[i], operations[j]);
}
