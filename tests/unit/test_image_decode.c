/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/os.h"
#include "golden/pictures/expected.h"
#include "unit/image_fixture.h"

static void check_pixels(const struct golden_picture *golden, const file_copy *file,
                         r2n_decoder decoder, r2n_exif exif, uint32_t wanted)
{
    r2n_image_options options = R2N_IMAGE_OPTIONS_DEFAULT;
    r2n_pixels pixels;
    options.decoder = decoder;
    options.exif = exif;
    const res2net_status status =
        r2n_image_decode(file->bytes, file->size, "a", &options, &pixels, NULL);
    if (!can_decode(golden->name)) {
        assert_int_equal(status, RES2NET_UNSUPPORTED);
        return;
    }
    if (status != RES2NET_OK || pixels_crc(&pixels) != wanted)
        fail_msg("%s, decoder %d, EXIF %d: %s, or other pixels", golden->name, (int)decoder,
                 (int)exif, res2net_status_name(status));
    if (exif == R2N_EXIF_AS_OPENCV) {
        assert_int_equal(pixels.width, golden->width);
        assert_int_equal(pixels.height, golden->height);
    }
    r2n_pixels_free(&pixels);
}

static void pictures_decode_to_the_pixels_of_opencv_and_pillow(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_pictures / sizeof *golden_pictures; i++) {
        const struct golden_picture *golden = &golden_pictures[i];
        file_copy file = read_golden(golden->name);
        check_pixels(golden, &file, R2N_DECODER_OPENCV, R2N_EXIF_IGNORE, golden->upright);
        check_pixels(golden, &file, R2N_DECODER_OPENCV, R2N_EXIF_AS_OPENCV, golden->turned);
        check_pixels(golden, &file, R2N_DECODER_OPENCV, R2N_EXIF_APPLY, golden->everywhere);
        check_pixels(golden, &file, R2N_DECODER_PILLOW, R2N_EXIF_IGNORE, golden->pillow);
        free(file.bytes);
    }
}

static void refuse(const char *bytes, size_t size, res2net_status wanted, const char *part)
{
    res2net_report *report = res2net_report_create();
    r2n_pixels pixels = {1, 1, NULL};
    assert_int_equal(r2n_image_decode(bytes, size, "a.jpg", NULL, &pixels, report), wanted);
    assert_int_equal(res2net_report_count(report), 1);
    assert_says(report, part);
    assert_string_equal(res2net_report_problem(report, 0)->file, "a.jpg");
    assert_null(pixels.rgb);
    assert_int_equal(pixels.width, 0);
    res2net_report_destroy(report);
}
#define REFUSE(text, status, part) refuse(text, sizeof text - 1, status, part)

static void other_files_are_refused_by_name(void **state)
{
    (void)state;
    refuse(NULL, 0, RES2NET_BAD_PICTURE, "empty (0 bytes)");
    REFUSE("x", RES2NET_BAD_PICTURE, "no picture of a known format");
    REFUSE("\xFF\xD8", RES2NET_BAD_PICTURE, "damaged");
    REFUSE("\x89PNG\n\x1A\n    ", RES2NET_BAD_PICTURE, "text mode");
    REFUSE("GIF89a\1\0\1\0", RES2NET_UNSUPPORTED, "GIF");
    REFUSE("BM\x36\0\0\0", RES2NET_BAD_PICTURE, "inside its header");
    REFUSE("II*\0\x08\0\0\0", RES2NET_UNSUPPORTED, "TIFF");
    REFUSE("MM\0*\0\0\0\x08", RES2NET_UNSUPPORTED, "TIFF");
    REFUSE("P6\n2 2\n255\n", RES2NET_BAD_PICTURE, "can hold 0 at most");
    REFUSE("P7\nWIDTH 7\n", RES2NET_UNSUPPORTED, "PAM");
    REFUSE("\0\0\0\x1C"
           "ftypavif",
           RES2NET_UNSUPPORTED, "AVIF");
    REFUSE("\0\0\0\x18"
           "ftypheic",
           RES2NET_UNSUPPORTED, "HEIC");
    REFUSE("%PDF-1.4", RES2NET_UNSUPPORTED, "PDF");
    REFUSE("\xEF\xBB\xBF\n <!DOCTYPE HTML><p>", RES2NET_BAD_PICTURE, "HTML page");
    REFUSE("<html>403 Forbidden", RES2NET_BAD_PICTURE, "HTML page");
    REFUSE("version https://git-lfs.github.com/spec/v1\noid", RES2NET_BAD_PICTURE, "Git LFS");
    REFUSE("<svg xmlns=\"\">", RES2NET_UNSUPPORTED, "SVG");
}

/* IHDR of a PNG of width x height, then `tail`. */
static size_t png_header(uint8_t *bytes, uint32_t width, uint32_t height)
{
    static const uint8_t start[16] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n',
                                      0,    0,   0,   13,  'I',  'H',  'D',  'R'};
    memcpy(bytes, start, 16);
    for (int i = 0; i < 4; i++) {
        bytes[16 + i] = (uint8_t)(width >> (24 - 8 * i));
        bytes[20 + i] = (uint8_t)(height >> (24 - 8 * i));
    }
    memcpy(bytes + 24, "\x08\x02\0\0\0", 5);
    const uint32_t crc = r2n_crc32(0, bytes + 12, 17);
    for (int i = 0; i < 4; i++)
        bytes[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
    return 33;
}

static void bombs_are_refused_before_memory_is_taken(void **state)
{
    (void)state;
    if (!CAN_PNG)
        skip();
    const uint32_t sizes[][2] = {{50000, 50000}, {20000, 20000},           {65536, 1},
                                 {1, 65536},     {0xFFFFFFFF, 0xFFFFFFFF}, {0x7FFFFFFF, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t bytes[64];
        const size_t size = png_header(bytes, sizes[i][0], sizes[i][1]);
        const int64_t before = r2n_memory_allocations();
        r2n_pixels pixels;
        assert_int_equal(r2n_image_decode(bytes, size, "bomb", NULL, &pixels, NULL),
                         RES2NET_LIMIT_EXCEEDED);
        assert_int_equal(r2n_memory_allocations(), before);
    }
    uint8_t bytes[64];
    refuse((char *)bytes, png_header(bytes, 0, 7), RES2NET_BAD_PICTURE, "0 x 7");
    refuse((char *)bytes, png_header(bytes, 50000, 50000), RES2NET_LIMIT_EXCEEDED,
           "50000 x 50000 pixels; the limit is 178956970");
    refuse((char *)bytes, 8, RES2NET_BAD_PICTURE, "inside its header");
}

static void limits_hold_for_jpeg_too(void **state)
{
    (void)state;
    if (!CAN_JPEG)
        skip();
    file_copy file = read_golden("rgb420.jpg");
    r2n_pixels pixels;
    const struct {
        r2n_image_limits limits;
        res2net_status wanted;
    } cases[] = {{{437, 65535}, RES2NET_OK},
                 {{436, 65535}, RES2NET_LIMIT_EXCEEDED},
                 {{100000, 23}, RES2NET_OK},
                 {{100000, 22}, RES2NET_LIMIT_EXCEEDED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const r2n_image_options options = {.limits = cases[i].limits};
        assert_int_equal(r2n_image_decode(file.bytes, file.size, "a", &options, &pixels, NULL),
                         cases[i].wanted);
        r2n_pixels_free(&pixels);
    }
    /* The header claims more than is there: 60000 x 2900 pixels are within the limits. */
    for (size_t i = 0; i + 9 < file.size; i++) {
        if (file.bytes[i] == 0xFF && file.bytes[i + 1] == 0xC0) {
            memcpy(file.bytes + i + 5, "\x0B\x54\xEA\x60", 4);
            break;
        }
    }
    assert_int_equal(decode(&file, file.size, 0, &pixels, NULL), RES2NET_BAD_PICTURE);
    assert_true(r2n_os_peak_memory_bytes() < 400u << 20);
    free(file.bytes);
}

/* A file that ends at any byte is refused, and says where. Only a missing end marker is nothing. */
static void cut_files_are_refused_at_every_byte(void **state)
{
    (void)state;
    const char *names[] = {"rgb420.jpg",
                           "rgb420_progressive.jpg",
                           "grey_progressive.jpg",
                           "restarts.jpg",
                           "cmyk.jpg",
                           "rgb8.png",
                           "rgba16_interlaced.png",
                           "palette4_interlaced.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!can_decode(names[i]))
            continue;
        const int png = strstr(names[i], ".png") != NULL;
        file_copy file = read_golden(names[i]);
        for (size_t size = 0; size < file.size; size++) {
            r2n_pixels pixels;
            res2net_report *report = res2net_report_create();
            uint8_t *cut = malloc(size + 1);
            memcpy(cut, file.bytes, size);
            const file_copy part = {cut, size};
            const res2net_status status = decode(&part, size, 1, &pixels, report);
            if (!png && size + 2 >= file.size) {
                assert_int_equal(status, RES2NET_OK); /* one or both bytes of the end marker */
            } else if (status != RES2NET_BAD_PICTURE || res2net_report_count(report) != 1 ||
                       res2net_report_problem(report, 0)->offset < 0 ||
                       res2net_report_problem(report, 0)->offset > (int64_t)size) {
                fail_msg("%s cut to %zu of %zu bytes: %s", names[i], size, file.size,
                         res2net_status_name(status));
            }
            r2n_pixels_free(&pixels);
            res2net_report_destroy(report);
            free(cut);
        }
        free(file.bytes);
    }
}

static void damage_is_never_made_up_for(void **state)
{
    (void)state;
    if (!CAN_PNG || !CAN_JPEG)
        skip();
    r2n_pixels pixels;
    file_copy file = read_golden("rgb8.png"); /* any bit of a PNG is under a checksum */
    for (size_t at = 8; at < file.size; at++) {
        file.bytes[at] ^= 0x10;
        const res2net_status status = decode(&file, file.size, 1, &pixels, NULL);
        if (status == RES2NET_OK)
            fail_msg("byte %zu may be changed unseen", at);
        file.bytes[at] ^= 0x10;
    }
    free(file.bytes);
    file = read_golden("rgb444.jpg");
    res2net_report *report = res2net_report_create();
    for (size_t at = 0; at + 4 < file.size; at++) {
        if (file.bytes[at] == 0xFF && file.bytes[at + 1] == 0xDA) {
            memset(file.bytes + at + 40, 0xFF, 8); /* in the middle of the scan */
            break;
        }
    }
    assert_int_equal(decode(&file, file.size, 1, &pixels, report), RES2NET_BAD_PICTURE);
    assert_says(report, "damaged");
    assert_true(res2net_report_problem(report, 0)->offset > 0);
    res2net_report_destroy(report);
    free(file.bytes);
}

/* Replaces the first marker `from` by `to`, or the byte `at` bytes behind it where `to` is 0. */
static void patch(file_copy *file, uint8_t from, uint8_t to, size_t at, uint8_t value)
{
    for (size_t i = 0; i + at + 1 < file->size; i++) {
        if (file->bytes[i] == 0xFF && file->bytes[i + 1] == from) {
            file->bytes[i + (to != 0 ? 1 : at)] = to != 0 ? to : value;
            return;
        }
    }
    fail_msg("no marker %02X", from);
}

static void unusual_jpegs_are_refused_by_name(void **state)
{
    (void)state;
    if (!CAN_JPEG)
        skip();
    const struct {
        const char *name;
        uint8_t from, to;
        size_t at;
        uint8_t value;
        res2net_status wanted;
        const char *part;
    } cases[] = {
        {"rgb444.jpg", 0xC0, 0, 4, 12, RES2NET_UNSUPPORTED, "precision 12"},
        {"rgb444.jpg", 0xC0, 0xC3, 0, 0, RES2NET_UNSUPPORTED, "SOF type 0xc3"}, /* lossless */
        {"rgb444.jpg", 0xC0, 0, 9, 2, RES2NET_BAD_PICTURE, "damaged"},          /* two components */
        {"rgb444.jpg", 0xDA, 0xD9, 0, 0, RES2NET_BAD_PICTURE, "missing SOS"},
        {"many_scans.jpg", 0xD8, 0xD8, 0, 0, RES2NET_LIMIT_EXCEEDED, "more than 100 scans"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_copy file = read_golden(cases[i].name);
        patch(&file, cases[i].from, cases[i].to, cases[i].at, cases[i].value);
        refuse((char *)file.bytes, file.size, cases[i].wanted, cases[i].part);
        free(file.bytes);
    }
}

static void palette_indices_are_checked(void **state)
{
    (void)state;
    if (!CAN_PNG)
        skip();
    file_copy file = read_golden("palette4.png");
    for (size_t i = 0; i + 64 < file.size; i++) {
        if (memcmp(file.bytes + i, "PLTE", 4) != 0)
            continue;
        /* Three colours instead of sixteen. */
        uint8_t *at = file.bytes + i;
        const size_t removed = 13 * 3;
        at[-1] = 9;
        memmove(at + 13, at + 13 + removed, file.size - i - 13 - removed);
        const uint32_t crc = r2n_crc32(0, at, 13);
        for (int k = 0; k < 4; k++)
            at[13 + k] = (uint8_t)(crc >> (24 - 8 * k));
        file.size -= removed;
        break;
    }
    refuse((char *)file.bytes, file.size, RES2NET_BAD_PICTURE, "the palette has 3 colours");
    free(file.bytes);
}

static void every_failing_allocation_is_told(void **state)
{
    (void)state;
    const char *names[] = {"exif6.jpg", "cmyk.jpg", "exif6.png", "rgba16_interlaced.png",
                           "palette8.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!can_decode(names[i]))
            continue;
        file_copy file = read_golden(names[i]);
        int64_t failures = 0;
        for (;; failures++) {
            r2n_pixels pixels;
            r2n_memory_fail_after(failures);
            const res2net_status status = decode(&file, file.size, 1, &pixels, NULL);
            r2n_memory_fail_after(-1);
            if (status == RES2NET_OK) {
                r2n_pixels_free(&pixels);
                break;
            }
            assert_int_equal(status, RES2NET_OUT_OF_MEMORY);
            assert_null(pixels.rgb);
        }
        assert_true(failures >= 3);
        free(file.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_hold_for_jpeg_too), /* first: it looks at the peak of memory */
        cmocka_unit_test(pictures_decode_to_the_pixels_of_opencv_and_pillow),
        cmocka_unit_test(other_files_are_refused_by_name),
        cmocka_unit_test(bombs_are_refused_before_memory_is_taken),
        cmocka_unit_test(cut_files_are_refused_at_every_byte),
        cmocka_unit_test(damage_is_never_made_up_for),
        cmocka_unit_test(unusual_jpegs_are_refused_by_name),
        cmocka_unit_test(palette_indices_are_checked),
        cmocka_unit_test(every_failing_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
