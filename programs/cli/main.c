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

static int is_first_word_of(const char *word, const verb *verb)
{
    const size_t length = strcspn(verb->name, " ");
    return verb->name[length] == ' ' && strlen(word) == length &&
           strncmp(word, verb->name, length) == 0;
}

/* "data" alone, or "data chek": the verbs of two words that can be meant. 0 when there is none. */
static int refuse_half_verb(int count, char **words)
{
    char known_ones[256] = "", spelt[64];
    size_t used = 0;
    snprintf(spelt, sizeof spelt, "%s %s", words[0], count > 1 ? words[1] : "");
    suggestion search = suggest_for(spelt);
    for (const verb *const *known = verbs; *known != NULL; known++) {
        if ((*known)->hidden || !is_first_word_of(words[0], *known) || used >= sizeof known_ones)
            continue;
        used += (size_t)snprintf(known_ones + used, sizeof known_ones - used, "%s`res2net %s`",
                                 used == 0 ? "" : " or ", (*known)->name);
        suggest_offer(&search, (*known)->name);
    }
    if (used == 0)
        return 0;
    if (count == 1)
        say("%s: expected a second word; did you mean %s?", words[0], known_ones);
    else if (search.best != NULL)
        say("unknown verb %s %s; did you mean `res2net %s`?", words[0], words[1], search.best);
    else
        say("unknown verb %s %s; did you mean %s?", words[0], words[1], known_ones);
    return 1;
}

static void refuse_verb(int count, char **words)
{
    suggestion search = suggest_for(words[0]);
    if (refuse_half_verb(count, words))
        return;
    for (const verb *const *known = verbs; *known != NULL; known++)
        if (!(*known)->hidden)
            suggest_offer(&search, (*known)->name);
    suggest_offer(&search, "help");
    if (search.best != NULL)
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
