/* SPDX-License-Identifier: Apache-2.0 */
/* PaddleClas configurations for `eval -c`: the five as they are, overrides, and refusals by line.
 */
#include "unit/expect.h"

#include <stdlib.h>

#include "data/eval_config.h"
#include "image/image.h"

#ifdef R2N_HAVE_YAML

static const char *const names[] = {"Res2Net50_26w_4s", "Res2Net50_14w_8s", "Res2Net50_vd_26w_4s",
                                    "Res2Net101_vd_26w_4s", "Res2Net200_vd_26w_4s"};

static void the_five_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        res2net_evaluate_config config;
        r2n_recipe preset;
        r2n_recipe recipe;
        snprintf(path, sizeof path, "%s/configs/ImageNet/Res2Net/%s.yaml", R2N_SOURCE_DIR,
                 names[i]);
        assert_int_equal(res2net_evaluate_config_read(path, NULL, 0, &config, NULL), RES2NET_OK);
        assert_string_equal(config.architecture, names[i]);
        assert_int_equal(config.classes, 1000);
        assert_null(config.weights);
        assert_string_equal(config.list, "./dataset/ILSVRC2012/val_list.txt");
        assert_string_equal(config.root, "./dataset/ILSVRC2012/");
        assert_null(config.delimiter);
        assert_int_equal(config.batch, 64);
        assert_string_equal(config.file, path);
        /* Its evaluation list is the preset `paddle`, and so is it as --transforms. */
        memset(&preset, 0, sizeof preset);
        memset(&recipe, 0, sizeof recipe);
        r2n_recipe_paddle(&preset);
        assert_non_null(config.transforms);
        assert_int_equal(r2n_recipe_parse_json(config.transforms, strlen(config.transforms), path,
                                               &recipe, NULL),
                         RES2NET_OK);
        assert_memory_equal(&recipe, &preset, sizeof preset);
        r2n_file_bytes file = expect_file(path);
        assert_int_equal(
            r2n_recipe_parse_yaml((const char *)file.data, file.size, path, &recipe, NULL),
            RES2NET_OK);
        r2n_file_release(&file);
        assert_memory_equal(&recipe, &preset, sizeof preset);
        res2net_evaluate_config_free(&config);
    }
}

/* Pixels too, not only the recipe: a picture through each config and through the preset. */
static void the_five_give_the_presets_tensor(void **state)
{
    (void)state;
    enum { WIDTH = 301, HEIGHT = 283, SIDE = 224 };
    static uint8_t rgb[WIDTH * HEIGHT * 3];
    static float wanted[3 * SIDE * SIDE], found[3 * SIDE * SIDE];
    const r2n_pixels picture = {.width = WIDTH, .height = HEIGHT, .rgb = rgb};
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof rgb; i++)
        rgb[i] = (uint8_t)((random = random * 1664525u + 1013904223u) >> 24);
    for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
        r2n_recipe recipe;
        r2n_pixels cropped;
        r2n_recipe_paddle(&recipe);
        if (i > 0) {
            char path[512];
            res2net_evaluate_config config;
            snprintf(path, sizeof path, "%s/configs/ImageNet/Res2Net/%s.yaml", R2N_SOURCE_DIR,
                     names[i - 1]);
            assert_int_equal(res2net_evaluate_config_read(path, NULL, 0, &config, NULL),
                             RES2NET_OK);
            assert_int_equal(r2n_recipe_parse_json(config.transforms, strlen(config.transforms),
                                                   path, &recipe, NULL),
                             RES2NET_OK);
            res2net_evaluate_config_free(&config);
        }
        assert_int_equal(r2n_recipe_apply_pixels(&recipe, &picture, "noise", &cropped, NULL),
                         RES2NET_OK);
        assert_int_equal(cropped.width * cropped.height, SIDE * SIDE);
        r2n_normalise(&recipe, &cropped, i == 0 ? wanted : found, SIDE, 1, SIDE * SIDE);
        r2n_pixels_free(&cropped);
        if (i > 0)
            assert_memory_equal(found, wanted, sizeof wanted);
    }
}

typedef struct refusal {
    const char *text;     /* the file */
    const char *override; /* or NULL */
    res2net_status status;
    int64_t line, column;
    const char *said;
} refusal;

static void expect_refusal(const refusal *r)
{
    res2net_evaluate_config config;
    res2net_report *report = res2net_report_create();
    const res2net_status status = r2n_eval_config_parse(
        r->text, strlen(r->text), "c.yaml", &r->override, r->override != NULL, &config, report);
    if (status != r->status || res2net_report_count(report) != 1)
        fail_msg("%s for %s -o %s", res2net_status_name(status), r->text,
                 r->override != NULL ? r->override : "nothing");
    const res2net_problem *problem = res2net_report_problem(report, 0);
    if (strstr(problem->text, r->said) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", r->said, problem->text);
    if (problem->line != r->line || problem->column != r->column)
        fail_msg("line %d, column %d: %s", (int)problem->line, (int)problem->column, problem->text);
    assert_string_equal(problem->file, "c.yaml");
    assert_null(config.list);
    assert_null(config.file);
    res2net_report_destroy(report);
}

static void faults_are_told_by_line_and_column(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {"", NULL, RES2NET_INVALID_ARGUMENT, 1, 1, "a PaddleClas configuration was expected"},
        {"- a\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 1, "a PaddleClas configuration was expected"},
        {"Arch: [\n", NULL, RES2NET_DAMAGED, 2, 1, "YAML error"},
        {"Arhc:\n  name: x\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 1, "did you mean \"Arch\"?"},
        {"Arch:\n  nmae: x\n", NULL, RES2NET_INVALID_ARGUMENT, 2, 3, "did you mean \"name\"?"},
        {"Arch: {name: [x]}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 14, "name must be a text"},
        {"Arch: {name: x, name: y}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 17, "\"name\" twice"},
        {"Arch: 7\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 7, "Arch has no \"key: value\" lines"},
        {"Arch:\n  class_num: 0\n", NULL, RES2NET_INVALID_ARGUMENT, 2, 14, "from 1 to 1000000"},
        {"Global:\n  pretraned_model: x\n", NULL, RES2NET_INVALID_ARGUMENT, 2, 3,
         "did you mean \"pretrained_model\"?"},
        {"Global: {pretrained_model: True}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 28, "a text"},
        {"Global: {eval_mode: retrieval}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 21,
         "known are classification"},
        {"Global: {use_multilabel: True}\n", NULL, RES2NET_UNSUPPORTED, 1, 26, "one label"},
        {"DataLoader: [1]\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 13, "DataLoader"},
        {"DataLoader: {Evel: }\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 14, "\"Eval\"?"},
        {"DataLoader:\n  Eval:\n    dataset:\n      cls_label_pth: a\n", NULL,
         RES2NET_INVALID_ARGUMENT, 4, 7, "did you mean \"cls_label_path\"?"},
        {"DataLoader: {Eval: {dataset: {name: VeriWild}}}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 37,
         "known are ImageNetDataset"},
        {"DataLoader: {Eval: {dataset: {delimiter: \"\"}}}\n", NULL, RES2NET_INVALID_ARGUMENT, 1,
         42, "delimiter must be a text"},
        {"DataLoader: {Eval: {dataset: {delimiter: \"\\n\"}}}\n", NULL, RES2NET_INVALID_ARGUMENT, 1,
         42, "within a line"},
        {"DataLoader: {Eval: {dataset: {relabel: True}}}\n", NULL, RES2NET_UNSUPPORTED, 1, 40,
         "relabel"},
        {"DataLoader: {Eval: {dataset: {batch_transform_ops: [{MixupOperator: }]}}}\n", NULL,
         RES2NET_UNSUPPORTED, 1, 52, "mix pictures"},
        {"DataLoader: {Eval: {dataset: {transform_ops: 3}}}\n", NULL, RES2NET_INVALID_ARGUMENT, 1,
         46, "a list of operators"},
        {"DataLoader:\n Eval:\n  dataset:\n   transform_ops:\n    - CropImge: {size: 3}\n", NULL,
         RES2NET_INVALID_ARGUMENT, 5, 7, "did you mean \"CropImage\"?"},
        {"DataLoader: {Eval: {sampler: {batch_size: 0}}}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 43,
         "batch_size"},
        {"DataLoader: {Eval: {sampler: {drop_last: True}}}\n", NULL, RES2NET_UNSUPPORTED, 1, 42,
         "every picture is counted"},
        {"DataLoader: {Eval: {sampler: {name: PKSampler}}}\n", NULL, RES2NET_INVALID_ARGUMENT, 1,
         37, "sampler's name"},
        {"DataLoader: {Eval: {loader: {num_worker: 4}}}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 30,
         "did you mean \"num_workers\"?"},
        {"Metric: {Evl: }\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 10, "did you mean \"Eval\"?"},
        {"Metric: {Eval: {TopkAcc: }}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 16, "is no list"},
        {"Metric: {Eval: [TopkAcc]}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 17, "a metric was"},
        {"Metric:\n  Eval:\n    - Recallk: {topk: [1, 5]}\n", NULL, RES2NET_UNSUPPORTED, 3, 7,
         "\"Recallk\""},
        {"Metric:\n  Eval:\n    - TopkAcc: {topk: [1, 3]}\n", NULL, RES2NET_UNSUPPORTED, 3, 23,
         "topk must be [1, 5]"},
        {"Metric: {Eval: [{TopkAcc: {topk: 1}}]}\n", NULL, RES2NET_UNSUPPORTED, 1, 34, "[1, 5]"},
        {"Metric: {Eval: [{TopkAcc: {topk: [1]}}]}\n", NULL, RES2NET_UNSUPPORTED, 1, 34, "[1, 5]"},
        {"Metric: {Eval: [{TopkAcc: {top: [1]}}]}\n", NULL, RES2NET_INVALID_ARGUMENT, 1, 28,
         "did you mean \"topk\"?"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        expect_refusal(&refusals[i]);
}

static void faults_of_overrides_name_them(void **state)
{
    (void)state;
    static const char text[] = "Global: {epochs: 3}\nArch: {name: x, class_num: 3}\n"
                               "Optimizer: {lr: {learning_rate: 0.1}}\n"
                               "Metric:\n  Train:\n  Eval:\n    - TopkAcc: {topk: [1, 5]}\n";
    const refusal refusals[] = {
        {text, "Arch.class_num", RES2NET_INVALID_ARGUMENT, -1, -1, "KEY=VALUE was expected"},
        {text, "Global.pretrained_model=a=b", RES2NET_INVALID_ARGUMENT, -1, -1,
         "-o Global.pretrained_model=a=b: there is more than one '='"},
        {text, "Arch..name=x", RES2NET_INVALID_ARGUMENT, -1, -1, "a name is missing"},
        {text, "=x", RES2NET_INVALID_ARGUMENT, -1, -1, "a name is missing"},
        {text, "Arch.=x", RES2NET_INVALID_ARGUMENT, -1, -1, "a name is missing"},
        {text, "Arch.name=\xff", RES2NET_INVALID_ARGUMENT, -1, -1, "not UTF-8"},
        {text, "Arhc.name=x", RES2NET_INVALID_ARGUMENT, -1, -1, "did you mean \"Arch\"?"},
        {text, "Arch.nmae=x", RES2NET_INVALID_ARGUMENT, -1, -1,
         "-o Arch.nmae=x: Arch has no key \"nmae\"; did you mean \"name\"?"},
        {text, "Optimizer.lr.learnin_rate=1", RES2NET_INVALID_ARGUMENT, -1, -1,
         "did you mean \"learning_rate\"?"},
        {text, "Optimizer.lr.warmup_epoch=5", RES2NET_INVALID_ARGUMENT, -1, -1,
         "nothing here would read a new one"},
        {text, "Global.epochz=5", RES2NET_INVALID_ARGUMENT, -1, -1, "did you mean \"epochs\"?"},
        {text, "Global.epochs.x=5", RES2NET_INVALID_ARGUMENT, -1, -1, "has no keys"},
        {text, "Metric.Train.x=5", RES2NET_INVALID_ARGUMENT, -1, -1, "has no keys"},
        {text, "Metric.Eval.1=5", RES2NET_INVALID_ARGUMENT, -1, -1, "fewer items"},
        {text, "Metric.Eval.TopkAcc=5", RES2NET_INVALID_ARGUMENT, -1, -1, "the number of an item"},
        {text, "Metric.Eval.0.TopkAcc.topk=[1,10]", RES2NET_UNSUPPORTED, -1, -1, "[1, 5]"},
        {text, "Metric.Eval.0.TopkAcc.topk=(1)", RES2NET_UNSUPPORTED, -1, -1, "[1, 5]"},
        {text, "Arch.class_num='3'", RES2NET_INVALID_ARGUMENT, -1, -1, "a whole number"},
        {text, "Arch.class_num=007", RES2NET_INVALID_ARGUMENT, -1, -1, "a whole number"},
        {text, "Arch.class_num=1e3", RES2NET_INVALID_ARGUMENT, -1, -1, "a whole number"},
        {text, "Arch.class_num=null", RES2NET_INVALID_ARGUMENT, -1, -1, "a whole number"},
        {text, "Arch=x", RES2NET_INVALID_ARGUMENT, -1, -1, "-o Arch=x: Arch has no \"key: value\""},
        {text, "DataLoader.Eval.sampler.drop_last=true", RES2NET_INVALID_ARGUMENT, -1, -1,
         "True or False"}, /* Python knows no true: this is a text */
        {text, "DataLoader.Eval.sampler.drop_last=True", RES2NET_UNSUPPORTED, -1, -1, "counted"},
        {text, "DataLoader.Eval.sampler.batchsize=3", RES2NET_INVALID_ARGUMENT, -1, -1,
         "did you mean \"batch_size\"?"},
        {"- a\n", "x=1", RES2NET_INVALID_ARGUMENT, -1, -1, "the number of an item"},
        {"7\n", "x=1", RES2NET_INVALID_ARGUMENT, -1, -1, "has no keys"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        expect_refusal(&refusals[i]);
    char long_one[5000];
    memset(long_one, 'a', sizeof long_one);
    memcpy(long_one, "Arch.name=", 10);
    long_one[sizeof long_one - 1] = '\0';
    const refusal too_long = {text, long_one, RES2NET_LIMIT_EXCEEDED, -1, -1, "the limit is 4096"};
    expect_refusal(&too_long);
}

static void parse(const char *text, const char *const *overrides, size_t count,
                  res2net_evaluate_config *config)
{
    res2net_report *report = res2net_report_create();
    if (r2n_eval_config_parse(text, strlen(text), "c.yaml", overrides, count, config, report) !=
        RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    assert_int_equal(res2net_report_count(report), 0);
    res2net_report_destroy(report);
}

static void overrides_change_what_the_file_says(void **state)
{
    (void)state;
    static const char text[] =
        "Global: {epochs: 3, pretrained_model: old}\nArch: {name: x, class_num: &n 3}\n"
        "DataLoader:\n  Eval:\n    dataset:\n      image_root: 'null'\n      transform_ops:\n"
        "        - ResizeImage: {resize_short: 256}\n        - NormalizeImage: {order: ''}\n"
        "Loss: {classes: *n}\nMetric: {Eval: [{TopkAcc: {topk: [1]}}]}\n";
    static const char *const overrides[] = {
        "Arch.class_num=4",
        "Arch.class_num=10", /* the last counts */
        "Arch.name='Res2Net50_26w_4s'",
        "Global.epochs=0.5",
        "Global.seed= 7 ",
        "Global.pretrained_model=null", /* Python knows no null: a path */
        "DataLoader.Eval.dataset.image_root=None",
        "DataLoader.Eval.dataset.cls_label_path=a b.txt ",
        "DataLoader.Eval.dataset.delimiter=,",
        "DataLoader.Eval.dataset.transform_ops.0.ResizeImage.resize_short=32",
        "DataLoader.Eval.sampler.batch_size=5",
        "Metric.Eval.0.TopkAcc.topk= [1, 5,] ",
        "Loss.classes=['a,b', \"c\", -1, +2.5e-3, .5, 5., None, True]"};
    res2net_evaluate_config config;
    r2n_recipe recipe;
    parse(text, overrides, sizeof overrides / sizeof *overrides, &config);
    assert_int_equal(config.classes, 10);
    assert_string_equal(config.architecture, "Res2Net50_26w_4s");
    assert_string_equal(config.weights, "null.pdparams");
    assert_null(config.root);
    assert_string_equal(config.list, "a b.txt ");
    assert_string_equal(config.delimiter, ",");
    assert_int_equal(config.batch, 5);
    assert_int_equal(config.class_place.line, -1);
    assert_int_equal(
        r2n_recipe_parse_json(config.transforms, strlen(config.transforms), "t", &recipe, NULL),
        RES2NET_OK);
    assert_int_equal(recipe.resize_short, 32);
    res2net_evaluate_config_free(&config);
    static const char *const tuple[] = {"Metric.Eval.0.TopkAcc.topk=(1,5)"};
    parse(text, tuple, 1, &config);
    assert_int_equal(config.classes, 3);
    assert_int_equal(config.class_place.line, 2);
    assert_int_equal(config.class_place.column, 28);
    assert_string_equal(config.root, "null"); /* quoted in the file: a text */
    res2net_evaluate_config_free(&config);
}

static void weights_are_named_as_in_paddleclas(void **state)
{
    (void)state;
    static const struct {
        const char *text, *weights;
    } rows[] = {
        {"Global: {pretrained_model: output/best_model}\n", "output/best_model.pdparams"},
        {"Global: {pretrained_model: output/a.b}\n", "output/a.b.pdparams"},
        {"Global: {pretrained_model: a.pdparams}\n", "a.pdparams"},
        {"Global: {pretrained_model: a.r2n}\n", "a.r2n"},
        {"Global: {pretrained_model: null}\n", NULL},
        {"Global: {pretrained_model: None}\n", NULL},
        {"Global: {pretrained_model: 'None'}\n", NULL},
        {"Global: {pretrained_model: }\nArch: {pretrained: True}\n", NULL},
        {"Arch: {pretrained: False}\n", NULL},
        {"Arch: {pretrained: net}\n", "net.pdparams"},
        {"Global: {pretrained_model: one}\nArch: {pretrained: two}\n", "one.pdparams"},
        {"Global: {use_xpu: False, x: 1}\nAMP: {a: 1}\nEMA: {decay: 0.9}\nMetric: {Train: }\n",
         NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        res2net_evaluate_config config;
        parse(rows[i].text, NULL, 0, &config);
        if (rows[i].weights == NULL)
            assert_null(config.weights);
        else
            assert_string_equal(config.weights, rows[i].weights);
        assert_null(config.list);
        assert_null(config.transforms);
        assert_int_equal(config.batch, 0);
        res2net_evaluate_config_free(&config);
    }
}

static void delimiters_are_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *delimiter;
    } rows[] = {{"DataLoader: {Eval: {dataset: {delimiter: ' '}}}", NULL},
                {"DataLoader: {Eval: {dataset: {delimiter: null}}}", NULL},
                {"DataLoader: {Eval: {dataset: {delimiter: \"\\t\"}}}", "\t"},
                {"DataLoader: {Eval: {dataset: {delimiter: ', '}}}", ", "}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        res2net_evaluate_config config;
        parse(rows[i].text, NULL, 0, &config);
        if (rows[i].delimiter == NULL)
            assert_null(config.delimiter);
        else
            assert_string_equal(config.delimiter, rows[i].delimiter);
        res2net_evaluate_config_free(&config);
    }
}

static void names_are_looked_up(void **state)
{
    (void)state;
    char path[512];
    static const char *const misspelt[] = {"Arch.name=Res2Net50_26w_5s"};
    static const char *const alias[] = {"Arch.name=RES2NET50_26W_4S", "Arch.class_num=7"};
    res2net_evaluate_config config;
    res2net_report *report = res2net_report_create();
    snprintf(path, sizeof path, "%s/configs/ImageNet/Res2Net/Res2Net50_26w_4s.yaml",
             R2N_SOURCE_DIR);
    assert_int_equal(res2net_evaluate_config_read(path, misspelt, 1, &config, report),
                     RES2NET_INVALID_ARGUMENT);
    expect_problem(report, RES2NET_NOT_FOUND, "did you mean \"Res2Net50_26w_4s\"?");
    assert_int_equal(res2net_evaluate_config_read("/absent.yaml", NULL, 0, &config, report),
                     RES2NET_NOT_FOUND);
    expect_problem(report, RES2NET_NOT_FOUND, "");
    assert_int_equal(res2net_evaluate_config_read(path, alias, 2, &config, report), RES2NET_OK);
    assert_int_equal(res2net_report_count(report), 0);
    /* And the head is checked at its place. */
    res2net_model *model;
    assert_int_equal(res2net_model_create("cifar:planes=16,depths=1-1-1,width=26,scale=4,classes=6",
                                          RES2NET_FAMILY_UNKNOWN, 1, &model, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_evaluate_config_check(&config, model, report), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "Arch.class_num is 7, but the weights have 6");
    config.classes = 6;
    assert_int_equal(res2net_evaluate_config_check(&config, model, report), RES2NET_OK);
    config.classes = 0;
    assert_int_equal(res2net_evaluate_config_check(&config, model, report), RES2NET_OK);
    res2net_model_destroy(model);
    res2net_evaluate_config_free(&config);
    res2net_report_destroy(report);
}

static res2net_status attempt(void *context)
{
    static const char text[] = "Global: {pretrained_model: a}\nArch: {name: b, class_num: 3}\n"
                               "DataLoader:\n  Eval:\n    dataset:\n      image_root: c\n"
                               "      cls_label_path: d\n      delimiter: ','\n"
                               "      transform_ops: [{NormalizeImage: {order: ''}}]\n";
    res2net_evaluate_config config;
    const res2net_status status =
        r2n_eval_config_parse(text, strlen(text), "c.yaml", NULL, 0, &config, context);
    res2net_evaluate_config_free(&config);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    expect_every_allocation_may_fail(attempt, NULL);
}

#else

static void without_libyaml_it_says_so(void **state)
{
    (void)state;
    res2net_evaluate_config config;
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_eval_config_parse("", 0, "c.yaml", NULL, 0, &config, report),
                     RES2NET_UNSUPPORTED);
    expect_problem(report, RES2NET_UNSUPPORTED, "no libyaml");
    res2net_report_destroy(report);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef R2N_HAVE_YAML
        cmocka_unit_test(the_five_are_read),
        cmocka_unit_test(the_five_give_the_presets_tensor),
        cmocka_unit_test(faults_are_told_by_line_and_column),
        cmocka_unit_test(faults_of_overrides_name_them),
        cmocka_unit_test(overrides_change_what_the_file_says),
        cmocka_unit_test(weights_are_named_as_in_paddleclas),
        cmocka_unit_test(delimiters_are_texts),
        cmocka_unit_test(names_are_looked_up),
        cmocka_unit_test(every_allocation_may_fail),
#else
        cmocka_unit_test(without_libyaml_it_says_so),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
