/* SPDX-License-Identifier: Apache-2.0 */
#include "json_writer.h"

#include <inttypes.h>
#include <math.h>

#include "terminal_text.h"
#include "text_format.h"

json_writer json_begin(FILE *out)
{
    return (json_writer){.out = out};
}

/* What comes before a value: nothing after a key, else a comma and the layout's space. */
static void separate(json_writer *json)
{
    if (json->after_key) {
        json->after_key = 0;
        return;
    }
    const int elements = json->levels[json->depth].elements++;
    if (json->depth == 0)
        return;
    if (elements > 0)
        fputc(',', json->out);
    if (json->levels[json->depth].layout == JSON_ROWS)
        fprintf(json->out, "\n%*s", 2 * json->depth, "");
    else if (elements > 0)
        fputc(' ', json->out);
}

static void open_level(json_writer *json, json_layout layout, char bracket)
{
    separate(json);
    fputc(bracket, json->out);
    json->depth++;
    json->levels[json->depth].layout = layout;
    json->levels[json->depth].elements = 0;
}

static void close_level(json_writer *json, char bracket)
{
    const int rows = json->levels[json->depth].layout == JSON_ROWS;
    const int elements = json->levels[json->depth].elements;
    json->depth--;
    if (rows && elements > 0)
        fprintf(json->out, "\n%*s", 2 * json->depth, "");
    fputc(bracket, json->out);
}

void json_open_object(json_writer *json, json_layout layout)
{
    open_level(json, layout, '{');
}

void json_close_object(json_writer *json)
{
    close_level(json, '}');
}

void json_open_array(json_writer *json, json_layout layout)
{
    open_level(json, layout, '[');
}

void json_close_array(json_writer *json)
{
    close_level(json, ']');
}

/* \uXXXX, as a pair of surrogates above the first plane. */
static void write_escaped(FILE *out, uint32_t code_point)
{
    if (code_point < 0x10000) {
        fprintf(out, "\\u%04x", code_point);
        return;
    }
    code_point -= 0x10000;
    fprintf(out, "\\u%04x\\u%04x", 0xd800 + (code_point >> 10), 0xdc00 + (code_point & 0x3ff));
}

/* What is not safe on a terminal is escaped: it reads back the same. */
static void write_text(FILE *out, const char *text)
{
    fputc('"', out);
    while (*text != '\0') {
        uint32_t code_point;
        const size_t length = utf8_decode(text, &code_point);
        if (length == 0) {
            fputs("\xef\xbf\xbd", out); /* U+FFFD */
            text++;
            continue;
        }
        if (code_point == '"' || code_point == '\\')
            fprintf(out, "\\%c", (int)code_point);
        else if (!is_safe_on_terminal(code_point))
            write_escaped(out, code_point);
        else
            fwrite(text, 1, length, out);
        text += length;
    }
    fputc('"', out);
}

void json_key(json_writer *json, const char *key)
{
    separate(json);
    write_text(json->out, key);
    fputs(": ", json->out);
    json->after_key = 1;
}

void json_text(json_writer *json, const char *text)
{
    if (text == NULL) {
        json_null(json);
        return;
    }
    separate(json);
    write_text(json->out, text);
}

void json_integer(json_writer *json, int64_t value)
{
    separate(json);
    fprintf(json->out, "%" PRId64, value);
}

void json_float(json_writer *json, float value)
{
    char buffer[FORMAT_BYTES];
    separate(json);
    fputs(isfinite(value) ? format_float(buffer, value) : "null", json->out);
}

void json_double(json_writer *json, double value)
{
    char buffer[FORMAT_BYTES];
    separate(json);
    fputs(isfinite(value) ? format_double(buffer, value) : "null", json->out);
}

void json_boolean(json_writer *json, int value)
{
    separate(json);
    fputs(value ? "true" : "false", json->out);
}

void json_null(json_writer *json)
{
    separate(json);
    fputs("null", json->out);
}

void json_end(json_writer *json)
{
    fputc('\n', json->out);
}

void json_text_member(json_writer *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_integer_member(json_writer *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_integer(json, value);
}

void json_double_member(json_writer *json, const char *key, double value)
{
    json_key(json, key);
    json_double(json, value);
}
