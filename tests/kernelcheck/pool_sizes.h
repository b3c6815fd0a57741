/* SPDX-License-Identifier: Apache-2.0 */
/* Random sizes of pools: kinds, windows, strides, padding, windows that hang over, global ones. */
#ifndef R2N_KERNELCHECK_POOL_SIZES_H
#define R2N_KERNELCHECK_POOL_SIZES_H

#include "kernelcheck/random.h"
#include "kernels/kernels.h"

/* All of a pool but its views and scale. */
void make_pool_sizes(r2n_pool_arguments *pool, random_state *random);

#endif
