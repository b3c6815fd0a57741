/* SPDX-License-Identifier: Apache-2.0 */
/* ColorJitter, the policies, RandomErasing and Cutout: how often, how strong, where. */
#include "unit/transforms_fixture.h"

#include <math.h>

#ifdef R2N_HAVE_YAML

static r2n_random stream(uint64_t index)
{
    return r2n_random_stream(11, R2N_RANDOM_PICTURE, 0, index);
}

static r2n_pixels filled(int32_t width, int32_t height, uint8_t value)
{
    r2n_pixels picture = make_picture(width, height);
    memset(picture.rgb, value, (size_t)(width * height) * 3);
    return picture;
}

/* ---- ColorJitter ---- */

static void brightness_is_uniform(void **state)
{
    (void)state;
    r2n_transforms *t = parse_list("- ColorJitter: {brightness: 0.4}\n" NORMALISE);
    r2n_pixels in = filled(2, 2, 100);
    double mean = 0;
    float least = 255, most = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        float out[12];
        r2n_random random = stream(i);
        apply_list(t, &in, &random, out);
        mean += out[0] / 2000;
        least = fminf(least, out[0]);
        most = fmaxf(most, out[0]);
    }
    assert_true(mean > 98.5 && mean < 100.5); /* cut off, not rounded */
    assert_true(least >= 59 && least <= 61 && most >= 138 && most <= 140);
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
}

/* Brightness that clips cannot be exchanged with contrast: the result shows which came first. */
static void the_order_of_jitter_is_drawn(void **state)
{
    (void)state;
    r2n_transforms *t =
        parse_list("- ColorJitter: {brightness: [2, 2], contrast: [0.5, 0.5], p: 0.8}\n" NORMALISE);
    r2n_pixels in = filled(2, 1, 200);
    memset(in.rgb, 0, 3);
    int none = 0, bright_first = 0, contrast_first = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        float out[6];
        r2n_random random = stream(i);
        apply_list(t, &in, &random, out);
        none += out[0] == 0 && out[3] == 200;
        bright_first += out[0] == 64 && out[3] == 191;    /* 0, 255: mean 128 */
        contrast_first += out[0] == 100 && out[3] == 255; /* 50, 150, doubled */
    }
    assert_int_equal(none + bright_first + contrast_first, 2000);
    assert_true(none > 340 && none < 460);
    assert_true(bright_first > 720 && bright_first < 880);
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
}

/* ---- policies ---- */

/* What of 4000 pictures of one value became another value. */
static int changed(const char *text, uint8_t value)
{
    r2n_transforms *t = parse_list(text);
    r2n_pixels in = filled(4, 4, value);
    int count = 0;
    for (uint64_t i = 0; i < 4000; i++) {
        float out[48];
        r2n_random random = stream(i);
        apply_list(t, &in, &random, out);
        count += out[0] != (float)value;
    }
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
    return count;
}

static void auto_augment_draws_its_sub_policies(void **state)
{
    (void)state;
    /* A picture of 128: only inverting, and solarize from 5 on, change it; by the table with
     * probability (5 * 0.6 + 0.6 + 0.8) / 25. */
    const int of_imagenet = changed("- AutoAugment:\n" NORMALISE, 128);
    assert_true(of_imagenet > 4000 * 0.158 && of_imagenet < 4000 * 0.194);
    /* Of CIFAR-10's: inverting, brightness, solarize: (0.1 + 0.6 + 0.7 + 0.9 + 0.2 + 0.1 + 0.4 +
     * 0.1) / 25. */
    const int of_cifar10 = changed("- AutoAugment: {policy: cifar10}\n" NORMALISE, 128);
    assert_true(of_cifar10 > 4000 * 0.108 && of_cifar10 < 4000 * 0.14);
}

/* Counts results by what they are made of: noise as it was, black, inverted, or something else. */
typedef struct outcomes {
    int same, black, inverted, other;
} outcomes;

static outcomes count_outcomes(const char *text)
{
    enum { PICTURES = 3000, VALUES = 8 * 8 * 3 };
    r2n_transforms *t = parse_list(text);
    r2n_pixels in = noise(8, 8);
    outcomes found = {0};
    for (uint64_t i = 0; i < PICTURES; i++) {
        float out[VALUES];
        int same = 1, black = 1, inverted = 1;
        r2n_random random = stream(i);
        apply_list(t, &in, &random, out);
        for (int v = 0; v < VALUES; v++) {
            same &= out[v] == in.rgb[v];
            black &= out[v] == 0;
            inverted &= out[v] == 255 - in.rgb[v];
        }
        found.same += same;
        found.black += black;
        found.inverted += inverted;
        found.other += !same && !black && !inverted;
    }
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
    return found;
}

#define ABOUT(count, share) assert_true(fabs((count) / 3000.0 - (share)) < 0.02)

static void rand_augment_draws_each_as_often(void **state)
{
    (void)state;
    /* At magnitude 0 of 14 operations posterize gives black, solarize and invert the inverse,
     * autocontrast and equalize something else (noise that spans nearly all stays as it is for
     * one), and the rest nothing. */
    const outcomes found =
        count_outcomes("- RandAugment: {num_layers: 1, magnitude: 0}\n" NORMALISE);
    ABOUT(found.black, 1.0 / 14);
    ABOUT(found.inverted, 2.0 / 14);
    ABOUT(found.same + found.other, 11.0 / 14);
    assert_true(found.other > 0 && found.other < 3000 * (2.0 / 14 + 0.02));
    const outcomes none = count_outcomes("- RandAugment: {num_layers: 0}\n" NORMALISE);
    assert_int_equal(none.same, 3000);
}

static void timm_applies_half_of_what_it_draws(void **state)
{
    (void)state;
    /* Increasing, at magnitude 0: only inverting, posterize to 4 bits, autocontrast and equalize do
     * something, each of 15 half of the time. */
    const outcomes even =
        count_outcomes("- TimmAutoAugment: {config_str: rand-m0-n1-inc1}\n" NORMALISE);
    ABOUT(even.inverted, 0.5 / 15);
    assert_int_equal(even.black, 0);
    assert_true(even.other > 3000 * (0.5 / 15) && even.other < 3000 * (1.5 / 15 + 0.02));
    /* Not increasing: posterize keeps nothing, brightness is 0.1, solarize inverts all. */
    const outcomes falling =
        count_outcomes("- TimmAutoAugment: {config_str: rand-m0-n1-inc0}\n" NORMALISE);
    ABOUT(falling.black, 0.5 / 15);
    ABOUT(falling.inverted, 1.0 / 15);
    /* By weight, inverting is never taken. */
    const outcomes weighted =
        count_outcomes("- TimmAutoAugment: {config_str: rand-m0-n13-inc1-w0}\n" NORMALISE);
    assert_int_equal(weighted.inverted, 0);
    assert_true(weighted.other > 0);
    const outcomes never = count_outcomes("- TimmAutoAugment: {prob: 0}\n" NORMALISE);
    assert_int_equal(never.same, 3000);
}

/* The deviation shows in how far columns move: the picture's left edge, filled with the mean. */
static void timm_draws_its_magnitude(void **state)
{
    (void)state;
    static const char *const lists[2] = {
        "- TimmAutoAugment: {config_str: rand-m5-n1-inc1, interpolation: bilinear}\n" NORMALISE,
        "- TimmAutoAugment: {config_str: rand-m5-n1-mstd0.5-inc1, interpolation: "
        "random}\n" NORMALISE};
    int kinds[2] = {0};
    for (int l = 0; l < 2; l++) {
        r2n_transforms *t = parse_list(lists[l]);
        r2n_pixels in = filled(40, 1, 255);
        unsigned char seen[41] = {0};
        for (uint64_t i = 0; i < 2000; i++) {
            float out[120];
            int filling = 0;
            r2n_random random = stream(i);
            apply_list(t, &in, &random, out);
            for (int x = 0; x < 40; x++)
                filling += out[x * 3] == 124 && out[x * 3 + 1] == 116 && out[x * 3 + 2] == 104;
            if (out[45] == 255 && out[60] == 255) /* not turned, sheared up or darkened */
                seen[filling] = 1;
        }
        for (int i = 0; i <= 40; i++)
            kinds[l] += seen[i];
        assert_true(seen[0] && seen[9]); /* 0.225 * 40 columns */
        r2n_pixels_free(&in);
        r2n_transforms_destroy(t);
    }
    assert_int_equal(kinds[0], 2);
    assert_true(kinds[1] > 3);
}

/* ---- RandomErasing ---- */

enum { SIDE = 20 };

/* How many pixels have not the value 50; those must be a rectangle, whose first value is told. */
static int erased(const float *out, float *first)
{
    int left = SIDE, right = -1, top = SIDE, bottom = -1, count = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        if (out[i * 3] == 50 && out[i * 3 + 1] == 50 && out[i * 3 + 2] == 50)
            continue;
        const int x = i % SIDE, y = i / SIDE;
        left = x < left ? x : left;
        right = x > right ? x : right;
        top = y < top ? y : top;
        bottom = y > bottom ? y : bottom;
        if (count++ == 0)
            memcpy(first, out + (ptrdiff_t)i * 3, 3 * sizeof *first);
    }
    assert_int_equal(count, count == 0 ? 0 : (right - left + 1) * (bottom - top + 1));
    return count;
}

static void erasing_takes_a_rectangle(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "- RandomErasing: {EPSILON: 0.25, mean: [1, 2, 3.9], sl: 0.1, sh: 0.2}\n" NORMALISE,
        NORMALISE "- RandomErasing: {EPSILON: 0.25, mean: [1, 2, 3.9], sl: 0.1, sh: 0.2}\n",
        NORMALISE "- RandomErasing: {EPSILON: 0.25, mode: rand, sl: 0.1, sh: 0.2}\n",
        NORMALISE "- RandomErasing: {EPSILON: 0.25, mode: pixel, sl: 0.1, sh: 0.2,"
                  " use_log_aspect: True}\n"};
    r2n_pixels in = filled(SIDE, SIDE, 50);
    for (int l = 0; l < 4; l++) {
        r2n_transforms *t = parse_list(lists[l]);
        int times = 0;
        double share = 0;
        for (uint64_t i = 0; i < 2000; i++) {
            float out[SIDE * SIDE * 3], first[3];
            r2n_random random = stream(i);
            apply_list(t, &in, &random, out);
            const int count = erased(out, first);
            times += count > 0;
            share += count / (double)(SIDE * SIDE);
            if (count > 0 && l < 2) {
                assert_true(first[0] == 1 && first[1] == 2);
                assert_true(first[2] == (l == 0 ? 3.0f : 3.9f)); /* bytes are cut off */
            }
        }
        assert_true(times > 440 && times < 560);
        assert_true(share / times > 0.14 && share / times < 0.16);
        r2n_transforms_destroy(t);
    }
    r2n_pixels_free(&in);
}

static void erased_pixels_are_normal_numbers(void **state)
{
    (void)state;
    static const char *const lists[] = {
        NORMALISE "- RandomErasing: {EPSILON: 1, mode: rand, sl: 0.3, sh: 0.3, r1: 1}\n",
        NORMALISE "- RandomErasing: {EPSILON: 1, mode: pixel, sl: 0.3, sh: 0.3, r1: 1}\n"};
    r2n_pixels in = filled(SIDE, SIDE, 50);
    for (int l = 0; l < 2; l++) {
        r2n_transforms *t = parse_list(lists[l]);
        double sum = 0, squares = 0;
        int count = 0;
        for (uint64_t i = 0; i < 500; i++) {
            float out[SIDE * SIDE * 3], first[3] = {0};
            r2n_random random = stream(i);
            apply_list(t, &in, &random, out);
            assert_int_equal(erased(out, first), 121); /* 11 x 11: sqrt(0.3 * 400), rounded */
            for (int v = 0; v < SIDE * SIDE * 3; v++) {
                if (out[v] == 50)
                    continue;
                sum += out[v];
                squares += out[v] * (double)out[v];
                count++;
                if (l == 0)
                    assert_true(out[v] == first[v % 3]);
            }
        }
        const double mean = sum / count;
        assert_true(fabs(mean) < (l == 0 ? 0.08 : 0.02));
        assert_true(fabs(squares / count - 1) < (l == 0 ? 0.12 : 0.03));
        r2n_transforms_destroy(t);
    }
    r2n_pixels_free(&in);
}

static void what_never_fits_erases_nothing(void **state)
{
    (void)state;
    r2n_transforms *t =
        parse_list(NORMALISE "- RandomErasing: {EPSILON: 1, sl: 1, sh: 1, attempt: 3}\n");
    r2n_pixels in = filled(SIDE, SIDE, 50);
    for (uint64_t i = 0; i < 50; i++) {
        float out[SIDE * SIDE * 3], first[3];
        r2n_random random = stream(i);
        apply_list(t, &in, &random, out);
        assert_int_equal(erased(out, first), 0);
    }
    r2n_pixels_free(&in);
    r2n_transforms_destroy(t);
}

/* ---- Cutout ---- */

static void cutout_is_cut_at_the_border(void **state)
{
    (void)state;
    static const char *const lists[] = {"- Cutout: {length: 7}\n" NORMALISE,
                                        NORMALISE "- Cutout: {length: 7}\n"};
    r2n_pixels in = filled(SIDE, SIDE, 50);
    for (int l = 0; l < 2; l++) {
        r2n_transforms *t = parse_list(lists[l]);
        int whole = 0, least = 100;
        for (uint64_t i = 0; i < 1000; i++) {
            float out[SIDE * SIDE * 3], first[3] = {1, 1, 1};
            r2n_random random = stream(i);
            apply_list(t, &in, &random, out);
            const int count = erased(out, first);
            assert_true(count >= 9 && count <= 36); /* 7 / 2 to each side of the centre: 6 x 6 */
            assert_true(first[0] == 0 && first[1] == 0 && first[2] == 0);
            whole += count == 36;
            least = count < least ? count : least;
        }
        assert_int_equal(least, 9);
        assert_true(whole > 510 && whole < 615); /* 15 of 20 centres, squared */
        r2n_transforms_destroy(t);
    }
    r2n_pixels_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(brightness_is_uniform),
                                       cmocka_unit_test(the_order_of_jitter_is_drawn),
                                       cmocka_unit_test(auto_augment_draws_its_sub_policies),
                                       cmocka_unit_test(rand_augment_draws_each_as_often),
                                       cmocka_unit_test(timm_applies_half_of_what_it_draws),
                                       cmocka_unit_test(timm_draws_its_magnitude),
                                       cmocka_unit_test(erasing_takes_a_rectangle),
                                       cmocka_unit_test(erased_pixels_are_normal_numbers),
                                       cmocka_unit_test(what_never_fits_erases_nothing),
                                       cmocka_unit_test(cutout_is_cut_at_the_border)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
