/* SPDX-License-Identifier: Apache-2.0 */
/* Names of a file to numbers: gathered first, sorted once, then looked up. No hashing, so that no
 * choice of names is slow. Names stay where they are in the file. */
#ifndef R2N_IMPORT_NAME_TABLE_H
#define R2N_IMPORT_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct r2n_name {
    const uint8_t *bytes;
    size_t size;
} r2n_name;

/* A plain file name in the model's own folder: a model must not look at any other file. */
int r2n_name_is_plain(const r2n_name *name);

typedef struct r2n_name_table {
    r2n_name *names;
    int32_t *values; /* what the reader keeps for each, -1 at first */
    size_t count, capacity;
} r2n_name_table;

enum { R2N_MAXIMUM_NAMES = 1 << 18 };

int r2n_name_table_add(r2n_name_table *table, const uint8_t *bytes, size_t size); /* 0: no memory */
int r2n_name_table_finish(r2n_name_table *table); /* sorts, drops doubles; 0: no memory */
/* Where the name's value is, or NULL. */
int32_t *r2n_name_table_find(const r2n_name_table *table, const uint8_t *bytes, size_t size);
void r2n_name_table_free(r2n_name_table *table);

int r2n_name_compare(const void *a, const void *b); /* of two r2n_name, by bytes */

#endif
