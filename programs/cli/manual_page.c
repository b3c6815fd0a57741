/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net man [VERB]`: manual pages, printed from the verbs' tables. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "exit_status.h"
#include "help.h"
#include "res2net/res2net.h"
#include "verbs.h"

static const option_row options[] = {{.name = NULL}};

/* Text with what troff would take for its own made plain. */
static void put_troff(const char *text)
{
    int line_start = 1;
    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            fputc(*text, stdout);
        line_start = *text == '\n';
    }
}

static void put_upper(const char *text)
{
    for (; *text != '\0'; text++)
        fputc(*text == ' ' ? '-' : toupper((unsigned char)*text), stdout);
}

static void put_title(const char *verb_name)
{
    res2net_system system;
    res2net_system_describe(&system);
    fputs(".TH RES2NET", stdout);
    if (verb_name != NULL) {
        fputc('-', stdout);
        put_upper(verb_name);
    }
    printf(" 1 \"\" \"res2net %s\" \"User Commands\"\n", system.version);
}

/* "data check" is the page res2net-data-check. */
static void put_page_name(const char *verb_name)
{
    fputs("res2net\\-", stdout);
    for (const char *c = verb_name; *c != '\0'; c++)
        fputs(*c == ' ' || *c == '-' ? "\\-" : (char[]){*c, '\0'}, stdout);
}

/* Paragraphs are parted by an empty line in the tables. */
static void put_paragraphs(const char *text)
{
    char paragraph[2048];
    while (*text != '\0') {
        const char *end = strstr(text, "\n\n");
        const size_t length = end == NULL ? strlen(text) : (size_t)(end - text);
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)length, text);
        fputs(".PP\n", stdout);
        put_troff(paragraph);
        fputc('\n', stdout);
        text += length + (end == NULL ? 0 : 2);
    }
}

static void put_exit_status(void)
{
    fputs(".SH EXIT STATUS\n"
          ".TP\n0\nall done\n"
          ".TP\n1\nsome inputs were skipped as asked for\n"
          ".TP\n2\nwrong usage\n"
          ".TP\n3\nan input, a weights file or the run failed\n"
          ".TP\n130\ninterrupted\n",
          stdout);
}

static void put_verb(const verb *verb)
{
    char text[512];
    put_title(verb->name);
    fputs(".SH NAME\n", stdout);
    put_page_name(verb->name);
    fputs(" \\- ", stdout);
    put_troff(verb->summary);
    printf("\n.SH SYNOPSIS\n.B res2net %s\n[options] ", verb->name);
    put_troff(verb->operands);
    fputs("\n.SH DESCRIPTION\n", stdout);
    put_paragraphs(verb->description);
    if (verb->options[0].name != NULL)
        fputs(".SH OPTIONS\n", stdout);
    for (const option_row *row = verb->options; row->name != NULL; row++) {
        option_spelling(text, sizeof text, row);
        fputs(".TP\n.B ", stdout);
        put_troff(text);
        fputc('\n', stdout);
        put_troff(row->help);
        if (row->kind == OPTION_CHOICE && row->argument != NULL) {
            fputs(": ", stdout);
            put_troff(row->choices);
        }
        option_remarks(text, sizeof text, row);
        put_troff(text);
        fputc('\n', stdout);
    }
    fputs(".SH EXAMPLES\n.nf\n", stdout);
    put_troff(verb->examples);
    fputs(".fi\n", stdout);
    put_exit_status();
    fputs(".SH SEE ALSO\n.BR res2net (1)\n", stdout);
}

static void put_overview(void)
{
    put_title(NULL);
    fputs(".SH NAME\nres2net \\- classify pictures with Res2Net networks on a plain CPU\n"
          ".SH SYNOPSIS\n.B res2net\nVERB [options] ...\n"
          ".SH DESCRIPTION\n",
          stdout);
    for (const verb *const *known = verbs; *known != NULL; known++) {
        if ((*known)->hidden)
            continue;
        printf(".TP\n.B %s\n", (*known)->name);
        put_troff((*known)->summary);
        fputc('\n', stdout);
    }
    fputs(".SH ENVIRONMENT\n"
          ".TP\nRES2NET_MODEL\nthe model where none is named\n"
          ".TP\nRES2NET_THREADS\nthreads of a run\n"
          ".TP\nRES2NET_ISA\nceiling of the instructions in use\n",
          stdout);
    put_exit_status();
    fputs(".SH SEE ALSO\n", stdout);
    int first = 1;
    for (const verb *const *known = verbs; *known != NULL; known++) {
        if ((*known)->hidden)
            continue;
        fputs(first ? ".BR " : ",\n.BR ", stdout);
        put_page_name((*known)->name);
        fputs(" (1)", stdout);
        first = 0;
    }
    fputc('\n', stdout);
}

static int run(const command_line *line)
{
    char name[64];
    if (line->operand_count == 0) {
        put_overview();
        return EXIT_DONE;
    }
    snprintf(name, sizeof name, "%s%s%s", line->operands[0], line->operand_count > 1 ? " " : "",
             line->operand_count > 1 ? line->operands[1] : "");
    for (const verb *const *known = verbs; *known != NULL; known++) {
        if (strcmp((*known)->name, name) == 0) {
            put_verb(*known);
            return EXIT_DONE;
        }
    }
    return usage_error(line->verb, "unknown verb %s", name);
}

const verb verb_man = {
    .name = "man",
    .operands = "[VERB]",
    .summary = "a manual page, in troff",
    .description = "Printed from the same tables as --help.",
    .examples = "  res2net man > res2net.1\n"
                "  res2net man predict | man -l -\n",
    .options = options,
    .most_operands = 2,
    .hidden = 1,
    .run = run,
};
