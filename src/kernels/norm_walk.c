/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/norm_walk.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum { LANES = 16 };

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* How many channels from `channel` on, at most `run`, lie side by side in the view. */
static int32_t limit_run(const r2n_view *view, int32_t channel, int32_t run)
{
    return view->groups == 1 ? run
                             : smaller(run, view->group_channels - channel % view->group_channels);
}

/* In bytes. */
static int64_t row_offset(const r2n_view *view, int64_t element_bytes, int32_t row, int32_t rows,
                          int32_t channel)
{
    return element_bytes *
           (view->offset + row / rows * view->image_pitch + row % rows * view->row_pitch +
            channel / view->group_channels * view->group_pitch + channel % view->group_channels);
}

/* Channels `first` to `last` of the part that a range's row belongs to; zeroed at its first row. */
static double *sums_of_part(double *sums, int32_t row, int32_t part_rows, int32_t channels,
                            int32_t first, int32_t last)
{
    double *part = sums + (int64_t)(row / part_rows) * channels;
    if (row % part_rows == 0)
        memset(part + first, 0, (size_t)(last - first) * sizeof(double));
    return part;
}

void r2n_statistics_walk(int32_t element_bytes, r2n_statistics_function *function,
                         const r2n_statistics_arguments *s, const void *memory, r2n_range range)
{
    const char *block = memory;
    const int32_t first = range.block_first * LANES;
    const int32_t last = smaller(range.block_last * LANES, s->channels);
    r2n_statistics_row r = {.pitch = s->input.pixel_pitch, .columns = s->columns};
    assert(s->part_rows > 0 &&
           (range.row_first % s->part_rows == 0 || range.row_first >= range.row_last));
    if (first >= last)
        return;
    for (int32_t row = range.row_first; row < range.row_last; row++) {
        double *sums = sums_of_part(s->sums, row, s->part_rows, s->channels, first, last);
        double *squares = s->squares != NULL ? sums_of_part(s->squares, row, s->part_rows,
                                                            s->channels, first, last)
                                             : NULL;
        for (int32_t c = first; c < last; c += r.channels) {
            r.channels = limit_run(&s->input, c, last - c);
            r.any_input = block + row_offset(&s->input, element_bytes, row, s->rows, c);
            r.sums = sums + c;
            r.squares = squares != NULL ? squares + c : NULL;
            function(&r);
        }
    }
}

void r2n_norm_sums_walk(int32_t element_bytes, r2n_norm_sums_function *function,
                        const r2n_norm_sums_arguments *s, void *memory, r2n_range range)
{
    char *block = memory;
    const int32_t first = range.block_first * LANES;
    const int32_t last = smaller(range.block_last * LANES, s->channels);
    r2n_norm_sums_row r = {.gradient_pitch = s->gradient.pixel_pitch,
                           .input_pitch = s->input.pixel_pitch,
                           .result_pitch = s->result.pixel_pitch,
                           .columns = s->columns,
                           .mask = s->mask};
    assert(s->part_rows > 0 &&
           (range.row_first % s->part_rows == 0 || range.row_first >= range.row_last));
    if (first >= last)
        return;
    for (int32_t row = range.row_first; row < range.row_last; row++) {
        double *sums = sums_of_part(s->sums, row, s->part_rows, s->channels, first, last);
        double *products = sums_of_part(s->products, row, s->part_rows, s->channels, first, last);
        for (int32_t c = first; c < last; c += r.channels) {
            r.channels = limit_run(&s->gradient, c, limit_run(&s->input, c, last - c));
            if (s->mask == R2N_MASK_OF_RESULT) {
                r.channels = limit_run(&s->result, c, r.channels);
                r.any_result = block + row_offset(&s->result, element_bytes, row, s->rows, c);
            } else if (s->mask == R2N_MASK_OF_INPUT) {
                r.scale = s->scale + c;
                r.shift = s->shift + c;
            }
            r.any_gradient = block + row_offset(&s->gradient, element_bytes, row, s->rows, c);
            r.any_input = block + row_offset(&s->input, element_bytes, row, s->rows, c);
            r.mean = s->mean + c;
            r.sums = sums + c;
            r.products = products + c;
            function(&r);
        }
    }
}

void r2n_norm_gradient_walk(int32_t element_bytes, r2n_norm_gradient_function *function,
                            const r2n_norm_gradient_arguments *s, void *memory, r2n_range range)
{
    char *block = memory;
    const int32_t last = smaller(range.block_last * LANES, s->channels);
    r2n_norm_gradient_row r = {.gradient_pitch = s->gradient.pixel_pitch,
                               .input_pitch = s->input.pixel_pitch,
                               .output_pitch = s->output.pixel_pitch,
                               .columns = s->columns,
                               .mask = s->mask};
    assert(s->mask == R2N_MASK_NONE || s->mask == R2N_MASK_OF_INPUT);
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t c = range.block_first * LANES; c < last; c += r.channels) {
            r.channels = limit_run(&s->gradient, c, limit_run(&s->input, c, last - c));
            r.channels = limit_run(&s->output, c, r.channels);
            r.any_gradient = block + row_offset(&s->gradient, element_bytes, row, s->rows, c);
            r.any_input = block + row_offset(&s->input, element_bytes, row, s->rows, c);
            r.any_output = block + row_offset(&s->output, element_bytes, row, s->rows, c);
            if (s->mask == R2N_MASK_OF_INPUT) {
                r.scale = s->scale + c;
                r.shift = s->shift + c;
            }
            r.mean = s->mean + c;
            r.by_gradient = s->by_gradient + c;
            r.by_input = s->by_input + c;
            r.constant = s->constant + c;
            function(&r);
        }
}
