/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign graphs built in memory: what is matched with the catalogue, and what is refused. */
#include "import_fixture.h"

#include "import/match_internal.h"

/* How the graph is written down. */
typedef struct manner {
    int fold;       /* batch norms into the convolutions */
    int turn_sums;  /* x + y as y + x */
    int bias;       /* a bias at every convolution, the mean being that much larger */
    double epsilon; /* 0: 1e-5 */
    int matrix_turned, bias_apart, softmax;
    /* What is wrong: the node of ours that comes out otherwise, -1 for none. */
    int32_t node;
    void (*spoil)(r2n_node *node);
} manner;

static const manner plain_manner = {.node = -1};
static res2net_report *report;

static int32_t put_numbers(r2n_foreign_graph *g, const float *numbers, int32_t rank,
                           const int64_t *shape)
{
    size_t count = 1;
    for (int32_t i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    float *block = r2n_allocate(count, sizeof *block);
    assert_non_null(block);
    memcpy(block, numbers, count * sizeof *block);
    assert_true(r2n_foreign_own_block(g, block));
    g->weight_bytes += count * sizeof *block;
    const r2n_foreign_tensor tensor = {.rank = rank,
                                       .shape = shape,
                                       .type = R2N_ELEMENT_F32,
                                       .data = (const uint8_t *)block,
                                       .bytes = count * sizeof *block,
                                       .integer_count = -1};
    return r2n_foreign_constant(g, &tensor);
}

static int32_t put_tensor(r2n_foreign_graph *g, const r2n_tensor *tensor)
{
    return put_numbers(g, tensor->data, tensor->rank, tensor->shape);
}

typedef struct writer {
    const network *n;
    const manner *m;
    r2n_foreign_graph *g;
    int32_t values[2048]; /* [node] */
} writer;

static r2n_foreign_label label_of(const r2n_node *node)
{
    return (r2n_foreign_label){.type = "Op",
                               .type_bytes = 2,
                               .name = node->name,
                               .name_bytes = strlen(node->name),
                               .offset = -1};
}

static int32_t put_convolution(writer *w, const r2n_node *node)
{
    r2n_foreign_window window = r2n_foreign_window_default();
    const r2n_foreign_label label = label_of(node);
    float ones[2048];
    const int64_t channels = node->channels;
    for (int i = 0; i < 2048; i++)
        ones[i] = 0.5F;
    for (int i = 0; i < 2; i++) {
        window.kernel[i] = node->kernel;
        window.stride[i] = node->stride;
    }
    for (int i = 0; i < 4; i++)
        window.padding[i] = node->padding;
    const int32_t bias = w->m->bias ? put_numbers(w->g, ones, 1, &channels) : -1;
    return r2n_foreign_convolution(w->g, &label, w->values[node->inputs[0]],
                                   put_tensor(w->g, network_tensor(w->n, node, "weight")), bias,
                                   &window);
}

/* A fold is written as an offset alone: the scales stay out, the test compares accordingly. */
static int32_t put_norm(writer *w, const r2n_node *node)
{
    const r2n_foreign_label label = label_of(node);
    const int32_t x = w->values[node->inputs[0]];
    const r2n_tensor *mean = network_tensor(w->n, node, "running_mean");
    if (w->m->fold) {
        const int64_t shape[3] = {node->channels, 1, 1};
        return r2n_foreign_sum(
            w->g, &label, x, put_numbers(w->g, network_tensor(w->n, node, "bias")->data, 3, shape));
    }
    float moved[2048];
    for (int32_t i = 0; i < node->channels; i++)
        moved[i] = mean->data[i] + (w->m->bias ? 0.5F : 0);
    const int32_t inputs[5] = {x, put_tensor(w->g, network_tensor(w->n, node, "weight")),
                               put_tensor(w->g, network_tensor(w->n, node, "bias")),
                               put_numbers(w->g, moved, 1, mean->shape),
                               put_tensor(w->g, network_tensor(w->n, node, "running_var"))};
    return r2n_foreign_batch_norm(w->g, &label, inputs, w->m->epsilon > 0 ? w->m->epsilon : 1e-5F);
}

static int32_t put_classifier(writer *w, const r2n_node *node)
{
    const r2n_foreign_label label = label_of(node);
    const r2n_tensor *matrix = network_tensor(w->n, node, "weight");
    int32_t weight = put_tensor(w->g, matrix);
    const int32_t bias = put_tensor(w->g, network_tensor(w->n, node, "bias"));
    int32_t x = r2n_foreign_simple(w->g, &label, R2N_FOREIGN_RESHAPE, w->values[node->inputs[0]]);
    if (w->m->matrix_turned)
        weight = r2n_foreign_transposed(w->g, weight);
    x = r2n_foreign_multiply(w->g, &label, x, weight, w->m->bias_apart ? -1 : bias,
                             !w->m->matrix_turned);
    if (w->m->bias_apart)
        x = r2n_foreign_sum(w->g, &label, bias, x);
    return w->m->softmax ? r2n_foreign_simple(w->g, &label, R2N_FOREIGN_SOFTMAX, x) : x;
}

static int32_t put_node(writer *w, const r2n_node *node)
{
    r2n_foreign_window window = r2n_foreign_window_default();
    const r2n_foreign_label label = label_of(node);
    int32_t inputs[R2N_NODE_INPUTS];
    const int32_t x = node->input_count > 0 ? w->values[node->inputs[0]] : -1;
    switch (node->kind) {
    case R2N_NODE_INPUT:
        return w->g->input = r2n_foreign_plain_value(w->g, 3);
    case R2N_NODE_CONVOLUTION:
        return put_convolution(w, node);
    case R2N_NODE_BATCH_NORM:
        return put_norm(w, node);
    case R2N_NODE_RELU:
        return r2n_foreign_simple(w->g, &label, R2N_FOREIGN_RELU, x);
    case R2N_NODE_ADD:
        return w->m->turn_sums ? r2n_foreign_sum(w->g, &label, w->values[node->inputs[1]], x)
                               : r2n_foreign_sum(w->g, &label, x, w->values[node->inputs[1]]);
    case R2N_NODE_SLICE:
        return r2n_foreign_slice(w->g, &label, x, node->first_channel, node->channels);
    case R2N_NODE_CONCAT:
        for (int32_t i = 0; i < node->input_count; i++)
            inputs[i] = w->values[node->inputs[i]];
        return r2n_foreign_concat(w->g, &label, inputs, node->input_count);
    case R2N_NODE_POOL:
        for (int i = 0; i < 4; i++)
            window.padding[i] = node->padding;
        window.kernel[0] = window.kernel[1] = node->kernel;
        window.stride[0] = window.stride[1] = node->stride;
        return r2n_foreign_pool(
            w->g, &label, x, &window,
            (r2n_foreign_pool_rule){node->pool_is_average, node->ceil_mode, node->count_padding});
    case R2N_NODE_GLOBAL_POOL:
        return r2n_foreign_simple(w->g, &label, R2N_FOREIGN_GLOBAL_POOL, x);
    case R2N_NODE_LINEAR:
        return put_classifier(w, node);
    }
    return -1;
}

static r2n_foreign_graph write_graph(const network *n, const manner *m)
{
    r2n_foreign_graph g = r2n_foreign_graph_begin("graph", report);
    writer w = {.n = n, .m = m, .g = &g};
    assert_true(n->graph->count <= 2048);
    for (int32_t i = 0; i < n->graph->count; i++) {
        r2n_node node = n->graph->nodes[i];
        if (i == m->node)
            m->spoil(&node);
        w.values[i] = put_node(&w, &node);
    }
    g.output = w.values[n->graph->count - 1];
    return g;
}

static int32_t find_node(const network *n, const char *name)
{
    for (int32_t i = 0; i < n->graph->count; i++)
        if (strcmp(n->graph->nodes[i].name, name) == 0)
            return i;
    fail_msg("no node %s", name);
    return -1;
}

static void check(const char *specification, r2n_family family, const manner *m, float tolerance)
{
    network n = network_make(specification, family);
    r2n_imported imported;
    r2n_foreign_graph g = write_graph(&n, m);
    assert_int_equal(g.status, RES2NET_OK);
    const res2net_status status = r2n_match(&g, &imported);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        print_error("%s\n", res2net_report_problem(report, i)->text);
    assert_int_equal(status, RES2NET_OK);
    expect_tensors(&n, &imported, tolerance);
    assert_int_equal(imported.family, family);
    assert_int_equal(imported.ends_in_softmax, m->softmax);
    r2n_imported_free(&imported);
    r2n_foreign_graph_free(&g);
    network_free(&n);
}

/* ---- what is matched ------------------------------------------------------------------------- */

static const char *const specifications[] = {TINY_CIFAR, TINY_PLAIN, TINY_VD};

static void networks_are_matched(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        check(specifications[i], R2N_FAMILY_PADDLE, &plain_manner, 0);
        check(specifications[i], R2N_FAMILY_TORCH, &plain_manner, 0);
    }
    check("Res2Net50_14w_8s", R2N_FAMILY_PADDLE, &plain_manner, 0);
}

static void manners_do_not_matter(void **state)
{
    (void)state;
    const manner turned = {.turn_sums = 1, .softmax = 1, .node = -1};
    const manner matrix = {.matrix_turned = 1, .bias_apart = 1, .node = -1};
    const manner bias = {.bias = 1, .node = -1};
    for (int i = 0; i < 3; i++) {
        check(specifications[i], R2N_FAMILY_PADDLE, &turned, 0);
        check(specifications[i], R2N_FAMILY_TORCH, &matrix, 0);
        check(specifications[i], R2N_FAMILY_TORCH, &bias, 1e-6F);
    }
}

/* Both families are one network without groups; PyTorch's name stands for it. */
static void one_group_has_no_family(void **state)
{
    (void)state;
    check(TINY_ONE_GROUP, R2N_FAMILY_TORCH, &plain_manner, 0);
    const manner turned = {.turn_sums = 1, .node = -1};
    check(TINY_ONE_GROUP, R2N_FAMILY_TORCH, &turned, 0);
}

static void folded_norms_become_offsets(void **state)
{
    (void)state;
    const manner folded = {.fold = 1, .node = -1};
    network n = network_make(TINY_VD, R2N_FAMILY_PADDLE);
    r2n_foreign_graph g = write_graph(&n, &folded);
    r2n_imported imported;
    assert_int_equal(r2n_match(&g, &imported), RES2NET_OK);
    for (size_t i = 0; i < n.weights->count; i++) {
        const r2n_tensor *tensor = &imported.weights->tensors[i];
        const char *end = strrchr(tensor->name, '.');
        const int is_norm = tensor->rank == 1 && strncmp(tensor->name, "fc", 2) != 0;
        if (strcmp(end, ".running_var") == 0)
            assert_true(tensor->data[0] == (float)(1 - 1e-5));
        else if (strcmp(end, ".running_mean") == 0)
            assert_true(tensor->data[0] == 0);
        else if (is_norm && strcmp(end, ".weight") == 0)
            assert_true(tensor->data[0] == 1);
        else
            assert_memory_equal(tensor->data, n.weights->tensors[i].data, sizeof(float));
    }
    r2n_imported_free(&imported);
    r2n_foreign_graph_free(&g);
    network_free(&n);
}

/* scale / sqrt(variance + epsilon) is kept. */
static void another_epsilon_goes_into_the_scale(void **state)
{
    (void)state;
    const manner wide = {.epsilon = 1e-3, .node = -1};
    network n = network_make(TINY_CIFAR, R2N_FAMILY_TORCH);
    r2n_foreign_graph g = write_graph(&n, &wide);
    r2n_imported imported;
    assert_int_equal(r2n_match(&g, &imported), RES2NET_OK);
    const double scale = r2n_tensor_set_find(n.weights, "bn1.weight")->data[0];
    const double variance = r2n_tensor_set_find(n.weights, "bn1.running_var")->data[0];
    const double found = r2n_tensor_set_find(imported.weights, "bn1.weight")->data[0];
    const double kept = found * found / (variance + 1e-5),
                 wanted = scale * scale / (variance + 1e-3);
    assert_true(kept / wanted < 1 + 1e-6 && kept / wanted > 1 - 1e-6);
    r2n_imported_free(&imported);
    r2n_foreign_graph_free(&g);
    network_free(&n);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void refuse_with(const char *specification, r2n_family family, const char *node,
                        void (*spoil)(r2n_node *node), const char *text)
{
    network n = network_make(specification, family);
    const manner m = {.node = find_node(&n, node), .spoil = spoil};
    r2n_imported imported = {.weights = NULL};
    r2n_foreign_graph g = write_graph(&n, &m);
    const res2net_status status = g.status != RES2NET_OK ? g.status : r2n_match(&g, &imported);
    assert_int_equal(status, RES2NET_MISMATCH);
    assert_null(imported.weights);
    expect_problem(report, RES2NET_MISMATCH, text);
    r2n_foreign_graph_free(&g);
    network_free(&n);
}

static void count_other(r2n_node *node)
{
    node->count_padding = !node->count_padding;
}

static void round_up(r2n_node *node)
{
    node->ceil_mode = 1;
}

static void maximum(r2n_node *node)
{
    node->pool_is_average = 0;
}

static void stride_one(r2n_node *node)
{
    node->stride = 1;
}

static void no_padding(r2n_node *node)
{
    node->padding = 0;
}

static void first_group(r2n_node *node)
{
    node->first_channel = 0;
}

static void take_first_input(r2n_node *node)
{
    node->inputs[1] = node->inputs[0];
}

static void turn_inputs(r2n_node *node)
{
    const int32_t kept = node->inputs[0];
    node->inputs[0] = node->inputs[1];
    node->inputs[1] = kept;
}

static void sum_of_norm(r2n_node *node)
{
    node->inputs[0]--; /* what the ReLU takes */
}

static void becomes_relu(r2n_node *node)
{
    node->kind = R2N_NODE_RELU;
}

static void other_networks_are_refused(void **state)
{
    (void)state;
    refuse_with(TINY_PLAIN, R2N_FAMILY_TORCH, "layer2.0.pool", count_other, "leaves out");
    refuse_with(TINY_PLAIN, R2N_FAMILY_PADDLE, "layer2.0.pool", count_other, "counts");
    refuse_with(TINY_PLAIN, R2N_FAMILY_PADDLE, "maxpool", round_up, "rounds its size up");
    refuse_with(TINY_VD, R2N_FAMILY_PADDLE, "layer2.0.downsample.0", maximum, "by average");
    refuse_with(TINY_VD, R2N_FAMILY_PADDLE, "layer2.0.downsample.0", count_other, "counts");
    refuse_with(TINY_CIFAR, R2N_FAMILY_PADDLE, "layer2.0.convs.0", stride_one, "stride 1");
    refuse_with(TINY_CIFAR, R2N_FAMILY_PADDLE, "layer1.0.convs.1", no_padding, "padding 0");
    refuse_with(TINY_CIFAR, R2N_FAMILY_PADDLE, "layer2.1.split.1", first_group,
                "channels from number");
    refuse_with(TINY_CIFAR, R2N_FAMILY_PADDLE, "layer2.1.adds.1", take_first_input, "");
    refuse_with(TINY_CIFAR, R2N_FAMILY_PADDLE, "layer2.1.concat", turn_inputs, "");
    refuse_with(TINY_CIFAR, R2N_FAMILY_PADDLE, "avgpool", sum_of_norm, "sum and ReLU");
    refuse_with(TINY_CIFAR, R2N_FAMILY_PADDLE, "avgpool", becomes_relu, "global average pool");
    refuse_with(TINY_PLAIN, R2N_FAMILY_PADDLE, "maxpool", becomes_relu, "stem");
}

/* A graph without one of its blocks' shortcut layers, and one that is a single operation. */
static void pieces_are_refused(void **state)
{
    (void)state;
    r2n_imported imported;
    r2n_foreign_graph g = r2n_foreign_graph_begin("graph", report);
    const r2n_foreign_label label = {.type = "Relu", .type_bytes = 4, .name = "", .offset = -1};
    g.input = r2n_foreign_plain_value(&g, 3);
    g.output = g.input;
    assert_int_equal(r2n_match(&g, &imported), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "there is the picture");
    g.output = r2n_foreign_simple(&g, &label, R2N_FOREIGN_RELU, g.input);
    assert_int_equal(r2n_match(&g, &imported), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "Relu: the classifier's matrix product");
    r2n_foreign_graph_free(&g);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void bad_operations_are_told(void **state)
{
    (void)state;
    const r2n_foreign_label label = {
        .type = "Conv", .type_bytes = 4, .name = "a\nb", .name_bytes = 3, .offset = 7};
    static const float numbers[64];
    const int64_t shape[4] = {4, 3, 2, 2};
    r2n_foreign_window window = r2n_foreign_window_default();
    window.kernel[0] = 2;
    window.kernel[1] = 3;
    r2n_foreign_graph g = r2n_foreign_graph_begin("graph", report);
    const int32_t x = r2n_foreign_plain_value(&g, 3);
    const int32_t weight = put_numbers(&g, numbers, 4, shape);
    assert_int_equal(r2n_foreign_convolution(&g, &label, x, weight, -1, &window), -1);
    expect_problem(report, RES2NET_MISMATCH, "Conv \"a?b\": its kernel or stride is not square");
    g.status = RES2NET_OK;
    window.kernel[1] = 2;
    window.groups = 3;
    assert_int_equal(r2n_foreign_convolution(&g, &label, x, weight, -1, &window), -1);
    expect_problem(report, RES2NET_MISMATCH, "groups");
    g.status = RES2NET_OK;
    window.groups = 1;
    assert_true(r2n_foreign_convolution(&g, &label, x, weight, -1, &window) >= 0);
    assert_int_equal(r2n_foreign_convolution(&g, &label, x, x, -1, &window), -1);
    expect_problem(report, RES2NET_MISMATCH, "its weight is computed");
    g.status = RES2NET_OK;
    assert_int_equal(r2n_foreign_convolution(&g, &label, weight, weight, -1, &window), -1);
    expect_problem(report, RES2NET_MISMATCH, "its input 1 is a constant");
    g.status = RES2NET_OK;
    assert_int_equal(r2n_foreign_slice(&g, &label, x, 2, 2), -1);
    expect_problem(report, RES2NET_MISMATCH, "channels 2 to 4 of 3");
    g.status = RES2NET_OK;
    assert_int_equal(r2n_foreign_sum(&g, &label, x, weight), -1);
    expect_problem(report, RES2NET_MISMATCH, "no bias");
    g.status = RES2NET_OK;
    const r2n_foreign_label quantised = {.type = "QuantizeLinear", .type_bytes = 14, .name = ""};
    assert_int_equal(r2n_foreign_unknown(&g, &quantised), -1);
    expect_problem(report, RES2NET_UNSUPPORTED, "int8");
    r2n_foreign_graph_free(&g);
}

/* An average behind a padding with zeros counts them. */
static void padding_goes_into_an_average(void **state)
{
    (void)state;
    const r2n_foreign_label label = {.type = "Pad", .type_bytes = 3, .name = "", .offset = -1};
    const int64_t padding[4] = {1, 1, 1, 1};
    r2n_foreign_window window = r2n_foreign_window_default();
    window.kernel[0] = window.kernel[1] = 3;
    r2n_foreign_graph g = r2n_foreign_graph_begin("graph", report);
    const int32_t x = r2n_foreign_plain_value(&g, 8);
    const int32_t padded = r2n_foreign_pad(&g, &label, x, padding);
    const int32_t pooled =
        r2n_foreign_pool(&g, &label, padded, &window, (r2n_foreign_pool_rule){1, 0, 0});
    const r2n_foreign_operation *pool = r2n_foreign_producer(&g, pooled);
    assert_non_null(pool);
    assert_int_equal(pool->inputs[0], x);
    assert_int_equal(pool->padding, 1);
    assert_int_equal(pool->count_padding, 1);
    /* A row and a column behind the map that the average leaves out: rounding up. */
    r2n_foreign_window end = r2n_foreign_window_default();
    end.kernel[0] = end.kernel[1] = end.stride[0] = end.stride[1] = 2;
    end.padding[2] = end.padding[3] = 1;
    pool = r2n_foreign_producer(
        &g, r2n_foreign_pool(&g, &label, x, &end, (r2n_foreign_pool_rule){1, 0, 0}));
    assert_int_equal(pool->padding, 0);
    assert_int_equal(pool->ceil_mode, 1);
    assert_int_equal(r2n_foreign_pool(&g, &label, x, &end, (r2n_foreign_pool_rule){1, 0, 1}), -1);
    expect_problem(report, RES2NET_MISMATCH, "not the same on all sides");
    r2n_foreign_graph_free(&g);
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* Weights that the file does not hold are not made. */
static void shared_weights_have_a_budget(void **state)
{
    (void)state;
    network n =
        network_make("cifar:planes=64,depths=2-2,width=64,scale=2,classes=5", R2N_FAMILY_TORCH);
    r2n_foreign_graph g = write_graph(&n, &plain_manner);
    r2n_imported imported;
    g.weight_bytes = 1000;
    assert_int_equal(r2n_match(&g, &imported), RES2NET_LIMIT_EXCEEDED);
    expect_problem(report, RES2NET_LIMIT_EXCEEDED, "many times larger");
    r2n_foreign_graph_free(&g);
    network_free(&n);
}

static res2net_status match_quietly(void *context)
{
    r2n_imported imported;
    r2n_foreign_graph *g = context;
    const res2net_status status = r2n_match(g, &imported);
    if (status == RES2NET_OK)
        r2n_imported_free(&imported);
    return status;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    network n = network_make(TINY_VD, R2N_FAMILY_PADDLE);
    r2n_foreign_graph g = write_graph(&n, &plain_manner);
    g.report = NULL;
    expect_every_allocation_may_fail(match_quietly, &g);
    r2n_foreign_graph_free(&g);
    network_free(&n);
}

static int set_up(void **state)
{
    (void)state;
    report = res2net_report_create();
    return report == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_report_destroy(report);
    return 0;
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(networks_are_matched),
        TEST(manners_do_not_matter),
        TEST(one_group_has_no_family),
        TEST(folded_norms_become_offsets),
        TEST(another_epsilon_goes_into_the_scale),
        TEST(other_networks_are_refused),
        TEST(pieces_are_refused),
        TEST(bad_operations_are_told),
        TEST(padding_goes_into_an_average),
        TEST(shared_weights_have_a_budget),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
