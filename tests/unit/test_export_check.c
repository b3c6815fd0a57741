/* SPDX-License-Identifier: Apache-2.0 */
/* An export that reads back as anything but the model is told and not kept. */
#include "unit/calibration_fixture.h"

#include <math.h>

#include "export/check.h"
#include "plan/plan.h"

#define NET   "cifar:planes=16,depths=1,width=26,scale=2,classes=3"
#define OTHER "cifar:planes=16,depths=1,width=26,scale=3,classes=3"

static char folder[64], path[128];
static res2net_report *report;
static r2n_graph *graph, *torch_graph, *other_graph;
static r2n_tensor_set *weights, *other_weights;
static r2n_export_model model;

static int set_up(void **state)
{
    (void)state;
    r2n_architecture net, other;
    small_folder_make(folder);
    snprintf(path, sizeof path, "%s/net.onnx", folder);
    report = res2net_report_create();
    const int failed =
        r2n_architecture_find(NET, &net, report) != RES2NET_OK ||
        r2n_architecture_find(OTHER, &other, report) != RES2NET_OK ||
        r2n_graph_create(&net, R2N_FAMILY_PADDLE, &graph, report) != RES2NET_OK ||
        r2n_graph_create(&net, R2N_FAMILY_TORCH, &torch_graph, report) != RES2NET_OK ||
        r2n_graph_create(&other, R2N_FAMILY_PADDLE, &other_graph, report) != RES2NET_OK ||
        r2n_weights_formula(&net, 5, &weights, report) != RES2NET_OK ||
        r2n_weights_formula(&other, 5, &other_weights, report) != RES2NET_OK;
    model = (r2n_export_model){.graph = graph, .weights = weights};
    return failed;
}

static int tear_down(void **state)
{
    (void)state;
    r2n_tensor_set_destroy(weights);
    r2n_tensor_set_destroy(other_weights);
    r2n_graph_destroy(graph);
    r2n_graph_destroy(torch_graph);
    r2n_graph_destroy(other_graph);
    res2net_report_destroy(report);
    small_folder_remove(folder);
    return 0;
}

static void write_net(int keep_batch_norm)
{
    const r2n_onnx_options options = {.softmax = 1, .keep_batch_norm = keep_batch_norm};
    assert_int_equal(r2n_export_onnx(&model, &options, path, report), RES2NET_OK);
}

/* The file of `model`, checked as if it had been written from `expected`. */
static void expect_mismatch(r2n_export_model expected, int32_t softmax, float tolerance,
                            const char *text)
{
    const r2n_export_expectation e = {&expected, softmax, tolerance, "net.onnx", NULL};
    res2net_report *own = res2net_report_create();
    assert_int_equal(r2n_export_check(&e, path, own), RES2NET_MISMATCH);
    assert_non_null(strstr(res2net_report_problem(own, 0)->text, text));
    assert_string_equal(res2net_report_problem(own, 0)->file, "net.onnx");
    res2net_report_destroy(own);
}

static void test_what_was_written_passes(void **state)
{
    (void)state;
    const r2n_export_expectation run = {&model, 1, 1e-4f, "net.onnx", NULL};
    const r2n_export_expectation bytes = {&model, 1, 0, "net.onnx", NULL};
    write_net(0);
    assert_int_equal(r2n_export_check(&run, path, report), RES2NET_OK);
    write_net(1);
    assert_int_equal(r2n_export_check(&run, path, report), RES2NET_OK);
    assert_int_equal(r2n_export_check(&bytes, path, report), RES2NET_OK);
}

/* Without a scale the families are one network, and a reader takes it for its origin's. */
static void test_a_plain_network_passes_in_both_families(void **state)
{
    (void)state;
    r2n_architecture plain;
    r2n_graph *graphs[2];
    r2n_tensor_set *tensors;
    assert_int_equal(
        r2n_architecture_find("cifar:planes=16,depths=1,width=64,scale=1,classes=3", &plain, NULL),
        RES2NET_OK);
    assert_int_equal(r2n_weights_formula(&plain, 5, &tensors, NULL), RES2NET_OK);
    for (int i = 0; i < 2; i++) {
        const r2n_family family = i == 0 ? R2N_FAMILY_PADDLE : R2N_FAMILY_TORCH;
        const r2n_onnx_options options = {.keep_batch_norm = i};
        assert_int_equal(r2n_graph_create(&plain, family, &graphs[i], NULL), RES2NET_OK);
        const r2n_export_model whole = {.graph = graphs[i], .weights = tensors};
        assert_int_equal(r2n_export_onnx(&whole, &options, path, report), RES2NET_OK);
        r2n_graph_destroy(graphs[i]);
    }
    r2n_tensor_set_destroy(tensors);
}

static void test_another_network_is_told(void **state)
{
    (void)state;
    write_net(0);
    expect_mismatch((r2n_export_model){.graph = torch_graph, .weights = weights}, 1, 1e-4f,
                    "family");
    expect_mismatch(model, 0, 1e-4f, "softmax");
    expect_mismatch((r2n_export_model){.graph = other_graph, .weights = other_weights}, 1, 1e-4f,
                    "tensors");
}

static void change(const char *name, float factor)
{
    const r2n_tensor *tensor = r2n_tensor_set_find(weights, name);
    assert_non_null(tensor);
    ((float *)(uintptr_t)tensor->data)[0] *= factor; /* a block of the set */
}

static void test_another_number_is_told(void **state)
{
    (void)state;
    write_net(1);
    change("fc.weight", 1.0f + 1e-6f);
    expect_mismatch(model, 1, 0, "another tensor fc.weight");
    write_net(0);
    change("fc.weight", 3.0f);
    expect_mismatch(model, 1, 1e-4f, "the logits");
    change("fc.weight", INFINITY);
    const r2n_export_expectation infinite = {&model, 1, 1e-4f, "net.onnx", NULL};
    assert_int_equal(r2n_export_check(&infinite, path, report), RES2NET_NOT_FINITE);
}

/* int8: scales are the file's, and the levels are run. */
static void test_another_calibration_is_told(void **state)
{
    (void)state;
    const r2n_onnx_options options = {.weights = R2N_EXPORT_INT8};
    r2n_plan *plan;
    calibrate(graph, weights);
    assert_int_equal(r2n_plan_create(graph, weights, R2N_PLAN_INFERENCE, R2N_PRECISION_INT8,
                                     R2N_ISA_REFERENCE, &plan, report),
                     RES2NET_OK);
    const r2n_export_expectation int8 = {&model, 0, 0.1f, "net.onnx", plan};
    float *scales = weights->metadata.activation_scales;
    assert_int_equal(r2n_export_onnx(&model, &options, path, report), RES2NET_OK);
    assert_int_equal(r2n_export_check(&int8, path, report), RES2NET_OK);
    scales[0] *= 1.5f;
    assert_int_equal(r2n_export_check(&int8, path, report), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "another scale for picture");
    scales[0] /= 1.5f;
    change("fc.weight", 3.0f);
    assert_int_equal(r2n_export_onnx(&model, &options, path, report), RES2NET_OK);
    assert_int_equal(r2n_export_check(&int8, path, report), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "other levels of fc");
    write_net(0);
    const r2n_export_expectation with_softmax = {&model, 1, 0.1f, "net.onnx", plan};
    assert_int_equal(r2n_export_check(&with_softmax, path, report), RES2NET_MISMATCH);
    expect_problem(report, RES2NET_MISMATCH, "without a calibration");
    r2n_plan_destroy(plan);
}

/* What is no network at all is not kept either. */
static void test_a_broken_file_is_told(void **state)
{
    (void)state;
    write_net(0);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 200, SEEK_SET), 0);
    for (int i = 0; i < 64; i++)
        fputc(0xff, file);
    assert_int_equal(fclose(file), 0);
    const r2n_export_expectation e = {&model, 1, 1e-4f, "net.onnx", NULL};
    const res2net_status status = r2n_export_check(&e, path, report);
    assert_true(status != RES2NET_OK && status != RES2NET_OUT_OF_MEMORY);
    const size_t count = res2net_report_count(report);
    assert_true(count > 0);
    assert_non_null(
        strstr(res2net_report_problem(report, (int32_t)count - 1)->text, "cannot be read back"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_written_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_plain_network_passes_in_both_families, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_another_network_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_number_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_calibration_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_broken_file_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
