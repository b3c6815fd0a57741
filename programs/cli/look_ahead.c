/* SPDX-License-Identifier: Apache-2.0 */
#include "look_ahead.h"

#include <stdlib.h>
#include <string.h>

#include "platform.h"

/* A thread has two pictures to decode, so that a large one does not hold up all; no more than 256
 * wait in memory (150 MB of 224x224). */
enum { PICTURES_A_THREAD = 2, MOST_PICTURES = 256 };

look_ahead look_ahead_begin(const inputs *all, const res2net_session *session, int32_t batch,
                            int threads)
{
    res2net_system system;
    res2net_system_describe(&system);
    size_t most = PICTURES_A_THREAD * (size_t)(threads > 0 ? threads : system.usable);
    most = most < (size_t)batch ? (size_t)batch : most;
    most = most < all->count ? most : all->count;
    most = most < MOST_PICTURES ? most : MOST_PICTURES;
    look_ahead ahead = {.all = all, .session = session, .most = most};
    if (most == 0)
        return ahead;
    ahead.wanted = platform_allocate(most, sizeof *ahead.wanted);
    ahead.prepared = platform_allocate(most, sizeof *ahead.prepared);
    for (size_t i = 0; i < most; i++)
        ahead.prepared[i].report = res2net_report_create();
    return ahead;
}

static void forget(look_ahead *ahead)
{
    for (size_t i = 0; i < ahead->count; i++) {
        res2net_tensor_free(&ahead->prepared[i].tensor);
        res2net_report_clear(ahead->prepared[i].report);
    }
    ahead->count = 0;
}

static int may_have_to_wait(const input *input)
{
    return (!input->in_list && strcmp(input->path, "-") == 0) ||
           platform_file_kind(input->path) == FILE_STREAM;
}

/* The inputs from `first` on, up to one that cannot be tried. Standard input and pipes are taken
 * alone when their turn comes: answers of those before them do not wait, and Ctrl-C ends the
 * waiting of this thread only. */
static void prepare_from(look_ahead *ahead, size_t first)
{
    int alone = 0;
    ahead->first = first;
    for (size_t i = first; i < ahead->all->count && ahead->count < ahead->most && !alone; i++) {
        const input *input = &ahead->all->items[i];
        if (input->error != NULL)
            break;
        alone = may_have_to_wait(input);
        if (alone && ahead->count > 0)
            break;
        ahead->wanted[ahead->count++] =
            input->in_list ? (res2net_input){.list = ahead->all->list, .index = input->index}
                           : (res2net_input){.path = input->path};
    }
    platform_let_signals_end_reads(1);
    res2net_session_prepare_many(ahead->session, ahead->wanted, ahead->count, ahead->prepared);
    platform_let_signals_end_reads(0);
}

res2net_prepared *look_ahead_take(look_ahead *ahead, size_t index)
{
    if (ahead->count == 0 || index >= ahead->first + ahead->count) {
        forget(ahead);
        prepare_from(ahead, index);
    }
    return &ahead->prepared[index - ahead->first];
}

void look_ahead_free(look_ahead *ahead)
{
    forget(ahead);
    for (size_t i = 0; i < ahead->most; i++)
        res2net_report_destroy(ahead->prepared[i].report);
    free(ahead->wanted);
    free(ahead->prepared);
    *ahead = (look_ahead){0};
}
