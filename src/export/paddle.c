/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model as a Paddle inference model. Both families can be written: a program says what its pools
 * do, so a torch-family network has torch's structure and divisors under Paddle's names. (Paddle's
 * Python classes would compute something else with such parameters; the program does not need
 * them.)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/check.h"
#include "export/paddle_internal.h"

/* ---- what the writers ask -------------------------------------------------------------------- */

void r2n_paddle_parameter_shape(const r2n_tensor_spec *spec, int64_t shape[4])
{
    memcpy(shape, spec->shape, sizeof spec->shape);
    if (spec->rank == 2) {
        shape[0] = spec->shape[1];
        shape[1] = spec->shape[0];
    }
}

size_t r2n_paddle_find(const r2n_paddle_export *export, const char *prefix, const char *suffix)
{
    const size_t length = strlen(prefix);
    size_t i = 0;
    while (i + 1 < export->count && (strncmp(export->specs[i].name, prefix, length) != 0 ||
                                     strcmp(export->specs[i].name + length, suffix) != 0))
        i++;
    return i;
}

void r2n_paddle_value_shape(const r2n_paddle_export *export, int32_t node, int64_t shape[4])
{
    const r2n_node *value = &export->model->graph->nodes[node];
    const int is_pixel = value->kind == R2N_NODE_GLOBAL_POOL;
    shape[0] = export->options.batch > 0 ? export->options.batch : -1;
    shape[1] = value->channels;
    shape[2] = is_pixel ? 1 : export->shapes == NULL ? -1 : export->shapes[node].rows;
    shape[3] = is_pixel ? 1 : export->shapes == NULL ? -1 : export->shapes[node].columns;
}

int32_t r2n_paddle_slices(const r2n_graph *graph, int32_t slice, int32_t nodes[R2N_NODE_INPUTS])
{
    const r2n_node *first = &graph->nodes[slice];
    int32_t count = 0;
    if (first->first_channel > 0)
        return 0;
    for (int32_t i = slice; i < graph->count && count < R2N_NODE_INPUTS; i++)
        if (graph->nodes[i].kind == R2N_NODE_SLICE && graph->nodes[i].inputs[0] == first->inputs[0])
            nodes[count++] = i;
    return count;
}

/* ---- checked --------------------------------------------------------------------------------- */

static res2net_status no_memory(const r2n_paddle_export *e)
{
    return r2n_fail(e->report, RES2NET_OUT_OF_MEMORY, e->folder, -1,
                    "no memory for the program of an inference model");
}

static res2net_status check_options(r2n_paddle_export *e)
{
    const r2n_paddle_options *o = &e->options;
    if (o->batch < 0 || o->batch > INT32_MAX || o->rows < 0 || o->columns < 0 ||
        o->rows > INT32_MAX || o->columns > INT32_MAX || (o->rows == 0) != (o->columns == 0))
        return r2n_fail(e->report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a batch of %" PRId64 " pictures of %" PRId64 "x%" PRId64
                        ": 0 is any number of pictures, 0x0 any size",
                        o->batch, o->rows, o->columns);
    if (o->rows == 0)
        return RES2NET_OK;
    e->shapes = r2n_allocate((size_t)e->model->graph->count, sizeof *e->shapes);
    if (e->shapes == NULL)
        return no_memory(e);
    return r2n_graph_shapes(e->model->graph, (int32_t)o->rows, (int32_t)o->columns, e->shapes,
                            e->report);
}

static res2net_status check_weights(r2n_paddle_export *e)
{
    const r2n_tensor_set *set = e->model->weights;
    const r2n_architecture *architecture = &e->model->graph->architecture;
    e->specs = r2n_architecture_tensors(architecture, &e->count);
    if (e->specs == NULL)
        return no_memory(e);
    int fits = set->count == e->count;
    for (size_t i = 0; i < e->count && fits; i++) {
        const r2n_tensor *tensor = &set->tensors[i];
        const r2n_tensor_spec *spec = &e->specs[i];
        fits = strcmp(tensor->name, spec->name) == 0 && tensor->rank == spec->rank &&
               memcmp(tensor->shape, spec->shape, (size_t)spec->rank * sizeof *spec->shape) == 0;
    }
    if (!fits)
        return r2n_fail(e->report, RES2NET_MISMATCH, e->folder, -1,
                        "the weights are not the tensors of %s", architecture->name);
    if (e->model->label_count != 0 && e->model->label_count != architecture->classes)
        return r2n_fail(e->report, RES2NET_MISMATCH, e->folder, -1,
                        "there are %" PRId32 " class names for %" PRId32 " classes",
                        e->model->label_count, architecture->classes);
    return RES2NET_OK;
}

typedef struct named {
    const char *name;
    size_t tensor;
} named;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name); /* as unsigned bytes */
}

static res2net_status sort_parameters(r2n_paddle_export *e)
{
    named *names = r2n_allocate(e->count, sizeof *names);
    e->sorted = r2n_allocate(e->count, sizeof *e->sorted);
    if (names == NULL || e->sorted == NULL) {
        r2n_free(names);
        return no_memory(e);
    }
    for (size_t i = 0; i < e->count; i++)
        names[i] = (named){e->specs[i].paddle_parameter, i};
    qsort(names, e->count, sizeof *names, compare_names);
    for (size_t i = 0; i < e->count; i++)
        e->sorted[i] = names[i].tensor;
    r2n_free(names);
    return RES2NET_OK;
}

/* ---- written --------------------------------------------------------------------------------- */

/* The small files. */
enum { PDMODEL, PIR, YML, SERVING_TEXT, SERVING_BINARY, TEXTS };

static res2net_status make_texts(const r2n_paddle_export *e, r2n_text texts[TEXTS])
{
    r2n_paddle_put_pdmodel(e, &texts[PDMODEL]);
    r2n_paddle_put_pir(e, &texts[PIR]);
    r2n_paddle_put_serving_text(e, &texts[SERVING_TEXT]);
    r2n_paddle_put_serving_binary(e, &texts[SERVING_BINARY]);
    const res2net_status status = r2n_paddle_put_yml(e, &texts[YML]);
    for (int i = 0; i < TEXTS && status == RES2NET_OK; i++)
        if (texts[i].failed)
            return no_memory(e);
    return status;
}

static res2net_status write_texts(const r2n_paddle_folder *folder, const r2n_text texts[TEXTS])
{
    static const struct {
        int text;
        const char *name;
    } files[] = {{PDMODEL, "inference.pdmodel"},
                 {PIR, "inference.json"},
                 {YML, "inference.yml"},
                 {SERVING_TEXT, "serving_server/serving_server_conf.prototxt"},
                 {SERVING_BINARY, "serving_server/serving_server_conf.stream.prototxt"},
                 {SERVING_TEXT, "serving_client/serving_client_conf.prototxt"},
                 {SERVING_BINARY, "serving_client/serving_client_conf.stream.prototxt"}};
    res2net_status status = RES2NET_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == RES2NET_OK; i++) {
        r2n_file_writer *file;
        status = r2n_paddle_folder_file(folder, files[i].name, &file);
        if (status != RES2NET_OK)
            break;
        r2n_writer_put(file, texts[files[i].text].data, texts[files[i].text].size);
        status = r2n_writer_close_unsynced(file, folder->report);
    }
    return status;
}

static res2net_status write_tensors(const r2n_paddle_export *e, const r2n_paddle_folder *folder)
{
    r2n_file_writer *file;
    res2net_status status = r2n_paddle_folder_file(folder, "inference.pdiparams", &file);
    if (status != RES2NET_OK)
        return status;
    status = r2n_paddle_write_parameters(e, file);
    if (status != RES2NET_OK) {
        r2n_writer_discard(file);
        return status;
    }
    status = r2n_writer_close_unsynced(file, e->report);
    if (status == RES2NET_OK)
        status = r2n_paddle_folder_file(folder, "inference.pdiparams.info", &file);
    if (status != RES2NET_OK)
        return status;
    r2n_paddle_write_info(e, file);
    return r2n_writer_close_unsynced(file, e->report);
}

/* Paddle's form keeps every tensor as it is, so that nothing has to be run. */
static res2net_status check_program(const r2n_paddle_export *e, const r2n_paddle_folder *folder,
                                    const char *name)
{
    const r2n_export_expectation expected = {
        .model = e->model, .softmax = e->options.softmax, .target = e->folder};
    return r2n_export_check(&expected, r2n_paddle_folder_path(folder, name), e->report);
}

static res2net_status write_folder(const r2n_paddle_export *e, const r2n_text texts[TEXTS])
{
    r2n_paddle_folder folder;
    res2net_status status = r2n_paddle_folder_open(e->folder, &folder, e->report);
    if (status != RES2NET_OK)
        return status;
    status = write_texts(&folder, texts);
    if (status == RES2NET_OK)
        status = write_tensors(e, &folder);
    /* Paddle Serving looks for the model beside its configuration. */
    if (status == RES2NET_OK)
        status = r2n_paddle_folder_link(&folder, "inference.pdmodel",
                                        "serving_server/inference.pdmodel");
    if (status == RES2NET_OK)
        status = r2n_paddle_folder_link(&folder, "inference.pdiparams",
                                        "serving_server/inference.pdiparams");
    if (status == RES2NET_OK)
        status = check_program(e, &folder, "inference.pdmodel");
    if (status == RES2NET_OK)
        status = check_program(e, &folder, "inference.json");
    if (status == RES2NET_OK)
        return r2n_paddle_folder_close(&folder);
    r2n_paddle_folder_discard(&folder);
    return status;
}

res2net_status r2n_export_paddle(const r2n_export_model *model, const r2n_paddle_options *options,
                                 const char *folder, res2net_report *report)
{
    r2n_paddle_export e = {.model = model, .options = *options, .folder = folder, .report = report};
    r2n_text texts[TEXTS] = {{0}};
    res2net_status status = check_options(&e);
    if (status == RES2NET_OK)
        status = check_weights(&e);
    if (status == RES2NET_OK)
        status = sort_parameters(&e);
    if (status == RES2NET_OK)
        status = make_texts(&e, texts);
    if (status == RES2NET_OK)
        status = write_folder(&e, texts);
    for (int i = 0; i < TEXTS; i++)
        r2n_free(texts[i].data);
    r2n_free(e.shapes);
    r2n_free(e.specs);
    r2n_free(e.sorted);
    return status;
}
