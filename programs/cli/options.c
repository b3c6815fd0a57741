/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "platform.h"
#include "suggest.h"
#include "verbs.h"

int usage_error(const verb *verb, const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say("%s: %s", verb->name, text);
    say("`res2net %s --help` lists its options", verb->name);
    return EXIT_USAGE;
}

/* ---- values -------------------------------------------------------------------------------- */

static int read_integer(const char *text, size_t length, int64_t minimum, int64_t maximum,
                        int64_t *value)
{
    char digits[24];
    char *end;
    if (length == 0 || length >= sizeof digits)
        return 0;
    memcpy(digits, text, length);
    digits[length] = '\0';
    if (strspn(digits, "+-0123456789") != length)
        return 0;
    errno = 0;
    const long long read = strtoll(digits, &end, 10);
    if (errno != 0 || *end != '\0' || read < minimum || read > maximum)
        return 0;
    *value = read;
    return 1;
}

static int read_integers(const option_row *row, const char *text, int32_t values[MOST_INTEGERS],
                         size_t *count)
{
    for (*count = 0; *count < MOST_INTEGERS; text++) {
        const size_t length = strcspn(text, ",");
        int64_t value;
        if (!read_integer(text, length, row->minimum, row->maximum, &value))
            return 0;
        values[(*count)++] = (int32_t)value;
        text += length;
        if (*text == '\0')
            return 1;
    }
    return 0;
}

static int read_size(const option_row *row, const char *text, int32_t *height, int32_t *width)
{
    int64_t first, second;
    const size_t length = strcspn(text, "xX");
    if (!read_integer(text, length, row->minimum, row->maximum, &first))
        return 0;
    second = first;
    if (text[length] != '\0' && !read_integer(text + length + 1, strlen(text + length + 1),
                                              row->minimum, row->maximum, &second))
        return 0;
    *height = (int32_t)first;
    *width = (int32_t)second;
    return 1;
}

/* Whether `word` is one of "a|b|c"; offers each to the search for a near one, if there is one. */
static int among(const char *choices, const char *word, suggestion *search, char *storage)
{
    while (choices != NULL && *choices != '\0') {
        const size_t length = strcspn(choices, "|");
        if (strlen(word) == length && strncmp(choices, word, length) == 0)
            return 1;
        if (search != NULL) {
            memcpy(storage, choices, length);
            storage[length] = '\0';
            suggest_offer(search, storage);
            storage += length + 1;
        }
        choices += length + (choices[length] == '|');
    }
    return 0;
}

/* Says what was expected in place of a bad value. `spelt` is "--topk" or "RES2NET_THREADS",
 * `between` what stands between it and the value. */
static int refuse_value(const verb *verb, const option_row *row, const char *spelt, char between,
                        const char *value)
{
    switch (row->kind) {
    case OPTION_CHOICE: {
        char storage[256];
        suggestion search = suggest_for(value);
        among(row->choices, value, &search, storage);
        if (search.best != NULL)
            usage_error(verb, "%s%c%s: expected one of %s; did you mean %s?", spelt, between, value,
                        row->choices, search.best);
        else
            usage_error(verb, "%s%c%s: expected one of %s", spelt, between, value, row->choices);
        return 0;
    }
    case OPTION_INTEGERS:
        usage_error(verb,
                    "%s%c%s: expected whole numbers from %" PRId64 " to %" PRId64
                    " with commas between, %d at most, such as 1,4,8",
                    spelt, between, value, row->minimum, row->maximum, MOST_INTEGERS);
        return 0;
    case OPTION_SIZE:
        usage_error(verb,
                    "%s%c%s: expected one side or HEIGHTxWIDTH, each from %" PRId64 " to %" PRId64
                    ", such as 224 or 256x320",
                    spelt, between, value, row->minimum, row->maximum);
        return 0;
    case OPTION_INTEGER:
        usage_error(verb, "%s%c%s: expected a whole number from %" PRId64 " to %" PRId64, spelt,
                    between, value, row->minimum, row->maximum);
        return 0;
    default:
        usage_error(verb, "%s needs %s, found nothing", spelt, row->argument);
        return 0;
    }
}

static int check_value(const verb *verb, const option_row *row, const char *spelt, char between,
                       const char *value)
{
    int32_t several[MOST_INTEGERS], height, width;
    int64_t number;
    size_t count;
    int good;
    switch (row->kind) {
    case OPTION_INTEGER:
        good = read_integer(value, strlen(value), row->minimum, row->maximum, &number);
        break;
    case OPTION_INTEGERS:
        good = read_integers(row, value, several, &count);
        break;
    case OPTION_SIZE:
        good = read_size(row, value, &height, &width);
        break;
    case OPTION_CHOICE:
        good = among(row->choices, value, NULL, NULL);
        break;
    default:
        good = value[0] != '\0';
        break;
    }
    return good || refuse_value(verb, row, spelt, between, value);
}

/* ---- parsing ------------------------------------------------------------------------------- */

static const option_row *find_row(const verb *verb, const char *name, size_t length)
{
    for (const option_row *row = verb->options; row->name != NULL; row++)
        if (strlen(row->name) == length && strncmp(row->name, name, length) == 0)
            return row;
    return NULL;
}

static int refuse_unknown(const verb *verb, const char *argument)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    suggestion search = suggest_for(name);
    for (const option_row *row = verb->options; row->name != NULL; row++)
        suggest_offer(&search, row->name);
    suggest_offer(&search, "help");
    if (search.best != NULL)
        usage_error(verb, "unknown option --%s; did you mean --%s?", name, search.best);
    else
        usage_error(verb, "unknown option --%s", name);
    return 0;
}

/* The row of an argument that is an option, and its value where that is a part of the argument. */
static const option_row *match_option(const verb *verb, const char *argument, const char **value)
{
    *value = NULL;
    if (argument[1] == '-') {
        const size_t length = strcspn(argument + 2, "=");
        if (argument[2 + length] == '=')
            *value = argument + 2 + length + 1;
        const option_row *row = find_row(verb, argument + 2, length);
        if (row == NULL)
            refuse_unknown(verb, argument);
        return row;
    }
    for (const option_row *row = verb->options; row->name != NULL; row++) {
        if (row->letter != '\0' && row->letter == argument[1]) {
            if (argument[2] != '\0')
                *value = argument + 2 + (argument[2] == '=');
            return row;
        }
    }
    usage_error(verb, "unknown option %s (a file of that name is ./%s)", argument, argument);
    return NULL;
}

/* The argument after an option, or NULL after saying that there is none. Another option in its
 * place is a forgotten value; a file of such a name is given with `--name=`. */
static const char *following_value(const verb *verb, const option_row *row, const char *spelt,
                                   const char *next)
{
    if (next != NULL && !(next[0] == '-' && next[1] == '-'))
        return next;
    usage_error(verb, "%s: expected %s after it, found %s", spelt,
                row->argument != NULL ? row->argument : row->choices,
                next == NULL ? "the end" : next);
    return NULL;
}

/* Takes the option at arguments[*index] and its value; *index then stands on the last one used. */
static int take_option(command_line *line, int count, char **arguments, int *index)
{
    const verb *verb = line->verb;
    const char *argument = arguments[*index];
    const char *value;
    char spelt[64];
    const option_row *row = match_option(verb, argument, &value);
    if (row == NULL)
        return 0;
    if (argument[1] == '-')
        snprintf(spelt, sizeof spelt, "--%s", row->name);
    else
        snprintf(spelt, sizeof spelt, "-%c", row->letter);
    if (row->kind == OPTION_FLAG && value != NULL) {
        usage_error(verb, "%s takes no value, found %s", spelt, value);
        return 0;
    }
    if (row->kind == OPTION_FLAG) {
        value = "";
    } else if (value == NULL) {
        (*index)++;
        value = following_value(verb, row, spelt, *index < count ? arguments[*index] : NULL);
        if (value == NULL)
            return 0;
    }
    if (row->kind != OPTION_FLAG && !check_value(verb, row, spelt, ' ', value))
        return 0;
    option_value *kept = &line->values[row - verb->options];
    kept->text = value;
    kept->source = FROM_COMMAND_LINE;
    if (row->kind == OPTION_SETTING)
        line->settings[line->setting_count++] = value;
    return 1;
}

static int check_operands(const command_line *line)
{
    const verb *verb = line->verb;
    if (line->operand_count < verb->least_operands) {
        usage_error(verb, "%s", verb->missing);
        return 0;
    }
    if (line->operand_count > verb->most_operands) {
        const char *extra = line->operands[verb->most_operands];
        const char *hint =
            find_row(verb, "model", 5) != NULL ? " (a model is given with -m FILE)" : "";
        usage_error(verb, "unexpected argument %s%s", extra, hint);
        return 0;
    }
    return 1;
}

static int take_environment(command_line *line)
{
    for (const option_row *row = line->verb->options; row->name != NULL; row++) {
        option_value *kept = &line->values[row - line->verb->options];
        const char *value = row->environment == NULL ? NULL : getenv(row->environment);
        if (kept->source == FROM_COMMAND_LINE || value == NULL || value[0] == '\0')
            continue;
        if (!check_value(line->verb, row, row->environment, '=', value))
            return 0;
        kept->text = value;
        kept->source = FROM_ENVIRONMENT;
    }
    return 1;
}

static int help_wanted(int count, char **arguments)
{
    for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++)
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0)
            return 1;
    return 0;
}

int command_line_parse(command_line *line, const verb *verb, int count, char **arguments)
{
    size_t rows = 0;
    int only_operands = 0;
    while (verb->options[rows].name != NULL)
        rows++;
    *line = (command_line){.verb = verb};
    line->values = platform_allocate(rows, sizeof *line->values);
    line->operands = platform_allocate((size_t)count, sizeof *line->operands);
    line->settings = platform_allocate((size_t)count, sizeof *line->settings);
    for (size_t i = 0; i < rows; i++)
        line->values[i].text = verb->options[i].fallback;
    line->help = help_wanted(count, arguments);
    if (line->help)
        return 1;
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];
        if (only_operands || argument[0] != '-' || argument[1] == '\0')
            line->operands[line->operand_count++] = argument;
        else if (strcmp(argument, "--") == 0)
            only_operands = 1;
        else if (!take_option(line, count, arguments, &i))
            return 0;
    }
    return take_environment(line) && check_operands(line);
}

void command_line_free(command_line *line)
{
    free(line->values);
    free(line->operands);
    free(line->settings);
}

/* ---- asking -------------------------------------------------------------------------------- */

static size_t row_index(const command_line *line, const char *name)
{
    const option_row *row = find_row(line->verb, name, strlen(name));
    if (row == NULL) {
        say("internal error: %s has no option %s", line->verb->name, name);
        abort();
    }
    return (size_t)(row - line->verb->options);
}

const char *option_text(const command_line *line, const char *name)
{
    return line->values[row_index(line, name)].text;
}

int option_is(const command_line *line, const char *name, const char *value)
{
    const char *text = option_text(line, name);
    return text != NULL && strcmp(text, value) == 0;
}

int option_given(const command_line *line, const char *name)
{
    return line->values[row_index(line, name)].source == FROM_COMMAND_LINE;
}

int64_t option_integer(const command_line *line, const char *name)
{
    const char *text = option_text(line, name);
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

size_t option_integers(const command_line *line, const char *name, int32_t values[MOST_INTEGERS])
{
    size_t count = 0;
    const size_t index = row_index(line, name);
    read_integers(&line->verb->options[index], line->values[index].text, values, &count);
    return count;
}

void option_size(const command_line *line, const char *name, int32_t *height, int32_t *width)
{
    const size_t index = row_index(line, name);
    *height = *width = 0;
    if (line->values[index].text != NULL)
        read_size(&line->verb->options[index], line->values[index].text, height, width);
}
