/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pillow's ImageEnhance and ImageOps on RGB, to the bit, and ColorJitter, which stands on them.
 * What looks at single values goes through three tables of 256.
 */
#include "train/transforms_internal.h"

#include <math.h>
#include <string.h>

enum { VALUES = 256 };
typedef uint8_t value_tables[3][VALUES];

static size_t pixels_of(const r2n_canvas *canvas)
{
    return (size_t)canvas->width * (size_t)canvas->height;
}

static uint8_t clip(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void put_tables(uint8_t *rgb, size_t pixels, value_tables tables)
{
    for (size_t i = 0; i < pixels; i++, rgb += 3)
        for (int channel = 0; channel < 3; channel++)
            rgb[channel] = tables[channel][rgb[channel]];
}

/* convert("L") */
static uint8_t grey_of(const uint8_t *rgb)
{
    return (uint8_t)((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

/* Image.blend of single values, in float32; beyond 0 .. 1 it is clipped. */
static uint8_t blend(int from, int to, float share)
{
    const float value = (float)from + share * (float)(to - from);
    return value <= 0.0f ? 0 : value >= 255.0f ? 255 : (uint8_t)value;
}

/* ---- value by value ---- */

/* The same for all channels: `values` is the first table. */
static void put_table(uint8_t *rgb, size_t pixels, value_tables tables)
{
    memcpy(tables[1], tables[0], VALUES);
    memcpy(tables[2], tables[0], VALUES);
    put_tables(rgb, pixels, tables);
}

static int mean_grey(const uint8_t *rgb, size_t pixels)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < pixels; i++)
        sum += grey_of(rgb + i * 3);
    return (int)((double)sum / (double)pixels + 0.5);
}

static void fill_table(r2n_pixel_op op, double amount, int base, uint8_t table[VALUES])
{
    const int added = (int)amount;
    const int mask = op == R2N_PIXEL_POSTERIZE ? ~((1 << (8 - added)) - 1) : 0;
    for (int i = 0; i < VALUES; i++) {
        switch (op) {
        case R2N_PIXEL_POSTERIZE:
            table[i] = (uint8_t)(i & mask);
            break;
        case R2N_PIXEL_SOLARIZE:
            table[i] = (uint8_t)(i < amount ? i : 255 - i);
            break;
        case R2N_PIXEL_SOLARIZE_ADD:
            table[i] = i < 128 ? clip(i + added) : (uint8_t)i;
            break;
        case R2N_PIXEL_INVERT:
            table[i] = (uint8_t)(255 - i);
            break;
        default: /* brightness, contrast */
            table[i] = blend(base, i, (float)amount);
            break;
        }
    }
}

/* ---- by the histogram ---- */

static void count(const uint8_t *rgb, size_t pixels, uint32_t counts[3][VALUES])
{
    memset(counts, 0, 3 * VALUES * sizeof counts[0][0]);
    for (size_t i = 0; i < pixels; i++, rgb += 3)
        for (int channel = 0; channel < 3; channel++)
            counts[channel][rgb[channel]]++;
}

static void stretch(const uint32_t counts[VALUES], uint8_t table[VALUES])
{
    int low = 0, high = VALUES - 1;
    while (low < VALUES - 1 && counts[low] == 0)
        low++;
    while (high > 0 && counts[high] == 0)
        high--;
    const double scale = high > low ? 255.0 / (high - low) : 1.0;
    const double offset = high > low ? -low * scale : 0.0;
    for (int i = 0; i < VALUES; i++)
        table[i] = clip((int)(i * scale + offset));
}

static void equalize(const uint32_t counts[VALUES], uint8_t table[VALUES])
{
    uint64_t sum = 0, last = 0;
    for (int i = 0; i < VALUES; i++) {
        sum += counts[i];
        last = counts[i] != 0 ? counts[i] : last;
    }
    const uint64_t step = (sum - last) / 255; /* 0 too where there is one value only */
    uint64_t n = step / 2;
    for (int i = 0; i < VALUES; i++) {
        table[i] = (uint8_t)i;
        if (step != 0)
            table[i] = (uint8_t)(n / step > 255 ? 255 : n / step);
        n += counts[i];
    }
}

static void by_histogram(uint8_t *rgb, size_t pixels, r2n_pixel_op op)
{
    uint32_t counts[3][VALUES];
    value_tables tables;
    count(rgb, pixels, counts);
    for (int channel = 0; channel < 3; channel++) {
        if (op == R2N_PIXEL_EQUALIZE)
            equalize(counts[channel], tables[channel]);
        else
            stretch(counts[channel], tables[channel]);
    }
    put_tables(rgb, pixels, tables);
}

/* ---- pixel by pixel ---- */

static void colour(uint8_t *rgb, size_t pixels, float share)
{
    for (size_t i = 0; i < pixels; i++, rgb += 3) {
        const int grey = grey_of(rgb);
        for (int channel = 0; channel < 3; channel++)
            rgb[channel] = blend(grey, rgb[channel], share);
    }
}

/* ImageFilter.SMOOTH: the pixel five times, its eight neighbours once, by 13. Pillow adds in float;
 * halves cannot come up, so whole numbers give the same. The border stays. */
static uint8_t smooth(const uint8_t *value, size_t row)
{
    const uint8_t *top = value - row, *bottom = value + row;
    const int sum = top[-3] + top[0] + top[3] + value[-3] + 5 * value[0] + value[3] + bottom[-3] +
                    bottom[0] + bottom[3];
    return (uint8_t)((sum + 6) / 13);
}

static res2net_status sharpness(r2n_canvas *canvas, float share)
{
    uint8_t *out;
    const size_t row = (size_t)canvas->width * 3;
    res2net_status status = r2n_canvas_settle(canvas);
    if (status == RES2NET_OK)
        status = r2n_canvas_room(canvas, canvas->width, canvas->height, &out);
    if (status != RES2NET_OK)
        return status;
    memcpy(out, canvas->rgb, row * (size_t)canvas->height);
    for (int32_t y = 1; y < canvas->height - 1; y++) {
        const uint8_t *from = canvas->rgb + (size_t)y * row;
        uint8_t *to = out + (size_t)y * row;
        for (size_t i = 3; i + 3 < row; i++)
            to[i] = blend(smooth(from + i, row), from[i], share);
    }
    r2n_canvas_show(canvas, out, canvas->width, canvas->height);
    return RES2NET_OK;
}

/* ---- hue ---- */

/* convert("HSV") of one pixel, which is not grey: float32, with Pillow's steps in double. */
static void to_hsv(const uint8_t *rgb, int most, int least, uint8_t *hue, uint8_t *saturation)
{
    const float range = (float)(most - least);
    const float s = range / (float)most;
    const float r = (float)(most - rgb[0]) / range;
    const float g = (float)(most - rgb[1]) / range;
    const float b = (float)(most - rgb[2]) / range;
    const float h = rgb[0] == most   ? b - g
                    : rgb[1] == most ? (float)(2.0 + r - b)
                                     : (float)(4.0 + g - r);
    const double circle = h / 6.0 + 1.0; /* 5 / 6 .. 11 / 6 */
    const float turned = (float)(circle >= 1.0 ? circle - 1.0 : circle);
    *hue = clip((int)(turned * 255.0));
    *saturation = clip((int)(s * 255.0));
}

static uint8_t nearest_byte(double value)
{
    return clip((int)(value + 0.5)); /* never negative */
}

static void from_hsv(uint8_t hue, uint8_t saturation, uint8_t value, uint8_t *rgb)
{
    /* Which of value, p, q, t (0 .. 3) each channel is, a sixth of the circle. */
    static const uint8_t sixths[6][3] = {{0, 3, 1}, {2, 0, 1}, {1, 0, 3},
                                         {1, 2, 0}, {3, 1, 0}, {0, 1, 2}};
    const int sixth = (int)((float)hue * 6.0 / 255.0);
    const float f = (float)((float)hue * 6.0 / 255.0 - (float)sixth);
    const float fs = (float)((float)saturation / 255.0);
    const float v = (float)value;
    const uint8_t parts[4] = {value, nearest_byte(v * (1.0 - fs)), nearest_byte(v * (1.0 - fs * f)),
                              nearest_byte(v * (1.0 - fs * (1.0 - f)))};
    for (int channel = 0; channel < 3; channel++)
        rgb[channel] = parts[sixths[sixth % 6][channel]];
}

res2net_status r2n_pixel_hue(r2n_canvas *canvas, double turn)
{
    uint8_t *rgb;
    const uint8_t added = (uint8_t)(int)(turn * 255);
    const res2net_status status = r2n_canvas_open(canvas, &rgb);
    if (status != RES2NET_OK)
        return status;
    for (size_t i = pixels_of(canvas); i > 0; i--, rgb += 3) {
        int most = rgb[0] > rgb[1] ? rgb[0] : rgb[1], least = rgb[0] < rgb[1] ? rgb[0] : rgb[1];
        most = rgb[2] > most ? rgb[2] : most;
        least = rgb[2] < least ? rgb[2] : least;
        uint8_t hue = 0, saturation = 0;
        if (most != least)
            to_hsv(rgb, most, least, &hue, &saturation);
        if (saturation == 0)
            memset(rgb, most, 3);
        else
            from_hsv((uint8_t)(hue + added), saturation, (uint8_t)most, rgb);
    }
    return RES2NET_OK;
}

/* ---- all of them ---- */

static res2net_status affine(r2n_canvas *canvas, const double matrix[6], r2n_filter filter,
                             const r2n_pixel_style *style)
{
    uint8_t *out;
    res2net_status status = r2n_canvas_settle(canvas);
    if (status == RES2NET_OK)
        status = r2n_canvas_room(canvas, canvas->width, canvas->height, &out);
    if (status != RES2NET_OK)
        return status;
    r2n_affine(canvas->rgb, canvas->width, canvas->height, matrix, filter, style->fill, out);
    r2n_canvas_show(canvas, out, canvas->width, canvas->height);
    return RES2NET_OK;
}

static res2net_status move(r2n_canvas *canvas, r2n_pixel_op op, double amount,
                           const r2n_pixel_style *style)
{
    double m[6] = {1, 0, 0, 0, 1, 0};
    switch (op) {
    case R2N_PIXEL_SHEAR_X:
        m[1] = amount;
        return affine(canvas, m, style->shear, style);
    case R2N_PIXEL_SHEAR_Y:
        m[3] = amount;
        return affine(canvas, m, style->shear, style);
    case R2N_PIXEL_TRANSLATE_X:
        m[2] = amount * canvas->width;
        return affine(canvas, m, style->translate, style);
    case R2N_PIXEL_TRANSLATE_Y:
        m[5] = amount * canvas->height;
        return affine(canvas, m, style->translate, style);
    default:
        if (amount == 0)
            return RES2NET_OK;
        r2n_affine_rotation(amount, canvas->width, canvas->height, m);
        return affine(canvas, m, style->rotate, style);
    }
}

res2net_status r2n_pixel_apply(r2n_canvas *canvas, r2n_pixel_op op, double amount,
                               const r2n_pixel_style *style)
{
    uint8_t *rgb;
    value_tables tables;
    if (op <= R2N_PIXEL_ROTATE)
        return move(canvas, op, amount, style);
    if (op == R2N_PIXEL_SHARPNESS)
        return sharpness(canvas, (float)amount);
    const size_t pixels = pixels_of(canvas);
    const res2net_status status = r2n_canvas_open(canvas, &rgb);
    if (status != RES2NET_OK)
        return status;
    switch (op) {
    case R2N_PIXEL_AUTOCONTRAST:
    case R2N_PIXEL_EQUALIZE:
        by_histogram(rgb, pixels, op);
        return RES2NET_OK;
    case R2N_PIXEL_COLOUR:
        colour(rgb, pixels, (float)amount);
        return RES2NET_OK;
    default:
        fill_table(op, amount, op == R2N_PIXEL_CONTRAST ? mean_grey(rgb, pixels) : 0, tables[0]);
        put_table(rgb, pixels, tables);
        return RES2NET_OK;
    }
}

/* ---- ColorJitter ---- */

res2net_status r2n_apply_jitter(const r2n_operator *op, r2n_canvas *canvas)
{
    static const r2n_pixel_op ops[3] = {R2N_PIXEL_BRIGHTNESS, R2N_PIXEL_CONTRAST, R2N_PIXEL_COLOUR};
    static const r2n_pixel_style style;
    const r2n_jitter *jitter = &op->jitter;
    int order[4] = {R2N_JITTER_BRIGHTNESS, R2N_JITTER_CONTRAST, R2N_JITTER_SATURATION,
                    R2N_JITTER_HUE};
    if (r2n_random_unit(canvas->random) >= jitter->probability)
        return RES2NET_OK;
    for (int i = 3; i > 0; i--) {
        const int j = (int)r2n_random_below(canvas->random, i + 1), other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
    for (int i = 0; i < 4; i++) {
        const int which = order[i];
        const double *range = jitter->range[which];
        const double nothing = which == R2N_JITTER_HUE ? 0 : 1;
        if (range[0] == nothing && range[1] == nothing)
            continue;
        const double factor = r2n_random_between(canvas->random, range[0], range[1]);
        const res2net_status status = which == R2N_JITTER_HUE
                                          ? r2n_pixel_hue(canvas, factor)
                                          : r2n_pixel_apply(canvas, ops[which], factor, &style);
        if (status != RES2NET_OK)
            return status;
    }
    return RES2NET_OK;
}
