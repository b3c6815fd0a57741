/* SPDX-License-Identifier: Apache-2.0 */
/* The document as a whole: overrides, the order of the sections, and what ties them together. */
#include "train/config.h"

#include "base/memory.h"
#include "formats/yaml_override.h"
#include "train/config_reader.h"

static void free_data(r2n_data_config *data)
{
    r2n_free(data->list);
    r2n_free(data->root);
    r2n_free(data->delimiter);
    r2n_transforms_destroy(data->transforms);
    r2n_batch_transforms_destroy(data->batch_transforms);
}

void r2n_train_config_free(r2n_train_config *config)
{
    r2n_free(config->checkpoints);
    r2n_free(config->pretrained_model);
    r2n_free(config->output_dir);
    r2n_free(config->arch_pretrained);
    r2n_free(config->class_weights);
    for (int32_t i = 0; i < config->no_decay_count; i++)
        r2n_free(config->no_decay_names[i]);
    r2n_free(config->no_decay_names);
    free_data(&config->train);
    free_data(&config->eval);
    r2n_free(config->eval_transforms_yaml);
    *config = (r2n_train_config){0};
}

#ifdef R2N_HAVE_YAML

/* Where an override may make a key: a reader tells misspelt ones in all of these. */
static const char *const open_sections[] = {"Global",     "AMP",       "EMA",   "Arch",   "Loss",
                                            "DataLoader", "Optimizer", "Infer", "Metric", NULL};

static void set_defaults(r2n_train_config *out)
{
    *out = (r2n_train_config){
        .save_interval = 1,
        .eval_interval = 1,
        .print_batch_step = 10,
        .update_freq = 1,
        .eval_during_train = 1,
        .stop_after_bad_steps = 20,
        .train_loss = {.weight = 1},
        .eval_loss = {.weight = 1},
        .optimiser = {.kind = R2N_OPTIMISER_MOMENTUM,
                      .momentum = 0.9,
                      .beta1 = 0.9,
                      .beta2 = 0.999,
                      .epsilon = 1e-8},
        .schedule = {.kind = R2N_SCHEDULE_CONSTANT, .power = 1, .gamma = 0.1},
        .eval = {.batch = 64},
    };
}

/* What no section can tell alone. */
static res2net_status check_together(const r2n_config_section *root)
{
    const r2n_train_config *out = root->reader->out;
    const r2n_yaml *yaml = &root->reader->yaml;
    r2n_config_section section;
    if (out->class_weights != NULL && out->train.batch_transforms != NULL) {
        r2n_config_open(root, "Loss", NULL, &section);
        return r2n_yaml_fail(yaml, r2n_config_find(&section, "Train"), RES2NET_UNSUPPORTED,
                             "class_weights with batch_transform_ops is not there: the weights are "
                             "of hard labels, and mixed pictures have soft ones; leave one out");
    }
    if (out->freeze_stages > out->architecture.stages) {
        r2n_config_open(root, "Global", NULL, &section);
        return r2n_yaml_fail(yaml, r2n_config_find(&section, "freeze_stages"),
                             RES2NET_INVALID_ARGUMENT, "freeze_stages is %d, but %s has %d stages",
                             out->freeze_stages, out->architecture.name, out->architecture.stages);
    }
    return RES2NET_OK;
}

static res2net_status read_all(r2n_config_reader *reader)
{
    static res2net_status (*const sections[])(const r2n_config_section *) = {
        r2n_config_read_global, r2n_config_read_precision, r2n_config_read_average,
        r2n_config_read_arch,   r2n_config_read_loss,      r2n_config_read_optimiser,
        r2n_config_read_data,   r2n_config_read_rest,      check_together};
    reader->root = r2n_yaml_node(&reader->yaml, 1);
    if (reader->root->type != YAML_MAPPING_NODE)
        return r2n_yaml_fail(&reader->yaml, reader->root, RES2NET_INVALID_ARGUMENT,
                             "a PaddleClas configuration was expected: Global, Arch, Loss, "
                             "Optimizer, DataLoader");
    const r2n_config_section root = r2n_config_root(reader);
    res2net_status status = r2n_yaml_check_keys(&reader->yaml, reader->root, "the configuration",
                                                r2n_paddleclas_top_keys);
    for (size_t i = 0; status == RES2NET_OK && i < sizeof sections / sizeof *sections; i++)
        status = sections[i](&root);
    return status;
}

/* The whole of both public functions; `log` may be NULL. */
static res2net_status parse(const char *text, size_t size, const char *name,
                            const char *const *overrides, size_t override_count,
                            r2n_train_config *out, r2n_text *log, res2net_report *report)
{
    r2n_config_reader reader = {.out = out, .override_count = override_count, .log = log};
    set_defaults(out);
    res2net_status status = r2n_yaml_open(text, size, "a PaddleClas training configuration", name,
                                          &reader.yaml, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_yaml_override(&reader.yaml, overrides, override_count, open_sections);
    if (status == RES2NET_OK)
        status = read_all(&reader);
    r2n_yaml_close(&reader.yaml);
    if (status != RES2NET_OK)
        r2n_train_config_free(out);
    return status;
}

res2net_status r2n_train_config_parse(const char *text, size_t size, const char *name,
                                      const char *const *overrides, size_t override_count,
                                      r2n_train_config *out, res2net_report *report)
{
    return parse(text, size, name, overrides, override_count, out, NULL, report);
}

char *r2n_train_config_print(const char *text, size_t size, const char *name,
                             const char *const *overrides, size_t override_count,
                             res2net_report *report)
{
    r2n_train_config config;
    r2n_text log = {0};
    const res2net_status status =
        parse(text, size, name, overrides, override_count, &config, &log, report);
    r2n_train_config_free(&config);
    if (status == RES2NET_OK && !log.failed)
        return log.data;
    if (status == RES2NET_OK)
        r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory to print the config");
    r2n_free(log.data);
    return NULL;
}

#else

static res2net_status no_yaml(const char *name, res2net_report *report)
{
    return r2n_fail(report, RES2NET_UNSUPPORTED, name, -1,
                    "a configuration is YAML, and this build has no libyaml: build it with "
                    "libyaml's development files and -DRES2NET_YAML=ON");
}

res2net_status r2n_train_config_parse(const char *text, size_t size, const char *name,
                                      const char *const *overrides, size_t override_count,
                                      r2n_train_config *out, res2net_report *report)
{
    (void)text;
    (void)size;
    (void)overrides;
    (void)override_count;
    *out = (r2n_train_config){0};
    return no_yaml(name, report);
}

char *r2n_train_config_print(const char *text, size_t size, const char *name,
                             const char *const *overrides, size_t override_count,
                             res2net_report *report)
{
    (void)text;
    (void)size;
    (void)overrides;
    (void)override_count;
    no_yaml(name, report);
    return NULL;
}

#endif
