/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The specification of the winograd step (kernels.h): its formulas tile by tile in double, one
 * rounding to f32 before the ReLU. Never optimised.
 */
#include "kernels/kernels.h"

enum {
    LANES = 16,
    POINTS = R2N_WINOGRAD_POINTS,
    PIXELS = R2N_WINOGRAD_PIXELS,
    ROWS = R2N_WINOGRAD_ROWS
};

r2n_kernel_function r2n_winograd_f32_reference;

/* A tile's first pixel, and a block of 16 output channels. */
typedef struct place {
    int32_t image, row, column, block;
} place;

static void transform_input(const double *d, double *v)
{
    v[0] = 4 * d[0] - 5 * d[2] + d[4];
    v[1] = -4 * d[1] - 4 * d[2] + d[3] + d[4];
    v[2] = 4 * d[1] - 4 * d[2] - d[3] + d[4];
    v[3] = -2 * d[1] - d[2] + 2 * d[3] + d[4];
    v[4] = 2 * d[1] - d[2] - 2 * d[3] + d[4];
    v[5] = 4 * d[1] - 5 * d[3] + d[5];
}

static void transform_output(const double *m, double *y)
{
    y[0] = m[0] + m[1] + m[2] + m[3] + m[4];
    y[1] = m[1] - m[2] + 2 * (m[3] - m[4]);
    y[2] = m[1] + m[2] + 4 * (m[3] + m[4]);
    y[3] = m[1] - m[2] + 8 * (m[3] - m[4]) + m[5];
}

/* Six pixels of a channel from one column before the tile on; zeros outside the picture. */
static void read_pixels(const r2n_winograd_arguments *w, const float *block, place p, int32_t row,
                        int32_t channel, double *d)
{
    for (int32_t i = 0; i < POINTS; i++) {
        const int32_t column = p.column + i - 1;
        const int inside = row >= 0 && row < w->rows && column >= 0 && column < w->columns;
        d[i] =
            inside
                ? (double)block[w->input.offset + p.image * w->input.image_pitch +
                                row * w->input.row_pitch + column * w->input.pixel_pitch + channel]
                : 0;
    }
}

static void reduce(const r2n_winograd_arguments *w, const float *block, place p,
                   double m[LANES][POINTS])
{
    const int32_t k_total = POINTS * ROWS * w->input_channels;
    const float *weights = w->weights + (int64_t)p.block * k_total * LANES;
    for (int32_t lane = 0; lane < LANES; lane++)
        for (int32_t point = 0; point < POINTS; point++)
            m[lane][point] = 0;
    for (int32_t row = 0; row < ROWS; row++)
        for (int32_t channel = 0; channel < w->input_channels; channel++) {
            double d[POINTS], v[POINTS];
            read_pixels(w, block, p, p.row + row - 1, channel, d);
            transform_input(d, v);
            for (int32_t point = 0; point < POINTS; point++) {
                const int64_t k = (int64_t)(point * ROWS + row) * w->input_channels + channel;
                for (int32_t lane = 0; lane < LANES; lane++)
                    m[lane][point] += v[point] * (double)weights[k * LANES + lane];
            }
        }
}

static int64_t index_in(const r2n_view *view, place p, int32_t pixel, int32_t channel)
{
    return view->offset + p.image * view->image_pitch + p.row * view->row_pitch +
           (p.column + pixel) * view->pixel_pitch + channel;
}

static void finish(const r2n_winograd_arguments *w, float *block, place p, int32_t lane,
                   const double *m)
{
    const r2n_epilogue *epilogue = &w->epilogue;
    const int32_t channel = p.block * LANES + lane;
    double y[PIXELS];
    transform_output(m, y);
    for (int32_t pixel = 0; pixel < PIXELS && p.column + pixel < w->columns; pixel++) {
        float value = (float)(y[pixel] + (double)epilogue->bias[channel]);
        if (epilogue->relu && value <= 0) /* false for NaN, which stays */
            value = 0;
        block[index_in(&w->output, p, pixel, channel)] = value;
        if (epilogue->chain_there)
            block[index_in(&epilogue->chain, p, pixel, channel)] += value;
    }
}

void r2n_winograd_f32_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_winograd_arguments *w = arguments;
    double m[LANES][POINTS];
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < w->columns; column += PIXELS)
            for (int32_t i = range.block_first; i < range.block_last; i++) {
                const place p = {row / w->rows, row % w->rows, column, i};
                reduce(w, memory, p, m);
                for (int32_t lane = 0; lane < LANES && i * LANES + lane < w->channels; lane++)
                    finish(w, memory, p, lane, m[lane]);
            }
}
