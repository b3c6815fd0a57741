/* SPDX-License-Identifier: Apache-2.0 */
/* Where an int8 ONNX file rounds, at which scales, and that its weights are the network's.
 * tests/oracle/onnx_quantized.py runs such files. */
#include "unit/calibration_fixture.h"
#include "unit/onnx_fixture.h"

#include <math.h>

#include "export/export.h"

/* A deep stem with a maximum pool, pooled shortcuts and all kinds of nodes. */
#define DEEP "vd:planes=16,depths=1-2-1,width=26,scale=4,classes=10"

enum { FLOAT = 1, UINT8 = 2, INT8 = 3 };

static char folder[64], path[128];
static res2net_report *report;
static r2n_graph *graph;
static r2n_tensor_set *weights;

static int set_up(void **state)
{
    (void)state;
    small_folder_make(folder);
    snprintf(path, sizeof path, "%s/net.onnx", folder);
    report = res2net_report_create();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_report_destroy(report);
    small_folder_remove(folder);
    return 0;
}

static void open_network(r2n_family family)
{
    r2n_architecture architecture;
    assert_int_equal(r2n_architecture_find(DEEP, &architecture, report), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&architecture, family, &graph, report), RES2NET_OK);
    assert_int_equal(r2n_weights_formula(&architecture, 5, &weights, report), RES2NET_OK);
}

static void close_network(void)
{
    r2n_tensor_set_destroy(weights);
    r2n_graph_destroy(graph);
}

static onnx_file written(void)
{
    const r2n_export_model model = {.graph = graph, .weights = weights};
    const r2n_onnx_options options = {.weights = R2N_EXPORT_INT8};
    if (r2n_export_onnx(&model, &options, path, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    return onnx_open(path);
}

/* ---- looking --------------------------------------------------------------------------------- */

static const onnx_node *maker_of(const onnx_file *file, const char *value)
{
    for (size_t i = 0; i < file->node_count; i++)
        for (int o = 0; o < file->nodes[i].output_count; o++)
            if (strcmp(file->nodes[i].outputs[o], value) == 0)
                return &file->nodes[i];
    fail_msg("no node makes %s", value);
    return NULL;
}

static float number(const onnx_tensor *tensor, int64_t at)
{
    float value;
    assert_non_null(tensor);
    assert_int_equal(tensor->type, FLOAT);
    assert_true((size_t)(at + 1) * sizeof value <= tensor->size);
    memcpy(&value, tensor->data + (size_t)at * sizeof value, sizeof value);
    return value;
}

static float scale_of(int32_t index)
{
    return weights->metadata.activation_scales[index];
}

/* That of a concatenation is the largest of its pieces'. */
static float read_scale(int32_t index)
{
    const r2n_node *node = &graph->nodes[index];
    float largest = 0;
    if (node->kind != R2N_NODE_CONCAT)
        return scale_of(index);
    for (int32_t i = 0; i < node->input_count; i++)
        largest = fmaxf(largest, scale_of(node->inputs[i]));
    return largest;
}

static void check_rounding(const onnx_file *file, const onnx_node *node, float scale,
                           int is_picture)
{
    assert_int_equal(node->input_count, 3);
    const onnx_tensor *tensor = onnx_find_tensor(file, node->inputs[1]);
    assert_true(tensor != NULL && tensor->rank == 0);
    assert_true(number(tensor, 0) >= scale && number(tensor, 0) <= scale);
    const onnx_tensor *zero = onnx_find_tensor(file, node->inputs[2]);
    assert_true(zero != NULL && zero->rank == 0 && zero->size == 1);
    assert_int_equal(zero->type, is_picture ? INT8 : UINT8);
    assert_int_equal(zero->data[0], 0);
}

/* Values are held to 127 levels of their scale, the picture to 63 a side. */
static void check_limits(const onnx_file *file, const onnx_node *node, float scale, int is_picture)
{
    const float most = (is_picture ? 63.0f : 127.0f) * scale, least = is_picture ? -most : 0.0f;
    assert_string_equal(node->kind, "Clip");
    assert_int_equal(node->input_count, 3);
    const float found[2] = {number(onnx_find_tensor(file, node->inputs[1]), 0),
                            number(onnx_find_tensor(file, node->inputs[2]), 0)};
    assert_true(found[0] >= least && found[0] <= least && found[1] >= most && found[1] <= most);
}

/* ---- activations ----------------------------------------------------------------------------- */

static void check_value(const onnx_file *file, int32_t index)
{
    const r2n_node *node = &graph->nodes[index];
    char levels[ONNX_TEXT];
    snprintf(levels, sizeof levels, "%s.levels", node->name);
    const int is_maximum = node->kind == R2N_NODE_POOL && !node->pool_is_average;
    if (!calibration_is_stored(graph, index) || is_maximum)
        return;
    const onnx_node *rounding = maker_of(file, levels);
    assert_string_equal(rounding->kind, "QuantizeLinear");
    const int is_picture = node->kind == R2N_NODE_INPUT;
    check_rounding(file, rounding, scale_of(index), is_picture);
    const onnx_node *holding = maker_of(file, rounding->inputs[0]);
    check_limits(file, holding, scale_of(index), is_picture);
    assert_string_equal(holding->inputs[0], is_picture ? "x" : node->name);
}

/* Rounded slice, and the result of the group before it as it was. */
static void check_hierarchical_sum(const onnx_file *file, const r2n_node *node)
{
    char rounded[ONNX_TEXT];
    const onnx_node *sum = onnx_find_node(file, node->name);
    snprintf(rounded, sizeof rounded, "%s.rounded", graph->nodes[node->inputs[0]].name);
    assert_string_equal(sum->inputs[0], rounded);
    assert_string_equal(sum->inputs[1], graph->nodes[node->inputs[1]].name);
}

static void check_input_of(const onnx_file *file, int32_t index)
{
    const r2n_node *node = &graph->nodes[index];
    const onnx_node *maker = maker_of(file, onnx_find_node(file, node->name)->inputs[0]);
    while (strcmp(maker->kind, "MaxPool") == 0 || strcmp(maker->kind, "Flatten") == 0)
        maker = maker_of(file, maker->inputs[0]);
    assert_string_equal(maker->kind, "DequantizeLinear");
    check_rounding(file, maker, read_scale(node->inputs[0]), node->inputs[0] == 0);
}

static void every_stored_value_is_rounded(void **state)
{
    (void)state;
    for (int family = R2N_FAMILY_PADDLE; family <= R2N_FAMILY_TORCH; family++) {
        int stored = 0;
        open_network((r2n_family)family);
        calibrate(graph, weights);
        onnx_file file = written();
        for (int32_t i = 0; i < graph->count; i++) {
            const r2n_node *node = &graph->nodes[i];
            check_value(&file, i);
            stored += calibration_is_stored(graph, i) &&
                      (node->kind != R2N_NODE_POOL || node->pool_is_average);
            if (node->kind == R2N_NODE_ADD && calibration_is_stored(graph, i))
                check_hierarchical_sum(&file, node);
            if (node->kind == R2N_NODE_CONVOLUTION || node->kind == R2N_NODE_LINEAR)
                check_input_of(&file, i);
        }
        assert_int_equal(onnx_count(&file, "QuantizeLinear"), stored);
        assert_int_equal(onnx_count(&file, "Clip"), stored);
        onnx_close(&file);
        close_network();
    }
}

/* ---- weights --------------------------------------------------------------------------------- */

static float float_weight(const char *prefix, const char *suffix, int64_t at)
{
    char name[ONNX_TEXT];
    snprintf(name, sizeof name, "%s%s", prefix, suffix);
    const r2n_tensor *tensor = r2n_tensor_set_find(weights, name);
    assert_true(tensor != NULL && at < tensor->count);
    return tensor->data[at];
}

/* What a level of channel `channel` of a value is worth. */
static float worth_of(int32_t index, int32_t channel)
{
    const r2n_node *node = &graph->nodes[index];
    for (int32_t i = 0; node->kind == R2N_NODE_CONCAT && i < node->input_count; i++) {
        if (channel < graph->nodes[node->inputs[i]].channels)
            return scale_of(node->inputs[i]);
        channel -= graph->nodes[node->inputs[i]].channels;
    }
    return scale_of(index);
}

static const onnx_tensor *check_scales(const onnx_file *file, const r2n_node *node)
{
    char name[ONNX_TEXT];
    snprintf(name, sizeof name, "%s.weight.f32", node->tensor);
    const onnx_node *widening = onnx_find_node(file, name);
    assert_string_equal(onnx_find_node(file, node->name)->inputs[1], name);
    assert_string_equal(widening->kind, "DequantizeLinear");
    assert_int_equal(onnx_find_attribute(widening, "axis")->integer, 0);
    const onnx_tensor *scales = onnx_find_tensor(file, widening->inputs[1]);
    assert_true(scales != NULL && scales->rank == 1 && scales->shape[0] == node->channels);
    const onnx_tensor *bias = onnx_find_tensor(file, onnx_find_node(file, node->name)->inputs[2]);
    assert_true(bias != NULL && bias->type == FLOAT && bias->shape[0] == node->channels);
    return scales;
}

/* A level stands for the weight, folded and with its input's scale in it; it may be that of the
 * other neighbour, which keeps a channel's sum. */
static void check_weights(const onnx_file *file, int32_t index)
{
    const r2n_node *node = &graph->nodes[index];
    const int32_t input = node->inputs[0], inputs = graph->nodes[input].channels;
    const int is_linear = node->kind == R2N_NODE_LINEAR;
    const int32_t taps = is_linear ? 1 : node->kernel * node->kernel;
    char name[ONNX_TEXT];
    snprintf(name, sizeof name, "%s.weight", node->tensor);
    const onnx_tensor *levels = onnx_find_tensor(file, name), *scales = check_scales(file, node);
    assert_true(levels != NULL && levels->type == INT8);
    assert_int_equal(levels->size, (size_t)node->channels * (size_t)inputs * (size_t)taps);
    for (int32_t n = 0; n < node->channels; n++) {
        const char *norm = graph->nodes[index + !is_linear].tensor;
        const float factor = is_linear ? 1
                                       : float_weight(norm, ".weight", n) /
                                             sqrtf(float_weight(norm, ".running_var", n) + 1e-5f);
        for (int32_t k = 0; k < inputs * taps; k++) {
            const int64_t at = (int64_t)n * inputs * taps + k;
            const float exact = float_weight(node->tensor, ".weight", at) * factor *
                                worth_of(input, k / taps) / read_scale(input);
            const float off = exact / number(scales, n) - (float)(int8_t)levels->data[at];
            if (!(fabsf(off) < 1.001f))
                fail_msg("%s, channel %d, weight %d is %g levels off", name, n, k, (double)off);
        }
    }
}

static void levels_are_the_weights(void **state)
{
    (void)state;
    for (int family = R2N_FAMILY_PADDLE; family <= R2N_FAMILY_TORCH; family++) {
        open_network((r2n_family)family);
        calibrate(graph, weights);
        onnx_file file = written();
        for (int32_t i = 0; i < graph->count; i++)
            if (graph->nodes[i].kind == R2N_NODE_CONVOLUTION ||
                graph->nodes[i].kind == R2N_NODE_LINEAR)
                check_weights(&file, i);
        onnx_close(&file);
        close_network();
    }
}

/* A sum of two convolutions has one scale a channel for both. */
static void joined_shortcuts_share_their_scale(void **state)
{
    (void)state;
    open_network(R2N_FAMILY_TORCH);
    calibrate(graph, weights);
    onnx_file file = written();
    const onnx_tensor *last = onnx_find_tensor(&file, "layer2.0.conv3.weight.scale");
    const onnx_tensor *shortcut = onnx_find_tensor(&file, "layer2.0.downsample.1.weight.scale");
    float worth[2] = {0, 0};
    for (int32_t i = 0; i < graph->count; i++)
        for (int side = 0; side < 2; side++)
            if (strcmp(graph->nodes[i].name,
                       side == 0 ? "layer2.0.conv3" : "layer2.0.downsample.1") == 0)
                worth[side] = read_scale(graph->nodes[i].inputs[0]);
    for (int64_t n = 0; n < last->shape[0]; n++) {
        const float a = number(last, n) * worth[0], b = number(shortcut, n) * worth[1];
        assert_true(fabsf(a - b) <= 1e-6f * a);
    }
    onnx_close(&file);
    close_network();
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void refuse(r2n_onnx_options options, const char *problem)
{
    const r2n_export_model model = {.graph = graph, .weights = weights};
    options.weights = R2N_EXPORT_INT8;
    assert_int_equal(r2n_export_onnx(&model, &options, path, report), RES2NET_INVALID_ARGUMENT);
    expect_problem(report, RES2NET_INVALID_ARGUMENT, problem);
    assert_int_equal(r2n_os_exists(path), 0);
}

static void what_has_no_calibration_is_refused(void **state)
{
    (void)state;
    remove(path);
    open_network(R2N_FAMILY_PADDLE);
    refuse((r2n_onnx_options){.opset = 17}, "`res2net quantize`");
    calibrate(graph, weights);
    refuse((r2n_onnx_options){.opset = 12}, "13 to 27");
    refuse((r2n_onnx_options){.opset = 28}, "13 to 27");
    refuse((r2n_onnx_options){.keep_batch_norm = 1}, "batch norms");
    weights->metadata.activation_scale_count--;
    refuse((r2n_onnx_options){.opset = 0}, "quantize the model anew");
    weights->metadata.activation_scale_count++;
    weights->metadata.activation_scales[0] = 0;
    refuse((r2n_onnx_options){.opset = 0}, "no scale for picture");
    close_network();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stored_value_is_rounded),
        cmocka_unit_test(levels_are_the_weights),
        cmocka_unit_test(joined_shortcuts_share_their_scale),
        cmocka_unit_test(what_has_no_calibration_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
