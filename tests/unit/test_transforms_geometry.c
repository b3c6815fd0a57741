/* SPDX-License-Identifier: Apache-2.0 */
/* Crops, flips, resizing and normalisation: what is drawn, and what becomes of the pixels. */
#include "unit/transforms_fixture.h"

#include <math.h>

#ifdef R2N_HAVE_YAML

static r2n_random stream(uint64_t index)
{
    return r2n_random_stream(7, R2N_RANDOM_PICTURE, 3, index);
}

/* A 3 x 2 picture of the values 0 .. 17. */
static r2n_pixels small_picture(void)
{
    r2n_pixels picture = make_picture(3, 2);
    for (int i = 0; i < 18; i++)
        picture.rgb[i] = (uint8_t)i;
    return picture;
}

/* ---- what does not depend on chance ---- */

static void without_chance_it_is_the_recipe(void **state)
{
    (void)state;
    r2n_transforms *t = parse_list(
        "- ResizeImage: {resize_short: 24}\n- CropImage: {size: [20, 16]}\n"
        "- NormalizeImage: {scale: 1.0/255.0, mean: [0.4, 0.5, 0.6], std: [0.1, 0.2, 0.3], order: "
        "''}\n- ToCHWImage:\n");
    assert_int_equal(t->count, 2); /* resize and crop are one step */
    r2n_recipe recipe;
    r2n_recipe_paddle(&recipe);
    recipe.resize_short = 24;
    recipe.crop_width = 20;
    recipe.crop_height = 16;
    const float mean[3] = {0.4f, 0.5f, 0.6f}, deviation[3] = {0.1f, 0.2f, 0.3f};
    memcpy(recipe.mean, mean, sizeof mean);
    memcpy(recipe.std, deviation, sizeof deviation);
    r2n_pixels in = noise(50, 37), cropped;
    float wanted[16 * 20 * 3], got[16 * 20 * 3];
    assert_int_equal(r2n_recipe_apply_pixels(&recipe, &in, NULL, &cropped, NULL), RES2NET_OK);
    r2n_normalise(&recipe, &cropped, wanted, 20 * 3, 3, 1);
    r2n_random random = stream(0);
    apply_list(t, &in, &random, got);
    assert_memory_equal(got, wanted, sizeof got);
    r2n_pixels_free(&cropped);
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
}

static void a_picture_that_does_not_fit_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {{"- CropImage: {size: 4}\n" NORMALISE, "3 x 2"},
                 {"- RandFlipImage:\n- RandomCropImage: {size: 5, padding: 1}\n" NORMALISE,
                  "the picture is 3 x 2 where RandomCropImage is to cut out 5 x 5"}};
    r2n_pixels in = small_picture();
    float out[64];
    for (int i = 0; i < 2; i++) {
        r2n_transforms *t = parse_list(cases[i].text);
        res2net_report *report = res2net_report_create();
        r2n_random random = stream(0);
        assert_int_equal(r2n_transforms_apply(t, &in, "a.jpg", &random, out, report),
                         RES2NET_BAD_PICTURE);
        assert_string_equal(res2net_report_problem(report, 0)->file, "a.jpg");
        expect_problem(report, RES2NET_BAD_PICTURE, cases[i].part);
        res2net_report_destroy(report);
        r2n_transforms_destroy(t);
    }
    r2n_pixels_free(&in);
}

/* ---- flips ---- */

static void flips_turn_half_of_the_pictures(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "- RandFlipImage:\n" NORMALISE, "- RandFlipImage: {flip_code: 0}\n" NORMALISE,
        "- RandFlipImage: {flip_code: -1}\n" NORMALISE,
        /* the same, done in pixels */
        "- RandFlipImage:\n- CropImage: {size: [3, 2]}\n" NORMALISE};
    r2n_pixels in = small_picture();
    for (int l = 0; l < 4; l++) {
        r2n_transforms *t = parse_list(lists[l]);
        const int columns = l != 1, rows = l == 1 || l == 2;
        int turned = 0;
        for (uint64_t i = 0; i < 400; i++) {
            float out[18];
            r2n_random random = stream(i);
            apply_list(t, &in, &random, out);
            const int flipped = out[0] != 0;
            turned += flipped;
            for (int v = 0; v < 18; v++) {
                const int y = v / 9, x = v / 3 % 3;
                const int from_y = flipped && rows ? 1 - y : y;
                const int from_x = flipped && columns ? 2 - x : x;
                assert_true(out[v] == (float)(from_y * 9 + from_x * 3 + v % 3));
            }
        }
        assert_true(turned > 160 && turned < 240);
        r2n_transforms_destroy(t);
    }
    r2n_pixels_free(&in);
}

/* ---- RandCropImage ---- */

enum { DRAWS = 20000 };

static void rand_crop_draws_by_its_rule(void **state)
{
    (void)state;
    const r2n_random_crop crop = {.scale = {0.08, 1}, .ratio = {0.75, 4.0 / 3}};
    const int32_t width = 4000, height = 3000;
    r2n_random random = stream(1);
    double aspects = 0, shares = 0, least = 1, most = 0;
    int left = 0;
    for (int i = 0; i < DRAWS; i++) {
        const r2n_box box = r2n_draw_rand_crop(&crop, width, height, &random);
        assert_true(box.x >= 0 && box.y >= 0 && box.width >= 1 && box.height >= 1);
        assert_true(box.x + box.width <= width && box.y + box.height <= height);
        const double aspect = (double)box.width / box.height;
        const double share = (double)box.width * box.height / ((double)width * height);
        assert_true(aspect > 0.749 && aspect < 1.335);
        aspects += aspect / DRAWS;
        shares += share / DRAWS;
        least = fmin(least, share);
        most = fmax(most, share);
        left += box.x < (width - box.width) / 2.0;
    }
    /* Uniform from 3/4 to 4/3, not in its logarithm, whose mean would be 1.014. */
    assert_true(aspects > 1.037 && aspects < 1.046);
    /* Uniform from 0.08 to a * 3/4, the most that fits: 0.43 in the mean of all a. */
    assert_true(shares > 0.425 && shares < 0.436);
    assert_true(least > 0.079 && least < 0.085 && most > 0.98);
    assert_true(left > DRAWS * 0.48 && left < DRAWS * 0.52);
}

static void log_aspects_are_as_often_wide_as_high(void **state)
{
    (void)state;
    const r2n_random_crop crop = {.scale = {0.1, 0.2}, .ratio = {0.25, 4}, .log_aspect = 1};
    r2n_random random = stream(2);
    int wide = 0;
    for (int i = 0; i < 4000; i++) {
        const r2n_box box = r2n_draw_rand_crop(&crop, 1000, 1000, &random);
        wide += box.width > box.height;
    }
    assert_true(wide > 1900 && wide < 2100); /* uniform ones would be wide in 4 of 5 */
}

static void rand_crop_takes_thin_and_tiny_pictures(void **state)
{
    (void)state;
    const r2n_random_crop crop = {.scale = {0.08, 1}, .ratio = {0.75, 4.0 / 3}};
    static const int32_t sizes[][2] = {{1, 1}, {1, 500}, {500, 1}, {2, 3}, {300, 7}};
    for (int s = 0; s < 5; s++) {
        r2n_random random = stream((uint64_t)s);
        for (int i = 0; i < 200; i++) {
            const r2n_box box = r2n_draw_rand_crop(&crop, sizes[s][0], sizes[s][1], &random);
            assert_true(box.width >= 1 && box.x >= 0 && box.x + box.width <= sizes[s][0]);
            assert_true(box.height >= 1 && box.y >= 0 && box.y + box.height <= sizes[s][1]);
        }
    }
}

static void check_resized(const char *text, int resized, r2n_resizer resizer,
                          r2n_interpolation interpolation)
{
    r2n_transforms *t = parse_list(text);
    r2n_pixels in = noise(60, 45), part, small;
    for (uint64_t i = 0; i < 20; i++) {
        float out[10 * 12 * 3];
        r2n_random random = stream(i), again = random;
        apply_list(t, &in, &random, out);
        const r2n_box box = resized ? r2n_draw_resized_crop(&t->operators[0].crop, 60, 45, &again)
                                    : r2n_draw_rand_crop(&t->operators[0].crop, 60, 45, &again);
        part = make_picture(box.width, box.height);
        for (int32_t y = 0; y < box.height; y++)
            memcpy(part.rgb + (size_t)(y * box.width) * 3,
                   in.rgb + (size_t)((box.y + y) * 60 + box.x) * 3, (size_t)box.width * 3);
        assert_int_equal(r2n_resize(&part, 12, 10, resizer, interpolation, &small, NULL),
                         RES2NET_OK);
        for (int v = 0; v < 10 * 12 * 3; v++)
            assert_true(out[v] == small.rgb[v]);
        r2n_pixels_free(&part);
        r2n_pixels_free(&small);
    }
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
}

static void crops_are_resized_as_pictures_of_their_own(void **state)
{
    (void)state;
    check_resized("- RandCropImage: {size: [12, 10]}\n" NORMALISE, 0, R2N_RESIZER_OPENCV,
                  R2N_INTERPOLATION_BILINEAR);
    check_resized("- RandCropImage: {size: [12, 10], backend: pil, interpolation: "
                  "bicubic}\n" NORMALISE,
                  0, R2N_RESIZER_PILLOW, R2N_INTERPOLATION_BICUBIC);
    check_resized("- RandomResizedCrop: {size: [12, 10]}\n" NORMALISE, 1, R2N_RESIZER_PILLOW,
                  R2N_INTERPOLATION_BILINEAR);
}

/* ---- RandomResizedCrop ---- */

static void resized_crop_draws_by_its_rule(void **state)
{
    (void)state;
    const r2n_random_crop crop = {.scale = {0.08, 1}, .ratio = {0.75, 4.0 / 3}};
    r2n_random random = stream(3);
    double logs = 0, shares = 0;
    for (int i = 0; i < DRAWS; i++) {
        const r2n_box box = r2n_draw_resized_crop(&crop, 1000, 1000, &random);
        const double share = box.width * box.height / 1e6;
        assert_true(box.x >= 0 && box.x + box.width <= 1000);
        assert_true(box.y >= 0 && box.y + box.height <= 1000);
        assert_true(share > 0.079);
        logs += log((double)box.width / box.height) / DRAWS;
        shares += share / DRAWS;
    }
    assert_true(fabs(logs) < 0.005);
    /* Uniform from 0.08 to 1, less what does not fit and is drawn again: 0.478 in the mean. */
    assert_true(shares > 0.473 && shares < 0.483);
}

static void without_a_fit_the_middle_is_taken(void **state)
{
    (void)state;
    const r2n_random_crop crop = {.scale = {0.9, 1}, .ratio = {0.75, 4.0 / 3}};
    static const int32_t cases[][6] = {/* picture, box */
                                       {100, 1000, 0, 433, 100, 133},
                                       {1000, 100, 433, 0, 133, 100},
                                       {10, 17, 0, 2, 10, 13}};
    for (int c = 0; c < 3; c++) {
        r2n_random random = stream((uint64_t)c);
        const r2n_box box = r2n_draw_resized_crop(&crop, cases[c][0], cases[c][1], &random);
        assert_int_equal(box.x, cases[c][2]);
        assert_int_equal(box.y, cases[c][3]);
        assert_int_equal(box.width, cases[c][4]);
        assert_int_equal(box.height, cases[c][5]);
    }
    /* Of a picture whose aspect is allowed, all. */
    const r2n_random_crop square = {.scale = {1, 1}, .ratio = {0.75, 0.76}};
    r2n_random random = stream(9);
    const r2n_box box = r2n_draw_resized_crop(&square, 75, 99, &random);
    assert_true(box.width == 75 && box.height == 99 && box.x == 0 && box.y == 0);
}

/* ---- RandomCropImage ---- */

/* The value at (x, y) of a picture whose pixels say where they are; black outside. */
static float expected_at(int32_t x, int32_t y, int32_t side)
{
    return x < 0 || y < 0 || x >= side || y >= side ? 0 : (float)(1 + y * side + x);
}

static void shifted_crops_have_black_borders(void **state)
{
    (void)state;
    enum { SIDE = 8, PADDING = 2 };
    r2n_transforms *t = parse_list("- RandomCropImage: {size: 8, padding: 2}\n" NORMALISE);
    r2n_pixels in = make_picture(SIDE, SIDE);
    int seen[5][5] = {{0}};
    for (int i = 0; i < SIDE * SIDE * 3; i++)
        in.rgb[i] = (uint8_t)(1 + i / 3);
    for (uint64_t i = 0; i < 1000; i++) {
        float out[SIDE * SIDE * 3];
        r2n_random random = stream(i), again = random;
        apply_list(t, &in, &random, out);
        const int y = (int)r2n_random_below(&again, 5) - 2,
                  x = (int)r2n_random_below(&again, 5) - 2;
        seen[y + 2][x + 2]++;
        for (int v = 0; v < SIDE * SIDE; v++) {
            const float wanted = expected_at(x + v % SIDE, y + v / SIDE, SIDE);
            assert_true(out[v * 3] == wanted && out[v * 3 + 2] == wanted);
        }
    }
    for (int i = 0; i < 25; i++)
        assert_true(seen[i / 5][i % 5] > 15 && seen[i / 5][i % 5] < 70);
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
}

static void small_pictures_are_padded_if_needed(void **state)
{
    (void)state;
    r2n_transforms *t = parse_list("- RandomCropImage: {size: 5, pad_if_needed: True}\n" NORMALISE);
    r2n_pixels in = small_picture(); /* 3 x 2: 2 columns and 3 rows are put at each end */
    for (int i = 0; i < 18; i++)
        in.rgb[i] = 200;
    unsigned places = 0; /* of its first pixel */
    for (uint64_t i = 0; i < 200; i++) {
        float out[75];
        int inside = 0, first = -1;
        r2n_random random = stream(i);
        apply_list(t, &in, &random, out);
        for (int v = 0; v < 25; v++) {
            inside += out[v * 3] == 200;
            first = first < 0 && out[v * 3] == 200 ? v : first;
        }
        assert_int_equal(inside, 6); /* all of it is always there */
        places |= 1u << first;
    }
    assert_int_equal(__builtin_popcount(places), 3 * 4);
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
}

/* ---- all of it ---- */

static const char everything[] =
    "- RandFlipImage:\n- ResizeImage: {size: [30, 20]}\n- RandFlipImage: {flip_code: 0}\n"
    "- RandCropImage: {size: 24}\n- RandomResizedCrop: {size: 20}\n- RandFlipImage:\n"
    "- RandomCropImage: {size: 16, padding: 2}\n- RandFlipImage:\n- CropImage: {size: 15}\n"
    "- ColorJitter: {brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}\n"
    "- RandFlipImage:\n- AutoAugment:\n- RandAugment:\n- TimmAutoAugment:\n- RandomErasing:\n"
    "- RandFlipImage:\n- Cutout: {length: 4}\n" NORMALISE
    "- RandomErasing: {mode: pixel}\n- Cutout: {length: 4}\n";

static res2net_status apply_everything(void *context)
{
    const r2n_transforms *t = context;
    float out[15 * 15 * 3];
    r2n_pixels in = noise(33, 27);
    res2net_status status = RES2NET_OK;
    for (uint64_t i = 0; i < 4 && status == RES2NET_OK; i++) {
        r2n_random random = stream(i);
        status = r2n_transforms_apply(t, &in, "picture", &random, out, NULL);
    }
    r2n_pixels_free(&in);
    return status;
}

static res2net_status apply_first(void *context)
{
    float out[15 * 15 * 3];
    const struct {
        r2n_transforms *t;
        r2n_pixels in;
    } *both = context;
    r2n_random random = stream(2);
    return r2n_transforms_apply(both->t, &both->in, "picture", &random, out, NULL);
}

static void allocations_may_fail(void **state)
{
    (void)state;
    struct {
        r2n_transforms *t;
        r2n_pixels in;
    } both = {parse_list(everything), noise(33, 27)};
    assert_int_equal(apply_everything(both.t), RES2NET_OK);
    expect_every_allocation_may_fail(apply_first, &both);
    r2n_pixels_free(&both.in);
    r2n_transforms_destroy(both.t);
}

static void a_stream_gives_a_picture(void **state)
{
    (void)state;
    r2n_transforms *t = parse_list(everything);
    r2n_pixels in = noise(33, 27);
    float first[15 * 15 * 3], again[15 * 15 * 3];
    int differ = 0;
    for (uint64_t i = 0; i < 20; i++) {
        r2n_random random = stream(i), same = random, other = stream(i + 1000);
        apply_list(t, &in, &random, first);
        apply_list(t, &in, &same, again);
        assert_memory_equal(first, again, sizeof first);
        apply_list(t, &in, &other, again);
        differ += memcmp(first, again, sizeof first) != 0;
    }
    assert_int_equal(differ, 20);
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_chance_it_is_the_recipe),
                                       cmocka_unit_test(a_picture_that_does_not_fit_is_told),
                                       cmocka_unit_test(flips_turn_half_of_the_pictures),
                                       cmocka_unit_test(rand_crop_draws_by_its_rule),
                                       cmocka_unit_test(log_aspects_are_as_often_wide_as_high),
                                       cmocka_unit_test(rand_crop_takes_thin_and_tiny_pictures),
                                       cmocka_unit_test(crops_are_resized_as_pictures_of_their_own),
                                       cmocka_unit_test(resized_crop_draws_by_its_rule),
                                       cmocka_unit_test(without_a_fit_the_middle_is_taken),
                                       cmocka_unit_test(shifted_crops_have_black_borders),
                                       cmocka_unit_test(small_pictures_are_padded_if_needed),
                                       cmocka_unit_test(allocations_may_fail),
                                       cmocka_unit_test(a_stream_gives_a_picture)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
