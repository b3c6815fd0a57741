/* SPDX-License-Identifier: Apache-2.0 */
/* Optimizer.lr: how the learning rate goes. */
#include "train/config_reader.h"

#ifdef R2N_HAVE_YAML

enum { MAXIMUM_EPOCHS = 100000000 };

static const char *const names[] = {"Cosine",    "Linear",   "Step",    "MultiStepDecay",
                                    "Piecewise", "Constant", "ConstLR", NULL};
static const r2n_schedule_kind kinds[] = {
    R2N_SCHEDULE_COSINE,    R2N_SCHEDULE_LINEAR,   R2N_SCHEDULE_STEP,    R2N_SCHEDULE_MULTI_STEP,
    R2N_SCHEDULE_PIECEWISE, R2N_SCHEDULE_CONSTANT, R2N_SCHEDULE_CONSTANT};
static const char *const other_names[] = {"Cyclic", "ReduceOnPlateau", "CosineFixmatch",
                                          "OneCycleLR", NULL};

static const char *const keys[] = {
    "name",    "learning_rate", "warmup_epoch", "warmup_start_lr", "by_epoch", "last_epoch",
    "verbose", "eta_min",       "end_lr",       "power",           "cycle",    "step_size",
    "gamma",   "milestones",    "decay_epochs", "values",          NULL};

/* Keys of some schedules only. PaddleClas passes over those of others; so much as a null may stand
 * here, for an override cannot take a key away. */
static const struct {
    const char *key;
    r2n_schedule_kind kinds[2];
    const char *owners;
} own_keys[] = {
    {"eta_min", {R2N_SCHEDULE_COSINE, R2N_SCHEDULE_COSINE}, "Cosine"},
    {"end_lr", {R2N_SCHEDULE_LINEAR, R2N_SCHEDULE_LINEAR}, "Linear"},
    {"power", {R2N_SCHEDULE_LINEAR, R2N_SCHEDULE_LINEAR}, "Linear"},
    {"cycle", {R2N_SCHEDULE_LINEAR, R2N_SCHEDULE_LINEAR}, "Linear"},
    {"step_size", {R2N_SCHEDULE_STEP, R2N_SCHEDULE_STEP}, "Step"},
    {"gamma", {R2N_SCHEDULE_STEP, R2N_SCHEDULE_MULTI_STEP}, "Step and MultiStepDecay"},
    {"milestones", {R2N_SCHEDULE_MULTI_STEP, R2N_SCHEDULE_MULTI_STEP}, "MultiStepDecay"},
    {"decay_epochs", {R2N_SCHEDULE_PIECEWISE, R2N_SCHEDULE_PIECEWISE}, "Piecewise"},
    {"values", {R2N_SCHEDULE_PIECEWISE, R2N_SCHEDULE_PIECEWISE}, "Piecewise"},
};

static res2net_status check_own_keys(const r2n_config_section *lr, const char *name)
{
    const r2n_schedule_kind kind = lr->reader->out->schedule.kind;
    for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++) {
        const yaml_node_t *node = r2n_config_find(lr, own_keys[i].key);
        if (node != NULL && kind != own_keys[i].kinds[0] && kind != own_keys[i].kinds[1])
            return r2n_yaml_fail(&lr->reader->yaml, node, RES2NET_INVALID_ARGUMENT,
                                 "%s does not read %s, which belongs to %s: leave it out, or set "
                                 "it to None",
                                 name, own_keys[i].key, own_keys[i].owners);
    }
    return RES2NET_OK;
}

static res2net_status check_increasing(const r2n_config_section *lr, const char *key,
                                       const double *values, int32_t count)
{
    for (int32_t i = 1; i < count; i++)
        if (values[i] <= values[i - 1])
            return r2n_yaml_fail(&lr->reader->yaml, r2n_config_find(lr, key),
                                 RES2NET_INVALID_ARGUMENT, "%s must increase from number to number",
                                 key);
    return RES2NET_OK;
}

static res2net_status require(const r2n_config_section *lr, const char *key, const char *advice)
{
    return r2n_config_find(lr, key) != NULL ? RES2NET_OK : r2n_config_missing(lr, key, advice);
}

static res2net_status read_step(const r2n_config_section *lr, r2n_schedule *out)
{
    res2net_status status = require(lr, "step_size", "the epochs between two steps");
    if (status == RES2NET_OK)
        status = r2n_config_number(lr, "step_size", 1e-6, MAXIMUM_EPOCHS, &out->step_epochs);
    return status == RES2NET_OK ? r2n_config_number(lr, "gamma", 0, 1, &out->gamma) : status;
}

static res2net_status read_multi_step(const r2n_config_section *lr, r2n_schedule *out)
{
    res2net_status status = require(lr, "milestones", "the epochs at which the rate steps");
    if (status == RES2NET_OK)
        status = r2n_config_numbers(lr, "milestones", 0, MAXIMUM_EPOCHS, R2N_SCHEDULE_POINTS,
                                    out->at, &out->points);
    if (status == RES2NET_OK)
        status = check_increasing(lr, "milestones", out->at, out->points);
    return status == RES2NET_OK ? r2n_config_number(lr, "gamma", 0, 1, &out->gamma) : status;
}

static res2net_status read_piecewise(const r2n_config_section *lr, r2n_schedule *out)
{
    int32_t values;
    res2net_status status = require(lr, "decay_epochs", "the epochs at which the rate changes");
    if (status == RES2NET_OK)
        status = require(lr, "values", "the rates, one more than decay_epochs");
    if (status == RES2NET_OK)
        status = r2n_config_numbers(lr, "decay_epochs", 0, MAXIMUM_EPOCHS, R2N_SCHEDULE_POINTS,
                                    out->at, &out->points);
    if (status == RES2NET_OK)
        status = check_increasing(lr, "decay_epochs", out->at, out->points);
    if (status == RES2NET_OK)
        status =
            r2n_config_numbers(lr, "values", 0, 1e6, R2N_SCHEDULE_POINTS + 1, out->values, &values);
    if (status != RES2NET_OK)
        return status;
    if (values != out->points + 1)
        return r2n_yaml_fail(&lr->reader->yaml, r2n_config_find(lr, "values"),
                             RES2NET_INVALID_ARGUMENT,
                             "values has %d numbers, and decay_epochs %d: one more was expected",
                             values, out->points);
    out->rate = out->values[0];
    return RES2NET_OK;
}

static res2net_status read_own_keys(const r2n_config_section *lr, r2n_schedule *out)
{
    res2net_status status = RES2NET_OK;
    switch (out->kind) {
    case R2N_SCHEDULE_COSINE:
        return r2n_config_number(lr, "eta_min", 0, 1e6, &out->minimum);
    case R2N_SCHEDULE_LINEAR:
        status = r2n_config_number(lr, "end_lr", 0, 1e6, &out->minimum);
        if (status == RES2NET_OK)
            status = r2n_config_number(lr, "power", 0, 100, &out->power);
        return status == RES2NET_OK ? r2n_config_require_off(lr, "cycle", "the rate goes down once")
                                    : status;
    case R2N_SCHEDULE_STEP:
        return read_step(lr, out);
    case R2N_SCHEDULE_MULTI_STEP:
        return read_multi_step(lr, out);
    case R2N_SCHEDULE_PIECEWISE:
        return read_piecewise(lr, out);
    case R2N_SCHEDULE_CONSTANT:
        break;
    }
    return RES2NET_OK;
}

/* release/2.5 passes over a learning_rate beside `values`, develop makes other values of it. */
static res2net_status read_rate(const r2n_config_section *lr, r2n_schedule *out)
{
    if (out->kind == R2N_SCHEDULE_PIECEWISE)
        return r2n_config_require_absent(
            lr, "learning_rate",
            "Piecewise takes its rates from `values` (PaddleClas' versions differ about it)");
    const res2net_status status = require(lr, "learning_rate", "as in learning_rate: 0.1");
    return status == RES2NET_OK ? r2n_config_number(lr, "learning_rate", 0, 1e6, &out->rate)
                                : status;
}

res2net_status r2n_config_read_schedule(const r2n_config_section *optimiser)
{
    enum { CONSTANT = 5 };
    r2n_schedule *out = &optimiser->reader->out->schedule;
    r2n_config_section lr;
    int index = CONSTANT; /* where no name is given, as in PaddleClas */
    res2net_status status = r2n_config_open(optimiser, "lr", keys, &lr);
    if (status == RES2NET_OK)
        status = r2n_config_class(&lr, "name", names, other_names, &index);
    if (status != RES2NET_OK)
        return status;
    out->kind = kinds[index];
    out->epochs = optimiser->reader->out->epochs;
    status = check_own_keys(&lr, names[index]);
    if (status == RES2NET_OK)
        status = read_rate(&lr, out);
    if (status == RES2NET_OK)
        status = read_own_keys(&lr, out);
    if (status == RES2NET_OK)
        status = r2n_config_number(&lr, "warmup_epoch", 0, MAXIMUM_EPOCHS, &out->warmup_epochs);
    if (status == RES2NET_OK)
        status = r2n_config_number(&lr, "warmup_start_lr", 0, 1e6, &out->warmup_start);
    if (status == RES2NET_OK)
        status = r2n_config_boolean(&lr, "by_epoch", &out->by_epoch);
    if (status != RES2NET_OK)
        return status;
    r2n_config_taken(&lr, "last_epoch", "a resume says it");
    r2n_config_taken(&lr, "verbose", "changes nothing here");
    return RES2NET_OK;
}

#endif
