/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FILE -> PIXELS -> TENSOR. spec: shared/spec/paddleclas.md 4.1, shared/spec/pictures.md;
 * docs/numerics.md says every rounding rule.
 */
#ifndef R2N_IMAGE_IMAGE_H
#define R2N_IMAGE_IMAGE_H

#include "base/report.h"

/* Encoded pictures are read whole: a larger file is refused. */
enum { R2N_PICTURE_FILE_BYTES = 1 << 30 };

typedef struct r2n_pixels {
    int32_t width, height;
    uint8_t *rgb; /* [height][width][3], 8 bits, owned: r2n_pixels_free */
} r2n_pixels;

void r2n_pixels_free(r2n_pixels *pixels);

typedef struct r2n_image_limits {
    int64_t pixels; /* width * height at most: refused from the header, before any allocation */
    int32_t side;   /* width and height at most */
} r2n_image_limits;
#define R2N_IMAGE_LIMITS_DEFAULT ((r2n_image_limits){.pixels = 178956970, .side = 65535})

/* Whose rounding counts where the two differ: CMYK, 16-bit BMP, PNM scaled to 8 bits. */
typedef enum r2n_decoder { R2N_DECODER_OPENCV, R2N_DECODER_PILLOW } r2n_decoder;

typedef enum r2n_exif {
    R2N_EXIF_IGNORE,
    R2N_EXIF_AS_OPENCV, /* JPEG and PNG are turned, WebP is not, as OpenCV 4.6 does */
    R2N_EXIF_APPLY      /* every format that has the tag */
} r2n_exif;

typedef struct r2n_image_options {
    r2n_image_limits limits;
    r2n_decoder decoder;
    r2n_exif exif;
    int tolerate_truncated; /* a picture whose end is missing is taken, and the report says so */
    int fast;               /* JPEG by faster arithmetic, with other bits: never by default */
    int32_t fast_side;      /* then a JPEG is halved once to three times while it is decoded, as far
                               as its shorter side stays at least this; 0: it keeps its size */
} r2n_image_options;
#define R2N_IMAGE_OPTIONS_DEFAULT ((r2n_image_options){.limits = R2N_IMAGE_LIMITS_DEFAULT})

/* Decodes JPEG, PNG, WebP, BMP or PNM, told apart by content, to RGB: grey replicated, alpha
 * dropped. docs/pictures.md has every rule. `options` may be NULL; `name` is for messages. OK with
 * a problem more in the report: a cut off picture was tolerated. BAD_PICTURE, UNSUPPORTED,
 * LIMIT_EXCEEDED, OUT_OF_MEMORY. */
res2net_status r2n_image_decode(const void *bytes, size_t size, const char *name,
                                const r2n_image_options *options, r2n_pixels *out,
                                res2net_report *report);

/* The EXIF orientation of an encoded JPEG, PNG or WebP, 1 to 8; 1 where there is none. */
int r2n_image_orientation(const void *bytes, size_t size);

typedef enum r2n_resizer { R2N_RESIZER_OPENCV, R2N_RESIZER_PILLOW } r2n_resizer;
typedef enum r2n_interpolation {
    R2N_INTERPOLATION_NEAREST,
    R2N_INTERPOLATION_BILINEAR,
    R2N_INTERPOLATION_BICUBIC
} r2n_interpolation;

/* To exactly width x height. Bit-exact to OpenCV 4.6 (no antialias) or Pillow (antialias).
 * OpenCV: bilinear only; Pillow: bilinear and bicubic; else UNSUPPORTED. */
res2net_status r2n_resize(const r2n_pixels *in, int32_t width, int32_t height, r2n_resizer resizer,
                          r2n_interpolation interpolation, r2n_pixels *out, res2net_report *report);

/* ---- the recipe: what happens between decoding and the network ---- */

typedef enum r2n_size_rule {
    R2N_SIZE_PADDLE, /* both sides = round_half_even(side * (256.0 / short)) in double */
    R2N_SIZE_TORCH   /* short side = 256, long side = trunc(256 * long / short) */
} r2n_size_rule;

typedef enum r2n_crop_rule {
    R2N_CROP_PADDLE, /* floor((size - crop) / 2); a smaller picture is an error that names both
                        sizes */
    R2N_CROP_TORCH /* round_half_even((size - crop) / 2); a smaller picture is zero-padded first */
} r2n_crop_rule;

typedef enum r2n_normalise_rule {
    R2N_NORMALISE_PADDLE, /* (float32(v) * float32(scale) - mean) / std, all float32 */
    R2N_NORMALISE_TORCH   /* (float32(v) / 255 - mean) / std, all float32 */
} r2n_normalise_rule;

typedef struct r2n_recipe {
    r2n_decoder decoder;
    int32_t apply_exif;                  /* as OpenCV does: R2N_EXIF_AS_OPENCV */
    int32_t resize_short;                /* 0: none */
    int32_t resize_width, resize_height; /* fixed size (used when resize_short is 0); 0: none */
    r2n_size_rule size_rule;
    r2n_resizer resizer;
    r2n_interpolation interpolation;
    int32_t crop_width, crop_height; /* 0: none */
    r2n_crop_rule crop_rule;
    r2n_normalise_rule normalise_rule;
    float scale;           /* NORMALISE_PADDLE's; 1.0f / 255 as in the config */
    float mean[3], std[3]; /* R, G, B */
} r2n_recipe;

/* The two presets at 256 / 224 with ImageNet's mean and std. Paddle's scale is float32(1.0/255.0).
 */
void r2n_recipe_paddle(r2n_recipe *recipe);
void r2n_recipe_torch(r2n_recipe *recipe);

/* A PaddleClas transform_ops list in YAML: DecodeImage, ResizeImage, CropImage, NormalizeImage,
 * ToCHWImage with the keys of spec 4.1; unknown operators and keys are refused by line, with a
 * suggestion. UNSUPPORTED where this build lacks libyaml. */
res2net_status r2n_recipe_parse_yaml(const char *text, size_t size, const char *name,
                                     r2n_recipe *recipe, res2net_report *report);
/* A flat JSON object, as stored in .r2n. Writing gives a new string (r2n_free), NULL without
 * memory; reading refuses unknown keys and non-finite numbers. Reading what was written gives the
 * same recipe to the bit. */
char *r2n_recipe_to_json(const r2n_recipe *recipe);
res2net_status r2n_recipe_parse_json(const char *text, size_t size, const char *name,
                                     r2n_recipe *recipe, res2net_report *report);
/* Range and finiteness of every field (std not 0, sizes 1 .. 16384 ...). */
res2net_status r2n_recipe_validate(const r2n_recipe *recipe, const char *name,
                                   res2net_report *report);

/* The size of the tensor that a decoded picture of width x height gives. Refuses (LIMIT_EXCEEDED)
 * sizes whose resized picture would be over the limits; long thin pictures are cropped first. */
res2net_status r2n_recipe_output_size(const r2n_recipe *recipe, int32_t width, int32_t height,
                                      const char *name, int32_t *output_width,
                                      int32_t *output_height, res2net_report *report);

/* Resize and crop: 8-bit pixels, before normalisation. Only the cropped part is computed. */
res2net_status r2n_recipe_apply_pixels(const r2n_recipe *recipe, const r2n_pixels *in,
                                       const char *name, r2n_pixels *out, res2net_report *report);

/* Normalises into out[row * row_pitch + column * pixel_pitch + channel * channel_pitch] (floats).
 */
void r2n_normalise(const r2n_recipe *recipe, const r2n_pixels *in, float *out, int64_t row_pitch,
                   int64_t pixel_pitch, int64_t channel_pitch);

#endif
