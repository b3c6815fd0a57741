/* SPDX-License-Identifier: Apache-2.0 */
/* PaddleClas' log lines to the letter, results.csv through resumes, event files' names. */
#include <regex.h>

#include "unit/records_fixture.h"

/* ---- train.log ------------------------------------------------------------------------------ */

/* Each line of train.log must start with a time and `ppcls LEVEL: `, and go on as expected. */
static void expect_log(const char *const *expected, size_t count)
{
    regex_t prefix;
    char *text = run_text("train.log");
    char *at = text;
    assert_int_equal(regcomp(&prefix,
                             "^\\[20[0-9]{2}/[01][0-9]/[0-3][0-9] "
                             "[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\] ppcls ",
                             REG_EXTENDED),
                     0);
    for (size_t i = 0; i < count; i++) {
        regmatch_t match;
        char *end = strchr(at, '\n');
        assert_non_null(end);
        *end = '\0';
        if (regexec(&prefix, at, 1, &match, 0) != 0)
            fail_msg("no time: %s", at);
        assert_string_equal(at + match.rm_eo, expected[i]);
        at = end + 1;
    }
    assert_string_equal(at, "");
    regfree(&prefix);
    r2n_free(text);
}

#define EXPECT_LOG(...)                                                                            \
    do {                                                                                           \
        static const char *const lines[] = {__VA_ARGS__};                                          \
        expect_log(lines, sizeof lines / sizeof *lines);                                           \
    } while (0)

static r2n_iteration_record iteration_record(int64_t epoch, int64_t iteration)
{
    return (r2n_iteration_record){.epoch = epoch,
                                  .iteration = iteration,
                                  .rate = 0.1,
                                  .logged_rate = 0.0904508497,
                                  .loss = 7,
                                  .average_loss = 6.123456,
                                  .batch_seconds = 0.25,
                                  .reader_seconds = 0.0123456,
                                  .images = 32,
                                  .eta_seconds = 90061.9};
}

static void test_iteration_lines(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    for (int64_t i = 0; i < 25; i++) {
        r2n_iteration_record record = iteration_record(3, i);
        if (i == 10)
            record.eta_seconds = 59.99;
        if (i == 20)
            record.eta_seconds = 2 * 86400 + 3600;
        r2n_records_iteration(records, &record);
    }
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
#define ITERATION(number, eta)                                                                     \
    "INFO: [Train][Epoch 3/20][Iter: " number "/25]lr(CosineAnnealingDecay): 0.09045085, "         \
    "CELoss: 6.12346, loss: 6.12346, batch_cost: 0.25000s, reader_cost: 0.01235, "                 \
    "ips: 128.00000 samples/s, eta: " eta
    EXPECT_LOG(ITERATION("0", "1 day, 1:01:01"), ITERATION("10", "0:00:59"),
               ITERATION("20", "2 days, 1:00:00"));
    char *log = run_text("train.log");
    assert_string_equal(shown, log); /* the terminal gets the same */
    r2n_free(log);
}

static void test_evaluation_lines(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    for (int64_t i = 0; i < 11; i++) {
        const r2n_evaluation_record record = {.epoch = 2,
                                              .iteration = i,
                                              .iterations = 11,
                                              .loss = 1.5,
                                              .top1 = 0.5,
                                              .top5 = 0.87654321,
                                              .batch_seconds = 0.5,
                                              .reader_seconds = 0.125,
                                              .images = 64};
        r2n_records_evaluation(records, &record);
    }
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
#define EVALUATION(number)                                                                         \
    "INFO: [Eval][Epoch 2][Iter: " number "/11]CELoss: 1.50000, loss: 1.50000, top1: 0.50000, "    \
    "top5: 0.87654, batch_cost: 0.50000s, reader_cost: 0.12500, ips: 128.00000 images/sec"
    EXPECT_LOG(EVALUATION("0"), EVALUATION("10"));
}

static void test_epoch_lines(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    r2n_epoch_record record = epoch_record(1);
    assert_int_equal(r2n_records_epoch(records, &record, NULL), RES2NET_OK);
    record = epoch_record(2);
    record.best_top1 = 0.1 + 0.2; /* Python prints what reads back */
    record.skipped_steps = 3;
    record.left_out = 2;
    assert_int_equal(r2n_records_epoch(records, &record, NULL), RES2NET_OK);
    record = epoch_record(4);
    record.best_top1 = 1;
    record.average_top1 = 0.625;
    record.best_average_top1 = 0.6875;
    record.skipped_steps = 3;
    record.left_out = 2;
    assert_int_equal(r2n_records_epoch(records, &record, NULL), RES2NET_OK);
    r2n_records_say(records, "saved %s", "latest");
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    EXPECT_LOG("INFO: [Train][Epoch 1/20][Avg]CELoss: 2.50000, loss: 2.50000",
               "INFO: [Train][Epoch 2/20][Avg]CELoss: 1.25000, loss: 1.25000",
               "INFO: [Eval][Epoch 2][Avg]CELoss: 1.50000, loss: 1.50000, top1: 0.50000, "
               "top5: 0.93750",
               "INFO: [Eval][Epoch 2][best metric: 0.30000000000000004]",
               "WARNING: steps with numbers that are not finite, skipped so far: 3",
               "WARNING: pictures that could not be read, left out so far: 2",
               "INFO: [Train][Epoch 4/20][Avg]CELoss: 0.62500, loss: 0.62500",
               "INFO: [Eval][Epoch 4][Avg]CELoss: 0.75000, loss: 0.75000, top1: 0.75000, "
               "top5: 0.93750",
               "INFO: [Eval][Epoch 4][best metric: 1.0]",
               "INFO: [Eval][Epoch 4][best metric ema: 0.6875]", "INFO: saved latest");
}

static void test_log_is_appended(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    for (int run = 0; run < 2; run++) {
        r2n_records *records = open_run(&options);
        r2n_records_warn(records, "run %d", run);
        assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    }
    EXPECT_LOG("WARNING: run 0", "WARNING: run 1");
}

/* ---- results.csv ---------------------------------------------------------------------------- */

#define ROW_1 "1,25,0.1,2.5,,,,60.00,3661.500\n"
#define ROW_2 "2,50,0.05,1.25,1.5,0.5,0.9375,60.00,3661.500\n"
#define ROW_3 "3,75,0.0333333333,0.833333333,,,,60.00,3661.500\n"

static void test_rows(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    expect_run_text("results.csv", RESULTS_HEADER);
    tell_epochs(records, 1, 1);
    expect_run_text("results.csv", RESULTS_HEADER ROW_1); /* there before the run ends */
    tell_epochs(records, 2, 3);
    r2n_epoch_record record = epoch_record(4);
    record.train_loss = strtod("nan", NULL);
    record.eval_loss = -strtod("inf", NULL);
    assert_int_equal(r2n_records_epoch(records, &record, NULL), RES2NET_OK);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    expect_run_text("results.csv", RESULTS_HEADER ROW_1 ROW_2 ROW_3
                    "4,100,0.025,nan,-inf,0.75,0.9375,60.00,3661.500\n");
    records = open_run(&options); /* a new run into the same folder */
    expect_run_text("results.csv", RESULTS_HEADER);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
}

static void test_resume_cuts_rows(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    tell_epochs(records, 1, 5);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    records = resume_run(2);
    expect_run_text("results.csv", RESULTS_HEADER ROW_1 ROW_2);
    assert_non_null(strstr(shown, "lines after epoch 2 or not whole, left out: 3"));
    tell_epochs(records, 3, 3);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    expect_run_text("results.csv", RESULTS_HEADER ROW_1 ROW_2 ROW_3);
    shown[0] = '\0';
    records = resume_run(3); /* nothing to cut: nothing is said */
    assert_string_equal(shown, "");
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    char *page = run_text("report.html"); /* has the epochs before the resume */
    assert_non_null(strstr(page, "<td>1</td><td>25</td>"));
    r2n_free(page);
}

static void resume_with(const char *content)
{
    char name[128];
    assert_int_equal(r2n_os_make_directories(run_folder, NULL), RES2NET_OK);
    snprintf(name, sizeof name, "%s/results.csv", run_folder + strlen(folder) + 1);
    write_text(name, content);
    r2n_records *records = resume_run(3);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
}

static void test_resume_keeps_whole_rows(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "3,75,0.0333333333,0.833333333,,,,60.00,3661.500", /* no end: the write was cut */
        "3,75,0.03\n",
        "3,75,0.0333333333,0.833333333,,,,60.00,3661.500,1\n",
        "3,75,0.0333333333,0.83x,,,,60.00,3661.500\n",
        ",75,0.0333333333,0.833333333,,,,60.00,3661.500\n",
        "-3,75,0.0333333333,0.833333333,,,,60.00,3661.500\n",
        "3,1e300,0.0333333333,0.833333333,,,,60.00,3661.500\n",
        ROW_2, /* a second time */
        "\n",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char content[1024];
        snprintf(content, sizeof content, "%s%s", RESULTS_HEADER ROW_1 ROW_2, broken[i]);
        shown[0] = '\0';
        resume_with(content);
        expect_run_text("results.csv", RESULTS_HEADER ROW_1 ROW_2);
        assert_non_null(strstr(shown, "left out: 1"));
    }
    resume_with(""); /* nothing yet */
    expect_run_text("results.csv", RESULTS_HEADER);
    resume_with("epoch,step,lr,train_loss,eval_loss,eval_top1,eval_top5,images_per_second,seconds"
                "\r\n1,25,0.1,2.5,,,,60.00,3661.500\r\n"); /* a spreadsheet saved it */
    expect_run_text("results.csv", RESULTS_HEADER ROW_1);
    assert_int_equal(unlink(in_run("results.csv")), 0);
    assert_int_equal(r2n_records_close(resume_run(3), NULL), RES2NET_OK);
    expect_run_text("results.csv", RESULTS_HEADER);
}

static void test_foreign_file(void **state)
{
    (void)state;
    r2n_records *records = NULL;
    res2net_report *report = res2net_report_create();
    r2n_records_options options = run_options();
    options.resumed = 1;
    resume_with("");
    write_text("output/Res2Net50_26w_4s/results.csv", "name,price\npear,2\n");
    assert_int_equal(r2n_records_open(&options, &records, report), RES2NET_DAMAGED);
    assert_null(records);
    expect_problem(report, RES2NET_DAMAGED, "expected the header");
    expect_run_text("results.csv", "name,price\npear,2\n");
    res2net_report_destroy(report);
}

static void test_file_taken_away(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    tell_epochs(records, 1, 1);
    assert_int_equal(unlink(in_run("results.csv")), 0);
    tell_epochs(records, 2, 2);
    expect_run_text("results.csv", RESULTS_HEADER ROW_1 ROW_2);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
}

/* ---- event files ---------------------------------------------------------------------------- */

static size_t event_bytes(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", run_events, name);
    r2n_file_bytes file = expect_file(path);
    const size_t size = file.size;
    r2n_file_release(&file);
    return size;
}

/* Sums of records, each counted by hand: 8 or 16 bytes around a message. */
static void test_event_files(void **state)
{
    (void)state;
    enum { VISUALDL_START = 34, TENSORBOARD_START = 40 };
    r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    assert_int_equal(event_bytes("vdlrecords.1795940068.log"), VISUALDL_START);
    assert_int_equal(event_bytes("events.out.tfevents.1795940068.res2net"), TENSORBOARD_START);
    r2n_iteration_record record = iteration_record(1, 1);
    r2n_records_iteration(records, &record); /* not a line, no events */
    assert_int_equal(event_bytes("vdlrecords.1795940068.log"), VISUALDL_START);
    record = iteration_record(1, 10);
    r2n_records_iteration(records, &record);
    /* a tag, and 26 bytes: length 8, record 2, step 2, tag 2, time 7, value 5 */
    const size_t tags = strlen("lr(CosineAnnealingDecay)train_CELosstrain_lossbatch_loss"
                               "batch_learning_rate");
    assert_int_equal(event_bytes("vdlrecords.1795940068.log"), VISUALDL_START + 5 * 26 + tags);
    /* a tag, and 38 bytes: frame 16, time 9, step 2, summary 2, its value 2, tag 2, number 5 */
    assert_int_equal(event_bytes("events.out.tfevents.1795940068.res2net"),
                     TENSORBOARD_START + 5 * 38 + tags);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    records = resume_run(1); /* in the same second */
    assert_int_equal(event_bytes("vdlrecords.1795940069.log"), VISUALDL_START);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    options.events = NULL;
    snprintf(run_folder, sizeof run_folder, "%s/other", folder);
    assert_int_equal(r2n_records_close(open_run(&options), NULL), RES2NET_OK);
}

/* VisualDL shows a folder's newest file only. */
static void test_resume_tells_earlier_epochs(void **state)
{
    (void)state;
    const r2n_records_options options = run_options();
    r2n_records *records = open_run(&options);
    tell_epochs(records, 1, 2);
    assert_int_equal(r2n_records_close(records, NULL), RES2NET_OK);
    assert_int_equal(r2n_records_close(resume_run(2), NULL), RES2NET_OK);
    const size_t tags = 2 * strlen("epoch_train_loss") + strlen("eval_acceval_top5eval_loss");
    assert_int_equal(event_bytes("vdlrecords.1795940069.log"), 34 + 5 * 26 + tags);
    assert_int_equal(event_bytes("events.out.tfevents.1795940069.res2net"), 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {RUN_TEST(test_iteration_lines),
                                       RUN_TEST(test_evaluation_lines),
                                       RUN_TEST(test_epoch_lines),
                                       RUN_TEST(test_log_is_appended),
                                       RUN_TEST(test_rows),
                                       RUN_TEST(test_resume_cuts_rows),
                                       RUN_TEST(test_resume_keeps_whole_rows),
                                       RUN_TEST(test_foreign_file),
                                       RUN_TEST(test_file_taken_away),
                                       RUN_TEST(test_event_files),
                                       RUN_TEST(test_resume_tells_earlier_epochs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
