/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/utf8.h"

size_t r2n_utf8_decode(const uint8_t *text, size_t size, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0)
        return 0;
    const uint8_t first = text[0];
    if (first < 0x80) {
        *character = first;
        return 1;
    }
    size_t bytes = 0;
    uint32_t value = 0;
    if (first >= 0xC2 && first <= 0xDF) {
        bytes = 2;
        value = first & 0x1Fu;
    } else if (first >= 0xE0 && first <= 0xEF) {
        bytes = 3;
        value = first & 0x0Fu;
    } else if (first >= 0xF0 && first <= 0xF4) {
        bytes = 4;
        value = first & 0x07u;
    }
    if (bytes == 0 || bytes > size)
        return 0;
    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3Fu);
    }
    if (value < smallest[bytes] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return 0;
    *character = value;
    return bytes;
}

size_t r2n_utf8_encode(uint32_t character, uint8_t *text)
{
    if (character < 0x80) {
        text[0] = (uint8_t)character;
        return 1;
    }
    if (character < 0x800) {
        text[0] = (uint8_t)(0xC0 | character >> 6);
        text[1] = (uint8_t)(0x80 | (character & 0x3F));
        return 2;
    }
    if (character < 0x10000) {
        text[0] = (uint8_t)(0xE0 | character >> 12);
        text[1] = (uint8_t)(0x80 | (character >> 6 & 0x3F));
        text[2] = (uint8_t)(0x80 | (character & 0x3F));
        return 3;
    }
    text[0] = (uint8_t)(0xF0 | character >> 18);
    text[1] = (uint8_t)(0x80 | (character >> 12 & 0x3F));
    text[2] = (uint8_t)(0x80 | (character >> 6 & 0x3F));
    text[3] = (uint8_t)(0x80 | (character & 0x3F));
    return 4;
}

size_t r2n_utf8_valid_bytes(const uint8_t *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        uint32_t character;
        const size_t bytes = r2n_utf8_decode(text + at, size - at, &character);
        if (bytes == 0)
            break;
        at += bytes;
    }
    return at;
}
