/* SPDX-License-Identifier: Apache-2.0 */
#include "base/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { MAXIMUM_PROBLEMS = 4096, MAXIMUM_TEXT = 4096 };

typedef struct entry {
    res2net_problem problem;
    char strings[]; /* file, NUL, text, NUL */
} entry;

struct res2net_report {
    entry **entries;
    size_t count;
    size_t capacity;
    size_t dropped;
};

const char *res2net_status_name(res2net_status status)
{
    switch (status) {
#define NAME_CASE(name, number, text)                                                              \
    case RES2NET_##name:                                                                           \
        return "RES2NET_" #name;
        RES2NET_STATUS_LIST(NAME_CASE)
#undef NAME_CASE
    }
    return "RES2NET_UNKNOWN";
}

const char *res2net_status_text(res2net_status status)
{
    switch (status) {
#define TEXT_CASE(name, number, text)                                                              \
    case RES2NET_##name:                                                                           \
        return text;
        RES2NET_STATUS_LIST(TEXT_CASE)
#undef TEXT_CASE
    }
    return "unknown status";
}

res2net_report *res2net_report_create(void)
{
    return r2n_allocate_zeroed(1, sizeof(res2net_report));
}

void res2net_report_clear(res2net_report *report)
{
    if (report == NULL)
        return;
    for (size_t i = 0; i < report->count; i++)
        r2n_free(report->entries[i]);
    report->count = 0;
    report->dropped = 0;
}

void res2net_report_destroy(res2net_report *report)
{
    if (report == NULL)
        return;
    res2net_report_clear(report);
    r2n_free(report->entries);
    r2n_free(report);
}

size_t res2net_report_count(const res2net_report *report)
{
    return report == NULL ? 0 : report->count;
}

size_t res2net_report_dropped(const res2net_report *report)
{
    return report == NULL ? 0 : report->dropped;
}

const res2net_problem *res2net_report_problem(const res2net_report *report, size_t index)
{
    return &report->entries[index]->problem;
}

static int make_room(res2net_report *report)
{
    if (report->count < report->capacity)
        return 1;
    if (report->count == MAXIMUM_PROBLEMS)
        return 0;
    size_t capacity = report->capacity == 0 ? 8 : report->capacity * 2;
    entry **entries = r2n_allocate(capacity, sizeof(*entries));
    if (entries == NULL)
        return 0;
    if (report->count > 0)
        memcpy(entries, report->entries, report->count * sizeof(*entries));
    r2n_free(report->entries);
    report->entries = entries;
    report->capacity = capacity;
    return 1;
}

static void append(res2net_report *report, res2net_status status, const char *file, int64_t offset,
                   int64_t line, int64_t column, const char *format, va_list arguments)
{
    char text[MAXIMUM_TEXT];
    if (report == NULL)
        return;
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        snprintf(text, sizeof text, "%s", res2net_status_text(status));
    if (file == NULL)
        file = "";
    const size_t file_bytes = strlen(file) + 1;
    const size_t text_bytes = strlen(text) + 1;
    entry *added =
        make_room(report) ? r2n_allocate(1, sizeof(entry) + file_bytes + text_bytes) : NULL;
    if (added == NULL) {
        report->dropped++;
        return;
    }
    memcpy(added->strings, file, file_bytes);
    memcpy(added->strings + file_bytes, text, text_bytes);
    added->problem = (res2net_problem){.status = status,
                                       .file = added->strings,
                                       .offset = offset,
                                       .line = line,
                                       .column = column,
                                       .text = added->strings + file_bytes};
    report->entries[report->count++] = added;
}

res2net_status r2n_fail(res2net_report *report, res2net_status status, const char *file,
                        int64_t offset, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append(report, status, file, offset, -1, -1, format, arguments);
    va_end(arguments);
    return status;
}

res2net_status r2n_fail_line(res2net_report *report, res2net_status status, const char *file,
                             int64_t line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append(report, status, file, -1, line, -1, format, arguments);
    va_end(arguments);
    return status;
}

res2net_status r2n_fail_at(res2net_report *report, res2net_status status, const char *file,
                           int64_t line, int64_t column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append(report, status, file, -1, line, column, format, arguments);
    va_end(arguments);
    return status;
}

void r2n_report_copy(const res2net_report *from, res2net_report *to)
{
    for (size_t i = 0; i < res2net_report_count(from); i++) {
        const res2net_problem *problem = res2net_report_problem(from, i);
        if (problem->line < 0)
            r2n_fail(to, problem->status, problem->file, problem->offset, "%s", problem->text);
        else if (problem->column < 0)
            r2n_fail_line(to, problem->status, problem->file, problem->line, "%s", problem->text);
        else
            r2n_fail_at(to, problem->status, problem->file, problem->line, problem->column, "%s",
                        problem->text);
    }
    if (to != NULL)
        to->dropped += res2net_report_dropped(from);
}
