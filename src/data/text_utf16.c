/* SPDX-License-Identifier: Apache-2.0 */
#include "data/text_utf16.h"

#include "formats/byte_cursor.h"
#include "formats/utf8.h"

size_t r2n_utf16_bound(size_t size)
{
    return size / 2 * 3; /* 2 bytes become at most 3, the 4 of a pair 4 */
}

static uint32_t read_unit(r2n_byte_cursor *cursor, int big_endian)
{
    const uint32_t unit = r2n_cursor_u16le(cursor);
    return big_endian ? (unit & 0xff) << 8 | unit >> 8 : unit;
}

static int is_high(uint32_t unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

static int is_low(uint32_t unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

/* 0 where the units at the cursor are no character; no text holds U+0000. */
static uint32_t read_character(r2n_byte_cursor *cursor, int big_endian)
{
    const uint32_t first = read_unit(cursor, big_endian);
    if (cursor->failed || is_low(first))
        return 0;
    if (!is_high(first))
        return first;
    const uint32_t second = read_unit(cursor, big_endian);
    if (cursor->failed || !is_low(second))
        return 0;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

size_t r2n_utf16_to_utf8(const void *data, size_t size, int big_endian, uint8_t *out, size_t *bad)
{
    r2n_byte_cursor cursor = r2n_cursor(data, size);
    size_t written = 0;
    *bad = size;
    while (r2n_cursor_left(&cursor) > 0) {
        const size_t at = cursor.position;
        const uint32_t character = read_character(&cursor, big_endian);
        if (character == 0) {
            *bad = at;
            break;
        }
        written += r2n_utf8_encode(character, out + written);
    }
    return written;
}
