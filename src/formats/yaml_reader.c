/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* newlocale, strtod_l: numbers must not depend on the host's locale */
#include "formats/yaml_reader.h"

#ifdef R2N_HAVE_YAML

#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAXIMUM_BYTES = 1 << 18, MAXIMUM_MARKS = 1000, MAXIMUM_WORD = 40 };

/* ---- the document ---- */

/* What is read, and for whom. */
typedef struct source {
    const char *text;
    size_t size;
    const char *what; /* "a list of transforms" */
    const char *name;
    res2net_report *report;
} source;

/* Where the byte stands, as libyaml would say: columns are characters. */
static r2n_yaml_place place_of_byte(const source *source, size_t byte)
{
    r2n_yaml_place place = {1, 1};
    for (size_t i = 0; i < byte && i < source->size; i++) {
        if (source->text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)source->text[i] & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

static res2net_status fail_parse(const yaml_parser_t *parser, const source *source)
{
    const char *name = source->name;
    res2net_report *report = source->report;
    /* libyaml does not always say that it lacks memory, but says what else it finds wrong. */
    if (parser->error == YAML_MEMORY_ERROR || parser->problem == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory to read YAML");
    const char *problem = parser->problem;
    if (parser->error == YAML_READER_ERROR) {
        const r2n_yaml_place place = place_of_byte(source, parser->problem_offset);
        return r2n_fail_at(report, RES2NET_DAMAGED, name, place.line, place.column,
                           "this is not YAML text (%s): save it as UTF-8", problem);
    }
    return r2n_fail_at(report, RES2NET_DAMAGED, name, (int64_t)parser->problem_mark.line + 1,
                       (int64_t)parser->problem_mark.column + 1, "YAML error: %s%s%s", problem,
                       parser->context != NULL ? " " : "",
                       parser->context != NULL ? parser->context : "");
}

/* Nothing but the end may follow the document that was read. */
static res2net_status check_end(yaml_parser_t *parser, const source *source)
{
    yaml_document_t next;
    if (!yaml_parser_load(parser, &next))
        return fail_parse(parser, source);
    const yaml_node_t *root = yaml_document_get_root_node(&next);
    const size_t line = next.start_mark.line;
    yaml_document_delete(&next);
    if (root != NULL)
        return r2n_fail_at(source->report, RES2NET_INVALID_ARGUMENT, source->name,
                           (int64_t)line + 1, 1,
                           "a second YAML document begins here: keep one document a file");
    return RES2NET_OK;
}

/* libyaml's time grows with the square of nested brackets and of anchors: neither may be many. */
static res2net_status check_amount(const source *source)
{
    r2n_yaml_place place;
    if (source->size > MAXIMUM_BYTES) {
        place = place_of_byte(source, MAXIMUM_BYTES);
        return r2n_fail_at(source->report, RES2NET_LIMIT_EXCEEDED, source->name, place.line,
                           place.column, "%zu bytes are too many for %s: the limit, %d, is here",
                           source->size, source->what, MAXIMUM_BYTES);
    }
    int brackets = 0, anchors = 0;
    for (size_t i = 0; i < source->size; i++) {
        brackets += source->text[i] == '[' || source->text[i] == '{';
        anchors += source->text[i] == '&';
        if (brackets > MAXIMUM_MARKS || anchors > MAXIMUM_MARKS) {
            place = place_of_byte(source, i);
            return r2n_fail_at(source->report, RES2NET_LIMIT_EXCEEDED, source->name, place.line,
                               place.column, "more than %d brackets or anchors: this is not %s",
                               MAXIMUM_MARKS, source->what);
        }
    }
    return RES2NET_OK;
}

res2net_status r2n_yaml_open(const char *text, size_t size, const char *what, const char *name,
                             r2n_yaml *yaml, res2net_report *report)
{
    yaml_parser_t parser;
    const source source = {.text = text == NULL ? "" : text,
                           .size = text == NULL ? 0 : size,
                           .what = what,
                           .name = name,
                           .report = report};
    res2net_status status = check_amount(&source);
    if (status != RES2NET_OK)
        return status;
    if (!yaml_parser_initialize(&parser))
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory to read YAML");
    yaml_parser_set_input_string(&parser, (const unsigned char *)source.text, source.size);
    yaml->name = name;
    yaml->report = report;
    yaml->overrides = NULL;
    if (!yaml_parser_load(&parser, &yaml->document)) {
        status = fail_parse(&parser, &source);
    } else {
        if (yaml_document_get_root_node(&yaml->document) == NULL)
            status = r2n_fail_at(report, RES2NET_INVALID_ARGUMENT, name, 1, 1,
                                 "there is nothing here: %s was expected", what);
        else
            status = check_end(&parser, &source);
        if (status != RES2NET_OK)
            yaml_document_delete(&yaml->document);
    }
    yaml_parser_delete(&parser);
    return status;
}

void r2n_yaml_close(r2n_yaml *yaml)
{
    yaml_document_delete(&yaml->document);
}

yaml_node_t *r2n_yaml_node(const r2n_yaml *yaml, int index)
{
    /* libyaml only reads here; its signature lacks the const. */
    return yaml_document_get_node((yaml_document_t *)&yaml->document, index);
}

res2net_status r2n_yaml_fail(const r2n_yaml *yaml, const yaml_node_t *node, res2net_status status,
                             const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const r2n_yaml_place place = r2n_yaml_place_of(node);
    if (place.line < 0)
        return r2n_fail(yaml->report, status, yaml->name, -1, "-o %s: %s",
                        yaml->overrides[node->start_mark.line], text);
    return r2n_fail_at(yaml->report, status, yaml->name, place.line, place.column, "%s", text);
}

r2n_yaml_place r2n_yaml_place_of(const yaml_node_t *node)
{
    if (node->start_mark.index == R2N_YAML_OVERRIDDEN)
        return (r2n_yaml_place){-1, -1};
    return (r2n_yaml_place){(int64_t)node->start_mark.line + 1,
                            (int64_t)node->start_mark.column + 1};
}

/* ---- scalars ---- */

const char *r2n_yaml_excerpt(const yaml_node_t *node, char text[R2N_YAML_EXCERPT])
{
    if (node->type == YAML_SEQUENCE_NODE)
        return "a list";
    if (node->type == YAML_MAPPING_NODE)
        return "a mapping";
    const unsigned char *from = node->data.scalar.value;
    size_t length = node->data.scalar.length, i;
    if (length >= R2N_YAML_EXCERPT)
        for (length = R2N_YAML_EXCERPT - 1; length > 0 && (from[length] & 0xC0) == 0x80;)
            length--; /* not in the middle of a character */
    for (i = 0; i < length; i++)
        text[i] = (char)(from[i] < 0x20 || from[i] == 0x7F ? '?' : from[i]);
    text[i] = '\0';
    return text;
}

int r2n_yaml_is(const yaml_node_t *node, const char *text)
{
    return node != NULL && node->type == YAML_SCALAR_NODE &&
           node->data.scalar.length == strlen(text) &&
           memcmp(node->data.scalar.value, text, node->data.scalar.length) == 0;
}

static int is_plain(const yaml_node_t *node)
{
    return node != NULL && node->type == YAML_SCALAR_NODE &&
           node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

int r2n_yaml_is_null(const yaml_node_t *node)
{
    return node == NULL ||
           (is_plain(node) &&
            (r2n_yaml_is(node, "") || r2n_yaml_is(node, "~") || r2n_yaml_is(node, "null") ||
             r2n_yaml_is(node, "Null") || r2n_yaml_is(node, "NULL")));
}

res2net_status r2n_yaml_integer(const r2n_yaml *yaml, const yaml_node_t *node, const char *what,
                                int32_t minimum, int32_t maximum, int32_t *value)
{
    char text[R2N_YAML_EXCERPT];
    int64_t number = 0;
    int valid = is_plain(node) && node->data.scalar.length > 0 && node->data.scalar.length < 10;
    for (size_t i = 0; valid && i < node->data.scalar.length; i++) {
        const unsigned char digit = node->data.scalar.value[i];
        valid = digit >= '0' && digit <= '9';
        number = number * 10 + (digit - '0');
    }
    if (!valid || number < minimum || number > maximum)
        return r2n_yaml_fail(yaml, node, RES2NET_INVALID_ARGUMENT,
                             "%s is %s: a whole number from %d to %d was expected", what,
                             r2n_yaml_excerpt(node, text), (int)minimum, (int)maximum);
    *value = (int32_t)number;
    return RES2NET_OK;
}

int r2n_yaml_is_boolean(const yaml_node_t *node, int *value)
{
    static const char *const words[2][9] = {
        {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"},
        {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}};
    for (int truth = 0; is_plain(node) && truth < 2; truth++) {
        for (size_t i = 0; i < 9; i++) {
            if (r2n_yaml_is(node, words[truth][i])) {
                *value = truth;
                return 1;
            }
        }
    }
    return 0;
}

res2net_status r2n_yaml_boolean(const r2n_yaml *yaml, const yaml_node_t *node, const char *what,
                                int *value)
{
    char text[R2N_YAML_EXCERPT];
    if (r2n_yaml_is_boolean(node, value))
        return RES2NET_OK;
    return r2n_yaml_fail(yaml, node, RES2NET_INVALID_ARGUMENT, "%s is %s: True or False expected",
                         what, r2n_yaml_excerpt(node, text));
}

/* A decimal number at *at, passed over. Hexadecimal, "inf" and "nan" are none. */
static int take_number(const char **at, locale_t locale, double *value)
{
    while (**at == ' ')
        ++*at;
    const char *digits = *at + (**at == '-' || **at == '+');
    const char first = digits[0] == '.' ? digits[1] : digits[0];
    if (first < '0' || first > '9' || (digits[0] == '0' && (digits[1] | 0x20) == 'x'))
        return 0;
    char *end;
    *value = strtod_l(*at, &end, locale);
    *at = end;
    while (**at == ' ')
        ++*at;
    return isfinite(*value);
}

res2net_status r2n_yaml_number(const r2n_yaml *yaml, const yaml_node_t *node, const char *what,
                               int quotient, double *value)
{
    char text[R2N_YAML_EXCERPT];
    const locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (locale == (locale_t)0)
        return r2n_yaml_fail(yaml, node, RES2NET_OUT_OF_MEMORY, "no memory to read a number");
    int valid = node->type == YAML_SCALAR_NODE && (quotient || is_plain(node)) &&
                node->data.scalar.length == strlen((const char *)node->data.scalar.value);
    if (valid) {
        const char *at = (const char *)node->data.scalar.value;
        double divisor = 1.0;
        valid = take_number(&at, locale, value);
        if (valid && quotient && *at == '/') {
            at++;
            valid = take_number(&at, locale, &divisor) && divisor != 0.0;
        }
        valid = valid && *at == '\0';
        if (valid)
            *value /= divisor;
    }
    freelocale(locale);
    if (!valid || !isfinite(*value))
        return r2n_yaml_fail(
            yaml, node, RES2NET_INVALID_ARGUMENT, "%s is %s: a finite number%s was expected", what,
            r2n_yaml_excerpt(node, text), quotient ? " or a quotient such as 1.0/255.0" : "");
    return RES2NET_OK;
}

/* ---- words ---- */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Letters to insert, delete or replace, upper and lower case being the same. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t row[MAXIMUM_WORD + 1];
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_length];
}

const char *r2n_yaml_nearest(const yaml_node_t *node, const char *const *choices)
{
    const char *nearest = NULL;
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.length > MAXIMUM_WORD)
        return NULL;
    size_t fewest = 2 + node->data.scalar.length / 4; /* further off is no slip of the pen */
    for (; *choices != NULL; choices++) {
        const size_t length = strlen(*choices);
        if (length > MAXIMUM_WORD)
            continue;
        const size_t edits = edit_distance((const char *)node->data.scalar.value,
                                           node->data.scalar.length, *choices, length);
        if (edits < fewest) {
            fewest = edits;
            nearest = *choices;
        }
    }
    return nearest;
}

/* "a, b, c"; where they are too many for the room, whole words and ", ...". */
static void list_choices(const char *const *choices, char *text, size_t size)
{
    static const char more[] = ", ...";
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; choices[i] != NULL; i++) {
        const char *word = choices[i][0] == '\0' ? "''" : choices[i];
        const size_t needed = strlen(word) + (i > 0 ? 2 : 0);
        if (used + needed + sizeof more > size) {
            memcpy(text + used, more, sizeof more);
            return;
        }
        snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", word);
        used += needed;
    }
}

res2net_status r2n_yaml_choice(const r2n_yaml *yaml, const yaml_node_t *node, const char *what,
                               const char *const *choices, int *index)
{
    char text[R2N_YAML_EXCERPT], list[256];
    for (int i = 0; node->type == YAML_SCALAR_NODE && choices[i] != NULL; i++) {
        const size_t length = strlen(choices[i]);
        if (length == node->data.scalar.length && length <= MAXIMUM_WORD &&
            edit_distance((const char *)node->data.scalar.value, length, choices[i], length) == 0) {
            *index = i;
            return RES2NET_OK;
        }
    }
    list_choices(choices, list, sizeof list);
    return r2n_yaml_fail(yaml, node, RES2NET_INVALID_ARGUMENT, "%s is \"%s\": known are %s", what,
                         r2n_yaml_excerpt(node, text), list);
}

/* ---- mappings ---- */

yaml_node_t *r2n_yaml_find(const r2n_yaml *yaml, const yaml_node_t *mapping, const char *key)
{
    if (mapping == NULL || mapping->type != YAML_MAPPING_NODE)
        return NULL;
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        yaml_node_t *value = r2n_yaml_node(yaml, pair->value);
        if (r2n_yaml_is(r2n_yaml_node(yaml, pair->key), key))
            return r2n_yaml_is_null(value) ? NULL : value;
    }
    return NULL;
}

static res2net_status fail_key(const r2n_yaml *yaml, const yaml_node_t *key, const char *what,
                               const char *const *keys)
{
    char text[R2N_YAML_EXCERPT], list[256];
    const char *nearest = r2n_yaml_nearest(key, keys);
    list_choices(keys, list, sizeof list);
    return r2n_yaml_fail(yaml, key, RES2NET_INVALID_ARGUMENT,
                         "%s has no key \"%s\"%s%s%s; known are %s", what,
                         r2n_yaml_excerpt(key, text), nearest != NULL ? "; did you mean \"" : "",
                         nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "",
                         keys[0] != NULL ? list : "none");
}

res2net_status r2n_yaml_check_keys(const r2n_yaml *yaml, const yaml_node_t *mapping,
                                   const char *what, const char *const *keys)
{
    uint64_t seen = 0; /* one bit a key: there are few */
    for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = r2n_yaml_node(yaml, pair->key);
        unsigned i = 0;
        while (keys[i] != NULL && !r2n_yaml_is(key, keys[i]))
            i++;
        if (keys[i] == NULL)
            return fail_key(yaml, key, what, keys);
        if ((seen >> i & 1) != 0)
            return r2n_yaml_fail(yaml, key, RES2NET_INVALID_ARGUMENT, "%s has \"%s\" twice", what,
                                 keys[i]);
        seen |= (uint64_t)1 << i;
    }
    return RES2NET_OK;
}

#endif
