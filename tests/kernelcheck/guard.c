/* SPDX-License-Identifier: Apache-2.0 */
#include "kernelcheck/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

guarded guard_allocate(size_t bytes, int at_start)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inside = (bytes + page - 1) / page * page;
    guarded g = {.mapping_bytes = inside + 2 * page};
    g.mapping = mmap(NULL, g.mapping_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.mapping == MAP_FAILED ||
        (inside > 0 && mprotect((char *)g.mapping + page, inside, PROT_READ | PROT_WRITE) != 0)) {
        fprintf(stderr, "kernelcheck: no memory for a buffer between guard pages\n");
        exit(3);
    }
    g.data = (char *)g.mapping + page + (at_start ? 0 : inside - bytes);
    return g;
}

void guard_release(guarded *g)
{
    munmap(g->mapping, g->mapping_bytes);
    g->data = g->mapping = NULL;
}
