/* SPDX-License-Identifier: Apache-2.0 */
/* What a placement's steps are, for people. */
#include "plan/placement_internal.h"

#include <stdio.h>
#include <string.h>

int32_t r2n_placement_step_count(const r2n_placement *placement)
{
    return placement->plan->step_count;
}

static void describe_shape(const r2n_placement *placement, const r2n_step *step,
                           const r2n_placed_step *placed, char *text, size_t size)
{
    const r2n_shape out = placement->shapes[step->result];
    if (step->winograd) {
        snprintf(text, size, "%dx%dx%dx%d, winograd, K %d", placement->batch, out.rows, out.columns,
                 out.channels, placed->arguments.winograd.input_channels * R2N_WINOGRAD_ROWS);
    } else if (step->operation == R2N_OPERATION_GEMM) {
        const r2n_gemm_arguments *gemm = &placed->arguments.gemm;
        snprintf(text, size, "%dx%dx%dx%d, K %d, %d sources", placement->batch, out.rows,
                 out.columns, out.channels, gemm->k_total, gemm->source_count);
    } else if (step->operation == R2N_OPERATION_POOL) {
        const r2n_pool_arguments *pool = &placed->arguments.pool;
        snprintf(text, size, "%dx%dx%dx%d, %s %dx%d / %d", placement->batch, out.rows, out.columns,
                 out.channels, pool->kind == R2N_POOL_MAXIMUM ? "maximum" : "average",
                 pool->kernel_rows, pool->kernel_columns, pool->stride);
    } else {
        snprintf(text, size, "%dx%dx%dx%d", placement->batch, out.rows, out.columns, out.channels);
    }
}

void r2n_placement_describe(const r2n_placement *placement, int32_t step, r2n_step_facts *facts)
{
    const r2n_plan *plan = placement->plan;
    const r2n_placed_step *placed = &placement->steps[step];
    *facts = (r2n_step_facts){
        .name = plan->steps[step].name, .kernel = placed->kernel->name, .macs = placed->macs};
    describe_shape(placement, &plan->steps[step], placed, facts->shape, sizeof facts->shape);
    r2n_choose_kernel(r2n_step_operation(&plan->steps[step]), plan->precision, plan->isa,
                      &placed->arguments, facts->refused, sizeof facts->refused);
}
