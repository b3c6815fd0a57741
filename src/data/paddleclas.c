/* SPDX-License-Identifier: Apache-2.0 */
#include "data/paddleclas.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"

char *r2n_paddleclas_weights_name(const char *path)
{
    static const char *const endings[] = {".pdparams",  ".r2n",  ".safetensors", ".pth",
                                          ".pt",        ".onnx", ".pdmodel",     ".json",
                                          ".pdiparams", ".tar"};
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t ending = strlen(endings[i]);
        if (length >= ending && strcmp(path + length - ending, endings[i]) == 0)
            return r2n_copy_string(path);
    }
    const size_t size = length + strlen(endings[0]) + 1;
    char *name = r2n_allocate(size, 1);
    if (name == NULL)
        return NULL;
    snprintf(name, size, "%s%s", path, endings[0]);
    if (!r2n_os_exists(name) && r2n_os_is_directory(path)) /* an inference model's */
        name[length] = '\0';
    return name;
}

#ifdef R2N_HAVE_YAML

enum { MAXIMUM_DELIMITER = 16 };

/* ---- keys ----------------------------------------------------------------------------------- */

const char *const r2n_paddleclas_top_keys[] = {
    "Global", "AMP",        "Arch",  "Loss",   "Optimizer", "Optimizer_metric",
    "EMA",    "DataLoader", "Infer", "Metric", "Slim",      "profiler_options",
    NULL};

const char *const r2n_paddleclas_global_keys[] = {
    "checkpoints", "pretrained_model", "output_dir", "device", "save_interval", "eval_during_train",
    "eval_interval", "epochs", "print_batch_step", "use_visualdl", "image_shape",
    "save_inference_dir", "seed", "eval_mode", "train_mode", "update_freq", "start_eval_epoch",
    "to_static", "use_dali", "log_ranks", "print_mem_info", "iter_per_epoch", "use_multilabel",
    "class_num", "uniform_output_enabled", "export_for_fd",
    /* ours */
    "freeze_stages", "save_iterations", "stop_after_bad_steps", "stop_after_epoch", "sampler_order",
    NULL};

const char *const r2n_paddleclas_arch_keys[] = {
    "name", "class_num", "pretrained", "use_ssld", "infer_add_softmax", "infer_output_key",
    "use_sync_bn", "infer_model_name", "models", "freeze_params_list",
    /* ours */
    "family", NULL};

const char *const r2n_paddleclas_data_keys[] = {"Train", "Eval", "UnLabelTrain", NULL};
const char *const r2n_paddleclas_loading_keys[] = {"dataset", "sampler", "loader", NULL};

const char *const r2n_paddleclas_dataset_keys[] = {"name", "image_root", "cls_label_path",
                                                   "transform_ops", "batch_transform_ops",
                                                   "delimiter", "relabel",
                                                   /* ours */
                                                   "on_bad_image", NULL};

const char *const r2n_paddleclas_sampler_keys[] = {"name", "batch_size", "drop_last", "shuffle",
                                                   /* ours */
                                                   "balanced", NULL};

const char *const r2n_paddleclas_loader_keys[] = {"num_workers", "use_shared_memory",
                                                  /* ours */
                                                  "cache_megabytes", NULL};

const char *const r2n_paddleclas_metric_keys[] = {"Train", "Eval", NULL};

const char *const r2n_paddleclas_datasets[] = {"ImageNetDataset", "CommonDataset", NULL};
const char *const r2n_paddleclas_samplers[] = {"DistributedBatchSampler", "BatchSampler", NULL};
const char *const r2n_paddleclas_bad_image_rules[] = {"stop", "skip", NULL};

/* ---- values --------------------------------------------------------------------------------- */

yaml_node_t *r2n_paddleclas_find(const r2n_yaml *yaml, const yaml_node_t *mapping, const char *key)
{
    yaml_node_t *node = r2n_yaml_find(yaml, mapping, key);
    return r2n_yaml_is(node, "None") ? NULL : node;
}

res2net_status r2n_paddleclas_text(const r2n_yaml *yaml, const yaml_node_t *mapping,
                                   const char *key, char **copy)
{
    const yaml_node_t *node = r2n_paddleclas_find(yaml, mapping, key);
    int truth;
    if (node == NULL)
        return RES2NET_OK;
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0 ||
        strlen((const char *)node->data.scalar.value) != node->data.scalar.length ||
        r2n_yaml_is_boolean(node, &truth))
        return r2n_yaml_fail(yaml, node, RES2NET_INVALID_ARGUMENT, "%s must be a text", key);
    *copy = r2n_copy_string((const char *)node->data.scalar.value);
    if (*copy == NULL)
        return r2n_yaml_fail(yaml, node, RES2NET_OUT_OF_MEMORY, "no memory for the config");
    return RES2NET_OK;
}

res2net_status r2n_paddleclas_delimiter(const r2n_yaml *yaml, const yaml_node_t *dataset,
                                        char **delimiter)
{
    const res2net_status status = r2n_paddleclas_text(yaml, dataset, "delimiter", delimiter);
    const char *text = *delimiter;
    if (status != RES2NET_OK || text == NULL)
        return status;
    if (strpbrk(text, "\r\n") != NULL || strlen(text) > MAXIMUM_DELIMITER)
        return r2n_yaml_fail(
            yaml, r2n_paddleclas_find(yaml, dataset, "delimiter"), RES2NET_INVALID_ARGUMENT,
            "delimiter must be a text of 1 to %d bytes within a line", MAXIMUM_DELIMITER);
    if (strcmp(text, " ") == 0) {
        r2n_free(*delimiter);
        *delimiter = NULL;
    }
    return RES2NET_OK;
}

/* ---- metrics -------------------------------------------------------------------------------- */

/* `TopkAcc: {topk: [1, 5]}`. */
static res2net_status check_item(const r2n_yaml *yaml, const yaml_node_t *item)
{
    static const char *const keys[] = {"topk", NULL};
    char text[R2N_YAML_EXCERPT];
    if (item->type != YAML_MAPPING_NODE ||
        item->data.mapping.pairs.top - item->data.mapping.pairs.start != 1)
        return r2n_yaml_fail(yaml, item, RES2NET_INVALID_ARGUMENT,
                             "a metric was expected, as in \"- TopkAcc: {topk: [1, 5]}\"");
    const yaml_node_t *name = r2n_yaml_node(yaml, item->data.mapping.pairs.start->key);
    if (!r2n_yaml_is(name, "TopkAcc"))
        return r2n_yaml_fail(yaml, name, RES2NET_UNSUPPORTED,
                             "the metric \"%s\" is not there: TopkAcc is",
                             r2n_yaml_excerpt(name, text));
    const yaml_node_t *arguments = r2n_paddleclas_find(yaml, item, "TopkAcc");
    if (arguments == NULL)
        return RES2NET_OK;
    if (arguments->type != YAML_MAPPING_NODE)
        return r2n_yaml_fail(yaml, arguments, RES2NET_INVALID_ARGUMENT,
                             "TopkAcc has no \"key: value\" lines");
    const res2net_status status = r2n_yaml_check_keys(yaml, arguments, "TopkAcc", keys);
    const yaml_node_t *top_k =
        status == RES2NET_OK ? r2n_paddleclas_find(yaml, arguments, "topk") : NULL;
    if (top_k == NULL)
        return status;
    const yaml_node_item_t *k = top_k->data.sequence.items.start;
    if (top_k->type == YAML_SEQUENCE_NODE && top_k->data.sequence.items.top - k == 2 &&
        r2n_yaml_is(r2n_yaml_node(yaml, k[0]), "1") && r2n_yaml_is(r2n_yaml_node(yaml, k[1]), "5"))
        return RES2NET_OK;
    return r2n_yaml_fail(yaml, top_k, RES2NET_UNSUPPORTED,
                         "topk must be [1, 5]: top-1 and top-5 are counted");
}

res2net_status r2n_paddleclas_check_metric(const r2n_yaml *yaml, const yaml_node_t *metric,
                                           const char *key)
{
    const yaml_node_t *list = r2n_paddleclas_find(yaml, metric, key);
    res2net_status status = RES2NET_OK;
    if (list == NULL)
        return RES2NET_OK;
    if (list->type != YAML_SEQUENCE_NODE)
        return r2n_yaml_fail(yaml, list, RES2NET_INVALID_ARGUMENT,
                             "Metric.%s is no list: \"- TopkAcc: {topk: [1, 5]}\" was expected",
                             key);
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         status == RES2NET_OK && item < list->data.sequence.items.top; item++)
        status = check_item(yaml, r2n_yaml_node(yaml, *item));
    return status;
}

#endif
