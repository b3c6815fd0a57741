/* SPDX-License-Identifier: Apache-2.0 */
#include "import/choose.h"

#include <stdio.h>
#include <string.h>

const char *r2n_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int ends_with(const char *name, const char *tail)
{
    const size_t length = strlen(name), end = strlen(tail);
    return length > end && strcmp(name + length - end, tail) == 0;
}

int r2n_parameters_name(const char *program, char *out, size_t room)
{
    const char *base = r2n_base_name(program);
    const char *tail = ".pdiparams";
    size_t kept = strlen(program);
    if (strcmp(base, "__model__") == 0) {
        kept = (size_t)(base - program);
        tail = "__params__";
    } else if (ends_with(base, ".pdmodel") || ends_with(base, ".json")) {
        kept = (size_t)(strrchr(program, '.') - program);
    } else {
        return 0;
    }
    return (size_t)snprintf(out, room, "%.*s%s", (int)kept, program, tail) < room;
}

int r2n_program_name(const char *parameters, int kind, char *out, size_t room)
{
    const char *base = r2n_base_name(parameters);
    size_t kept = strlen(parameters);
    const char *tail = kind == 0 ? ".pdmodel" : ".json";
    if (strcmp(base, "__params__") == 0) {
        kept = (size_t)(base - parameters);
        tail = "__model__";
    } else if (ends_with(base, ".pdiparams")) {
        kept = (size_t)(strrchr(parameters, '.') - parameters);
    } else {
        return 0;
    }
    return (size_t)snprintf(out, room, "%.*s%s", (int)kept, parameters, tail) < room;
}

static ptrdiff_t find(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (ptrdiff_t)i;
    return -1;
}

/* The kinds in the order in which they are looked for. Of a model in two forms the first is taken:
 * they are the same network. */
static const char *const kinds[] = {".pdmodel", "__model__", ".json", ".onnx"};
enum { KINDS = 4, JSON = 2, ONNX = 3 };

static int is_kind(const char *name, int kind)
{
    const char *base = r2n_base_name(name);
    if (strncmp(base, "._", 2) == 0) /* what macOS adds to archives */
        return 0;
    return kind == 1 ? strcmp(base, kinds[kind]) == 0 : ends_with(base, kinds[kind]);
}

typedef struct search {
    const char *const *names;
    size_t count;
    ptrdiff_t orphan; /* a program without its parameters */
} search;

/* Fits the program's parameters to it. */
static int complete(search *s, size_t program, int kind, r2n_choice *choice)
{
    char parameters[1024];
    *choice = (r2n_choice){.program = (ptrdiff_t)program, .parameters = -1, .yaml = -1};
    if (kind == ONNX)
        return 1;
    if (r2n_parameters_name(s->names[program], parameters, sizeof parameters))
        choice->parameters = find(s->names, s->count, parameters);
    if (choice->parameters < 0 && kind != JSON) /* any JSON may lie about */
        s->orphan = (ptrdiff_t)program;
    return choice->parameters >= 0;
}

/* "inference" and "model" are what Paddle's tools write; others only where they are alone. Gives
 * how many were found. */
static int find_kind(search *s, int kind, r2n_choice *choice)
{
    int found = 0, best = -1;
    for (size_t i = 0; i < s->count; i++) {
        r2n_choice one;
        const char *base = r2n_base_name(s->names[i]);
        if (!is_kind(s->names[i], kind) || !complete(s, i, kind, &one))
            continue;
        const int rank = strncmp(base, "inference.", 10) == 0 ? 2 : strncmp(base, "model.", 6) == 0;
        if (rank < best)
            continue;
        found = rank > best ? 1 : found + 1;
        best = rank;
        *choice = one;
    }
    return found;
}

/* inference.yml in the program's folder. */
static void find_yaml(const search *s, r2n_choice *choice)
{
    char name[1024];
    const char *program = s->names[choice->program];
    const int folder = (int)(r2n_base_name(program) - program);
    if ((size_t)snprintf(name, sizeof name, "%.*sinference.yml", folder, program) < sizeof name)
        choice->yaml = find(s->names, s->count, name);
}

res2net_status r2n_choose_model(const char *const *names, size_t count, const char *file,
                                r2n_choice *out, res2net_report *report)
{
    search s = {.names = names, .count = count, .orphan = -1};
    for (int kind = 0; kind < KINDS; kind++) {
        const int found = find_kind(&s, kind, out);
        if (found > 1)
            return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                            "%d models (%s) are in it: name the one that is meant", found,
                            kinds[kind]);
        if (found == 1) {
            find_yaml(&s, out);
            return RES2NET_OK;
        }
    }
    if (s.orphan >= 0 && strcmp(r2n_base_name(names[s.orphan]), "__model__") == 0) {
        *out = (r2n_choice){.program = s.orphan, .parameters = -1, .yaml = -1, .apart = 1};
        find_yaml(&s, out);
        return RES2NET_OK;
    }
    if (s.orphan >= 0)
        return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                        "\"%.200s\" is there, but not its parameters (.pdiparams) beside it",
                        names[s.orphan]);
    return r2n_fail(report, RES2NET_MISMATCH, file, -1,
                    "no model is in it: a .pdmodel or .json with its .pdiparams, or an .onnx file, "
                    "was expected");
}
