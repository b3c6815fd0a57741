/* SPDX-License-Identifier: Apache-2.0 */
#include "markup_writer.h"

#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "terminal_text.h"
#include "text_format.h"

/* ---- text ---------------------------------------------------------------------------------- */

static void put_character(FILE *out, const char *text, size_t length)
{
    switch (*text) {
    case '&':
        fputs("&amp;", out);
        break;
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    case '\'':
        fputs("&#39;", out);
        break;
    default:
        fwrite(text, 1, length, out);
    }
}

void markup_text(FILE *out, const char *text, int most)
{
    char *printable = printable_copy(text);
    size_t next;
    int written = 0;
    for (const char *at = printable; *at != '\0'; at += next, written++) {
        uint32_t code_point;
        next = utf8_decode(at, &code_point); /* never 0: it is printable */
        if (most > 0 && written == most - 1 && at[next] != '\0') {
            fputs("\xe2\x80\xa6", out);
            break;
        }
        put_character(out, at, next);
    }
    free(printable);
}

void markup_class(FILE *out, int32_t class_id, const char *label, int most)
{
    fprintf(out, "%d", class_id);
    if (label == NULL)
        return;
    fputc(' ', out);
    markup_text(out, label, most);
}

void markup_address(FILE *out, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-._~/";
    for (; *path != '\0'; path++) {
        if (strchr(plain, *path) != NULL)
            fputc(*path, out);
        else
            fprintf(out, "%%%02X", (unsigned char)*path);
    }
}

/* ---- pictures ------------------------------------------------------------------------------ */

static void put_base64(FILE *out, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        const size_t left = count - i;
        const uint32_t group = (uint32_t)bytes[i] << 16 |
                               (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                               (left > 2 ? (uint32_t)bytes[i + 2] : 0);
        fputc(digits[group >> 18], out);
        fputc(digits[group >> 12 & 63], out);
        fputc(left > 1 ? digits[group >> 6 & 63] : '=', out);
        fputc(left > 2 ? digits[group & 63] : '=', out);
    }
}

static void put_number(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

enum { BMP_HEADERS = 54 };

/* Rows go upwards, each of a multiple of four bytes; pixels are blue, green, red. */
void markup_picture_address(FILE *out, const uint8_t *pixels, int32_t width, int32_t height)
{
    const size_t row = ((size_t)width * 3 + 3) / 4 * 4;
    const size_t bytes = BMP_HEADERS + row * (size_t)height;
    uint8_t *file = platform_allocate(bytes, 1);
    file[0] = 'B';
    file[1] = 'M';
    put_number(file + 2, (uint32_t)bytes);
    put_number(file + 10, BMP_HEADERS);
    put_number(file + 14, 40); /* bytes of the second header */
    put_number(file + 18, (uint32_t)width);
    put_number(file + 22, (uint32_t)height);
    file[26] = 1;  /* plane */
    file[28] = 24; /* bits a pixel */
    for (int32_t y = 0; y < height; y++) {
        uint8_t *to = file + BMP_HEADERS + row * (size_t)(height - 1 - y);
        for (int32_t x = 0; x < width; x++, to += 3, pixels += 3) {
            to[0] = pixels[2];
            to[1] = pixels[1];
            to[2] = pixels[0];
        }
    }
    fputs("data:image/bmp;base64,", out);
    put_base64(out, file, bytes);
    free(file);
}
