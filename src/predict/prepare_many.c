/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many pictures at once, on the pool that the network runs on in its turn: while pictures are
 * decoded all threads decode, so no core rests and none has two threads to serve.
 */
#include "base/thread_pool.h"
#include "predict/session.h"
#include "res2net/evaluate.h"

typedef struct pictures {
    const res2net_session *session;
    const res2net_input *inputs;
    res2net_prepared *prepared;
} pictures;

static void prepare_one(void *context, size_t index)
{
    const pictures *all = context;
    const res2net_input *input = &all->inputs[index];
    res2net_prepared *out = &all->prepared[index];
    if (input->list != NULL)
        out->status = res2net_list_prepare(input->list, input->index, all->session, &out->tensor,
                                           out->report);
    else if (input->bytes != NULL)
        out->status = res2net_session_prepare(all->session, input->bytes, input->size, input->path,
                                              &out->tensor, out->report);
    else
        out->status =
            res2net_session_prepare_file(all->session, input->path, &out->tensor, out->report);
}

void res2net_session_prepare_many(const res2net_session *session, const res2net_input *inputs,
                                  size_t count, res2net_prepared *prepared)
{
    pictures all = {session, inputs, prepared};
    r2n_thread_pool_each(session->threads, count, prepare_one, &all);
}
