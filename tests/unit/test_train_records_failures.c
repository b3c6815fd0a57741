/* SPDX-License-Identifier: Apache-2.0 */
/* A full disk, a killed process, no memory: nothing is half, nothing is silent, the run goes on. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "unit/records_fixture.h"

/* Writes beyond `bytes` of a file fail, as on a full disk. */
static struct rlimit unlimited;
static void fill_disk(rlim_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
    const struct rlimit full = {bytes, unlimited.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
}

static void empty_disk(void)
{
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
}

static size_t lines_of(const char *name)
{
    size_t lines = 0;
    char *text = run_text(name);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    r2n_free(text);
    return lines;
}

static void expect_shown(const char *text)
{
    if (strstr(shown, text) == NULL)
        fail_msg("\"%s\" is not in:\n%s", text, shown);
}

static size_t times_shown(const char *text)
{
    size_t times = 0;
    for (const char *at = shown; (at = strstr(at, text)) != NULL; at++)
        times++;
    return times;
}

static void test_disk_full_for_a_while(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    res2net_report *report = res2net_report_create();
    r2n_records *records = open_run(&options);
    tell_epochs(records, 1, 1);
    char *page = run_text("report.html");
    const size_t log_lines = lines_of("train.log");
    fill_disk(1);
    for (int64_t epoch = 2; epoch <= 3; epoch++) {
        const r2n_epoch_record record = epoch_record(epoch);
        assert_int_equal(r2n_records_epoch(records, &record, report), RES2NET_OK);
    }
    empty_disk();
    /* five files, each told once, on the terminal and in the report */
    static const char *const names[] = {"train.log: cannot", "results.csv: cannot",
                                        "report.html: cannot", "VisualDL's event file: cannot",
                                        "TensorBoard's event file: cannot"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        expect_shown(names[i]);
        assert_int_equal(times_shown(names[i]), 1);
    }
    assert_int_equal(res2net_report_count(report), 5);
    expect_problem(report, RES2NET_WRITE_FAILED, "cannot write");
    assert_int_equal(lines_of("results.csv"), 2);
    assert_int_equal(lines_of("train.log"), log_lines);
    expect_run_text("report.html", page); /* the old one, whole */
    r2n_free(page);
    tell_epochs(records, 4, 4);                   /* there is room again */
    assert_int_equal(lines_of("results.csv"), 5); /* no row is missing */
    expect_shown("results.csv is written again");
    expect_shown("report.html is written again");
    expect_shown("train.log is written again;");
    page = run_text("train.log");
    assert_non_null(strstr(page, "of its records are missing"));
    r2n_free(page);
    assert_int_equal(r2n_records_close(records, report), RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "are missing");
    res2net_report_destroy(report);
}

static void test_disk_full_to_the_end(void **state)
{
    (void)state;
    r2n_records_options options = run_options();
    res2net_report *report = res2net_report_create();
    options.events = NULL;
    r2n_records *records = open_run(&options);
    tell_epochs(records, 1, 1);
    fill_disk(1);
    tell_epochs(records, 2, 2);
    const res2net_status status = r2n_records_close(records, report);
    empty_disk();
    assert_int_equal(status, RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "the last epochs could not be written");
    assert_int_equal(lines_of("results.csv"), 2);
    res2net_report_destroy(report);
}

/* What was missing is written at the end, if it can be. */
static void test_caught_up_at_the_end(void **state)
{
    (void)state;
    r2n_records_options options = run_options();
    options.events = NULL;
    r2n_records *records = open_run(&options);
    assert_int_equal(unlink(in_run("results.csv")), 0);
    assert_int_equal(mkdir(in_run("results.csv"), 0700), 0);
    tell_epochs(records, 1, 2);
    expect_shown("results.csv: cannot open the file to append");
    assert_int_equal(rmdir(in_run("results.csv")), 0);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    assert_int_equal(lines_of("results.csv"), 3);
}

/* SIGKILL at any moment leaves whole rows, a whole page, and a run that resumes. */
static void test_killed(void **state)
{
    (void)state;
    enum { EPOCHS_SEEN = 9 };
    const r2n_records_options options = run_options();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        r2n_records *records = NULL;
        if (r2n_records_open(&options, &records, NULL) != RES2NET_OK)
            _exit(1);
        for (int64_t epoch = 1;; epoch++) {
            const r2n_epoch_record record = epoch_record(epoch);
            shown[0] = '\0';
            if (r2n_records_epoch(records, &record, NULL) != RES2NET_OK ||
                write(ends[1], "", 1) != 1)
                _exit(1);
        }
    }
    close(ends[1]);
    for (int i = 0; i < EPOCHS_SEEN; i++) {
        char byte;
        assert_int_equal(read(ends[0], &byte, 1), 1);
    }
    kill(child, SIGKILL);
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    close(ends[0]);
    char *results = run_text("results.csv"), *page = run_text("report.html");
    assert_true(lines_of("results.csv") >= 1 + EPOCHS_SEEN);
    assert_int_equal(results[strlen(results) - 1], '\n');
    assert_string_equal(page + strlen(page) - 8, "</html>\n");
    r2n_free(results);
    r2n_free(page);
    r2n_records *records = resume_run(EPOCHS_SEEN);
    tell_epochs(records, EPOCHS_SEEN + 1, EPOCHS_SEEN + 1);
    assert_int_equal(lines_of("results.csv"), 1 + EPOCHS_SEEN + 1);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
}

static res2net_status open_only(void *context)
{
    r2n_records_options options = run_options();
    r2n_records *records;
    (void)context;
    options.resumed = 1;
    options.epoch = 3;
    const res2net_status status = r2n_records_open(&options, &records, NULL);
    return status == RES2NET_OK ? r2n_records_close(records, NULL) : status;
}

static void test_no_memory_to_open(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    tell_epochs(records, 1, 3);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    expect_every_allocation_may_fail(open_only, NULL);
}

/* Whatever memory was short for: it is told, or nothing is missing. */
static void test_no_memory_in_the_run(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    enum { ALL_OF = 60, STRIDE = 7 }; /* the page's text grows and grows */
    int64_t needed = 1;
    for (int64_t successes = 0; successes < needed; successes += successes < ALL_OF ? 1 : STRIDE) {
        res2net_report *report = res2net_report_create();
        r2n_records *records = open_run(&options);
        const r2n_epoch_record record = epoch_record(2);
        const size_t log_lines = lines_of("train.log");
        shown[0] = '\0';
        const int64_t before = r2n_memory_allocations();
        r2n_memory_fail_after(successes);
        const res2net_status status = r2n_records_epoch(records, &record, report);
        r2n_memory_fail_after(-1);
        needed = r2n_memory_allocations() - before;
        const int told = status != RES2NET_OK || res2net_report_count(report) > 0 ||
                         strstr(shown, "WARNING") != NULL || strstr(shown, "no memory") != NULL;
        if (!told) {
            assert_int_equal(lines_of("train.log"), log_lines + 3);
            assert_int_equal(lines_of("results.csv"), 2);
        }
        const res2net_status closed = r2n_records_close(records, report);
        if (!told && closed != RES2NET_OK)
            fail_msg("allocation %lld failed in silence", (long long)successes);
        res2net_report_destroy(report);
    }
    assert_true(needed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_TEST(test_disk_full_for_a_while), RUN_TEST(test_disk_full_to_the_end),
        RUN_TEST(test_caught_up_at_the_end),  RUN_TEST(test_killed),
        RUN_TEST(test_no_memory_to_open),     RUN_TEST(test_no_memory_in_the_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
