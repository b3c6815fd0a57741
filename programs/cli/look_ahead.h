/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures are prepared ahead, several at once on all threads, and taken in the inputs' order. */
#ifndef CLI_LOOK_AHEAD_H
#define CLI_LOOK_AHEAD_H

#include "inputs.h"
#include "res2net/res2net.h"

typedef struct look_ahead {
    const inputs *all;
    const res2net_session *session;
    size_t most;         /* inputs at once */
    size_t first, count; /* the inputs that are prepared now */
    res2net_input *wanted;
    res2net_prepared *prepared;
} look_ahead;

/* `batch` pictures run together on `threads` threads (0: all). */
look_ahead look_ahead_begin(const inputs *all, const res2net_session *session, int32_t batch,
                            int threads);

/* What became of input `index`, which has no error; it and those behind it are prepared where that
 * is not done yet. Valid until the next call; the tensor may be freed before. */
res2net_prepared *look_ahead_take(look_ahead *ahead, size_t index);

void look_ahead_free(look_ahead *ahead);

#endif
