/* SPDX-License-Identifier: Apache-2.0 */
/* A foreign graph -> a row of the catalogue: first the architecture is read off (match_discover.c),
 * then every node that a network of it has is compared with what the file has in its place. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "import/match_internal.h"

/* ---- words ----------------------------------------------------------------------------------- */

res2net_status r2n_matching_refuse(const r2n_matching *m, const r2n_foreign_operation *operation,
                                   const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (operation == NULL)
        return r2n_fail(m->graph->report, RES2NET_MISMATCH, m->graph->file, -1, "not a Res2Net: %s",
                        text);
    return r2n_fail(m->graph->report, RES2NET_MISMATCH, m->graph->file, -1, "not a Res2Net: %s: %s",
                    operation->name, text);
}

const char *r2n_foreign_kind_name(r2n_foreign_kind kind)
{
    static const char *const names[] = {[R2N_FOREIGN_CONVOLUTION] = "a convolution",
                                        [R2N_FOREIGN_BATCH_NORM] = "a batch norm",
                                        [R2N_FOREIGN_RELU] = "a ReLU",
                                        [R2N_FOREIGN_ADD] = "a sum",
                                        [R2N_FOREIGN_SLICE] = "a cut of channels",
                                        [R2N_FOREIGN_CONCAT] = "a concatenation",
                                        [R2N_FOREIGN_PAD] = "a padding",
                                        [R2N_FOREIGN_POOL] = "a pool",
                                        [R2N_FOREIGN_GLOBAL_POOL] = "a global average pool",
                                        [R2N_FOREIGN_RESHAPE] = "a reshape",
                                        [R2N_FOREIGN_MULTIPLY] = "a matrix product",
                                        [R2N_FOREIGN_SOFTMAX] = "a softmax"};
    return names[kind];
}

/* ---- shapes of blocks ------------------------------------------------------------------------ */

const r2n_foreign_operation *r2n_matching_unit(const r2n_matching *m, int32_t value)
{
    const r2n_foreign_operation *operation = r2n_foreign_producer(m->graph, value);
    if (operation != NULL && operation->kind == R2N_FOREIGN_BATCH_NORM)
        operation = r2n_foreign_producer(m->graph, operation->inputs[0]);
    return operation != NULL && operation->kind == R2N_FOREIGN_CONVOLUTION ? operation : NULL;
}

int r2n_matching_is_main(const r2n_matching *m, int32_t value)
{
    const r2n_foreign_operation *unit = r2n_matching_unit(m, value);
    if (unit == NULL || unit->kernel != 1)
        return 0;
    const int32_t x = unit->inputs[0];
    const r2n_foreign_operation *before = r2n_foreign_producer(m->graph, x);
    if (before == NULL)
        return 0;
    /* A shortcut's convolution shares its input with the block's first one. */
    return before->kind == R2N_FOREIGN_CONCAT ||
           (before->kind == R2N_FOREIGN_RELU && m->uses[x] == 1);
}

/* ---- the exact comparison -------------------------------------------------------------------- */

typedef struct comparison {
    r2n_matching *m;
    const r2n_graph *ours;
    int32_t *values; /* [node]: the value that it has to be; -1: not yet known */
} comparison;

static const char *family_text(r2n_family family)
{
    return family == R2N_FAMILY_PADDLE ? "Paddle's" : "PyTorch's and timm's";
}

/* One value for a node: every path leads to the same. */
static res2net_status set_value(comparison *c, int32_t node, int32_t value,
                                const r2n_foreign_operation *taker)
{
    if (c->values[node] >= 0 && c->values[node] != value)
        return r2n_matching_refuse(c->m, taker, "its input is not that of %s",
                                   c->ours->nodes[node].name);
    c->values[node] = value;
    return RES2NET_OK;
}

static res2net_status set_inputs(comparison *c, const r2n_node *node,
                                 const r2n_foreign_operation *operation)
{
    const int32_t number = (int32_t)(node - c->ours->nodes);
    res2net_status status = RES2NET_OK;
    for (int32_t i = 0; i < node->input_count && status == RES2NET_OK; i++) {
        status = set_value(c, node->inputs[i], operation->inputs[i], operation);
        if (status == RES2NET_OK)
            status = r2n_matching_take_scale(c->m, c->ours, number, i, operation, i);
    }
    return status;
}

static res2net_status compare_window(comparison *c, const r2n_node *node,
                                     const r2n_foreign_operation *operation)
{
    if (operation->kernel == node->kernel && operation->stride == node->stride &&
        operation->padding == node->padding)
        return RES2NET_OK;
    return r2n_matching_refuse(c->m, operation,
                               "kernel %" PRId32 ", stride %" PRId32 ", padding %" PRId32
                               "; %s has %" PRId32 ", %" PRId32 ", %" PRId32,
                               operation->kernel, operation->stride, operation->padding, node->name,
                               node->kernel, node->stride, node->padding);
}

static res2net_status compare_pool(comparison *c, const r2n_node *node,
                                   const r2n_foreign_operation *operation)
{
    const res2net_status status = compare_window(c, node, operation);
    if (status != RES2NET_OK)
        return status;
    if (operation->pool_is_average != node->pool_is_average)
        return r2n_matching_refuse(c->m, operation, "%s pools by %s", node->name,
                                   node->pool_is_average ? "average" : "maximum");
    /* Where a pool without padding rounds down, maps of odd size do not fit the sum behind it; on
     * even ones it is the same. */
    if (operation->ceil_mode != node->ceil_mode && (operation->ceil_mode || node->padding != 0))
        return r2n_matching_refuse(c->m, operation, "it rounds its size %s, %s does not",
                                   operation->ceil_mode ? "up (ceil_mode)" : "down", node->name);
    if (node->pool_is_average && operation->count_padding != node->count_padding &&
        (node->padding != 0 || node->ceil_mode))
        return r2n_matching_refuse(c->m, operation,
                                   "its average %s the padding (count_include_pad %" PRId32
                                   ", exclusive %" PRId32 "); %s of %s family has the other",
                                   operation->count_padding ? "counts" : "leaves out",
                                   operation->count_padding, !operation->count_padding, node->name,
                                   family_text(c->ours->family));
    return RES2NET_OK;
}

/* Which side of a sum is which. */
static res2net_status compare_sum(comparison *c, const r2n_node *node,
                                  const r2n_foreign_operation *operation)
{
    const r2n_node_kind first = c->ours->nodes[node->inputs[0]].kind;
    r2n_foreign_operation turned = *operation;
    const r2n_foreign_operation *left = r2n_foreign_producer(c->m->graph, operation->inputs[0]);
    const int fits = first == R2N_NODE_SLICE ? left != NULL && left->kind == R2N_FOREIGN_SLICE
                                             : r2n_matching_is_main(c->m, operation->inputs[0]);
    if (!fits) {
        turned.inputs[0] = operation->inputs[1];
        turned.inputs[1] = operation->inputs[0];
        turned.scales[0] = operation->scales[1];
        turned.scales[1] = operation->scales[0];
    }
    return set_inputs(c, node, &turned);
}

static res2net_status compare_slice(comparison *c, const r2n_node *node,
                                    const r2n_foreign_operation *operation)
{
    if (operation->first_channel == node->first_channel && operation->channels == node->channels)
        return set_inputs(c, node, operation);
    return r2n_matching_refuse(c->m, operation,
                               "it takes %" PRId32 " channels from number %" PRId32
                               " on; %s takes %" PRId32 " from %" PRId32,
                               operation->channels, operation->first_channel, node->name,
                               node->channels, node->first_channel);
}

static r2n_foreign_kind kind_of(const r2n_node *node)
{
    switch (node->kind) {
    case R2N_NODE_CONVOLUTION:
        return R2N_FOREIGN_CONVOLUTION;
    case R2N_NODE_BATCH_NORM:
        return R2N_FOREIGN_BATCH_NORM;
    case R2N_NODE_RELU:
        return R2N_FOREIGN_RELU;
    case R2N_NODE_ADD:
        return R2N_FOREIGN_ADD;
    case R2N_NODE_SLICE:
        return R2N_FOREIGN_SLICE;
    case R2N_NODE_CONCAT:
        return R2N_FOREIGN_CONCAT;
    case R2N_NODE_POOL:
        return R2N_FOREIGN_POOL;
    case R2N_NODE_GLOBAL_POOL:
        return R2N_FOREIGN_GLOBAL_POOL;
    case R2N_NODE_INPUT:
    case R2N_NODE_LINEAR:
        break;
    }
    return R2N_FOREIGN_MULTIPLY;
}

/* The operation in a node's place, which is of its kind. */
static res2net_status compare_kinds(comparison *c, int32_t number,
                                    const r2n_foreign_operation **operation)
{
    const r2n_node *node = &c->ours->nodes[number];
    *operation = r2n_foreign_producer(c->m->graph, c->values[number]);
    if (*operation == NULL)
        return r2n_matching_refuse(c->m, NULL, "%s is %s, where %s was expected", node->name,
                                   c->values[number] == c->m->graph->input ? "the picture"
                                                                           : "computed by nothing",
                                   r2n_foreign_kind_name(kind_of(node)));
    const int folded =
        node->kind == R2N_NODE_BATCH_NORM && (*operation)->kind == R2N_FOREIGN_CONVOLUTION;
    if ((*operation)->kind == kind_of(node) || folded)
        return RES2NET_OK;
    return r2n_matching_refuse(c->m, *operation, "it is %s, where %s has %s",
                               r2n_foreign_kind_name((*operation)->kind), node->name,
                               r2n_foreign_kind_name(kind_of(node)));
}

static res2net_status compare_node(comparison *c, int32_t number)
{
    const r2n_node *node = &c->ours->nodes[number];
    const r2n_foreign_operation *operation;
    if (node->kind == R2N_NODE_INPUT)
        return c->values[number] == c->m->graph->input
                   ? RES2NET_OK
                   : r2n_matching_refuse(c->m, NULL,
                                         "its first convolution does not read the "
                                         "picture");
    res2net_status status = compare_kinds(c, number, &operation);
    if (status != RES2NET_OK)
        return status;
    c->m->found[number] = operation;
    switch (node->kind) {
    case R2N_NODE_BATCH_NORM:
        if (operation->kind == R2N_FOREIGN_CONVOLUTION) /* folded into it */
            return set_value(c, node->inputs[0], c->values[number], operation);
        break;
    case R2N_NODE_CONVOLUTION:
        status = compare_window(c, node, operation);
        break;
    case R2N_NODE_POOL:
        status = compare_pool(c, node, operation);
        break;
    case R2N_NODE_ADD:
        return compare_sum(c, node, operation);
    case R2N_NODE_SLICE:
        return compare_slice(c, node, operation);
    case R2N_NODE_CONCAT:
        if (operation->input_count != node->input_count)
            status = r2n_matching_refuse(c->m, operation,
                                         "it joins %" PRId32 " groups; %s joins %" PRId32,
                                         operation->input_count, node->name, node->input_count);
        break;
    default:
        break;
    }
    return status == RES2NET_OK ? set_inputs(c, node, operation) : status;
}

/* What lies between the global pool and the classifier computes nothing. */
static res2net_status compare_classifier(comparison *c)
{
    const int32_t last = c->ours->count - 1;
    const r2n_foreign_operation *operation = r2n_foreign_producer(c->m->graph, c->m->scores);
    const r2n_foreign_operation *reader = operation, *before;
    while ((before = r2n_foreign_producer(c->m->graph, reader->inputs[0])) != NULL &&
           before->kind == R2N_FOREIGN_RESHAPE)
        reader = before;
    c->m->found[last] = operation;
    const res2net_status status =
        set_value(c, c->ours->nodes[last].inputs[0], reader->inputs[0], operation);
    return status == RES2NET_OK ? r2n_matching_take_scale(c->m, c->ours, last, 0, reader, 0)
                                : status;
}

res2net_status r2n_matching_compare(r2n_matching *m, const r2n_graph *ours)
{
    comparison c = {.m = m, .ours = ours};
    c.values = r2n_allocate((size_t)ours->count, sizeof *c.values);
    if (c.values == NULL)
        return r2n_fail(m->graph->report, RES2NET_OUT_OF_MEMORY, m->graph->file, -1,
                        "no memory to compare the network");
    for (int32_t i = 0; i < ours->count; i++)
        c.values[i] = -1;
    res2net_status status = compare_classifier(&c);
    /* Takers come before what they take. */
    for (int32_t i = ours->count - 2; i >= 0 && status == RES2NET_OK; i--)
        status = compare_node(&c, i);
    r2n_free(c.values);
    return status;
}

/* ---- all ------------------------------------------------------------------------------------- */

static void count_uses(const r2n_matching *m)
{
    for (size_t i = 0; i < m->graph->operation_count; i++) {
        const r2n_foreign_operation *operation = &m->graph->operations[i];
        for (int32_t j = 0; j < operation->input_count; j++)
            if (operation->inputs[j] >= 0)
                m->uses[operation->inputs[j]]++;
    }
}

static res2net_status match(r2n_matching *m, r2n_graph **ours, r2n_imported *out)
{
    const r2n_foreign_graph *graph = m->graph;
    m->scores = graph->output;
    const r2n_foreign_operation *last = r2n_foreign_producer(graph, graph->output);
    if (last != NULL && last->kind == R2N_FOREIGN_SOFTMAX) {
        out->ends_in_softmax = 1;
        m->scores = last->inputs[0];
    }
    res2net_status status = r2n_matching_discover(m);
    if (status == RES2NET_OK)
        status = r2n_graph_create(&m->architecture, m->family, ours, graph->report);
    if (status != RES2NET_OK)
        return status;
    m->found = r2n_allocate_zeroed((size_t)(*ours)->count, sizeof *m->found);
    m->scales =
        graph->has_levels ? r2n_allocate_zeroed((size_t)(*ours)->count, sizeof *m->scales) : NULL;
    if (m->found == NULL || (graph->has_levels && m->scales == NULL))
        return r2n_fail(graph->report, RES2NET_OUT_OF_MEMORY, graph->file, -1,
                        "no memory to compare the network");
    status = r2n_matching_compare(m, *ours);
    if (m->scales != NULL)
        r2n_matching_finish_scales(m, *ours);
    if (status == RES2NET_OK)
        status = r2n_matching_take_tensors(m, *ours, &out->weights);
    if (status == RES2NET_OK && m->scales != NULL) {
        out->weights->metadata.activation_scales = m->scales;
        out->weights->metadata.activation_scale_count = (*ours)->count;
        m->scales = NULL;
    }
    return status;
}

/* The file's metadata go along; what it says of the architecture has been read off the graph. */
static res2net_status take_metadata(const r2n_matching *m, r2n_imported *out)
{
    r2n_weights_metadata *to = &out->weights->metadata;
    const r2n_weights_metadata *from = &m->graph->metadata;
    char **const places[] = {&to->recipe_json, &to->labels, &to->licence, &to->source,
                             &to->architecture};
    const char *const texts[] = {from->recipe_json, from->labels, from->licence, from->source,
                                 m->architecture.name};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        *places[i] = texts[i] == NULL ? NULL : r2n_copy_string(texts[i]);
        if (texts[i] != NULL && *places[i] == NULL)
            return r2n_fail(m->graph->report, RES2NET_OUT_OF_MEMORY, m->graph->file, -1,
                            "no memory for the file's metadata");
    }
    to->family = m->family;
    out->architecture = m->architecture;
    out->family = m->family;
    return RES2NET_OK;
}

res2net_status r2n_match(const r2n_foreign_graph *graph, r2n_imported *out)
{
    r2n_graph *ours = NULL;
    r2n_matching m = {.graph = graph};
    *out = (r2n_imported){.weights = NULL};
    m.uses = r2n_allocate_zeroed(graph->value_count, sizeof *m.uses);
    res2net_status status;
    if (m.uses == NULL) {
        status = r2n_fail(graph->report, RES2NET_OUT_OF_MEMORY, graph->file, -1,
                          "no memory to look through the graph");
    } else {
        count_uses(&m);
        status = match(&m, &ours, out);
    }
    if (status == RES2NET_OK)
        status = take_metadata(&m, out);
    r2n_graph_destroy(ours);
    r2n_free(m.uses);
    r2n_free(m.found);
    r2n_free(m.scales);
    if (status != RES2NET_OK)
        r2n_imported_free(out);
    return status;
}
