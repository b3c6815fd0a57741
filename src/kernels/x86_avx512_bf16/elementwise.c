/* SPDX-License-Identifier: Apache-2.0 */
/* bf16: elementwise steps. */
#include "kernels/x86_avx512/elementwise.h"

r2n_kernel_function r2n_elementwise_bf16_avx512;

static void elementwise_row(const r2n_elementwise_row *r)
{
    compute_row(r, 1);
}

void r2n_elementwise_bf16_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_elementwise_walk(sizeof(uint16_t), elementwise_row, arguments, block, range);
}
