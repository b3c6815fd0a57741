/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pillow's Image.resize on 8-bit channels, bit for bit: bilinear (triangle) and bicubic (a = -0.5),
 * the filter stretched when shrinking (antialiasing). First along rows, rounded to 8 bits, then
 * along columns. Pillow leaves out a pass that does not change the size; here it is the identity.
 */
#include "image/resize.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/report.h"

enum {
    PRECISION_BITS = 32 - 8 - 2, /* 8-bit pixels and 2 bits for overshoot fit in 32 */
    ROUNDING = 1 << (PRECISION_BITS - 1),
    BLOCK = 16 /* a constant trip count: compilers vectorise the loop at -O2 too */
};

typedef struct filter {
    double support;
    double (*weight)(double x);
} filter;

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

static double cubic(double x)
{
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2.0)
        return (((x - 5) * x + 8) * x - 4) * a;
    return 0.0;
}

/* What each output index of one axis adds up: `count` source indices from `first` on. */
typedef struct span {
    int32_t first, count;
} span;

typedef struct axis {
    int32_t outputs;
    int32_t taps; /* the largest possible count */
    span *spans;
    int32_t *coefficients; /* [outputs][taps] */
} axis;

static void axis_free(axis *a)
{
    r2n_free(a->spans);
    r2n_free(a->coefficients);
    *a = (axis){0};
}

static int32_t fixed_point(double weight)
{
    const double scaled = weight * (double)(1 << PRECISION_BITS);
    return (int32_t)(scaled < 0.0 ? scaled - 0.5 : scaled + 0.5);
}

static span weigh(const filter *f, double scale, int32_t in_size, int32_t output, double *weights,
                  int32_t *coefficients)
{
    const double filter_scale = scale < 1.0 ? 1.0 : scale;
    const double support = f->support * filter_scale;
    const double inverse = 1.0 / filter_scale; /* Pillow multiplies; dividing has other bits */
    const double centre = ((double)output + 0.5) * scale;
    int32_t first = (int32_t)(centre - support + 0.5);
    int32_t last = (int32_t)(centre + support + 0.5);
    first = first < 0 ? 0 : first;
    last = last > in_size ? in_size : last;
    double sum = 0.0;
    for (int32_t x = first; x < last; x++) {
        weights[x - first] = f->weight((x - centre + 0.5) * inverse);
        sum += weights[x - first];
    }
    for (int32_t i = 0; i < last - first; i++)
        coefficients[i] = fixed_point(sum != 0.0 ? weights[i] / sum : weights[i]);
    return (span){first, last - first};
}

/* The outputs `start` to `start + outputs` of an axis that goes from in_size to out_size. */
static int axis_make(axis *a, const filter *f, int32_t in_size, int32_t out_size, int32_t start,
                     int32_t outputs)
{
    const double scale = (double)in_size / (double)out_size;
    const double support = f->support * (scale < 1.0 ? 1.0 : scale);
    /* No more than the axis holds: Pillow's own bound is larger for filters wider than it. */
    const double bound = ceil(support) * 2 + 1;
    a->taps = bound < (double)in_size ? (int32_t)bound : in_size;
    a->outputs = outputs;
    a->spans = r2n_allocate((size_t)outputs, sizeof(*a->spans));
    size_t count;
    a->coefficients = r2n_multiply_checked((size_t)outputs, (size_t)a->taps, &count)
                          ? r2n_allocate(count, sizeof(*a->coefficients))
                          : NULL;
    double *weights = r2n_allocate((size_t)a->taps, sizeof(*weights));
    const int made = a->spans != NULL && a->coefficients != NULL && weights != NULL;
    for (int32_t i = 0; made && i < outputs; i++)
        a->spans[i] = weigh(f, scale, in_size, start + i, weights,
                            a->coefficients + (size_t)i * (size_t)a->taps);
    r2n_free(weights);
    return made;
}

static uint8_t clip(int32_t sum)
{
    const int32_t value = sum >> PRECISION_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void filter_row(const axis *columns, const uint8_t *row, uint8_t *out)
{
    for (int32_t i = 0; i < columns->outputs; i++) {
        const int32_t *coefficients = columns->coefficients + (size_t)i * (size_t)columns->taps;
        const uint8_t *pixel = row + (size_t)columns->spans[i].first * 3;
        int32_t red = ROUNDING, green = ROUNDING, blue = ROUNDING;
        for (int32_t t = 0; t < columns->spans[i].count; t++) {
            red += pixel[0] * coefficients[t];
            green += pixel[1] * coefficients[t];
            blue += pixel[2] * coefficients[t];
            pixel += 3;
        }
        out[0] = clip(red);
        out[1] = clip(green);
        out[2] = clip(blue);
        out += 3;
    }
}

/* A ring of filtered rows: row y of the source lies in slot y % slots. */
typedef struct row_ring {
    uint8_t *rows;
    size_t row_bytes;
    int32_t slots;
} row_ring;

static const uint8_t *ring_row(const row_ring *ring, int32_t y)
{
    return ring->rows + (size_t)(y % ring->slots) * ring->row_bytes;
}

static void filter_column_block(const row_ring *ring, span s, const int32_t *coefficients,
                                size_t at, size_t count, uint8_t *out)
{
    int32_t sums[BLOCK];
    for (int k = 0; k < BLOCK; k++)
        sums[k] = ROUNDING;
    for (int32_t t = 0; t < s.count; t++) {
        /* The ring's rows are padded to whole blocks. */
        const uint8_t *row = ring_row(ring, s.first + t) + at;
        const int32_t coefficient = coefficients[t];
        for (int k = 0; k < BLOCK; k++)
            sums[k] += row[k] * coefficient;
    }
    uint8_t block[BLOCK];
    for (int k = 0; k < BLOCK; k++)
        block[k] = clip(sums[k]);
    memcpy(out + at, block, count - at < BLOCK ? count - at : BLOCK);
}

static void resize_rows(const r2n_pixels *in, const axis *columns, const axis *rows, row_ring *ring,
                        uint8_t *out, size_t row_bytes)
{
    const size_t count = (size_t)columns->outputs * 3;
    int32_t next = 0; /* the first source row that is not in the ring yet */
    for (int32_t y = 0; y < rows->outputs; y++) {
        const span s = rows->spans[y];
        const int32_t *coefficients = rows->coefficients + (size_t)y * (size_t)rows->taps;
        for (next = next < s.first ? s.first : next; next < s.first + s.count; next++)
            filter_row(columns, in->rgb + (size_t)next * (size_t)in->width * 3,
                       ring->rows + (size_t)(next % ring->slots) * ring->row_bytes);
        for (size_t at = 0; at < count; at += BLOCK)
            filter_column_block(ring, s, coefficients, at, count, out + (size_t)y * row_bytes);
    }
}

res2net_status r2n_resize_pillow(const r2n_pixels *in, const r2n_window *window,
                                 r2n_interpolation interpolation, uint8_t *out, size_t row_bytes,
                                 res2net_report *report)
{
    const filter bilinear = {1.0, triangle}, bicubic = {2.0, cubic};
    const filter *f = interpolation == R2N_INTERPOLATION_BICUBIC ? &bicubic : &bilinear;
    axis columns = {0}, rows = {0};
    row_ring ring = {0};
    int made = axis_make(&columns, f, in->width, window->full_width, window->x, window->width) &&
               axis_make(&rows, f, in->height, window->full_height, window->y, window->height);
    if (made) {
        ring.slots = rows.taps;
        ring.row_bytes = ((size_t)window->width * 3 + BLOCK - 1) / BLOCK * BLOCK;
        ring.rows = r2n_allocate_zeroed((size_t)ring.slots, ring.row_bytes);
        made = ring.rows != NULL;
    }
    if (made)
        resize_rows(in, &columns, &rows, &ring, out, row_bytes);
    axis_free(&columns);
    axis_free(&rows);
    r2n_free(ring.rows);
    return made
               ? RES2NET_OK
               : r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to resize to %d x %d",
                          (int)window->full_width, (int)window->full_height);
}
