/* SPDX-License-Identifier: Apache-2.0 */
/* A file's tensors -> the tensors a network needs, in canonical names, order and layout; or the
 * whole list of what is wrong. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "weights/diagnose.h"
#include "weights/metadata.h"
#include "weights/reader.h"

typedef struct entry {
    const r2n_tensor *tensor;
    int used;
} entry;

typedef struct work {
    r2n_tensor_set *in;
    const char *file;
    res2net_report *report;
    r2n_architecture architecture;
    r2n_family naming; /* whose names and layout the file has */
    r2n_tensor_shape *shapes;
    entry *entries; /* sorted by name */
    r2n_tensor_spec *specs;
    size_t spec_count;
    const r2n_tensor **found; /* for each spec */
    int64_t *subnormal;       /* numbers of it that are taken as zero */
    res2net_status status;
} work;

static res2net_status no_memory(const work *w)
{
    return r2n_fail(w->report, RES2NET_OUT_OF_MEMORY, w->file, -1,
                    "no memory to look through %zu tensors", w->in->count);
}

/* Numbers of a network that has them (MISMATCH) come before numbers that are wrong (NOT_FINITE). */
static void note(work *w, res2net_status status)
{
    if (w->status != RES2NET_MISMATCH)
        w->status = status;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->tensor->name, ((const entry *)b)->tensor->name);
}

static entry *find(const work *w, const char *name)
{
    const r2n_tensor named = {.name = (char *)(uintptr_t)name};
    const entry wanted = {.tensor = &named};
    return bsearch(&wanted, w->entries, w->in->count, sizeof wanted, compare_entries);
}

static res2net_status index_tensors(work *w)
{
    w->shapes = r2n_allocate_zeroed(w->in->count, sizeof *w->shapes);
    w->entries = r2n_allocate_zeroed(w->in->count, sizeof *w->entries);
    if (w->shapes == NULL || w->entries == NULL)
        return no_memory(w);
    for (size_t i = 0; i < w->in->count; i++) {
        const r2n_tensor *tensor = &w->in->tensors[i];
        const size_t kept = sizeof w->shapes[i].shape / sizeof w->shapes[i].shape[0];
        w->shapes[i].name = tensor->name;
        w->shapes[i].rank = tensor->rank;
        for (size_t axis = 0; axis < kept && (int32_t)axis < tensor->rank; axis++)
            w->shapes[i].shape[axis] = tensor->shape[axis];
        w->entries[i].tensor = tensor;
    }
    qsort(w->entries, w->in->count, sizeof *w->entries, compare_entries);
    w->naming = r2n_family_from_names(w->shapes, w->in->count);
    return RES2NET_OK;
}

/* The head decides on the classes: a name alone says the usual number only. One that states
 * another number wants another file, which is told with the other mismatches. */
static void take_classes(work *w, int stated)
{
    const int paddle = w->naming == R2N_FAMILY_PADDLE; /* [features, classes] */
    const entry *head = find(w, paddle ? "out.weight" : "fc.weight");
    if (head == NULL || head->tensor->rank != 2)
        return;
    const int64_t classes = head->tensor->shape[paddle ? 1 : 0];
    if (classes > 0 && classes <= INT32_MAX && !stated)
        w->architecture.classes = (int32_t)classes;
}

static res2net_status choose_architecture(work *w, const r2n_architecture *wanted)
{
    const char *name = w->in->metadata.architecture;
    res2net_status status = RES2NET_OK;
    if (w->naming == R2N_FAMILY_UNKNOWN || (wanted == NULL && name == NULL))
        return r2n_architecture_from_tensors(w->shapes, w->in->count, w->file, &w->architecture,
                                             w->report);
    if (wanted != NULL)
        w->architecture = *wanted;
    else
        status = r2n_architecture_find(name, &w->architecture, w->report);
    if (status != RES2NET_OK)
        return r2n_fail(w->report, RES2NET_MISMATCH, w->file, -1,
                        "the file says its architecture is \"%.200s\", which is not known", name);
    take_classes(w, wanted != NULL && strstr(wanted->name, "classes=") != NULL);
    return r2n_architecture_validate(&w->architecture, w->file, w->report);
}

/* ---- the audit ----------------------------------------------------------------------------- */

static int is_transposed(const work *w, const r2n_tensor_spec *spec)
{
    return w->naming == R2N_FAMILY_PADDLE && spec->rank == 2;
}

static const char *file_name_of(const work *w, const r2n_tensor_spec *spec)
{
    return w->naming == R2N_FAMILY_PADDLE ? spec->paddle_name : spec->name;
}

static int shape_fits(const work *w, const r2n_tensor_spec *spec, const r2n_tensor *tensor)
{
    if (tensor->rank != spec->rank)
        return 0;
    if (is_transposed(w, spec))
        return tensor->shape[0] == spec->shape[1] && tensor->shape[1] == spec->shape[0];
    return memcmp(tensor->shape, spec->shape, (size_t)spec->rank * sizeof *spec->shape) == 0;
}

static void match(work *w, size_t number)
{
    const r2n_tensor_spec *spec = &w->specs[number];
    const char *name = file_name_of(w, spec);
    char wanted[R2N_SHAPE_TEXT_BYTES], held[R2N_SHAPE_TEXT_BYTES];
    int64_t shape[4];
    memcpy(shape, spec->shape, sizeof shape);
    if (is_transposed(w, spec)) {
        shape[0] = spec->shape[1];
        shape[1] = spec->shape[0];
    }
    r2n_shape_text(spec->rank, shape, wanted);
    entry *e = find(w, name);
    if (e == NULL) {
        note(w, r2n_fail(w->report, RES2NET_MISMATCH, w->file, -1, "missing: %s %s", name, wanted));
        return;
    }
    e->used = 1;
    if (shape_fits(w, spec, e->tensor)) {
        w->found[number] = e->tensor;
        return;
    }
    r2n_shape_text(e->tensor->rank, e->tensor->shape, held);
    note(w, r2n_fail(w->report, RES2NET_MISMATCH, w->file, -1, "shape: %s is %s, expected %s", name,
                     held, wanted));
}

/* `name` is the canonical one. Gives how many numbers are subnormal. */
static int64_t check_numbers(work *w, const r2n_tensor *tensor, const char *name)
{
    const int is_variance = r2n_name_ends_with(name, strlen(name), ".running_var");
    int64_t bad = 0, negative = 0, zero = 0, subnormal = 0, first_bad = 0, first_negative = 0;
    for (int64_t i = tensor->count - 1; i >= 0; i--) {
        const float value = tensor->data[i];
        if (!isfinite(value)) {
            bad++;
            first_bad = i;
        } else if (is_variance && value < 0) {
            negative++;
            first_negative = i;
        } else {
            zero += value == 0;
            subnormal += value != 0 && fabsf(value) < FLT_MIN;
        }
    }
    if (bad > 0)
        note(w, r2n_fail(w->report, RES2NET_NOT_FINITE, w->file, -1,
                         "not finite: %s has %lld of %lld numbers that are infinite or not a "
                         "number, the first at %lld",
                         tensor->name, (long long)bad, (long long)tensor->count,
                         (long long)first_bad));
    if (negative > 0)
        note(w, r2n_fail(w->report, RES2NET_NOT_FINITE, w->file, -1,
                         "variance: %s has %lld numbers below zero, the first at %lld",
                         tensor->name, (long long)negative, (long long)first_negative));
    if (is_variance && zero == tensor->count)
        note(w, r2n_fail(w->report, RES2NET_NOT_FINITE, w->file, -1,
                         "variance: %s is all zeros: damaged, or never trained", tensor->name));
    return subnormal;
}

static void note_subnormal(const work *w, const r2n_tensor *tensor, int64_t count)
{
    if (count > 0)
        r2n_fail(w->report, RES2NET_OK, w->file, -1,
                 "note: %s has %lld of %lld numbers too close to zero for full precision (below "
                 "1.2e-38, subnormal); they are taken as zero",
                 tensor->name, (long long)count, (long long)tensor->count);
}

static void list_unexpected(work *w)
{
    char held[R2N_SHAPE_TEXT_BYTES];
    for (size_t i = 0; i < w->in->count; i++) {
        const r2n_tensor *tensor = w->entries[i].tensor;
        if (w->entries[i].used)
            continue;
        r2n_shape_text(tensor->rank, tensor->shape, held);
        note(w, r2n_fail(w->report, RES2NET_MISMATCH, w->file, -1, "unexpected: %.200s %s",
                         tensor->name, held));
    }
}

/* Would every tensor be there with its shape? Quiet: the words come before the list. */
static int fits(const work *w)
{
    size_t used = 0;
    for (size_t i = 0; i < w->spec_count; i++) {
        const entry *e = find(w, file_name_of(w, &w->specs[i]));
        if (e == NULL || !shape_fits(w, &w->specs[i], e->tensor))
            return 0;
        used++;
    }
    return used == w->in->count;
}

static res2net_status audit(work *w)
{
    w->specs = r2n_architecture_tensors(&w->architecture, &w->spec_count);
    if (w->specs == NULL)
        return no_memory(w);
    w->found = r2n_allocate_zeroed(w->spec_count, sizeof *w->found);
    w->subnormal = r2n_allocate_zeroed(w->spec_count, sizeof *w->subnormal);
    if (w->found == NULL || w->subnormal == NULL)
        return no_memory(w);
    if (!fits(w))
        note(w, r2n_diagnose(&w->architecture, w->shapes, w->in->count, w->file, w->report));
    for (size_t i = 0; i < w->spec_count; i++)
        match(w, i);
    for (size_t i = 0; i < w->spec_count; i++)
        if (w->found[i] != NULL && (!w->in->numbers_unchecked || w->specs[i].rank == 1))
            w->subnormal[i] = check_numbers(w, w->found[i], w->specs[i].name);
    list_unexpected(w);
    for (size_t i = 0; i < w->spec_count && w->status == RES2NET_OK; i++)
        note_subnormal(w, w->found[i], w->subnormal[i]);
    return w->status;
}

/* ---- the new set --------------------------------------------------------------------------- */

static const float *transpose(r2n_tensor_set *set, const r2n_tensor *tensor)
{
    const int64_t rows = tensor->shape[0], columns = tensor->shape[1];
    float *block = r2n_allocate((size_t)tensor->count, sizeof *block);
    if (!r2n_tensor_set_own(set, block))
        return NULL;
    for (int64_t c = 0; c < columns; c++)
        for (int64_t r = 0; r < rows; r++)
            block[c * rows + r] = tensor->data[r * columns + c];
    return block;
}

/* Arithmetic with subnormal numbers is many times slower: they go here, once. */
static const float *flush(r2n_tensor_set *set, const float *from, int64_t count)
{
    float *block = r2n_allocate((size_t)count, sizeof *block);
    if (!r2n_tensor_set_own(set, block))
        return NULL;
    for (int64_t i = 0; i < count; i++)
        block[i] = fabsf(from[i]) < FLT_MIN ? 0 : from[i];
    return block;
}

static int fill(const work *w, r2n_tensor_set *set)
{
    for (size_t i = 0; i < w->spec_count; i++) {
        const r2n_tensor_spec *spec = &w->specs[i];
        const r2n_tensor *tensor = w->found[i];
        const int64_t number = r2n_tensor_set_append(set, spec->name, strlen(spec->name),
                                                     spec->rank, spec->shape, tensor->count);
        const float *data = is_transposed(w, spec) ? transpose(set, tensor) : tensor->data;
        if (data != NULL && w->subnormal[i] > 0)
            data = flush(set, data, tensor->count);
        if (number < 0 || data == NULL)
            return 0;
        set->tensors[number].data = data;
    }
    char *name = r2n_copy_string(w->architecture.name);
    if (name == NULL)
        return 0;
    r2n_free(w->in->metadata.architecture);
    w->in->metadata.architecture = name;
    return 1;
}

/* Hands the file and the blocks on: the new tensors point into them. */
static int take_over(r2n_tensor_set *to, r2n_tensor_set *from)
{
    if (!r2n_grow((void **)&to->blocks, &to->block_capacity, to->block_count + from->block_count,
                  sizeof *to->blocks))
        return 0;
    for (size_t i = 0; i < from->block_count; i++)
        to->blocks[to->block_count++] = from->blocks[i];
    from->block_count = 0;
    to->file = from->file;
    from->file = (r2n_file_bytes){0};
    to->source = from->source;
    to->source_bytes = from->source_bytes;
    to->packed = from->packed;
    to->packed_count = from->packed_count;
    to->packed_capacity = from->packed_capacity;
    from->packed = NULL;
    to->numbers_unchecked = from->numbers_unchecked;
    to->metadata = from->metadata;
    from->metadata = (r2n_weights_metadata){0};
    return 1;
}

static res2net_status build(const work *w, r2n_tensor_set **out)
{
    r2n_tensor_set *set = r2n_tensor_set_create();
    if (set == NULL || !fill(w, set) || !take_over(set, w->in)) {
        r2n_tensor_set_destroy(set);
        return no_memory(w);
    }
    *out = set;
    return RES2NET_OK;
}

/* The two families' networks differ although their tensors have the same shapes. */
static void note_family(const work *w, r2n_family wanted, r2n_family said)
{
    if (wanted != R2N_FAMILY_UNKNOWN && said == R2N_FAMILY_UNKNOWN &&
        w->naming != R2N_FAMILY_UNKNOWN && wanted != w->naming)
        r2n_fail(w->report, RES2NET_OK, w->file, -1,
                 "note: the tensors have %s names, yet the %s family's rules are asked for: its "
                 "pools and first blocks differ, and answers are wrong unless the weights were "
                 "trained with them",
                 r2n_family_name(w->naming), r2n_family_name(wanted));
}

res2net_status r2n_weights_canonicalise(r2n_tensor_set *in, const r2n_architecture *architecture,
                                        r2n_family family, const char *file, r2n_tensor_set **out,
                                        r2n_architecture *out_architecture, r2n_family *out_family,
                                        res2net_report *report)
{
    *out = NULL;
    work w = {.in = in, .file = file, .report = report, .status = RES2NET_OK};
    res2net_status status = index_tensors(&w);
    if (status == RES2NET_OK)
        status = choose_architecture(&w, architecture);
    if (status == RES2NET_OK)
        status = audit(&w);
    if (status == RES2NET_OK)
        status = build(&w, out);
    if (status == RES2NET_OK) {
        r2n_weights_metadata *metadata = &(*out)->metadata;
        note_family(&w, family, metadata->family);
        if (family != R2N_FAMILY_UNKNOWN)
            metadata->family = family;
        else if (metadata->family == R2N_FAMILY_UNKNOWN)
            metadata->family = w.naming;
        *out_family = metadata->family;
        *out_architecture = w.architecture;
    }
    r2n_free(w.shapes);
    r2n_free(w.entries);
    r2n_free(w.specs);
    r2n_free(w.found);
    r2n_free(w.subnormal);
    r2n_tensor_set_destroy(in);
    return status;
}

res2net_status r2n_weights_check_numbers(const r2n_tensor_set *set, const char *file,
                                         res2net_report *report)
{
    work w = {.file = file, .report = report, .status = RES2NET_OK};
    for (size_t i = 0; set->numbers_unchecked && i < set->count; i++)
        if (set->tensors[i].rank != 1)
            (void)check_numbers(&w, &set->tensors[i], set->tensors[i].name);
    return w.status;
}
