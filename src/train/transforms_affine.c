/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image.transform and Image.rotate as Pillow computes them, to the bit: nearest in 16.16 fixed
 * point (or from a table of columns where nothing turns), bilinear and bicubic (a = -1) in double.
 * Values are cut off, not rounded.
 */
#include <math.h>
#include <string.h>

#include "train/transforms_internal.h"

typedef struct source {
    const uint8_t *rgb;
    int32_t width, height;
} source;

static const uint8_t *pixel_at(const source *in, int32_t x, int32_t y)
{
    return in->rgb + ((size_t)y * (size_t)in->width + (size_t)x) * 3;
}

static void put(uint8_t *out, const uint8_t *pixel)
{
    out[0] = pixel[0];
    out[1] = pixel[1];
    out[2] = pixel[2];
}

static int32_t clamp(int32_t index, int32_t size)
{
    return index < 0 ? 0 : index >= size ? size - 1 : index;
}

/* ---- nearest ---- */

/* The pixel that holds a coordinate, or -1. */
static int32_t holding(double coordinate, int32_t size)
{
    return coordinate < 0 || coordinate >= size ? -1 : (int32_t)coordinate;
}

/* Pillow adds up the coordinates pixel by pixel, which has other last bits than a product. */
static void nearest_straight(const source *in, const double m[6], const uint8_t fill[3],
                             uint8_t *out)
{
    double y = m[5] + m[4] * 0.5;
    for (int32_t row = 0; row < in->height; row++) {
        const int32_t from_y = holding(y, in->height);
        double x = m[2] + m[0] * 0.5;
        for (int32_t column = 0; column < in->width; column++, out += 3) {
            const int32_t from_x = holding(x, in->width);
            put(out, from_x >= 0 && from_y >= 0 ? pixel_at(in, from_x, from_y) : fill);
            x += m[0];
        }
        y += m[4];
    }
}

/* Whether the corners fit 16.16 bits. */
static int fits_fixed(const source *in, const double m[6])
{
    for (int corner = 0; corner < 4; corner++) {
        const double x = corner & 1 ? in->width : 0, y = corner & 2 ? in->height : 0;
        if (!(fabs(x * m[0] + y * m[1] + m[2]) < 32768.0 &&
              fabs(x * m[3] + y * m[4] + m[5]) < 32768.0))
            return 0;
    }
    return 1;
}

static int32_t fixed(double value)
{
    return (int32_t)floor(value * 65536.0 + 0.5);
}

static void nearest_fixed(const source *in, const double m[6], const uint8_t fill[3], uint8_t *out)
{
    const int32_t step[4] = {fixed(m[0]), fixed(m[1]), fixed(m[3]), fixed(m[4])};
    int64_t first_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5);
    int64_t first_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
    for (int32_t row = 0; row < in->height; row++, first_x += step[1], first_y += step[3]) {
        int64_t x = first_x, y = first_y;
        for (int32_t column = 0; column < in->width; column++, x += step[0], y += step[2]) {
            const int64_t from_x = x >> 16, from_y = y >> 16;
            const int inside =
                from_x >= 0 && from_x < in->width && from_y >= 0 && from_y < in->height;
            put(out, inside ? pixel_at(in, (int32_t)from_x, (int32_t)from_y) : fill);
            out += 3;
        }
    }
}

/* Sides beyond 16 bits. */
static void nearest_far(const source *in, const double m[6], const uint8_t fill[3], uint8_t *out)
{
    double first_x = m[2] + m[0] * 0.5 + m[1] * 0.5, first_y = m[5] + m[3] * 0.5 + m[4] * 0.5;
    for (int32_t row = 0; row < in->height; row++) {
        double x = first_x, y = first_y;
        for (int32_t column = 0; column < in->width; column++, out += 3) {
            const int32_t from_x = holding(x, in->width), from_y = holding(y, in->height);
            put(out, from_x >= 0 && from_y >= 0 ? pixel_at(in, from_x, from_y) : fill);
            x += m[0];
            y += m[3];
        }
        first_x += m[1];
        first_y += m[4];
    }
}

/* ---- bilinear and bicubic ---- */

/* Where a pixel of the result comes from: `x` and `y` hold it, the fractions lie behind them. */
typedef struct place {
    int32_t x, y;
    double dx, dy;
} place;

/* 0 where it lies outside. */
static int find_place(const source *in, const double m[6], int32_t column, int32_t row, place *out)
{
    const double x = column + 0.5, y = row + 0.5;
    const double from_x = m[0] * x + m[1] * y + m[2], from_y = m[3] * x + m[4] * y + m[5];
    if (!(from_x >= 0.0 && from_x < in->width && from_y >= 0.0 && from_y < in->height))
        return 0;
    const double whole_x = floor(from_x - 0.5), whole_y = floor(from_y - 0.5);
    *out =
        (place){(int32_t)whole_x, (int32_t)whole_y, from_x - 0.5 - whole_x, from_y - 0.5 - whole_y};
    return 1;
}

/* The pixels of a row that a filter of `taps` (2 or 4) weighs. */
static void row_taps(const source *in, int32_t x, int32_t y, int taps, const uint8_t *pixels[4])
{
    for (int i = 0; i < taps; i++)
        pixels[i] = pixel_at(in, clamp(x + i, in->width), y);
}

static void take_bilinear(const source *in, const place *at, uint8_t *out)
{
    const uint8_t *top[4], *bottom[4];
    row_taps(in, at->x, clamp(at->y, in->height), 2, top);
    const int below = at->dy != 0 && at->y + 1 >= 0 && at->y + 1 < in->height;
    row_taps(in, at->x, clamp(below ? at->y + 1 : at->y, in->height), 2, bottom);
    for (int channel = 0; channel < 3; channel++) {
        const double a = top[0][channel] + (top[1][channel] - top[0][channel]) * at->dx;
        const double b = bottom[0][channel] + (bottom[1][channel] - bottom[0][channel]) * at->dx;
        out[channel] = (uint8_t)(below ? a + (b - a) * at->dy : a);
    }
}

static double cubic(double v1, double v2, double v3, double v4, double d)
{
    const double p2 = -v1 + v3, p3 = 2 * (v1 - v2) + v3 - v4, p4 = -v1 + v2 - v3 + v4;
    return v2 + d * (p2 + d * (p3 + d * p4));
}

/* The three channels of a row at one place. */
static void cubic_row(const source *in, int32_t x, int32_t y, double dx, double values[3])
{
    const uint8_t *p[4];
    row_taps(in, x - 1, y, 4, p);
    for (int channel = 0; channel < 3; channel++)
        values[channel] =
            dx == 0 ? p[1][channel]
                    : cubic(p[0][channel], p[1][channel], p[2][channel], p[3][channel], dx);
}

static void take_bicubic(const source *in, const place *at, uint8_t *out)
{
    double rows[4][3];
    /* On a row exactly, that row alone counts. Pillow clamps the first row; each that lies outside
     * is then the one before it. */
    const int first = at->dy == 0 ? 1 : 0, last = at->dy == 0 ? 1 : 3;
    for (int i = first; i <= last; i++) {
        const int32_t y = at->y - 1 + i;
        if (i == first || (y >= 0 && y < in->height))
            cubic_row(in, at->x, clamp(y, in->height), at->dx, rows[i]);
        else
            memcpy(rows[i], rows[i - 1], sizeof rows[i]);
    }
    for (int channel = 0; channel < 3; channel++) {
        const double value = at->dy == 0 ? rows[1][channel]
                                         : cubic(rows[0][channel], rows[1][channel],
                                                 rows[2][channel], rows[3][channel], at->dy);
        out[channel] = value <= 0.0 ? 0 : value >= 255.0 ? 255 : (uint8_t)value;
    }
}

static void filtered(const source *in, const double m[6], int bicubic, const uint8_t fill[3],
                     uint8_t *out)
{
    place at;
    for (int32_t row = 0; row < in->height; row++)
        for (int32_t column = 0; column < in->width; column++, out += 3) {
            if (!find_place(in, m, column, row, &at))
                put(out, fill);
            else if (bicubic)
                take_bicubic(in, &at, out);
            else
                take_bilinear(in, &at, out);
        }
}

void r2n_affine(const uint8_t *in, int32_t width, int32_t height, const double matrix[6],
                r2n_filter filter, const uint8_t fill[3], uint8_t *out)
{
    const source from = {in, width, height};
    if (filter != R2N_FILTER_NEAREST)
        filtered(&from, matrix, filter == R2N_FILTER_BICUBIC, fill, out);
    else if (matrix[1] == 0 && matrix[3] == 0)
        nearest_straight(&from, matrix, fill, out);
    else if (fits_fixed(&from, matrix))
        nearest_fixed(&from, matrix, fill, out);
    else
        nearest_far(&from, matrix, fill, out);
}

/* Python's round(x, 15). */
static double fifteen_digits(double value)
{
    return rint(value * 1e15) / 1e15;
}

void r2n_affine_rotation(double degrees, int32_t width, int32_t height, double matrix[6])
{
    const double pi = 3.14159265358979323846;
    double turn = fmod(degrees, 360.0); /* as Python's %: never negative */
    turn = turn < 0 ? turn + 360.0 : turn;
    const double angle = -(turn * (pi / 180.0));
    const double centre_x = width / 2.0, centre_y = height / 2.0;
    matrix[0] = fifteen_digits(cos(angle));
    matrix[1] = fifteen_digits(sin(angle));
    matrix[3] = fifteen_digits(-sin(angle));
    matrix[4] = fifteen_digits(cos(angle));
    matrix[2] = matrix[0] * -centre_x + matrix[1] * -centre_y + 0.0 + centre_x;
    matrix[5] = matrix[3] * -centre_x + matrix[4] * -centre_y + 0.0 + centre_y;
}
