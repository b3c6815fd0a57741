/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every walk of a gradient by weights begins with: its range part by part and chunk by chunk,
 * perhaps in segments, and where a segment's pixels lie. Plain code, compiled for the plainest CPU.
 */
#ifndef R2N_KERNELS_GRADIENT_SEGMENTS_H
#define R2N_KERNELS_GRADIENT_SEGMENTS_H

#include "kernels/kernels.h"

/* Pixels are counted over all images. */
typedef struct r2n_gradient_segment {
    float *part; /* of the output */
    int64_t first_pixel, pixels;
    int32_t adds; /* to what stands in the part */
} r2n_gradient_segment;

typedef struct r2n_gradient_segments {
    const r2n_weights_gradient_arguments *arguments;
    r2n_range range;
    int64_t most_pixels;
    int64_t next_pixel, chunk_end;
} r2n_gradient_segments;

/* `most_pixels` of a segment; INT64_MAX: chunks are whole. */
r2n_gradient_segments r2n_gradient_segments_of(const r2n_weights_gradient_arguments *arguments,
                                               r2n_range range, int64_t most_pixels);
/* 0 when there is none any more. */
int r2n_gradient_next(r2n_gradient_segments *segments, r2n_gradient_segment *segment);

enum { R2N_LISTED_PIXELS = 512 };

/* Where a segment's pixels lie that have these pitches, in elements from the first pixel of all. */
typedef struct r2n_pixel_list {
    int64_t image_pitch, row_pitch, pixel_pitch;
    int64_t pixels; /* 0: it lists none yet */
    int64_t at[R2N_LISTED_PIXELS];
} r2n_pixel_list;

/* The list is kept where the pixels lie in the same way: taps differ in their offset only. Emptied
 * by hand (pixels = 0) at a new segment. */
void r2n_pixel_list_fill(r2n_pixel_list *list, const r2n_weights_gradient_arguments *arguments,
                         const r2n_gradient_segment *segment, int64_t image_pitch,
                         int64_t row_pitch, int64_t pixel_pitch);

#endif
