/* SPDX-License-Identifier: Apache-2.0 */
/* Crops, flips, resizing; and from pixels to floats. */
#include "train/transforms_internal.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "image/resize.h"

res2net_status r2n_apply_recipe(const r2n_operator *op, r2n_canvas *canvas)
{
    r2n_pixels made;
    res2net_status status = r2n_canvas_settle(canvas);
    if (status != RES2NET_OK)
        return status;
    /* The recipe only reads; its pixels' type lacks the const. */
    const r2n_pixels in = {canvas->width, canvas->height, (uint8_t *)canvas->rgb};
    status = r2n_recipe_apply_pixels(&op->recipe, &in, canvas->name, &made, canvas->report);
    if (status != RES2NET_OK)
        return status;
    const int i = canvas->rgb == canvas->blocks[0];
    r2n_free(canvas->blocks[i]);
    canvas->blocks[i] = made.rgb;
    canvas->bytes[i] = (size_t)made.width * (size_t)made.height * 3;
    r2n_canvas_show(canvas, made.rgb, made.width, made.height);
    return RES2NET_OK;
}

/* ---- random crops ---- */

static int32_t at_most(double side, int32_t most)
{
    const double whole = trunc(side);
    return whole < 1 ? 1 : whole > most ? most : (int32_t)whole;
}

r2n_box r2n_draw_rand_crop(const r2n_random_crop *crop, int32_t width, int32_t height,
                           r2n_random *random)
{
    const double aspect =
        crop->log_aspect ? exp(r2n_random_between(random, log(crop->ratio[0]), log(crop->ratio[1])))
                         : r2n_random_between(random, crop->ratio[0], crop->ratio[1]);
    const double own = (double)width / height;
    /* The largest share of the picture that has this aspect. */
    const double bound = fmin(own / aspect, aspect / own);
    const double share =
        r2n_random_between(random, fmin(crop->scale[0], bound), fmin(crop->scale[1], bound));
    const double area = (double)width * height * share;
    r2n_box box = {0, 0, at_most(sqrt(area * aspect), width), at_most(sqrt(area / aspect), height)};
    box.x = (int32_t)r2n_random_below(random, width - box.width + 1);
    box.y = (int32_t)r2n_random_below(random, height - box.height + 1);
    return box;
}

/* All of the picture, or the largest part in its middle whose aspect is allowed. */
static r2n_box middle(const r2n_random_crop *crop, int32_t width, int32_t height)
{
    const double own = (double)width / height;
    r2n_box box = {0, 0, width, height};
    if (own < crop->ratio[0])
        box.height = at_most(rint(width / crop->ratio[0]), height);
    else if (own > crop->ratio[1])
        box.width = at_most(rint(height * crop->ratio[1]), width);
    box.x = (width - box.width) / 2;
    box.y = (height - box.height) / 2;
    return box;
}

r2n_box r2n_draw_resized_crop(const r2n_random_crop *crop, int32_t width, int32_t height,
                              r2n_random *random)
{
    enum { TRIES = 10 };
    const double area = (double)width * height;
    for (int i = 0; i < TRIES; i++) {
        const double target = area * r2n_random_between(random, crop->scale[0], crop->scale[1]);
        const double aspect =
            exp(r2n_random_between(random, log(crop->ratio[0]), log(crop->ratio[1])));
        const double w = rint(sqrt(target * aspect)), h = rint(sqrt(target / aspect));
        if (w < 1 || w > width || h < 1 || h > height)
            continue;
        r2n_box box = {0, 0, (int32_t)w, (int32_t)h};
        box.y = (int32_t)r2n_random_below(random, height - box.height + 1);
        box.x = (int32_t)r2n_random_below(random, width - box.width + 1);
        return box;
    }
    return middle(crop, width, height);
}

/* The box of the picture, resized to the crop's size. */
static res2net_status resize_box(const r2n_random_crop *crop, r2n_canvas *canvas,
                                 const r2n_box *box)
{
    uint8_t *room;
    const r2n_window all = {crop->width, crop->height, 0, 0, crop->width, crop->height};
    const size_t row = (size_t)canvas->width * 3;
    const r2n_region region = {canvas->rgb + (size_t)box->y * row + (size_t)box->x * 3, box->width,
                               box->height, row};
    res2net_status status = r2n_canvas_room(canvas, crop->width, crop->height, &room);
    if (status != RES2NET_OK)
        return status;
    status = crop->resizer == R2N_RESIZER_OPENCV
                 ? r2n_resize_opencv(&region, &all, room, (size_t)crop->width * 3, canvas->report)
                 : r2n_resize_pillow(&region, &all, crop->interpolation, room,
                                     (size_t)crop->width * 3, canvas->report);
    if (status == RES2NET_OK)
        r2n_canvas_show(canvas, room, crop->width, crop->height);
    return status;
}

res2net_status r2n_apply_rand_crop(const r2n_operator *op, r2n_canvas *canvas)
{
    const res2net_status status = r2n_canvas_settle(canvas);
    if (status != RES2NET_OK)
        return status;
    const r2n_box box =
        r2n_draw_rand_crop(&op->crop, canvas->width, canvas->height, canvas->random);
    return resize_box(&op->crop, canvas, &box);
}

res2net_status r2n_apply_resized_crop(const r2n_operator *op, r2n_canvas *canvas)
{
    const res2net_status status = r2n_canvas_settle(canvas);
    if (status != RES2NET_OK)
        return status;
    const r2n_box box =
        r2n_draw_resized_crop(&op->crop, canvas->width, canvas->height, canvas->random);
    return resize_box(&op->crop, canvas, &box);
}

/* ---- RandomCropImage ---- */

/* torchvision pads both ends by all that lacks. */
static int32_t padding_of(const r2n_random_crop *crop, int32_t size, int32_t wanted)
{
    const int64_t padded = (int64_t)size + 2 * (int64_t)crop->padding;
    const int64_t lacking = crop->pad_if_needed && padded < wanted ? wanted - padded : 0;
    return (int32_t)(crop->padding + lacking);
}

static res2net_status fail_small(const r2n_random_crop *crop, const r2n_canvas *canvas)
{
    return r2n_fail(canvas->report, RES2NET_BAD_PICTURE, canvas->name, -1,
                    "the picture is %d x %d where RandomCropImage is to cut out %d x %d: resize "
                    "it to more, or give padding or pad_if_needed: True",
                    (int)canvas->width, (int)canvas->height, (int)crop->width, (int)crop->height);
}

/* The part of the box that lies over the picture; the rest is black. */
static void copy_box(const r2n_canvas *canvas, const r2n_box *box, uint8_t *out)
{
    const int32_t left = box->x < 0 ? -box->x : 0;
    const int32_t end = canvas->width - box->x < box->width ? canvas->width - box->x : box->width;
    const size_t row = (size_t)box->width * 3;
    for (int32_t y = 0; y < box->height; y++, out += row) {
        const int32_t from = box->y + y;
        if (from < 0 || from >= canvas->height || end <= left) {
            memset(out, 0, row);
            continue;
        }
        memset(out, 0, (size_t)left * 3);
        memcpy(out + (size_t)left * 3,
               canvas->rgb + ((size_t)from * (size_t)canvas->width + (size_t)(box->x + left)) * 3,
               (size_t)(end - left) * 3);
        memset(out + (size_t)end * 3, 0, (size_t)(box->width - end) * 3);
    }
}

res2net_status r2n_apply_shift_crop(const r2n_operator *op, r2n_canvas *canvas)
{
    const r2n_random_crop *crop = &op->crop;
    uint8_t *room;
    const int32_t pad_x = padding_of(crop, canvas->width, crop->width);
    const int32_t pad_y = padding_of(crop, canvas->height, crop->height);
    const int32_t spare_x = canvas->width + 2 * pad_x - crop->width;
    const int32_t spare_y = canvas->height + 2 * pad_y - crop->height;
    if (spare_x < 0 || spare_y < 0)
        return fail_small(crop, canvas);
    res2net_status status = r2n_canvas_settle(canvas);
    if (status == RES2NET_OK)
        status = r2n_canvas_room(canvas, crop->width, crop->height, &room);
    if (status != RES2NET_OK)
        return status;
    r2n_box box = {0, 0, crop->width, crop->height};
    box.y = (int32_t)r2n_random_below(canvas->random, spare_y + 1) - pad_y;
    box.x = (int32_t)r2n_random_below(canvas->random, spare_x + 1) - pad_x;
    copy_box(canvas, &box, room);
    r2n_canvas_show(canvas, room, crop->width, crop->height);
    return RES2NET_OK;
}

/* ---- flips, and to floats ---- */

res2net_status r2n_apply_flip(const r2n_operator *op, r2n_canvas *canvas)
{
    if (r2n_random_below(canvas->random, 2) == 1) {
        canvas->mirrored ^= op->flip.columns;
        canvas->upside_down ^= op->flip.rows;
    }
    return RES2NET_OK;
}

/* A flip that is still to be done costs nothing here: the floats are written in the other order. */
res2net_status r2n_apply_normalise(const r2n_operator *op, r2n_canvas *canvas)
{
    const r2n_pixels in = {canvas->width, canvas->height, (uint8_t *)canvas->rgb};
    const int64_t row = (int64_t)canvas->width * 3;
    float *first = canvas->out;
    first += canvas->mirrored ? row - 3 : 0;
    first += canvas->upside_down ? row * (canvas->height - 1) : 0;
    r2n_normalise(&op->recipe, &in, first, canvas->upside_down ? -row : row,
                  canvas->mirrored ? -3 : 3, 1);
    canvas->mirrored = canvas->upside_down = 0;
    canvas->normalised = 1;
    return RES2NET_OK;
}
