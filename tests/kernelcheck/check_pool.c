/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random pools. All ISAs must have the reference's bits; the reference itself is held to the
 * maximum, and to the average in double (int8: to the byte), of the cells that a window covers.
 */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/pool_sizes.h"
#include "kernels/precision.h"

enum { SCENE_ELEMENTS = 600000, CASES_A_FILL = 150, TEXT_BYTES = 200 };

typedef struct pool_case {
    r2n_pool_arguments pool;
    scene before;
    fill fill;
    char text[TEXT_BYTES];
} pool_case;

static void make_case(pool_case *c, random_state *random, r2n_precision precision, fill f)
{
    r2n_pool_arguments *pool = &c->pool;
    *c = (pool_case){.fill = f};
    make_pool_sizes(pool, random);
    pool->scale = f == FILL_INTEGER ? 1 : 1.0f + 0.9f * random_real(random);
    const extent in = {pool->images, pool->input_rows, pool->input_columns, pool->channels};
    const extent out = {pool->images, pool->rows, pool->columns, pool->channels};
    scene_begin(&c->before, precision, SCENE_ELEMENTS);
    pool->input = scene_view(&c->before, random, in, random_between(random, 0, 4) == 0);
    pool->output = scene_view(&c->before, random, out, random_between(random, 0, 4) == 0);
    scene_mark_view(&c->before, random, f, &pool->input, in, ROLE_READ);
    scene_mark_view(&c->before, random, f, &pool->output, out, ROLE_WRITTEN);
    const int64_t shift = scene_trim(&c->before);
    pool->input.offset -= shift;
    pool->output.offset -= shift;
    snprintf(c->text, sizeof c->text, "%s %s, %s %dx%d/%d+%d%s, %d image(s) of %dx%d, %d channels",
             r2n_precision_facts_of(precision)->name, fill_name(f),
             pool->kind == R2N_POOL_MAXIMUM ? "maximum" : "average", pool->kernel_rows,
             pool->kernel_columns, pool->stride, pool->padding,
             pool->count_padding ? " counted" : "", pool->images, pool->input_rows,
             pool->input_columns, pool->channels);
}

/* What the cells of a window come to. */
typedef struct cells {
    double best, sum, magnitude;
    int32_t inside, counted;
} cells;

static cells look_at_cells(const pool_case *c, int32_t image, int32_t row, int32_t column,
                           int32_t channel)
{
    const r2n_pool_arguments *pool = &c->pool;
    cells w = {.best = -INFINITY};
    for (int32_t i = 0; i < pool->kernel_rows; i++)
        for (int32_t j = 0; j < pool->kernel_columns; j++) {
            const int32_t y = row * pool->stride - pool->padding + i;
            const int32_t x = column * pool->stride - pool->padding + j;
            w.counted +=
                y < pool->input_rows + pool->padding && x < pool->input_columns + pool->padding;
            if (y < 0 || y >= pool->input_rows || x < 0 || x >= pool->input_columns)
                continue;
            const int64_t at = view_index(&pool->input, image, y, x, channel);
            const double value = value_in(&c->before, c->before.any, &pool->input, at);
            w.best = isnan(value) || isnan(w.best) ? NAN : value > w.best ? value : w.best;
            w.sum += value;
            w.magnitude += fabs(value);
            w.inside++;
        }
    return w;
}

static int element_is_good(const pool_case *c, const void *after, int32_t image, int32_t row,
                           int32_t column, int32_t channel)
{
    const r2n_pool_arguments *pool = &c->pool;
    const cells w = look_at_cells(c, image, row, column, channel);
    const int32_t divisor = pool->count_padding ? w.counted : w.inside;
    const int64_t at = view_index(&pool->output, image, row, column, channel);
    const r2n_precision precision = c->before.precision;
    const double found = value_in(&c->before, after, &pool->output, at);
    if (pool->kind == R2N_POOL_MAXIMUM) {
        const double stored = stored_value(precision, (float)w.best);
        return isnan(stored) ? isnan(found) : found == stored;
    }
    if (precision == R2N_PRECISION_INT8) {
        const float factor = pool->scale / (float)divisor;
        return found == fmin(rint((double)((float)w.sum * factor)), R2N_INT8_MAXIMUM);
    }
    return is_within_stored(precision, found, w.sum / divisor, w.magnitude / divisor, w.inside);
}

static void compare_with_expected(tally *t, const pool_case *c, const r2n_kernel *kernel,
                                  const void *after)
{
    const r2n_pool_arguments *pool = &c->pool;
    int64_t bad = 0;
    for (int32_t image = 0; image < pool->images; image++)
        for (int32_t row = 0; row < pool->rows; row++)
            for (int32_t column = 0; column < pool->columns; column++)
                for (int32_t channel = 0; channel < pool->channels; channel++)
                    bad += !element_is_good(c, after, image, row, column, channel);
    tally_count(t, bad == 0, "%s: %s: %lld elements are wrong", kernel->name, c->text,
                (long long)bad);
}

static void check_case(tally *t, const options *o, random_state *random, const pool_case *c)
{
    const r2n_range whole = {.row_last = c->pool.images * c->pool.rows,
                             .block_last = (c->pool.channels + 15) / 16};
    const r2n_precision precision = c->before.precision;
    const r2n_kernel *reference = find_reference(R2N_OPERATION_POOL, precision);
    const trial plain = {.kernel = reference,
                         .arguments = &c->pool,
                         .whole = whole,
                         .before = &c->before,
                         .text = c->text};
    void *expected = check_kernel(t, &plain, random, NULL, "");
    compare_with_expected(t, c, reference, expected);
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        if (kernel == reference || !kernel_does(kernel, R2N_OPERATION_POOL, precision, o))
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = &c->pool,
                           .whole = whole,
                           .before = &c->before,
                           .text = c->text};
        r2n_free(check_kernel(t, &one, random, expected, reference->name));
    }
    r2n_free(expected);
}

static const r2n_precision precisions[] = {R2N_PRECISION_F32, R2N_PRECISION_BF16,
                                           R2N_PRECISION_BF16X3, R2N_PRECISION_INT8};

void check_pool(tally *t, const options *o)
{
    for (size_t p = 0; p < sizeof precisions / sizeof precisions[0]; p++) {
        random_state random = {o->seed};
        if (!any_kernel_does(R2N_OPERATION_POOL, precisions[p], o))
            continue;
        for (int i = 0; i < FILL_COUNT * CASES_A_FILL; i++) {
            pool_case c;
            make_case(&c, &random, precisions[p], (fill)(i % FILL_COUNT));
            check_case(t, o, &random, &c);
            scene_release(&c.before);
        }
    }
}
