/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <math.h>

#include "base/memory.h"
#include "golden/pictures/expected.h"
#include "unit/image_fixture.h"

static r2n_pixels filled(int32_t width, int32_t height, int value)
{
    r2n_pixels pixels = {width, height, r2n_allocate((size_t)width * (size_t)height, 3)};
    assert_non_null(pixels.rgb);
    memset(pixels.rgb, value, (size_t)width * (size_t)height * 3);
    return pixels;
}

static void check_golden(const struct golden_picture *golden, const r2n_recipe *recipe,
                         uint32_t pixels_sum, uint32_t floats_sum)
{
    static float tensor[3 * GOLDEN_CROP * GOLDEN_CROP];
    file_copy file = read_golden(golden->name);
    r2n_pixels pixels, prepared;
    r2n_image_options options = R2N_IMAGE_OPTIONS_DEFAULT;
    options.decoder = recipe->decoder;
    options.exif = recipe->apply_exif ? R2N_EXIF_AS_OPENCV : R2N_EXIF_IGNORE;
    assert_int_equal(r2n_image_decode(file.bytes, file.size, "a", &options, &pixels, NULL),
                     RES2NET_OK);
    assert_int_equal(r2n_recipe_apply_pixels(recipe, &pixels, NULL, &prepared, NULL), RES2NET_OK);
    assert_int_equal(prepared.width, GOLDEN_CROP);
    assert_int_equal(prepared.height, GOLDEN_CROP);
    if (pixels_crc(&prepared) != pixels_sum)
        fail_msg("%s: other pixels", golden->name);
    r2n_normalise(recipe, &prepared, tensor, GOLDEN_CROP, 1, GOLDEN_CROP * GOLDEN_CROP);
    if (r2n_crc32(0, tensor, sizeof tensor) != floats_sum)
        fail_msg("%s: other floats", golden->name);
    r2n_pixels_free(&pixels);
    r2n_pixels_free(&prepared);
    free(file.bytes);
}

static void presets_have_the_bits_of_the_originals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_pictures / sizeof *golden_pictures; i++) {
        const struct golden_picture *golden = &golden_pictures[i];
        if (!can_decode(golden->name))
            continue;
        r2n_recipe recipe;
        r2n_recipe_paddle(&recipe);
        recipe.resize_short = GOLDEN_SHORT;
        recipe.crop_width = recipe.crop_height = GOLDEN_CROP;
        check_golden(golden, &recipe, golden->paddle_pixels, golden->paddle_floats);
        r2n_recipe_torch(&recipe);
        recipe.resize_short = GOLDEN_SHORT;
        recipe.crop_width = recipe.crop_height = GOLDEN_CROP;
        check_golden(golden, &recipe, golden->torch_pixels, golden->torch_floats);
    }
}

static void normalising_writes_where_it_is_told(void **state)
{
    (void)state;
    r2n_recipe recipe;
    r2n_recipe_paddle(&recipe);
    r2n_pixels pixels = filled(2, 2, 0);
    for (int i = 0; i < 12; i++)
        pixels.rgb[i] = (uint8_t)(i * 20);
    float out[64];
    for (int i = 0; i < 64; i++)
        out[i] = -77.0f;
    r2n_normalise(&recipe, &pixels, out, 16, 5, 1);
    for (int i = 0, written = 0; i < 64; i++) {
        const int row = i / 16, column = i % 16 / 5, channel = i % 16 % 5;
        if (row < 2 && column < 2 && channel < 3) {
            const float value = (float)((row * 6 + column * 3 + channel) * 20);
            const float scaled = value * (float)(1.0 / 255.0);
            assert_true(out[i] == (scaled - recipe.mean[channel]) / recipe.std[channel]);
            written++;
        } else {
            assert_true(out[i] == -77.0f);
        }
        assert_true(written <= 12);
    }
    r2n_pixels_free(&pixels);
}

static void sizes_follow_each_presets_rule(void **state)
{
    (void)state;
    /* width, height; resized by Paddle's rounding and torchvision's truncation */
    static const int32_t cases[][6] = {
        {500, 375, 341, 256, 341, 256},   {375, 500, 256, 341, 256, 341},
        {300, 257, 299, 256, 298, 256},   {1, 1, 256, 256, 256, 256},
        {1, 200, 256, 51200, 256, 51200}, {512, 257, 510, 256, 510, 256},
        {257, 256, 257, 256, 257, 256},   {640, 387, 423, 256, 423, 256},
        {512, 1025, 256, 512, 256, 512},  /* 512.5: half to even */
        {512, 1027, 256, 514, 256, 513}}; /* 513.5 */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int32_t *c = cases[i];
        r2n_recipe recipe;
        int32_t width, height;
        r2n_recipe_paddle(&recipe);
        recipe.crop_width = recipe.crop_height = 0;
        assert_int_equal(r2n_recipe_output_size(&recipe, c[0], c[1], NULL, &width, &height, NULL),
                         RES2NET_OK);
        assert_int_equal(width, c[2]);
        assert_int_equal(height, c[3]);
        recipe.size_rule = R2N_SIZE_TORCH;
        assert_int_equal(r2n_recipe_output_size(&recipe, c[0], c[1], NULL, &width, &height, NULL),
                         RES2NET_OK);
        assert_int_equal(width, c[4]);
        assert_int_equal(height, c[5]);
    }
}

/* A picture whose red is its column and green its row, cropped without resizing. */
static void crop(r2n_crop_rule rule, int32_t width, int32_t height, int32_t crop_width,
                 int32_t crop_height, r2n_pixels *out)
{
    r2n_recipe recipe;
    r2n_recipe_paddle(&recipe);
    recipe.resize_short = 0;
    recipe.crop_rule = rule;
    recipe.crop_width = crop_width;
    recipe.crop_height = crop_height;
    r2n_pixels in = filled(width, height, 200);
    for (int32_t i = 0; i < width * height; i++) {
        in.rgb[3 * i] = (uint8_t)(i % width);
        in.rgb[3 * i + 1] = (uint8_t)(i / width);
    }
    assert_int_equal(r2n_recipe_apply_pixels(&recipe, &in, NULL, out, NULL), RES2NET_OK);
    r2n_pixels_free(&in);
}

static void crops_start_by_each_presets_rule(void **state)
{
    (void)state;
    r2n_pixels out;
    crop(R2N_CROP_PADDLE, 13, 9, 8, 6, &out); /* 2.5 and 1.5: down */
    assert_int_equal(out.rgb[0], 2);
    assert_int_equal(out.rgb[1], 1);
    r2n_pixels_free(&out);
    crop(R2N_CROP_TORCH, 13, 9, 8, 6, &out); /* halves to even */
    assert_int_equal(out.rgb[0], 2);
    assert_int_equal(out.rgb[1], 2);
    r2n_pixels_free(&out);
    crop(R2N_CROP_TORCH, 5, 9, 8, 6, &out); /* 1 black column left, 2 right */
    assert_int_equal(out.width, 8);
    assert_int_equal(out.height, 6);
    for (int i = 0; i < 48; i++) {
        const int column = i % 8, inside = column >= 1 && column < 6;
        assert_int_equal(out.rgb[3 * i], inside ? column - 1 : 0);
        assert_int_equal(out.rgb[3 * i + 1], inside ? i / 8 + 2 : 0);
        assert_int_equal(out.rgb[3 * i + 2], inside ? 200 : 0);
    }
    r2n_pixels_free(&out);
    r2n_recipe recipe;
    res2net_report *report = res2net_report_create();
    r2n_recipe_paddle(&recipe);
    recipe.resize_short = 0;
    r2n_pixels in = filled(100, 300, 1);
    assert_int_equal(r2n_recipe_apply_pixels(&recipe, &in, "a.png", &out, report),
                     RES2NET_BAD_PICTURE);
    assert_says(report, "100 x 300 where it is to be cropped to 224 x 224");
    r2n_pixels_free(&in);
    res2net_report_destroy(report);
}

static void long_thin_pictures_cost_no_giant(void **state)
{
    (void)state;
    static const int32_t sizes[][2] = {{1, 5000}, {5000, 1}, {65535, 1}, {1, 65535}, {1, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int torch = 0; torch < 2; torch++) {
            r2n_recipe recipe;
            (torch ? r2n_recipe_torch : r2n_recipe_paddle)(&recipe);
            r2n_pixels in = filled(sizes[i][0], sizes[i][1], 99), out;
            assert_int_equal(r2n_recipe_apply_pixels(&recipe, &in, NULL, &out, NULL), RES2NET_OK);
            assert_int_equal(out.width, 224);
            assert_int_equal(out.height, 224);
            for (int k = 0; k < 224 * 224 * 3; k++)
                assert_int_equal(out.rgb[k], 99);
            r2n_pixels_free(&out);
            r2n_pixels_free(&in);
        }
    }
    r2n_recipe recipe;
    int32_t width, height;
    r2n_recipe_paddle(&recipe);
    recipe.crop_width = recipe.crop_height = 0;
    assert_int_equal(r2n_recipe_output_size(&recipe, 1, 65535, NULL, &width, &height, NULL),
                     RES2NET_LIMIT_EXCEEDED);
    assert_int_equal(r2n_recipe_output_size(&recipe, 0, 5, NULL, &width, &height, NULL),
                     RES2NET_INVALID_ARGUMENT);
}

static void validation_names_the_field(void **state)
{
    (void)state;
    r2n_recipe good;
    r2n_recipe_torch(&good);
    assert_int_equal(r2n_recipe_validate(&good, NULL, NULL), RES2NET_OK);
#define BAD(field, value, part)                                                                    \
    do {                                                                                           \
        r2n_recipe bad = good;                                                                     \
        res2net_report *report = res2net_report_create();                                          \
        bad.field = value;                                                                         \
        assert_int_not_equal(r2n_recipe_validate(&bad, "r", report), RES2NET_OK);                  \
        assert_says(report, part);                                                                 \
        res2net_report_destroy(report);                                                            \
    } while (0)
    BAD(resize_short, -1, "resize_short is -1");
    BAD(resize_short, 16385, "resize_short is 16385");
    BAD(resize_width, 7, "only one of resize_width");
    BAD(crop_width, 0, "only one of crop_width");
    BAD(resizer, (r2n_resizer)2, "resizer is 2");
    BAD(decoder, (r2n_decoder)2, "decoder is 2");
    BAD(apply_exif, 2, "apply_exif is 2");
    BAD(interpolation, R2N_INTERPOLATION_NEAREST, "interpolation");
    BAD(scale, NAN, "scale is nan");
    BAD(mean[1], INFINITY, "mean is inf");
    BAD(std[2], 0.0f, "std is 0");
    r2n_recipe both = good;
    both.resize_width = both.resize_height = 5;
    assert_int_equal(r2n_recipe_validate(&both, NULL, NULL), RES2NET_INVALID_ARGUMENT);
}

static void json_keeps_every_bit(void **state)
{
    (void)state;
    setlocale(LC_NUMERIC, "de_DE.UTF-8"); /* where it is there, its decimal comma must not matter */
    r2n_recipe recipes[3];
    r2n_recipe_paddle(&recipes[0]);
    r2n_recipe_torch(&recipes[1]);
    recipes[2] = (r2n_recipe){.resize_width = 7,
                              .resize_height = 16384,
                              .resizer = R2N_RESIZER_PILLOW,
                              .interpolation = R2N_INTERPOLATION_BICUBIC,
                              .scale = 1e-40f, /* subnormal */
                              .mean = {-0.0f, 1.0f / 3.0f, 123456.789f},
                              .std = {1e30f, -1e-30f, 0.1f}};
    for (int i = 0; i < 3; i++) {
        char *text = r2n_recipe_to_json(&recipes[i]);
        assert_non_null(text);
        r2n_recipe read = {.apply_exif = 9};
        assert_int_equal(r2n_recipe_parse_json(text, strlen(text), "j", &read, NULL), RES2NET_OK);
        assert_memory_equal(&read, &recipes[i], sizeof read); /* no padding: 4-byte fields */
        r2n_free(text);
    }
    setlocale(LC_NUMERIC, "C");
}

/* The first .r2n files did not say who decodes: the original of their family does. */
static void json_without_a_decoder_has_the_familys(void **state)
{
    (void)state;
    for (int torch = 0; torch < 2; torch++) {
        r2n_recipe recipe, read;
        (torch ? r2n_recipe_torch : r2n_recipe_paddle)(&recipe);
        char *text = r2n_recipe_to_json(&recipe);
        char *at = strstr(text, ", \"decoder\"");
        assert_non_null(at);
        memcpy(at, "}", 2); /* it is the last key */
        assert_int_equal(r2n_recipe_parse_json(text, strlen(text), "j", &read, NULL), RES2NET_OK);
        assert_memory_equal(&read, &recipe, sizeof read);
        r2n_free(text);
    }
}

/* The JSON of the Paddle preset with `from` replaced by `to`. */
static void refuse_json(const char *from, const char *to, const char *part)
{
    r2n_recipe recipe, before;
    r2n_recipe_paddle(&recipe);
    before = recipe;
    char *text = r2n_recipe_to_json(&recipe);
    char changed[2048];
    const char *at = strstr(text, from);
    assert_non_null(at);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    res2net_report *report = res2net_report_create();
    assert_int_not_equal(r2n_recipe_parse_json(changed, strlen(changed), "j", &recipe, report),
                         RES2NET_OK);
    assert_says(report, part);
    assert_memory_equal(&recipe, &before, sizeof recipe); /* nothing half read */
    res2net_report_destroy(report);
    r2n_free(text);
}

static void json_is_read_strictly(void **state)
{
    (void)state;
    refuse_json("\"resizer\"", "\"resiser\"", "unknown key \"resiser\"");
    refuse_json("\"resize_short\": 256, ", "", "lacks the key \"resize_short\"");
    refuse_json("\"opencv\"", "\"opencl\"", "\"resizer\" is not one of its known choices");
    refuse_json("256", "256.5", "\"resize_short\" is not a whole number");
    refuse_json("256", "99999999999", "\"resize_short\" is not a whole number");
    refuse_json("256", "\"256\"", "\"resize_short\" is not a whole number");
    refuse_json("\"mean\": [", "\"mean\": [1, ", "\"mean\" is not an array of three numbers");
    refuse_json("\"std\": [", "\"std\": [0, 1, 2], \"x\": [", "unknown key \"x\"");
    refuse_json("\"scale\": 0", "\"scale\": 1e300, \"y\": 0", "unknown key");
    refuse_json("{", "[{", "");
}

static void every_failing_allocation_is_told(void **state)
{
    (void)state;
    r2n_recipe recipe, read;
    r2n_recipe_torch(&recipe);
    r2n_pixels in = filled(40, 30, 7), out;
    char *text = r2n_recipe_to_json(&recipe);
    int64_t failures = 0;
    for (;; failures++) {
        r2n_memory_fail_after(failures);
        const res2net_status status = r2n_recipe_apply_pixels(&recipe, &in, NULL, &out, NULL);
        r2n_memory_fail_after(-1);
        if (status == RES2NET_OK)
            break;
        assert_int_equal(status, RES2NET_OUT_OF_MEMORY);
        assert_null(out.rgb);
    }
    assert_true(failures >= 3);
    r2n_pixels_free(&out);
    for (failures = 0;; failures++) {
        r2n_memory_fail_after(failures);
        const res2net_status status = r2n_recipe_parse_json(text, strlen(text), "j", &read, NULL);
        r2n_memory_fail_after(-1);
        if (status == RES2NET_OK)
            break;
        assert_int_equal(status, RES2NET_OUT_OF_MEMORY);
    }
    assert_true(failures >= 1);
    r2n_memory_fail_after(0);
    assert_null(r2n_recipe_to_json(&recipe));
    r2n_memory_fail_after(-1);
    r2n_free(text);
    r2n_pixels_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_have_the_bits_of_the_originals),
        cmocka_unit_test(normalising_writes_where_it_is_told),
        cmocka_unit_test(sizes_follow_each_presets_rule),
        cmocka_unit_test(crops_start_by_each_presets_rule),
        cmocka_unit_test(long_thin_pictures_cost_no_giant),
        cmocka_unit_test(validation_names_the_field),
        cmocka_unit_test(json_keeps_every_bit),
        cmocka_unit_test(json_without_a_decoder_has_the_familys),
        cmocka_unit_test(json_is_read_strictly),
        cmocka_unit_test(every_failing_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
