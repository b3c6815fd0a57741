/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "unit/image_fixture.h"

#ifdef R2N_HAVE_YAML

static res2net_status parse(const char *text, r2n_recipe *recipe, res2net_report *report)
{
    return r2n_recipe_parse_yaml(text, strlen(text), "t.yaml", recipe, report);
}

static void accept(const char *text, r2n_recipe *recipe)
{
    res2net_report *report = res2net_report_create();
    if (parse(text, recipe, report) != RES2NET_OK)
        fail_msg("%s in %s", res2net_report_problem(report, 0)->text, text);
    assert_int_equal(res2net_report_count(report), 0);
    res2net_report_destroy(report);
}

#define DECODE "- DecodeImage:\n    to_rgb: True\n    channel_first: False\n"
#define RESIZE "- ResizeImage:\n    resize_short: 256\n"
#define CROP   "- CropImage:\n    size: 224\n"
#define NORMALISE                                                                                  \
    "- NormalizeImage:\n    scale: 1.0/255.0\n    mean: [0.485, 0.456, 0.406]\n"                   \
    "    std: [0.229, 0.224, 0.225]\n    order: ''\n"
#define TO_CHW "- ToCHWImage:\n"

static void the_usual_list_is_the_preset(void **state)
{
    (void)state;
    r2n_recipe preset, read;
    r2n_recipe_paddle(&preset);
    accept(DECODE RESIZE CROP NORMALISE TO_CHW, &read);
    assert_memory_equal(&read, &preset, sizeof read);
    accept(DECODE RESIZE CROP NORMALISE, &read); /* as in Eval */
    assert_memory_equal(&read, &preset, sizeof read);
    accept(RESIZE CROP "- NormalizeImage: {order: '', channel_num: 3, output_fp16: false}\n",
           &read);
    assert_memory_equal(&read, &preset, sizeof read); /* its defaults */
}

static void a_whole_config_may_hold_the_list(void **state)
{
    (void)state;
    r2n_recipe preset, read;
    r2n_recipe_paddle(&preset);
    accept(
        "Global:\n  use_gpu: True\nInfer:\n  infer_imgs: a.jpg\n  transforms:\n"
        "    - DecodeImage:\n        to_rgb: True\n    - ResizeImage:\n        resize_short: 256\n"
        "    - CropImage:\n        size: 224\n    - NormalizeImage:\n        order: ''\n"
        "    - ToCHWImage:\n  PostProcess:\n    name: Topk\n",
        &read);
    assert_memory_equal(&read, &preset, sizeof read);
    accept("PreProcess:\n  transform_ops:\n    - ResizeImage: {resize_short: 256}\n"
           "    - CropImage: {size: [224, 224]}\n"
           "    - NormalizeImage: {scale: 0.00392157, order: '', channel_num: 3}\n"
           "    - ToCHWImage:\n",
           &read);
    assert_true(read.scale == 0.00392157f); /* deploy's: 4 ulp from 1.0/255.0 */
    assert_true(read.scale != preset.scale);
    accept("transform_ops:\n" RESIZE NORMALISE, &read);
    assert_int_equal(read.crop_width, 0);
    /* An anchor is one node, however often it is named. */
    accept("x: &list\n  - NormalizeImage: &n {order: ''}\nInfer:\n  transforms: *list\n", &read);
    assert_int_equal(read.resize_short, 0);
}

static void arguments_reach_the_recipe(void **state)
{
    (void)state;
    r2n_recipe read;
    accept(
        "- DecodeImage: {backend: pil, to_np: True}\n"
        "- ResizeImage: {size: [320, 240], interpolation: BICUBIC, backend: PIL, return_numpy: "
        "no}\n"
        "- CropImage: {size: [300, 200]}\n- ToCHWImage:\n"
        "- NormalizeImage: {scale: '1 / 128', mean: [0, 1e-3, .5], std: [1, 2., -3], order: chw}\n",
        &read);
    assert_int_equal(read.apply_exif, 0);
    assert_int_equal(read.decoder, R2N_DECODER_PILLOW);
    assert_int_equal(read.resize_short, 0);
    assert_int_equal(read.resize_width, 320);
    assert_int_equal(read.resize_height, 240);
    assert_int_equal(read.resizer, R2N_RESIZER_PILLOW);
    assert_int_equal(read.interpolation, R2N_INTERPOLATION_BICUBIC);
    assert_int_equal(read.crop_width, 300);
    assert_int_equal(read.crop_height, 200);
    assert_int_equal(read.size_rule, R2N_SIZE_PADDLE);
    assert_int_equal(read.crop_rule, R2N_CROP_PADDLE);
    assert_int_equal(read.normalise_rule, R2N_NORMALISE_PADDLE);
    assert_true(read.scale == 0.0078125f);
    assert_true(read.mean[0] == 0.0f && read.mean[1] == 0.001f && read.mean[2] == 0.5f);
    assert_true(read.std[0] == 1.0f && read.std[1] == 2.0f && read.std[2] == -3.0f);
    accept("- ResizeImage: {size: 64, interpolation: null, resize_short: ~}\n" NORMALISE, &read);
    assert_int_equal(read.resize_width, 64);
    assert_int_equal(read.resize_height, 64);
    assert_int_equal(read.apply_exif, 1);
    assert_int_equal(read.decoder, R2N_DECODER_OPENCV);
}

typedef struct refusal {
    const char *text;
    res2net_status status;
    int64_t line;
    const char *part; /* of the message */
} refusal;

static void what_is_not_exact_is_refused_by_line(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {"", RES2NET_INVALID_ARGUMENT, 1, "nothing here"},
        {"7\n", RES2NET_INVALID_ARGUMENT, 1, "no list of transforms"},
        {"- a: [\n", RES2NET_DAMAGED, 2, "YAML error"},
        {"\t- x\n", RES2NET_DAMAGED, 1, "YAML error"},
        {"- ToCHWImage:\n--- \n- x\n", RES2NET_INVALID_ARGUMENT, 2, "second YAML document"},
        {"[]", RES2NET_INVALID_ARGUMENT, 1, "no NormalizeImage"},
        {RESIZE TO_CHW, RES2NET_INVALID_ARGUMENT, 1, "no NormalizeImage"},
        {"- ResizeImge: {size: 3}\n", RES2NET_INVALID_ARGUMENT, 1,
         "unknown operator \"ResizeImge\"; did you mean \"ResizeImage\"?"},
        {RESIZE "- MixupOperator: {}\n", RES2NET_INVALID_ARGUMENT, 3,
         "unknown operator \"MixupOperator\"; known are"},
        {"- CropImage: {size: 3, sise: 4}\n", RES2NET_INVALID_ARGUMENT, 1,
         "CropImage has no key \"sise\"; did you mean \"size\"?"},
        {"- CropImage: {size: 3, size: 4}\n", RES2NET_INVALID_ARGUMENT, 1, "\"size\" twice"},
        {"- ToCHWImage: {size: 3}\n", RES2NET_INVALID_ARGUMENT, 1, "known are none"},
        {"- CropImage:\n", RES2NET_INVALID_ARGUMENT, 1, "no size"},
        {"- CropImage: 5\n", RES2NET_INVALID_ARGUMENT, 1, "arguments are not"},
        {"- CropImage\n", RES2NET_INVALID_ARGUMENT, 1, "an operator with its arguments"},
        {"- {CropImage: {size: 2}, ToCHWImage: }\n", RES2NET_INVALID_ARGUMENT, 1,
         "an operator with its arguments"},
        {"- CropImage: {size: 0}\n", RES2NET_INVALID_ARGUMENT, 1, "from 1 to 16384"},
        {"- CropImage: {size: '224'}\n", RES2NET_INVALID_ARGUMENT, 1, "size is 224: a whole"},
        {"- CropImage: {size: 22.5}\n", RES2NET_INVALID_ARGUMENT, 1, "a whole number"},
        {"- CropImage: {size: [1, 2, 3]}\n", RES2NET_INVALID_ARGUMENT, 1, "size has 3 items"},
        {"- CropImage: {size: [1, [2]]}\n", RES2NET_INVALID_ARGUMENT, 1, "size's height is a list"},
        {CROP CROP, RES2NET_INVALID_ARGUMENT, 3, "CropImage comes twice"},
        {CROP RESIZE, RES2NET_UNSUPPORTED, 3, "ResizeImage comes after CropImage"},
        {NORMALISE DECODE, RES2NET_UNSUPPORTED, 6, "DecodeImage comes after NormalizeImage"},
        {"- ResizeImage:\n", RES2NET_INVALID_ARGUMENT, 1, "neither resize_short nor size"},
        {"- ResizeImage: {size: 3,\n   resize_short: 4}\n", RES2NET_INVALID_ARGUMENT, 1, "both"},
        {"- ResizeImage: {size: 3, interpolation: area}\n", RES2NET_UNSUPPORTED, 1,
         "\"area\" is not there for backend cv2"},
        {"- ResizeImage: {size: 3, interpolation: bicubic}\n", RES2NET_UNSUPPORTED, 1, "pil with"},
        {"- ResizeImage: {size: 3, interpolation: lanczos, backend: pil}\n", RES2NET_UNSUPPORTED, 1,
         "backend pil: use bilinear or bicubic"},
        {"- ResizeImage: {size: 3, interpolation: linear}\n", RES2NET_INVALID_ARGUMENT, 1,
         "interpolation is \"linear\": known are nearest"},
        {"- ResizeImage: {size: 3, backend: dali}\n", RES2NET_INVALID_ARGUMENT, 1,
         "known are cv2, pil"},
        {"- DecodeImage:\n    to_rgb: False\n", RES2NET_UNSUPPORTED, 1, "write to_rgb: True"},
        {"- DecodeImage:\n    to_rgb: 1\n", RES2NET_INVALID_ARGUMENT, 2, "True or False"},
        {"- DecodeImage: {channel_first: true}\n", RES2NET_UNSUPPORTED, 1, "channel_first"},
        {"- NormalizeImage:\n", RES2NET_INVALID_ARGUMENT, 1, "write order: ''"},
        {TO_CHW "- NormalizeImage: {order: hwc}\n", RES2NET_INVALID_ARGUMENT, 2, "order: 'chw'"},
        {"- NormalizeImage: {order: '', output_fp16: True}\n", RES2NET_UNSUPPORTED, 1, "float32"},
        {"- NormalizeImage: {order: '', channel_num: 4}\n", RES2NET_UNSUPPORTED, 1, "three"},
        {"- NormalizeImage: {order: '', scale: 1/0}\n", RES2NET_INVALID_ARGUMENT, 1,
         "scale is 1/0"},
        {"- NormalizeImage: {order: '', scale: 2**3}\n", RES2NET_INVALID_ARGUMENT, 1, "quotient"},
        {"- NormalizeImage: {order: '', scale: 0x1p3}\n", RES2NET_INVALID_ARGUMENT, 1, "finite"},
        {"- NormalizeImage: {order: '', scale: .inf}\n", RES2NET_INVALID_ARGUMENT, 1, "finite"},
        {"- NormalizeImage: {order: '', scale: 1e999}\n", RES2NET_INVALID_ARGUMENT, 1, "finite"},
        {"- NormalizeImage: {order: '', scale: 0}\n", RES2NET_INVALID_ARGUMENT, -1, "scale is 0"},
        {"- NormalizeImage: {order: '', mean: 3}\n", RES2NET_INVALID_ARGUMENT, 1, "three numbers"},
        {"- NormalizeImage: {order: '', mean: [1, 2, nan]}\n", RES2NET_INVALID_ARGUMENT, 1,
         "finite"},
        {"- NormalizeImage: {order: '', std: [1, 2, '3']}\n", RES2NET_INVALID_ARGUMENT, 1,
         "finite"},
        {"- NormalizeImage: {order: '', std: [1, 0, 3]}\n", RES2NET_INVALID_ARGUMENT, -1,
         "std is 0"},
        {"PreProcess: {transform_ops: []}\nInfer:\n  transforms: []\n", RES2NET_INVALID_ARGUMENT, 3,
         "a second list"},
        {"- \"a\\eb\": {}\n", RES2NET_INVALID_ARGUMENT, 1,
         "\"a?b\""}, /* no escape to the terminal */
        {"- &a [*a]\n", RES2NET_INVALID_ARGUMENT, 1, "an operator with its arguments"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const refusal *r = &refusals[i];
        res2net_report *report = res2net_report_create();
        r2n_recipe recipe = {.apply_exif = 77};
        const res2net_status status = parse(r->text, &recipe, report);
        if (status != r->status)
            fail_msg("%s for %s", res2net_status_name(status), r->text);
        assert_says(report, r->part);
        assert_int_equal(res2net_report_problem(report, 0)->line, r->line);
        assert_string_equal(res2net_report_problem(report, 0)->file, "t.yaml");
        assert_int_equal(recipe.apply_exif, 77);
        res2net_report_destroy(report);
    }
}

static void big_and_binary_texts_are_refused(void **state)
{
    (void)state;
    r2n_recipe recipe;
    const size_t size = (1 << 18) + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '#', size);
    assert_int_equal(r2n_recipe_parse_yaml(text, size, "t", &recipe, NULL), RES2NET_LIMIT_EXCEEDED);
    memset(text, '[', size); /* nesting */
    assert_int_equal(r2n_recipe_parse_yaml(text, size - 1, "t", &recipe, NULL),
                     RES2NET_LIMIT_EXCEEDED);
    assert_int_equal(r2n_recipe_parse_yaml(text, 1000, "t", &recipe, NULL), RES2NET_DAMAGED);
    for (size_t i = 0; i < size; i++)
        text[i] = "- "[i % 2]; /* nesting without brackets */
    assert_int_equal(r2n_recipe_parse_yaml(text, size - 1, "t", &recipe, NULL),
                     RES2NET_INVALID_ARGUMENT);
    free(text);
    assert_int_equal(r2n_recipe_parse_yaml("\x00\x01\x02", 3, "t", &recipe, NULL), RES2NET_DAMAGED);
    assert_int_equal(r2n_recipe_parse_yaml(NULL, 0, "t", &recipe, NULL), RES2NET_INVALID_ARGUMENT);
}

#else

static void without_libyaml_it_says_so(void **state)
{
    (void)state;
    r2n_recipe recipe;
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_recipe_parse_yaml("[]", 2, "t.yaml", &recipe, report),
                     RES2NET_UNSUPPORTED);
    assert_says(report, "no libyaml");
    res2net_report_destroy(report);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef R2N_HAVE_YAML
        cmocka_unit_test(the_usual_list_is_the_preset),
        cmocka_unit_test(a_whole_config_may_hold_the_list),
        cmocka_unit_test(arguments_reach_the_recipe),
        cmocka_unit_test(what_is_not_exact_is_refused_by_line),
        cmocka_unit_test(big_and_binary_texts_are_refused),
#else
        cmocka_unit_test(without_libyaml_it_says_so),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
