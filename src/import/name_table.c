/* SPDX-License-Identifier: Apache-2.0 */
#include "import/name_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

int r2n_name_compare(const void *a, const void *b)
{
    const r2n_name *x = a, *y = b;
    const size_t shorter = x->size < y->size ? x->size : y->size;
    const int order = shorter == 0 ? 0 : memcmp(x->bytes, y->bytes, shorter);
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

int r2n_name_is_plain(const r2n_name *name)
{
    if (name->size == 0 || name->size > 255 || name->bytes[0] == '.')
        return 0;
    for (size_t i = 0; i < name->size; i++)
        if (name->bytes[i] < 0x20 || name->bytes[i] == '/' || name->bytes[i] == '\\')
            return 0;
    return 1;
}

int r2n_name_table_add(r2n_name_table *table, const uint8_t *bytes, size_t size)
{
    if (table->count >= R2N_MAXIMUM_NAMES ||
        !r2n_grow((void **)&table->names, &table->capacity, table->count + 1, sizeof *table->names))
        return 0;
    table->names[table->count++] = (r2n_name){bytes, size};
    return 1;
}

int r2n_name_table_finish(r2n_name_table *table)
{
    size_t kept = 0;
    if (table->count > 0)
        qsort(table->names, table->count, sizeof *table->names, r2n_name_compare);
    for (size_t i = 0; i < table->count; i++)
        if (i == 0 || r2n_name_compare(&table->names[i], &table->names[kept - 1]) != 0)
            table->names[kept++] = table->names[i];
    table->count = kept;
    table->values = r2n_allocate(kept, sizeof *table->values);
    for (size_t i = 0; table->values != NULL && i < kept; i++)
        table->values[i] = -1;
    return table->values != NULL;
}

int32_t *r2n_name_table_find(const r2n_name_table *table, const uint8_t *bytes, size_t size)
{
    const r2n_name wanted = {bytes, size};
    const r2n_name *found = table->count == 0 ? NULL
                                              : bsearch(&wanted, table->names, table->count,
                                                        sizeof wanted, r2n_name_compare);
    return found == NULL ? NULL : &table->values[found - table->names];
}

void r2n_name_table_free(r2n_name_table *table)
{
    r2n_free(table->names);
    r2n_free(table->values);
    *table = (r2n_name_table){0};
}
