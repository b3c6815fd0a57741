/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forward list. A batch norm is applied as late as its value is needed, so that the ones whose
 * convolutions stand beside each other wait for their statistics together.
 */
#include "train/network_internal.h"

#include "base/memory.h"

typedef struct forward {
    r2n_network *network;
    uint8_t *made;  /* [nodes] the node's stored value is there */
    uint8_t *ready; /* [norms] its scale and shift are listed */
    int failed;
} forward;

r2n_train_operation *r2n_train_append(r2n_train_list *list, r2n_train_kind kind, int32_t of)
{
    if (!r2n_grow((void **)&list->operations, &list->capacity, list->count + 1,
                  sizeof *list->operations))
        return NULL;
    list->operations[list->count] = (r2n_train_operation){.kind = kind, .of = of};
    return &list->operations[list->count++];
}

r2n_train_operation *r2n_train_append_kernel(r2n_network *network, r2n_train_list *list,
                                             r2n_operation operation,
                                             const r2n_train_arguments *arguments, int32_t rows,
                                             int32_t columns, int32_t channels)
{
    r2n_train_operation *o = r2n_train_append(list, R2N_TRAIN_KERNEL, -1);
    if (o == NULL)
        return NULL;
    o->operation = operation;
    o->arguments = *arguments;
    o->kernel = r2n_choose_kernel(operation, network->options.precision, network->options.isa,
                                  &o->arguments, NULL, 0);
    o->rows = rows;
    o->pixels = rows * columns;
    o->blocks = r2n_train_blocks(channels);
    return o;
}

static void append(forward *f, r2n_operation operation, const r2n_train_arguments *arguments,
                   int32_t of, int32_t node)
{
    const r2n_shape *shape = &f->network->shapes[node];
    r2n_train_operation *o =
        r2n_train_append_kernel(f->network, &f->network->forward, operation, arguments, shape->rows,
                                shape->columns, shape->channels);
    if (o == NULL)
        f->failed = 1;
    else
        o->of = of;
}

static void need(forward *f, int32_t node);

/* ---- what is listed ---- */

/* All norms whose statistics are listed get their factors at once. */
static void finish_norms(forward *f, int32_t wanted)
{
    if (f->ready[wanted])
        return;
    for (int32_t i = 0; i < f->network->norm_count; i++)
        if (!f->ready[i] &&
            f->made[f->network->convolutions[f->network->norms[i].convolution].node]) {
            f->failed |= r2n_train_append(&f->network->forward, R2N_TRAIN_FINISH, i) == NULL;
            f->ready[i] = 1;
        }
}

static void convolve(forward *f, int32_t node)
{
    r2n_network *network = f->network;
    const r2n_train_convolution *c = &network->convolutions[network->convolution_of[node]];
    const r2n_shape *shape = &network->shapes[node];
    const r2n_view raw = r2n_network_view(network, (r2n_train_segment){c->raw, 0, c->outputs});
    const r2n_train_arguments gemm = {.gemm = {.images = network->options.batch,
                                               .rows = shape->rows,
                                               .columns = shape->columns,
                                               .channels = c->outputs,
                                               .k_total = c->k_total,
                                               .source_count = c->source_count,
                                               .sources = network->sources + c->first_source,
                                               .output = raw,
                                               .epilogue = {.float_output = c->norm < 0}}};
    const r2n_train_arguments winograd = {
        .winograd = {.images = network->options.batch,
                     .rows = shape->rows,
                     .columns = shape->columns,
                     .input_channels = c->inputs,
                     .channels = c->outputs,
                     .input = r2n_network_view(network, network->values[c->input].segments[0]),
                     .output = raw}};
    need(f, c->input);
    append(f, c->winograd ? R2N_OPERATION_WINOGRAD : R2N_OPERATION_GEMM,
           c->winograd ? &winograd : &gemm, network->convolution_of[node], node);
    if (f->failed)
        return;
    network->forward.operations[network->forward.count - 1].first_source = c->first_source;
    f->made[node] = 1;
    if (c->norm < 0 || network->norms[c->norm].frozen)
        return;
    const r2n_train_arguments statistics = {.statistics = {.images = network->options.batch,
                                                           .rows = shape->rows,
                                                           .columns = shape->columns,
                                                           .channels = c->outputs,
                                                           .part_rows = shape->rows,
                                                           .input = raw}};
    append(f, R2N_OPERATION_STATISTICS, &statistics, c->norm, node);
}

/* output = relu?(norm(raw) + added?) */
static void normalise(forward *f, int32_t node, int32_t norm, int32_t added, int relu)
{
    r2n_network *network = f->network;
    const r2n_train_norm *n = &network->norms[norm];
    const r2n_train_convolution *c = &network->convolutions[n->convolution];
    const r2n_shape *shape = &network->shapes[node];
    r2n_train_arguments e = {
        .elementwise = {.images = network->options.batch,
                        .rows = shape->rows,
                        .columns = shape->columns,
                        .channels = n->channels,
                        .relu = relu,
                        .a = r2n_network_view(network, (r2n_train_segment){c->raw, 0, c->outputs}),
                        .output = r2n_network_view(network, network->values[node].segments[0])}};
    if (added >= 0) {
        need(f, added);
        e.elementwise.b_there = 1;
        e.elementwise.b = r2n_network_view(network, network->values[added].segments[0]);
    }
    finish_norms(f, norm);
    append(f, R2N_OPERATION_ELEMENTWISE, &e, norm, node);
}

static void add_in_place(forward *f, int32_t node)
{
    r2n_network *network = f->network;
    const r2n_node *n = &network->graph->nodes[node];
    const r2n_shape *shape = &network->shapes[node];
    const r2n_view slice = r2n_network_view(network, network->values[node].segments[0]);
    const r2n_train_arguments e = {
        .elementwise = {.images = network->options.batch,
                        .rows = shape->rows,
                        .columns = shape->columns,
                        .channels = n->channels,
                        .b_there = 1,
                        .a = slice,
                        .b = r2n_network_view(network, network->values[n->inputs[1]].segments[0]),
                        .output = slice}};
    append(f, R2N_OPERATION_ELEMENTWISE, &e, -1, node);
}

r2n_pool_arguments r2n_network_pool(const r2n_network *network, int32_t node)
{
    const r2n_node *n = &network->graph->nodes[node];
    const r2n_shape *from = &network->shapes[n->inputs[0]], *to = &network->shapes[node];
    const int global = n->kind == R2N_NODE_GLOBAL_POOL;
    return (r2n_pool_arguments){
        .kind = global || n->pool_is_average ? R2N_POOL_AVERAGE : R2N_POOL_MAXIMUM,
        .images = network->options.batch,
        .input_rows = from->rows,
        .input_columns = from->columns,
        .rows = to->rows,
        .columns = to->columns,
        .channels = n->channels,
        .kernel_rows = global ? from->rows : n->kernel,
        .kernel_columns = global ? from->columns : n->kernel,
        .stride = global ? 1 : n->stride,
        .padding = global ? 0 : n->padding,
        .count_padding = n->count_padding,
        .input = r2n_network_view(network, network->values[n->inputs[0]].segments[0]),
        .output = r2n_network_view(network, network->values[node].segments[0])};
}

static void pool(forward *f, int32_t node)
{
    const r2n_train_arguments p = {.pool = r2n_network_pool(f->network, node)};
    append(f, R2N_OPERATION_POOL, &p, -1, node);
}

/* ---- when ---- */

/* A ReLU's value: of a norm, or of a norm and what is added. */
static void make_relu(forward *f, int32_t node)
{
    const r2n_graph *graph = f->network->graph;
    const int32_t from = graph->nodes[node].inputs[0];
    if (graph->nodes[from].kind == R2N_NODE_ADD)
        normalise(f, node, f->network->norm_of[graph->nodes[from].inputs[0]],
                  graph->nodes[from].inputs[1], 1);
    else
        normalise(f, node, f->network->norm_of[from], -1, 1);
}

static void need(forward *f, int32_t node)
{
    const r2n_graph *graph = f->network->graph;
    const r2n_node *n = &graph->nodes[node];
    if (f->made[node] || f->failed)
        return;
    f->made[node] = 1;
    switch (n->kind) {
    case R2N_NODE_INPUT:
        f->failed |= r2n_train_append(&f->network->forward, R2N_TRAIN_PICTURE, node) == NULL;
        break;
    case R2N_NODE_BATCH_NORM: /* a shortcut's */
        normalise(f, node, f->network->norm_of[node], -1, 0);
        break;
    case R2N_NODE_RELU:
        make_relu(f, node);
        break;
    case R2N_NODE_ADD: /* of a block's groups */
        need(f, n->inputs[0]);
        need(f, n->inputs[1]);
        add_in_place(f, node);
        break;
    case R2N_NODE_SLICE:
        need(f, n->inputs[0]);
        break;
    case R2N_NODE_CONCAT:
        for (int32_t j = 0; j < n->input_count; j++)
            need(f, n->inputs[j]);
        break;
    case R2N_NODE_POOL:
    case R2N_NODE_GLOBAL_POOL:
        need(f, n->inputs[0]);
        pool(f, node);
        break;
    case R2N_NODE_CONVOLUTION:
    case R2N_NODE_LINEAR:
        break;
    }
}

res2net_status r2n_network_list_forward(r2n_network *network, res2net_report *report)
{
    const r2n_graph *graph = network->graph;
    forward f = {.network = network,
                 .made = r2n_allocate_zeroed((size_t)graph->count, 1),
                 .ready = r2n_allocate_zeroed((size_t)network->norm_count + 1, 1)};
    f.failed = f.made == NULL || f.ready == NULL;
    for (int32_t i = 0; i < network->convolution_count && !f.failed; i++)
        if (network->convolutions[i].converted >= 0) {
            r2n_train_operation *o = r2n_train_append(&network->forward, R2N_TRAIN_CONVERT, i);
            f.failed |= o == NULL;
            if (o != NULL)
                o->blocks = r2n_train_blocks(network->convolutions[i].outputs);
        }
    /* A frozen norm's factors do not wait for its convolution; they are listed where it is used. */
    for (int32_t i = 0; i < graph->count && !f.failed; i++)
        if (network->convolution_of[i] >= 0)
            convolve(&f, i);
    f.failed = f.failed || r2n_train_append(&network->forward, R2N_TRAIN_SCORES, -1) == NULL;
    r2n_free(f.made);
    r2n_free(f.ready);
    return f.failed ? r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                               "no memory for the steps of a network")
                    : RES2NET_OK;
}
