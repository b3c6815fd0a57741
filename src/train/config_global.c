/* SPDX-License-Identifier: Apache-2.0 */
/* Global: the run. AMP: its precision. EMA: the average of its weights. */
#include "train/config_reader.h"

#ifdef R2N_HAVE_YAML

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { MAXIMUM_SIDE = 16384, MAXIMUM_COUNT = 100000000 };

/* A resume takes three files of one name. */
static res2net_status read_checkpoints(const r2n_config_section *global)
{
    static const char *const endings[] = {".pdparams", ".pdopt", ".pdstates"};
    r2n_train_config *out = global->reader->out;
    const res2net_status status = r2n_config_text(global, "checkpoints", &out->checkpoints);
    if (status != RES2NET_OK || out->checkpoints == NULL)
        return status;
    const size_t length = strlen(out->checkpoints);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t ending = strlen(endings[i]);
        if (length >= ending && strcmp(out->checkpoints + length - ending, endings[i]) == 0)
            return r2n_yaml_fail(&global->reader->yaml, r2n_config_find(global, "checkpoints"),
                                 RES2NET_INVALID_ARGUMENT,
                                 "checkpoints names three files at once, .pdparams, .pdopt and "
                                 ".pdstates: leave out \"%s\"",
                                 endings[i]);
    }
    return RES2NET_OK;
}

/* Weights of a file; addresses are not fetched. */
static res2net_status read_weights(const r2n_config_section *global)
{
    r2n_train_config *out = global->reader->out;
    char *path = NULL;
    const res2net_status status =
        r2n_paddleclas_text(&global->reader->yaml, global->node, "pretrained_model", &path);
    const yaml_node_t *node = r2n_config_find(global, "pretrained_model");
    if (status != RES2NET_OK)
        return status;
    if (path == NULL) {
        r2n_config_log(global, "pretrained_model", NULL, "null", NULL);
        return RES2NET_OK;
    }
    const int address = strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0;
    if (!address)
        out->pretrained_model = r2n_paddleclas_weights_name(path);
    r2n_free(path);
    if (address)
        return r2n_yaml_fail(&global->reader->yaml, node, RES2NET_UNSUPPORTED,
                             "pretrained_model is an address, and nothing is downloaded here: "
                             "fetch the file and write its path");
    if (out->pretrained_model == NULL)
        return r2n_config_no_memory(global);
    r2n_config_log(global, "pretrained_model", node, out->pretrained_model, NULL);
    return RES2NET_OK;
}

static res2net_status read_output(const r2n_config_section *global)
{
    r2n_train_config *out = global->reader->out;
    out->output_dir = r2n_copy_string("./output/");
    if (out->output_dir == NULL)
        return r2n_config_no_memory(global);
    return r2n_config_text(global, "output_dir", &out->output_dir);
}

/* [3, rows, columns] */
static res2net_status read_shape(const r2n_config_section *global)
{
    r2n_train_config *out = global->reader->out;
    double shape[3];
    int32_t count;
    const res2net_status status =
        r2n_config_numbers(global, "image_shape", 1, MAXIMUM_SIDE, 3, shape, &count);
    if (status != RES2NET_OK || count == 0)
        return status;
    for (int i = 0; i < count; i++)
        count = shape[i] == (int32_t)shape[i] ? count : -1;
    if (count != 3 || shape[0] != 3)
        return r2n_yaml_fail(&global->reader->yaml, r2n_config_find(global, "image_shape"),
                             RES2NET_INVALID_ARGUMENT,
                             "image_shape must be [3, rows, columns]: three colours");
    out->image_rows = (int32_t)shape[1];
    out->image_columns = (int32_t)shape[2];
    return RES2NET_OK;
}

/* How often, and for how long. */
static res2net_status read_counts(const r2n_config_section *global)
{
    r2n_train_config *out = global->reader->out;
    const struct {
        const char *key;
        int32_t minimum;
        int32_t *value;
    } counts[] = {
        {"epochs", 1, &out->epochs},
        {"save_interval", -1, &out->save_interval}, /* 0, -1: none */
        {"eval_interval", 1, &out->eval_interval},
        {"start_eval_epoch", 0, &out->start_eval_epoch},
        {"print_batch_step", 1, &out->print_batch_step},
        {"update_freq", 1, &out->update_freq},
        {"stop_after_bad_steps", 1, &out->stop_after_bad_steps},
        {"stop_after_epoch", 0, &out->stop_after_epoch},
    };
    res2net_status status = RES2NET_OK;
    if (r2n_config_find(global, "epochs") == NULL)
        return r2n_config_missing(global, "epochs", "how many times the set is gone through");
    for (size_t i = 0; status == RES2NET_OK && i < sizeof counts / sizeof *counts; i++)
        status = r2n_config_integer32(global, counts[i].key, counts[i].minimum, MAXIMUM_COUNT,
                                      counts[i].value);
    if (status == RES2NET_OK)
        status =
            r2n_config_integer(global, "save_iterations", 0, MAXIMUM_COUNT, &out->save_iterations);
    int32_t frozen = 0;
    if (status == RES2NET_OK)
        status = r2n_config_integer32(global, "freeze_stages", 0, R2N_MAXIMUM_STAGES, &frozen);
    out->freeze_stages = frozen;
    return status == RES2NET_OK ? r2n_config_integer(global, "seed", 0, UINT32_MAX, &out->seed)
                                : status;
}

/* Kinds of run that PaddleClas has and this is not. */
static res2net_status check_mode(const r2n_config_section *global)
{
    static const char *const modes[] = {"classification", NULL};
    static const char *const other_evaluations[] = {"retrieval", "adaface", "face_recognition",
                                                    NULL};
    static const char *const other_trainings[] = {"efficientnetv2", "fixmatch", "fixmatch_ccssl",
                                                  "progressive",    "metabin",  NULL};
    int mode = 0;
    res2net_status status = r2n_config_class(global, "eval_mode", modes, other_evaluations, &mode);
    mode = 0;
    if (status == RES2NET_OK)
        status = r2n_config_class(global, "train_mode", modes, other_trainings, &mode);
    if (status == RES2NET_OK)
        status = r2n_config_require_off(global, "use_multilabel", "a picture has one label here");
    if (status == RES2NET_OK)
        status = r2n_config_require_off(global, "use_dali",
                                        "DALI decodes and crops otherwise; write False");
    if (status == RES2NET_OK)
        status = r2n_config_require_absent(global, "iter_per_epoch",
                                           "an epoch is the whole set; leave it out");
    return status;
}

static void take_the_rest(const r2n_config_section *global)
{
    r2n_config_taken(global, "device", "runs are on the CPU");
    r2n_config_taken(global, "save_inference_dir", "export -o says it");
    r2n_config_taken(global, "to_static", "changes nothing here");
    r2n_config_taken(global, "log_ranks", "there is one process");
    r2n_config_taken(global, "print_mem_info", "memory is told before the run");
    r2n_config_taken(global, "uniform_output_enabled", "changes nothing here");
    r2n_config_taken(global, "export_for_fd", "changes nothing here");
}

res2net_status r2n_config_read_global(const r2n_config_section *root)
{
    static const char *const orders[] = {"seed", "paddle", NULL};
    r2n_train_config *out = root->reader->out;
    r2n_config_section global;
    int order = 0;
    res2net_status status = r2n_config_open(root, "Global", r2n_paddleclas_global_keys, &global);
    if (status == RES2NET_OK)
        status = read_checkpoints(&global);
    if (status == RES2NET_OK)
        status = read_weights(&global);
    if (status == RES2NET_OK)
        status = read_output(&global);
    if (status == RES2NET_OK)
        status = read_counts(&global);
    if (status == RES2NET_OK)
        status = r2n_config_boolean(&global, "eval_during_train", &out->eval_during_train);
    if (status == RES2NET_OK)
        status = r2n_config_boolean(&global, "use_visualdl", &out->use_visualdl);
    if (status == RES2NET_OK)
        status = read_shape(&global);
    if (status == RES2NET_OK)
        status = r2n_config_choice(&global, "sampler_order", orders, &order);
    out->train.paddle_order = order == 1;
    if (status == RES2NET_OK)
        status = check_mode(&global);
    if (status == RES2NET_OK)
        take_the_rest(&global);
    return status;
}

/* A section that is there is on, unless it says use_amp: False (develop). Empty ones are off, as in
 * develop: release/2.5 fails at them. */
res2net_status r2n_config_read_precision(const r2n_config_section *root)
{
    static const char *const keys[] = {
        "use_amp",     "use_fp16_test", "scale_loss", "use_dynamic_loss_scaling",
        "use_promote", "level",         NULL};
    static const char *const levels[] = {"O0", "O1", "O2", NULL};
    static const char scaling[] = "bf16 has the range of f32 and needs no scaling";
    r2n_config_section amp;
    int level = 1;
    res2net_status status = r2n_config_open(root, "AMP", keys, &amp);
    if (status != RES2NET_OK)
        return status;
    int on =
        amp.node != NULL && amp.node->data.mapping.pairs.top > amp.node->data.mapping.pairs.start;
    status = r2n_config_boolean(&amp, "use_amp", &on);
    if (status == RES2NET_OK && amp.node != NULL)
        status = r2n_config_choice(&amp, "level", levels, &level);
    if (status != RES2NET_OK)
        return status;
    r2n_config_taken(&amp, "use_fp16_test", "evaluations run in f32");
    r2n_config_taken(&amp, "scale_loss", scaling);
    r2n_config_taken(&amp, "use_dynamic_loss_scaling", scaling);
    r2n_config_taken(&amp, "use_promote", "changes nothing here");
    root->reader->out->bf16 = on && level != 0;
    return RES2NET_OK;
}

res2net_status r2n_config_read_average(const r2n_config_section *root)
{
    static const char *const keys[] = {"decay", NULL};
    r2n_train_config *out = root->reader->out;
    r2n_config_section average;
    const res2net_status status = r2n_config_open(root, "EMA", keys, &average);
    if (status != RES2NET_OK)
        return status;
    if (average.node == NULL) {
        r2n_config_log(root, "EMA", NULL, "null", NULL);
        return RES2NET_OK;
    }
    out->ema_decay = 0.9999;
    return r2n_config_fraction(&average, "decay", &out->ema_decay);
}

#endif
