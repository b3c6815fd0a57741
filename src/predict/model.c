/* SPDX-License-Identifier: Apache-2.0 */
#include "predict/model.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/precision.h"
#include "predict/model_import.h"

#if defined(R2N_HAVE_EMBEDDED_MODEL)
extern const unsigned char r2n_embedded_model[];
extern const unsigned char r2n_embedded_model_end[];
#endif

static res2net_status no_memory(const char *name, res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory for the model");
}

static res2net_status read_yaml_recipe(const char *path, r2n_recipe *recipe, res2net_report *report)
{
    enum { MAXIMUM_RECIPE_BYTES = 1 << 20 };
    r2n_file_bytes file;
    res2net_status status = r2n_file_read(path, MAXIMUM_RECIPE_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_recipe_parse_yaml((const char *)file.data, file.size, path, recipe, report);
    r2n_file_release(&file);
    return status;
}

/* What comes with the weights stays with them: it is written again by `res2net_model_save`. */
static res2net_status set_recipe(res2net_model *model, const res2net_load_options *options,
                                 const char *name, res2net_report *report)
{
    r2n_weights_metadata *metadata = &model->weights->metadata;
    res2net_status status = RES2NET_OK;
    if (options->transforms != NULL || options->recipe != NULL) {
        status = options->transforms != NULL
                     ? read_yaml_recipe(options->transforms, &model->recipe, report)
                     : r2n_recipe_parse_json(options->recipe, strlen(options->recipe), "recipe",
                                             &model->recipe, report);
        if (status != RES2NET_OK)
            return status;
        r2n_free(metadata->recipe_json);
        metadata->recipe_json = r2n_recipe_to_json(&model->recipe);
        if (metadata->recipe_json == NULL)
            return no_memory(name, report);
        model->has_recipe = 1;
    } else if (metadata->recipe_json != NULL) {
        status = r2n_recipe_parse_json(metadata->recipe_json, strlen(metadata->recipe_json), name,
                                       &model->recipe, report);
        model->has_recipe = status == RES2NET_OK;
    }
    return status;
}

/* A text of the caller's in the place of the file's. */
static res2net_status replace_text(char **kept, const char *text, const char *name,
                                   res2net_report *report)
{
    if (text == NULL)
        return RES2NET_OK;
    char *copy = r2n_copy_string(text);
    if (copy == NULL)
        return no_memory(name, report);
    r2n_free(*kept);
    *kept = copy;
    return RES2NET_OK;
}

static res2net_status make_cache(res2net_model *model, const char *name, res2net_report *report)
{
    model->cache = r2n_allocate_zeroed(1, sizeof *model->cache);
    if (model->cache == NULL)
        return no_memory(name, report);
    if (pthread_mutex_init(&model->cache->lock, NULL) != 0) {
        r2n_free(model->cache);
        model->cache = NULL;
        return no_memory(name, report);
    }
    return RES2NET_OK;
}

/* The architecture that is asked for, in `wanted`; *out is NULL where none is. */
static res2net_status find_wanted(const res2net_load_options *options, r2n_architecture *wanted,
                                  const r2n_architecture **out, res2net_report *report)
{
    *out = options->architecture == NULL ? NULL : wanted;
    return *out == NULL ? RES2NET_OK : r2n_architecture_find(options->architecture, wanted, report);
}

/* Takes `set` (as read) over and completes the model. */
static res2net_status complete(res2net_model *model, r2n_tensor_set *set, const char *name,
                               const res2net_load_options *options, res2net_report *report)
{
    r2n_architecture wanted;
    const r2n_architecture *architecture;
    const res2net_status found = find_wanted(options, &wanted, &architecture, report);
    if (found != RES2NET_OK) {
        r2n_tensor_set_destroy(set);
        return found;
    }
    res2net_status status =
        r2n_weights_canonicalise(set, architecture, (r2n_family)options->family, name,
                                 &model->weights, &model->architecture, &model->family, report);
    if (status == RES2NET_OK)
        status = r2n_graph_create(&model->architecture, model->family, &model->graph, report);
    if (status == RES2NET_OK)
        status = set_recipe(model, options, name, report);
    if (status == RES2NET_OK)
        status =
            r2n_model_set_labels(model, options->labels, model->weights->metadata.labels, report);
    if (status == RES2NET_OK)
        status = replace_text(&model->weights->metadata.licence, options->licence, name, report);
    if (status == RES2NET_OK)
        status = replace_text(&model->weights->metadata.source, options->source, name, report);
    if (status == RES2NET_OK)
        status = make_cache(model, name, report);
    return status;
}

res2net_status r2n_model_from_set(r2n_tensor_set *set, const char *name,
                                  const res2net_load_options *options, res2net_model **out,
                                  res2net_report *report)
{
    res2net_model *model = r2n_allocate_zeroed(1, sizeof *model);
    if (model == NULL) {
        r2n_tensor_set_destroy(set);
        return no_memory(name, report);
    }
    const res2net_status status = complete(model, set, name, options, report);
    if (status != RES2NET_OK)
        res2net_model_destroy(model);
    else
        *out = model;
    return status;
}

/* `set` is taken over, also on failure. */
static res2net_status check_and_finish(r2n_tensor_set *set, const char *name,
                                       const res2net_load_options *options, res2net_model **out,
                                       res2net_report *report)
{
    const res2net_status status =
        options->verify ? r2n_weights_verify(set, name, report) : RES2NET_OK;
    if (options->verify) { /* trusts the canonical tensors only, and looks through them all */
        set->numbers_unchecked = 0;
        set->packed_count = 0;
    }
    if (status == RES2NET_OK)
        return r2n_model_from_set(set, name, options, out, report);
    r2n_tensor_set_destroy(set);
    return status;
}

static const res2net_load_options default_options = {0};

/* A graph of another program; `imported` is emptied. */
static res2net_status finish_import(res2net_status status, r2n_imported *imported, const char *name,
                                    const res2net_load_options *options, res2net_model **out,
                                    res2net_report *report)
{
    if (status != RES2NET_OK)
        return status;
    r2n_tensor_set *set = r2n_model_set_of_import(imported, name, options, report);
    return r2n_model_from_set(set, name, options, out, report);
}

res2net_status res2net_model_load(const char *path, const res2net_load_options *options,
                                  res2net_model **out, res2net_report *report)
{
    r2n_tensor_set *set;
    *out = NULL;
    if (options == NULL)
        options = &default_options;
    if (r2n_import_recognises(path)) {
        r2n_imported imported;
        r2n_architecture wanted;
        const r2n_architecture *architecture;
        res2net_status status = find_wanted(options, &wanted, &architecture, report);
        if (status == RES2NET_OK)
            status = r2n_import_as(path, architecture, &imported, report);
        return finish_import(status, &imported, path, options, out, report);
    }
    const res2net_status status = r2n_weights_read(path, &set, report);
    return status == RES2NET_OK ? check_and_finish(set, path, options, out, report) : status;
}

res2net_status res2net_model_load_memory(const void *data, size_t size, const char *name,
                                         const res2net_load_options *options, res2net_model **out,
                                         res2net_report *report)
{
    r2n_tensor_set *set;
    *out = NULL;
    if (options == NULL)
        options = &default_options;
    if (r2n_import_recognises_memory(data, size)) {
        r2n_imported imported;
        r2n_architecture wanted;
        const r2n_architecture *architecture;
        res2net_status status = find_wanted(options, &wanted, &architecture, report);
        if (status == RES2NET_OK)
            status = r2n_import_memory_as(data, size, name, architecture, &imported, report);
        return finish_import(status, &imported, name, options, out, report);
    }
    const res2net_status status = r2n_weights_read_memory(data, size, name, &set, report);
    return status == RES2NET_OK ? check_and_finish(set, name, options, out, report) : status;
}

res2net_status res2net_model_load_default(const res2net_load_options *options, res2net_model **out,
                                          res2net_report *report)
{
#if defined(R2N_HAVE_EMBEDDED_MODEL)
    const size_t size = (size_t)(r2n_embedded_model_end - r2n_embedded_model);
    return res2net_model_load_memory(r2n_embedded_model, size, "<embedded model>", options, out,
                                     report);
#else
    (void)options;
    *out = NULL;
    return r2n_fail(report, RES2NET_UNSUPPORTED, NULL, -1,
                    "no model is built into this library: name a weights file");
#endif
}

res2net_status res2net_model_create(const char *architecture, res2net_family family, uint64_t seed,
                                    res2net_model **out, res2net_report *report)
{
    r2n_architecture found;
    r2n_tensor_set *set;
    *out = NULL;
    res2net_status status = r2n_architecture_find(architecture, &found, report);
    if (status == RES2NET_OK)
        status = r2n_weights_formula(&found, seed, &set, report);
    if (status != RES2NET_OK)
        return status;
    if (family == RES2NET_FAMILY_UNKNOWN)
        family = (res2net_family)r2n_architecture_origin_family(&found);
    const res2net_load_options options = {.architecture = architecture, .family = family};
    return r2n_model_from_set(set, "<formula>", &options, out, report);
}

void res2net_model_destroy(res2net_model *model)
{
    if (model == NULL)
        return;
    if (model->cache != NULL) {
        for (int i = 0; i < R2N_PRECISION_COUNT; i++)
            for (int j = 0; j < R2N_ISA_COUNT; j++)
                r2n_plan_destroy(model->cache->plans[i][j]);
        pthread_mutex_destroy(&model->cache->lock);
        r2n_free(model->cache);
    }
    r2n_free(model->label_text);
    r2n_free(model->labels);
    r2n_graph_destroy(model->graph);
    r2n_tensor_set_destroy(model->weights);
    r2n_free(model);
}

res2net_status r2n_model_plan(const res2net_model *model, r2n_precision precision, r2n_isa isa,
                              const r2n_plan **out, res2net_report *report)
{
    res2net_status status = RES2NET_OK;
    pthread_mutex_lock(&model->cache->lock);
    r2n_plan **plan = &model->cache->plans[precision][isa];
    if (*plan == NULL)
        status = r2n_plan_create(model->graph, model->weights, R2N_PLAN_INFERENCE, precision, isa,
                                 plan, report);
    *out = *plan;
    pthread_mutex_unlock(&model->cache->lock);
    return status;
}

int r2n_model_recipe(const res2net_model *model, r2n_recipe *out)
{
    if (model->has_recipe)
        *out = model->recipe;
    else if (model->architecture.stem == R2N_STEM_3X3)
        return 0;
    else if (model->family == R2N_FAMILY_PADDLE)
        r2n_recipe_paddle(out);
    else
        r2n_recipe_torch(out);
    return 1;
}

void r2n_model_exchange_scales(res2net_model *model, float **scales, int32_t *count)
{
    r2n_weights_metadata *metadata = &model->weights->metadata;
    float *former = metadata->activation_scales;
    const int32_t former_count = metadata->activation_scale_count;
    pthread_mutex_lock(&model->cache->lock);
    for (int isa = 0; isa < R2N_ISA_COUNT; isa++) { /* they read the former scales */
        r2n_plan_destroy(model->cache->plans[R2N_PRECISION_INT8][isa]);
        model->cache->plans[R2N_PRECISION_INT8][isa] = NULL;
    }
    metadata->activation_scales = *scales;
    metadata->activation_scale_count = *scales == NULL ? 0 : *count;
    pthread_mutex_unlock(&model->cache->lock);
    *scales = former;
    *count = former_count;
}

void res2net_model_describe(const res2net_model *model, res2net_model_info *info)
{
    const r2n_weights_metadata *metadata = &model->weights->metadata;
    *info = (res2net_model_info){.architecture = model->architecture.name,
                                 .family = (res2net_family)model->family,
                                 .classes = model->architecture.classes,
                                 .picture_size = model->architecture.picture_size,
                                 .parameters = r2n_architecture_parameters(&model->architecture),
                                 .statistics = r2n_architecture_statistics(&model->architecture),
                                 .licence = metadata->licence == NULL ? "" : metadata->licence,
                                 .source = metadata->source == NULL ? "" : metadata->source,
                                 .has_labels = model->label_count > 0,
                                 .is_calibrated = metadata->activation_scales != NULL};
}

const char *res2net_model_label(const res2net_model *model, int32_t class_id)
{
    return class_id < 0 || class_id >= model->label_count ? NULL : model->labels[class_id];
}

/* The packed sections that the comma-separated `precisions` name. */
static res2net_status choose_sections(const res2net_model *model, const char *precisions,
                                      r2n_packed_section sections[R2N_PRECISION_COUNT],
                                      size_t *count, res2net_report *report)
{
    *count = 0;
    if (strcmp(precisions, "none") == 0)
        return RES2NET_OK;
    for (const char *at = precisions; *at != '\0';) {
        char name[sizeof sections->precision];
        const size_t length = strcspn(at, ",");
        r2n_precision precision;
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : 0), at);
        if (!r2n_precision_parse(name, &precision) || *count == R2N_PRECISION_COUNT)
            return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                            "\"%s\" names no precisions to pack: none, or some of f32, bf16, "
                            "bf16x3 and int8 with commas between",
                            precisions);
        const r2n_plan *plan;
        /* The packed layout is the same on every ISA. */
        const res2net_status status =
            r2n_model_plan(model, precision, R2N_ISA_REFERENCE, &plan, report);
        if (status != RES2NET_OK)
            return status;
        sections[(*count)++] = r2n_plan_section(plan);
        at += length + (at[length] == ',');
    }
    return RES2NET_OK;
}

res2net_status res2net_model_save(const res2net_model *model, const char *path,
                                  const res2net_save_options *options, res2net_report *report)
{
    static const res2net_save_options default_save = {0};
    const r2n_weights_format format = r2n_weights_format_from_path(path);
    r2n_tensor_set set = *model->weights;
    r2n_packed_section sections[R2N_PRECISION_COUNT];
    if (options == NULL)
        options = &default_save;
    if (format == R2N_WEIGHTS_UNKNOWN)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, path, -1,
                        "cannot write this kind of file: the name must end in .r2n, .pdparams or "
                        ".safetensors");
    res2net_status status = r2n_weights_check_numbers(&set, NULL, report);
    if (status == RES2NET_OK)
        status = choose_sections(model,
                                 format != R2N_WEIGHTS_R2N ? "none"
                                 : options->packed == NULL ? "f32"
                                                           : options->packed,
                                 sections, &set.packed_count, report);
    set.packed = sections;
    if (status == RES2NET_OK)
        status = r2n_weights_write(path, format, &set, &model->architecture, model->family,
                                   options->keep_family, report);
    return status;
}
