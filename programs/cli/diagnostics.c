/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnostics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exit_status.h"
#include "platform.h"
#include "progress.h"
#include "terminal_text.h"

void say(const char *format, ...)
{
    char text[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    progress_hide();
    fputs("res2net: ", stderr);
    put_printable(stderr, text);
    fputc('\n', stderr);
}

static void print_problem(const res2net_problem *problem)
{
    const int with_line = problem->file[0] != '\0' && problem->line >= 0;
    progress_hide();
    if (!with_line)
        fputs("res2net: ", stderr);
    if (problem->file[0] != '\0') {
        put_printable(stderr, problem->file);
        if (with_line)
            fprintf(stderr, ":%" PRId64, problem->line);
        if (with_line && problem->column >= 0)
            fprintf(stderr, ":%" PRId64, problem->column);
        fputs(": ", stderr);
    }
    if (problem->offset >= 0)
        fprintf(stderr, "byte %" PRId64 ": ", problem->offset);
    put_printable(stderr, problem->text);
    fputc('\n', stderr);
}

void print_problems(const res2net_report *report)
{
    const size_t count = res2net_report_count(report);
    for (size_t i = 0; i < count; i++)
        print_problem(res2net_report_problem(report, i));
    if (report == NULL || (count == 0 && res2net_report_dropped(report) > 0))
        say("%s, not even to say for what", res2net_status_text(RES2NET_OUT_OF_MEMORY));
    else if (res2net_report_dropped(report) > 0)
        say("and %zu more problems", res2net_report_dropped(report));
}

void first_problem(const res2net_report *report, char *buffer, size_t size)
{
    buffer[0] = '\0';
    if (res2net_report_count(report) == 0)
        return;
    const res2net_problem *problem = res2net_report_problem(report, 0);
    if (problem->offset >= 0)
        snprintf(buffer, size, "byte %" PRId64 ": %s", problem->offset, problem->text);
    else if (problem->column >= 0)
        snprintf(buffer, size, "line %" PRId64 ", column %" PRId64 ": %s", problem->line,
                 problem->column, problem->text);
    else if (problem->line >= 0)
        snprintf(buffer, size, "line %" PRId64 ": %s", problem->line, problem->text);
    else
        snprintf(buffer, size, "%s", problem->text);
}

int exit_status_of(res2net_status status)
{
    switch (status) {
    case RES2NET_OK:
        return EXIT_DONE;
    case RES2NET_INVALID_ARGUMENT:
    case RES2NET_UNAVAILABLE:
        return EXIT_USAGE;
    case RES2NET_INTERRUPTED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}

static int output_failure; /* errno of the first flush that failed */

int output_flush(void)
{
    errno = 0;
    const int flushed = fflush(stdout) == 0;
    if (!flushed && output_failure == 0)
        output_failure = errno;
    return flushed && !ferror(stdout);
}

int output_finish(int status)
{
    if (output_flush() || platform_pipe_closed())
        return platform_interrupted() && status <= EXIT_SKIPPED ? EXIT_INTERRUPTED : status;
    say("standard output: the results could not be written: %s",
        output_failure == 0 ? "an earlier write failed" : strerror(output_failure));
    return EXIT_FAILED;
}
