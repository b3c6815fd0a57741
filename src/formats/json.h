/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259), read strictly: no comments, no trailing commas, no NaN, no duplicate keys, UTF-8
 * checked, numbers finite, depth and counts capped. Nothing recurses.
 */
#ifndef R2N_FORMATS_JSON_H
#define R2N_FORMATS_JSON_H

#include "base/report.h"

enum { R2N_JSON_MAXIMUM_DEPTH = 64 };

typedef enum r2n_json_kind {
    R2N_JSON_NULL,
    R2N_JSON_FALSE,
    R2N_JSON_TRUE,
    R2N_JSON_NUMBER,
    R2N_JSON_STRING,
    R2N_JSON_ARRAY,
    R2N_JSON_OBJECT
} r2n_json_kind;

typedef struct r2n_json_value {
    r2n_json_kind kind;
    const char *key;  /* of a member of an object, else NULL; NUL-terminated, no NUL inside */
    const char *text; /* STRING: decoded; NUMBER: as written. NUL-terminated */
    size_t length;    /* of text */
    double number;    /* NUMBER: finite */
    size_t count;     /* ARRAY, OBJECT: children */
    const struct r2n_json_value *first, *next; /* first child; next in the same parent */
    size_t start, end;                         /* the value's own bytes in the source */
} r2n_json_value;

typedef struct r2n_json r2n_json;

/* Reads a whole text. `file` and `base` (the place of the text in the file) are for messages.
 * DAMAGED, LIMIT_EXCEEDED, OUT_OF_MEMORY. */
res2net_status r2n_json_parse(const void *text, size_t size, const char *file, int64_t base,
                              r2n_json **out, res2net_report *report);
void r2n_json_destroy(r2n_json *document); /* NULL is allowed */
const r2n_json_value *r2n_json_root(const r2n_json *document);

/* The member `key` of an object; NULL where there is none or `object` is none. */
const r2n_json_value *r2n_json_member(const r2n_json_value *object, const char *key);
/* 1 and the exact number where the value is an integer (no point, no exponent) that fits. */
int r2n_json_integer(const r2n_json_value *value, int64_t *number);
/* "an object", "a string": for messages. */
const char *r2n_json_kind_name(r2n_json_kind kind);

#endif
