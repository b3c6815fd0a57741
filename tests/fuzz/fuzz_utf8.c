/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: what is valid is what writing the same characters gives, byte by byte. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t valid = r2n_utf8_valid_bytes(data, size);
    size_t at = 0;
    require(valid <= size);
    while (at < size) {
        uint32_t character = 0;
        uint8_t again[4];
        const size_t bytes = r2n_utf8_decode(data + at, size - at, &character);
        if (bytes == 0) {
            require(at >= valid);
            at++; /* what stands behind damage is looked at all the same */
            continue;
        }
        require(bytes <= size - at && character <= 0x10FFFF);
        require(character < 0xD800 || character > 0xDFFF);
        require(r2n_utf8_encode(character, again) == bytes && memcmp(again, data + at, bytes) == 0);
        require(at != valid); /* the first byte that is not valid cannot be decoded */
        at += bytes;
    }
    return 0;
}
