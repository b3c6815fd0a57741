/* SPDX-License-Identifier: Apache-2.0 */
/* f32: gradients of pools. */
#include "kernels/x86_avx512/pool_gradient.h"

r2n_kernel_function r2n_pool_gradient_f32_avx512;

static void maximum(const r2n_pool_gradient_window *w)
{
    give_winners(w, 0);
}

static void average(const r2n_pool_gradient_window *w)
{
    give_shares(w, 0);
}

void r2n_pool_gradient_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_gradient_walk(sizeof(float), maximum, average, arguments, block, range);
}
