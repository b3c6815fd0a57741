/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the transforms share: pictures, parsing, and lists that must be refused. */
#ifndef R2N_TESTS_TRANSFORMS_FIXTURE_H
#define R2N_TESTS_TRANSFORMS_FIXTURE_H

#include "unit/expect.h"

#include "image/resize.h"
#include "train/transforms_internal.h"

static inline r2n_pixels make_picture(int32_t width, int32_t height)
{
    r2n_pixels picture;
    assert_int_equal(r2n_pixels_allocate(&picture, width, height, NULL, NULL), RES2NET_OK);
    return picture;
}

/* The same bytes as noise() in tests/golden/make_augment.py. */
static inline r2n_pixels noise(int32_t width, int32_t height)
{
    r2n_pixels picture = make_picture(width, height);
    uint32_t state = ((uint32_t)width << 16) + (uint32_t)height;
    for (int32_t i = 0; i < width * height * 3; i++) {
        state = state * 1664525u + 1013904223u;
        picture.rgb[i] = (uint8_t)(state >> 24);
    }
    return picture;
}

/* The same bytes as slope() there. */
static inline r2n_pixels slope(int32_t width, int32_t height)
{
    r2n_pixels picture = make_picture(width, height);
    for (int32_t i = 0; i < width * height * 3; i++) {
        const int32_t channel = i % 3, x = i / 3 % width, y = i / 3 / width;
        picture.rgb[i] =
            (uint8_t)(40 + (x * (channel + 1) + y * 3 + x * y / 7) % (150 + 10 * channel));
    }
    return picture;
}

#ifdef R2N_HAVE_YAML

#define NORMALISE "- NormalizeImage: {scale: 1, mean: [0, 0, 0], std: [1, 1, 1], order: ''}\n"

/* Both read `text`, whose root is the list. */
static inline res2net_status try_parse(const char *text, r2n_transforms **out,
                                       res2net_report *report)
{
    r2n_yaml yaml;
    *out = NULL;
    res2net_status status = r2n_yaml_open(text, strlen(text), "a list", "t.yaml", &yaml, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_transforms_parse(&yaml, r2n_yaml_node(&yaml, 1), out, report);
    r2n_yaml_close(&yaml);
    return status;
}

static inline res2net_status try_parse_batch(const char *text, r2n_batch_transforms **out,
                                             res2net_report *report)
{
    r2n_yaml yaml;
    *out = NULL;
    res2net_status status = r2n_yaml_open(text, strlen(text), "a list", "t.yaml", &yaml, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_batch_transforms_parse(&yaml, r2n_yaml_node(&yaml, 1), out, report);
    r2n_yaml_close(&yaml);
    return status;
}

static inline r2n_transforms *parse_list(const char *text)
{
    r2n_transforms *transforms;
    res2net_report *report = res2net_report_create();
    if (try_parse(text, &transforms, report) != RES2NET_OK)
        fail_msg("%s: %s", text, res2net_report_problem(report, 0)->text);
    res2net_report_destroy(report);
    return transforms;
}

static inline r2n_batch_transforms *parse_batch_list(const char *text)
{
    r2n_batch_transforms *transforms;
    res2net_report *report = res2net_report_create();
    if (try_parse_batch(text, &transforms, report) != RES2NET_OK)
        fail_msg("%s: %s", text, res2net_report_problem(report, 0)->text);
    res2net_report_destroy(report);
    return transforms;
}

/* The tensor of `picture`, whose values are the pixels' where the list normalises by NORMALISE. */
static inline void apply_list(const r2n_transforms *transforms, const r2n_pixels *picture,
                              r2n_random *random, float *out)
{
    res2net_report *report = res2net_report_create();
    if (r2n_transforms_apply(transforms, picture, "picture", random, out, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    res2net_report_destroy(report);
}

#endif
#endif
