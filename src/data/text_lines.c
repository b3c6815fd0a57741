/* SPDX-License-Identifier: Apache-2.0 */
#include "data/text_lines.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "data/text_utf16.h"
#include "formats/utf8.h"

enum { UTF16_MARK_BYTES = 2 };

static int is_control(uint8_t byte)
{
    return byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r';
}

/* ASCII in UTF-16 without a mark: zeros at all odd or all even places of the beginning. */
static int zeros_alternate(const uint8_t *data, size_t size)
{
    const size_t looked_at = size < 32 ? size : 32;
    size_t zeros[2] = {0, 0};
    if (looked_at < 8)
        return 0;
    for (size_t i = 0; i < looked_at; i++)
        zeros[i % 2] += data[i] == 0;
    return (zeros[0] == 0 && zeros[1] == looked_at / 2) ||
           (zeros[1] == 0 && zeros[0] == (looked_at + 1) / 2);
}

r2n_text_kind r2n_text_sniff(const void *data, size_t size, size_t *offset)
{
    r2n_byte_cursor cursor = r2n_cursor(data, size);
    const uint16_t mark = size < 2 ? 0 : r2n_cursor_u16le(&cursor);
    const uint8_t *bytes = (const uint8_t *)data;
    *offset = 0;
    if (mark == 0xfeff || mark == 0xfffe)
        return mark == 0xfeff ? R2N_TEXT_UTF16_LE : R2N_TEXT_UTF16_BE;
    if (zeros_alternate(bytes, size))
        return R2N_TEXT_UTF16_UNMARKED;
    for (; *offset < size; ++*offset)
        if (is_control(bytes[*offset]))
            return R2N_TEXT_BINARY;
    return R2N_TEXT;
}

static res2net_status convert(const void *data, size_t size, int big_endian, const char *name,
                              r2n_text *out, res2net_report *report)
{
    const uint8_t *units = (const uint8_t *)data + UTF16_MARK_BYTES;
    size_t bad;
    size -= UTF16_MARK_BYTES;
    out->converted = r2n_allocate(r2n_utf16_bound(size), 1);
    if (out->converted == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1,
                        "no memory to convert the text from UTF-16");
    out->data = out->converted;
    out->size = r2n_utf16_to_utf8(units, size, big_endian, out->converted, &bad);
    if (bad == size)
        return RES2NET_OK;
    r2n_text_close(out);
    return r2n_fail(report, RES2NET_BAD_LIST, name, (int64_t)bad + UTF16_MARK_BYTES,
                    "the UTF-16 text is broken here (half a character, or a zero); save the file "
                    "again, as UTF-8");
}

res2net_status r2n_text_open(const void *data, size_t size, const char *name, const char *what,
                             r2n_text *out, res2net_report *report)
{
    size_t offset;
    *out = (r2n_text){.data = data, .size = size};
    if (size == 0)
        return r2n_fail(report, RES2NET_BAD_LIST, name, 0, "the file is empty; %s was expected",
                        what);
    const r2n_text_kind kind = r2n_text_sniff(data, size, &offset);
    if (kind == R2N_TEXT_UTF16_LE || kind == R2N_TEXT_UTF16_BE)
        return convert(data, size, kind == R2N_TEXT_UTF16_BE, name, out, report);
    if (kind == R2N_TEXT_UTF16_UNMARKED)
        return r2n_fail(report, RES2NET_BAD_LIST, name, 0,
                        "the file seems to be UTF-16 text without a byte-order mark; save it as "
                        "UTF-8");
    const uint8_t *zero = memchr(data, 0, size);
    if (zero != NULL)
        return r2n_fail(report, RES2NET_BAD_LIST, name, zero - (const uint8_t *)data,
                        "the file is not text (a byte of value 0); %s was expected", what);
    return RES2NET_OK;
}

void r2n_text_close(r2n_text *text)
{
    r2n_free(text->converted);
    *text = (r2n_text){0};
}

r2n_text_lines r2n_text_begin(const void *data, size_t size)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    r2n_text_lines lines = {.cursor = r2n_cursor(data, size), .number = 0};
    if (size >= sizeof mark && memcmp(data, mark, sizeof mark) == 0)
        r2n_cursor_skip(&lines.cursor, sizeof mark);
    return lines;
}

int r2n_is_blank(char letter)
{
    return letter == ' ' || letter == '\t';
}

void r2n_text_trim(const char **text, size_t *bytes)
{
    while (*bytes > 0 && r2n_is_blank((*text)[*bytes - 1]))
        --*bytes;
    while (*bytes > 0 && r2n_is_blank(**text)) {
        ++*text;
        --*bytes;
    }
}

int r2n_text_next(r2n_text_lines *lines, const char **line, size_t *length)
{
    const size_t left = r2n_cursor_left(&lines->cursor);
    if (left == 0)
        return 0;
    const char *start = (const char *)lines->cursor.data + lines->cursor.position;
    const char *end = memchr(start, '\n', left);
    size_t bytes = end == NULL ? left : (size_t)(end - start);
    r2n_cursor_skip(&lines->cursor, end == NULL ? left : bytes + 1);
    lines->number++;
    if (bytes > 0 && start[bytes - 1] == '\r')
        bytes--;
    r2n_text_trim(&start, &bytes);
    *line = start;
    *length = bytes;
    return 1;
}

const char *r2n_text_find_control(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((uint8_t)text[i] < 0x20 && text[i] != '\t')
            return text + i;
    return NULL;
}

size_t r2n_text_bad_byte(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint32_t character;
        const size_t bytes = r2n_utf8_decode((const uint8_t *)text + at, length - at, &character);
        /* C1 controls (U+0080 to U+009F) move a terminal's cursor as C0 do. */
        const int control = bytes > 0 && ((character < 0x20 && character != '\t') ||
                                          (character >= 0x7f && character < 0xa0));
        if (bytes == 0 || control)
            return at;
        at += bytes;
    }
    return length;
}
