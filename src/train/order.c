/* SPDX-License-Identifier: Apache-2.0 */
#include "train/order.h"

#include <inttypes.h>

#include "base/memory.h"

static res2net_status no_memory(res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the order of an epoch");
}

/* ---- balanced classes ---- */

typedef struct class_counts {
    int64_t *items; /* [classes] pictures of each */
    int64_t most;
    int64_t present; /* classes that have any */
} class_counts;

static int count_classes(const r2n_dataset *dataset, int32_t classes, class_counts *out)
{
    *out = (class_counts){.items = r2n_allocate_zeroed((size_t)classes, sizeof *out->items)};
    if (out->items == NULL)
        return 0;
    for (size_t i = 0; i < dataset->count; i++) {
        const int64_t items = ++out->items[dataset->items[i].label];
        out->present += items == 1;
        out->most = items > out->most ? items : out->most;
    }
    return 1;
}

res2net_status r2n_order_length(const r2n_dataset *dataset, const r2n_loader_options *options,
                                int64_t *length, res2net_report *report)
{
    class_counts counts;
    *length = (int64_t)dataset->count;
    if (!options->balanced)
        return RES2NET_OK;
    if (!count_classes(dataset, options->classes, &counts))
        return no_memory(report);
    r2n_free(counts.items);
    if (__builtin_mul_overflow(counts.most, counts.present, length))
        return no_memory(report);
    return RES2NET_OK;
}

/* How often every picture comes. A class of n pictures is repeated most / n times; of the rest,
 * most % n pictures come once more, and those move on from epoch to epoch, so that over the epochs
 * none of a class comes more often than another. */
static int count_copies(const r2n_dataset *dataset, const class_counts *counts, int32_t classes,
                        int64_t epoch, int64_t *copies)
{
    int64_t *seen = r2n_allocate_zeroed((size_t)classes, sizeof *seen);
    if (seen == NULL)
        return 0;
    for (size_t i = 0; i < dataset->count; i++) {
        const int32_t label = dataset->items[i].label;
        const int64_t n = counts->items[label], rest = counts->most % n;
        const int64_t start = epoch % n * rest % n;
        const int64_t place = (seen[label]++ + n - start) % n;
        copies[i] = counts->most / n + (place < rest);
    }
    r2n_free(seen);
    return 1;
}

/* The set in list order, then those of it that come twice, then those that come three times, ... */
static void lay_out_copies(const int64_t *copies, int64_t count, int64_t *order)
{
    int64_t from = 0, to = count;
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t pass = 1; from < to; pass++) {
        int64_t end = to;
        for (int64_t i = from; i < to; i++)
            if (copies[order[i]] > pass)
                order[end++] = order[i];
        from = to;
        to = end;
    }
}

static res2net_status balance(const r2n_dataset *dataset, int32_t classes, int64_t epoch,
                              int64_t *order, res2net_report *report)
{
    class_counts counts;
    int64_t *copies = r2n_allocate(dataset->count, sizeof *copies);
    int fine = count_classes(dataset, classes, &counts) && copies != NULL &&
               count_copies(dataset, &counts, classes, epoch, copies);
    if (fine)
        lay_out_copies(copies, (int64_t)dataset->count, order);
    r2n_free(counts.items);
    r2n_free(copies);
    return fine ? RES2NET_OK : no_memory(report);
}

/* ---- shuffling ---- */

static void shuffle(uint64_t seed, int64_t epoch, int64_t *order, int64_t length)
{
    r2n_random random = r2n_random_stream(seed, R2N_RANDOM_SHUFFLE, (uint64_t)epoch, 0);
    for (int64_t i = length - 1; i > 0; i--) {
        const int64_t j = r2n_random_below(&random, i + 1);
        const int64_t other = order[j];
        order[j] = order[i];
        order[i] = other;
    }
}

static res2net_status shuffle_as_paddle(int64_t epoch, int64_t *order, int64_t length,
                                        res2net_report *report)
{
    if (epoch > UINT32_MAX)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "epoch %" PRId64 " has no order of Paddle's: its seeds end at %" PRIu32,
                        epoch, UINT32_MAX);
    int64_t *listed = r2n_allocate((size_t)length, sizeof *listed);
    if (listed == NULL)
        return no_memory(report);
    for (int64_t i = 0; i < length; i++)
        listed[i] = order[i];
    r2n_shuffle_as_paddle((uint32_t)epoch, order, (size_t)length);
    for (int64_t i = 0; i < length; i++)
        order[i] = listed[order[i]];
    r2n_free(listed);
    return RES2NET_OK;
}

res2net_status r2n_order_make(const r2n_dataset *dataset, const r2n_loader_options *options,
                              int64_t epoch, int64_t length, int64_t *order, res2net_report *report)
{
    if (options->balanced) {
        const res2net_status status = balance(dataset, options->classes, epoch, order, report);
        if (status != RES2NET_OK)
            return status;
    } else
        for (int64_t i = 0; i < length; i++)
            order[i] = i;
    if (options->order == R2N_ORDER_PADDLE)
        return shuffle_as_paddle(epoch, order, length, report);
    if (options->order == R2N_ORDER_SHUFFLED)
        shuffle(options->seed, epoch, order, length);
    return RES2NET_OK;
}

/* ---- batches ---- */

int64_t r2n_order_batches(const r2n_loader_options *options, int64_t length)
{
    const int64_t whole = length / options->batch, rest = length % options->batch;
    const int merged = options->merge_single && rest == 1 && whole > 0;
    return whole + (rest > 0 && !options->drop_last && !merged);
}

void r2n_order_batch(const r2n_loader_options *options, int64_t length, int64_t number,
                     int64_t *first, int64_t *last)
{
    const int64_t end = (number + 1) * options->batch;
    *first = number * options->batch;
    *last = end < length ? end : length;
    if (number == r2n_order_batches(options, length) - 1 && !options->drop_last)
        *last = length;
}
