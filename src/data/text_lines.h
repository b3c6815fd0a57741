/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a text file that people and many tools write: CRLF, a byte-order mark, blank lines. */
#ifndef R2N_DATA_TEXT_LINES_H
#define R2N_DATA_TEXT_LINES_H

#include "base/report.h"
#include "formats/byte_cursor.h"

/* What the bytes are. */
typedef enum r2n_text_kind {
    R2N_TEXT,                /* no control characters but tabs and line ends */
    R2N_TEXT_UTF16_LE,       /* by its byte-order mark */
    R2N_TEXT_UTF16_BE,       /* likewise */
    R2N_TEXT_UTF16_UNMARKED, /* every other byte is zero */
    R2N_TEXT_BINARY
} r2n_text_kind;

/* *offset: of the first byte that is no text. */
r2n_text_kind r2n_text_sniff(const void *data, size_t size, size_t *offset);

/* The text of a file as UTF-8: the file's own bytes, or a converted copy of UTF-16. */
typedef struct r2n_text {
    const void *data; /* may begin with a UTF-8 byte-order mark */
    size_t size;
    uint8_t *converted;
} r2n_text;

/* BAD_LIST for empty files, for UTF-16 without a byte-order mark or with broken characters, and for
 * data with zero bytes, which is no text; other control characters are the lines' own matter.
 * OUT_OF_MEMORY. `what` is "a label file", for the message. */
res2net_status r2n_text_open(const void *data, size_t size, const char *name, const char *what,
                             r2n_text *out, res2net_report *report);
void r2n_text_close(r2n_text *text);

typedef struct r2n_text_lines {
    r2n_byte_cursor cursor;
    int64_t number; /* of the line last given, from 1 */
} r2n_text_lines;

/* Starts behind a UTF-8 byte-order mark. */
r2n_text_lines r2n_text_begin(const void *data, size_t size);

/* The next line without its end and the blanks and tabs at its ends; may be of length 0. Returns 0
 * after the last. */
int r2n_text_next(r2n_text_lines *lines, const char **line, size_t *length);

int r2n_is_blank(char letter); /* a space or a tab */
/* Without the blanks at its ends. */
void r2n_text_trim(const char **text, size_t *bytes);

/* The first control character but a tab, or NULL: in no path that a tool wrote on purpose, and they
 * move the cursor of terminals. */
const char *r2n_text_find_control(const char *text, size_t length);

/* The first byte that is no UTF-8 or is a control character, or `length`. */
size_t r2n_text_bad_byte(const char *text, size_t length);

#endif
