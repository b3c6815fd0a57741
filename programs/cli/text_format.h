/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and paragraphs for people to read; UTF-8. */
#ifndef CLI_TEXT_FORMAT_H
#define CLI_TEXT_FORMAT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { FORMAT_BYTES = 40 };
/* "25,699,120" */
const char *format_count(char buffer[FORMAT_BYTES], int64_t value);
/* "98.3 MiB" */
const char *format_bytes(char buffer[FORMAT_BYTES], uint64_t bytes);
/* The fewest digits that read back as the same float32, or the same double. Finite values only. */
const char *format_float(char buffer[FORMAT_BYTES], float value);
const char *format_double(char buffer[FORMAT_BYTES], double value);

/* Length of the UTF-8 sequence at `text` (1 to 4) and its code point; 0 when it is none. */
size_t utf8_decode(const char *text, uint32_t *code_point);

/* Text wrapped at `width` columns; the caller has written `indent` columns of the first line. Ends
 * with a newline. A newline in the text is kept. */
void put_wrapped(FILE *out, const char *text, int indent, int width);

#endif
