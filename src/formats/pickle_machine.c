/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/pickle_machine.h"

#include <string.h>

#include "base/memory.h"

enum {
    /* A training checkpoint of the largest network needs some 1 << 16 values. More would let a
     * small file ask for much memory. */
    MAXIMUM_VALUES = 1 << 18,
    MAXIMUM_ITEMS = 1 << 20, /* of all containers together */
    MAXIMUM_STACK = 1 << 18, /* picklers put at most 1000 items between marks */
    MAXIMUM_MARKS = 1000     /* nesting; Python's own pickler stops near 1000 too */
};

res2net_status r2n_pickle_no_memory(r2n_pickle_machine *m)
{
    return R2N_PICKLE_FAIL(m, RES2NET_OUT_OF_MEMORY, "no memory to read the pickle");
}

res2net_status r2n_pickle_cut_off(r2n_pickle_machine *m)
{
    return R2N_PICKLE_FAIL(
        m, RES2NET_DAMAGED,
        "the pickle ends in the middle of an item: the file is cut off; fetch it again");
}

res2net_status r2n_pickle_bad(r2n_pickle_machine *m, const char *what)
{
    return R2N_PICKLE_FAIL(m, RES2NET_DAMAGED, "pickle: %s", what);
}

/* ---- values, stack, marks ------------------------------------------------------------------ */

r2n_pickle_value *r2n_pickle_new(r2n_pickle_machine *m, r2n_pickle_kind kind)
{
    r2n_pickle *pickle = m->pickle;
    if (pickle->chunks == NULL || pickle->chunks->used == R2N_PICKLE_CHUNK_VALUES) {
        r2n_pickle_chunk *fresh = r2n_allocate(1, sizeof *fresh);
        if (fresh == NULL)
            return NULL;
        fresh->previous = pickle->chunks;
        fresh->used = 0;
        pickle->chunks = fresh;
    }
    r2n_pickle_value *value = &pickle->chunks->values[pickle->chunks->used++];
    memset(value, 0, sizeof *value);
    value->kind = kind;
    value->offset = m->base + (int64_t)m->opcode_at;
    pickle->value_count++;
    return value;
}

res2net_status r2n_pickle_push(r2n_pickle_machine *m, r2n_pickle_value *value)
{
    if (value == NULL)
        return r2n_pickle_no_memory(m);
    if (m->pickle->value_count > MAXIMUM_VALUES || m->stack_count >= MAXIMUM_STACK ||
        m->pickle->item_count > MAXIMUM_ITEMS)
        return R2N_PICKLE_FAIL(m, RES2NET_LIMIT_EXCEEDED, "pickle: more values than the limit");
    if (!r2n_grow((void **)&m->stack, &m->stack_capacity, m->stack_count + 1, sizeof *m->stack))
        return r2n_pickle_no_memory(m);
    m->stack[m->stack_count++] = value;
    return RES2NET_OK;
}

/* Values above the newest mark: pops never go below it. */
size_t r2n_pickle_available(const r2n_pickle_machine *m)
{
    return m->stack_count - (m->mark_count > 0 ? m->marks[m->mark_count - 1] : 0);
}

r2n_pickle_value *r2n_pickle_top(const r2n_pickle_machine *m, size_t below)
{
    return r2n_pickle_available(m) > below ? m->stack[m->stack_count - 1 - below] : NULL;
}

res2net_status r2n_pickle_put_mark(r2n_pickle_machine *m)
{
    if (m->mark_count >= MAXIMUM_MARKS)
        return R2N_PICKLE_FAIL(m, RES2NET_LIMIT_EXCEEDED, "pickle: nested deeper than %d",
                               (int)MAXIMUM_MARKS);
    if (!r2n_grow((void **)&m->marks, &m->mark_capacity, m->mark_count + 1, sizeof *m->marks))
        return r2n_pickle_no_memory(m);
    m->marks[m->mark_count++] = m->stack_count;
    return RES2NET_OK;
}

/* Adds the `count` newest values of the stack to `value` and takes them off. */
res2net_status r2n_pickle_take(r2n_pickle_machine *m, r2n_pickle_value *value, size_t count)
{
    const int is_first = value != NULL && value->capacity == 0;
    m->pickle->item_count += count + (is_first ? (size_t)R2N_PICKLE_CONTAINER_ITEMS : 0);
    if (m->pickle->item_count > MAXIMUM_ITEMS)
        return R2N_PICKLE_FAIL(m, RES2NET_LIMIT_EXCEEDED, "pickle: more items than the limit");
    if (value == NULL || !r2n_grow((void **)&value->items, &value->capacity, value->count + count,
                                   sizeof *value->items))
        return r2n_pickle_no_memory(m);
    m->stack_count -= count;
    for (size_t i = 0; i < count; i++)
        value->items[value->count++] = m->stack[m->stack_count + i];
    return RES2NET_OK;
}

res2net_status r2n_pickle_push_tuple(r2n_pickle_machine *m, size_t count)
{
    if (r2n_pickle_available(m) < count)
        return r2n_pickle_bad(m, "a tuple of more values than there are");
    r2n_pickle_value *tuple = r2n_pickle_new(m, R2N_PICKLE_TUPLE);
    const res2net_status status = r2n_pickle_take(m, tuple, count);
    return status == RES2NET_OK ? r2n_pickle_push(m, tuple) : status;
}

res2net_status r2n_pickle_add_items(r2n_pickle_machine *m, r2n_pickle_kind kind, int to_mark)
{
    size_t count = kind == R2N_PICKLE_DICT ? 2 : 1;
    if (to_mark) {
        if (m->mark_count == 0)
            return r2n_pickle_bad(m, "items without a mark");
        count = r2n_pickle_available(m);
        m->mark_count--;
    }
    r2n_pickle_value *target = r2n_pickle_top(m, count);
    if (target == NULL || target->kind != kind || (kind == R2N_PICKLE_DICT && count % 2 != 0))
        return r2n_pickle_bad(m, kind == R2N_PICKLE_DICT ? "pairs for something that is no dict"
                                                         : "items for something that is no list");
    return r2n_pickle_take(m, target, count);
}

/* ---- memo ---------------------------------------------------------------------------------- */

/* Python 2 numbers the memo from 1, and tools that make pickles smaller leave gaps. */
res2net_status r2n_pickle_memo_put(r2n_pickle_machine *m, uint64_t index)
{
    r2n_pickle_value *value = r2n_pickle_top(m, 0);
    if (value == NULL)
        return r2n_pickle_bad(m, "a memo entry of nothing");
    if (index >= MAXIMUM_VALUES)
        return R2N_PICKLE_FAIL(m, RES2NET_LIMIT_EXCEEDED, "pickle: a memo over the limit");
    if (!r2n_grow((void **)&m->memo, &m->memo_capacity, (size_t)index + 1, sizeof *m->memo))
        return r2n_pickle_no_memory(m);
    while (m->memo_count <= index)
        m->memo[m->memo_count++] = NULL;
    m->memo[index] = value;
    return RES2NET_OK;
}

res2net_status r2n_pickle_memo_get(r2n_pickle_machine *m, uint64_t index)
{
    if (index >= m->memo_count || m->memo[index] == NULL)
        return r2n_pickle_bad(m, "a memo entry that was never put");
    return r2n_pickle_push(m, m->memo[index]);
}
