/* SPDX-License-Identifier: Apache-2.0 */
/* A line on a terminal that tells how far a long run is. Silent anywhere else. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

typedef struct progress {
    const char *verb;
    double started, shown;
    int active; /* standard error is a terminal */
} progress;

progress progress_begin(const char *verb);
void progress_show(progress *progress, int64_t done, int64_t total);
/* The same with a text of the caller's and seconds that it knows. */
void progress_tell(progress *progress, const char *what, double seconds_left);
/* Takes the line away at the end. */
void progress_clear(progress *progress);
/* Takes the line away that stands there, if one does: before any other message. */
void progress_hide(void);

#endif
