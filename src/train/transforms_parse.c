/* SPDX-License-Identifier: Apache-2.0 */
/* transform_ops from YAML: the list, its order, and the operators of geometry and normalisation. */
#include "train/transforms_internal.h"

#ifdef R2N_HAVE_YAML

#include <string.h>

#include "base/memory.h"
#include "image/recipe_yaml.h"

enum { MAXIMUM_PADDING = 16384, MAXIMUM_OPERATORS = 64 };

/* ---- arguments ---- */

res2net_status r2n_read_number(const r2n_operator_source *source, const char *key, double minimum,
                               double maximum, int quotient, double *value)
{
    const yaml_node_t *node = r2n_yaml_find(source->yaml, source->arguments, key);
    if (node == NULL)
        return RES2NET_OK;
    const res2net_status status = r2n_yaml_number(source->yaml, node, key, quotient, value);
    if (status == RES2NET_OK && !(*value >= minimum && *value <= maximum))
        return r2n_yaml_fail(source->yaml, node, RES2NET_INVALID_ARGUMENT,
                             "%s's %s is %g: a number from %g to %g was expected", source->name,
                             key, *value, minimum, maximum);
    return status;
}

res2net_status r2n_read_integer(const r2n_operator_source *source, const char *key, int32_t minimum,
                                int32_t maximum, int32_t *value)
{
    const yaml_node_t *node = r2n_yaml_find(source->yaml, source->arguments, key);
    return node == NULL ? RES2NET_OK
                        : r2n_yaml_integer(source->yaml, node, key, minimum, maximum, value);
}

res2net_status r2n_read_flag(const r2n_operator_source *source, const char *key, int *value)
{
    const yaml_node_t *node = r2n_yaml_find(source->yaml, source->arguments, key);
    return node == NULL ? RES2NET_OK : r2n_yaml_boolean(source->yaml, node, key, value);
}

res2net_status r2n_read_choice(const r2n_operator_source *source, const char *key,
                               const char *const *choices, int *value)
{
    const yaml_node_t *node = r2n_yaml_find(source->yaml, source->arguments, key);
    return node == NULL ? RES2NET_OK : r2n_yaml_choice(source->yaml, node, key, choices, value);
}

res2net_status r2n_read_numbers(const r2n_operator_source *source, const char *key, double minimum,
                                double maximum, int count, int rising, double *values)
{
    const yaml_node_t *node = r2n_yaml_find(source->yaml, source->arguments, key);
    if (node == NULL)
        return RES2NET_OK;
    if (node->type != YAML_SEQUENCE_NODE ||
        node->data.sequence.items.top - node->data.sequence.items.start != count)
        return r2n_yaml_fail(source->yaml, node, RES2NET_INVALID_ARGUMENT,
                             "%s's %s is not a list of %d numbers", source->name, key, count);
    for (int i = 0; i < count; i++) {
        const yaml_node_t *item = r2n_yaml_node(source->yaml, node->data.sequence.items.start[i]);
        const res2net_status status = r2n_yaml_number(source->yaml, item, key, 1, &values[i]);
        if (status != RES2NET_OK)
            return status;
        if (!(values[i] >= minimum && values[i] <= maximum))
            return r2n_yaml_fail(source->yaml, item, RES2NET_INVALID_ARGUMENT,
                                 "%s's %s has %g: numbers from %g to %g were expected",
                                 source->name, key, values[i], minimum, maximum);
        if (rising && i > 0 && values[i] < values[i - 1])
            return r2n_yaml_fail(source->yaml, node, RES2NET_INVALID_ARGUMENT,
                                 "%s's %s falls: [smallest, largest] was expected", source->name,
                                 key);
    }
    return RES2NET_OK;
}

/* ---- crops and flips ---- */

static res2net_status read_crop_size(const r2n_operator_source *source, r2n_operator *op)
{
    const yaml_node_t *size = r2n_yaml_find(source->yaml, source->arguments, "size");
    if (size == NULL)
        return r2n_yaml_fail(source->yaml, source->key, RES2NET_INVALID_ARGUMENT,
                             "%s has no size: give a number or [width, height]", source->name);
    return r2n_recipe_read_size(source->yaml, size, &op->crop.width, &op->crop.height);
}

static res2net_status read_drawn_crop(const r2n_operator_source *source, r2n_resizer usual,
                                      r2n_operator *op)
{
    r2n_recipe recipe;
    op->crop = (r2n_random_crop){.scale = {0.08, 1.0}, .ratio = {3.0 / 4, 4.0 / 3}};
    res2net_status status = read_crop_size(source, op);
    if (status == RES2NET_OK)
        status = r2n_read_numbers(source, "scale", 1e-6, 1, 2, 1, op->crop.scale);
    if (status == RES2NET_OK)
        status = r2n_read_numbers(source, "ratio", 1e-3, 1e3, 2, 1, op->crop.ratio);
    if (status == RES2NET_OK)
        status = r2n_read_flag(source, "use_log_aspect", &op->crop.log_aspect);
    r2n_recipe_paddle(&recipe);
    if (status == RES2NET_OK)
        status = r2n_recipe_read_resizer(source->yaml, source->arguments, usual, &recipe);
    op->crop.resizer = recipe.resizer;
    op->crop.interpolation = recipe.interpolation;
    return status;
}

static res2net_status read_rand_crop(const r2n_operator_source *source, r2n_operator *op)
{
    op->kind = R2N_OPERATOR_RAND_CROP;
    return read_drawn_crop(source, R2N_RESIZER_OPENCV, op);
}

static res2net_status read_resized_crop(const r2n_operator_source *source, r2n_operator *op)
{
    op->kind = R2N_OPERATOR_RESIZED_CROP;
    return read_drawn_crop(source, R2N_RESIZER_PILLOW, op);
}

static res2net_status read_shift_crop(const r2n_operator_source *source, r2n_operator *op)
{
    op->kind = R2N_OPERATOR_SHIFT_CROP;
    op->crop = (r2n_random_crop){0};
    res2net_status status = read_crop_size(source, op);
    if (status == RES2NET_OK)
        status = r2n_read_integer(source, "padding", 0, MAXIMUM_PADDING, &op->crop.padding);
    if (status == RES2NET_OK)
        status = r2n_read_flag(source, "pad_if_needed", &op->crop.pad_if_needed);
    return status;
}

static res2net_status read_flip(const r2n_operator_source *source, r2n_operator *op)
{
    static const char *const codes[] = {"-1", "0", "1", NULL};
    int code = 2;
    const res2net_status status = r2n_read_choice(source, "flip_code", codes, &code);
    op->kind = R2N_OPERATOR_FLIP;
    op->flip.columns = code != 1;
    op->flip.rows = code != 2;
    return status;
}

/* ---- what is known ---- */

static const struct {
    const char *name;
    r2n_read_operator *read; /* NULL: the recipe's own */
    const char *keys[10];
} known[] = {
    {"DecodeImage", NULL, {NULL}}, /* the five in the order of r2n_recipe_op */
    {"ResizeImage", NULL, {NULL}},
    {"CropImage", NULL, {NULL}},
    {"NormalizeImage", NULL, {NULL}},
    {"ToCHWImage", NULL, {NULL}},
    {"RandCropImage",
     read_rand_crop,
     {"size", "scale", "ratio", "interpolation", "backend", "use_log_aspect", NULL}},
    {"RandomResizedCrop",
     read_resized_crop,
     {"size", "scale", "ratio", "interpolation", "backend", NULL}},
    {"RandomCropImage", read_shift_crop, {"size", "padding", "pad_if_needed", NULL}},
    {"RandFlipImage", read_flip, {"flip_code", NULL}},
    {"ColorJitter", r2n_read_jitter, {"brightness", "contrast", "saturation", "hue", "p", NULL}},
    {"AutoAugment", r2n_read_auto_augment, {"policy", NULL}},
    {"RandAugment", r2n_read_rand_augment, {"num_layers", "magnitude", NULL}},
    {"TimmAutoAugment",
     r2n_read_timm,
     {"config_str", "interpolation", "img_size", "mean", "prob", NULL}},
    {"RandomErasing",
     r2n_read_erase,
     {"EPSILON", "sl", "sh", "r1", "mean", "attempt", "use_log_aspect", "mode", NULL}},
    {"Cutout", r2n_read_cutout, {"n_holes", "length", NULL}},
};
enum { KNOWN = sizeof known / sizeof *known };

/* Of PaddleClas, and not built. */
static const char *const not_built[] = {"AugMix",
                                        "BlurImage",
                                        "CropWithPadding",
                                        "GaussianBlur",
                                        "GridMask",
                                        "HideAndSeek",
                                        "Pad",
                                        "PadV2",
                                        "PCALighting",
                                        "RandAugmentV2",
                                        "RandAugmentV3",
                                        "RandAugmentV4",
                                        "RandCropImageV2",
                                        "RandomApply",
                                        "RandomGrayscale",
                                        "RandomHorizontalFlip",
                                        "RandomInterpolationAugment",
                                        "RandomRotation",
                                        NULL};

res2net_status r2n_read_entry(const r2n_yaml *yaml, const yaml_node_t *item,
                              const yaml_node_t **key, const yaml_node_t **arguments)
{
    if (item->type != YAML_MAPPING_NODE ||
        item->data.mapping.pairs.top - item->data.mapping.pairs.start != 1)
        return r2n_yaml_fail(yaml, item, RES2NET_INVALID_ARGUMENT,
                             "an operator with its arguments was expected, as in "
                             "\"- CropImage: {size: 224}\"");
    const yaml_node_pair_t *pair = item->data.mapping.pairs.start;
    *key = r2n_yaml_node(yaml, pair->key);
    *arguments = r2n_yaml_node(yaml, pair->value);
    return RES2NET_OK;
}

res2net_status r2n_fail_operator(const r2n_yaml *yaml, const yaml_node_t *key,
                                 const char *const *names)
{
    char text[R2N_YAML_EXCERPT];
    const char *nearest = r2n_yaml_nearest(key, names);
    return r2n_yaml_fail(yaml, key, RES2NET_INVALID_ARGUMENT,
                         "unknown operator \"%s\"%s%s%s; docs/augmentation.md has all",
                         r2n_yaml_excerpt(key, text), nearest != NULL ? "; did you mean \"" : "",
                         nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

static res2net_status find_known(const r2n_yaml *yaml, const yaml_node_t *key, int *index)
{
    const char *names[KNOWN + 1] = {NULL};
    for (*index = 0; *index < KNOWN; ++*index) {
        if (r2n_yaml_is(key, known[*index].name))
            return RES2NET_OK;
        names[*index] = known[*index].name;
    }
    for (int i = 0; not_built[i] != NULL; i++)
        if (r2n_yaml_is(key, not_built[i]))
            return r2n_yaml_fail(yaml, key, RES2NET_UNSUPPORTED,
                                 "PaddleClas' %s is not there: leave it out, or take another one "
                                 "of docs/augmentation.md",
                                 not_built[i]);
    return r2n_fail_operator(yaml, key, names);
}

/* ---- the list ---- */

/* The same as a step with resize and crop, so that only the kept pixels are computed. */
static int joins_resize(const r2n_transforms *t, int index)
{
    const r2n_operator *last = t->count > 0 ? &t->operators[t->count - 1] : NULL;
    return index == R2N_RECIPE_CROP && last != NULL && last->kind == R2N_OPERATOR_RECIPE &&
           last->recipe.crop_width == 0;
}

static res2net_status read_recipe_op(const r2n_operator_source *source, int index,
                                     r2n_transforms *t, r2n_operator *op)
{
    op->kind = index == R2N_RECIPE_NORMALISE ? R2N_OPERATOR_NORMALISE : R2N_OPERATOR_RECIPE;
    r2n_recipe_paddle(&op->recipe);
    op->recipe.resize_short = op->recipe.crop_width = op->recipe.crop_height = 0;
    if (joins_resize(t, index))
        op->recipe = t->operators[--t->count].recipe;
    res2net_status status = r2n_recipe_read_op(source->yaml, (r2n_recipe_op)index, source->key,
                                               source->arguments, source->chw, &op->recipe);
    if (status == RES2NET_OK)
        status = r2n_recipe_validate(&op->recipe, source->yaml->name, source->yaml->report);
    if (index == R2N_RECIPE_DECODE) {
        t->decoding = op->recipe;
        t->decodes = 1;
    }
    return status;
}

/* Decoding is first. After NormalizeImage there are floats, and only three may follow. */
static res2net_status check_place(const r2n_operator_source *source, int index,
                                  const r2n_transforms *t)
{
    const int erases =
        strcmp(source->name, "RandomErasing") == 0 || strcmp(source->name, "Cutout") == 0;
    if (index == R2N_RECIPE_DECODE && (t->decodes || t->count > 0 || source->chw))
        return r2n_yaml_fail(source->yaml, source->key, RES2NET_INVALID_ARGUMENT,
                             t->decodes ? "DecodeImage comes twice"
                                        : "DecodeImage is not the first operator: nothing can be "
                                          "done with a picture before");
    if (index == R2N_RECIPE_NORMALISE && source->normalised)
        return r2n_yaml_fail(source->yaml, source->key, RES2NET_INVALID_ARGUMENT,
                             "NormalizeImage comes twice");
    if (source->chw && index != R2N_RECIPE_NORMALISE)
        return r2n_yaml_fail(source->yaml, source->key, RES2NET_INVALID_ARGUMENT,
                             "%s comes after ToCHWImage, where the channels would be its rows: "
                             "put it before",
                             source->name);
    if (source->normalised && index != R2N_RECIPE_TO_CHW && !erases)
        return r2n_yaml_fail(source->yaml, source->key, RES2NET_UNSUPPORTED,
                             "%s comes after NormalizeImage, where only RandomErasing, Cutout and "
                             "ToCHWImage may stand: put it before",
                             source->name);
    return RES2NET_OK;
}

static res2net_status add_operator(const r2n_operator_source *source, int index, r2n_transforms *t)
{
    r2n_operator op = {0};
    res2net_status status =
        known[index].read == NULL ? read_recipe_op(source, index, t, &op) : RES2NET_OK;
    if (known[index].read != NULL && !r2n_yaml_is_null(source->arguments)) {
        if (source->arguments->type != YAML_MAPPING_NODE)
            return r2n_yaml_fail(source->yaml, source->arguments, RES2NET_INVALID_ARGUMENT,
                                 "%s's arguments are not \"key: value\" lines", source->name);
        status =
            r2n_yaml_check_keys(source->yaml, source->arguments, source->name, known[index].keys);
    }
    if (status == RES2NET_OK && known[index].read != NULL)
        status = known[index].read(source, &op);
    if (status != RES2NET_OK || index == R2N_RECIPE_DECODE || index == R2N_RECIPE_TO_CHW)
        return status;
    if (t->count >= MAXIMUM_OPERATORS)
        return r2n_yaml_fail(source->yaml, source->key, RES2NET_LIMIT_EXCEEDED,
                             "more than %d operators", MAXIMUM_OPERATORS);
    if (!r2n_grow((void **)&t->operators, &t->capacity, t->count + 1, sizeof *t->operators))
        return r2n_yaml_fail(source->yaml, source->key, RES2NET_OUT_OF_MEMORY,
                             "no memory for an operator");
    t->operators[t->count++] = op;
    return RES2NET_OK;
}

static res2net_status read_list(const r2n_yaml *yaml, const yaml_node_t *list, r2n_transforms *t)
{
    r2n_operator_source source = {.yaml = yaml};
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top; item++) {
        int index;
        res2net_status status =
            r2n_read_entry(yaml, r2n_yaml_node(yaml, *item), &source.key, &source.arguments);
        if (status == RES2NET_OK)
            status = find_known(yaml, source.key, &index);
        if (status != RES2NET_OK)
            return status;
        source.name = known[index].name;
        status = check_place(&source, index, t);
        if (status == RES2NET_OK)
            status = add_operator(&source, index, t);
        if (status != RES2NET_OK)
            return status;
        source.normalised |= index == R2N_RECIPE_NORMALISE;
        source.chw |= index == R2N_RECIPE_TO_CHW;
    }
    if (source.normalised)
        return RES2NET_OK;
    return r2n_yaml_fail(yaml, list, RES2NET_INVALID_ARGUMENT,
                         "the list has no NormalizeImage: a network takes numbers around 0");
}

res2net_status r2n_transforms_parse(const r2n_yaml *yaml, const yaml_node_t *list,
                                    r2n_transforms **out, res2net_report *report)
{
    *out = NULL;
    if (list->type != YAML_SEQUENCE_NODE)
        return r2n_yaml_fail(yaml, list, RES2NET_INVALID_ARGUMENT,
                             "no transforms here: a list of operators was expected");
    r2n_transforms *t = r2n_allocate_zeroed(1, sizeof *t);
    if (t == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, yaml->name, -1, "no memory for transforms");
    r2n_recipe_paddle(&t->decoding);
    const res2net_status status = read_list(yaml, list, t);
    if (status == RES2NET_OK)
        *out = t;
    else
        r2n_transforms_destroy(t);
    return status;
}

#endif
