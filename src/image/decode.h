/* SPDX-License-Identifier: Apache-2.0 */
/* Between decode.c, which tells formats apart, and one decoder a file. */
#ifndef R2N_IMAGE_DECODE_H
#define R2N_IMAGE_DECODE_H

#include <stddef.h>

#include "image/image.h"

/* An encoded picture and what to do with it. */
typedef struct r2n_encoded_picture {
    const uint8_t *bytes;
    size_t size;
    const char *name;
    r2n_image_options options;
} r2n_encoded_picture;

/* All leave `out` empty on failure. */
typedef res2net_status r2n_decode_format(const r2n_encoded_picture *picture, r2n_pixels *out,
                                         res2net_report *report);
r2n_decode_format r2n_decode_jpeg, r2n_decode_png, r2n_decode_webp, r2n_decode_bmp, r2n_decode_pnm;

/* LIMIT_EXCEEDED where width x height, read from the header at `offset`, is over the limits. */
res2net_status r2n_decode_check_size(const r2n_encoded_picture *picture, uint64_t width,
                                     uint64_t height, int64_t offset, res2net_report *report);

/* BAD_PICTURE where `most`, the pixels that the file's bytes can hold at best, are fewer than the
 * header promises: found before memory is taken. */
res2net_status r2n_decode_check_promise(const r2n_encoded_picture *picture, uint64_t width,
                                        uint64_t height, uint64_t most, res2net_report *report);

/* The file of `format` ("BMP") ends too early. OK, with a warning in the report, where that is
 * tolerated and `rows` of the picture, at least one, are there; the rest has been filled with
 * `filling` ("black"). Else BAD_PICTURE. */
res2net_status r2n_decode_cut_off(const r2n_encoded_picture *picture, const char *format,
                                  int64_t rows, const char *filling, res2net_report *report);

#endif
