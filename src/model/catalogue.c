/* SPDX-License-Identifier: Apache-2.0 */
/* Names to architectures: exact, by alias, by specification, and "did you mean". */
#include "model/catalogue_rows.h"

#include <string.h>

size_t r2n_catalogue_count(void)
{
    return r2n_catalogue_row_count;
}

const r2n_catalogue_row *r2n_catalogue_get(size_t index)
{
    return index < r2n_catalogue_row_count ? &r2n_catalogue_rows[index] : NULL;
}

/* ASCII only, so that a locale cannot change what a name means. */
static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static int drop_suffix(char *text, const char *suffix)
{
    const size_t length = strlen(text);
    const size_t tail = strlen(suffix);
    if (length <= tail || strcmp(text + length - tail, suffix) != 0)
        return 0;
    text[length - tail] = '\0';
    return 1;
}

/* Lower case, '_' for '-', without what tells weights rather than networks: "_ssld", ".in1k".
 * Returns 0 when the name is longer than any of ours. */
static int normalise(const char *name, char out[R2N_NAME_BYTES])
{
    const size_t length = strlen(name);
    if (length >= R2N_NAME_BYTES)
        return 0;
    for (size_t i = 0; i <= length; i++)
        out[i] = name[i] == '-' ? '_' : lower(name[i]);
    if (drop_suffix(out, "in1k")) {
        char *tag = strrchr(out, '.');
        if (tag == NULL)
            return 0;
        *tag = '\0';
    }
    (void)drop_suffix(out, "_ssld");
    return 1;
}

static int same_name(const char *normalised, const char *name)
{
    char other[R2N_NAME_BYTES];
    return normalise(name, other) && strcmp(normalised, other) == 0;
}

static const r2n_catalogue_row *find_row(const char *normalised)
{
    for (size_t i = 0; i < r2n_catalogue_row_count; i++) {
        const r2n_catalogue_row *row = &r2n_catalogue_rows[i];
        if (same_name(normalised, row->architecture.name))
            return row;
        for (const char *const *alias = row->aliases; *alias != NULL; alias++)
            if (same_name(normalised, *alias))
                return row;
    }
    return NULL;
}

res2net_status r2n_architecture_find(const char *name, r2n_architecture *out,
                                     res2net_report *report)
{
    char normalised[R2N_NAME_BYTES];
    if (name == NULL || name[0] == '\0')
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "an empty architecture name; the catalogue lists the names");
    if (r2n_specification_is(name))
        return r2n_specification_parse(name, out, report);
    const r2n_catalogue_row *row = normalise(name, normalised) ? find_row(normalised) : NULL;
    if (row != NULL) {
        *out = row->architecture;
        return RES2NET_OK;
    }
    const char *nearest = r2n_architecture_nearest(name);
    if (nearest != NULL)
        return r2n_fail(report, RES2NET_NOT_FOUND, NULL, -1,
                        "no architecture is called \"%.95s\"; did you mean \"%s\"?", name, nearest);
    return r2n_fail(report, RES2NET_NOT_FOUND, NULL, -1,
                    "no architecture is called \"%.95s\"; the catalogue lists the names, and "
                    "\"cifar:planes=32,depths=2-2-2,width=26,scale=4\" makes one",
                    name);
}

/* ---- did you mean ---------------------------------------------------------------------------- */

/* Insertions, deletions, changes and swaps of neighbours that turn `a` into `b`. */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][R2N_NAME_BYTES];
    const int a_length = (int)strlen(a);
    const int b_length = (int)strlen(b);
    for (int j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (int i = 1; i <= a_length; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i - 1) % 3];
        row[0] = i;
        for (int j = 1; j <= b_length; j++) {
            int best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                rows[(i - 2) % 3][j - 2] + 1 < best)
                best = rows[(i - 2) % 3][j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

static void consider(const char *wanted, const char *name, const char **nearest, int *distance)
{
    char normalised[R2N_NAME_BYTES];
    if (!normalise(name, normalised))
        return;
    const int longer = (int)strlen(normalised) - (int)strlen(wanted);
    if (longer >= *distance || -longer >= *distance)
        return; /* each letter too many or too few is an edit */
    const int edits = edit_distance(wanted, normalised);
    if (edits < *distance) {
        *distance = edits;
        *nearest = name;
    }
}

const char *r2n_architecture_nearest(const char *name)
{
    char wanted[R2N_NAME_BYTES];
    const char *nearest = NULL;
    if (name == NULL || !normalise(name, wanted))
        return NULL;
    /* Over a third of the letters wrong is no slip of the pen. */
    int distance = 2 + (int)strlen(wanted) / 3;
    for (size_t i = 0; i < r2n_catalogue_row_count; i++) {
        const r2n_catalogue_row *row = &r2n_catalogue_rows[i];
        consider(wanted, row->architecture.name, &nearest, &distance);
        for (const char *const *alias = row->aliases; *alias != NULL; alias++)
            consider(wanted, *alias, &nearest, &distance);
    }
    return nearest;
}

/* ---- rows by their numbers ------------------------------------------------------------------- */

static const r2n_catalogue_row *equal_row(const r2n_architecture *a)
{
    for (size_t i = 0; i < r2n_catalogue_row_count; i++) {
        const r2n_architecture *row = &r2n_catalogue_rows[i].architecture;
        if (row->stem == a->stem && row->stem_channels == a->stem_channels &&
            row->stages == a->stages && row->planes == a->planes &&
            row->base_width == a->base_width && row->scale == a->scale &&
            row->pooled_shortcut == a->pooled_shortcut &&
            memcmp(row->depths, a->depths, (size_t)a->stages * sizeof(a->depths[0])) == 0)
            return &r2n_catalogue_rows[i];
    }
    return NULL;
}

void r2n_architecture_take_name(r2n_architecture *a)
{
    const r2n_catalogue_row *row = equal_row(a);
    if (row == NULL) {
        r2n_specification_write(a);
        return;
    }
    memcpy(a->name, row->architecture.name, sizeof a->name);
    a->picture_size = row->architecture.picture_size;
}

r2n_family r2n_architecture_origin_family(const r2n_architecture *a)
{
    const r2n_catalogue_row *row = equal_row(a);
    return row != NULL && strstr(row->origin, "PaddleClas") != NULL ? R2N_FAMILY_PADDLE
                                                                    : R2N_FAMILY_TORCH;
}

/* ---- numbers that follow --------------------------------------------------------------------- */

int32_t r2n_stage_planes(const r2n_architecture *a, int32_t stage)
{
    return a->planes << stage;
}

int32_t r2n_group_width(const r2n_architecture *a, int32_t stage)
{
    return (int32_t)((int64_t)r2n_stage_planes(a, stage) * a->base_width / 64);
}
