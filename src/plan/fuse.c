/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes become one step.
 *
 * A node is "absorbed" when a later (or, for hierarchical adds, an earlier) step computes it on the
 * way. What is not absorbed, and computes something, becomes a step, in the graph's order.
 * Patterns:
 *
 *     convolution -> batch norm                        folded into the weights
 *     ... -> ReLU                                      epilogue
 *     ... -> add(shortcut)                             epilogue: residual
 *     add(conv -> bn, conv -> bn)                      one gemm over both inputs
 *     relu y_g, and add(slice x_g+1, y_g)              epilogue: chain, in place in x_g+1
 */
#include "plan/plan_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

typedef struct fusion {
    const r2n_graph *graph;
    int32_t *uses;        /* [count] how many nodes read this value */
    int32_t *chain_of;    /* [count] hierarchical ADD made by this node's step, or -1 */
    uint8_t *absorbed;    /* [count] */
    uint8_t *is_gemm_end; /* [count] a convolution's sum with what followed it so far */
} fusion;

static const r2n_node *node_of(const fusion *f, int32_t index)
{
    return &f->graph->nodes[index];
}

/* The value may vanish into its one reader. */
static int may_absorb(const fusion *f, int32_t index)
{
    return f->is_gemm_end[index] && f->uses[index] == 1;
}

static void absorb(fusion *f, int32_t index, int32_t into)
{
    f->absorbed[index] = 1;
    f->is_gemm_end[into] = 1;
}

/* x_(g+1) + y_g: the slice must be read by nobody else, for it is overwritten. */
static void match_hierarchical_add(fusion *f, int32_t index)
{
    const r2n_node *add = node_of(f, index);
    for (int side = 0; side < 2; side++) {
        const int32_t slice = add->inputs[side];
        const int32_t y = add->inputs[1 - side];
        if (node_of(f, slice)->kind != R2N_NODE_SLICE || f->uses[slice] != 1)
            continue;
        if (!f->is_gemm_end[y] || f->absorbed[y] || f->chain_of[y] >= 0)
            continue;
        f->chain_of[y] = index;
        f->absorbed[index] = 1;
        return;
    }
}

static void match_add(fusion *f, int32_t index)
{
    const r2n_node *add = node_of(f, index);
    const int first = may_absorb(f, add->inputs[0]);
    const int second = may_absorb(f, add->inputs[1]);
    const r2n_node_kind kinds[2] = {node_of(f, add->inputs[0])->kind,
                                    node_of(f, add->inputs[1])->kind};
    /* A ReLU between convolution and add ends the sum: only bare sums go into the residual add. */
    const int bare_first = first && kinds[0] != R2N_NODE_RELU && kinds[0] != R2N_NODE_ADD;
    const int bare_second = second && kinds[1] != R2N_NODE_RELU && kinds[1] != R2N_NODE_ADD;
    if (!bare_first && !bare_second) {
        match_hierarchical_add(f, index);
        return;
    }
    if (bare_first)
        absorb(f, add->inputs[0], index);
    if (bare_second)
        absorb(f, add->inputs[1], index);
}

static void match_all(fusion *f)
{
    for (int32_t i = 0; i < f->graph->count; i++) {
        const r2n_node *node = node_of(f, i);
        switch (node->kind) {
        case R2N_NODE_CONVOLUTION:
        case R2N_NODE_LINEAR:
            f->is_gemm_end[i] = 1;
            break;
        case R2N_NODE_BATCH_NORM:
            if (node_of(f, node->inputs[0])->kind == R2N_NODE_CONVOLUTION &&
                may_absorb(f, node->inputs[0]))
                absorb(f, node->inputs[0], i);
            break;
        case R2N_NODE_RELU:
            if (node_of(f, node->inputs[0])->kind != R2N_NODE_RELU &&
                may_absorb(f, node->inputs[0]))
                absorb(f, node->inputs[0], i);
            break;
        case R2N_NODE_ADD:
            match_add(f, i);
            break;
        default:
            break;
        }
    }
}

/* ---- from matches to steps ------------------------------------------------------------------ */

static void add_part(const fusion *f, r2n_step *step, int32_t index)
{
    r2n_part part = {.batch_norm = -1};
    if (node_of(f, index)->kind == R2N_NODE_BATCH_NORM) {
        part.batch_norm = index;
        index = node_of(f, index)->inputs[0];
    }
    const r2n_node *convolution = node_of(f, index);
    part.node = index;
    part.input = convolution->inputs[0];
    part.k = node_of(f, part.input)->channels;
    if (convolution->kind == R2N_NODE_CONVOLUTION)
        part.k *= convolution->kernel * convolution->kernel;
    step->parts[step->part_count++] = part;
}

static void append_name(r2n_step *step, const char *text)
{
    const size_t length = strlen(step->name);
    snprintf(step->name + length, sizeof step->name - length, "%s%s", length > 0 ? " + " : "",
             text);
}

static void make_gemm(const fusion *f, int32_t end, r2n_step *step)
{
    int32_t index = end;
    step->operation = R2N_OPERATION_GEMM;
    step->residual = -1;
    step->chain = f->chain_of[end];
    if (node_of(f, index)->kind == R2N_NODE_RELU) {
        step->relu = 1;
        index = node_of(f, index)->inputs[0];
    }
    if (node_of(f, index)->kind == R2N_NODE_ADD) {
        const r2n_node *add = node_of(f, index);
        for (int side = 0; side < 2; side++)
            if (f->absorbed[add->inputs[side]])
                add_part(f, step, add->inputs[side]);
            else
                step->residual = add->inputs[side];
    } else {
        add_part(f, step, index);
    }
    for (int32_t i = 0; i < step->part_count; i++) {
        append_name(step, node_of(f, step->parts[i].node)->name);
        if (step->parts[i].batch_norm >= 0)
            append_name(step, "bn");
    }
    if (step->residual >= 0)
        append_name(step, "residual");
    if (step->relu)
        append_name(step, "relu");
    if (step->chain >= 0)
        append_name(step, "chain");
}

static void make_simple(const fusion *f, int32_t index, r2n_step *step)
{
    const r2n_node *node = node_of(f, index);
    step->operation = node->kind == R2N_NODE_POOL || node->kind == R2N_NODE_GLOBAL_POOL
                          ? R2N_OPERATION_POOL
                          : R2N_OPERATION_ELEMENTWISE;
    step->a = node->inputs[0];
    step->b = node->kind == R2N_NODE_ADD ? node->inputs[1] : -1;
    step->relu = node->kind == R2N_NODE_RELU;
    step->residual = step->chain = -1;
    append_name(step, node->name);
}

static void make_steps(const fusion *f, r2n_plan *plan)
{
    for (int32_t i = 0; i < f->graph->count; i++) {
        const r2n_node_kind kind = node_of(f, i)->kind;
        if (f->absorbed[i] || kind == R2N_NODE_INPUT || kind == R2N_NODE_SLICE ||
            kind == R2N_NODE_CONCAT)
            continue;
        r2n_step *step = &plan->steps[plan->step_count++];
        step->result = i;
        if (f->is_gemm_end[i])
            make_gemm(f, i, step);
        else
            make_simple(f, i, step);
    }
}

res2net_status r2n_plan_fuse(r2n_plan *plan, res2net_report *report)
{
    const size_t count = (size_t)plan->graph->count;
    res2net_status status = RES2NET_OK;
    fusion f = {.graph = plan->graph,
                .uses = r2n_allocate_zeroed(count, sizeof *f.uses),
                .chain_of = r2n_allocate(count, sizeof *f.chain_of),
                .absorbed = r2n_allocate_zeroed(count, 1),
                .is_gemm_end = r2n_allocate_zeroed(count, 1)};
    plan->steps = r2n_allocate_zeroed(count, sizeof *plan->steps);
    if (f.uses == NULL || f.chain_of == NULL || f.absorbed == NULL || f.is_gemm_end == NULL ||
        plan->steps == NULL) {
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the plan");
    } else {
        for (size_t i = 0; i < count; i++) {
            f.chain_of[i] = -1;
            for (int32_t j = 0; j < plan->graph->nodes[i].input_count; j++)
                f.uses[plan->graph->nodes[i].inputs[j]]++;
        }
        if (plan->mode == R2N_PLAN_INFERENCE)
            match_all(&f);
        else
            for (size_t i = 0; i < count; i++)
                f.is_gemm_end[i] = plan->graph->nodes[i].kind == R2N_NODE_CONVOLUTION ||
                                   plan->graph->nodes[i].kind == R2N_NODE_LINEAR;
        make_steps(&f, plan);
    }
    r2n_free(f.uses);
    r2n_free(f.chain_of);
    r2n_free(f.absorbed);
    r2n_free(f.is_gemm_end);
    return status;
}
