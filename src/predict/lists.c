/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of lists and folders, for predict. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/os.h"
#include "data/dataset.h"
#include "data/sources.h"
#include "predict/session.h"
#include "res2net/evaluate.h"

void res2net_paths_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        r2n_free(paths[i]);
    r2n_free(paths);
}

static res2net_status no_memory(const char *file, res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, file, -1, "no memory for the paths");
}

/* ---- lists --------------------------------------------------------------------------------- */

struct res2net_list {
    r2n_dataset *dataset;
    char **record_names; /* [count] of a CIFAR binary, else NULL */
};

/* "test.bin[12]". */
static res2net_status name_records(res2net_list *list, const char *source, res2net_report *report)
{
    const size_t count = list->dataset->count;
    const size_t room = strlen(source) + 24;
    list->record_names = r2n_allocate_zeroed(count, sizeof *list->record_names);
    if (list->record_names == NULL)
        return no_memory(source, report);
    for (size_t i = 0; i < count; i++) {
        list->record_names[i] = r2n_allocate(room, 1);
        if (list->record_names[i] == NULL)
            return no_memory(source, report);
        snprintf(list->record_names[i], room, "%s[%zu]", source, i);
    }
    return RES2NET_OK;
}

res2net_status res2net_list_open(const char *source, const char *root, const char *delimiter,
                                 res2net_list **out, res2net_report *report)
{
    const r2n_dataset_options rules = {.root = root, .delimiter = delimiter, .labels_optional = 1};
    *out = NULL;
    res2net_list *list = r2n_allocate_zeroed(1, sizeof *list);
    if (list == NULL)
        return no_memory(source, report);
    res2net_status status = r2n_dataset_open(source, &rules, &list->dataset, report);
    if (status == RES2NET_OK && list->dataset->cifar.data != NULL)
        status = name_records(list, r2n_dataset_name(source), report);
    if (status != RES2NET_OK) {
        res2net_list_close(list);
        return status;
    }
    r2n_dataset_find_absent(list->dataset, source, report);
    *out = list;
    return RES2NET_OK;
}

void res2net_list_close(res2net_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; list->record_names != NULL && i < list->dataset->count; i++)
        r2n_free(list->record_names[i]);
    r2n_free(list->record_names);
    r2n_dataset_destroy(list->dataset);
    r2n_free(list);
}

size_t res2net_list_count(const res2net_list *list)
{
    return list->dataset->count;
}

const char *res2net_list_name(const res2net_list *list, size_t index)
{
    return list->record_names != NULL ? list->record_names[index]
                                      : list->dataset->items[index].path;
}

int res2net_list_is_absent(const res2net_list *list, size_t index)
{
    return list->dataset->items[index].absent;
}

res2net_status res2net_list_prepare(const res2net_list *list, size_t index,
                                    const res2net_session *session, res2net_tensor *out,
                                    res2net_report *report)
{
    const char *name = res2net_list_name(list, index);
    if (list->record_names == NULL)
        return res2net_session_prepare_file(session, name, out, report);
    return r2n_session_prepare_record(session, list->dataset, index, name, out, report);
}

/* ---- folders ------------------------------------------------------------------------------- */

static int is_picture_name(const char *name)
{
    static const char *const extensions[] = {".jpg", ".jpeg", ".png", ".webp", ".bmp",
                                             ".pbm", ".pgm",  ".ppm", ".pnm"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof extensions / sizeof *extensions; i++)
        if (strcasecmp(dot, extensions[i]) == 0)
            return 1;
    return 0;
}

res2net_status res2net_folder_paths(const char *folder, char ***paths, size_t *count,
                                    res2net_report *report)
{
    char **names;
    size_t name_count;
    *paths = NULL;
    *count = 0;
    res2net_status status = r2n_os_list_directory(folder, &names, &name_count, report);
    if (status != RES2NET_OK)
        return status;
    *paths = r2n_allocate(name_count, sizeof **paths);
    if (*paths == NULL)
        status = no_memory(folder, report);
    for (size_t i = 0; i < name_count; i++) {
        if (status == RES2NET_OK && is_picture_name(names[i])) {
            (*paths)[*count] = r2n_path_join(folder, strlen(folder), names[i], strlen(names[i]));
            if ((*paths)[*count] == NULL)
                status = no_memory(folder, report);
            else
                (*count)++;
        }
        r2n_free(names[i]);
    }
    r2n_free(names);
    if (status == RES2NET_OK && *count == 0)
        status = r2n_fail(report, RES2NET_NOT_FOUND, folder, -1,
                          "the folder holds no .jpg, .jpeg, .png, .webp, .bmp, .pbm, .pgm, .ppm or "
                          ".pnm file");
    if (status != RES2NET_OK) {
        res2net_paths_free(*paths, *count);
        *paths = NULL;
        *count = 0;
    }
    return status;
}
