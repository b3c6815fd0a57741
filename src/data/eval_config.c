/* SPDX-License-Identifier: Apache-2.0 */
#include "data/eval_config.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "image/yaml_reader.h"

enum { MAXIMUM_CONFIG_BYTES = 256 * 1024, MAXIMUM_CLASSES = 1000000, MAXIMUM_BATCH = 1024 };

void res2net_evaluate_config_free(res2net_evaluate_config *config)
{
    r2n_free(config->architecture);
    r2n_free(config->weights);
    r2n_free(config->list);
    r2n_free(config->root);
    *config = (res2net_evaluate_config){0};
}

res2net_status res2net_evaluate_config_read(const char *path, res2net_evaluate_config *out,
                                            res2net_report *report)
{
    r2n_file_bytes file;
    *out = (res2net_evaluate_config){0};
    res2net_status status = r2n_file_read(path, MAXIMUM_CONFIG_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_eval_config_parse((const char *)file.data, file.size, path, out, report);
    r2n_file_release(&file);
    return status;
}

#ifdef R2N_HAVE_YAML

/* Every section and key that PaddleClas knows there; the ones that an evaluation does not need are
 * let through unread. */
static const char *const top_keys[] = {
    "Global",     "AMP",   "Arch",   "Loss", "Optimizer",        "EMA",
    "DataLoader", "Infer", "Metric", "Slim", "profiler_options", NULL};
static const char *const arch_keys[] = {"name",
                                        "class_num",
                                        "pretrained",
                                        "use_ssld",
                                        "infer_add_softmax",
                                        "infer_output_key",
                                        "use_sync_bn",
                                        "infer_model_name",
                                        "models",
                                        "freeze_params_list",
                                        NULL};
static const char *const loader_keys[] = {"Train", "Eval", "UnLabelTrain", NULL};
static const char *const eval_keys[] = {"dataset", "sampler", "loader", NULL};
static const char *const dataset_keys[] = {
    "name",    "image_root", "cls_label_path", "transform_ops", "batch_transform_ops", "delimiter",
    "relabel", NULL};
static const char *const sampler_keys[] = {"name", "batch_size", "drop_last", "shuffle", NULL};

typedef struct reader {
    r2n_yaml yaml;
    res2net_evaluate_config *out;
} reader;

/* A mapping under `parent`, its keys checked; *found is NULL where it is absent. */
static res2net_status section(const reader *r, const yaml_node_t *parent, const char *key,
                              const char *what, const char *const *keys, const yaml_node_t **found)
{
    *found = parent == NULL ? NULL : r2n_yaml_find(&r->yaml, parent, key);
    if (*found == NULL)
        return RES2NET_OK;
    if ((*found)->type != YAML_MAPPING_NODE)
        return r2n_yaml_fail(&r->yaml, *found, RES2NET_INVALID_ARGUMENT,
                             "%s has no \"key: value\" lines", what);
    return keys == NULL ? RES2NET_OK : r2n_yaml_check_keys(&r->yaml, *found, what, keys);
}

/* A copy of a scalar that ends in `suffix`, added where it is not there; NULL where the key is
 * absent or null. */
static res2net_status text(const reader *r, const yaml_node_t *mapping, const char *key,
                           const char *suffix, char **copy)
{
    const yaml_node_t *node = mapping == NULL ? NULL : r2n_yaml_find(&r->yaml, mapping, key);
    if (node == NULL || r2n_yaml_is_null(node))
        return RES2NET_OK;
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.length == 0 ||
        strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
        return r2n_yaml_fail(&r->yaml, node, RES2NET_INVALID_ARGUMENT, "%s must be a text", key);
    const char *value = (const char *)node->data.scalar.value;
    const size_t length = node->data.scalar.length;
    if (length >= strlen(suffix) && strcmp(value + length - strlen(suffix), suffix) == 0)
        suffix = "";
    const size_t size = length + strlen(suffix) + 1;
    *copy = r2n_allocate(size, 1);
    if (*copy == NULL)
        return r2n_yaml_fail(&r->yaml, node, RES2NET_OUT_OF_MEMORY, "no memory for the config");
    snprintf(*copy, size, "%s%s", value, suffix);
    return RES2NET_OK;
}

static res2net_status integer(const reader *r, const yaml_node_t *mapping, const char *key,
                              int32_t maximum, int32_t *value)
{
    const yaml_node_t *node = mapping == NULL ? NULL : r2n_yaml_find(&r->yaml, mapping, key);
    return node == NULL ? RES2NET_OK : r2n_yaml_integer(&r->yaml, node, key, 1, maximum, value);
}

static res2net_status read_arch(const reader *r, const yaml_node_t *root)
{
    const yaml_node_t *arch;
    const yaml_node_t *global;
    res2net_status status = section(r, root, "Arch", "Arch", arch_keys, &arch);
    if (status == RES2NET_OK)
        status = text(r, arch, "name", "", &r->out->architecture);
    if (status == RES2NET_OK)
        status = integer(r, arch, "class_num", MAXIMUM_CLASSES, &r->out->classes);
    if (status == RES2NET_OK)
        status = section(r, root, "Global", "Global", NULL, &global);
    if (status == RES2NET_OK) /* PaddleClas names weights without their ending */
        status = text(r, global, "pretrained_model", ".pdparams", &r->out->weights);
    return status;
}

/* Our lists end a path at the last run of blanks; another separator would be misread. */
static res2net_status check_dataset(const reader *r, const yaml_node_t *dataset)
{
    static const char *const names[] = {"ImageNetDataset", "CommonDataset", NULL};
    const yaml_node_t *name = r2n_yaml_find(&r->yaml, dataset, "name");
    const yaml_node_t *delimiter = r2n_yaml_find(&r->yaml, dataset, "delimiter");
    const yaml_node_t *relabel = r2n_yaml_find(&r->yaml, dataset, "relabel");
    int index;
    int renumbered = 0;
    res2net_status status = RES2NET_OK;
    if (name != NULL)
        status = r2n_yaml_choice(&r->yaml, name, "the dataset's name", names, &index);
    if (status == RES2NET_OK && delimiter != NULL && !r2n_yaml_is(delimiter, " ") &&
        !r2n_yaml_is(delimiter, "\t"))
        status = r2n_yaml_fail(&r->yaml, delimiter, RES2NET_UNSUPPORTED,
                               "only a blank or a tab can separate path and label");
    if (status == RES2NET_OK && relabel != NULL)
        status = r2n_yaml_boolean(&r->yaml, relabel, "relabel", &renumbered);
    if (status == RES2NET_OK && renumbered)
        status =
            r2n_yaml_fail(&r->yaml, relabel, RES2NET_UNSUPPORTED,
                          "relabel is not supported: write the labels 0, 1, ... into the list");
    return status;
}

static res2net_status read_loader(const reader *r, const yaml_node_t *root)
{
    const yaml_node_t *loader;
    const yaml_node_t *eval;
    const yaml_node_t *dataset;
    const yaml_node_t *sampler;
    res2net_status status = section(r, root, "DataLoader", "DataLoader", loader_keys, &loader);
    if (status == RES2NET_OK)
        status = section(r, loader, "Eval", "DataLoader.Eval", eval_keys, &eval);
    if (status == RES2NET_OK)
        status = section(r, eval, "dataset", "DataLoader.Eval.dataset", dataset_keys, &dataset);
    if (status == RES2NET_OK && dataset == NULL)
        status = r2n_yaml_fail(&r->yaml, eval != NULL ? eval : root, RES2NET_INVALID_ARGUMENT,
                               "no DataLoader.Eval.dataset here: it names the list to evaluate on");
    if (status == RES2NET_OK)
        status = check_dataset(r, dataset);
    if (status == RES2NET_OK)
        status = text(r, dataset, "cls_label_path", "", &r->out->list);
    if (status == RES2NET_OK)
        status = text(r, dataset, "image_root", "", &r->out->root);
    if (status == RES2NET_OK)
        r->out->has_transforms = r2n_yaml_find(&r->yaml, dataset, "transform_ops") != NULL;
    if (status == RES2NET_OK)
        status = section(r, eval, "sampler", "DataLoader.Eval.sampler", sampler_keys, &sampler);
    if (status == RES2NET_OK)
        status = integer(r, sampler, "batch_size", MAXIMUM_BATCH, &r->out->batch);
    return status;
}

res2net_status r2n_eval_config_parse(const char *yaml, size_t size, const char *name,
                                     res2net_evaluate_config *out, res2net_report *report)
{
    reader r = {.out = out};
    *out = (res2net_evaluate_config){0};
    res2net_status status = r2n_yaml_open(yaml, size, name, &r.yaml, report);
    if (status != RES2NET_OK)
        return status;
    const yaml_node_t *root = r2n_yaml_node(&r.yaml, 1);
    if (root->type != YAML_MAPPING_NODE)
        status = r2n_yaml_fail(&r.yaml, root, RES2NET_INVALID_ARGUMENT,
                               "a PaddleClas configuration was expected: Global, Arch, DataLoader");
    else
        status = r2n_yaml_check_keys(&r.yaml, root, "the configuration", top_keys);
    if (status == RES2NET_OK)
        status = read_arch(&r, root);
    if (status == RES2NET_OK)
        status = read_loader(&r, root);
    r2n_yaml_close(&r.yaml);
    if (status != RES2NET_OK)
        res2net_evaluate_config_free(out);
    return status;
}

#else

res2net_status r2n_eval_config_parse(const char *yaml, size_t size, const char *name,
                                     res2net_evaluate_config *out, res2net_report *report)
{
    (void)yaml;
    (void)size;
    *out = (res2net_evaluate_config){0};
    return r2n_fail(report, RES2NET_UNSUPPORTED, name, -1,
                    "this build reads no YAML: it was made without libyaml");
}

#endif
