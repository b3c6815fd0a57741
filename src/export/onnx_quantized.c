/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 in an ONNX graph: every value that our int8 plan stores is rounded to its levels by a
 * QuantizeLinear and read through a DequantizeLinear, and weights are the plan's levels. What the
 * plan keeps unrounded within a step (a convolution's sum on its way to a residual or hierarchical
 * sum) is not rounded here either, so that the file computes what the plan computes.
 *
 * Levels of what follows a ReLU are unsigned with zero point 0: what a byte has is 0 to 255, ours
 * end at 127, so values are held to that before. Signed bytes, which end at 127 by themselves, make
 * OpenVINO 2026.4 give other numbers (onnxruntime does not mind). Only the picture has a sign, and
 * 63 levels a side.
 *
 * A concatenation's pieces have scales of their own, which the plan's weights take up. A
 * convolution of a QDQ graph has one scale for its input: here the levels are put together, and all
 * are read as if they had the largest of the pieces' scales, which the weights' levels already
 * allow for.
 */
#include "export/onnx_internal.h"

#include <stdio.h>

#include "base/memory.h"
#include "kernels/cpu_features.h"

#define ZERO               "zero"
#define ZERO_LEVEL         "zero_level"
#define PICTURE_ZERO_LEVEL "picture.zero_level"

static const r2n_node *node_of(const r2n_onnx_graph *g, int32_t index)
{
    return &g->model->graph->nodes[index];
}

static const float *scale_of(const r2n_onnx_graph *g, int32_t index)
{
    return &g->model->weights->metadata.activation_scales[index];
}

/* What a level of node `index` is worth to those who read it. */
static const float *read_scale(const r2n_onnx_graph *g, int32_t index)
{
    const r2n_node *node = node_of(g, index);
    if (node->kind != R2N_NODE_CONCAT)
        return scale_of(g, index);
    const float *largest = scale_of(g, node->inputs[0]);
    for (int32_t i = 1; i < node->input_count; i++)
        if (*scale_of(g, node->inputs[i]) > *largest)
            largest = scale_of(g, node->inputs[i]);
    return largest;
}

/* ---- which values are stored ---- */

/* And concatenations of these, which are levels from the start. */
static void find_stored(r2n_onnx_graph *g)
{
    int32_t nodes[R2N_SCALED_VALUES_OF_STEP];
    g->is_rounded[r2n_plan_input(g->plan)] = 1;
    for (int32_t step = 0; step < r2n_plan_step_count(g->plan); step++)
        for (int32_t i = r2n_plan_scaled_values(g->plan, step, nodes); i > 0; i--) {
            const r2n_node *node = node_of(g, nodes[i - 1]);
            /* A maximum of levels is one of them. */
            if (node->kind != R2N_NODE_POOL || node->pool_is_average)
                g->is_rounded[nodes[i - 1]] = 1;
        }
    for (int32_t i = 0; i < g->model->graph->count; i++)
        g->is_rounded[i] |= node_of(g, i)->kind == R2N_NODE_CONCAT;
}

static res2net_status add_scalar(r2n_onnx_graph *g, const char *prefix, const char *suffix,
                                 r2n_onnx_type type, const float *value)
{
    r2n_onnx_tensor *tensor = r2n_onnx_add_tensor(g, prefix, suffix);
    if (tensor == NULL)
        return r2n_onnx_no_memory(g);
    tensor->type = type;
    tensor->count = 1;
    tensor->data = value;
    return RES2NET_OK;
}

static void find_limits(r2n_onnx_graph *g)
{
    for (int32_t i = 0; i < g->model->graph->count; i++) {
        const int is_picture = node_of(g, i)->kind == R2N_NODE_INPUT;
        const float levels = R2N_INT8_MAXIMUM - (is_picture ? R2N_INT8_PICTURE_ZERO : 0);
        g->most[i] = levels * *scale_of(g, i);
        if (is_picture)
            g->picture_least = -g->most[i];
    }
}

res2net_status r2n_onnx_start_quantized(r2n_onnx_graph *graph)
{
    static const float zero = 0;
    const size_t count = (size_t)graph->model->graph->count;
    res2net_status status =
        r2n_plan_create(graph->model->graph, graph->model->weights, R2N_PLAN_INFERENCE,
                        R2N_PRECISION_INT8, r2n_isa_default(), &graph->plan, graph->report);
    if (status != RES2NET_OK)
        return status;
    graph->is_rounded = r2n_allocate_zeroed(count, sizeof *graph->is_rounded);
    graph->most = r2n_allocate(count, sizeof *graph->most);
    if (graph->is_rounded == NULL || graph->most == NULL)
        return r2n_onnx_no_memory(graph);
    find_stored(graph);
    find_limits(graph);
    status = add_scalar(graph, PICTURE_ZERO_LEVEL, "", R2N_ONNX_INT8, NULL);
    if (status == RES2NET_OK)
        status = add_scalar(graph, ZERO_LEVEL, "", R2N_ONNX_UINT8, NULL);
    return status == RES2NET_OK ? add_scalar(graph, ZERO, "", R2N_ONNX_FLOAT, &zero) : status;
}

void r2n_onnx_end_quantized(r2n_onnx_graph *graph)
{
    r2n_plan_destroy(graph->plan);
    r2n_free(graph->is_rounded);
    r2n_free(graph->most);
}

/* ---- reading ---- */

/* A hierarchical sum takes the result of the group before it as it is, before it is rounded. */
static int reads_as_it_is(const r2n_onnx_graph *g, const r2n_node *reader, int32_t value)
{
    const int32_t other = reader->inputs[reader->inputs[0] == value];
    return reader->kind == R2N_NODE_ADD && node_of(g, other)->kind == R2N_NODE_SLICE;
}

int r2n_onnx_reads_rounded(const r2n_onnx_graph *graph, int32_t reader, int32_t value,
                           char name[R2N_ONNX_NAME_BYTES])
{
    const r2n_node *node = node_of(graph, reader);
    if (!graph->is_rounded[value] || reads_as_it_is(graph, node, value))
        return 0;
    snprintf(name, R2N_ONNX_NAME_BYTES, "%.95s%s", node_of(graph, value)->name,
             node->kind == R2N_NODE_CONCAT ? ".levels" : ".rounded");
    return 1;
}

/* A concatenation takes levels; what it gives is read by others. */
static int is_read_rounded(const r2n_onnx_graph *g, int32_t index)
{
    for (int32_t i = index + 1; i < g->model->graph->count; i++) {
        const r2n_node *reader = node_of(g, i);
        for (int32_t k = 0; k < reader->input_count && reader->kind != R2N_NODE_CONCAT; k++)
            if (reader->inputs[k] == index && !reads_as_it_is(g, reader, index))
                return 1;
    }
    return 0;
}

/* ---- rounding ---- */

/* "NAME.levels" from the value held to its limits, or "NAME.rounded" from these levels. */
static void put_rounding(r2n_onnx_graph *g, const r2n_node *node, const char *operation,
                         const char *from_suffix, const char *to_suffix)
{
    char from[R2N_ONNX_NAME_BYTES], scale[R2N_ONNX_NAME_BYTES], to[R2N_ONNX_NAME_BYTES];
    const char *zero = node->kind == R2N_NODE_INPUT ? PICTURE_ZERO_LEVEL : ZERO_LEVEL;
    const char *inputs[] = {from, scale, zero, NULL};
    snprintf(from, sizeof from, "%.95s%s", node->name, from_suffix);
    snprintf(scale, sizeof scale, "%.95s.scale", node->name);
    snprintf(to, sizeof to, "%.95s%s", node->name, to_suffix);
    r2n_onnx_put_node(g, operation, inputs, to);
}

/* "NAME.held": the value, no larger than our levels go, and the picture no smaller. */
static res2net_status hold(r2n_onnx_graph *g, int32_t index)
{
    const r2n_node *node = node_of(g, index);
    const int is_picture = node->kind == R2N_NODE_INPUT;
    char least[R2N_ONNX_NAME_BYTES], most[R2N_ONNX_NAME_BYTES], held[R2N_ONNX_NAME_BYTES];
    const char *inputs[] = {is_picture ? "x" : node->name, is_picture ? least : ZERO, most, NULL};
    snprintf(least, sizeof least, "%.95s.least", node->name);
    snprintf(most, sizeof most, "%.95s.most", node->name);
    snprintf(held, sizeof held, "%.95s.held", node->name);
    res2net_status status = add_scalar(g, most, "", R2N_ONNX_FLOAT, &g->most[index]);
    if (status == RES2NET_OK && is_picture)
        status = add_scalar(g, least, "", R2N_ONNX_FLOAT, &g->picture_least);
    r2n_onnx_put_node(g, "Clip", inputs, held);
    return status;
}

res2net_status r2n_onnx_round_value(r2n_onnx_graph *graph, int32_t index)
{
    const r2n_node *node = node_of(graph, index);
    if (!graph->is_rounded[index])
        return RES2NET_OK;
    res2net_status status =
        add_scalar(graph, node->name, ".scale", R2N_ONNX_FLOAT, read_scale(graph, index));
    if (node->kind != R2N_NODE_CONCAT) {
        if (status == RES2NET_OK)
            status = hold(graph, index);
        put_rounding(graph, node, "QuantizeLinear", ".held", ".levels");
    }
    if (is_read_rounded(graph, index))
        put_rounding(graph, node, "DequantizeLinear", ".levels", ".rounded");
    return status;
}

res2net_status r2n_onnx_round_weights(r2n_onnx_graph *graph, int32_t index, size_t weight)
{
    const r2n_node *node = node_of(graph, index);
    r2n_onnx_tensor *scales = r2n_onnx_add_tensor(graph, node->tensor, ".weight.scale");
    if (scales == NULL)
        return r2n_onnx_no_memory(graph);
    scales->type = R2N_ONNX_FLOAT;
    scales->rank = 1;
    scales->shape[0] = scales->count = node->channels;
    scales->levels_of = index;
    scales->input_scale = *read_scale(graph, node->inputs[0]);
    graph->tensors[weight].levels_of = index;
    return RES2NET_OK;
}
