/* SPDX-License-Identifier: Apache-2.0 */
#include "kernelcheck/gemm_case.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kernels/bf16.h"
#include "kernels/precision.h"

enum { DEEP_CHANNELS = 4096 };
enum { SCENE_ELEMENTS = 1000000, LARGE_SCENE_ELEMENTS = 4000000 };

/* Channels of a source come in multiples of it. */
static int32_t group_of(const gemm_case *c)
{
    return c->any_channels ? 1 : r2n_precision_facts_of(c->precision)->group;
}

int64_t packed_index(const gemm_case *c, int32_t k, int32_t channel)
{
    const int32_t group = group_of(c);
    return ((int64_t)(channel / 16) * c->gemm.k_total + k / group * group) * 16 +
           channel % 16 * group + k % group;
}

static extent output_extent(const gemm_case *c)
{
    return (extent){c->gemm.images, c->gemm.rows, c->gemm.columns, c->gemm.channels};
}

static void add_source(gemm_case *c, random_state *random, r2n_gemm_source source)
{
    if (random_between(random, 0, 7) == 0) /* rows that no source uses */
        c->gemm.k_total += group_of(c);
    source.k_first = c->gemm.k_total;
    c->gemm.k_total += source.channels;
    c->sources[c->gemm.source_count++] = source;
}

/* Reads one more tensor at 1, 3 or 9 taps, all its channels or two parts of them. */
static void add_input(gemm_case *c, random_state *random)
{
    const int32_t stride = random_between(random, 1, 2);
    const int32_t tap_rows = random_between(random, 0, 1) ? 3 : 1;
    const int32_t tap_columns = random_between(random, 0, 1) ? tap_rows : 1;
    const extent e = {c->gemm.images, (c->gemm.rows - 1) * stride + tap_rows,
                      (c->gemm.columns - 1) * stride + tap_columns,
                      random_between(random, 1, group_of(c) == 1 ? 40 : 60 / group_of(c)) *
                          group_of(c)};
    const r2n_view view = scene_view(&c->before, random, e, 0);
    const int32_t part =
        random_between(random, 0, 3) == 0 ? e.channels / 2 / group_of(c) * group_of(c) : 0;
    for (int32_t tap = 0; tap < tap_rows * tap_columns; tap++) {
        r2n_gemm_source source = {.image_pitch = view.image_pitch,
                                  .row_pitch = view.row_pitch * stride,
                                  .pixel_pitch = view.pixel_pitch * stride};
        const int64_t corner =
            view.offset + tap / tap_columns * view.row_pitch + tap % tap_columns * view.pixel_pitch;
        if (part > 0) {
            source.offset = corner;
            source.channels = part;
            add_source(c, random, source);
        }
        source.offset = corner + part;
        source.channels = e.channels - part;
        add_source(c, random, source);
    }
}

int64_t source_index(const r2n_gemm_source *source, int32_t image, int32_t row, int32_t column)
{
    return source->offset + image * source->image_pitch + row * source->row_pitch +
           column * source->pixel_pitch;
}

static void mark_sources(gemm_case *c, random_state *random)
{
    for (int32_t i = 0; i < c->gemm.source_count; i++)
        for (int32_t image = 0; image < c->gemm.images; image++)
            for (int32_t row = 0; row < c->gemm.rows; row++)
                for (int32_t column = 0; column < c->gemm.columns; column++)
                    for (int32_t k = 0; k < c->sources[i].channels; k++)
                        scene_mark(&c->before, random, c->fill,
                                   source_index(&c->sources[i], image, row, column) + k, ROLE_READ);
}

void add_gemm_sources(gemm_case *c, random_state *random)
{
    c->gemm.sources = c->sources;
    for (int32_t i = random_between(random, 1, GEMM_INPUTS); i > 0; i--)
        add_input(c, random);
    mark_sources(c, random);
}

/* The scores of a classifier: floats, whatever the precision. */
static void place_scores(gemm_case *c, random_state *random)
{
    extent e = output_extent(c);
    const int32_t elements = (int32_t)sizeof(float) / c->before.element_bytes;
    c->gemm.epilogue.float_output = 1;
    c->gemm.output = scene_float_view(&c->before, random, e);
    const r2n_view *view = &c->gemm.output;
    e.channels *= elements;
    r2n_view all = *view;
    all.group_channels = e.channels;
    scene_mark_view(&c->before, random, c->fill, &all, e, ROLE_WRITTEN);
}

static void place_outputs(gemm_case *c, random_state *random)
{
    r2n_epilogue *epilogue = &c->gemm.epilogue;
    const extent e = output_extent(c);
    const int groups = random_between(random, 0, 4) == 0;
    if (c->precision != R2N_PRECISION_F32 && random_between(random, 0, 5) == 0) {
        place_scores(c, random);
        return;
    }
    c->gemm.output = scene_view(&c->before, random, e, groups && random_between(random, 0, 1));
    epilogue->relu = random_between(random, 0, 1);
    epilogue->residual_there = random_between(random, 0, 1);
    epilogue->chain_there = random_between(random, 0, 1);
    if (epilogue->residual_there && random_between(random, 0, 7) == 0)
        epilogue->residual = c->gemm.output; /* added in place */
    else if (epilogue->residual_there)
        epilogue->residual =
            scene_view(&c->before, random, e, groups && random_between(random, 0, 1));
    if (epilogue->chain_there)
        epilogue->chain = scene_view(&c->before, random, e, groups && random_between(random, 0, 1));
    if (epilogue->residual_there)
        scene_mark_view(&c->before, random, c->fill, &epilogue->residual, e, ROLE_READ);
    if (epilogue->chain_there)
        scene_mark_view(&c->before, random, c->fill, &epilogue->chain, e, ROLE_WRITTEN);
    scene_mark_view(&c->before, random, c->fill, &c->gemm.output, e, ROLE_WRITTEN);
}

static int8_t fill_int8_weight(random_state *random, fill f)
{
    if (f == FILL_INTEGER)
        return (int8_t)random_between(random, -4, 4);
    if (f == FILL_EDGE && random_between(random, 0, 7) != 0) /* all but one the same way */
        return R2N_INT8_MAXIMUM;
    return (int8_t)random_between(random, -R2N_INT8_MAXIMUM, R2N_INT8_MAXIMUM);
}

static guarded make_lanes(const gemm_case *c)
{
    return guard_allocate((size_t)(c->gemm.channels + 15) / 16 * 16 * sizeof(float), 0);
}

/* Scales that spread the sums over the bytes and past both ends; integers are halved often, so that
 * many values lie between two bytes. */
static void fill_scales(gemm_case *c, random_state *random)
{
    const int32_t padded = (c->gemm.channels + 15) / 16 * 16;
    r2n_epilogue *epilogue = &c->gemm.epilogue;
    c->scale = make_lanes(c);
    float *scale = c->scale.data;
    float *bias = c->bias.data;
    for (int32_t i = 0; i < padded; i++) {
        const int there = i < c->gemm.channels;
        const float spread = c->fill == FILL_REAL ? 50 / (3000 * sqrtf((float)c->gemm.k_total))
                                                  : 1.0f / (float)c->gemm.k_total / 127;
        if (c->fill == FILL_INTEGER)
            scale[i] = there ? ldexpf(1, -random_between(random, 0, 3)) : 0;
        else
            scale[i] = there ? spread * (1.5f + random_real(random)) : 0;
        bias[i] = there ? (float)random_between(random, -80, 160) * 0.5f : 0;
    }
    const int halves = c->fill == FILL_INTEGER;
    epilogue->scale = scale;
    epilogue->residual_scale = halves ? 0.5f : 1.0f + 0.9f * random_real(random);
    epilogue->chain_scale = halves ? 0.5f : 1.0f + 0.9f * random_real(random);
    epilogue->value_scale = halves ? 0.25f : 1.0f + 0.9f * random_real(random);
}

static void fill_weights(gemm_case *c, random_state *random)
{
    const r2n_gemm_arguments *gemm = &c->gemm;
    const int32_t padded = (gemm->channels + 15) / 16 * 16;
    const size_t bytes =
        r2n_packed_elements(gemm->channels, gemm->k_total) * (size_t)c->before.element_bytes;
    c->weights = guard_allocate(bytes, 0);
    c->bias = make_lanes(c);
    float *bias = c->bias.data;
    for (int32_t channel = 0; channel < padded; channel++) {
        const int there = channel < gemm->channels;
        for (int32_t k = 0; k < gemm->k_total; k++) {
            const int64_t at = packed_index(c, k, channel);
            if (c->precision == R2N_PRECISION_INT8)
                ((int8_t *)c->weights.data)[at] = there ? fill_int8_weight(random, c->fill) : 0;
            else if (c->precision == R2N_PRECISION_F32)
                ((float *)c->weights.data)[at] = there ? fill_value(random, c->fill) : 0.0f;
            else
                ((uint16_t *)c->weights.data)[at] =
                    there ? r2n_bf16_from_float(fill_value(random, c->fill)) : 0;
        }
        bias[channel] = there ? fill_value(random, c->fill) : 0.0f;
    }
    c->gemm.weights = c->weights.data;
    c->gemm.epilogue.bias = bias;
    if (c->precision == R2N_PRECISION_INT8)
        fill_scales(c, random);
}

static void shift_offsets(gemm_case *c, int64_t elements)
{
    for (int32_t i = 0; i < c->gemm.source_count; i++)
        c->sources[i].offset -= elements;
    c->gemm.output.offset -= elements;
    c->gemm.epilogue.residual.offset -= elements;
    c->gemm.epilogue.chain.offset -= elements;
}

static void describe_case(gemm_case *c)
{
    const r2n_gemm_arguments *gemm = &c->gemm;
    snprintf(
        c->text, sizeof c->text,
        "%s, %d image(s) of %dx%d, %d channels, %d sources, K %d%s%s%s%s%s", fill_name(c->fill),
        gemm->images, gemm->rows, gemm->columns, gemm->channels, gemm->source_count, gemm->k_total,
        gemm->epilogue.relu ? ", relu" : "", gemm->epilogue.residual_there ? ", residual" : "",
        gemm->epilogue.chain_there ? ", chain" : "", gemm->output.groups > 1 ? ", grouped" : "",
        gemm->epilogue.float_output ? ", float output" : "");
}

void make_gemm_case(gemm_case *c, random_state *random, r2n_precision precision, fill f,
                    int32_t columns, int32_t channels)
{
    const int inputs_first = random_between(random, 0, 1); /* or what is written comes first */
    memset(c, 0, sizeof *c);
    c->precision = precision;
    c->fill = f;
    c->gemm.images = random_between(random, 0, 1) ? random_between(random, 2, 3) : 1;
    c->gemm.rows = random_between(random, 1, 4);
    c->gemm.columns = columns > 0 ? columns : random_between(random, 1, 30);
    c->gemm.channels = channels > 0 ? channels : random_between(random, 1, 70);
    scene_begin(&c->before, precision, SCENE_ELEMENTS);
    if (!inputs_first)
        place_outputs(c, random);
    add_gemm_sources(c, random);
    if (inputs_first)
        place_outputs(c, random);
    fill_weights(c, random);
    shift_offsets(c, scene_trim(&c->before));
    describe_case(c);
}

/* One source at one tap. */
static void make_plain_case(gemm_case *c, random_state *random, int64_t elements, int32_t channels)
{
    const extent e = {c->gemm.images, c->gemm.rows, c->gemm.columns, channels};
    c->gemm.sources = c->sources;
    scene_begin(&c->before, c->precision, elements);
    const r2n_view view = scene_view(&c->before, random, e, 0);
    add_source(c, random,
               (r2n_gemm_source){.offset = view.offset,
                                 .image_pitch = view.image_pitch,
                                 .row_pitch = view.row_pitch,
                                 .pixel_pitch = view.pixel_pitch,
                                 .channels = e.channels});
    mark_sources(c, random);
    place_outputs(c, random);
    fill_weights(c, random);
    shift_offsets(c, scene_trim(&c->before));
    describe_case(c);
}

void make_large_gemm_case(gemm_case *c, random_state *random, r2n_precision precision)
{
    *c = (gemm_case){.precision = precision, .fill = FILL_REAL, .gemm.images = 2};
    c->gemm.rows = random_between(random, 18, 22);
    c->gemm.columns = random_between(random, 30, 40);
    c->gemm.channels = random_between(random, 20, 40);
    make_plain_case(c, random, LARGE_SCENE_ELEMENTS, random_between(random, 100, 150) * 4);
}

/* All activations 127, all weights of a channel 127 or -127, every third scale far too large. */
static void go_to_extremes(gemm_case *c)
{
    int8_t *weights = c->weights.data;
    float *scale = c->scale.data;
    for (int32_t channel = 0; channel < c->gemm.channels; channel++) {
        for (int32_t k = 0; k < c->gemm.k_total; k++)
            weights[packed_index(c, k, channel)] =
                (int8_t)(channel % 2 != 0 ? -R2N_INT8_MAXIMUM : R2N_INT8_MAXIMUM);
        if (channel % 3 == 0)
            scale[channel] = 1e30f;
    }
    for (int64_t i = 0; i < c->before.elements; i++)
        if (c->before.roles[i] == ROLE_READ)
            c->before.int8[i] = R2N_INT8_MAXIMUM;
}

void make_deep_gemm_case(gemm_case *c, random_state *random, r2n_precision precision)
{
    *c = (gemm_case){.precision = precision, .fill = FILL_EDGE, .gemm.images = 1};
    c->gemm.rows = random_between(random, 1, 2);
    c->gemm.columns = random_between(random, 1, 10);
    c->gemm.channels = random_between(random, 1, 60);
    make_plain_case(c, random, SCENE_ELEMENTS, DEEP_CHANNELS);
    if (precision == R2N_PRECISION_INT8 && random_between(random, 0, 1))
        go_to_extremes(c);
}

void release_gemm_case(gemm_case *c)
{
    scene_release(&c->before);
    guard_release(&c->weights);
    guard_release(&c->bias);
    if (c->precision == R2N_PRECISION_INT8)
        guard_release(&c->scale);
}

r2n_range whole_gemm(const gemm_case *c)
{
    return (r2n_range){.row_last = c->gemm.images * c->gemm.rows,
                       .block_last = (c->gemm.channels + 15) / 16};
}
