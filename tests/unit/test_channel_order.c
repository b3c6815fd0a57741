/* SPDX-License-Identifier: Apache-2.0 */
/* A red picture and a blue one must not become the same tensor, nor each other's: red is the first
 * plane and takes the first mean, in both presets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "image/image.h"

enum { SIDE = 300, CROP = 224, PLANE = CROP * CROP };

static void prepare(const r2n_recipe *recipe, const uint8_t colour[3], float *tensor)
{
    static uint8_t rgb[SIDE * SIDE * 3];
    const r2n_pixels pixels = {.width = SIDE, .height = SIDE, .rgb = rgb};
    r2n_pixels prepared;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = colour[i % 3];
    assert_int_equal(r2n_recipe_apply_pixels(recipe, &pixels, "colour", &prepared, NULL),
                     RES2NET_OK);
    assert_int_equal(prepared.width, CROP);
    assert_int_equal(prepared.height, CROP);
    r2n_normalise(recipe, &prepared, tensor, CROP, 1, PLANE);
    r2n_pixels_free(&prepared);
}

static void expect_plane(const float *plane, double wanted)
{
    for (int i = 0; i < PLANE; i++)
        if (!(fabs(plane[i] - wanted) < 1e-5))
            fail_msg("%g at %d, not %g", plane[i], i, wanted);
}

static void expect_order(const r2n_recipe *recipe)
{
    static const uint8_t red[3] = {255, 0, 0}, blue[3] = {0, 0, 255};
    static const double mean[3] = {0.485, 0.456, 0.406}, std[3] = {0.229, 0.224, 0.225};
    static float red_tensor[3 * PLANE], blue_tensor[3 * PLANE];
    prepare(recipe, red, red_tensor);
    prepare(recipe, blue, blue_tensor);
    for (int channel = 0; channel < 3; channel++) {
        const double dark = -mean[channel] / std[channel];
        const double bright = (1 - mean[channel]) / std[channel];
        expect_plane(red_tensor + (size_t)channel * PLANE, channel == 0 ? bright : dark);
        expect_plane(blue_tensor + (size_t)channel * PLANE, channel == 2 ? bright : dark);
    }
    assert_memory_not_equal(red_tensor, blue_tensor, sizeof red_tensor);
}

static void red_is_not_blue_in_the_paddle_preset(void **state)
{
    r2n_recipe recipe;
    (void)state;
    r2n_recipe_paddle(&recipe);
    expect_order(&recipe);
}

static void red_is_not_blue_in_the_torch_preset(void **state)
{
    r2n_recipe recipe;
    (void)state;
    r2n_recipe_torch(&recipe);
    expect_order(&recipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(red_is_not_blue_in_the_paddle_preset),
        cmocka_unit_test(red_is_not_blue_in_the_torch_preset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
