/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of options a verb. Parsing, --help, did-you-mean, completions and manual pages are all
 * read off it, so that they cannot disagree.
 *
 * A value comes from the command line, else from the row's environment variable, else from its
 * default. `--name value`, `--name=value`, `-m value` and `-mvalue` are taken; `--` ends options;
 * options and operands may be mixed; the last of a repeated option counts, but for settings.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

typedef enum option_kind {
    OPTION_FLAG,         /* takes no value */
    OPTION_TEXT,         /* any text but an empty one */
    OPTION_FILE,         /* a path */
    OPTION_FOLDER,       /* a path */
    OPTION_ARCHITECTURE, /* a name, checked by the library */
    OPTION_INTEGER,      /* minimum..maximum */
    OPTION_INTEGERS,     /* the same, several with commas */
    OPTION_SIZE,         /* "224", or "HxW" */
    OPTION_CHOICE,       /* one of `choices` */
    OPTION_SETTING       /* KEY=VALUE, any number of them; a verb has at most one such row */
} option_kind;

typedef struct option_row {
    const char *name; /* without its dashes; NULL ends a table */
    char letter;      /* short form, or 0 */
    option_kind kind;
    const char *argument;     /* what help calls the value; a CHOICE's is its choices */
    const char *fallback;     /* the default as one would write it, NULL for none */
    const char *default_note; /* in help where there is no fixed default */
    int64_t minimum, maximum;
    const char *choices;     /* "text|json" */
    const char *environment; /* a variable that stands in for the option */
    const char *help;
} option_row;

enum { MOST_INTEGERS = 16 }; /* in one OPTION_INTEGERS */

struct verb;

typedef struct option_value {
    const char *text; /* NULL: neither given nor a default */
    enum { FROM_DEFAULT, FROM_ENVIRONMENT, FROM_COMMAND_LINE } source;
} option_value;

typedef struct command_line {
    const struct verb *verb;
    option_value *values; /* one a row of the verb's table */
    const char **operands;
    size_t operand_count;
    const char **settings; /* the values of the verb's OPTION_SETTING, in order */
    size_t setting_count;
    int help; /* --help was among the arguments: nothing else was checked */
} command_line;

/* 1, or 0 after saying what is wrong. `arguments` live as long as the result. */
int command_line_parse(command_line *line, const struct verb *verb, int count, char **arguments);
void command_line_free(command_line *line);

/* By the row's name. A name that the verb's table lacks is a bug and aborts. */
const char *option_text(const command_line *line, const char *name); /* NULL: not there */
int option_is(const command_line *line, const char *name, const char *value);
int option_given(const command_line *line, const char *name); /* on the command line */
int64_t option_integer(const command_line *line, const char *name);
/* An OPTION_INTEGERS: returns how many there are. */
size_t option_integers(const command_line *line, const char *name, int32_t values[MOST_INTEGERS]);
void option_size(const command_line *line, const char *name, int32_t *height, int32_t *width);

/* Says "res2net: VERB: ..." and where help is. Returns EXIT_USAGE. */
int usage_error(const struct verb *verb, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

#endif
