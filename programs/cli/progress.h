/* SPDX-License-Identifier: Apache-2.0 */
/* A line on a terminal that tells how far a long run is. Silent anywhere else. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

typedef struct progress {
    const char *verb;
    double started, shown;
    int active; /* standard error is a terminal */
    int there;  /* the line stands on it */
} progress;

progress progress_begin(const char *verb);
void progress_show(progress *progress, int64_t done, int64_t total);
/* Takes the line away: before other messages, and at the end. */
void progress_clear(progress *progress);

#endif
