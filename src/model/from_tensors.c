/* SPDX-License-Identifier: Apache-2.0 */
/* A file's tensor names and shapes -> the architecture they belong to, or why they are none. */
#include "model/catalogue_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The convolutions that tell an architecture. FIRST to SHORTCUT are looked at in the first block of
 * every stage. */
typedef enum unit {
    UNIT_STEM,       /* 7x7 or 3x3 */
    UNIT_DEEP_FIRST, /* a deep stem's first and last */
    UNIT_DEEP_LAST,
    UNIT_CLASSIFIER,
    UNIT_FIRST,  /* 1x1 */
    UNIT_GROUP,  /* 3x3 number 0 of several groups */
    UNIT_SINGLE, /* the only 3x3: scale 1 */
    UNIT_LAST,   /* 1x1 */
    UNIT_SHORTCUT,
    UNIT_POOLED_SHORTCUT, /* torch names tell the two apart */
    UNITS,
    UNIT_NONE = UNITS
} unit;

typedef struct place {
    unit unit;
    int32_t stage, block, group;
} place;

typedef struct network {
    r2n_family family;
    const char *file;
    res2net_report *report;
    const r2n_tensor_shape *found[UNITS][R2N_MAXIMUM_STAGES];
    int32_t depths[R2N_MAXIMUM_STAGES];
    int32_t stages, groups; /* groups: 3x3 convolutions of a block */
    const char *attention;  /* a squeeze-and-excitation tensor */
} network;

/* ---- names to places ------------------------------------------------------------------------- */

static const char *after(const char *text, const char *prefix)
{
    const size_t length = strlen(prefix);
    return text != NULL && strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* Takes a number of at most 4 digits; NULL where there is none. */
static const char *take_number(const char *text, int32_t *value)
{
    int digits = 0;
    *value = 0;
    while (text != NULL && *text >= '0' && *text <= '9' && digits++ < 4)
        *value = *value * 10 + (*text++ - '0');
    return digits == 0 ? NULL : text;
}

static int same(const char *text, const char *other)
{
    return text != NULL && strcmp(text, other) == 0;
}

/* "layer1.0." -> its rest. */
static const char *torch_block(const char *name, place *at)
{
    const char *rest = after(take_number(after(name, "layer"), &at->stage), ".");
    at->stage--;
    return after(take_number(rest, &at->block), ".");
}

/* "bb_0_0." -> its rest. */
static const char *paddle_block(const char *name, place *at)
{
    const char *rest = after(take_number(after(name, "bb_"), &at->stage), "_");
    return after(take_number(rest, &at->block), ".");
}

static unit torch_unit(const r2n_tensor_shape *tensor, place *at)
{
    const char *rest = torch_block(tensor->name, at);
    if (rest == NULL)
        return same(tensor->name, "conv1.weight")     ? UNIT_STEM
               : same(tensor->name, "conv1.0.weight") ? UNIT_DEEP_FIRST
               : same(tensor->name, "conv1.6.weight") ? UNIT_DEEP_LAST
               : same(tensor->name, "fc.weight")      ? UNIT_CLASSIFIER
                                                      : UNIT_NONE;
    if (same(take_number(after(rest, "convs."), &at->group), ".weight"))
        return UNIT_GROUP;
    if (same(rest, "downsample.1.weight"))
        return tensor->rank == 4 ? UNIT_POOLED_SHORTCUT : UNIT_NONE;
    return same(rest, "conv1.weight")          ? UNIT_FIRST
           : same(rest, "conv2.weight")        ? UNIT_SINGLE
           : same(rest, "conv3.weight")        ? UNIT_LAST
           : same(rest, "downsample.0.weight") ? UNIT_SHORTCUT
                                               : UNIT_NONE;
}

static unit paddle_unit(const r2n_tensor_shape *tensor, place *at)
{
    const char *rest = paddle_block(tensor->name, at);
    if (rest == NULL)
        return same(tensor->name, "conv1._conv.weight")     ? UNIT_STEM
               : same(tensor->name, "conv1_1._conv.weight") ? UNIT_DEEP_FIRST
               : same(tensor->name, "conv1_3._conv.weight") ? UNIT_DEEP_LAST
               : same(tensor->name, "out.weight")           ? UNIT_CLASSIFIER
                                                            : UNIT_NONE;
    const char *branch = strstr(rest, "_branch2b_");
    if (branch != NULL &&
        same(take_number(after(branch, "_branch2b_"), &at->group), "._conv.weight")) {
        at->group--;
        return at->group >= 0 ? UNIT_GROUP : UNIT_NONE;
    }
    return same(rest, "conv0._conv.weight")   ? UNIT_FIRST
           : same(rest, "conv1._conv.weight") ? UNIT_SINGLE
           : same(rest, "conv2._conv.weight") ? UNIT_LAST
           : same(rest, "short._conv.weight") ? UNIT_SHORTCUT
                                              : UNIT_NONE;
}

r2n_family r2n_family_from_names(const r2n_tensor_shape *tensors, size_t count)
{
    size_t torch = 0;
    size_t paddle = 0;
    for (size_t i = 0; i < count; i++) {
        place at;
        torch += torch_block(tensors[i].name, &at) != NULL;
        paddle += paddle_block(tensors[i].name, &at) != NULL;
    }
    if (torch > 0 && paddle == 0)
        return R2N_FAMILY_TORCH;
    return paddle > 0 && torch == 0 ? R2N_FAMILY_PADDLE : R2N_FAMILY_UNKNOWN;
}

/* The name that a tensor of the first block of `stage` should have. */
static const char *expected_name(const network *n, unit u, int32_t stage, char *out, size_t size)
{
    static const char *const torch[UNITS] = {
        "conv1.weight",        "conv1.0.weight",     "conv1.6.weight", "fc.weight",
        "conv1.weight",        "convs.0.weight",     "conv2.weight",   "conv3.weight",
        "downsample.0.weight", "downsample.1.weight"};
    static const char *const paddle[UNITS] = {
        "conv1._conv.weight", "conv1_1._conv.weight", "conv1_3._conv.weight",
        "out.weight",         "conv0._conv.weight",   "res..._branch2b_1._conv.weight",
        "conv1._conv.weight", "conv2._conv.weight",   "short._conv.weight",
        "short._conv.weight"};
    if (u < UNIT_FIRST)
        snprintf(out, size, "%s", n->family == R2N_FAMILY_TORCH ? torch[u] : paddle[u]);
    else if (n->family == R2N_FAMILY_TORCH)
        snprintf(out, size, "layer%" PRId32 ".0.%s", stage + 1, torch[u]);
    else
        snprintf(out, size, "bb_%" PRId32 "_0.%s", stage, paddle[u]);
    return out;
}

/* ---- collecting ------------------------------------------------------------------------------ */

static res2net_status collect_one(network *n, const r2n_tensor_shape *tensor)
{
    place at = {.stage = 0, .block = 0, .group = 0};
    const unit u =
        n->family == R2N_FAMILY_TORCH ? torch_unit(tensor, &at) : paddle_unit(tensor, &at);
    if (strstr(tensor->name, ".se.") != NULL)
        n->attention = tensor->name;
    if (u == UNIT_NONE)
        return RES2NET_OK;
    if (u < UNIT_FIRST) {
        n->found[u][0] = tensor;
        return RES2NET_OK;
    }
    if (at.stage < 0 || at.stage >= R2N_MAXIMUM_STAGES || at.block >= R2N_MAXIMUM_DEPTH ||
        at.group >= R2N_MAXIMUM_SCALE - 1)
        return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                        "%.200s: at most %d stages of %d blocks with %d groups are supported",
                        tensor->name, R2N_MAXIMUM_STAGES, R2N_MAXIMUM_DEPTH, R2N_MAXIMUM_SCALE);
    if (at.block >= n->depths[at.stage])
        n->depths[at.stage] = at.block + 1;
    if (at.stage >= n->stages)
        n->stages = at.stage + 1;
    if (u == UNIT_GROUP && at.group >= n->groups)
        n->groups = at.group + 1;
    if (at.block == 0 && at.group == 0)
        n->found[u][at.stage] = tensor;
    return RES2NET_OK;
}

static res2net_status no_network(const network *n, const r2n_tensor_shape *tensors, size_t count)
{
    if (count == 0)
        return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1, "the file holds no tensor");
    for (size_t i = 0; i < count; i++) {
        place at;
        if (torch_block(tensors[i].name, &at) != NULL)
            return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                            "some tensors are called like PaddleClas', some like torch's "
                            "(%.200s): it must be one of the two",
                            tensors[i].name);
    }
    return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                    "no tensor is called like layer1.0.conv1.weight (torch, timm) or "
                    "bb_0_0.conv0._conv.weight (PaddleClas): not a Res2Net; the first of the "
                    "file's %zu tensors is \"%.200s\"",
                    count, tensors[0].name);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static res2net_status missing(const network *n, unit u, int32_t stage, const char *why)
{
    char name[R2N_NAME_BYTES];
    return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1, "no tensor %s: %s",
                    expected_name(n, u, stage, name, sizeof name), why);
}

/* A convolution with inputs (0: any) and kernel (0: any), and sizes that an int32_t holds. */
static res2net_status check_convolution(const network *n, const r2n_tensor_shape *tensor,
                                        int64_t inputs, int64_t kernel)
{
    const int64_t *s = tensor->shape;
    if (tensor->rank != 4)
        return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                        "%.200s has %" PRId32 " dimensions; a convolution has 4", tensor->name,
                        tensor->rank);
    if (s[0] < 1 || s[0] > R2N_MAXIMUM_CHANNELS || s[1] < 1 || s[1] > R2N_MAXIMUM_CHANNELS ||
        s[2] != s[3] || (kernel > 0 && s[2] != kernel) || (inputs > 0 && s[1] != inputs)) {
        char wanted[48] = "n x k x k";
        if (inputs > 0 && kernel > 0)
            snprintf(wanted, sizeof wanted, "%" PRId64 " x %" PRId64 " x %" PRId64, inputs, kernel,
                     kernel);
        else if (inputs > 0)
            snprintf(wanted, sizeof wanted, "%" PRId64 " x k x k", inputs);
        else if (kernel > 0)
            snprintf(wanted, sizeof wanted, "n x %" PRId64 " x %" PRId64, kernel, kernel);
        return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                        "%.200s is %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                        "; expected m x %s, at most %d channels",
                        tensor->name, s[0], s[1], s[2], s[3], wanted, R2N_MAXIMUM_CHANNELS);
    }
    return RES2NET_OK;
}

static res2net_status read_stem(const network *n, r2n_architecture *a)
{
    const r2n_tensor_shape *stem = n->found[UNIT_STEM][0];
    const r2n_tensor_shape *first = n->found[UNIT_DEEP_FIRST][0];
    const r2n_tensor_shape *last = n->found[UNIT_DEEP_LAST][0];
    res2net_status status;
    if (stem == NULL && first == NULL)
        return missing(n, UNIT_STEM, 0, "not a Res2Net");
    if (first == NULL) {
        status = check_convolution(n, stem, 3, 0);
        if (status == RES2NET_OK && stem->shape[2] != 7 && stem->shape[2] != 3)
            status = r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                              "%.200s has a kernel of %" PRId64 "; a stem's is 7 or 3", stem->name,
                              stem->shape[2]);
        if (status == RES2NET_OK) {
            a->stem = stem->shape[2] == 7 ? R2N_STEM_7X7 : R2N_STEM_3X3;
            a->stem_channels = (int32_t)stem->shape[0];
        }
        return status;
    }
    if (last == NULL)
        return missing(n, UNIT_DEEP_LAST, 0, "a deep stem has three convolutions");
    status = check_convolution(n, first, 3, 3);
    if (status == RES2NET_OK)
        status = check_convolution(n, last, first->shape[0], 3);
    if (status == RES2NET_OK && last->shape[0] != 2 * first->shape[0])
        status = r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                          "the deep stem goes from %" PRId64 " to %" PRId64
                          " channels; only a doubling (32 to 64) is supported",
                          first->shape[0], last->shape[0]);
    if (status == RES2NET_OK) {
        a->stem = R2N_STEM_DEEP;
        a->stem_channels = (int32_t)last->shape[0];
    }
    return status;
}

/* Every first block has what a bottleneck has. */
static res2net_status check_blocks_are_there(const network *n)
{
    const unit middle = n->groups > 0 ? UNIT_GROUP : UNIT_SINGLE;
    const int32_t stages = n->stages > 0 ? n->stages : 1; /* so that no block at all is told, too */
    for (int32_t s = 0; s < stages; s++) {
        if (n->found[UNIT_FIRST][s] == NULL)
            return missing(n, UNIT_FIRST, s, "the file is not complete");
        if (n->found[UNIT_LAST][s] == NULL)
            return missing(n, UNIT_LAST, s,
                           n->found[UNIT_SINGLE][s] != NULL
                               ? "basic blocks (ResNet-18, ResNet-34) are not supported"
                               : "the file is not complete");
        if (n->found[middle][s] == NULL)
            return missing(n, middle, s, "the file is not complete");
        if (n->found[UNIT_SHORTCUT][s] == NULL && n->found[UNIT_POOLED_SHORTCUT][s] == NULL)
            return missing(n, UNIT_SHORTCUT, s, "every stage's first block has a shortcut layer");
    }
    if (n->groups > 0 && n->found[UNIT_SINGLE][0] != NULL)
        return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                        "%.200s beside groups of 3x3 convolutions: not a Res2Net",
                        n->found[UNIT_SINGLE][0]->name);
    return RES2NET_OK;
}

/* The first block of stage `s`; its group width goes to *width. */
static res2net_status read_block(const network *n, const r2n_architecture *a, int32_t s,
                                 int64_t *width)
{
    const r2n_tensor_shape *middle = n->found[n->groups > 0 ? UNIT_GROUP : UNIT_SINGLE][s];
    const r2n_tensor_shape *first = n->found[UNIT_FIRST][s];
    const r2n_tensor_shape *last = n->found[UNIT_LAST][s];
    const r2n_tensor_shape *shortcut = n->found[UNIT_SHORTCUT][s] != NULL
                                           ? n->found[UNIT_SHORTCUT][s]
                                           : n->found[UNIT_POOLED_SHORTCUT][s];
    const int64_t outputs = (int64_t)4 * a->planes << s;
    const int64_t inputs = s == 0 ? a->stem_channels : outputs / 2;
    res2net_status status = check_convolution(n, middle, 0, 3);
    if (status != RES2NET_OK)
        return status;
    *width = middle->shape[0];
    if (middle->shape[1] != *width)
        return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                        "%.200s has 3x3 groups (%" PRId64 " x %" PRId64
                        " channels): a ResNeXt or Res2NeXt, not supported",
                        middle->name, middle->shape[0], middle->shape[1]);
    status = check_convolution(n, first, inputs, 1);
    if (status == RES2NET_OK && first->shape[0] != *width * a->scale)
        status = r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                          "%.200s makes %" PRId64 " channels; %" PRId32 " groups of %" PRId64
                          " need %" PRId64,
                          first->name, first->shape[0], a->scale, *width, *width * a->scale);
    if (status == RES2NET_OK)
        status = check_convolution(n, last, first->shape[0], 1);
    if (status == RES2NET_OK)
        status = check_convolution(n, shortcut, inputs, 1);
    if (status == RES2NET_OK && (last->shape[0] != outputs || shortcut->shape[0] != outputs))
        status = r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                          "%.200s and %.200s make %" PRId64 " and %" PRId64
                          " channels; stage %" PRId32 " needs %" PRId64,
                          last->name, shortcut->name, last->shape[0], shortcut->shape[0], s + 1,
                          outputs);
    return status;
}

/* The smallest base width whose groups have these widths in all stages. */
static res2net_status read_base_width(const network *n, r2n_architecture *a, const int64_t *widths)
{
    for (a->base_width = 1; a->base_width <= R2N_MAXIMUM_BASE_WIDTH; a->base_width++) {
        int32_t s = 0;
        while (s < a->stages && r2n_group_width(a, s) == widths[s])
            s++;
        if (s == a->stages)
            return RES2NET_OK;
    }
    return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                    "groups of %" PRId64 " channels in stage 1 and %" PRId64 " in stage %" PRId32
                    ": no base width gives these with %" PRId32 " planes",
                    widths[0], widths[a->stages - 1], a->stages, a->planes);
}

static res2net_status read_classifier(const network *n, r2n_architecture *a)
{
    const r2n_tensor_shape *fc = n->found[UNIT_CLASSIFIER][0];
    const int64_t features = (int64_t)4 * r2n_stage_planes(a, a->stages - 1);
    if (fc == NULL)
        return missing(n, UNIT_CLASSIFIER, 0,
                       "a network without its classifier cannot tell classes");
    const int paddle = n->family == R2N_FAMILY_PADDLE; /* stored [features][classes] */
    if (fc->rank != 2 || fc->shape[paddle ? 0 : 1] != features)
        return r2n_fail(
            n->report, RES2NET_MISMATCH, n->file, -1,
            "%.200s has %" PRId32 " dimensions and %" PRId64 " features; expected 2 and %" PRId64,
            fc->name, fc->rank, fc->rank == 2 ? fc->shape[paddle ? 0 : 1] : 0, features);
    const int64_t classes = fc->shape[paddle ? 1 : 0];
    if (classes < 1 || classes > R2N_MAXIMUM_CLASSES)
        return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                        "%.200s has %" PRId64 " classes; 1 to %d are supported", fc->name, classes,
                        R2N_MAXIMUM_CLASSES);
    a->classes = (int32_t)classes;
    return RES2NET_OK;
}

static res2net_status read_shortcut(const network *n, r2n_architecture *a)
{
    int32_t pooled = 0;
    for (int32_t s = 0; s < n->stages; s++)
        pooled += n->found[UNIT_POOLED_SHORTCUT][s] != NULL;
    a->pooled_shortcut = a->stem == R2N_STEM_DEEP;
    if (n->family == R2N_FAMILY_PADDLE || pooled == (a->pooled_shortcut ? n->stages : 0))
        return RES2NET_OK;
    return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                    "%s stem, but %" PRId32 " of %" PRId32
                    " shortcuts with a pool (downsample.1 is a convolution): supported are the "
                    "7x7 and 3x3 stems without pools, and the deep stem (v1b, d, vd) with them",
                    a->stem == R2N_STEM_DEEP ? "a deep" : "a plain", pooled, n->stages);
}

static res2net_status read_network(const network *n, r2n_architecture *a)
{
    int64_t widths[R2N_MAXIMUM_STAGES] = {0};
    if (n->attention != NULL)
        return r2n_fail(n->report, RES2NET_MISMATCH, n->file, -1,
                        "%.200s: squeeze-and-excitation networks are not supported", n->attention);
    res2net_status status = read_stem(n, a);
    if (status == RES2NET_OK)
        status = check_blocks_are_there(n);
    if (status == RES2NET_OK)
        status = read_shortcut(n, a);
    if (status == RES2NET_OK)
        status = check_convolution(n, n->found[UNIT_LAST][0], 0, 1);
    if (status != RES2NET_OK)
        return status;
    a->stages = n->stages;
    memcpy(a->depths, n->depths, sizeof a->depths);
    a->planes = (int32_t)(n->found[UNIT_LAST][0]->shape[0] / 4);
    a->scale = n->groups + 1;
    for (int32_t s = 0; s < a->stages; s++) {
        status = a->depths[s] > 0 ? read_block(n, a, s, &widths[s])
                                  : missing(n, UNIT_FIRST, s, "the file is not complete");
        if (status != RES2NET_OK)
            return status;
    }
    status = read_base_width(n, a, widths);
    return status == RES2NET_OK ? read_classifier(n, a) : status;
}

res2net_status r2n_architecture_from_tensors(const r2n_tensor_shape *tensors, size_t count,
                                             const char *file, r2n_architecture *out,
                                             res2net_report *report)
{
    network n = {.family = r2n_family_from_names(tensors, count), .file = file, .report = report};
    if (n.family == R2N_FAMILY_UNKNOWN)
        return no_network(&n, tensors, count);
    res2net_status status = RES2NET_OK;
    for (size_t i = 0; i < count && status == RES2NET_OK; i++)
        status = collect_one(&n, &tensors[i]);
    r2n_architecture a = {.picture_size = 0};
    if (status == RES2NET_OK)
        status = read_network(&n, &a);
    if (status != RES2NET_OK)
        return status;
    a.picture_size = a.stem == R2N_STEM_3X3 ? 32 : 224;
    if (r2n_architecture_validate(&a, file, report) != RES2NET_OK)
        return RES2NET_MISMATCH;
    r2n_architecture_take_name(&a);
    *out = a;
    return RES2NET_OK;
}
