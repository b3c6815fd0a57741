/* SPDX-License-Identifier: Apache-2.0 */
/* Folds batch norms into convolutions and packs the weights of a step. */
#include "plan/plan_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static const double EPSILON = 1e-5; /* both families, spec 1.7 */

static res2net_status no_memory(res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the packed weights");
}

static const r2n_tensor *find(const r2n_tensor_set *weights, const r2n_node *node,
                              const char *suffix, int64_t count, res2net_report *report)
{
    char name[R2N_NAME_BYTES + 16];
    snprintf(name, sizeof name, "%s%s", node->tensor, suffix);
    const r2n_tensor *tensor = r2n_tensor_set_find(weights, name);
    if (tensor == NULL || tensor->count != count) {
        r2n_fail(report, RES2NET_MISMATCH, NULL, -1, "the tensor %s is missing or of another size",
                 name);
        return NULL;
    }
    return tensor;
}

/* A batch norm as scale and shift: y = x * scale + shift, worked out in double, rounded once. */
static res2net_status batch_norm_factors(const r2n_tensor_set *weights, const r2n_node *node,
                                         float *scale, float *shift, res2net_report *report)
{
    static const char *const suffixes[4] = {".weight", ".bias", ".running_mean", ".running_var"};
    const float *data[4];
    for (int i = 0; i < 4; i++) {
        const r2n_tensor *tensor = find(weights, node, suffixes[i], node->channels, report);
        if (tensor == NULL)
            return RES2NET_MISMATCH;
        data[i] = tensor->data;
    }
    for (int32_t n = 0; n < node->channels; n++) {
        const double factor = (double)data[0][n] / sqrt((double)data[3][n] + EPSILON);
        scale[n] = (float)factor;
        shift[n] = (float)((double)data[1][n] - (double)data[2][n] * factor);
    }
    return RES2NET_OK;
}

/* [out][in][taps] -> [out][taps][in]: sums run tap by tap, then channel by channel. */
static void taps_outside(const float *weights, int32_t out, int32_t in, int32_t taps, float *result)
{
    for (int32_t n = 0; n < out; n++)
        for (int32_t c = 0; c < in; c++)
            for (int32_t t = 0; t < taps; t++)
                result[((int64_t)n * taps + t) * in + c] =
                    weights[((int64_t)n * in + c) * taps + t];
}

static res2net_status pack_part(const r2n_plan *plan, const r2n_step *step, const r2n_part *part,
                                const r2n_tensor_set *weights, float *packed, float *bias,
                                res2net_report *report)
{
    const r2n_node *node = &plan->graph->nodes[part->node];
    const int32_t channels = node->channels;
    res2net_status status = RES2NET_OK;
    const r2n_tensor *weight = find(weights, node, ".weight", (int64_t)channels * part->k, report);
    if (weight == NULL)
        return RES2NET_MISMATCH;
    float *scale = NULL;
    float *ordered = NULL;
    const float *source = weight->data;
    if (node->kind == R2N_NODE_LINEAR) {
        const r2n_tensor *own = find(weights, node, ".bias", channels, report);
        if (own == NULL)
            return RES2NET_MISMATCH;
        memcpy(bias, own->data, (size_t)channels * sizeof(float));
    } else if (node->kernel > 1) {
        const int32_t taps = node->kernel * node->kernel;
        ordered = r2n_allocate((size_t)channels * (size_t)part->k, sizeof(float));
        if (ordered == NULL)
            return no_memory(report);
        taps_outside(weight->data, channels, part->k / taps, taps, ordered);
        source = ordered;
    }
    if (part->batch_norm >= 0) {
        scale = r2n_allocate(2 * (size_t)channels, sizeof(float));
        status = scale == NULL ? no_memory(report)
                               : batch_norm_factors(weights, &plan->graph->nodes[part->batch_norm],
                                                    scale, scale + channels, report);
        for (int32_t n = 0; status == RES2NET_OK && n < channels; n++)
            bias[n] += scale[channels + n];
    }
    if (status == RES2NET_OK)
        r2n_pack_f32(packed, channels, step->k_total, part->k_first, part->k, source, part->k,
                     scale);
    r2n_free(scale);
    r2n_free(ordered);
    return status;
}

res2net_status r2n_plan_pack_step(const r2n_plan *plan, const r2n_step *step,
                                  const r2n_tensor_set *weights, float *first, float *second,
                                  res2net_report *report)
{
    res2net_status status = RES2NET_OK;
    if (step->operation != R2N_OPERATION_GEMM)
        return batch_norm_factors(weights, &plan->graph->nodes[step->result], first, second,
                                  report);
    for (int32_t i = 0; i < step->part_count && status == RES2NET_OK; i++)
        status = pack_part(plan, step, &step->parts[i], weights, first, second, report);
    return status;
}
