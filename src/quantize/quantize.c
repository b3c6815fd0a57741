/* SPDX-License-Identifier: Apache-2.0 */
/* The door of this room: calibrates a model and tells what int8 costs. */
#include "res2net/quantize.h"

#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "quantize/quantize.h"

enum { DEFAULT_BATCH = 16, MAXIMUM_BATCH = 1024 };

static const res2net_quantize_options default_options = {0};

static res2net_status check_options(const res2net_quantize_options *options, res2net_report *report)
{
    if (options->batch < 0 || options->batch > MAXIMUM_BATCH)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a batch has 1 to %d pictures, not %d", MAXIMUM_BATCH, options->batch);
    if (options->samples < 0)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "samples must be 0 (all pictures) or more, not %d", options->samples);
    return RES2NET_OK;
}

/* ---- sets ---- */

static res2net_status open_labelled(const res2net_model *model, const char *list,
                                    const res2net_quantize_options *options, int labels_optional,
                                    r2n_dataset **dataset, res2net_report *report)
{
    const r2n_dataset_options rules = {.root = options->root,
                                       .delimiter = options->delimiter,
                                       .classes = model->architecture.classes,
                                       .class_names = model->labels,
                                       .names_are_certain = model->weights->metadata.labels != NULL,
                                       .labels_optional = labels_optional};
    return r2n_dataset_open(list, &rules, dataset, report);
}

static res2net_status tell_absent(const char *list, const res2net_quantize_options *options,
                                  r2n_dataset **dataset, res2net_report *report)
{
    if (r2n_dataset_find_absent(*dataset, list, report) == 0 ||
        options->on_bad_image != RES2NET_BAD_IMAGE_STOP)
        return RES2NET_OK;
    r2n_dataset_destroy(*dataset);
    *dataset = NULL;
    return RES2NET_NOT_FOUND;
}

/* With its labels, or, where lines have none that can be read, without any. */
static res2net_status open_set(const res2net_model *model, const char *list,
                               const res2net_quantize_options *options, r2n_dataset **dataset,
                               res2net_report *report)
{
    res2net_report *own = res2net_report_create();
    res2net_status status = open_labelled(model, list, options, 0, dataset, own);
    if (status == RES2NET_BAD_LIST && strcmp(list, "-") != 0) /* read once, and gone */
        status = open_labelled(model, list, options, 1, dataset, report);
    else
        r2n_report_copy(own, report);
    res2net_report_destroy(own);
    return status == RES2NET_OK ? tell_absent(list, options, dataset, report) : status;
}

static r2n_picture_run picture_run(const res2net_session *session, const r2n_dataset *dataset,
                                   const res2net_quantize_options *options)
{
    r2n_picture_run run = {.session = session,
                           .dataset = dataset,
                           .samples = (size_t)options->samples,
                           .batch = options->batch > 0 ? options->batch : DEFAULT_BATCH,
                           .stop_on_bad = options->on_bad_image == RES2NET_BAD_IMAGE_STOP,
                           .progress = options->progress,
                           .progress_context = options->progress_context};
    run.total = (int64_t)r2n_picture_run_count(&run);
    return run;
}

static res2net_status need_pictures(int64_t images, const char *list, res2net_report *report)
{
    return images > 0 ? RES2NET_OK
                      : r2n_fail(report, RES2NET_BAD_PICTURE, r2n_dataset_name(list), -1,
                                 "none of its pictures could be read");
}

/* ---- quantize ---- */

typedef struct work {
    res2net_model *model;
    const res2net_session_options *session_options;
    const char *list;
    const res2net_quantize_options *options;
    const r2n_dataset *dataset;
    res2net_session *exact, *quantised;
    res2net_quantization *out;
    res2net_report *report;
} work;

/* The scales of all nodes, over the set. */
static res2net_status calibrate(const work *w, float **scales, int32_t *count)
{
    r2n_calibration *calibration;
    int64_t skipped;
    res2net_status status = r2n_calibration_create(w->exact, &calibration, w->report);
    if (status != RES2NET_OK)
        return status;
    r2n_picture_run run = picture_run(w->exact, w->dataset, w->options);
    run.work = r2n_calibration_see;
    run.context = calibration;
    const int64_t pictures = run.total;
    run.total *= 2;
    status = r2n_picture_run_all(&run, &skipped, w->report);
    if (status == RES2NET_OK)
        status = need_pictures(pictures - skipped, w->list, w->report);
    if (status == RES2NET_OK) {
        *scales = r2n_calibration_scales(calibration, count);
        if (*scales == NULL)
            status = r2n_fail(w->report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for scales");
    }
    r2n_calibration_destroy(calibration);
    return status;
}

static res2net_status compare(const work *w, r2n_energy *steps)
{
    r2n_picture_run run = picture_run(w->exact, w->dataset, w->options);
    r2n_contrast contrast = r2n_contrast_begin(w->exact, w->quantised, steps, &w->out->pictures);
    run.work = r2n_contrast_see;
    run.context = &contrast;
    run.done_before = run.total;
    run.total *= 2;
    /* What is wrong with pictures was told in the first pass. */
    const res2net_status status = r2n_picture_run_all(&run, &w->out->pictures.skipped, NULL);
    r2n_contrast_end(&contrast);
    if (status == RES2NET_OK)
        return RES2NET_OK;
    return r2n_fail(w->report, status, NULL, -1, "the calibrated model could not be tried: %s",
                    res2net_status_text(status));
}

/* Tries what was chosen, step by step. */
static res2net_status measure(work *w)
{
    const size_t steps = (size_t)r2n_plan_step_count(w->exact->plan);
    res2net_session_options settings = *w->session_options;
    settings.precision = "int8";
    res2net_status status = res2net_session_create(w->model, &settings, &w->quantised, w->report);
    if (status != RES2NET_OK)
        return status;
    r2n_energy *energy = r2n_allocate_zeroed(steps, sizeof *energy);
    w->out->steps = r2n_allocate_zeroed(steps, sizeof *w->out->steps);
    if (energy == NULL || w->out->steps == NULL)
        status = r2n_fail(w->report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the report");
    else
        status = compare(w, energy);
    w->out->step_count = steps;
    for (size_t i = 0; i < steps && status == RES2NET_OK; i++)
        w->out->steps[i] =
            (res2net_quantized_step){.name = r2n_plan_step_name(w->exact->plan, (int32_t)i),
                                     .signal_to_noise = r2n_decibels(energy[i])};
    r2n_free(energy);
    return status;
}

static res2net_status calibrate_and_measure(work *w)
{
    float *scales = NULL;
    int32_t count;
    res2net_session_options settings = *w->session_options;
    settings.precision = "f32";
    res2net_status status = res2net_session_create(w->model, &settings, &w->exact, w->report);
    if (status == RES2NET_OK)
        status = calibrate(w, &scales, &count);
    if (status != RES2NET_OK)
        return status;
    r2n_model_exchange_scales(w->model, &scales, &count);
    status = measure(w);
    res2net_session_destroy(w->quantised);
    if (status != RES2NET_OK) /* as it was */
        r2n_model_exchange_scales(w->model, &scales, &count);
    r2n_free(scales);
    return status;
}

res2net_status res2net_quantize(res2net_model *model, const res2net_session_options *session,
                                const char *list, const res2net_quantize_options *options,
                                res2net_quantization *out, res2net_report *report)
{
    static const res2net_session_options default_session = {0};
    r2n_dataset *dataset;
    const double start = r2n_seconds();
    *out = (res2net_quantization){0};
    if (options == NULL)
        options = &default_options;
    res2net_status status = check_options(options, report);
    if (status == RES2NET_OK)
        status = open_set(model, list, options, &dataset, report);
    if (status != RES2NET_OK)
        return status;
    work w = {.model = model,
              .session_options = session != NULL ? session : &default_session,
              .list = list,
              .options = options,
              .dataset = dataset,
              .out = out,
              .report = report};
    status = calibrate_and_measure(&w);
    res2net_session_destroy(w.exact);
    r2n_dataset_destroy(dataset);
    out->seconds = r2n_seconds() - start;
    if (status != RES2NET_OK)
        res2net_quantization_free(out);
    return status;
}

void res2net_quantization_free(res2net_quantization *quantization)
{
    r2n_free(quantization->steps);
    *quantization = (res2net_quantization){0};
}

/* ---- compare ---- */

res2net_status res2net_compare(res2net_session *first, res2net_session *second, const char *list,
                               const res2net_quantize_options *options, res2net_comparison *out,
                               res2net_report *report)
{
    r2n_dataset *dataset;
    *out = (res2net_comparison){0};
    if (options == NULL)
        options = &default_options;
    res2net_status status = check_options(options, report);
    if (first->model != second->model)
        status = r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                          "two sessions of different models cannot be compared");
    if (status == RES2NET_OK)
        status = open_labelled(first->model, list, options, 0, &dataset, report);
    if (status == RES2NET_OK)
        status = tell_absent(list, options, &dataset, report);
    if (status != RES2NET_OK)
        return status;
    r2n_picture_run run = picture_run(first, dataset, options);
    r2n_contrast contrast = r2n_contrast_begin(first, second, NULL, out);
    run.work = r2n_contrast_see;
    run.context = &contrast;
    status = r2n_picture_run_all(&run, &out->skipped, report);
    r2n_contrast_end(&contrast);
    r2n_dataset_destroy(dataset);
    if (status != RES2NET_OK)
        *out = (res2net_comparison){0};
    return status;
}
