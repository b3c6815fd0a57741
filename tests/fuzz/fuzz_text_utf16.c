/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as UTF-16: valid UTF-8 within its bound, the same units again when turned back. The
 * first byte chooses the byte order. */
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "data/text_utf16.h"
#include "formats/utf8.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static uint32_t unit_at(const uint8_t *data, size_t at, int big_endian)
{
    return big_endian ? (uint32_t)(data[at] << 8 | data[at + 1])
                      : (uint32_t)(data[at + 1] << 8 | data[at]);
}

static void check(const uint8_t *data, size_t size, int big_endian, const uint8_t *text,
                  size_t bytes)
{
    size_t at = 0;
    for (size_t place = 0; place < bytes;) {
        uint32_t character;
        const size_t length = r2n_utf8_decode(text + place, bytes - place, &character);
        require(length > 0 && character > 0);
        place += length;
        require(at + 2 <= size);
        if (character < 0x10000) {
            require(unit_at(data, at, big_endian) == character);
            at += 2;
        } else {
            require(at + 4 <= size);
            require(unit_at(data, at, big_endian) == 0xd800 + ((character - 0x10000) >> 10));
            require(unit_at(data, at + 2, big_endian) == 0xdc00 + (character & 0x3ff));
            at += 4;
        }
    }
    require(at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const int big_endian = data[0] % 2;
    size_t bad;
    data++;
    size--;
    uint8_t *text = r2n_allocate(r2n_utf16_bound(size), 1);
    if (text == NULL)
        return 0;
    const size_t bytes = r2n_utf16_to_utf8(data, size, big_endian, text, &bad);
    require(bytes <= r2n_utf16_bound(size));
    require(bad <= size);
    check(data, bad, big_endian, text, bytes);
    r2n_free(text);
    return 0;
}
