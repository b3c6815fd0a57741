/* SPDX-License-Identifier: Apache-2.0 */
/* f32: elementwise steps. */
#include "kernels/x86_avx512/elementwise.h"

r2n_kernel_function r2n_elementwise_f32_avx512;

static void elementwise_row(const r2n_elementwise_row *r)
{
    compute_row(r, 0);
}

void r2n_elementwise_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_elementwise_walk(sizeof(float), elementwise_row, arguments, block, range);
}
