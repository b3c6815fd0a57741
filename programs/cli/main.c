/* SPDX-License-Identifier: Apache-2.0 */
/* The command `res2net`: finds the verb, reads its options, runs it. */
#include <stdio.h>
#include <string.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "help.h"
#include "platform.h"
#include "suggest.h"
#include "verbs.h"

/* "data" alone, or "data chek": the two-word verb that is meant, or NULL. */
static const verb *half_verb(const char *word)
{
    for (const verb *const *known = verbs; *known != NULL; known++) {
        const size_t length = strcspn((*known)->name, " ");
        if ((*known)->name[length] == ' ' && strlen(word) == length &&
            strncmp(word, (*known)->name, length) == 0)
            return *known;
    }
    return NULL;
}

static void refuse_verb(int count, char **words)
{
    const verb *half = half_verb(words[0]);
    suggestion search = suggest_for(words[0]);
    for (const verb *const *known = verbs; *known != NULL; known++)
        if (!(*known)->hidden)
            suggest_offer(&search, (*known)->name);
    suggest_offer(&search, "help");
    if (half != NULL && count == 1)
        say("%s: expected a second word; did you mean `res2net %s`?", words[0], half->name);
    else if (half != NULL)
        say("unknown verb %s %s; did you mean `res2net %s`?", words[0], words[1], half->name);
    else if (search.best != NULL)
        say("unknown verb %s; did you mean `res2net %s`?", words[0], search.best);
    else
        say("unknown verb %s; `res2net --help` lists them", words[0]);
}

/* NULL after saying why. */
static const verb *find_verb(int count, char **words, int *used)
{
    const later_verb *later = later_verb_find(count, words);
    const verb *verb = later == NULL ? verb_find(count, words, used) : NULL;
    if (later != NULL)
        say("%s: this version does not have it yet; today: %s", later->name, later->instead);
    else if (verb == NULL)
        refuse_verb(count, words);
    return verb;
}

static int run_verb(int count, char **words)
{
    int used;
    int status = EXIT_USAGE;
    command_line line;
    const verb *verb = find_verb(count, words, &used);
    if (verb == NULL)
        return EXIT_USAGE;
    if (command_line_parse(&line, verb, count - used, words + used)) {
        if (line.help) {
            print_help(stdout, verb);
            status = EXIT_DONE;
        } else {
            status = verb->run(&line);
        }
    }
    command_line_free(&line);
    return status;
}

static int help(int count, char **words)
{
    int used;
    if (count == 0) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    const verb *verb = find_verb(count, words, &used);
    if (verb == NULL)
        return EXIT_USAGE;
    print_help(stdout, verb);
    return EXIT_DONE;
}

static int version(void)
{
    res2net_system system;
    res2net_system_describe(&system);
    printf("res2net %s\n", system.version);
    return EXIT_DONE;
}

static int dispatch(int count, char **words)
{
    if (count == 0) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(words[0], "help") == 0)
        return help(count - 1, words + 1);
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0)
        return help(0, NULL);
    if (strcmp(words[0], "--version") == 0)
        return version();
    if (words[0][0] == '-') {
        say("unknown option %s before the verb; `res2net --help` lists the verbs", words[0]);
        return EXIT_USAGE;
    }
    return run_verb(count, words);
}

int main(int count, char **arguments)
{
    platform_start();
    return output_finish(dispatch(count - 1, arguments + 1));
}
