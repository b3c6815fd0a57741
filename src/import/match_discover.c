/* SPDX-License-Identifier: Apache-2.0 */
/* A walk from the scores back to the picture, which reads off the architecture: every value is
 * computed by one operation, so that nothing has to be searched. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "import/match_internal.h"

enum { MAXIMUM_BLOCKS = 4 * 99 };

typedef struct block {
    const r2n_foreign_operation *first, *last, *shortcut;    /* 1x1; shortcut NULL: none */
    const r2n_foreign_operation *middle[R2N_FOREIGN_INPUTS]; /* 3x3 */
    int32_t middle_count;
    int32_t has_groups; /* the middle is cut and joined */
    int32_t adds, pools_last;
    int32_t pooled_shortcut;
} block;

/* Names as the catalogue's, for the shapes of what was found. */
typedef struct shape_list {
    r2n_tensor_shape *shapes;
    char (*names)[R2N_NAME_BYTES];
    size_t count;
} shape_list;

typedef struct walk {
    r2n_matching *m;
    block *blocks; /* the last one first */
    size_t block_count;
    const r2n_foreign_operation *stem[3], *classifier;
    int32_t stem_count, stem_has_pool;
} walk;

/* ---- steps ----------------------------------------------------------------------------------- */

static const r2n_foreign_operation *producer(const walk *w, int32_t value)
{
    return r2n_foreign_producer(w->m->graph, value);
}

/* The operation below `value` where it is of this kind, else NULL. */
static const r2n_foreign_operation *below(const walk *w, int32_t value, r2n_foreign_kind kind)
{
    const r2n_foreign_operation *operation = producer(w, value);
    return operation != NULL && operation->kind == kind ? operation : NULL;
}

static res2net_status refuse_at(const walk *w, int32_t value, const char *expected)
{
    const r2n_foreign_operation *operation = producer(w, value);
    if (operation == NULL)
        return r2n_matching_refuse(w->m, NULL, "%s expected, but there is %s", expected,
                                   value == w->m->graph->input ? "the picture" : "nothing");
    return r2n_matching_refuse(w->m, operation, "%s expected in its place", expected);
}

/* ---- head ------------------------------------------------------------------------------------ */

static res2net_status walk_head(walk *w, int32_t *value)
{
    w->classifier = below(w, *value, R2N_FOREIGN_MULTIPLY);
    if (w->classifier == NULL)
        return refuse_at(w, *value, "the classifier's matrix product, which gives the scores, is");
    *value = w->classifier->inputs[0];
    while (below(w, *value, R2N_FOREIGN_RESHAPE) != NULL)
        *value = producer(w, *value)->inputs[0];
    const r2n_foreign_operation *pool = below(w, *value, R2N_FOREIGN_GLOBAL_POOL);
    if (pool == NULL)
        return refuse_at(w, *value, "before the classifier, a global average pool is");
    *value = pool->inputs[0];
    return RES2NET_OK;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* One group's 3x3 unit: ReLU, norm, convolution. */
static const r2n_foreign_operation *middle_of(const walk *w, int32_t value)
{
    const r2n_foreign_operation *relu = below(w, value, R2N_FOREIGN_RELU);
    return relu == NULL ? NULL : r2n_matching_unit(w->m, relu->inputs[0]);
}

/* The value that the groups are cut from; -1 after a refusal. */
static int32_t walk_groups(walk *w, const r2n_foreign_operation *concat, block *b)
{
    b->has_groups = 1;
    b->middle_count = concat->input_count - 1;
    for (int32_t g = 0; g < b->middle_count; g++) {
        b->middle[g] = middle_of(w, concat->inputs[g]);
        if (b->middle[g] == NULL) {
            (void)refuse_at(w, concat->inputs[g],
                            "a group of a Res2Net block (3x3 convolution and ReLU) is");
            return -1;
        }
        b->adds |= below(w, b->middle[g]->inputs[0], R2N_FOREIGN_ADD) != NULL;
    }
    int32_t last = concat->inputs[b->middle_count];
    const r2n_foreign_operation *pool = below(w, last, R2N_FOREIGN_POOL);
    b->pools_last = pool != NULL;
    if (pool != NULL)
        last = pool->inputs[0];
    const r2n_foreign_operation *slice = below(w, last, R2N_FOREIGN_SLICE);
    if (slice == NULL || b->middle_count < 1) {
        (void)refuse_at(w, last, "the last group of a Res2Net block, cut from its channels, is");
        return -1;
    }
    return slice->inputs[0];
}

/* From the block's last 1x1 convolution to its input. */
static res2net_status walk_main(walk *w, block *b, int32_t *value)
{
    int32_t inside = b->last->inputs[0];
    const r2n_foreign_operation *concat = below(w, inside, R2N_FOREIGN_CONCAT);
    if (concat != NULL) {
        inside = walk_groups(w, concat, b);
        if (inside < 0)
            return RES2NET_MISMATCH;
    } else {
        b->middle[0] = middle_of(w, inside);
        b->middle_count = 1;
        if (b->middle[0] == NULL)
            return refuse_at(w, inside, "a bottleneck's 3x3 convolution and ReLU is");
        inside = b->middle[0]->inputs[0];
    }
    b->first = middle_of(w, inside);
    if (b->first == NULL)
        return refuse_at(w, inside, "a block's first convolution (1x1) and ReLU is");
    *value = b->first->inputs[0];
    return RES2NET_OK;
}

static res2net_status walk_block(walk *w, const r2n_foreign_operation *sum, int32_t *value)
{
    block b = {.middle_count = 0};
    int32_t main_side = sum->inputs[0], other = sum->inputs[1];
    if (!r2n_matching_is_main(w->m, main_side)) {
        main_side = sum->inputs[1];
        other = sum->inputs[0];
    }
    if (!r2n_matching_is_main(w->m, main_side))
        return r2n_matching_refuse(w->m, sum,
                                   "neither side of this sum ends in a bottleneck's last "
                                   "convolution (1x1, after a concatenation or a ReLU)");
    if (w->block_count == MAXIMUM_BLOCKS)
        return r2n_matching_refuse(w->m, sum, "more than %d blocks", (int)MAXIMUM_BLOCKS);
    b.last = r2n_matching_unit(w->m, main_side);
    const res2net_status status = walk_main(w, &b, value);
    if (status != RES2NET_OK)
        return status;
    b.shortcut = r2n_matching_unit(w->m, other);
    if (b.shortcut == NULL && other != *value)
        return refuse_at(w, other, "a block's own input, or a shortcut convolution of it, is");
    b.pooled_shortcut = b.shortcut != NULL && b.shortcut->inputs[0] != *value;
    w->blocks[w->block_count++] = b;
    return RES2NET_OK;
}

static res2net_status walk_blocks(walk *w, int32_t *value)
{
    for (;;) {
        const r2n_foreign_operation *relu = below(w, *value, R2N_FOREIGN_RELU);
        const r2n_foreign_operation *sum =
            relu == NULL ? NULL : below(w, relu->inputs[0], R2N_FOREIGN_ADD);
        if (sum == NULL)
            break;
        const res2net_status status = walk_block(w, sum, value);
        if (status != RES2NET_OK)
            return status;
    }
    if (w->block_count == 0)
        return refuse_at(w, *value, "the last block's sum and ReLU is");
    return RES2NET_OK;
}

/* ---- stem ------------------------------------------------------------------------------------ */

static res2net_status walk_stem(walk *w, int32_t value)
{
    const r2n_foreign_operation *pool = below(w, value, R2N_FOREIGN_POOL);
    if (pool != NULL)
        value = pool->inputs[0];
    w->stem_has_pool = pool != NULL;
    while (value != w->m->graph->input) {
        const r2n_foreign_operation *unit = middle_of(w, value);
        if (unit == NULL || w->stem_count == 3)
            return refuse_at(w, value, "a stem of one or three convolutions with ReLU is");
        memmove(w->stem + 1, w->stem, 2 * sizeof w->stem[0]);
        w->stem[0] = unit;
        w->stem_count++;
        value = unit->inputs[0];
    }
    if (w->stem_count != 1 && w->stem_count != 3)
        return r2n_matching_refuse(w->m, NULL,
                                   "the stem has %" PRId32 " convolutions; 1 (7x7 or 3x3) or 3 "
                                   "(deep) are supported",
                                   w->stem_count);
    if (w->stem_has_pool != (w->stem_count == 3 || w->stem[0]->kernel == 7))
        return r2n_matching_refuse(w->m, w->stem[0],
                                   "a stem with this kernel and %s max pool behind it; the 7x7 "
                                   "and the deep stem have one, the 3x3 stem has none",
                                   w->stem_has_pool ? "a" : "no");
    return RES2NET_OK;
}

/* ---- the architecture ------------------------------------------------------------------------ */

static void put_shape(shape_list *list, const walk *w, const r2n_foreign_operation *operation,
                      const char *name)
{
    const r2n_foreign_value *weight = &w->m->graph->values[operation->inputs[1]];
    r2n_tensor_shape *shape = &list->shapes[list->count];
    char *kept = list->names[list->count++];
    snprintf(kept, R2N_NAME_BYTES, "%s.weight", name);
    *shape = (r2n_tensor_shape){.name = kept, .rank = weight->rank};
    memcpy(shape->shape, weight->shape, sizeof shape->shape);
    if (operation->kind == R2N_FOREIGN_MULTIPLY && !operation->transposed) {
        shape->shape[0] = weight->shape[1];
        shape->shape[1] = weight->shape[0];
    }
}

/* In a deep net a shortcut is called as if it had a pool, in stage 1 too. */
static const char *shortcut_name(const walk *w, const block *b, int32_t stage)
{
    const int pooled = b->pooled_shortcut || (w->stem_count == 3 && stage == 1);
    return pooled ? "downsample.1" : "downsample.0";
}

static void put_block(shape_list *list, const walk *w, const block *b, int32_t stage,
                      int32_t number)
{
    char place[48], name[R2N_NAME_BYTES - 8];
    snprintf(place, sizeof place, "layer%" PRId32 ".%" PRId32, stage, number);
    snprintf(name, sizeof name, "%s.conv1", place);
    put_shape(list, w, b->first, name);
    for (int32_t g = 0; g < b->middle_count; g++) {
        if (b->has_groups)
            snprintf(name, sizeof name, "%s.convs.%" PRId32, place, g);
        else
            snprintf(name, sizeof name, "%s.conv2", place);
        put_shape(list, w, b->middle[g], name);
    }
    snprintf(name, sizeof name, "%s.conv3", place);
    put_shape(list, w, b->last, name);
    if (b->shortcut == NULL)
        return;
    snprintf(name, sizeof name, "%s.%s", place, shortcut_name(w, b, stage));
    put_shape(list, w, b->shortcut, name);
}

static void put_all(shape_list *list, const walk *w)
{
    int32_t stage = 0, number = 0;
    if (w->stem_count == 3) {
        put_shape(list, w, w->stem[0], "conv1.0");
        put_shape(list, w, w->stem[1], "conv1.3");
        put_shape(list, w, w->stem[2], "conv1.6");
    } else {
        put_shape(list, w, w->stem[0], "conv1");
    }
    for (size_t i = w->block_count; i-- > 0;) {
        const block *b = &w->blocks[i];
        number = b->shortcut != NULL ? 0 : number + 1;
        stage += b->shortcut != NULL;
        put_block(list, w, b, stage, number);
    }
    put_shape(list, w, w->classifier, "fc");
}

static res2net_status name_architecture(walk *w)
{
    const size_t most = 8 + w->block_count * (R2N_FOREIGN_INPUTS + 3);
    const r2n_foreign_graph *graph = w->m->graph;
    shape_list list = {.shapes = r2n_allocate(most, sizeof *list.shapes),
                       .names = r2n_allocate(most, sizeof *list.names)};
    res2net_status status;
    if (list.shapes == NULL || list.names == NULL) {
        status = r2n_fail(graph->report, RES2NET_OUT_OF_MEMORY, graph->file, -1,
                          "no memory for the network's shapes");
    } else {
        put_all(&list, w);
        status = r2n_architecture_from_tensors(list.shapes, list.count, graph->file,
                                               &w->m->architecture, graph->report);
        if (status == RES2NET_MISMATCH)
            r2n_fail(graph->report, RES2NET_OK, graph->file, -1,
                     "note: the names are of places in the network, as PyTorch's code calls them");
    }
    r2n_free(list.shapes);
    r2n_free(list.names);
    return status;
}

/* The first block of stage 1 tells the families apart, by its adds and by its pool. Without groups
 * both families are one network. */
static res2net_status name_family(walk *w)
{
    const block *first = &w->blocks[w->block_count - 1];
    if (!first->has_groups)
        w->m->family = r2n_architecture_origin_family(&w->m->architecture);
    else
        w->m->family = first->pools_last ? R2N_FAMILY_TORCH : R2N_FAMILY_PADDLE;
    if (first->has_groups && first->pools_last && first->adds)
        return r2n_matching_refuse(
            w->m, first->last,
            "the first block before it both adds its groups up and pools the last one; Paddle's "
            "does the first, PyTorch's and timm's the second");
    return RES2NET_OK;
}

res2net_status r2n_matching_discover(r2n_matching *m)
{
    int32_t value = m->scores;
    walk w = {.m = m, .blocks = r2n_allocate(MAXIMUM_BLOCKS, sizeof *w.blocks)};
    if (w.blocks == NULL)
        return r2n_fail(m->graph->report, RES2NET_OUT_OF_MEMORY, m->graph->file, -1,
                        "no memory for the network's blocks");
    res2net_status status = walk_head(&w, &value);
    if (status == RES2NET_OK)
        status = walk_blocks(&w, &value);
    if (status == RES2NET_OK)
        status = walk_stem(&w, value);
    if (status == RES2NET_OK && w.blocks[w.block_count - 1].shortcut == NULL)
        status = r2n_matching_refuse(m, w.blocks[w.block_count - 1].last,
                                     "the first block, which ends here, has no convolution in its "
                                     "shortcut; every stage's first block has one");
    if (status == RES2NET_OK)
        status = name_architecture(&w);
    if (status == RES2NET_OK)
        status = name_family(&w);
    r2n_free(w.blocks);
    return status;
}
