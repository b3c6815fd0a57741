/* SPDX-License-Identifier: Apache-2.0 */
/* All threads prepare a batch of pictures; neighbours of one size then run together. Which pictures
 * share a batch changes no result. */
#include "quantize/pictures.h"

#include <string.h>

#include "base/memory.h"
#include "base/thread_pool.h"

typedef struct slot {
    res2net_tensor tensor;
    res2net_status status;
    res2net_report *report; /* of this picture: threads do not share one */
    int32_t label;
} slot;

typedef struct loader {
    const r2n_picture_run *run;
    size_t first; /* number of slot 0 among the run's pictures */
    int32_t loaded;
    slot *slots; /* [batch] */
    float *input;
    size_t input_floats;
    int32_t *labels; /* [batch] */
} loader;

size_t r2n_picture_run_count(const r2n_picture_run *run)
{
    const size_t all = run->dataset->count;
    return run->samples > 0 && run->samples < all ? run->samples : all;
}

/* The item of the set that is the run's picture number `index`. */
static size_t item_of(const r2n_picture_run *run, size_t index)
{
    const uint64_t count = r2n_picture_run_count(run);
    const uint64_t all = run->dataset->count;
    return (size_t)((uint64_t)index * (all / count) + (uint64_t)index * (all % count) / count);
}

static void load_one(void *context, size_t slot_index)
{
    const loader *l = context;
    const r2n_picture_run *run = l->run;
    const size_t index = item_of(run, l->first + slot_index);
    const r2n_item *item = &run->dataset->items[index];
    slot *s = &l->slots[slot_index];
    s->label = item->label;
    if (item->absent) /* told before the run */
        s->status = RES2NET_NOT_FOUND;
    else if (item->path != NULL)
        s->status = res2net_session_prepare_file(run->session, item->path, &s->tensor, s->report);
    else
        s->status = r2n_session_prepare_record(run->session, run->dataset, index, "<CIFAR record>",
                                               &s->tensor, s->report);
}

static res2net_status load(loader *l, size_t first, int64_t *skipped, res2net_report *report)
{
    const size_t left = r2n_picture_run_count(l->run) - first;
    l->first = first;
    l->loaded = left < (size_t)l->run->batch ? (int32_t)left : l->run->batch;
    r2n_thread_pool_each(l->run->session->threads, (size_t)l->loaded, load_one, l);
    for (int32_t i = 0; i < l->loaded; i++) {
        const slot *s = &l->slots[i];
        r2n_report_copy(s->report, report); /* a picture that was taken may have a warning */
        if (s->status == RES2NET_OK)
            continue;
        if (l->run->stop_on_bad || s->status == RES2NET_OUT_OF_MEMORY ||
            s->status == RES2NET_INTERRUPTED)
            return s->status;
        ++*skipped;
    }
    return RES2NET_OK;
}

static void release(loader *l)
{
    for (int32_t i = 0; i < l->loaded; i++) {
        res2net_tensor_free(&l->slots[i].tensor);
        res2net_report_clear(l->slots[i].report);
    }
    l->loaded = 0;
}

static res2net_status work_on(loader *l, int32_t first, int32_t last, res2net_report *report)
{
    const res2net_tensor *shape = &l->slots[first].tensor;
    const size_t floats = 3 * (size_t)shape->height * (size_t)shape->width;
    const size_t needed = floats * (size_t)(last - first);
    if (needed > l->input_floats) {
        r2n_free(l->input);
        l->input = r2n_allocate(needed, sizeof(float));
        l->input_floats = l->input == NULL ? 0 : needed;
        if (l->input == NULL)
            return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                            "no memory for a batch of pictures");
    }
    for (int32_t i = first; i < last; i++) {
        memcpy(l->input + (size_t)(i - first) * floats, l->slots[i].tensor.data,
               floats * sizeof(float));
        l->labels[i - first] = l->slots[i].label;
    }
    const r2n_picture_group group = {.input = l->input,
                                     .labels = l->labels,
                                     .count = last - first,
                                     .rows = shape->height,
                                     .columns = shape->width};
    return l->run->work(l->run->context, &group, report);
}

static res2net_status work_on_batch(loader *l, res2net_report *report)
{
    for (int32_t i = 0; i < l->loaded;) {
        int32_t last = i + 1;
        const res2net_tensor *shape = &l->slots[i].tensor;
        if (l->slots[i].status != RES2NET_OK) {
            i = last;
            continue;
        }
        while (last < l->loaded && l->slots[last].status == RES2NET_OK &&
               l->slots[last].tensor.height == shape->height &&
               l->slots[last].tensor.width == shape->width)
            last++;
        const res2net_status status = work_on(l, i, last, report);
        if (status != RES2NET_OK)
            return status;
        i = last;
    }
    return RES2NET_OK;
}

static res2net_status load_all(loader *l, int64_t *skipped, res2net_report *report)
{
    const r2n_picture_run *run = l->run;
    const size_t count = r2n_picture_run_count(run);
    for (size_t first = 0; first < count; first += (size_t)run->batch) {
        res2net_status status = load(l, first, skipped, report);
        const int64_t done = run->done_before + (int64_t)first + l->loaded;
        if (status == RES2NET_OK)
            status = work_on_batch(l, report);
        release(l);
        if (status != RES2NET_OK)
            return status;
        if (run->progress != NULL && run->progress(run->progress_context, done, run->total) != 0)
            return r2n_fail(report, RES2NET_INTERRUPTED, NULL, -1,
                            "stopped after %lld of %lld pictures", (long long)done,
                            (long long)run->total);
    }
    return RES2NET_OK;
}

res2net_status r2n_picture_run_all(const r2n_picture_run *run, int64_t *skipped,
                                   res2net_report *report)
{
    loader l = {.run = run,
                .slots = r2n_allocate_zeroed((size_t)run->batch, sizeof *l.slots),
                .labels = r2n_allocate((size_t)run->batch, sizeof *l.labels)};
    int fine = l.slots != NULL && l.labels != NULL;
    for (int32_t i = 0; fine && i < run->batch; i++) {
        l.slots[i].report = res2net_report_create();
        fine = l.slots[i].report != NULL;
    }
    *skipped = 0;
    const res2net_status status =
        fine ? load_all(&l, skipped, report)
             : r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for pictures");
    for (int32_t i = 0; l.slots != NULL && i < run->batch; i++)
        res2net_report_destroy(l.slots[i].report);
    r2n_free(l.slots);
    r2n_free(l.labels);
    r2n_free(l.input);
    return status;
}
