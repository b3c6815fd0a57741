/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on pixels have Pillow's bits. */
#include "unit/transforms_fixture.h"

#include "formats/crc32.h"
#include "golden/augment.h"

static res2net_status apply(r2n_canvas *canvas, const struct golden_pixels *golden)
{
    const r2n_pixel_style style = {golden->filter,
                                   golden->filter,
                                   golden->filter,
                                   {golden_fill[0], golden_fill[1], golden_fill[2]}};
    return golden->op == R2N_PIXEL_OPS
               ? r2n_pixel_hue(canvas, golden->amount)
               : r2n_pixel_apply(canvas, golden->op, golden->amount, &style);
}

static void operations_have_pillows_bits(void **state)
{
    (void)state;
    for (size_t g = 0; g < sizeof golden_pixels / sizeof *golden_pixels; g++) {
        const struct golden_pixels *golden = &golden_pixels[g];
        for (size_t i = 0; i < sizeof golden_sizes / sizeof *golden_sizes * 2; i++) {
            const int32_t *size = golden_sizes[i / 2];
            r2n_pixels in = i % 2 == 0 ? noise(size[0], size[1]) : slope(size[0], size[1]);
            const uint32_t before = r2n_crc32(0, in.rgb, (size_t)in.width * (size_t)in.height * 3);
            r2n_canvas canvas = {.rgb = in.rgb, .width = in.width, .height = in.height};
            assert_int_equal(apply(&canvas, golden), RES2NET_OK);
            assert_int_equal(canvas.width, in.width);
            const size_t bytes = (size_t)in.width * (size_t)in.height * 3;
            if (r2n_crc32(0, canvas.rgb, bytes) != golden->crcs[i / 2][i % 2])
                fail_msg("operation %d, amount %g, filter %d, %d x %d, %s: other pixels",
                         (int)golden->op, golden->amount, (int)golden->filter, (int)size[0],
                         (int)size[1], i % 2 == 0 ? "noise" : "slope");
            /* The caller's picture is kept. */
            assert_int_equal(r2n_crc32(0, in.rgb, bytes), before);
            r2n_canvas_free(&canvas);
            r2n_pixels_free(&in);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_have_pillows_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
