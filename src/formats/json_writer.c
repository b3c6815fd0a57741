/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/json_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formats/utf8.h"

void r2n_text_put_bytes(r2n_text *text, const void *piece, size_t bytes)
{
    if (text->failed)
        return;
    if (bytes > SIZE_MAX - text->size - 1 ||
        !r2n_grow((void **)&text->data, &text->capacity, text->size + bytes + 1, 1)) {
        text->failed = 1;
        return;
    }
    if (bytes > 0)
        memcpy(text->data + text->size, piece, bytes);
    text->size += bytes;
    text->data[text->size] = '\0';
}

void r2n_text_put(r2n_text *text, const char *piece)
{
    r2n_text_put_bytes(text, piece, strlen(piece));
}

static void put_character(r2n_text *text, const uint8_t *bytes, size_t size, uint32_t character)
{
    static const char codes[] = "\b\t\n\f\r\"\\";
    static const char names[] = "btnfr\"\\";
    char escape[8];
    const char *found = character > 0 && character < 0x80 ? strchr(codes, (int)character) : NULL;
    if (found != NULL) {
        escape[0] = '\\';
        escape[1] = names[found - codes];
        r2n_text_put_bytes(text, escape, 2);
    } else if (character < 0x20 || character == 0x7F) {
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)character);
        r2n_text_put(text, escape);
    } else {
        r2n_text_put_bytes(text, bytes, size);
    }
}

void r2n_json_put_string_bytes(r2n_text *text, const char *string, size_t bytes)
{
    static const uint8_t replacement[] = {0xEF, 0xBF, 0xBD};
    const uint8_t *at = (const uint8_t *)string;
    r2n_text_put(text, "\"");
    for (size_t i = 0; i < bytes;) {
        uint32_t character = 0;
        const size_t size = r2n_utf8_decode(at + i, bytes - i, &character);
        if (size == 0)
            r2n_text_put_bytes(text, replacement, sizeof replacement);
        else
            put_character(text, at + i, size, character);
        i += size == 0 ? 1 : size;
    }
    r2n_text_put(text, "\"");
}

void r2n_json_put_string(r2n_text *text, const char *string)
{
    r2n_json_put_string_bytes(text, string, strlen(string));
}

void r2n_json_put_integer(r2n_text *text, int64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    r2n_text_put(text, digits);
}

void r2n_json_put_number(r2n_text *text, double number)
{
    char digits[40];
    if (!isfinite(number)) {
        text->failed = 1;
        return;
    }
    snprintf(digits, sizeof digits, "%.17g", number);
    char *out = digits; /* the locale's decimal point, one byte or more, becomes one '.' */
    for (const char *at = digits; *at != '\0'; at++) {
        if (strchr("0123456789+-e", *at) != NULL)
            *out++ = *at;
        else if (out[-1] != '.')
            *out++ = '.';
    }
    *out = '\0';
    r2n_text_put(text, digits);
}
