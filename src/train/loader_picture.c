/* SPDX-License-Identifier: Apache-2.0 */
/* From an item of the set to its place in a batch, and from places to a batch: the worker's side.
 * Everything is drawn from streams of the place's or batch's own. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "train/loader_internal.h"

const char *r2n_loader_item_name(const r2n_item *item, char text[R2N_LOADER_NAME_BYTES])
{
    if (item->path != NULL)
        return item->path;
    snprintf(text, R2N_LOADER_NAME_BYTES, "<CIFAR record %" PRId64 ">", item->record);
    return text;
}

int r2n_loader_may_leave_out(res2net_status status)
{
    switch (status) {
    case RES2NET_NOT_FOUND:
    case RES2NET_READ_FAILED:
    case RES2NET_DAMAGED:
    case RES2NET_UNSUPPORTED:
    case RES2NET_LIMIT_EXCEEDED:
    case RES2NET_BAD_PICTURE:
        return 1;
    default:
        return 0;
    }
}

/* ---- pixels, and the cache of them ---- */

static int find_in_cache(r2n_loader *loader, int64_t item, r2n_pixels *out)
{
    if (loader->cache == NULL)
        return 0;
    pthread_mutex_lock(&loader->lock);
    *out = loader->cache[item];
    pthread_mutex_unlock(&loader->lock);
    return out->rgb != NULL;
}

/* 1: the cache has taken the pixels over. What came first stays: the same pictures are found again
 * in every epoch, where a cache that makes room would have thrown out each before it comes again.
 */
static int keep_in_cache(r2n_loader *loader, int64_t item, const r2n_pixels *pixels)
{
    const int64_t bytes = (int64_t)pixels->width * pixels->height * 3;
    int kept = 0;
    if (loader->cache == NULL)
        return 0;
    pthread_mutex_lock(&loader->lock);
    if (loader->cache[item].rgb == NULL &&
        bytes <= loader->options.cache_bytes - loader->cache_used) {
        loader->cache[item] = *pixels;
        loader->cache_used += bytes;
        loader->cached++;
        kept = 1;
    }
    pthread_mutex_unlock(&loader->lock);
    return kept;
}

static res2net_status decode_file(const r2n_loader *loader, const char *path, r2n_pixels *pixels,
                                  res2net_report *report)
{
    r2n_file_bytes file;
    res2net_status status = r2n_file_read(path, R2N_PICTURE_FILE_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_image_decode(file.data, file.size, path, &loader->decoding, pixels, report);
    r2n_file_release(&file);
    return status;
}

static res2net_status make_from_file(r2n_loader *loader, int64_t item, r2n_random *random,
                                     float *out, res2net_report *report)
{
    const char *path = loader->dataset->items[item].path;
    r2n_pixels pixels = {0};
    int kept = find_in_cache(loader, item, &pixels);
    if (!kept) {
        const res2net_status status = decode_file(loader, path, &pixels, report);
        if (status != RES2NET_OK)
            return status;
        kept = keep_in_cache(loader, item, &pixels);
    }
    const res2net_status status =
        r2n_transforms_apply(loader->options.transforms, &pixels, path, random, out, report);
    if (!kept)
        r2n_pixels_free(&pixels);
    return status;
}

static res2net_status make_from_record(const r2n_loader *loader, int64_t item, r2n_random *random,
                                       float *out, res2net_report *report)
{
    uint8_t rgb[R2N_CIFAR_SIDE * R2N_CIFAR_SIDE * 3];
    char text[R2N_LOADER_NAME_BYTES];
    const char *name = r2n_loader_item_name(&loader->dataset->items[item], text);
    const r2n_pixels pixels = {.width = R2N_CIFAR_SIDE, .height = R2N_CIFAR_SIDE, .rgb = rgb};
    r2n_dataset_cifar_pixels(loader->dataset, (size_t)item, rgb);
    return r2n_transforms_apply(loader->options.transforms, &pixels, name, random, out, report);
}

void r2n_loader_make_picture(r2n_loader *loader, r2n_loader_slot *slot, int32_t place,
                             res2net_report **report)
{
    const int64_t in_epoch = slot->first + place;
    const int64_t item = loader->order[in_epoch];
    float *out = slot->batch.pictures + (size_t)place * loader->picture_floats;
    r2n_random random = r2n_random_stream(loader->options.seed, R2N_RANDOM_PICTURE,
                                          (uint64_t)loader->epoch, (uint64_t)in_epoch);
    if (*report == NULL)
        *report = res2net_report_create(); /* NULL is allowed: the status then says all there is */
    const res2net_status status = loader->dataset->items[item].path != NULL
                                      ? make_from_file(loader, item, &random, out, *report)
                                      : make_from_record(loader, item, &random, out, *report);
    slot->batch.items[place] = item;
    slot->batch.labels[place] = loader->dataset->items[item].label;
    slot->places[place] = (r2n_loader_place){.status = status};
    if (res2net_report_count(*report) > 0) {
        slot->places[place].report = *report;
        *report = NULL;
    }
}

/* ---- batches ---- */

static void leave_out_bad(const r2n_loader *loader, r2n_loader_slot *slot)
{
    r2n_batch *batch = &slot->batch;
    const size_t floats = loader->picture_floats;
    int32_t kept = 0;
    for (int32_t i = 0; i < slot->size; i++) {
        if (slot->places[i].status != RES2NET_OK)
            continue;
        if (kept < i) {
            memcpy(batch->pictures + (size_t)kept * floats, batch->pictures + (size_t)i * floats,
                   floats * sizeof(float));
            batch->labels[kept] = batch->labels[i];
            batch->items[kept] = batch->items[i];
        }
        kept++;
    }
    batch->images = kept;
    batch->left_out = slot->size - kept;
}

static void mix(r2n_loader *loader, r2n_loader_slot *slot)
{
    r2n_batch *batch = &slot->batch;
    const size_t classes = (size_t)batch->classes;
    r2n_random random = r2n_random_stream(loader->options.seed, R2N_RANDOM_BATCH,
                                          (uint64_t)loader->epoch, (uint64_t)slot->number);
    memset(batch->targets, 0, (size_t)batch->images * classes * sizeof(float));
    for (int32_t i = 0; i < batch->images; i++)
        batch->targets[(size_t)i * classes + (size_t)batch->labels[i]] = 1;
    pthread_mutex_lock(&loader->mixing);
    r2n_batch_transforms_apply(loader->options.batch_transforms, &random, batch->images,
                               batch->rows, batch->columns, batch->classes, batch->pictures,
                               batch->targets, loader->room);
    pthread_mutex_unlock(&loader->mixing);
}

void r2n_loader_finish_batch(r2n_loader *loader, r2n_loader_slot *slot)
{
    leave_out_bad(loader, slot);
    if (loader->options.batch_transforms != NULL && slot->batch.images > 0)
        mix(loader, slot);
}
