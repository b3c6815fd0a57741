/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal_text.h"

#include <stddef.h>
#include <string.h>

#include "platform.h"
#include "text_format.h"

typedef struct code_range {
    uint32_t first, last;
} code_range;

/* Rising. Joiners (200C, 200D) and variation selectors stay: emoji and Indic scripts need them. */
static const code_range unsafe[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x061c, 0x061c},
    {0x115f, 0x1160},   {0x180e, 0x180e},   {0x200b, 0x200b},   {0x200e, 0x200f},
    {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},   {0xd800, 0xdfff},
    {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0xfffe, 0xffff},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xe01f0, 0x10ffff}};

/* Combining marks of the scripts that are met most, joiners, variation selectors. */
static const code_range without_width[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x05bf, 0x05bf},  {0x05c1, 0x05c2},
    {0x05c4, 0x05c5}, {0x05c7, 0x05c7}, {0x0610, 0x061a}, {0x064b, 0x065f},  {0x0670, 0x0670},
    {0x06d6, 0x06dc}, {0x06df, 0x06e4}, {0x06e7, 0x06e8}, {0x06ea, 0x06ed},  {0x0900, 0x0902},
    {0x093a, 0x093a}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d},  {0x0951, 0x0957},
    {0x0962, 0x0963}, {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e},  {0x1160, 0x11ff},
    {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200c, 0x200d}, {0x20d0, 0x20ff},  {0x302a, 0x302d},
    {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef}};

/* East Asian Wide and Fullwidth, and what is shown as emoji. */
static const code_range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x23f0, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},
    {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},
    {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},   {0x26d4, 0x26d4},
    {0x26ea, 0x26ea},   {0x26f2, 0x26f5},   {0x26fa, 0x26fd},   {0x2705, 0x2705},
    {0x270a, 0x270b},   {0x2728, 0x2728},   {0x274c, 0x274e},   {0x2753, 0x2757},
    {0x2795, 0x2797},   {0x27b0, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b55},
    {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97c},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6b},   {0xff01, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1aff0, 0x1b2ff}, {0x1f004, 0x1f004},
    {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f19a}, {0x1f200, 0x1f64f}, {0x1f680, 0x1f6ff},
    {0x1f7e0, 0x1f7eb}, {0x1f90c, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd}};

#define IS_IN(table, code_point) is_in(table, sizeof(table) / sizeof *(table), code_point)

static int is_in(const code_range *table, size_t count, uint32_t code_point)
{
    size_t first = 0;
    while (count > 0) {
        const size_t middle = first + count / 2;
        if (code_point > table[middle].last) {
            first = middle + 1;
            count -= count / 2 + 1;
        } else if (code_point < table[middle].first) {
            count /= 2;
        } else {
            return 1;
        }
    }
    return 0;
}

int is_safe_on_terminal(uint32_t code_point)
{
    return !IS_IN(unsafe, code_point);
}

/* One character as it is shown: how many bytes of `text` it takes, and its columns. */
typedef struct shown {
    char text[16];
    size_t bytes;
    int columns;
} shown;

static shown next_shown(const char *text)
{
    shown one;
    uint32_t code_point;
    const size_t length = utf8_decode(text, &code_point);
    one.bytes = length == 0 ? 1 : length;
    if (length == 0 || (length == 1 && !is_safe_on_terminal(code_point))) {
        one.columns = snprintf(one.text, sizeof one.text, "\\x%02x", (unsigned char)*text);
    } else if (!is_safe_on_terminal(code_point)) {
        one.columns =
            snprintf(one.text, sizeof one.text, "\\u{%lx}", (unsigned long)code_point & 0x1fffff);
    } else {
        memcpy(one.text, text, length);
        one.text[length] = '\0';
        one.columns = IS_IN(without_width, code_point) ? 0 : IS_IN(wide, code_point) ? 2 : 1;
    }
    return one;
}

void put_printable(FILE *out, const char *text)
{
    while (*text != '\0') {
        const shown one = next_shown(text);
        fputs(one.text, out);
        text += one.bytes;
    }
}

char *printable_copy(const char *text)
{
    const size_t room = 5 * strlen(text) + 1; /* \u{fff} for two bytes is the longest a byte */
    char *copy = platform_allocate(room, 1);
    for (size_t used = 0; *text != '\0';) {
        const shown one = next_shown(text);
        used += (size_t)snprintf(copy + used, room - used, "%s", one.text);
        text += one.bytes;
    }
    return copy;
}

static int width_of(const char *text)
{
    long long columns = 0;
    while (*text != '\0') {
        const shown one = next_shown(text);
        columns += one.columns;
        text += one.bytes;
    }
    return columns > 1000000 ? 1000000 : (int)columns;
}

void put_printable_within(FILE *out, const char *text, int columns, int utf8)
{
    const char *end = utf8 ? "\u2026" : "...";
    const int end_columns = utf8 ? 1 : 3;
    if (width_of(text) <= columns) {
        put_printable(out, text);
        return;
    }
    for (int left = columns - end_columns; *text != '\0';) {
        const shown one = next_shown(text);
        left -= one.columns;
        if (left < 0)
            break;
        fputs(one.text, out);
        text += one.bytes;
    }
    fputs(end, out);
}
