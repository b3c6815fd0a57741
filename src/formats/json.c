/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* newlocale, strtod_l: numbers must not depend on the host's locale */
#include "formats/json.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/byte_cursor.h"
#include "formats/utf8.h"

enum { CHUNK_VALUES = 256, FEW_MEMBERS = 8, MAXIMUM_VALUES = 1 << 18 };

/* Values live in chunks, so that pointers to them stay. */
typedef struct chunk {
    struct chunk *previous;
    size_t used;
    r2n_json_value values[CHUNK_VALUES];
} chunk;

struct r2n_json {
    chunk *chunks;
    size_t value_count;
    const r2n_json_value *root;
    char *texts; /* decoded strings and numbers: never longer than the source */
    size_t texts_used;
};

typedef struct parser {
    r2n_json *document;
    r2n_byte_cursor cursor;
    const char *file;
    int64_t base;
    res2net_report *report;
    locale_t locale;
    r2n_json_value *open[R2N_JSON_MAXIMUM_DEPTH]; /* arrays and objects not yet closed */
    r2n_json_value *last[R2N_JSON_MAXIMUM_DEPTH]; /* their newest child */
    size_t depth;
} parser;

static int64_t place(const parser *p, size_t position)
{
    return p->base + (int64_t)position;
}

#define FAIL_AT(p, position, status, ...)                                                          \
    r2n_fail((p)->report, status, (p)->file, place(p, position), __VA_ARGS__)

static int peek(const parser *p)
{
    return r2n_cursor_left(&p->cursor) == 0 ? -1 : p->cursor.data[p->cursor.position];
}

static void skip_blanks(parser *p)
{
    for (int c = peek(p); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(p))
        p->cursor.position++;
}

static res2net_status unexpected(parser *p, const char *wanted)
{
    const int c = peek(p);
    if (c < 0)
        return FAIL_AT(p, p->cursor.position, RES2NET_DAMAGED,
                       "the JSON text ends where %s was expected", wanted);
    if (c > 0x20 && c < 0x7F)
        return FAIL_AT(p, p->cursor.position, RES2NET_DAMAGED, "JSON: expected %s, found '%c'",
                       wanted, c);
    return FAIL_AT(p, p->cursor.position, RES2NET_DAMAGED, "JSON: expected %s, found byte 0x%02x",
                   wanted, (unsigned)c);
}

/* ---- strings and numbers ------------------------------------------------------------------- */

static int hexadecimal(parser *p, uint32_t *value)
{
    const uint8_t *digits = r2n_cursor_take(&p->cursor, 4);
    *value = 0;
    for (int i = 0; digits != NULL && i < 4; i++) {
        const int c = digits[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return 0;
        *value = *value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return digits != NULL;
}

/* The character after a backslash. */
static res2net_status read_escape(parser *p, uint32_t *character)
{
    static const char codes[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    const size_t start = p->cursor.position;
    const uint8_t code = r2n_cursor_u8(&p->cursor);
    if (code != 0 && code != 'u') {
        const char *found = strchr(codes, code);
        if (found == NULL)
            return FAIL_AT(p, start, RES2NET_DAMAGED, "JSON: no such escape in a string");
        *character = (uint8_t)values[found - codes];
        return RES2NET_OK;
    }
    uint32_t low;
    if (code != 'u' || !hexadecimal(p, character))
        return FAIL_AT(p, start, RES2NET_DAMAGED, "JSON: \\u needs four hexadecimal digits");
    if (*character == 0)
        return FAIL_AT(p, start, RES2NET_DAMAGED, "JSON: a string with a NUL is not accepted");
    if (*character >= 0xD800 && *character <= 0xDBFF) {
        if (r2n_cursor_u8(&p->cursor) != '\\' || r2n_cursor_u8(&p->cursor) != 'u' ||
            !hexadecimal(p, &low) || low < 0xDC00 || low > 0xDFFF)
            return FAIL_AT(p, start, RES2NET_DAMAGED, "JSON: half a surrogate pair");
        *character = 0x10000 + ((*character - 0xD800) << 10) + (low - 0xDC00);
    } else if (*character >= 0xDC00 && *character <= 0xDFFF) {
        return FAIL_AT(p, start, RES2NET_DAMAGED, "JSON: half a surrogate pair");
    }
    return RES2NET_OK;
}

/* The cursor stands at the opening quote. */
static res2net_status read_string(parser *p, const char **text, size_t *length)
{
    char *out = p->document->texts + p->document->texts_used;
    size_t used = 0;
    r2n_cursor_skip(&p->cursor, 1);
    for (;;) {
        const int c = peek(p);
        uint32_t character;
        if (c < 0)
            return unexpected(p, "the closing '\"' of a string");
        if (c < 0x20)
            return FAIL_AT(p, p->cursor.position, RES2NET_DAMAGED,
                           "JSON: control character 0x%02x inside a string", (unsigned)c);
        if (c == '"')
            break;
        if (c == '\\') {
            p->cursor.position++;
            const res2net_status status = read_escape(p, &character);
            if (status != RES2NET_OK)
                return status;
        } else {
            const size_t bytes = r2n_utf8_decode(p->cursor.data + p->cursor.position,
                                                 r2n_cursor_left(&p->cursor), &character);
            if (bytes == 0)
                return FAIL_AT(p, p->cursor.position, RES2NET_DAMAGED,
                               "JSON: a string is not valid UTF-8");
            p->cursor.position += bytes;
        }
        used += r2n_utf8_encode(character, (uint8_t *)out + used);
    }
    p->cursor.position++;
    out[used] = '\0';
    p->document->texts_used += used + 1;
    *text = out;
    *length = used;
    return RES2NET_OK;
}

static int skip_digits(parser *p)
{
    const size_t start = p->cursor.position;
    while (peek(p) >= '0' && peek(p) <= '9')
        p->cursor.position++;
    return p->cursor.position > start;
}

static res2net_status read_number(parser *p, r2n_json_value *value)
{
    const size_t start = p->cursor.position;
    if (peek(p) == '-')
        p->cursor.position++;
    if (peek(p) == '0')
        p->cursor.position++;
    else if (!skip_digits(p))
        return unexpected(p, "a digit");
    if (peek(p) == '.') {
        p->cursor.position++;
        if (!skip_digits(p))
            return unexpected(p, "a digit after the point");
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->cursor.position++;
        if (peek(p) == '+' || peek(p) == '-')
            p->cursor.position++;
        if (!skip_digits(p))
            return unexpected(p, "a digit of the exponent");
    }
    char *text = p->document->texts + p->document->texts_used;
    value->length = p->cursor.position - start;
    memcpy(text, p->cursor.data + start, value->length);
    text[value->length] = '\0';
    p->document->texts_used += value->length + 1;
    value->kind = R2N_JSON_NUMBER;
    value->text = text;
    value->number = strtod_l(text, NULL, p->locale);
    if (!isfinite(value->number))
        return FAIL_AT(p, start, RES2NET_NOT_FINITE, "JSON: the number is too large for a double");
    return RES2NET_OK;
}

/* ---- structure ----------------------------------------------------------------------------- */

static r2n_json_value *new_value(parser *p)
{
    r2n_json *document = p->document;
    if (document->chunks == NULL || document->chunks->used == CHUNK_VALUES) {
        chunk *fresh = r2n_allocate(1, sizeof *fresh);
        if (fresh == NULL)
            return NULL;
        fresh->previous = document->chunks;
        fresh->used = 0;
        document->chunks = fresh;
    }
    r2n_json_value *value = &document->chunks->values[document->chunks->used++];
    memset(value, 0, sizeof *value);
    document->value_count++;
    return value;
}

static res2net_status read_word(parser *p, r2n_json_value *value)
{
    static const struct {
        const char *text;
        r2n_json_kind kind;
    } words[] = {{"null", R2N_JSON_NULL}, {"false", R2N_JSON_FALSE}, {"true", R2N_JSON_TRUE}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t length = strlen(words[i].text);
        if (r2n_cursor_left(&p->cursor) >= length &&
            memcmp(p->cursor.data + p->cursor.position, words[i].text, length) == 0) {
            p->cursor.position += length;
            value->kind = words[i].kind;
            return RES2NET_OK;
        }
    }
    return unexpected(p, "a value");
}

/* A value's own beginning: a whole scalar, or the opening bracket, which is then the open one. */
static res2net_status read_value(parser *p, const char *key)
{
    if (p->document->value_count >= MAXIMUM_VALUES)
        return FAIL_AT(p, p->cursor.position, RES2NET_LIMIT_EXCEEDED, "JSON: more than %d values",
                       (int)MAXIMUM_VALUES);
    r2n_json_value *value = new_value(p);
    if (value == NULL)
        return FAIL_AT(p, p->cursor.position, RES2NET_OUT_OF_MEMORY, "no memory to read JSON");
    value->key = key;
    value->start = p->cursor.position;
    if (p->depth == 0) {
        p->document->root = value;
    } else {
        r2n_json_value *parent = p->open[p->depth - 1];
        if (parent->count++ == 0)
            parent->first = value;
        else
            p->last[p->depth - 1]->next = value;
        p->last[p->depth - 1] = value;
    }
    const int c = peek(p);
    res2net_status status = RES2NET_OK;
    if (c == '{' || c == '[') {
        if (p->depth == R2N_JSON_MAXIMUM_DEPTH)
            return FAIL_AT(p, p->cursor.position, RES2NET_LIMIT_EXCEEDED,
                           "JSON: nested deeper than %d", (int)R2N_JSON_MAXIMUM_DEPTH);
        value->kind = c == '{' ? R2N_JSON_OBJECT : R2N_JSON_ARRAY;
        p->cursor.position++;
        p->open[p->depth++] = value;
    } else if (c == '"') {
        value->kind = R2N_JSON_STRING;
        status = read_string(p, &value->text, &value->length);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        status = read_number(p, value);
    } else {
        status = read_word(p, value);
    }
    value->end = p->cursor.position;
    return status;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(r2n_json_value *const *)a)->key, (*(r2n_json_value *const *)b)->key);
}

static res2net_status duplicate_key(parser *p, const r2n_json_value *value)
{
    return FAIL_AT(p, value->start, RES2NET_DAMAGED, "JSON: the key \"%.200s\" is there twice",
                   value->key);
}

static res2net_status check_duplicates(parser *p, const r2n_json_value *object)
{
    if (object->count <= FEW_MEMBERS) {
        for (const r2n_json_value *a = object->first; a != NULL; a = a->next)
            for (const r2n_json_value *b = object->first; b != a; b = b->next)
                if (strcmp(a->key, b->key) == 0)
                    return duplicate_key(p, a);
        return RES2NET_OK;
    }
    const r2n_json_value **members = r2n_allocate(object->count, sizeof(r2n_json_value *));
    if (members == NULL)
        return FAIL_AT(p, object->start, RES2NET_OUT_OF_MEMORY, "no memory to read JSON");
    size_t count = 0;
    for (const r2n_json_value *v = object->first; v != NULL; v = v->next)
        members[count++] = v;
    qsort(members, count, sizeof(r2n_json_value *), compare_keys);
    res2net_status status = RES2NET_OK;
    for (size_t i = 1; i < count && status == RES2NET_OK; i++)
        if (strcmp(members[i - 1]->key, members[i]->key) == 0)
            status = duplicate_key(p, members[i]);
    r2n_free(members);
    return status;
}

/* The next child of the open value, or its end. */
static res2net_status read_next(parser *p)
{
    r2n_json_value *parent = p->open[p->depth - 1];
    const int is_object = parent->kind == R2N_JSON_OBJECT;
    skip_blanks(p);
    if (peek(p) == (is_object ? '}' : ']')) {
        p->cursor.position++;
        parent->end = p->cursor.position;
        p->depth--;
        return is_object ? check_duplicates(p, parent) : RES2NET_OK;
    }
    if (parent->count > 0) {
        if (peek(p) != ',')
            return unexpected(p, is_object ? "',' or '}'" : "',' or ']'");
        p->cursor.position++;
        skip_blanks(p);
    }
    if (!is_object)
        return read_value(p, NULL);
    const char *key;
    size_t length;
    if (peek(p) != '"')
        return unexpected(p, "a key in double quotes");
    res2net_status status = read_string(p, &key, &length);
    if (status != RES2NET_OK)
        return status;
    skip_blanks(p);
    if (peek(p) != ':')
        return unexpected(p, "':' after a key");
    p->cursor.position++;
    skip_blanks(p);
    return read_value(p, key);
}

static res2net_status read_document(parser *p)
{
    skip_blanks(p);
    res2net_status status = read_value(p, NULL);
    while (status == RES2NET_OK && p->depth > 0)
        status = read_next(p);
    if (status != RES2NET_OK)
        return status;
    skip_blanks(p);
    return r2n_cursor_left(&p->cursor) == 0 ? RES2NET_OK : unexpected(p, "the end of the text");
}

res2net_status r2n_json_parse(const void *text, size_t size, const char *file, int64_t base,
                              r2n_json **out, res2net_report *report)
{
    *out = NULL;
    r2n_json *document = r2n_allocate_zeroed(1, sizeof *document);
    parser *p = r2n_allocate_zeroed(1, sizeof *p);
    const locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (document != NULL)
        document->texts = size < SIZE_MAX - 8 ? r2n_allocate(size + 8, 1) : NULL;
    res2net_status status;
    if (document == NULL || p == NULL || document->texts == NULL || locale == (locale_t)0) {
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, file, base, "no memory to read JSON");
    } else {
        *p = (parser){.document = document,
                      .cursor = r2n_cursor(text, size),
                      .file = file,
                      .base = base,
                      .report = report,
                      .locale = locale};
        status = read_document(p);
    }
    if (locale != (locale_t)0)
        freelocale(locale);
    r2n_free(p);
    if (status != RES2NET_OK)
        r2n_json_destroy(document);
    else
        *out = document;
    return status;
}

void r2n_json_destroy(r2n_json *document)
{
    if (document == NULL)
        return;
    while (document->chunks != NULL) {
        chunk *previous = document->chunks->previous;
        r2n_free(document->chunks);
        document->chunks = previous;
    }
    r2n_free(document->texts);
    r2n_free(document);
}

const r2n_json_value *r2n_json_root(const r2n_json *document)
{
    return document->root;
}

const r2n_json_value *r2n_json_member(const r2n_json_value *object, const char *key)
{
    if (object == NULL || object->kind != R2N_JSON_OBJECT)
        return NULL;
    for (const r2n_json_value *v = object->first; v != NULL; v = v->next)
        if (strcmp(v->key, key) == 0)
            return v;
    return NULL;
}

int r2n_json_integer(const r2n_json_value *value, int64_t *number)
{
    if (value == NULL || value->kind != R2N_JSON_NUMBER)
        return 0;
    const char *at = value->text;
    const int negative = *at == '-';
    int64_t result = 0;
    for (at += negative; *at != '\0'; at++) {
        if (!isdigit((unsigned char)*at) || __builtin_mul_overflow(result, 10, &result))
            return 0;
        const int64_t digit = *at - '0';
        if (__builtin_add_overflow(result, negative ? -digit : digit, &result))
            return 0;
    }
    *number = result;
    return 1;
}

const char *r2n_json_kind_name(r2n_json_kind kind)
{
    static const char *const names[] = {"null",     "false",    "true",     "a number",
                                        "a string", "an array", "an object"};
    return names[kind];
}
