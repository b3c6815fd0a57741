/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of class folders: "cat/1.jpg", "dog/a/2.jpg". Hidden names (".DS_Store") are passed
 * over; any other file in a class folder is an item, so that none is left out unseen. */
#include <inttypes.h>
#include <string.h>

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
        if (names[i][0] == '.')
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
        char *path = name[0] == '.' ? NULL : child_path(reader->top, name);
        if (name[0] != '.' && path == NULL) {
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

/* The classes of `names`, which the dataset owns from here on. */
static res2net_status add_classes(folder_reader *reader, char **names, size_t count)
{
    res2net_status status = RES2NET_OK;
    reader->dataset->class_names = names;
    reader->dataset->class_count = (int32_t)count;
    for (size_t i = 0; i < count && status == RES2NET_OK; i++) {
        char *path = child_path(reader->top, names[i]);
        reader->label = (int32_t)i;
        status = path == NULL ? no_memory(reader, reader->top) : add_folder(reader, path, 1);
        r2n_free(path);
    }
    return status;
}

res2net_status r2n_class_folders_read(r2n_dataset *dataset, const char *folder, int32_t classes,
                                      res2net_report *report)
{
    folder_reader reader = {.dataset = dataset, .top = folder, .report = report};
    char **names;
    size_t count;
    dataset->kind = R2N_DATASET_FOLDERS;
    res2net_status status = r2n_os_list_directory(folder, &names, &count, report);
    if (status != RES2NET_OK)
        return status;
    status = keep_folders(&reader, names, &count);
    if (status == RES2NET_OK && count == 0)
        status = r2n_fail(report, RES2NET_BAD_LIST, folder, -1,
                          "the folder has no class folders; expected one folder a class");
    if (status == RES2NET_OK && (classes > 0 ? count > (size_t)classes : count > R2N_MAXIMUM_LABEL))
        status = r2n_fail(report, RES2NET_BAD_LIST, folder, -1,
                          "%zu class folders, but there are %" PRId32 " classes", count,
                          classes > 0 ? classes : (int32_t)R2N_MAXIMUM_LABEL);
    if (status != RES2NET_OK) {
        free_names(names, count);
        return status;
    }
    status = add_classes(&reader, names, count);
    if (status == RES2NET_OK && dataset->count == 0)
        return r2n_fail(report, RES2NET_BAD_LIST, folder, -1, "the class folders have no file");
    return status;
}
