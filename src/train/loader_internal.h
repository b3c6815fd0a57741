/* SPDX-License-Identifier: Apache-2.0 */
/* The insides of the loader, for loader.c (the caller's side), loader_threads.c (who makes what
 * when) and loader_picture.c (how a picture and a batch are made). */
#ifndef R2N_TRAIN_LOADER_INTERNAL_H
#define R2N_TRAIN_LOADER_INTERNAL_H

#include <pthread.h>

#include "train/loader.h"

/* What became of the picture at one place of a batch. */
typedef struct r2n_loader_place {
    res2net_status status;
    res2net_report *report; /* what is to be told of it, or NULL */
} r2n_loader_place;

/* Room for a batch. Batch n is made in slot n % slots. */
typedef struct r2n_loader_slot {
    r2n_batch batch;
    int64_t number;
    int64_t first; /* its first place in the epoch */
    int32_t size;  /* places, before any is left out */
    int32_t open;  /* of which are not made yet */
    int ready;
    r2n_loader_place *places; /* [size] */
} r2n_loader_slot;

struct r2n_loader {
    const r2n_dataset *dataset;
    r2n_loader_options options; /* with `workers` and `ahead` as they are */
    r2n_image_options decoding;
    int32_t rows, columns;
    size_t picture_floats;
    int32_t largest; /* pictures of a batch at most */
    int64_t length;  /* places of an epoch */
    int64_t batches;
    int64_t *order; /* [length] */
    r2n_loader_slot *slots;
    int64_t slot_count; /* `ahead` and the caller's, or all batches where there are fewer */

    /* The caller's own. */
    int64_t epoch, first, wanted; /* the next batch to give */
    int begun;
    res2net_status failed; /* how the epoch ended, once it did */
    int64_t given, left_out;
    double waited;
    uint8_t *told; /* [dataset->count] 1: its problem was reported */

    pthread_t *threads; /* [options.workers] */
    int32_t started;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t room_there, batch_there;
    int stopping;
    int64_t next_batch; /* that has a place nobody took yet */
    int32_t next_place; /* in it */
    int64_t limit;      /* batches from here on have no slot yet */
    r2n_pixels *cache;  /* [dataset->count] or NULL; what is once there stays and never changes */
    int64_t cache_used, cached;

    pthread_mutex_t mixing; /* `room` has one user at a time */
    float *room;            /* for batch transforms: another batch's pictures, or NULL */
};

/* loader_threads.c */
res2net_status r2n_loader_start(r2n_loader *loader, res2net_report *report);
/* Ends and joins all threads; what they made is dropped. Allowed at any time. */
void r2n_loader_stop(r2n_loader *loader);
void r2n_loader_forget_problems(const r2n_loader *loader, r2n_loader_slot *slot);
/* The slot of batch `wanted`, once it is made. */
r2n_loader_slot *r2n_loader_wait(r2n_loader *loader);
/* Batch `wanted` - 1 was taken: the slot of the one before it is free. */
void r2n_loader_go_on(r2n_loader *loader);

/* loader_picture.c */
/* What messages call an item: its path, or `text`. */
enum { R2N_LOADER_NAME_BYTES = 48 };
const char *r2n_loader_item_name(const r2n_item *item, char text[R2N_LOADER_NAME_BYTES]);
/* Makes the picture at `place` of the slot's batch; keeps *report where it has something to tell,
 * and sets it NULL then. */
void r2n_loader_make_picture(r2n_loader *loader, r2n_loader_slot *slot, int32_t place,
                             res2net_report **report);
/* All places are made: leaves the bad ones out, then mixes what is left. */
void r2n_loader_finish_batch(r2n_loader *loader, r2n_loader_slot *slot);
/* Pictures can be left out for this reason; others end the run under every policy. */
int r2n_loader_may_leave_out(res2net_status status);

#endif
