/* SPDX-License-Identifier: Apache-2.0 */
/* Tells picture formats apart by their first bytes, never by the file's name. */
#include "image/decode.h"

#include <string.h>

#include "base/report.h"
#include "image/exif_orientation.h"

#define READ_FORMATS "JPEG, PNG, WebP, BMP and PNM"

static const uint8_t png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

/* Formats that are refused by name. `offset`, `magic`: where and what; magic ends at its NUL. */
typedef struct refused_format {
    const char *name;
    size_t offset;
    const char *magic;
} refused_format;

static const refused_format refused[] = {
    {"a GIF picture", 0, "GIF8"},
    {"a TIFF picture", 0, "II*"},
    {"a TIFF picture", 0, "II+"},
    {"an AVIF picture", 4, "ftypavif"},
    {"a HEIC picture", 4, "ftyphei"},
    {"an AVIF picture", 4, "ftypavis"},
    {"a HEIC picture", 4, "ftyphev"},
    {"a HEIC picture", 4, "ftypmif1"},
    {"a HEIC picture", 4, "ftypmsf1"},
    {"an MP4 or QuickTime video", 4, "ftyp"},
    {"a JPEG 2000 picture", 4, "jP  \r\n"},
    {"a JPEG 2000 picture", 0, "\xFF\x4F\xFF\x51"},
    {"a JPEG XL picture", 4, "JXL \r\n"},
    {"a JPEG XL picture", 0, "\xFF\x0A"},
    {"an OpenEXR picture", 0, "\x76\x2F\x31\x01"},
    {"a Photoshop picture", 0, "8BPS"},
    {"a DDS picture", 0, "DDS "},
    {"a QOI picture", 0, "qoif"},
    {"a Radiance HDR picture", 0, "#?RADIANCE"},
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

static int is_pnm(const r2n_encoded_picture *picture, char first, char last)
{
    return picture->size >= 3 && picture->bytes[0] == 'P' && picture->bytes[1] >= first &&
           picture->bytes[1] <= last && (is_blank(picture->bytes[2]) || picture->bytes[2] == '#');
}

static int is_webp(const r2n_encoded_picture *picture)
{
    return has(picture, 0, "RIFF", 4) && has(picture, 8, "WEBP", 4);
}

static const char *refused_name(const r2n_encoded_picture *picture)
{
    if (is_pnm(picture, '7', '7'))
        return "a PAM picture";
    if (is_pnm(picture, 'F', 'F') || is_pnm(picture, 'f', 'f'))
        return "a PFM picture";
    if (has(picture, 0, "MM\0*", 4) || has(picture, 0, "MM\0+", 4))
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
                        "this is %s: " READ_FORMATS " are read; convert it to PNG first", format);
    const size_t at = text_start(picture);
    if (has_word(picture, at, "<!doctype html") || has_word(picture, at, "<html") ||
        has_word(picture, at, "<head"))
        return r2n_fail(report, RES2NET_BAD_PICTURE, name, 0,
                        "this is an HTML page, not a picture: a server sent a message in its "
                        "place; look at it in a browser");
    if (has_word(picture, at, "<svg") || has_word(picture, at, "<?xml"))
        return r2n_fail(report, RES2NET_UNSUPPORTED, name, 0,
                        "this is an SVG or XML document: " READ_FORMATS " are read; convert it "
                        "to PNG first");
    if (has_word(picture, at, "version https://git-lfs"))
        return r2n_fail(report, RES2NET_BAD_PICTURE, name, 0,
                        "this is a Git LFS pointer, not the picture: run \"git lfs pull\" in its "
                        "repository, or download the file itself");
    if (picture->bytes[0] == 0x89 || has(picture, 0, "\xFF\xD8", 2) || has(picture, 1, "PNG", 3))
        return r2n_fail(report, RES2NET_BAD_PICTURE, name, 0,
                        "this begins like a PNG or JPEG but its first bytes are damaged, as by a "
                        "transfer in text mode: copy it again");
    return r2n_fail(
        report, RES2NET_BAD_PICTURE, name, 0,
        "this is no picture of a known format (%zu bytes, the first is 0x%02X): " READ_FORMATS
        " are read",
        picture->size, picture->bytes[0]);
}

res2net_status r2n_decode_check_size(const r2n_encoded_picture *picture, uint64_t width,
                                     uint64_t height, int64_t offset, res2net_report *report)
{
    const r2n_image_limits *limits = &picture->options.limits;
    if (width == 0 || height == 0)
        return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, offset,
                        "the header says %llu x %llu pixels: a picture has at least one",
                        (unsigned long long)width, (unsigned long long)height);
    if (width > (uint64_t)limits->side || height > (uint64_t)limits->side)
        return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, picture->name, offset,
                        "the header says %llu x %llu pixels; at most %d a side are read: shrink "
                        "the picture",
                        (unsigned long long)width, (unsigned long long)height, (int)limits->side);
    if (width * height > (uint64_t)limits->pixels)
        return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, picture->name, offset,
                        "the header says %llu x %llu pixels; the limit is %lld pixels: shrink the "
                        "picture, or raise the limit (--max-pixels, maximum_pixels)",
                        (unsigned long long)width, (unsigned long long)height,
                        (long long)limits->pixels);
    return RES2NET_OK;
}

res2net_status r2n_decode_check_promise(const r2n_encoded_picture *picture, uint64_t width,
                                        uint64_t height, uint64_t most, res2net_report *report)
{
    if (width * height <= most)
        return RES2NET_OK;
    return r2n_fail(report, RES2NET_BAD_PICTURE, picture->name, (int64_t)picture->size,
                    "the header says %llu x %llu pixels, and the file's %zu bytes can hold %llu at "
                    "most: it is cut off or damaged; copy or download it again",
                    (unsigned long long)width, (unsigned long long)height, picture->size,
                    (unsigned long long)most);
}

res2net_status r2n_decode_cut_off(const r2n_encoded_picture *picture, const char *format,
                                  int64_t rows, const char *filling, res2net_report *report)
{
    const int taken = picture->options.tolerate_truncated && rows > 0;
    const res2net_status status = r2n_fail(
        report, RES2NET_BAD_PICTURE, picture->name, (int64_t)picture->size,
        taken ? "the %s is cut off: it ends after %zu bytes; what is missing is taken as %s"
              : "the %s is cut off: it ends after %zu bytes, before its picture is complete; copy "
                "or download it again",
        format, picture->size, filling);
    return taken ? RES2NET_OK : status;
}

static int is_jpeg(const r2n_encoded_picture *picture)
{
    return has(picture, 0, "\xFF\xD8\xFF", 3);
}

static int is_png(const r2n_encoded_picture *picture)
{
    return has(picture, 0, png_signature, sizeof png_signature);
}

static res2net_status decode_any(const r2n_encoded_picture *picture, r2n_pixels *out,
                                 res2net_report *report)
{
    if (is_jpeg(picture))
        return r2n_decode_jpeg(picture, out, report);
    if (is_png(picture))
        return r2n_decode_png(picture, out, report);
    if (is_webp(picture))
        return r2n_decode_webp(picture, out, report);
    if (has(picture, 0, "BM", 2))
        return r2n_decode_bmp(picture, out, report);
    if (is_pnm(picture, '1', '6'))
        return r2n_decode_pnm(picture, out, report);
    return fail_unknown(picture, report);
}

int r2n_image_orientation(const void *bytes, size_t size)
{
    const r2n_encoded_picture picture = {.bytes = bytes, .size = bytes == NULL ? 0 : size};
    return is_jpeg(&picture)   ? r2n_exif_jpeg_orientation(picture.bytes, picture.size)
           : is_png(&picture)  ? r2n_exif_png_orientation(picture.bytes, picture.size)
           : is_webp(&picture) ? r2n_exif_webp_orientation(picture.bytes, picture.size)
                               : 1;
}

static int is_turned(const r2n_encoded_picture *picture)
{
    const r2n_exif exif = picture->options.exif;
    return exif == R2N_EXIF_APPLY || (exif == R2N_EXIF_AS_OPENCV && !is_webp(picture));
}

res2net_status r2n_image_decode(const void *bytes, size_t size, const char *name,
                                const r2n_image_options *options, r2n_pixels *out,
                                res2net_report *report)
{
    const r2n_encoded_picture picture = {bytes, bytes == NULL ? 0 : size, name,
                                         options != NULL ? *options : R2N_IMAGE_OPTIONS_DEFAULT};
    *out = (r2n_pixels){0};
    res2net_status status = decode_any(&picture, out, report);
    if (status == RES2NET_OK && is_turned(&picture)) {
        status = r2n_pixels_turn(out, r2n_image_orientation(bytes, picture.size), name, report);
        if (status != RES2NET_OK)
            r2n_pixels_free(out);
    }
    return status;
}
