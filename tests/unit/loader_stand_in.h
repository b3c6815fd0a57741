/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms of our own for the loader's tests, until src/train/transforms.c is there: what is
 * drawn comes from the stream that is given, as there. */
#ifndef R2N_TESTS_LOADER_STAND_IN_H
#define R2N_TESTS_LOADER_STAND_IN_H

#include <stdlib.h>

struct r2n_transforms {
    int varied;
    int32_t side; /* 0: the picture's */
};

struct r2n_batch_transforms {
    int unused;
};

static int parse(const char *text, r2n_transforms **transforms, r2n_batch_transforms **batch)
{
    if (transforms == NULL) {
        *batch = calloc(1, sizeof **batch);
        return *batch != NULL;
    }
    *transforms = calloc(1, sizeof **transforms);
    if (*transforms == NULL)
        return 0;
    (*transforms)->varied = strstr(text, "RandCropImage") != NULL;
    (*transforms)->side = (*transforms)->varied ? 4 : strstr(text, "ResizeImage") != NULL ? 6 : 0;
    return 1;
}

void r2n_transforms_destroy(r2n_transforms *transforms)
{
    free(transforms);
}

void r2n_batch_transforms_destroy(r2n_batch_transforms *transforms)
{
    free(transforms);
}

res2net_status r2n_transforms_output_size(const r2n_transforms *transforms, int32_t *rows,
                                          int32_t *columns, res2net_report *report)
{
    (void)report;
    if (transforms->side > 0)
        *rows = *columns = transforms->side;
    return RES2NET_OK;
}

void r2n_transforms_decoding(const r2n_transforms *transforms, r2n_image_options *options)
{
    (void)transforms;
    *options = R2N_IMAGE_OPTIONS_DEFAULT;
}

res2net_status r2n_transforms_apply(const r2n_transforms *transforms, const r2n_pixels *pixels,
                                    const char *name, r2n_random *random, float *out,
                                    res2net_report *report)
{
    const int32_t side = transforms->side > 0 ? transforms->side : pixels->width;
    const int64_t values = (int64_t)pixels->width * pixels->height * 3;
    (void)name;
    (void)report;
    for (int32_t i = 0; i < side * side * 3; i++)
        out[i] = pixels->rgb[transforms->varied ? r2n_random_below(random, values) : i];
    return RES2NET_OK;
}

/* Every picture with the next one. */
void r2n_batch_transforms_apply(const r2n_batch_transforms *transforms, r2n_random *random,
                                int32_t images, int32_t rows, int32_t columns, int32_t classes,
                                float *pictures, float *targets, float *room)
{
    const float share = 0.5f + 0.49f * (float)r2n_random_unit(random);
    float *const of[2] = {pictures, targets};
    const int32_t values[2] = {rows * columns * 3, classes};
    (void)transforms;
    for (int part = 0; part < 2; part++) {
        const int32_t all = images * values[part];
        memcpy(room, of[part], (size_t)all * sizeof(float));
        for (int32_t i = 0; i < all; i++)
            of[part][i] = share * room[i] + (1 - share) * room[(i + values[part]) % all];
    }
}

#endif
