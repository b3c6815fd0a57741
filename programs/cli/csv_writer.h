/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CSV_WRITER_H
#define CLI_CSV_WRITER_H

#include <stdio.h>

/* A field by RFC 4180: quoted where it needs to be, byte for byte; on a terminal what is not safe
 * there is escaped (terminal_text.h). NULL is an empty field. */
void csv_text(FILE *out, const char *text);

#endif
