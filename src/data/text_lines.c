/* SPDX-License-Identifier: Apache-2.0 */
#include "data/text_lines.h"

#include <inttypes.h>
#include <string.h>

#include "formats/utf8.h"

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
    if (mark == 0xfeff || mark == 0xfffe || zeros_alternate(bytes, size))
        return R2N_TEXT_UTF16;
    for (; *offset < size; ++*offset)
        if (is_control(bytes[*offset]))
            return R2N_TEXT_BINARY;
    return R2N_TEXT;
}

res2net_status r2n_text_check(const void *data, size_t size, const char *name, const char *what,
                              res2net_report *report)
{
    size_t offset;
    if (size == 0)
        return r2n_fail(report, RES2NET_BAD_LIST, name, 0, "the file is empty; %s was expected",
                        what);
    const r2n_text_kind kind = r2n_text_sniff(data, size, &offset);
    if (kind == R2N_TEXT_UTF16)
        return r2n_fail(report, RES2NET_BAD_LIST, name, 0,
                        "the file is UTF-16 text; save it as UTF-8");
    if (kind == R2N_TEXT_BINARY)
        return r2n_fail(report, RES2NET_BAD_LIST, name, (int64_t)offset,
                        "the file is not text (a byte of value %d); %s was expected",
                        ((const uint8_t *)data)[offset], what);
    return RES2NET_OK;
}

r2n_text_lines r2n_text_begin(const void *data, size_t size)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    r2n_text_lines lines = {.cursor = r2n_cursor(data, size), .number = 0};
    if (size >= sizeof mark && memcmp(data, mark, sizeof mark) == 0)
        r2n_cursor_skip(&lines.cursor, sizeof mark);
    return lines;
}

static int is_blank(char letter)
{
    return letter == ' ' || letter == '\t';
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
    while (bytes > 0 && is_blank(start[bytes - 1]))
        bytes--;
    while (bytes > 0 && is_blank(*start)) {
        start++;
        bytes--;
    }
    *line = start;
    *length = bytes;
    return 1;
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
