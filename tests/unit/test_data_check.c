/* SPDX-License-Identifier: Apache-2.0 */
/* res2net_check_data as a library user has it: options, progress, memory. The faults it finds are
 * in tests/scripts/test_cli_data_check.sh. */
#include "temporary_folder.h"

#include "base/memory.h"
#include "expect.h"
#include "res2net/evaluate.h"

/* A PNM picture: no library needed. */
static void write_picture(const char *name, int grey)
{
    char text[64];
    const int bytes = snprintf(text, sizeof text, "P2 2 1 255\n%d 7\n", grey);
    write_file(name, text, (size_t)bytes);
}

typedef struct steps {
    int64_t done, total;
    int calls, stop_at;
} steps;

static int count_steps(void *context, int64_t done, int64_t total)
{
    steps *seen = context;
    assert_true(done > seen->done);
    seen->done = done;
    seen->total = total;
    return ++seen->calls == seen->stop_at;
}

static const char *list_of(int count)
{
    char text[4096];
    size_t bytes = 0;
    for (int i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d.pgm", i);
        write_picture(name, i);
        bytes += (size_t)snprintf(text + bytes, sizeof text - bytes, "%s %d\n", name, i % 3);
    }
    return write_text("list.txt", text);
}

static void progress_is_told_and_may_stop(void **state)
{
    (void)state;
    steps seen = {0};
    const res2net_check_options options = {.progress = count_steps, .progress_context = &seen};
    res2net_data_check found;
    res2net_report *report = res2net_report_create();
    const char *list = list_of(100);
    assert_int_equal(res2net_check_data(list, &options, &found, report), RES2NET_OK);
    assert_int_equal(seen.done, 100);
    assert_int_equal(seen.total, 100);
    assert_true(seen.calls > 1);
    assert_int_equal(found.readable, 100);
    assert_int_equal(found.classes, 3);
    assert_int_equal(found.per_class[0], 34);
    assert_null(found.class_names);
    assert_int_equal(found.smallest.width, 2);
    res2net_data_check_free(&found);
    assert_null(found.per_class);
    seen = (steps){.stop_at = 1};
    assert_int_equal(res2net_check_data(list, &options, &found, report), RES2NET_INTERRUPTED);
    assert_int_equal(seen.calls, 1);
    assert_null(found.per_class);
    expect_problem(report, RES2NET_INTERRUPTED, "stopped after");
    res2net_report_destroy(report);
}

static void limits_reach_the_decoder(void **state)
{
    (void)state;
    const res2net_check_options small = {.maximum_pixels = 1};
    const res2net_check_options tolerant = {.truncated = RES2NET_TRUNCATED_TOLERATE};
    const res2net_check_options negative = {.maximum_pixels = -1};
    const res2net_check_options unknown = {.truncated = 7};
    res2net_data_check found;
    res2net_report *report = res2net_report_create();
    const char *list = list_of(1);
    assert_int_equal(res2net_check_data(list, &small, &found, report), RES2NET_OK);
    assert_int_equal(found.unreadable, 1);
    expect_problem(report, RES2NET_LIMIT_EXCEEDED, "the limit is 1 pixels");
    res2net_data_check_free(&found);
    assert_int_equal(res2net_check_data(list, &negative, &found, report), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(res2net_check_data(list, &unknown, &found, report), RES2NET_INVALID_ARGUMENT);
    write_text("0.pgm", "P5 2 2 255\nabc");
    assert_int_equal(res2net_check_data(list, NULL, &found, report), RES2NET_OK);
    assert_int_equal(found.unreadable, 1);
    res2net_data_check_free(&found);
    assert_int_equal(res2net_check_data(list, &tolerant, &found, report), RES2NET_OK);
    assert_int_equal(found.readable, 1);
    res2net_data_check_free(&found);
    res2net_report_destroy(report);
}

static res2net_status check_once(void *context)
{
    res2net_data_check found;
    const res2net_check_options options = {.threads = 1};
    const res2net_status status = res2net_check_data(context, &options, &found, NULL);
    res2net_data_check_free(&found);
    return status;
}

static void every_failed_allocation_is_survived(void **state)
{
    char path[256];
    (void)state;
    snprintf(path, sizeof path, "%s", list_of(3));
    expect_every_allocation_may_fail(check_once, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(progress_is_told_and_may_stop),
        FOLDER_TEST(limits_reach_the_decoder),
        FOLDER_TEST(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
