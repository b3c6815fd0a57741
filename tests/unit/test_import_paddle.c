/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's inference models: programs, parameters, folders and archives of them. */
#include "paddle_fixture.h"
#include "small_model.h"
#include "tar_builder.h"

static res2net_report *report;
static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put_file(const char *name, const r2n_text *text)
{
    small_file(in_folder(name), text->data, text->size);
}

/* All that a network's files may be. */
typedef struct files {
    network n;
    r2n_text program, json, parameters;
} files;

static files make(const char *specification, r2n_family family, const paddle_manner *m)
{
    files f = {.n = network_make(specification, family)};
    f.program = pdmodel_file(&f.n, m);
    f.json = pir_file(&f.n, m);
    f.parameters = paddle_parameters(&f.n);
    return f;
}

static void free_files(files *f)
{
    r2n_free(f->program.data);
    r2n_free(f->json.data);
    r2n_free(f->parameters.data);
    network_free(&f->n);
}

static void check_path(const files *f, const char *path, int softmax)
{
    r2n_imported imported;
    const res2net_status status = r2n_import(path, &imported, report);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        print_error("%s\n", res2net_report_problem(report, i)->text);
    assert_int_equal(status, RES2NET_OK);
    assert_true(r2n_import_recognises(path));
    expect_tensors(&f->n, &imported, 0);
    assert_int_equal(imported.family, f->n.graph->family);
    assert_int_equal(imported.ends_in_softmax, softmax);
    r2n_imported_free(&imported);
}

static void refuse_path(const char *path, res2net_status status, const char *text)
{
    r2n_imported imported;
    assert_int_equal(r2n_import(path, &imported, report), status);
    assert_null(imported.weights);
    expect_problem(report, status, text);
}

/* ---- what is read ---------------------------------------------------------------------------- */

static void check_both(const char *specification, r2n_family family, const paddle_manner *m)
{
    files f = make(specification, family, m);
    put_file("inference.pdmodel", &f.program);
    put_file("inference.pdiparams", &f.parameters);
    check_path(&f, in_folder("inference.pdmodel"), m->softmax);
    check_path(&f, folder, m->softmax);
    remove(in_folder("inference.pdmodel"));
    put_file("inference.json", &f.json);
    check_path(&f, in_folder("inference.json"), m->softmax);
    check_path(&f, folder, m->softmax);
    remove(in_folder("inference.json"));
    remove(in_folder("inference.pdiparams"));
    free_files(&f);
}

static void programs_are_read(void **state)
{
    (void)state;
    const paddle_manner plain = {.softmax = 0}, old = {.old = 1, .softmax = 1},
                        softmax = {.softmax = 1};
    check_both(TINY_CIFAR, R2N_FAMILY_PADDLE, &plain);
    check_both(TINY_CIFAR, R2N_FAMILY_TORCH, &softmax);
    check_both(TINY_PLAIN, R2N_FAMILY_PADDLE, &old);
    check_both(TINY_VD, R2N_FAMILY_PADDLE, &softmax);
    check_both(TINY_ONE_GROUP, R2N_FAMILY_TORCH, &plain);
}

static void old_names_are_found(void **state)
{
    (void)state;
    const paddle_manner old = {.old = 1};
    files f = make(TINY_PLAIN, R2N_FAMILY_PADDLE, &old);
    put_file("__model__", &f.program);
    refuse_path(folder, RES2NET_NOT_FOUND, "there is no __params__");
    put_file("__params__", &f.parameters);
    check_path(&f, folder, 0);
    check_path(&f, in_folder("__model__"), 0);
    /* "inference" comes before others, and one is not taken for the other. */
    put_file("other.pdmodel", &f.json);
    put_file("other.pdiparams", &f.parameters);
    put_file("inference.pdmodel", &f.program);
    put_file("inference.pdiparams", &f.parameters);
    check_path(&f, folder, 0);
    remove(in_folder("inference.pdmodel"));
    put_file("another.pdmodel", &f.program);
    put_file("another.pdiparams", &f.parameters);
    refuse_path(folder, RES2NET_MISMATCH, "2 models");
    free_files(&f);
}

static void archives_are_read(void **state)
{
    (void)state;
    const paddle_manner plain = {.softmax = 0};
    files f = make(TINY_VD, R2N_FAMILY_PADDLE, &plain);
    r2n_text tar = {0};
    tar_put(&tar, "", "net_infer/", '5', "", 0);
    tar_put(&tar, "", "net_infer/._inference.pdmodel", '0', "x", 1);
    tar_put(&tar, "", "net_infer/inference.pdiparams", '0', f.parameters.data, f.parameters.size);
    tar_put(&tar, "", "net_infer/inference.pdmodel", '0', f.program.data, f.program.size);
    tar_end(&tar);
    put_file("net_infer.tar", &tar);
    check_path(&f, in_folder("net_infer.tar"), 0);
    tar.size = 0;
    tar_put(&tar, "", "net_infer/inference.pdmodel", '0', f.program.data, f.program.size);
    tar_end(&tar);
    put_file("net_infer.tar", &tar);
    refuse_path(in_folder("net_infer.tar"), RES2NET_MISMATCH, "not its parameters");
    tar.size = 0;
    tar_put(&tar, "", "net_infer/inference.pdmodel", '0', f.program.data, f.program.size);
    tar_put(&tar, "", "net_infer/inference.pdiparams", '0', f.parameters.data,
            f.parameters.size - 8);
    put_file("net_infer.tar", &tar);
    refuse_path(in_folder("net_infer.tar"), RES2NET_DAMAGED, "within its numbers");
    r2n_free(tar.data);
    free_files(&f);
}

/* What lies beside the network goes into the model. */
static void yaml_is_taken(void **state)
{
    (void)state;
    static const char yaml[] = "PreProcess:\n  transform_ops:\n"
                               "  - ResizeImage: {resize_short: 40}\n"
                               "  - CropImage: {size: 32}\n"
                               "  - NormalizeImage: {scale: 0.00392157, mean: [0.5, 0.5, 0.5], "
                               "std: [0.25, 0.25, 0.25], order: ''}\n"
                               "  - ToCHWImage: null\n"
                               "PostProcess:\n  Topk:\n    topk: 2\n    label_list:\n"
                               "    - one\n    - 'two, too'\n    - \"three\"\n";
    const paddle_manner plain = {.softmax = 0};
    files f = make(TINY_VD, R2N_FAMILY_PADDLE, &plain);
    res2net_model *model;
    put_file("inference.pdmodel", &f.program);
    put_file("inference.pdiparams", &f.parameters);
    small_text(in_folder("inference.yml"), yaml);
    assert_int_equal(res2net_model_load(folder, NULL, &model, report), RES2NET_OK);
#ifdef R2N_HAVE_YAML
    res2net_model_info info;
    assert_int_equal(res2net_report_count(report), 0);
    assert_string_equal(res2net_model_label(model, 1), "two, too");
    res2net_model_describe(model, &info);
    assert_true(info.has_labels);
#endif
    res2net_model_destroy(model);
    /* A file that is none of ours does no harm. */
    small_text(in_folder("inference.yml"), "PreProcess:\n  transform_ops:\n  - Turn: null\n");
    assert_int_equal(res2net_model_load(folder, NULL, &model, report), RES2NET_OK);
    expect_problem(report, RES2NET_OK, "inference.yml");
    assert_null(res2net_model_label(model, 1));
    res2net_model_destroy(model);
    free_files(&f);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void wrong_parameters_are_refused(void **state)
{
    (void)state;
    const paddle_manner plain = {.softmax = 0};
    files f = make(TINY_CIFAR, R2N_FAMILY_PADDLE, &plain);
    files other = make(TINY_VD, R2N_FAMILY_PADDLE, &plain);
    static const char *const programs[] = {"inference.pdmodel", "inference.json"};
    put_file("inference.pdmodel", &f.program);
    put_file("inference.json", &f.json);
    for (int i = 0; i < 2; i++) {
        r2n_text spoilt = f.parameters;
        remove(in_folder("inference.pdiparams"));
        refuse_path(in_folder(programs[i]), RES2NET_NOT_FOUND, "beside it");
        put_file("inference.pdiparams", &other.parameters);
        refuse_path(in_folder(programs[i]), RES2NET_MISMATCH, "not of one export");
        spoilt.size -= 3;
        put_file("inference.pdiparams", &spoilt);
        refuse_path(in_folder(programs[i]), RES2NET_DAMAGED, "the file ends within");
        spoilt.size = 10;
        put_file("inference.pdiparams", &spoilt);
        refuse_path(in_folder(programs[i]), RES2NET_DAMAGED, "the file ends before");
        put_file("inference.pdiparams", &f.program);
        refuse_path(in_folder(programs[i]), RES2NET_DAMAGED, "no tensor begins here");
        r2n_text longer = {0};
        r2n_text_put_bytes(&longer, f.parameters.data, f.parameters.size);
        r2n_text_put(&longer, "more");
        put_file("inference.pdiparams", &longer);
        refuse_path(in_folder(programs[i]), RES2NET_MISMATCH, "4 bytes follow");
        r2n_free(longer.data);
    }
    free_files(&f);
    free_files(&other);
}

static void other_operations_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *type, *text;
        res2net_status status;
    } rows[] = {{"swish", "swish \"", RES2NET_MISMATCH},
                {"fake_quantize_dequantize_abs_max", "int8", RES2NET_UNSUPPORTED},
                {"quantize_linear", "int8", RES2NET_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const paddle_manner m = {.other = rows[i].type};
        files f = make(TINY_PLAIN, R2N_FAMILY_PADDLE, &m);
        put_file("inference.pdmodel", &f.program);
        put_file("inference.json", &f.json);
        put_file("inference.pdiparams", &f.parameters);
        refuse_path(in_folder("inference.pdmodel"), rows[i].status, rows[i].text);
        refuse_path(in_folder("inference.json"), rows[i].status, rows[i].text);
        free_files(&f);
    }
}

/* Every cut of the program has its reason. */
static void cuts_are_refused(void **state)
{
    (void)state;
    const paddle_manner plain = {.softmax = 0};
    files f = make(TINY_ONE_GROUP, R2N_FAMILY_TORCH, &plain);
    const r2n_text *programs[] = {&f.program, &f.json};
    static const char *const names[] = {"inference.pdmodel", "inference.json"};
    put_file("inference.pdiparams", &f.parameters);
    for (int i = 0; i < 2; i++)
        for (size_t size = 0; size < programs[i]->size; size += 1 + programs[i]->size / 60) {
            r2n_imported imported;
            small_file(in_folder(names[i]), programs[i]->data, size);
            assert_int_not_equal(r2n_import(in_folder(names[i]), &imported, report), RES2NET_OK);
            assert_null(imported.weights);
            assert_true(res2net_report_count(report) > 0);
            res2net_report_clear(report);
        }
    small_file(in_folder(names[0]), f.program.data, f.program.size / 2);
    assert_true(r2n_import_recognises(in_folder(names[0])));
    refuse_path(in_folder(names[0]), RES2NET_DAMAGED, "breaks off");
    free_files(&f);
}

static void folders_of_other_things(void **state)
{
    (void)state;
    refuse_path(folder, RES2NET_MISMATCH, "no model is in it");
    small_text(in_folder("a.json"), "{}");
    small_text(in_folder("a.pdiparams"), "{}");
    refuse_path(folder, RES2NET_UNSUPPORTED, "no program");
    small_text(in_folder("a.json"), "{\"base_code\": {\"magic\": \"other\"}}");
    refuse_path(folder, RES2NET_UNSUPPORTED, "no program of Paddle's");
    assert_true(r2n_import_recognises(folder));
    assert_false(r2n_import_recognises(in_folder("a.pdiparams")));
}

/* ---- memory ---------------------------------------------------------------------------------- */

static res2net_status import_quietly(void *context)
{
    r2n_imported imported;
    const res2net_status status = r2n_import(context, &imported, NULL);
    if (status == RES2NET_OK)
        r2n_imported_free(&imported);
    return status;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    char path[128];
    const paddle_manner plain = {.softmax = 0};
    files f = make(TINY_ONE_GROUP, R2N_FAMILY_TORCH, &plain);
    put_file("inference.pdmodel", &f.program);
    put_file("inference.pdiparams", &f.parameters);
    small_text(in_folder("inference.yml"), "Global: {}\n");
    snprintf(path, sizeof path, "%s", folder);
    expect_every_allocation_may_fail(import_quietly, path);
    put_file("inference.json", &f.json);
    snprintf(path, sizeof path, "%s/inference.json", folder);
    expect_every_allocation_may_fail(import_quietly, path);
    free_files(&f);
}

static int set_up(void **state)
{
    (void)state;
    report = res2net_report_create();
    small_folder_make(folder);
    return report == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    small_folder_remove(folder);
    res2net_report_destroy(report);
    return 0;
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(programs_are_read),
        TEST(old_names_are_found),
        TEST(archives_are_read),
        TEST(yaml_is_taken),
        TEST(wrong_parameters_are_refused),
        TEST(other_operations_are_named),
        TEST(cuts_are_refused),
        TEST(folders_of_other_things),
        TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
