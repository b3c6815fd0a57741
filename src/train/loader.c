/* SPDX-License-Identifier: Apache-2.0 */
/* The caller's side: making and ending a loader, and what is told of bad pictures. */
#include "train/loader.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/thread_pool.h"
#include "train/loader_internal.h"
#include "train/order.h"

enum { DEFAULT_AHEAD = 4, MAXIMUM_WORKERS = 256, MAXIMUM_AHEAD = 65536 };

static res2net_status no_memory(res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                    "no memory for the batches of pictures: make the batch smaller, or fewer of "
                    "them ahead");
}

/* ---- making one ---- */

static res2net_status check_options(const r2n_loader_options *o, res2net_report *report)
{
    if (o->transforms == NULL || o->batch < 1 || o->batch == INT32_MAX || o->classes < 1)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a loader needs transforms, a batch (%" PRId32 ") and classes (%" PRId32
                        ") of at least 1",
                        o->batch, o->classes);
    if (o->workers < 0 || o->workers > MAXIMUM_WORKERS || o->ahead < 0 ||
        o->ahead > MAXIMUM_AHEAD || o->cache_bytes < 0)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "%" PRId32 " workers, %" PRId32 " batches ahead, a cache of %" PRId64
                        " bytes: expected 0 to %d, 0 to %d and at least 0",
                        o->workers, o->ahead, o->cache_bytes, MAXIMUM_WORKERS, MAXIMUM_AHEAD);
    if (o->order != R2N_ORDER_SHUFFLED && o->order != R2N_ORDER_PADDLE &&
        o->order != R2N_ORDER_LIST)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1, "%d is no order",
                        (int)o->order);
    return RES2NET_OK;
}

static res2net_status check_labels(const r2n_dataset *dataset, int32_t classes,
                                   res2net_report *report)
{
    for (size_t i = 0; i < dataset->count; i++) {
        const r2n_item *item = &dataset->items[i];
        if (item->label >= 0 && item->label < classes)
            continue;
        return r2n_fail(report, RES2NET_BAD_LIST, item->path, -1,
                        "picture %zu of the set has label %" PRId32 "; expected 0 to %" PRId32
                        ": set the number of classes to at least %" PRId32,
                        i, item->label, classes - 1, dataset->class_count);
    }
    return RES2NET_OK;
}

/* The numbers that follow from the set and the options. */
static res2net_status measure(r2n_loader *l, res2net_report *report)
{
    r2n_loader_options *o = &l->options;
    if (o->workers == 0)
        o->workers = r2n_thread_pool_size(0);
    if (o->ahead == 0)
        o->ahead = DEFAULT_AHEAD;
    res2net_status status = check_labels(l->dataset, o->classes, report);
    if (status == RES2NET_OK)
        status = r2n_order_length(l->dataset, o, &l->length, report);
    if (status != RES2NET_OK)
        return status;
    l->batches = r2n_order_batches(o, l->length);
    if (l->batches == 0)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "no batch of %" PRId32 " can be made of %" PRId64
                        " pictures: make the batch smaller, or keep the last one (drop_last)",
                        o->batch, l->length);
    l->slot_count = o->ahead + 1 < l->batches ? o->ahead + 1 : l->batches;
    l->largest = o->batch < l->length ? o->batch + (o->merge_single != 0) : (int32_t)l->length;
    if (l->dataset->kind == R2N_DATASET_CIFAR10 || l->dataset->kind == R2N_DATASET_CIFAR100)
        l->rows = l->columns = R2N_CIFAR_SIDE;
    status = r2n_transforms_output_size(o->transforms, &l->rows, &l->columns, report);
    if (status != RES2NET_OK)
        return status;
    l->picture_floats = (size_t)l->rows * (size_t)l->columns * 3;
    l->decoding = R2N_IMAGE_OPTIONS_DEFAULT;
    r2n_transforms_decoding(o->transforms, &l->decoding);
    return RES2NET_OK;
}

static int make_slot(const r2n_loader *l, r2n_loader_slot *slot)
{
    const size_t images = (size_t)l->largest, classes = (size_t)l->options.classes;
    size_t floats, targets;
    if (!r2n_multiply_checked(images, l->picture_floats, &floats) ||
        !r2n_multiply_checked(images, classes, &targets))
        return 0;
    r2n_batch *batch = &slot->batch;
    *batch = (r2n_batch){.rows = l->rows, .columns = l->columns, .classes = l->options.classes};
    batch->pictures = r2n_allocate(floats, sizeof *batch->pictures);
    batch->labels = r2n_allocate(images, sizeof *batch->labels);
    batch->items = r2n_allocate(images, sizeof *batch->items);
    slot->places = r2n_allocate_zeroed(images, sizeof *slot->places);
    if (l->options.batch_transforms != NULL)
        batch->targets = r2n_allocate(targets, sizeof *batch->targets);
    return batch->pictures != NULL && batch->labels != NULL && batch->items != NULL &&
           slot->places != NULL && (batch->targets != NULL || l->options.batch_transforms == NULL);
}

static int make_rooms(r2n_loader *l)
{
    const size_t count = l->dataset->count;
    l->order = r2n_allocate((size_t)l->length, sizeof *l->order);
    l->told = r2n_allocate_zeroed(count, sizeof *l->told);
    l->threads = r2n_allocate((size_t)l->options.workers, sizeof *l->threads);
    l->slots = r2n_allocate_zeroed((size_t)l->slot_count, sizeof *l->slots);
    if (l->order == NULL || l->told == NULL || l->threads == NULL || l->slots == NULL)
        return 0;
    for (int64_t i = 0; i < l->slot_count; i++)
        if (!make_slot(l, &l->slots[i]))
            return 0;
    if (l->options.batch_transforms != NULL) {
        /* make_slot has seen that this does not overflow */
        l->room = r2n_allocate((size_t)l->largest * l->picture_floats, sizeof *l->room);
        if (l->room == NULL)
            return 0;
    }
    /* Records are in memory anyway. */
    if (l->options.cache_bytes > 0 && l->dataset->cifar.data == NULL) {
        l->cache = r2n_allocate_zeroed(count, sizeof *l->cache);
        if (l->cache == NULL)
            return 0;
    }
    return 1;
}

static int make_locks(r2n_loader *l)
{
    if (pthread_mutex_init(&l->lock, NULL) != 0)
        return 0;
    if (pthread_mutex_init(&l->mixing, NULL) == 0) {
        if (pthread_cond_init(&l->room_there, NULL) == 0) {
            if (pthread_cond_init(&l->batch_there, NULL) == 0)
                return 1;
            pthread_cond_destroy(&l->room_there);
        }
        pthread_mutex_destroy(&l->mixing);
    }
    pthread_mutex_destroy(&l->lock);
    return 0;
}

res2net_status r2n_loader_create(const r2n_dataset *dataset, const r2n_loader_options *options,
                                 r2n_loader **out, res2net_report *report)
{
    *out = NULL;
    res2net_status status = check_options(options, report);
    if (status != RES2NET_OK)
        return status;
    r2n_loader *l = r2n_allocate_zeroed(1, sizeof *l);
    if (l == NULL || !make_locks(l)) {
        r2n_free(l);
        return no_memory(report);
    }
    l->dataset = dataset;
    l->options = *options;
    status = measure(l, report);
    if (status == RES2NET_OK && !make_rooms(l))
        status = no_memory(report);
    if (status != RES2NET_OK) {
        r2n_loader_destroy(l);
        return status;
    }
    *out = l;
    return RES2NET_OK;
}

static void free_slot(r2n_loader_slot *slot)
{
    r2n_free(slot->batch.pictures);
    r2n_free(slot->batch.labels);
    r2n_free(slot->batch.items);
    r2n_free(slot->batch.targets);
    r2n_free(slot->places);
}

void r2n_loader_destroy(r2n_loader *loader)
{
    if (loader == NULL)
        return;
    r2n_loader_stop(loader);
    for (int64_t i = 0; loader->slots != NULL && i < loader->slot_count; i++)
        free_slot(&loader->slots[i]);
    for (size_t i = 0; loader->cache != NULL && i < loader->dataset->count; i++)
        r2n_pixels_free(&loader->cache[i]);
    r2n_free(loader->slots);
    r2n_free(loader->cache);
    r2n_free(loader->order);
    r2n_free(loader->told);
    r2n_free(loader->threads);
    r2n_free(loader->room);
    pthread_cond_destroy(&loader->batch_there);
    pthread_cond_destroy(&loader->room_there);
    pthread_mutex_destroy(&loader->mixing);
    pthread_mutex_destroy(&loader->lock);
    r2n_free(loader);
}

/* ---- looking at it ---- */

int64_t r2n_loader_batches(const r2n_loader *loader)
{
    return loader->batches;
}

void r2n_loader_picture_size(const r2n_loader *loader, int32_t *rows, int32_t *columns)
{
    *rows = loader->rows;
    *columns = loader->columns;
}

void r2n_loader_describe(const r2n_loader *loader, r2n_loader_facts *out)
{
    r2n_loader *l = (r2n_loader *)(uintptr_t)loader; /* the lock is no part of what it is */
    *out = (r2n_loader_facts){.waited_seconds = l->waited, .left_out = l->left_out};
    pthread_mutex_lock(&l->lock);
    out->cached = l->cached;
    pthread_mutex_unlock(&l->lock);
}

/* ---- epochs ---- */

res2net_status r2n_loader_begin(r2n_loader *loader, int64_t epoch, int64_t first,
                                res2net_report *report)
{
    r2n_loader_stop(loader);
    loader->begun = 0;
    if (epoch < 0 || first < 0 || first > loader->batches)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "epoch %" PRId64 " cannot begin at batch %" PRId64
                        ": expected an epoch of at least 0 and a batch of 0 to %" PRId64,
                        epoch, first, loader->batches);
    res2net_status status = r2n_order_make(loader->dataset, &loader->options, epoch, loader->length,
                                           loader->order, report);
    if (status != RES2NET_OK)
        return status;
    loader->epoch = epoch;
    loader->first = loader->wanted = first;
    loader->failed = RES2NET_OK;
    loader->given = 0;
    loader->waited = 0;
    status = r2n_loader_start(loader, report);
    loader->begun = status == RES2NET_OK;
    return status;
}

/* What was found at a place of the epoch, with what follows from it behind the last problem. */
static void tell_problem(const r2n_loader *l, const r2n_loader_place *place, int64_t item,
                         const char *outcome, res2net_report *report)
{
    const size_t count = res2net_report_count(place->report);
    char text[R2N_LOADER_NAME_BYTES];
    if (count == 0)
        r2n_fail(report, place->status, r2n_loader_item_name(&l->dataset->items[item], text), -1,
                 "%s%s", res2net_status_text(place->status), outcome);
    for (size_t i = 0; i < count; i++) {
        const res2net_problem *problem = res2net_report_problem(place->report, i);
        r2n_fail(report, problem->status, problem->file, problem->offset, "%s%s", problem->text,
                 i + 1 == count ? outcome : "");
    }
}

/* The problems of a batch's pictures, in their order: so the first one that ends a run is the same
 * for any number of workers. */
static res2net_status judge(r2n_loader *l, const r2n_loader_slot *slot, res2net_report *report)
{
    for (int32_t i = 0; i < slot->size; i++) {
        const r2n_loader_place *place = &slot->places[i];
        const int64_t item = l->order[slot->first + i];
        if (place->status == RES2NET_OK && place->report == NULL)
            continue;
        if (place->status != RES2NET_OK) {
            const int may = r2n_loader_may_leave_out(place->status);
            if (!may || !l->options.on_bad_image_skip) {
                tell_problem(l, place, item,
                             may ? "; mend the picture, take it off the list, or train with "
                                   "on_bad_image: skip, which leaves it out"
                                 : "",
                             report);
                return place->status;
            }
            l->left_out++;
        }
        if (!l->told[item])
            tell_problem(l, place, item,
                         place->status != RES2NET_OK ? "; the picture is left out" : "", report);
        l->told[item] = 1;
    }
    return RES2NET_OK;
}

static res2net_status end_epoch(r2n_loader *l, res2net_status status)
{
    r2n_loader_stop(l);
    l->failed = status;
    return status;
}

res2net_status r2n_loader_next(r2n_loader *loader, const r2n_batch **out, res2net_report *report)
{
    *out = NULL;
    if (!loader->begun)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "no epoch was begun: r2n_loader_begin comes first");
    if (loader->failed != RES2NET_OK)
        return loader->failed; /* it was told */
    while (loader->wanted < loader->batches) {
        r2n_loader_slot *slot = r2n_loader_wait(loader);
        const res2net_status status = judge(loader, slot, report);
        if (status != RES2NET_OK)
            return end_epoch(loader, status);
        r2n_loader_forget_problems(loader, slot);
        loader->wanted++;
        r2n_loader_go_on(loader);
        loader->given += slot->batch.images;
        if (slot->batch.images > 0) {
            *out = &slot->batch;
            return RES2NET_OK;
        }
    }
    if (loader->given == 0 && loader->first == 0)
        return end_epoch(loader, r2n_fail(report, RES2NET_BAD_PICTURE, NULL, -1,
                                          "none of the epoch's %" PRId64 " pictures could be read",
                                          loader->length));
    return end_epoch(loader, RES2NET_OK);
}
