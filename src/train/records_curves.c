/* SPDX-License-Identifier: Apache-2.0 */
/* Curves over the epochs as inline SVG: no script, colours by the page's style. */
#include <math.h>
#include <stdio.h>

#include "train/records_internal.h"

/* In the units of the viewBox. */
enum { WIDTH = 640, HEIGHT = 280, LEFT = 62, RIGHT = 16, TOP = 12, BOTTOM = 36 };
enum { TICKS = 5, DOTS_LIMIT = 300, LARGE_DOTS_LIMIT = 40, LABEL_DIGITS = 6, VALUE_DIGITS = 6 };

typedef struct axis {
    double low, high, step; /* step: between ticks */
} axis;

/* What can be drawn: a run that diverges gives numbers which no axis can hold. */
static int drawable(double value)
{
    const double most = 1e30;
    return isfinite(value) && fabs(value) < most;
}

/* 1, 2 or 5 times a power of ten, not below `least`. */
static double round_step(double least)
{
    const double power = pow(10, floor(log10(least)));
    for (int factor = 1; factor <= 5; factor += factor == 1 ? 1 : 3)
        if (factor * power >= least * (1 - 1e-9))
            return factor * power;
    return 10 * power;
}

static axis value_axis(double low, double high, int from_zero)
{
    if (from_zero && low > 0)
        low = 0;
    if (!(high > low)) {
        const double room = high != 0 ? fabs(high) * 0.1 : 1;
        low -= room;
        high += room;
    }
    const double step = round_step(fmax((high - low) / TICKS, fabs(high) * 1e-9));
    return (axis){floor(low / step) * step, ceil(high / step) * step, step};
}

static axis epoch_axis(const r2n_history *history)
{
    const double low = (double)history->rows[0].epoch;
    const double high = (double)history->rows[history->count - 1].epoch;
    if (!(high > low)) /* one epoch stands in the middle */
        return (axis){low - 1, low + 1, 1};
    return (axis){low, high, fmax(1, round_step((high - low) / (2 * TICKS)))};
}

static double across(const axis *epochs, double epoch)
{
    return LEFT + (epoch - epochs->low) / (epochs->high - epochs->low) * (WIDTH - LEFT - RIGHT);
}

static double down(const axis *values, double value)
{
    return HEIGHT - BOTTOM -
           (value - values->low) / (values->high - values->low) * (HEIGHT - TOP - BOTTOM);
}

/* name="1.5" */
static void put_attribute(r2n_text *page, const char *name, double value)
{
    r2n_text_put(page, " ");
    r2n_text_put(page, name);
    r2n_text_put(page, "=\"");
    r2n_put_fixed(page, value, 1);
    r2n_text_put(page, "\"");
}

static void put_line(r2n_text *page, const char *kind, double x1, double y1, double x2, double y2)
{
    r2n_text_put(page, "<line class=\"");
    r2n_text_put(page, kind);
    r2n_text_put(page, "\"");
    put_attribute(page, "x1", x1);
    put_attribute(page, "y1", y1);
    put_attribute(page, "x2", x2);
    put_attribute(page, "y2", y2);
    r2n_text_put(page, "/>\n");
}

static void put_label(r2n_text *page, const char *anchor, double x, double y, double value)
{
    r2n_text_put(page, "<text text-anchor=\"");
    r2n_text_put(page, anchor);
    r2n_text_put(page, "\"");
    put_attribute(page, "x", x);
    put_attribute(page, "y", y);
    r2n_text_put(page, ">");
    r2n_put_general(page, value, LABEL_DIGITS);
    r2n_text_put(page, "</text>\n");
}

static void put_axes(r2n_text *page, const axis *epochs, const axis *values, int one_epoch)
{
    const int count = (int)lround((values->high - values->low) / values->step);
    for (int i = 0; i <= count; i++) {
        const double tick = values->low + i * values->step;
        const double value = fabs(tick) < values->step * 1e-6 ? 0 : tick;
        const double y = down(values, value);
        put_line(page, "grid", LEFT, y, WIDTH - RIGHT, y);
        put_label(page, "end", LEFT - 6, y + 4, value);
    }
    const int64_t last = (int64_t)floor(epochs->high / epochs->step);
    for (int64_t i = (int64_t)ceil(epochs->low / epochs->step); i <= last; i++) {
        const double epoch = (double)i * epochs->step;
        const double x = across(epochs, epoch);
        put_line(page, "tick", x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 4);
        if (!one_epoch || epoch == epochs->low + 1)
            put_label(page, "middle", x, HEIGHT - BOTTOM + 17, epoch);
    }
    r2n_text_put(page, "<text text-anchor=\"middle\"");
    put_attribute(page, "x", (LEFT + WIDTH - RIGHT) / 2.0);
    put_attribute(page, "y", HEIGHT - 3);
    r2n_text_put(page, ">epoch</text>\n");
}

static void put_dot(r2n_text *page, double radius, const char *name, const char *unit,
                    int64_t epoch, double value, double x, double y)
{
    r2n_text_put(page, "<circle");
    put_attribute(page, "r", radius);
    put_attribute(page, "cx", x);
    put_attribute(page, "cy", y);
    r2n_text_put(page, "><title>epoch ");
    r2n_json_put_integer(page, epoch);
    r2n_text_put(page, ", ");
    r2n_text_put(page, name);
    r2n_text_put(page, ": ");
    r2n_put_general(page, value, VALUE_DIGITS);
    r2n_text_put(page, unit);
    r2n_text_put(page, "</title></circle>\n");
}

/* Epochs without a value are passed over: an evaluation every fifth epoch still gives a line. */
static void put_curve(r2n_text *page, const r2n_figure *figure, int number,
                      const r2n_history *history, const axis *epochs, const axis *values)
{
    const r2n_curve *curve = &figure->curves[number];
    char kind[32];
    size_t points = 0;
    snprintf(kind, sizeof kind, "<g class=\"curve c%d\">\n", number);
    r2n_text_put(page, kind);
    r2n_text_put(page, "<polyline points=\"");
    for (size_t i = 0; i < history->count; i++) {
        const double value = curve->value(&history->rows[i]);
        if (!drawable(value))
            continue;
        r2n_text_put(page, points++ > 0 ? " " : "");
        r2n_put_fixed(page, across(epochs, (double)history->rows[i].epoch), 1);
        r2n_text_put(page, ",");
        r2n_put_fixed(page, down(values, value), 1);
    }
    r2n_text_put(page, "\"/>\n");
    for (size_t i = 0; i < history->count && points <= DOTS_LIMIT; i++) {
        const double value = curve->value(&history->rows[i]);
        const int64_t epoch = history->rows[i].epoch;
        if (drawable(value))
            put_dot(page, points <= LARGE_DOTS_LIMIT ? 2.6 : 1.8, curve->name, figure->unit, epoch,
                    value, across(epochs, (double)epoch), down(values, value));
    }
    r2n_text_put(page, "</g>\n");
}

/* The values' range over all curves. Gives how many values there are of curve i in shown[i]. */
static int find_range(const r2n_figure *figure, const r2n_history *history, size_t *shown,
                      double *low, double *high)
{
    int any = 0;
    for (int curve = 0; curve < figure->count; curve++) {
        shown[curve] = 0;
        for (size_t i = 0; i < history->count; i++) {
            const double value = figure->curves[curve].value(&history->rows[i]);
            if (!drawable(value))
                continue;
            *low = any ? fmin(*low, value) : value;
            *high = any ? fmax(*high, value) : value;
            any = 1;
            shown[curve]++;
        }
    }
    return any;
}

static void put_caption(r2n_text *page, const r2n_figure *figure, const size_t *shown)
{
    char key[32];
    r2n_text_put(page, "<figcaption>");
    r2n_text_put(page, figure->title);
    for (int i = 0; i < figure->count; i++) {
        if (shown[i] == 0)
            continue;
        snprintf(key, sizeof key, " <span class=\"key k%d\">", i);
        r2n_text_put(page, key);
        r2n_text_put(page, figure->curves[i].name);
        r2n_text_put(page, "</span>");
    }
    r2n_text_put(page, "</figcaption>\n");
}

void r2n_put_figure(r2n_text *page, const r2n_figure *figure, const r2n_history *history)
{
    size_t shown[R2N_CURVES_LIMIT];
    double low = 0, high = 0;
    char box[64];
    r2n_text_put(page, "<figure>\n");
    const int any = find_range(figure, history, shown, &low, &high);
    put_caption(page, figure, shown);
    if (!any) {
        r2n_text_put(page, "<p class=\"soft\">nothing to draw yet</p>\n</figure>\n");
        return;
    }
    const axis values = value_axis(low, high, figure->from_zero);
    const axis epochs = epoch_axis(history);
    snprintf(box, sizeof box, "<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH, HEIGHT);
    r2n_text_put(page, box);
    r2n_text_put(page, "<title>");
    r2n_text_put(page, figure->title);
    r2n_text_put(page, " by epoch</title>\n");
    put_axes(page, &epochs, &values, history->count == 1);
    const int64_t best = r2n_history_best(history);
    if (best >= 0) {
        const double x = across(&epochs, (double)history->rows[best].epoch);
        put_line(page, "best", x, TOP, x, HEIGHT - BOTTOM);
    }
    for (int i = 0; i < figure->count; i++)
        if (shown[i] > 0)
            put_curve(page, figure, i, history, &epochs, &values);
    r2n_text_put(page, "</svg>\n</figure>\n");
}
