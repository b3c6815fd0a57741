/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX files in the manners of its exporters, and damaged ones. */
#include "onnx_import_fixture.h"
#include "small_model.h"

static res2net_report *report;

static void check_tolerance(const char *specification, r2n_family family, const onnx_manner *m,
                            float tolerance)
{
    network n = network_make(specification, family);
    r2n_text file = onnx_file(&n, m);
    r2n_imported imported;
    assert_true(r2n_import_recognises_memory(file.data, file.size));
    const res2net_status status =
        r2n_import_memory(file.data, file.size, "net.onnx", &imported, report);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        print_error("%s\n", res2net_report_problem(report, i)->text);
    assert_int_equal(status, RES2NET_OK);
    expect_tensors(&n, &imported, tolerance);
    assert_int_equal(imported.family, family);
    assert_int_equal(imported.ends_in_softmax, m->softmax);
    if (m->metadata) {
        assert_string_equal(imported.weights->metadata.labels, "a\nb\nc");
        assert_string_equal(imported.weights->metadata.licence, "none");
        assert_null(imported.weights->metadata.recipe_json);
    }
    r2n_imported_free(&imported);
    r2n_free(file.data);
    network_free(&n);
}

static void check(const char *specification, r2n_family family, const onnx_manner *m)
{
    check_tolerance(specification, family, m, 0);
}

/* ---- what is read ---------------------------------------------------------------------------- */

static void all_networks_are_read(void **state)
{
    (void)state;
    const onnx_manner m = {.metadata = 0};
    check(TINY_CIFAR, R2N_FAMILY_PADDLE, &m);
    check(TINY_CIFAR, R2N_FAMILY_TORCH, &m);
    check(TINY_PLAIN, R2N_FAMILY_PADDLE, &m);
    check(TINY_VD, R2N_FAMILY_TORCH, &m);
    check(TINY_ONE_GROUP, R2N_FAMILY_TORCH, &m);
}

static void every_split_is_read(void **state)
{
    (void)state;
    for (int split = ONNX_SPLIT_ATTRIBUTE; split <= ONNX_SLICE_INPUTS; split++) {
        const onnx_manner m = {.split = (onnx_split)split};
        check(TINY_VD, R2N_FAMILY_PADDLE, &m);
    }
}

static void every_head_is_read(void **state)
{
    (void)state;
    for (int head = ONNX_FLATTEN_GEMM; head <= ONNX_MEAN_SQUEEZE; head++) {
        const onnx_manner m = {
            .head = (onnx_head)head, .softmax = head % 2, .metadata = 1, .identities = 1};
        check(TINY_PLAIN, R2N_FAMILY_TORCH, &m);
    }
}

static void every_form_of_numbers_is_read(void **state)
{
    (void)state;
    const onnx_manner typed = {.numbers = ONNX_TYPED, .inputs_listed = 1};
    const onnx_manner doubles = {.numbers = ONNX_DOUBLE};
    const onnx_manner halves = {.numbers = ONNX_HALF_TYPED};
    const onnx_manner constants = {.constants = 1, .head = ONNX_RESHAPE_MATMUL};
    check(TINY_CIFAR, R2N_FAMILY_PADDLE, &typed);
    check(TINY_CIFAR, R2N_FAMILY_PADDLE, &doubles);
    check_tolerance(TINY_CIFAR, R2N_FAMILY_PADDLE, &halves, 0.02F);
    check(TINY_CIFAR, R2N_FAMILY_PADDLE, &constants);
}

/* The whole way: a file to a model, with the answers of the network itself. */
static void a_model_is_loaded(void **state)
{
    (void)state;
    char folder[64], path[96];
    const onnx_manner m = {.metadata = 1, .softmax = 1};
    network n = network_make(TINY_PLAIN, R2N_FAMILY_PADDLE);
    r2n_text file = onnx_file(&n, &m);
    res2net_model *model;
    res2net_model_info info;
    small_folder_make(folder);
    snprintf(path, sizeof path, "%s/net.onnx", folder);
    small_file(path, file.data, file.size);
    assert_int_equal(res2net_model_load(path, NULL, &model, report), RES2NET_OK);
    assert_int_equal(res2net_report_count(report), 0);
    res2net_model_describe(model, &info);
    assert_int_equal(info.family, RES2NET_FAMILY_PADDLE);
    assert_int_equal(info.classes, 3);
    assert_string_equal(res2net_model_label(model, 1), "b");
    assert_string_equal(info.licence, "none");
    res2net_model_destroy(model);
    const res2net_load_options other = {.family = RES2NET_FAMILY_TORCH};
    assert_int_equal(res2net_model_load(path, &other, &model, report), RES2NET_OK);
    expect_problem(report, RES2NET_OK, "the file's operations are those of the paddle family");
    res2net_model_destroy(model);
    const res2net_load_options wrong = {.architecture = "Res2Net50_26w_4s"};
    assert_int_equal(res2net_model_load(path, &wrong, &model, report), RES2NET_MISMATCH);
    res2net_report_clear(report);
    small_folder_remove(folder);
    r2n_free(file.data);
    network_free(&n);
}

/* ---- weights in a file beside it ------------------------------------------------------------- */

/* One Conv and its weight in another file; enough to see which reason is told. */
static r2n_text external_file(const char *location, const char *offset, const char *length)
{
    r2n_text model = {0}, graph = {0}, tensor = {0}, entry = {0}, value = {0};
    static const int64_t shape[4] = {2, 3, 1, 1};
    const char *const texts[][2] = {{"location", location}, {"offset", offset}, {"length", length}};
    r2n_protobuf_put_packed(&tensor, 1, shape, 4);
    r2n_protobuf_put_integer(&tensor, 2, 1);
    r2n_protobuf_put_string(&tensor, 8, "w");
    for (int i = 0; i < 3; i++) {
        r2n_protobuf_put_string(&entry, 1, texts[i][0]);
        r2n_protobuf_put_string(&entry, 2, texts[i][1]);
        r2n_protobuf_put_message(&tensor, 13, &entry);
    }
    r2n_protobuf_put_integer(&tensor, 14, 1);
    r2n_protobuf_put_message(&graph, 5, &tensor);
    r2n_text node = onnx_node("Conv", ONNX_NAMES("x", "w"), "y");
    r2n_protobuf_put_message(&graph, 1, &node);
    r2n_protobuf_put_string(&value, 1, "x");
    r2n_protobuf_put_message(&graph, 11, &value);
    r2n_protobuf_put_string(&value, 1, "y");
    r2n_protobuf_put_message(&graph, 12, &value);
    r2n_protobuf_put_integer(&model, 1, 8);
    r2n_protobuf_put_message(&model, 7, &graph);
    r2n_free(graph.data);
    r2n_free(tensor.data);
    r2n_free(entry.data);
    r2n_free(value.data);
    r2n_free(node.data);
    return model;
}

static void expect_external(const char *folder, const char *location, const char *offset,
                            const char *length, res2net_status status, const char *text)
{
    char path[96];
    r2n_imported imported;
    r2n_text file = external_file(location, offset, length);
    snprintf(path, sizeof path, "%s/net.onnx", folder);
    small_file(path, file.data, file.size);
    assert_int_equal(r2n_import(path, &imported, report), status);
    expect_problem(report, status, text);
    r2n_free(file.data);
}

static void weights_beside_the_file(void **state)
{
    (void)state;
    char folder[64], path[96];
    static const float numbers[8];
    small_folder_make(folder);
    snprintf(path, sizeof path, "%s/net.data", folder);
    small_file(path, numbers, sizeof numbers);
    /* Read, and then refused because it is no Res2Net. */
    expect_external(folder, "net.data", "8", "24", RES2NET_MISMATCH, "matrix product");
    expect_external(folder, "net.data", "12", "24", RES2NET_DAMAGED, "32");
    expect_external(folder, "net.data", "8", "20", RES2NET_DAMAGED, "said to be 20");
    expect_external(folder, "net.data", "99999999999999999999999", "24", RES2NET_DAMAGED, "32");
    expect_external(folder, "../net.data", "0", "24", RES2NET_UNSUPPORTED, "plain name");
    expect_external(folder, "/etc/hostname", "0", "24", RES2NET_UNSUPPORTED, "plain name");
    expect_external(folder, "", "0", "24", RES2NET_UNSUPPORTED, "plain name");
    expect_external(folder, "none.data", "0", "24", RES2NET_NOT_FOUND, "beside it");
    r2n_text file = external_file("net.data", "0", "24");
    r2n_imported imported;
    assert_int_equal(r2n_import_memory(file.data, file.size, "memory", &imported, report),
                     RES2NET_UNSUPPORTED);
    r2n_free(file.data);
    small_folder_remove(folder);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void other_operations_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text;
        res2net_status status;
    } rows[] = {{"Sigmoid", "Sigmoid \"v", RES2NET_MISMATCH},
                {"QuantizeLinear", "int8", RES2NET_UNSUPPORTED},
                {"DequantizeLinear", "int8", RES2NET_UNSUPPORTED},
                {"QLinearConv", "int8", RES2NET_UNSUPPORTED},
                {"SplitToSequence", "optimize=True", RES2NET_MISMATCH},
                {"Clip", "Clip \"v", RES2NET_MISMATCH}};
    network n = network_make(TINY_PLAIN, R2N_FAMILY_PADDLE);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const onnx_manner m = {.other = rows[i].type};
        r2n_text file = onnx_file(&n, &m);
        r2n_imported imported;
        assert_int_equal(r2n_import_memory(file.data, file.size, "net.onnx", &imported, report),
                         rows[i].status);
        assert_null(imported.weights);
        expect_problem(report, rows[i].status, rows[i].text);
        r2n_free(file.data);
    }
    network_free(&n);
}

/* Whatever is cut off, nothing is loaded, and there is a reason. */
static void every_cut_is_refused(void **state)
{
    (void)state;
    network n = network_make(TINY_ONE_GROUP, R2N_FAMILY_TORCH);
    const onnx_manner m = {.metadata = 1};
    r2n_text file = onnx_file(&n, &m);
    r2n_imported imported;
    /* The metadata at the end are whole fields: a file cut between them is a whole one. */
    int whole = 0;
    for (size_t size = 0; size < file.size; size += 1 + size / 200) {
        uint8_t *cut = (uint8_t *)r2n_copy_bytes(file.data, size);
        const res2net_status status = r2n_import_memory(cut, size, "cut.onnx", &imported, report);
        whole += status == RES2NET_OK;
        if (status == RES2NET_OK)
            r2n_imported_free(&imported);
        else
            assert_true(res2net_report_count(report) > 0);
        res2net_report_clear(report);
        r2n_free(cut);
    }
    assert_true(whole <= 3);
    assert_true(r2n_import_recognises_memory(file.data, file.size / 2));
    assert_int_equal(r2n_import_memory(file.data, file.size / 2, "cut", &imported, report),
                     RES2NET_DAMAGED);
    expect_problem(report, RES2NET_DAMAGED, "breaks off");
    r2n_free(file.data);
    network_free(&n);
}

static void other_files_are_not_recognised(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "hello", "{\"a\": 1}", "<html>", "\x08", "\x08\x08"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(r2n_import_recognises_memory(texts[i], strlen(texts[i])));
    assert_false(r2n_import_recognises("/dev/null"));
    assert_false(r2n_import_recognises("/nowhere/at/all"));
}

/* ---- memory ---------------------------------------------------------------------------------- */

static res2net_status import_quietly(void *context)
{
    const r2n_text *file = context;
    r2n_imported imported;
    const res2net_status status =
        r2n_import_memory(file->data, file->size, "net.onnx", &imported, NULL);
    if (status == RES2NET_OK)
        r2n_imported_free(&imported);
    return status;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    network n = network_make(TINY_ONE_GROUP, R2N_FAMILY_TORCH);
    const onnx_manner m = {.metadata = 1, .numbers = ONNX_HALF_TYPED};
    r2n_text file = onnx_file(&n, &m);
    expect_every_allocation_may_fail(import_quietly, &file);
    r2n_free(file.data);
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
        TEST(all_networks_are_read),
        TEST(every_split_is_read),
        TEST(every_head_is_read),
        TEST(every_form_of_numbers_is_read),
        TEST(a_model_is_loaded),
        TEST(weights_beside_the_file),
        TEST(other_operations_are_named),
        TEST(every_cut_is_refused),
        TEST(other_files_are_not_recognised),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
