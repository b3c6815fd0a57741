/* SPDX-License-Identifier: Apache-2.0 */
/* How the rooms add to a caller's report. See include/res2net/status.h for the reader's side. */
#ifndef R2N_BASE_REPORT_H
#define R2N_BASE_REPORT_H

#include "res2net/status.h"

/* Appends a problem and returns `status`, so that a failing function can end with
 * `return r2n_fail(report, RES2NET_DAMAGED, file, offset, "expected %d bytes, found %d", a, b);`
 * `report` and `file` may be NULL; `offset` is a byte in the file or -1. */
res2net_status r2n_fail(res2net_report *report, res2net_status status, const char *file,
                        int64_t offset, const char *format, ...) RES2NET_PRINTF(5, 6);

/* The same with a 1-based line number instead of a byte. */
res2net_status r2n_fail_line(res2net_report *report, res2net_status status, const char *file,
                             int64_t line, const char *format, ...) RES2NET_PRINTF(5, 6);

/* The same at a column of the line, both 1-based. */
res2net_status r2n_fail_at(res2net_report *report, res2net_status status, const char *file,
                           int64_t line, int64_t column, const char *format, ...)
    RES2NET_PRINTF(6, 7);

/* Appends the problems of `from`, which keeps them. */
void r2n_report_copy(const res2net_report *from, res2net_report *to);

#endif
