/* SPDX-License-Identifier: Apache-2.0 */
/* A labelled set in a training and a validation list. */
#include <string.h>

#include "base/memory.h"
#include "data/sources.h"
#include "data/split.h"
#include "res2net/evaluate.h"

enum { TRAIN, VALIDATION, LABELS, FILE_COUNT };

typedef struct outputs {
    char *paths[FILE_COUNT];
} outputs;

static void free_outputs(outputs *files)
{
    for (int i = 0; i < FILE_COUNT; i++)
        r2n_free(files->paths[i]);
}

/* Lists that somebody made are not overwritten. */
static res2net_status name_outputs(const char *folder, int file_count, outputs *files,
                                   res2net_report *report)
{
    static const char *const names[FILE_COUNT] = {"train_list.txt", "val_list.txt",
                                                  "label_list.txt"};
    res2net_status status = RES2NET_OK;
    for (int i = 0; i < file_count; i++) {
        files->paths[i] = r2n_path_join(folder, strlen(folder), names[i], strlen(names[i]));
        if (files->paths[i] == NULL)
            return r2n_fail(report, RES2NET_OUT_OF_MEMORY, folder, -1, "no memory for the paths");
        if (r2n_os_exists(files->paths[i]))
            status = r2n_fail(report, RES2NET_WRITE_FAILED, files->paths[i], -1,
                              "is there already: remove it, or give another folder");
    }
    return status;
}

/* What r2n_dataset_open put before the paths. */
static char *root_of(const char *list, const res2net_split_options *options,
                     const r2n_dataset *dataset)
{
    if (dataset->kind == R2N_DATASET_FOLDERS)
        return r2n_copy_string(list);
    size_t bytes;
    const char *root = r2n_list_root(r2n_dataset_name(list), options->root, &bytes);
    return r2n_copy_bytes(root, bytes);
}

static res2net_status write_all(const r2n_dataset *dataset, const char *root, const outputs *files,
                                const uint8_t *second, res2net_report *report)
{
    res2net_status status =
        r2n_split_write_list(dataset, root, second, 0, files->paths[TRAIN], report);
    if (status == RES2NET_OK)
        status = r2n_split_write_list(dataset, root, second, 1, files->paths[VALIDATION], report);
    if (status == RES2NET_OK && files->paths[LABELS] != NULL)
        status = r2n_split_write_labels(dataset, files->paths[LABELS], report);
    return status;
}

static res2net_status split(r2n_dataset *dataset, const char *list, const char *folder,
                            const res2net_split_options *options, res2net_split *out,
                            res2net_report *report)
{
    const int file_count = dataset->kind == R2N_DATASET_FOLDERS ? FILE_COUNT : FILE_COUNT - 1;
    outputs files = {{NULL}};
    uint8_t *second = r2n_allocate_zeroed(dataset->count, 1);
    char *root = root_of(list, options, dataset);
    res2net_status status =
        second == NULL || root == NULL
            ? r2n_fail(report, RES2NET_OUT_OF_MEMORY, list, -1, "no memory to split the set")
            : name_outputs(folder, file_count, &files, report);
    if (status == RES2NET_OK)
        status = r2n_split_choose(dataset, options->share > 0 ? options->share : 0.8, options->seed,
                                  second, report);
    if (status == RES2NET_OK)
        status = write_all(dataset, root, &files, second, report);
    for (size_t i = 0; status == RES2NET_OK && i < dataset->count; i++)
        *(second[i] ? &out->validation : &out->train) += 1;
    out->classes = dataset->class_count;
    free_outputs(&files);
    r2n_free(second);
    r2n_free(root);
    return status;
}

res2net_status res2net_split_data(const char *list, const char *folder,
                                  const res2net_split_options *options, res2net_split *out,
                                  res2net_report *report)
{
    static const res2net_split_options default_options = {0};
    r2n_dataset *dataset;
    r2n_repeats repeats;
    *out = (res2net_split){0};
    if (options == NULL)
        options = &default_options;
    if (!(options->share >= 0 && options->share < 1))
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "the training list's share must be over 0 and below 1, not %g",
                        options->share);
    const r2n_dataset_options rules = {.root = options->root, .delimiter = options->delimiter};
    res2net_status status = r2n_dataset_open(list, &rules, &dataset, report);
    if (status != RES2NET_OK)
        return status;
    if (dataset->cifar.data != NULL)
        status = r2n_fail(report, RES2NET_INVALID_ARGUMENT, list, -1,
                          "is a CIFAR binary, whose records no list can name");
    else if (r2n_dataset_find_absent(dataset, list, report) > 0)
        status = RES2NET_NOT_FOUND;
    if (status == RES2NET_OK)
        status = r2n_dataset_find_repeats(dataset, list, 0, &repeats, report);
    if (status == RES2NET_OK)
        status = split(dataset, list, folder, options, out, report);
    r2n_dataset_destroy(dataset);
    return status;
}
