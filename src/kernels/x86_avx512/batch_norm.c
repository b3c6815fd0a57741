/* SPDX-License-Identifier: Apache-2.0 */
/* f32: batch statistics and batch norm backwards. */
#include "kernels/x86_avx512/batch_norm.h"

r2n_kernel_function r2n_statistics_f32_avx512;
r2n_kernel_function r2n_norm_sums_f32_avx512;
r2n_kernel_function r2n_norm_gradient_f32_avx512;

static void statistics_row(const r2n_statistics_row *r)
{
    sum_statistics(r, 0);
}

static void norm_sums_row(const r2n_norm_sums_row *r)
{
    sum_gradients(r, 0);
}

static void norm_gradient_row(const r2n_norm_gradient_row *r)
{
    give_gradients(r, 0);
}

void r2n_statistics_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_statistics_walk(sizeof(float), statistics_row, arguments, block, range);
}

void r2n_norm_sums_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_norm_sums_walk(sizeof(float), norm_sums_row, arguments, block, range);
}

void r2n_norm_gradient_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_norm_gradient_walk(sizeof(float), norm_gradient_row, arguments, block, range);
}
