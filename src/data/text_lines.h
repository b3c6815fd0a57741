/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a text file that people and many tools write: CRLF, a byte-order mark, blank lines. */
#ifndef R2N_DATA_TEXT_LINES_H
#define R2N_DATA_TEXT_LINES_H

#include "base/report.h"
#include "formats/byte_cursor.h"

/* What the bytes are. */
typedef enum r2n_text_kind {
    R2N_TEXT,       /* no control characters but tabs and line ends */
    R2N_TEXT_UTF16, /* by its byte-order mark, or every other byte zero */
    R2N_TEXT_BINARY
} r2n_text_kind;

/* *offset: of the first byte that is no text. */
r2n_text_kind r2n_text_sniff(const void *data, size_t size, size_t *offset);

/* BAD_LIST for empty files, UTF-16 and binary data; `what` is "a label file", for the message. */
res2net_status r2n_text_check(const void *data, size_t size, const char *name, const char *what,
                              res2net_report *report);

typedef struct r2n_text_lines {
    r2n_byte_cursor cursor;
    int64_t number; /* of the line last given, from 1 */
} r2n_text_lines;

/* Starts behind a UTF-8 byte-order mark. */
r2n_text_lines r2n_text_begin(const void *data, size_t size);

/* The next line without its end and the blanks and tabs at its ends; may be of length 0. Returns 0
 * after the last. */
int r2n_text_next(r2n_text_lines *lines, const char **line, size_t *length);

/* The first byte that is no UTF-8 or is a control character, or `length`. */
size_t r2n_text_bad_byte(const char *text, size_t length);

#endif
