/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of class folders: "cat/1.jpg", "dog/a/2.jpg". Hidden names (".DS_Store", "Thumbs.db")
 * are passed over; any other file in a class folder is an item, so that none is left out unseen. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "data/sources.h"
#include "data/text_lines.h"

/* Deeper is a loop of links. */
enum { MAXIMUM_NESTING = 32 };

typedef struct folder_reader {
    r2n_dataset *dataset;
    size_t capacity;
    const char *top;
    int32_t label;
    res2net_report *report;
} folder_reader;

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        r2n_free(names[i]);
    r2n_free(names);
}

static char *child_path(const char *folder, const char *name)
{
    return r2n_path_join(folder, strlen(folder), name, strlen(name));
}

static res2net_status no_memory(const folder_reader *reader, const char *path)
{
    return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, path, -1,
                    "no memory for the names in the folder");
}

/* On Unix by the dot; Windows leaves these two, hidden there, in folders of pictures. */
static int is_hidden(const char *name)
{
    return name[0] == '.' || strcasecmp(name, "Thumbs.db") == 0 ||
           strcasecmp(name, "desktop.ini") == 0;
}

static res2net_status add_folder(folder_reader *reader, const char *path, int nesting);

/* Takes over `path`. */
static res2net_status add_entry(folder_reader *reader, char *path, int nesting)
{
    if (!r2n_os_is_directory(path))
        return r2n_dataset_append(reader->dataset, &reader->capacity, path, -1, reader->label, -1,
                                  reader->report);
    const res2net_status status = add_folder(reader, path, nesting + 1);
    r2n_free(path);
    return status;
}

static res2net_status add_folder(folder_reader *reader, const char *path, int nesting)
{
    char **names;
    size_t count;
    if (nesting > MAXIMUM_NESTING)
        return r2n_fail(reader->report, RES2NET_LIMIT_EXCEEDED, path, -1,
                        "folders are nested deeper than %d: a loop of links?", MAXIMUM_NESTING);
    res2net_status status = r2n_os_list_directory(path, &names, &count, reader->report);
    if (status != RES2NET_OK)
        return status;
    for (size_t i = 0; i < count && status == RES2NET_OK; i++) {
        if (is_hidden(names[i]))
            continue;
        char *child = child_path(path, names[i]);
        status = child == NULL ? no_memory(reader, path) : add_entry(reader, child, nesting);
    }
    free_names(names, count);
    return status;
}

static int is_picture_name(const char *name)
{
    static const char *const endings[] = {"jpg", "jpeg", "png", "webp", "bmp",
                                          "gif", "ppm",  "pgm", "tif",  "tiff"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof endings / sizeof endings[0]; i++) {
        size_t same = 0;
        while (endings[i][same] != '\0' && (dot[1 + same] | 0x20) == endings[i][same])
            same++;
        if (endings[i][same] == '\0' && dot[1 + same] == '\0')
            return 1;
    }
    return 0;
}

/* Keeps the names of class folders in `names`, at their front. */
static res2net_status keep_folders(const folder_reader *reader, char **names, size_t *count)
{
    size_t kept = 0;
    res2net_status status = RES2NET_OK;
    for (size_t i = 0; i < *count; i++) {
        char *name = names[i];
        char *path = is_hidden(name) ? NULL : child_path(reader->top, name);
        if (!is_hidden(name) && path == NULL) {
            status = no_memory(reader, reader->top);
        } else if (path != NULL && r2n_os_is_directory(path)) {
            names[i] = names[kept];
            names[kept++] = name;
            if (r2n_text_bad_byte(name, strlen(name)) != strlen(name))
                status = r2n_fail(reader->report, RES2NET_BAD_LIST, path, -1,
                                  "the folder's name is no class name: it has control "
                                  "characters or is not UTF-8");
        } else if (path != NULL && is_picture_name(name)) {
            status = r2n_fail(reader->report, RES2NET_BAD_LIST, path, -1,
                              "a picture outside the class folders has no class");
        }
        r2n_free(path);
    }
    for (size_t i = kept; i < *count; i++)
        r2n_free(names[i]);
    *count = kept;
    return status;
}

/* The files of one class folder; one without any is told. */
static res2net_status add_class(folder_reader *reader, int32_t index)
{
    const size_t before = reader->dataset->count;
    char *path = child_path(reader->top, reader->dataset->folder_names[index]);
    if (path == NULL)
        return no_memory(reader, reader->top);
    reader->label = reader->dataset->folder_labels[index];
    const res2net_status status = add_folder(reader, path, 1);
    if (status == RES2NET_OK && reader->dataset->count == before) {
        reader->dataset->empty_folders++;
        r2n_fail(reader->report, RES2NET_BAD_LIST, path, -1,
                 "the class folder has no file: class %" PRId32 " has no picture", reader->label);
    }
    r2n_free(path);
    return status;
}

/* "cifar-10-batches-bin" and the like. */
static int has_binaries(char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *dot = strrchr(names[i], '.');
        if (dot != NULL && strcmp(dot, ".bin") == 0)
            return 1;
    }
    return 0;
}

res2net_status r2n_class_folders_read(r2n_dataset *dataset, const char *folder,
                                      const r2n_dataset_options *options, res2net_report *report)
{
    folder_reader reader = {.dataset = dataset, .top = folder, .report = report};
    char **names;
    size_t count;
    dataset->kind = R2N_DATASET_FOLDERS;
    res2net_status status = r2n_os_list_directory(folder, &names, &count, report);
    if (status != RES2NET_OK)
        return status;
    const int binaries = has_binaries(names, count);
    status = keep_folders(&reader, names, &count);
    if (status == RES2NET_OK && count == 0)
        status = r2n_fail(report, RES2NET_BAD_LIST, folder, -1,
                          "the folder has no class folders; expected one folder a class%s",
                          binaries ? " (of CIFAR, give one .bin file)" : "");
    if (status == RES2NET_OK && count > R2N_MAXIMUM_LABEL)
        status = r2n_fail(report, RES2NET_LIMIT_EXCEEDED, folder, -1, "over %d class folders",
                          R2N_MAXIMUM_LABEL);
    if (status != RES2NET_OK) {
        free_names(names, count);
        return status;
    }
    dataset->folder_names = names; /* owned from here on */
    dataset->folder_count = (int32_t)count;
    status = r2n_class_folders_label(dataset, folder, options, report);
    for (int32_t i = 0; i < dataset->folder_count && status == RES2NET_OK; i++)
        status = add_class(&reader, i);
    if (status == RES2NET_OK && dataset->count == 0)
        return r2n_fail(report, RES2NET_BAD_LIST, folder, -1, "the class folders have no file");
    return status;
}
