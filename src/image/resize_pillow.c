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
#include "kernels/cpu_features.h"
#include "kernels/pixel_rows.h"

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

/* One axis: what each output index adds up. */
typedef struct axis {
    int32_t outputs;
    int32_t taps;   /* the largest possible count */
    int32_t stride; /* of the weights: taps, padded */
    r2n_pixel_span *spans;
    int32_t *weights; /* [outputs][stride] */
} axis;

static void axis_free(axis *a)
{
    r2n_free(a->spans);
    r2n_free(a->weights);
    *a = (axis){0};
}

static int32_t fixed_point(double weight)
{
    const double scaled = weight * (double)(1 << R2N_PIXEL_BITS);
    return (int32_t)(scaled < 0.0 ? scaled - 0.5 : scaled + 0.5);
}

static r2n_pixel_span weigh(const filter *f, double scale, int32_t in_size, int32_t output,
                            double *weights, int32_t *coefficients)
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
    return (r2n_pixel_span){first, last - first};
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
    a->stride = (a->taps + R2N_PIXEL_MULTIPLE - 1) / R2N_PIXEL_MULTIPLE * R2N_PIXEL_MULTIPLE;
    a->spans = r2n_allocate((size_t)outputs, sizeof(*a->spans));
    size_t count;
    a->weights = r2n_multiply_checked((size_t)outputs, (size_t)a->stride, &count)
                     ? r2n_allocate_zeroed(count, sizeof(*a->weights))
                     : NULL;
    double *weights = r2n_allocate((size_t)a->taps, sizeof(*weights));
    const int made = a->spans != NULL && a->weights != NULL && weights != NULL;
    for (int32_t i = 0; made && i < outputs; i++)
        a->spans[i] = weigh(f, scale, in_size, start + i, weights,
                            a->weights + (size_t)i * (size_t)a->stride);
    r2n_free(weights);
    return made;
}

/* A ring of filtered rows: row y of the source lies in slot y % slots. */
typedef struct row_ring {
    uint8_t *rows;
    const uint8_t **span; /* [slots]: the rows that an output row adds up */
    size_t row_bytes;     /* padded to whole blocks */
    int32_t slots;
} row_ring;

static uint8_t *ring_row(const row_ring *ring, int32_t y)
{
    return ring->rows + (size_t)(y % ring->slots) * ring->row_bytes;
}

static void resize_rows(const r2n_region *in, const axis *columns, const axis *rows,
                        const row_ring *ring, uint8_t *out, size_t row_bytes)
{
    const r2n_pixel_kernels *kernels = r2n_pixel_kernels_for(r2n_isa_default());
    const r2n_pixel_filter filter = {columns->outputs, columns->stride, columns->spans,
                                     columns->weights};
    int32_t next = 0; /* the first source row that is not in the ring yet */
    for (int32_t y = 0; y < rows->outputs; y++) {
        const r2n_pixel_span s = rows->spans[y];
        for (next = next < s.first ? s.first : next; next < s.first + s.count; next++)
            kernels->filter_row(&filter, in->rgb + (size_t)next * in->row_bytes, in->width,
                                ring_row(ring, next));
        for (int32_t t = 0; t < s.count; t++)
            ring->span[t] = ring_row(ring, s.first + t);
        kernels->filter_columns(ring->span, rows->weights + (size_t)y * (size_t)rows->stride,
                                s.count, (size_t)columns->outputs * 3, out + (size_t)y * row_bytes);
    }
}

res2net_status r2n_resize_pillow(const r2n_region *in, const r2n_window *window,
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
        ring.row_bytes =
            ((size_t)window->width * 3 + R2N_PIXEL_BLOCK - 1) / R2N_PIXEL_BLOCK * R2N_PIXEL_BLOCK;
        ring.rows = r2n_allocate_zeroed((size_t)ring.slots, ring.row_bytes);
        ring.span = r2n_allocate((size_t)ring.slots, sizeof(*ring.span));
        made = ring.rows != NULL && ring.span != NULL;
    }
    if (made)
        resize_rows(in, &columns, &rows, &ring, out, row_bytes);
    axis_free(&columns);
    axis_free(&rows);
    r2n_free(ring.rows);
    r2n_free(ring.span);
    return made
               ? RES2NET_OK
               : r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to resize to %d x %d",
                          (int)window->full_width, (int)window->full_height);
}
