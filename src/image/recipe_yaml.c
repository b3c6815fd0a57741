/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PaddleClas transform_ops to a recipe: DecodeImage, ResizeImage, CropImage, NormalizeImage,
 * ToCHWImage, in this order. What a recipe cannot do exactly as PaddleClas does is refused by line.
 */
#include "image/image.h"

#include "base/report.h"

#ifdef R2N_HAVE_YAML

#include <string.h>

#include "image/recipe_yaml.h"

enum { MAXIMUM_SIDE = 16384 };

static const char *const op_names[R2N_RECIPE_OPS + 1] = {
    "DecodeImage", "ResizeImage", "CropImage", "NormalizeImage", "ToCHWImage", NULL};
static const char *const backends[] = {"cv2", "pil", NULL};

typedef struct reader {
    r2n_yaml yaml;
    r2n_recipe recipe;
    int seen[R2N_RECIPE_OPS];
} reader;

/* The argument `key` or `fallback` where it is absent or null. */
static res2net_status read_boolean(const reader *r, const yaml_node_t *arguments, const char *key,
                                   int fallback, int *value)
{
    const yaml_node_t *node = r2n_yaml_find(&r->yaml, arguments, key);
    *value = fallback;
    return node == NULL ? RES2NET_OK : r2n_yaml_boolean(&r->yaml, node, key, value);
}

static res2net_status read_backend(const reader *r, const yaml_node_t *arguments, int *pillow)
{
    const yaml_node_t *node = r2n_yaml_find(&r->yaml, arguments, "backend");
    return node == NULL ? RES2NET_OK : r2n_yaml_choice(&r->yaml, node, "backend", backends, pillow);
}

res2net_status r2n_recipe_read_size(const r2n_yaml *yaml, const yaml_node_t *node, int32_t *width,
                                    int32_t *height)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        const res2net_status status = r2n_yaml_integer(yaml, node, "size", 1, MAXIMUM_SIDE, width);
        *height = *width;
        return status;
    }
    const yaml_node_item_t *items = node->data.sequence.items.start;
    if (node->data.sequence.items.top - items != 2)
        return r2n_yaml_fail(yaml, node, RES2NET_INVALID_ARGUMENT,
                             "size has %d items: one number or [width, height] was expected",
                             (int)(node->data.sequence.items.top - items));
    const res2net_status status = r2n_yaml_integer(yaml, r2n_yaml_node(yaml, items[0]),
                                                   "size's width", 1, MAXIMUM_SIDE, width);
    if (status != RES2NET_OK)
        return status;
    return r2n_yaml_integer(yaml, r2n_yaml_node(yaml, items[1]), "size's height", 1, MAXIMUM_SIDE,
                            height);
}

static res2net_status read_decode(reader *r, const yaml_node_t *op, const yaml_node_t *arguments)
{
    int to_rgb, to_np, channel_first, pillow = 0;
    res2net_status status = read_boolean(r, arguments, "to_rgb", 1, &to_rgb);
    if (status == RES2NET_OK)
        status = read_boolean(r, arguments, "to_np", 0, &to_np); /* ours are always arrays */
    if (status == RES2NET_OK)
        status = read_boolean(r, arguments, "channel_first", 0, &channel_first);
    if (status == RES2NET_OK)
        status = read_backend(r, arguments, &pillow);
    if (status != RES2NET_OK)
        return status;
    if (!to_rgb)
        return r2n_yaml_fail(&r->yaml, op, RES2NET_UNSUPPORTED,
                             "DecodeImage with to_rgb: False gives blue, green, red; Res2Nets are "
                             "trained on red, green, blue: write to_rgb: True");
    if (channel_first)
        return r2n_yaml_fail(&r->yaml, op, RES2NET_UNSUPPORTED,
                             "DecodeImage with channel_first: True cannot be resized afterwards: "
                             "write channel_first: False and ToCHWImage at the end");
    r->recipe.decoder = pillow ? R2N_DECODER_PILLOW : R2N_DECODER_OPENCV;
    r->recipe.apply_exif = !pillow; /* OpenCV turns pictures, Pillow does not */
    return RES2NET_OK;
}

static res2net_status read_interpolation(reader *r, const yaml_node_t *arguments)
{
    static const char *const names[] = {"nearest", "bilinear", "area",    "bicubic", "lanczos",
                                        "random",  "box",      "hamming", NULL};
    const yaml_node_t *node = r2n_yaml_find(&r->yaml, arguments, "interpolation");
    int choice = 1;
    if (node != NULL) {
        const res2net_status status =
            r2n_yaml_choice(&r->yaml, node, "interpolation", names, &choice);
        if (status != RES2NET_OK)
            return status;
    }
    const int pillow = r->recipe.resizer == R2N_RESIZER_PILLOW;
    r->recipe.interpolation = choice == 3 ? R2N_INTERPOLATION_BICUBIC : R2N_INTERPOLATION_BILINEAR;
    if (choice == 1 || (choice == 3 && pillow))
        return RES2NET_OK;
    return r2n_yaml_fail(&r->yaml, node, RES2NET_UNSUPPORTED,
                         "the interpolation \"%s\" is not there for backend %s: use bilinear%s",
                         names[choice], pillow ? "pil" : "cv2",
                         pillow ? " or bicubic" : ", or backend: pil with bicubic");
}

static res2net_status read_resize(reader *r, const yaml_node_t *op, const yaml_node_t *arguments)
{
    int pillow = 0;
    const yaml_node_t *shorter = r2n_yaml_find(&r->yaml, arguments, "resize_short");
    const yaml_node_t *size = r2n_yaml_find(&r->yaml, arguments, "size");
    int return_numpy;
    res2net_status status = read_backend(r, arguments, &pillow);
    if (status == RES2NET_OK) /* ours are always arrays */
        status = read_boolean(r, arguments, "return_numpy", 1, &return_numpy);
    if (status != RES2NET_OK)
        return status;
    r->recipe.resizer = pillow ? R2N_RESIZER_PILLOW : R2N_RESIZER_OPENCV;
    if (shorter != NULL && size != NULL)
        return r2n_yaml_fail(&r->yaml, size, RES2NET_INVALID_ARGUMENT,
                             "ResizeImage has both resize_short and size: keep one (PaddleClas "
                             "takes resize_short)");
    if (shorter != NULL)
        status = r2n_yaml_integer(&r->yaml, shorter, "resize_short", 1, MAXIMUM_SIDE,
                                  &r->recipe.resize_short);
    else if (size != NULL)
        status =
            r2n_recipe_read_size(&r->yaml, size, &r->recipe.resize_width, &r->recipe.resize_height);
    else
        status = r2n_yaml_fail(&r->yaml, op, RES2NET_INVALID_ARGUMENT,
                               "ResizeImage has neither resize_short nor size: give one");
    return status == RES2NET_OK ? read_interpolation(r, arguments) : status;
}

static res2net_status read_crop(reader *r, const yaml_node_t *op, const yaml_node_t *arguments)
{
    const yaml_node_t *size = r2n_yaml_find(&r->yaml, arguments, "size");
    if (size == NULL)
        return r2n_yaml_fail(&r->yaml, op, RES2NET_INVALID_ARGUMENT,
                             "CropImage has no size: give a number or [width, height]");
    return r2n_recipe_read_size(&r->yaml, size, &r->recipe.crop_width, &r->recipe.crop_height);
}

static res2net_status read_three(const reader *r, const yaml_node_t *arguments, const char *key,
                                 float values[3])
{
    const yaml_node_t *node = r2n_yaml_find(&r->yaml, arguments, key);
    if (node == NULL)
        return RES2NET_OK; /* PaddleClas's default: ImageNet's, which is there already */
    if (node->type != YAML_SEQUENCE_NODE ||
        node->data.sequence.items.top - node->data.sequence.items.start != 3)
        return r2n_yaml_fail(&r->yaml, node, RES2NET_INVALID_ARGUMENT,
                             "%s is not a list of three numbers (red, green, blue)", key);
    for (int i = 0; i < 3; i++) {
        double number;
        const yaml_node_t *item = r2n_yaml_node(&r->yaml, node->data.sequence.items.start[i]);
        const res2net_status status = r2n_yaml_number(&r->yaml, item, key, 0, &number);
        if (status != RES2NET_OK)
            return status;
        values[i] = (float)number;
    }
    return RES2NET_OK;
}

/* PaddleClas subtracts along the wrong axis, or fails, where `order` is not the layout at hand. */
static res2net_status check_order(const reader *r, const yaml_node_t *op,
                                  const yaml_node_t *arguments)
{
    static const char *const orders[] = {"", "hwc", "chw", NULL};
    const yaml_node_t *node = r2n_yaml_find(&r->yaml, arguments, "order");
    int choice = 2; /* PaddleClas's default */
    if (node != NULL) {
        const res2net_status status = r2n_yaml_choice(&r->yaml, node, "order", orders, &choice);
        if (status != RES2NET_OK)
            return status;
    }
    if ((choice == 2) == (r->seen[R2N_RECIPE_TO_CHW] != 0))
        return RES2NET_OK;
    return r2n_yaml_fail(&r->yaml, node != NULL ? node : op, RES2NET_INVALID_ARGUMENT,
                         choice == 2 ? "NormalizeImage's order is chw (also where it is left out), "
                                       "but the picture is not CHW here: write order: ''"
                                     : "NormalizeImage's order is not chw, but the picture is CHW "
                                       "after ToCHWImage: write order: 'chw'");
}

static res2net_status read_normalise(reader *r, const yaml_node_t *op, const yaml_node_t *arguments)
{
    int fp16;
    const yaml_node_t *channels = r2n_yaml_find(&r->yaml, arguments, "channel_num");
    const yaml_node_t *scale = r2n_yaml_find(&r->yaml, arguments, "scale");
    res2net_status status = check_order(r, op, arguments);
    if (status == RES2NET_OK)
        status = read_boolean(r, arguments, "output_fp16", 0, &fp16);
    if (status == RES2NET_OK && fp16)
        status = r2n_yaml_fail(&r->yaml, op, RES2NET_UNSUPPORTED,
                               "NormalizeImage with output_fp16: True is not there: inputs are "
                               "float32; write output_fp16: False");
    if (status == RES2NET_OK && channels != NULL && !r2n_yaml_is(channels, "3"))
        status = r2n_yaml_fail(&r->yaml, channels, RES2NET_UNSUPPORTED,
                               "channel_num must be 3: Res2Nets take three channels");
    if (status == RES2NET_OK && scale != NULL) {
        double number;
        status = r2n_yaml_number(&r->yaml, scale, "scale", 1, &number);
        if (status == RES2NET_OK)
            r->recipe.scale = (float)number;
    }
    if (status == RES2NET_OK)
        status = read_three(r, arguments, "mean", r->recipe.mean);
    if (status == RES2NET_OK)
        status = read_three(r, arguments, "std", r->recipe.std);
    return status;
}

static res2net_status read_to_chw(reader *r, const yaml_node_t *op, const yaml_node_t *arguments)
{
    (void)r;
    (void)op;
    (void)arguments;
    return RES2NET_OK;
}

static const struct {
    res2net_status (*read)(reader *r, const yaml_node_t *op, const yaml_node_t *arguments);
    const char *keys[8];
} ops[R2N_RECIPE_OPS] = {
    {read_decode, {"to_rgb", "to_np", "channel_first", "backend", NULL}},
    {read_resize, {"resize_short", "size", "interpolation", "backend", "return_numpy", NULL}},
    {read_crop, {"size", NULL}},
    {read_normalise, {"scale", "mean", "std", "order", "channel_num", "output_fp16", NULL}},
    {read_to_chw, {NULL}},
};

static res2net_status find_op(const reader *r, const yaml_node_t *key, int *op)
{
    char text[R2N_YAML_EXCERPT];
    for (*op = 0; *op < R2N_RECIPE_OPS; ++*op)
        if (r2n_yaml_is(key, op_names[*op]))
            return RES2NET_OK;
    const char *nearest = r2n_yaml_nearest(key, op_names);
    return r2n_yaml_fail(&r->yaml, key, RES2NET_INVALID_ARGUMENT,
                         "unknown operator \"%s\"%s%s%s; known are DecodeImage, ResizeImage, "
                         "CropImage, NormalizeImage, ToCHWImage",
                         r2n_yaml_excerpt(key, text), nearest != NULL ? "; did you mean \"" : "",
                         nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

/* Decode, resize, crop, then normalise and ToCHW in either order. */
static res2net_status check_place(const reader *r, const yaml_node_t *key, int op)
{
    if (r->seen[op])
        return r2n_yaml_fail(&r->yaml, key, RES2NET_INVALID_ARGUMENT, "%s comes twice",
                             op_names[op]);
    for (int later = op + 1; later < R2N_RECIPE_OPS; later++)
        if (r->seen[later] && !(op == R2N_RECIPE_NORMALISE && later == R2N_RECIPE_TO_CHW))
            return r2n_yaml_fail(&r->yaml, key, RES2NET_UNSUPPORTED,
                                 "%s comes after %s: the order must be DecodeImage, ResizeImage, "
                                 "CropImage, NormalizeImage, ToCHWImage",
                                 op_names[op], op_names[later]);
    return RES2NET_OK;
}

static res2net_status read_arguments(reader *r, int op, const yaml_node_t *key,
                                     const yaml_node_t *arguments)
{
    if (!r2n_yaml_is_null(arguments)) {
        if (arguments->type != YAML_MAPPING_NODE)
            return r2n_yaml_fail(&r->yaml, arguments, RES2NET_INVALID_ARGUMENT,
                                 "%s's arguments are not \"key: value\" lines", op_names[op]);
        const res2net_status status =
            r2n_yaml_check_keys(&r->yaml, arguments, op_names[op], ops[op].keys);
        if (status != RES2NET_OK)
            return status;
    }
    return ops[op].read(r, key, arguments);
}

static res2net_status read_op(reader *r, const yaml_node_t *item)
{
    if (item->type != YAML_MAPPING_NODE ||
        item->data.mapping.pairs.top - item->data.mapping.pairs.start != 1)
        return r2n_yaml_fail(&r->yaml, item, RES2NET_INVALID_ARGUMENT,
                             "an operator with its arguments was expected, as in "
                             "\"- CropImage: {size: 224}\"");
    const yaml_node_pair_t *pair = item->data.mapping.pairs.start;
    const yaml_node_t *key = r2n_yaml_node(&r->yaml, pair->key);
    const yaml_node_t *arguments = r2n_yaml_node(&r->yaml, pair->value);
    int op;
    res2net_status status = find_op(r, key, &op);
    if (status == RES2NET_OK)
        status = check_place(r, key, op);
    if (status != RES2NET_OK)
        return status;
    r->seen[op] = 1;
    return read_arguments(r, op, key, arguments);
}

/* The list itself, or where a PaddleClas config keeps it. */
static res2net_status find_list(const r2n_yaml *yaml, const yaml_node_t **list)
{
    const yaml_node_t *root = r2n_yaml_node(yaml, 1);
    const yaml_node_t *loader = r2n_yaml_find(yaml, root, "DataLoader");
    const yaml_node_t *eval = r2n_yaml_find(yaml, loader, "Eval");
    /* A training config has lists for evaluation and inference; they agree, and evaluation rules.
     */
    *list = r2n_yaml_find(yaml, r2n_yaml_find(yaml, eval, "dataset"), "transform_ops");
    if (*list != NULL && (*list)->type == YAML_SEQUENCE_NODE)
        return RES2NET_OK;
    const yaml_node_t *places[] = {
        r2n_yaml_find(yaml, root, "transform_ops"), r2n_yaml_find(yaml, root, "transforms"),
        r2n_yaml_find(yaml, r2n_yaml_find(yaml, root, "PreProcess"), "transform_ops"),
        r2n_yaml_find(yaml, r2n_yaml_find(yaml, root, "Infer"), "transforms")};
    *list = root->type == YAML_SEQUENCE_NODE ? root : NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i] != NULL && *list != NULL)
            return r2n_yaml_fail(yaml, places[i], RES2NET_INVALID_ARGUMENT,
                                 "this is a second list of transforms in the file: keep one of "
                                 "PreProcess.transform_ops and Infer.transforms");
        if (places[i] != NULL)
            *list = places[i];
    }
    if (*list == NULL || (*list)->type != YAML_SEQUENCE_NODE)
        return r2n_yaml_fail(yaml, *list != NULL ? *list : root, RES2NET_INVALID_ARGUMENT,
                             "no list of transforms here: a list of operators was expected, or a "
                             "PaddleClas config with DataLoader.Eval.dataset.transform_ops, "
                             "PreProcess.transform_ops or Infer.transforms");
    return RES2NET_OK;
}

static res2net_status read_ops(reader *r, const yaml_node_t *list)
{
    for (const yaml_node_item_t *item = list->data.sequence.items.start;
         item < list->data.sequence.items.top; item++) {
        const res2net_status status = read_op(r, r2n_yaml_node(&r->yaml, *item));
        if (status != RES2NET_OK)
            return status;
    }
    if (!r->seen[R2N_RECIPE_NORMALISE])
        return r2n_yaml_fail(&r->yaml, list, RES2NET_INVALID_ARGUMENT,
                             "the list has no NormalizeImage: a network needs the mean and std it "
                             "was trained with");
    return r2n_recipe_validate(&r->recipe, r->yaml.name, r->yaml.report);
}

res2net_status r2n_recipe_read_ops(const r2n_yaml *yaml, const yaml_node_t *list,
                                   r2n_recipe *recipe)
{
    reader r = {.yaml = *yaml};
    if (list->type != YAML_SEQUENCE_NODE)
        return r2n_yaml_fail(yaml, list, RES2NET_INVALID_ARGUMENT,
                             "no list of transforms here: a list of operators was expected");
    /* Paddle's rules and defaults; sizes only where the list has them. */
    r2n_recipe_paddle(&r.recipe);
    r.recipe.resize_short = 0;
    r.recipe.crop_width = r.recipe.crop_height = 0;
    const res2net_status status = read_ops(&r, list);
    if (status == RES2NET_OK)
        *recipe = r.recipe;
    return status;
}

/* ---- other rooms' lists ---- */

res2net_status r2n_recipe_read_op(const r2n_yaml *yaml, r2n_recipe_op op, const yaml_node_t *key,
                                  const yaml_node_t *arguments, int chw, r2n_recipe *recipe)
{
    reader r = {.yaml = *yaml, .recipe = *recipe};
    r.seen[R2N_RECIPE_TO_CHW] = chw;
    const res2net_status status = read_arguments(&r, (int)op, key, arguments);
    if (status == RES2NET_OK)
        *recipe = r.recipe;
    return status;
}

res2net_status r2n_recipe_read_resizer(const r2n_yaml *yaml, const yaml_node_t *arguments,
                                       r2n_resizer usual, r2n_recipe *recipe)
{
    reader r = {.yaml = *yaml, .recipe = *recipe};
    int pillow = usual == R2N_RESIZER_PILLOW;
    res2net_status status = read_backend(&r, arguments, &pillow);
    r.recipe.resizer = pillow ? R2N_RESIZER_PILLOW : R2N_RESIZER_OPENCV;
    if (status == RES2NET_OK)
        status = read_interpolation(&r, arguments);
    if (status == RES2NET_OK)
        *recipe = r.recipe;
    return status;
}

/* ---- a text ---- */

res2net_status r2n_recipe_parse_yaml(const char *text, size_t size, const char *name,
                                     r2n_recipe *recipe, res2net_report *report)
{
    r2n_yaml yaml;
    const yaml_node_t *list;
    res2net_status status = r2n_yaml_open(text, size, "a list of transforms", name, &yaml, report);
    if (status != RES2NET_OK)
        return status;
    status = find_list(&yaml, &list);
    if (status == RES2NET_OK)
        status = r2n_recipe_read_ops(&yaml, list, recipe);
    r2n_yaml_close(&yaml);
    return status;
}

#else

res2net_status r2n_recipe_parse_yaml(const char *text, size_t size, const char *name,
                                     r2n_recipe *recipe, res2net_report *report)
{
    (void)text;
    (void)size;
    (void)recipe;
    return r2n_fail(report, RES2NET_UNSUPPORTED, name, -1,
                    "a list of transforms is YAML, and this build has no libyaml: build it with "
                    "libyaml's development files and -DRES2NET_YAML=ON");
}

#endif
