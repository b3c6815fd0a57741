/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random gradients by packed weights, of f32 and of bf16. Expected values are worked out in double,
 * and the contract's own roundings one by one, which every vector kernel of f32 and the tiles of
 * bf16 must have to the bit; rows of the weights that no source covers and gaps between parts hold
 * canaries.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/checks.h"
#include "kernelcheck/gemm_case.h"

enum {
    SCENE_ELEMENTS = 2000000,
    LARGE_SCENE_ELEMENTS = 8000000,
    CASES_A_FILL = 60,
    LARGE_CASES = 3, /* of each kind */
    MOST_PARTS = 4,
    LANES = 16,
    STEP = 32, /* pixels */
    SEGMENT = 512
};

/* Chunks of more than 512 pixels; or more than 256 channels. */
enum { SIZE_ANY, SIZE_LONG, SIZE_WIDE };

typedef struct gradient_case {
    gemm_case operands;
    r2n_weights_gradient_arguments gradient;
    int64_t output; /* its offset in the scene */
    char text[GEMM_TEXT_BYTES];
} gradient_case;

static int32_t blocks_of(const gradient_case *c)
{
    return (c->gradient.channels + LANES - 1) / LANES;
}

static int32_t all_rows(const gradient_case *c)
{
    return c->gradient.images * c->gradient.rows;
}

static int32_t part_count(const gradient_case *c)
{
    return (all_rows(c) + c->gradient.part_rows - 1) / c->gradient.part_rows;
}

/* Elements of the scene that make a float. */
static int64_t float_elements(const gradient_case *c)
{
    return (int64_t)sizeof(float) / c->operands.before.element_bytes;
}

/* In the scene. */
static int64_t output_index(const gradient_case *c, int32_t part, int32_t k, int32_t channel)
{
    return c->output +
           float_elements(c) *
               (part * c->gradient.part_pitch +
                ((int64_t)(channel / LANES) * c->gradient.k_total + k) * LANES + channel % LANES);
}

/* Pictures, rows, or the pixels of a classifier. */
static void make_sizes(gemm_case *g, random_state *random, int size)
{
    const int32_t kind = random_between(random, 0, 5);
    g->gemm.images = random_between(random, 1, 3);
    g->gemm.rows = random_between(random, 1, 5);
    g->gemm.columns = random_between(random, 1, 14);
    g->gemm.channels = random_between(random, 1, 70);
    if (kind == 0) { /* a classifier's */
        g->gemm.images = random_between(random, 1, 40);
        g->gemm.rows = g->gemm.columns = 1;
    } else if (kind == 1) {
        g->gemm.columns = 1;
    }
    if (size == SIZE_LONG) {
        g->gemm.rows = random_between(random, 15, 20);
        g->gemm.columns = random_between(random, 30, 40);
        g->gemm.channels = random_between(random, 1, 40);
    } else if (size == SIZE_WIDE) {
        g->gemm.channels = random_between(random, 257, 300);
    }
}

static void place_output(gradient_case *c, random_state *random)
{
    scene *s = &c->operands.before;
    r2n_weights_gradient_arguments *w = &c->gradient;
    w->part_pitch =
        (int64_t)blocks_of(c) * w->k_total * LANES + LANES * random_between(random, 0, 2);
    c->output = s->used + LANES - s->used % LANES;
    s->used = c->output + part_count(c) * w->part_pitch * float_elements(c);
    s->granule = (int32_t)float_elements(c);
    if (s->used > s->elements) {
        fprintf(stderr, "kernelcheck: a scene is too small\n");
        exit(3);
    }
    for (int32_t part = 0; part < part_count(c); part++)
        for (int32_t i = 0; i < w->source_count; i++)
            for (int32_t k = 0; k < w->sources[i].channels; k++)
                for (int64_t n = 0; n < blocks_of(c) * LANES * float_elements(c); n++)
                    scene_mark(s, random, c->operands.fill,
                               output_index(c, part, w->sources[i].k_first + k,
                                            (int32_t)(n / float_elements(c))) +
                                   n % float_elements(c),
                               ROLE_WRITTEN);
}

/* With the first source's pitches, as layers have that keep a tensor's size: what a kernel found
 * out about the one's places may serve for the other's. Its pixels may overlap, being read only. */
static r2n_view view_like_source(gradient_case *c)
{
    scene *s = &c->operands.before;
    const r2n_weights_gradient_arguments *w = &c->gradient;
    const r2n_gemm_source *source = &w->sources[0];
    const r2n_view view = {.offset = s->used,
                           .image_pitch = source->image_pitch,
                           .row_pitch = source->row_pitch,
                           .pixel_pitch = source->pixel_pitch,
                           .groups = 1,
                           .group_channels = w->channels,
                           .group_pitch = w->channels};
    s->used += w->images * view.image_pitch + w->rows * view.row_pitch +
               w->columns * view.pixel_pitch + w->channels;
    return view;
}

static void make_case(gradient_case *c, random_state *random, r2n_precision precision, fill f,
                      int size)
{
    gemm_case *g = &c->operands;
    r2n_weights_gradient_arguments *w = &c->gradient;
    memset(c, 0, sizeof *c);
    g->precision = precision;
    g->fill = f;
    g->any_channels = 1;
    make_sizes(g, random, size);
    scene_begin(&g->before, g->precision, size == SIZE_ANY ? SCENE_ELEMENTS : LARGE_SCENE_ELEMENTS);
    add_gemm_sources(g, random);
    w->images = g->gemm.images;
    w->rows = g->gemm.rows;
    w->columns = g->gemm.columns;
    w->channels = g->gemm.channels;
    w->k_total = g->gemm.k_total;
    w->source_count = g->gemm.source_count;
    w->sources = g->sources;
    w->chunk_rows = size == SIZE_LONG ? random_between(random, 10, all_rows(c))
                                      : random_between(random, 1, 1 + all_rows(c) / 2);
    w->part_rows = w->chunk_rows * random_between(random, 1, 3);
    if (random_between(random, 0, 3) == 0)
        w->part_rows = random_between(random, 1, all_rows(c));
    while (part_count(c) > MOST_PARTS)
        w->part_rows += w->chunk_rows;
    const extent e = {w->images, w->rows, w->columns, w->channels};
    w->gradient = random_between(random, 0, 2) == 0 ? view_like_source(c)
                                                    : scene_view(&g->before, random, e, 0);
    scene_mark_view(&g->before, random, f, &w->gradient, e, ROLE_READ);
    place_output(c, random);
    const int64_t cut = scene_trim(&g->before);
    for (int32_t i = 0; i < w->source_count; i++)
        g->sources[i].offset -= cut;
    w->gradient.offset -= cut;
    c->output -= cut;
    snprintf(c->text, sizeof c->text,
             "%s, %d image(s) of %dx%d, %d channels, %d sources, K %d, parts of %d rows, chunks of "
             "%d",
             fill_name(f), w->images, w->rows, w->columns, w->channels, w->source_count, w->k_total,
             w->part_rows, w->chunk_rows);
}

static void bind(void *context, void *block)
{
    gradient_case *c = context;
    c->gradient.output = (float *)((uint8_t *)block + c->output * c->operands.before.element_bytes);
}

/* Pixels as tiles add them: the even and the odd ones of 32 from zero, both together, then to the
 * sum of at most 512. */
typedef struct tile_sum {
    float chains[2], sum, output;
    int32_t pixels; /* in the sum */
    int32_t sums;   /* in the output */
} tile_sum;

static void end_step(tile_sum *t)
{
    t->sum = flushed(t->sum + flushed(t->chains[0] + t->chains[1]));
    t->chains[0] = t->chains[1] = 0;
}

static void end_sum(tile_sum *t)
{
    if (t->pixels % STEP != 0)
        end_step(t);
    t->output = t->sums++ == 0 ? t->sum : t->output + t->sum;
    t->sum = 0;
    t->pixels = 0;
}

static void add_pixel(tile_sum *t, float a, float g)
{
    float *chain = &t->chains[t->pixels % 2];
    if (t->pixels == SEGMENT)
        end_sum(t);
    *chain = flushed(fmaf(a, g, *chain));
    if (++t->pixels % STEP == 0)
        end_step(t);
}

typedef struct expectation {
    double value, magnitude;
    float rounded;  /* as the contract says of f32 */
    float on_tiles; /* and of bf16 there */
    int32_t terms;
} expectation;

static expectation expect(const gradient_case *c, int32_t part, const r2n_gemm_source *source,
                          int32_t k, int32_t channel)
{
    const r2n_weights_gradient_arguments *w = &c->gradient;
    const scene *s = &c->operands.before;
    const int32_t first = part * w->part_rows;
    expectation e = {0};
    tile_sum tiles = {0};
    float chunk = 0;
    for (int32_t in_part = 0; in_part < w->part_rows && first + in_part < all_rows(c); in_part++) {
        const int32_t row = (first + in_part) % w->rows, image = (first + in_part) / w->rows;
        if (in_part > 0 && in_part % w->chunk_rows == 0) {
            e.rounded = in_part == w->chunk_rows ? chunk : e.rounded + chunk;
            chunk = 0;
            end_sum(&tiles);
        }
        for (int32_t column = 0; column < w->columns; column++) {
            const double a = value_at(s, s->any, source_index(source, image, row, column) + k);
            const double g =
                value_at(s, s->any, view_index(&w->gradient, image, row, column, channel));
            chunk = fmaf((float)a, (float)g, chunk);
            add_pixel(&tiles, (float)a, (float)g);
            e.value += a * g;
            e.magnitude += fabs(a * g);
        }
        e.terms += w->columns + 1;
    }
    end_sum(&tiles);
    e.on_tiles = tiles.output;
    e.rounded = e.terms <= w->chunk_rows * (w->columns + 1) ? chunk : e.rounded + chunk;
    return e;
}

static float found_output(const gradient_case *c, const void *after, int32_t part, int32_t k,
                          int32_t channel)
{
    float found;
    memcpy(&found,
           (const uint8_t *)after +
               output_index(c, part, k, channel) * c->operands.before.element_bytes,
           sizeof found);
    return found;
}

static int is_good(const gradient_case *c, const r2n_kernel *kernel, float found, expectation e)
{
    const int is_vector = kernel->isa != R2N_ISA_REFERENCE;
    const int is_bf16 = kernel->precision == R2N_PRECISION_BF16;
    if (is_vector && !is_bf16)
        return same_value(found, e.rounded);
    /* A zero's sign depends on the zeros that a tile is filled up with. */
    if (is_bf16 && has_tile_bits(kernel) && found != e.on_tiles &&
        !(isnan(found) && isnan(e.on_tiles)))
        return 0;
    if (c->operands.fill == FILL_INTEGER)
        return (double)found == e.value;
    if (!isfinite(e.value))
        return isnan(e.value) ? isnan(found) : (double)found == e.value;
    /* A CPU may make zeros of bf16's denormals: as wrong as the smallest normal number. */
    return is_within(found, e.value, e.magnitude + (is_bf16 ? ldexp(1, -126 + 24) : 0),
                     is_vector ? e.terms : 1);
}

/* The vector kernels' bits are near enough to the sums in double. */
static int rounding_is_good(const gradient_case *c, expectation e)
{
    if (c->operands.fill == FILL_INTEGER)
        return (double)e.rounded == e.value;
    return !isfinite(e.value) || is_within(e.rounded, e.value, e.magnitude, e.terms);
}

static void compare_with_expected(tally *t, const gradient_case *c, const r2n_kernel *kernel,
                                  const void *after)
{
    const r2n_weights_gradient_arguments *w = &c->gradient;
    int64_t bad = 0, far = 0;
    for (int32_t part = 0; part < part_count(c); part++)
        for (int32_t i = 0; i < w->source_count; i++)
            for (int32_t k = 0; k < w->sources[i].channels; k++)
                for (int32_t n = 0; n < blocks_of(c) * LANES; n++) {
                    const float found = found_output(c, after, part, w->sources[i].k_first + k, n);
                    if (n >= w->channels) {
                        bad += !same_value(found, 0.0f);
                        continue;
                    }
                    const expectation e = expect(c, part, &w->sources[i], k, n);
                    bad += !is_good(c, kernel, found, e);
                    far += !rounding_is_good(c, e);
                }
    tally_count(t, bad == 0 && far == 0, "%s: %s: %lld elements are wrong, %lld roundings too far",
                kernel->name, c->text, (long long)bad, (long long)far);
}

static void check_case(tally *t, const options *o, random_state *random, gradient_case *c)
{
    const r2n_range whole = {.row_last = all_rows(c), .block_last = blocks_of(c)};
    for (size_t i = 0; i < checked_kernel_count(); i++) {
        const r2n_kernel *kernel = checked_kernel(i);
        if (!kernel_does(kernel, R2N_OPERATION_WEIGHTS_GRADIENT, c->operands.precision, o))
            continue;
        const trial one = {.kernel = kernel,
                           .arguments = &c->gradient,
                           .whole = whole,
                           .before = &c->operands.before,
                           .text = c->text,
                           .granule_rows = c->gradient.part_rows,
                           .bind = bind,
                           .context = c};
        void *after = check_kernel(t, &one, random, NULL, "");
        compare_with_expected(t, c, kernel, after);
        r2n_free(after);
    }
}

static void check_precision(tally *t, const options *o, r2n_precision precision)
{
    enum { CASES = FILL_COUNT * CASES_A_FILL };
    random_state random = {o->seed};
    gradient_case c;
    for (int i = 0; i < CASES + 2 * LARGE_CASES; i++) {
        const int size = i < CASES ? SIZE_ANY : i < CASES + LARGE_CASES ? SIZE_LONG : SIZE_WIDE;
        make_case(&c, &random, precision, (fill)(i % FILL_COUNT), size);
        check_case(t, o, &random, &c);
        scene_release(&c.operands.before);
    }
}

void check_weights_gradient(tally *t, const options *o)
{
    static const r2n_precision precisions[] = {R2N_PRECISION_F32, R2N_PRECISION_BF16};
    for (size_t i = 0; i < sizeof precisions / sizeof precisions[0]; i++)
        if (any_kernel_does(R2N_OPERATION_WEIGHTS_GRADIENT, precisions[i], o))
            check_precision(t, o, precisions[i]);
}
