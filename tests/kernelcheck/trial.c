/* SPDX-License-Identifier: Apache-2.0 */
/* One kernel on one case: between guard pages, whole and in pieces. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/guard.h"
#include "kernelcheck/scene.h"

enum { FAILURES_TOLD = 20, MOST_CUTS = 4 };

void tally_count(tally *t, int good, const char *format, ...)
{
    if (good) {
        t->passed++;
        return;
    }
    if (t->failed++ < FAILURES_TOLD) {
        va_list list;
        va_start(list, format);
        printf("FAILED ");
        vprintf(format, list);
        printf("\n");
        va_end(list);
    }
}

int same_value(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

/* Ascending cut points first = cuts[0] <= ... <= cuts[count] = last, parts possibly empty. */
static int make_cuts(random_state *random, int32_t first, int32_t last, int32_t *cuts)
{
    const int count = random_between(random, 1, MOST_CUTS);
    cuts[0] = first;
    for (int i = 1; i < count; i++)
        cuts[i] = random_between(random, cuts[i - 1], last);
    cuts[count] = last;
    return count;
}

static void run_in_pieces(const trial *t, random_state *random, float *block)
{
    int32_t rows[MOST_CUTS + 1], blocks[MOST_CUTS + 1];
    const int row_parts = make_cuts(random, t->whole.row_first, t->whole.row_last, rows);
    const int block_parts = make_cuts(random, t->whole.block_first, t->whole.block_last, blocks);
    const int parts = row_parts * block_parts;
    const int start = random_between(random, 0, parts - 1);
    for (int i = 0; i < parts; i++) {
        const int part = (start + i) % parts;
        const int row = part / block_parts;
        const int block_part = part % block_parts;
        const r2n_range range = {rows[row], rows[row + 1], blocks[block_part],
                                 blocks[block_part + 1]};
        t->kernel->run(t->arguments, block, range);
    }
}

float *run_guarded(const trial *t, random_state *random)
{
    const size_t bytes = (size_t)t->before->floats * sizeof(float);
    float *after = r2n_allocate((size_t)t->before->floats, sizeof(float));
    guarded g = guard_allocate(bytes, random != NULL && random_between(random, 0, 1));
    if (after == NULL) {
        fprintf(stderr, "kernelcheck: out of memory\n");
        exit(3);
    }
    memcpy(g.data, t->before->values, bytes);
    if (random != NULL)
        run_in_pieces(t, random, g.data);
    else
        t->kernel->run(t->arguments, g.data, t->whole);
    memcpy(after, g.data, bytes);
    guard_release(&g);
    return after;
}

/* Index of the first element outside ROLE_WRITTEN whose bits changed, or -1. */
static int64_t find_damage(const scene *before, const float *after)
{
    for (int64_t i = 0; i < before->floats; i++)
        if (before->roles[i] != ROLE_WRITTEN &&
            memcmp(&before->values[i], &after[i], sizeof(float)) != 0)
            return i;
    return -1;
}

static int64_t find_difference(const scene *before, const float *a, const float *b)
{
    for (int64_t i = 0; i < before->floats; i++)
        if (before->roles[i] == ROLE_WRITTEN && !same_value(a[i], b[i]))
            return i;
    return -1;
}

float *check_kernel(tally *t, const trial *one, random_state *random, const float *other,
                    const char *other_name)
{
    const char *name = one->kernel->name;
    float *whole = run_guarded(one, NULL);
    float *parts = run_guarded(one, random);
    int64_t at = find_damage(one->before, whole);
    tally_count(t, at < 0, "%s: %s: writes element %lld, which is not its own", name, one->text,
                (long long)at);
    at = find_damage(one->before, parts);
    tally_count(t, at < 0, "%s: %s: in pieces it writes element %lld, which is not its own", name,
                one->text, (long long)at);
    at = find_difference(one->before, whole, parts);
    tally_count(t, at < 0, "%s: %s: element %lld is %a, but %a when the range is cut", name,
                one->text, (long long)at, at < 0 ? 0 : (double)whole[at],
                at < 0 ? 0 : (double)parts[at]);
    if (other != NULL) {
        at = find_difference(one->before, whole, other);
        tally_count(t, at < 0, "%s: %s: element %lld is %a, but %a from %s", name, one->text,
                    (long long)at, at < 0 ? 0 : (double)whole[at], at < 0 ? 0 : (double)other[at],
                    other_name);
    }
    r2n_free(parts);
    return whole;
}
