/* SPDX-License-Identifier: Apache-2.0 */
/* An architecture of one family, written out node by node (spec/paddleclas.md 1.4 and 1.7). */
#include "model/graph.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* All nodes fit from the start (see node_limit), so adding one cannot fail. */
typedef struct builder {
    r2n_node *nodes;
    int32_t count, limit;
    int32_t stage, block; /* of the nodes added now; -1 in stem and head */
    char prefix[32];      /* of their names: "layer1.0." or "" */
} builder;

static int32_t node_limit(const r2n_architecture *a)
{
    const int32_t stem = 1 + 9 + 1; /* picture, three convolutions with norm and ReLU, pool */
    const int32_t head = 2;
    /* A group: slice, add, convolution, norm, ReLU. A block: two 1x1 units, pool, concat, shortcut,
     * add and ReLU. */
    const int32_t block = 5 * a->scale + 12;
    int32_t blocks = 0;
    for (int32_t s = 0; s < a->stages; s++)
        blocks += a->depths[s];
    return stem + blocks * block + head;
}

static r2n_node *add(builder *b, r2n_node_kind kind, int32_t input, int32_t channels,
                     const char *format, ...) RES2NET_PRINTF(5, 6);

/* A node with one input (-1: none); `format` makes its name within the block. */
static r2n_node *add(builder *b, r2n_node_kind kind, int32_t input, int32_t channels,
                     const char *format, ...)
{
    assert(b->count < b->limit);
    r2n_node *node = &b->nodes[b->count++];
    char tail[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(tail, sizeof tail, format, arguments);
    va_end(arguments);
    memset(node, 0, sizeof *node);
    node->kind = kind;
    node->inputs[0] = input;
    node->input_count = input < 0 ? 0 : 1;
    node->channels = channels;
    node->stride = 1;
    node->stage = b->stage;
    node->block = b->block;
    snprintf(node->name, sizeof node->name, "%s%s", b->prefix, tail);
    return node;
}

static int32_t channels_of(const builder *b, int32_t node)
{
    return b->nodes[node].channels;
}

static int32_t add_convolution(builder *b, int32_t x, int32_t channels, int32_t kernel,
                               int32_t stride, const char *name)
{
    r2n_node *node = add(b, R2N_NODE_CONVOLUTION, x, channels, "%s", name);
    node->kernel = kernel;
    node->stride = stride;
    node->padding = (kernel - 1) / 2;
    memcpy(node->tensor, node->name, sizeof node->tensor);
    return b->count - 1;
}

static int32_t add_batch_norm(builder *b, int32_t x, const char *name)
{
    r2n_node *node = add(b, R2N_NODE_BATCH_NORM, x, channels_of(b, x), "%s", name);
    memcpy(node->tensor, node->name, sizeof node->tensor);
    return b->count - 1;
}

static int32_t add_relu(builder *b, int32_t x, const char *name)
{
    (void)add(b, R2N_NODE_RELU, x, channels_of(b, x), "%s", name);
    return b->count - 1;
}

static int32_t add_sum(builder *b, int32_t x, int32_t y, const char *name)
{
    r2n_node *node = add(b, R2N_NODE_ADD, x, channels_of(b, x), "%s", name);
    node->inputs[1] = y;
    node->input_count = 2;
    return b->count - 1;
}

static r2n_node *add_pool(builder *b, int32_t x, int32_t kernel, int32_t stride, int32_t padding,
                          const char *name)
{
    r2n_node *node = add(b, R2N_NODE_POOL, x, channels_of(b, x), "%s", name);
    node->kernel = kernel;
    node->stride = stride;
    node->padding = padding;
    return node;
}

/* ---- stem ------------------------------------------------------------------------------------ */

static int32_t add_stem(builder *b, const r2n_architecture *a)
{
    const int32_t half = a->stem_channels / 2;
    (void)add(b, R2N_NODE_INPUT, -1, 3, "picture");
    int32_t x = b->count - 1;
    if (a->stem == R2N_STEM_DEEP) {
        x = add_convolution(b, x, half, 3, 2, "conv1.0");
        x = add_relu(b, add_batch_norm(b, x, "conv1.1"), "conv1.2");
        x = add_convolution(b, x, half, 3, 1, "conv1.3");
        x = add_relu(b, add_batch_norm(b, x, "conv1.4"), "conv1.5");
        x = add_convolution(b, x, a->stem_channels, 3, 1, "conv1.6");
    } else if (a->stem == R2N_STEM_7X7) {
        x = add_convolution(b, x, a->stem_channels, 7, 2, "conv1");
    } else {
        x = add_convolution(b, x, a->stem_channels, 3, 1, "conv1");
    }
    x = add_relu(b, add_batch_norm(b, x, "bn1"), "relu");
    if (a->stem == R2N_STEM_3X3)
        return x;
    (void)add_pool(b, x, 3, 2, 1, "maxpool");
    return b->count - 1;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

typedef struct block_rule {
    int32_t width, scale, outputs, stride;
    int32_t is_first;       /* has a shortcut layer */
    int32_t is_stage_block; /* no hierarchical adds; the last group is pooled */
    int32_t count_padding;  /* the divisor of that pool */
    int32_t pooled_shortcut;
} block_rule;

/* The groups of `x`, each through its 3x3, joined again. */
static int32_t add_groups(builder *b, const block_rule *rule, int32_t x)
{
    int32_t results[R2N_NODE_INPUTS];
    char name[24];
    for (int32_t g = 0; g < rule->scale; g++) {
        r2n_node *slice = add(b, R2N_NODE_SLICE, x, rule->width, "split.%" PRId32, g);
        slice->first_channel = g * rule->width;
        int32_t y = b->count - 1;
        if (g == rule->scale - 1) {
            if (rule->is_stage_block) {
                r2n_node *pool = add_pool(b, y, 3, rule->stride, 1, "pool");
                pool->pool_is_average = 1;
                pool->count_padding = rule->count_padding;
            }
            results[g] = b->count - 1;
            break;
        }
        if (g > 0 && !rule->is_stage_block) {
            snprintf(name, sizeof name, "adds.%" PRId32, g);
            y = add_sum(b, y, results[g - 1], name);
        }
        snprintf(name, sizeof name, "convs.%" PRId32, g);
        y = add_convolution(b, y, rule->width, 3, rule->stride, name);
        snprintf(name, sizeof name, "bns.%" PRId32, g);
        y = add_batch_norm(b, y, name);
        snprintf(name, sizeof name, "relus.%" PRId32, g);
        results[g] = add_relu(b, y, name);
    }
    r2n_node *concat = add(b, R2N_NODE_CONCAT, results[0], rule->width * rule->scale, "concat");
    memcpy(concat->inputs, results, (size_t)rule->scale * sizeof(results[0]));
    concat->input_count = rule->scale;
    return b->count - 1;
}

static int32_t add_shortcut(builder *b, const block_rule *rule, int32_t x)
{
    if (!rule->is_first)
        return x;
    if (!rule->pooled_shortcut) {
        x = add_convolution(b, x, rule->outputs, 1, rule->stride, "downsample.0");
        return add_batch_norm(b, x, "downsample.1");
    }
    if (rule->stride == 2) {
        r2n_node *pool = add_pool(b, x, 2, 2, 0, "downsample.0");
        pool->pool_is_average = 1;
        pool->ceil_mode = 1;
        x = b->count - 1;
    }
    x = add_convolution(b, x, rule->outputs, 1, 1, "downsample.1");
    return add_batch_norm(b, x, "downsample.2");
}

static int32_t add_block(builder *b, const block_rule *rule, int32_t x)
{
    int32_t y = add_convolution(b, x, rule->width * rule->scale, 1, 1, "conv1");
    y = add_relu(b, add_batch_norm(b, y, "bn1"), "relu1");
    if (rule->scale > 1) {
        y = add_groups(b, rule, y);
    } else {
        y = add_convolution(b, y, rule->width, 3, rule->stride, "conv2");
        y = add_relu(b, add_batch_norm(b, y, "bn2"), "relu2");
    }
    y = add_convolution(b, y, rule->outputs, 1, 1, "conv3");
    y = add_batch_norm(b, y, "bn3");
    y = add_sum(b, y, add_shortcut(b, rule, x), "add");
    return add_relu(b, y, "relu");
}

static int32_t add_stage(builder *b, const r2n_architecture *a, r2n_family family, int32_t stage,
                         int32_t x)
{
    for (int32_t block = 0; block < a->depths[stage]; block++) {
        block_rule rule = {.width = r2n_group_width(a, stage),
                           .scale = a->scale,
                           .outputs = 4 * r2n_stage_planes(a, stage),
                           .stride = block == 0 && stage > 0 ? 2 : 1,
                           .is_first = block == 0,
                           .count_padding = family == R2N_FAMILY_TORCH,
                           .pooled_shortcut = a->pooled_shortcut};
        /* The one structural difference of the families: the first block of stage 1. */
        rule.is_stage_block = family == R2N_FAMILY_TORCH ? rule.is_first : rule.stride == 2;
        b->stage = stage;
        b->block = block;
        snprintf(b->prefix, sizeof b->prefix, "layer%" PRId32 ".%" PRId32 ".", stage + 1, block);
        x = add_block(b, &rule, x);
    }
    return x;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void add_head(builder *b, const r2n_architecture *a, int32_t x)
{
    (void)add(b, R2N_NODE_GLOBAL_POOL, x, channels_of(b, x), "avgpool");
    r2n_node *linear = add(b, R2N_NODE_LINEAR, b->count - 1, a->classes, "fc");
    memcpy(linear->tensor, linear->name, sizeof linear->tensor);
}

static void enter_stem_or_head(builder *b)
{
    b->stage = -1;
    b->block = -1;
    b->prefix[0] = '\0';
}

res2net_status r2n_graph_create(const r2n_architecture *architecture, r2n_family family,
                                r2n_graph **out, res2net_report *report)
{
    *out = NULL;
    if (family != R2N_FAMILY_PADDLE && family != R2N_FAMILY_TORCH)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a network is of Paddle's or of torch's family; say which");
    const res2net_status status = r2n_architecture_validate(architecture, NULL, report);
    if (status != RES2NET_OK)
        return status;
    builder b = {.limit = node_limit(architecture)};
    b.nodes = r2n_allocate((size_t)b.limit, sizeof(*b.nodes));
    r2n_graph *graph = b.nodes == NULL ? NULL : r2n_allocate_zeroed(1, sizeof(*graph));
    if (graph == NULL) {
        r2n_free(b.nodes);
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                        "no memory for the %" PRId32 " nodes of a network", b.limit);
    }
    enter_stem_or_head(&b);
    int32_t x = add_stem(&b, architecture);
    for (int32_t stage = 0; stage < architecture->stages; stage++)
        x = add_stage(&b, architecture, family, stage, x);
    enter_stem_or_head(&b);
    add_head(&b, architecture, x);
    graph->architecture = *architecture;
    graph->family = family;
    graph->count = b.count;
    graph->nodes = b.nodes;
    *out = graph;
    return RES2NET_OK;
}

void r2n_graph_destroy(r2n_graph *graph)
{
    if (graph == NULL)
        return;
    r2n_free(graph->nodes);
    r2n_free(graph);
}
