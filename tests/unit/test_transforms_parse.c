/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of operators: what is taken, what is refused where, and what they give. */
#include "unit/transforms_fixture.h"

#ifdef R2N_HAVE_YAML

#define BAD       RES2NET_INVALID_ARGUMENT
#define NOT_BUILT RES2NET_UNSUPPORTED

typedef struct refusal {
    const char *text;
    res2net_status status;
    int64_t line, column;
    const char *part; /* of the message */
} refusal;

static void expect_refusal(const refusal *r, int batch)
{
    res2net_report *report = res2net_report_create();
    r2n_transforms *transforms = NULL;
    r2n_batch_transforms *batch_transforms = NULL;
    const res2net_status status = batch ? try_parse_batch(r->text, &batch_transforms, report)
                                        : try_parse(r->text, &transforms, report);
    assert_null(transforms);
    assert_null(batch_transforms);
    if (status == RES2NET_OK || res2net_report_count(report) == 0)
        fail_msg("taken: %s", r->text);
    const res2net_problem *problem = res2net_report_problem(report, 0);
    if (status != r->status || problem->line != r->line || problem->column != r->column ||
        strstr(problem->text, r->part) == NULL)
        fail_msg("%s: %s at %lld:%lld: %s", r->text, res2net_status_name(status),
                 (long long)problem->line, (long long)problem->column, problem->text);
    res2net_report_destroy(report);
}

static void lists_are_refused_by_place(void **state)
{
    (void)state;
    static const refusal refusals[] = {
        {"7\n", BAD, 1, 1, "a list of operators was expected"},
        {"a: 1\n", BAD, 1, 1, "a list of operators was expected"},
        {"[]\n", BAD, 1, 1, "no NormalizeImage"},
        {"- RandFlipImage:\n", BAD, 1, 1, "no NormalizeImage"},
        {"- RandFlipImage\n", BAD, 1, 3, "an operator with its arguments"},
        {"- {RandFlipImage: , ToCHWImage: }\n", BAD, 1, 3, "an operator with its arguments"},
        {"- RandFlip:\n", BAD, 1, 3, "unknown operator \"RandFlip\""},
        {"- RandFlipImge:\n", BAD, 1, 3, "did you mean \"RandFlipImage\"?"},
        {NORMALISE "- RandomErasng:\n", BAD, 2, 3, "did you mean \"RandomErasing\"?"},
        {"- Resize: {size: 3}\n", BAD, 1, 3, "unknown operator \"Resize\"; docs/augmentation.md"},
        {"- [1]: 3\n", BAD, 1, 3, "unknown operator \"a list\""},
        {"- GridMask: {d1: 96}\n", NOT_BUILT, 1, 3, "PaddleClas' GridMask is not there"},
        {"- RandAugmentV3:\n", NOT_BUILT, 1, 3, "RandAugmentV3"},
        {NORMALISE "- RandFlipImage:\n", NOT_BUILT, 2, 3, "only RandomErasing, Cutout"},
        {NORMALISE NORMALISE, BAD, 2, 3, "NormalizeImage comes twice"},
        {"- RandFlipImage:\n- DecodeImage:\n", BAD, 2, 3, "DecodeImage is not the first"},
        {"- DecodeImage:\n- DecodeImage:\n", BAD, 2, 3, "DecodeImage comes twice"},
        {NORMALISE "- ToCHWImage:\n- Cutout:\n", BAD, 3, 3, "Cutout comes after ToCHWImage"},
        {"- ToCHWImage:\n- RandFlipImage:\n", BAD, 2, 3, "comes after ToCHWImage"},
        {"- NormalizeImage:\n", BAD, 1, 3, "write order: ''"},
        {"- ToCHWImage:\n" NORMALISE, BAD, 2, 70, "write order: 'chw'"},
        {"- RandFlipImage: 3\n", BAD, 1, 18, "arguments are not"},
        {"- NormalizeImage: 3\n", BAD, 1, 19, "arguments are not"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        expect_refusal(&refusals[i], 0);
}

static void arguments_are_refused_by_place(void **state)
{
    (void)state;
    static const refusal refusals[] = {
        {"- DecodeImage: {to_rgb: False}\n", NOT_BUILT, 1, 3, "to_rgb: True"},
        {"- DecodeImage: {channel_first: True}\n", NOT_BUILT, 1, 3, "channel_first"},
        {"- DecodeImage: {backnd: pil}\n", BAD, 1, 17, "did you mean \"backend\"?"},
        {"- ResizeImage:\n", BAD, 1, 3, "neither resize_short nor size"},
        {"- RandCropImage:\n", BAD, 1, 3, "RandCropImage has no size"},
        {"- RandCropImage: {size: 0}\n", BAD, 1, 25, "size is 0"},
        {"- RandCropImage: {size: [224]}\n", BAD, 1, 25, "size has 1 items"},
        {"- RandCropImage:\n    size: 224\n    scal: 1\n", BAD, 3, 5, "did you mean \"scale\"?"},
        {"- RandCropImage: {size: 4, scale: 0.5}\n", BAD, 1, 35, "not a list of 2 numbers"},
        {"- RandCropImage: {size: 4, scale: [0, 1]}\n", BAD, 1, 36, "scale has 0"},
        {"- RandCropImage: {size: 4, scale: [0.5, 1.5]}\n", BAD, 1, 41, "scale has 1.5"},
        {"- RandCropImage: {size: 4, scale: [0.5, 0.4]}\n", BAD, 1, 35, "scale falls"},
        {"- RandCropImage: {size: 4, ratio: [a, b]}\n", BAD, 1, 36, "ratio is a"},
        {"- RandCropImage: {size: 4, interpolation: bicubic}\n", NOT_BUILT, 1, 43, "backend: pil"},
        {"- RandCropImage: {size: 4, use_log_aspect: 3}\n", BAD, 1, 44, "True or False"},
        {"- RandomResizedCrop: {size: 4, use_log_aspect: True}\n", BAD, 1, 32, "no key"},
        {"- RandomCropImage: {padding: 4}\n", BAD, 1, 3, "RandomCropImage has no size"},
        {"- RandomCropImage: {size: 32, padding: -1}\n", BAD, 1, 40, "padding is -1"},
        {"- RandFlipImage: {flip_code: 2}\n", BAD, 1, 30, "known are -1, 0, 1"},
        {"- ColorJitter: {brightness: -1}\n", BAD, 1, 29, "ColorJitter's brightness is -1"},
        {"- ColorJitter: {hue: 0.6}\n", BAD, 1, 22, "from 0 to 0.5"},
        {"- ColorJitter: {hue: [-0.6, 0]}\n", BAD, 1, 23, "hue has -0.6"},
        {"- AutoAugment: {policy: svhn}\n", BAD, 1, 25, "known are imagenet, cifar10"},
        {"- RandAugment: {magnitude: 11}\n", BAD, 1, 28, "from 0 to 10"},
        {"- RandAugment: {num_layer: 2}\n", BAD, 1, 17, "did you mean \"num_layers\"?"},
        {"- TimmAutoAugment: {config_str: rand-m9-x3}\n", BAD, 1, 33, "-mMAGNITUDE"},
        {"- TimmAutoAugment: {config_str: rand-m11}\n", BAD, 1, 33, "config_str is \"rand-m11\""},
        {"- TimmAutoAugment: {config_str: rand-m9-inc}\n", BAD, 1, 33, "config_str"},
        {"- TimmAutoAugment: {config_str: rand-m}\n", BAD, 1, 33, "config_str"},
        {"- TimmAutoAugment: {config_str: rand-}\n", BAD, 1, 33, "config_str"},
        {"- TimmAutoAugment: {config_str: random}\n", BAD, 1, 33, "config_str"},
        {"- TimmAutoAugment: {config_str: rand-mstd0..5}\n", BAD, 1, 33, "config_str"},
        {"- TimmAutoAugment: {config_str: rand-w0-n14}\n", BAD, 1, 33, "config_str"},
        {"- TimmAutoAugment: {config_str: [1]}\n", BAD, 1, 33, "config_str is no text"},
        {"- TimmAutoAugment: {config_str: augmix-m5}\n", NOT_BUILT, 1, 33, "only \"rand-...\""},
        {"- TimmAutoAugment: {interpolation: lanczos}\n", NOT_BUILT, 1, 36, "bilinear, bicubic"},
        {"- TimmAutoAugment: {img_size: 0}\n", BAD, 1, 31, "img_size is 0"},
        {"- TimmAutoAugment: {mean: [0, 2, 0]}\n", BAD, 1, 31, "mean has 2"},
        {"- RandomErasing: {epsilon: 0.5}\n", BAD, 1, 19, "did you mean \"EPSILON\"?"},
        {"- RandomErasing: {sl: 0.5, sh: 0.4}\n", BAD, 1, 32, "from 0.5 to 1"},
        {"- RandomErasing: {r1: 2}\n", BAD, 1, 23, "r1 is 2"},
        {"- RandomErasing: {mode: noise}\n", BAD, 1, 25, "known are const, rand, pixel"},
        {"- RandomErasing: {mode: pixel}\n", NOT_BUILT, 1, 3, "before NormalizeImage"},
        {"- RandomErasing: {mean: [-1, 0, 0]}\n", BAD, 1, 3, "values from 0 to 255"},
        {"- Cutout: {length: 0}\n", BAD, 1, 20, "length is 0"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        expect_refusal(&refusals[i], 0);
}

static void batch_lists_are_refused_by_place(void **state)
{
    (void)state;
    static const refusal refusals[] = {
        {"3\n", BAD, 1, 1, "a list of operators was expected"},
        {"- MixupOperator\n", BAD, 1, 3, "an operator with its arguments"},
        {"- MixUpOperatr:\n", BAD, 1, 3, "did you mean \"MixupOperator\"?"},
        {"- RandFlipImage:\n", BAD, 1, 3, "unknown operator"},
        {"- FmixOperator:\n", NOT_BUILT, 1, 3, "FmixOperator is not there"},
        {"- MixupOperator: 2\n", BAD, 1, 18, "arguments are not"},
        {"- MixupOperator: {alpha: 0}\n", BAD, 1, 26, "alpha is 0"},
        {"- MixupOperator: {alpha: 1, prob: 1}\n", BAD, 1, 29, "no key \"prob\""},
        {"- OpSampler:\n", BAD, 1, 3, "OpSampler has no operators"},
        {"- OpSampler: {MixupOperator: {alpha: 1}}\n", BAD, 1, 15, "MixupOperator has no prob"},
        {"- OpSampler: {OpSampler: {prob: 1}}\n", BAD, 1, 15, "unknown operator"},
        {"- OpSampler: {MixupOperator: {prob: 0.6}, CutmixOperator: {prob: 0.5}}\n", BAD, 1, 3,
         "add up to 1.1"},
        {"- OpSampler: {MixupOperator: {prob: 0.1}, MixupOperator: {prob: 0.1}}\n", BAD, 1, 43,
         "comes twice"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        expect_refusal(&refusals[i], 1);
}

/* ---- what is taken ---- */

static void defaults_are_paddleclas(void **state)
{
    (void)state;
    r2n_transforms *t =
        parse_list("- RandCropImage: {size: [224, 192]}\n- RandFlipImage:\n"
                   "- RandomResizedCrop: {size: 8}\n- RandAugment:\n"
                   "- TimmAutoAugment:\n" NORMALISE "- RandomErasing:\n- Cutout:\n");
    const r2n_operator *op = t->operators;
    assert_int_equal(t->count, 8);
    assert_int_equal(op[0].crop.width, 224);
    assert_int_equal(op[0].crop.height, 192);
    assert_true(op[0].crop.scale[0] == 0.08 && op[0].crop.scale[1] == 1.0);
    assert_true(op[0].crop.ratio[0] == 0.75 && op[0].crop.ratio[1] == 4.0 / 3);
    assert_int_equal(op[0].crop.log_aspect, 0);
    assert_int_equal(op[0].crop.resizer, R2N_RESIZER_OPENCV);
    assert_true(op[1].flip.columns && !op[1].flip.rows);
    assert_int_equal(op[2].crop.resizer, R2N_RESIZER_PILLOW);
    assert_int_equal(op[2].crop.interpolation, R2N_INTERPOLATION_BILINEAR);
    assert_true(op[3].policy.layers == 2 && op[3].policy.magnitude == 5);
    const r2n_policy *timm = &op[4].policy;
    assert_true(timm->magnitude == 9 && timm->deviation == 0.5 && timm->increasing);
    assert_true(timm->layers == 2 && !timm->weighted && timm->filter == R2N_FILTER_BICUBIC);
    assert_true(timm->fill[0] == 124 && timm->fill[1] == 116 && timm->fill[2] == 104);
    assert_true(op[6].erase.probability == 0.5 && op[6].erase.area[0] == 0.02);
    assert_true(op[6].erase.area[1] == 0.4 && op[6].erase.aspect[0] == 0.3);
    assert_true(op[6].erase.attempts == 100 && op[6].erase.mode == R2N_ERASE_CONSTANT);
    assert_true(op[7].cutout.holes == 1 && op[7].cutout.length == 112);
    r2n_transforms_destroy(t);
    r2n_transforms_destroy(NULL);
}

static void arguments_arrive(void **state)
{
    (void)state;
    r2n_transforms *t = parse_list(
        "- DecodeImage: {to_rgb: True, to_np: False, channel_first: False, backend: pil}\n"
        "- RandCropImage: {size: 8, scale: [0.5, 0.75], ratio: [1, 2], use_log_aspect: True,\n"
        "    backend: pil, interpolation: bicubic}\n"
        "- RandFlipImage: {flip_code: 0}\n- RandFlipImage: {flip_code: -1}\n"
        "- ColorJitter: {brightness: 0.4, contrast: [0.5, 2], saturation: 1.5, hue: 0.1, p: 0.3}\n"
        "- AutoAugment: {policy: cifar10}\n"
        "- TimmAutoAugment: {config_str: rand-mstd0.25-n3-w0, interpolation: random,\n"
        "    img_size: [224, 192], prob: 0.9, mean: [0.5, 0.5, 0.5]}\n"
        "- ToCHWImage:\n"
        "- NormalizeImage: {scale: 1.0/255.0, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}\n");
    const r2n_operator *op = t->operators;
    assert_int_equal(t->count, 7);
    assert_int_equal(op[0].crop.interpolation, R2N_INTERPOLATION_BICUBIC);
    assert_true(op[0].crop.log_aspect && op[0].crop.scale[1] == 0.75 && op[0].crop.ratio[1] == 2);
    assert_true(!op[1].flip.columns && op[1].flip.rows);
    assert_true(op[2].flip.columns && op[2].flip.rows);
    const r2n_jitter *j = &op[3].jitter;
    assert_true(j->range[0][0] == 0.6 && j->range[0][1] == 1.4 && j->probability == 0.3);
    assert_true(j->range[1][0] == 0.5 && j->range[1][1] == 2);
    assert_true(j->range[2][0] == 0 && j->range[2][1] == 2.5);
    assert_true(j->range[3][0] == -0.1 && j->range[3][1] == 0.1);
    assert_true(op[4].policy.cifar10);
    const r2n_policy *timm = &op[5].policy;
    assert_true(timm->magnitude == 10 && timm->deviation == 0.25 && timm->layers == 3);
    assert_true(timm->weighted && !timm->increasing && timm->probability == 0.9);
    assert_true(timm->filter == R2N_FILTER_EITHER && timm->fill[0] == 128);
    r2n_image_options options;
    r2n_transforms_decoding(t, &options);
    assert_int_equal(options.decoder, R2N_DECODER_PILLOW);
    assert_int_equal(options.exif, R2N_EXIF_IGNORE);
    r2n_transforms_destroy(t);
    t = parse_list(NORMALISE "- RandomErasing: {EPSILON: '0.25', sl: 0.02, sh: 1.0/3.0, r1: 0.3,\n"
                             "    attempt: 10, use_log_aspect: True, mode: pixel}\n");
    r2n_transforms_decoding(t, &options);
    assert_int_equal(options.decoder, R2N_DECODER_OPENCV);
    assert_int_equal(options.exif, R2N_EXIF_AS_OPENCV);
    const r2n_erase *erase = &t->operators[1].erase;
    assert_true(erase->probability == 0.25 && erase->area[1] == 1.0 / 3 && erase->attempts == 10);
    assert_true(erase->log_aspect && erase->aspect[0] == -erase->aspect[1]);
    assert_int_equal(erase->mode, R2N_ERASE_PIXELS);
    r2n_transforms_destroy(t);
}

static void expect_size(const char *text, int32_t side, int32_t columns, int32_t rows)
{
    r2n_transforms *t = parse_list(text);
    int32_t got_rows = side, got_columns = side;
    assert_int_equal(r2n_transforms_output_size(t, &got_rows, &got_columns, NULL), RES2NET_OK);
    assert_int_equal(got_columns, columns);
    assert_int_equal(got_rows, rows);
    r2n_transforms_destroy(t);
}

static void expect_no_size(const char *text, int32_t side, const char *part)
{
    r2n_transforms *t = parse_list(text);
    int32_t rows = side, columns = side;
    res2net_report *report = res2net_report_create();
    const res2net_status status = r2n_transforms_output_size(t, &rows, &columns, report);
    assert_int_not_equal(status, RES2NET_OK);
    expect_problem(report, status, part);
    res2net_report_destroy(report);
    r2n_transforms_destroy(t);
}

static void sizes_are_known_before(void **state)
{
    (void)state;
    expect_size("- RandCropImage: {size: [24, 16]}\n" NORMALISE, 0, 24, 16);
    expect_size("- RandomResizedCrop: {size: [24, 16]}\n" NORMALISE, 0, 24, 16);
    expect_size("- ResizeImage: {resize_short: 32}\n- CropImage: {size: 24}\n" NORMALISE, 0, 24,
                24);
    expect_size("- ResizeImage: {size: [32, 40]}\n" NORMALISE, 0, 32, 40);
    expect_size("- ResizeImage: {size: [32, 40]}\n- ResizeImage: {resize_short: 8}\n" NORMALISE, 0,
                8, 10);
    expect_size("- RandFlipImage:\n" NORMALISE "- Cutout:\n", 32, 32, 32);
    expect_size("- RandomCropImage: {size: 32, padding: 4}\n" NORMALISE, 32, 32, 32);
    expect_size("- RandomCropImage: {size: 40, pad_if_needed: True}\n" NORMALISE, 32, 40, 40);
    expect_size("- RandomCropImage: {size: 24}\n" NORMALISE, 0, 24, 24);
    expect_no_size(NORMALISE, 0, "leave the size of the pictures open");
    expect_no_size("- ResizeImage: {resize_short: 32}\n" NORMALISE, 0, "add RandCropImage");
    expect_no_size("- RandomCropImage: {size: 41, padding: 4}\n" NORMALISE, 32, "pad_if_needed");
    expect_no_size("- CropImage: {size: 41}\n" NORMALISE, 32, "41 x 41");
}

static void lists_are_described(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"- DecodeImage:\n- RandCropImage: {size: 224}\n- RandFlipImage:\n" NORMALISE,
         "DecodeImage, RandCropImage(size 224), RandFlipImage, NormalizeImage"},
        {"- ResizeImage: {resize_short: 256}\n- CropImage: {size: [224, 192]}\n" NORMALISE
         "- ToCHWImage:\n",
         "ResizeImage(short side 256), CropImage(size 224 x 192), NormalizeImage"},
        {"- DecodeImage: {backend: pil}\n- ResizeImage: {size: 8}\n- RandomCropImage: {size: 4, "
         "padding: 2}\n- CropImage: {size: 2}\n- ColorJitter:\n" NORMALISE,
         "DecodeImage(pil), ResizeImage(size 8), RandomCropImage(size 4, padding 2), "
         "CropImage(size 2), ColorJitter, NormalizeImage"},
        {"- AutoAugment:\n- RandAugment:\n- TimmAutoAugment:\n" NORMALISE
         "- RandomErasing:\n- Cutout:\n",
         "AutoAugment(imagenet), RandAugment(2 layers, magnitude 5), "
         "TimmAutoAugment(rand-m9-n2-mstd0.5-inc1), NormalizeImage, "
         "RandomErasing(probability 0.5), Cutout(length 112)"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        r2n_transforms *t = parse_list(cases[i].text);
        char *words = r2n_transforms_describe(t);
        assert_string_equal(words, cases[i].words);
        r2n_free(words);
        r2n_transforms_destroy(t);
    }
}

static res2net_status read_both(void *unused)
{
    static const char batch[] = "- MixupOperator:\n- OpSampler: {CutmixOperator: {prob: 1}}\n";
    r2n_transforms *t;
    r2n_batch_transforms *b = NULL;
    (void)unused;
    res2net_status status =
        try_parse("- RandCropImage: {size: 8}\n- RandFlipImage:\n" NORMALISE, &t, NULL);
    if (status == RES2NET_OK)
        status = try_parse_batch(batch, &b, NULL);
    if (status == RES2NET_OK) {
        char *words = r2n_transforms_describe(t);
        status = words != NULL ? RES2NET_OK : RES2NET_OUT_OF_MEMORY;
        r2n_free(words);
    }
    r2n_transforms_destroy(t);
    r2n_batch_transforms_destroy(b);
    return status;
}

static void allocations_may_fail(void **state)
{
    (void)state;
    expect_every_allocation_may_fail(read_both, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_are_refused_by_place),
                                       cmocka_unit_test(arguments_are_refused_by_place),
                                       cmocka_unit_test(batch_lists_are_refused_by_place),
                                       cmocka_unit_test(defaults_are_paddleclas),
                                       cmocka_unit_test(arguments_arrive),
                                       cmocka_unit_test(sizes_are_known_before),
                                       cmocka_unit_test(lists_are_described),
                                       cmocka_unit_test(allocations_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
