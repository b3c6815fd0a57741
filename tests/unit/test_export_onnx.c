/* SPDX-License-Identifier: Apache-2.0 */
/* What is in an ONNX file that we write, read with our own reader. tests/oracle/onnx_export.py runs
 * such files. */
#include "unit/onnx_fixture.h"
#include "unit/small_model.h"

#include <math.h>

#include "export/export.h"
#include "model/graph.h"

/* A deep stem, pooled shortcuts and all kinds of nodes. */
#define DEEP "vd:planes=16,depths=1-2-1,width=26,scale=4,classes=10"

enum { FLOAT = 1, INT64 = 7, FLOAT16 = 10, BFLOAT16 = 16 };

static char folder[64], path[128];
static res2net_report *report;
static r2n_graph *graph;
static r2n_tensor_set *weights;
static r2n_export_model model;

static int set_up(void **state)
{
    (void)state;
    r2n_architecture architecture;
    small_folder_make(folder);
    snprintf(path, sizeof path, "%s/net.onnx", folder);
    report = res2net_report_create();
    return r2n_architecture_find(DEEP, &architecture, report) != RES2NET_OK ||
           r2n_graph_create(&architecture, R2N_FAMILY_TORCH, &graph, report) != RES2NET_OK ||
           r2n_weights_formula(&architecture, 5, &weights, report) != RES2NET_OK;
}

static int tear_down(void **state)
{
    (void)state;
    r2n_tensor_set_destroy(weights);
    r2n_graph_destroy(graph);
    res2net_report_destroy(report);
    small_folder_remove(folder);
    return 0;
}

static int fresh_model(void **state)
{
    (void)state;
    model = (r2n_export_model){.graph = graph, .weights = weights};
    return 0;
}

static onnx_file written(const r2n_onnx_options *options)
{
    if (r2n_export_onnx(&model, options, path, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    return onnx_open(path);
}

static int nodes_of_kind(r2n_node_kind kind)
{
    int count = 0;
    for (int32_t i = 0; i < graph->count; i++)
        count += graph->nodes[i].kind == kind;
    return count;
}

/* ---- the graph ------------------------------------------------------------------------------- */

/* Every input was made before, every value is made once, every tensor is used. */
static void check_order(const onnx_file *file)
{
    char *used = r2n_allocate_zeroed(file->tensor_count, 1);
    assert_non_null(used);
    for (size_t i = 0; i < file->node_count; i++) {
        const onnx_node *node = &file->nodes[i];
        for (int k = 0; k < node->input_count; k++) {
            const onnx_tensor *tensor = onnx_find_tensor(file, node->inputs[k]);
            int makers = strcmp(node->inputs[k], "x") == 0;
            for (size_t j = 0; j < i; j++)
                for (int o = 0; o < file->nodes[j].output_count; o++)
                    makers += strcmp(file->nodes[j].outputs[o], node->inputs[k]) == 0;
            if (makers + (tensor != NULL) != 1)
                fail_msg("%s is made %d times", node->inputs[k], makers);
            if (tensor != NULL)
                used[tensor - file->tensors] = 1;
        }
        assert_true(strlen(node->name) > 0 && node->output_count > 0);
    }
    for (size_t i = 0; i < file->tensor_count; i++)
        if (!used[i])
            fail_msg("%s is not used", file->tensors[i].name);
    r2n_free(used);
    const onnx_node *last = &file->nodes[file->node_count - 1];
    assert_string_equal(last->outputs[0], file->output.name);
}

static void check_tensor_sizes(const onnx_file *file)
{
    for (size_t i = 0; i < file->tensor_count; i++) {
        const onnx_tensor *tensor = &file->tensors[i];
        int64_t count = tensor->type == INT64 ? 8 : tensor->type == FLOAT ? 4 : 2;
        for (int64_t d = 0; d < tensor->rank; d++)
            count *= tensor->shape[d];
        assert_int_equal(tensor->size, count);
    }
}

/* The attributes of a node are these, no more and no less. */
static void check_attributes(const onnx_node *node, const char *const *names)
{
    int count = 0;
    for (; names[count] != NULL; count++)
        if (onnx_find_attribute(node, names[count]) == NULL)
            fail_msg("%s has no %s", node->name, names[count]);
    assert_int_equal(node->attribute_count, count);
}

static void check_windows(const onnx_file *file)
{
    static const char *const convolution[] = {"dilations", "group",   "kernel_shape",
                                              "pads",      "strides", NULL};
    static const char *const maximum[] = {"ceil_mode", "kernel_shape", "pads", "strides", NULL};
    static const char *const average[] = {"ceil_mode", "count_include_pad", "kernel_shape",
                                          "pads",      "strides",           NULL};
    for (int32_t i = 0; i < graph->count; i++) {
        const r2n_node *ours = &graph->nodes[i];
        if (ours->kind != R2N_NODE_CONVOLUTION && ours->kind != R2N_NODE_POOL)
            continue;
        const onnx_node *node = onnx_find_node(file, ours->name);
        const int is_pool = ours->kind == R2N_NODE_POOL;
        check_attributes(node, !is_pool ? convolution : ours->pool_is_average ? average : maximum);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(onnx_find_attribute(node, "kernel_shape")->integers[k], ours->kernel);
            assert_int_equal(onnx_find_attribute(node, "strides")->integers[k], ours->stride);
        }
        assert_int_equal(onnx_find_attribute(node, "pads")->count, 4);
        for (int k = 0; k < 4; k++)
            assert_int_equal(onnx_find_attribute(node, "pads")->integers[k], ours->padding);
        if (is_pool)
            assert_int_equal(onnx_find_attribute(node, "ceil_mode")->integer, ours->ceil_mode);
        if (is_pool && ours->pool_is_average)
            assert_int_equal(onnx_find_attribute(node, "count_include_pad")->integer,
                             ours->count_padding);
    }
}

static void check_split(const onnx_file *file)
{
    const onnx_node *split = onnx_find_node(file, "layer2.1.split");
    const onnx_attribute *sizes = onnx_find_attribute(split, "split");
    assert_int_equal(onnx_find_attribute(split, "axis")->integer, 1);
    assert_int_equal(split->output_count, 4);
    assert_string_equal(split->outputs[3], "layer2.1.split.3");
    if (file->opset < 13) {
        assert_int_equal(split->input_count, 1);
        assert_int_equal(sizes->count, 4);
        for (int i = 0; i < 4; i++)
            assert_int_equal(sizes->integers[i], 13);
        return;
    }
    assert_null(sizes);
    assert_int_equal(split->input_count, 2);
    const onnx_tensor *tensor = onnx_find_tensor(file, split->inputs[1]);
    const int64_t expected[] = {13, 13, 13, 13};
    assert_true(tensor != NULL && tensor->type == INT64 && tensor->size == sizeof expected);
    assert_memory_equal(tensor->data, expected, sizeof expected);
}

static void every_node_is_there(void **state)
{
    (void)state;
    static const struct {
        int32_t opset, ir_version;
    } sets[] = {{11, 6}, {13, 7}, {17, 8}, {20, 9}, {28, 14}, {0, 8}};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        for (int keep = 0; keep < 2; keep++) {
            const r2n_onnx_options options = {.opset = sets[i].opset, .keep_batch_norm = keep};
            onnx_file file = written(&options);
            assert_int_equal(file.opset, sets[i].opset == 0 ? 17 : sets[i].opset);
            assert_int_equal(file.ir_version, sets[i].ir_version);
            check_order(&file);
            check_tensor_sizes(&file);
            check_windows(&file);
            check_split(&file);
            assert_int_equal(onnx_count(&file, "Conv"), nodes_of_kind(R2N_NODE_CONVOLUTION));
            assert_int_equal(onnx_count(&file, "BatchNormalization"),
                             keep ? nodes_of_kind(R2N_NODE_BATCH_NORM) : 0);
            assert_int_equal(onnx_count(&file, "Relu"), nodes_of_kind(R2N_NODE_RELU));
            assert_int_equal(onnx_count(&file, "Add"), nodes_of_kind(R2N_NODE_ADD));
            assert_int_equal(onnx_count(&file, "Split"), 4);
            assert_int_equal(onnx_count(&file, "Softmax"), 0);
            assert_int_equal(onnx_count(&file, "Cast"), 0);
            assert_string_equal(onnx_find_node(&file, "fc")->kind, "Gemm");
            assert_int_equal(onnx_find_attribute(onnx_find_node(&file, "fc"), "transB")->integer,
                             1);
            onnx_close(&file);
        }
}

static void sizes_are_named_or_fixed(void **state)
{
    (void)state;
    static const char *const names[] = {"batch", "", "height", "width"};
    onnx_file file = written(&(r2n_onnx_options){.softmax = 1});
    assert_true(file.input.rank == 4 && file.output.rank == 2);
    assert_true(file.input.element == FLOAT && file.output.element == FLOAT);
    assert_string_equal(file.input.name, "x");
    assert_string_equal(file.output.name, "scores");
    assert_string_equal(file.output.names[0], "batch");
    for (int i = 0; i < 4; i++) {
        assert_string_equal(file.input.names[i], names[i]);
        assert_int_equal(file.input.sizes[i], i == 1 ? 3 : 0);
    }
    assert_int_equal(file.output.sizes[1], 10);
    const onnx_node *softmax = onnx_find_node(&file, "softmax");
    assert_int_equal(onnx_find_attribute(softmax, "axis")->integer, 1);
    onnx_close(&file);
    file = written(&(r2n_onnx_options){.batch = 2, .rows = 64, .columns = 96});
    const int64_t sizes[] = {2, 3, 64, 96};
    assert_memory_equal(file.input.sizes, sizes, sizeof sizes);
    assert_int_equal(file.output.sizes[0], 2);
    assert_string_equal(file.output.name, "logits");
    onnx_close(&file);
}

static void metadata_go_along(void **state)
{
    (void)state;
    static const char *const labels[] = {
        "a", "b, c", "\xC3\xA9toile", "bad \xFF", "e", "f", "g", "h", "i", "j"};
    model.labels = labels;
    model.label_count = 10;
    model.preprocessing = "{\"crop\": 32}";
    onnx_file file = written(&(r2n_onnx_options){.opset = 0});
    assert_string_equal(file.producer, "res2net");
    assert_true(strlen(file.version) >= 5);
    assert_string_equal(file.graph, graph->architecture.name);
    assert_string_equal(onnx_metadata(&file, "res2net.architecture"), graph->architecture.name);
    assert_string_equal(onnx_metadata(&file, "res2net.family"), "torch");
    assert_string_equal(onnx_metadata(&file, "res2net.recipe"), "{\"crop\": 32}");
    assert_string_equal(onnx_metadata(&file, "res2net.labels"),
                        "a\nb, c\n\xC3\xA9toile\nbad \xEF\xBF\xBD\ne\nf\ng\nh\ni\nj");
    onnx_close(&file);
    model.label_count = 0;
    model.preprocessing = NULL;
    file = written(&(r2n_onnx_options){.opset = 0});
    assert_null(onnx_metadata(&file, "res2net.labels"));
    assert_null(onnx_metadata(&file, "res2net.recipe"));
    onnx_close(&file);
}

/* ---- the numbers ----------------------------------------------------------------------------- */

static const float *numbers_of(const char *name)
{
    const r2n_tensor *tensor = r2n_tensor_set_find(weights, name);
    assert_non_null(tensor);
    return tensor->data;
}

static float number_at(const onnx_tensor *tensor, int64_t i)
{
    float value;
    assert_int_equal(tensor->type, FLOAT);
    memcpy(&value, tensor->data + (size_t)i * sizeof value, sizeof value);
    return value;
}

static void batch_norms_are_folded_once(void **state)
{
    (void)state;
    const float *weight = numbers_of("layer1.0.conv3.weight"),
                *scale = numbers_of("layer1.0.bn3.weight"),
                *offset = numbers_of("layer1.0.bn3.bias"),
                *mean = numbers_of("layer1.0.bn3.running_mean"),
                *variance = numbers_of("layer1.0.bn3.running_var");
    onnx_file file = written(&(r2n_onnx_options){.opset = 0});
    const onnx_tensor *folded = onnx_find_tensor(&file, "layer1.0.conv3.weight");
    const onnx_tensor *bias = onnx_find_tensor(&file, "layer1.0.conv3.bias");
    assert_true(folded != NULL && bias != NULL && bias->rank == 1);
    const int64_t row = folded->shape[1];
    for (int64_t c = 0; c < folded->shape[0]; c++) {
        const double factor = (double)scale[c] / sqrt((double)variance[c] + 1e-5);
        for (int64_t i = c * row; i < (c + 1) * row; i++)
            assert_true(number_at(folded, i) == (float)((double)weight[i] * factor));
        assert_true(number_at(bias, c) == (float)((double)offset[c] - (double)mean[c] * factor));
    }
    onnx_close(&file);
}

static void kept_tensors_are_as_they_were(void **state)
{
    (void)state;
    onnx_file file = written(&(r2n_onnx_options){.keep_batch_norm = 1});
    size_t canonical = 0;
    for (size_t i = 0; i < file.tensor_count; i++) {
        const onnx_tensor *tensor = &file.tensors[i];
        const r2n_tensor *ours = r2n_tensor_set_find(weights, tensor->name);
        if (tensor->type == INT64)
            continue;
        assert_non_null(ours);
        assert_int_equal(tensor->rank, ours->rank);
        assert_int_equal(tensor->size, (size_t)ours->count * sizeof(float));
        assert_memory_equal(tensor->data, ours->data, tensor->size);
        canonical++;
    }
    assert_int_equal(canonical, weights->count);
    const onnx_node *norm = onnx_find_node(&file, "layer2.0.bns.1");
    assert_true(onnx_find_attribute(norm, "epsilon")->number == 1e-5f);
    assert_int_equal(norm->input_count, 5);
    onnx_close(&file);
}

/* Floats and what they are in 16 bits, to the nearest, ties to even. */
typedef struct rounding {
    float number;
    uint16_t half, brain;
} rounding;

static void sixteen_bits(void **state)
{
    (void)state;
    static const rounding cases[] = {{0, 0, 0},
                                     {-0.0f, 0x8000, 0x8000},
                                     {1, 0x3c00, 0x3f80},
                                     {-2.5f, 0xc100, 0xc020},
                                     {65504, 0x7bff, 0x4780},
                                     {65519, 0x7bff, 0x4780},
                                     {0x1.002p0f, 0x3c00, 0x3f80},    /* half way: down to even */
                                     {0x1.006p0f, 0x3c02, 0x3f80},    /* half way: up to even */
                                     {0x1.002002p0f, 0x3c01, 0x3f80}, /* just above */
                                     {0x1.01p0f, 0x3c04, 0x3f80},     /* half way of bf16: down */
                                     {0x1.03p0f, 0x3c0c, 0x3f82},     /* up */
                                     {0x1.ffep-1f, 0x3c00, 0x3f80},  /* carries into the exponent */
                                     {0x1p-14f, 0x0400, 0x3880},     /* f16's smallest normal one */
                                     {0x1.ff8p-15f, 0x03ff, 0x3880}, /* its largest subnormal one */
                                     {0x1.ffcp-15f, 0x0400, 0x3880},
                                     {0x1p-24f, 0x0001, 0x3380},         /* its smallest */
                                     {0x1p-25f, 0x0000, 0x3300},         /* half of it: down */
                                     {-0x1.000002p-25f, 0x8001, 0xb300}, /* more than half of it */
                                     {0x1.8p-24f, 0x0002, 0x33c0}, /* one and a half: up to even */
                                     {0x1p-126f, 0x0000, 0x0080}};
    enum { CASES = sizeof cases / sizeof *cases };
    float *numbers = (float *)(uintptr_t)numbers_of("conv1.0.weight"), kept[CASES];
    memcpy(kept, numbers, sizeof kept);
    for (int i = 0; i < CASES; i++)
        numbers[i] = cases[i].number;
    for (int brain = 0; brain < 2; brain++) {
        const r2n_onnx_options options = {.keep_batch_norm = 1,
                                          .opset = brain ? 13 : 11,
                                          .weights = brain ? R2N_EXPORT_BF16 : R2N_EXPORT_F16};
        onnx_file file = written(&options);
        const onnx_tensor *tensor = onnx_find_tensor(&file, "conv1.0.weight");
        assert_int_equal(tensor->type, brain ? BFLOAT16 : FLOAT16);
        for (int i = 0; i < CASES; i++) {
            uint16_t bits;
            memcpy(&bits, tensor->data + (size_t)i * 2, 2);
            if (bits != (brain ? cases[i].brain : cases[i].half))
                fail_msg("%a is 0x%04x", (double)cases[i].number, bits);
        }
        check_order(&file);
        check_tensor_sizes(&file);
        assert_int_equal(onnx_count(&file, "Cast"), nodes_of_kind(R2N_NODE_CONVOLUTION) + 1);
        assert_int_equal(onnx_find_attribute(onnx_find_node(&file, "fc.weight.f32"), "to")->integer,
                         FLOAT);
        assert_int_equal(onnx_find_tensor(&file, "fc.bias")->type, FLOAT);
        onnx_close(&file);
    }
    memcpy(numbers, kept, sizeof kept);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void refuse(r2n_onnx_options options, res2net_status status, const char *problem)
{
    remove(path);
    assert_int_equal(r2n_export_onnx(&model, &options, path, report), status);
    expect_problem(report, status, problem);
    assert_int_equal(r2n_os_exists(path), 0);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    const res2net_status invalid = RES2NET_INVALID_ARGUMENT;
    refuse((r2n_onnx_options){.opset = 10}, invalid, "opset 10 is not written: 11 to 28 are");
    refuse((r2n_onnx_options){.opset = 29}, invalid, "opset 29");
    refuse((r2n_onnx_options){.opset = 12, .weights = R2N_EXPORT_BF16}, invalid, "13 and later");
    refuse((r2n_onnx_options){.batch = -1}, invalid, "0 (dynamic) or more");
    refuse((r2n_onnx_options){.rows = 16, .columns = 64}, invalid, "at least 32 a side");
    refuse((r2n_onnx_options){.rows = 64, .columns = 16385}, RES2NET_LIMIT_EXCEEDED, "16384");
    model.label_count = 3;
    refuse((r2n_onnx_options){.opset = 0}, invalid, "3 class names for 10 classes");
    model.label_count = 0;
    float *numbers = (float *)(uintptr_t)numbers_of("layer1.0.conv3.weight"), kept = numbers[7];
    numbers[7] = 65520 * 4;
    refuse((r2n_onnx_options){.keep_batch_norm = 1, .weights = R2N_EXPORT_F16},
           RES2NET_LIMIT_EXCEEDED, "layer1.0.conv3.weight is larger than f16 holds");
    numbers[7] = 65520;
    refuse((r2n_onnx_options){.keep_batch_norm = 1, .weights = R2N_EXPORT_F16},
           RES2NET_LIMIT_EXCEEDED, "layer1.0.conv3.weight is larger than f16 holds");
    numbers[7] = -0x1.ffffp127f;
    refuse((r2n_onnx_options){.keep_batch_norm = 1, .weights = R2N_EXPORT_BF16},
           RES2NET_LIMIT_EXCEEDED, "bf16");
    numbers[7] = kept;
    char *name = weights->tensors[3].name;
    weights->tensors[3].name = (char[]){"lost"};
    refuse((r2n_onnx_options){.opset = 0}, RES2NET_MISMATCH, "missing or of another size");
    weights->tensors[3].name = name;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_node_is_there, fresh_model),
        cmocka_unit_test_setup(sizes_are_named_or_fixed, fresh_model),
        cmocka_unit_test_setup(metadata_go_along, fresh_model),
        cmocka_unit_test_setup(batch_norms_are_folded_once, fresh_model),
        cmocka_unit_test_setup(kept_tensors_are_as_they_were, fresh_model),
        cmocka_unit_test_setup(sixteen_bits, fresh_model),
        cmocka_unit_test_setup(what_cannot_be_written_is_refused, fresh_model),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
