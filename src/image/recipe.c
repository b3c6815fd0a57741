/* SPDX-License-Identifier: Apache-2.0 */
/* The recipe's presets, its checks, and resize and crop as one step. */
#include <math.h>
#include <string.h>

#include "base/report.h"
#include "image/image.h"
#include "image/resize.h"

enum { MAXIMUM_SIDE = 16384 /* of what a recipe may ask for */ };

void r2n_recipe_paddle(r2n_recipe *recipe)
{
    *recipe = (r2n_recipe){
        .decoder = R2N_DECODER_OPENCV,
        .apply_exif = 1,
        .resize_short = 256,
        .size_rule = R2N_SIZE_PADDLE,
        .resizer = R2N_RESIZER_OPENCV,
        .interpolation = R2N_INTERPOLATION_BILINEAR,
        .crop_width = 224,
        .crop_height = 224,
        .crop_rule = R2N_CROP_PADDLE,
        .normalise_rule = R2N_NORMALISE_PADDLE,
        .scale = (float)(1.0 / 255.0),
        .mean = {0.485f, 0.456f, 0.406f},
        .std = {0.229f, 0.224f, 0.225f},
    };
}

void r2n_recipe_torch(r2n_recipe *recipe)
{
    r2n_recipe_paddle(recipe);
    recipe->decoder = R2N_DECODER_PILLOW;
    recipe->apply_exif = 0;
    recipe->size_rule = R2N_SIZE_TORCH;
    recipe->resizer = R2N_RESIZER_PILLOW;
    recipe->crop_rule = R2N_CROP_TORCH;
    recipe->normalise_rule = R2N_NORMALISE_TORCH;
}

/* ---- checks ---- */

static res2net_status fail_field(res2net_report *report, const char *name, const char *field,
                                 double value, const char *expected)
{
    return r2n_fail(report, RES2NET_INVALID_ARGUMENT, name, -1,
                    "the preprocessing's %s is %.9g: %s", field, value, expected);
}

static res2net_status check_sizes(const r2n_recipe *recipe, const char *name,
                                  res2net_report *report)
{
    const struct {
        const char *field;
        int32_t value;
    } sizes[] = {{"resize_short", recipe->resize_short},
                 {"resize_width", recipe->resize_width},
                 {"resize_height", recipe->resize_height},
                 {"crop_width", recipe->crop_width},
                 {"crop_height", recipe->crop_height}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value < 0 || sizes[i].value > MAXIMUM_SIDE)
            return fail_field(report, name, sizes[i].field, sizes[i].value,
                              "it must be 1 to 16384, or 0 for none");
    if ((recipe->resize_width == 0) != (recipe->resize_height == 0))
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, name, -1,
                        "the preprocessing has only one of resize_width and resize_height: give "
                        "both or none");
    if (recipe->resize_short != 0 && recipe->resize_width != 0)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, name, -1,
                        "the preprocessing has both resize_short and a fixed size: give one");
    if ((recipe->crop_width == 0) != (recipe->crop_height == 0))
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, name, -1,
                        "the preprocessing has only one of crop_width and crop_height: give both "
                        "or none");
    return RES2NET_OK;
}

static res2net_status check_choices(const r2n_recipe *recipe, const char *name,
                                    res2net_report *report)
{
    const struct {
        const char *field;
        int value, last;
    } choices[] = {{"decoder", (int)recipe->decoder, R2N_DECODER_PILLOW},
                   {"size_rule", (int)recipe->size_rule, R2N_SIZE_TORCH},
                   {"resizer", (int)recipe->resizer, R2N_RESIZER_PILLOW},
                   {"interpolation", (int)recipe->interpolation, R2N_INTERPOLATION_BICUBIC},
                   {"crop_rule", (int)recipe->crop_rule, R2N_CROP_TORCH},
                   {"normalise_rule", (int)recipe->normalise_rule, R2N_NORMALISE_TORCH},
                   {"apply_exif", (int)recipe->apply_exif, 1}};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (choices[i].value < 0 || choices[i].value > choices[i].last)
            return fail_field(report, name, choices[i].field, choices[i].value,
                              "there is no such choice");
    if (!r2n_resizer_supports(recipe->resizer, recipe->interpolation))
        return r2n_fail(report, RES2NET_UNSUPPORTED, name, -1,
                        "the preprocessing's interpolation is not there for its resizer: use "
                        "bilinear, or bicubic with Pillow's resizer");
    return RES2NET_OK;
}

res2net_status r2n_recipe_validate(const r2n_recipe *recipe, const char *name,
                                   res2net_report *report)
{
    res2net_status status = check_sizes(recipe, name, report);
    if (status == RES2NET_OK)
        status = check_choices(recipe, name, report);
    if (status != RES2NET_OK)
        return status;
    if (!isfinite(recipe->scale) || recipe->scale == 0.0f)
        return fail_field(report, name, "scale", recipe->scale, "it must be finite and not 0");
    for (int i = 0; i < 3; i++) {
        if (!isfinite(recipe->mean[i]))
            return fail_field(report, name, "mean", recipe->mean[i], "it must be finite");
        if (!isfinite(recipe->std[i]) || recipe->std[i] == 0.0f)
            return fail_field(report, name, "std", recipe->std[i], "it must be finite and not 0");
    }
    return RES2NET_OK;
}

/* ---- resize and crop ---- */

/* The window of the resized picture that is kept, and where it lies in the result. */
typedef struct geometry {
    r2n_window window;
    int32_t width, height;     /* of the result */
    int32_t pad_left, pad_top; /* black around the window, where the picture is too small */
} geometry;

/* Python's round() and C's default rounding: halves to even. */
static double round_half_even(double value)
{
    return rint(value);
}

static res2net_status resized_size(const r2n_recipe *recipe, int32_t width, int32_t height,
                                   const char *name, int32_t resized[2], res2net_report *report)
{
    const int32_t shorter = width < height ? width : height;
    const int32_t sides[2] = {width, height};
    for (int i = 0; i < 2; i++) {
        const int64_t truncated = (int64_t)recipe->resize_short * sides[i] / shorter;
        double side = sides[i];
        if (recipe->resize_short != 0 && recipe->size_rule == R2N_SIZE_PADDLE)
            side = round_half_even(side * ((double)recipe->resize_short / (double)shorter));
        else if (recipe->resize_short != 0)
            side = (double)truncated;
        else if (recipe->resize_width != 0)
            side = i == 0 ? recipe->resize_width : recipe->resize_height;
        if (side > (double)INT32_MAX)
            return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, name, -1,
                            "the picture of %d x %d is too long and thin: resizing gives a side of "
                            "%.0f pixels; crop it first",
                            (int)width, (int)height, side);
        resized[i] = (int32_t)side;
    }
    return RES2NET_OK;
}

/* One axis: what of `size` is kept for a crop of `crop`, from where, after how much padding. */
static void crop_axis(r2n_crop_rule rule, int32_t size, int32_t crop, int32_t *start,
                      int32_t *length, int32_t *pad)
{
    if (size < crop) { /* CROP_TORCH: padded, the larger half behind, then cropped at 0 */
        *start = 0;
        *length = size;
        *pad = (crop - size) / 2;
        return;
    }
    const int32_t spare = size - crop;
    *start = rule == R2N_CROP_PADDLE ? spare / 2 : (int32_t)round_half_even(spare / 2.0);
    *length = crop;
    *pad = 0;
}

static res2net_status find_geometry(const r2n_recipe *recipe, int32_t width, int32_t height,
                                    const char *name, geometry *g, res2net_report *report)
{
    int32_t resized[2];
    const res2net_status status = resized_size(recipe, width, height, name, resized, report);
    if (status != RES2NET_OK)
        return status;
    const int32_t crop_width = recipe->crop_width, crop_height = recipe->crop_height;
    *g = (geometry){
        {resized[0], resized[1], 0, 0, resized[0], resized[1]}, resized[0], resized[1], 0, 0};
    if (crop_width != 0) {
        if (recipe->crop_rule == R2N_CROP_PADDLE &&
            (resized[0] < crop_width || resized[1] < crop_height))
            return r2n_fail(report, RES2NET_BAD_PICTURE, name, -1,
                            "the picture is %d x %d where it is to be cropped to %d x %d: resize "
                            "it to more, or crop to less",
                            (int)resized[0], (int)resized[1], (int)crop_width, (int)crop_height);
        g->width = crop_width;
        g->height = crop_height;
        crop_axis(recipe->crop_rule, resized[0], crop_width, &g->window.x, &g->window.width,
                  &g->pad_left);
        crop_axis(recipe->crop_rule, resized[1], crop_height, &g->window.y, &g->window.height,
                  &g->pad_top);
    }
    const r2n_image_limits limits = R2N_IMAGE_LIMITS_DEFAULT;
    if (g->width > limits.side || g->height > limits.side ||
        (int64_t)g->width * g->height > limits.pixels)
        return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, name, -1,
                        "a picture of %d x %d becomes %d x %d; the limits are %lld pixels and %d a "
                        "side: crop it, or resize to less",
                        (int)width, (int)height, (int)g->width, (int)g->height,
                        (long long)limits.pixels, (int)limits.side);
    return RES2NET_OK;
}

res2net_status r2n_recipe_output_size(const r2n_recipe *recipe, int32_t width, int32_t height,
                                      const char *name, int32_t *output_width,
                                      int32_t *output_height, res2net_report *report)
{
    geometry g;
    if (width < 1 || height < 1)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, name, -1,
                        "a picture of %d x %d has no pixels", (int)width, (int)height);
    const res2net_status status = find_geometry(recipe, width, height, name, &g, report);
    if (status != RES2NET_OK)
        return status;
    *output_width = g.width;
    *output_height = g.height;
    return RES2NET_OK;
}

static res2net_status fill_window(const r2n_recipe *recipe, const r2n_pixels *in,
                                  const r2n_window *window, uint8_t *out, size_t row_bytes,
                                  res2net_report *report)
{
    if (window->full_width == in->width && window->full_height == in->height) {
        const size_t in_row_bytes = (size_t)in->width * 3;
        const uint8_t *from = in->rgb + (size_t)window->y * in_row_bytes + (size_t)window->x * 3;
        for (int32_t y = 0; y < window->height; y++)
            memcpy(out + (size_t)y * row_bytes, from + (size_t)y * in_row_bytes,
                   (size_t)window->width * 3);
        return RES2NET_OK;
    }
    const r2n_region region = r2n_region_all(in);
    if (recipe->resizer == R2N_RESIZER_OPENCV)
        return r2n_resize_opencv(&region, window, out, row_bytes, report);
    return r2n_resize_pillow(&region, window, recipe->interpolation, out, row_bytes, report);
}

res2net_status r2n_recipe_apply_pixels(const r2n_recipe *recipe, const r2n_pixels *in,
                                       const char *name, r2n_pixels *out, res2net_report *report)
{
    geometry g;
    *out = (r2n_pixels){0};
    if (in->width < 1 || in->height < 1)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, name, -1,
                        "a picture of %d x %d has no pixels", (int)in->width, (int)in->height);
    res2net_status status = find_geometry(recipe, in->width, in->height, name, &g, report);
    if (status == RES2NET_OK)
        status = r2n_pixels_allocate(out, g.width, g.height, name, report);
    if (status != RES2NET_OK)
        return status;
    const size_t row_bytes = (size_t)g.width * 3;
    if (g.window.width != g.width || g.window.height != g.height)
        memset(out->rgb, 0, row_bytes * (size_t)g.height);
    status = fill_window(recipe, in, &g.window,
                         out->rgb + (size_t)g.pad_top * row_bytes + (size_t)g.pad_left * 3,
                         row_bytes, report);
    if (status != RES2NET_OK)
        r2n_pixels_free(out);
    return status;
}
