/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

#include <stdio.h>
#include <string.h>

const verb *const verbs[] = {&verb_predict, &verb_eval,        &verb_train,      &verb_quantize,
                             &verb_convert, &verb_export,      &verb_summary,    &verb_models,
                             &verb_plan,    &verb_bench,       &verb_data_check, &verb_data_split,
                             &verb_doctor,  &verb_completions, &verb_man,        NULL};

const later_verb later_verbs[] = {
    {"models pull", "`res2net models` says where weights are published"},
    {"cam", "it has no replacement"},
    {"features", "it has no replacement"},
    {NULL, NULL},
};

/* How many words the name has when `words` begin with it, else 0. */
static int match_name(const char *name, int count, char **words)
{
    char spelt[64];
    if (count >= 1 && strcmp(words[0], name) == 0)
        return 1;
    if (count < 2)
        return 0;
    snprintf(spelt, sizeof spelt, "%s %s", words[0], words[1]);
    return strcmp(spelt, name) == 0 ? 2 : 0;
}

const verb *verb_find(int count, char **words, int *used)
{
    for (const verb *const *known = verbs; *known != NULL; known++) {
        *used = match_name((*known)->name, count, words);
        if (*used > 0)
            return *known;
    }
    return NULL;
}

const later_verb *later_verb_find(int count, char **words)
{
    for (const later_verb *later = later_verbs; later->name != NULL; later++)
        if (match_name(later->name, count, words) > 0)
            return later;
    return NULL;
}
