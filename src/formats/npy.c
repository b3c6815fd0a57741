/* SPDX-License-Identifier: Apache-2.0 */
/* The header is a Python dict literal: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 */
#include "formats/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "formats/byte_cursor.h"

static const char MAGIC[] = "\x93NUMPY";
enum { MAGIC_BYTES = 6, HEADER_ALIGNMENT = 64, MAXIMUM_HEADER = 1 << 16 };

typedef struct parser {
    r2n_byte_cursor cursor; /* over the header's text */
    const char *name;
    int64_t base;
    res2net_report *report;
    char descr[8];
    int has_descr, has_order, has_shape;
    r2n_npy *out;
} parser;

static res2net_status bad_header(const parser *p, const char *what)
{
    return r2n_fail(p->report, RES2NET_DAMAGED, p->name, p->base + (int64_t)p->cursor.position,
                    "npy header: %s", what);
}

static int peek(const parser *p)
{
    return r2n_cursor_left(&p->cursor) == 0 ? -1 : p->cursor.data[p->cursor.position];
}

static void skip_blanks(parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\n' || peek(p) == '\t')
        p->cursor.position++;
}

/* Takes one character after blanks; 0 where another one stands there. */
static int take(parser *p, char wanted)
{
    skip_blanks(p);
    if (peek(p) != wanted)
        return 0;
    p->cursor.position++;
    return 1;
}

static int take_word(parser *p, const char *word)
{
    const size_t length = strlen(word);
    if (r2n_cursor_left(&p->cursor) < length ||
        memcmp(p->cursor.data + p->cursor.position, word, length) != 0)
        return 0;
    p->cursor.position += length;
    return 1;
}

/* A quoted text without escapes. */
static int take_text(parser *p, char *text, size_t size)
{
    skip_blanks(p);
    const int quote = peek(p);
    size_t used = 0;
    if (quote != '\'' && quote != '"')
        return 0;
    p->cursor.position++;
    while (peek(p) >= 0 && peek(p) != quote) {
        if (peek(p) == '\\' || used + 1 >= size)
            return 0;
        text[used++] = (char)r2n_cursor_u8(&p->cursor);
    }
    text[used] = '\0';
    return r2n_cursor_u8(&p->cursor) == quote;
}

static int take_integer(parser *p, int64_t *number)
{
    const size_t start = p->cursor.position;
    *number = 0;
    while (peek(p) >= '0' && peek(p) <= '9') {
        const int digit = r2n_cursor_u8(&p->cursor) - '0';
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, digit, number))
            return 0;
    }
    return p->cursor.position > start;
}

static res2net_status read_shape(parser *p)
{
    r2n_npy *out = p->out;
    out->rank = 0;
    out->count = 1;
    if (!take(p, '('))
        return bad_header(p, "the shape is no tuple");
    while (!take(p, ')')) {
        int64_t size;
        if (out->rank == R2N_NPY_MAXIMUM_RANK)
            return r2n_fail(p->report, RES2NET_LIMIT_EXCEEDED, p->name, p->base,
                            "npy: more than %d dimensions", (int)R2N_NPY_MAXIMUM_RANK);
        if (!take_integer(p, &size) || __builtin_mul_overflow(out->count, size, &out->count))
            return bad_header(p, "the shape is no tuple of whole numbers, or too large");
        out->shape[out->rank++] = size;
        if (!take(p, ',') && peek(p) != ')')
            return bad_header(p, "expected ',' or ')' in the shape");
        skip_blanks(p);
    }
    return RES2NET_OK;
}

static res2net_status read_member(parser *p)
{
    char key[32];
    if (!take_text(p, key, sizeof key) || !take(p, ':'))
        return bad_header(p, "expected a quoted key and ':'");
    skip_blanks(p);
    if (strcmp(key, "descr") == 0 && !p->has_descr) {
        p->has_descr = 1;
        return take_text(p, p->descr, sizeof p->descr)
                   ? RES2NET_OK
                   : bad_header(p, "a type of several fields is not supported");
    }
    if (strcmp(key, "fortran_order") == 0 && !p->has_order) {
        p->has_order = 1;
        if (take_word(p, "True"))
            return r2n_fail(p->report, RES2NET_UNSUPPORTED, p->name, p->base,
                            "npy: Fortran order is not supported; save np.ascontiguousarray(x)");
        return take_word(p, "False") ? RES2NET_OK : bad_header(p, "expected True or False");
    }
    if (strcmp(key, "shape") == 0 && !p->has_shape) {
        p->has_shape = 1;
        return read_shape(p);
    }
    return bad_header(p, "an unknown key, or one that is there twice");
}

static res2net_status read_dict(parser *p)
{
    if (!take(p, '{'))
        return bad_header(p, "expected '{'");
    while (!take(p, '}')) {
        const res2net_status status = read_member(p);
        if (status != RES2NET_OK)
            return status;
        if (!take(p, ',') && peek(p) != '}')
            return bad_header(p, "expected ',' or '}'");
    }
    if (!p->has_descr || !p->has_order || !p->has_shape)
        return bad_header(p, "descr, fortran_order or shape is missing");
    return RES2NET_OK;
}

static size_t element_bytes(const char *descr)
{
    if (strcmp(descr, "<f4") == 0)
        return 4;
    if (strcmp(descr, "<f8") == 0)
        return 8;
    return strcmp(descr, "|u1") == 0 ? 1 : 0;
}

static float element(const uint8_t *at, size_t bytes)
{
    float single;
    double wide;
    if (bytes == 1)
        return *at;
    if (bytes == 8) {
        memcpy(&wide, at, sizeof wide);
        return (float)wide;
    }
    memcpy(&single, at, sizeof single);
    return single;
}

static res2net_status read_data(const parser *p, r2n_byte_cursor *cursor)
{
    r2n_npy *out = p->out;
    const size_t bytes = element_bytes(p->descr);
    if (bytes == 0)
        return r2n_fail(p->report, RES2NET_UNSUPPORTED, p->name, p->base,
                        "npy: the type \"%s\" is not supported; save it as float32 "
                        "(\"<f4\"), float64 (\"<f8\") or uint8 (\"|u1\")",
                        p->descr);
    const size_t left = r2n_cursor_left(cursor);
    if ((uint64_t)out->count > left / bytes || (size_t)out->count * bytes != left)
        return r2n_fail(p->report, RES2NET_DAMAGED, p->name, (int64_t)cursor->position,
                        "npy: the shape needs %" PRId64 " elements of %zu bytes, but %zu bytes "
                        "follow the header",
                        out->count, bytes, left);
    out->data = r2n_allocate((size_t)out->count, sizeof *out->data);
    if (out->data == NULL)
        return r2n_fail(p->report, RES2NET_OUT_OF_MEMORY, p->name, -1,
                        "no memory for %" PRId64 " numbers", out->count);
    const uint8_t *from = r2n_cursor_take(cursor, left);
    for (int64_t i = 0; i < out->count; i++)
        out->data[i] = element(from + (size_t)i * bytes, bytes);
    return RES2NET_OK;
}

res2net_status r2n_npy_parse(const void *bytes, size_t size, const char *name, r2n_npy *out,
                             res2net_report *report)
{
    r2n_byte_cursor cursor = r2n_cursor(bytes, size);
    *out = (r2n_npy){0};
    const uint8_t *magic = r2n_cursor_take(&cursor, MAGIC_BYTES);
    if (magic == NULL || memcmp(magic, MAGIC, MAGIC_BYTES) != 0)
        return r2n_fail(report, RES2NET_DAMAGED, name, 0, "not an .npy file");
    const uint8_t major = r2n_cursor_u8(&cursor);
    r2n_cursor_skip(&cursor, 1);
    if (!cursor.failed && (major < 1 || major > 3))
        return r2n_fail(report, RES2NET_UNSUPPORTED, name, 6, "npy version %u; 1 to 3 can be read",
                        major);
    const uint32_t length = major == 1 ? r2n_cursor_u16le(&cursor) : r2n_cursor_u32le(&cursor);
    if (!cursor.failed && length > MAXIMUM_HEADER)
        return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, name, 8,
                        "npy: a header of %" PRIu32 " bytes; at most %d are taken", length,
                        (int)MAXIMUM_HEADER);
    parser p = {.name = name, .base = (int64_t)cursor.position, .report = report, .out = out};
    p.cursor = r2n_cursor_window(&cursor, cursor.position, length);
    r2n_cursor_skip(&cursor, length);
    if (cursor.failed)
        return r2n_fail(report, RES2NET_DAMAGED, name, (int64_t)cursor.position,
                        "npy: the file ends inside its header");
    res2net_status status = read_dict(&p);
    if (status == RES2NET_OK)
        status = read_data(&p, &cursor);
    if (status != RES2NET_OK)
        *out = (r2n_npy){0};
    return status;
}

res2net_status r2n_npy_write(const char *path, int32_t rank, const int64_t *shape,
                             const float *data, res2net_report *report)
{
    char text[512];
    uint8_t head[MAGIC_BYTES + 4];
    size_t count = 1, used;
    r2n_file_writer *writer;
    if (rank < 0 || rank > R2N_NPY_MAXIMUM_RANK)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, path, -1, "npy: rank %" PRId32, rank);
    used =
        (size_t)snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int32_t i = 0; i < rank; i++) {
        if (shape[i] < 0 || !r2n_multiply_checked(count, (size_t)shape[i], &count))
            return r2n_fail(report, RES2NET_INVALID_ARGUMENT, path, -1, "npy: bad shape");
        used += (size_t)snprintf(text + used, sizeof text - used, "%" PRId64 "%s", shape[i],
                                 i + 1 == rank ? (rank == 1 ? "," : "") : ", ");
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "), }");
    while ((sizeof head + used + 1) % HEADER_ALIGNMENT != 0)
        text[used++] = ' ';
    text[used++] = '\n';
    memcpy(head, MAGIC, MAGIC_BYTES);
    head[6] = 1;
    head[7] = 0;
    head[8] = (uint8_t)(used & 0xFF);
    head[9] = (uint8_t)(used >> 8);
    const res2net_status status = r2n_writer_open(path, &writer, report);
    if (status != RES2NET_OK)
        return status;
    r2n_writer_put(writer, head, sizeof head);
    r2n_writer_put(writer, text, used);
    r2n_writer_put(writer, data, count * sizeof *data);
    return r2n_writer_close(writer, report);
}
