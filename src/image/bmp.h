/* SPDX-License-Identifier: Apache-2.0 */
/* What the header of a BMP says, between its reader, its rows and its run-length code. */
#ifndef R2N_IMAGE_BMP_H
#define R2N_IMAGE_BMP_H

#include "formats/byte_cursor.h"
#include "image/decode.h"

typedef struct r2n_bmp_channel {
    uint32_t mask;
    int shift, bits; /* the mask's lowest bit and its length */
} r2n_bmp_channel;

typedef struct r2n_bmp {
    int32_t width, height;
    int top_down;
    int bits;        /* a pixel: 1, 4, 8, 16, 24, 32 */
    int run_lengths; /* RLE4, RLE8 */
    int colours;     /* of the palette; 0 from 16 bits on */
    uint8_t palette[256][3];
    r2n_bmp_channel channels[3]; /* R, G, B of 16 and 32 bits */
    size_t data;                 /* where the pixels begin */
} r2n_bmp;

/* Everything before the pixels, with all checks. */
res2net_status r2n_bmp_read_header(const r2n_encoded_picture *picture, r2n_bmp *bmp,
                                   res2net_report *report);

/* Both fill out->rgb, which is allocated and black. Data that ends too early goes through
 * r2n_decode_cut_off. */
res2net_status r2n_bmp_read_rows(const r2n_encoded_picture *picture, const r2n_bmp *bmp,
                                 r2n_pixels *out, res2net_report *report);
res2net_status r2n_bmp_read_runs(const r2n_encoded_picture *picture, const r2n_bmp *bmp,
                                 r2n_pixels *out, res2net_report *report);

/* BAD_PICTURE: an index that the palette does not have, in row `row` of the file. */
res2net_status r2n_bmp_fail_index(const r2n_encoded_picture *picture, const r2n_bmp *bmp, int index,
                                  int64_t offset, res2net_report *report);

#endif
