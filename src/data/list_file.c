/* SPDX-License-Identifier: Apache-2.0 */
/* "path label" lines, or with another delimiter. Every bad line is told, not only the first. The
 * rules are in docs/lists.md. */
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
    const r2n_dataset_options *options;
    res2net_report *report;
} list_reader;

/* A line, taken apart. */
typedef struct fields {
    const char *path, *label;
    size_t path_bytes, label_bytes; /* 0: there is none */
    int quoted;                     /* "" in the path stands for " */
} fields;

static res2net_status bad_line(const list_reader *reader, int64_t line, const char *reason)
{
    return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line, "%s", reason);
}

/* ---- taking a line apart ------------------------------------------------------------------- */

static int is_number(const char *text, size_t bytes)
{
    size_t digits = 0;
    while (digits < bytes && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    return bytes > 0 && digits == bytes;
}

/* The first (`last` 0) or last place of the delimiter, or NULL. */
static const char *find(const char *text, size_t length, const char *delimiter, int last)
{
    const size_t size = strlen(delimiter);
    const char *end = text + length;
    const char *found = memmem(text, length, delimiter, size);
    while (last && found != NULL) {
        const char *next = memmem(found + size, (size_t)(end - found) - size, delimiter, size);
        if (next == NULL)
            break;
        found = next;
    }
    return found;
}

static fields cut(const char *text, size_t length, const char *at, size_t delimiter_bytes)
{
    fields found = {.path = text, .path_bytes = (size_t)(at - text)};
    found.label = at + delimiter_bytes;
    found.label_bytes = (size_t)(text + length - found.label);
    return found;
}

/* PaddleClas' rule first: the text before the first delimiter, and that up to the next one. Where
 * that gives no number, the path has the delimiter itself: the label is what follows the last. */
static fields split_at(const char *delimiter, const char *text, size_t length)
{
    const char *first = find(text, length, delimiter, 0);
    if (first == NULL)
        return (fields){.path = text, .path_bytes = length};
    fields found = cut(text, length, first, strlen(delimiter));
    const char *next = find(found.label, found.label_bytes, delimiter, 0);
    if (next != NULL)
        found.label_bytes = (size_t)(next - found.label);
    r2n_text_trim(&found.label, &found.label_bytes);
    if (next == NULL || is_number(found.label, found.label_bytes))
        return found;
    fields other = cut(text, length, find(text, length, delimiter, 1), strlen(delimiter));
    r2n_text_trim(&other.label, &other.label_bytes);
    return is_number(other.label, other.label_bytes) ? other : found;
}

/* The label is what follows the last run of blanks, so that paths may have some. */
static fields split_at_blanks(const char *text, size_t length)
{
    size_t at = length;
    while (at > 0 && !r2n_is_blank(text[at - 1]))
        at--;
    if (at == 0)
        return (fields){.path = text, .path_bytes = length};
    return cut(text, length, text + at, 0);
}

/* "my cat.jpg" 0: the path ends at the quote that a delimiter or the line's end follows. 0 where
 * the quote is a part of a name, as in "a".jpg. */
static int split_quoted(const char *delimiter, const char *text, size_t length, fields *found)
{
    size_t end = 1;
    if (length < 3 || text[0] != '"')
        return 0;
    while (end < length && (text[end] != '"' || (end + 1 < length && text[end + 1] == '"')))
        end += text[end] == '"' ? 2 : 1;
    if (end >= length || end == 1)
        return 0;
    const char *rest = text + end + 1;
    size_t rest_bytes = length - end - 1;
    const int blank = rest_bytes > 0 && r2n_is_blank(*rest);
    r2n_text_trim(&rest, &rest_bytes);
    if (delimiter != NULL && rest_bytes > 0) {
        const size_t size = strlen(delimiter);
        if (rest_bytes < size || memcmp(rest, delimiter, size) != 0)
            return 0;
        rest += size;
        rest_bytes -= size;
        const char *next = find(rest, rest_bytes, delimiter, 0);
        if (next != NULL)
            rest_bytes = (size_t)(next - rest);
        r2n_text_trim(&rest, &rest_bytes);
    } else if (rest_bytes > 0 && !blank) {
        return 0;
    }
    *found = (fields){.path = text + 1,
                      .path_bytes = end - 1,
                      .label = rest,
                      .label_bytes = rest_bytes,
                      .quoted = 1};
    return 1;
}

static fields split(const list_reader *reader, const char *text, size_t length)
{
    fields found;
    if (split_quoted(reader->delimiter, text, length, &found))
        return found;
    found = reader->delimiter != NULL ? split_at(reader->delimiter, text, length)
                                      : split_at_blanks(text, length);
    r2n_text_trim(&found.path, &found.path_bytes);
    /* A list of names only: what looked like a label is the name's end. */
    if (reader->options->labels_optional && reader->delimiter == NULL &&
        !is_number(found.label, found.label_bytes))
        found = (fields){.path = text, .path_bytes = length};
    return found;
}

/* ---- paths --------------------------------------------------------------------------------- */

/* Windows tools write "folder\picture.jpg". A name that exists as it stands is left alone. */
static char *turn_backslashes(char *path, size_t from)
{
    if (strchr(path + from, '\\') == NULL || r2n_os_exists(path))
        return path;
    char *turned = r2n_copy_string(path);
    if (turned == NULL) {
        r2n_free(path);
        return NULL;
    }
    for (char *at = turned + from; *at != '\0'; at++)
        if (*at == '\\')
            *at = '/';
    const int found = r2n_os_exists(turned);
    r2n_free(found ? path : turned);
    return found ? turned : path;
}

static void halve_quotes(char *path)
{
    char *to = path;
    for (const char *from = path; *from != '\0'; from += from[0] == '"' && from[1] == '"' ? 2 : 1)
        *to++ = *from;
    *to = '\0';
}

/* NULL without memory. */
static char *full_path(const list_reader *reader, const fields *found)
{
    char *path = r2n_copy_bytes(found->path, found->path_bytes);
    if (path == NULL)
        return NULL;
    if (found->quoted)
        halve_quotes(path);
    const size_t bytes = strlen(path);
    char *joined = r2n_path_join(reader->root, reader->root_bytes, path, bytes);
    r2n_free(path);
    /* A file of that name: only on a command line is it standard input. */
    if (joined != NULL && strcmp(joined, "-") == 0) {
        r2n_free(joined);
        joined = r2n_copy_string("./-");
    }
    return joined == NULL ? NULL : turn_backslashes(joined, strlen(joined) - bytes);
}

/* ---- lines --------------------------------------------------------------------------------- */

static res2net_status read_label(const list_reader *reader, int64_t line, const fields *found,
                                 int32_t *label)
{
    const int32_t classes = reader->options->classes;
    int64_t value = 0;
    if (!is_number(found->label, found->label_bytes))
        return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line,
                             "\"%.*s\" is no label; expected a whole number from 0",
                             (int)(found->label_bytes < 40 ? found->label_bytes : 40),
                             found->label);
    for (size_t i = 0; i < found->label_bytes && value <= R2N_MAXIMUM_LABEL; i++)
        value = value * 10 + (found->label[i] - '0');
    if (value > R2N_MAXIMUM_LABEL)
        return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line,
                             "the label is over %d", R2N_MAXIMUM_LABEL);
    if (classes > 0 && value >= classes)
        return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line,
                             "label %" PRId64 ", but there are %" PRId32 " classes (0 to %" PRId32
                             ")",
                             value, classes, classes - 1);
    *label = (int32_t)value;
    return RES2NET_OK;
}

static res2net_status no_memory(const list_reader *reader, int64_t line)
{
    return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->name, -1,
                    "no memory for the path in line %" PRId64, line);
}

/* A line that begins with '#' is a comment, unless it is an item whose file exists ("#1.jpg 0"). */
static res2net_status check_comment(const list_reader *reader, int64_t line, const fields *found,
                                    int *is_comment)
{
    *is_comment = 1;
    if ((!reader->options->labels_optional && !is_number(found->label, found->label_bytes)) ||
        found->path_bytes == 0 || found->path_bytes > R2N_MAXIMUM_PATH_BYTES)
        return RES2NET_OK;
    char *path = full_path(reader, found);
    if (path == NULL)
        return no_memory(reader, line);
    *is_comment = !r2n_os_exists(path);
    r2n_free(path);
    return RES2NET_OK;
}

static res2net_status check_line(const list_reader *reader, int64_t line, const char *text,
                                 size_t length, const fields *found)
{
    const char *control = r2n_text_find_control(text, length);
    if (control != NULL && *control == '\r')
        return bad_line(reader, line,
                        "a carriage return inside the line; end lines with LF or CR LF");
    if (control != NULL)
        return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line,
                             "a control character (a byte of value %d) inside the line",
                             (uint8_t)*control);
    if (found->path_bytes == 0 || (found->label_bytes == 0 && !reader->options->labels_optional))
        return r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line,
                             "no label; expected a path, %s%s%s and a whole number",
                             reader->delimiter == NULL ? "a blank" : "the delimiter \"",
                             reader->delimiter == NULL ? "" : reader->delimiter,
                             reader->delimiter == NULL ? "" : "\"");
    if (found->path_bytes > R2N_MAXIMUM_PATH_BYTES)
        return bad_line(reader, line, "the path is longer than 4096 bytes");
    return RES2NET_OK;
}

static res2net_status read_line(list_reader *reader, int64_t line, const char *text, size_t length)
{
    const fields found = split(reader, text, length);
    int32_t label = -1;
    if (text[0] == '#') {
        int is_comment;
        const res2net_status status = check_comment(reader, line, &found, &is_comment);
        if (status != RES2NET_OK || is_comment)
            return status;
    }
    res2net_status status = check_line(reader, line, text, length, &found);
    if (status == RES2NET_OK && !reader->options->labels_optional)
        status = read_label(reader, line, &found, &label);
    if (status != RES2NET_OK)
        return status;
    char *path = full_path(reader, &found);
    if (path == NULL)
        return no_memory(reader, line);
    return r2n_dataset_append(reader->dataset, &reader->capacity, path, -1, label, line,
                              reader->report);
}

/* All lines; the last status that is not OK. */
static res2net_status read_lines(list_reader *reader, const void *data, size_t size)
{
    r2n_text_lines lines = r2n_text_begin(data, size);
    const char *line;
    size_t length;
    res2net_status result = RES2NET_OK;
    while (r2n_text_next(&lines, &line, &length)) {
        const res2net_status status =
            length == 0 ? RES2NET_OK : read_line(reader, lines.number, line, length);
        if (status == RES2NET_OUT_OF_MEMORY)
            return status;
        if (status != RES2NET_OK) {
            reader->dataset->bad_lines++;
            result = status;
        }
    }
    return result;
}

const char *r2n_list_root(const char *name, const char *root, size_t *bytes)
{
    const char *slash = strrchr(name, '/');
    *bytes = root != NULL ? strlen(root) : slash == NULL ? 0 : (size_t)(slash - name) + 1;
    return root != NULL ? root : name;
}

res2net_status r2n_list_read(r2n_dataset *dataset, const void *data, size_t size, const char *name,
                             const r2n_dataset_options *options, res2net_report *report)
{
    const int usual = options->delimiter == NULL || strcmp(options->delimiter, " ") == 0;
    list_reader reader = {.dataset = dataset,
                          .name = name,
                          .delimiter = usual ? NULL : options->delimiter,
                          .options = options,
                          .report = report};
    reader.root = r2n_list_root(name, options->root, &reader.root_bytes);
    dataset->kind = R2N_DATASET_LIST;
    const res2net_status status = read_lines(&reader, data, size);
    if (status == RES2NET_OUT_OF_MEMORY)
        return status;
    if (status != RES2NET_OK && (!options->keep_good_lines || dataset->count == 0))
        return status;
    if (dataset->count == 0)
        return r2n_fail(report, RES2NET_BAD_LIST, name, -1,
                        "the list has no item; expected \"path label\" lines");
    return RES2NET_OK;
}
