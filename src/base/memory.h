/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only door to the heap. Every block is aligned to 64 bytes (one cache line, one ZMM register),
 * every size is checked for overflow, and a test can make the n-th allocation fail.
 */
#ifndef R2N_BASE_MEMORY_H
#define R2N_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

enum { R2N_ALIGNMENT = 64 };

/* count * element_bytes bytes, uninitialised; NULL when that overflows or memory could not be had.
 * A size of zero gives a valid block. */
void *r2n_allocate(size_t count, size_t element_bytes);
void *r2n_allocate_zeroed(size_t count, size_t element_bytes);
void r2n_free(void *block); /* NULL is allowed */

/* A copy of `text` (NULL when memory could not be had). */
char *r2n_copy_string(const char *text);
/* A NUL-terminated copy of `bytes` bytes. */
char *r2n_copy_bytes(const void *data, size_t bytes);

/* Grows an array kept as {*array, *capacity} so that it holds `needed` elements; the old elements
 * are kept. Returns 0 on failure, the array then being unchanged. */
int r2n_grow(void **array, size_t *capacity, size_t needed, size_t element_bytes);

/* *product = a * b; returns 0 when it overflows. */
int r2n_multiply_checked(size_t a, size_t b, size_t *product);

/* Tests: the allocation after `successes` more ones fails, once; -1 switches it off. */
void r2n_memory_fail_after(int64_t successes);
/* Tests: allocations made so far in this process. */
int64_t r2n_memory_allocations(void);

#endif
