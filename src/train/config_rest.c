/* SPDX-License-Identifier: Apache-2.0 */
/* Metric, which is checked; Infer, Slim and others, which training does not read. */
#include "train/config_reader.h"

#ifdef R2N_HAVE_YAML

static res2net_status read_metric(const r2n_config_section *root)
{
    static const char *const sets[] = {"Train", "Eval", NULL};
    r2n_train_config *out = root->reader->out;
    r2n_config_section metric;
    res2net_status status = r2n_config_open(root, "Metric", r2n_paddleclas_metric_keys, &metric);
    for (int i = 0; status == RES2NET_OK && sets[i] != NULL; i++) {
        const yaml_node_t *list = r2n_config_find(&metric, sets[i]);
        status = r2n_paddleclas_check_metric(&root->reader->yaml, metric.node, sets[i]);
        if (status == RES2NET_OK)
            r2n_config_log(&metric, sets[i], list, list == NULL ? "null" : "TopkAcc",
                           i == 0 && list != NULL && out->train.batch_transforms != NULL
                               ? "not counted: mixed pictures have no one label, as in PaddleClas"
                               : NULL);
        if (i == 0)
            out->count_train_metric = list != NULL && out->train.batch_transforms == NULL;
    }
    return status;
}

res2net_status r2n_config_read_rest(const r2n_config_section *root)
{
    static const char *const infer_keys[] = {
        "infer_imgs", "batch_size", "transforms", "PostProcess", "infer_list", "save_dir", NULL};
    r2n_config_section infer;
    res2net_status status = read_metric(root);
    if (status == RES2NET_OK)
        status = r2n_config_open(root, "Infer", infer_keys, &infer);
    if (status == RES2NET_OK)
        status = r2n_config_require_absent(root, "Slim",
                                           "PaddleClas does nothing with it for a Res2Net either; "
                                           "`res2net quantize` makes int8");
    if (status == RES2NET_OK)
        status = r2n_config_require_absent(root, "Optimizer_metric",
                                           "losses have no parameters of their own here");
    if (status == RES2NET_OK)
        r2n_config_taken(root, "profiler_options", "changes nothing here");
    return status;
}

#endif
