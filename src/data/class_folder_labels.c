/* SPDX-License-Identifier: Apache-2.0 */
/* Which class a class folder is: by its name where the classes have names, else by its place. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "data/sources.h"

/* The folder's name is a class name, or its first synonym: "tench" of "tench, Tinca tinca". */
static int is_name(const char *folder, const char *name, int synonym)
{
    const size_t bytes = strlen(folder);
    return strncmp(name, folder, bytes) == 0 &&
           (name[bytes] == '\0' || (synonym && name[bytes] == ','));
}

/* The only class of that name, or -1. */
static int32_t find_class(const char *folder, const r2n_dataset_options *options)
{
    for (int synonym = 0; synonym <= 1; synonym++) {
        int32_t found = -1;
        int32_t count = 0;
        for (int32_t i = 0; i < options->classes; i++)
            if (is_name(folder, options->class_names[i], synonym)) {
                found = i;
                count++;
            }
        if (count == 1)
            return found;
    }
    return -1;
}

static res2net_status tell_unknown(const r2n_dataset *dataset, const char *top,
                                   res2net_report *report)
{
    res2net_status status = RES2NET_OK;
    for (int32_t i = 0; i < dataset->folder_count; i++)
        if (dataset->folder_labels[i] < 0)
            status = r2n_fail(report, RES2NET_BAD_LIST, top, -1,
                              "the folder \"%s\" has no class name, though others have: name it as "
                              "its class, or give --labels",
                              dataset->folder_names[i]);
    return status;
}

/* 1: every folder has its class. 0: places count. */
static int label_by_name(r2n_dataset *dataset, const char *top, const r2n_dataset_options *options,
                         res2net_status *status, res2net_report *report)
{
    int32_t found = 0;
    for (int32_t i = 0; i < dataset->folder_count; i++) {
        dataset->folder_labels[i] = find_class(dataset->folder_names[i], options);
        found += dataset->folder_labels[i] >= 0;
        for (int32_t k = 0; k < i && dataset->folder_labels[i] >= 0; k++)
            if (dataset->folder_labels[k] == dataset->folder_labels[i])
                *status = r2n_fail(report, RES2NET_BAD_LIST, top, -1,
                                   "the folders \"%s\" and \"%s\" are both of class %" PRId32,
                                   dataset->folder_names[k], dataset->folder_names[i],
                                   dataset->folder_labels[i]);
    }
    if (found > 0 && found < dataset->folder_count && options->names_are_certain)
        *status = tell_unknown(dataset, top, report);
    return found == dataset->folder_count;
}

res2net_status r2n_class_folders_label(r2n_dataset *dataset, const char *folder,
                                       const r2n_dataset_options *options, res2net_report *report)
{
    const int32_t count = dataset->folder_count;
    res2net_status status = RES2NET_OK;
    dataset->folder_labels = r2n_allocate((size_t)count, sizeof *dataset->folder_labels);
    if (dataset->folder_labels == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, folder, -1,
                        "no memory for the classes of the folders");
    const int by_name = options->classes > 0 && options->class_names != NULL &&
                        label_by_name(dataset, folder, options, &status, report);
    if (status != RES2NET_OK)
        return status;
    if (options->classes > 0 && count > options->classes)
        return r2n_fail(report, RES2NET_BAD_LIST, folder, -1,
                        "%" PRId32 " class folders, but there are %" PRId32 " classes", count,
                        options->classes);
    if (by_name) {
        dataset->class_count = options->classes;
        return RES2NET_OK;
    }
    for (int32_t i = 0; i < count; i++)
        dataset->folder_labels[i] = i;
    dataset->class_count = count;
    if (count < options->classes)
        r2n_fail(report, RES2NET_BAD_LIST, folder, -1,
                 "%" PRId32 " class folders for %" PRId32
                 " classes, and their names are no class names: taken as the classes 0 to %" PRId32
                 " in byte order",
                 count, options->classes, count - 1);
    return RES2NET_OK;
}
