/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/catalogue.h"
#include "model/graph.h"

static r2n_architecture find(const char *name)
{
    r2n_architecture a;
    assert_int_equal(r2n_architecture_find(name, &a, NULL), RES2NET_OK);
    return a;
}

/* The text of the first problem of a failed look-up. */
static void expect_refusal(const char *name, res2net_status status, const char *part)
{
    r2n_architecture a = {.name = "untouched"};
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_architecture_find(name, &a, report), status);
    assert_string_equal(a.name, "untouched");
    assert_true(res2net_report_count(report) > 0);
    const char *text = res2net_report_problem(report, 0)->text;
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\": \"%s\" has no \"%s\"", name, text, part);
    res2net_report_destroy(report);
}

/* Counts by others: Paddle's five; what timm 1.0.31 and torchvision build; the file of the
 * bootstrap network. */
static const struct {
    const char *name;
    int64_t parameters, statistics;
    size_t entries; /* 0: not known */
} known_counts[] = {{"Res2Net50_26w_4s", 25699120, 59492, 427},
                    {"Res2Net50_14w_8s", 25059816, 62796, 747},
                    {"Res2Net50_vd_26w_4s", 25718352, 59620, 437},
                    {"Res2Net101_vd_26w_4s", 45225920, 119188, 862},
                    {"Res2Net200_vd_26w_4s", 76215536, 220804, 1687},
                    {"res2net20_26w_4s_cifar", 907286, 7988, 172},
                    {"ResNet50", 25557032, 53120, 267},
                    {"ResNet101", 44549160, 105344, 522},
                    {"ResNet50_vd", 25576264, 53248, 277},
                    {"ResNet101_vd", 44568392, 0, 0},
                    {"Res2Net50_48w_2s", 25287304, 0, 0},
                    {"Res2Net50_26w_6s", 37051448, 0, 0},
                    {"Res2Net50_26w_8s", 48403776, 0, 0},
                    {"Res2Net101_26w_4s", 45206688, 0, 0},
                    {"plain:planes=64,depths=3-4-6-3,width=128,scale=1", 68883240, 0, 0},
                    {"plain:planes=64,depths=3-8-36-3,width=64,scale=1", 60192808, 0, 0}};

static void counts_are_the_published_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known_counts / sizeof known_counts[0]; i++) {
        const r2n_architecture a = find(known_counts[i].name);
        assert_int_equal(r2n_architecture_parameters(&a), known_counts[i].parameters);
        if (known_counts[i].statistics > 0)
            assert_int_equal(r2n_architecture_statistics(&a), known_counts[i].statistics);
        size_t count = 0;
        r2n_tensor_spec *specs = r2n_architecture_tensors(&a, &count);
        assert_non_null(specs);
        if (known_counts[i].entries > 0)
            assert_int_equal(count, known_counts[i].entries);
        r2n_free(specs);
    }
}

/* Millions with two decimals, as the paper's repository gives them. */
static void parameters_match_the_papers_table(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int hundredths;
    } rows[] = {{"res2net50_48w_2s", 2529},     {"res2net50_26w_4s", 2570},
                {"res2net50_14w_8s", 2506},     {"res2net50_26w_6s", 3705},
                {"res2net50_26w_8s", 4840},     {"res2net101_26w_4s", 4521},
                {"res2net50_v1b_26w_4s", 2572}, {"res2net101_v1b_26w_4s", 4523}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const r2n_architecture a = find(rows[i].name);
        const int64_t parameters = r2n_architecture_parameters(&a);
        assert_int_equal((parameters + 5000) / 10000, rows[i].hundredths);
    }
}

static void tensors_add_up_and_have_unique_names(void **state)
{
    (void)state;
    for (size_t row = 0; row < r2n_catalogue_count(); row++) {
        const r2n_architecture *a = &r2n_catalogue_get(row)->architecture;
        size_t count = 0;
        int64_t trainable = 0;
        int64_t statistics = 0;
        r2n_tensor_spec *specs = r2n_architecture_tensors(a, &count);
        assert_non_null(specs);
        for (size_t i = 0; i < count; i++) {
            int64_t elements = 1;
            for (int32_t d = 0; d < specs[i].rank; d++)
                elements *= specs[i].shape[d];
            trainable += specs[i].trainable ? elements : 0;
            statistics += specs[i].trainable ? 0 : elements;
        }
        assert_int_equal(trainable, r2n_architecture_parameters(a));
        assert_int_equal(statistics, r2n_architecture_statistics(a));
        for (size_t i = 0; i < count; i++)
            for (size_t j = i + 1; j < count; j++)
                if (strcmp(specs[i].name, specs[j].name) == 0 ||
                    strcmp(specs[i].paddle_name, specs[j].paddle_name) == 0 ||
                    strcmp(specs[i].paddle_parameter, specs[j].paddle_parameter) == 0)
                    fail_msg("%s: %s and %s share a name", a->name, specs[i].name, specs[j].name);
        r2n_free(specs);
    }
}

static void expect_tensor(const char *architecture, const char *name, const char *paddle,
                          const char *parameter)
{
    const r2n_architecture a = find(architecture);
    size_t count = 0;
    r2n_tensor_spec *specs = r2n_architecture_tensors(&a, &count);
    size_t i = 0;
    while (i < count && strcmp(specs[i].name, name) != 0)
        i++;
    if (i == count)
        fail_msg("%s has no %s", architecture, name);
    assert_string_equal(specs[i].paddle_name, paddle);
    assert_string_equal(specs[i].paddle_parameter, parameter);
    r2n_free(specs);
}

static void names_are_paddles_and_torchs(void **state)
{
    (void)state;
    expect_tensor("Res2Net50_26w_4s", "conv1.weight", "conv1._conv.weight", "conv1_weights");
    expect_tensor("Res2Net50_26w_4s", "bn1.running_var", "conv1._batch_norm._variance",
                  "bn_conv1_variance");
    expect_tensor("Res2Net50_26w_4s", "layer1.0.convs.2.weight",
                  "bb_0_0.res2a_branch2b_3._conv.weight", "res2a_branch2b_3_weights");
    expect_tensor("Res2Net50_26w_4s", "layer3.5.bns.0.running_mean",
                  "bb_2_5.res4f_branch2b_1._batch_norm._mean", "bn4f_branch2b_1_mean");
    expect_tensor("Res2Net50_26w_4s", "layer4.0.downsample.0.weight", "bb_3_0.short._conv.weight",
                  "res5a_branch1_weights");
    expect_tensor("Res2Net50_26w_4s", "fc.weight", "out.weight", "fc_weights");
    expect_tensor("Res2Net50_26w_4s", "fc.bias", "out.bias", "fc_offset");
    expect_tensor("Res2Net50_vd_26w_4s", "conv1.3.weight", "conv1_2._conv.weight",
                  "conv1_2_weights");
    expect_tensor("Res2Net50_vd_26w_4s", "bn1.weight", "conv1_3._batch_norm.weight",
                  "bnv1_3_scale");
    expect_tensor("Res2Net50_vd_26w_4s", "layer1.0.downsample.2.bias",
                  "bb_0_0.short._batch_norm.bias", "bn2a_branch1_offset");
    expect_tensor("Res2Net101_vd_26w_4s", "layer3.0.conv1.weight", "bb_2_0.conv0._conv.weight",
                  "res4a_branch2a_weights");
    expect_tensor("Res2Net101_vd_26w_4s", "layer3.1.convs.0.weight",
                  "bb_2_1.res4b1_branch2b_1._conv.weight", "res4b1_branch2b_1_weights");
    expect_tensor("Res2Net200_vd_26w_4s", "layer3.47.conv3.weight", "bb_2_47.conv2._conv.weight",
                  "res4b47_branch2c_weights");
    expect_tensor("Res2Net200_vd_26w_4s", "layer2.11.conv3.weight", "bb_1_11.conv2._conv.weight",
                  "res3l_branch2c_weights");
    /* The plain class of Paddle runs past 'z': chr(97 + 26) and, in UTF-8, chr(97 + 47). */
    expect_tensor("Res2Net200_26w_4s", "layer3.26.convs.0.weight",
                  "bb_2_26.res4{_branch2b_1._conv.weight", "res4{_branch2b_1_weights");
    expect_tensor("Res2Net200_26w_4s", "layer3.47.conv1.weight", "bb_2_47.conv0._conv.weight",
                  "res4\xc2\x90_branch2a_weights");
    expect_tensor("ResNet50", "layer2.0.conv2.weight", "bb_1_0.conv1._conv.weight",
                  "res3a_branch2b_weights");
}

static void names_are_found_in_any_spelling(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"RES2NET50-26W-4S", "Res2Net50_26w_4s"},
                                           {"res2net50_26w_4s.in1k", "Res2Net50_26w_4s"},
                                           {"Res2Net50_vd_26w_4s_ssld", "Res2Net50_vd_26w_4s"},
                                           {"res2net200-vd_26w_4s_SSLD", "Res2Net200_vd_26w_4s"},
                                           {"res2net50d", "Res2Net50_vd_26w_4s"},
                                           {"res2net101_v1b_26w_4s", "Res2Net101_vd_26w_4s"},
                                           {"res2net50", "Res2Net50_26w_4s"},
                                           {"resnet50", "ResNet50"},
                                           {"resnet50.a1_in1k", "ResNet50"},
                                           {"resnet50d", "ResNet50_vd"},
                                           {"Res2Net20_26W_4S_cifar", "res2net20_26w_4s_cifar"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_string_equal(find(pairs[i][0]).name, pairs[i][1]);
}

static void every_row_is_valid_and_found_by_all_its_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < r2n_catalogue_count(); i++) {
        const r2n_catalogue_row *row = r2n_catalogue_get(i);
        assert_int_equal(r2n_architecture_validate(&row->architecture, NULL, NULL), RES2NET_OK);
        assert_string_equal(find(row->architecture.name).name, row->architecture.name);
        for (const char *const *alias = row->aliases; *alias != NULL; alias++)
            assert_string_equal(find(*alias).name, row->architecture.name);
    }
    assert_null(r2n_catalogue_get(r2n_catalogue_count()));
    const r2n_architecture paddle = find("res2net101d");
    const r2n_architecture torch = find("resnet50");
    assert_int_equal(r2n_architecture_origin_family(&paddle), R2N_FAMILY_PADDLE);
    assert_int_equal(r2n_architecture_origin_family(&torch), R2N_FAMILY_TORCH);
}

static void misspelt_names_get_a_suggestion(void **state)
{
    (void)state;
    expect_refusal("Res2Net50_26w4s", RES2NET_NOT_FOUND, "\"Res2Net50_26w_4s\"");
    expect_refusal("rse2net50d", RES2NET_NOT_FOUND, "\"res2net50d\"");
    expect_refusal("inception_v3", RES2NET_NOT_FOUND, "catalogue");
    expect_refusal("", RES2NET_INVALID_ARGUMENT, "empty");
    expect_refusal("xin1k", RES2NET_NOT_FOUND, "xin1k");
    assert_null(r2n_architecture_nearest("inception_v3"));
    char long_name[300];
    memset(long_name, 'r', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    expect_refusal(long_name, RES2NET_NOT_FOUND, "rrrr");
}

static void specifications_make_small_networks(void **state)
{
    (void)state;
    r2n_architecture a = find("cifar:planes=32,depths=2-2-2,width=26,scale=4");
    assert_string_equal(a.name, "res2net20_26w_4s_cifar");
    assert_int_equal(a.classes, 100);
    a = find("CIFAR:scale=4,width=26,depths=2-2-2,planes=32,classes=10");
    assert_string_equal(a.name, "res2net20_26w_4s_cifar");
    assert_int_equal(a.classes, 10);
    a = find("cifar:planes=16,depths=3-3,width=40,scale=1,stem=24,classes=7");
    assert_string_equal(a.name, "cifar:planes=16,depths=3-3,width=40,scale=1,stem=24,classes=7");
    assert_int_equal(a.stages, 2);
    assert_int_equal(a.stem_channels, 24);
    assert_int_equal(a.picture_size, 32);
    assert_int_equal(r2n_group_width(&a, 1), 20);
    a = find("vd:planes=64,depths=3-4-6-3,width=26,scale=4");
    assert_string_equal(a.name, "Res2Net50_vd_26w_4s");
    a = find("plain:planes=1024,depths=99-99-99-99,width=64,scale=1,stem=1023,classes=65536");
    assert_string_equal(find(a.name).name, a.name);
    assert_int_equal(find(a.name).classes, 65536);
}

static void bad_specifications_are_refused_with_the_place(void **state)
{
    (void)state;
    const res2net_status bad = RES2NET_INVALID_ARGUMENT;
    expect_refusal("cifar:", bad, "character 7");
    expect_refusal("cifar:planes=32,depths=2-2-2,width=26", bad, "lacks scale=");
    expect_refusal("cifar:planes=32,plane=32", bad, "character 17");
    expect_refusal("cifar:planes=32,planes=32", bad, "each key once");
    expect_refusal("cifar:planes=,depths=2", bad, "a number");
    expect_refusal("cifar:planes=32;depths=2", bad, "',' or the end");
    expect_refusal("cifar:planes=32,depths=2-2-2-2-2,width=26,scale=4", bad, "1 to 4 numbers");
    expect_refusal("cifar:planes=32,depths=2-,width=26,scale=4", bad, "1 to 4 numbers");
    expect_refusal("cifar:planes=32,depths=2-0,width=26,scale=4", bad, "blocks of a stage is 0");
    expect_refusal("cifar:planes=32,depths=2,width=26,scale=17", bad, "scale is 17");
    expect_refusal("cifar:planes=32,depths=2,width=1,scale=4", bad, "group width of stage 1 is 0");
    expect_refusal("cifar:planes=9999999,depths=2,width=1,scale=4", bad, "',' or the end");
    expect_refusal("vd:planes=64,depths=2,width=26,scale=4,stem=63", bad, "even number");
    expect_refusal("cifar:planes=1024,depths=1-1-1-1,width=1024,scale=16", bad, "inside the last");
    expect_refusal("cifar:planes=32,depths=2-2-2,width=26,scale=4,", bad, "character 47");
}

static void every_bad_field_is_reported(void **state)
{
    (void)state;
    r2n_architecture a = find("Res2Net50_26w_4s");
    res2net_report *report = res2net_report_create();
    a.scale = 0;
    a.classes = -5;
    a.depths[3] = 100;
    assert_int_equal(r2n_architecture_validate(&a, "x.r2n", report), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(res2net_report_count(report), 3);
    assert_string_equal(res2net_report_problem(report, 0)->file, "x.r2n");
    res2net_report_destroy(report);
    a = find("Res2Net50_26w_4s");
    a.stages = 1000;
    assert_int_equal(r2n_architecture_validate(&a, NULL, NULL), RES2NET_INVALID_ARGUMENT);
    a = find("Res2Net50_26w_4s");
    memset(a.name, 'x', sizeof a.name);
    assert_int_equal(r2n_architecture_validate(&a, NULL, NULL), RES2NET_INVALID_ARGUMENT);
    a = find("Res2Net50_26w_4s");
    a.pooled_shortcut = 1;
    assert_int_equal(r2n_architecture_validate(&a, NULL, NULL), RES2NET_INVALID_ARGUMENT);
}

static void tensors_without_memory_are_null(void **state)
{
    (void)state;
    const r2n_architecture a = find("resnet50");
    size_t count = 5;
    r2n_memory_fail_after(0);
    assert_null(r2n_architecture_tensors(&a, &count));
    r2n_memory_fail_after(-1);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_the_published_ones),
        cmocka_unit_test(parameters_match_the_papers_table),
        cmocka_unit_test(tensors_add_up_and_have_unique_names),
        cmocka_unit_test(names_are_paddles_and_torchs),
        cmocka_unit_test(names_are_found_in_any_spelling),
        cmocka_unit_test(every_row_is_valid_and_found_by_all_its_names),
        cmocka_unit_test(misspelt_names_get_a_suggestion),
        cmocka_unit_test(specifications_make_small_networks),
        cmocka_unit_test(bad_specifications_are_refused_with_the_place),
        cmocka_unit_test(every_bad_field_is_reported),
        cmocka_unit_test(tensors_without_memory_are_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
