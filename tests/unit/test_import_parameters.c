/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's parameters without their program: alone, with the program found beside them, and in a
 * file each. */
#include "paddle_fixture.h"
#include "small_model.h"

#include "import/paddle_internal.h"

#define NET   "cifar:planes=16,depths=1-1,width=26,scale=2"
#define VD    "vd:planes=4,depths=2-1,width=32,scale=4"
#define OTHER "cifar:planes=16,depths=1-1,width=26,scale=4"

static res2net_report *report;
static char folder[64];

static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static int next;
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%.63s/%.180s", folder, name);
    return paths[next];
}

static r2n_architecture architecture(const char *name)
{
    r2n_architecture found;
    assert_int_equal(r2n_architecture_find(name, &found, NULL), RES2NET_OK);
    return found;
}

/* Exported as Paddle's model into net/, and its parameters alone as alone.pdiparams. */
static void export(const char *name)
{
    const res2net_export_options options = {.format = RES2NET_EXPORT_PADDLE};
    res2net_model *model;
    assert_int_equal(res2net_model_create(name, RES2NET_FAMILY_PADDLE, 5, &model, NULL),
                     RES2NET_OK);
    assert_int_equal(res2net_export(model, in_folder("net"), &options, report), RES2NET_OK);
    small_copy(in_folder("net/inference.pdiparams"), in_folder("alone.pdiparams"));
    res2net_model_destroy(model);
}

/* The tensors of the exported program. */
static void expect_exported(const r2n_imported *imported)
{
    r2n_imported program;
    assert_int_equal(r2n_import(in_folder("net/inference.pdmodel"), &program, report), RES2NET_OK);
    assert_int_equal(imported->weights->metadata.family, R2N_FAMILY_PADDLE);
    assert_int_equal(imported->architecture.classes, program.architecture.classes);
    assert_int_equal(imported->weights->count, program.weights->count);
    for (size_t i = 0; i < program.weights->count; i++) {
        const r2n_tensor *ours = &imported->weights->tensors[i],
                         *theirs = &program.weights->tensors[i];
        assert_string_equal(ours->name, theirs->name);
        assert_int_equal(ours->count, theirs->count);
        assert_memory_equal(ours->data, theirs->data, (size_t)ours->count * sizeof(float));
    }
    r2n_imported_free(&program);
}

static void check_alone(const char *exported, const char *said)
{
    const r2n_architecture wanted = architecture(said);
    r2n_imported imported;
    export(exported);
    assert_true(r2n_import_recognises(in_folder("alone.pdiparams")));
    assert_int_equal(r2n_import_as(in_folder("alone.pdiparams"), &wanted, &imported, report),
                     RES2NET_OK);
    assert_int_equal(imported.family, R2N_FAMILY_UNKNOWN);
    expect_exported(&imported);
    r2n_imported_free(&imported);
    r2n_file_bytes file = expect_file(in_folder("alone.pdiparams"));
    assert_true(r2n_import_recognises_memory(file.data, file.size));
    assert_int_equal(
        r2n_import_memory_as(file.data, file.size, "memory", &wanted, &imported, report),
        RES2NET_OK);
    r2n_file_release(&file);
    expect_exported(&imported);
    r2n_imported_free(&imported);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        print_error("%s\n", res2net_report_problem(report, i)->text);
    assert_int_equal(res2net_report_count(report), 0);
}

static void alone(void **state)
{
    (void)state;
    check_alone(NET ",classes=7", NET);
    check_alone(NET ",classes=7", NET ",classes=7");
    check_alone(VD ",classes=4", VD);
    check_alone("cifar:planes=8,depths=1-2,width=64,scale=1,classes=3",
                "cifar:planes=8,depths=1-2,width=64,scale=1");
    check_alone("res2net20_26w_4s_cifar", "res2net20-26w-4s-cifar");
}

static void refuse(const char *path, const char *said, res2net_status status, const char *text)
{
    r2n_architecture wanted;
    r2n_imported imported;
    if (said != NULL)
        wanted = architecture(said);
    const res2net_status given =
        r2n_import_as(path, said == NULL ? NULL : &wanted, &imported, report);
    if (given != status)
        expect_problem(report, status, text);
    assert_int_equal(given, status);
    assert_null(imported.weights);
    expect_problem(report, status, text);
}

static void another_network(void **state)
{
    (void)state;
    export(NET ",classes=7");
    const char *path = in_folder("alone.pdiparams");
    refuse(path, NULL, RES2NET_UNSUPPORTED, "--arch NAME");
    refuse(path, OTHER, RES2NET_MISMATCH, "these are another network's");
    refuse(path, NET ",classes=8", RES2NET_MISMATCH,
           "tensor 38 of 47 is 7, and that of cifar:planes=16");
    refuse(path, "Res2Net50_26w_4s", RES2NET_MISMATCH, "another network's");
    /* A row whose tensors begin alike, and one that has more of them. */
    export("res2net20_26w_4s_cifar");
    path = in_folder("alone.pdiparams");
    refuse(path, "Res2Net50_26w_4s", RES2NET_MISMATCH, "it fits res2net20_26w_4s_cifar");
    refuse(path, NET, RES2NET_MISMATCH, "it fits res2net20_26w_4s_cifar");
}

/* Every cut and every foreign byte in a head has its reason; so have integers. */
static void damage(void **state)
{
    (void)state;
    export(NET ",classes=7");
    r2n_file_bytes file = expect_file(in_folder("alone.pdiparams"));
    const r2n_architecture wanted = architecture(NET);
    r2n_imported imported;
    for (size_t size = 1; size < file.size; size += 1 + file.size / 300) {
        char *cut = r2n_copy_bytes(file.data, size);
        assert_non_null(cut);
        assert_int_not_equal(r2n_import_memory_as(cut, size, "cut", &wanted, &imported, report),
                             RES2NET_OK);
        assert_null(imported.weights);
        assert_true(res2net_report_count(report) > 0);
        res2net_report_clear(report);
        r2n_free(cut);
    }
    small_file(in_folder("cut.pdiparams"), file.data, file.size - 8);
    refuse(in_folder("cut.pdiparams"), NET, RES2NET_DAMAGED, "within its numbers");
    char *changed = r2n_copy_bytes(file.data, file.size);
    assert_non_null(changed);
    changed[21] = R2N_PADDLE_INT8; /* 20 bytes, then field 1 */
    small_file(in_folder("integers.pdiparams"), changed, file.size);
    refuse(in_folder("integers.pdiparams"), NET, RES2NET_UNSUPPORTED, "quantised");
    memcpy(changed, file.data, file.size);
    r2n_byte_cursor cursor = r2n_cursor(file.data, file.size);
    r2n_paddle_record record;
    assert_null(r2n_paddle_record_head(&cursor, &record));
    assert_null(r2n_paddle_record_data(&cursor, &record));
    changed[cursor.position] = 1;
    small_file(in_folder("foreign.pdiparams"), changed, file.size);
    refuse(in_folder("foreign.pdiparams"), NET, RES2NET_DAMAGED, "tensor 2: no tensor begins here");
    r2n_free(changed);
    r2n_file_release(&file);
}

static void program_beside(void **state)
{
    (void)state;
    r2n_imported imported;
    export(NET ",classes=7");
    assert_int_equal(r2n_import(in_folder("net/inference.pdiparams"), &imported, report),
                     RES2NET_OK);
    expect_exported(&imported);
    assert_non_null(imported.yaml);
    r2n_imported_free(&imported);
    small_copy(in_folder("net/inference.json"), in_folder("alone.json"));
    assert_int_equal(r2n_import(in_folder("alone.pdiparams"), &imported, report), RES2NET_OK);
    expect_exported(&imported);
    r2n_imported_free(&imported);
    small_copy(in_folder("net/inference.pdmodel"), in_folder("__model__"));
    small_copy(in_folder("alone.pdiparams"), in_folder("__params__"));
    assert_int_equal(r2n_import(in_folder("__params__"), &imported, report), RES2NET_OK);
    expect_exported(&imported);
    r2n_imported_free(&imported);
}

/* ---- a file a parameter ---------------------------------------------------------------------- */

/* The fixture's tensors p0, p1, p10, ... into files of these names; all but `left_out`. */
static void put_apart(const network *n, const char *left_out)
{
    static paddle_named sorted[1024];
    r2n_text all = paddle_parameters(n);
    r2n_byte_cursor cursor = r2n_cursor((const uint8_t *)all.data, all.size);
    for (size_t i = 0; i < n->weights->count; i++)
        (void)paddle_parameter_name(n, &n->weights->tensors[i], sorted[i].name);
    qsort(sorted, n->weights->count, sizeof sorted[0], paddle_compare);
    for (size_t i = 0; i < n->weights->count; i++) {
        r2n_paddle_record record;
        const size_t start = cursor.position;
        assert_null(r2n_paddle_record_head(&cursor, &record));
        assert_null(r2n_paddle_record_data(&cursor, &record));
        if (strcmp(sorted[i].name, left_out) != 0)
            small_file(in_folder(sorted[i].name), all.data + start, cursor.position - start);
    }
    assert_int_equal(r2n_cursor_left(&cursor), 0);
    r2n_free(all.data);
}

static res2net_status import_quietly(void *context)
{
    r2n_imported imported;
    const res2net_status status = r2n_import(context, &imported, NULL);
    if (status == RES2NET_OK)
        r2n_imported_free(&imported);
    return status;
}

static void file_each(void **state)
{
    (void)state;
    const paddle_manner old = {.old = 1};
    network n = network_make(TINY_VD, R2N_FAMILY_PADDLE);
    r2n_text program = pdmodel_file(&n, &old);
    r2n_imported imported;
    small_file(in_folder("__model__"), program.data, program.size);
    put_apart(&n, "p3");
    refuse(folder, NULL, RES2NET_NOT_FOUND, "parameter \"p3\": there is no __params__");
    put_apart(&n, "");
    const char *const paths[] = {folder, in_folder("__model__")};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(r2n_import(paths[i], &imported, report), RES2NET_OK);
        expect_tensors(&n, &imported, 0);
        r2n_imported_free(&imported);
    }
    expect_every_allocation_may_fail(import_quietly, folder);
    /* Another tensor's file, one with bytes behind its tensor, and one that is no tensor. */
    r2n_file_bytes file = expect_file(in_folder("p0"));
    const size_t size = file.size;
    char *longer = r2n_allocate_zeroed(size + 3, 1);
    assert_non_null(longer);
    memcpy(longer, file.data, size);
    r2n_file_release(&file);
    small_file(in_folder("p1"), longer, size);
    refuse(folder, NULL, RES2NET_MISMATCH, "parameter \"p1\": its shape or type");
    put_apart(&n, "");
    small_file(in_folder("p0"), longer, size + 3);
    r2n_free(longer);
    refuse(folder, NULL, RES2NET_MISMATCH, "3 bytes follow");
    small_text(in_folder("p0"), "something else, and long enough");
    refuse(folder, NULL, RES2NET_DAMAGED, "no tensor begins here");
    r2n_free(program.data);
    network_free(&n);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static res2net_status alone_quietly(void *context)
{
    const r2n_architecture wanted = architecture(NET);
    r2n_imported imported;
    const res2net_status status = r2n_import_as(context, &wanted, &imported, NULL);
    if (status == RES2NET_OK)
        r2n_imported_free(&imported);
    return status;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    char path[128];
    export(NET ",classes=7");
    snprintf(path, sizeof path, "%s/alone.pdiparams", folder);
    expect_every_allocation_may_fail(alone_quietly, path);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(alone),     TEST(another_network),
                                       TEST(damage),    TEST(program_beside),
                                       TEST(file_each), TEST(memory_may_run_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
