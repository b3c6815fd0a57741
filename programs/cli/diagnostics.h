/* SPDX-License-Identifier: Apache-2.0 */
/* What goes to standard error, and how standard output ends. */
#ifndef CLI_DIAGNOSTICS_H
#define CLI_DIAGNOSTICS_H

#include "res2net/res2net.h"

/* "res2net: ..." and a newline. Control characters are made visible. */
void say(const char *format, ...) RES2NET_PRINTF(1, 2);

/* Each problem on a line: "res2net: FILE: byte N: text", or "FILE:LINE:COLUMN: text" for editors.
 */
void print_problems(const res2net_report *report);

/* The text of the first problem for an "error" field, with its byte or line; "" for none. */
void first_problem(const res2net_report *report, char *buffer, size_t size);

/* The exit status that a failed call means. */
int exit_status_of(res2net_status status);

/* Flushes standard output; 0 once it can take no more. */
int output_flush(void);
/* The end of the process: `status`, or EXIT_FAILED (and a message) when results were lost. A reader
 * that closed its pipe, as `head` does, is no failure. */
int output_finish(int status);

#endif
