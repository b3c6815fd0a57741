/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EXIF orientation as OpenCV 4.6 finds it: in the first APP1 segment of a JPEG, or the eXIf
 * chunk of a PNG; and in the EXIF chunk of a WebP, which OpenCV 4.6 does not look at. The first
 * orientation entry of the first directory, the first two bytes of its value whatever its type
 * says. Anything broken, missing or outside 1 to 8 counts as 1: upright.
 */
#ifndef R2N_IMAGE_EXIF_ORIENTATION_H
#define R2N_IMAGE_EXIF_ORIENTATION_H

#include <stddef.h>

#include "image/image.h"

/* `tiff`: what follows "Exif\0\0" in a JPEG, or the content of a PNG's eXIf chunk. */
int r2n_exif_tiff_orientation(const uint8_t *tiff, size_t size);
/* Whole files. */
int r2n_exif_jpeg_orientation(const uint8_t *jpeg, size_t size);
int r2n_exif_png_orientation(const uint8_t *png, size_t size);
int r2n_exif_webp_orientation(const uint8_t *webp, size_t size);

/* Turns the picture upright. On failure (OUT_OF_MEMORY) it is left as it was. */
res2net_status r2n_pixels_turn(r2n_pixels *pixels, int orientation, const char *name,
                               res2net_report *report);

#endif
