/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gradient_segments.h"

#include <assert.h>

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

r2n_gradient_segments r2n_gradient_segments_of(const r2n_weights_gradient_arguments *a,
                                               r2n_range range, int64_t most_pixels)
{
    const int64_t first = (int64_t)range.row_first * a->columns;
    assert(a->part_rows > 0 &&
           (range.row_first % a->part_rows == 0 || range.row_first >= range.row_last));
    assert(a->chunk_rows > 0 && a->gradient.groups == 1);
    return (r2n_gradient_segments){.arguments = a,
                                   .range = range,
                                   .most_pixels = most_pixels,
                                   .next_pixel = first,
                                   .chunk_end = first};
}

int r2n_gradient_next(r2n_gradient_segments *s, r2n_gradient_segment *segment)
{
    const r2n_weights_gradient_arguments *a = s->arguments;
    const int64_t row = s->next_pixel / a->columns;
    const int64_t part = row / a->part_rows, in_part = row % a->part_rows;
    const int64_t part_end = smaller((part + 1) * a->part_rows, s->range.row_last);
    if (s->next_pixel >= (int64_t)s->range.row_last * a->columns)
        return 0;
    if (s->next_pixel == s->chunk_end)
        s->chunk_end = smaller(row + a->chunk_rows, part_end) * a->columns;
    *segment =
        (r2n_gradient_segment){.part = a->output + part * a->part_pitch,
                               .first_pixel = s->next_pixel,
                               .pixels = smaller(s->most_pixels, s->chunk_end - s->next_pixel),
                               .adds = in_part != 0 || s->next_pixel % a->columns != 0};
    s->next_pixel += segment->pixels;
    return 1;
}

static void list_pixels(r2n_pixel_list *list, const r2n_weights_gradient_arguments *a,
                        int64_t first, int64_t count)
{
    int32_t column = (int32_t)(first % a->columns);
    int32_t row = (int32_t)(first / a->columns % a->rows);
    int64_t image = first / a->columns / a->rows;
    assert(count <= R2N_LISTED_PIXELS);
    list->pixels = count;
    for (int64_t i = 0; i < count;) {
        int64_t at = image * list->image_pitch + row * list->row_pitch + column * list->pixel_pitch;
        for (; i < count && column < a->columns; column++) {
            list->at[i++] = at;
            at += list->pixel_pitch;
        }
        column = 0;
        if (++row == a->rows) {
            row = 0;
            image++;
        }
    }
}

void r2n_pixel_list_fill(r2n_pixel_list *list, const r2n_weights_gradient_arguments *a,
                         const r2n_gradient_segment *segment, int64_t image_pitch,
                         int64_t row_pitch, int64_t pixel_pitch)
{
    if (list->pixels != 0 && list->image_pitch == image_pitch && list->row_pitch == row_pitch &&
        list->pixel_pitch == pixel_pitch)
        return;
    list->image_pitch = image_pitch;
    list->row_pitch = row_pitch;
    list->pixel_pitch = pixel_pitch;
    list_pixels(list, a, segment->first_pixel, segment->pixels);
}
