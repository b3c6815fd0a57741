/* SPDX-License-Identifier: Apache-2.0 */
/* Which classes are taken for which, and other sums of an evaluation that several files show. */
#ifndef CLI_EVAL_PAIRS_H
#define CLI_EVAL_PAIRS_H

#include <stddef.h>

#include "res2net/res2net.h"

enum { EVAL_SHOWN_PAIRS = 10 }; /* on standard output; the report's table has all */

typedef struct confused_pair {
    int64_t images;
    int32_t label, answer; /* never the same */
} confused_pair;

/* All pairs that occur, the most frequent first, then by label and answer; the caller's (free).
 * None where there are too many classes for a confusion matrix. */
confused_pair *eval_pairs(const res2net_evaluation *found, size_t *count);

/* Pictures that were not unreadable. */
int64_t eval_ran(const res2net_evaluation *found);

#endif
