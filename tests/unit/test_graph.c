/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "model/graph.h"

static r2n_graph *graph_of(const char *name, r2n_family family)
{
    r2n_architecture a;
    r2n_graph *graph = NULL;
    assert_int_equal(r2n_architecture_find(name, &a, NULL), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&a, family, &graph, NULL), RES2NET_OK);
    return graph;
}

/* The node of this name, or -1. */
static int32_t node_called(const r2n_graph *graph, const char *name)
{
    for (int32_t i = 0; i < graph->count; i++)
        if (strcmp(graph->nodes[i].name, name) == 0)
            return i;
    return -1;
}

static const r2n_node *node_at(const r2n_graph *graph, const char *name)
{
    const int32_t i = node_called(graph, name);
    if (i < 0)
        fail_msg("%s has no node %s", graph->architecture.name, name);
    return &graph->nodes[i];
}

static int64_t macs_of(const r2n_graph *graph, int32_t rows, int32_t columns)
{
    r2n_shape *shapes = r2n_allocate((size_t)graph->count, sizeof(*shapes));
    int64_t macs = 0;
    assert_int_equal(r2n_graph_shapes(graph, rows, columns, shapes, NULL), RES2NET_OK);
    for (int32_t i = 0; i < graph->count; i++)
        macs += r2n_node_macs(graph, shapes, i);
    r2n_free(shapes);
    return macs;
}

static r2n_shape shape_at(const r2n_graph *graph, int32_t rows, int32_t columns, const char *name)
{
    r2n_shape *shapes = r2n_allocate((size_t)graph->count, sizeof(*shapes));
    assert_int_equal(r2n_graph_shapes(graph, rows, columns, shapes, NULL), RES2NET_OK);
    const r2n_shape shape = shapes[node_called(graph, name)];
    r2n_free(shapes);
    return shape;
}

static void macs_are_the_published_ones(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t unit;  /* of the published figure */
        int64_t value; /* in units, rounded */
    } rows[] = {{"Res2Net50_26w_4s", 1000000, 4255},      {"Res2Net50_14w_8s", 1000000, 4179},
                {"Res2Net50_vd_26w_4s", 1000000, 4495},   {"Res2Net101_vd_26w_4s", 1000000, 8307},
                {"Res2Net200_vd_26w_4s", 1000000, 15706}, {"Res2Net50_48w_2s", 10000000, 416},
                {"Res2Net50_26w_8s", 10000000, 834},      {"Res2Net101_26w_4s", 10000000, 807},
                {"Res2Net50_26w_6s", 100000000, 63},      {"Res2Net50_18w_4s", 100000000, 29}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        r2n_graph *graph = graph_of(rows[i].name, R2N_FAMILY_PADDLE);
        const int64_t macs = macs_of(graph, 224, 224);
        if ((macs + rows[i].unit / 2) / rows[i].unit != rows[i].value)
            fail_msg("%s: %lld MACs", rows[i].name, (long long)macs);
        r2n_graph_destroy(graph);
    }
}

static void expect_input_count(const r2n_node *node)
{
    static const int32_t inputs[] = {
        [R2N_NODE_INPUT] = 0, [R2N_NODE_CONVOLUTION] = 1, [R2N_NODE_BATCH_NORM] = 1,
        [R2N_NODE_RELU] = 1,  [R2N_NODE_ADD] = 2,         [R2N_NODE_SLICE] = 1,
        [R2N_NODE_POOL] = 1,  [R2N_NODE_GLOBAL_POOL] = 1, [R2N_NODE_LINEAR] = 1};
    if (node->kind != R2N_NODE_CONCAT)
        assert_int_equal(node->input_count, inputs[node->kind]);
}

/* Inputs come before their node, channels and maps agree, every node is used, every tensor of the
 * architecture belongs to one node. */
static void check_graph(const r2n_graph *graph)
{
    const int32_t side = graph->architecture.picture_size;
    r2n_shape *shapes = r2n_allocate((size_t)graph->count, sizeof(*shapes));
    int32_t *uses = r2n_allocate_zeroed((size_t)graph->count, sizeof(*uses));
    assert_int_equal(r2n_graph_shapes(graph, side + 5, side - 3, shapes, NULL), RES2NET_OK);
    for (int32_t i = 0; i < graph->count; i++) {
        const r2n_node *node = &graph->nodes[i];
        int32_t channels = 0;
        expect_input_count(node);
        for (int32_t j = 0; j < node->input_count; j++) {
            assert_in_range(node->inputs[j], 0, i - 1);
            uses[node->inputs[j]]++;
            channels += shapes[node->inputs[j]].channels;
            assert_int_equal(shapes[node->inputs[j]].rows, shapes[node->inputs[0]].rows);
            assert_int_equal(shapes[node->inputs[j]].columns, shapes[node->inputs[0]].columns);
        }
        if (node->kind == R2N_NODE_CONCAT)
            assert_int_equal(channels, node->channels);
        if (node->kind == R2N_NODE_ADD)
            assert_int_equal(channels, 2 * node->channels);
        if (node->kind == R2N_NODE_SLICE)
            assert_true(node->first_channel + node->channels <= channels);
        assert_int_equal(shapes[i].channels, node->channels);
    }
    for (int32_t i = 0; i < graph->count - 1; i++)
        assert_true(uses[i] > 0);
    assert_int_equal(graph->nodes[graph->count - 1].kind, R2N_NODE_LINEAR);
    assert_int_equal(graph->nodes[graph->count - 1].channels, graph->architecture.classes);
    r2n_free(uses);
    r2n_free(shapes);
}

/* Convolution, norm and linear nodes have their tensors, in the order of the tensor list but for
 * the order of running; together they have them all. */
static void check_tensors(const r2n_graph *graph)
{
    size_t count = 0;
    size_t used = 0;
    r2n_tensor_spec *specs = r2n_architecture_tensors(&graph->architecture, &count);
    for (int32_t i = 0; i < graph->count; i++) {
        const r2n_node *node = &graph->nodes[i];
        const size_t length = strlen(node->tensor);
        size_t found = 0;
        for (size_t j = 0; length > 0 && j < count; j++)
            if (strncmp(specs[j].name, node->tensor, length) == 0 &&
                strchr(specs[j].name + length + 1, '.') == NULL && specs[j].name[length] == '.') {
                assert_int_equal(specs[j].shape[0], node->channels);
                found++;
            }
        const size_t wanted = node->kind == R2N_NODE_CONVOLUTION  ? 1
                              : node->kind == R2N_NODE_LINEAR     ? 2
                              : node->kind == R2N_NODE_BATCH_NORM ? 4
                                                                  : 0;
        if (found != wanted)
            fail_msg("node %s has %zu tensors", node->name, found);
        used += found;
    }
    assert_int_equal(used, count);
    r2n_free(specs);
}

static void every_row_makes_a_sound_graph_in_both_families(void **state)
{
    (void)state;
    for (size_t i = 0; i < r2n_catalogue_count(); i++)
        for (int family = R2N_FAMILY_PADDLE; family <= R2N_FAMILY_TORCH; family++) {
            r2n_graph *graph =
                graph_of(r2n_catalogue_get(i)->architecture.name, (r2n_family)family);
            check_graph(graph);
            check_tensors(graph);
            r2n_graph_destroy(graph);
        }
}

static void the_first_block_of_stage_1_tells_the_families_apart(void **state)
{
    (void)state;
    r2n_graph *paddle = graph_of("Res2Net50_26w_4s", R2N_FAMILY_PADDLE);
    r2n_graph *torch = graph_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    assert_true(node_called(paddle, "layer1.0.adds.1") > 0);
    assert_int_equal(node_called(paddle, "layer1.0.pool"), -1);
    assert_int_equal(node_called(torch, "layer1.0.adds.1"), -1);
    const r2n_node *pool = node_at(torch, "layer1.0.pool");
    assert_int_equal(pool->stride, 1);
    assert_int_equal(pool->kernel, 3);
    assert_int_equal(pool->padding, 1);
    assert_int_equal(pool->pool_is_average, 1);
    assert_int_equal(pool->ceil_mode, 0);
    assert_int_equal(pool->count_padding, 1);
    for (int stage = 2; stage <= 4; stage++) {
        char name[32] = "layer0.0.pool";
        name[5] = (char)('0' + stage);
        assert_int_equal(node_at(paddle, name)->stride, 2);
        assert_int_equal(node_at(paddle, name)->count_padding, 0);
        assert_int_equal(node_at(torch, name)->stride, 2);
        assert_int_equal(node_at(torch, name)->count_padding, 1);
        strcpy(name + 9, "adds.1");
        assert_int_equal(node_called(paddle, name), -1);
        assert_int_equal(node_called(torch, name), -1);
        name[7] = '1';
        assert_true(node_called(paddle, name) > 0);
        assert_true(node_called(torch, name) > 0);
    }
    assert_int_equal(node_called(torch, "layer1.1.pool"), -1);
    r2n_graph_destroy(paddle);
    r2n_graph_destroy(torch);
}

/* y2 = ReLU(BN(conv(x2 + y1))), the last group passed on, all in the order of the channels. */
static void groups_are_chained(void **state)
{
    (void)state;
    r2n_graph *graph = graph_of("Res2Net50_14w_8s", R2N_FAMILY_TORCH);
    const int32_t add = node_called(graph, "layer2.3.adds.2");
    const r2n_node *sum = node_at(graph, "layer2.3.adds.2");
    const r2n_node *slice = &graph->nodes[sum->inputs[0]];
    assert_int_equal(slice->kind, R2N_NODE_SLICE);
    assert_int_equal(slice->first_channel, 2 * 28);
    assert_int_equal(slice->channels, 28);
    assert_int_equal(slice->inputs[0], node_called(graph, "layer2.3.relu1"));
    assert_int_equal(sum->inputs[1], node_called(graph, "layer2.3.relus.1"));
    assert_int_equal(node_at(graph, "layer2.3.convs.2")->inputs[0], add);
    assert_int_equal(node_at(graph, "layer2.3.convs.2")->stage, 1);
    assert_int_equal(node_at(graph, "layer2.3.convs.2")->block, 3);
    const r2n_node *concat = node_at(graph, "layer2.3.concat");
    assert_int_equal(concat->input_count, 8);
    assert_int_equal(concat->inputs[0], node_called(graph, "layer2.3.relus.0"));
    assert_int_equal(concat->inputs[6], node_called(graph, "layer2.3.relus.6"));
    assert_int_equal(concat->inputs[7], node_called(graph, "layer2.3.split.7"));
    assert_int_equal(node_at(graph, "layer2.3.add")->inputs[1],
                     node_called(graph, "layer2.2.relu"));
    r2n_graph_destroy(graph);
}

static void shortcuts_follow_the_variant(void **state)
{
    (void)state;
    r2n_graph *plain = graph_of("Res2Net50_26w_4s", R2N_FAMILY_TORCH);
    r2n_graph *vd = graph_of("Res2Net50_vd_26w_4s", R2N_FAMILY_PADDLE);
    assert_int_equal(node_at(plain, "layer2.0.downsample.0")->kind, R2N_NODE_CONVOLUTION);
    assert_int_equal(node_at(plain, "layer2.0.downsample.0")->stride, 2);
    assert_int_equal(node_called(vd, "layer1.0.downsample.0"), -1);
    assert_int_equal(node_at(vd, "layer1.0.downsample.1")->stride, 1);
    const r2n_node *pool = node_at(vd, "layer2.0.downsample.0");
    assert_int_equal(pool->kind, R2N_NODE_POOL);
    assert_int_equal(pool->kernel, 2);
    assert_int_equal(pool->stride, 2);
    assert_int_equal(pool->padding, 0);
    assert_int_equal(pool->ceil_mode, 1);
    assert_int_equal(pool->count_padding, 0);
    assert_int_equal(pool->pool_is_average, 1);
    assert_int_equal(node_at(vd, "layer2.0.downsample.1")->stride, 1);
    assert_int_equal(node_at(vd, "conv1.0")->stride, 2);
    assert_int_equal(node_at(vd, "conv1.3")->channels, 32);
    assert_int_equal(node_at(vd, "maxpool")->pool_is_average, 0);
    r2n_graph_destroy(plain);
    r2n_graph_destroy(vd);
}

static void scale_1_is_a_plain_bottleneck(void **state)
{
    (void)state;
    r2n_graph *graph = graph_of("resnet50", R2N_FAMILY_TORCH);
    for (int32_t i = 0; i < graph->count; i++) {
        assert_int_not_equal(graph->nodes[i].kind, R2N_NODE_SLICE);
        assert_int_not_equal(graph->nodes[i].kind, R2N_NODE_CONCAT);
    }
    assert_int_equal(node_at(graph, "layer2.0.conv1")->stride, 1);
    assert_int_equal(node_at(graph, "layer2.0.conv2")->stride, 2);
    assert_int_equal(node_called(graph, "layer1.0.pool"), -1);
    assert_int_equal((macs_of(graph, 224, 224) + 500000) / 1000000, 4089);
    r2n_graph_destroy(graph);
}

static void shapes_follow_the_picture(void **state)
{
    (void)state;
    r2n_graph *plain = graph_of("Res2Net50_26w_4s", R2N_FAMILY_PADDLE);
    r2n_graph *vd = graph_of("Res2Net50_vd_26w_4s", R2N_FAMILY_PADDLE);
    r2n_graph *small = graph_of("res2net20_26w_4s_cifar", R2N_FAMILY_TORCH);
    r2n_shape shape = shape_at(plain, 224, 224, "layer4.2.relu");
    assert_int_equal(shape.rows, 7);
    assert_int_equal(shape.channels, 2048);
    shape = shape_at(vd, 225, 193, "layer2.0.add"); /* 57 x 49 halved upwards, on both branches */
    assert_int_equal(shape.rows, 29);
    assert_int_equal(shape.columns, 25);
    shape = shape_at(plain, 32, 33, "layer4.2.relu");
    assert_int_equal(shape.rows, 1);
    assert_int_equal(shape.columns, 2);
    shape = shape_at(small, 32, 32, "layer3.1.relu");
    assert_int_equal(shape.rows, 8);
    assert_int_equal(shape.channels, 512);
    assert_int_equal(shape_at(small, 8, 9, "layer3.1.relu").rows, 2);
    r2n_graph_destroy(plain);
    r2n_graph_destroy(vd);
    r2n_graph_destroy(small);
}

static void pictures_out_of_range_are_refused(void **state)
{
    (void)state;
    r2n_graph *graph = graph_of("Res2Net50_26w_4s", R2N_FAMILY_PADDLE);
    r2n_shape *shapes = r2n_allocate((size_t)graph->count, sizeof(*shapes));
    assert_int_equal(r2n_graph_shapes(graph, 31, 224, shapes, NULL), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(r2n_graph_shapes(graph, 224, -1, shapes, NULL), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(r2n_graph_shapes(graph, 224, 16385, shapes, NULL), RES2NET_LIMIT_EXCEEDED);
    assert_int_equal(r2n_graph_shapes(graph, 16384, 16384, shapes, NULL), RES2NET_OK);
    r2n_free(shapes);
    r2n_graph_destroy(graph);
}

static void a_graph_needs_a_family_numbers_in_range_and_memory(void **state)
{
    (void)state;
    r2n_architecture a;
    r2n_graph *graph;
    assert_int_equal(r2n_architecture_find("resnet50", &a, NULL), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&a, R2N_FAMILY_UNKNOWN, &graph, NULL),
                     RES2NET_INVALID_ARGUMENT);
    assert_null(graph);
    for (int successes = 0; successes < 2; successes++) {
        r2n_memory_fail_after(successes);
        assert_int_equal(r2n_graph_create(&a, R2N_FAMILY_TORCH, &graph, NULL),
                         RES2NET_OUT_OF_MEMORY);
        assert_null(graph);
    }
    r2n_memory_fail_after(-1);
    a.scale = 40;
    assert_int_equal(r2n_graph_create(&a, R2N_FAMILY_TORCH, &graph, NULL),
                     RES2NET_INVALID_ARGUMENT);
    r2n_graph_destroy(NULL);
}

/* The largest specification of every kind must not outgrow the nodes counted beforehand. */
static void extreme_networks_fit(void **state)
{
    (void)state;
    static const char *const names[] = {"cifar:planes=1,depths=1,width=64,scale=1,classes=1",
                                        "cifar:planes=64,depths=1-1-1-1,width=64,scale=16",
                                        "vd:planes=64,depths=1-1-1-1,width=26,scale=2",
                                        "plain:planes=64,depths=99-99-99-99,width=1,scale=16"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        r2n_graph *graph = graph_of(names[i], R2N_FAMILY_TORCH);
        check_graph(graph);
        r2n_graph_destroy(graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(macs_are_the_published_ones),
        cmocka_unit_test(every_row_makes_a_sound_graph_in_both_families),
        cmocka_unit_test(the_first_block_of_stage_1_tells_the_families_apart),
        cmocka_unit_test(groups_are_chained),
        cmocka_unit_test(shortcuts_follow_the_variant),
        cmocka_unit_test(scale_1_is_a_plain_bottleneck),
        cmocka_unit_test(shapes_follow_the_picture),
        cmocka_unit_test(pictures_out_of_range_are_refused),
        cmocka_unit_test(a_graph_needs_a_family_numbers_in_range_and_memory),
        cmocka_unit_test(extreme_networks_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
