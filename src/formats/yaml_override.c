/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/yaml_override.h"

#ifdef R2N_HAVE_YAML

#include <string.h>

#include "formats/utf8.h"

enum { MAXIMUM_BYTES = 4096, MAXIMUM_NAMES = 64 };

typedef struct override {
    r2n_yaml *yaml;
    const char *text; /* "a.b=value" */
    size_t number;    /* in the caller's array */
    size_t key_bytes; /* up to the '=' */
} override;

typedef struct piece {
    const char *at;
    size_t bytes;
} piece;

static res2net_status fail(const override *o, const char *reason)
{
    return r2n_fail(o->yaml->report, RES2NET_INVALID_ARGUMENT, o->yaml->name, -1, "-o %s: %s",
                    o->text, reason);
}

static res2net_status no_memory(const override *o)
{
    return r2n_fail(o->yaml->report, RES2NET_OUT_OF_MEMORY, o->yaml->name, -1,
                    "no memory for -o %s", o->text);
}

/* ---- values --------------------------------------------------------------------------------- */

static piece trim(piece p)
{
    while (p.bytes > 0 && (*p.at == ' ' || *p.at == '\t')) {
        p.at++;
        p.bytes--;
    }
    while (p.bytes > 0 && (p.at[p.bytes - 1] == ' ' || p.at[p.bytes - 1] == '\t'))
        p.bytes--;
    return p;
}

static int is_word(piece p, const char *word)
{
    return p.bytes == strlen(word) && memcmp(p.at, word, p.bytes) == 0;
}

static size_t count_digits(const char *at, const char *end)
{
    size_t count = 0;
    while (at + count < end && at[count] >= '0' && at[count] <= '9')
        count++;
    return count;
}

/* Python's decimal numbers. A whole one with a zero before it is none in Python. */
static int is_number(piece p)
{
    const char *at = p.at, *end = p.at + p.bytes;
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    const size_t whole = count_digits(at, end);
    const int leading_zero = whole > 1 && *at == '0';
    at += whole;
    if (at == end)
        return whole > 0 && !leading_zero;
    size_t fraction = 0;
    if (*at == '.') {
        fraction = count_digits(++at, end);
        at += fraction;
    }
    if (whole + fraction == 0)
        return 0;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        const size_t exponent = count_digits(at, end);
        if (exponent == 0)
            return 0;
        at += exponent;
    }
    return at == end;
}

/* Text in quotes of one kind, without escapes. */
static int is_quoted(piece p)
{
    return p.bytes >= 2 && (*p.at == '\'' || *p.at == '"') && p.at[p.bytes - 1] == *p.at &&
           memchr(p.at + 1, *p.at, p.bytes - 2) == NULL && memchr(p.at, '\\', p.bytes) == NULL;
}

static int is_literal(piece p)
{
    return is_word(p, "None") || is_word(p, "True") || is_word(p, "False") || is_number(p) ||
           is_quoted(p);
}

/* Gives a new node its origin. 0, libyaml's failure, stays 0. */
static int mark(const override *o, int index)
{
    if (index != 0)
        r2n_yaml_node(o->yaml, index)->start_mark =
            (yaml_mark_t){.index = R2N_YAML_OVERRIDDEN, .line = o->number, .column = 0};
    return index;
}

static int add_scalar(const override *o, piece p, yaml_scalar_style_t style)
{
    return mark(o, yaml_document_add_scalar(&o->yaml->document, NULL, (const unsigned char *)p.at,
                                            (int)p.bytes, style));
}

static int add_literal(const override *o, piece p)
{
    if (is_word(p, "None"))
        return add_scalar(o, (piece){"null", 4}, YAML_PLAIN_SCALAR_STYLE);
    if (is_quoted(p))
        return add_scalar(o, (piece){p.at + 1, p.bytes - 2}, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
    return add_scalar(o, p, YAML_PLAIN_SCALAR_STYLE);
}

/* The next item of "a, b, c"; commas in quotes do not end one. *rest goes behind its comma, or to
 * NULL after the last. */
static piece next_item(piece *rest)
{
    char quote = '\0';
    size_t i = 0;
    for (; i < rest->bytes && (quote != '\0' || rest->at[i] != ','); i++) {
        if (quote != '\0')
            quote = rest->at[i] == quote ? '\0' : quote;
        else if (rest->at[i] == '\'' || rest->at[i] == '"')
            quote = rest->at[i];
    }
    const piece item = trim((piece){rest->at, i});
    *rest = i < rest->bytes ? (piece){rest->at + i + 1, rest->bytes - i - 1} : (piece){NULL, 0};
    return item;
}

/* What is between the brackets of a list or tuple of literals, else NULL. */
static piece list_items(piece p)
{
    const piece none = {NULL, 0};
    if (p.bytes < 2 ||
        !((*p.at == '[' && p.at[p.bytes - 1] == ']') || (*p.at == '(' && p.at[p.bytes - 1] == ')')))
        return none;
    const piece items = trim((piece){p.at + 1, p.bytes - 2});
    if (*p.at == '(' && memchr(items.at, ',', items.bytes) == NULL)
        return none; /* parentheses alone make no tuple */
    for (piece rest = items; rest.at != NULL && items.bytes > 0;) {
        const piece item = next_item(&rest);
        const int last_comma = item.bytes == 0 && rest.at == NULL && items.bytes > 1;
        if (!last_comma && !is_literal(item))
            return none;
    }
    return items;
}

static int add_list(const override *o, piece items)
{
    const int list =
        mark(o, yaml_document_add_sequence(&o->yaml->document, NULL, YAML_FLOW_SEQUENCE_STYLE));
    for (piece rest = items; list != 0 && rest.at != NULL && items.bytes > 0;) {
        const piece item = next_item(&rest);
        if (item.bytes == 0)
            break;
        const int index = add_literal(o, item);
        if (index == 0 || !yaml_document_append_sequence_item(&o->yaml->document, list, index))
            return 0;
    }
    return list;
}

/* The node of the value, 0 without memory. */
static int add_value(const override *o)
{
    const char *value = o->text + o->key_bytes + 1;
    const piece whole = {value, strlen(value)};
    const piece trimmed = trim(whole);
    const piece items = list_items(trimmed);
    if (is_literal(trimmed))
        return add_literal(o, trimmed);
    if (items.at != NULL)
        return add_list(o, items);
    return add_scalar(o, whole, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

/* ---- paths ---------------------------------------------------------------------------------- */

static yaml_node_pair_t *find_pair(const override *o, int mapping, piece name)
{
    const yaml_node_t *node = r2n_yaml_node(o->yaml, mapping);
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = r2n_yaml_node(o->yaml, pair->key);
        if (key->type == YAML_SCALAR_NODE && is_word(name, (const char *)key->data.scalar.value) &&
            key->data.scalar.length == name.bytes)
            return pair;
    }
    return NULL;
}

static int is_open(const override *o, const char *const *open)
{
    for (; *open != NULL; open++) {
        const size_t length = strlen(*open);
        if (length < o->key_bytes && memcmp(o->text, *open, length) == 0 && o->text[length] == '.')
            return 1;
    }
    return 0;
}

/* A name that is not in the mapping, nor may be made: with the nearest that is there. */
static res2net_status refuse_name(const override *o, int mapping, int key)
{
    const char *names[MAXIMUM_NAMES + 1];
    char text[R2N_YAML_EXCERPT];
    size_t count = 0;
    const yaml_node_t *node = r2n_yaml_node(o->yaml, mapping);
    const yaml_node_t *name = r2n_yaml_node(o->yaml, key);
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top && count < MAXIMUM_NAMES; pair++) {
        const yaml_node_t *known = r2n_yaml_node(o->yaml, pair->key);
        if (known->type == YAML_SCALAR_NODE)
            names[count++] = (const char *)known->data.scalar.value;
    }
    names[count] = NULL;
    const char *nearest = r2n_yaml_nearest(name, names);
    return r2n_yaml_fail(o->yaml, name, RES2NET_INVALID_ARGUMENT,
                         "the file has no \"%s\" there%s%s%s", r2n_yaml_excerpt(name, text),
                         nearest != NULL ? "; did you mean \"" : "",
                         nearest != NULL ? nearest : ", and nothing here would read a new one",
                         nearest != NULL ? "\"?" : "");
}

/* The place of a list's item, or fails. */
static res2net_status find_item(const override *o, int list, piece name, yaml_node_item_t **item)
{
    const yaml_node_t *node = r2n_yaml_node(o->yaml, list);
    const size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    size_t place = 0;
    if (name.bytes > 9 || count_digits(name.at, name.at + name.bytes) != name.bytes)
        return fail(o, "a list is in the path: the number of an item, from 0, was expected there");
    for (size_t i = 0; i < name.bytes; i++)
        place = place * 10 + (size_t)(name.at[i] - '0');
    if (place >= count)
        return fail(o, "the list in the path has fewer items: they are counted from 0");
    *item = node->data.sequence.items.start + place;
    return RES2NET_OK;
}

/* Steps from *at to `name`; at the path's end puts `value` there. */
static res2net_status step(const override *o, int *at, piece name, int last, int value,
                           const char *const *open)
{
    yaml_document_t *document = &o->yaml->document;
    const yaml_node_type_t type = r2n_yaml_node(o->yaml, *at)->type;
    if (type == YAML_SEQUENCE_NODE) {
        yaml_node_item_t *item = NULL;
        const res2net_status status = find_item(o, *at, name, &item);
        if (status == RES2NET_OK)
            *at = last ? (*item = value) : *item;
        return status;
    }
    if (type != YAML_MAPPING_NODE)
        return fail(o, "the path goes through a value that has no keys in the file");
    yaml_node_pair_t *pair = find_pair(o, *at, name);
    if (pair != NULL) {
        *at = last ? (pair->value = value) : pair->value;
        return RES2NET_OK;
    }
    const int key = add_scalar(o, name, YAML_PLAIN_SCALAR_STYLE);
    if (key == 0)
        return no_memory(o);
    if (!is_open(o, open))
        return refuse_name(o, *at, key);
    const int added =
        last ? value : mark(o, yaml_document_add_mapping(document, NULL, YAML_FLOW_MAPPING_STYLE));
    if (added == 0 || !yaml_document_append_mapping_pair(document, *at, key, added))
        return no_memory(o);
    *at = added;
    return RES2NET_OK;
}

static res2net_status check_form(override *o)
{
    const size_t bytes = strlen(o->text);
    const char *equals = strchr(o->text, '=');
    if (bytes > MAXIMUM_BYTES)
        return r2n_fail(o->yaml->report, RES2NET_LIMIT_EXCEEDED, o->yaml->name, -1,
                        "an override of %zu bytes: the limit is %d", bytes, MAXIMUM_BYTES);
    if (r2n_utf8_valid_bytes((const uint8_t *)o->text, bytes) != bytes)
        return fail(o, "this is not UTF-8");
    if (equals == NULL)
        return fail(o, "KEY=VALUE was expected, as in Arch.class_num=10");
    if (strchr(equals + 1, '=') != NULL)
        return fail(o, "there is more than one '=': PaddleClas splits at it, so a value cannot "
                       "hold one; write the value into the file");
    o->key_bytes = (size_t)(equals - o->text);
    return RES2NET_OK;
}

static res2net_status apply(override *o, const char *const *open)
{
    res2net_status status = check_form(o);
    if (status != RES2NET_OK)
        return status;
    const int value = add_value(o);
    if (value == 0)
        return no_memory(o);
    const char *end = o->text + o->key_bytes;
    int at = 1;
    for (const char *name = o->text; status == RES2NET_OK && name != NULL;) {
        const char *dot = memchr(name, '.', (size_t)(end - name));
        const piece p = {name, (size_t)((dot != NULL ? dot : end) - name)};
        if (p.bytes == 0)
            return fail(o, "a name is missing before, between or after the dots");
        status = step(o, &at, p, dot == NULL, value, open);
        name = dot != NULL ? dot + 1 : NULL;
    }
    return status;
}

res2net_status r2n_yaml_override(r2n_yaml *yaml, const char *const *overrides, size_t count,
                                 const char *const *open)
{
    res2net_status status = RES2NET_OK;
    yaml->overrides = overrides;
    for (size_t i = 0; status == RES2NET_OK && i < count; i++) {
        override o = {.yaml = yaml, .text = overrides[i], .number = i};
        status = apply(&o, open);
    }
    return status;
}

#endif
