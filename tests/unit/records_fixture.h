/* SPDX-License-Identifier: Apache-2.0 */
/* A run that has nothing but records, in the test's folder. */
#ifndef R2N_TESTS_RECORDS_FIXTURE_H
#define R2N_TESTS_RECORDS_FIXTURE_H

#include "unit/expect.h"
#include "unit/temporary_folder.h"

#include "train/records.h"

static char run_folder[128], run_events[128];
static char shown[64 * 1024]; /* what the terminal got */

static inline void show(void *context, const char *text)
{
    (void)context;
    assert_true(strlen(shown) + strlen(text) + 2 < sizeof shown);
    strcat(strcat(shown, text), "\n");
}

static inline int make_run_folder(void **state)
{
    const int made = make_folder(state);
    snprintf(run_folder, sizeof run_folder, "%s/output/Res2Net50_26w_4s", folder);
    snprintf(run_events, sizeof run_events, "%s/output/vdl", folder);
    shown[0] = '\0';
    return made;
}

#define RUN_TEST(test) cmocka_unit_test_setup_teardown(test, make_run_folder, remove_folder)

static inline r2n_records_options run_options(void)
{
    return (r2n_records_options){.folder = run_folder,
                                 .events = run_events,
                                 .title = "Res2Net50_26w_4s, flowers",
                                 .schedule_class = "CosineAnnealingDecay",
                                 .loss_name = "CELoss",
                                 .epochs = 20,
                                 .iterations = 25,
                                 .print_step = 10,
                                 .wall_time = 1795940068,
                                 .line = show};
}

static inline r2n_records *open_run(const r2n_records_options *options)
{
    r2n_records *records;
    res2net_report *report = res2net_report_create();
    if (r2n_records_open(options, &records, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    res2net_report_destroy(report);
    return records;
}

static inline r2n_records *resume_run(int64_t epoch)
{
    r2n_records_options options = run_options();
    options.resumed = 1;
    options.epoch = epoch;
    return open_run(&options);
}

static inline const char *in_run(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", run_folder, name);
    return path;
}

/* A file of the run as text; the caller gives it back. */
static inline char *run_text(const char *name)
{
    r2n_file_bytes file = expect_file(in_run(name));
    char *text = r2n_copy_bytes(file.data, file.size);
    assert_non_null(text);
    assert_int_equal(strlen(text), file.size);
    r2n_file_release(&file);
    return text;
}

static inline void expect_run_text(const char *name, const char *expected)
{
    char *text = run_text(name);
    assert_string_equal(text, expected);
    r2n_free(text);
}

/* Evaluated in even epochs; epoch 4 is the best. */
static inline r2n_epoch_record epoch_record(int64_t epoch)
{
    const int even = epoch % 2 == 0;
    return (r2n_epoch_record){.epoch = epoch,
                              .step = 25 * epoch,
                              .rate = 0.1 / (double)epoch,
                              .train_loss = 2.5 / (double)epoch,
                              .evaluated = even,
                              .eval_loss = 3.0 / (double)epoch,
                              .eval_top1 = epoch == 4 ? 0.75 : 0.5,
                              .eval_top5 = 0.9375,
                              .average_top1 = -1,
                              .images_per_second = 59.996,
                              .seconds = 3661.5,
                              .best_top1 = epoch < 4 ? 0.5 : 0.75};
}

static inline void tell_epochs(r2n_records *records, int64_t first, int64_t last)
{
    for (int64_t epoch = first; epoch <= last; epoch++) {
        const r2n_epoch_record record = epoch_record(epoch);
        assert_int_equal(r2n_records_epoch(records, &record, NULL), RES2NET_OK);
    }
}

#define RESULTS_HEADER                                                                             \
    "epoch,step,lr,train_loss,eval_loss,eval_top1,eval_top5,images_per_second,seconds\n"

#endif
