/* SPDX-License-Identifier: Apache-2.0 */
/* Label files: one name a line, or PaddleClas' "index name" lines. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "data/sources.h"
#include "data/text_lines.h"

static const size_t file_limit = (size_t)16 << 20;

/* The name of one class, in the file's bytes. */
typedef struct label {
    const char *text;
    size_t bytes;
    int64_t line; /* 0: none yet */
} label;

typedef struct label_reader {
    const char *name; /* of the file */
    label *labels;
    size_t capacity; /* lines of the file: there cannot be more classes */
    size_t count;
    res2net_status status;
    res2net_report *report;
} label_reader;

/* "12 tench, Tinca tinca": *index = 12 (-1 where it is larger than any) and the place of the name.
 * 0 where the line is no such. */
static size_t split_index(const char *line, size_t length, int64_t *index)
{
    size_t at = 0;
    *index = 0;
    while (at < length && line[at] >= '0' && line[at] <= '9') {
        if (*index >= 0)
            *index = *index > R2N_MAXIMUM_LABEL ? -1 : *index * 10 + (line[at] - '0');
        at++;
    }
    return at > 0 && at < length && (line[at] == ' ' || line[at] == '\t') ? at + 1 : 0;
}

/* A file is of "index name" lines when its first line has index 0 or most lines have one: a list of
 * names may hold a "3 wheeler". Also counts the lines. */
static int has_indices(const void *data, size_t size, size_t *line_count)
{
    r2n_text_lines lines = r2n_text_begin(data, size);
    const char *line;
    size_t length;
    size_t with_index = 0;
    size_t filled = 0;
    int first_is_zero = 0;
    *line_count = 0;
    while (r2n_text_next(&lines, &line, &length)) {
        int64_t index;
        ++*line_count;
        if (length == 0)
            continue;
        const int split = split_index(line, length, &index) > 0;
        first_is_zero |= filled == 0 && split && index == 0;
        with_index += split;
        filled++;
    }
    return first_is_zero || 2 * with_index > filled;
}

static void bad_line(label_reader *reader, int64_t line, const char *reason)
{
    reader->status =
        r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, line, "%s", reason);
}

/* Names go to terminals and into JSON. */
static int check_name(label_reader *reader, int64_t line, const char *text, size_t bytes)
{
    const size_t bad = r2n_text_bad_byte(text, bytes);
    if (bad < bytes)
        reader->status = r2n_fail_line(
            reader->report, RES2NET_BAD_LIST, reader->name, line,
            "the name has a byte of value %d, a control character or no UTF-8; save the file as "
            "UTF-8 text",
            (uint8_t)text[bad]);
    return bad == bytes;
}

static void add_indexed(label_reader *reader, int64_t number, const char *line, size_t length)
{
    int64_t index;
    const size_t at = split_index(line, length, &index);
    if (length == 0)
        return;
    if (at == 0) {
        bad_line(reader, number, "expected an index, a blank and a name, as in \"0 tench\"");
        return;
    }
    if (!check_name(reader, number, line + at, length - at))
        return;
    reader->count++;
    if (index < 0 || (uint64_t)index >= reader->capacity)
        return; /* a smaller one is missing then: check_no_gap tells */
    label *place = &reader->labels[index];
    if (place->line > 0)
        reader->status = r2n_fail_line(reader->report, RES2NET_BAD_LIST, reader->name, number,
                                       "class %" PRId64 " was already named in line %" PRId64,
                                       index, place->line);
    else
        *place = (label){.text = line + at, .bytes = length - at, .line = number};
}

static void check_no_gap(label_reader *reader)
{
    for (size_t i = 0; i < reader->count && reader->status == RES2NET_OK; i++)
        if (reader->labels[i].line == 0)
            reader->status = r2n_fail(reader->report, RES2NET_BAD_LIST, reader->name, -1,
                                      "class %zu has no name; %zu classes are named and must be 0 "
                                      "to %zu",
                                      i, reader->count, reader->count - 1);
}

/* Blank lines at the end are none; before that they would shift all later classes. */
static void add_plain(label_reader *reader, int64_t number, const char *line, size_t length)
{
    if (length == 0)
        return;
    if ((uint64_t)number != reader->count + 1) {
        bad_line(reader, (int64_t)reader->count + 1, "a class without a name (a blank line)");
        reader->count = (size_t)number - 1;
    }
    if (check_name(reader, number, line, length))
        reader->labels[reader->count] = (label){.text = line, .bytes = length, .line = number};
    reader->count++;
}

static char *join(const label_reader *reader)
{
    size_t bytes = 0;
    for (size_t i = 0; i < reader->count; i++)
        bytes += reader->labels[i].bytes + 1;
    char *joined = r2n_allocate(bytes, 1);
    char *at = joined;
    for (size_t i = 0; joined != NULL && i < reader->count; i++) {
        memcpy(at, reader->labels[i].text, reader->labels[i].bytes);
        at += reader->labels[i].bytes;
        *at++ = i + 1 == reader->count ? '\0' : '\n';
    }
    return joined;
}

static void read_lines(label_reader *reader, const void *data, size_t size, int indexed)
{
    r2n_text_lines lines = r2n_text_begin(data, size);
    const char *line;
    size_t length;
    while (r2n_text_next(&lines, &line, &length)) {
        if (indexed)
            add_indexed(reader, lines.number, line, length);
        else
            add_plain(reader, lines.number, line, length);
    }
    if (indexed)
        check_no_gap(reader);
    if (reader->status == RES2NET_OK && reader->count == 0)
        reader->status =
            r2n_fail(reader->report, RES2NET_BAD_LIST, reader->name, -1, "the file names no class");
    if (reader->status == RES2NET_OK && reader->count > R2N_MAXIMUM_LABEL)
        reader->status =
            r2n_fail(reader->report, RES2NET_BAD_LIST, reader->name, -1,
                     "%zu classes; at most %d are supported", reader->count, R2N_MAXIMUM_LABEL);
}

res2net_status r2n_labels_parse(const void *data, size_t size, const char *name, char **names,
                                int32_t *count, res2net_report *report)
{
    label_reader reader = {.name = name, .report = report};
    *names = NULL;
    *count = 0;
    const res2net_status status =
        r2n_text_check(data, size, name, "a label file (one name a line)", report);
    if (status != RES2NET_OK)
        return status;
    const int indexed = has_indices(data, size, &reader.capacity);
    reader.labels = r2n_allocate_zeroed(reader.capacity, sizeof(*reader.labels));
    if (reader.labels != NULL)
        read_lines(&reader, data, size, indexed);
    if (reader.labels != NULL && reader.status == RES2NET_OK)
        *names = join(&reader);
    if (*names == NULL && reader.status == RES2NET_OK)
        reader.status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1,
                                 "no memory for the names of %zu lines", reader.capacity);
    if (reader.status == RES2NET_OK)
        *count = (int32_t)reader.count;
    r2n_free(reader.labels);
    return reader.status;
}

res2net_status r2n_labels_read(const char *path, char **names, int32_t *count,
                               res2net_report *report)
{
    r2n_file_bytes file;
    *names = NULL;
    *count = 0;
    res2net_status status = r2n_file_read(path, file_limit, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_labels_parse(file.data, file.size, path, names, count, report);
    r2n_file_release(&file);
    return status;
}
