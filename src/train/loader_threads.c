/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who makes what when. Workers take single places, in the order of the epoch, as long as the batch
 * has a slot: so all of them work on the batch that is waited for, and long pictures hold nobody
 * up. Whoever made the last place of a batch finishes it.
 */
#include "base/os.h"
#include "train/loader_internal.h"
#include "train/order.h"

/* Takes the next place; 0 where none is left or all is to stop. With the lock held. */
static int take_place(r2n_loader *loader, r2n_loader_slot **slot, int32_t *place)
{
    while (!loader->stopping && loader->next_batch < loader->batches &&
           loader->next_batch >= loader->limit)
        pthread_cond_wait(&loader->room_there, &loader->lock);
    if (loader->stopping || loader->next_batch == loader->batches)
        return 0;
    r2n_loader_slot *taken = &loader->slots[loader->next_batch % loader->slot_count];
    if (loader->next_place == 0) {
        int64_t last;
        r2n_order_batch(&loader->options, loader->length, loader->next_batch, &taken->first, &last);
        taken->number = loader->next_batch;
        taken->size = (int32_t)(last - taken->first);
        taken->open = taken->size;
        taken->ready = 0;
    }
    *slot = taken;
    *place = loader->next_place++;
    if (loader->next_place == taken->size) {
        loader->next_batch++;
        loader->next_place = 0;
    }
    return 1;
}

static void *work(void *context)
{
    r2n_loader *loader = context;
    r2n_loader_slot *slot;
    res2net_report *report = NULL; /* of the picture at hand */
    int32_t place;
    pthread_mutex_lock(&loader->lock);
    while (take_place(loader, &slot, &place)) {
        pthread_mutex_unlock(&loader->lock);
        r2n_loader_make_picture(loader, slot, place, &report);
        pthread_mutex_lock(&loader->lock);
        if (--slot->open > 0)
            continue;
        pthread_mutex_unlock(&loader->lock);
        r2n_loader_finish_batch(loader, slot);
        pthread_mutex_lock(&loader->lock);
        slot->ready = 1;
        pthread_cond_signal(&loader->batch_there); /* one thread at most waits: the caller's */
    }
    pthread_mutex_unlock(&loader->lock);
    res2net_report_destroy(report);
    return NULL;
}

res2net_status r2n_loader_start(r2n_loader *loader, res2net_report *report)
{
    loader->stopping = 0;
    loader->next_batch = loader->first;
    loader->next_place = 0;
    loader->limit = loader->first + loader->options.ahead;
    for (int64_t i = 0; i < loader->slot_count; i++)
        loader->slots[i].ready = 0;
    if (loader->first == loader->batches)
        return RES2NET_OK;
    while (loader->started < loader->options.workers &&
           pthread_create(&loader->threads[loader->started], NULL, work, loader) == 0)
        loader->started++;
    if (loader->started == 0) /* fewer than asked for will do */
        return r2n_fail(report, RES2NET_UNAVAILABLE, NULL, -1,
                        "no thread could be started for the pictures: the system's or the user's "
                        "limit of threads is reached");
    return RES2NET_OK;
}

void r2n_loader_forget_problems(const r2n_loader *loader, r2n_loader_slot *slot)
{
    for (int32_t i = 0; slot->places != NULL && i < loader->largest; i++) {
        res2net_report_destroy(slot->places[i].report);
        slot->places[i].report = NULL;
    }
}

void r2n_loader_stop(r2n_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->stopping = 1;
    pthread_cond_broadcast(&loader->room_there);
    pthread_mutex_unlock(&loader->lock);
    while (loader->started > 0)
        pthread_join(loader->threads[--loader->started], NULL);
    for (int64_t i = 0; loader->slots != NULL && i < loader->slot_count; i++)
        r2n_loader_forget_problems(loader, &loader->slots[i]);
}

r2n_loader_slot *r2n_loader_wait(r2n_loader *loader)
{
    r2n_loader_slot *slot = &loader->slots[loader->wanted % loader->slot_count];
    pthread_mutex_lock(&loader->lock);
    if (!slot->ready || slot->number != loader->wanted) {
        const double before = r2n_seconds();
        while (!slot->ready || slot->number != loader->wanted)
            pthread_cond_wait(&loader->batch_there, &loader->lock);
        loader->waited += r2n_seconds() - before;
    }
    pthread_mutex_unlock(&loader->lock);
    return slot;
}

void r2n_loader_go_on(r2n_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->limit = loader->wanted + loader->options.ahead;
    pthread_cond_broadcast(&loader->room_there);
    pthread_mutex_unlock(&loader->lock);
}
