/* SPDX-License-Identifier: Apache-2.0 */
/* "path label" lines, or with another delimiter. Every bad line is told, not only the first. */
#define _GNU_SOURCE /* memmem */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "data/sources.h"
#include "data/text_lines.h"

typedef struct list_reader {
    r2n_dataset *dataset;
    size_t capacity;
    const char *name;
    const char *root; /* put before relative paths */
    size_t root_bytes;
    const char *delimiter; /* NULL: the last run of blanks */
    int32_t classes;
    res2net_report *report;
} list_reader;

static res2net_status bad_line(const list_reader *reader, int64_t line, const char *reason)
{
    return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line, "%s", reason);
}

/* The label: digits to the end of the line. */
static res2net_status read_label(const list_reader *reader, int64_t line, const char *text,
                                 size_t length, int32_t *label)
{
    int64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line,
                                 "\"%.*s\" is no label; expected a whole number from 0",
                                 (int)(length < 40 ? length : 40), text);
        value = value * 10 + (text[i] - '0');
        if (value > R2N_MAXIMUM_LABEL)
            return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line,
                                 "the label is over %d", R2N_MAXIMUM_LABEL);
    }
    if (reader->classes > 0 && value >= reader->classes)
        return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line,
                             "label %" PRId64 ", but there are %" PRId32 " classes (0 to %" PRId32
                             ")",
                             value, reader->classes, reader->classes - 1);
    *label = (int32_t)value;
    return RES2NET_OK;
}

/* Windows tools write "folder\picture.jpg". A path with both kinds is left as it is. */
static void turn_backslashes(char *path, size_t from)
{
    if (strchr(path + from, '/') != NULL)
        return;
    for (char *at = path + from; *at != '\0'; at++)
        if (*at == '\\')
            *at = '/';
}

static res2net_status add_item(list_reader *reader, int64_t line, const char *path, size_t bytes,
                               int32_t label)
{
    char *joined = r2n_path_join(reader->root, reader->root_bytes, path, bytes);
    if (joined == NULL)
        return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->name, -1,
                        "no memory for the path in line %" PRId64, line);
    turn_backslashes(joined, strlen(joined) - bytes);
    return r2n_dataset_append(reader->dataset, &reader->capacity, joined, -1, label, line,
                              reader->report);
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* PaddleClas' rule: the text before the first delimiter, and that up to the next one. 0 where there
 * is none. */
static int split_at(const char *delimiter, const char *text, size_t length, size_t *path_bytes,
                    size_t *label_at, size_t *label_bytes)
{
    const size_t size = strlen(delimiter);
    const char *found = memmem(text, length, delimiter, size);
    if (found == NULL)
        return 0;
    *path_bytes = (size_t)(found - text);
    *label_at = *path_bytes + size;
    const char *next = memmem(text + *label_at, length - *label_at, delimiter, size);
    size_t end = next != NULL ? (size_t)(next - text) : length;
    while (*label_at < end && is_blank(text[*label_at]))
        ++*label_at;
    while (end > *label_at && is_blank(text[end - 1]))
        end--;
    *label_bytes = end - *label_at;
    return 1;
}

/* Our rule: the label is what follows the last run of blanks, so that paths may have some. */
static int split_at_blanks(const char *text, size_t length, size_t *path_bytes, size_t *label_at,
                           size_t *label_bytes)
{
    *label_at = length;
    while (*label_at > 0 && !is_blank(text[*label_at - 1]))
        --*label_at;
    *label_bytes = length - *label_at;
    *path_bytes = *label_at;
    while (*path_bytes > 0 && is_blank(text[*path_bytes - 1]))
        --*path_bytes;
    return *path_bytes > 0;
}

static res2net_status read_line(list_reader *reader, int64_t line, const char *text, size_t length)
{
    size_t path_bytes = 0, label_at = 0, label_bytes = 0;
    int32_t label = 0;
    if (memchr(text, '\r', length) != NULL)
        return bad_line(reader, line,
                        "a carriage return inside the line; end lines with LF or CR LF");
    const int split =
        reader->delimiter != NULL
            ? split_at(reader->delimiter, text, length, &path_bytes, &label_at, &label_bytes)
            : split_at_blanks(text, length, &path_bytes, &label_at, &label_bytes);
    if (!split || path_bytes == 0 || label_bytes == 0)
        return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line,
                             "no label; expected a path, %s%s%s and a whole number",
                             reader->delimiter == NULL ? "a blank" : "the delimiter \"",
                             reader->delimiter == NULL ? "" : reader->delimiter,
                             reader->delimiter == NULL ? "" : "\"");
    if (path_bytes > R2N_MAXIMUM_PATH_BYTES)
        return bad_line(reader, line, "the path is longer than 4096 bytes");
    const res2net_status status = read_label(reader, line, text + label_at, label_bytes, &label);
    return status == RES2NET_OK ? add_item(reader, line, text, path_bytes, label) : status;
}

res2net_status r2n_list_read(r2n_dataset *dataset, const void *data, size_t size, const char *name,
                             const char *root, const char *delimiter, int32_t classes,
                             res2net_report *report)
{
    list_reader reader = {.dataset = dataset,
                          .name = name,
                          .root = root == NULL ? name : root,
                          .delimiter = delimiter,
                          .classes = classes,
                          .report = report};
    const char *slash = strrchr(name, '/'); /* no root: the list's own folder */
    reader.root_bytes = root != NULL    ? strlen(root)
                        : slash == NULL ? 0
                                        : (size_t)(slash - name) + 1;
    dataset->kind = R2N_DATASET_LIST;
    r2n_text_lines lines = r2n_text_begin(data, size);
    const char *line;
    size_t length;
    res2net_status result = RES2NET_OK;
    while (r2n_text_next(&lines, &line, &length)) {
        if (length == 0 || line[0] == '#')
            continue;
        const res2net_status status = read_line(&reader, lines.number, line, length);
        if (status == RES2NET_OUT_OF_MEMORY)
            return status;
        if (status != RES2NET_OK)
            result = status;
    }
    if (result == RES2NET_OK && dataset->count == 0)
        return r2n_fail(report, RES2NET_BAD_LIST, name, -1,
                        "the list has no item; expected \"path label\" lines");
    return result;
}
