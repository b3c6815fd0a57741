/* SPDX-License-Identifier: Apache-2.0 */
#include "predict/worst_pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int is_worse(const res2net_worst_picture *a, const res2net_worst_picture *b)
{
    return a->loss > b->loss || (a->loss == b->loss && a->item < b->item);
}

static void swap(res2net_worst_picture *a, res2net_worst_picture *b)
{
    const res2net_worst_picture kept = *a;
    *a = *b;
    *b = kept;
}

/* The top of the heap is its best picture: the next to go. */
static void sift_up(res2net_worst_picture *heap, int32_t at)
{
    for (; at > 0 && is_worse(&heap[(at - 1) / 2], &heap[at]); at = (at - 1) / 2)
        swap(&heap[(at - 1) / 2], &heap[at]);
}

static void sift_down(res2net_worst_picture *heap, int32_t count)
{
    int32_t at = 0;
    for (int32_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && is_worse(&heap[child], &heap[child + 1]))
            child++;
        if (!is_worse(&heap[at], &heap[child]))
            return;
        swap(&heap[at], &heap[child]);
        at = child;
    }
}

void r2n_worst_offer(res2net_worst_picture *heap, int32_t *count, int32_t room,
                     const res2net_worst_picture *picture)
{
    if (*count < room) {
        heap[*count] = *picture;
        sift_up(heap, (*count)++);
    } else if (room > 0 && is_worse(picture, &heap[0])) {
        heap[0] = *picture;
        sift_down(heap, *count);
    }
}

static int worse_first(const void *a, const void *b)
{
    return is_worse(a, b) ? -1 : 1; /* no two are the same item */
}

static int describe(res2net_worst_picture *picture, const r2n_dataset *dataset, const char *source)
{
    const r2n_item *item = &dataset->items[picture->item];
    if (item->path != NULL) {
        picture->name = r2n_copy_string(item->path);
        return picture->name != NULL;
    }
    const size_t room = strlen(source) + 24;
    picture->name = r2n_allocate(room, 1);
    picture->pixels = r2n_allocate((size_t)R2N_CIFAR_SIDE * R2N_CIFAR_SIDE, 3);
    if (picture->name == NULL || picture->pixels == NULL)
        return 0;
    snprintf(picture->name, room, "%s[%lld]", source, (long long)picture->item);
    r2n_dataset_cifar_pixels(dataset, (size_t)picture->item, picture->pixels);
    picture->width = picture->height = R2N_CIFAR_SIDE;
    return 1;
}

res2net_status r2n_worst_finish(res2net_worst_picture *pictures, int32_t count,
                                const r2n_dataset *dataset, const char *source,
                                res2net_report *report)
{
    qsort(pictures, (size_t)count, sizeof *pictures, worse_first);
    for (int32_t i = 0; i < count; i++)
        if (!describe(&pictures[i], dataset, source))
            return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                            "no memory for the worst pictures");
    return RES2NET_OK;
}

void r2n_worst_free(res2net_worst_picture *pictures, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        r2n_free(pictures[i].name);
        r2n_free(pictures[i].pixels);
    }
    r2n_free(pictures);
}
