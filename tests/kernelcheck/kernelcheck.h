/* SPDX-License-Identifier: Apache-2.0 */
#ifndef R2N_KERNELCHECK_H
#define R2N_KERNELCHECK_H

#include <stdint.h>

#include "kernels/kernels.h"

typedef struct options {
    r2n_isa isa; /* ceiling */
    uint64_t seed;
    const char *filter; /* part of a kernel's name (check, list) or of a shape's (bench), or NULL */
} options;

/* The kernels of x86_amx/ on emulated tiles; on x86-64 only. */
extern const r2n_kernel emulated_kernels[];
extern const size_t emulated_kernel_count;
/* Their ceilings' loops: 1 where these count so many operations as they do. */
int emulated_ceilings_count(int64_t rounds);
/* The library's kernels, and behind them those. */
size_t checked_kernel_count(void);
const r2n_kernel *checked_kernel(size_t index);

/* What a kernel needs is there and below the ceiling. */
int kernel_is_usable(const r2n_kernel *kernel, const options *o);

/* Each returns the program's exit status. */
int run_check(const options *o);
int run_grad(const options *o);
int run_bench(const options *o);
int run_list(const options *o);

#endif
