/* SPDX-License-Identifier: Apache-2.0 */
/* What a node is, in words. */
#include <inttypes.h>
#include <stdio.h>

#include "model/graph.h"

static const char *const simple_kinds[] = {
    [R2N_NODE_INPUT] = "input",   [R2N_NODE_BATCH_NORM] = "batch norm",
    [R2N_NODE_RELU] = "relu",     [R2N_NODE_ADD] = "add",
    [R2N_NODE_SLICE] = "slice",   [R2N_NODE_CONCAT] = "concatenate",
    [R2N_NODE_LINEAR] = "linear", [R2N_NODE_GLOBAL_POOL] = "global average pool"};

void r2n_node_kind_text(const r2n_node *node, char text[R2N_NODE_KIND_BYTES])
{
    const char *word = node->kind == R2N_NODE_CONVOLUTION ? "convolution"
                       : node->kind != R2N_NODE_POOL      ? simple_kinds[node->kind]
                       : node->pool_is_average            ? "average pool"
                                                          : "maximum pool";
    if (node->kind == R2N_NODE_CONVOLUTION || node->kind == R2N_NODE_POOL)
        snprintf(text, R2N_NODE_KIND_BYTES, "%s %" PRId32 "x%" PRId32 " / %" PRId32, word,
                 node->kernel, node->kernel, node->stride);
    else
        snprintf(text, R2N_NODE_KIND_BYTES, "%s", word);
}
