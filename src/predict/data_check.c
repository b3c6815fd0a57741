/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a labelled set: every picture decoded, by all threads, a chunk at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/os.h"
#include "base/thread_pool.h"
#include "data/dataset.h"
#include "predict/session.h"
#include "res2net/evaluate.h"

enum { CHUNK = 32, CIFAR_BYTES = 3 * R2N_CIFAR_SIDE * R2N_CIFAR_SIDE };

/* What tells equal files: 64 bits of hash and the size. */
typedef struct fingerprint {
    uint64_t hash;
    uint64_t bytes;
    size_t item;
} fingerprint;

typedef struct picture {
    res2net_status status;
    int turned;
    res2net_picture_size size;
    fingerprint print;
    res2net_report *report; /* of this picture: threads do not share one */
} picture;

typedef struct data_check {
    const r2n_dataset *dataset;
    const char *name; /* of the source */
    const res2net_check_options *options;
    r2n_image_options decoding;
    picture *pictures; /* [CHUNK] */
    size_t first;      /* item of picture 0 */
    int32_t loaded;
    fingerprint *prints; /* of the readable pictures */
    size_t print_count;
    res2net_data_check *out;
    res2net_report *report;
} data_check;

static res2net_status no_memory(const data_check *check)
{
    return r2n_fail(check->report, RES2NET_OUT_OF_MEMORY, check->name, -1,
                    "no memory to check the set");
}

/* ---- one picture --------------------------------------------------------------------------- */

static void check_record(const data_check *check, size_t item, picture *found)
{
    uint8_t rgb[CIFAR_BYTES];
    r2n_dataset_cifar_pixels(check->dataset, item, rgb);
    found->size = (res2net_picture_size){R2N_CIFAR_SIDE, R2N_CIFAR_SIDE};
    found->print =
        (fingerprint){r2n_hash_bytes(R2N_HASH_START, rgb, CIFAR_BYTES), CIFAR_BYTES, item};
}

static void check_file(const r2n_image_options *options, const char *path, size_t item,
                       picture *found)
{
    r2n_file_bytes file;
    r2n_pixels pixels;
    found->status = r2n_file_read(path, R2N_PICTURE_FILE_BYTES, &file, found->report);
    if (found->status != RES2NET_OK)
        return;
    found->status = r2n_image_decode(file.data, file.size, path, options, &pixels, found->report);
    if (found->status == RES2NET_OK) {
        found->turned = r2n_image_orientation(file.data, file.size) > 1;
        found->size = (res2net_picture_size){pixels.width, pixels.height};
        found->print =
            (fingerprint){r2n_hash_bytes(R2N_HASH_START, file.data, file.size), file.size, item};
        r2n_pixels_free(&pixels);
    }
    r2n_file_release(&file);
}

static void check_picture(void *context, size_t picture_index)
{
    const data_check *check = context;
    const size_t index = check->first + picture_index;
    const r2n_item *item = &check->dataset->items[index];
    picture *found = &check->pictures[picture_index];
    *found = (picture){.report = found->report};
    if (item->path == NULL)
        check_record(check, index, found);
    else if (item->absent)
        found->status = RES2NET_NOT_FOUND; /* told before */
    else
        check_file(&check->decoding, item->path, index, found);
}

/* ---- all pictures -------------------------------------------------------------------------- */

static int64_t area(res2net_picture_size size)
{
    return (int64_t)size.width * size.height;
}

static void count_picture(data_check *check, const picture *found)
{
    res2net_data_check *out = check->out;
    if (found->status != RES2NET_OK) {
        out->unreadable++;
        return;
    }
    if (out->readable == 0 || area(found->size) < area(out->smallest))
        out->smallest = found->size;
    if (area(found->size) > area(out->largest))
        out->largest = found->size;
    out->readable++;
    out->with_exif_orientation += found->turned;
    check->prints[check->print_count++] = found->print;
}

static res2net_status check_pictures(data_check *check)
{
    const size_t count = check->dataset->count;
    const res2net_check_options *options = check->options;
    for (check->first = 0; check->first < count; check->first += CHUNK) {
        const size_t left = count - check->first;
        check->loaded = left < CHUNK ? (int32_t)left : CHUNK;
        r2n_thread_pool_each(options->threads, (size_t)check->loaded, check_picture, check);
        for (int32_t i = 0; i < check->loaded; i++) {
            const picture *found = &check->pictures[i];
            r2n_report_copy(found->report, check->report);
            res2net_report_clear(found->report);
            if (found->status == RES2NET_OUT_OF_MEMORY || found->status == RES2NET_INTERRUPTED)
                return found->status; /* no fault of the picture */
            count_picture(check, found);
        }
        const int64_t done = (int64_t)check->first + check->loaded;
        if (options->progress != NULL &&
            options->progress(options->progress_context, done, (int64_t)count) != 0)
            return r2n_fail(check->report, RES2NET_INTERRUPTED, NULL, -1,
                            "stopped after %lld of %zu pictures", (long long)done, count);
    }
    return RES2NET_OK;
}

static int compare_prints(const void *a, const void *b)
{
    const fingerprint *x = a;
    const fingerprint *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

static void tell_same_bytes(const data_check *check, const r2n_item *first, const r2n_item *again)
{
    const char *relabeled = first->label != again->label ? ", under another label" : "";
    if (again->path == NULL)
        r2n_fail(check->report, RES2NET_BAD_LIST, check->name, -1,
                 "record %lld has the pixels of record %lld%s", (long long)again->record,
                 (long long)first->record, relabeled);
    else if (again->line > 0)
        r2n_fail_line(check->report, RES2NET_BAD_LIST, check->name, again->line,
                      "\"%s\" has the same bytes as \"%s\" in line %lld%s", again->path,
                      first->path, (long long)first->line, relabeled);
    else
        r2n_fail(check->report, RES2NET_BAD_LIST, again->path, -1, "has the same bytes as \"%s\"%s",
                 first->path, relabeled);
}

/* Paths that are listed twice were counted before. */
static void find_same_bytes(data_check *check)
{
    const r2n_item *items = check->dataset->items;
    size_t first = 0;
    qsort(check->prints, check->print_count, sizeof *check->prints, compare_prints);
    for (size_t i = 1; i < check->print_count; i++) {
        const fingerprint *a = &check->prints[first];
        const fingerprint *b = &check->prints[i];
        const r2n_item *x = &items[a->item];
        const r2n_item *y = &items[b->item];
        if (a->hash != b->hash || a->bytes != b->bytes) {
            first = i;
        } else if (x->path == NULL || strcmp(x->path, y->path) != 0) {
            check->out->same_bytes++;
            check->out->same_bytes_relabeled += x->label != y->label;
            tell_same_bytes(check, x, y);
        }
    }
}

/* ---- labels -------------------------------------------------------------------------------- */

static res2net_status copy_class_names(data_check *check)
{
    const r2n_dataset *dataset = check->dataset;
    if (dataset->folder_names == NULL)
        return RES2NET_OK;
    check->out->class_names = r2n_allocate_zeroed((size_t)check->out->classes, sizeof(char *));
    if (check->out->class_names == NULL)
        return no_memory(check);
    for (int32_t i = 0; i < dataset->folder_count; i++) {
        char *name = r2n_copy_string(dataset->folder_names[i]);
        if (name == NULL)
            return no_memory(check);
        check->out->class_names[dataset->folder_labels[i]] = name;
    }
    return RES2NET_OK;
}

static res2net_status count_labels(data_check *check)
{
    const r2n_dataset *dataset = check->dataset;
    res2net_data_check *out = check->out;
    out->classes = dataset->class_count;
    out->per_class = r2n_allocate_zeroed((size_t)dataset->class_count, sizeof *out->per_class);
    if (out->per_class == NULL)
        return no_memory(check);
    for (size_t i = 0; i < dataset->count; i++)
        out->per_class[dataset->items[i].label]++;
    for (int32_t label = 0; label < out->classes; label++) {
        const int64_t count = out->per_class[label];
        if (count == 0)
            continue;
        if (out->labels_used == 0)
            out->smallest_label = label;
        out->largest_label = label;
        if (out->labels_used == 0 || count < out->smallest_class)
            out->smallest_class = count;
        if (count > out->largest_class)
            out->largest_class = count;
        out->labels_used++;
    }
    return copy_class_names(check);
}

/* ---- the set ------------------------------------------------------------------------------- */

static res2net_status allocate(data_check *check)
{
    check->pictures = r2n_allocate_zeroed(CHUNK, sizeof *check->pictures);
    check->prints = r2n_allocate(check->dataset->count, sizeof *check->prints);
    int fine = check->pictures != NULL && check->prints != NULL;
    for (int32_t i = 0; fine && i < CHUNK; i++) {
        check->pictures[i].report = res2net_report_create();
        fine = check->pictures[i].report != NULL;
    }
    return fine ? RES2NET_OK : no_memory(check);
}

static void release(data_check *check)
{
    for (int32_t i = 0; check->pictures != NULL && i < CHUNK; i++)
        res2net_report_destroy(check->pictures[i].report);
    r2n_free(check->pictures);
    r2n_free(check->prints);
}

static res2net_status check_set(data_check *check)
{
    r2n_repeats repeats = {0};
    res2net_status status = count_labels(check);
    if (status == RES2NET_OK)
        status = r2n_dataset_find_repeats(check->dataset, check->name, 0, &repeats, check->report);
    check->out->duplicates = repeats.same_label + repeats.other_label;
    check->out->contradictions = repeats.other_label;
    if (status == RES2NET_OK)
        status = allocate(check);
    if (status == RES2NET_OK)
        status = check_pictures(check);
    if (status == RES2NET_OK)
        find_same_bytes(check);
    release(check);
    return status;
}

res2net_status res2net_check_data(const char *list, const res2net_check_options *options,
                                  res2net_data_check *out, res2net_report *report)
{
    static const res2net_check_options default_options = {0};
    r2n_dataset *dataset;
    *out = (res2net_data_check){0};
    if (options == NULL)
        options = &default_options;
    data_check check = {
        .name = r2n_dataset_name(list), .options = options, .out = out, .report = report};
    res2net_status status =
        r2n_picture_options(options->maximum_pixels, options->truncated, &check.decoding, report);
    if (status != RES2NET_OK)
        return status;
    const r2n_dataset_options rules = {.root = options->root,
                                       .delimiter = options->delimiter,
                                       .classes = options->classes,
                                       .keep_good_lines = 1};
    status = r2n_dataset_open(list, &rules, &dataset, report);
    if (status != RES2NET_OK)
        return status;
    out->items = (int64_t)dataset->count;
    out->bad_lines = dataset->bad_lines;
    out->empty_classes = dataset->empty_folders;
    out->absent = r2n_dataset_find_absent(dataset, list, report);
    check.dataset = dataset;
    status = check_set(&check);
    r2n_dataset_destroy(dataset);
    if (status != RES2NET_OK)
        res2net_data_check_free(out);
    return status;
}

void res2net_data_check_free(res2net_data_check *check)
{
    for (int32_t i = 0; check->class_names != NULL && i < check->classes; i++)
        r2n_free(check->class_names[i]);
    r2n_free(check->class_names);
    r2n_free(check->per_class);
    *check = (res2net_data_check){0};
}
