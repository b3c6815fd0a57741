/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program: its allocation number FAILING_MALLOC, from 1, fails, and with
 * FAILING_MALLOC_ON set all that come after it. At the end the number of allocations is written to
 * the file FAILING_MALLOC_COUNT, if that is set. glibc only. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEEN_BY_ALL __attribute__((visibility("default")))

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *block, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

static _Atomic int64_t allocations;
static int64_t fail_at;
static int fail_on;

__attribute__((constructor)) static void begin(void)
{
    const char *number = getenv("FAILING_MALLOC");
    fail_on = getenv("FAILING_MALLOC_ON") != NULL;
    atomic_store(&allocations, 0); /* those before main() are the loader's */
    fail_at = number == NULL ? 0 : strtoll(number, NULL, 10);
}

__attribute__((destructor)) static void end(void)
{
    char text[32];
    const char *path = getenv("FAILING_MALLOC_COUNT");
    const int file = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int bytes = snprintf(text, sizeof text, "%lld\n", (long long)atomic_load(&allocations));
    if (file >= 0 && write(file, text, (size_t)bytes) != bytes)
        _exit(99);
}

static int fails(void)
{
    const int64_t number = atomic_fetch_add(&allocations, 1) + 1;
    if (fail_at == 0 || (number != fail_at && !(fail_on && number > fail_at)))
        return 0;
    errno = ENOMEM;
    return 1;
}

SEEN_BY_ALL void *malloc(size_t bytes)
{
    return fails() ? NULL : __libc_malloc(bytes);
}

SEEN_BY_ALL void *calloc(size_t count, size_t bytes)
{
    return fails() ? NULL : __libc_calloc(count, bytes);
}

SEEN_BY_ALL void *realloc(void *block, size_t bytes)
{
    return fails() ? NULL : __libc_realloc(block, bytes);
}

SEEN_BY_ALL void *aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : __libc_memalign(alignment, bytes);
}

SEEN_BY_ALL int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    void *got = aligned_alloc(alignment, bytes);
    if (got == NULL)
        return ENOMEM;
    *block = got;
    return 0;
}
