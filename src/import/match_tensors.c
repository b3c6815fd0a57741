/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors of a matched graph: canonical names, order and layout, in float. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "import/match_internal.h"

static const double EPSILON = 1e-5; /* of every batch norm of ours */

typedef struct taker {
    const r2n_matching *m;
    const r2n_graph *ours;
    const r2n_tensor_spec *specs;
    size_t spec_count, next;
    r2n_tensor_set *set;
} taker;

static const r2n_foreign_value *constant(const taker *t, int32_t value)
{
    return &t->m->graph->values[value];
}

static res2net_status no_memory(const taker *t)
{
    return r2n_fail(t->m->graph->report, RES2NET_OUT_OF_MEMORY, t->m->graph->file, -1,
                    "no memory for the tensors");
}

/* The next tensor of the architecture, of the node `node` and called `.what`; NULL without memory.
 * Both lists are in the order of running. */
static float *next_tensor(taker *t, const r2n_node *node, const char *what)
{
    const r2n_tensor_spec *spec = &t->specs[t->next];
    const size_t prefix = strlen(node->tensor);
    if (t->next >= t->spec_count || strncmp(spec->name, node->tensor, prefix) != 0 ||
        strcmp(spec->name + prefix, what) != 0)
        return NULL;
    t->next++;
    return r2n_tensor_set_add(t->set, spec->name, spec->rank, spec->shape);
}

static int64_t count_of(const r2n_tensor_spec *spec)
{
    int64_t count = 1;
    for (int32_t i = 0; i < spec->rank; i++)
        count *= spec->shape[i];
    return count;
}

/* A file as large as the tensors need not stay in memory beside them. */
static void widen(const taker *t, const r2n_foreign_value *value, float *to)
{
    r2n_elements_widen(value->type, 0, value->data, value->count, to);
    r2n_file_forget(&t->m->graph->pages, value->data,
                    (size_t)value->count * r2n_element_bytes(value->type));
}

/* Levels [shape[0]][inputs][what is left] as numbers. */
static void widen_levels(const taker *t, const r2n_foreign_value *value, const r2n_node *node,
                         float *to)
{
    const r2n_foreign_value *worth = constant(t, value->worth);
    const int64_t inputs = value->shape[1], taps = value->count / value->shape[0] / inputs;
    const size_t bytes = r2n_element_bytes(worth->type);
    const uint8_t *level = value->data;
    for (int64_t n = 0; n < value->shape[0]; n++) {
        const float scale = r2n_element_read(worth->type, 0, worth->data + (size_t)n * bytes);
        for (int64_t c = 0; c < inputs; c++) {
            const float factor =
                scale * r2n_matching_channel_factor(t->m, t->ours, node, (int32_t)c);
            for (int64_t i = 0; i < taps; i++, level++)
                *to++ = (float)(*level < 128 ? *level : *level - 256) * factor;
        }
    }
    r2n_file_forget(&t->m->graph->pages, value->data, (size_t)value->count);
}

static void widen_weights(const taker *t, const r2n_foreign_value *value, const r2n_node *node,
                          float *to)
{
    if (value->worth >= 0)
        widen_levels(t, value, node, to);
    else
        widen(t, value, to);
}

/* ---- one node -------------------------------------------------------------------------------- */

static res2net_status take_convolution(taker *t, const r2n_node *node,
                                       const r2n_foreign_operation *operation)
{
    const r2n_foreign_value *weight = constant(t, operation->inputs[1]);
    const r2n_tensor_spec *spec = &t->specs[t->next];
    if (memcmp(weight->shape, spec->shape, sizeof weight->shape) != 0)
        return r2n_matching_refuse(
            t->m, operation,
            "its weight is %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64 "; %s is %" PRId64
            " x %" PRId64 " x %" PRId64 " x %" PRId64,
            weight->shape[0], weight->shape[1], weight->shape[2], weight->shape[3], spec->name,
            spec->shape[0], spec->shape[1], spec->shape[2], spec->shape[3]);
    float *to = next_tensor(t, node, ".weight");
    if (to == NULL)
        return no_memory(t);
    widen_weights(t, weight, node, to);
    return RES2NET_OK;
}

typedef struct norm {
    float *scale, *offset, *mean, *variance;
} norm;

/* The norm that a folded one has become: y = x + bias. */
static void fill_folded(const taker *t, const norm *n, int64_t channels,
                        const r2n_foreign_operation *convolution)
{
    for (int64_t i = 0; i < channels; i++) {
        n->scale[i] = 1;
        n->variance[i] = (float)(1 - EPSILON);
    }
    if (convolution->input_count == 3)
        widen(t, constant(t, convolution->inputs[2]), n->offset);
}

/* Another epsilon goes into the scale; the convolution's bias into the mean. */
static res2net_status fill_norm(const taker *t, const norm *n, int64_t channels,
                                const r2n_foreign_operation *operation)
{
    const r2n_foreign_operation *convolution =
        r2n_foreign_producer(t->m->graph, operation->inputs[0]);
    float *const places[] = {n->scale, n->offset, n->mean, n->variance};
    for (int i = 0; i < 4; i++)
        widen(t, constant(t, operation->inputs[i + 1]), places[i]);
    if (fabs(operation->epsilon - EPSILON) > 1e-9)
        for (int64_t i = 0; i < channels; i++)
            n->scale[i] = (float)(n->scale[i] * sqrt(n->variance[i] + EPSILON) /
                                  sqrt(n->variance[i] + operation->epsilon));
    if (convolution == NULL || convolution->input_count != 3)
        return RES2NET_OK;
    float *bias = r2n_allocate((size_t)channels, sizeof *bias);
    if (bias == NULL)
        return no_memory(t);
    widen(t, constant(t, convolution->inputs[2]), bias);
    for (int64_t i = 0; i < channels; i++)
        n->mean[i] -= bias[i];
    r2n_free(bias);
    return RES2NET_OK;
}

static res2net_status take_norm(taker *t, const r2n_node *node,
                                const r2n_foreign_operation *operation)
{
    const int64_t channels = node->channels;
    const int folded = operation->kind == R2N_FOREIGN_CONVOLUTION;
    norm n;
    if (!folded)
        for (int i = 1; i < 5; i++)
            if (constant(t, operation->inputs[i])->count != channels)
                return r2n_matching_refuse(
                    t->m, operation, "it is for %" PRId64 " channels; %s has %" PRId64,
                    constant(t, operation->inputs[i])->count, node->name, channels);
    n.scale = next_tensor(t, node, ".weight");
    n.offset = next_tensor(t, node, ".bias");
    n.mean = next_tensor(t, node, ".running_mean");
    n.variance = next_tensor(t, node, ".running_var");
    if (n.scale == NULL || n.offset == NULL || n.mean == NULL || n.variance == NULL)
        return no_memory(t);
    if (!folded)
        return fill_norm(t, &n, channels, operation);
    fill_folded(t, &n, channels, operation);
    return RES2NET_OK;
}

static void turn(const r2n_foreign_value *matrix, int64_t classes, int64_t features, float *to)
{
    const size_t bytes = r2n_element_bytes(matrix->type);
    for (int64_t c = 0; c < classes; c++)
        for (int64_t f = 0; f < features; f++)
            to[c * features + f] =
                r2n_element_read(matrix->type, 0, matrix->data + (size_t)(f * classes + c) * bytes);
}

/* [classes][features], whichever way it is stored. */
static res2net_status take_classifier(taker *t, const r2n_node *node,
                                      const r2n_foreign_operation *operation)
{
    const r2n_foreign_value *matrix = constant(t, operation->inputs[1]);
    const r2n_tensor_spec *spec = &t->specs[t->next];
    const int64_t classes = spec->shape[0], features = spec->shape[1];
    /* As its shape says, and as its data lie. */
    const int by_class = (operation->transposed != 0) != (matrix->transposed != 0);
    if (matrix->shape[operation->transposed ? 0 : 1] != classes ||
        matrix->shape[operation->transposed ? 1 : 0] != features)
        return r2n_matching_refuse(t->m, operation, "its matrix is not for %" PRId64 " features",
                                   features);
    float *to = next_tensor(t, node, ".weight");
    float *bias = next_tensor(t, node, ".bias");
    if (to == NULL || bias == NULL)
        return no_memory(t);
    if (by_class)
        widen_weights(t, matrix, node, to);
    else
        turn(matrix, classes, features, to);
    if (operation->input_count == 3)
        widen(t, constant(t, operation->inputs[2]), bias);
    return RES2NET_OK;
}

/* ---- all ------------------------------------------------------------------------------------- */

/* A constant may be shared; but tensors many times larger than the file are an attack on memory. */
static res2net_status check_budget(const taker *t)
{
    enum { BUDGET_PER_BYTE = 4, FREE = 1 << 20 };
    uint64_t bytes = 0;
    for (size_t i = 0; i < t->spec_count; i++)
        bytes += (uint64_t)count_of(&t->specs[i]) * sizeof(float);
    if (bytes <= t->m->graph->weight_bytes * BUDGET_PER_BYTE + FREE)
        return RES2NET_OK;
    return r2n_fail(t->m->graph->report, RES2NET_LIMIT_EXCEEDED, t->m->graph->file, -1,
                    "the tensors are many times larger than the file that holds them");
}

static res2net_status take_all(taker *t)
{
    res2net_status status = check_budget(t);
    t->set = status == RES2NET_OK ? r2n_tensor_set_create() : NULL;
    if (status == RES2NET_OK && t->set == NULL)
        status = no_memory(t);
    for (int32_t i = 0; i < t->ours->count && status == RES2NET_OK; i++) {
        const r2n_node *node = &t->ours->nodes[i];
        if (node->kind == R2N_NODE_CONVOLUTION)
            status = take_convolution(t, node, t->m->found[i]);
        else if (node->kind == R2N_NODE_BATCH_NORM)
            status = take_norm(t, node, t->m->found[i]);
        else if (node->kind == R2N_NODE_LINEAR)
            status = take_classifier(t, node, t->m->found[i]);
    }
    return status;
}

res2net_status r2n_matching_take_tensors(const r2n_matching *m, const r2n_graph *ours,
                                         r2n_tensor_set **out)
{
    taker t = {.m = m, .ours = ours};
    r2n_tensor_spec *specs = r2n_architecture_tensors(&ours->architecture, &t.spec_count);
    *out = NULL;
    if (specs == NULL)
        return no_memory(&t);
    t.specs = specs;
    const res2net_status status = take_all(&t);
    r2n_free(specs);
    if (status == RES2NET_OK)
        *out = t.set;
    else
        r2n_tensor_set_destroy(t.set);
    return status;
}
