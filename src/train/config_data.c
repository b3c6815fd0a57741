/* SPDX-License-Identifier: Apache-2.0 */
/* DataLoader: the pictures to learn from, and those to measure by. */
#include "train/config_reader.h"

#ifdef R2N_HAVE_YAML

#include <stdio.h>

#include "base/memory.h"
#include "image/recipe_yaml.h"

enum { MAXIMUM_BATCH = 16384, MAXIMUM_WORKERS = 256, MAXIMUM_MEGABYTES = 1 << 20 };

static const char *const other_datasets[] = {
    "ImageNetLTDataset", "MultiLabelDataset", "CompCars",   "VeriWild", "LogoDataset",
    "ICartoonDataset",   "MixDataset",        "Market1501", "MSMT17",   "FiveValidationDataset",
    "AdaFaceDataset",    "MultiScaleDataset", "Cifar10",    "Cifar100", "CustomLabelDataset",
    "PersonDataset",     "DukeMTMC",          "CIFAR10",    "CIFAR100", NULL};
static const char *const other_samplers[] = {"PKSampler",
                                             "DistributedRandomIdentitySampler",
                                             "MixSampler",
                                             "MultiScaleSampler",
                                             "CIFARSampler",
                                             "ReidSampler",
                                             NULL};

/* The list as people call it, for the log. */
static res2net_status log_transforms(const r2n_config_section *dataset,
                                     const r2n_transforms *transforms)
{
    if (dataset->reader->log == NULL)
        return RES2NET_OK;
    char *words = r2n_transforms_describe(transforms);
    if (words == NULL)
        return r2n_config_no_memory(dataset);
    r2n_config_log(dataset, "transform_ops", r2n_config_find(dataset, "transform_ops"), words,
                   NULL);
    r2n_free(words);
    return RES2NET_OK;
}

static res2net_status read_transforms(const r2n_config_section *dataset, r2n_data_config *out)
{
    const yaml_node_t *list = r2n_config_find(dataset, "transform_ops");
    if (list == NULL)
        return r2n_config_missing(dataset, "transform_ops",
                                  "what makes numbers of a picture, NormalizeImage at least");
    const res2net_status status = r2n_transforms_parse(
        &dataset->reader->yaml, list, &out->transforms, dataset->reader->yaml.report);
    return status == RES2NET_OK ? log_transforms(dataset, out->transforms) : status;
}

/* Names of the operators, for the log. */
static void log_batch_transforms(const r2n_config_section *dataset, const yaml_node_t *list)
{
    const r2n_yaml *yaml = &dataset->reader->yaml;
    char words[256], text[R2N_YAML_EXCERPT];
    size_t used = 0;
    words[0] = '\0';
    if (list->type != YAML_SEQUENCE_NODE)
        return;
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top && used + R2N_YAML_EXCERPT + 2 < sizeof words;
         item++) {
        const yaml_node_t *node = r2n_yaml_node(yaml, *item);
        if (node->type == YAML_MAPPING_NODE &&
            node->data.mapping.pairs.top > node->data.mapping.pairs.start)
            node = r2n_yaml_node(yaml, node->data.mapping.pairs.start->key);
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", used > 0 ? ", " : "",
                                 r2n_yaml_excerpt(node, text));
    }
    r2n_config_log(dataset, "batch_transform_ops", list, words, NULL);
}

static res2net_status read_batch_transforms(const r2n_config_section *dataset, r2n_data_config *out)
{
    const yaml_node_t *list = r2n_config_find(dataset, "batch_transform_ops");
    if (list == NULL) {
        r2n_config_log(dataset, "batch_transform_ops", NULL, "null", NULL);
        return RES2NET_OK;
    }
    const res2net_status status = r2n_batch_transforms_parse(
        &dataset->reader->yaml, list, &out->batch_transforms, dataset->reader->yaml.report);
    if (status == RES2NET_OK)
        log_batch_transforms(dataset, list);
    return status;
}

static res2net_status read_files(const r2n_config_section *dataset, r2n_data_config *out)
{
    if (r2n_config_find(dataset, "cls_label_path") == NULL)
        return r2n_config_missing(dataset, "cls_label_path",
                                  "a list of \"path label\" lines, a folder of class folders or a "
                                  "CIFAR binary");
    res2net_status status = r2n_config_text(dataset, "cls_label_path", &out->list);
    if (status == RES2NET_OK)
        status = r2n_config_text(dataset, "image_root", &out->root);
    if (status == RES2NET_OK)
        status = r2n_paddleclas_delimiter(&dataset->reader->yaml, dataset->node, &out->delimiter);
    if (status == RES2NET_OK)
        r2n_config_log(dataset, "delimiter", r2n_config_find(dataset, "delimiter"),
                       out->delimiter == NULL ? "' '" : out->delimiter, NULL);
    return status;
}

static res2net_status read_dataset(const r2n_config_section *dataset, r2n_data_config *out)
{
    int name = 0, rule = 0;
    res2net_status status =
        r2n_config_class(dataset, "name", r2n_paddleclas_datasets, other_datasets, &name);
    if (status == RES2NET_OK)
        status = read_files(dataset, out);
    if (status == RES2NET_OK)
        status =
            r2n_config_require_off(dataset, "relabel", "write the labels 0, 1, ... into the list");
    if (status == RES2NET_OK)
        status = r2n_config_choice(dataset, "on_bad_image", r2n_paddleclas_bad_image_rules, &rule);
    out->skip_bad = rule == 1;
    return status == RES2NET_OK ? read_transforms(dataset, out) : status;
}

static res2net_status read_loader(const r2n_config_section *set, r2n_data_config *out)
{
    r2n_config_section loader;
    int64_t megabytes = 0;
    res2net_status status = r2n_config_open(set, "loader", r2n_paddleclas_loader_keys, &loader);
    if (status == RES2NET_OK)
        status = r2n_config_integer32(&loader, "num_workers", 0, MAXIMUM_WORKERS, &out->workers);
    if (status == RES2NET_OK)
        status = r2n_config_integer(&loader, "cache_megabytes", 0, MAXIMUM_MEGABYTES, &megabytes);
    if (status != RES2NET_OK)
        return status;
    out->cache_bytes = megabytes << 20;
    r2n_config_taken(&loader, "use_shared_memory", "loader threads share all memory");
    return RES2NET_OK;
}

/* ---- DataLoader.Train ------------------------------------------------------------------------ */

/* Paddle's order is that of one of its samplers. */
static res2net_status check_order(const r2n_config_section *sampler, int distributed)
{
    const r2n_train_config *out = sampler->reader->out;
    const r2n_config_section root = r2n_config_root(sampler->reader);
    r2n_config_section global;
    if (!out->train.paddle_order || (distributed && !out->train.balanced))
        return RES2NET_OK;
    const res2net_status status = r2n_config_open(&root, "Global", NULL, &global);
    if (status != RES2NET_OK)
        return status;
    return r2n_yaml_fail(
        &sampler->reader->yaml, r2n_config_find(&global, "sampler_order"), RES2NET_INVALID_ARGUMENT,
        out->train.balanced ? "sampler_order: paddle knows no balanced set: leave one out"
                            : "sampler_order: paddle is DistributedBatchSampler's order: the "
                              "sampler is another");
}

static res2net_status read_train_sampler(const r2n_config_section *set, r2n_data_config *out)
{
    r2n_config_section sampler;
    int name = 0;
    res2net_status status = r2n_config_open(set, "sampler", r2n_paddleclas_sampler_keys, &sampler);
    if (status == RES2NET_OK)
        status = r2n_config_class(&sampler, "name", r2n_paddleclas_samplers, other_samplers, &name);
    if (status != RES2NET_OK)
        return status;
    if (r2n_config_find(&sampler, "batch_size") == NULL)
        return r2n_config_missing(&sampler, "batch_size", "the pictures of a step");
    status = r2n_config_integer32(&sampler, "batch_size", 1, MAXIMUM_BATCH, &out->batch);
    if (status == RES2NET_OK)
        status = r2n_config_boolean(&sampler, "drop_last", &out->drop_last);
    if (status == RES2NET_OK)
        status = r2n_config_boolean(&sampler, "shuffle", &out->shuffle);
    if (status == RES2NET_OK)
        status = r2n_config_boolean(&sampler, "balanced", &out->balanced);
    return status == RES2NET_OK ? check_order(&sampler, name == 0) : status;
}

static res2net_status read_train(const r2n_config_section *data)
{
    r2n_data_config *out = &data->reader->out->train;
    r2n_config_section set, dataset;
    res2net_status status = r2n_config_open(data, "Train", r2n_paddleclas_loading_keys, &set);
    if (status == RES2NET_OK)
        status = r2n_config_open(&set, "dataset", r2n_paddleclas_dataset_keys, &dataset);
    if (status == RES2NET_OK && dataset.node == NULL)
        status = r2n_config_missing(&set, "dataset", "the pictures to learn from");
    if (status == RES2NET_OK)
        status = read_dataset(&dataset, out);
    if (status == RES2NET_OK)
        status = read_batch_transforms(&dataset, out);
    if (status == RES2NET_OK)
        status = read_train_sampler(&set, out);
    return status == RES2NET_OK ? read_loader(&set, out) : status;
}

/* ---- DataLoader.Eval ------------------------------------------------------------------------- */

/* The same list as predict, eval and a stored model take it. */
static res2net_status read_recipe(const r2n_config_section *dataset)
{
    r2n_train_config *out = dataset->reader->out;
    r2n_recipe recipe;
    const res2net_status status = r2n_recipe_read_ops(
        &dataset->reader->yaml, r2n_config_find(dataset, "transform_ops"), &recipe);
    if (status != RES2NET_OK)
        return status;
    out->eval_transforms_yaml = r2n_recipe_to_json(&recipe);
    return out->eval_transforms_yaml != NULL ? RES2NET_OK : r2n_config_no_memory(dataset);
}

static res2net_status read_eval_sampler(const r2n_config_section *set, r2n_data_config *out)
{
    r2n_config_section sampler;
    int name = 0;
    res2net_status status = r2n_config_open(set, "sampler", r2n_paddleclas_sampler_keys, &sampler);
    if (status == RES2NET_OK)
        status = r2n_config_class(&sampler, "name", r2n_paddleclas_samplers, other_samplers, &name);
    if (status == RES2NET_OK)
        status = r2n_config_integer32(&sampler, "batch_size", 1, MAXIMUM_BATCH, &out->batch);
    if (status == RES2NET_OK)
        status =
            r2n_config_require_off(&sampler, "drop_last", "every picture is counted; write False");
    if (status == RES2NET_OK)
        status = r2n_config_require_off(&sampler, "balanced", "every picture is counted once");
    if (status == RES2NET_OK)
        r2n_config_taken(&sampler, "shuffle", "the order changes no result");
    return status;
}

static res2net_status read_eval(const r2n_config_section *data)
{
    r2n_train_config *out = data->reader->out;
    r2n_config_section set, dataset;
    res2net_status status = r2n_config_open(data, "Eval", r2n_paddleclas_loading_keys, &set);
    if (status == RES2NET_OK)
        status = r2n_config_open(&set, "dataset", r2n_paddleclas_dataset_keys, &dataset);
    if (status != RES2NET_OK)
        return status;
    if (dataset.node == NULL) {
        out->eval_during_train = 0;
        r2n_config_log(&set, "dataset", NULL, "null", "nothing is evaluated");
        return RES2NET_OK;
    }
    status = read_dataset(&dataset, &out->eval);
    if (status == RES2NET_OK)
        status = read_recipe(&dataset);
    if (status == RES2NET_OK)
        status = r2n_config_require_absent(&dataset, "batch_transform_ops",
                                           "they mix pictures and labels, and an evaluation takes "
                                           "them as they are");
    if (status == RES2NET_OK)
        status = read_eval_sampler(&set, &out->eval);
    return status == RES2NET_OK ? read_loader(&set, &out->eval) : status;
}

res2net_status r2n_config_read_data(const r2n_config_section *root)
{
    r2n_config_section data;
    res2net_status status = r2n_config_open(root, "DataLoader", r2n_paddleclas_data_keys, &data);
    if (status == RES2NET_OK)
        status = r2n_config_require_absent(&data, "UnLabelTrain",
                                           "pictures without labels are not learnt from");
    if (status == RES2NET_OK)
        status = read_train(&data);
    return status == RES2NET_OK ? read_eval(&data) : status;
}

#endif
