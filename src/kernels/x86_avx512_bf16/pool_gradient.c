/* SPDX-License-Identifier: Apache-2.0 */
/* bf16: gradients of pools. */
#include "kernels/x86_avx512/pool_gradient.h"

r2n_kernel_function r2n_pool_gradient_bf16_avx512;

static void maximum(const r2n_pool_gradient_window *w)
{
    give_winners(w, 1);
}

static void average(const r2n_pool_gradient_window *w)
{
    give_shares(w, 1);
}

void r2n_pool_gradient_bf16_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_gradient_walk(sizeof(uint16_t), maximum, average, arguments, block, range);
}
