/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resizing into a window of the result: only the rows and columns of the window are computed, and
 * they have the bits that resizing everything and cropping would give.
 */
#ifndef R2N_IMAGE_RESIZE_H
#define R2N_IMAGE_RESIZE_H

#include <stddef.h>

#include "image/image.h"

/* A rectangle of the (virtual) picture of full_width x full_height. */
typedef struct r2n_window {
    int32_t full_width, full_height;
    int32_t x, y, width, height; /* inside the full size, width and height at least 1 */
} r2n_window;

/* A rectangle of a picture, or all of it: nothing outside is read, as if it were a picture of its
 * own. */
typedef struct r2n_region {
    const uint8_t *rgb; /* its first pixel */
    int32_t width, height;
    size_t row_bytes; /* of the picture that it lies in */
} r2n_region;

static inline r2n_region r2n_region_all(const r2n_pixels *pixels)
{
    return (r2n_region){pixels->rgb, pixels->width, pixels->height, (size_t)pixels->width * 3};
}

/* Both write window->height rows of window->width RGB pixels, `row_bytes` apart. Only
 * OUT_OF_MEMORY can happen. */
res2net_status r2n_resize_opencv(const r2n_region *in, const r2n_window *window, uint8_t *out,
                                 size_t row_bytes, res2net_report *report);
res2net_status r2n_resize_pillow(const r2n_region *in, const r2n_window *window,
                                 r2n_interpolation interpolation, uint8_t *out, size_t row_bytes,
                                 res2net_report *report);

/* 1 where `resizer` knows `interpolation`. */
int r2n_resizer_supports(r2n_resizer resizer, r2n_interpolation interpolation);

/* An uninitialised picture; OUT_OF_MEMORY. */
res2net_status r2n_pixels_allocate(r2n_pixels *pixels, int32_t width, int32_t height,
                                   const char *name, res2net_report *report);

#endif
