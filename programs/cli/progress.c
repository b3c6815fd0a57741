/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "platform.h"
#include "res2net/system.h"

progress progress_begin(const char *verb)
{
    const double now = res2net_seconds();
    return (progress){
        .verb = verb, .started = now, .shown = now, .active = platform_is_terminal(stderr)};
}

static void print_duration(double seconds)
{
    const long whole = (long)(seconds + 0.5);
    if (whole >= 3600)
        fprintf(stderr, "%ld h %02ld min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        fprintf(stderr, "%ld min %02ld s", whole / 60, whole % 60);
    else
        fprintf(stderr, "%ld s", whole);
}

void progress_show(progress *progress, int64_t done, int64_t total)
{
    const double interval = 0.25;
    const double now = res2net_seconds();
    if (!progress->active || done <= 0 || now - progress->shown < interval)
        return;
    const double elapsed = now - progress->started;
    const double rate = (double)done / elapsed;
    progress->shown = now;
    progress->there = 1;
    fprintf(stderr, "\r\033[K%s: %" PRId64 " of %" PRId64 " pictures, %.1f a second, ",
            progress->verb, done, total, rate);
    print_duration((double)(total - done) / rate);
    fputs(" left", stderr);
    fflush(stderr);
}

void progress_clear(progress *progress)
{
    if (!progress->there)
        return;
    fputs("\r\033[K", stderr);
    progress->there = 0;
}
