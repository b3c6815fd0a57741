/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebP by libwebp: lossy and lossless stills. Alpha is dropped, not blended, as OpenCV and Pillow
 * do. Animations are refused: OpenCV does not read them either.
 */
#include "image/decode.h"

#include "base/report.h"

#ifdef R2N_HAVE_WEBP

#include <string.h>

#include <webp/decode.h>

#include "formats/byte_cursor.h"
#include "image/resize.h"

enum { CHUNK_BYTES = 8, HEADER_OFFSET = 12 };

static res2net_status fail_damaged(const r2n_encoded_picture *picture, res2net_report *report)
{
    return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, HEADER_OFFSET,
                    "the WebP is damaged: copy or download it again, or leave it out");
}

static res2net_status fail_status(const r2n_encoded_picture *picture, VP8StatusCode code,
                                  res2net_report *report)
{
    switch (code) {
    case VP8_STATUS_OUT_OF_MEMORY:
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, picture->name, -1,
                        "no memory for the WebP decoder");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return r2n_fail(report, RES2NET_UNSUPPORTED, picture->name, HEADER_OFFSET,
                        "libwebp cannot read this kind of WebP: convert it to PNG");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return r2n_decode_cut_off(picture, "WebP", 0, "black", report);
    default:
        return fail_damaged(picture, report);
    }
}

/* The size that the file says it has, chunks and all, is held against what is there. */
static int is_cut(const r2n_encoded_picture *picture)
{
    r2n_byte_cursor cursor = r2n_cursor(picture->bytes, picture->size);
    r2n_cursor_seek(&cursor, 4);
    return r2n_cursor_u32le(&cursor) > picture->size - CHUNK_BYTES;
}

/* What is there of a cut off picture, row by row. */
static res2net_status read_part(const r2n_encoded_picture *picture, r2n_pixels *out,
                                res2net_report *report)
{
    const size_t row_bytes = (size_t)out->width * 3;
    const size_t bytes = row_bytes * (size_t)out->height;
    int rows = 0;
    memset(out->rgb, 0, bytes);
    WebPIDecoder *decoder = WebPINewRGB(MODE_RGB, out->rgb, bytes, (int)row_bytes);
    if (decoder == NULL)
        return fail_status(picture, VP8_STATUS_OUT_OF_MEMORY, report);
    const VP8StatusCode code = WebPIUpdate(decoder, picture->bytes, picture->size);
    if (WebPIDecGetRGB(decoder, &rows, NULL, NULL, NULL) == NULL)
        rows = 0;
    WebPIDelete(decoder);
    if (code != VP8_STATUS_OK && code != VP8_STATUS_SUSPENDED)
        return fail_status(picture, code, report);
    memset(out->rgb + (size_t)rows * row_bytes, 0, bytes - (size_t)rows * row_bytes);
    return r2n_decode_cut_off(picture, "WebP", rows, "black", report);
}

static res2net_status read_all(const r2n_encoded_picture *picture, r2n_pixels *out,
                               res2net_report *report)
{
    WebPDecoderConfig config;
    const size_t row_bytes = (size_t)out->width * 3;
    if (!WebPInitDecoderConfig(&config))
        return r2n_fail(report, RES2NET_INTERNAL, picture->name, -1,
                        "libwebp has another version than this build was made for");
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = out->rgb;
    config.output.u.RGBA.stride = (int)row_bytes;
    config.output.u.RGBA.size = row_bytes * (size_t)out->height;
    const VP8StatusCode code = WebPDecode(picture->bytes, picture->size, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? RES2NET_OK : fail_status(picture, code, report);
}

res2net_status r2n_decode_webp(const r2n_encoded_picture *picture, r2n_pixels *out,
                               res2net_report *report)
{
    WebPBitstreamFeatures features;
    *out = (r2n_pixels){0};
    const VP8StatusCode code = WebPGetFeatures(picture->bytes, picture->size, &features);
    if (code == VP8_STATUS_NOT_ENOUGH_DATA)
        return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, (int64_t)picture->size,
                        "the WebP is cut off inside its header, after %zu bytes: copy or download "
                        "it again",
                        picture->size);
    if (code != VP8_STATUS_OK)
        return fail_status(picture, code, report);
    if (features.has_animation)
        return r2n_fail(report, RES2NET_UNSUPPORTED, picture->name, HEADER_OFFSET,
                        "this WebP is an animation: save one of its pictures as PNG");
    res2net_status status = r2n_decode_check_size(picture, (uint64_t)features.width,
                                                  (uint64_t)features.height, HEADER_OFFSET, report);
    const int cut = is_cut(picture);
    if (status == RES2NET_OK && cut && !picture->options.tolerate_truncated)
        return r2n_decode_cut_off(picture, "WebP", 0, "black", report);
    if (status == RES2NET_OK)
        status = r2n_pixels_allocate(out, features.width, features.height, picture->name, report);
    if (status != RES2NET_OK)
        return status;
    status = (cut ? read_part : read_all)(picture, out, report);
    if (status != RES2NET_OK)
        r2n_pixels_free(out);
    return status;
}

#else

res2net_status r2n_decode_webp(const r2n_encoded_picture *picture, r2n_pixels *out,
                               res2net_report *report)
{
    (void)out;
    return r2n_fail(report, RES2NET_UNSUPPORTED, picture->name, 0,
                    "this is a WebP, and this build has no libwebp: build it with libwebp's "
                    "development files and -DRES2NET_WEBP=ON, or convert the picture to PNG");
}

#endif
