/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of ColorJitter, the policies, RandomErasing and Cutout. */
#include "train/transforms_internal.h"

#ifdef R2N_HAVE_YAML

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAXIMUM_LAYERS = 20, MAXIMUM_SIDE = 16384 };

/* ---- ColorJitter ---- */

/* A number v, for 1 - v .. 1 + v (the hue's: -v .. v), or both ends. */
static res2net_status read_range(const r2n_operator_source *source, const char *key, double centre,
                                 double least, double most, double range[2])
{
    const yaml_node_t *node = r2n_yaml_find(source->yaml, source->arguments, key);
    range[0] = range[1] = centre;
    if (node != NULL && node->type == YAML_SEQUENCE_NODE)
        return r2n_read_numbers(source, key, least, most, 2, 1, range);
    double amount = 0;
    const res2net_status status = r2n_read_number(source, key, 0, most, 0, &amount);
    range[0] = fmax(centre - amount, least);
    range[1] = centre + amount;
    return status;
}

res2net_status r2n_read_jitter(const r2n_operator_source *source, r2n_operator *op)
{
    static const char *const keys[3] = {"brightness", "contrast", "saturation"};
    enum { MOST = 100 };
    r2n_jitter *jitter = &op->jitter;
    res2net_status status = RES2NET_OK;
    op->kind = R2N_OPERATOR_JITTER;
    jitter->probability = 1;
    for (int i = 0; i < 3 && status == RES2NET_OK; i++)
        status = read_range(source, keys[i], 1, 0, MOST, jitter->range[i]);
    if (status == RES2NET_OK)
        status = read_range(source, "hue", 0, -0.5, 0.5, jitter->range[R2N_JITTER_HUE]);
    return status == RES2NET_OK ? r2n_read_number(source, "p", 0, 1, 0, &jitter->probability)
                                : status;
}

/* ---- AutoAugment, RandAugment ---- */

res2net_status r2n_read_auto_augment(const r2n_operator_source *source, r2n_operator *op)
{
    static const char *const policies[] = {"imagenet", "cifar10", NULL};
    op->kind = R2N_OPERATOR_AUTO_AUGMENT;
    op->policy = (r2n_policy){.probability = 1};
    return r2n_read_choice(source, "policy", policies, &op->policy.cifar10);
}

res2net_status r2n_read_rand_augment(const r2n_operator_source *source, r2n_operator *op)
{
    op->kind = R2N_OPERATOR_RAND_AUGMENT;
    op->policy = (r2n_policy){.probability = 1, .layers = 2, .magnitude = 5};
    const res2net_status status =
        r2n_read_integer(source, "num_layers", 0, MAXIMUM_LAYERS, &op->policy.layers);
    return status == RES2NET_OK
               ? r2n_read_number(source, "magnitude", 0, 10, 0, &op->policy.magnitude)
               : status;
}

/* ---- TimmAutoAugment ---- */

/* A decimal number and nothing else; no locale has a part in it. */
static int take_number(const char *text, size_t length, double *value)
{
    double scale = 0; /* of the next digit behind the point; 0 before it */
    size_t digits = 0;
    *value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.' && scale == 0 && digits > 0) {
            scale = 0.1;
            continue;
        }
        if (text[i] < '0' || text[i] > '9' || ++digits > 9)
            return 0;
        *value = scale == 0 ? *value * 10 + (text[i] - '0') : *value + scale * (text[i] - '0');
        scale *= 0.1;
    }
    return digits > 0 && text[length - 1] != '.';
}

static int is_whole(double value, double least, double most)
{
    return value == floor(value) && value >= least && value <= most;
}

/* One section, "m9": 0 where it is none. */
static int take_section(const char *text, size_t length, r2n_policy *policy)
{
    double value;
    size_t letters = 0;
    while (letters < length && text[letters] >= 'a' && text[letters] <= 'z')
        letters++;
    if (!take_number(text + letters, length - letters, &value))
        return 0;
    if (letters == 1 && text[0] == 'm' && is_whole(value, 0, 10)) {
        policy->magnitude = value;
    } else if (letters == 1 && text[0] == 'n' && is_whole(value, 1, MAXIMUM_LAYERS)) {
        policy->layers = (int32_t)value;
    } else if (letters == 1 && text[0] == 'w' && value == 0) {
        policy->weighted = 1;
    } else if (letters == 4 && memcmp(text, "mstd", 4) == 0 && value <= 100) {
        policy->deviation = value;
    } else if (letters == 3 && memcmp(text, "inc", 3) == 0 && is_whole(value, 0, 1)) {
        policy->increasing = (int)value;
    } else {
        return 0;
    }
    return 1;
}

static res2net_status read_config_string(const r2n_operator_source *source, r2n_policy *policy)
{
    char excerpt[R2N_YAML_EXCERPT];
    const yaml_node_t *node = r2n_yaml_find(source->yaml, source->arguments, "config_str");
    const char *text = "rand-m9-mstd0.5-inc1";
    if (node != NULL && node->type != YAML_SCALAR_NODE)
        return r2n_yaml_fail(source->yaml, node, RES2NET_INVALID_ARGUMENT,
                             "config_str is no text: \"%s\" was expected", text);
    if (node != NULL)
        text = (const char *)node->data.scalar.value;
    if (node != NULL && (strncmp(text, "augmix", 6) == 0 || strncmp(text, "auto", 4) == 0 ||
                         strncmp(text, "original", 8) == 0 || strncmp(text, "v0", 2) == 0))
        return r2n_yaml_fail(source->yaml, node, RES2NET_UNSUPPORTED,
                             "config_str is \"%s\": of timm's policies only \"rand-...\" is "
                             "there; AutoAugment is an operator of its own",
                             r2n_yaml_excerpt(node, excerpt));
    int valid = strncmp(text, "rand", 4) == 0;
    for (text += valid ? 4 : 0; valid && *text != '\0';) {
        const size_t length = strcspn(text + 1, "-");
        valid = *text == '-' && take_section(text + 1, length, policy);
        text += 1 + length;
    }
    valid = valid && !(policy->weighted && policy->layers > 13); /* no more have a weight */
    if (valid)
        return RES2NET_OK;
    return r2n_yaml_fail(source->yaml, node, RES2NET_INVALID_ARGUMENT,
                         "config_str is \"%s\": \"rand\" was expected with any of -mMAGNITUDE "
                         "(0 to 10), -nLAYERS, -mstdDEVIATION, -inc0, -inc1, -w0 behind it, as "
                         "\"rand-m9-mstd0.5-inc1\"",
                         r2n_yaml_excerpt(node, excerpt));
}

static res2net_status read_timm_filter(const r2n_operator_source *source, r2n_policy *policy)
{
    static const char *const names[] = {"bilinear", "bicubic", "random",
                                        "lanczos",  "hamming", NULL};
    int choice = 1;
    const res2net_status status = r2n_read_choice(source, "interpolation", names, &choice);
    if (status != RES2NET_OK)
        return status;
    if (choice > 2)
        return r2n_yaml_fail(source->yaml,
                             r2n_yaml_find(source->yaml, source->arguments, "interpolation"),
                             RES2NET_UNSUPPORTED,
                             "Pillow cannot turn or shear by the interpolation \"%s\": use "
                             "bilinear, bicubic or random",
                             names[choice]);
    policy->filter = choice == 0   ? R2N_FILTER_BILINEAR
                     : choice == 1 ? R2N_FILTER_BICUBIC
                                   : R2N_FILTER_EITHER;
    return RES2NET_OK;
}

/* No operation of timm's RandAugment looks at it: it is checked, and that is all. */
static res2net_status check_img_size(const r2n_operator_source *source)
{
    double sides[2];
    int32_t side;
    const yaml_node_t *node = r2n_yaml_find(source->yaml, source->arguments, "img_size");
    if (node != NULL && node->type == YAML_SEQUENCE_NODE)
        return r2n_read_numbers(source, "img_size", 1, MAXIMUM_SIDE, 2, 0, sides);
    return r2n_read_integer(source, "img_size", 1, MAXIMUM_SIDE, &side);
}

res2net_status r2n_read_timm(const r2n_operator_source *source, r2n_operator *op)
{
    double mean[3] = {0.485, 0.456, 0.406};
    r2n_policy *policy = &op->policy;
    op->kind = R2N_OPERATOR_TIMM;
    *policy = (r2n_policy){.probability = 1, .layers = 2, .magnitude = 10};
    res2net_status status = read_config_string(source, policy);
    if (status == RES2NET_OK)
        status = read_timm_filter(source, policy);
    if (status == RES2NET_OK)
        status = check_img_size(source);
    if (status == RES2NET_OK)
        status = r2n_read_numbers(source, "mean", 0, 1, 3, 0, mean);
    if (status == RES2NET_OK)
        status = r2n_read_number(source, "prob", 0, 1, 0, &policy->probability);
    for (int i = 0; i < 3; i++)
        policy->fill[i] = (uint8_t)rint(255 * mean[i]);
    return status;
}

/* ---- RandomErasing, Cutout ---- */

static res2net_status check_erase_place(const r2n_operator_source *source, const r2n_erase *erase)
{
    if (source->normalised)
        return RES2NET_OK;
    if (erase->mode != R2N_ERASE_CONSTANT)
        return r2n_yaml_fail(source->yaml, source->key, RES2NET_UNSUPPORTED,
                             "RandomErasing before NormalizeImage fills with a constant only: put "
                             "it behind, where normal numbers make sense");
    for (int i = 0; i < 3; i++)
        if (erase->mean[i] < 0 || erase->mean[i] > 255)
            return r2n_yaml_fail(source->yaml, source->key, RES2NET_INVALID_ARGUMENT,
                                 "RandomErasing's mean has %g, and before NormalizeImage there "
                                 "are values from 0 to 255",
                                 erase->mean[i]);
    return RES2NET_OK;
}

res2net_status r2n_read_erase(const r2n_operator_source *source, r2n_operator *op)
{
    static const char *const modes[] = {"const", "rand", "pixel", NULL};
    r2n_erase *erase = &op->erase;
    double narrowest = 0.3;
    int mode = 0;
    op->kind = R2N_OPERATOR_ERASE;
    *erase = (r2n_erase){.probability = 0.5, .area = {0.02, 0.4}, .attempts = 100};
    res2net_status status = r2n_read_number(source, "EPSILON", 0, 1, 1, &erase->probability);
    if (status == RES2NET_OK)
        status = r2n_read_number(source, "sl", 0, 1, 1, &erase->area[0]);
    if (status == RES2NET_OK)
        status = r2n_read_number(source, "sh", erase->area[0], 1, 1, &erase->area[1]);
    if (status == RES2NET_OK)
        status = r2n_read_number(source, "r1", 1e-3, 1, 1, &narrowest);
    if (status == RES2NET_OK)
        status = r2n_read_numbers(source, "mean", -1e6, 1e6, 3, 0, erase->mean);
    if (status == RES2NET_OK)
        status = r2n_read_integer(source, "attempt", 1, 10000, &erase->attempts);
    if (status == RES2NET_OK)
        status = r2n_read_flag(source, "use_log_aspect", &erase->log_aspect);
    if (status == RES2NET_OK)
        status = r2n_read_choice(source, "mode", modes, &mode);
    if (status != RES2NET_OK)
        return status;
    erase->mode = (r2n_erase_mode)mode;
    erase->aspect[0] = erase->log_aspect ? log(narrowest) : narrowest;
    erase->aspect[1] = erase->log_aspect ? -log(narrowest) : 1 / narrowest;
    return check_erase_place(source, erase);
}

res2net_status r2n_read_cutout(const r2n_operator_source *source, r2n_operator *op)
{
    op->kind = R2N_OPERATOR_CUTOUT;
    op->cutout = (r2n_cutout){.holes = 1, .length = 112};
    const res2net_status status = r2n_read_integer(source, "n_holes", 0, 1000, &op->cutout.holes);
    return status == RES2NET_OK
               ? r2n_read_integer(source, "length", 1, MAXIMUM_SIDE, &op->cutout.length)
               : status;
}

#endif
