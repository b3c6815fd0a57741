/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A parsed YAML document and typed reads from it, with errors that name file, line and column.
 *
 * libyaml's document keeps an alias as a reference to the node of its anchor, never as a copy, and
 * what is read from it has a fixed depth: nested aliases cannot blow up.
 */
#ifndef R2N_FORMATS_YAML_READER_H
#define R2N_FORMATS_YAML_READER_H

#ifdef R2N_HAVE_YAML

#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "base/report.h"

typedef struct r2n_yaml {
    yaml_document_t document;
    const char *name;
    res2net_report *report;
    const char *const *overrides; /* yaml_override.c's, for messages */
} r2n_yaml;

/* Exactly one document of at most 256 KiB. `what` is expected here, for messages: "a list of
 * transforms". On failure there is nothing to close. */
res2net_status r2n_yaml_open(const char *text, size_t size, const char *what, const char *name,
                             r2n_yaml *yaml, res2net_report *report);
void r2n_yaml_close(r2n_yaml *yaml);

/* Where a node begins in the file, from 1; -1 where an override put it. */
typedef struct r2n_yaml_place {
    int64_t line, column;
} r2n_yaml_place;
r2n_yaml_place r2n_yaml_place_of(const yaml_node_t *node);

/* What an override put into the document has this index in its mark, and in the mark's line which
 * override that was. */
#define R2N_YAML_OVERRIDDEN SIZE_MAX

/* Reports at the node's line and column, or with the override that put it there. */
res2net_status r2n_yaml_fail(const r2n_yaml *yaml, const yaml_node_t *node, res2net_status status,
                             const char *format, ...) RES2NET_PRINTF(4, 5);

/* A scalar's text for messages, cut and without control characters: `text` holds it. */
enum { R2N_YAML_EXCERPT = 64 };
const char *r2n_yaml_excerpt(const yaml_node_t *node, char text[R2N_YAML_EXCERPT]);

yaml_node_t *r2n_yaml_node(const r2n_yaml *yaml, int index);
int r2n_yaml_is_null(const yaml_node_t *node); /* absent, null, ~ or nothing */
int r2n_yaml_is(const yaml_node_t *node, const char *text);
/* The value of `key` in a mapping; NULL where it is absent or null. */
yaml_node_t *r2n_yaml_find(const r2n_yaml *yaml, const yaml_node_t *mapping, const char *key);
/* Every key is one of `keys` (at most 64, NULL at the end) and none comes twice; else
 * INVALID_ARGUMENT with the nearest known key. `what` names the mapping. */
res2net_status r2n_yaml_check_keys(const r2n_yaml *yaml, const yaml_node_t *mapping,
                                   const char *what, const char *const *keys);

/* Typed scalars; `what` is for messages. */
res2net_status r2n_yaml_integer(const r2n_yaml *yaml, const yaml_node_t *node, const char *what,
                                int32_t minimum, int32_t maximum, int32_t *value);
int r2n_yaml_is_boolean(const yaml_node_t *node, int *value); /* 1 when it is one */
res2net_status r2n_yaml_boolean(const r2n_yaml *yaml, const yaml_node_t *node, const char *what,
                                int *value);
/* A number, or with `quotient` also "a/b", which is divided in double. */
res2net_status r2n_yaml_number(const r2n_yaml *yaml, const yaml_node_t *node, const char *what,
                               int quotient, double *value);
/* One of `choices` (NULL at the end), upper or lower case. */
res2net_status r2n_yaml_choice(const r2n_yaml *yaml, const yaml_node_t *node, const char *what,
                               const char *const *choices, int *index);

/* The nearest of `choices` for a "did you mean", or NULL. */
const char *r2n_yaml_nearest(const yaml_node_t *node, const char *const *choices);

#endif
#endif
