/* SPDX-License-Identifier: Apache-2.0 */
/* bf16: batch statistics and batch norm backwards. */
#include "kernels/x86_avx512/batch_norm.h"

r2n_kernel_function r2n_statistics_bf16_avx512;
r2n_kernel_function r2n_norm_sums_bf16_avx512;
r2n_kernel_function r2n_norm_gradient_bf16_avx512;

static void statistics_row(const r2n_statistics_row *r)
{
    sum_statistics(r, 1);
}

static void norm_sums_row(const r2n_norm_sums_row *r)
{
    sum_gradients(r, 1);
}

static void norm_gradient_row(const r2n_norm_gradient_row *r)
{
    give_gradients(r, 1);
}

void r2n_statistics_bf16_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_statistics_walk(sizeof(uint16_t), statistics_row, arguments, block, range);
}

void r2n_norm_sums_bf16_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_norm_sums_walk(sizeof(uint16_t), norm_sums_row, arguments, block, range);
}

void r2n_norm_gradient_bf16_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_norm_gradient_walk(sizeof(uint16_t), norm_gradient_row, arguments, block, range);
}
