/* SPDX-License-Identifier: Apache-2.0 */
/* The names that wrappers put around a network's own: spec/users.md A4. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "weights/reader.h"

int r2n_name_ends_with(const char *name, size_t bytes, const char *tail)
{
    const size_t tail_bytes = strlen(tail);
    return bytes >= tail_bytes && memcmp(name + bytes - tail_bytes, tail, tail_bytes) == 0;
}

/* Takes every component `word` (with its dot) out of a dotted name. */
static void remove_component(char *name, const char *word)
{
    const size_t length = strlen(word);
    char *at = name;
    while (*at != '\0') {
        if (strncmp(at, word, length) == 0) {
            memmove(at, at + length, strlen(at + length) + 1);
            continue;
        }
        at += strcspn(at, ".");
        at += *at == '.';
    }
}

/* Distillation: the student's tensors are the ones wanted, and its prefix is exact. */
static void keep_student(const r2n_weights_reader *reader)
{
    static const char prefix[] = "Student.";
    const size_t length = sizeof prefix - 1;
    r2n_tensor_set *set = reader->set;
    size_t kept = 0, students = 0;
    for (size_t i = 0; i < set->count; i++)
        students += strncmp(set->tensors[i].name, prefix, length) == 0;
    if (students == 0)
        return;
    r2n_fail(reader->report, RES2NET_OK, reader->file, -1,
             "note: a distillation checkpoint; the %zu tensors under \"%s\" are taken, %zu others "
             "left out",
             students, prefix, set->count - students);
    for (size_t i = 0; i < set->count; i++) {
        r2n_tensor *tensor = &set->tensors[i];
        if (strncmp(tensor->name, prefix, length) != 0) {
            r2n_free(tensor->name);
            continue;
        }
        memmove(tensor->name, tensor->name + length, strlen(tensor->name + length) + 1);
        set->tensors[kept++] = *tensor;
    }
    set->count = kept;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static res2net_status refuse_equal_names(const r2n_weights_reader *reader)
{
    const r2n_tensor_set *set = reader->set;
    char **names = r2n_allocate(set->count, sizeof *names);
    if (names == NULL)
        return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->file, -1,
                        "no memory for %zu names", set->count);
    for (size_t i = 0; i < set->count; i++)
        names[i] = set->tensors[i].name;
    qsort(names, set->count, sizeof *names, compare_names);
    res2net_status status = RES2NET_OK;
    for (size_t i = 1; i < set->count && status == RES2NET_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            status = r2n_fail(reader->report, RES2NET_DAMAGED, reader->file, -1,
                              "two tensors have the name \"%s\" (once prefixes such as \"module.\" "
                              "are off): it is not clear which one is meant",
                              names[i]);
    r2n_free(names);
    return status;
}

res2net_status r2n_plain_names(r2n_weights_reader *reader)
{
    for (size_t i = 0; i < reader->set->count; i++) {
        remove_component(reader->set->tensors[i].name, "module.");
        remove_component(reader->set->tensors[i].name, "_orig_mod.");
    }
    keep_student(reader);
    return refuse_equal_names(reader);
}
