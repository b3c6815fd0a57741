/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes that follow from a graph and a picture, and how much there is to count and to compute. */
#include "model/graph.h"

#include <inttypes.h>

enum { MAXIMUM_SIDE = 16384, MINIMUM_SIDE = 32, MINIMUM_SIDE_3X3_STEM = 8 };

/* Windows along one side; 0 where not one fits. */
static int32_t window_count(int32_t size, const r2n_node *node)
{
    const int32_t room = size + 2 * node->padding - node->kernel;
    if (node->ceil_mode)
        return room + node->stride < 1 ? 0 : (room + node->stride - 1) / node->stride + 1;
    return room < 0 ? 0 : room / node->stride + 1;
}

static r2n_shape node_shape(const r2n_node *node, const r2n_shape *shapes)
{
    r2n_shape shape = shapes[node->inputs[0]];
    if (node->kind == R2N_NODE_CONVOLUTION || node->kind == R2N_NODE_POOL) {
        shape.rows = window_count(shape.rows, node);
        shape.columns = window_count(shape.columns, node);
    } else if (node->kind == R2N_NODE_GLOBAL_POOL) {
        shape.rows = 1;
        shape.columns = 1;
    }
    shape.channels = node->channels;
    return shape;
}

res2net_status r2n_graph_shapes(const r2n_graph *graph, int32_t rows, int32_t columns,
                                r2n_shape *shapes, res2net_report *report)
{
    const int32_t minimum =
        graph->architecture.stem == R2N_STEM_3X3 ? MINIMUM_SIDE_3X3_STEM : MINIMUM_SIDE;
    if (rows > MAXIMUM_SIDE || columns > MAXIMUM_SIDE)
        return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, NULL, -1,
                        "a picture of %" PRId32 " rows and %" PRId32
                        " columns; at most %d a side are supported",
                        rows, columns, MAXIMUM_SIDE);
    if (rows < minimum || columns < minimum)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a picture of %" PRId32 " rows and %" PRId32
                        " columns; %.95s needs at least %" PRId32 " a side",
                        rows, columns, graph->architecture.name, minimum);
    for (int32_t i = 0; i < graph->count; i++) {
        const r2n_node *node = &graph->nodes[i];
        shapes[i] = node->kind == R2N_NODE_INPUT
                        ? (r2n_shape){.rows = rows, .columns = columns, .channels = node->channels}
                        : node_shape(node, shapes);
        if (shapes[i].rows < 1 || shapes[i].columns < 1)
            return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                            "a picture of %" PRId32 " rows and %" PRId32
                            " columns leaves nothing at %s",
                            rows, columns, node->name);
    }
    return RES2NET_OK;
}

int64_t r2n_node_macs(const r2n_graph *graph, const r2n_shape *shapes, int32_t node)
{
    const r2n_node *n = &graph->nodes[node];
    if (n->kind != R2N_NODE_CONVOLUTION && n->kind != R2N_NODE_LINEAR)
        return 0;
    const int64_t taps = n->kind == R2N_NODE_CONVOLUTION ? (int64_t)n->kernel * n->kernel : 1;
    const int64_t outputs = (int64_t)shapes[node].rows * shapes[node].columns * n->channels;
    return outputs * shapes[n->inputs[0]].channels * taps;
}

int64_t r2n_node_parameters(const r2n_graph *graph, int32_t node)
{
    const r2n_node *n = &graph->nodes[node];
    const int64_t inputs = n->input_count > 0 ? graph->nodes[n->inputs[0]].channels : 0;
    switch (n->kind) {
    case R2N_NODE_CONVOLUTION:
        return (int64_t)n->kernel * n->kernel * n->channels * inputs;
    case R2N_NODE_BATCH_NORM:
        return 2 * (int64_t)n->channels;
    case R2N_NODE_LINEAR:
        return n->channels * (inputs + 1);
    default:
        return 0;
    }
}

/* ---- counts ---------------------------------------------------------------------------------- */

/* Convolution weights and batch-norm channels of one block. */
static void count_block(const r2n_architecture *a, int32_t stage, int32_t inputs, int has_shortcut,
                        int64_t *weights, int64_t *channels)
{
    const int64_t outputs = (int64_t)4 * r2n_stage_planes(a, stage);
    const int64_t width = r2n_group_width(a, stage);
    const int64_t middle = width * a->scale;
    const int64_t groups = a->scale == 1 ? 1 : a->scale - 1;
    *weights += inputs * middle + groups * width * width * 9 + middle * outputs;
    *channels += middle + groups * width + outputs;
    if (has_shortcut) {
        *weights += inputs * outputs;
        *channels += outputs;
    }
}

static void count_all(const r2n_architecture *a, int64_t *weights, int64_t *channels)
{
    const int64_t stem = a->stem_channels;
    const int64_t half = stem / 2;
    *weights = a->stem == R2N_STEM_7X7 ? 49 * 3 * stem : 9 * 3 * stem;
    *channels = stem;
    if (a->stem == R2N_STEM_DEEP) {
        *weights = 9 * (3 * half + half * half + half * stem);
        *channels = half + half + stem;
    }
    int32_t inputs = a->stem_channels;
    for (int32_t s = 0; s < a->stages; s++)
        for (int32_t block = 0; block < a->depths[s]; block++) {
            count_block(a, s, inputs, block == 0, weights, channels);
            inputs = 4 * r2n_stage_planes(a, s);
        }
}

int64_t r2n_architecture_parameters(const r2n_architecture *architecture)
{
    const int64_t features = (int64_t)4 * r2n_stage_planes(architecture, architecture->stages - 1);
    int64_t weights, channels;
    count_all(architecture, &weights, &channels);
    return weights + 2 * channels + (features + 1) * architecture->classes;
}

int64_t r2n_architecture_statistics(const r2n_architecture *architecture)
{
    int64_t weights, channels;
    count_all(architecture, &weights, &channels);
    return 2 * channels;
}
