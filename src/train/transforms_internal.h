/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the transforms share: operators as they were read, and the picture that they
 * work on. docs/augmentation.md has the rules. */
#ifndef R2N_TRAIN_TRANSFORMS_INTERNAL_H
#define R2N_TRAIN_TRANSFORMS_INTERNAL_H

#include <stddef.h>

#include "train/transforms.h"

/* ---- operators ---- */

/* What an affine operator takes between pixels. */
typedef enum r2n_filter {
    R2N_FILTER_NEAREST,
    R2N_FILTER_BILINEAR,
    R2N_FILTER_BICUBIC,
    R2N_FILTER_EITHER /* bilinear or bicubic, drawn each time */
} r2n_filter;

/* RandCropImage and RandomResizedCrop; RandomCropImage has the last two besides the size. */
typedef struct r2n_random_crop {
    int32_t width, height;
    double scale[2], ratio[2];
    int log_aspect;
    r2n_resizer resizer;
    r2n_interpolation interpolation;
    int32_t padding;
    int pad_if_needed;
} r2n_random_crop;

enum { R2N_JITTER_BRIGHTNESS, R2N_JITTER_CONTRAST, R2N_JITTER_SATURATION, R2N_JITTER_HUE };
typedef struct r2n_jitter {
    double range[4][2]; /* of the factor; {1, 1}, and {0, 0} for the hue, do nothing */
    double probability;
} r2n_jitter;

/* AutoAugment, RandAugment, TimmAutoAugment: each its own fields. */
typedef struct r2n_policy {
    int cifar10;        /* AutoAugment */
    int32_t layers;     /* RandAugment, Timm */
    double magnitude;   /* RandAugment, Timm: 0 .. 10 */
    double deviation;   /* the rest: Timm */
    double probability; /* of being applied at all */
    int increasing, weighted;
    r2n_filter filter;
    uint8_t fill[3];
} r2n_policy;

typedef enum r2n_erase_mode {
    R2N_ERASE_CONSTANT,
    R2N_ERASE_COLOUR,
    R2N_ERASE_PIXELS
} r2n_erase_mode;
typedef struct r2n_erase {
    double probability, area[2], aspect[2];
    double mean[3];
    int32_t attempts;
    int log_aspect;
    r2n_erase_mode mode;
} r2n_erase;

typedef struct r2n_cutout {
    int32_t holes, length;
} r2n_cutout;

typedef enum r2n_operator_kind {
    R2N_OPERATOR_RECIPE, /* ResizeImage, CropImage, or one after the other as one step */
    R2N_OPERATOR_RAND_CROP,
    R2N_OPERATOR_RESIZED_CROP,
    R2N_OPERATOR_SHIFT_CROP, /* RandomCropImage */
    R2N_OPERATOR_FLIP,
    R2N_OPERATOR_JITTER,
    R2N_OPERATOR_AUTO_AUGMENT,
    R2N_OPERATOR_RAND_AUGMENT,
    R2N_OPERATOR_TIMM,
    R2N_OPERATOR_NORMALISE,
    R2N_OPERATOR_ERASE,
    R2N_OPERATOR_CUTOUT,
    R2N_OPERATOR_KINDS
} r2n_operator_kind;

typedef struct r2n_operator {
    r2n_operator_kind kind;
    union {
        r2n_recipe recipe; /* RECIPE, NORMALISE */
        r2n_random_crop crop;
        struct {
            int columns, rows; /* which are turned about */
        } flip;
        r2n_jitter jitter;
        r2n_policy policy;
        r2n_erase erase;
        r2n_cutout cutout;
    };
} r2n_operator;

struct r2n_transforms {
    r2n_recipe decoding; /* its decoder and apply_exif */
    int decodes;         /* DecodeImage is in the list */
    r2n_operator *operators;
    size_t count, capacity;
};

/* ---- the picture at work ---- */

/* The pixels lie packed in the caller's picture, or in one of two blocks. */
typedef struct r2n_canvas {
    const uint8_t *rgb;
    int32_t width, height;
    int mirrored, upside_down; /* is to be, at the next chance */
    uint8_t *blocks[2];
    size_t bytes[2];
    float *out; /* the tensor */
    int normalised;
    const char *name;
    r2n_random *random;
    res2net_report *report;
} r2n_canvas;

/* Another block for width x height pixels, while `rgb` stays what it is; OUT_OF_MEMORY. */
res2net_status r2n_canvas_room(r2n_canvas *canvas, int32_t width, int32_t height, uint8_t **room);
/* The picture is what was written there. */
void r2n_canvas_show(r2n_canvas *canvas, const uint8_t *room, int32_t width, int32_t height);
/* The picture, upright and in a block of its own, to be changed in place; OUT_OF_MEMORY. */
res2net_status r2n_canvas_open(r2n_canvas *canvas, uint8_t **rgb);
/* The picture is upright; OUT_OF_MEMORY. */
res2net_status r2n_canvas_settle(r2n_canvas *canvas);
void r2n_canvas_free(r2n_canvas *canvas);

/* Each may fail with OUT_OF_MEMORY and, the crops, BAD_PICTURE. */
typedef res2net_status r2n_apply(const r2n_operator *op, r2n_canvas *canvas);
r2n_apply r2n_apply_recipe, r2n_apply_rand_crop, r2n_apply_resized_crop, r2n_apply_shift_crop;
r2n_apply r2n_apply_flip, r2n_apply_normalise;
r2n_apply r2n_apply_jitter, r2n_apply_auto_augment, r2n_apply_rand_augment, r2n_apply_timm;
r2n_apply r2n_apply_erase, r2n_apply_cutout;

/* A rectangle of a picture, as the two random crops draw it. */
typedef struct r2n_box {
    int32_t x, y, width, height;
} r2n_box;
r2n_box r2n_draw_rand_crop(const r2n_random_crop *crop, int32_t width, int32_t height,
                           r2n_random *random);
r2n_box r2n_draw_resized_crop(const r2n_random_crop *crop, int32_t width, int32_t height,
                              r2n_random *random);

/* ---- Pillow's operations on pixels ---- */

typedef enum r2n_pixel_op {
    R2N_PIXEL_SHEAR_X,     /* amount: columns a row */
    R2N_PIXEL_SHEAR_Y,     /* rows a column */
    R2N_PIXEL_TRANSLATE_X, /* share of the width */
    R2N_PIXEL_TRANSLATE_Y, /* share of the height */
    R2N_PIXEL_ROTATE,      /* degrees, against the clock */
    R2N_PIXEL_COLOUR,      /* these four: 0 is grey, grey, black, blurred; 1 the picture */
    R2N_PIXEL_CONTRAST,
    R2N_PIXEL_BRIGHTNESS,
    R2N_PIXEL_SHARPNESS,
    R2N_PIXEL_POSTERIZE,    /* bits kept, 0 .. 8 */
    R2N_PIXEL_SOLARIZE,     /* from this value on inverted */
    R2N_PIXEL_SOLARIZE_ADD, /* added to values below 128 */
    R2N_PIXEL_AUTOCONTRAST, /* no amount, as the rest */
    R2N_PIXEL_EQUALIZE,
    R2N_PIXEL_INVERT,
    R2N_PIXEL_OPS
} r2n_pixel_op;

/* The filters are nearest, bilinear or bicubic. */
typedef struct r2n_pixel_style {
    r2n_filter shear, translate, rotate;
    uint8_t fill[3];
} r2n_pixel_style;

/* Only OUT_OF_MEMORY can happen. */
res2net_status r2n_pixel_apply(r2n_canvas *canvas, r2n_pixel_op op, double amount,
                               const r2n_pixel_style *style);
/* torchvision's adjust_hue: -0.5 .. 0.5 of the circle. */
res2net_status r2n_pixel_hue(r2n_canvas *canvas, double turn);

/* Image.transform(size, AFFINE, matrix): (x, y) of the result is taken from
 * (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]), and is `fill` where that lies outside. */
void r2n_affine(const uint8_t *in, int32_t width, int32_t height, const double matrix[6],
                r2n_filter filter, const uint8_t fill[3], uint8_t *out);
/* The matrix of Image.rotate. */
void r2n_affine_rotation(double degrees, int32_t width, int32_t height, double matrix[6]);

/* ---- reading ---- */

#ifdef R2N_HAVE_YAML

/* Where an operator stands while it is read. */
typedef struct r2n_operator_source {
    const r2n_yaml *yaml;
    const char *name;             /* of the operator */
    const yaml_node_t *key;       /* it, in the file */
    const yaml_node_t *arguments; /* a mapping, or null */
    int normalised, chw;          /* NormalizeImage, ToCHWImage came before */
} r2n_operator_source;

/* The arguments of one operator; the keys are checked. */
typedef res2net_status r2n_read_operator(const r2n_operator_source *source, r2n_operator *op);
r2n_read_operator r2n_read_jitter, r2n_read_auto_augment, r2n_read_rand_augment, r2n_read_timm;
r2n_read_operator r2n_read_erase, r2n_read_cutout;

/* *value keeps what it holds where `key` is absent. `quotient`: "1/3" is a number too. */
res2net_status r2n_read_number(const r2n_operator_source *source, const char *key, double minimum,
                               double maximum, int quotient, double *value);
res2net_status r2n_read_integer(const r2n_operator_source *source, const char *key, int32_t minimum,
                                int32_t maximum, int32_t *value);
res2net_status r2n_read_flag(const r2n_operator_source *source, const char *key, int *value);
res2net_status r2n_read_choice(const r2n_operator_source *source, const char *key,
                               const char *const *choices, int *value);
/* A list of `count` numbers; with `rising`, in order, as the ends of a range are. */
res2net_status r2n_read_numbers(const r2n_operator_source *source, const char *key, double minimum,
                                double maximum, int count, int rising, double *values);

/* An entry of a list, "- Name: {key: value}", as name and arguments. */
res2net_status r2n_read_entry(const r2n_yaml *yaml, const yaml_node_t *item,
                              const yaml_node_t **key, const yaml_node_t **arguments);
/* INVALID_ARGUMENT with the nearest of `names`. */
res2net_status r2n_fail_operator(const r2n_yaml *yaml, const yaml_node_t *key,
                                 const char *const *names);

#endif
#endif
