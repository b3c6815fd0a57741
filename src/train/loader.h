/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of pictures -> batches, in a fixed order, made ahead of time by threads of the loader's
 * own.
 *
 * What a batch holds depends on (seed, epoch, number of the batch) only: not on the number of
 * threads, nor on where a run was resumed. A picture that cannot be read is never replaced.
 */
#ifndef R2N_TRAIN_LOADER_H
#define R2N_TRAIN_LOADER_H

#include "data/dataset.h"
#include "train/transforms.h"

typedef struct r2n_batch {
    int32_t images; /* at most the loader's batch: fewer at the end, or where some were left out */
    int32_t rows, columns, classes;
    float *pictures;  /* [images][rows][columns][3] */
    int32_t *labels;  /* [images] */
    float *targets;   /* [images][classes] after batch transforms, or NULL: labels are hard */
    int64_t *items;   /* [images] their numbers in the set */
    int64_t left_out; /* unreadable ones that would have been in it */
} r2n_batch;

typedef enum r2n_order {
    R2N_ORDER_SHUFFLED, /* Fisher-Yates of a stream of (seed, SHUFFLE, epoch) */
    R2N_ORDER_PADDLE,   /* r2n_shuffle_as_paddle */
    R2N_ORDER_LIST
} r2n_order;

typedef struct r2n_loader_options {
    int32_t batch;
    int32_t classes;
    uint64_t seed;
    r2n_order order;
    int balanced; /* every class as often as the largest: rarer ones are repeated */
    int drop_last;
    int merge_single; /* a last batch of one picture joins the one before it: batch norm needs two
                         values. The batch is then one larger than `batch` */
    int on_bad_image_skip; /* else the run ends at the first unreadable picture */
    int32_t workers;       /* threads; 0: as many as processors */
    int32_t ahead;         /* batches at most that wait, ready; 0: 4 */
    int64_t cache_bytes;   /* decoded pictures are kept up to this; 0: none */
    const r2n_transforms *transforms;
    const r2n_batch_transforms *batch_transforms; /* or NULL */
} r2n_loader_options;

typedef struct r2n_loader r2n_loader;

/* The dataset and the transforms must outlive the loader. */
res2net_status r2n_loader_create(const r2n_dataset *dataset, const r2n_loader_options *options,
                                 r2n_loader **out, res2net_report *report);
void r2n_loader_destroy(r2n_loader *loader); /* stops the threads; NULL is allowed */

int64_t r2n_loader_batches(const r2n_loader *loader); /* of an epoch */
void r2n_loader_picture_size(const r2n_loader *loader, int32_t *rows, int32_t *columns);

/* Begins epoch `epoch` (from 0) at batch `first`; what was made ahead of another epoch is dropped.
 */
res2net_status r2n_loader_begin(r2n_loader *loader, int64_t epoch, int64_t first,
                                res2net_report *report);
/* The next batch, which is the loader's until the next call. *out is NULL after the last one.
 * Unreadable pictures that are skipped are told in `report`, each file once in a run. */
res2net_status r2n_loader_next(r2n_loader *loader, const r2n_batch **out, res2net_report *report);

typedef struct r2n_loader_facts {
    double waited_seconds; /* in r2n_loader_next since begin */
    int64_t left_out;      /* pictures since create */
    int64_t cached;        /* pictures in memory */
} r2n_loader_facts;
void r2n_loader_describe(const r2n_loader *loader, r2n_loader_facts *out);

#endif
