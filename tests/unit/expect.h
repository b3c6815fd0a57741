/* SPDX-License-Identifier: Apache-2.0 */
/* What several tests of file formats ask: a problem with a certain text, a file's bytes, and that
 * every allocation may fail. */
#ifndef R2N_TESTS_EXPECT_H
#define R2N_TESTS_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/report.h"

/* The report must hold a problem with `status` whose text has `text`; it is cleared. */
static inline void expect_problem(res2net_report *report, res2net_status status, const char *text)
{
    int found = 0;
    for (size_t i = 0; i < res2net_report_count(report); i++) {
        const res2net_problem *problem = res2net_report_problem(report, i);
        found |= problem->status == status && strstr(problem->text, text) != NULL;
    }
    for (size_t i = 0; !found && i < res2net_report_count(report); i++)
        print_error("found instead: %s: %s\n",
                    res2net_status_name(res2net_report_problem(report, i)->status),
                    res2net_report_problem(report, i)->text);
    if (!found)
        fail_msg("no %s problem with \"%s\"", res2net_status_name(status), text);
    res2net_report_clear(report);
}

static inline r2n_file_bytes expect_file(const char *path)
{
    r2n_file_bytes file;
    if (r2n_file_read(path, SIZE_MAX, &file, NULL) != RES2NET_OK)
        fail_msg("cannot read %s", path);
    return file;
}

/* Makes the first, second, ... allocation of `attempt` fail until it succeeds without: all but the
 * last must end in OUT_OF_MEMORY (and leak nothing: the sanitizer looks). */
static inline void expect_every_allocation_may_fail(res2net_status (*attempt)(void *),
                                                    void *context)
{
    const int64_t before = r2n_memory_allocations();
    assert_int_equal(attempt(context), RES2NET_OK);
    const int64_t needed = r2n_memory_allocations() - before;
    for (int64_t successes = 0; successes < needed; successes++) {
        r2n_memory_fail_after(successes);
        const res2net_status status = attempt(context);
        r2n_memory_fail_after(-1);
        if (status != RES2NET_OUT_OF_MEMORY)
            fail_msg("allocation %lld failed, status %s", (long long)successes,
                     res2net_status_name(status));
    }
}

#endif
