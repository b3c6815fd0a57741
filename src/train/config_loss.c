/* SPDX-License-Identifier: Apache-2.0 */
/* Loss: one CELoss for training, one for evaluation. */
#include "train/config_reader.h"

#ifdef R2N_HAVE_YAML

#include <stdio.h>

#include "base/memory.h"

static const char *const present[] = {"CELoss", NULL};
static const char *const absent[] = {"MixCELoss",
                                     "SoftTargetCrossEntropy",
                                     "CELossFixmatch",
                                     "TripletLoss",
                                     "TripletLossV2",
                                     "TripletAngularMarginLoss",
                                     "TripletAngularMarginLoss_XBM",
                                     "CenterLoss",
                                     "ContrastiveLoss",
                                     "ContrastiveLoss_XBM",
                                     "EmlLoss",
                                     "MSMLoss",
                                     "NpairsLoss",
                                     "TriHardLoss",
                                     "GoogLeNetLoss",
                                     "SupConLoss",
                                     "PairwiseCosface",
                                     "DMLLoss",
                                     "DistanceLoss",
                                     "MultiLabelLoss",
                                     "MultiLabelAsymmetricLoss",
                                     "AFDLoss",
                                     "DSHSDLoss",
                                     "LCDSHLoss",
                                     "DCHLoss",
                                     "DistillationCELoss",
                                     "DistillationGTCELoss",
                                     "DistillationDMLLoss",
                                     "DistillationDistanceLoss",
                                     "DistillationRKDLoss",
                                     "DistillationKLDivLoss",
                                     "DistillationDKDLoss",
                                     "DistillationWSLLoss",
                                     "DistillationSKDLoss",
                                     "DistillationMultiLabelLoss",
                                     "DistillationDISTLoss",
                                     "DistillationPairLoss",
                                     NULL};

/* PaddleClas multiplies by `weight` only where several losses are added. */
static res2net_status read_weight(const r2n_config_section *loss)
{
    const yaml_node_t *node = r2n_config_find(loss, "weight");
    char text[R2N_YAML_EXCERPT];
    double weight;
    if (node == NULL)
        return RES2NET_OK;
    const res2net_status status = r2n_yaml_number(&loss->reader->yaml, node, "weight", 0, &weight);
    if (status == RES2NET_OK)
        r2n_config_log(loss, "weight", node, r2n_yaml_excerpt(node, text),
                       weight == 1
                           ? NULL
                           : "not applied: a single loss's weight is ignored, as PaddleClas "
                             "does");
    return status;
}

static res2net_status read_smoothing(const r2n_config_section *loss, double *epsilon)
{
    static const char none[] = "outside 0 to 1: no smoothing";
    char text[R2N_YAML_EXCERPT];
    const yaml_node_t *node = r2n_config_find(loss, "epsilon");
    if (node == NULL) {
        r2n_config_log(loss, "epsilon", NULL, "null", NULL);
        return RES2NET_OK;
    }
    const res2net_status status = r2n_yaml_number(&loss->reader->yaml, node, "epsilon", 0, epsilon);
    if (status != RES2NET_OK)
        return status;
    const int smooths = *epsilon > 0 && *epsilon < 1;
    r2n_config_log(loss, "epsilon", node, r2n_yaml_excerpt(node, text), smooths ? NULL : none);
    *epsilon = smooths ? *epsilon : 0;
    return RES2NET_OK;
}

/* Ours: one number a class. */
static res2net_status read_class_weights(const r2n_config_section *loss)
{
    r2n_train_config *out = loss->reader->out;
    const yaml_node_t *node = r2n_config_find(loss, "class_weights");
    const int32_t classes = out->architecture.classes;
    int32_t count;
    double sum = 0;
    if (node == NULL)
        return RES2NET_OK;
    double *values = r2n_allocate((size_t)classes, sizeof *values);
    out->class_weights = r2n_allocate((size_t)classes, sizeof *out->class_weights);
    if (values == NULL || out->class_weights == NULL) {
        r2n_free(values);
        return r2n_config_no_memory(loss);
    }
    res2net_status status =
        r2n_config_numbers(loss, "class_weights", 0, 1e6, classes, values, &count);
    for (int32_t i = 0; status == RES2NET_OK && i < count; i++) {
        out->class_weights[i] = (float)values[i];
        sum += out->class_weights[i];
    }
    r2n_free(values);
    if (status == RES2NET_OK && count != classes)
        status =
            r2n_yaml_fail(&loss->reader->yaml, node, RES2NET_INVALID_ARGUMENT,
                          "class_weights has %d numbers, and there are %d classes", count, classes);
    if (status == RES2NET_OK && sum == 0)
        status = r2n_yaml_fail(&loss->reader->yaml, node, RES2NET_INVALID_ARGUMENT,
                               "class_weights are all 0: nothing would be learnt");
    out->train_loss.class_weights = out->class_weights;
    return status;
}

static res2net_status read_entropy(const r2n_config_section *loss, int training,
                                   r2n_loss_options *options)
{
    static const char *const training_keys[] = {"weight", "epsilon", "reduction", "class_weights",
                                                NULL};
    static const char *const evaluation_keys[] = {"weight", "epsilon", "reduction", NULL};
    static const char *const means[] = {"mean", NULL};
    static const char *const other_means[] = {"sum", "none", NULL};
    int mean = 0;
    res2net_status status = r2n_config_check_keys(loss, training ? training_keys : evaluation_keys);
    if (status == RES2NET_OK)
        status = read_weight(loss);
    if (status == RES2NET_OK)
        status = read_smoothing(loss, &options->epsilon);
    if (status == RES2NET_OK && r2n_config_find(loss, "reduction") != NULL)
        status = r2n_config_class(loss, "reduction", means, other_means, &mean);
    return status == RES2NET_OK && training ? read_class_weights(loss) : status;
}

/* `- CELoss: {...}`, one of them. */
static res2net_status read_list(const r2n_config_section *losses, const char *key, int training,
                                r2n_loss_options *options)
{
    const r2n_yaml *yaml = &losses->reader->yaml;
    const yaml_node_t *list = r2n_config_find(losses, key);
    static const char form[] = "\"- CELoss: {weight: 1.0}\" was expected";
    int index;
    if (list == NULL) {
        r2n_config_log(losses, key, NULL, "CELoss", NULL);
        return RES2NET_OK;
    }
    if (list->type != YAML_SEQUENCE_NODE ||
        list->data.sequence.items.top == list->data.sequence.items.start)
        return r2n_yaml_fail(yaml, list, RES2NET_INVALID_ARGUMENT,
                             "Loss.%s is no list of losses: %s", key, form);
    const yaml_node_item_t *items = list->data.sequence.items.start;
    for (const yaml_node_item_t *at = items; at < list->data.sequence.items.top; at++) {
        const yaml_node_t *item = r2n_yaml_node(yaml, *at);
        if (item->type != YAML_MAPPING_NODE ||
            item->data.mapping.pairs.top - item->data.mapping.pairs.start != 1)
            return r2n_yaml_fail(yaml, item, RES2NET_INVALID_ARGUMENT, "a loss stands here: %s",
                                 form);
        const yaml_node_t *name = r2n_yaml_node(yaml, item->data.mapping.pairs.start->key);
        const res2net_status status =
            r2n_config_class_of(losses->reader, name, "the loss", present, absent, &index);
        if (status != RES2NET_OK)
            return status;
        if (at > items)
            return r2n_yaml_fail(yaml, item, RES2NET_UNSUPPORTED,
                                 "a second loss is not there: one CELoss is");
    }
    r2n_config_section item = {
        .reader = losses->reader, .node = r2n_yaml_node(yaml, items[0]), .place = list};
    r2n_config_section loss;
    snprintf(item.path, sizeof item.path, "Loss.%.24s.0", key);
    const res2net_status status = r2n_config_open(&item, present[0], NULL, &loss);
    if (status != RES2NET_OK)
        return status;
    r2n_config_log(losses, key, list, "CELoss", NULL);
    return read_entropy(&loss, training, options);
}

res2net_status r2n_config_read_loss(const r2n_config_section *root)
{
    static const char *const keys[] = {"Train", "Eval", NULL};
    r2n_train_config *out = root->reader->out;
    r2n_config_section losses;
    res2net_status status = r2n_config_open(root, "Loss", keys, &losses);
    if (status == RES2NET_OK)
        status = read_list(&losses, "Train", 1, &out->train_loss);
    return status == RES2NET_OK ? read_list(&losses, "Eval", 0, &out->eval_loss) : status;
}

#endif
