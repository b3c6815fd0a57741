/* SPDX-License-Identifier: Apache-2.0 */
/* Whole training configurations from the sections that a test is about. */
#ifndef R2N_TESTS_TRAIN_CONFIG_FIXTURE_H
#define R2N_TESTS_TRAIN_CONFIG_FIXTURE_H

#include "unit/expect.h"

#include "train/config.h"

/* The least that a run needs, a section a line or more. */
static const char *const fixture_sections[][2] = {
    {"Global:", "Global: {epochs: 3}\n"},
    {"Arch:", "Arch: {name: Res2Net50_26w_4s}\n"},
    {"Optimizer:", "Optimizer: {name: Momentum, lr: {learning_rate: 0.5}}\n"},
    {"DataLoader:", "DataLoader:\n  Train:\n    dataset: {cls_label_path: a.txt,\n"
                    "      transform_ops: [{NormalizeImage: {order: ''}}]}\n"
                    "    sampler: {batch_size: 8}\n"},
};

/* `text`, and behind it the sections of the least that it lacks. */
static inline void complete_config(const char *text, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "%s", text);
    for (size_t i = 0; i < sizeof fixture_sections / sizeof *fixture_sections; i++) {
        const char *found = strstr(text, fixture_sections[i][0]);
        if (found == NULL || (found > text && found[-1] != '\n'))
            used += (size_t)snprintf(out + used, size - used, "%s", fixture_sections[i][1]);
    }
    assert_true(used < size);
}

static inline void parse_with(const char *text, const char *const *overrides, size_t count,
                              r2n_train_config *out)
{
    char whole[4096];
    res2net_report *report = res2net_report_create();
    complete_config(text, whole, sizeof whole);
    if (r2n_train_config_parse(whole, strlen(whole), "c.yaml", overrides, count, out, report) !=
        RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    assert_int_equal(res2net_report_count(report), 0);
    res2net_report_destroy(report);
}

#endif
