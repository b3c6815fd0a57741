/* SPDX-License-Identifier: Apache-2.0 */
/* int8 files of our own back to a calibrated model; those of others, and such as round elsewhere,
 * are refused. */
#include "unit/calibration_fixture.h"
#include "unit/onnx_fixture.h"

#include "export/export.h"
#include "import/match_internal.h"

#define DEEP "vd:planes=16,depths=1-2-1,width=26,scale=4,classes=10"

static char folder[64], path[128], again[128];
static res2net_report *report;
static r2n_graph *graph;
static r2n_tensor_set *weights;

static int set_up(void **state)
{
    (void)state;
    small_folder_make(folder);
    snprintf(path, sizeof path, "%s/net.onnx", folder);
    snprintf(again, sizeof again, "%s/again.onnx", folder);
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

static void write_to(const char *name, const r2n_tensor_set *set)
{
    const r2n_export_model model = {.graph = graph, .weights = set};
    const r2n_onnx_options options = {.weights = R2N_EXPORT_INT8};
    if (r2n_export_onnx(&model, &options, name, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
}

static void open_network(r2n_family family)
{
    r2n_architecture architecture;
    assert_int_equal(r2n_architecture_find(DEEP, &architecture, report), RES2NET_OK);
    assert_int_equal(r2n_graph_create(&architecture, family, &graph, report), RES2NET_OK);
    assert_int_equal(r2n_weights_formula(&architecture, 5, &weights, report), RES2NET_OK);
    calibrate(graph, weights);
    write_to(path, weights);
}

static void close_network(void)
{
    r2n_tensor_set_destroy(weights);
    r2n_graph_destroy(graph);
}

/* ---- back ------------------------------------------------------------------------------------ */

static void the_calibration_comes_back(void **state)
{
    (void)state;
    for (int family = R2N_FAMILY_PADDLE; family <= R2N_FAMILY_TORCH; family++) {
        r2n_imported imported;
        open_network((r2n_family)family);
        assert_int_equal(r2n_import(path, &imported, report), RES2NET_OK);
        assert_int_equal(imported.family, family);
        const r2n_weights_metadata *metadata = &imported.weights->metadata;
        assert_int_equal(metadata->activation_scale_count, graph->count);
        assert_memory_equal(metadata->activation_scales, weights->metadata.activation_scales,
                            (size_t)graph->count * sizeof(float));
        r2n_imported_free(&imported);
        close_network();
    }
}

/* Numbers that are levels of a scale are rounded to these levels. */
static void a_second_export_has_the_same_levels(void **state)
{
    (void)state;
    enum { INT8 = 3 };
    r2n_imported imported;
    open_network(R2N_FAMILY_TORCH);
    assert_int_equal(r2n_import(path, &imported, report), RES2NET_OK);
    write_to(again, imported.weights);
    r2n_imported_free(&imported);
    onnx_file first = onnx_open(path), second = onnx_open(again);
    assert_int_equal(first.tensor_count, second.tensor_count);
    int compared = 0;
    for (size_t i = 0; i < first.tensor_count; i++) {
        const onnx_tensor *a = &first.tensors[i], *b = onnx_find_tensor(&second, a->name);
        if (a->type != INT8 || a->size < 2)
            continue;
        assert_non_null(b);
        assert_int_equal(a->size, b->size);
        assert_memory_equal(a->data, b->data, a->size);
        compared++;
    }
    assert_true(compared > 20);
    onnx_close(&first);
    onnx_close(&second);
    close_network();
}

/* ---- rounding elsewhere ---------------------------------------------------------------------- */

/* The file as a graph, with the scale of an operation's input changed, is refused with `text`. */
static void refuse_changed(const r2n_foreign_kind kind, int32_t input, float factor,
                           const char *text)
{
    r2n_file_bytes file;
    r2n_imported imported;
    assert_int_equal(r2n_file_read(path, (size_t)1 << 30, &file, report), RES2NET_OK);
    r2n_foreign_graph g = r2n_foreign_graph_begin("net.onnx", report);
    assert_int_equal(r2n_read_onnx(file.data, file.size, NULL, &g), RES2NET_OK);
    assert_true(g.has_levels);
    int found = 0;
    for (size_t i = g.operation_count; i-- > 0 && !found;) {
        r2n_foreign_operation *operation = &g.operations[i];
        if (operation->kind != kind || (factor > 0 && !(operation->scales[input] > 0)))
            continue;
        operation->scales[input] = factor > 0 ? operation->scales[input] * factor
                                   : operation->scales[input] > 0 ? 0.0f
                                                                  : 0.5f;
        found = 1;
    }
    assert_true(found);
    assert_int_equal(r2n_match(&g, &imported), RES2NET_MISMATCH);
    assert_null(imported.weights);
    expect_problem(report, RES2NET_MISMATCH, text);
    r2n_foreign_graph_free(&g);
    r2n_file_release(&file);
}

static void rounding_elsewhere_is_refused(void **state)
{
    (void)state;
    open_network(R2N_FAMILY_PADDLE);
    refuse_changed(R2N_FOREIGN_CONVOLUTION, 0, 0, "as it was before rounding");
    refuse_changed(R2N_FOREIGN_RELU, 0, 0, "as rounded numbers");
    refuse_changed(R2N_FOREIGN_GLOBAL_POOL, 0, 0, "as it was before rounding");
    refuse_changed(R2N_FOREIGN_CONCAT, 1, 0, "as it was before rounding");
    refuse_changed(R2N_FOREIGN_RESHAPE, 0, 0, "as it was before rounding");
    refuse_changed(R2N_FOREIGN_POOL, 0, 2, "two scales");
    close_network();
}

/* ---- int8 of others -------------------------------------------------------------------------- */

typedef struct scene {
    r2n_foreign_graph g;
    int32_t x, held, one, half, most, none, signed_zero, unsigned_zero, odd_zero;
    r2n_foreign_label label;
} scene;

static int32_t put_number(scene *s, const float *number)
{
    const r2n_foreign_tensor tensor = {.type = R2N_ELEMENT_F32,
                                       .data = (const uint8_t *)number,
                                       .bytes = sizeof *number,
                                       .integer_count = -1};
    return r2n_foreign_constant(&s->g, &tensor);
}

static int32_t put_byte(scene *s, r2n_byte_type type, const uint8_t *byte)
{
    const r2n_foreign_tensor tensor = {.type = R2N_ELEMENT_INTEGER,
                                       .byte_type = type,
                                       .data = byte,
                                       .bytes = 1,
                                       .integer_count = -1};
    return r2n_foreign_constant(&s->g, &tensor);
}

static void open_scene(scene *s)
{
    static const float one = 1, half = 0.5f, most = 63.5f, none = 0;
    static const uint8_t zero = 0, odd = 3;
    s->g = r2n_foreign_graph_begin("graph", report);
    s->label = (r2n_foreign_label){.type = "Op", .type_bytes = 2, .name = "", .offset = -1};
    s->x = r2n_foreign_plain_value(&s->g, 3);
    s->one = put_number(s, &one);
    s->half = put_number(s, &half);
    s->most = put_number(s, &most);
    s->none = put_number(s, &none);
    s->signed_zero = put_byte(s, R2N_SIGNED_BYTES, &zero);
    s->unsigned_zero = put_byte(s, R2N_UNSIGNED_BYTES, &zero);
    s->odd_zero = put_byte(s, R2N_UNSIGNED_BYTES, &odd);
    s->held = r2n_foreign_hold(&s->g, &s->label, s->x, s->none, s->most);
    assert_true(s->held >= 0);
}

static void refused(scene *s, int32_t value, res2net_status status, const char *text)
{
    assert_int_equal(value, -1);
    expect_problem(report, status, text);
    s->g.status = RES2NET_OK;
}

static void other_rounding_is_refused(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    r2n_foreign_graph *g = &s.g;
    const r2n_foreign_label *label = &s.label;
    const res2net_status unsupported = RES2NET_UNSUPPORTED;
    refused(&s, r2n_foreign_hold(g, label, s.x, s.none, s.x), RES2NET_MISMATCH, "no operation");
    refused(&s, r2n_foreign_hold(g, label, s.held, s.none, s.one), RES2NET_MISMATCH,
            "no operation");
    refused(&s, r2n_foreign_simple(g, label, R2N_FOREIGN_RELU, s.held), RES2NET_MISMATCH, "Clip");
    refused(&s, r2n_foreign_to_levels(g, label, s.x, s.half, s.unsigned_zero), unsupported,
            "is clipped");
    refused(&s, r2n_foreign_to_levels(g, label, s.held, s.none, s.unsigned_zero), unsupported,
            "one scale");
    refused(&s, r2n_foreign_to_levels(g, label, s.held, s.x, s.unsigned_zero), unsupported,
            "one scale");
    refused(&s, r2n_foreign_to_levels(g, label, s.held, s.half, s.odd_zero), unsupported,
            "zero point");
    refused(&s, r2n_foreign_to_levels(g, label, s.held, s.half, -1), unsupported, "zero point");
    refused(&s, r2n_foreign_to_levels(g, label, s.held, s.half, s.signed_zero), unsupported,
            "-63 to 63");
    refused(&s, r2n_foreign_to_levels(g, label, s.held, s.one, s.unsigned_zero), unsupported,
            "0 to 127");
    const int32_t levels = r2n_foreign_to_levels(g, label, s.held, s.half, s.unsigned_zero);
    assert_true(levels >= 0);
    refused(&s, r2n_foreign_simple(g, label, R2N_FOREIGN_RELU, levels), unsupported, "levels");
    refused(&s, r2n_foreign_from_levels(g, label, s.x, s.half, s.unsigned_zero, 1), unsupported,
            "has levels");
    refused(&s, r2n_foreign_from_levels(g, label, levels, s.one, s.unsigned_zero, 1), unsupported,
            "that of the rounding");
    refused(&s, r2n_foreign_from_levels(g, label, levels, s.half, s.odd_zero, 1), unsupported,
            "zero point");
    const int32_t mixed[2] = {levels, s.x};
    refused(&s, r2n_foreign_concat(g, label, mixed, 2), unsupported, "as if they were numbers");
    const int32_t rounded = r2n_foreign_from_levels(g, label, levels, s.half, s.unsigned_zero, 1);
    const int32_t relu = r2n_foreign_simple(g, label, R2N_FOREIGN_RELU, rounded);
    const r2n_foreign_operation *operation = r2n_foreign_producer(g, relu);
    assert_non_null(operation);
    assert_int_equal(operation->inputs[0], s.x);
    assert_true(operation->scales[0] >= 0.5f && operation->scales[0] <= 0.5f);
    r2n_foreign_graph_free(g);
}

static void other_weights_are_refused(void **state)
{
    (void)state;
    static const int8_t numbers[6] = {-128, -1, 0, 1, 2, 127};
    static const float worth[3] = {1, 2, 3};
    const int64_t shape[2] = {3, 2}, rows = 3;
    scene s;
    open_scene(&s);
    r2n_foreign_graph *g = &s.g;
    const r2n_foreign_label *label = &s.label;
    const res2net_status unsupported = RES2NET_UNSUPPORTED;
    r2n_foreign_tensor tensor = {.rank = 2,
                                 .shape = shape,
                                 .type = R2N_ELEMENT_INTEGER,
                                 .byte_type = R2N_SIGNED_BYTES,
                                 .data = (const uint8_t *)numbers,
                                 .bytes = sizeof numbers,
                                 .integer_count = -1};
    const r2n_foreign_tensor scales = {.rank = 1,
                                       .shape = &rows,
                                       .type = R2N_ELEMENT_F32,
                                       .data = (const uint8_t *)worth,
                                       .bytes = sizeof worth,
                                       .integer_count = -1};
    const int32_t matrix = r2n_foreign_constant(g, &tensor),
                  scale = r2n_foreign_constant(g, &scales);
    refused(&s, r2n_foreign_from_levels(g, label, matrix, scale, s.signed_zero, 0), unsupported,
            "no zero point");
    refused(&s, r2n_foreign_from_levels(g, label, matrix, scale, -1, 1), unsupported,
            "each output channel");
    refused(&s, r2n_foreign_from_levels(g, label, matrix, s.one, -1, 0), unsupported,
            "each output channel");
    refused(&s, r2n_foreign_from_levels(g, label, scale, scale, -1, 0), unsupported,
            "signed bytes");
    const int32_t value = r2n_foreign_from_levels(g, label, matrix, scale, -1, 0);
    assert_true(value >= 0);
    refused(&s, r2n_foreign_from_levels(g, label, value, scale, -1, 0), unsupported,
            "signed bytes");
    const int32_t features = r2n_foreign_plain_value(g, 2), others = r2n_foreign_plain_value(g, 3);
    refused(&s, r2n_foreign_multiply(g, label, others, value, -1, 0), unsupported, "other way");
    refused(&s, r2n_foreign_multiply(g, label, features, matrix, -1, 1), RES2NET_MISMATCH,
            "of integers");
    assert_true(r2n_foreign_multiply(g, label, features, value, -1, 1) >= 0);
    tensor.bytes--;
    refused(&s, r2n_foreign_constant(g, &tensor), RES2NET_DAMAGED, "needs 6 bytes");
    r2n_foreign_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_calibration_comes_back),
        cmocka_unit_test(a_second_export_has_the_same_levels),
        cmocka_unit_test(rounding_elsewhere_is_refused),
        cmocka_unit_test(other_rounding_is_refused),
        cmocka_unit_test(other_weights_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
