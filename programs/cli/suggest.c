/* SPDX-License-Identifier: Apache-2.0 */
#include "suggest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 40 };

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours, whatever the case. */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][LONGEST + 1];
    const int a_length = (int)strlen(a);
    const int b_length = (int)strlen(b);
    if (a_length > LONGEST || b_length > LONGEST)
        return LONGEST;
    for (int j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (int i = 1; i <= a_length; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3];
        const int *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= b_length; j++) {
            const int ca = tolower((unsigned char)a[i - 1]);
            const int cb = tolower((unsigned char)b[j - 1]);
            row[j] = smaller(smaller(above[j], row[j - 1]) + 1, above[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
                cb == tolower((unsigned char)a[i - 2]))
                row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

suggestion suggest_for(const char *misspelt)
{
    const int length = (int)strlen(misspelt);
    return (suggestion){.misspelt = misspelt, .distance = length < 3 ? 2 : 2 + length / 4};
}

void suggest_offer(suggestion *search, const char *candidate)
{
    const size_t length = strlen(search->misspelt);
    int distance = edit_distance(search->misspelt, candidate);
    if (length >= 2 && strncmp(search->misspelt, candidate, length) == 0)
        distance = 1; /* an abbreviation */
    if (distance < search->distance) {
        search->distance = distance;
        search->best = candidate;
    }
}
