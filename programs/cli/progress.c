/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "platform.h"
#include "res2net/system.h"

/* The line that stands on the terminal. */
static progress *standing;

progress progress_begin(const char *verb)
{
    const double now = res2net_seconds();
    return (progress){
        .verb = verb, .started = now, .shown = now, .active = platform_has_cursor(stderr)};
}

static void format_duration(char *buffer, size_t size, double seconds)
{
    const double most = 1000.0 * 3600;
    const long whole = (long)((seconds < most ? seconds : most) + 0.5);
    if (whole >= 3600)
        snprintf(buffer, size, "%ld h %02ld min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        snprintf(buffer, size, "%ld min %02ld s", whole / 60, whole % 60);
    else
        snprintf(buffer, size, "%ld s", whole);
}

/* Never over the terminal's edge: a line that has wrapped cannot be taken back. */
void progress_tell(progress *progress, const char *what, double seconds_left)
{
    const double interval = 0.25;
    const double now = res2net_seconds();
    char left[64], line[256];
    if (!progress->active || now - progress->shown < interval)
        return;
    progress->shown = now;
    standing = progress;
    format_duration(left, sizeof left, seconds_left);
    snprintf(line, sizeof line, "%s: %s, %s left", progress->verb, what, left);
    fprintf(stderr, "\r\033[K%.*s", platform_columns(stderr) - 1, line);
    fflush(stderr);
}

void progress_show(progress *progress, int64_t done, int64_t total)
{
    char what[160];
    if (!progress->active || done <= 0)
        return;
    const double rate = (double)done / (res2net_seconds() - progress->started);
    snprintf(what, sizeof what, "%" PRId64 " of %" PRId64 " pictures (%d%%), %.1f a second", done,
             total, (int)(100 * (double)done / (double)total), rate);
    progress_tell(progress, what, (double)(total - done) / rate);
}

void progress_hide(void)
{
    if (standing == NULL)
        return;
    standing = NULL;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}

void progress_clear(progress *progress)
{
    if (standing == progress)
        progress_hide();
}
