/* SPDX-License-Identifier: Apache-2.0 */
/* A list of operators as a whole: what it gives, and its way over one picture. */
#include "train/transforms_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formats/json_writer.h"
#include "image/resize.h"

void r2n_transforms_destroy(r2n_transforms *transforms)
{
    if (transforms == NULL)
        return;
    r2n_free(transforms->operators);
    r2n_free(transforms);
}

/* ---- what it gives ---- */

static res2net_status size_after_recipe(const r2n_recipe *recipe, int32_t *rows, int32_t *columns,
                                        res2net_report *report)
{
    if (*rows != 0)
        return r2n_recipe_output_size(recipe, *columns, *rows, NULL, columns, rows, report);
    *columns = recipe->crop_width != 0 ? recipe->crop_width : recipe->resize_width;
    *rows = recipe->crop_height != 0 ? recipe->crop_height : recipe->resize_height;
    return RES2NET_OK;
}

static res2net_status size_after(const r2n_operator *op, int32_t *rows, int32_t *columns,
                                 res2net_report *report)
{
    switch (op->kind) {
    case R2N_OPERATOR_RECIPE:
        return size_after_recipe(&op->recipe, rows, columns, report);
    case R2N_OPERATOR_SHIFT_CROP:
        if (*rows != 0 && !op->crop.pad_if_needed &&
            (*columns + 2 * op->crop.padding < op->crop.width ||
             *rows + 2 * op->crop.padding < op->crop.height))
            return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                            "RandomCropImage is to cut %d x %d out of pictures of %d x %d with a "
                            "padding of %d: give more padding, or pad_if_needed: True",
                            (int)op->crop.width, (int)op->crop.height, (int)*columns, (int)*rows,
                            (int)op->crop.padding);
        /* fall through */
    case R2N_OPERATOR_RAND_CROP:
    case R2N_OPERATOR_RESIZED_CROP:
        *columns = op->crop.width;
        *rows = op->crop.height;
        return RES2NET_OK;
    default:
        return RES2NET_OK;
    }
}

res2net_status r2n_transforms_output_size(const r2n_transforms *transforms, int32_t *rows,
                                          int32_t *columns, res2net_report *report)
{
    for (size_t i = 0; i < transforms->count; i++) {
        const res2net_status status = size_after(&transforms->operators[i], rows, columns, report);
        if (status != RES2NET_OK)
            return status;
    }
    if (*rows == 0 || *columns == 0)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "transform_ops leave the size of the pictures open, and a batch has one "
                        "size: add RandCropImage or CropImage, or ResizeImage with size");
    return RES2NET_OK;
}

void r2n_transforms_decoding(const r2n_transforms *transforms, r2n_image_options *options)
{
    *options = R2N_IMAGE_OPTIONS_DEFAULT;
    options->decoder = transforms->decoding.decoder;
    options->exif = transforms->decoding.apply_exif ? R2N_EXIF_AS_OPENCV : R2N_EXIF_IGNORE;
}

/* ---- the way over a picture ---- */

res2net_status r2n_canvas_room(r2n_canvas *canvas, int32_t width, int32_t height, uint8_t **room)
{
    const int i = canvas->rgb == canvas->blocks[0]; /* the block that the picture is not in */
    size_t needed;
    if (!r2n_multiply_checked((size_t)width * 3, (size_t)height, &needed))
        needed = SIZE_MAX; /* which no allocation gives */
    if (canvas->blocks[i] == NULL || canvas->bytes[i] < needed) {
        r2n_free(canvas->blocks[i]);
        canvas->blocks[i] = r2n_allocate(needed, 1);
        canvas->bytes[i] = needed;
    }
    *room = canvas->blocks[i];
    if (*room != NULL)
        return RES2NET_OK;
    canvas->bytes[i] = 0;
    return r2n_fail(canvas->report, RES2NET_OUT_OF_MEMORY, canvas->name, -1,
                    "no memory for a picture of %d x %d pixels", (int)width, (int)height);
}

void r2n_canvas_show(r2n_canvas *canvas, const uint8_t *room, int32_t width, int32_t height)
{
    canvas->rgb = room;
    canvas->width = width;
    canvas->height = height;
}

static void copy_mirrored(const uint8_t *from, int32_t width, uint8_t *to)
{
    const uint8_t *pixel = from + (size_t)width * 3;
    for (int32_t x = 0; x < width; x++, to += 3) {
        pixel -= 3;
        to[0] = pixel[0];
        to[1] = pixel[1];
        to[2] = pixel[2];
    }
}

static res2net_status copy_upright(r2n_canvas *canvas)
{
    uint8_t *room;
    const size_t row = (size_t)canvas->width * 3;
    const res2net_status status = r2n_canvas_room(canvas, canvas->width, canvas->height, &room);
    if (status != RES2NET_OK)
        return status;
    for (int32_t y = 0; y < canvas->height; y++) {
        const int32_t from = canvas->upside_down ? canvas->height - 1 - y : y;
        if (canvas->mirrored)
            copy_mirrored(canvas->rgb + (size_t)from * row, canvas->width, room + (size_t)y * row);
        else
            memcpy(room + (size_t)y * row, canvas->rgb + (size_t)from * row, row);
    }
    canvas->mirrored = canvas->upside_down = 0;
    r2n_canvas_show(canvas, room, canvas->width, canvas->height);
    return RES2NET_OK;
}

res2net_status r2n_canvas_settle(r2n_canvas *canvas)
{
    return canvas->mirrored || canvas->upside_down ? copy_upright(canvas) : RES2NET_OK;
}

res2net_status r2n_canvas_open(r2n_canvas *canvas, uint8_t **rgb)
{
    res2net_status status = r2n_canvas_settle(canvas);
    if (status == RES2NET_OK && canvas->rgb != canvas->blocks[0] &&
        canvas->rgb != canvas->blocks[1])
        status = copy_upright(canvas);
    if (status == RES2NET_OK)
        *rgb = canvas->blocks[canvas->rgb != canvas->blocks[0]];
    return status;
}

void r2n_canvas_free(r2n_canvas *canvas)
{
    r2n_free(canvas->blocks[0]);
    r2n_free(canvas->blocks[1]);
}

res2net_status r2n_transforms_apply(const r2n_transforms *transforms, const r2n_pixels *pixels,
                                    const char *name, r2n_random *random, float *out,
                                    res2net_report *report)
{
    static r2n_apply *const apply[R2N_OPERATOR_KINDS] = {
        r2n_apply_recipe, r2n_apply_rand_crop, r2n_apply_resized_crop, r2n_apply_shift_crop,
        r2n_apply_flip,   r2n_apply_jitter,    r2n_apply_auto_augment, r2n_apply_rand_augment,
        r2n_apply_timm,   r2n_apply_normalise, r2n_apply_erase,        r2n_apply_cutout};
    r2n_canvas canvas = {.rgb = pixels->rgb,
                         .width = pixels->width,
                         .height = pixels->height,
                         .out = out,
                         .name = name,
                         .random = random,
                         .report = report};
    res2net_status status = RES2NET_OK;
    if (pixels->width < 1 || pixels->height < 1)
        return r2n_fail(report, RES2NET_BAD_PICTURE, name, -1, "a picture of %d x %d has no pixels",
                        (int)pixels->width, (int)pixels->height);
    for (size_t i = 0; i < transforms->count && status == RES2NET_OK; i++) {
        const r2n_operator *op = &transforms->operators[i];
        status = apply[op->kind](op, &canvas);
    }
    r2n_canvas_free(&canvas);
    return status;
}

/* ---- for people ---- */

static void put_size(r2n_text *text, int32_t width, int32_t height)
{
    char words[64];
    if (width == height)
        snprintf(words, sizeof words, "(size %d", (int)width);
    else
        snprintf(words, sizeof words, "(size %d x %d", (int)width, (int)height);
    r2n_text_put(text, words);
}

static void describe_recipe(r2n_text *text, const r2n_recipe *recipe)
{
    char words[64];
    if (recipe->resize_short != 0) {
        snprintf(words, sizeof words, "ResizeImage(short side %d)", (int)recipe->resize_short);
        r2n_text_put(text, words);
    } else if (recipe->resize_width != 0) {
        r2n_text_put(text, "ResizeImage");
        put_size(text, recipe->resize_width, recipe->resize_height);
        r2n_text_put(text, ")");
    }
    if (recipe->crop_width == 0)
        return;
    r2n_text_put(text,
                 text->size > 0 && text->data[text->size - 1] == ')' ? ", CropImage" : "CropImage");
    put_size(text, recipe->crop_width, recipe->crop_height);
    r2n_text_put(text, ")");
}

static void describe_policy(r2n_text *text, const r2n_operator *op)
{
    char words[128];
    const r2n_policy *p = &op->policy;
    if (op->kind == R2N_OPERATOR_AUTO_AUGMENT)
        snprintf(words, sizeof words, "AutoAugment(%s)", p->cifar10 ? "cifar10" : "imagenet");
    else if (op->kind == R2N_OPERATOR_RAND_AUGMENT)
        snprintf(words, sizeof words, "RandAugment(%d layers, magnitude %g)", (int)p->layers,
                 p->magnitude);
    else
        snprintf(words, sizeof words, "TimmAutoAugment(rand-m%g-n%d-mstd%g-inc%d%s)", p->magnitude,
                 (int)p->layers, p->deviation, p->increasing, p->weighted ? "-w0" : "");
    r2n_text_put(text, words);
}

static void describe(r2n_text *text, const r2n_operator *op)
{
    static const char *const names[R2N_OPERATOR_KINDS] = {
        [R2N_OPERATOR_RAND_CROP] = "RandCropImage",
        [R2N_OPERATOR_RESIZED_CROP] = "RandomResizedCrop",
        [R2N_OPERATOR_SHIFT_CROP] = "RandomCropImage",
        [R2N_OPERATOR_FLIP] = "RandFlipImage",
        [R2N_OPERATOR_JITTER] = "ColorJitter",
        [R2N_OPERATOR_NORMALISE] = "NormalizeImage",
        [R2N_OPERATOR_ERASE] = "RandomErasing",
        [R2N_OPERATOR_CUTOUT] = "Cutout"};
    char words[64];
    if (names[op->kind] != NULL)
        r2n_text_put(text, names[op->kind]);
    switch (op->kind) {
    case R2N_OPERATOR_RECIPE:
        describe_recipe(text, &op->recipe);
        return;
    case R2N_OPERATOR_RAND_CROP:
    case R2N_OPERATOR_RESIZED_CROP:
    case R2N_OPERATOR_SHIFT_CROP:
        put_size(text, op->crop.width, op->crop.height);
        snprintf(words, sizeof words, ", padding %d", (int)op->crop.padding);
        if (op->crop.padding != 0)
            r2n_text_put(text, words);
        r2n_text_put(text, ")");
        return;
    case R2N_OPERATOR_AUTO_AUGMENT:
    case R2N_OPERATOR_RAND_AUGMENT:
    case R2N_OPERATOR_TIMM:
        describe_policy(text, op);
        return;
    case R2N_OPERATOR_ERASE:
        snprintf(words, sizeof words, "(probability %g)", op->erase.probability);
        r2n_text_put(text, words);
        return;
    case R2N_OPERATOR_CUTOUT:
        snprintf(words, sizeof words, "(length %d)", (int)op->cutout.length);
        r2n_text_put(text, words);
        return;
    default:
        return;
    }
}

char *r2n_transforms_describe(const r2n_transforms *transforms)
{
    r2n_text text = {0};
    if (transforms->decodes)
        r2n_text_put(&text, transforms->decoding.decoder == R2N_DECODER_PILLOW ? "DecodeImage(pil)"
                                                                               : "DecodeImage");
    for (size_t i = 0; i < transforms->count; i++) {
        if (text.size > 0)
            r2n_text_put(&text, ", ");
        describe(&text, &transforms->operators[i]);
    }
    if (text.failed) {
        r2n_free(text.data);
        return NULL;
    }
    return text.data;
}
