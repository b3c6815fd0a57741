/* SPDX-License-Identifier: Apache-2.0 */
/* Random elementwise steps, also in place, against values worked out in double. */
#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/guard.h"

enum { SCENE_FLOATS = 200000, CASES_A_FILL = 150, ROUNDINGS = 2, TEXT_BYTES = 200 };

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

static void make_case(elementwise_case *c, random_state *random, fill f)
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
    scene_begin(&c->before, R2N_PRECISION_F32, SCENE_FLOATS);
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

static int element_is_good(const elementwise_case *c, const float *after, int32_t image,
                           int32_t row, int32_t column, int32_t channel)
{
    const r2n_elementwise_arguments *step = &c->step;
    const float *before = c->before.values;
    double value = before[view_index(&step->a, image, row, column, channel)];
    value *= step->scale != NULL ? (double)step->scale[channel] : 1;
    double magnitude = fabs(value);
    const double shift = step->shift != NULL ? (double)step->shift[channel] : 0;
    const double b =
        step->b_there ? (double)before[view_index(&step->b, image, row, column, channel)] : 0;
    value += shift + b;
    magnitude += fabs(shift) + fabs(b);
    const float found = after[view_index(&step->output, image, row, column, channel)];
    if (step->relu && value <= 0)
        value = 0;
    if (step->relu && !isnan(found) && signbit(found))
        return 0;
    if (c->fill == FILL_INTEGER)
        return (double)found == value;
    if (!isfinite(value))
        return isnan(value) ? isnan(found) : (double)found == value;
    return is_within(found, value, magnitude, ROUNDINGS);
}

static void compare_with_expected(tally *t, const elementwise_case *c, const r2n_kernel *kernel,
                                  const float *after)
{
    const r2n_elementwise_arguments *step = &c->step;
    int64_t bad = 0;
    for (int32_t image = 0; image < step->images; image++)
        for (int32_t row = 0; row < step->rows; row++)
            for (int32_t column = 0; column < step->columns; column++)
                for (int32_t channel = 0; channel < step->channels; channel++)
                    bad += !element_is_good(c, after, image, row, column, channel);
    tally_count(t, bad == 0, "%s: %s: %lld elements are wrong", kernel->name, c->text,
                (long long)bad);
}

static void check_case(tally *t, const options *o, random_state *random, const elementwise_case *c)
{
    const r2n_range whole = {.row_last = c->step.images * c->step.rows,
                             .block_last = (c->step.channels + 15) / 16};
    const char *other_name = "";
    float *other = NULL; /* the best vector kernel's: the others must have its bits */
    for (size_t i = 0; i < r2n_kernel_count; i++) {
        const r2n_kernel *kernel = &r2n_kernels[i];
        if (!kernel_does(kernel, R2N_OPERATION_ELEMENTWISE, R2N_PRECISION_F32, o))
            continue;
        const int is_reference = kernel->isa == R2N_ISA_REFERENCE;
        const trial one = {.kernel = kernel,
                           .arguments = &c->step,
                           .whole = whole,
                           .before = &c->before,
                           .text = c->text};
        float *after = check_kernel(t, &one, random, is_reference ? NULL : other, other_name);
        compare_with_expected(t, c, kernel, after);
        if (!is_reference && other == NULL) {
            other = after;
            other_name = kernel->name;
        } else {
            r2n_free(after);
        }
    }
    r2n_free(other);
}

void check_elementwise(tally *t, const options *o)
{
    random_state random = {o->seed};
    for (int i = 0; i < FILL_COUNT * CASES_A_FILL; i++) {
        elementwise_case c;
        make_case(&c, &random, (fill)(i % FILL_COUNT));
        check_case(t, o, &random, &c);
        scene_release(&c.before);
        guard_release(&c.scale);
        guard_release(&c.shift);
    }
}
