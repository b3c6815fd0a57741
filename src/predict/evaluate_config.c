/* SPDX-License-Identifier: Apache-2.0 */
/* PaddleClas configurations of evaluations: data/eval_config.c reads them; here they meet models.
 */
#include "base/os.h"
#include "data/eval_config.h"
#include "predict/model.h"

enum { MAXIMUM_CONFIG_BYTES = 1 << 20 };

/* The catalogue's own words, at the config's line. */
static res2net_status check_architecture(const res2net_evaluate_config *config,
                                         res2net_report *report)
{
    r2n_architecture found;
    if (config->architecture == NULL)
        return RES2NET_OK;
    res2net_report *words = res2net_report_create();
    const res2net_status status = r2n_architecture_find(config->architecture, &found, words);
    if (status != RES2NET_OK)
        r2n_fail_at(report, status, config->file, config->name_place.line,
                    config->name_place.column, "Arch.name: %s",
                    res2net_report_count(words) > 0 ? res2net_report_problem(words, 0)->text
                                                    : "no such architecture");
    res2net_report_destroy(words);
    return status == RES2NET_NOT_FOUND ? RES2NET_INVALID_ARGUMENT : status;
}

res2net_status res2net_evaluate_config_read(const char *path, const char *const *overrides,
                                            size_t count, res2net_evaluate_config *out,
                                            res2net_report *report)
{
    r2n_file_bytes file;
    *out = (res2net_evaluate_config){0};
    res2net_status status = r2n_file_read(path, MAXIMUM_CONFIG_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_eval_config_parse((const char *)file.data, file.size, path, overrides, count, out,
                                   report);
    r2n_file_release(&file);
    if (status == RES2NET_OK)
        status = check_architecture(out, report);
    if (status != RES2NET_OK)
        res2net_evaluate_config_free(out);
    return status;
}

res2net_status res2net_evaluate_config_check(const res2net_evaluate_config *config,
                                             const res2net_model *model, res2net_report *report)
{
    const int32_t classes = model->architecture.classes;
    if (config->classes == 0 || config->classes == classes)
        return RES2NET_OK;
    return r2n_fail_at(report, RES2NET_MISMATCH, config->file, config->class_place.line,
                       config->class_place.column,
                       "Arch.class_num is %d, but the weights have %d classes", config->classes,
                       classes);
}
