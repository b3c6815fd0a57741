/* SPDX-License-Identifier: Apache-2.0 */
/* Fast decoding: JPEG only, close to the exact pixels, halved as far as asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/image_fixture.h"

enum { CLOSE = 6 /* levels, on average over a picture */ };

static const char *const names[] = {"exif1.jpg", "grey.jpg", "cmyk.jpg", "grey_progressive.jpg",
                                    "exif6.jpg"};

static void decode_with(const char *name, int fast, int32_t side, r2n_pixels *out)
{
    file_copy file = read_golden(name);
    r2n_image_options options = R2N_IMAGE_OPTIONS_DEFAULT;
    options.fast = fast;
    options.fast_side = side;
    assert_int_equal(r2n_image_decode(file.bytes, file.size, name, &options, out, NULL),
                     RES2NET_OK);
    free(file.bytes);
}

/* The mean of the exact pixels that pixel (x, y) of a picture of 1 / factor the size stands for. */
static double block_mean(const r2n_pixels *exact, int32_t x, int32_t y, int c, int32_t factor)
{
    double sum = 0;
    int count = 0;
    for (int32_t v = y * factor; v < (y + 1) * factor && v < exact->height; v++)
        for (int32_t u = x * factor; u < (x + 1) * factor && u < exact->width; u++) {
            sum += exact->rgb[(v * exact->width + u) * 3 + c];
            count++;
        }
    return sum / count;
}

static double mean_difference(const r2n_pixels *exact, const r2n_pixels *fast, int32_t factor)
{
    double sum = 0;
    for (int32_t y = 0; y < fast->height; y++)
        for (int32_t x = 0; x < fast->width; x++)
            for (int c = 0; c < 3; c++) {
                const double difference =
                    block_mean(exact, x, y, c, factor) - fast->rgb[(y * fast->width + x) * 3 + c];
                sum += difference < 0 ? -difference : difference;
            }
    return sum / ((double)fast->width * fast->height * 3);
}

static void jpegs_are_close_and_halved_as_far_as_asked(void **state)
{
    (void)state;
    if (!CAN_JPEG)
        skip();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        r2n_pixels exact, fast;
        decode_with(names[i], 0, 0, &exact);
        const int32_t shorter = exact.width < exact.height ? exact.width : exact.height;
        const struct {
            int32_t side, factor;
        } cases[] = {{0, 1},
                     {shorter, 1},
                     {(shorter + 1) / 2 + 1, 1},
                     {shorter / 2, 2},
                     {(shorter + 1) / 2, 2},
                     {(shorter + 3) / 4, 4},
                     {1, 8}};
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            const int32_t factor = cases[k].factor;
            decode_with(names[i], 1, cases[k].side, &fast);
            assert_int_equal(fast.width, (exact.width + factor - 1) / factor);
            assert_int_equal(fast.height, (exact.height + factor - 1) / factor);
            const double difference = mean_difference(&exact, &fast, factor);
            printf("%s / %d: %.2f\n", names[i], (int)factor, difference);
            assert_true(difference < CLOSE);
            r2n_pixels_free(&fast);
        }
        r2n_pixels_free(&exact);
    }
}

static void other_formats_stay_exact(void **state)
{
    static const char *const others[] = {"grey8.png", "level255.ppm", "abgr32.bmp", "lossy.webp"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        r2n_pixels exact, fast;
        if (!can_decode(others[i]))
            continue;
        decode_with(others[i], 0, 0, &exact);
        decode_with(others[i], 1, 2, &fast);
        assert_int_equal(exact.width, fast.width);
        assert_int_equal(exact.height, fast.height);
        assert_int_equal(pixels_crc(&exact), pixels_crc(&fast));
        r2n_pixels_free(&exact);
        r2n_pixels_free(&fast);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpegs_are_close_and_halved_as_far_as_asked),
        cmocka_unit_test(other_formats_stay_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
