/* SPDX-License-Identifier: Apache-2.0 */
/* Training configurations: PaddleClas' five as they are, the rules of each section, overrides, and
 * where a value came from. Refusals: test_train_config_refusals.c. */
#include "unit/expect.h"

#include <stdlib.h>

#include "data/eval_config.h"
#include "data/paddleclas.h"
#include "train/config.h"
#include "unit/train_config_fixture.h"

#ifdef R2N_HAVE_YAML

static const char *const names[] = {"Res2Net50_26w_4s", "Res2Net50_14w_8s", "Res2Net50_vd_26w_4s",
                                    "Res2Net101_vd_26w_4s", "Res2Net200_vd_26w_4s"};

static r2n_file_bytes five(size_t i, char path[512])
{
    snprintf(path, 512, "%s/configs/ImageNet/Res2Net/%s.yaml", R2N_SOURCE_DIR, names[i]);
    return expect_file(path);
}

static void the_five_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        r2n_train_config c;
        res2net_report *report = res2net_report_create();
        r2n_file_bytes file = five(i, path);
        const res2net_status status =
            r2n_train_config_parse((const char *)file.data, file.size, path, NULL, 0, &c, report);
        if (status != RES2NET_OK)
            fail_msg("%s", res2net_report_problem(report, 0)->text);
        assert_int_equal(res2net_report_count(report), 0);
        assert_null(c.checkpoints);
        assert_null(c.pretrained_model);
        assert_null(c.arch_pretrained);
        assert_string_equal(c.output_dir, "./output/");
        assert_int_equal(c.save_interval, 1);
        assert_int_equal(c.eval_during_train, 1);
        assert_int_equal(c.eval_interval, 1);
        assert_int_equal(c.epochs, 200);
        assert_int_equal(c.print_batch_step, 10);
        assert_int_equal(c.use_visualdl, 0);
        assert_int_equal(c.update_freq, 1);
        assert_int_equal(c.image_rows, 224);
        assert_int_equal(c.image_columns, 224);
        assert_string_equal(c.architecture.name, names[i]);
        assert_int_equal(c.architecture.classes, 1000);
        assert_int_equal(c.family, R2N_FAMILY_PADDLE);
        assert_int_equal(c.bf16, 0);
        assert_true(c.train_loss.epsilon == 0.1 && c.train_loss.weight == 1);
        assert_true(c.eval_loss.epsilon == 0 && c.eval_loss.weight == 1);
        assert_int_equal(c.optimiser.kind, R2N_OPTIMISER_MOMENTUM);
        assert_true(c.optimiser.momentum == 0.9 && c.optimiser.decay == 0.0001);
        assert_true(c.optimiser.l1 == 0 && c.optimiser.nesterov == 0);
        assert_int_equal(c.schedule.kind, R2N_SCHEDULE_COSINE);
        assert_true(c.schedule.rate == 0.1 && c.schedule.warmup_epochs == 0);
        assert_int_equal(c.schedule.epochs, 200);
        assert_int_equal(c.schedule.by_epoch, 0);
        assert_string_equal(c.train.list, "./dataset/ILSVRC2012/train_list.txt");
        assert_string_equal(c.train.root, "./dataset/ILSVRC2012/");
        assert_non_null(c.train.transforms);
        assert_non_null(c.train.batch_transforms);
        assert_true(c.train.batch == 64 && c.train.shuffle && !c.train.drop_last);
        assert_true(!c.train.paddle_order && !c.train.balanced && !c.train.skip_bad);
        assert_int_equal(c.train.workers, 4);
        assert_string_equal(c.eval.list, "./dataset/ILSVRC2012/val_list.txt");
        assert_non_null(c.eval.transforms);
        assert_null(c.eval.batch_transforms);
        assert_int_equal(c.eval.batch, 64);
        assert_non_null(strstr(c.eval_transforms_yaml, "\"resize_short\""));
        assert_true(c.ema_decay == 0);
        r2n_train_config_free(&c);
        assert_null(c.output_dir);
        r2n_file_release(&file);
        res2net_report_destroy(report);
    }
}

/* Those of ours, which eval reads too. */
static void the_small_ones_are_read(void **state)
{
    (void)state;
    static const char *const files[] = {"cifar100/Res2Net20_26w_4s", "imagenette/Res2Net50_26w_4s"};
    for (int i = 0; i < 2; i++) {
        char path[512];
        r2n_train_config c;
        res2net_evaluate_config evaluation;
        snprintf(path, sizeof path, "%s/configs/%s.yaml", R2N_SOURCE_DIR, files[i]);
        r2n_file_bytes file = expect_file(path);
        const char *text = (const char *)file.data;
        res2net_report *report = res2net_report_create();
        if (r2n_train_config_parse(text, file.size, path, NULL, 0, &c, report) != RES2NET_OK)
            fail_msg("%s", res2net_report_problem(report, 0)->text);
        assert_int_equal(c.architecture.classes, i == 0 ? 100 : 10);
        assert_int_equal(c.image_rows, i == 0 ? 32 : 128);
        assert_int_equal(c.family, i == 0 ? R2N_FAMILY_TORCH : R2N_FAMILY_PADDLE);
        assert_true(c.bf16 && c.eval_during_train && c.count_train_metric);
        assert_int_equal(c.optimiser.kind, i == 0 ? R2N_OPTIMISER_MOMENTUM : R2N_OPTIMISER_ADAMW);
        assert_int_equal(c.optimiser.nesterov, i == 0);
        assert_int_equal(r2n_eval_config_parse(text, file.size, path, NULL, 0, &evaluation, report),
                         RES2NET_OK);
        assert_string_equal(evaluation.transforms, c.eval_transforms_yaml);
        res2net_evaluate_config_free(&evaluation);
        r2n_train_config_free(&c);
        r2n_file_release(&file);
        res2net_report_destroy(report);
    }
}

/* docs/configuration.md has every key. */
static void keys_are_documented(void **state)
{
    (void)state;
    static const char *const *const tables[] = {
        r2n_paddleclas_top_keys,     r2n_paddleclas_global_keys,  r2n_paddleclas_arch_keys,
        r2n_paddleclas_dataset_keys, r2n_paddleclas_sampler_keys, r2n_paddleclas_loader_keys};
    r2n_file_bytes file = expect_file(R2N_SOURCE_DIR "/docs/configuration.md");
    char *text = r2n_copy_bytes(file.data, file.size);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const char *const *key = tables[i]; *key != NULL; key++) {
            char quoted[64], below[64], heading[64];
            snprintf(quoted, sizeof quoted, "`%s`", *key);
            snprintf(below, sizeof below, ".%s`", *key);
            snprintf(heading, sizeof heading, "%s%s", i == 0 ? "" : "### ", *key);
            if (strstr(text, quoted) == NULL && strstr(text, below) == NULL &&
                strstr(text, heading) == NULL)
                fail_msg("docs/configuration.md lacks %s", *key);
        }
    }
    r2n_free(text);
    r2n_file_release(&file);
}

/* What stands where nothing is said. */
static void the_smallest_has_defaults(void **state)
{
    (void)state;
    r2n_train_config c;
    parse_with("", NULL, 0, &c);
    assert_string_equal(c.output_dir, "./output/");
    assert_true(c.save_interval == 1 && c.eval_interval == 1 && c.start_eval_epoch == 0);
    assert_true(c.print_batch_step == 10 && c.update_freq == 1 && c.seed == 0);
    assert_true(c.freeze_stages == 0 && c.stop_after_bad_steps == 20 && c.save_iterations == 0);
    assert_int_equal(c.stop_after_epoch, 0);
    assert_true(c.image_rows == 0 && c.use_visualdl == 0);
    assert_int_equal(c.eval_during_train, 0); /* there is nothing to evaluate */
    assert_null(c.eval.list);
    assert_null(c.eval_transforms_yaml);
    assert_true(c.train_loss.epsilon == 0 && c.train_loss.weight == 1);
    assert_null(c.train_loss.class_weights);
    assert_int_equal(c.schedule.kind, R2N_SCHEDULE_CONSTANT);
    assert_true(c.schedule.epochs == 3 && c.schedule.rate == 0.5);
    assert_true(c.optimiser.momentum == 0.9 && c.optimiser.decay == 0);
    assert_null(c.train.root);
    assert_null(c.train.delimiter);
    assert_true(c.train.workers == 0 && c.train.cache_bytes == 0 && c.train.shuffle == 0);
    assert_int_equal(c.count_train_metric, 0);
    r2n_train_config_free(&c);
}

static void globals_are_read(void **state)
{
    (void)state;
    r2n_train_config c;
    parse_with("Global: {epochs: 5, checkpoints: out/latest, pretrained_model: a/best_model,\n"
               "  output_dir: out, device: gpu, save_interval: -1, eval_during_train: yes,\n"
               "  eval_interval: 2, start_eval_epoch: 3, print_batch_step: 7, use_visualdl: True,\n"
               "  image_shape: [3, 96, 128], seed: 4294967295, update_freq: 4, to_static: True,\n"
               "  use_dali: False, use_multilabel: False, eval_mode: classification,\n"
               "  train_mode: classification, class_num: 9, freeze_stages: 2,\n"
               "  save_iterations: 500, stop_after_bad_steps: 5, sampler_order: paddle,\n"
               "  stop_after_epoch: 4,\n"
               "  print_mem_info: True, log_ranks: '0', iter_per_epoch: null}\n"
               "AMP: {level: O2, scale_loss: 128.0}\nEMA: {decay: 0.999}\n",
               NULL, 0, &c);
    assert_string_equal(c.checkpoints, "out/latest");
    assert_string_equal(c.pretrained_model, "a/best_model.pdparams");
    assert_string_equal(c.output_dir, "out");
    assert_true(c.epochs == 5 && c.save_interval == -1 && c.eval_interval == 2);
    assert_true(c.start_eval_epoch == 3 && c.print_batch_step == 7 && c.use_visualdl == 1);
    assert_true(c.image_rows == 96 && c.image_columns == 128 && c.seed == 4294967295);
    assert_true(c.update_freq == 4 && c.freeze_stages == 2 && c.save_iterations == 500);
    assert_true(c.stop_after_bad_steps == 5 && c.train.paddle_order == 1);
    assert_int_equal(c.stop_after_epoch, 4);
    assert_int_equal(c.architecture.classes, 9); /* deprecated, but Arch says nothing */
    assert_true(c.bf16 == 1 && c.ema_decay == 0.999);
    r2n_train_config_free(&c);
}

static void precision_and_average(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int bf16;
        double decay;
    } rows[] = {
        {"AMP: {use_amp: False, level: O1, scale_loss: 128.0}\n", 0, 0},
        {"AMP: {use_amp: True}\nEMA: {}\n", 1, 0.9999},
        {"AMP: {scale_loss: 128.0}\nEMA: null\n", 1, 0},
        {"AMP:\nEMA: {decay: null}\n", 0, 0.9999},
        {"AMP: {}\nEMA: {decay: 0}\n", 0, 0},
        {"AMP: {use_amp: True, level: O0}\n", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        r2n_train_config c;
        parse_with(rows[i].text, NULL, 0, &c);
        assert_int_equal(c.bf16, rows[i].bf16);
        assert_true(c.ema_decay == rows[i].decay);
        r2n_train_config_free(&c);
    }
}

static void architectures_are_found(void **state)
{
    (void)state;
    r2n_train_config c;
    parse_with("Arch: {name: 'cifar:planes=32,depths=2-2-2,width=26,scale=4', class_num: 10,\n"
               "  use_sync_bn: True, use_ssld: True, pretrained: w.r2n}\n",
               NULL, 0, &c);
    assert_int_equal(c.architecture.stem, R2N_STEM_3X3);
    assert_int_equal(c.architecture.planes, 32);
    assert_int_equal(c.architecture.classes, 10);
    assert_int_equal(c.family, R2N_FAMILY_TORCH);
    assert_string_equal(c.arch_pretrained, "w.r2n");
    r2n_train_config_free(&c);
    parse_with("Arch: {name: 'cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=7',\n"
               "  family: paddle}\n",
               NULL, 0, &c);
    assert_int_equal(c.architecture.classes, 7);
    assert_int_equal(c.family, R2N_FAMILY_PADDLE);
    r2n_train_config_free(&c);
    /* Global's weights go before Arch's, and then nothing would be downloaded either. */
    parse_with("Arch: {name: res2net50_26w_4s, pretrained: True, family: torch}\n"
               "Global: {epochs: 1, class_num: 3, pretrained_model: w.pth}\n",
               NULL, 0, &c);
    assert_string_equal(c.pretrained_model, "w.pth");
    assert_null(c.arch_pretrained);
    assert_string_equal(c.architecture.name, "Res2Net50_26w_4s");
    assert_int_equal(c.architecture.classes, 3);
    assert_int_equal(c.family, R2N_FAMILY_TORCH);
    r2n_train_config_free(&c);
    parse_with("Arch: {name: res2net50_26w_4s, class_num: 4}\nGlobal: {epochs: 1, class_num: 3}\n",
               NULL, 0, &c);
    assert_int_equal(c.architecture.classes, 4);
    r2n_train_config_free(&c);
}

static void losses_are_read(void **state)
{
    (void)state;
    r2n_train_config c;
    parse_with("Arch: {name: res2net50_26w_4s, class_num: 3}\nLoss:\n  Train:\n    - CELoss:\n"
               "        weight: 2.5\n        epsilon: 0.2\n        reduction: mean\n"
               "        class_weights: [1, 0.5, 2]\n  Eval: [{CELoss: {weight: 1.0}}]\n",
               NULL, 0, &c);
    assert_true(c.train_loss.weight == 1); /* of a single loss: ignored */
    assert_true(c.train_loss.epsilon == 0.2 && c.eval_loss.epsilon == 0);
    assert_ptr_equal(c.train_loss.class_weights, c.class_weights);
    assert_true(c.class_weights[0] == 1 && c.class_weights[1] == 0.5f && c.class_weights[2] == 2);
    assert_null(c.eval_loss.class_weights);
    r2n_train_config_free(&c);
    parse_with("Loss: {Train: [{CELoss: {weight: 1, epsilon: 1.0}}], Eval: [{CELoss: }]}\n", NULL,
               0, &c);
    assert_true(c.train_loss.epsilon == 0); /* outside (0, 1): none */
    r2n_train_config_free(&c);
}

static void optimisers_are_read(void **state)
{
    (void)state;
    r2n_train_config c;
    parse_with("Optimizer: {name: Momentum, momentum: 0.8, use_nesterov: True, clip_norm: 5,\n"
               "  regularizer: {name: L1, coeff: 1e-4}, weight_decay: 7, multi_precision: True,\n"
               "  no_weight_decay_name: '_batch_norm  bias', one_dim_param_no_weight_decay: True,\n"
               "  lr: {learning_rate: 0.1}}\n",
               NULL, 0, &c);
    assert_int_equal(c.optimiser.kind, R2N_OPTIMISER_MOMENTUM);
    assert_true(c.optimiser.momentum == 0.8 && c.optimiser.nesterov == 1);
    assert_true(c.optimiser.l1 == 1e-4 && c.optimiser.decay == 0); /* the regularizer wins */
    assert_true(c.optimiser.clip_norm == 5 && c.optimiser.clip_global_norm == 0);
    assert_int_equal(c.no_decay_count, 2);
    assert_string_equal(c.no_decay_names[0], "_batch_norm");
    assert_string_equal(c.no_decay_names[1], "bias");
    assert_int_equal(c.no_decay_one_dimensional, 1);
    r2n_train_config_free(&c);
    /* Momentum reads the one only with the other. */
    parse_with("Optimizer: {name: Momentum, one_dim_param_no_weight_decay: True,\n"
               "  no_weight_decay_name: '', weight_decay: 0.5, clip_value: 0.25,\n"
               "  lr: {learning_rate: 1}}\n",
               NULL, 0, &c);
    assert_int_equal(c.no_decay_one_dimensional, 0);
    assert_int_equal(c.no_decay_count, 0);
    assert_true(c.optimiser.decay == 0.5 && c.optimiser.clip_value == 0.25);
    r2n_train_config_free(&c);
    parse_with("Optimizer: {name: AdamW, beta1: 0.8, beta2: 0.99, epsilon: 1e-7,\n"
               "  weight_decay: 0.05, one_dim_param_no_weight_decay: True, clip_global_norm: 1.0,\n"
               "  lr: {learning_rate: 1}}\n",
               NULL, 0, &c);
    assert_int_equal(c.optimiser.kind, R2N_OPTIMISER_ADAMW);
    assert_true(c.optimiser.beta1 == 0.8 && c.optimiser.beta2 == 0.99);
    assert_true(c.optimiser.epsilon == 1e-7 && c.optimiser.decay == 0.05);
    assert_true(c.optimiser.momentum == 0 && c.optimiser.clip_global_norm == 1);
    assert_int_equal(c.no_decay_one_dimensional, 1);
    r2n_train_config_free(&c);
    parse_with("Optimizer: {name: SGD, regularizer: {name: L2, coeff: 0.5},\n"
               "  lr: {learning_rate: 1}}\n",
               NULL, 0, &c);
    assert_int_equal(c.optimiser.kind, R2N_OPTIMISER_SGD);
    assert_true(c.optimiser.decay == 0.5 && c.optimiser.momentum == 0);
    r2n_train_config_free(&c);
}

static const r2n_schedule *schedule_of(const char *lr, r2n_train_config *c)
{
    char text[512];
    snprintf(text, sizeof text, "Optimizer: {name: SGD, lr: {%s}}\n", lr);
    parse_with(text, NULL, 0, c);
    return &c->schedule;
}

static void schedules_are_read(void **state)
{
    (void)state;
    r2n_train_config c;
    const r2n_schedule *s = schedule_of("name: Cosine, learning_rate: 0.4, eta_min: 1e-5,\n"
                                        "warmup_epoch: 2.5, warmup_start_lr: 0.01, by_epoch: True,"
                                        "gamma: None",
                                        &c);
    assert_int_equal(s->kind, R2N_SCHEDULE_COSINE);
    assert_true(s->rate == 0.4 && s->minimum == 1e-5 && s->warmup_epochs == 2.5);
    assert_true(s->warmup_start == 0.01 && s->by_epoch == 1 && s->epochs == 3);
    r2n_train_config_free(&c);
    s = schedule_of("name: Linear, learning_rate: 1, end_lr: 0.5, power: 2, cycle: False", &c);
    assert_int_equal(s->kind, R2N_SCHEDULE_LINEAR);
    assert_true(s->minimum == 0.5 && s->power == 2);
    r2n_train_config_free(&c);
    s = schedule_of("name: Linear, learning_rate: 1", &c);
    assert_true(s->minimum == 0 && s->power == 1);
    r2n_train_config_free(&c);
    s = schedule_of("name: Step, learning_rate: 1, step_size: 30, gamma: 0.97", &c);
    assert_int_equal(s->kind, R2N_SCHEDULE_STEP);
    assert_true(s->step_epochs == 30 && s->gamma == 0.97);
    r2n_train_config_free(&c);
    s = schedule_of("name: MultiStepDecay, learning_rate: 1, milestones: [2, 5]", &c);
    assert_int_equal(s->kind, R2N_SCHEDULE_MULTI_STEP);
    assert_true(s->points == 2 && s->at[0] == 2 && s->at[1] == 5 && s->gamma == 0.1);
    r2n_train_config_free(&c);
    s = schedule_of("name: Piecewise, decay_epochs: [1, 2], values: [0.3, 0.2, 0.1]", &c);
    assert_int_equal(s->kind, R2N_SCHEDULE_PIECEWISE);
    assert_true(s->points == 2 && s->at[1] == 2 && s->rate == 0.3 && s->values[2] == 0.1);
    r2n_train_config_free(&c);
    s = schedule_of("name: ConstLR, learning_rate: 0.25", &c);
    assert_int_equal(s->kind, R2N_SCHEDULE_CONSTANT);
    assert_true(s->rate == 0.25);
    r2n_train_config_free(&c);
}

static void data_is_read(void **state)
{
    (void)state;
    r2n_train_config c;
    parse_with("DataLoader:\n"
               "  Train:\n"
               "    dataset: {name: CommonDataset, cls_label_path: a, image_root: b,\n"
               "      delimiter: \"\\t\", relabel: False, on_bad_image: skip,\n"
               "      transform_ops: [{NormalizeImage: {order: ''}}]}\n"
               "    sampler: {name: BatchSampler, batch_size: 5, drop_last: True, shuffle: True,\n"
               "      balanced: True}\n"
               "    loader: {num_workers: 3, use_shared_memory: False, cache_megabytes: 2}\n"
               "  Eval:\n"
               "    dataset: {cls_label_path: c, delimiter: ' ',\n"
               "      transform_ops: [{NormalizeImage: {order: ''}}]}\n"
               "    sampler: {batch_size: 9, shuffle: True, drop_last: False}\n"
               "Metric: {Train: [{TopkAcc: {topk: [1, 5]}}], Eval: [{TopkAcc: {topk: [1, 5]}}]}\n"
               "Infer: {infer_imgs: x, PostProcess: {name: Topk}}\nprofiler_options: null\n",
               NULL, 0, &c);
    assert_string_equal(c.train.list, "a");
    assert_string_equal(c.train.root, "b");
    assert_string_equal(c.train.delimiter, "\t");
    assert_true(c.train.skip_bad && c.train.batch == 5 && c.train.drop_last && c.train.shuffle);
    assert_true(c.train.balanced && c.train.workers == 3 && c.train.cache_bytes == 2 << 20);
    assert_string_equal(c.eval.list, "c");
    assert_null(c.eval.root);
    assert_null(c.eval.delimiter);
    assert_true(c.eval.batch == 9 && !c.eval.skip_bad && !c.eval.drop_last);
    assert_int_equal(c.eval_during_train, 1);
    assert_int_equal(c.count_train_metric, 1);
    r2n_train_config_free(&c);
}

static void overrides_change_what_the_file_says(void **state)
{
    (void)state;
    static const char *const overrides[] = {
        "Arch.class_num=10",
        "Arch.name=cifar:planes:=", /* refused below */
        "Global.epochs=30",
        "Global.pretrained_model=null", /* Python knows no null: a path */
        "Global.seed= 7 ",
        "Optimizer.lr.learning_rate=1e-3",
        "Optimizer.lr.warmup_epoch=5", /* a new key, read by a reader */
        "Optimizer.regularizer.name='L1'",
        "DataLoader.Train.sampler.batch_size=32",
        "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size=128",
        "DataLoader.Train.dataset.batch_transform_ops=None",
        "DataLoader.Eval.dataset.cls_label_path=v.txt",
        "DataLoader.Train.loader.cache_megabytes=64",
        "Loss.Train.0.CELoss.epsilon=None",
        "EMA.decay=0.99",
        "AMP.use_amp=True",
        "Global.sampler_order=paddle",
        "Metric.Train=None",
        "Infer.batch_size=3"};
    enum { COUNT = sizeof overrides / sizeof *overrides };
    const char *kept[COUNT];
    char path[512];
    r2n_train_config c;
    res2net_report *report = res2net_report_create();
    r2n_file_bytes file = five(0, path);
    memcpy(kept, overrides, sizeof kept);
    assert_int_equal(
        r2n_train_config_parse((const char *)file.data, file.size, path, kept, COUNT, &c, report),
        RES2NET_INVALID_ARGUMENT);
    expect_problem(report, RES2NET_INVALID_ARGUMENT, "more than one '='");
    kept[1] = "Arch.family=torch";
    if (r2n_train_config_parse((const char *)file.data, file.size, path, kept, COUNT, &c, report) !=
        RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    assert_int_equal(c.architecture.classes, 10);
    assert_int_equal(c.family, R2N_FAMILY_TORCH);
    assert_true(c.epochs == 30 && c.schedule.epochs == 30 && c.seed == 7);
    assert_string_equal(c.pretrained_model, "null.pdparams");
    assert_true(c.schedule.rate == 1e-3 && c.schedule.warmup_epochs == 5);
    assert_true(c.optimiser.l1 == 0.0001 && c.optimiser.decay == 0);
    assert_int_equal(c.train.batch, 32);
    assert_null(c.train.batch_transforms);
    assert_string_equal(c.eval.list, "v.txt");
    assert_int_equal(c.train.cache_bytes, 64 << 20);
    assert_true(c.train_loss.epsilon == 0 && c.ema_decay == 0.99);
    assert_true(c.bf16 == 1 && c.train.paddle_order == 1);
    r2n_train_config_free(&c);
    r2n_file_release(&file);
    res2net_report_destroy(report);
}

static void expect_line(const char *text, const char *line)
{
    char wanted[512];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    if (strstr(text, wanted) == NULL)
        fail_msg("\"%s\" is no line of\n%s", line, text);
}

static void every_value_says_where_it_came_from(void **state)
{
    (void)state;
    static const char text[] = "Global: {epochs: 3, device: gpu}\n"
                               "Arch: {name: RES2NET50_26W_4S}\n"
                               "Optimizer:\n"
                               "  name: Momentum\n"
                               "  lr: {name: Piecewise, decay_epochs: [1], values: [1e-1, 0.05]}\n"
                               "Loss:\n"
                               "  Train: [{CELoss: {weight: 2.0}}]\n"
                               "DataLoader:\n"
                               "  Train:\n"
                               "    dataset:\n"
                               "      cls_label_path: \"a\\nb\"\n"
                               "      transform_ops: [{NormalizeImage: {order: ''}}]\n"
                               "    sampler: {batch_size: 8}\n";
    static const char *const overrides[] = {
        "Global.epochs=9", "Optimizer.momentum=0.85",
        "Optimizer.one_dim_param_no_weight_decay=True",
        "DataLoader.Train.dataset.transform_ops.0.NormalizeImage.order=''"};
    res2net_report *report = res2net_report_create();
    char *printed = r2n_train_config_print(text, sizeof text - 1, "c.yaml", overrides, 4, report);
    assert_non_null(printed);
    assert_int_equal(res2net_report_count(report), 0);
    expect_line(printed, "Global.epochs: 9  # -o Global.epochs=9");
    expect_line(printed, "Global.device: gpu  # c.yaml:1; runs are on the CPU");
    expect_line(printed, "Global.output_dir: ./output/  # default");
    expect_line(printed, "Global.pretrained_model: null  # default");
    expect_line(printed, "Arch.name: Res2Net50_26w_4s  # c.yaml:2");
    expect_line(printed, "Arch.class_num: 1000  # default");
    expect_line(printed, "Arch.family: paddle  # default");
    expect_line(printed, "Optimizer.name: Momentum  # c.yaml:4");
    expect_line(printed, "Optimizer.momentum: 0.85  # -o Optimizer.momentum=0.85");
    expect_line(printed, "Optimizer.weight_decay: 0  # default");
    expect_line(printed, "Optimizer.one_dim_param_no_weight_decay: True  # -o "
                         "Optimizer.one_dim_param_no_weight_decay=True; not applied: Momentum "
                         "reads it only with no_weight_decay_name, as PaddleClas does");
    expect_line(printed, "Optimizer.lr.values: [1e-1, 0.05]  # c.yaml:5");
    expect_line(printed, "Optimizer.lr.by_epoch: False  # default");
    expect_line(printed, "Loss.Train.0.CELoss.weight: 2.0  # c.yaml:7; not applied: a single "
                         "loss's weight is ignored, as PaddleClas does");
    expect_line(printed, "Loss.Eval: CELoss  # default");
    expect_line(printed, "EMA: null  # default");
    expect_line(printed, "AMP.use_amp: False  # default");
    expect_line(printed, "DataLoader.Train.dataset.cls_label_path: a?b  # c.yaml:11");
    expect_line(printed, "DataLoader.Train.sampler.batch_size: 8  # c.yaml:13");
    expect_line(printed, "DataLoader.Eval.dataset: null  # default; nothing is evaluated");
    const char *line = strstr(printed, "\nDataLoader.Train.dataset.transform_ops: NormalizeImage");
    assert_non_null(line);
    assert_non_null(strstr(line, "  # c.yaml:12, -o DataLoader.Train.dataset.transform_ops.0."
                                 "NormalizeImage.order=''\n"));
    r2n_free(printed);
    assert_null(r2n_train_config_print("Arch: 7", 7, "c.yaml", NULL, 0, report));
    expect_problem(report, RES2NET_INVALID_ARGUMENT, "");
    res2net_report_destroy(report);
}

static const char everything[] =
    "Global: {epochs: 1, checkpoints: a, pretrained_model: b}\n"
    "Arch: {name: 'cifar:planes=32,depths=2-2-2,width=26,scale=4', class_num: 2}\n"
    "Loss: {Train: [{CELoss: {class_weights: [1, 2]}}]}\n"
    "Optimizer: {name: AdamW, no_weight_decay_name: a b, lr: {learning_rate: 1}}\n"
    "DataLoader:\n"
    "  Train:\n"
    "    dataset: {cls_label_path: a, image_root: b, delimiter: ',',\n"
    "      transform_ops: [{NormalizeImage: {order: ''}}]}\n"
    "    sampler: {batch_size: 8}\n"
    "  Eval:\n"
    "    dataset: {cls_label_path: a, transform_ops: [{NormalizeImage: {order: ''}}]}\n";

static res2net_status attempt_parse(void *context)
{
    r2n_train_config c;
    const res2net_status status =
        r2n_train_config_parse(everything, sizeof everything - 1, "c.yaml", NULL, 0, &c, context);
    r2n_train_config_free(&c);
    return status;
}

static res2net_status attempt_print(void *context)
{
    char *printed =
        r2n_train_config_print(everything, sizeof everything - 1, "c.yaml", NULL, 0, context);
    const int made = printed != NULL;
    r2n_free(printed);
    return made ? RES2NET_OK : RES2NET_OUT_OF_MEMORY;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    expect_every_allocation_may_fail(attempt_parse, NULL);
    expect_every_allocation_may_fail(attempt_print, NULL);
}

#else

static void without_libyaml_it_says_so(void **state)
{
    (void)state;
    r2n_train_config config;
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_train_config_parse("", 0, "c.yaml", NULL, 0, &config, report),
                     RES2NET_UNSUPPORTED);
    expect_problem(report, RES2NET_UNSUPPORTED, "no libyaml");
    assert_null(r2n_train_config_print("", 0, "c.yaml", NULL, 0, report));
    expect_problem(report, RES2NET_UNSUPPORTED, "no libyaml");
    res2net_report_destroy(report);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef R2N_HAVE_YAML
        cmocka_unit_test(the_five_are_read),
        cmocka_unit_test(the_small_ones_are_read),
        cmocka_unit_test(keys_are_documented),
        cmocka_unit_test(the_smallest_has_defaults),
        cmocka_unit_test(globals_are_read),
        cmocka_unit_test(precision_and_average),
        cmocka_unit_test(architectures_are_found),
        cmocka_unit_test(losses_are_read),
        cmocka_unit_test(optimisers_are_read),
        cmocka_unit_test(schedules_are_read),
        cmocka_unit_test(data_is_read),
        cmocka_unit_test(overrides_change_what_the_file_says),
        cmocka_unit_test(every_value_says_where_it_came_from),
        cmocka_unit_test(every_allocation_may_fail),
#else
        cmocka_unit_test(without_libyaml_it_says_so),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
