/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the blocks in a graph's nodes. Who adds to whom is read off the nodes' inputs: the picture
 * shows the network that runs. */
#include "base/memory.h"
#include "drawing/drawing_internal.h"

static int32_t end_of_block(const r2n_graph *graph, int32_t begin)
{
    int32_t end = begin + 1;
    while (end < graph->count && graph->nodes[end].stage == graph->nodes[begin].stage &&
           graph->nodes[end].block == graph->nodes[begin].block)
        end++;
    return end;
}

/* Nodes between the first 1x1 and the concatenation. */
static void read_group_node(const r2n_graph *graph, int32_t i, r2n_drawn_block *block)
{
    const r2n_node *node = &graph->nodes[i];
    if (node->kind == R2N_NODE_SLICE && block->group_count < R2N_NODE_INPUTS) {
        block->groups[block->group_count++] =
            (r2n_drawn_group){.slice = i, .sum = -1, .from = -1, .operation = -1, .result = i};
        return;
    }
    if (block->group_count == 0)
        return;
    r2n_drawn_group *group = &block->groups[block->group_count - 1];
    group->result = i;
    if (node->kind == R2N_NODE_CONVOLUTION || node->kind == R2N_NODE_POOL)
        group->operation = i;
    if (node->kind != R2N_NODE_ADD)
        return;
    group->sum = i;
    for (int32_t g = 0; g + 1 < block->group_count; g++)
        if (block->groups[g].result == node->inputs[1])
            group->from = g;
}

/* The order of the nodes is graph.h's: way through the block, shortcut, sum, ReLU. */
static void read_node(const r2n_graph *graph, int32_t i, r2n_drawn_block *block)
{
    const r2n_node *node = &graph->nodes[i];
    const int convolves = node->kind == R2N_NODE_CONVOLUTION;
    if (block->exit >= 0) {
        if (node->kind == R2N_NODE_ADD)
            block->sum = i;
        else if ((convolves || node->kind == R2N_NODE_POOL) && block->shortcut_count < 2)
            block->shortcut[block->shortcut_count++] = i;
    } else if (block->concat >= 0 || block->middle >= 0) {
        if (convolves)
            block->exit = i;
    } else if (block->entry < 0) {
        if (convolves)
            block->entry = i;
    } else if (node->kind == R2N_NODE_CONCAT) {
        block->concat = i;
    } else if (convolves && block->group_count == 0) {
        block->middle = i;
    } else {
        read_group_node(graph, i, block);
    }
}

static r2n_drawn_block read_block(const r2n_graph *graph, const r2n_shape *shapes, int32_t begin)
{
    r2n_drawn_block block = {.stage = graph->nodes[begin].stage,
                             .first = graph->nodes[begin].block,
                             .count = 1,
                             .begin = begin,
                             .end = end_of_block(graph, begin),
                             .input = graph->nodes[begin].inputs[0],
                             .entry = -1,
                             .middle = -1,
                             .concat = -1,
                             .exit = -1,
                             .sum = -1};
    block.result = block.end - 1;
    for (int32_t i = begin; i < block.end; i++) {
        read_node(graph, i, &block);
        block.parameters += r2n_node_parameters(graph, i);
        block.macs += r2n_node_macs(graph, shapes, i);
    }
    return block;
}

static int is_same_shape(const r2n_shape *a, const r2n_shape *b)
{
    return a->rows == b->rows && a->columns == b->columns && a->channels == b->channels;
}

/* Equal node by node, inputs counted from the block's start, and between equal shapes. */
static int is_alike(const r2n_graph *graph, const r2n_shape *shapes, const r2n_drawn_block *a,
                    const r2n_drawn_block *b)
{
    if (a->stage != b->stage || a->end - a->begin != b->end - b->begin ||
        !is_same_shape(&shapes[a->input], &shapes[b->input]))
        return 0;
    for (int32_t i = 0; i < a->end - a->begin; i++) {
        const r2n_node *x = &graph->nodes[a->begin + i], *y = &graph->nodes[b->begin + i];
        if (x->kind != y->kind || x->kernel != y->kernel || x->stride != y->stride ||
            x->first_channel != y->first_channel || x->input_count != y->input_count ||
            !is_same_shape(&shapes[a->begin + i], &shapes[b->begin + i]))
            return 0;
        for (int32_t k = 0; k < x->input_count; k++)
            if (x->inputs[k] - a->begin != y->inputs[k] - b->begin)
                return 0;
    }
    return 1;
}

r2n_drawn_block *r2n_drawn_blocks(const r2n_graph *graph, const r2n_shape *shapes, int32_t *count)
{
    int32_t limit = 0;
    for (int32_t s = 0; s < graph->architecture.stages; s++)
        limit += graph->architecture.depths[s];
    r2n_drawn_block *blocks = r2n_allocate((size_t)limit, sizeof *blocks);
    *count = 0;
    for (int32_t i = 0; blocks != NULL && i < graph->count && *count < limit;) {
        if (graph->nodes[i].stage < 0) {
            i++;
            continue;
        }
        const r2n_drawn_block block = read_block(graph, shapes, i);
        if (*count > 0 && is_alike(graph, shapes, &blocks[*count - 1], &block))
            blocks[*count - 1].count++;
        else
            blocks[(*count)++] = block;
        i = block.end;
    }
    return blocks;
}
