/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of pictures in lists and folders, and the check of a labelled set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/os.h"
#include "data/dataset.h"
#include "data/sources.h"
#include "image/exif_orientation.h"
#include "image/image.h"
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

res2net_status res2net_list_paths(const char *list, const char *root, char ***paths, size_t *count,
                                  res2net_report *report)
{
    r2n_dataset *dataset;
    *paths = NULL;
    *count = 0;
    res2net_status status = r2n_dataset_open(list, root, NULL, 0, &dataset, report);
    if (status != RES2NET_OK)
        return status;
    if (dataset->cifar.data != NULL)
        status = r2n_fail(report, RES2NET_INVALID_ARGUMENT, list, -1,
                          "is a CIFAR binary: eval takes it, predict does not");
    else if ((*paths = r2n_allocate(dataset->count, sizeof **paths)) == NULL)
        status = no_memory(list, report);
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

/* ---- data check ---- */

static int compare_paths(const void *a, const void *b)
{
    const r2n_item *const *x = a;
    const r2n_item *const *y = b;
    const int order = strcmp((*x)->path, (*y)->path);
    return order != 0 ? order : ((*x)->line > (*y)->line) - ((*x)->line < (*y)->line);
}

static res2net_status count_duplicates(const r2n_dataset *dataset, const char *list,
                                       res2net_data_check *out, res2net_report *report)
{
    const r2n_item **sorted = r2n_allocate(dataset->count, sizeof *sorted);
    if (sorted == NULL)
        return no_memory(list, report);
    for (size_t i = 0; i < dataset->count; i++)
        sorted[i] = &dataset->items[i];
    qsort(sorted, dataset->count, sizeof *sorted, compare_paths);
    for (size_t i = 1; i < dataset->count; i++)
        if (strcmp(sorted[i - 1]->path, sorted[i]->path) == 0) {
            out->duplicates++;
            r2n_fail_line(report, RES2NET_BAD_LIST, list, sorted[i]->line,
                          "\"%s\" is listed again (first in line %lld)", sorted[i]->path,
                          (long long)sorted[i - 1]->line);
        }
    r2n_free(sorted);
    return RES2NET_OK;
}

static res2net_status count_labels(const r2n_dataset *dataset, const char *list,
                                   res2net_data_check *out, res2net_report *report)
{
    int64_t *counts = r2n_allocate_zeroed((size_t)dataset->class_count, sizeof *counts);
    if (counts == NULL)
        return no_memory(list, report);
    for (size_t i = 0; i < dataset->count; i++)
        counts[dataset->items[i].label]++;
    out->smallest_label = INT32_MAX;
    for (int32_t label = 0; label < dataset->class_count; label++) {
        if (counts[label] == 0)
            continue;
        if (out->labels_used == 0)
            out->smallest_label = label;
        out->largest_label = label;
        if (out->labels_used == 0 || counts[label] < out->smallest_class)
            out->smallest_class = counts[label];
        if (counts[label] > out->largest_class)
            out->largest_class = counts[label];
        out->labels_used++;
    }
    r2n_free(counts);
    return RES2NET_OK;
}

static void check_picture(const char *path, res2net_data_check *out, res2net_report *report)
{
    r2n_file_bytes file;
    r2n_pixels pixels;
    if (r2n_file_read(path, R2N_PICTURE_FILE_BYTES, &file, report) != RES2NET_OK) {
        out->unreadable++;
        return;
    }
    if (r2n_image_decode(file.data, file.size, path, NULL, &pixels, report) == RES2NET_OK) {
        out->readable++;
        out->with_exif_orientation += r2n_exif_jpeg_orientation(file.data, file.size) > 1;
        r2n_pixels_free(&pixels);
    } else {
        out->unreadable++;
    }
    r2n_file_release(&file);
}

res2net_status res2net_check_data(const char *list, const char *root, res2net_data_check *out,
                                  res2net_report *report)
{
    r2n_dataset *dataset;
    *out = (res2net_data_check){0};
    res2net_status status = r2n_dataset_open(list, root, NULL, 0, &dataset, report);
    if (status != RES2NET_OK)
        return status;
    out->items = (int64_t)dataset->count;
    status = count_labels(dataset, list, out, report);
    if (dataset->cifar.data != NULL) {
        out->readable = out->items;
    } else if (status == RES2NET_OK) {
        status = count_duplicates(dataset, list, out, report);
        for (size_t i = 0; status == RES2NET_OK && i < dataset->count; i++)
            check_picture(dataset->items[i].path, out, report);
    }
    r2n_dataset_destroy(dataset);
    return status;
}
