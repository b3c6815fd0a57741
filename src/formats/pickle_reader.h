/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Python pickles, protocols 2 to 5, as data: nothing is ever imported or executed.
 *
 * Opcodes outside a short list are refused, and so is every (module, name) pair that the caller did
 * not list. A call in the pickle becomes a value that says which listed pair was called with what.
 * Depth, counts and the memo are capped. Values may share parts and a hostile file may even make a
 * list its own element: look at fixed shapes only, never walk without a bound.
 */
#ifndef R2N_FORMATS_PICKLE_READER_H
#define R2N_FORMATS_PICKLE_READER_H

#include "base/report.h"

typedef enum r2n_pickle_kind {
    R2N_PICKLE_NONE,
    R2N_PICKLE_BOOL,
    R2N_PICKLE_INTEGER,
    R2N_PICKLE_FLOAT,
    R2N_PICKLE_TEXT,       /* valid UTF-8 */
    R2N_PICKLE_BYTES,      /* also Python 2's str */
    R2N_PICKLE_TUPLE,      /* items */
    R2N_PICKLE_LIST,       /* items; also a set */
    R2N_PICKLE_DICT,       /* items: key, value, key, value, ... */
    R2N_PICKLE_GLOBAL,     /* a listed pair */
    R2N_PICKLE_CALL,       /* global; items[0] = tuple of arguments, items[1] = state or NULL */
    R2N_PICKLE_PERSISTENT, /* items[0] = the id */
    R2N_PICKLE_HUGE        /* an integer beyond 64 bits: its value is not kept */
} r2n_pickle_kind;

/* What a listed pair may do. */
typedef enum r2n_pickle_role {
    R2N_PICKLE_ROLE_MARKER, /* be mentioned: a storage type */
    R2N_PICKLE_ROLE_CALL,   /* be called or built: gives a CALL */
    R2N_PICKLE_ROLE_DICT,   /* be called with nothing or a list of pairs: gives a DICT */
    R2N_PICKLE_ROLE_TUPLE,  /* be called with one tuple: gives that tuple (builtins.tuple) */
    R2N_PICKLE_ROLE_LATIN1  /* be called with (text, 'latin1'): gives BYTES (_codecs.encode) */
} r2n_pickle_role;

/* A list ends with a row whose module is NULL. */
typedef struct r2n_pickle_global {
    const char *module, *name;
    r2n_pickle_role role;
    int id; /* the caller's number */
} r2n_pickle_global;

typedef struct r2n_pickle_value {
    r2n_pickle_kind kind;
    int64_t offset;       /* where in the pickle it was made */
    int64_t integer;      /* INTEGER, BOOL */
    double number;        /* FLOAT */
    const uint8_t *bytes; /* TEXT, BYTES: into the pickle or the reader's block */
    size_t size;
    const r2n_pickle_global *global;       /* GLOBAL, CALL */
    const struct r2n_pickle_value **items; /* see above */
    size_t count, capacity;                /* a DICT has count / 2 pairs */
} r2n_pickle_value;

typedef struct r2n_pickle r2n_pickle;

/* Reads one pickle from the start of `data`. DAMAGED, UNSUPPORTED (an opcode or pair that is not
 * listed), LIMIT_EXCEEDED, OUT_OF_MEMORY. The data must outlive the result. `base` is the place of
 * the pickle in the file, for messages. */
res2net_status r2n_pickle_parse(const void *data, size_t size, const char *file, int64_t base,
                                const r2n_pickle_global *allowed, r2n_pickle **out,
                                res2net_report *report);
void r2n_pickle_destroy(r2n_pickle *pickle); /* NULL is allowed */
const r2n_pickle_value *r2n_pickle_root(const r2n_pickle *pickle);
/* The bytes up to and with its last opcode: another pickle may follow. */
size_t r2n_pickle_bytes(const r2n_pickle *pickle);
/* Every PERSISTENT value, in the order of the pickle. */
const r2n_pickle_value *const *r2n_pickle_persistent(const r2n_pickle *pickle, size_t *count);

/* The value of the text key `key` of a DICT, NULL where there is none. The last one wins, as in
 * Python. */
const r2n_pickle_value *r2n_pickle_member(const r2n_pickle_value *dict, const char *key);
/* 1 where the value is TEXT or BYTES equal to `text`. */
int r2n_pickle_is_text(const r2n_pickle_value *value, const char *text);
/* "a tuple", "None": for messages. */
const char *r2n_pickle_kind_name(r2n_pickle_kind kind);

#endif
