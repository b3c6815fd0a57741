/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Winograd steps on random shapes: equal to the plain sums for integers, within the bound of their
 * roundings for real numbers, and, for the vector kernels, the contract's own roundings to the bit.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"

enum {
    CASES_A_FILL = 50,
    SCENE_ELEMENTS = 1 << 20,
    MOST_CHANNELS = 100,
    LANES = 16,
    POINTS = R2N_WINOGRAD_POINTS,
    PIXELS = R2N_WINOGRAD_PIXELS,
    ROWS = R2N_WINOGRAD_ROWS
};

typedef struct winograd_case {
    r2n_winograd_arguments winograd;
    scene before;
    float *weights, *bias;
    fill fill;
    char text[120];
} winograd_case;

/* The view of a picture within one that has a border, whose cells are zero. */
static r2n_view bordered_view(scene *s, random_state *random, fill f, extent e)
{
    const extent whole = {e.images, e.rows + 2, e.columns + 2, e.channels};
    r2n_view view = scene_view(s, random, whole, 0);
    scene_mark_view(s, random, f, &view, whole, ROLE_READ);
    for (int32_t image = 0; image < whole.images; image++)
        for (int32_t row = 0; row < whole.rows; row++)
            for (int32_t column = 0; column < whole.columns; column++)
                for (int32_t channel = 0; channel < whole.channels; channel++)
                    if (row == 0 || column == 0 || row == whole.rows - 1 ||
                        column == whole.columns - 1)
                        s->values[view_index(&view, image, row, column, channel)] = 0;
    view.offset += view.row_pitch + view.pixel_pitch;
    return view;
}

static float *random_numbers(random_state *random, fill f, size_t count, int32_t there)
{
    float *numbers = r2n_allocate(count, sizeof(float));
    if (numbers == NULL) {
        fprintf(stderr, "kernelcheck: out of memory\n");
        exit(3);
    }
    for (size_t i = 0; i < count; i++) /* zeros in the lanes after the last channel */
        numbers[i] = i / LANES * LANES < count - LANES || (int32_t)(i % LANES) < there
                         ? fill_value(random, f)
                         : 0;
    return numbers;
}

static void make_case(winograd_case *c, random_state *random, fill f, int large)
{
    r2n_winograd_arguments *w = &c->winograd;
    *c = (winograd_case){.fill = f};
    w->images = random_between(random, 1, large ? 1 : 3);
    w->rows = random_between(random, 1, large ? 20 : 9);
    w->columns = random_between(random, 1, large ? 60 : 18);
    w->input_channels = random_between(random, 1, large ? MOST_CHANNELS : 20);
    w->channels = random_between(random, 1, large ? 20 : MOST_CHANNELS);
    const extent in = {w->images, w->rows, w->columns, w->input_channels};
    const extent out = {w->images, w->rows, w->columns, w->channels};
    const int32_t k_total = POINTS * ROWS * w->input_channels;
    const int32_t last = (w->channels - 1) % LANES + 1;
    const size_t packed = r2n_packed_elements(w->channels, k_total);
    c->weights = random_numbers(random, f, packed, LANES);
    for (size_t i = packed - (size_t)k_total * LANES; i < packed; i++)
        if ((int32_t)(i % LANES) >= last)
            c->weights[i] = 0;
    c->bias = random_numbers(random, f, (size_t)(w->channels + LANES - 1) / LANES * LANES, last);
    w->weights = c->weights;
    w->epilogue.bias = c->bias;
    w->epilogue.relu = random_between(random, 0, 1);
    w->epilogue.chain_there = random_between(random, 0, 1);
    scene_begin(&c->before, R2N_PRECISION_F32, SCENE_ELEMENTS);
    w->input = bordered_view(&c->before, random, f, in);
    w->output = scene_view(&c->before, random, out, 0);
    scene_mark_view(&c->before, random, f, &w->output, out, ROLE_WRITTEN);
    if (w->epilogue.chain_there) {
        w->epilogue.chain = scene_view(&c->before, random, out, 0);
        scene_mark_view(&c->before, random, f, &w->epilogue.chain, out, ROLE_WRITTEN);
    }
    const int64_t shift = scene_trim(&c->before);
    w->input.offset -= shift;
    w->output.offset -= shift;
    w->epilogue.chain.offset -= shift;
    snprintf(c->text, sizeof c->text, "%s, %d image(s) of %dx%d, %d to %d channels%s%s",
             fill_name(f), w->images, w->rows, w->columns, w->input_channels, w->channels,
             w->epilogue.relu ? ", relu" : "", w->epilogue.chain_there ? ", chain" : "");
}

static void release_case(winograd_case *c)
{
    scene_release(&c->before);
    r2n_free(c->weights);
    r2n_free(c->bias);
}

/* A tile's pixels of one channel: plain sums, how large their roundings may grow, and with the
 * contract's roundings. */
typedef struct tile {
    double value[PIXELS], magnitude[PIXELS];
    float rounded[PIXELS];
} tile;

static void read_pixels(const winograd_case *c, int32_t image, int32_t row, int32_t column,
                        int32_t channel, float *d)
{
    const r2n_winograd_arguments *w = &c->winograd;
    for (int32_t i = 0; i < POINTS; i++) {
        const int32_t x = column + i - 1;
        d[i] = row >= 0 && row < w->rows && x >= 0 && x < w->columns
                   ? c->before.values[view_index(&w->input, image, row, x, channel)]
                   : 0;
    }
}

/* The matrices of the transforms, written down apart from the kernels. */
static const double input_matrix[POINTS][POINTS] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0},
                                                    {0, 4, -4, -1, 1, 0}, {0, -2, -1, 2, 1, 0},
                                                    {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
static const double output_matrix[PIXELS][POINTS] = {
    {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

static void round_input(const float *d, float *v)
{
    const float a = fmaf(-4, d[2], d[4]), b = fmaf(-4, d[1], d[3]);
    const float e = d[4] - d[2], f = d[3] - d[1];
    v[0] = fmaf(4, d[0], fmaf(-5, d[2], d[4]));
    v[1] = a + b;
    v[2] = a - b;
    v[3] = fmaf(2, f, e);
    v[4] = fmaf(-2, f, e);
    v[5] = fmaf(4, d[1], fmaf(-5, d[3], d[5]));
}

static void round_output(const float *m, float *y)
{
    const float s = m[1] + m[2], t = m[1] - m[2], u = m[3] + m[4], w = m[3] - m[4];
    y[0] = (m[0] + s) + u;
    y[1] = fmaf(2, w, t);
    y[2] = fmaf(4, u, s);
    y[3] = fmaf(8, w, t) + m[5];
}

/* One product more at every point; `magnitude` gathers what each rounding is in proportion to. */
static void add_products(const winograd_case *c, const float *d, int64_t k, int32_t channel,
                         double *sum, double *magnitude, float *rounded)
{
    const int64_t k_total = (int64_t)POINTS * ROWS * c->winograd.input_channels;
    const int64_t point_rows = (int64_t)ROWS * c->winograd.input_channels;
    float v[POINTS];
    round_input(d, v);
    for (int32_t point = 0; point < POINTS; point++) {
        const float weight =
            c->weights[(channel / LANES * k_total + point * point_rows + k) * LANES +
                       channel % LANES];
        double exact = 0, large = 0;
        for (int32_t i = 0; i < POINTS; i++) {
            exact += input_matrix[point][i] * (double)d[i];
            large += fabs(input_matrix[point][i] * (double)d[i]);
        }
        sum[point] += exact * (double)weight;
        magnitude[point] += large * fabs((double)weight);
        rounded[point] = fmaf(v[point], weight, rounded[point]);
    }
}

static tile expect(const winograd_case *c, int32_t image, int32_t row, int32_t column,
                   int32_t channel)
{
    const r2n_winograd_arguments *w = &c->winograd;
    double sum[POINTS] = {0}, magnitude[POINTS] = {0};
    float rounded[POINTS] = {0};
    tile t = {{0}, {0}, {0}};
    for (int32_t i = 0; i < ROWS; i++)
        for (int32_t k = 0; k < w->input_channels; k++) {
            float d[POINTS];
            read_pixels(c, image, row + i - 1, column, k, d);
            add_products(c, d, (int64_t)i * w->input_channels + k, channel, sum, magnitude,
                         rounded);
        }
    round_output(rounded, t.rounded);
    for (int32_t i = 0; i < PIXELS; i++) {
        const double bias = (double)c->bias[channel];
        t.value[i] = bias;
        t.magnitude[i] = fabs(bias);
        for (int32_t point = 0; point < POINTS; point++) {
            t.value[i] += output_matrix[i][point] * sum[point];
            t.magnitude[i] += fabs(output_matrix[i][point]) * magnitude[point];
        }
        t.rounded[i] += c->bias[channel];
        if (w->epilogue.relu && t.value[i] <= 0)
            t.value[i] = 0;
        if (w->epilogue.relu && t.rounded[i] <= 0)
            t.rounded[i] = 0;
    }
    return t;
}

static int is_good(const winograd_case *c, int to_the_bit, const tile *t, int32_t pixel,
                   float before, int is_chain, float found)
{
    const int32_t terms = ROWS * c->winograd.input_channels + POINTS + PIXELS;
    const double old = is_chain ? (double)before : 0;
    if (to_the_bit && !same_value(found, is_chain ? before + t->rounded[pixel] : t->rounded[pixel]))
        return 0;
    if (c->fill == FILL_INTEGER)
        return (double)found == old + t->value[pixel];
    return c->fill == FILL_EDGE ||
           is_within(found, old + t->value[pixel], fabs(old) + t->magnitude[pixel], terms);
}

/* Of one tile's elements of one channel those that are wrong. */
static int count_bad(const winograd_case *c, int to_the_bit, const float *after, int32_t image,
                     int32_t row, int32_t column, int32_t channel)
{
    const r2n_winograd_arguments *w = &c->winograd;
    const tile t = expect(c, image, row, column, channel);
    int bad = 0;
    for (int32_t i = 0; i < PIXELS && column + i < w->columns; i++) {
        int64_t at = view_index(&w->output, image, row, column + i, channel);
        bad += !is_good(c, to_the_bit, &t, i, 0, 0, after[at]);
        if (!w->epilogue.chain_there)
            continue;
        at = view_index(&w->epilogue.chain, image, row, column + i, channel);
        bad += !is_good(c, to_the_bit, &t, i, c->before.values[at], 1, after[at]);
    }
    return bad;
}

static void compare(tally *tally, const winograd_case *c, const r2n_kernel *kernel,
                    const float *after)
{
    const r2n_winograd_arguments *w = &c->winograd;
    const int to_the_bit = kernel->isa != R2N_ISA_REFERENCE;
    int64_t bad = 0;
    for (int32_t row = 0; row < w->images * w->rows; row++)
        for (int32_t column = 0; column < w->columns; column += PIXELS)
            for (int32_t channel = 0; channel < w->channels; channel++)
                bad +=
                    count_bad(c, to_the_bit, after, row / w->rows, row % w->rows, column, channel);
    tally_count(tally, bad == 0, "%s: %s: %lld elements are wrong", kernel->name, c->text,
                (long long)bad);
}

static void check_case(tally *t, const options *o, random_state *random, const winograd_case *c)
{
    const r2n_winograd_arguments *w = &c->winograd;
    const r2n_range whole = {.row_last = w->images * w->rows,
                             .block_last = (w->channels + LANES - 1) / LANES};
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        if (!kernel_does(kernel, R2N_OPERATION_WINOGRAD, R2N_PRECISION_F32, o) ||
            kernel->accepts(w) != NULL)
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = w,
                           .whole = whole,
                           .before = &c->before,
                           .text = c->text};
        float *after = check_kernel(t, &one, random, NULL, "");
        compare(t, c, kernel, after);
        r2n_free(after);
    }
}

void check_winograd(tally *t, const options *o)
{
    random_state random = {o->seed};
    for (int i = 0; i < FILL_COUNT * CASES_A_FILL; i++) {
        winograd_case c;
        make_case(&c, &random, (fill)(i % FILL_COUNT), i % 10 == 0);
        check_case(t, o, &random, &c);
        release_case(&c);
    }
}
