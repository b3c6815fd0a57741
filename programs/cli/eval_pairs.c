/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_pairs.h"

#include <stdlib.h>

#include "platform.h"

static int more_first(const void *a, const void *b)
{
    const confused_pair *x = a;
    const confused_pair *y = b;
    if (x->images != y->images)
        return x->images > y->images ? -1 : 1;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return x->answer < y->answer ? -1 : 1;
}

/* Counts the pairs, and writes them where `pairs` is not NULL. */
static size_t list_pairs(const res2net_evaluation *found, confused_pair *pairs)
{
    size_t count = 0;
    for (int32_t label = 0; label < found->classes; label++) {
        const int64_t *row = &found->confusion[(int64_t)label * found->classes];
        for (int32_t answer = 0; answer < found->classes; answer++) {
            if (answer == label || row[answer] == 0)
                continue;
            if (pairs != NULL)
                pairs[count] =
                    (confused_pair){.images = row[answer], .label = label, .answer = answer};
            count++;
        }
    }
    return count;
}

confused_pair *eval_pairs(const res2net_evaluation *found, size_t *count)
{
    *count = found->confusion != NULL ? list_pairs(found, NULL) : 0;
    confused_pair *pairs = platform_allocate(*count, sizeof *pairs);
    if (*count > 0) {
        list_pairs(found, pairs);
        qsort(pairs, *count, sizeof *pairs, more_first);
    }
    return pairs;
}

int64_t eval_ran(const res2net_evaluation *found)
{
    int64_t ran = 0;
    for (int i = 0; i < RES2NET_CALIBRATION_BINS; i++)
        ran += found->calibration[i].images;
    return ran;
}
