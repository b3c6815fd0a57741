/* SPDX-License-Identifier: Apache-2.0 */
/* Strictly valid JSON to a stream. Numbers that are not finite become null; bytes that are not
 * UTF-8 become U+FFFD. The caller keeps the nesting right. */
#ifndef CLI_JSON_WRITER_H
#define CLI_JSON_WRITER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH = 8 };

typedef enum json_layout {
    JSON_LINE, /* elements on one line: `[1, 2]` */
    JSON_ROWS  /* an element a line */
} json_layout;

typedef struct json_writer {
    FILE *out;
    int depth;
    int after_key;
    struct {
        json_layout layout;
        int elements;
    } levels[JSON_DEPTH + 1];
} json_writer;

json_writer json_begin(FILE *out);
void json_open_object(json_writer *json, json_layout layout);
void json_close_object(json_writer *json);
void json_open_array(json_writer *json, json_layout layout);
void json_close_array(json_writer *json);
void json_key(json_writer *json, const char *key);
void json_text(json_writer *json, const char *text); /* NULL: null */
void json_integer(json_writer *json, int64_t value);
void json_float(json_writer *json, float value);   /* shortest that reads back as this float32 */
void json_double(json_writer *json, double value); /* likewise */
void json_boolean(json_writer *json, int value);
void json_null(json_writer *json);
/* After the outermost value: a newline. */
void json_end(json_writer *json);

/* Key and value. */
void json_text_member(json_writer *json, const char *key, const char *text);
void json_integer_member(json_writer *json, const char *key, int64_t value);
void json_double_member(json_writer *json, const char *key, double value);

#endif
