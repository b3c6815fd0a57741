/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random elementwise steps of f32 and bf16, also in place, against values worked out in double, and
 * the contract's own roundings, which every vector kernel must have to the bit.
 */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/guard.h"

enum { SCENE_ELEMENTS = 200000, CASES_A_FILL = 150, ROUNDINGS = 2, TEXT_BYTES = 200 };

typedef struct elementwise_case {
    r2n_elementwise_arguments step;
    scene before;
    fill fill;
    guarded scale, shift;
    char text[TEXT_BYTES];
} elementwise_case;

static guarded make_row(random_state *random, fill f, int32_t channels)
{
    guarded g = guard_allocate((size_t)channels * sizeof(float), random_between(random, 0, 1));
    float *row = g.data;
    for (int32_t i = 0; i < channels; i++)
        row[i] = fill_value(random, f);
    return g;
}

static r2n_view place(elementwise_case *c, random_state *random, extent e, int role)
{
    const r2n_view view = scene_view(&c->before, random, e, random_between(random, 0, 4) == 0);
    scene_mark_view(&c->before, random, c->fill, &view, e, role);
    return view;
}

static void make_case(elementwise_case *c, random_state *random, r2n_precision precision, fill f)
{
    r2n_elementwise_arguments *step = &c->step;
    *c = (elementwise_case){.fill = f};
    step->images = random_between(random, 1, 3);
    step->rows = random_between(random, 1, 5);
    step->columns = random_between(random, 1, 12);
    step->channels = random_between(random, 1, 70);
    step->relu = random_between(random, 0, 1);
    step->b_there = random_between(random, 0, 1);
    c->scale = make_row(random, f, step->channels);
    c->shift = make_row(random, f, step->channels);
    step->scale = random_between(random, 0, 1) ? c->scale.data : NULL;
    step->shift = random_between(random, 0, 1) ? c->shift.data : NULL;
    const extent e = {step->images, step->rows, step->columns, step->channels};
    scene_begin(&c->before, precision, SCENE_ELEMENTS);
    step->a = place(c, random, e, ROLE_READ);
    if (step->b_there)
        step->b = place(c, random, e, ROLE_READ);
    step->output = step->a;
    if (random_between(random, 0, 3) == 0) /* in place */
        scene_mark_view(&c->before, random, f, &step->a, e, ROLE_WRITTEN);
    else
        step->output = place(c, random, e, ROLE_WRITTEN);
    const int64_t cut = scene_trim(&c->before);
    step->a.offset -= cut;
    step->b.offset -= cut;
    step->output.offset -= cut;
    snprintf(c->text, sizeof c->text, "%s, %d image(s) of %dx%d, %d channels%s%s%s%s", fill_name(f),
             step->images, step->rows, step->columns, step->channels,
             step->scale != NULL ? ", scale" : "", step->shift != NULL ? ", shift" : "",
             step->b_there ? ", b" : "", step->relu ? ", relu" : "");
}

/* An element of `a` or `b`. */
static float value_of(const elementwise_case *c, const r2n_view *view, const int32_t at[4])
{
    const int64_t index = view_index(view, at[0], at[1], at[2], at[3]);
    return (float)value_at(&c->before, c->before.any, index);
}

static float rounded_value(const r2n_elementwise_arguments *step, float a, float b, int32_t channel)
{
    float value = a;
    if (step->scale != NULL || step->shift != NULL)
        value = fmaf(a, step->scale != NULL ? step->scale[channel] : 1,
                     step->shift != NULL ? step->shift[channel] : 0);
    if (step->b_there)
        value += b;
    return step->relu && value <= 0 ? 0 : value;
}

/* at: image, row, column, channel. */
static int element_is_good(const elementwise_case *c, const r2n_kernel *kernel, const void *after,
                           const int32_t at[4])
{
    const r2n_elementwise_arguments *step = &c->step;
    const r2n_precision precision = c->before.precision;
    const float a = value_of(c, &step->a, at);
    const float b = step->b_there ? value_of(c, &step->b, at) : 0;
    const double scaled = (double)a * (step->scale != NULL ? (double)step->scale[at[3]] : 1);
    const double shift = step->shift != NULL ? (double)step->shift[at[3]] : 0;
    const double magnitude = fabs(scaled) + fabs(shift) + fabs((double)b);
    const int64_t index = view_index(&step->output, at[0], at[1], at[2], at[3]);
    const float found = (float)value_at(&c->before, after, index);
    const float rounded = rounded_value(step, a, b, at[3]);
    double value = scaled + shift + (double)b;
    if (step->relu && value <= 0)
        value = 0;
    if (step->relu && !isnan(found) && signbit(found))
        return 0;
    if (kernel->isa != R2N_ISA_REFERENCE &&
        !same_value(found, (float)stored_value(precision, rounded)))
        return 0;
    if (c->fill == FILL_INTEGER)
        return (double)found == value;
    return is_within_stored(precision, (double)found, value, magnitude, ROUNDINGS);
}

static void compare_with_expected(tally *t, const elementwise_case *c, const r2n_kernel *kernel,
                                  const void *after)
{
    const r2n_elementwise_arguments *step = &c->step;
    int64_t bad = 0;
    for (int32_t image = 0; image < step->images; image++)
        for (int32_t row = 0; row < step->rows; row++)
            for (int32_t column = 0; column < step->columns; column++)
                for (int32_t channel = 0; channel < step->channels; channel++)
                    bad += !element_is_good(c, kernel, after,
                                            (int32_t[4]){image, row, column, channel});
    tally_count(t, bad == 0, "%s: %s: %lld elements are wrong", kernel->name, c->text,
                (long long)bad);
}

static void check_case(tally *t, const options *o, random_state *random, const elementwise_case *c)
{
    const r2n_range whole = {.row_last = c->step.images * c->step.rows,
                             .block_last = (c->step.channels + 15) / 16};
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        if (!kernel_does(kernel, R2N_OPERATION_ELEMENTWISE, c->before.precision, o))
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = &c->step,
                           .whole = whole,
                           .before = &c->before,
                           .text = c->text};
        void *after = check_kernel(t, &one, random, NULL, "");
        compare_with_expected(t, c, kernel, after);
        r2n_free(after);
    }
}

static void check_precision(tally *t, const options *o, r2n_precision precision)
{
    random_state random = {o->seed};
    if (!any_kernel_does(R2N_OPERATION_ELEMENTWISE, precision, o))
        return;
    for (int i = 0; i < FILL_COUNT * CASES_A_FILL; i++) {
        elementwise_case c;
        make_case(&c, &random, precision, (fill)(i % FILL_COUNT));
        check_case(t, o, &random, &c);
        scene_release(&c.before);
        guard_release(&c.scale);
        guard_release(&c.shift);
    }
}

void check_elementwise(tally *t, const options *o)
{
    check_precision(t, o, R2N_PRECISION_F32);
    check_precision(t, o, R2N_PRECISION_BF16);
}
