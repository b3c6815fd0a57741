/* SPDX-License-Identifier: Apache-2.0 */
/* Memory between two pages that nobody may touch: one step too far ends the program. */
#ifndef R2N_KERNELCHECK_GUARD_H
#define R2N_KERNELCHECK_GUARD_H

#include <stddef.h>

typedef struct guarded {
    void *data;
    void *mapping;
    size_t mapping_bytes;
} guarded;

/* `bytes` bytes, ending at the end of a page, or beginning at its start (`at_start`). Aligned as
 * far as their size allows. Ends the program when memory cannot be had. */
guarded guard_allocate(size_t bytes, int at_start);
void guard_release(guarded *g);

#endif
