/* SPDX-License-Identifier: Apache-2.0 */
/* Arch: the network, by a name of the catalogue or by a specification. */
#include "train/config_reader.h"

#ifdef R2N_HAVE_YAML

#include <string.h>

#include "base/memory.h"

enum { MAXIMUM_CLASSES = 1000000 };

/* The catalogue's own words, at the config's line. */
static res2net_status find_architecture(const r2n_config_section *arch, const char *name)
{
    r2n_architecture *out = &arch->reader->out->architecture;
    const yaml_node_t *node = r2n_config_find(arch, "name");
    res2net_status status = r2n_architecture_find(name, out, NULL);
    if (status == RES2NET_OK)
        return RES2NET_OK;
    res2net_report *words = res2net_report_create();
    r2n_architecture_find(name, out, words);
    status = status == RES2NET_NOT_FOUND ? RES2NET_INVALID_ARGUMENT : status;
    r2n_yaml_fail(&arch->reader->yaml, node, status, "Arch.name: %s",
                  res2net_report_count(words) > 0 ? res2net_report_problem(words, 0)->text
                                                  : "no such architecture");
    res2net_report_destroy(words);
    return status;
}

static res2net_status read_name(const r2n_config_section *arch)
{
    static const char *const composed[] = {"DistillationModel", "RecModel", "AttentionModel", NULL};
    const yaml_node_t *node = r2n_config_find(arch, "name");
    char *name = NULL;
    if (node == NULL)
        return r2n_config_missing(arch, "name", "which network is trained; `res2net list` has all");
    for (int i = 0; composed[i] != NULL; i++)
        if (r2n_yaml_is(node, composed[i]))
            return r2n_yaml_fail(&arch->reader->yaml, node, RES2NET_UNSUPPORTED,
                                 "Arch.name %s is not there: one network is trained at a time",
                                 composed[i]);
    res2net_status status = r2n_paddleclas_text(&arch->reader->yaml, arch->node, "name", &name);
    if (status == RES2NET_OK)
        status = find_architecture(arch, name);
    if (status == RES2NET_OK)
        r2n_config_log(arch, "name", node, arch->reader->out->architecture.name, NULL);
    r2n_free(name);
    return status;
}

/* Arch.class_num, else the deprecated Global.class_num, else the architecture's own. */
static res2net_status read_classes(const r2n_config_section *root, const r2n_config_section *arch)
{
    int32_t *classes = &root->reader->out->architecture.classes;
    r2n_config_section global;
    const res2net_status status = r2n_config_open(root, "Global", NULL, &global);
    if (status != RES2NET_OK)
        return status;
    if (r2n_config_find(arch, "class_num") == NULL && r2n_config_find(&global, "class_num") != NULL)
        return r2n_config_integer32(&global, "class_num", 1, MAXIMUM_CLASSES, classes);
    r2n_config_taken(&global, "class_num", "Arch.class_num goes before it");
    return r2n_config_integer32(arch, "class_num", 1, MAXIMUM_CLASSES, classes);
}

/* A path, or True for weights that PaddleClas downloads. Global.pretrained_model is loaded after it
 * there, so that it goes before it here. */
static res2net_status read_pretrained(const r2n_config_section *arch)
{
    r2n_train_config *out = arch->reader->out;
    const yaml_node_t *node = r2n_config_find(arch, "pretrained");
    char *path = NULL;
    int on = 0;
    if (out->pretrained_model != NULL) {
        r2n_config_taken(arch, "pretrained", "Global.pretrained_model goes before it");
        return RES2NET_OK;
    }
    if (node == NULL || (r2n_yaml_is_boolean(node, &on) && !on)) {
        r2n_config_log(arch, "pretrained", node, "False", NULL);
        return RES2NET_OK;
    }
    if (on)
        return r2n_yaml_fail(&arch->reader->yaml, node, RES2NET_UNSUPPORTED,
                             "pretrained: True means a download, and nothing is downloaded here: "
                             "fetch the weights and write their path into "
                             "Global.pretrained_model");
    const res2net_status status =
        r2n_paddleclas_text(&arch->reader->yaml, arch->node, "pretrained", &path);
    if (status != RES2NET_OK)
        return status;
    out->arch_pretrained = r2n_paddleclas_weights_name(path);
    r2n_free(path);
    if (out->arch_pretrained == NULL)
        return r2n_config_no_memory(arch);
    r2n_config_log(arch, "pretrained", node, out->arch_pretrained, NULL);
    return RES2NET_OK;
}

static res2net_status read_family(const r2n_config_section *arch)
{
    static const char *const families[] = {"paddle", "torch", NULL};
    r2n_train_config *out = arch->reader->out;
    int index = r2n_architecture_origin_family(&out->architecture) == R2N_FAMILY_TORCH;
    const res2net_status status = r2n_config_choice(arch, "family", families, &index);
    out->family = index == 1 ? R2N_FAMILY_TORCH : R2N_FAMILY_PADDLE;
    return status;
}

res2net_status r2n_config_read_arch(const r2n_config_section *root)
{
    static const char *const distilled[] = {"models", "infer_model_name", "freeze_params_list",
                                            NULL};
    r2n_config_section arch;
    res2net_status status = r2n_config_open(root, "Arch", NULL, &arch);
    if (status == RES2NET_OK)
        status = read_name(&arch); /* first: composed networks have other keys */
    if (status == RES2NET_OK)
        status = r2n_config_check_keys(&arch, r2n_paddleclas_arch_keys);
    if (status == RES2NET_OK)
        status = read_classes(root, &arch);
    if (status == RES2NET_OK)
        status = read_family(&arch);
    if (status == RES2NET_OK)
        status = read_pretrained(&arch);
    for (int i = 0; status == RES2NET_OK && distilled[i] != NULL; i++)
        status = r2n_config_require_absent(&arch, distilled[i], "it belongs to DistillationModel");
    if (status != RES2NET_OK)
        return status;
    r2n_config_taken(&arch, "use_ssld", "only says which weights are downloaded");
    r2n_config_taken(&arch, "use_sync_bn", "there is one process");
    r2n_config_taken(&arch, "infer_add_softmax", "of exports");
    r2n_config_taken(&arch, "infer_output_key", "of exports");
    return RES2NET_OK;
}

#endif
