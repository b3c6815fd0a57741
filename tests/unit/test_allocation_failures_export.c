/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of export may fail, and every write: the file appears whole or not at all. */
#include "unit/failing_memory.h"
#include "unit/quantize_fixture.h"

#include <signal.h>
#include <sys/resource.h>

static char folder[64], target[128];
static res2net_model *model;

static int set_up(void **state)
{
    (void)state;
    small_folder_make(folder);
    snprintf(target, sizeof target, "%s/net.onnx", folder);
    model = small_model(RES2NET_FAMILY_PADDLE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_model_destroy(model);
    small_folder_remove(folder);
    return 0;
}

static res2net_status export(void *context, res2net_report *report)
{
    return res2net_export(model, target, context, report);
}

static void no_memory(void **state)
{
    (void)state;
    res2net_export_options settings[] = {
        {.opset = 11}, {.keep_batch_norm = 1, .weights = RES2NET_EXPORT_WEIGHTS_F16, .height = 32}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        for (int fresh = 0; fresh < 2; fresh++) {
            const failing_call call = {.name = fresh ? "a new file" : "over an old one",
                                       .attempt = export,
                                       .context = &settings[i],
                                       .folder = folder,
                                       .target = fresh ? target : NULL};
            expect_failures_survived(&call, RES2NET_OK);
        }
}

static void no_memory_for_int8(void **state)
{
    (void)state;
    res2net_export_options settings = {.weights = RES2NET_EXPORT_WEIGHTS_INT8};
    const failing_call call = {.name = "int8",
                               .attempt = export,
                               .context = &settings,
                               .folder = folder,
                               .target = target};
    res2net_quantization found;
    char pictures[128];
    snprintf(pictures, sizeof pictures, "%s/pictures.bin", folder);
    fixture_pictures(pictures);
    const res2net_session_options session = small_session_options();
    assert_int_equal(res2net_quantize(model, &session, pictures, NULL, &found, NULL), RES2NET_OK);
    res2net_quantization_free(&found);
    expect_failures_survived(&call, RES2NET_OK);
}

static void a_full_disk(void **state)
{
    (void)state;
    struct rlimit before, limit;
    res2net_report *report = res2net_report_create();
    assert_int_equal(res2net_export(model, target, NULL, report), RES2NET_OK);
    r2n_file_bytes whole = expect_file(target);
    const size_t size = whole.size;
    r2n_file_release(&whole);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (int fresh = 0; fresh < 2; fresh++) {
        if (fresh)
            unlink(target);
        const uint64_t files = failing_folder_sum(folder);
        for (size_t room = 0; room < size; room += 1 + size / 20) {
            limit = before;
            limit.rlim_cur = room;
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
            const res2net_status status = res2net_export(model, target, NULL, report);
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
            assert_int_equal(status, RES2NET_WRITE_FAILED);
            expect_problem(report, RES2NET_WRITE_FAILED, "untouched");
            assert_true(failing_folder_sum(folder) == files);
        }
    }
    signal(SIGXFSZ, SIG_DFL);
    res2net_report_destroy(report);
}

static void wrong_options(void **state)
{
    (void)state;
    res2net_report *report = res2net_report_create();
    const res2net_export_options format = {.format = (res2net_export_format)7},
                                 weights = {.weights = (res2net_export_weights)4},
                                 opset = {.opset = 29}, nowhere = {.opset = 0};
    unlink(target);
    assert_int_equal(res2net_export(model, target, &format, report), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(res2net_export(model, target, &weights, report), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(res2net_export(model, target, &opset, report), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(r2n_os_exists(target), 0);
    assert_int_equal(res2net_export(model, "/dev/full/net.onnx", &nowhere, report),
                     RES2NET_WRITE_FAILED);
    res2net_report_destroy(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_memory),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(wrong_options),
        cmocka_unit_test(no_memory_for_int8),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
