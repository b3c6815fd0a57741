/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A convolution's gradients: by its weights with the kernel for them, by its input with a gemm over
 * transposed weights, which reads the gradient spread over the input's pixels.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/grad.h"

enum { IMAGES = 2, MOST_TAPS = 9, LANES = 16, TEXT_BYTES = 80 };

typedef struct setting {
    int32_t kernel, stride, rows, columns, inputs, outputs; /* rows and columns of the output */
    numbers x, w, r;                                        /* input, weights, factors of y */
} setting;

static int64_t input_index(const setting *s, int32_t image, int32_t row, int32_t column, int32_t c)
{
    return (((int64_t)image * s->rows * s->stride + row) * s->columns * s->stride + column) *
               s->inputs +
           c;
}

static int64_t weight_index(const setting *s, int32_t n, int32_t tap, int32_t c)
{
    return ((int64_t)n * s->kernel * s->kernel + tap) * s->inputs + c;
}

static int64_t output_index(const setting *s, int32_t image, int32_t row, int32_t column, int32_t n)
{
    return (((int64_t)image * s->rows + row) * s->columns + column) * s->outputs + n;
}

static double convolve(const setting *s, int32_t image, int32_t row, int32_t column, int32_t n)
{
    const int32_t padding = s->kernel / 2;
    double sum = 0;
    for (int32_t tap = 0; tap < s->kernel * s->kernel; tap++) {
        const int32_t y = row * s->stride + tap / s->kernel - padding;
        const int32_t x = column * s->stride + tap % s->kernel - padding;
        if (y < 0 || y >= s->rows * s->stride || x < 0 || x >= s->columns * s->stride)
            continue;
        for (int32_t c = 0; c < s->inputs; c++)
            sum += s->x.values[input_index(s, image, y, x, c)] *
                   s->w.values[weight_index(s, n, tap, c)];
    }
    return sum;
}

static double loss(const void *context)
{
    const setting *s = context;
    double sum = 0;
    for (int32_t image = 0; image < IMAGES; image++)
        for (int32_t row = 0; row < s->rows; row++)
            for (int32_t column = 0; column < s->columns; column++)
                for (int32_t n = 0; n < s->outputs; n++)
                    sum += s->r.values[output_index(s, image, row, column, n)] *
                           convolve(s, image, row, column, n);
    return sum;
}

/* A tensor of the input's size with a border of zeros, behind `used` floats. */
static r2n_view lay_bordered(const setting *s, int32_t channels, int64_t *used)
{
    const int32_t border = s->kernel / 2;
    r2n_view view = {.pixel_pitch = channels, .groups = 1, .group_channels = channels};
    view.row_pitch = (int64_t)(s->columns * s->stride + border) * channels;
    view.image_pitch = (s->rows * s->stride + border) * view.row_pitch;
    view.offset = *used + border * (view.row_pitch + channels);
    *used = view.offset + IMAGES * view.image_pitch + border * channels;
    return view;
}

/* The other way round with `transposed`: taps are read from the far side. */
static void make_sources(const setting *s, const r2n_view *view, int32_t stride, int transposed,
                         r2n_gemm_source *sources)
{
    for (int32_t tap = 0; tap < s->kernel * s->kernel; tap++) {
        const int32_t row = tap / s->kernel - s->kernel / 2;
        const int32_t column = tap % s->kernel - s->kernel / 2;
        const int64_t shift = row * view->row_pitch + column * view->pixel_pitch;
        sources[tap] = (r2n_gemm_source){.offset = view->offset + (transposed ? -shift : shift),
                                         .image_pitch = view->image_pitch,
                                         .row_pitch = view->row_pitch * stride,
                                         .pixel_pitch = view->pixel_pitch * stride,
                                         .channels = view->group_channels,
                                         .k_first = tap * view->group_channels};
    }
}

static void put_input(const setting *s, const r2n_view *view, float *block)
{
    for (int32_t image = 0; image < IMAGES; image++)
        for (int32_t row = 0; row < s->rows * s->stride; row++)
            for (int32_t column = 0; column < s->columns * s->stride; column++)
                for (int32_t c = 0; c < s->inputs; c++)
                    block[view_index(view, image, row, column, c)] =
                        (float)s->x.values[input_index(s, image, row, column, c)];
}

/* y's gradient, `stride` pixels of the view apart. */
static void put_gradient(const setting *s, const r2n_view *view, int32_t stride, float *block)
{
    for (int32_t image = 0; image < IMAGES; image++)
        for (int32_t row = 0; row < s->rows; row++)
            for (int32_t column = 0; column < s->columns; column++)
                for (int32_t n = 0; n < s->outputs; n++)
                    block[view_index(view, image, row * stride, column * stride, n)] =
                        (float)s->r.values[output_index(s, image, row, column, n)];
}

static void check_weights(problem *p, const setting *s, r2n_isa isa)
{
    const int32_t taps = s->kernel * s->kernel, blocks = (s->outputs + LANES - 1) / LANES;
    r2n_gemm_source sources[MOST_TAPS];
    int64_t used = 0;
    const r2n_view input = lay_bordered(s, s->inputs, &used);
    const r2n_view gradient = {.offset = used,
                               .image_pitch = (int64_t)s->rows * s->columns * s->outputs,
                               .row_pitch = (int64_t)s->columns * s->outputs,
                               .pixel_pitch = s->outputs,
                               .groups = 1,
                               .group_channels = s->outputs};
    float *block = grad_memory(used + s->r.count, sizeof *block);
    float *packed = grad_memory((int64_t)blocks * taps * s->inputs * LANES, sizeof *packed);
    float *found = grad_memory(s->w.count, sizeof *found);
    put_input(s, &input, block);
    put_gradient(s, &gradient, 1, block);
    make_sources(s, &input, s->stride, 0, sources);
    const r2n_weights_gradient_arguments a = {.images = IMAGES,
                                              .rows = s->rows,
                                              .columns = s->columns,
                                              .channels = s->outputs,
                                              .k_total = taps * s->inputs,
                                              .source_count = taps,
                                              .sources = sources,
                                              .gradient = gradient,
                                              .part_rows = IMAGES * s->rows,
                                              .chunk_rows = s->rows,
                                              .output = packed};
    run_best(R2N_OPERATION_WEIGHTS_GRADIENT, isa, &a, block, IMAGES * s->rows, s->outputs);
    for (int32_t n = 0; n < s->outputs; n++)
        for (int32_t k = 0; k < a.k_total; k++)
            found[weight_index(s, n, 0, k)] =
                packed[((int64_t)(n / LANES) * a.k_total + k) * LANES + n % LANES];
    compare_slopes(p, isa, "weights", s->w, found);
    r2n_free(found);
    r2n_free(packed);
    r2n_free(block);
}

/* [input channel][tap][output channel] */
static float *transpose_weights(const setting *s)
{
    const int32_t taps = s->kernel * s->kernel;
    float *transposed = grad_memory(s->w.count, sizeof *transposed);
    float *packed =
        grad_memory((int64_t)r2n_packed_elements(s->inputs, taps * s->outputs), sizeof *packed);
    for (int32_t c = 0; c < s->inputs; c++)
        for (int32_t tap = 0; tap < taps; tap++)
            for (int32_t n = 0; n < s->outputs; n++)
                transposed[((int64_t)c * taps + tap) * s->outputs + n] =
                    (float)s->w.values[weight_index(s, n, tap, c)];
    r2n_pack_f32(packed, s->inputs, taps * s->outputs, 0, taps * s->outputs, transposed,
                 (int64_t)taps * s->outputs, NULL);
    r2n_free(transposed);
    return packed;
}

static void check_input(problem *p, const setting *s, r2n_isa isa)
{
    const int32_t taps = s->kernel * s->kernel, blocks = (s->inputs + LANES - 1) / LANES;
    r2n_gemm_source sources[MOST_TAPS];
    int64_t used = 0;
    const r2n_view gradient = lay_bordered(s, s->outputs, &used);
    const r2n_view output = {.offset = used,
                             .image_pitch = s->x.count / IMAGES,
                             .row_pitch = (int64_t)s->columns * s->stride * s->inputs,
                             .pixel_pitch = s->inputs,
                             .groups = 1,
                             .group_channels = s->inputs};
    float *block = grad_memory(used + s->x.count, sizeof *block);
    float *bias = grad_memory(blocks * LANES, sizeof *bias);
    float *packed = transpose_weights(s);
    put_gradient(s, &gradient, s->stride, block);
    make_sources(s, &gradient, 1, 1, sources);
    const r2n_gemm_arguments a = {.images = IMAGES,
                                  .rows = s->rows * s->stride,
                                  .columns = s->columns * s->stride,
                                  .channels = s->inputs,
                                  .k_total = taps * s->outputs,
                                  .source_count = taps,
                                  .sources = sources,
                                  .weights = packed,
                                  .output = output,
                                  .epilogue = {.bias = bias}};
    run_best(R2N_OPERATION_GEMM, isa, &a, block, IMAGES * a.rows, s->inputs);
    compare_slopes(p, isa, "input", s->x, block + used);
    r2n_free(packed);
    r2n_free(bias);
    r2n_free(block);
}

static const setting settings[] = {{.kernel = 3, .stride = 1, 4, 5, .inputs = 5, .outputs = 7},
                                   {.kernel = 3, .stride = 2, 3, 4, .inputs = 17, .outputs = 4},
                                   {.kernel = 1, .stride = 1, 4, 3, .inputs = 20, .outputs = 33},
                                   {.kernel = 1, .stride = 2, 3, 2, .inputs = 9, .outputs = 18},
                                   {.kernel = 1, .stride = 1, 1, 1, .inputs = 30, .outputs = 10}};

void grad_convolution(problem *p)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        char text[TEXT_BYTES];
        setting s = settings[i];
        const int64_t pixels = (int64_t)IMAGES * s.rows * s.columns;
        s.x = random_numbers(p->random, pixels * s.stride * s.stride * s.inputs);
        s.w = random_numbers(p->random, (int64_t)s.outputs * s.kernel * s.kernel * s.inputs);
        s.r = random_numbers(p->random, pixels * s.outputs);
        snprintf(text, sizeof text, "%dx%d/%d, %d to %d channels", s.kernel, s.kernel, s.stride,
                 s.inputs, s.outputs);
        p->text = text;
        p->loss = loss;
        p->context = &s;
        for (r2n_isa isa = R2N_ISA_REFERENCE; isa <= p->options->isa; isa++) {
            check_weights(p, &s, isa);
            check_input(p, &s, isa);
        }
        r2n_free(s.x.values);
        r2n_free(s.w.values);
        r2n_free(s.r.values);
    }
}
