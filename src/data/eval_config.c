/* SPDX-License-Identifier: Apache-2.0 */
#include "data/eval_config.h"

#include <string.h>

#include "base/memory.h"
#include "data/paddleclas.h"
#include "formats/yaml_override.h"
#include "image/recipe_yaml.h"

void res2net_evaluate_config_free(res2net_evaluate_config *config)
{
    r2n_free(config->architecture);
    r2n_free(config->weights);
    r2n_free(config->list);
    r2n_free(config->root);
    r2n_free(config->delimiter);
    r2n_free(config->transforms);
    r2n_free(config->file);
    *config = (res2net_evaluate_config){0};
}

#ifdef R2N_HAVE_YAML

enum { MAXIMUM_CLASSES = 1000000, MAXIMUM_BATCH = 1024 };

/* Where an override may make a key: a misspelt one is found there by its reader. */
static const char *const open_sections[] = {"Global", "Arch", "DataLoader.Eval", NULL};

typedef struct reader {
    r2n_yaml yaml;
    res2net_evaluate_config *out;
} reader;

/* ---- values --------------------------------------------------------------------------------- */

static const yaml_node_t *find(const reader *r, const yaml_node_t *mapping, const char *key)
{
    return r2n_paddleclas_find(&r->yaml, mapping, key);
}

/* A mapping under `parent`, its keys checked; *found is NULL where it is absent. */
static res2net_status section(const reader *r, const yaml_node_t *parent, const char *key,
                              const char *what, const char *const *keys, const yaml_node_t **found)
{
    *found = find(r, parent, key);
    if (*found == NULL)
        return RES2NET_OK;
    if ((*found)->type != YAML_MAPPING_NODE)
        return r2n_yaml_fail(&r->yaml, *found, RES2NET_INVALID_ARGUMENT,
                             "%s has no \"key: value\" lines", what);
    return keys == NULL ? RES2NET_OK : r2n_yaml_check_keys(&r->yaml, *found, what, keys);
}

static res2net_status read_text(const reader *r, const yaml_node_t *mapping, const char *key,
                                char **copy)
{
    return r2n_paddleclas_text(&r->yaml, mapping, key, copy);
}

static res2net_status read_integer(const reader *r, const yaml_node_t *mapping, const char *key,
                                   int32_t maximum, int32_t *value)
{
    const yaml_node_t *node = find(r, mapping, key);
    return node == NULL ? RES2NET_OK : r2n_yaml_integer(&r->yaml, node, key, 1, maximum, value);
}

/* A switch that an evaluation here cannot follow must be off. */
static res2net_status require_off(const reader *r, const yaml_node_t *mapping, const char *key,
                                  const char *reason)
{
    const yaml_node_t *node = find(r, mapping, key);
    int on = 0;
    if (node == NULL)
        return RES2NET_OK;
    const res2net_status status = r2n_yaml_boolean(&r->yaml, node, key, &on);
    if (status != RES2NET_OK || !on)
        return status;
    return r2n_yaml_fail(&r->yaml, node, RES2NET_UNSUPPORTED, "%s: True is not there: %s", key,
                         reason);
}

static res2net_status check_name(const reader *r, const yaml_node_t *mapping, const char *key,
                                 const char *what, const char *const *names)
{
    const yaml_node_t *node = find(r, mapping, key);
    int index;
    return node == NULL ? RES2NET_OK : r2n_yaml_choice(&r->yaml, node, what, names, &index);
}

static res2net_place place_of(const reader *r, const yaml_node_t *mapping, const char *key)
{
    const yaml_node_t *node = find(r, mapping, key);
    if (node == NULL)
        return (res2net_place){-1, -1};
    const r2n_yaml_place place = r2n_yaml_place_of(node);
    return (res2net_place){place.line, place.column};
}

/* ---- sections ------------------------------------------------------------------------------- */

/* Global has grown many keys over the years, which no evaluation reads: one that is not known is
 * refused where it looks like one that counts, or where an override made it. */
static res2net_status check_global_keys(const reader *r, const yaml_node_t *global)
{
    static const char *const read[] = {"pretrained_model", "eval_mode", "use_multilabel", NULL};
    char text[R2N_YAML_EXCERPT];
    for (const yaml_node_pair_t *pair = global->data.mapping.pairs.start;
         pair < global->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = r2n_yaml_node(&r->yaml, pair->key);
        const int overridden = r2n_yaml_place_of(key).line < 0;
        size_t i = 0;
        while (r2n_paddleclas_global_keys[i] != NULL &&
               !r2n_yaml_is(key, r2n_paddleclas_global_keys[i]))
            i++;
        if (r2n_paddleclas_global_keys[i] != NULL)
            continue;
        const char *nearest = r2n_yaml_nearest(key, overridden ? r2n_paddleclas_global_keys : read);
        if (overridden || nearest != NULL)
            return r2n_yaml_fail(&r->yaml, key, RES2NET_INVALID_ARGUMENT,
                                 "Global has no key \"%s\"%s%s%s", r2n_yaml_excerpt(key, text),
                                 nearest != NULL ? "; did you mean \"" : "",
                                 nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
    }
    return RES2NET_OK;
}

/* PaddleClas names weights without their ending. */
static res2net_status add_ending(const reader *r, const yaml_node_t *global)
{
    char *weights = r->out->weights;
    if (weights == NULL)
        return RES2NET_OK;
    r->out->weights = r2n_paddleclas_weights_name(weights);
    r2n_free(weights);
    return r->out->weights != NULL
               ? RES2NET_OK
               : r2n_yaml_fail(&r->yaml, global, RES2NET_OUT_OF_MEMORY, "no memory for the config");
}

static res2net_status read_global(const reader *r, const yaml_node_t *root)
{
    static const char *const modes[] = {"classification", NULL};
    const yaml_node_t *global;
    res2net_status status = section(r, root, "Global", "Global", NULL, &global);
    if (status == RES2NET_OK && global != NULL)
        status = check_global_keys(r, global);
    if (status == RES2NET_OK)
        status = check_name(r, global, "eval_mode", "eval_mode", modes);
    if (status == RES2NET_OK)
        status = require_off(r, global, "use_multilabel", "a picture has one label here");
    if (status == RES2NET_OK)
        status = read_text(r, global, "pretrained_model", &r->out->weights);
    return status;
}

static res2net_status read_arch(const reader *r, const yaml_node_t *root)
{
    const yaml_node_t *arch;
    int truth;
    res2net_status status = section(r, root, "Arch", "Arch", r2n_paddleclas_arch_keys, &arch);
    if (status == RES2NET_OK)
        status = read_text(r, arch, "name", &r->out->architecture);
    if (status == RES2NET_OK)
        status = read_integer(r, arch, "class_num", MAXIMUM_CLASSES, &r->out->classes);
    /* A path, or True for weights that PaddleClas downloads; Global's replace them. */
    const yaml_node_t *pretrained = status == RES2NET_OK ? find(r, arch, "pretrained") : NULL;
    if (pretrained != NULL && r->out->weights == NULL && !r2n_yaml_is_boolean(pretrained, &truth))
        status = read_text(r, arch, "pretrained", &r->out->weights);
    r->out->name_place = place_of(r, arch, "name");
    r->out->class_place = place_of(r, arch, "class_num");
    return status == RES2NET_OK ? add_ending(r, root) : status;
}

static res2net_status read_transforms(const reader *r, const yaml_node_t *dataset)
{
    r2n_recipe recipe;
    const yaml_node_t *list = find(r, dataset, "transform_ops");
    if (list == NULL)
        return RES2NET_OK;
    const res2net_status status = r2n_recipe_read_ops(&r->yaml, list, &recipe);
    if (status != RES2NET_OK)
        return status;
    r->out->transforms = r2n_recipe_to_json(&recipe);
    return r->out->transforms != NULL
               ? RES2NET_OK
               : r2n_yaml_fail(&r->yaml, list, RES2NET_OUT_OF_MEMORY, "no memory for the config");
}

static res2net_status read_dataset(const reader *r, const yaml_node_t *dataset)
{
    const yaml_node_t *batch_ops = find(r, dataset, "batch_transform_ops");
    res2net_status status =
        check_name(r, dataset, "name", "the dataset's name", r2n_paddleclas_datasets);
    if (status == RES2NET_OK && batch_ops != NULL)
        status = r2n_yaml_fail(&r->yaml, batch_ops, RES2NET_UNSUPPORTED,
                               "batch_transform_ops mix pictures and labels: an evaluation takes "
                               "them as they are");
    if (status == RES2NET_OK)
        status = require_off(r, dataset, "relabel", "write the labels 0, 1, ... into the list");
    if (status == RES2NET_OK)
        status =
            check_name(r, dataset, "on_bad_image", "on_bad_image", r2n_paddleclas_bad_image_rules);
    if (status == RES2NET_OK)
        status = read_text(r, dataset, "cls_label_path", &r->out->list);
    if (status == RES2NET_OK)
        status = read_text(r, dataset, "image_root", &r->out->root);
    if (status == RES2NET_OK)
        status = r2n_paddleclas_delimiter(&r->yaml, dataset, &r->out->delimiter);
    return status == RES2NET_OK ? read_transforms(r, dataset) : status;
}

static res2net_status read_data(const reader *r, const yaml_node_t *root)
{
    const yaml_node_t *data, *eval = NULL, *dataset = NULL, *sampler = NULL, *loader;
    res2net_status status =
        section(r, root, "DataLoader", "DataLoader", r2n_paddleclas_data_keys, &data);
    if (status == RES2NET_OK)
        status = section(r, data, "Eval", "DataLoader.Eval", r2n_paddleclas_loading_keys, &eval);
    if (status == RES2NET_OK)
        status = section(r, eval, "dataset", "DataLoader.Eval.dataset", r2n_paddleclas_dataset_keys,
                         &dataset);
    if (status == RES2NET_OK)
        status = read_dataset(r, dataset);
    if (status == RES2NET_OK)
        status = section(r, eval, "sampler", "DataLoader.Eval.sampler", r2n_paddleclas_sampler_keys,
                         &sampler);
    if (status == RES2NET_OK)
        status = check_name(r, sampler, "name", "the sampler's name", r2n_paddleclas_samplers);
    if (status == RES2NET_OK)
        status = require_off(r, sampler, "drop_last", "every picture is counted; write False");
    if (status == RES2NET_OK)
        status = require_off(r, sampler, "balanced", "every picture is counted once");
    if (status == RES2NET_OK)
        status = read_integer(r, sampler, "batch_size", MAXIMUM_BATCH, &r->out->batch);
    return status == RES2NET_OK ? section(r, eval, "loader", "DataLoader.Eval.loader",
                                          r2n_paddleclas_loader_keys, &loader)
                                : status;
}

static res2net_status check_metrics(const reader *r, const yaml_node_t *root)
{
    const yaml_node_t *metric;
    const res2net_status status =
        section(r, root, "Metric", "Metric", r2n_paddleclas_metric_keys, &metric);
    return status == RES2NET_OK ? r2n_paddleclas_check_metric(&r->yaml, metric, "Eval") : status;
}

static res2net_status read_all(const reader *r)
{
    const yaml_node_t *root = r2n_yaml_node(&r->yaml, 1);
    res2net_status status;
    if (root->type != YAML_MAPPING_NODE)
        return r2n_yaml_fail(&r->yaml, root, RES2NET_INVALID_ARGUMENT,
                             "a PaddleClas configuration was expected: Global, Arch, DataLoader");
    r->out->file = r2n_copy_string(r->yaml.name);
    if (r->out->file == NULL)
        return r2n_yaml_fail(&r->yaml, root, RES2NET_OUT_OF_MEMORY, "no memory for the config");
    status = r2n_yaml_check_keys(&r->yaml, root, "the configuration", r2n_paddleclas_top_keys);
    if (status == RES2NET_OK)
        status = read_global(r, root);
    if (status == RES2NET_OK)
        status = read_arch(r, root);
    if (status == RES2NET_OK)
        status = read_data(r, root);
    return status == RES2NET_OK ? check_metrics(r, root) : status;
}

res2net_status r2n_eval_config_parse(const char *text, size_t size, const char *name,
                                     const char *const *overrides, size_t count,
                                     res2net_evaluate_config *out, res2net_report *report)
{
    reader r = {.out = out};
    *out = (res2net_evaluate_config){0};
    res2net_status status =
        r2n_yaml_open(text, size, "a PaddleClas configuration", name, &r.yaml, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_yaml_override(&r.yaml, overrides, count, open_sections);
    if (status == RES2NET_OK)
        status = read_all(&r);
    r2n_yaml_close(&r.yaml);
    if (status != RES2NET_OK)
        res2net_evaluate_config_free(out);
    return status;
}

#else

res2net_status r2n_eval_config_parse(const char *text, size_t size, const char *name,
                                     const char *const *overrides, size_t count,
                                     res2net_evaluate_config *out, res2net_report *report)
{
    (void)text;
    (void)size;
    (void)overrides;
    (void)count;
    *out = (res2net_evaluate_config){0};
    return r2n_fail(report, RES2NET_UNSUPPORTED, name, -1,
                    "a configuration is YAML, and this build has no libyaml: build it with "
                    "libyaml's development files and -DRES2NET_YAML=ON");
}

#endif
