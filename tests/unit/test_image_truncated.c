/* SPDX-License-Identifier: Apache-2.0 */
/* Files that end too early: refused, or taken with a warning where the caller tolerates them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/image_fixture.h"

/* Decodes a copy of just the first `size` bytes, so that a read past them is seen. */
static res2net_status decode_part(const file_copy *file, size_t size, int tolerate,
                                  r2n_pixels *pixels, res2net_report *report)
{
    r2n_image_options options = R2N_IMAGE_OPTIONS_DEFAULT;
    uint8_t *cut = malloc(size + 1);
    assert_non_null(cut);
    uint8_t *end = cut + 1; /* so that the last byte is the block's last */
    memcpy(end, file->bytes, size);
    options.tolerate_truncated = tolerate;
    const res2net_status status = r2n_image_decode(end, size, "a", &options, pixels, report);
    free(cut);
    return status;
}

static const char *const names[] = {"rgb420.jpg",
                                    "rgb420_progressive.jpg",
                                    "restarts.jpg",
                                    "cmyk.jpg",
                                    "arithmetic.jpg",
                                    "arithmetic_progressive.jpg",
                                    "rgb8.png",
                                    "palette4.png",
                                    "palette4_interlaced.png",
                                    "lossy.webp",
                                    "lossless_alpha.webp",
                                    "lossy_alpha.webp",
                                    "rgb24_40.bmp",
                                    "palette1_os2.bmp",
                                    "rle8_lots.bmp",
                                    "rle4.bmp",
                                    "rgba32_124.bmp",
                                    "level255.ppm",
                                    "level15_plain.pgm",
                                    "binary.pbm",
                                    "grey_progressive.jpg",
                                    "rgba16_interlaced.png"};
enum { NAMES = sizeof names / sizeof *names };

/* The bytes at the end that carry no pixel: markers, padding, a last digit or blank. */
static size_t idle_end(const char *name)
{
    return strstr(name, ".jpg") != NULL     ? 2
           : strstr(name, "rle") != NULL    ? 2
           : strstr(name, ".bmp") != NULL   ? 3
           : strstr(name, "_plain") != NULL ? 2
                                            : 0;
}

static void strict_refuses_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        if (!can_decode(names[i]))
            continue;
        file_copy file = read_golden(names[i]);
        for (size_t size = 0; size < file.size; size++) {
            r2n_pixels pixels;
            res2net_report *report = res2net_report_create();
            const res2net_status status = decode_part(&file, size, 0, &pixels, report);
            const res2net_problem *problem =
                res2net_report_count(report) == 1 ? res2net_report_problem(report, 0) : NULL;
            if (status == RES2NET_OK ? size + idle_end(names[i]) < file.size || problem != NULL
                                     : status != RES2NET_BAD_PICTURE || problem == NULL ||
                                           problem->offset < 0 || problem->offset > (int64_t)size)
                fail_msg("%s cut to %zu of %zu bytes: %s", names[i], size, file.size,
                         res2net_status_name(status));
            r2n_pixels_free(&pixels);
            res2net_report_destroy(report);
        }
        free(file.bytes);
    }
}

/* Any cut gives the whole size and one warning, or a refusal; where most of the file is there,
 * always the former. (libwebp gives rows in lots of 16.) */
static void tolerant_takes_what_is_there_and_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        if (!can_decode(names[i]))
            continue;
        file_copy file = read_golden(names[i]);
        r2n_pixels whole;
        const size_t most = file.size * (strstr(names[i], ".webp") != NULL ? 97 : 70) / 100;
        assert_int_equal(decode_part(&file, file.size, 1, &whole, NULL), RES2NET_OK);
        for (size_t size = 0; size < file.size; size++) {
            r2n_pixels pixels;
            res2net_report *report = res2net_report_create();
            const res2net_status status = decode_part(&file, size, 1, &pixels, report);
            const size_t problems = res2net_report_count(report);
            if (status != RES2NET_OK &&
                (status != RES2NET_BAD_PICTURE || problems != 1 || size > most))
                fail_msg("%s cut to %zu of %zu bytes: %s, %zu problems", names[i], size, file.size,
                         res2net_status_name(status), problems);
            if (status == RES2NET_OK) {
                assert_int_equal(pixels.width, whole.width);
                assert_int_equal(pixels.height, whole.height);
                if (problems > 0)
                    assert_says(report, "is cut off");
                else if (memcmp(pixels.rgb, whole.rgb,
                                3 * (size_t)whole.width * (size_t)whole.height) != 0)
                    fail_msg("%s cut to %zu of %zu bytes: other pixels, and no warning", names[i],
                             size, file.size);
            }
            r2n_pixels_free(&pixels);
            res2net_report_destroy(report);
        }
        r2n_pixels_free(&whole);
        free(file.bytes);
    }
}

/* Rows that are there are as in the whole picture; those that are not have one colour. */
static void check_rows(const char *name, size_t percent, int from_below, uint8_t filling,
                       int32_t at_least)
{
    if (!can_decode(name))
        return;
    file_copy file = read_golden(name);
    r2n_pixels whole, part;
    res2net_report *report = res2net_report_create();
    assert_int_equal(decode_part(&file, file.size, 0, &whole, NULL), RES2NET_OK);
    assert_int_equal(decode_part(&file, file.size * percent / 100, 1, &part, report), RES2NET_OK);
    assert_int_equal(res2net_report_count(report), 1);
    assert_says(report, filling == 0 ? "what is missing is taken as black"
                                     : "what is missing is taken as grey");
    const size_t row_bytes = 3 * (size_t)whole.width;
    for (int32_t y = 0; y < at_least; y++) {
        const int32_t row = from_below ? whole.height - 1 - y : y;
        if (memcmp(part.rgb + (size_t)row * row_bytes, whole.rgb + (size_t)row * row_bytes,
                   row_bytes) != 0)
            fail_msg("%s: row %d differs", name, (int)row);
    }
    const int32_t last = from_below ? 0 : whole.height - 1;
    for (size_t i = 0; i < 3; i++)
        if (part.rgb[(size_t)last * row_bytes + row_bytes - 3 + i] != filling)
            fail_msg("%s: the last pixel is not %d", name, filling);
    r2n_pixels_free(&whole);
    r2n_pixels_free(&part);
    res2net_report_destroy(report);
    free(file.bytes);
}

static void what_is_missing_has_one_colour(void **state)
{
    (void)state;
    check_rows("rgb24_40.bmp", 60, 1, 0, 10);
    check_rows("rgb24_top_down.bmp", 60, 0, 0, 10);
    check_rows("rle8_lots.bmp", 90, 1, 0, 8);
    check_rows("level255.ppm", 60, 0, 0, 11);
    check_rows("level15_plain.pgm", 60, 0, 0, 10);
    check_rows("rgb8.png", 60, 0, 0, 7);
    check_rows("palette4.png", 70, 0, 0, 1);
    check_rows("palette4_interlaced.png", 40, 0, 0, 0);
    check_rows("lossless.webp", 97, 0, 0, 16);
    check_rows("rgb444.jpg", 80, 0, 128, 8);
    check_rows("grey.jpg", 85, 0, 128, 8);
}

/* users.md A1 14: 60 % of the file, two bytes before the end marker, and no end marker. */
static void a_missing_end_marker_alone_is_nothing(void **state)
{
    (void)state;
    if (!CAN_JPEG)
        skip();
    file_copy file = read_golden("rgb420.jpg");
    for (int tolerate = 0; tolerate < 2; tolerate++) {
        r2n_pixels pixels;
        res2net_report *report = res2net_report_create();
        assert_int_equal(decode_part(&file, file.size - 2, tolerate, &pixels, report), RES2NET_OK);
        assert_int_equal(res2net_report_count(report), 0);
        r2n_pixels_free(&pixels);
        const res2net_status wanted = tolerate ? RES2NET_OK : RES2NET_BAD_PICTURE;
        assert_int_equal(decode_part(&file, file.size - 4, tolerate, &pixels, report), wanted);
        assert_int_equal(res2net_report_count(report), 1);
        assert_int_equal(res2net_report_problem(report, 0)->offset, (int64_t)file.size - 4);
        r2n_pixels_free(&pixels);
        res2net_report_destroy(report);
    }
    free(file.bytes);
}

/* Damage in the middle is no missing end. */
static void damage_is_not_tolerated(void **state)
{
    (void)state;
    const char *damaged[] = {"rgb444.jpg", "rgb8.png", "lossless.webp"};
    for (size_t i = 0; i < 3; i++) {
        if (!can_decode(damaged[i]))
            continue;
        file_copy file = read_golden(damaged[i]);
        r2n_pixels pixels;
        memset(file.bytes + file.size * 3 / 4, 0xFF, 8);
        assert_int_equal(decode_part(&file, file.size, 1, &pixels, NULL), RES2NET_BAD_PICTURE);
        assert_null(pixels.rgb);
        free(file.bytes);
    }
}

/* Headers alone are no picture, whatever the caller tolerates. */
static void headers_alone_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *name;
        size_t bytes;
    } headers[] = {{"rgb8.png", 41},     {"rgb24_40.bmp", 54},  {"rgb24_40.bmp", 60},
                   {"level255.ppm", 30}, {"lossless.webp", 40}, {"lossy.webp", 30},
                   {"rgb420.jpg", 300}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        if (!can_decode(headers[i].name))
            continue;
        file_copy file = read_golden(headers[i].name);
        r2n_pixels pixels;
        if (decode_part(&file, headers[i].bytes, 1, &pixels, NULL) != RES2NET_BAD_PICTURE)
            fail_msg("the first %zu bytes of %s are taken", headers[i].bytes, headers[i].name);
        free(file.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_refuses_every_cut),
        cmocka_unit_test(tolerant_takes_what_is_there_and_says_so),
        cmocka_unit_test(what_is_missing_has_one_colour),
        cmocka_unit_test(a_missing_end_marker_alone_is_nothing),
        cmocka_unit_test(damage_is_not_tolerated),
        cmocka_unit_test(headers_alone_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
