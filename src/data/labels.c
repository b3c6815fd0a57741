/* SPDX-License-Identifier: Apache-2.0 */
/* Label files: one name a line, PaddleClas' "index name" lines, and what other tools write. */
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
    char quote;   /* the one it stood in: a backslash before it, or before another, is none */
} label;

typedef struct label_reader {
    const char *name; /* of the file */
    label *labels;
    size_t capacity; /* lines of the file: there cannot be more classes */
    size_t count;
    res2net_status status;
    res2net_report *report;
} label_reader;

typedef enum label_form {
    FORM_NAMES,      /* a name a line */
    FORM_SYNSETS,    /* "n01440764 tench, Tinca tinca", in class order */
    FORM_INDICES,    /* "0 tench, Tinca tinca" */
    FORM_DICTIONARY, /* "{0: 'tench, Tinca tinca'," as Python prints it, or YAML's "0: tench" */
    FORM_COUNT
} label_form;

/* The number that begins a line: *index (-1 where it is larger than any) and its digits. */
static size_t read_index(const char *line, size_t length, int64_t *index)
{
    size_t at = 0;
    *index = 0;
    while (at < length && line[at] >= '0' && line[at] <= '9') {
        if (*index >= 0)
            *index = *index > R2N_MAXIMUM_LABEL ? -1 : *index * 10 + (line[at] - '0');
        at++;
    }
    return at;
}

/* "12 tench, Tinca tinca" or "12,tench": the place of the name, 0 where the line is no such. */
static size_t split_index(const char *line, size_t length, int64_t *index)
{
    size_t at = read_index(line, length, index);
    if (at == 0 || at >= length)
        return 0;
    if (r2n_is_blank(line[at]))
        return at + 1;
    if (line[at] != ',')
        return 0;
    do
        at++;
    while (at < length && r2n_is_blank(line[at]));
    return at < length ? at : 0;
}

static size_t split_synset(const char *line, size_t length)
{
    enum { DIGITS = 8 };
    int64_t number;
    return length > DIGITS + 2 && line[0] == 'n' &&
                   read_index(line + 1, length - 1, &number) == DIGITS &&
                   r2n_is_blank(line[DIGITS + 1])
               ? DIGITS + 2
               : 0;
}

/* "{0: 'tench, Tinca tinca',": *name is all behind the colon. 0 where the line is no such. */
static int split_entry(const char *line, size_t length, int64_t *index, const char **name,
                       size_t *bytes)
{
    if (length > 0 && line[0] == '{') {
        line++;
        length--;
    }
    r2n_text_trim(&line, &length);
    const char *end = line + length;
    line += read_index(line, length, index);
    if (line == end - length)
        return 0;
    while (line < end && r2n_is_blank(*line))
        line++;
    if (line == end || *line != ':')
        return 0;
    line++;
    *name = line;
    *bytes = (size_t)(end - line);
    r2n_text_trim(name, bytes);
    return 1;
}

/* Without the "," and "}" behind a quoted name, and without its quotes; *quote is 0 for none. 0
 * where the line is not one quoted name. */
static int strip_quotes(const char **name, size_t *bytes, char *quote)
{
    *quote = **name == '\'' || **name == '"' ? **name : '\0';
    if (*quote == '\0')
        return 1;
    while (*bytes > 1 && ((*name)[*bytes - 1] == ',' || (*name)[*bytes - 1] == '}' ||
                          r2n_is_blank((*name)[*bytes - 1])))
        --*bytes;
    if (*bytes < 2 || (*name)[*bytes - 1] != *quote)
        return 0;
    ++*name;
    *bytes -= 2;
    for (size_t i = 0; i < *bytes; i++) {
        if ((*name)[i] == *quote)
            return 0; /* several entries in a line */
        i += (*name)[i] == '\\';
    }
    return 1;
}

/* A line that opens or closes a dictionary and has no entry. */
static int is_brace(const char *line, size_t length)
{
    return length == 1 && (line[0] == '{' || line[0] == '}');
}

/* What kind of lines a file has; a list of names may hold a "3 wheeler". Also counts the lines. */
static label_form find_form(const void *data, size_t size, size_t *line_count)
{
    r2n_text_lines lines = r2n_text_begin(data, size);
    const char *line, *name;
    size_t length, bytes;
    size_t of_form[FORM_COUNT] = {0};
    size_t filled = 0;
    int first_is_zero = 0;
    *line_count = 0;
    while (r2n_text_next(&lines, &line, &length)) {
        int64_t index;
        ++*line_count;
        if (length == 0 || is_brace(line, length))
            continue;
        const int indexed = split_index(line, length, &index) > 0;
        first_is_zero |= filled == 0 && indexed && index == 0;
        of_form[FORM_INDICES] += indexed;
        of_form[FORM_SYNSETS] += split_synset(line, length) > 0;
        of_form[FORM_DICTIONARY] += split_entry(line, length, &index, &name, &bytes);
        filled++;
    }
    if (filled > 0 && of_form[FORM_SYNSETS] == filled)
        return FORM_SYNSETS;
    if (2 * of_form[FORM_DICTIONARY] > filled)
        return FORM_DICTIONARY;
    return first_is_zero || 2 * of_form[FORM_INDICES] > filled ? FORM_INDICES : FORM_NAMES;
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

/* A name of blanks is none; those before a name are its own. */
static void trim_end(label *name)
{
    while (name->bytes > 0 && r2n_is_blank(name->text[name->bytes - 1]))
        name->bytes--;
}

static void put_name(label_reader *reader, int64_t number, int64_t index, label name)
{
    trim_end(&name);
    if (name.bytes == 0) {
        bad_line(reader, number, "a class without a name");
        return;
    }
    if (!check_name(reader, number, name.text, name.bytes))
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
        *place = name;
}

static void add_indexed(label_reader *reader, int64_t number, const char *line, size_t length)
{
    int64_t index;
    const size_t at = split_index(line, length, &index);
    if (at == 0)
        bad_line(reader, number, "expected an index, a blank and a name, as in \"0 tench\"");
    else
        put_name(reader, number, index,
                 (label){.text = line + at, .bytes = length - at, .line = number});
}

static void add_entry(label_reader *reader, int64_t number, const char *line, size_t length)
{
    int64_t index;
    label name = {.line = number};
    if (is_brace(line, length))
        return;
    if (!split_entry(line, length, &index, &name.text, &name.bytes) || name.bytes == 0 ||
        !strip_quotes(&name.text, &name.bytes, &name.quote))
        bad_line(reader, number, "expected an index, a colon and one name, as in \"0: 'tench',\"");
    else
        put_name(reader, number, index, name);
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
    if ((uint64_t)number != reader->count + 1) {
        bad_line(reader, (int64_t)reader->count + 1, "a class without a name (a blank line)");
        reader->count = (size_t)number - 1;
    }
    if (check_name(reader, number, line, length))
        reader->labels[reader->count] = (label){.text = line, .bytes = length, .line = number};
    reader->count++;
}

static char *put_text(char *at, const label *name)
{
    for (size_t i = 0; i < name->bytes; i++) {
        const int escape = name->quote != '\0' && name->text[i] == '\\' && i + 1 < name->bytes &&
                           (name->text[i + 1] == name->quote || name->text[i + 1] == '\\');
        i += (size_t)escape;
        *at++ = name->text[i];
    }
    return at;
}

static char *join(const label_reader *reader)
{
    size_t bytes = 0;
    for (size_t i = 0; i < reader->count; i++)
        bytes += reader->labels[i].bytes + 1;
    char *joined = r2n_allocate(bytes, 1);
    char *at = joined;
    for (size_t i = 0; joined != NULL && i < reader->count; i++) {
        at = put_text(at, &reader->labels[i]);
        *at++ = i + 1 == reader->count ? '\0' : '\n';
    }
    return joined;
}

static void read_lines(label_reader *reader, const void *data, size_t size, label_form form)
{
    r2n_text_lines lines = r2n_text_begin(data, size);
    const char *line;
    size_t length;
    while (r2n_text_next(&lines, &line, &length)) {
        const size_t synset = form == FORM_SYNSETS ? split_synset(line, length) : 0;
        if (length == 0)
            continue;
        if (form == FORM_INDICES)
            add_indexed(reader, lines.number, line, length);
        else if (form == FORM_DICTIONARY)
            add_entry(reader, lines.number, line, length);
        else
            add_plain(reader, lines.number, line + synset, length - synset);
    }
    if (form == FORM_INDICES || form == FORM_DICTIONARY)
        check_no_gap(reader);
    if (reader->status == RES2NET_OK && reader->count == 0)
        reader->status =
            r2n_fail(reader->report, RES2NET_BAD_LIST, reader->name, -1, "the file names no class");
    if (reader->status == RES2NET_OK && reader->count > R2N_MAXIMUM_LABEL)
        reader->status =
            r2n_fail(reader->report, RES2NET_BAD_LIST, reader->name, -1,
                     "%zu classes; at most %d are supported", reader->count, R2N_MAXIMUM_LABEL);
}

/* JSON is refused by name: {"0": ["n01440764", "tench"]} and ["tench", ...] are read as lines. */
static int is_json(const r2n_text *text)
{
    r2n_text_lines lines = r2n_text_begin(text->data, text->size);
    const char *line, *name;
    size_t length, bytes;
    int64_t index;
    while (r2n_text_next(&lines, &line, &length))
        if (length > 0)
            return (line[0] == '{' || line[0] == '[') && !is_brace(line, length) &&
                   !split_entry(line, length, &index, &name, &bytes) &&
                   memchr(line, '"', length) != NULL;
    return 0;
}

static res2net_status parse_text(const r2n_text *text, label_reader *reader, char **names)
{
    const label_form form = find_form(text->data, text->size, &reader->capacity);
    if (form == FORM_NAMES && is_json(text))
        return r2n_fail(reader->report, RES2NET_BAD_LIST, reader->name, 0,
                        "the file is JSON; a label file has one name a line");
    reader->labels = r2n_allocate_zeroed(reader->capacity, sizeof(*reader->labels));
    if (reader->labels != NULL)
        read_lines(reader, text->data, text->size, form);
    if (reader->labels != NULL && reader->status == RES2NET_OK)
        *names = join(reader);
    if (*names == NULL && reader->status == RES2NET_OK)
        reader->status = r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->name, -1,
                                  "no memory for the names of %zu lines", reader->capacity);
    r2n_free(reader->labels);
    return reader->status;
}

res2net_status r2n_labels_parse(const void *data, size_t size, const char *name, char **names,
                                int32_t *count, res2net_report *report)
{
    label_reader reader = {.name = name, .report = report};
    r2n_text text;
    *names = NULL;
    *count = 0;
    res2net_status status =
        r2n_text_open(data, size, name, "a label file (one name a line)", &text, report);
    if (status != RES2NET_OK)
        return status;
    status = parse_text(&text, &reader, names);
    if (status == RES2NET_OK)
        *count = (int32_t)reader.count;
    r2n_text_close(&text);
    return status;
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
