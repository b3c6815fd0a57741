/* SPDX-License-Identifier: Apache-2.0 */
#include "train/config_reader.h"

#ifdef R2N_HAVE_YAML

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* ---- sections ------------------------------------------------------------------------------- */

r2n_config_section r2n_config_root(const r2n_config_reader *reader)
{
    return (r2n_config_section){.reader = reader, .node = reader->root, .place = reader->root};
}

res2net_status r2n_config_check_keys(const r2n_config_section *section, const char *const *keys)
{
    return section->node == NULL
               ? RES2NET_OK
               : r2n_yaml_check_keys(&section->reader->yaml, section->node, section->path, keys);
}

res2net_status r2n_config_open(const r2n_config_section *parent, const char *key,
                               const char *const *keys, r2n_config_section *section)
{
    const char *dot = parent->path[0] == '\0' ? "" : ".";
    section->reader = parent->reader;
    section->node = r2n_config_find(parent, key);
    section->place = section->node != NULL ? section->node : parent->place;
    /* Paths are those of the code, never of a file: they fit. */
    snprintf(section->path, sizeof section->path, "%.70s%s%.24s", parent->path, dot, key);
    if (section->node == NULL)
        return RES2NET_OK;
    if (section->node->type != YAML_MAPPING_NODE)
        return r2n_yaml_fail(&section->reader->yaml, section->node, RES2NET_INVALID_ARGUMENT,
                             "%s has no \"key: value\" lines", section->path);
    return keys == NULL ? RES2NET_OK : r2n_config_check_keys(section, keys);
}

const yaml_node_t *r2n_config_find(const r2n_config_section *section, const char *key)
{
    return r2n_paddleclas_find(&section->reader->yaml, section->node, key);
}

res2net_status r2n_config_missing(const r2n_config_section *section, const char *key,
                                  const char *advice)
{
    return r2n_yaml_fail(&section->reader->yaml, section->place, RES2NET_INVALID_ARGUMENT,
                         "%s%s%s is missing: %s", section->path,
                         section->path[0] == '\0' ? "" : ".", key, advice);
}

res2net_status r2n_config_no_memory(const r2n_config_section *section)
{
    return r2n_yaml_fail(&section->reader->yaml, section->place, RES2NET_OUT_OF_MEMORY,
                         "no memory for the config");
}

/* ---- the log -------------------------------------------------------------------------------- */

/* A text of the file on one line. */
static void put_line(r2n_text *log, const char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;
        r2n_text_put_bytes(log, byte < 0x20 || byte == 0x7F ? "?" : text, 1);
    }
}

/* The last override that reaches below `path`, as into a list's items; NULL for none. */
static const char *override_below(const r2n_config_reader *reader, const char *path)
{
    const size_t length = strlen(path);
    for (size_t i = reader->override_count; i-- > 0;)
        if (strncmp(reader->yaml.overrides[i], path, length) == 0 &&
            reader->yaml.overrides[i][length] == '.')
            return reader->yaml.overrides[i];
    return NULL;
}

static void put_origin(const r2n_config_reader *reader, const yaml_node_t *node, const char *path)
{
    r2n_text *log = reader->log;
    char line[32];
    if (node == NULL) {
        r2n_text_put(log, "default");
        return;
    }
    const r2n_yaml_place at = r2n_yaml_place_of(node);
    if (at.line < 0) {
        r2n_text_put(log, "-o ");
        put_line(log, reader->yaml.overrides[node->start_mark.line]);
        return;
    }
    snprintf(line, sizeof line, ":%" PRId64, at.line);
    put_line(log, reader->yaml.name);
    r2n_text_put(log, line);
    const char *below = override_below(reader, path);
    if (below != NULL) {
        r2n_text_put(log, ", -o ");
        put_line(log, below);
    }
}

void r2n_config_log(const r2n_config_section *section, const char *key, const yaml_node_t *node,
                    const char *value, const char *note)
{
    const r2n_config_reader *reader = section->reader;
    char path[R2N_CONFIG_PATH + 32];
    if (reader->log == NULL)
        return;
    snprintf(path, sizeof path, "%s%s%.30s", section->path,
             section->path[0] == '\0' || key[0] == '\0' ? "" : ".", key);
    r2n_text_put(reader->log, path);
    r2n_text_put(reader->log, ": ");
    put_line(reader->log, value);
    r2n_text_put(reader->log, "  # ");
    put_origin(reader, node, path);
    if (note != NULL) {
        r2n_text_put(reader->log, "; ");
        r2n_text_put(reader->log, note);
    }
    r2n_text_put(reader->log, "\n");
}

/* As people write it, with a point in every locale. */
static const char *number_text(double value, char *text, size_t size)
{
    snprintf(text, size, "%.10g", value);
    for (char *at = text; *at != '\0'; at++)
        if (strchr("0123456789+-einfa", *at) == NULL)
            *at = '.';
    return text;
}

void r2n_config_log_number(const r2n_config_section *section, const char *key,
                           const yaml_node_t *node, double value, const char *note)
{
    char text[32];
    r2n_config_log(section, key, node, number_text(value, text, sizeof text), note);
}

static void log_integer(const r2n_config_section *section, const char *key, const yaml_node_t *node,
                        int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    r2n_config_log(section, key, node, text, NULL);
}

/* ---- values --------------------------------------------------------------------------------- */

res2net_status r2n_config_text(const r2n_config_section *section, const char *key, char **value)
{
    char *text = NULL;
    const res2net_status status =
        r2n_paddleclas_text(&section->reader->yaml, section->node, key, &text);
    if (status != RES2NET_OK)
        return status;
    if (text != NULL) {
        r2n_free(*value);
        *value = text;
    }
    r2n_config_log(section, key, r2n_config_find(section, key), *value == NULL ? "null" : *value,
                   NULL);
    return RES2NET_OK;
}

/* Decimal digits, a minus allowed. */
static int parse_integer(const yaml_node_t *node, int64_t *value)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return 0;
    const unsigned char *text = node->data.scalar.value;
    const size_t length = node->data.scalar.length;
    const size_t sign = length > 0 && text[0] == '-';
    if (length == sign || length > sign + 15)
        return 0;
    *value = 0;
    for (size_t i = sign; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        *value = *value * 10 + (text[i] - '0');
    }
    *value = sign ? -*value : *value;
    return 1;
}

res2net_status r2n_config_integer(const r2n_config_section *section, const char *key,
                                  int64_t minimum, int64_t maximum, int64_t *value)
{
    const yaml_node_t *node = r2n_config_find(section, key);
    char text[R2N_YAML_EXCERPT];
    int64_t number;
    if (node != NULL) {
        if (!parse_integer(node, &number) || number < minimum || number > maximum)
            return r2n_yaml_fail(&section->reader->yaml, node, RES2NET_INVALID_ARGUMENT,
                                 "%s is %s: a whole number from %" PRId64 " to %" PRId64
                                 " was expected",
                                 key, r2n_yaml_excerpt(node, text), minimum, maximum);
        *value = number;
    }
    log_integer(section, key, node, *value);
    return RES2NET_OK;
}

res2net_status r2n_config_integer32(const r2n_config_section *section, const char *key,
                                    int32_t minimum, int32_t maximum, int32_t *value)
{
    int64_t number = *value;
    const res2net_status status = r2n_config_integer(section, key, minimum, maximum, &number);
    *value = (int32_t)number;
    return status;
}

res2net_status r2n_config_boolean(const r2n_config_section *section, const char *key, int *value)
{
    const yaml_node_t *node = r2n_config_find(section, key);
    if (node != NULL) {
        const res2net_status status = r2n_yaml_boolean(&section->reader->yaml, node, key, value);
        if (status != RES2NET_OK)
            return status;
    }
    r2n_config_log(section, key, node, *value ? "True" : "False", NULL);
    return RES2NET_OK;
}

/* Reads a number in a range; `exclusive`: the maximum is none of it. */
static res2net_status read_number(const r2n_config_section *section, const yaml_node_t *node,
                                  const char *key, double minimum, double maximum, int exclusive,
                                  double *value)
{
    char text[R2N_YAML_EXCERPT], low[32], high[32];
    double number;
    const res2net_status status = r2n_yaml_number(&section->reader->yaml, node, key, 0, &number);
    if (status != RES2NET_OK)
        return status;
    if (number < minimum || number > maximum || (exclusive && number >= maximum))
        return r2n_yaml_fail(&section->reader->yaml, node, RES2NET_INVALID_ARGUMENT,
                             "%s is %s: a number from %s to %s%s was expected", key,
                             r2n_yaml_excerpt(node, text), number_text(minimum, low, sizeof low),
                             exclusive ? "less than " : "",
                             number_text(maximum, high, sizeof high));
    *value = number;
    return RES2NET_OK;
}

static res2net_status number_of(const r2n_config_section *section, const char *key, double minimum,
                                double maximum, int exclusive, double *value)
{
    const yaml_node_t *node = r2n_config_find(section, key);
    char text[R2N_YAML_EXCERPT];
    if (node == NULL) {
        r2n_config_log_number(section, key, NULL, *value, NULL);
        return RES2NET_OK;
    }
    const res2net_status status =
        read_number(section, node, key, minimum, maximum, exclusive, value);
    if (status == RES2NET_OK) /* as it is written */
        r2n_config_log(section, key, node, r2n_yaml_excerpt(node, text), NULL);
    return status;
}

res2net_status r2n_config_number(const r2n_config_section *section, const char *key, double minimum,
                                 double maximum, double *value)
{
    return number_of(section, key, minimum, maximum, 0, value);
}

res2net_status r2n_config_fraction(const r2n_config_section *section, const char *key,
                                   double *value)
{
    return number_of(section, key, 0, 1, 1, value);
}

res2net_status r2n_config_choice(const r2n_config_section *section, const char *key,
                                 const char *const *choices, int *index)
{
    const yaml_node_t *node = r2n_config_find(section, key);
    if (node != NULL) {
        const res2net_status status =
            r2n_yaml_choice(&section->reader->yaml, node, key, choices, index);
        if (status != RES2NET_OK)
            return status;
    }
    r2n_config_log(section, key, node, *index < 0 ? "null" : choices[*index], NULL);
    return RES2NET_OK;
}

static int index_of(const yaml_node_t *name, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++)
        if (r2n_yaml_is(name, names[i]))
            return i;
    return -1;
}

res2net_status r2n_config_class_of(const r2n_config_reader *reader, const yaml_node_t *name,
                                   const char *what, const char *const *present,
                                   const char *const *absent, int *index)
{
    char text[R2N_YAML_EXCERPT], list[256];
    size_t used = 0;
    *index = index_of(name, present);
    if (*index >= 0)
        return RES2NET_OK;
    list[0] = '\0';
    for (int i = 0; present[i] != NULL; i++) {
        const size_t length = strlen(present[i]);
        if (used + length + 3 > sizeof list)
            break;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                                 present[i]);
    }
    if (index_of(name, absent) >= 0)
        return r2n_yaml_fail(&reader->yaml, name, RES2NET_UNSUPPORTED,
                             "%s %s of PaddleClas is not built here: there %s %s", what,
                             r2n_yaml_excerpt(name, text), present[1] == NULL ? "is" : "are", list);
    const char *nearest = r2n_yaml_nearest(name, present);
    return r2n_yaml_fail(&reader->yaml, name, RES2NET_INVALID_ARGUMENT,
                         "%s \"%s\" is not known%s%s%s; there %s %s", what,
                         r2n_yaml_excerpt(name, text), nearest != NULL ? "; did you mean \"" : "",
                         nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "",
                         present[1] == NULL ? "is" : "are", list);
}

res2net_status r2n_config_class(const r2n_config_section *section, const char *key,
                                const char *const *present, const char *const *absent, int *index)
{
    const yaml_node_t *node = r2n_config_find(section, key);
    char what[R2N_CONFIG_PATH + 32];
    snprintf(what, sizeof what, "%s.%.30s", section->path, key);
    if (node != NULL) {
        const res2net_status status =
            r2n_config_class_of(section->reader, node, what, present, absent, index);
        if (status != RES2NET_OK)
            return status;
    }
    r2n_config_log(section, key, node, *index < 0 ? "null" : present[*index], NULL);
    return RES2NET_OK;
}

static void log_numbers(const r2n_config_section *section, const char *key, const yaml_node_t *list)
{
    r2n_text text = {0};
    char excerpt[R2N_YAML_EXCERPT];
    if (section->reader->log == NULL)
        return;
    const yaml_node_item_t *first = list->data.sequence.items.start;
    for (const yaml_node_item_t *item = first; item < list->data.sequence.items.top; item++) {
        r2n_text_put(&text, item == first ? "[" : ", ");
        r2n_text_put(&text,
                     r2n_yaml_excerpt(r2n_yaml_node(&section->reader->yaml, *item), excerpt));
    }
    r2n_text_put(&text, text.size == 0 ? "[]" : "]");
    section->reader->log->failed |= text.failed;
    if (!text.failed)
        r2n_config_log(section, key, list, text.data, NULL);
    r2n_free(text.data);
}

res2net_status r2n_config_numbers(const r2n_config_section *section, const char *key,
                                  double minimum, double maximum, int32_t limit, double *values,
                                  int32_t *count)
{
    const yaml_node_t *list = r2n_config_find(section, key);
    char text[R2N_YAML_EXCERPT];
    *count = 0;
    if (list == NULL) {
        r2n_config_log(section, key, NULL, "null", NULL);
        return RES2NET_OK;
    }
    if (list->type != YAML_SEQUENCE_NODE)
        return r2n_yaml_fail(&section->reader->yaml, list, RES2NET_INVALID_ARGUMENT,
                             "%s is %s: a list of numbers was expected", key,
                             r2n_yaml_excerpt(list, text));
    const yaml_node_item_t *items = list->data.sequence.items.start;
    const int64_t length = list->data.sequence.items.top - items;
    if (length > limit)
        return r2n_yaml_fail(&section->reader->yaml, list, RES2NET_INVALID_ARGUMENT,
                             "%s has %" PRId64 " numbers: at most %" PRId32 " may stand there", key,
                             length, limit);
    for (; *count < length; ++*count) {
        const yaml_node_t *node = r2n_yaml_node(&section->reader->yaml, items[*count]);
        const res2net_status status =
            read_number(section, node, key, minimum, maximum, 0, &values[*count]);
        if (status != RES2NET_OK)
            return status;
    }
    log_numbers(section, key, list);
    return RES2NET_OK;
}

/* ---- what is not followed ------------------------------------------------------------------- */

void r2n_config_taken(const r2n_config_section *section, const char *key, const char *reason)
{
    const yaml_node_t *node = r2n_config_find(section, key);
    char text[R2N_YAML_EXCERPT];
    if (node != NULL)
        r2n_config_log(section, key, node, r2n_yaml_excerpt(node, text), reason);
}

res2net_status r2n_config_require_off(const r2n_config_section *section, const char *key,
                                      const char *reason)
{
    const yaml_node_t *node = r2n_config_find(section, key);
    int on = 0;
    if (node == NULL)
        return RES2NET_OK;
    const res2net_status status = r2n_yaml_boolean(&section->reader->yaml, node, key, &on);
    if (status != RES2NET_OK)
        return status;
    if (on)
        return r2n_yaml_fail(&section->reader->yaml, node, RES2NET_UNSUPPORTED,
                             "%s: True is not there: %s", key, reason);
    r2n_config_log(section, key, node, "False", NULL);
    return RES2NET_OK;
}

res2net_status r2n_config_require_absent(const r2n_config_section *section, const char *key,
                                         const char *reason)
{
    const yaml_node_t *node = r2n_config_find(section, key);
    return node == NULL ? RES2NET_OK
                        : r2n_yaml_fail(&section->reader->yaml, node, RES2NET_UNSUPPORTED,
                                        "%s is not there: %s", key, reason);
}

#endif
