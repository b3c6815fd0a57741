/* SPDX-License-Identifier: Apache-2.0 */
/* The pickle reader's insides: a stack, a memo and marks. Only for the pickle_*.c files. */
#ifndef R2N_FORMATS_PICKLE_MACHINE_H
#define R2N_FORMATS_PICKLE_MACHINE_H

#include "formats/byte_cursor.h"
#include "formats/pickle_reader.h"

enum { R2N_PICKLE_CHUNK_VALUES = 128 };
/* A container with few items takes as much memory as one of so many more. */
enum { R2N_PICKLE_CONTAINER_ITEMS = 10 };

/* Values live in chunks, so that pointers to them stay. */
typedef struct r2n_pickle_chunk {
    struct r2n_pickle_chunk *previous;
    size_t used;
    r2n_pickle_value values[R2N_PICKLE_CHUNK_VALUES];
} r2n_pickle_chunk;

typedef struct r2n_pickle_block {
    struct r2n_pickle_block *previous;
    uint8_t bytes[];
} r2n_pickle_block;

struct r2n_pickle {
    r2n_pickle_chunk *chunks;
    r2n_pickle_block *blocks; /* decoded latin-1 */
    size_t block_bytes;
    size_t value_count;
    size_t item_count; /* of all containers together */
    const r2n_pickle_value **persistent;
    size_t persistent_count, persistent_capacity;
    size_t bytes;
    const r2n_pickle_value *root;
};

typedef struct r2n_pickle_machine {
    r2n_pickle *pickle;
    r2n_byte_cursor cursor;
    const char *file;
    int64_t base;
    res2net_report *report;
    const r2n_pickle_global *allowed;
    r2n_pickle_value **stack;
    size_t stack_count, stack_capacity;
    r2n_pickle_value **memo;
    size_t memo_count, memo_capacity;
    size_t *marks;
    size_t mark_count, mark_capacity;
    size_t opcode_at;
    int stopped;
} r2n_pickle_machine;

#define R2N_PICKLE_FAIL(m, status, ...)                                                            \
    r2n_fail((m)->report, status, (m)->file, (m)->base + (int64_t)(m)->opcode_at, __VA_ARGS__)

/* pickle_machine.c: failures that many opcodes share. */
res2net_status r2n_pickle_no_memory(r2n_pickle_machine *m);
res2net_status r2n_pickle_cut_off(r2n_pickle_machine *m);
res2net_status r2n_pickle_bad(r2n_pickle_machine *m, const char *what);

/* pickle_machine.c: values, stack, marks, memo. */
r2n_pickle_value *r2n_pickle_new(r2n_pickle_machine *m, r2n_pickle_kind kind);
res2net_status r2n_pickle_push(r2n_pickle_machine *m, r2n_pickle_value *value);
size_t r2n_pickle_available(const r2n_pickle_machine *m);
r2n_pickle_value *r2n_pickle_top(const r2n_pickle_machine *m, size_t below);
res2net_status r2n_pickle_put_mark(r2n_pickle_machine *m);
res2net_status r2n_pickle_take(r2n_pickle_machine *m, r2n_pickle_value *value, size_t count);
res2net_status r2n_pickle_push_tuple(r2n_pickle_machine *m, size_t count);
res2net_status r2n_pickle_add_items(r2n_pickle_machine *m, r2n_pickle_kind kind, int to_mark);
res2net_status r2n_pickle_memo_put(r2n_pickle_machine *m, uint64_t index);
res2net_status r2n_pickle_memo_get(r2n_pickle_machine *m, uint64_t index);

/* pickle_calls.c: the allow-list, and what listed pairs may do. */
res2net_status r2n_pickle_global_lines(r2n_pickle_machine *m);
res2net_status r2n_pickle_stack_global(r2n_pickle_machine *m);
res2net_status r2n_pickle_call(r2n_pickle_machine *m);
res2net_status r2n_pickle_build(r2n_pickle_machine *m);
res2net_status r2n_pickle_push_persistent(r2n_pickle_machine *m);

#endif
