/* SPDX-License-Identifier: Apache-2.0 */
#include "python_repr.h"

#include <string.h>

#include "text_format.h"

/* "0.97968", "1e-05", "1.0": C's shortest %g agrees with Python but for the ".0" of whole numbers.
 */
void python_put_float(FILE *out, double value)
{
    char buffer[FORMAT_BYTES];
    format_double(buffer, value);
    fputs(buffer, out);
    if (strpbrk(buffer, ".en") == NULL)
        fputs(".0", out);
}

/* Separators, controls, formats and private ones: what repr() escapes, as far as names of files and
 * classes go. */
static int is_printable(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } escaped[] = {{0, 0x1f},          {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},
                   {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x8e2, 0x8e2},
                   {0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},
                   {0x205f, 0x206f},   {0x3000, 0x3000},   {0xe000, 0xf8ff},   {0xfeff, 0xfeff},
                   {0xfff0, 0xfffb},   {0xfffe, 0xffff},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
                   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff}};
    for (size_t i = 0; i < sizeof escaped / sizeof escaped[0]; i++)
        if (c >= escaped[i].first && c <= escaped[i].last)
            return 0;
    return 1;
}

static void put_character(FILE *out, const char *text, size_t length, uint32_t c, char quote)
{
    if (c == (unsigned char)quote || c == '\\')
        fprintf(out, "\\%c", (int)c);
    else if (c == '\n' || c == '\r' || c == '\t')
        fprintf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    else if (is_printable(c))
        fwrite(text, 1, length, out);
    else
        fprintf(out, c <= 0xff ? "\\x%02x" : c <= 0xffff ? "\\u%04x" : "\\U%08x", c);
}

void python_put_text(FILE *out, const char *text)
{
    const char quote = strchr(text, '\'') != NULL && strchr(text, '"') == NULL ? '"' : '\'';
    fputc(quote, out);
    while (*text != '\0') {
        uint32_t c;
        const size_t length = utf8_decode(text, &c);
        if (length == 0)
            fprintf(out, "\\udc%02x", (unsigned char)*text); /* Python's surrogateescape */
        else
            put_character(out, text, length, c, quote);
        text += length == 0 ? 1 : length;
    }
    fputc(quote, out);
}
