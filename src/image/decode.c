/* SPDX-License-Identifier: Apache-2.0 */
/* Tells picture formats apart by their first bytes, never by the file's name. */
#include "image/decode.h"

#include <string.h>

#include "base/report.h"
#include "image/exif_orientation.h"

static const uint8_t png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

/* Formats that are refused by name. `offset`, `magic`: where and what; magic ends at its NUL. */
typedef struct refused_format {
    const char *name;
    size_t offset;
    const char *magic;
} refused_format;

static const refused_format refused[] = {
    {"a WebP picture", 8, "WEBP"},
    {"a GIF picture", 0, "GIF8"},
    {"a BMP picture", 0, "BM"},
    {"a TIFF picture", 0, "II*"},
    {"an AVIF picture", 4, "ftypavif"},
    {"a HEIC picture", 4, "ftyphei"},
    {"a HEIC picture", 4, "ftypmif1"},
    {"a JPEG 2000 picture", 4, "jP  \r\n"},
    {"a JPEG 2000 picture", 0, "\xFF\x4F\xFF\x51"},
    {"a JPEG XL picture", 4, "JXL \r\n"},
    {"a JPEG XL picture", 0, "\xFF\x0A"},
    {"an OpenEXR picture", 0, "\x76\x2F\x31\x01"},
    {"a Photoshop picture", 0, "8BPS"},
    {"a PDF document", 0, "%PDF-"},
    {"a gzip archive", 0, "\x1F\x8B"},
    {"a zip archive", 0, "PK\x03\x04"},
};

static int has(const r2n_encoded_picture *picture, size_t offset, const void *magic, size_t bytes)
{
    return picture->size >= bytes && offset <= picture->size - bytes &&
           memcmp(picture->bytes + offset, magic, bytes) == 0;
}

static int is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\f';
}

static int is_pnm(const r2n_encoded_picture *picture)
{
    return picture->size >= 3 && picture->bytes[0] == 'P' && picture->bytes[1] >= '1' &&
           picture->bytes[1] <= '7' && (is_blank(picture->bytes[2]) || picture->bytes[2] == '#');
}

static const char *refused_name(const r2n_encoded_picture *picture)
{
    if (is_pnm(picture))
        return "a PNM picture (PBM, PGM, PPM or PAM)";
    if (has(picture, 0, "MM\0*", 4))
        return "a TIFF picture";
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (has(picture, refused[i].offset, refused[i].magic, strlen(refused[i].magic)))
            return refused[i].name;
    return NULL;
}

/* The first byte that is not white space or a UTF-8 byte-order mark. */
static size_t text_start(const r2n_encoded_picture *picture)
{
    size_t at = has(picture, 0, "\xEF\xBB\xBF", 3) ? 3 : 0;
    while (at < picture->size && is_blank(picture->bytes[at]))
        at++;
    return at;
}

static int has_word(const r2n_encoded_picture *picture, size_t at, const char *word)
{
    const size_t length = strlen(word);
    if (at > picture->size || picture->size - at < length)
        return 0;
    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = picture->bytes[at + i];
        if ((byte >= 'A' && byte <= 'Z' ? byte + 32 : byte) != (uint8_t)word[i])
            return 0;
    }
    return 1;
}

static res2net_status fail_unknown(const r2n_encoded_picture *picture, res2net_report *report)
{
    const char *name = picture->name;
    if (picture->size == 0)
        return r2n_fail(report, RES2NET_BAD_PICTURE, name, 0,
                        "the picture is empty (0 bytes): copy or download it again");
    const char *format = refused_name(picture);
    if (format != NULL)
        return r2n_fail(report, RES2NET_UNSUPPORTED, name, 0,
                        "this is %s: only JPEG and PNG are read; convert it to PNG first", format);
    const size_t at = text_start(picture);
    if (has_word(picture, at, "<!doctype html") || has_word(picture, at, "<html") ||
        has_word(picture, at, "<head"))
        return r2n_fail(report, RES2NET_BAD_PICTURE, name, 0,
                        "this is an HTML page, not a picture: a server sent a message in its "
                        "place; look at it in a browser");
    if (has_word(picture, at, "<svg") || has_word(picture, at, "<?xml"))
        return r2n_fail(report, RES2NET_UNSUPPORTED, name, 0,
                        "this is an SVG or XML document: only JPEG and PNG are read; convert it "
                        "to PNG first");
    if (picture->bytes[0] == 0x89 || has(picture, 0, "\xFF\xD8", 2) || has(picture, 1, "PNG", 3))
        return r2n_fail(report, RES2NET_BAD_PICTURE, name, 0,
                        "this begins like a PNG or JPEG but its first bytes are damaged, as by a "
                        "transfer in text mode: copy it again");
    return r2n_fail(report, RES2NET_BAD_PICTURE, name, 0,
                    "this is no picture of a known format (%zu bytes, the first is 0x%02X): JPEG "
                    "and PNG are read",
                    picture->size, picture->bytes[0]);
}

res2net_status r2n_decode_check_size(const r2n_encoded_picture *picture, uint64_t width,
                                     uint64_t height, int64_t offset, res2net_report *report)
{
    if (width == 0 || height == 0)
        return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, offset,
                        "the header says %llu x %llu pixels: a picture has at least one",
                        (unsigned long long)width, (unsigned long long)height);
    const uint64_t side = width > height ? width : height;
    /* Sides come from 32-bit fields, so the product cannot overflow. */
    if (side <= (uint64_t)picture->limits.side &&
        width * height <= (uint64_t)picture->limits.pixels)
        return RES2NET_OK;
    return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, picture->name, offset,
                    "the header says %llu x %llu pixels; the limits are %lld pixels and %d a side: "
                    "shrink the picture",
                    (unsigned long long)width, (unsigned long long)height,
                    (long long)picture->limits.pixels, (int)picture->limits.side);
}

res2net_status r2n_image_decode(const void *bytes, size_t size, const char *name, int apply_exif,
                                const r2n_image_limits *limits, r2n_pixels *out,
                                res2net_report *report)
{
    const r2n_encoded_picture picture = {bytes, bytes == NULL ? 0 : size, name,
                                         limits != NULL ? *limits : R2N_IMAGE_LIMITS_DEFAULT};
    int orientation = 1;
    res2net_status status;
    *out = (r2n_pixels){0};
    if (has(&picture, 0, "\xFF\xD8\xFF", 3))
        status = r2n_decode_jpeg(&picture, out, &orientation, report);
    else if (has(&picture, 0, png_signature, sizeof png_signature))
        status = r2n_decode_png(&picture, out, &orientation, report);
    else
        status = fail_unknown(&picture, report);
    if (status == RES2NET_OK && apply_exif) {
        status = r2n_pixels_turn(out, orientation, name, report);
        if (status != RES2NET_OK)
            r2n_pixels_free(out);
    }
    return status;
}
