/* SPDX-License-Identifier: Apache-2.0 */
/* A pool's gradient by its input. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/grad.h"

enum { IMAGES = 2, CHANNELS = 19, TEXT_BYTES = 80 };

typedef struct setting {
    r2n_pool_arguments pool;
    numbers x, r;
} setting;

static r2n_view dense(int64_t offset, int32_t rows, int32_t columns)
{
    return (r2n_view){.offset = offset,
                      .image_pitch = (int64_t)rows * columns * CHANNELS,
                      .row_pitch = (int64_t)columns * CHANNELS,
                      .pixel_pitch = CHANNELS,
                      .groups = 1,
                      .group_channels = CHANNELS};
}

static double pool_window(const setting *s, int32_t image, int32_t row, int32_t column, int32_t n)
{
    const r2n_pool_arguments *pool = &s->pool;
    const r2n_view view = dense(0, pool->input_rows, pool->input_columns);
    double best = -INFINITY, sum = 0;
    int32_t inside = 0;
    for (int32_t i = 0; i < pool->kernel_rows; i++)
        for (int32_t j = 0; j < pool->kernel_columns; j++) {
            const int32_t y = row * pool->stride - pool->padding + i;
            const int32_t x = column * pool->stride - pool->padding + j;
            if (y < 0 || y >= pool->input_rows || x < 0 || x >= pool->input_columns)
                continue;
            const double value = s->x.values[view_index(&view, image, y, x, n)];
            best = fmax(best, value);
            sum += value;
            inside++;
        }
    if (pool->kind == R2N_POOL_MAXIMUM)
        return best;
    return sum / (pool->count_padding ? pool->kernel_rows * pool->kernel_columns : inside);
}

static double loss(const void *context)
{
    const setting *s = context;
    const r2n_view view = dense(0, s->pool.rows, s->pool.columns);
    double sum = 0;
    for (int32_t image = 0; image < IMAGES; image++)
        for (int32_t row = 0; row < s->pool.rows; row++)
            for (int32_t column = 0; column < s->pool.columns; column++)
                for (int32_t n = 0; n < CHANNELS; n++)
                    sum += s->r.values[view_index(&view, image, row, column, n)] *
                           pool_window(s, image, row, column, n);
    return sum;
}

static void check_pool_slopes(problem *p, const setting *s, r2n_isa isa)
{
    r2n_pool_gradient_arguments a = {.pool = s->pool};
    float *block = grad_memory(2 * s->x.count + s->r.count, sizeof *block);
    for (int64_t i = 0; i < s->x.count; i++)
        block[i] = (float)s->x.values[i];
    for (int64_t i = 0; i < s->r.count; i++)
        block[s->x.count + i] = (float)s->r.values[i];
    a.pool.input = dense(0, s->pool.input_rows, s->pool.input_columns);
    a.gradient = dense(s->x.count, s->pool.rows, s->pool.columns);
    a.input_gradient = dense(s->x.count + s->r.count, s->pool.input_rows, s->pool.input_columns);
    run_best(R2N_OPERATION_POOL_GRADIENT, isa, &a, block, IMAGES * s->pool.input_rows, CHANNELS);
    compare_slopes(p, isa, "input", s->x, block + s->x.count + s->r.count);
    r2n_free(block);
}

/* The stem's, those of the blocks of both families, of vd's shortcuts, and the global one. */
static const r2n_pool_arguments pools[] = {
    {.kind = R2N_POOL_MAXIMUM, .kernel_rows = 3, .kernel_columns = 3, .stride = 2, .padding = 1},
    {.kind = R2N_POOL_AVERAGE, .kernel_rows = 3, .kernel_columns = 3, .stride = 2, .padding = 1},
    {.kind = R2N_POOL_AVERAGE,
     .kernel_rows = 3,
     .kernel_columns = 3,
     .stride = 1,
     .padding = 1,
     .count_padding = 1},
    {.kind = R2N_POOL_AVERAGE, .kernel_rows = 2, .kernel_columns = 2, .stride = 2},
    {.kind = R2N_POOL_AVERAGE, .kernel_rows = 6, .kernel_columns = 4, .stride = 1}};

void grad_pool(problem *p)
{
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++) {
        char text[TEXT_BYTES];
        setting s = {.pool = pools[i]};
        s.pool.images = IMAGES;
        s.pool.channels = CHANNELS;
        s.pool.input_rows = 6;
        s.pool.input_columns = 4;
        s.pool.rows =
            (s.pool.input_rows + 2 * s.pool.padding - s.pool.kernel_rows) / s.pool.stride + 1;
        s.pool.columns =
            (s.pool.input_columns + 2 * s.pool.padding - s.pool.kernel_columns) / s.pool.stride + 1;
        s.x = random_numbers(p->random,
                             (int64_t)IMAGES * s.pool.input_rows * s.pool.input_columns * CHANNELS);
        s.r = random_numbers(p->random, (int64_t)IMAGES * s.pool.rows * s.pool.columns * CHANNELS);
        snprintf(text, sizeof text, "%s %dx%d/%d",
                 s.pool.kind == R2N_POOL_MAXIMUM ? "maximum" : "average", s.pool.kernel_rows,
                 s.pool.kernel_columns, s.pool.stride);
        p->text = text;
        p->loss = loss;
        p->context = &s;
        for (r2n_isa isa = R2N_ISA_REFERENCE; isa <= p->options->isa; isa++)
            check_pool_slopes(p, &s, isa);
        r2n_free(s.x.values);
        r2n_free(s.r.values);
    }
}
