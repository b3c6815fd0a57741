/* SPDX-License-Identifier: Apache-2.0 */
/* The exit statuses of every verb (docs/cli/README.md). */
#ifndef CLI_EXIT_STATUS_H
#define CLI_EXIT_STATUS_H

enum {
    EXIT_DONE = 0,
    EXIT_SKIPPED = 1, /* done, but some inputs were left out as asked for */
    EXIT_USAGE = 2,
    EXIT_FAILED = 3, /* an input, a weights file or the run */
    EXIT_INTERRUPTED = 130
};

#endif
