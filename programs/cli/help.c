/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include <string.h>

#include "text_format.h"

enum { WIDTH = 79, OPTION_COLUMN = 26 };

int option_spelling(char *buffer, size_t size, const option_row *row)
{
    char letter[8] = "";
    char argument[64] = "";
    if (row->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", row->letter);
    if (row->kind == OPTION_CHOICE && row->argument == NULL)
        snprintf(argument, sizeof argument, " %s", row->choices);
    else if (row->kind != OPTION_FLAG)
        snprintf(argument, sizeof argument, " %s", row->argument);
    return snprintf(buffer, size, "%s--%s%s", letter, row->name, argument);
}

void option_remarks(char *buffer, size_t size, const option_row *row)
{
    const char *fallback = row->fallback != NULL ? row->fallback : row->default_note;
    const char *environment = row->environment;
    buffer[0] = '\0';
    if (fallback != NULL && environment != NULL)
        snprintf(buffer, size, " [default: %s; environment: %s]", fallback, environment);
    else if (fallback != NULL)
        snprintf(buffer, size, " [default: %s]", fallback);
    else if (environment != NULL)
        snprintf(buffer, size, " [environment: %s]", environment);
}

static void print_option(FILE *out, const option_row *row)
{
    char spelling[128], remarks[192], text[1024];
    const int length = option_spelling(spelling, sizeof spelling, row);
    option_remarks(remarks, sizeof remarks, row);
    if (row->kind == OPTION_CHOICE && row->argument != NULL)
        snprintf(text, sizeof text, "%s: %s%s", row->help, row->choices, remarks);
    else
        snprintf(text, sizeof text, "%s%s", row->help, remarks);
    fprintf(out, "  %s", spelling);
    if (length + 3 > OPTION_COLUMN)
        fprintf(out, "\n%*s", OPTION_COLUMN, "");
    else
        fprintf(out, "%*s", OPTION_COLUMN - 2 - length, "");
    put_wrapped(out, text, OPTION_COLUMN, WIDTH);
}

void print_help(FILE *out, const verb *verb)
{
    const int with_options = verb->options[0].name != NULL;
    fprintf(out, "res2net %s: ", verb->name);
    put_wrapped(out, verb->summary, 0, WIDTH);
    fprintf(out, "\nusage: res2net %s%s%s%s\n\n", verb->name, with_options ? " [options]" : "",
            verb->operands[0] == '\0' ? "" : " ", verb->operands);
    put_wrapped(out, verb->description, 0, WIDTH);
    if (with_options)
        fputs("\noptions:\n", out);
    for (const option_row *row = verb->options; row->name != NULL; row++)
        print_option(out, row);
    if (verb->examples != NULL)
        fprintf(out, "\nexamples:\n%s", verb->examples);
}

void print_overview(FILE *out)
{
    fputs("res2net: classify pictures with Res2Net networks on a plain CPU.\n\n"
          "usage: res2net VERB [options] ...\n\nverbs:\n",
          out);
    for (const verb *const *known = verbs; *known != NULL; known++) {
        if ((*known)->hidden)
            continue;
        const int length = fprintf(out, "  %s", (*known)->name);
        fprintf(out, "%*s", 14 - length, "");
        put_wrapped(out, (*known)->summary, 14, WIDTH);
    }
    fputs("\n`res2net VERB --help` or `res2net help VERB` tells about one, `res2net --version` the "
          "version.\n"
          "A model is -m FILE (.r2n, .pdparams, .pth, .safetensors, .onnx, a Paddle inference\n"
          "model), $RES2NET_MODEL, or the one that is built in. Results go to standard output, "
          "everything else to standard error.\n"
          "Exit status: 0 done; 1 some inputs were skipped as asked for; 2 wrong usage;\n"
          "3 an input, a weights file or the run failed; 130 interrupted.\n",
          out);
}
