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
    r2n_image_limits limits;
} r2n_encoded_picture;

/* Both leave `out` empty on failure. `orientation`: the EXIF value 1 to 8, 1 where there is none.
 */
res2net_status r2n_decode_jpeg(const r2n_encoded_picture *picture, r2n_pixels *out,
                               int *orientation, res2net_report *report);
res2net_status r2n_decode_png(const r2n_encoded_picture *picture, r2n_pixels *out, int *orientation,
                              res2net_report *report);

/* LIMIT_EXCEEDED where width x height, read from the header at `offset`, is over the limits. */
res2net_status r2n_decode_check_size(const r2n_encoded_picture *picture, uint64_t width,
                                     uint64_t height, int64_t offset, res2net_report *report);

#endif
