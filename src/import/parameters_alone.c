/* SPDX-License-Identifier: Apache-2.0 */
/* A .pdiparams without its program: it has neither names nor layers, so that the architecture has
 * to be told. Paddle writes the tensors by ascending name, and PaddleClas' names are known. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/paddle_internal.h"

enum { MOST_TENSORS = 1 << 16 };

/* The tensors that an architecture wants, in the file's order. */
typedef struct wanted {
    r2n_tensor_spec *specs; /* sorted by their names as parameters */
    size_t count;
    int any_classes; /* the file's head decides */
} wanted;

typedef struct records {
    r2n_paddle_record *rows;
    size_t count, capacity;
} records;

static res2net_status no_memory(const char *file, res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, file, -1, "no memory for the parameters");
}

int r2n_looks_like_pdiparams(const void *data, size_t size)
{
    r2n_byte_cursor cursor = r2n_cursor(data, size);
    r2n_paddle_record record;
    return size > 0 && r2n_paddle_record_head(&cursor, &record) == NULL && record.rank > 0;
}

/* ---- the file -------------------------------------------------------------------------------- */

static res2net_status read_records(const void *data, size_t size, const char *file, records *out,
                                   res2net_report *report)
{
    r2n_byte_cursor cursor = r2n_cursor(data, size);
    while (r2n_cursor_left(&cursor) > 0) {
        const int64_t start = (int64_t)cursor.position;
        if (out->count >= MOST_TENSORS)
            return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, file, start,
                            "more than %d tensors are in it", (int)MOST_TENSORS);
        if (!r2n_grow((void **)&out->rows, &out->capacity, out->count + 1, sizeof *out->rows))
            return no_memory(file, report);
        r2n_paddle_record *record = &out->rows[out->count];
        const char *wrong = r2n_paddle_record_head(&cursor, record);
        if (wrong == NULL)
            wrong = r2n_paddle_record_data(&cursor, record);
        if (wrong != NULL)
            return r2n_fail(report, RES2NET_DAMAGED, file, start, "tensor %zu: %s", out->count + 1,
                            wrong);
        if (record->element == R2N_ELEMENT_INTEGER)
            return r2n_fail(report, RES2NET_UNSUPPORTED, file, start,
                            "tensor %zu is of integers: a quantised model's; take the file from "
                            "before it was quantised",
                            out->count + 1);
        out->count++;
    }
    return RES2NET_OK;
}

/* ---- the architecture ------------------------------------------------------------------------ */

static int compare_specs(const void *a, const void *b)
{
    return strcmp(((const r2n_tensor_spec *)a)->paddle_parameter,
                  ((const r2n_tensor_spec *)b)->paddle_parameter);
}

/* 0: no memory. */
static int list_wanted(const r2n_architecture *architecture, wanted *out)
{
    out->specs = r2n_architecture_tensors(architecture, &out->count);
    out->any_classes = strstr(architecture->name, "classes=") == NULL;
    if (out->specs == NULL)
        return 0;
    qsort(out->specs, out->count, sizeof *out->specs, compare_specs);
    return 1;
}

/* As Paddle keeps it: the classifier's matrix is [features][classes]. -1: any number. */
static void wanted_shape(const wanted *w, size_t number, int64_t shape[4])
{
    const r2n_tensor_spec *spec = &w->specs[number];
    const int is_head = strncmp(spec->name, "fc.", 3) == 0;
    memcpy(shape, spec->shape, 4 * sizeof *shape);
    if (spec->rank == 2) {
        shape[0] = spec->shape[1];
        shape[1] = spec->shape[0];
    }
    if (is_head && w->any_classes)
        shape[spec->rank - 1] = -1;
}

static int fits(const wanted *w, size_t number, const r2n_paddle_record *record)
{
    int64_t shape[4];
    wanted_shape(w, number, shape);
    int fit = record->rank == w->specs[number].rank;
    for (int64_t i = 0; fit && i < record->rank; i++)
        fit = shape[i] < 0 || shape[i] == record->shape[i];
    return fit;
}

/* ---- what is wrong --------------------------------------------------------------------------- */

/* Five tensors a convolution, two of the classifier: as many as a list has, without making one. */
static size_t tensor_count(const r2n_architecture *a)
{
    int64_t convolutions = a->stem == R2N_STEM_DEEP ? 3 : 1;
    for (int32_t s = 0; s < a->stages; s++)
        convolutions += 1 + a->depths[s] * (2 + (a->scale == 1 ? 1 : a->scale - 1));
    return (size_t)(5 * convolutions + 2);
}

/* The catalogue's rows that the file would fit; "" for none. */
static void name_others(const records *r, char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t row = 0; row < r2n_catalogue_count(); row++) {
        const r2n_architecture *architecture = &r2n_catalogue_get(row)->architecture;
        wanted w;
        if (tensor_count(architecture) != r->count)
            continue;
        if (!list_wanted(architecture, &w))
            return;
        int fit = w.count == r->count;
        for (size_t i = 0; fit && i < r->count; i++)
            fit = fits(&w, i, &r->rows[i]);
        r2n_free(w.specs);
        const int put = fit ? snprintf(text + used, room - used, "%s%s",
                                       used == 0 ? "; it fits " : ", ", architecture->name)
                            : 0;
        if (put < 0 || (size_t)put >= room - used)
            return;
        used += (size_t)put;
    }
}

static const char *shape_text(const int64_t *shape, int64_t rank, char text[160])
{
    size_t used = 0;
    text[0] = '\0';
    for (int64_t i = 0; i < rank && used < 130; i++)
        used += (size_t)snprintf(text + used, 160 - used, shape[i] < 0 ? "%sN" : "%s%" PRId64,
                                 i == 0 ? "" : "x", shape[i]);
    return text;
}

static res2net_status compare(const records *r, const wanted *w, const r2n_architecture *a,
                              const char *file, res2net_report *report)
{
    char others[512], held[160], needed[160];
    int64_t shape[4];
    size_t i = 0;
    while (i < r->count && i < w->count && fits(w, i, &r->rows[i]))
        i++;
    if (i == r->count && i == w->count)
        return RES2NET_OK;
    name_others(r, others, sizeof others);
    if (i == r->count || i == w->count)
        return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                        "%zu tensors are in it and %s has %zu: these are another network's%s",
                        r->count, a->name, w->count, others);
    wanted_shape(w, i, shape);
    return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                    "tensor %zu of %zu is %s, and that of %s would be %s, %s: these are another "
                    "network's%s",
                    i + 1, r->count, shape_text(r->rows[i].shape, r->rows[i].rank, held), a->name,
                    w->specs[i].paddle_parameter, shape_text(shape, w->specs[i].rank, needed),
                    others);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* By the names of a .pdparams, which the audit of such files then goes through. */
static r2n_tensor_set *make_set(const records *r, const wanted *w)
{
    r2n_tensor_set *set = r2n_tensor_set_create();
    for (size_t i = 0; set != NULL && i < r->count; i++) {
        const r2n_paddle_record *record = &r->rows[i];
        float *to =
            r2n_tensor_set_add(set, w->specs[i].paddle_name, (int32_t)record->rank, record->shape);
        if (to == NULL) {
            r2n_tensor_set_destroy(set);
            return NULL;
        }
        r2n_elements_widen(record->element, 0, record->data, record->count, to);
    }
    if (set != NULL)
        set->metadata.family = R2N_FAMILY_PADDLE;
    return set;
}

res2net_status r2n_read_parameters_alone(const void *data, size_t size, const char *file,
                                         const r2n_architecture *architecture, r2n_imported *out,
                                         res2net_report *report)
{
    records r = {0};
    wanted w = {0};
    *out = (r2n_imported){.weights = NULL};
    res2net_status status = read_records(data, size, file, &r, report);
    if (status == RES2NET_OK && !list_wanted(architecture, &w))
        status = no_memory(file, report);
    if (status == RES2NET_OK)
        status = compare(&r, &w, architecture, file, report);
    if (status == RES2NET_OK) {
        r2n_family family; /* by the names, which are ours: the file says nothing of it */
        r2n_tensor_set *set = make_set(&r, &w);
        status = set == NULL
                     ? no_memory(file, report)
                     : r2n_weights_canonicalise(set, architecture, R2N_FAMILY_UNKNOWN, file,
                                                &out->weights, &out->architecture, &family, report);
    }
    r2n_free(r.rows);
    r2n_free(w.specs);
    return status;
}
