/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which operations on pixels are drawn, and how strong: AutoAugment (Cubuk and others 2018),
 * RandAugment (2019) as PaddleClas has it, and timm's RandAugment.
 */
#include "train/transforms_internal.h"

#include <math.h>

static const r2n_pixel_style paddle_style = {
    R2N_FILTER_BICUBIC, R2N_FILTER_NEAREST, R2N_FILTER_NEAREST, {128, 128, 128}};

static double either_sign(r2n_random *random, double value)
{
    return r2n_random_below(random, 2) == 1 ? value : -value;
}

/* What AutoAugment and RandAugment do at `level`, 0 .. 1, but for posterize and solarize. */
static double paddle_amount(r2n_pixel_op op, double level, r2n_random *random)
{
    switch (op) {
    case R2N_PIXEL_SHEAR_X:
    case R2N_PIXEL_SHEAR_Y:
        return either_sign(random, 0.3 * level);
    case R2N_PIXEL_TRANSLATE_X:
    case R2N_PIXEL_TRANSLATE_Y:
        return either_sign(random, 150.0 / 331 * level);
    case R2N_PIXEL_ROTATE:
        return 30 * level; /* against the clock only, as there */
    case R2N_PIXEL_COLOUR:
    case R2N_PIXEL_CONTRAST:
    case R2N_PIXEL_BRIGHTNESS:
    case R2N_PIXEL_SHARPNESS:
        return 1 + either_sign(random, 0.9 * level);
    default:
        return 0;
    }
}

/* ---- AutoAugment ---- */

enum { SUB_POLICIES = 25 };

typedef struct policy_step {
    double probability;
    r2n_pixel_op op;
    int magnitude; /* 0 .. 9 */
} policy_step;

#define SHEAR_X      R2N_PIXEL_SHEAR_X
#define SHEAR_Y      R2N_PIXEL_SHEAR_Y
#define TRANSLATE_X  R2N_PIXEL_TRANSLATE_X
#define TRANSLATE_Y  R2N_PIXEL_TRANSLATE_Y
#define ROTATE       R2N_PIXEL_ROTATE
#define COLOUR       R2N_PIXEL_COLOUR
#define CONTRAST     R2N_PIXEL_CONTRAST
#define BRIGHTNESS   R2N_PIXEL_BRIGHTNESS
#define SHARPNESS    R2N_PIXEL_SHARPNESS
#define POSTERIZE    R2N_PIXEL_POSTERIZE
#define SOLARIZE     R2N_PIXEL_SOLARIZE
#define AUTOCONTRAST R2N_PIXEL_AUTOCONTRAST
#define EQUALIZE     R2N_PIXEL_EQUALIZE
#define INVERT       R2N_PIXEL_INVERT

/* Cubuk and others 2018, tables 9 (ImageNet) and 7 (CIFAR-10). */
static const policy_step imagenet[SUB_POLICIES][2] = {
    {{0.4, POSTERIZE, 8}, {0.6, ROTATE, 9}},  {{0.6, SOLARIZE, 5}, {0.6, AUTOCONTRAST, 5}},
    {{0.8, EQUALIZE, 8}, {0.6, EQUALIZE, 3}}, {{0.6, POSTERIZE, 7}, {0.6, POSTERIZE, 6}},
    {{0.4, EQUALIZE, 7}, {0.2, SOLARIZE, 4}}, {{0.4, EQUALIZE, 4}, {0.8, ROTATE, 8}},
    {{0.6, SOLARIZE, 3}, {0.6, EQUALIZE, 7}}, {{0.8, POSTERIZE, 5}, {1.0, EQUALIZE, 2}},
    {{0.2, ROTATE, 3}, {0.6, SOLARIZE, 8}},   {{0.6, EQUALIZE, 8}, {0.4, POSTERIZE, 6}},
    {{0.8, ROTATE, 8}, {0.4, COLOUR, 0}},     {{0.4, ROTATE, 9}, {0.6, EQUALIZE, 2}},
    {{0.0, EQUALIZE, 7}, {0.8, EQUALIZE, 8}}, {{0.6, INVERT, 4}, {1.0, EQUALIZE, 8}},
    {{0.6, COLOUR, 4}, {1.0, CONTRAST, 8}},   {{0.8, ROTATE, 8}, {1.0, COLOUR, 2}},
    {{0.8, COLOUR, 8}, {0.8, SOLARIZE, 7}},   {{0.4, SHARPNESS, 7}, {0.6, INVERT, 8}},
    {{0.6, SHEAR_X, 5}, {1.0, EQUALIZE, 9}},  {{0.4, COLOUR, 0}, {0.6, EQUALIZE, 3}},
    {{0.4, EQUALIZE, 7}, {0.2, SOLARIZE, 4}}, {{0.6, SOLARIZE, 5}, {0.6, AUTOCONTRAST, 5}},
    {{0.6, INVERT, 4}, {1.0, EQUALIZE, 8}},   {{0.6, COLOUR, 4}, {1.0, CONTRAST, 8}},
    {{0.8, EQUALIZE, 8}, {0.6, EQUALIZE, 3}},
};
static const policy_step cifar10[SUB_POLICIES][2] = {
    {{0.1, INVERT, 7}, {0.2, CONTRAST, 6}},          {{0.7, ROTATE, 2}, {0.3, TRANSLATE_X, 9}},
    {{0.8, SHARPNESS, 1}, {0.9, SHARPNESS, 3}},      {{0.5, SHEAR_Y, 8}, {0.7, TRANSLATE_Y, 9}},
    {{0.5, AUTOCONTRAST, 8}, {0.9, EQUALIZE, 2}},    {{0.2, SHEAR_Y, 7}, {0.3, POSTERIZE, 7}},
    {{0.4, COLOUR, 3}, {0.6, BRIGHTNESS, 7}},        {{0.3, SHARPNESS, 9}, {0.7, BRIGHTNESS, 9}},
    {{0.6, EQUALIZE, 5}, {0.5, EQUALIZE, 1}},        {{0.6, CONTRAST, 7}, {0.6, SHARPNESS, 5}},
    {{0.7, COLOUR, 7}, {0.5, TRANSLATE_X, 8}},       {{0.3, EQUALIZE, 7}, {0.4, AUTOCONTRAST, 8}},
    {{0.4, TRANSLATE_Y, 3}, {0.2, SHARPNESS, 6}},    {{0.9, BRIGHTNESS, 6}, {0.2, COLOUR, 8}},
    {{0.5, SOLARIZE, 2}, {0.0, INVERT, 3}},          {{0.2, EQUALIZE, 0}, {0.6, AUTOCONTRAST, 0}},
    {{0.2, EQUALIZE, 8}, {0.8, EQUALIZE, 4}},        {{0.9, COLOUR, 9}, {0.6, EQUALIZE, 6}},
    {{0.8, AUTOCONTRAST, 4}, {0.2, SOLARIZE, 8}},    {{0.1, BRIGHTNESS, 3}, {0.7, COLOUR, 0}},
    {{0.4, SOLARIZE, 5}, {0.9, AUTOCONTRAST, 3}},    {{0.9, TRANSLATE_Y, 9}, {0.7, TRANSLATE_Y, 9}},
    {{0.9, AUTOCONTRAST, 2}, {0.8, SOLARIZE, 3}},    {{0.8, EQUALIZE, 8}, {0.1, INVERT, 3}},
    {{0.7, TRANSLATE_Y, 9}, {0.9, AUTOCONTRAST, 1}},
};

static double auto_amount(const policy_step *step, r2n_random *random)
{
    const double level = step->magnitude / 9.0;
    if (step->op == R2N_PIXEL_POSTERIZE)
        return rint(8 - 4 * level);
    if (step->op == R2N_PIXEL_SOLARIZE)
        return 256 - 256 * level;
    return paddle_amount(step->op, level, random);
}

res2net_status r2n_apply_auto_augment(const r2n_operator *op, r2n_canvas *canvas)
{
    const policy_step(*policies)[2] = op->policy.cifar10 ? cifar10 : imagenet;
    const policy_step *steps = policies[r2n_random_below(canvas->random, SUB_POLICIES)];
    for (int i = 0; i < 2; i++) {
        if (r2n_random_unit(canvas->random) >= steps[i].probability)
            continue;
        const double amount = auto_amount(&steps[i], canvas->random);
        const res2net_status status = r2n_pixel_apply(canvas, steps[i].op, amount, &paddle_style);
        if (status != RES2NET_OK)
            return status;
    }
    return RES2NET_OK;
}

/* ---- RandAugment ---- */

res2net_status r2n_apply_rand_augment(const r2n_operator *op, r2n_canvas *canvas)
{
    static const r2n_pixel_op ops[] = {SHEAR_X,    SHEAR_Y,   TRANSLATE_X, TRANSLATE_Y, ROTATE,
                                       COLOUR,     POSTERIZE, SOLARIZE,    CONTRAST,    SHARPNESS,
                                       BRIGHTNESS, EQUALIZE,  INVERT,      AUTOCONTRAST};
    const double level = op->policy.magnitude / 10;
    for (int32_t layer = 0; layer < op->policy.layers; layer++) {
        const r2n_pixel_op chosen =
            ops[r2n_random_below(canvas->random, (int64_t)(sizeof ops / sizeof *ops))];
        const double amount = chosen == POSTERIZE  ? floor(4 * level)
                              : chosen == SOLARIZE ? 256 * level
                                                   : paddle_amount(chosen, level, canvas->random);
        const res2net_status status = r2n_pixel_apply(canvas, chosen, amount, &paddle_style);
        if (status != RES2NET_OK)
            return status;
    }
    return RES2NET_OK;
}

/* ---- timm ---- */

enum { TIMM_OPS = 15 };

typedef struct timm_op {
    r2n_pixel_op op;
    double weight; /* of timm's first set */
} timm_op;

static const timm_op timm_ops[TIMM_OPS] = {{AUTOCONTRAST, 0.025},
                                           {EQUALIZE, 0.005},
                                           {INVERT, 0},
                                           {ROTATE, 0.3},
                                           {POSTERIZE, 0},
                                           {SOLARIZE, 0.005},
                                           {R2N_PIXEL_SOLARIZE_ADD, 0.005},
                                           {COLOUR, 0.025},
                                           {CONTRAST, 0.005},
                                           {BRIGHTNESS, 0.005},
                                           {SHARPNESS, 0.025},
                                           {SHEAR_X, 0.2},
                                           {SHEAR_Y, 0.2},
                                           {TRANSLATE_X, 0.1},
                                           {TRANSLATE_Y, 0.1}};

static double timm_amount(r2n_pixel_op op, const r2n_policy *policy, double level,
                          r2n_random *random)
{
    const int increasing = policy->increasing;
    switch (op) {
    case R2N_PIXEL_SHEAR_X:
    case R2N_PIXEL_SHEAR_Y:
        return either_sign(random, 0.3 * level);
    case R2N_PIXEL_TRANSLATE_X:
    case R2N_PIXEL_TRANSLATE_Y:
        return either_sign(random, 0.45 * level);
    case R2N_PIXEL_ROTATE:
        return either_sign(random, 30 * level);
    case R2N_PIXEL_COLOUR:
    case R2N_PIXEL_CONTRAST:
    case R2N_PIXEL_BRIGHTNESS:
    case R2N_PIXEL_SHARPNESS:
        return increasing ? 1 + either_sign(random, 0.9 * level) : 1.8 * level + 0.1;
    case R2N_PIXEL_POSTERIZE:
        return increasing ? 4 - floor(level * 4) : floor(level * 4);
    case R2N_PIXEL_SOLARIZE:
        return increasing ? 256 - floor(level * 256) : floor(level * 256);
    case R2N_PIXEL_SOLARIZE_ADD:
        return floor(level * 110);
    default:
        return 0;
    }
}

/* One of the operations that are not taken yet (a bit each), by weight; each is taken once. */
static int draw_weighted(r2n_random *random, unsigned *taken)
{
    double sum = 0;
    int last = 0;
    for (int i = 0; i < TIMM_OPS; i++)
        sum += (*taken >> i & 1) == 0 ? timm_ops[i].weight : 0;
    double left = r2n_random_between(random, 0, sum);
    for (int i = 0; i < TIMM_OPS; i++) {
        if ((*taken >> i & 1) != 0 || timm_ops[i].weight == 0)
            continue;
        last = i;
        left -= timm_ops[i].weight;
        if (left < 0)
            break;
    }
    *taken |= 1u << last;
    return last;
}

static res2net_status apply_timm_op(const r2n_policy *policy, r2n_pixel_op op, r2n_canvas *canvas)
{
    r2n_random *random = canvas->random;
    double magnitude = policy->magnitude;
    r2n_filter filter = policy->filter;
    if (r2n_random_unit(random) >= 0.5)
        return RES2NET_OK;
    if (policy->deviation > 0)
        magnitude += policy->deviation * r2n_random_normal(random);
    magnitude = fmin(10, fmax(0, magnitude));
    const double amount = timm_amount(op, policy, magnitude / 10, random);
    if (filter == R2N_FILTER_EITHER)
        filter = r2n_random_below(random, 2) == 1 ? R2N_FILTER_BICUBIC : R2N_FILTER_BILINEAR;
    const r2n_pixel_style style = {
        filter, filter, filter, {policy->fill[0], policy->fill[1], policy->fill[2]}};
    return r2n_pixel_apply(canvas, op, amount, &style);
}

res2net_status r2n_apply_timm(const r2n_operator *op, r2n_canvas *canvas)
{
    const r2n_policy *policy = &op->policy;
    unsigned taken = 0;
    if (r2n_random_unit(canvas->random) >= policy->probability)
        return RES2NET_OK;
    for (int32_t layer = 0; layer < policy->layers; layer++) {
        const int i = policy->weighted ? draw_weighted(canvas->random, &taken)
                                       : (int)r2n_random_below(canvas->random, TIMM_OPS);
        const res2net_status status = apply_timm_op(policy, timm_ops[i].op, canvas);
        if (status != RES2NET_OK)
            return status;
    }
    return RES2NET_OK;
}
