/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/plan_internal.h"

#include "base/memory.h"

res2net_status r2n_plan_create(const r2n_graph *graph, const r2n_tensor_set *weights,
                               r2n_plan_mode mode, r2n_precision precision, r2n_isa isa,
                               r2n_plan **out, res2net_report *report)
{
    *out = NULL;
    r2n_plan *plan = r2n_allocate_zeroed(1, sizeof *plan);
    if (plan == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the plan");
    plan->graph = graph;
    plan->mode = mode;
    plan->precision = precision;
    plan->isa = isa;
    res2net_status status = r2n_plan_fuse(plan, report);
    if (status == RES2NET_OK)
        status = r2n_plan_assign_storage(plan, report);
    if (status == RES2NET_OK)
        status = r2n_plan_check_precision(plan, weights, report);
    if (status == RES2NET_OK)
        status = r2n_plan_set_numbers(plan, weights, report);
    if (status != RES2NET_OK) {
        r2n_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return RES2NET_OK;
}

void r2n_plan_destroy(r2n_plan *plan)
{
    if (plan == NULL)
        return;
    r2n_free(plan->own_numbers);
    r2n_free(plan->steps);
    r2n_free(plan->values);
    r2n_free(plan->buffers);
    r2n_free(plan);
}

int64_t r2n_plan_weights_bytes(const r2n_plan *plan)
{
    return plan->number_bytes;
}
