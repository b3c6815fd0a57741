/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/markup.h"

#include <string.h>

#include "formats/utf8.h"

void r2n_markup_put(r2n_text *text, const char *string)
{
    static const char signs[] = "&<>\"";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
    const uint8_t *at = (const uint8_t *)string;
    const size_t bytes = strlen(string);
    for (size_t i = 0; i < bytes;) {
        uint32_t character = 0;
        const size_t size = r2n_utf8_decode(at + i, bytes - i, &character);
        const char *sign = at[i] < 0x80 ? strchr(signs, at[i]) : NULL;
        const int control = character < 0x20 && character != '\t' && character != '\n';
        if (sign != NULL)
            r2n_text_put(text, names[sign - signs]);
        else if (size == 0 || control || character == 0xFFFE || character == 0xFFFF)
            r2n_text_put(text, "\xEF\xBF\xBD");
        else
            r2n_text_put_bytes(text, at + i, size);
        i += size == 0 ? 1 : size;
    }
}
