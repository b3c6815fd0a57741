/* SPDX-License-Identifier: Apache-2.0 */
/* Mixup (Zhang and others 2017), Cutmix (Yun and others 2019), and one of both by chance. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/transforms_internal.h"

typedef enum batch_kind { MIXUP, CUTMIX, BATCH_KINDS } batch_kind;

typedef struct batch_op {
    double alpha;
    double probability; /* all of an entry's: at most 1 */
} batch_op;

/* One operator, or OpSampler's choice: nothing is done where none is drawn. */
typedef struct batch_entry {
    batch_op ops[BATCH_KINDS];
} batch_entry;

struct r2n_batch_transforms {
    batch_entry *entries;
    size_t count, capacity;
};

void r2n_batch_transforms_destroy(r2n_batch_transforms *transforms)
{
    if (transforms == NULL)
        return;
    r2n_free(transforms->entries);
    r2n_free(transforms);
}

/* ---- mixing ---- */

typedef struct batch {
    int32_t images, rows, columns, classes;
    float *pictures, *targets;
    int32_t *partners; /* [images] a permutation; below 0: done */
    float *saved;      /* a picture */
} batch;

/* What is mixed of each picture, from its partner: all of it by `share`, or a rectangle. */
typedef struct mixture {
    float own, other; /* of pictures (mixup) */
    int cut;
    r2n_box box;
    float own_target, other_target;
} mixture;

/* `to`, one picture, with its partner. Every step of a ring of partners reads what the next one has
 * not changed yet, but the last: that has the first one's as it was, in `saved`. */
static void mix_picture(const batch *b, const mixture *m, float *to, const float *partner)
{
    const size_t row = (size_t)b->columns * 3;
    if (m->cut) {
        for (int32_t y = m->box.y; y < m->box.y + m->box.height; y++) {
            const size_t at = (size_t)y * row + (size_t)m->box.x * 3;
            memcpy(to + at, partner + at, (size_t)m->box.width * 3 * sizeof *to);
        }
        return;
    }
    for (size_t i = 0; i < row * (size_t)b->rows; i++)
        to[i] = m->own * to[i] + m->other * partner[i];
}

/* The ring that `first` is in; targets value by value, for which no room is needed. */
static void mix_ring(const batch *b, const mixture *m, int32_t first)
{
    const size_t floats = (size_t)b->rows * (size_t)b->columns * 3, classes = (size_t)b->classes;
    memcpy(b->saved, b->pictures + (size_t)first * floats, floats * sizeof(float));
    for (int32_t i = first, next; i >= 0; i = next) {
        next = b->partners[i] == first ? -1 : b->partners[i];
        mix_picture(b, m, b->pictures + (size_t)i * floats,
                    next < 0 ? b->saved : b->pictures + (size_t)next * floats);
    }
    for (size_t c = 0; c < classes; c++) {
        const float saved = b->targets[(size_t)first * classes + c];
        for (int32_t i = first, next; i >= 0; i = next) {
            next = b->partners[i] == first ? -1 : b->partners[i];
            float *to = &b->targets[(size_t)i * classes + c];
            *to = m->own_target * *to +
                  m->other_target * (next < 0 ? saved : b->targets[(size_t)next * classes + c]);
        }
    }
    for (int32_t i = first, next; i >= 0; i = next) {
        next = b->partners[i] == first ? -1 : b->partners[i];
        b->partners[i] = -1;
    }
}

static void mix(const batch *b, const mixture *m, r2n_random *random)
{
    for (int32_t i = 0; i < b->images; i++)
        b->partners[i] = i;
    for (int32_t i = b->images - 1; i > 0; i--) {
        const int32_t j = (int32_t)r2n_random_below(random, i + 1), other = b->partners[j];
        b->partners[j] = b->partners[i];
        b->partners[i] = other;
    }
    for (int32_t i = 0; i < b->images; i++)
        if (b->partners[i] >= 0)
            mix_ring(b, m, i);
}

/* ---- what is drawn ---- */

/* A side of the rectangle: a share of `size` around a place anywhere, as far as it lies inside. */
static void cut_axis(double share, int32_t size, r2n_random *random, int32_t *start, int32_t *count)
{
    const int32_t half = (int32_t)(size * share) / 2;
    const int32_t centre = (int32_t)r2n_random_below(random, size);
    const int32_t end = centre + half < size ? centre + half : size;
    *start = centre > half ? centre - half : 0;
    *count = end - *start;
}

static mixture draw_mixture(const batch *b, batch_kind kind, double alpha, r2n_random *random)
{
    double share = r2n_random_beta(random, alpha);
    mixture m = {(float)share, (float)(1 - share), kind == CUTMIX, {0}, 0, 0};
    if (kind == CUTMIX) {
        const double side = sqrt(1 - share);
        cut_axis(side, b->columns, random, &m.box.x, &m.box.width);
        cut_axis(side, b->rows, random, &m.box.y, &m.box.height);
        share = 1 - (double)m.box.width * m.box.height / ((double)b->columns * b->rows);
    }
    m.own_target = (float)share;
    m.other_target = (float)(1 - share);
    return m;
}

/* BATCH_KINDS: none. */
static batch_kind draw_kind(const batch_entry *entry, r2n_random *random)
{
    double left = r2n_random_unit(random);
    for (batch_kind kind = MIXUP; kind < BATCH_KINDS; kind++) {
        left -= entry->ops[kind].probability;
        if (left < 0)
            return kind;
    }
    return BATCH_KINDS;
}

void r2n_batch_transforms_apply(const r2n_batch_transforms *transforms, r2n_random *random,
                                int32_t images, int32_t rows, int32_t columns, int32_t classes,
                                float *pictures, float *targets, float *room)
{
    /* `room` holds one picture, and behind it the partners: a float has the size of an int32_t, and
     * two pictures have room for one and two numbers. */
    const size_t floats = (size_t)rows * (size_t)columns * 3;
    const batch b = {
        images, rows, columns, classes, pictures, targets, (int32_t *)(void *)(room + floats),
        room};
    if (images < 2)
        return;
    for (size_t i = 0; i < transforms->count; i++) {
        const batch_entry *entry = &transforms->entries[i];
        const batch_kind kind = draw_kind(entry, random);
        if (kind == BATCH_KINDS)
            continue;
        const mixture m = draw_mixture(&b, kind, entry->ops[kind].alpha, random);
        mix(&b, &m, random);
    }
}

/* ---- reading ---- */

#ifdef R2N_HAVE_YAML

static const char *const kind_names[] = {"MixupOperator", "CutmixOperator", "OpSampler", NULL};
enum { SAMPLER = BATCH_KINDS };

static res2net_status find_kind(const r2n_yaml *yaml, const yaml_node_t *key, int last, int *kind)
{
    static const char *const not_built[] = {"FmixOperator", "MixupCutmixHybrid", NULL};
    for (*kind = 0; *kind <= last; ++*kind)
        if (r2n_yaml_is(key, kind_names[*kind]))
            return RES2NET_OK;
    for (int i = 0; not_built[i] != NULL; i++)
        if (r2n_yaml_is(key, not_built[i]))
            return r2n_yaml_fail(yaml, key, RES2NET_UNSUPPORTED,
                                 "PaddleClas' %s is not there: use MixupOperator, CutmixOperator "
                                 "or OpSampler with both",
                                 not_built[i]);
    return r2n_fail_operator(yaml, key, kind_names);
}

/* alpha, and inside OpSampler prob. */
static res2net_status read_op(const r2n_operator_source *source, int kind, int sampled,
                              batch_entry *entry)
{
    static const char *const alone[] = {"alpha", NULL}, *const both[] = {"alpha", "prob", NULL};
    batch_op *op = &entry->ops[kind];
    *op = (batch_op){.alpha = kind == MIXUP ? 1.0 : 0.2, .probability = 1};
    if (!r2n_yaml_is_null(source->arguments)) {
        if (source->arguments->type != YAML_MAPPING_NODE)
            return r2n_yaml_fail(source->yaml, source->arguments, RES2NET_INVALID_ARGUMENT,
                                 "%s's arguments are not \"key: value\" lines", source->name);
        const res2net_status status = r2n_yaml_check_keys(source->yaml, source->arguments,
                                                          source->name, sampled ? both : alone);
        if (status != RES2NET_OK)
            return status;
    }
    if (sampled && r2n_yaml_find(source->yaml, source->arguments, "prob") == NULL)
        return r2n_yaml_fail(source->yaml, source->key, RES2NET_INVALID_ARGUMENT,
                             "%s has no prob: how often is it to be taken, 0 to 1?", source->name);
    const res2net_status status = r2n_read_number(source, "alpha", 1e-3, 1e3, 0, &op->alpha);
    return status == RES2NET_OK ? r2n_read_number(source, "prob", 0, 1, 0, &op->probability)
                                : status;
}

static res2net_status read_sampler(const r2n_yaml *yaml, const yaml_node_t *key,
                                   const yaml_node_t *choices, batch_entry *entry)
{
    int seen[BATCH_KINDS] = {0};
    if (choices->type != YAML_MAPPING_NODE)
        return r2n_yaml_fail(yaml, key, RES2NET_INVALID_ARGUMENT,
                             "OpSampler has no operators, as in \"OpSampler: {MixupOperator: "
                             "{alpha: 0.8, prob: 0.5}, CutmixOperator: {alpha: 1.0, prob: 0.5}}\"");
    double sum = 0;
    for (const yaml_node_pair_t *pair = choices->data.mapping.pairs.start;
         pair < choices->data.mapping.pairs.top; pair++) {
        int kind;
        r2n_operator_source source = {.yaml = yaml,
                                      .key = r2n_yaml_node(yaml, pair->key),
                                      .arguments = r2n_yaml_node(yaml, pair->value)};
        res2net_status status = find_kind(yaml, source.key, SAMPLER - 1, &kind);
        if (status != RES2NET_OK)
            return status;
        source.name = kind_names[kind];
        if (seen[kind]++)
            return r2n_yaml_fail(yaml, source.key, RES2NET_INVALID_ARGUMENT, "%s comes twice",
                                 source.name);
        status = read_op(&source, kind, 1, entry);
        if (status != RES2NET_OK)
            return status;
        sum += entry->ops[kind].probability;
    }
    if (sum > 1 + 1e-9)
        return r2n_yaml_fail(yaml, key, RES2NET_INVALID_ARGUMENT,
                             "the prob of OpSampler's operators add up to %g: 1 is the most", sum);
    return RES2NET_OK;
}

static res2net_status read_batch_entry(const r2n_yaml *yaml, const yaml_node_t *item,
                                       batch_entry *entry)
{
    int kind;
    r2n_operator_source source = {.yaml = yaml};
    res2net_status status = r2n_read_entry(yaml, item, &source.key, &source.arguments);
    if (status == RES2NET_OK)
        status = find_kind(yaml, source.key, SAMPLER, &kind);
    if (status != RES2NET_OK)
        return status;
    if (kind == SAMPLER)
        return read_sampler(yaml, source.key, source.arguments, entry);
    source.name = kind_names[kind];
    return read_op(&source, kind, 0, entry);
}

static res2net_status read_batch_list(const r2n_yaml *yaml, const yaml_node_t *list,
                                      r2n_batch_transforms *t)
{
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top; item++) {
        batch_entry entry = {0};
        const yaml_node_t *node = r2n_yaml_node(yaml, *item);
        const res2net_status status = read_batch_entry(yaml, node, &entry);
        if (status != RES2NET_OK)
            return status;
        if (!r2n_grow((void **)&t->entries, &t->capacity, t->count + 1, sizeof *t->entries))
            return r2n_yaml_fail(yaml, node, RES2NET_OUT_OF_MEMORY, "no memory for an operator");
        t->entries[t->count++] = entry;
    }
    return RES2NET_OK;
}

res2net_status r2n_batch_transforms_parse(const r2n_yaml *yaml, const yaml_node_t *list,
                                          r2n_batch_transforms **out, res2net_report *report)
{
    *out = NULL;
    if (list->type != YAML_SEQUENCE_NODE)
        return r2n_yaml_fail(yaml, list, RES2NET_INVALID_ARGUMENT,
                             "no batch transforms here: a list of operators was expected");
    r2n_batch_transforms *t = r2n_allocate_zeroed(1, sizeof *t);
    if (t == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, yaml->name, -1, "no memory for transforms");
    const res2net_status status = read_batch_list(yaml, list, t);
    if (status == RES2NET_OK)
        *out = t;
    else
        r2n_batch_transforms_destroy(t);
    return status;
}

#endif
