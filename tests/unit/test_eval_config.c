/* SPDX-License-Identifier: Apache-2.0 */
/* PaddleClas configurations for `eval -c`: the five as they are, and refusals by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "data/eval_config.h"
#include "image/image.h"

#ifdef R2N_HAVE_YAML

static void the_five_are_read(void **state)
{
    (void)state;
    static const char *const names[] = {"Res2Net50_26w_4s", "Res2Net50_14w_8s",
                                        "Res2Net50_vd_26w_4s", "Res2Net101_vd_26w_4s",
                                        "Res2Net200_vd_26w_4s"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        res2net_evaluate_config config;
        r2n_file_bytes file;
        r2n_recipe preset;
        r2n_recipe recipe;
        snprintf(path, sizeof path, "%s/configs/ImageNet/Res2Net/%s.yaml", R2N_SOURCE_DIR,
                 names[i]);
        assert_int_equal(res2net_evaluate_config_read(path, &config, NULL), RES2NET_OK);
        assert_string_equal(config.architecture, names[i]);
        assert_int_equal(config.classes, 1000);
        assert_null(config.weights);
        assert_string_equal(config.list, "./dataset/ILSVRC2012/val_list.txt");
        assert_string_equal(config.root, "./dataset/ILSVRC2012/");
        assert_int_equal(config.batch, 64);
        assert_true(config.has_transforms);
        res2net_evaluate_config_free(&config);
        /* Its evaluation list is the preset `paddle`. */
        memset(&preset, 0, sizeof preset);
        memset(&recipe, 0, sizeof recipe);
        r2n_recipe_paddle(&preset);
        assert_int_equal(r2n_file_read(path, 1 << 20, &file, NULL), RES2NET_OK);
        assert_int_equal(
            r2n_recipe_parse_yaml((const char *)file.data, file.size, path, &recipe, NULL),
            RES2NET_OK);
        r2n_file_release(&file);
        assert_memory_equal(&recipe, &preset, sizeof preset);
    }
}

static void refused(const char *text, res2net_status expected, const char *said)
{
    res2net_evaluate_config config;
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_eval_config_parse(text, strlen(text), "c.yaml", &config, report),
                     expected);
    assert_true(res2net_report_count(report) > 0);
    const res2net_problem *problem = res2net_report_problem(report, 0);
    if (strstr(problem->text, said) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", said, problem->text);
    assert_null(config.list);
    res2net_report_destroy(report);
}

static void faults_are_told_by_line(void **state)
{
    (void)state;
    refused("Arhc:\n  name: x\n", RES2NET_INVALID_ARGUMENT, "Arch");
    refused("Arch:\n  nmae: x\n", RES2NET_INVALID_ARGUMENT, "name");
    refused("Arch: {name: x}\n", RES2NET_INVALID_ARGUMENT, "DataLoader.Eval.dataset");
    refused("DataLoader: [1]\n", RES2NET_INVALID_ARGUMENT, "DataLoader");
    refused("DataLoader: {Eval: {dataset: {cls_label_pth: a}}}\n", RES2NET_INVALID_ARGUMENT,
            "cls_label_path");
    refused("DataLoader: {Eval: {dataset: {cls_label_path: a, delimiter: ','}}}\n",
            RES2NET_UNSUPPORTED, "blank");
    refused("DataLoader: {Eval: {dataset: {cls_label_path: a, relabel: True}}}\n",
            RES2NET_UNSUPPORTED, "relabel");
    refused("DataLoader: {Eval: {dataset: {cls_label_path: a}, sampler: {batch_size: 0}}}\n",
            RES2NET_INVALID_ARGUMENT, "batch_size");
    refused("DataLoader: {Eval: {dataset: {cls_label_path: [a]}}}\n", RES2NET_INVALID_ARGUMENT,
            "cls_label_path");
    refused("- a\n", RES2NET_INVALID_ARGUMENT, "configuration");
}

static void weights_get_their_ending(void **state)
{
    (void)state;
    static const char text[] = "Global: {pretrained_model: output/best_model}\n"
                               "DataLoader: {Eval: {dataset: {cls_label_path: a}}}\n";
    res2net_evaluate_config config;
    assert_int_equal(r2n_eval_config_parse(text, strlen(text), "c.yaml", &config, NULL),
                     RES2NET_OK);
    assert_string_equal(config.weights, "output/best_model.pdparams");
    assert_false(config.has_transforms);
    res2net_evaluate_config_free(&config);
}

#else

static void without_libyaml_it_says_so(void **state)
{
    (void)state;
    res2net_evaluate_config config;
    assert_int_equal(r2n_eval_config_parse("", 0, "c.yaml", &config, NULL), RES2NET_UNSUPPORTED);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef R2N_HAVE_YAML
        cmocka_unit_test(the_five_are_read),
        cmocka_unit_test(faults_are_told_by_line),
        cmocka_unit_test(weights_get_their_ending),
#else
        cmocka_unit_test(without_libyaml_it_says_so),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
