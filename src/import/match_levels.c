/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network in int8: does it round where ours does (docs/quantization.md), and at which scales? A
 * file that rounds elsewhere computes something else than `--precision int8` would, and is refused.
 */
#include "import/match_internal.h"

/* Is what `reader` takes of its input stored as levels? Convolutions' sums are not: they are read
 * by what ends the same step. */
static int reads_levels(const r2n_graph *ours, const r2n_node *reader, int32_t input)
{
    const r2n_node *nodes = ours->nodes, *value = &nodes[reader->inputs[input]];
    switch (reader->kind) {
    case R2N_NODE_BATCH_NORM:
    case R2N_NODE_RELU:
    case R2N_NODE_SLICE: /* each slice is rounded for itself */
        return 0;
    case R2N_NODE_ADD: /* a hierarchical sum takes the group before it as it was */
        if (nodes[reader->inputs[0]].kind == R2N_NODE_SLICE)
            return input == 0;
        break;
    default:
        break;
    }
    if (value->kind == R2N_NODE_POOL)
        return value->pool_is_average; /* a maximum of levels is one of them */
    return value->kind != R2N_NODE_CONVOLUTION && value->kind != R2N_NODE_BATCH_NORM;
}

res2net_status r2n_matching_take_scale(r2n_matching *m, const r2n_graph *ours, int32_t reader,
                                       int32_t input, const r2n_foreign_operation *operation,
                                       int32_t number)
{
    const r2n_node *node = &ours->nodes[reader];
    const int32_t value = node->inputs[input];
    const float scale = operation->scales[number];
    if (m->scales == NULL)
        return RES2NET_OK;
    if (reads_levels(ours, node, input) != (scale > 0))
        return r2n_matching_refuse(m, operation,
                                   "it reads what our int8 calls %s as %s; `res2net export "
                                   "--precision int8` writes the other",
                                   ours->nodes[value].name,
                                   scale > 0 ? "rounded numbers" : "it was before rounding");
    if (!(scale > 0) || ours->nodes[value].kind == R2N_NODE_CONCAT)
        return RES2NET_OK;
    if (m->scales[value] > 0 && (m->scales[value] < scale || m->scales[value] > scale))
        return r2n_matching_refuse(m, operation, "its input %s has two scales",
                                   ours->nodes[value].name);
    m->scales[value] = scale;
    return RES2NET_OK;
}

void r2n_matching_finish_scales(r2n_matching *m, const r2n_graph *ours)
{
    for (int32_t i = 0; i < ours->count; i++)
        if (ours->nodes[i].kind == R2N_NODE_POOL && !ours->nodes[i].pool_is_average)
            m->scales[i] = m->scales[ours->nodes[i].inputs[0]];
}

float r2n_matching_channel_factor(const r2n_matching *m, const r2n_graph *ours,
                                  const r2n_node *node, int32_t channel)
{
    const r2n_node *joined = &ours->nodes[node->inputs[0]];
    if (m->scales == NULL || joined->kind != R2N_NODE_CONCAT)
        return 1;
    const float read_at = m->found[node - ours->nodes]->scales[0];
    int32_t piece = 0;
    for (; channel >= ours->nodes[joined->inputs[piece]].channels; piece++)
        channel -= ours->nodes[joined->inputs[piece]].channels;
    return read_at / m->scales[joined->inputs[piece]];
}
