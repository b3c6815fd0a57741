/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What int8 needs beside weights: for every stored value what a level is worth.
 *
 * A scale belongs to a node: the picture, what a step writes, a slice of that (each slice is
 * calibrated for itself), a hierarchical add. A concatenation's channels have their inputs' scales;
 * a convolution's weights take up the scales of what it reads, so parts may differ.
 */
#include "plan/plan_internal.h"

float r2n_plan_channel_scale(const r2n_plan *plan, int32_t node, int32_t channel)
{
    const r2n_node *nodes = plan->graph->nodes;
    while (nodes[node].kind == R2N_NODE_CONCAT) {
        int32_t input = 0;
        for (; channel >= nodes[nodes[node].inputs[input]].channels; input++)
            channel -= nodes[nodes[node].inputs[input]].channels;
        node = nodes[node].inputs[input];
    }
    if (nodes[node].kind == R2N_NODE_SLICE || plan->scales[node] > 0)
        return plan->scales[node];
    for (int32_t i = node + 1; i < plan->graph->count; i++)
        if (nodes[i].kind == R2N_NODE_SLICE && nodes[i].inputs[0] == node &&
            channel >= nodes[i].first_channel &&
            channel < nodes[i].first_channel + nodes[i].channels)
            return plan->scales[i];
    return plan->scales[node];
}

static res2net_status lacks_scale(const r2n_plan *plan, int32_t node, res2net_report *report)
{
    return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                    "the model's calibration has no scale for %s: quantize the model anew",
                    plan->graph->nodes[node].name);
}

static res2net_status check_scales(const r2n_plan *plan, int32_t node, res2net_report *report)
{
    for (int32_t c = 0; node >= 0 && c < plan->graph->nodes[node].channels; c++)
        if (!(r2n_plan_channel_scale(plan, node, c) > 0))
            return lacks_scale(plan, node, report);
    return RES2NET_OK;
}

static res2net_status check_step(const r2n_plan *plan, const r2n_step *step, res2net_report *report)
{
    const int is_scores = step->result == plan->graph->count - 1;
    res2net_status status = RES2NET_OK;
    if (step->operation == R2N_OPERATION_ELEMENTWISE)
        return r2n_fail(report, RES2NET_UNSUPPORTED, NULL, -1,
                        "the step %s runs in f32 only: precision %s cannot run this network",
                        step->name, r2n_precision_facts_of(plan->precision)->name);
    if (plan->precision != R2N_PRECISION_INT8)
        return RES2NET_OK;
    if (step->operation == R2N_OPERATION_GEMM && !step->relu && !is_scores)
        return r2n_fail(report, RES2NET_UNSUPPORTED, NULL, -1,
                        "the step %s ends without a ReLU, which int8 needs", step->name);
    if (step->operation != R2N_OPERATION_GEMM)
        status = check_scales(plan, step->a, report);
    for (int32_t i = 0; i < step->part_count && status == RES2NET_OK; i++)
        status = check_scales(plan, step->parts[i].input, report);
    if (status == RES2NET_OK && !is_scores)
        status = check_scales(plan, step->result, report);
    if (status == RES2NET_OK)
        status = check_scales(plan, step->residual, report);
    if (status == RES2NET_OK)
        status = check_scales(plan, step->chain, report);
    return status;
}

res2net_status r2n_plan_check_precision(r2n_plan *plan, const r2n_tensor_set *weights,
                                        res2net_report *report)
{
    const r2n_weights_metadata *metadata = &weights->metadata;
    res2net_status status = RES2NET_OK;
    if (plan->precision == R2N_PRECISION_F32)
        return RES2NET_OK;
    if (plan->precision == R2N_PRECISION_INT8) {
        if (metadata->activation_scales == NULL)
            return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                            "the model is not calibrated for int8: `res2net quantize` makes a .r2n "
                            "that is");
        if (metadata->activation_scale_count != plan->graph->count)
            return r2n_fail(
                report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                "the model's calibration has %d scales, its network %d values: quantize "
                "the model anew",
                metadata->activation_scale_count, plan->graph->count);
        plan->scales = metadata->activation_scales;
    }
    for (int32_t i = 0; i < plan->step_count && status == RES2NET_OK; i++)
        status = check_step(plan, &plan->steps[i], report);
    return status;
}
