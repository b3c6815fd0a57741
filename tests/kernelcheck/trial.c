/* SPDX-License-Identifier: Apache-2.0 */
/* One kernel on one case: between guard pages, whole and in pieces. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernelcheck/guard.h"
#include "kernelcheck/scene.h"
#include "kernels/bf16.h"

enum { FAILURES_TOLD = 20, MOST_CUTS = 4, WHY_BYTES = 80 };

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

/* Ascending cut points first = cuts[0] <= ... <= cuts[count] = last at multiples of `granule`
 * behind `first`, parts possibly empty. */
static int make_cuts(random_state *random, int32_t first, int32_t last, int32_t granule,
                     int32_t *cuts)
{
    const int count = random_between(random, 1, MOST_CUTS);
    const int32_t granules = (last - first + granule - 1) / granule;
    int32_t at = 0;
    cuts[0] = first;
    for (int i = 1; i < count; i++) {
        at = random_between(random, at, granules);
        cuts[i] = at < granules ? first + at * granule : last;
    }
    cuts[count] = last;
    return count;
}

static void run_in_pieces(const trial *t, random_state *random, void *block)
{
    int32_t rows[MOST_CUTS + 1], blocks[MOST_CUTS + 1];
    const int row_parts = make_cuts(random, t->whole.row_first, t->whole.row_last,
                                    t->granule_rows > 0 ? t->granule_rows : 1, rows);
    const int block_parts = make_cuts(random, t->whole.block_first, t->whole.block_last, 1, blocks);
    const int parts = row_parts * block_parts;
    const int start = random_between(random, 0, parts - 1);
    for (int i = 0; i < parts; i++) {
        const int part = (start + i) % parts;
        const int row = part / block_parts;
        const int block_part = part % block_parts;
        const r2n_range range = {.row_first = rows[row],
                                 .row_last = rows[row + 1],
                                 .block_first = blocks[block_part],
                                 .block_last = blocks[block_part + 1]};
        t->kernel->run(t->arguments, block, range);
    }
}

void *run_guarded(const trial *t, random_state *random)
{
    const size_t bytes = (size_t)t->before->elements * (size_t)t->before->element_bytes;
    void *after = r2n_allocate(bytes, 1);
    guarded g = guard_allocate(bytes, random != NULL && random_between(random, 0, 1));
    if (after == NULL) {
        fprintf(stderr, "kernelcheck: out of memory\n");
        exit(3);
    }
    memcpy(g.data, t->before->any, bytes);
    if (t->bind != NULL)
        t->bind(t->context, g.data);
    if (random != NULL)
        run_in_pieces(t, random, g.data);
    else
        t->kernel->run(t->arguments, g.data, t->whole);
    memcpy(after, g.data, bytes);
    guard_release(&g);
    return after;
}

double value_at(const scene *s, const void *block, int64_t index)
{
    if (s->element_bytes == 1)
        return ((const uint8_t *)block)[index];
    if (s->element_bytes == 2)
        return (double)r2n_float_from_bf16(((const uint16_t *)block)[index]);
    return (double)((const float *)block)[index];
}

static int same_bits(const scene *s, const void *a, const void *b, int64_t index)
{
    const int64_t at = index * s->element_bytes;
    return memcmp((const char *)a + at, (const char *)b + at, (size_t)s->element_bytes) == 0;
}

/* Index of the first element outside ROLE_WRITTEN whose bits changed, or -1. */
static int64_t find_damage(const scene *before, const void *after)
{
    for (int64_t i = 0; i < before->elements; i++)
        if (before->roles[i] != ROLE_WRITTEN && !same_bits(before, before->any, after, i))
            return i;
    return -1;
}

static int64_t find_difference(const scene *before, const void *a, const void *b)
{
    for (int64_t i = 0; i < before->elements; i++)
        if (before->roles[i] == ROLE_WRITTEN && !same_bits(before, a, b, i) &&
            !(isnan(value_at(before, a, i)) && isnan(value_at(before, b, i))))
            return i;
    return -1;
}

/* Tells where two results of one case differ. */
static void tally_difference(tally *t, const trial *one, const void *a, const void *b,
                             const char *why)
{
    const int64_t at = find_difference(one->before, a, b);
    tally_count(t, at < 0, "%s: %s: element %lld is %a, but %a %s", one->kernel->name, one->text,
                (long long)at, at < 0 ? 0 : value_at(one->before, a, at),
                at < 0 ? 0 : value_at(one->before, b, at), why);
}

void *check_kernel(tally *t, const trial *one, random_state *random, const void *other,
                   const char *other_name)
{
    const char *name = one->kernel->name;
    void *whole = run_guarded(one, NULL);
    void *parts = run_guarded(one, random);
    int64_t at = find_damage(one->before, whole);
    tally_count(t, at < 0, "%s: %s: writes element %lld, which is not its own", name, one->text,
                (long long)at);
    at = find_damage(one->before, parts);
    tally_count(t, at < 0, "%s: %s: in pieces it writes element %lld, which is not its own", name,
                one->text, (long long)at);
    tally_difference(t, one, whole, parts, "when the range is cut");
    if (other != NULL) {
        char why[WHY_BYTES];
        snprintf(why, sizeof why, "from %s", other_name);
        tally_difference(t, one, whole, other, why);
    }
    r2n_free(parts);
    return whole;
}
