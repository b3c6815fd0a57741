/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net completions bash|zsh|fish`: completion scripts, printed from the verbs' tables. */
#include <stdio.h>
#include <string.h>

#include "exit_status.h"
#include "res2net/res2net.h"
#include "verbs.h"

static const option_row options[] = {{.name = NULL}};

/* The words that may follow an option, with `between` between them; 0 when it takes other values.
 */
static int print_words(const option_row *row, const char *between)
{
    if (row->kind == OPTION_CHOICE) {
        for (const char *c = row->choices; *c != '\0'; c++) {
            if (*c == '|')
                fputs(between, stdout);
            else
                fputc(*c, stdout);
        }
        return 1;
    }
    if (row->kind != OPTION_ARCHITECTURE)
        return 0;
    for (size_t i = 0; i < res2net_catalogue_count(); i++) {
        res2net_catalogue_entry entry;
        res2net_catalogue_get(i, &entry);
        printf("%s%s", i == 0 ? "" : between, entry.name);
    }
    return 1;
}

static int first_length(const verb *verb)
{
    return (int)strcspn(verb->name, " ");
}

static int same_first_word(const verb *a, const verb *b)
{
    return first_length(a) == first_length(b) &&
           strncmp(a->name, b->name, (size_t)first_length(a)) == 0;
}

/* Of the verbs that share a first word ("data check", "data split"), the one that stands first
 * speaks for it. */
static int is_first_of_its_word(const verb *verb)
{
    const struct verb *const *known = verbs;
    while (!same_first_word(*known, verb))
        known++;
    return *known == verb;
}

static int has_second_word(const verb *verb)
{
    return verb->name[first_length(verb)] != '\0';
}

/* "check split" */
static void print_second_words(const verb *of)
{
    int count = 0;
    for (const verb *const *known = verbs; *known != NULL; known++)
        if (!(*known)->hidden && has_second_word(*known) && same_first_word(*known, of))
            printf("%s%s", count++ == 0 ? "" : " ", (*known)->name + first_length(*known) + 1);
}

/* First words of the verbs, each once. */
static void print_first_words(const char *between)
{
    for (const verb *const *known = verbs; *known != NULL; known++)
        if (!(*known)->hidden && is_first_of_its_word(*known))
            printf("%.*s%s", first_length(*known), (*known)->name, between);
    fputs("help", stdout);
}

/* ---- bash ---------------------------------------------------------------------------------- */

/* One branch an option that takes a value: "predict:--format"). */
static void print_bash_values(const verb *verb)
{
    for (const option_row *row = verb->options; row->name != NULL; row++) {
        if (row->kind == OPTION_FLAG)
            continue;
        printf("    \"%s:--%s\"", verb->name, row->name);
        if (row->letter != '\0')
            printf(" | \"%s:-%c\"", verb->name, row->letter);
        fputs(")\n        ", stdout);
        if (row->kind == OPTION_CHOICE || row->kind == OPTION_ARCHITECTURE) {
            fputs("words=\"", stdout);
            print_words(row, " ");
            fputs("\"\n", stdout);
        } else if (row->kind == OPTION_FOLDER) {
            fputs("compopt -o filenames\n        mapfile -t COMPREPLY < <(compgen -d -- "
                  "\"$word\")\n        return\n",
                  stdout);
        } else if (row->kind == OPTION_FILE) {
            fputs("compopt -o filenames\n        mapfile -t COMPREPLY < <(compgen -f -- "
                  "\"$word\")\n        return\n",
                  stdout);
        } else {
            fputs("return\n", stdout);
        }
        fputs("        ;;\n", stdout);
    }
}

static void print_bash_options(const verb *verb)
{
    printf("        \"%s\") words=\"--help", verb->name);
    for (const option_row *row = verb->options; row->name != NULL; row++)
        printf(" --%s", row->name);
    fputs("\" ;;\n", stdout);
}

/* Second words where the first one stands alone: $verb then is the whole name. */
static void print_bash_second_words(void)
{
    fputs("    case \"$verb\" in\n", stdout);
    for (const verb *const *known = verbs; *known != NULL; known++) {
        if ((*known)->hidden || !has_second_word(*known) || !is_first_of_its_word(*known))
            continue;
        printf("    %.*s)\n"
               "        if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
               "            mapfile -t COMPREPLY < <(compgen -W \"",
               first_length(*known), (*known)->name);
        print_second_words(*known);
        fputs("\" -- \"$word\")\n"
              "            return\n"
              "        fi\n"
              "        verb=\"$verb ${COMP_WORDS[2]}\"\n"
              "        ;;\n",
              stdout);
    }
    fputs("    esac\n", stdout);
}

static void print_bash(void)
{
    fputs("# bash completion for res2net: source it, or put it into bash-completion's folder\n"
          "_res2net() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local verb=${COMP_WORDS[1]} words=\"\"\n"
          "    # bash parts --name=value into three words\n"
          "    if [ \"$word\" = = ]; then\n"
          "        word=\"\"\n"
          "    elif [ \"$previous\" = = ] && [ \"$COMP_CWORD\" -gt 2 ]; then\n"
          "        previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"--help --version ",
          stdout);
    print_first_words(" ");
    fputs("\" -- \"$word\")\n"
          "        return\n"
          "    fi\n",
          stdout);
    print_bash_second_words();
    fputs("    case \"$verb:$previous\" in\n"
          "    help:help)\n        words=\"",
          stdout);
    print_first_words(" ");
    fputs("\"\n        ;;\n", stdout);
    for (const verb *const *known = verbs; *known != NULL; known++)
        if (!(*known)->hidden)
            print_bash_values(*known);
    fputs("    esac\n"
          "    if [ -z \"$words\" ]; then\n"
          "        case \"$word\" in\n"
          "        -*)\n"
          "        case \"$verb\" in\n",
          stdout);
    for (const verb *const *known = verbs; *known != NULL; known++)
        if (!(*known)->hidden)
            print_bash_options(*known);
    fputs("        esac\n"
          "        ;;\n"
          "        *)\n"
          "            compopt -o filenames\n"
          "            mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
          "            return\n"
          "            ;;\n"
          "        esac\n"
          "    fi\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
          "}\n"
          "complete -F _res2net res2net\n",
          stdout);
}

/* ---- zsh and fish -------------------------------------------------------------------------- */

/* Text inside single quotes; zsh's _arguments also wants [ ] and : kept apart. */
static void print_quoted(const char *text, int for_zsh)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs(for_zsh ? "'\\''" : "\\'", stdout);
        else if (for_zsh && strchr("[]:\\", *text) != NULL)
            printf("\\%c", *text);
        else
            fputc(*text == '\n' ? ' ' : *text, stdout);
    }
}

static void print_zsh_option(const option_row *row)
{
    fputs(" \\\n            '", stdout);
    if (row->letter != '\0')
        printf("(-%c --%s)'{-%c,--%s}'[", row->letter, row->name, row->letter, row->name);
    else
        printf("--%s[", row->name);
    print_quoted(row->help, 1);
    fputc(']', stdout);
    switch (row->kind) {
    case OPTION_FLAG:
        break;
    case OPTION_FILE:
        fputs(":file:_files", stdout);
        break;
    case OPTION_FOLDER:
        fputs(":folder:_files -/", stdout);
        break;
    case OPTION_CHOICE:
    case OPTION_ARCHITECTURE:
        fputs(":value:(", stdout);
        print_words(row, " ");
        fputc(')', stdout);
        break;
    default:
        fputs(":value:", stdout);
        break;
    }
    fputc('\'', stdout);
}

static void print_zsh_arguments(const verb *verb, const char *indent)
{
    printf("%s    _arguments -S '--help[tells about it]'", indent);
    for (const option_row *row = verb->options; row->name != NULL; row++)
        print_zsh_option(row);
    printf(" \\\n            '*:file:_files'\n%s    ;;\n", indent);
}

/* "data)": the second words, then a branch each. */
static void print_zsh_second_words(const verb *of)
{
    fputs("        if (( CURRENT == 3 )); then\n            compadd ", stdout);
    print_second_words(of);
    fputs("\n            return\n        fi\n        case $words[3] in\n", stdout);
    for (const verb *const *known = verbs; *known != NULL; known++) {
        if ((*known)->hidden || !has_second_word(*known) || !same_first_word(*known, of))
            continue;
        printf("        %s)\n", (*known)->name + first_length(*known) + 1);
        print_zsh_arguments(*known, "        ");
    }
    fputs("        esac\n        ;;\n", stdout);
}

static void print_zsh(void)
{
    fputs("#compdef res2net\n"
          "_res2net() {\n"
          "    local -a verbs\n"
          "    verbs=(\n",
          stdout);
    for (const verb *const *known = verbs; *known != NULL; known++) {
        if ((*known)->hidden || !is_first_of_its_word(*known))
            continue;
        printf("        '%.*s:", first_length(*known), (*known)->name);
        print_quoted((*known)->summary, 1);
        fputs("'\n", stdout);
    }
    fputs("        'help:what a verb does'\n"
          "    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe verb verbs\n"
          "        return\n"
          "    fi\n"
          "    case $words[2] in\n",
          stdout);
    for (const verb *const *known = verbs; *known != NULL; known++) {
        if ((*known)->hidden || !is_first_of_its_word(*known))
            continue;
        printf("    %.*s)\n", first_length(*known), (*known)->name);
        if (has_second_word(*known))
            print_zsh_second_words(*known);
        else
            print_zsh_arguments(*known, "    ");
    }
    fputs("    esac\n"
          "}\n"
          "_res2net \"$@\"\n",
          stdout);
}

static void print_fish_option(const verb *verb, const option_row *row)
{
    printf("complete -c res2net -n '__fish_seen_subcommand_from %.*s", first_length(verb),
           verb->name);
    if (has_second_word(verb))
        printf("; and __fish_seen_subcommand_from %s", verb->name + first_length(verb) + 1);
    printf("' -l %s", row->name);
    if (row->letter != '\0')
        printf(" -s %c", row->letter);
    if (row->kind == OPTION_FILE || row->kind == OPTION_FOLDER) {
        fputs(" -r -F", stdout);
    } else if (row->kind == OPTION_CHOICE || row->kind == OPTION_ARCHITECTURE) {
        fputs(" -x -a '", stdout);
        print_words(row, " ");
        fputc('\'', stdout);
    } else if (row->kind != OPTION_FLAG) {
        fputs(" -x", stdout);
    }
    fputs(" -d '", stdout);
    print_quoted(row->help, 0);
    fputs("'\n", stdout);
}

static void print_fish(void)
{
    fputs("# fish completion for res2net\n", stdout);
    for (const verb *const *known = verbs; *known != NULL; known++) {
        const int first = first_length(*known);
        if ((*known)->hidden)
            continue;
        if (is_first_of_its_word(*known)) {
            printf("complete -c res2net -n __fish_use_subcommand -f -a %.*s -d '", first,
                   (*known)->name);
            print_quoted((*known)->summary, 0);
            fputs("'\n", stdout);
        }
        if (has_second_word(*known)) {
            printf("complete -c res2net -n '__fish_seen_subcommand_from %.*s; and not "
                   "__fish_seen_subcommand_from ",
                   first, (*known)->name);
            print_second_words(*known);
            printf("' -f -a %s -d '", (*known)->name + first + 1);
            print_quoted((*known)->summary, 0);
            fputs("'\n", stdout);
        }
        for (const option_row *row = (*known)->options; row->name != NULL; row++)
            print_fish_option(*known, row);
    }
}

static int run(const command_line *line)
{
    const char *shell = line->operands[0];
    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else
        return usage_error(line->verb, "unknown shell %s; expected bash, zsh or fish", shell);
    return EXIT_DONE;
}

const verb verb_completions = {
    .name = "completions",
    .operands = "bash|zsh|fish",
    .summary = "a completion script for a shell",
    .description = "Printed from the same tables as --help.",
    .examples = "  . <(res2net completions bash)\n"
                "  res2net completions fish > ~/.config/fish/completions/res2net.fish\n",
    .options = options,
    .least_operands = 1,
    .most_operands = 1,
    .missing = "expected a shell: bash, zsh or fish",
    .hidden = 1,
    .run = run,
};
