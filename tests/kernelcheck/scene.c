/* SPDX-License-Identifier: Apache-2.0 */
#include "kernelcheck/scene.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/bf16.h"
#include "kernels/precision.h"

static const uint32_t canary_bits = 0x7fc0dead;
static const uint16_t canary_bf16 = 0x7fde;
static const uint8_t canary_int8 = 0xca;

static const float edge_values[] = {
    NAN,     INFINITY,       -INFINITY,       0.0f,   -0.0f,   1.0f, -1.0f,
    FLT_MIN, FLT_MIN / 1024, -FLT_MIN / 1024, 1e-45f, -1e-45f, 0.5f, -3.0f,
};

const char *fill_name(fill f)
{
    static const char *const names[FILL_COUNT] = {"integers", "reals", "edges"};
    return names[f];
}

float fill_value(random_state *random, fill f)
{
    enum { EDGES = sizeof edge_values / sizeof edge_values[0] };
    if (f == FILL_INTEGER)
        return (float)random_between(random, -4, 4);
    /* Not too many, or every sum would be NaN. */
    if (f == FILL_EDGE && random_between(random, 0, 11) == 0)
        return edge_values[random_between(random, random_between(random, 0, 3) ? 3 : 0, EDGES - 1)];
    return random_real(random);
}

uint8_t fill_byte(random_state *random, fill f)
{
    if (f == FILL_INTEGER)
        return (uint8_t)random_between(random, 0, 4);
    if (f == FILL_EDGE && random_between(random, 0, 3) != 0)
        return R2N_INT8_MAXIMUM;
    return (uint8_t)random_between(random, 0, R2N_INT8_MAXIMUM);
}

static void set_canary(scene *s, int64_t index)
{
    if (s->element_bytes == 1)
        s->int8[index] = canary_int8;
    else if (s->element_bytes == 2)
        s->bf16[index] = canary_bf16;
    else
        memcpy(&s->values[index], &canary_bits, sizeof canary_bits);
}

static void set_random(scene *s, random_state *random, fill f, int64_t index)
{
    if (s->element_bytes == 1)
        s->int8[index] = fill_byte(random, f);
    else if (s->element_bytes == 2)
        s->bf16[index] = r2n_bf16_from_float(fill_value(random, f));
    else
        s->values[index] = fill_value(random, f);
}

void scene_begin(scene *s, r2n_precision precision, int64_t elements)
{
    *s = (scene){.precision = precision,
                 .element_bytes = r2n_precision_facts_of(precision)->bytes,
                 .elements = elements,
                 .granule = 1};
    s->any = r2n_allocate((size_t)elements, (size_t)s->element_bytes);
    s->roles = r2n_allocate_zeroed((size_t)elements, 1);
    if (s->any == NULL || s->roles == NULL) {
        fprintf(stderr, "kernelcheck: out of memory\n");
        exit(3);
    }
    for (int64_t i = 0; i < elements; i++)
        set_canary(s, i);
}

void scene_release(scene *s)
{
    r2n_free(s->any);
    r2n_free(s->roles);
    *s = (scene){0};
}

/* Zero half of the time. */
static int32_t gap(random_state *random)
{
    return random_between(random, 0, 1) ? random_between(random, 1, 9) : 0;
}

static void is_too_small(void)
{
    fprintf(stderr, "kernelcheck: a scene is too small\n");
    exit(3);
}

static void take_room(scene *s, const r2n_view *view, int32_t images)
{
    s->used = view->offset + images * view->image_pitch;
    if (s->used > s->elements)
        is_too_small();
}

r2n_view scene_view(scene *s, random_state *random, extent e, int may_group)
{
    r2n_view view = {.groups = 1, .group_channels = e.channels, .group_pitch = e.channels};
    const int32_t groups = may_group ? random_between(random, 2, 4) : 1;
    if (groups > 1 && e.channels % groups == 0) {
        view.groups = groups;
        view.group_channels = e.channels / groups;
        view.group_pitch = view.group_channels + gap(random);
    }
    view.offset = s->used + gap(random);
    view.pixel_pitch = (view.groups - 1) * view.group_pitch + view.group_channels + gap(random);
    view.row_pitch = e.columns * view.pixel_pitch + gap(random);
    view.image_pitch = e.rows * view.row_pitch + gap(random);
    take_room(s, &view, e.images);
    if (s->precision == R2N_PRECISION_BF16X3) {
        view.low_pitch = s->used - view.offset + gap(random);
        s->used += view.low_pitch;
        if (s->used > s->elements)
            is_too_small();
    }
    return view;
}

r2n_view scene_float_view(scene *s, random_state *random, extent e)
{
    r2n_view view = {.groups = 1, .group_channels = e.channels, .group_pitch = e.channels};
    const int32_t granule = (int32_t)sizeof(float) / s->element_bytes;
    s->granule = granule;
    view.offset = (s->used + granule - 1) / granule * granule + gap(random) * granule;
    view.pixel_pitch = (e.channels + gap(random)) * granule;
    view.row_pitch = e.columns * view.pixel_pitch + gap(random) * granule;
    view.image_pitch = e.rows * view.row_pitch + gap(random) * granule;
    take_room(s, &view, e.images);
    return view;
}

int64_t scene_doubles(scene *s, random_state *random, int64_t count)
{
    const int32_t granule = (int32_t)sizeof(double) / s->element_bytes;
    const int64_t offset = ((s->used + granule - 1) / granule + gap(random)) * granule;
    s->granule = granule;
    s->used = offset + granule * count;
    if (s->used + s->granule > s->elements)
        is_too_small();
    for (int64_t i = offset; i < s->used; i++)
        scene_mark(s, random, FILL_REAL, i, ROLE_WRITTEN);
    return offset;
}

double value_in(const scene *s, const void *block, const r2n_view *view, int64_t index)
{
    const double value = value_at(s, block, index);
    return view->low_pitch != 0 ? value + value_at(s, block, index + view->low_pitch) : value;
}

double stored_value(r2n_precision precision, float value)
{
    if (precision != R2N_PRECISION_BF16 && precision != R2N_PRECISION_BF16X3)
        return (double)value;
    const float high = r2n_float_from_bf16(r2n_bf16_from_float(value));
    if (precision == R2N_PRECISION_BF16)
        return (double)high;
    return (double)high + (double)r2n_float_from_bf16(r2n_bf16_from_float(value - high));
}

int64_t view_index(const r2n_view *view, int32_t image, int32_t row, int32_t column,
                   int32_t channel)
{
    return view->offset + image * view->image_pitch + row * view->row_pitch +
           column * view->pixel_pitch + (channel / view->group_channels) * view->group_pitch +
           channel % view->group_channels;
}

void scene_mark(scene *s, random_state *random, fill f, int64_t index, int role)
{
    if (s->roles[index] == ROLE_CANARY)
        set_random(s, random, f, index);
    if (s->roles[index] < role)
        s->roles[index] = (unsigned char)role;
}

/* A low term, of the size that these have. */
static void mark_low(scene *s, random_state *random, fill f, int64_t index, int role)
{
    const int is_new = s->roles[index] == ROLE_CANARY;
    scene_mark(s, random, f, index, role);
    if (is_new && f != FILL_INTEGER)
        s->bf16[index] = r2n_bf16_from_float(ldexpf(r2n_float_from_bf16(s->bf16[index]), -9));
}

void scene_mark_view(scene *s, random_state *random, fill f, const r2n_view *view, extent e,
                     int role)
{
    for (int32_t image = 0; image < e.images; image++)
        for (int32_t row = 0; row < e.rows; row++)
            for (int32_t column = 0; column < e.columns; column++)
                for (int32_t channel = 0; channel < e.channels; channel++) {
                    const int64_t index = view_index(view, image, row, column, channel);
                    scene_mark(s, random, f, index, role);
                    if (view->low_pitch != 0)
                        mark_low(s, random, f, index + view->low_pitch, role);
                }
}

int64_t scene_trim(scene *s)
{
    int64_t first = 0;
    int64_t last = s->used;
    while (first < last && s->roles[first] == ROLE_CANARY)
        first++;
    while (last > first && s->roles[last - 1] == ROLE_CANARY)
        last--;
    first = first / s->granule * s->granule;
    last = (last + s->granule - 1) / s->granule * s->granule;
    s->elements = last - first;
    memmove(s->any, s->int8 + first * s->element_bytes,
            (size_t)s->elements * (size_t)s->element_bytes);
    memmove(s->roles, s->roles + first, (size_t)s->elements);
    return first;
}
