/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

/* Blocks from this size on stand at a multiple of a large page and ask for such pages: one entry of
 * the address cache then serves what 512 did, which is felt where weights stream by. */
enum { LARGE_PAGE = 1 << 21, LARGE_BLOCK = 2 * LARGE_PAGE };

static _Atomic int64_t allocations;
static _Atomic int64_t fail_at = -1; /* number of the allocation that fails */

void r2n_memory_fail_after(int64_t successes)
{
    atomic_store(&fail_at, successes < 0 ? -1 : atomic_load(&allocations) + successes);
}

int64_t r2n_memory_allocations(void)
{
    return atomic_load(&allocations);
}

int r2n_multiply_checked(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

void *r2n_allocate(size_t count, size_t element_bytes)
{
    size_t bytes;
    const int64_t number = atomic_fetch_add(&allocations, 1);
    if (number == atomic_load(&fail_at))
        return NULL;
    if (!r2n_multiply_checked(count, element_bytes, &bytes) || bytes > SIZE_MAX - LARGE_PAGE)
        return NULL;
    if (bytes >= LARGE_BLOCK) {
        void *block = aligned_alloc(LARGE_PAGE, (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE);
        if (block != NULL)
            r2n_os_prefer_large_pages(block, bytes / LARGE_PAGE * LARGE_PAGE);
        return block;
    }
    bytes = (bytes + R2N_ALIGNMENT - 1) / R2N_ALIGNMENT * R2N_ALIGNMENT;
    return aligned_alloc(R2N_ALIGNMENT, bytes == 0 ? R2N_ALIGNMENT : bytes);
}

void *r2n_allocate_zeroed(size_t count, size_t element_bytes)
{
    void *block = r2n_allocate(count, element_bytes);
    if (block != NULL)
        memset(block, 0, count * element_bytes);
    return block;
}

void r2n_free(void *block)
{
    free(block);
}

char *r2n_copy_bytes(const void *data, size_t bytes)
{
    if (bytes == SIZE_MAX)
        return NULL;
    char *copy = r2n_allocate(bytes + 1, 1);
    if (copy != NULL) {
        if (bytes > 0)
            memcpy(copy, data, bytes);
        copy[bytes] = '\0';
    }
    return copy;
}

char *r2n_copy_string(const char *text)
{
    return r2n_copy_bytes(text, strlen(text));
}

int r2n_grow(void **array, size_t *capacity, size_t needed, size_t element_bytes)
{
    if (needed <= *capacity)
        return 1;
    size_t wanted = *capacity < 8 ? 8 : *capacity;
    while (wanted < needed) {
        if (wanted > SIZE_MAX / 2)
            return 0;
        wanted *= 2;
    }
    void *grown = r2n_allocate(wanted, element_bytes);
    if (grown == NULL)
        return 0;
    if (*capacity > 0)
        memcpy(grown, *array, *capacity * element_bytes);
    r2n_free(*array);
    *array = grown;
    *capacity = wanted;
    return 1;
}
