/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "golden/pictures/expected.h"
#include "image/resize.h"
#include "unit/image_fixture.h"

/* The same bytes as formula_picture() in tests/golden/make_pictures.py. */
static r2n_pixels formula_picture(int32_t width, int32_t height)
{
    r2n_pixels picture;
    assert_int_equal(r2n_pixels_allocate(&picture, width, height, NULL, NULL), RES2NET_OK);
    uint32_t state = ((uint32_t)width << 16) + (uint32_t)height;
    for (int64_t i = 0; i < (int64_t)width * height * 3; i++) {
        state = state * 1664525u + 1013904223u;
        picture.rgb[i] = (uint8_t)(state >> 24);
    }
    return picture;
}

static void check(const r2n_pixels *in, const struct golden_resize *golden, r2n_resizer resizer,
                  r2n_interpolation interpolation, uint32_t crc)
{
    r2n_pixels out;
    assert_int_equal(
        r2n_resize(in, golden->out_width, golden->out_height, resizer, interpolation, &out, NULL),
        RES2NET_OK);
    assert_int_equal(out.width, golden->out_width);
    assert_int_equal(out.height, golden->out_height);
    if (pixels_crc(&out) != crc)
        fail_msg("%d x %d to %d x %d, resizer %d, interpolation %d: other pixels",
                 (int)golden->width, (int)golden->height, (int)out.width, (int)out.height,
                 (int)resizer, (int)interpolation);
    r2n_pixels_free(&out);
}

static void resizers_have_the_bits_of_opencv_and_pillow(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_resizes / sizeof *golden_resizes; i++) {
        const struct golden_resize *golden = &golden_resizes[i];
        r2n_pixels in = formula_picture(golden->width, golden->height);
        check(&in, golden, R2N_RESIZER_OPENCV, R2N_INTERPOLATION_BILINEAR, golden->opencv);
        check(&in, golden, R2N_RESIZER_PILLOW, R2N_INTERPOLATION_BILINEAR, golden->bilinear);
        check(&in, golden, R2N_RESIZER_PILLOW, R2N_INTERPOLATION_BICUBIC, golden->bicubic);
        r2n_pixels_free(&in);
    }
}

static res2net_status resize_region(int resizer, const r2n_region *in, const r2n_window *window,
                                    uint8_t *out, size_t row_bytes)
{
    return resizer == 0 ? r2n_resize_opencv(in, window, out, row_bytes, NULL)
           : resizer == 1
               ? r2n_resize_pillow(in, window, R2N_INTERPOLATION_BILINEAR, out, row_bytes, NULL)
               : r2n_resize_pillow(in, window, R2N_INTERPOLATION_BICUBIC, out, row_bytes, NULL);
}

static res2net_status resize_window(int resizer, const r2n_pixels *in, const r2n_window *window,
                                    uint8_t *out, size_t row_bytes)
{
    const r2n_region all = r2n_region_all(in);
    return resize_region(resizer, &all, window, out, row_bytes);
}

static void a_window_has_the_bits_of_the_whole(void **state)
{
    (void)state;
    const r2n_window windows[] = {{40, 30, 0, 0, 40, 30},    {40, 30, 3, 5, 17, 11},
                                  {40, 30, 39, 29, 1, 1},    {200, 9, 150, 0, 21, 9},
                                  {9, 200, 0, 163, 9, 7},    {61, 47, 1, 1, 59, 45},
                                  {700, 500, 333, 77, 5, 40}};
    r2n_pixels in = formula_picture(61, 47);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        for (int resizer = 0; resizer < 3; resizer++) {
            const r2n_window *part = &windows[i];
            const r2n_window all = {part->full_width, part->full_height, 0, 0,
                                    part->full_width, part->full_height};
            const size_t row = (size_t)all.width * 3;
            const size_t part_row = (size_t)part->width * 3 + 5; /* not packed */
            uint8_t *whole = r2n_allocate(row, (size_t)all.height);
            uint8_t *cropped = r2n_allocate_zeroed(part_row, (size_t)part->height);
            assert_int_equal(resize_window(resizer, &in, &all, whole, row), RES2NET_OK);
            assert_int_equal(resize_window(resizer, &in, part, cropped, part_row), RES2NET_OK);
            for (int32_t y = 0; y < part->height; y++) {
                const uint8_t *wanted = whole + (size_t)(part->y + y) * row + (size_t)part->x * 3;
                const uint8_t *got = cropped + (size_t)y * part_row;
                assert_memory_equal(got, wanted, (size_t)part->width * 3);
                assert_int_equal(got[part->width * 3], 0); /* nothing written between rows */
            }
            r2n_free(whole);
            r2n_free(cropped);
        }
    }
    r2n_pixels_free(&in);
}

static void a_region_is_a_picture_of_its_own(void **state)
{
    (void)state;
    const int32_t sizes[][2] = {{1, 1}, {5, 7}, {24, 24}, {90, 33}};
    r2n_pixels in = formula_picture(61, 47), part;
    const r2n_region region = {in.rgb + (5 * 61 + 9) * 3, 31, 23, 61 * 3};
    assert_int_equal(r2n_pixels_allocate(&part, 31, 23, NULL, NULL), RES2NET_OK);
    for (int32_t y = 0; y < part.height; y++)
        memcpy(part.rgb + (size_t)y * 31 * 3, region.rgb + (size_t)y * region.row_bytes, 31 * 3);
    for (int i = 0; i < 8; i++) {
        const int32_t *size = sizes[i % 4];
        const r2n_window all = {size[0], size[1], 0, 0, size[0], size[1]};
        uint8_t wanted[90 * 33 * 3] = {0}, got[90 * 33 * 3] = {0};
        const size_t row = (size_t)size[0] * 3;
        assert_int_equal(resize_window(i / 4, &part, &all, wanted, row), RES2NET_OK);
        assert_int_equal(resize_region(i / 4, &region, &all, got, row), RES2NET_OK);
        assert_memory_equal(got, wanted, sizeof got);
    }
    r2n_pixels_free(&part);
    r2n_pixels_free(&in);
}

static void what_cannot_be_done_is_refused(void **state)
{
    (void)state;
    r2n_pixels in = formula_picture(4, 4), out = {1, 1, NULL};
    assert_int_equal(
        r2n_resize(&in, 0, 4, R2N_RESIZER_OPENCV, R2N_INTERPOLATION_BILINEAR, &out, NULL),
        RES2NET_INVALID_ARGUMENT);
    assert_int_equal(
        r2n_resize(&in, 4, -1, R2N_RESIZER_PILLOW, R2N_INTERPOLATION_BILINEAR, &out, NULL),
        RES2NET_INVALID_ARGUMENT);
    assert_int_equal(
        r2n_resize(&in, 4, 4, R2N_RESIZER_OPENCV, R2N_INTERPOLATION_BICUBIC, &out, NULL),
        RES2NET_UNSUPPORTED);
    assert_int_equal(
        r2n_resize(&in, 4, 4, R2N_RESIZER_PILLOW, R2N_INTERPOLATION_NEAREST, &out, NULL),
        RES2NET_UNSUPPORTED);
    assert_null(out.rgb);
    r2n_pixels_free(&in);
    r2n_pixels_free(&in); /* twice is allowed */
    r2n_pixels_free(NULL);
}

static void every_failing_allocation_is_told(void **state)
{
    (void)state;
    r2n_pixels in = formula_picture(20, 10), out;
    for (int resizer = 0; resizer < 2; resizer++) {
        int64_t failures = 0;
        for (;; failures++) {
            r2n_memory_fail_after(failures);
            const res2net_status status =
                r2n_resize(&in, 7, 5, (r2n_resizer)resizer, R2N_INTERPOLATION_BILINEAR, &out, NULL);
            r2n_memory_fail_after(-1);
            if (status == RES2NET_OK)
                break;
            assert_int_equal(status, RES2NET_OUT_OF_MEMORY);
            assert_null(out.rgb);
        }
        assert_true(failures >= 3);
        r2n_pixels_free(&out);
    }
    r2n_pixels_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizers_have_the_bits_of_opencv_and_pillow),
        cmocka_unit_test(a_window_has_the_bits_of_the_whole),
        cmocka_unit_test(a_region_is_a_picture_of_its_own),
        cmocka_unit_test(what_cannot_be_done_is_refused),
        cmocka_unit_test(every_failing_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
