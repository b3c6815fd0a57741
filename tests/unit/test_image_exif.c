/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "image/exif_orientation.h"

/* A directory with the orientation as its only entry. */
#define LITTLE "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
#define BIG    "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"

static int tiff(const char *bytes, size_t size)
{
    /* A block of just the size, so that the sanitizer sees a read past its end. */
    uint8_t *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    const int orientation = r2n_exif_tiff_orientation(copy, size);
    free(copy);
    return orientation;
}

static void both_byte_orders_are_read(void **state)
{
    (void)state;
    assert_int_equal(tiff(LITTLE, sizeof LITTLE - 1), 6);
    assert_int_equal(tiff(BIG, sizeof BIG - 1), 6);
    for (int value = 0; value < 12; value++) {
        char bytes[sizeof LITTLE];
        memcpy(bytes, LITTLE, sizeof bytes);
        bytes[18] = (char)value;
        assert_int_equal(tiff(bytes, sizeof bytes - 1), value >= 1 && value <= 8 ? value : 1);
    }
}

static void what_is_broken_counts_as_upright(void **state)
{
    (void)state;
    /* The value is whole from byte 20 on; before that there is nothing to read. */
    for (size_t size = 0; size < sizeof LITTLE - 1; size++)
        assert_int_equal(tiff(LITTLE, size), size >= 20 ? 6 : 1);
    static const struct {
        size_t at;
        char value;
    } changes[] = {{0, 'M'}, {1, 'X'}, {2, 43}, {4, 127}, {8, 0}, {10, 0x13}, {11, 2}, {19, 1}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char bytes[sizeof LITTLE];
        memcpy(bytes, LITTLE, sizeof bytes);
        bytes[changes[i].at] = changes[i].value;
        assert_int_equal(tiff(bytes, sizeof bytes - 1), 1);
    }
    assert_int_equal(r2n_exif_tiff_orientation(NULL, 0), 1);
}

static void the_first_of_two_entries_counts(void **state)
{
    (void)state;
    char bytes[] = "II*\0\x08\0\0\0\x03\0"
                   "\x0F\x01\x02\0\x04\0\0\0\xFF\xFF\xFF\xFF" /* a text somewhere outside */
                   "\x12\x01\x03\0\x01\0\0\0\x03\0\0\0"
                   "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
                   "\0\0\0\0";
    assert_int_equal(tiff(bytes, sizeof bytes - 1), 3);
}

static int jpeg(const char *bytes, size_t size)
{
    uint8_t *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    const int orientation = r2n_exif_jpeg_orientation(copy, size);
    free(copy);
    return orientation;
}

static void only_the_first_app1_of_a_jpeg_is_looked_at(void **state)
{
    (void)state;
#define EXIF                                                                                       \
    "\xFF\xE1\0\x22"                                                                               \
    "Exif\0\0" LITTLE
#define OTHER                                                                                      \
    "\xFF\xE1\0\x0A"                                                                               \
    "http://x"
#define APP0                                                                                       \
    "\xFF\xE0\0\x04"                                                                               \
    "ab"
    static const struct {
        const char *bytes;
        size_t size;
        int orientation;
    } cases[] = {
        {"\xFF\xD8" EXIF, sizeof("\xFF\xD8" EXIF) - 1, 6},
        {"\xFF\xD8" APP0 "\xFF\xFF" EXIF, sizeof("\xFF\xD8" APP0 "\xFF\xFF" EXIF) - 1, 6},
        {"\xFF\xD8" OTHER EXIF, sizeof("\xFF\xD8" OTHER EXIF) - 1, 1},
        {"\xFF\xD8\xFF\xDA\0\x02" EXIF, sizeof("\xFF\xD8\xFF\xDA\0\x02" EXIF) - 1, 1},
        {"\xFF\xD8\xFF\xE0\0\x01" EXIF, sizeof("\xFF\xD8\xFF\xE0\0\x01" EXIF) - 1, 1},
        {"\xFF\xD9" EXIF, sizeof("\xFF\xD9" EXIF) - 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(jpeg(cases[i].bytes, cases[i].size), cases[i].orientation);
    /* Cut anywhere: upright, since the segment's length no longer holds. */
    for (size_t size = 0; size < cases[0].size; size++)
        assert_int_equal(jpeg(cases[0].bytes, size), 1);
}

/* The picture abc/def, one letter a pixel, after each turn. */
static void pictures_are_turned_by_all_eight_values(void **state)
{
    (void)state;
    static const char *const wanted[9] = {"",         "abc/def",  "cba/fed",  "fed/cba", "def/abc",
                                          "ad/be/cf", "da/eb/fc", "fc/eb/da", "cf/be/ad"};
    for (int orientation = 1; orientation <= 8; orientation++) {
        r2n_pixels pixels = {3, 2, r2n_allocate(6, 3)};
        for (int i = 0; i < 18; i++)
            pixels.rgb[i] = (uint8_t)(i % 3 == 0 ? "abcdef"[i / 3] : i % 3);
        assert_int_equal(r2n_pixels_turn(&pixels, orientation, NULL, NULL), RES2NET_OK);
        char got[16] = "";
        size_t length = 0;
        for (int i = 0; i < 6; i++) {
            if (i > 0 && i % pixels.width == 0)
                got[length++] = '/';
            got[length++] = (char)pixels.rgb[3 * i];
            assert_int_equal(pixels.rgb[3 * i + 1], 1);
            assert_int_equal(pixels.rgb[3 * i + 2], 2);
        }
        assert_string_equal(got, wanted[orientation]);
        assert_int_equal(pixels.width * pixels.height, 6);
        r2n_pixels_free(&pixels);
    }
}

static void without_memory_the_picture_stays(void **state)
{
    (void)state;
    r2n_pixels pixels = {3, 2, r2n_allocate_zeroed(6, 3)};
    r2n_memory_fail_after(0);
    assert_int_equal(r2n_pixels_turn(&pixels, 6, "a", NULL), RES2NET_OUT_OF_MEMORY);
    r2n_memory_fail_after(-1);
    assert_int_equal(pixels.width, 3);
    assert_non_null(pixels.rgb);
    r2n_pixels_free(&pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_byte_orders_are_read),
        cmocka_unit_test(what_is_broken_counts_as_upright),
        cmocka_unit_test(the_first_of_two_entries_counts),
        cmocka_unit_test(only_the_first_app1_of_a_jpeg_is_looked_at),
        cmocka_unit_test(pictures_are_turned_by_all_eight_values),
        cmocka_unit_test(without_memory_the_picture_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
