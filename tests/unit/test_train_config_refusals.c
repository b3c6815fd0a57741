/* SPDX-License-Identifier: Apache-2.0 */
/* What a training configuration may not say: every fault with its line and column, or with the
 * override that made it. */
#include "unit/expect.h"

#include "train/config.h"
#include "unit/train_config_fixture.h"

#ifdef R2N_HAVE_YAML

typedef struct refusal {
    const char *text;     /* sections; the rest is added below them */
    const char *override; /* or NULL */
    res2net_status status;
    int64_t line, column;
    const char *said;
} refusal;

static int failures; /* all of a test are told */

static void expect_refusal(const refusal *r)
{
    char text[4096];
    r2n_train_config config;
    res2net_report *report = res2net_report_create();
    complete_config(r->text, text, sizeof text);
    const res2net_status status = r2n_train_config_parse(text, strlen(text), "c.yaml", &r->override,
                                                         r->override != NULL, &config, report);
    if (status != r->status || res2net_report_count(report) != 1) {
        print_error("%s, %d problems for %s -o %s: %s\n", res2net_status_name(status),
                    (int)res2net_report_count(report), r->text,
                    r->override != NULL ? r->override : "nothing",
                    res2net_report_count(report) > 0 ? res2net_report_problem(report, 0)->text
                                                     : ""),
            failures++;
    } else {
        const res2net_problem *problem = res2net_report_problem(report, 0);
        if (strstr(problem->text, r->said) == NULL || problem->line != r->line ||
            problem->column != r->column) {
            print_error("\"%s\" at %d:%d is not \"%s\" at %d:%d\n", r->said, (int)r->line,
                        (int)r->column, problem->text, (int)problem->line, (int)problem->column);
            failures++;
        }
        assert_string_equal(problem->file, "c.yaml");
        assert_null(config.output_dir);
        assert_null(config.train.list);
    }
    if (status == RES2NET_OK)
        r2n_train_config_free(&config);
    res2net_report_destroy(report);
}

#define EXPECT_ALL(refusals)                                                                       \
    for (size_t i = 0; i < sizeof(refusals) / sizeof *(refusals); i++)                             \
    expect_refusal(&(refusals)[i])

#define BAD       RES2NET_INVALID_ARGUMENT
#define NOT_BUILT RES2NET_UNSUPPORTED

static int none_yet(void **state)
{
    (void)state;
    failures = 0;
    return 0;
}

static int no_failures(void **state)
{
    (void)state;
    return failures;
}

static void the_document(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {"Globl: 1\n", NULL, BAD, 1, 1, "did you mean \"Global\"?"},
        {"Arch: [\n", NULL, RES2NET_DAMAGED, 3, 1, "YAML error"},
        {"Slim: {quant: {name: pact}}\n", NULL, NOT_BUILT, 1, 7, "res2net quantize"},
        {"Optimizer_metric: {name: SGD}\n", NULL, NOT_BUILT, 1, 19, "Optimizer_metric"},
        {"Infer: {infer_img: x}\n", NULL, BAD, 1, 9, "did you mean \"infer_imgs\"?"},
        {"Metric: {Trian: }\n", NULL, BAD, 1, 10, "did you mean \"Train\"?"},
        {"Metric: {Train: [{GoogLeNetTopkAcc: }]}\n", NULL, NOT_BUILT, 1, 19, "TopkAcc is"},
        {"Metric: {Eval: [{TopkAcc: {topk: [1]}}]}\n", NULL, NOT_BUILT, 1, 34, "[1, 5]"},
        {"Metric: {Eval: [{TopkAcc: 5}]}\n", NULL, BAD, 1, 27, "key: value"},
    };
    EXPECT_ALL(refusals);
    r2n_train_config config;
    assert_int_equal(r2n_train_config_parse("- a", 3, "c.yaml", NULL, 0, &config, NULL), BAD);
    assert_int_equal(r2n_train_config_parse("", 0, "c.yaml", NULL, 0, &config, NULL), BAD);
}

static void globals(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {"Global: {epoch: 3}\n", NULL, BAD, 1, 10, "did you mean \"epochs\"?"},
        {"Global: {device: cpu}\n", NULL, BAD, 1, 9, "Global.epochs is missing"},
        {"Global: {epochs: 0}\n", NULL, BAD, 1, 18, "from 1 to 100000000"},
        {"Global: {epochs: 1.5}\n", NULL, BAD, 1, 18, "a whole number"},
        {"Global: {epochs: 3, seed: -1}\n", NULL, BAD, 1, 27, "from 0 to 4294967295"},
        {"Global: {epochs: 3, save_interval: -2}\n", NULL, BAD, 1, 36, "from -1 to"},
        {"Global: {epochs: 3, eval_during_train: 2}\n", NULL, BAD, 1, 40, "True or False"},
        {"Global: {epochs: 3, image_shape: [3, 224]}\n", NULL, BAD, 1, 34, "[3, rows, columns]"},
        {"Global: {epochs: 3, image_shape: [1, 28, 28]}\n", NULL, BAD, 1, 34, "three colours"},
        {"Global: {epochs: 3, image_shape: [3, 28.5, 28]}\n", NULL, BAD, 1, 34, "[3, rows"},
        {"Global: {epochs: 3, image_shape: [3, 0, 28]}\n", NULL, BAD, 1, 38, "image_shape is 0"},
        {"Global: {epochs: 3, image_shape: 224}\n", NULL, BAD, 1, 34, "a list of numbers"},
        {"Global: {epochs: 3, use_multilabel: True}\n", NULL, NOT_BUILT, 1, 37, "one label"},
        {"Global: {epochs: 3, use_dali: True}\n", NULL, NOT_BUILT, 1, 31, "DALI"},
        {"Global: {epochs: 3, iter_per_epoch: 10}\n", NULL, NOT_BUILT, 1, 37, "iter_per_epoch"},
        {"Global: {epochs: 3, eval_mode: retrieval}\n", NULL, NOT_BUILT, 1, 32,
         "Global.eval_mode retrieval of PaddleClas is not built here"},
        {"Global: {epochs: 3, train_mode: classifcation}\n", NULL, BAD, 1, 33,
         "did you mean \"classification\"?"},
        {"Global: {epochs: 3, sampler_order: padle}\n", NULL, BAD, 1, 36, "known are seed, paddle"},
        {"Global: {epochs: 3, pretrained_model: 'https://a/b.pdparams'}\n", NULL, NOT_BUILT, 1, 39,
         "fetch the file"},
        {"Global: {epochs: 3, pretrained_model: True}\n", NULL, BAD, 1, 39, "a text"},
        {"Global: {epochs: 3, checkpoints: out/latest.pdopt}\n", NULL, BAD, 1, 34,
         "leave out \".pdopt\""},
        {"Global: {epochs: 3, freeze_stages: 5}\n", NULL, BAD, 1, 36, "from 0 to 4"},
        {"Global: {epochs: 3, freeze_stages: 4}\n"
         "Arch: {name: 'cifar:planes=32,depths=2-2-2,width=26,scale=4'}\n",
         NULL, BAD, 1, 36, "has 3 stages"},
        {"Global: 3\n", NULL, BAD, 1, 9, "Global has no \"key: value\" lines"},
        {"AMP: {use_apm: True}\n", NULL, BAD, 1, 7, "did you mean \"use_amp\"?"},
        {"AMP: {level: O3}\n", NULL, BAD, 1, 14, "known are O0, O1, O2"},
        {"EMA: {decay: 1}\n", NULL, BAD, 1, 14, "from 0 to less than 1"},
        {"EMA: {deacy: 0.9}\n", NULL, BAD, 1, 7, "did you mean \"decay\"?"},
    };
    EXPECT_ALL(refusals);
}

static void architectures(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {"Arch: {class_num: 3}\n", NULL, BAD, 1, 7, "Arch.name is missing"},
        {"Arch:\n  name: Res2Net50_26w_5s\n", NULL, BAD, 2, 9,
         "did you mean \"Res2Net50_26w_4s\"?"},
        {"Arch: {name: 'cifar:planes=32,depths=2-2-x,width=26,scale=4'}\n", NULL, BAD, 1, 14,
         "Arch.name"},
        {"Arch: {name: DistillationModel, models: [{Teacher: }]}\n", NULL, NOT_BUILT, 1, 14,
         "DistillationModel is not there"},
        {"Arch: {name: Res2Net50_26w_4s, class_nums: 3}\n", NULL, BAD, 1, 32,
         "did you mean \"class_num\"?"},
        {"Arch: {name: Res2Net50_26w_4s, class_num: 0}\n", NULL, BAD, 1, 43, "from 1 to 1000000"},
        {"Arch: {name: Res2Net50_26w_4s, pretrained: True}\n", NULL, NOT_BUILT, 1, 44,
         "nothing is downloaded"},
        {"Arch: {name: Res2Net50_26w_4s, pretrained: [a]}\n", NULL, BAD, 1, 44, "a text"},
        {"Arch: {name: Res2Net50_26w_4s, family: timm}\n", NULL, BAD, 1, 40, "paddle, torch"},
        {"Arch: {name: Res2Net50_26w_4s, freeze_params_list: [True]}\n", NULL, NOT_BUILT, 1, 52,
         "DistillationModel"},
        {"Arch: {name: Res2Net50_26w_4s}\nGlobal: {epochs: 1, class_num: 0}\n", NULL, BAD, 2, 32,
         "class_num is 0"},
    };
    EXPECT_ALL(refusals);
}

static void losses(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {"Loss: {Trian: }\n", NULL, BAD, 1, 8, "did you mean \"Train\"?"},
        {"Loss: {Train: {CELoss: }}\n", NULL, BAD, 1, 15, "is no list of losses"},
        {"Loss: {Train: []}\n", NULL, BAD, 1, 15, "is no list of losses"},
        {"Loss: {Train: [CELoss]}\n", NULL, BAD, 1, 16, "a loss stands here"},
        {"Loss: {Train: [{CELos: }]}\n", NULL, BAD, 1, 17, "did you mean \"CELoss\"?"},
        {"Loss: {Train: [{TripletLoss: }]}\n", NULL, NOT_BUILT, 1, 17,
         "the loss TripletLoss of PaddleClas is not built here: there is CELoss"},
        {"Loss:\n  Train:\n    - CELoss: {weight: 1}\n    - CELoss: {weight: 1}\n", NULL, NOT_BUILT,
         4, 7, "a second loss"},
        {"Loss:\n  Train:\n    - CELoss: {weight: 1}\n    - CenterLoss: {weight: 1}\n", NULL,
         NOT_BUILT, 4, 7, "CenterLoss"},
        {"Loss: {Train: [{CELoss: {epsilonn: 0.1}}]}\n", NULL, BAD, 1, 26,
         "Loss.Train.0.CELoss has no key \"epsilonn\"; did you mean \"epsilon\"?"},
        {"Loss: {Train: [{CELoss: {epsilon: a}}]}\n", NULL, BAD, 1, 35, "a finite number"},
        {"Loss: {Train: [{CELoss: {weight: a}}]}\n", NULL, BAD, 1, 34, "a finite number"},
        {"Loss: {Train: [{CELoss: {reduction: sum}}]}\n", NULL, NOT_BUILT, 1, 37, "there is mean"},
        {"Loss: {Eval: [{CELoss: {class_weights: [1]}}]}\n", NULL, BAD, 1, 25, "has no key"},
        {"Loss: {Train: [{CELoss: {class_weights: [1, 2]}}]}\n"
         "Arch: {name: Res2Net50_26w_4s, class_num: 3}\n",
         NULL, BAD, 1, 41, "has 2 numbers, and there are 3 classes"},
        {"Loss: {Train: [{CELoss: {class_weights: [1, 2, 3]}}]}\n"
         "Arch: {name: Res2Net50_26w_4s, class_num: 2}\n",
         NULL, BAD, 1, 41, "has 3 numbers: at most 2"},
        {"Loss: {Train: [{CELoss: {class_weights: [0, 0]}}]}\n"
         "Arch: {name: Res2Net50_26w_4s, class_num: 2}\n",
         NULL, BAD, 1, 41, "all 0"},
        {"Loss: {Train: [{CELoss: {class_weights: [1, -1]}}]}\n"
         "Arch: {name: Res2Net50_26w_4s, class_num: 2}\n",
         NULL, BAD, 1, 45, "from 0 to"},
        {"Loss: {Train: [{CELoss: {class_weights: [1, 2]}}]}\n"
         "Arch: {name: Res2Net50_26w_4s, class_num: 2}\n"
         "DataLoader: {Train: {dataset: {cls_label_path: a, transform_ops: [{NormalizeImage: "
         "{order: ''}}],\n"
         "  batch_transform_ops: [{MixupOperator: {alpha: 0.2}}]}, sampler: {batch_size: 2}}}\n",
         NULL, NOT_BUILT, 1, 15, "class_weights with batch_transform_ops"},
    };
    EXPECT_ALL(refusals);
}

static void optimisers(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {"Optimizer: [{SGD: {scope: all}}]\n", NULL, NOT_BUILT, 1, 12, "a list of optimisers"},
        {"Optimizer: {lr: {learning_rate: 1}}\n", NULL, BAD, 1, 12, "Optimizer.name is missing"},
        {"Optimizer: {name: Momentun}\n", NULL, BAD, 1, 19, "did you mean \"Momentum\"?"},
        {"Optimizer: {name: RMSProp}\n", NULL, NOT_BUILT, 1, 19, "SGD, Momentum, AdamW"},
        {"Optimizer: {name: AdamWDL}\n", NULL, NOT_BUILT, 1, 19, "AdamWDL of PaddleClas"},
        {"Optimizer: {name: Momentum, momemtum: 0.9}\n", NULL, BAD, 1, 29,
         "did you mean \"momentum\"?"},
        {"Optimizer: {name: Momentum, momentum: 1}\n", NULL, BAD, 1, 39, "less than 1"},
        {"Optimizer: {name: SGD, momentum: 0.9}\n", NULL, BAD, 1, 24,
         "Optimizer has no key \"momentum\""},
        {"Optimizer: {name: SGD, weight_decay: -1}\n", NULL, BAD, 1, 38, "from 0 to"},
        {"Optimizer: {name: AdamW, regularizer: {name: L2, coeff: 1}}\n", NULL, BAD, 1, 39,
         "its own decay is weight_decay"},
        {"Optimizer: {name: AdamW, beta2: 1}\n", NULL, BAD, 1, 33, "beta2 is 1"},
        {"Optimizer: {name: SGD, regularizer: {name: L3}}\n", NULL, BAD, 1, 44, "L1, L2"},
        {"Optimizer: {name: SGD, regularizer: {coeff: 1}}\n", NULL, BAD, 1, 37,
         "Optimizer.regularizer.name is missing"},
        {"Optimizer: {name: SGD, regularizer: {name: L2, coef: 1}}\n", NULL, BAD, 1, 48,
         "did you mean \"coeff\"?"},
        {"Optimizer: {name: SGD, regularizer: L2}\n", NULL, BAD, 1, 37, "key: value"},
        {"Optimizer: {name: SGD, clip_norm: 1, clip_value: 2}\n", NULL, BAD, 1, 50, "one way"},
        {"Optimizer: {name: Momentum, no_weight_decay_name: [a]}\n", NULL, BAD, 1, 51, "a text"},
    };
    EXPECT_ALL(refusals);
}

/* "lr: {" begins at column 5 of line 2. */
static void expect_schedule_refusal(const char *lr, res2net_status status, int64_t column,
                                    const char *said)
{
    char text[512];
    const refusal r = {text, NULL, status, 2, column, said};
    snprintf(text, sizeof text, "Optimizer: {name: SGD,\nlr: {%s}}\n", lr);
    expect_refusal(&r);
}

static void schedules(void **state)
{
    (void)state;
    expect_schedule_refusal("", BAD, 5, "Optimizer.lr.learning_rate is missing");
    expect_schedule_refusal("name: Cosin, learning_rate: 1", BAD, 12, "did you mean \"Cosine\"?");
    expect_schedule_refusal("name: OneCycleLR, learning_rate: 1", NOT_BUILT, 12, "OneCycleLR");
    expect_schedule_refusal("name: Cosine, learning_rte: 1", BAD, 20,
                            "did you mean \"learning_rate\"?");
    expect_schedule_refusal("learning_rate: -1", BAD, 21, "from 0 to");
    expect_schedule_refusal("learning_rate: .nan", BAD, 21, "a finite number");
    expect_schedule_refusal("name: Cosine, learning_rate: 1, gamma: 0.1", BAD, 45,
                            "Cosine does not read gamma, which belongs to Step");
    expect_schedule_refusal("name: Cosine, warmup_epoch: -1, learning_rate: 1", BAD, 34,
                            "warmup_epoch is -1");
    expect_schedule_refusal("name: Linear, learning_rate: 1, cycle: True", NOT_BUILT, 45, "cycle");
    expect_schedule_refusal("name: Step, learning_rate: 1", BAD, 5, "lr.step_size is missing");
    expect_schedule_refusal("name: Step, learning_rate: 1, step_size: 0", BAD, 47, "step_size");
    expect_schedule_refusal("name: MultiStepDecay, learning_rate: 1", BAD, 5, "milestones is");
    expect_schedule_refusal("name: MultiStepDecay, learning_rate: 1, milestones: [3, 3]", BAD, 58,
                            "must increase");
    expect_schedule_refusal("name: MultiStepDecay, learning_rate: 1, milestones: [x]", BAD, 59,
                            "a finite number");
    expect_schedule_refusal("name: Piecewise, values: [1]", BAD, 5, "decay_epochs is missing");
    expect_schedule_refusal("name: Piecewise, decay_epochs: [1]", BAD, 5, "values is missing");
    expect_schedule_refusal("name: Piecewise, decay_epochs: [1], values: [1]", BAD, 50,
                            "one more was expected");
    expect_schedule_refusal("name: Piecewise, learning_rate: 1", NOT_BUILT, 38, "`values`");
    expect_schedule_refusal("learning_rate: 1, by_epoch: 2", BAD, 34, "True or False");
}

/* Below "Train:" at column 5, or "Eval:" below a whole Train. */
static void expect_data_refusal(const char *lines, int evaluation, res2net_status status,
                                int64_t line, int64_t column, const char *said)
{
    static const char train[] = "  Train: {dataset: {cls_label_path: a, transform_ops: [{"
                                "NormalizeImage: {order: ''}}]}, sampler: {batch_size: 2}}\n";
    char text[1024];
    const refusal r = {text, NULL, status, line + 2 + evaluation, column, said};
    snprintf(text, sizeof text, "DataLoader:\n%s  %s:\n%s", evaluation ? train : "",
             evaluation ? "Eval" : "Train", lines);
    expect_refusal(&r);
}

static void data(void **state)
{
    (void)state;
    static const char list[] = "    dataset: {cls_label_path: a, transform_ops: [{NormalizeImage: {"
                               "order: ''}}], ";
    char text[512];
#define DATASET(rest) (snprintf(text, sizeof text, "%s%s}\n", list, rest), text)
#define SAMPLER(rest) (snprintf(text, sizeof text, "%sname: null}\n    %s\n", list, rest), text)
    expect_data_refusal("    sampler: {batch_size: 2}\n", 0, BAD, 1, 5, "dataset is missing");
    expect_data_refusal("    dataset: {transform_ops: []}\n", 0, BAD, 1, 14,
                        "DataLoader.Train.dataset.cls_label_path is missing");
    expect_data_refusal("    dataset: {cls_label_path: a}\n", 0, BAD, 1, 14,
                        "transform_ops is missing");
    expect_data_refusal("    dataset: {cls_label_path: a, transform_ops: 3}\n", 0, BAD, 1, 49,
                        "a list of operators");
    expect_data_refusal("    dataset: {cls_label_pth: a}\n", 0, BAD, 1, 15,
                        "did you mean \"cls_label_path\"?");
    expect_data_refusal("    dataset: {name: MultiLabelDataset}\n", 0, NOT_BUILT, 1, 21,
                        "there are ImageNetDataset, CommonDataset");
    expect_data_refusal("    dataset: {name: ImageNetDatset}\n", 0, BAD, 1, 21,
                        "did you mean \"ImageNetDataset\"?");
    expect_data_refusal("    samplr: {}\n", 0, BAD, 1, 5, "did you mean \"sampler\"?");
    expect_data_refusal(DATASET("relabel: True"), 0, NOT_BUILT, 1, 91, "write the labels");
    expect_data_refusal(DATASET("on_bad_image: replace"), 0, BAD, 1, 96, "stop, skip");
    expect_data_refusal(DATASET("delimiter: \"\""), 0, BAD, 1, 93, "delimiter must be a text");
    expect_data_refusal(DATASET("batch_transform_ops: 3"), 0, BAD, 1, 103, "list of operators");
    expect_data_refusal(DATASET("name: null"), 0, BAD, 1, 5, "batch_size is missing");
    expect_data_refusal(SAMPLER("sampler: {name: PKSampler}"), 0, NOT_BUILT, 2, 21, "PKSampler");
    expect_data_refusal(SAMPLER("sampler: {batch_size: 0}"), 0, BAD, 2, 27, "from 1 to 16384");
    expect_data_refusal(SAMPLER("sampler: {batchsize: 1}"), 0, BAD, 2, 15, "\"batch_size\"?");
    expect_data_refusal(SAMPLER("sampler: {batch_size: 1, drop_last: 3}"), 0, BAD, 2, 41, "True");
    expect_data_refusal(SAMPLER("sampler: {batch_size: 1}\n    loader: {num_worker: 2}"), 0, BAD, 3,
                        14, "did you mean \"num_workers\"?");
    expect_data_refusal(SAMPLER("sampler: {batch_size: 1}\n    loader: {num_workers: -1}"), 0, BAD,
                        3, 27, "num_workers is -1");
    /* Eval */
    expect_data_refusal("    dataset: {image_root: a}\n", 1, BAD, 1, 14, "cls_label_path is");
    expect_data_refusal(DATASET("batch_transform_ops: [{MixupOperator: }]"), 1, NOT_BUILT, 1, 103,
                        "takes them as they are");
    expect_data_refusal("    dataset: {cls_label_path: a, transform_ops: [{RandFlipImage: }, "
                        "{NormalizeImage: {order: ''}}]}\n",
                        1, BAD, 1, 51, "RandFlipImage");
    expect_data_refusal(SAMPLER("sampler: {drop_last: True}"), 1, NOT_BUILT, 2, 26, "is counted");
    expect_data_refusal(SAMPLER("sampler: {balanced: True}"), 1, NOT_BUILT, 2, 25, "counted once");
    const refusal refusals[] = {
        {"DataLoader: {Trian: }\n", NULL, BAD, 1, 14, "did you mean \"Train\"?"},
        {"DataLoader: {UnLabelTrain: {dataset: }}\n", NULL, NOT_BUILT, 1, 28, "UnLabelTrain"},
        {"Global: {epochs: 1, sampler_order: paddle}\nDataLoader: {Train: {dataset: {"
         "cls_label_path: a, transform_ops: [{NormalizeImage: {order: ''}}]},\n"
         "  sampler: {name: BatchSampler, batch_size: 2}}}\n",
         NULL, BAD, 1, 36, "the sampler is another"},
        {"Global: {epochs: 1, sampler_order: paddle}\nDataLoader: {Train: {dataset: {"
         "cls_label_path: a, transform_ops: [{NormalizeImage: {order: ''}}]},\n"
         "  sampler: {balanced: True, batch_size: 2}}}\n",
         NULL, BAD, 1, 36, "knows no balanced set"},
    };
    EXPECT_ALL(refusals);
}

static void overrides(void **state)
{
    (void)state;
    const refusal refusals[] = {
        {"", "Global.epochs", BAD, -1, -1, "KEY=VALUE was expected"},
        {"", "Arch.name=cifar:planes=32", BAD, -1, -1, "more than one '='"},
        {"", "Globl.epochs=3", BAD, -1, -1, "did you mean \"Global\"?"},
        {"", "Global.epochz=3", BAD, -1, -1,
         "-o Global.epochz=3: Global has no key \"epochz\"; did you mean \"epochs\"?"},
        {"", "Global.epochs=True", BAD, -1, -1, "-o Global.epochs=True: epochs is True"},
        {"", "Global.use_visualdl=true", BAD, -1, -1, "True or False"}, /* a text in Python */
        {"", "Optimizer.lr.warmup_epochs=5", BAD, -1, -1, "did you mean \"warmup_epoch\"?"},
        {"", "Optimizer.name=Adam", NOT_BUILT, -1, -1, "-o Optimizer.name=Adam: Optimizer.name"},
        {"", "DataLoader.Train.sampler.batchsize=3", BAD, -1, -1, "did you mean \"batch_size\"?"},
        {"", "DataLoader.Train.dataset.transform_ops.1.X=3", BAD, -1, -1, "fewer items"},
        {"", "DataLoader.Train.dataset.cls_label_path=None", BAD, 6, 14, "is missing"},
        {"", "Loss.Train=None", RES2NET_OK, 0, 0, ""},
        {"", "EMA.decays=0.9", BAD, -1, -1, "did you mean \"decay\"?"},
        {"", "AMP.use_amp=1", BAD, -1, -1, "True or False"},
        {"", "Arch=x", BAD, -1, -1, "-o Arch=x: Arch has no"},
        {"", "Slim.quant=1", BAD, -1, -1, "nothing here would read a new one"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (refusals[i].status != RES2NET_OK) {
            expect_refusal(&refusals[i]);
            continue;
        }
        r2n_train_config config;
        parse_with(refusals[i].text, &refusals[i].override, 1, &config);
        r2n_train_config_free(&config);
    }
}

#endif

int main(void)
{
#ifdef R2N_HAVE_YAML
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_document, none_yet, no_failures),
        cmocka_unit_test_setup_teardown(globals, none_yet, no_failures),
        cmocka_unit_test_setup_teardown(architectures, none_yet, no_failures),
        cmocka_unit_test_setup_teardown(losses, none_yet, no_failures),
        cmocka_unit_test_setup_teardown(optimisers, none_yet, no_failures),
        cmocka_unit_test_setup_teardown(schedules, none_yet, no_failures),
        cmocka_unit_test_setup_teardown(data, none_yet, no_failures),
        cmocka_unit_test_setup_teardown(overrides, none_yet, no_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return 0;
#endif
}
