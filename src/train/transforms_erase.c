/* SPDX-License-Identifier: Apache-2.0 */
/* RandomErasing and Cutout, on pixels or, after NormalizeImage, on floats. */
#include <math.h>
#include <string.h>

#include "train/transforms_internal.h"

/* One pixel everywhere, or, of R2N_ERASE_PIXELS, numbers of their own. */
static void erase_floats(const r2n_erase *erase, r2n_canvas *canvas, const r2n_box *box)
{
    const size_t row = (size_t)canvas->width * 3;
    float pixel[3];
    for (int channel = 0; channel < 3; channel++)
        pixel[channel] = erase->mode == R2N_ERASE_COLOUR ? (float)r2n_random_normal(canvas->random)
                                                         : (float)erase->mean[channel];
    for (int32_t y = box->y; y < box->y + box->height; y++) {
        float *to = canvas->out + (size_t)y * row + (size_t)box->x * 3;
        for (int32_t i = 0; i < box->width * 3; i++)
            to[i] = erase->mode == R2N_ERASE_PIXELS ? (float)r2n_random_normal(canvas->random)
                                                    : pixel[i % 3];
    }
}

static res2net_status erase_pixels(const uint8_t pixel[3], r2n_canvas *canvas, const r2n_box *box)
{
    uint8_t *rgb;
    const res2net_status status = r2n_canvas_open(canvas, &rgb);
    if (status != RES2NET_OK)
        return status;
    for (int32_t y = box->y; y < box->y + box->height; y++) {
        uint8_t *to = rgb + ((size_t)y * (size_t)canvas->width + (size_t)box->x) * 3;
        for (int32_t x = 0; x < box->width; x++, to += 3)
            memcpy(to, pixel, 3);
    }
    return RES2NET_OK;
}

/* 0 where no attempt gave a part that is smaller than the picture. */
static int draw_part(const r2n_erase *erase, const r2n_canvas *canvas, r2n_box *box)
{
    r2n_random *random = canvas->random;
    const double area = (double)canvas->width * canvas->height;
    for (int32_t i = 0; i < erase->attempts; i++) {
        const double target = area * r2n_random_between(random, erase->area[0], erase->area[1]);
        const double aspect = r2n_random_between(random, erase->aspect[0], erase->aspect[1]);
        const double ratio = erase->log_aspect ? exp(aspect) : aspect;
        const double h = rint(sqrt(target * ratio)), w = rint(sqrt(target / ratio));
        if (w >= canvas->width || h >= canvas->height)
            continue;
        *box = (r2n_box){0, 0, (int32_t)w, (int32_t)h};
        box->y = (int32_t)r2n_random_below(random, canvas->height - box->height + 1);
        box->x = (int32_t)r2n_random_below(random, canvas->width - box->width + 1);
        return 1;
    }
    return 0;
}

res2net_status r2n_apply_erase(const r2n_operator *op, r2n_canvas *canvas)
{
    const r2n_erase *erase = &op->erase;
    r2n_box box;
    if (r2n_random_unit(canvas->random) >= erase->probability || !draw_part(erase, canvas, &box))
        return RES2NET_OK;
    if (canvas->normalised) {
        erase_floats(erase, canvas, &box);
        return RES2NET_OK;
    }
    const uint8_t pixel[3] = {(uint8_t)erase->mean[0], (uint8_t)erase->mean[1],
                              (uint8_t)erase->mean[2]};
    return erase_pixels(pixel, canvas, &box);
}

/* ---- Cutout ---- */

/* The part of a hole around `centre` that lies inside. */
static void hole_axis(int32_t centre, int32_t length, int32_t size, int32_t *start, int32_t *count)
{
    const int32_t half = length / 2;
    const int32_t end = centre + half < size ? centre + half : size;
    *start = centre > half ? centre - half : 0;
    *count = end - *start;
}

res2net_status r2n_apply_cutout(const r2n_operator *op, r2n_canvas *canvas)
{
    static const r2n_erase nothing = {.mode = R2N_ERASE_CONSTANT};
    static const uint8_t black[3];
    res2net_status status = RES2NET_OK;
    for (int32_t i = 0; i < op->cutout.holes && status == RES2NET_OK; i++) {
        r2n_box box;
        const int32_t y = (int32_t)r2n_random_below(canvas->random, canvas->height);
        const int32_t x = (int32_t)r2n_random_below(canvas->random, canvas->width);
        hole_axis(y, op->cutout.length, canvas->height, &box.y, &box.height);
        hole_axis(x, op->cutout.length, canvas->width, &box.x, &box.width);
        if (canvas->normalised)
            erase_floats(&nothing, canvas, &box);
        else
            status = erase_pixels(black, canvas, &box);
    }
    return status;
}
