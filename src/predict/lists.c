/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of pictures in lists and folders. */
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/os.h"
#include "data/dataset.h"
#include "data/sources.h"
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

res2net_status res2net_list_paths(const char *list, const char *root, const char *delimiter,
                                  char ***paths, size_t *count, res2net_report *report)
{
    const r2n_dataset_options rules = {.root = root, .delimiter = delimiter, .labels_optional = 1};
    r2n_dataset *dataset;
    *paths = NULL;
    *count = 0;
    res2net_status status = r2n_dataset_open(list, &rules, &dataset, report);
    if (status != RES2NET_OK)
        return status;
    if (dataset->cifar.data != NULL)
        status = r2n_fail(report, RES2NET_INVALID_ARGUMENT, list, -1,
                          "is a CIFAR binary: eval takes it, predict does not");
    else if ((*paths = r2n_allocate(dataset->count, sizeof **paths)) == NULL)
        status = no_memory(list, report);
    if (status == RES2NET_OK)
        r2n_dataset_find_absent(dataset, list, report);
    for (size_t i = 0; status == RES2NET_OK && i < dataset->count; i++) {
        (*paths)[i] = dataset->items[i].path; /* taken over */
        dataset->items[i].path = NULL;
        (*count)++;
    }
    r2n_dataset_destroy(dataset);
    return status;
}

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
