/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up calibration, for tests of int8 in files. */
#ifndef R2N_TESTS_CALIBRATION_FIXTURE_H
#define R2N_TESTS_CALIBRATION_FIXTURE_H

#include "unit/small_model.h"

#include "model/graph.h"
#include "weights/weights.h"

/* Hierarchical sums read a slice; what is cut into slices is not stored whole. */
static inline int calibration_is_stored(const r2n_graph *graph, int32_t index)
{
    const r2n_node *node = &graph->nodes[index];
    switch (node->kind) {
    case R2N_NODE_INPUT:
    case R2N_NODE_SLICE:
    case R2N_NODE_POOL:
    case R2N_NODE_GLOBAL_POOL:
        return 1;
    case R2N_NODE_ADD:
        return graph->nodes[node->inputs[0]].kind == R2N_NODE_SLICE;
    case R2N_NODE_RELU:
        return graph->nodes[index + 1].kind != R2N_NODE_SLICE ||
               graph->nodes[index + 1].inputs[0] != index;
    default:
        return 0;
    }
}

/* A scale of its own for every stored value; a maximum has that of its input. */
static inline void calibrate(const r2n_graph *graph, r2n_tensor_set *weights)
{
    r2n_weights_metadata *metadata = &weights->metadata;
    metadata->activation_scales = r2n_allocate((size_t)graph->count, sizeof(float));
    metadata->activation_scale_count = graph->count;
    assert_non_null(metadata->activation_scales);
    for (int32_t i = 0; i < graph->count; i++) {
        const r2n_node *node = &graph->nodes[i];
        metadata->activation_scales[i] =
            calibration_is_stored(graph, i) ? 0.01f + 0.001f * (float)((i * 37) % 101) : 0.0f;
        if (node->kind == R2N_NODE_POOL && !node->pool_is_average)
            metadata->activation_scales[i] = metadata->activation_scales[node->inputs[0]];
    }
}

#endif
