/* SPDX-License-Identifier: Apache-2.0 */
/* Files that only grow: whole pieces, also where the disk is full; directories and times. */
#include <sys/resource.h>
#include <signal.h>
#include <time.h>

#include "unit/expect.h"
#include "unit/temporary_folder.h"

static void expect_content(const char *path, const char *content)
{
    r2n_file_bytes file = expect_file(path);
    assert_int_equal(file.size, strlen(content));
    assert_memory_equal(file.data, content, file.size);
    r2n_file_release(&file);
}

static r2n_appender *open_lines(const char *path)
{
    r2n_appender *appender;
    assert_int_equal(r2n_appender_open(path, 1, &appender, NULL), RES2NET_OK);
    return appender;
}

static void test_grows(void **state)
{
    char path[256];
    (void)state;
    strcpy(path, in_folder("log"));
    r2n_appender *appender = open_lines(path);
    assert_int_equal(r2n_appender_put(appender, "one\n", 4, NULL), RES2NET_OK);
    expect_content(path, "one\n"); /* nothing is kept back */
    assert_int_equal(r2n_appender_put(appender, "two", 3, NULL), RES2NET_OK);
    assert_int_equal(r2n_appender_close(appender, NULL), RES2NET_OK);
    appender = open_lines(path); /* the half line gets its end */
    expect_content(path, "one\ntwo\n");
    assert_int_equal(r2n_appender_close(appender, NULL), RES2NET_OK);
    assert_int_equal(r2n_appender_open(path, 0, &appender, NULL), RES2NET_OK);
    assert_int_equal(r2n_appender_put(appender, "three", 5, NULL), RES2NET_OK);
    assert_int_equal(r2n_appender_close(appender, NULL), RES2NET_OK);
    expect_content(path, "one\ntwo\nthree");
    assert_int_equal(r2n_appender_close(NULL, NULL), RES2NET_OK);
}

/* A limit of the file's size is what a full disk is: part of a write succeeds, the rest fails. */
static void test_full_disk(void **state)
{
    char path[256];
    struct rlimit before, small;
    res2net_report *report = res2net_report_create();
    (void)state;
    strcpy(path, in_folder("log"));
    r2n_appender *appender = open_lines(path);
    assert_int_equal(r2n_appender_put(appender, "whole\n", 6, report), RES2NET_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const res2net_status status = r2n_appender_put(appender, "too long\n", 9, report);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "cannot write");
    expect_content(path, "whole\n");
    assert_int_equal(r2n_appender_put(appender, "again\n", 6, report), RES2NET_OK);
    assert_int_equal(r2n_appender_close(appender, report), RES2NET_OK);
    expect_content(path, "whole\nagain\n");
    res2net_report_destroy(report);
}

static void test_refuses(void **state)
{
    r2n_appender *appender;
    res2net_report *report = res2net_report_create();
    (void)state;
    assert_int_equal(r2n_appender_open(folder, 1, &appender, report), RES2NET_WRITE_FAILED);
    assert_null(appender);
    expect_problem(report, RES2NET_WRITE_FAILED, "cannot open the file to append");
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_int_equal(r2n_appender_open(in_folder("pipe"), 1, &appender, report),
                     RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "no regular file");
    res2net_report_destroy(report);
}

static res2net_status open_and_close(void *path)
{
    r2n_appender *appender;
    const res2net_status status = r2n_appender_open(path, 1, &appender, NULL);
    return status == RES2NET_OK ? r2n_appender_close(appender, NULL) : status;
}

static res2net_status make_directories(void *path)
{
    return r2n_os_make_directories(path, NULL);
}

static void test_memory_is_short(void **state)
{
    char path[256];
    (void)state;
    strcpy(path, in_folder("a"));
    expect_every_allocation_may_fail(make_directories, path);
    strcpy(path, in_folder("b"));
    expect_every_allocation_may_fail(open_and_close, path);
}

static void test_directories(void **state)
{
    res2net_report *report = res2net_report_create();
    (void)state;
    assert_int_equal(r2n_os_make_directories(in_folder("a//b/c/"), report), RES2NET_OK);
    assert_true(r2n_os_is_directory(in_folder("a/b/c")));
    assert_int_equal(r2n_os_make_directories(in_folder("a/b/c"), report), RES2NET_OK);
    assert_int_equal(r2n_os_make_directories(".", report), RES2NET_OK);
    write_text("file", "");
    assert_int_equal(r2n_os_make_directories(in_folder("file"), report), RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "cannot make the directory");
    assert_int_equal(r2n_os_make_directories(in_folder("file/below"), report),
                     RES2NET_WRITE_FAILED);
    res2net_report_destroy(report);
}

static void test_times(void **state)
{
    char text[R2N_LOCAL_TIME_BYTES];
    (void)state;
    setenv("TZ", "XYZ-02:30", 1); /* east of Greenwich */
    tzset();
    r2n_local_time(1795940068, text);
    assert_string_equal(text, "2026/11/29 10:44:28");
    r2n_local_time(INT64_MAX, text);
    assert_string_equal(text, "----/--/-- --:--:--");
    assert_true(r2n_wall_seconds() > 1.7e9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_grows),       FOLDER_TEST(test_full_disk),
        FOLDER_TEST(test_refuses),     FOLDER_TEST(test_memory_is_short),
        FOLDER_TEST(test_directories), cmocka_unit_test(test_times)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
