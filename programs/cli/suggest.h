/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean": the nearest known word to a misspelt one. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

typedef struct suggestion {
    const char *misspelt;
    const char *best; /* NULL when nothing is near */
    int distance;
} suggestion;

suggestion suggest_for(const char *misspelt);
void suggest_offer(suggestion *search, const char *candidate);

#endif
