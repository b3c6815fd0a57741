/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX files and Paddle's inference models as models: what lies beside the network. */
#include "predict/model_import.h"

#include <string.h>

#include "base/memory.h"
#include "formats/json_writer.h"
#include "formats/yaml_reader.h"
#include "image/image.h"
#include "weights/metadata.h"

/* ---- preprocessing --------------------------------------------------------------------------- */

/* Our own export keeps the recipe itself in a comment: Paddle's operators cannot tell all of it.
 * NULL without one, or without memory. */
static char *recipe_in_comment(const char *yaml)
{
    static const char mark[] = "# " R2N_KEY_RECIPE ": ";
    for (const char *line = yaml; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        const size_t length = end == NULL ? strlen(line) : (size_t)(end - line);
        if (length > sizeof mark - 1 && memcmp(line, mark, sizeof mark - 1) == 0)
            return r2n_copy_bytes(line + sizeof mark - 1, length - (sizeof mark - 1));
        line = end == NULL ? NULL : end + 1;
    }
    return NULL;
}

static int prepares_nothing(const char *yaml)
{
    return strstr(yaml, "transform_ops: []") != NULL || strstr(yaml, "transform_ops") == NULL;
}

/* PreProcess.transform_ops. A list that is not ours to follow is told, and the presets stand. */
static char *recipe_in_list(const char *yaml, const char *name, res2net_report *report)
{
    r2n_recipe recipe;
    char *json = NULL;
    res2net_report *quiet = res2net_report_create();
    if (prepares_nothing(yaml)) {
        res2net_report_destroy(quiet);
        return NULL;
    }
    if (r2n_recipe_parse_yaml(yaml, strlen(yaml), "inference.yml", &recipe, quiet) == RES2NET_OK)
        json = r2n_recipe_to_json(&recipe);
    else if (res2net_report_count(quiet) > 0)
        r2n_fail(report, RES2NET_OK, name, -1,
                 "note: how inference.yml prepares pictures is not taken over (%s)",
                 res2net_report_problem(quiet, 0)->text);
    res2net_report_destroy(quiet);
    return json;
}

/* ---- labels ---------------------------------------------------------------------------------- */

#ifdef R2N_HAVE_YAML

/* One name a line; a name that is no plain line spoils them all. */
static int put_labels(const r2n_yaml *yaml, const yaml_node_t *list, r2n_text *text)
{
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top; item++) {
        const yaml_node_t *node = r2n_yaml_node(yaml, *item);
        if (node == NULL || node->type != YAML_SCALAR_NODE ||
            memchr(node->data.scalar.value, '\n', node->data.scalar.length) != NULL ||
            memchr(node->data.scalar.value, '\0', node->data.scalar.length) != NULL)
            return 0;
        r2n_text_put(text, text->size == 0 ? "" : "\n");
        r2n_text_put_bytes(text, node->data.scalar.value, node->data.scalar.length);
    }
    return !text->failed;
}

/* PostProcess.Topk.label_list, where it has a name for every class; else NULL. */
static char *labels_of(const char *yaml_text, int32_t classes)
{
    r2n_yaml yaml;
    r2n_text text = {0};
    char *labels = NULL;
    if (r2n_yaml_open(yaml_text, strlen(yaml_text), "a mapping", "inference.yml", &yaml, NULL) !=
        RES2NET_OK)
        return NULL;
    const yaml_node_t *root = r2n_yaml_node(&yaml, 1);
    const yaml_node_t *top =
        r2n_yaml_find(&yaml, r2n_yaml_find(&yaml, root, "PostProcess"), "Topk");
    const yaml_node_t *list = r2n_yaml_find(&yaml, top, "label_list");
    if (list != NULL && list->type == YAML_SEQUENCE_NODE &&
        list->data.sequence.items.top - list->data.sequence.items.start == classes &&
        put_labels(&yaml, list, &text))
        labels = r2n_copy_bytes(text.data, text.size);
    r2n_free(text.data);
    r2n_yaml_close(&yaml);
    return labels;
}

#else

static char *labels_of(const char *yaml_text, int32_t classes)
{
    (void)yaml_text;
    (void)classes;
    return NULL;
}

#endif

/* ---- all ------------------------------------------------------------------------------------- */

static void take_yaml(r2n_imported *imported, const char *name, res2net_report *report)
{
    r2n_weights_metadata *metadata = &imported->weights->metadata;
    const char *yaml = imported->yaml;
    if (yaml == NULL)
        return;
    if (metadata->recipe_json == NULL)
        metadata->recipe_json = recipe_in_comment(yaml);
    if (metadata->recipe_json == NULL)
        metadata->recipe_json = recipe_in_list(yaml, name, report);
    if (metadata->labels == NULL)
        metadata->labels = labels_of(yaml, imported->architecture.classes);
}

r2n_tensor_set *r2n_model_set_of_import(r2n_imported *imported, const char *name,
                                        const res2net_load_options *options, res2net_report *report)
{
    take_yaml(imported, name, report);
    r2n_tensor_set *set = imported->weights;
    imported->weights = NULL;
    if (options->family != RES2NET_FAMILY_UNKNOWN && imported->architecture.scale > 1 &&
        imported->family != R2N_FAMILY_UNKNOWN &&
        options->family != (res2net_family)imported->family)
        r2n_fail(report, RES2NET_OK, name, -1,
                 "note: the file's operations are those of the %s family, yet the %s family's "
                 "rules are asked for: answers are not those of the file",
                 r2n_family_name(imported->family), r2n_family_name((r2n_family)options->family));
    r2n_imported_free(imported);
    return set;
}
