/* SPDX-License-Identifier: Apache-2.0 */
/* What the golden checksums do not say in words: pixels that are known, files that say one thing
 * twice, kinds that are refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "unit/image_fixture.h"

static r2n_pixels decode_bytes(const void *bytes, size_t size, r2n_decoder decoder)
{
    r2n_image_options options = R2N_IMAGE_OPTIONS_DEFAULT;
    res2net_report *report = res2net_report_create();
    r2n_pixels pixels;
    options.decoder = decoder;
    const res2net_status status =
        r2n_image_decode(bytes, size, "picture", &options, &pixels, report);
    if (status != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    assert_int_equal(res2net_report_count(report), 0);
    res2net_report_destroy(report);
    return pixels;
}
#define DECODE(text, decoder) decode_bytes(text, sizeof text - 1, decoder)

static r2n_pixels decode_golden(const char *name)
{
    file_copy file = read_golden(name);
    r2n_pixels pixels = decode_bytes(file.bytes, file.size, R2N_DECODER_OPENCV);
    free(file.bytes);
    return pixels;
}

static void refuse(const void *bytes, size_t size, res2net_status wanted, const char *part)
{
    res2net_report *report = res2net_report_create();
    r2n_pixels pixels = {1, 1, NULL};
    const res2net_status status = r2n_image_decode(bytes, size, "a.jpg", NULL, &pixels, report);
    if (status != wanted)
        fail_msg("%s instead of \"%s\"", res2net_status_name(status), part);
    assert_int_equal(res2net_report_count(report), 1);
    assert_says(report, part);
    assert_string_equal(res2net_report_problem(report, 0)->file, "a.jpg");
    assert_null(pixels.rgb);
    res2net_report_destroy(report);
}
#define REFUSE(text, status, part) refuse(text, sizeof text - 1, status, part)

static void same_pixels(const char *first, const char *second)
{
    if (!can_decode(first) || !can_decode(second))
        return;
    r2n_pixels a = decode_golden(first), b = decode_golden(second);
    assert_int_equal(a.width, b.width);
    assert_int_equal(a.height, b.height);
    if (memcmp(a.rgb, b.rgb, (size_t)a.width * (size_t)a.height * 3) != 0)
        fail_msg("%s and %s differ", first, second);
    r2n_pixels_free(&a);
    r2n_pixels_free(&b);
}

static void one_picture_said_in_two_ways_is_one(void **state)
{
    (void)state;
    /* The same coefficients in another order. */
    same_pixels("rgb444.jpg", "rgb444_progressive.jpg");
    same_pixels("rgb422.jpg", "rgb422_progressive.jpg");
    same_pixels("rgb420.jpg", "rgb420_progressive.jpg");
    same_pixels("grey.jpg", "grey_progressive.jpg");
    same_pixels("sampling_4x1.jpg", "sampling_4x1_progressive.jpg");
    same_pixels("sampling_1x2.jpg", "sampling_1x2_progressive.jpg");
    same_pixels("sampling_3x1.jpg", "sampling_3x1_progressive.jpg");
    same_pixels("arithmetic.jpg", "arithmetic_progressive.jpg");
    same_pixels("cmyk.jpg", "cmyk_no_adobe.jpg");
    same_pixels("rgba32_56.bmp", "rgba32_124.bmp");
    same_pixels("rgb24_12.bmp", "rgb24_124.bmp");
    same_pixels("rgb24_40.bmp", "rgb24_top_down.bmp");
    same_pixels("rgb32.bmp", "rgb32_masks.bmp");
    same_pixels("rgb32.bmp", "rgb24_40.bmp");
    same_pixels("rgb565.bmp", "rgb565_v5.bmp");
    same_pixels("palette8.bmp", "palette8_os2.bmp");
    same_pixels("rle4.bmp", "rle4_odd_lots.bmp");
    same_pixels("rle8.bmp", "rle8_lots.bmp");
    same_pixels("plain.pbm", "binary.pbm");
    same_pixels("level15.pgm", "level15_plain.pgm");
    same_pixels("level65535.ppm", "level65535_plain.ppm");
    same_pixels("level1000.ppm", "level1000_plain.ppm");
    same_pixels("lossless.webp", "rgb24_40.bmp");
    same_pixels("lossless_alpha.webp", "lossless.webp"); /* alpha is dropped, not blended */
}

/* users.md A1 8 and 9: grey of 16 bits has as many levels as colour of 16 bits. */
static void sixteen_bits_are_cut_to_the_high_byte(void **state)
{
    (void)state;
    if (!CAN_PNG)
        skip();
    same_pixels("ramp_grey16.png", "ramp_rgb16.png");
    r2n_pixels ramp = decode_golden("ramp_grey16.png");
    assert_int_equal(ramp.width, 256);
    for (int i = 0; i < 256; i++)
        for (int k = 0; k < 3; k++)
            assert_int_equal(ramp.rgb[3 * i + k], i);
    r2n_pixels_free(&ramp);
}

/* users.md A1 11 */
static void transparency_of_a_palette_moves_no_pixel(void **state)
{
    (void)state;
    if (!CAN_PNG)
        skip();
    const uint8_t wanted[6] = {17, 34, 51, 68, 85, 102};
    r2n_pixels pixels = decode_golden("palette_2x1.png");
    assert_int_equal(pixels.width, 2);
    assert_int_equal(pixels.height, 1);
    assert_memory_equal(pixels.rgb, wanted, 6);
    r2n_pixels_free(&pixels);
}

/* users.md A1 20 and 23b: content decides, and all that is no picture fails alike. */
static void what_is_no_picture_fails_alike(void **state)
{
    (void)state;
    refuse(NULL, 0, RES2NET_BAD_PICTURE, "empty (0 bytes)");
    REFUSE("", RES2NET_BAD_PICTURE, "empty (0 bytes)");
    REFUSE("\x89", RES2NET_BAD_PICTURE, "damaged");
    REFUSE("<html>access denied", RES2NET_BAD_PICTURE, "HTML page");
    REFUSE("some text", RES2NET_BAD_PICTURE, "no picture of a known format");
    if (CAN_PNG)
        REFUSE("\x89PNG\r\n\x1A\n", RES2NET_BAD_PICTURE, "inside its header");
    if (CAN_JPEG)
        REFUSE("\xFF\xD8\xFF", RES2NET_BAD_PICTURE, "cut off");
    if (CAN_WEBP)
        REFUSE("RIFF\x10\0\0\0WEBPVP8 ", RES2NET_BAD_PICTURE, "cut off");
    REFUSE("BM", RES2NET_BAD_PICTURE, "inside its header");
    REFUSE("P5\n", RES2NET_BAD_PICTURE, "the end of the file");
}

static void other_formats_are_refused_with_advice(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } cases[] = {{"GIF89a\1\0\1\0", 10, "a GIF picture"},
                 {"II*\0\x08\0\0\0", 8, "a TIFF picture"},
                 {"MM\0*\0\0\0\x08", 8, "a TIFF picture"},
                 {"II+\0\x08\0\0\0", 8, "a TIFF picture"},
                 {"\0\0\0\x1C"
                  "ftypavif",
                  12, "an AVIF picture"},
                 {"\0\0\0\x1C"
                  "ftypheic",
                  12, "a HEIC picture"},
                 {"\0\0\0\x1C"
                  "ftypmp42",
                  12, "an MP4 or QuickTime video"},
                 {"\0\0\0\x0CJXL \r\n\x87\n", 12, "a JPEG XL picture"},
                 {"\xFF\x0A\1\2", 4, "a JPEG XL picture"},
                 {"\0\0\0\x0CjP  \r\n\x87\n", 12, "a JPEG 2000 picture"},
                 {"qoif\0\0\0\1", 8, "a QOI picture"},
                 {"P7\nWIDTH 2\n", 11, "a PAM picture"},
                 {"Pf\n1 1\n-1.0\n", 12, "a PFM picture"},
                 {"PK\x03\x04", 4, "a zip archive"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refuse(cases[i].bytes, cases[i].size, RES2NET_UNSUPPORTED, cases[i].name);
        refuse(cases[i].bytes, cases[i].size, RES2NET_UNSUPPORTED,
               "JPEG, PNG, WebP, BMP and PNM are read; convert it to PNG first");
    }
    if (!CAN_WEBP)
        return;
    file_copy file = read_golden("animated.webp");
    refuse(file.bytes, file.size, RES2NET_UNSUPPORTED, "an animation: save one of its pictures");
    free(file.bytes);
}

static void check_grey(const char *text, size_t size, r2n_decoder decoder, const uint8_t *wanted,
                       int32_t width, int32_t height)
{
    r2n_pixels pixels = decode_bytes(text, size, decoder);
    assert_int_equal(pixels.width, width);
    assert_int_equal(pixels.height, height);
    for (int32_t i = 0; i < width * height; i++)
        for (int k = 0; k < 3; k++)
            assert_int_equal(pixels.rgb[3 * i + k], wanted[i]);
    r2n_pixels_free(&pixels);
}
#define CHECK_GREY(text, decoder, width, height, ...)                                              \
    check_grey(text, sizeof text - 1, decoder, (const uint8_t[]){__VA_ARGS__}, width, height)

static void pnm_headers_are_read_as_people_write_them(void **state)
{
    (void)state;
    const r2n_decoder any = R2N_DECODER_OPENCV;
    CHECK_GREY("P2 3 1 255 0 7 255", any, 3, 1, 0, 7, 255);
    CHECK_GREY("P2\r\n# a # b\r\n3 #c\n1\n255\n0\t007 #x\n255\r\n", any, 3, 1, 0, 7, 255);
    CHECK_GREY("P5\n2 1\n255\n\n#", any, 2, 1, 10, 35); /* pixels that look like blanks */
    CHECK_GREY("P5 2 1 255 ABmore", any, 2, 1, 65, 66);
    CHECK_GREY("P1\n3 2\n010\n1 1#\n 1", any, 3, 2, 255, 0, 255, 0, 0, 0);
    CHECK_GREY("P4\n3 2\n\x40\xE0", any, 3, 2, 255, 0, 255, 0, 0, 0);
    CHECK_GREY("P5\n2 1\n65535\n\x7F\xFF\xFF\xFF", any, 2, 1, 127, 255);
    /* OpenCV rounds down, Pillow to the nearest, halves to even. */
    CHECK_GREY("P2\n4 1\n6\n0 1 3 6", R2N_DECODER_OPENCV, 4, 1, 0, 42, 127, 255);
    CHECK_GREY("P2\n4 1\n6\n0 1 3 6", R2N_DECODER_PILLOW, 4, 1, 0, 42, 128, 255);
    CHECK_GREY("P5\n2 1\n1000\n\x01\xF4\x03\xE8", R2N_DECODER_OPENCV, 2, 1, 127, 255);
    CHECK_GREY("P5\n2 1\n1000\n\x01\xF4\x03\xE8", R2N_DECODER_PILLOW, 2, 1, 128, 255);
}

static void damaged_pnm_is_refused(void **state)
{
    (void)state;
    REFUSE("P5\n2 2\n255\nabc", RES2NET_BAD_PICTURE, "cut off");
    REFUSE("P5\n0 2\n255\n", RES2NET_BAD_PICTURE, "0 x 2");
    REFUSE("P5\n-3 2\n255\nabcdef", RES2NET_BAD_PICTURE, "its width there is byte 0x2D");
    REFUSE("P5\n2 x\n255\nabcd", RES2NET_BAD_PICTURE, "its height there is byte 0x78");
    REFUSE("P5\n2 2\n0\nabcd", RES2NET_BAD_PICTURE, "is 0: it must be 1 to 65535");
    REFUSE("P5\n2 2\n65536\nabcdabcd", RES2NET_BAD_PICTURE, "must be 1 to 65535");
    REFUSE("P5\n2 1\n100\n\x10\x65", RES2NET_BAD_PICTURE, "value 101");
    REFUSE("P2\n2 1\n100\n16 101", RES2NET_BAD_PICTURE, "value 101");
    REFUSE("P2\n2 1\n100\n16 -1", RES2NET_BAD_PICTURE, "a number there is byte 0x2D");
    REFUSE("P2\n2 1\n100\n16 1.5", RES2NET_BAD_PICTURE, "a number there is byte 0x2E");
    REFUSE("P1\n2 1\n0 2", RES2NET_BAD_PICTURE, "a 0 or 1");
    REFUSE("P2\n2 2\n100\n1 2   # 3 4\n", RES2NET_BAD_PICTURE, "cut off");
    REFUSE("P5\n4294967297 1\n255\na", RES2NET_LIMIT_EXCEEDED, "4294967296 x 1");
}

/* A BMP of golden/pictures with one field written over. */
static void refuse_bmp(const char *name, size_t at, uint32_t value, int bytes,
                       res2net_status wanted, const char *part)
{
    file_copy file = read_golden(name);
    for (int i = 0; i < bytes; i++)
        file.bytes[at + (size_t)i] = (uint8_t)(value >> (8 * i));
    refuse(file.bytes, file.size, wanted, part);
    free(file.bytes);
}

static void damaged_bmp_is_refused(void **state)
{
    (void)state;
    const char *rgb = "rgb24_40.bmp";
    refuse_bmp(rgb, 14, 16, 4, RES2NET_UNSUPPORTED, "header of bytes: 16");
    refuse_bmp(rgb, 14, 1000, 4, RES2NET_UNSUPPORTED, "header of bytes: 1000");
    refuse_bmp(rgb, 18, (uint32_t)-23, 4, RES2NET_BAD_PICTURE, "a width of -23");
    refuse_bmp(rgb, 18, 0, 4, RES2NET_BAD_PICTURE, "0 x 19");
    refuse_bmp(rgb, 22, 0x80000000, 4, RES2NET_LIMIT_EXCEEDED, "23 x 2147483648");
    refuse_bmp(rgb, 28, 2, 2, RES2NET_UNSUPPORTED, "bits a pixel: 2");
    refuse_bmp(rgb, 28, 48, 2, RES2NET_UNSUPPORTED, "bits a pixel: 48");
    refuse_bmp(rgb, 30, 1, 4, RES2NET_UNSUPPORTED, "compression 1");
    refuse_bmp(rgb, 30, 4, 4, RES2NET_UNSUPPORTED, "compression 4");
    refuse_bmp(rgb, 10, 20, 4, RES2NET_BAD_PICTURE, "begin at byte 20, inside its header");
    refuse_bmp(rgb, 10, 1 << 30, 4, RES2NET_BAD_PICTURE, "would begin at byte 1073741824");
    refuse_bmp("palette8.bmp", 46, 300, 4, RES2NET_BAD_PICTURE, "300 colours");
    refuse_bmp("palette8_few.bmp", 46, 2, 4, RES2NET_BAD_PICTURE, "its palette has 2 colours");
    refuse_bmp("rle4.bmp", 46, 2, 4, RES2NET_BAD_PICTURE, "its palette has 2 colours");
    refuse_bmp("rgb565.bmp", 54, 0xF810, 4, RES2NET_BAD_PICTURE, "colour masks");
    refuse_bmp("rgb565.bmp", 54, 0x7E0, 4, RES2NET_BAD_PICTURE, "colour masks");
    refuse_bmp("rgb565.bmp", 54, 0xFF0000, 4, RES2NET_BAD_PICTURE, "colour masks");
    /* A run, a lot of pixels, a jump, each past its row or picture; 23 columns of 19 rows. */
    refuse_bmp("rle8.bmp", 54 + 1024, 24, 1, RES2NET_BAD_PICTURE, "a run of the BMP leaves");
    refuse_bmp("rle8.bmp", 54 + 1024, 0x1800, 2, RES2NET_BAD_PICTURE, "leaves its row");
    refuse_bmp("rle8.bmp", 54 + 1024, 0x00180200, 4, RES2NET_BAD_PICTURE, "a jump of the BMP");
    refuse_bmp("rle8.bmp", 54 + 1024, 0x13000200, 4, RES2NET_BAD_PICTURE, "leaves its picture");
}

static void bmp_masks_count_and_narrow_channels_are_spread(void **state)
{
    (void)state;
    /* 2x1, 16 bits, masks 0x7 (red), 0x3F00 (green), 0xC000 (blue). */
    static const uint8_t bmp[] = {'B', 'M', 0, 0,    0, 0, 0, 0,    0, 0, 66,   0,    0,    0,
                                  40,  0,   0, 0,    2, 0, 0, 0,    1, 0, 0,    0,    1,    0,
                                  16,  0,   3, 0,    0, 0, 0, 0,    0, 0, 0,    0,    0,    0,
                                  0,   0,   0, 0,    0, 0, 0, 0,    0, 0, 0,    0,    7,    0,
                                  0,   0,   0, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0x07, 0xFF, 0x05, 0x52};
    const uint8_t opencv[6] = {224, 252, 192, 160, 72, 64};
    const uint8_t pillow[6] = {255, 255, 255, 182, 72, 85};
    r2n_pixels pixels = decode_bytes(bmp, sizeof bmp, R2N_DECODER_OPENCV);
    assert_memory_equal(pixels.rgb, opencv, 6);
    r2n_pixels_free(&pixels);
    pixels = decode_bytes(bmp, sizeof bmp, R2N_DECODER_PILLOW);
    assert_memory_equal(pixels.rgb, pillow, 6);
    r2n_pixels_free(&pixels);
}

static void damaged_webp_is_refused(void **state)
{
    (void)state;
    if (!CAN_WEBP)
        skip();
    file_copy file = read_golden("lossless.webp");
    memset(file.bytes + 40, 0xFF, 60);
    refuse(file.bytes, file.size, RES2NET_BAD_PICTURE, "the WebP is damaged");
    free(file.bytes);
}

static void every_failing_allocation_is_told(void **state)
{
    (void)state;
    const char *names[] = {"exif6.webp", "rle8.bmp", "rgb24_40.bmp", "level255.ppm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!can_decode(names[i]))
            continue;
        file_copy file = read_golden(names[i]);
        int64_t failures = 0;
        for (;; failures++) {
            r2n_image_options options = R2N_IMAGE_OPTIONS_DEFAULT;
            r2n_pixels pixels;
            options.exif = R2N_EXIF_APPLY;
            r2n_memory_fail_after(failures);
            const res2net_status status =
                r2n_image_decode(file.bytes, file.size, "a", &options, &pixels, NULL);
            r2n_memory_fail_after(-1);
            if (status == RES2NET_OK) {
                r2n_pixels_free(&pixels);
                break;
            }
            assert_int_equal(status, RES2NET_OUT_OF_MEMORY);
            assert_null(pixels.rgb);
        }
        assert_true(failures >= 1);
        free(file.bytes);
    }
}

static void orientation_is_found_in_every_format(void **state)
{
    (void)state;
    for (int value = 1; value <= 8; value++) {
        static const char *const extensions[] = {"jpg", "png", "webp"};
        for (int i = 0; i < 3; i++) {
            char name[32];
            snprintf(name, sizeof name, "exif%d.%s", value, extensions[i]);
            file_copy file = read_golden(name);
            assert_int_equal(r2n_image_orientation(file.bytes, file.size), value);
            for (size_t size = 0; size < 30; size++)
                assert_int_equal(r2n_image_orientation(file.bytes, size), 1);
            free(file.bytes);
        }
    }
    assert_int_equal(r2n_image_orientation(NULL, 0), 1);
    assert_int_equal(r2n_image_orientation("BM", 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_picture_said_in_two_ways_is_one),
        cmocka_unit_test(sixteen_bits_are_cut_to_the_high_byte),
        cmocka_unit_test(transparency_of_a_palette_moves_no_pixel),
        cmocka_unit_test(what_is_no_picture_fails_alike),
        cmocka_unit_test(other_formats_are_refused_with_advice),
        cmocka_unit_test(pnm_headers_are_read_as_people_write_them),
        cmocka_unit_test(damaged_pnm_is_refused),
        cmocka_unit_test(damaged_bmp_is_refused),
        cmocka_unit_test(bmp_masks_count_and_narrow_channels_are_spread),
        cmocka_unit_test(damaged_webp_is_refused),
        cmocka_unit_test(every_failing_allocation_is_told),
        cmocka_unit_test(orientation_is_found_in_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
