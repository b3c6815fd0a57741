/* SPDX-License-Identifier: Apache-2.0 */
#include "csv_writer.h"

#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "terminal_text.h"

static void put_field(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL && text[0] != ' ') {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void csv_text(FILE *out, const char *text)
{
    if (text == NULL)
        return;
    if (!platform_is_terminal(out)) {
        put_field(out, text);
        return;
    }
    char *printable = printable_copy(text);
    put_field(out, printable);
    free(printable);
}
