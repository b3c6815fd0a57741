/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that a source lists more than once, with the same label or another. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/dataset.h"

/* By path, then in the source's order. */
static int compare_items(const void *a, const void *b)
{
    const r2n_item *x = *(const r2n_item *const *)a;
    const r2n_item *y = *(const r2n_item *const *)b;
    const int order = strcmp(x->path, y->path);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void tell(const r2n_item *first, const r2n_item *again, const char *source, int only_other,
                 r2n_repeats *out, res2net_report *report)
{
    if (first->label != again->label) {
        out->other_label++;
        r2n_fail_line(report, RES2NET_BAD_LIST, source, again->line,
                      "\"%s\" is listed again with another label: %d, but %d in line %lld",
                      again->path, again->label, first->label, (long long)first->line);
        return;
    }
    out->same_label++;
    if (!only_other)
        r2n_fail_line(report, RES2NET_BAD_LIST, source, again->line,
                      "\"%s\" is listed again (first in line %lld)", again->path,
                      (long long)first->line);
}

res2net_status r2n_dataset_find_repeats(const r2n_dataset *dataset, const char *source,
                                        int only_other, r2n_repeats *out, res2net_report *report)
{
    *out = (r2n_repeats){0};
    if (dataset->kind != R2N_DATASET_LIST)
        return RES2NET_OK;
    const r2n_item **sorted = r2n_allocate(dataset->count, sizeof *sorted);
    if (sorted == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, source, -1, "no memory for the paths");
    for (size_t i = 0; i < dataset->count; i++)
        sorted[i] = &dataset->items[i];
    qsort(sorted, dataset->count, sizeof *sorted, compare_items);
    size_t first = 0; /* of the items with one path */
    for (size_t i = 1; i < dataset->count; i++) {
        if (strcmp(sorted[first]->path, sorted[i]->path) == 0)
            tell(sorted[first], sorted[i], r2n_dataset_name(source), only_other, out, report);
        else
            first = i;
    }
    r2n_free(sorted);
    return RES2NET_OK;
}
