/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "options.h"

typedef struct verb {
    const char *name;        /* one word, or two: "data check" */
    const char *operands;    /* for the usage line: "[MODEL] INPUT..." */
    const char *summary;     /* one line, no full stop */
    const char *description; /* paragraphs for --help and the manual page */
    const char *examples;    /* lines for a shell */
    const option_row *options;
    size_t least_operands, most_operands;
    const char *missing; /* what to say when operands are missing */
    int hidden;          /* for packagers: not in the overview */
    int (*run)(const command_line *line);
} verb;

extern const verb verb_predict, verb_eval, verb_train, verb_quantize, verb_convert, verb_export,
    verb_summary, verb_models, verb_plan, verb_bench, verb_doctor, verb_data_check, verb_data_split,
    verb_completions, verb_man;

#define ANY_NUMBER ((size_t)-1)

/* In the order of the overview; NULL ends it. */
extern const verb *const verbs[];

/* Verbs of later versions: refused by name instead of "unknown". */
typedef struct later_verb {
    const char *name;
    const char *instead; /* what can be done today */
} later_verb;
extern const later_verb later_verbs[]; /* a NULL name ends it */

/* The verb that the words begin with, and how many of them are its name; NULL for none. */
const verb *verb_find(int count, char **words, int *used);
const later_verb *later_verb_find(int count, char **words);

#endif
