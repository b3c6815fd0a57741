/* SPDX-License-Identifier: Apache-2.0 */
/* The ranges of an architecture's numbers, and its text form "cifar:planes=32,depths=2-2-2,...". */
#include "model/catalogue_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- ranges ---------------------------------------------------------------------------------- */

typedef struct check {
    const char *file;
    res2net_report *report;
    res2net_status status;
} check;

static void check_range(check *c, const char *what, int64_t value, int64_t low, int64_t high)
{
    if (value < low || value > high)
        c->status = r2n_fail(c->report, RES2NET_INVALID_ARGUMENT, c->file, -1,
                             "%s is %" PRId64 "; it must be %" PRId64 " to %" PRId64, what, value,
                             low, high);
}

/* Only with fields in range: the widths that follow from them. */
static void check_widths(check *c, const r2n_architecture *a)
{
    const int32_t last = a->stages - 1;
    check_range(c, "the number of output channels", (int64_t)4 * r2n_stage_planes(a, last), 4,
                R2N_MAXIMUM_CHANNELS);
    check_range(c, "the group width of stage 1", r2n_group_width(a, 0), 1, R2N_MAXIMUM_CHANNELS);
    check_range(c, "the number of channels inside the last stage's blocks",
                (int64_t)a->scale * r2n_group_width(a, last), 1, R2N_MAXIMUM_CHANNELS);
    if (a->stem == R2N_STEM_DEEP && a->stem_channels % 2 != 0)
        c->status = r2n_fail(c->report, RES2NET_INVALID_ARGUMENT, c->file, -1,
                             "a deep stem of %" PRId32 " channels; it must be an even number, for "
                             "its first two convolutions have half of it",
                             a->stem_channels);
    if ((a->stem == R2N_STEM_DEEP) != a->pooled_shortcut)
        c->status =
            r2n_fail(c->report, RES2NET_INVALID_ARGUMENT, c->file, -1,
                     a->pooled_shortcut ? "a pooled shortcut without a deep stem is not supported"
                                        : "a deep stem without a pooled shortcut is not supported");
}

res2net_status r2n_architecture_validate(const r2n_architecture *a, const char *file,
                                         res2net_report *report)
{
    check c = {.file = file, .report = report, .status = RES2NET_OK};
    if (memchr(a->name, '\0', sizeof a->name) == NULL)
        c.status = r2n_fail(report, RES2NET_INVALID_ARGUMENT, file, -1,
                            "the architecture's name has no end");
    check_range(&c, "the kind of stem", (int64_t)a->stem, R2N_STEM_7X7, R2N_STEM_3X3);
    check_range(&c, "the number of stem channels", a->stem_channels, 1, R2N_MAXIMUM_STEM_CHANNELS);
    check_range(&c, "the number of stages", a->stages, 1, R2N_MAXIMUM_STAGES);
    for (int32_t s = 0; s < a->stages && s < R2N_MAXIMUM_STAGES; s++)
        check_range(&c, "the number of blocks of a stage", a->depths[s], 1, R2N_MAXIMUM_DEPTH);
    check_range(&c, "the number of planes", a->planes, 1, R2N_MAXIMUM_PLANES);
    check_range(&c, "the base width", a->base_width, 1, R2N_MAXIMUM_BASE_WIDTH);
    check_range(&c, "the scale", a->scale, 1, R2N_MAXIMUM_SCALE);
    check_range(&c, "the pooled-shortcut flag", a->pooled_shortcut, 0, 1);
    check_range(&c, "the number of classes", a->classes, 1, R2N_MAXIMUM_CLASSES);
    check_range(&c, "the picture size", a->picture_size, 8, 16384);
    if (c.status == RES2NET_OK)
        check_widths(&c, a);
    return c.status;
}

/* ---- specifications -------------------------------------------------------------------------- */

static const struct {
    const char *prefix;
    r2n_stem stem;
    int32_t stem_channels; /* 0: as many as planes */
    int32_t classes, picture_size;
} kinds[] = {{"cifar:", R2N_STEM_3X3, 0, 100, 32},
             {"plain:", R2N_STEM_7X7, 64, 1000, 224},
             {"vd:", R2N_STEM_DEEP, 64, 1000, 224}};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

typedef enum key { KEY_PLANES, KEY_DEPTHS, KEY_WIDTH, KEY_SCALE, KEY_STEM, KEY_CLASSES, KEYS } key;

static const char *const key_names[KEYS] = {"planes", "depths", "width",
                                            "scale",  "stem",   "classes"};

static int find_kind(const char *text)
{
    for (int i = 0; i < KINDS; i++) {
        const size_t length = strlen(kinds[i].prefix);
        size_t same = 0;
        while (same < length && (text[same] == kinds[i].prefix[same] ||
                                 text[same] + ('a' - 'A') == kinds[i].prefix[same]))
            same++;
        if (same == length)
            return i;
    }
    return -1;
}

int r2n_specification_is(const char *name)
{
    return find_kind(name) >= 0;
}

static res2net_status bad_text(const char *text, const char *at, const char *expected,
                               res2net_report *report)
{
    return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                    "architecture \"%.200s\", at character %d: expected %s; the form is "
                    "\"cifar:planes=32,depths=2-2-2,width=26,scale=4[,stem=32][,classes=100]\"",
                    text, (int)(at - text) + 1, expected);
}

/* A number of 1 to 6 digits; NULL where there is none. */
static const char *read_number(const char *at, int32_t *value)
{
    const char *start = at;
    *value = 0;
    while (*at >= '0' && *at <= '9' && at - start < 6)
        *value = *value * 10 + (*at++ - '0');
    return at == start ? NULL : at;
}

static const char *read_depths(const char *at, r2n_architecture *a)
{
    for (a->stages = 0; a->stages < R2N_MAXIMUM_STAGES; at++) {
        const char *end = read_number(at, &a->depths[a->stages]);
        if (end == NULL)
            return NULL;
        a->stages++;
        at = end;
        if (*at != '-')
            return at;
    }
    return NULL;
}

static const char *read_value(const char *at, key k, r2n_architecture *a)
{
    switch (k) {
    case KEY_PLANES:
        return read_number(at, &a->planes);
    case KEY_DEPTHS:
        return read_depths(at, a);
    case KEY_WIDTH:
        return read_number(at, &a->base_width);
    case KEY_SCALE:
        return read_number(at, &a->scale);
    case KEY_STEM:
        return read_number(at, &a->stem_channels);
    case KEY_CLASSES:
        return read_number(at, &a->classes);
    case KEYS:
        break;
    }
    return NULL;
}

static int find_key(const char *at)
{
    for (int k = 0; k < KEYS; k++) {
        const size_t length = strlen(key_names[k]);
        if (strncmp(at, key_names[k], length) == 0 && at[length] == '=')
            return k;
    }
    return -1;
}

res2net_status r2n_specification_parse(const char *text, r2n_architecture *out,
                                       res2net_report *report)
{
    const int kind = find_kind(text);
    int given[KEYS] = {0};
    r2n_architecture a = {.stem = kinds[kind].stem,
                          .stem_channels = kinds[kind].stem_channels,
                          .classes = kinds[kind].classes,
                          .picture_size = kinds[kind].picture_size,
                          .pooled_shortcut = kinds[kind].stem == R2N_STEM_DEEP};
    const char *at = text + strlen(kinds[kind].prefix);
    for (;;) {
        const int k = find_key(at);
        if (k < 0)
            return bad_text(text, at,
                            "planes=, depths=, width=, scale=, stem= or classes=", report);
        if (given[k])
            return bad_text(text, at, "each key once", report);
        given[k] = 1;
        at += strlen(key_names[k]) + 1;
        const char *end = read_value(at, (key)k, &a);
        if (end == NULL)
            return bad_text(text, at,
                            k == KEY_DEPTHS ? "1 to 4 numbers with '-' between them" : "a number",
                            report);
        at = end;
        if (*at == '\0')
            break;
        if (*at != ',')
            return bad_text(text, at, "',' or the end", report);
        at++;
    }
    for (int k = KEY_PLANES; k <= KEY_SCALE; k++)
        if (!given[k])
            return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                            "architecture \"%.200s\" lacks %s=", text, key_names[k]);
    if (!given[KEY_STEM] && a.stem_channels == 0)
        a.stem_channels = a.planes;
    const res2net_status status = r2n_architecture_validate(&a, text, report);
    if (status != RES2NET_OK)
        return status;
    r2n_architecture_take_name(&a);
    *out = a;
    return RES2NET_OK;
}

void r2n_specification_write(r2n_architecture *a)
{
    int kind = 0;
    while (kind < KINDS - 1 && kinds[kind].stem != a->stem)
        kind++;
    char depths[48] = "";
    size_t used = 0;
    for (int32_t s = 0; s < a->stages; s++)
        used += (size_t)snprintf(depths + used, sizeof depths - used, "%s%" PRId32,
                                 s == 0 ? "" : "-", a->depths[s]);
    char stem[24] = "";
    const int32_t usual = kinds[kind].stem_channels == 0 ? a->planes : kinds[kind].stem_channels;
    if (a->stem_channels != usual)
        snprintf(stem, sizeof stem, ",stem=%" PRId32, a->stem_channels);
    char classes[24] = "";
    if (a->classes != kinds[kind].classes)
        snprintf(classes, sizeof classes, ",classes=%" PRId32, a->classes);
    char text[160];
    snprintf(text, sizeof text,
             "%splanes=%" PRId32 ",depths=%s,width=%" PRId32 ",scale=%" PRId32 "%s%s",
             kinds[kind].prefix, a->planes, depths, a->base_width, a->scale, stem, classes);
    snprintf(a->name, sizeof a->name, "%.*s", (int)sizeof a->name - 1, text);
    a->picture_size = kinds[kind].picture_size;
}
