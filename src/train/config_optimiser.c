/* SPDX-License-Identifier: Apache-2.0 */
/* Optimizer: the step, decay and clipping. The learning rate is config_schedule.c's. */
#include "train/config_reader.h"

#ifdef R2N_HAVE_YAML

#include <string.h>

#include "base/memory.h"

enum { SGD, MOMENTUM, ADAMW }; /* places in `kinds`, which are those of r2n_optimiser_kind */

static const char *const kinds[] = {"SGD", "Momentum", "AdamW", NULL};
static const char *const other_kinds[] = {"Adam", "AdamWDL", "RMSProp", "Lamb", NULL};

#define COMMON_KEYS                                                                                \
    "name", "lr", "regularizer", "weight_decay", "clip_norm", "multi_precision",                   \
        "clip_global_norm", "clip_value" /* the last two are ours */
static const char *const sgd_keys[] = {COMMON_KEYS, NULL};
static const char *const momentum_keys[] = {COMMON_KEYS,
                                            "momentum",
                                            "use_nesterov",
                                            "no_weight_decay_name",
                                            "one_dim_param_no_weight_decay",
                                            NULL};
static const char *const adamw_keys[] = {COMMON_KEYS,
                                         "beta1",
                                         "beta2",
                                         "epsilon",
                                         "no_weight_decay_name",
                                         "one_dim_param_no_weight_decay",
                                         NULL};
static const char *const *const kind_keys[] = {sgd_keys, momentum_keys, adamw_keys};

static res2net_status read_kind(const r2n_config_section *optimiser)
{
    r2n_optimiser_options *out = &optimiser->reader->out->optimiser;
    int kind = -1;
    if (r2n_config_find(optimiser, "name") == NULL)
        return r2n_config_missing(optimiser, "name", "there are SGD, Momentum, AdamW");
    res2net_status status = r2n_config_class(optimiser, "name", kinds, other_kinds, &kind);
    if (status != RES2NET_OK)
        return status;
    out->kind = (r2n_optimiser_kind)kind;
    status = r2n_config_check_keys(optimiser, kind_keys[kind]);
    if (status == RES2NET_OK && kind == MOMENTUM)
        status = r2n_config_fraction(optimiser, "momentum", &out->momentum);
    if (status == RES2NET_OK && kind == MOMENTUM)
        status = r2n_config_boolean(optimiser, "use_nesterov", &out->nesterov);
    if (status == RES2NET_OK && kind == ADAMW)
        status = r2n_config_fraction(optimiser, "beta1", &out->beta1);
    if (status == RES2NET_OK && kind == ADAMW)
        status = r2n_config_fraction(optimiser, "beta2", &out->beta2);
    if (status == RES2NET_OK && kind == ADAMW)
        status = r2n_config_number(optimiser, "epsilon", 1e-30, 1, &out->epsilon);
    if (kind != MOMENTUM)
        out->momentum = 0;
    return status;
}

/* The regularizer goes before weight_decay, which is L2 without it. AdamW's decay is its own. */
static res2net_status read_decay(const r2n_config_section *optimiser)
{
    static const char *const keys[] = {"name", "coeff", NULL};
    static const char *const names[] = {"L1", "L2", NULL};
    r2n_optimiser_options *out = &optimiser->reader->out->optimiser;
    r2n_config_section regularizer;
    int name = -1;
    double coefficient = 0;
    res2net_status status = r2n_config_open(optimiser, "regularizer", keys, &regularizer);
    if (status != RES2NET_OK)
        return status;
    if (regularizer.node == NULL)
        return r2n_config_number(optimiser, "weight_decay", 0, 1e6, &out->decay);
    if (out->kind == R2N_OPTIMISER_ADAMW)
        return r2n_yaml_fail(&optimiser->reader->yaml, regularizer.node, RES2NET_INVALID_ARGUMENT,
                             "AdamW has no regularizer: its own decay is weight_decay");
    r2n_config_taken(optimiser, "weight_decay", "not applied: regularizer goes before it");
    if (r2n_config_find(&regularizer, "name") == NULL)
        return r2n_config_missing(&regularizer, "name", "there are L1 and L2");
    status = r2n_config_choice(&regularizer, "name", names, &name);
    if (status == RES2NET_OK)
        status = r2n_config_number(&regularizer, "coeff", 0, 1e6, &coefficient);
    *(name == 0 ? &out->l1 : &out->decay) = coefficient;
    return status;
}

/* Words between blanks. */
static res2net_status split_names(const r2n_config_section *optimiser, const char *text)
{
    static const char blanks[] = " \t\r\n";
    r2n_train_config *out = optimiser->reader->out;
    const size_t most = strlen(text) / 2 + 1;
    out->no_decay_names = r2n_allocate(most, sizeof *out->no_decay_names);
    if (out->no_decay_names == NULL)
        return r2n_config_no_memory(optimiser);
    for (text += strspn(text, blanks); *text != '\0'; text += strspn(text, blanks)) {
        const size_t length = strcspn(text, blanks);
        char *name = r2n_copy_bytes(text, length);
        if (name == NULL)
            return r2n_config_no_memory(optimiser);
        out->no_decay_names[out->no_decay_count++] = name;
        text += length;
    }
    return RES2NET_OK;
}

/* Momentum's rule for tensors of one dimension counts only where names are given too, as in
 * PaddleClas. */
static res2net_status read_one_dimensional(const r2n_config_section *optimiser)
{
    static const char key[] = "one_dim_param_no_weight_decay";
    r2n_train_config *out = optimiser->reader->out;
    const yaml_node_t *node = r2n_config_find(optimiser, key);
    int on = 0;
    const res2net_status status =
        node == NULL ? RES2NET_OK : r2n_yaml_boolean(&optimiser->reader->yaml, node, key, &on);
    if (status != RES2NET_OK)
        return status;
    out->no_decay_one_dimensional =
        on && (out->no_decay_count > 0 || out->optimiser.kind == R2N_OPTIMISER_ADAMW);
    r2n_config_log(optimiser, key, node, on ? "True" : "False",
                   on && !out->no_decay_one_dimensional
                       ? "not applied: Momentum reads it only with no_weight_decay_name, as "
                         "PaddleClas does"
                       : NULL);
    return RES2NET_OK;
}

/* What decay does not touch. */
static res2net_status read_exemptions(const r2n_config_section *optimiser)
{
    r2n_train_config *out = optimiser->reader->out;
    const yaml_node_t *names = r2n_config_find(optimiser, "no_weight_decay_name");
    char *text = NULL;
    if (out->optimiser.kind == R2N_OPTIMISER_SGD)
        return RES2NET_OK;
    res2net_status status = RES2NET_OK;
    if (!r2n_yaml_is(names, "")) /* as good as absent */
        status = r2n_config_text(optimiser, "no_weight_decay_name", &text);
    if (status == RES2NET_OK && text != NULL)
        status = split_names(optimiser, text);
    r2n_free(text);
    return status == RES2NET_OK ? read_one_dimensional(optimiser) : status;
}

/* At most one way. */
static res2net_status read_clipping(const r2n_config_section *optimiser)
{
    r2n_optimiser_options *out = &optimiser->reader->out->optimiser;
    const struct {
        const char *key;
        double *value;
    } ways[] = {{"clip_norm", &out->clip_norm},
                {"clip_global_norm", &out->clip_global_norm},
                {"clip_value", &out->clip_value}};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const yaml_node_t *node = r2n_config_find(optimiser, ways[i].key);
        const res2net_status status =
            r2n_config_number(optimiser, ways[i].key, 0, 1e30, ways[i].value);
        if (status != RES2NET_OK)
            return status;
        if (*ways[i].value > 0 && first != NULL)
            return r2n_yaml_fail(&optimiser->reader->yaml, node, RES2NET_INVALID_ARGUMENT,
                                 "%s after %s: gradients are clipped in one way", ways[i].key,
                                 first);
        if (*ways[i].value > 0)
            first = ways[i].key;
    }
    return RES2NET_OK;
}

res2net_status r2n_config_read_optimiser(const r2n_config_section *root)
{
    r2n_config_section optimiser;
    const yaml_node_t *node = r2n_config_find(root, "Optimizer");
    if (node != NULL && node->type == YAML_SEQUENCE_NODE)
        return r2n_yaml_fail(&root->reader->yaml, node, RES2NET_UNSUPPORTED,
                             "a list of optimisers is not there: one is, without `scope`");
    res2net_status status = r2n_config_open(root, "Optimizer", NULL, &optimiser);
    if (status == RES2NET_OK)
        status = read_kind(&optimiser);
    if (status == RES2NET_OK)
        status = read_decay(&optimiser);
    if (status == RES2NET_OK)
        status = read_exemptions(&optimiser);
    if (status == RES2NET_OK)
        status = read_clipping(&optimiser);
    if (status != RES2NET_OK)
        return status;
    r2n_config_taken(&optimiser, "multi_precision", "weights are always kept in f32");
    return r2n_config_read_schedule(&optimiser);
}

#endif
