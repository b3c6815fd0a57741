/* SPDX-License-Identifier: Apache-2.0 */
#include "res2net/export.h"

#include "base/memory.h"
#include "export/export.h"
#include "predict/model.h"

static res2net_status check_options(const res2net_export_options *options, res2net_report *report)
{
    if (options->format != RES2NET_EXPORT_ONNX && options->format != RES2NET_EXPORT_PADDLE)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1, "there is no export format %d",
                        (int)options->format);
    if ((int)options->weights < 0 || options->weights > RES2NET_EXPORT_WEIGHTS_INT8)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "there is no type %d to store weights in", (int)options->weights);
    return RES2NET_OK;
}

static res2net_status export_onnx(const r2n_export_model *model, const char *path,
                                  const res2net_export_options *options, res2net_report *report)
{
    static const r2n_export_weights types[] = {R2N_EXPORT_F32, R2N_EXPORT_F16, R2N_EXPORT_BF16,
                                               R2N_EXPORT_INT8};
    const r2n_onnx_options settings = {.opset = options->opset,
                                       .batch = options->batch,
                                       .rows = options->height,
                                       .columns = options->width,
                                       .softmax = !options->logits,
                                       .keep_batch_norm = options->keep_batch_norm,
                                       .weights = types[options->weights]};
    return r2n_export_onnx(model, &settings, path, report);
}

static res2net_status export_paddle(const r2n_export_model *model, const char *path,
                                    const res2net_export_options *options, res2net_report *report)
{
    const r2n_paddle_options settings = {.batch = options->batch,
                                         .rows = options->height,
                                         .columns = options->width,
                                         .softmax = !options->logits};
    return r2n_export_paddle(model, &settings, path, report);
}

res2net_status res2net_export(const res2net_model *model, const char *path,
                              const res2net_export_options *options, res2net_report *report)
{
    static const res2net_export_options defaults = {0};
    r2n_export_model what = {.graph = model->graph,
                             .weights = model->weights,
                             .labels = model->labels,
                             .label_count = model->label_count};
    r2n_recipe recipe;
    char *preprocessing = NULL;
    if (options == NULL)
        options = &defaults;
    res2net_status status = check_options(options, report);
    if (status == RES2NET_OK)
        status = r2n_weights_check_numbers(model->weights, NULL, report);
    if (status == RES2NET_OK && r2n_model_recipe(model, &recipe)) {
        preprocessing = r2n_recipe_to_json(&recipe);
        if (preprocessing == NULL)
            status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1,
                              "no memory for the preprocessing");
    }
    what.preprocessing = preprocessing;
    if (status == RES2NET_OK)
        status = options->format == RES2NET_EXPORT_ONNX
                     ? export_onnx(&what, path, options, report)
                     : export_paddle(&what, path, options, report);
    r2n_free(preprocessing);
    return status;
}
