/* SPDX-License-Identifier: Apache-2.0 */
/* What a source is, by looking at it, and what all kinds share. */
#include "data/dataset.h"

#include <string.h>

#include "base/memory.h"
#include "data/sources.h"
#include "data/text_lines.h"
#include "formats/utf8.h"

/* CIFAR-100's training set has 154 MB, ImageNet's list 44 MB. */
static const size_t file_limit = (size_t)1 << 30;

char *r2n_path_join(const char *root, size_t root_bytes, const char *path, size_t path_bytes)
{
    if (root_bytes == 0 || (path_bytes > 0 && path[0] == '/'))
        return r2n_copy_bytes(path, path_bytes);
    const int slash = root[root_bytes - 1] != '/';
    char *joined = r2n_allocate(root_bytes + path_bytes + 2, 1);
    if (joined == NULL)
        return NULL;
    memcpy(joined, root, root_bytes);
    if (slash)
        joined[root_bytes] = '/';
    memcpy(joined + root_bytes + slash, path, path_bytes);
    joined[root_bytes + (size_t)slash + path_bytes] = '\0';
    return joined;
}

res2net_status r2n_dataset_append(r2n_dataset *dataset, size_t *capacity, char *path,
                                  int64_t record, int32_t label, int64_t line,
                                  res2net_report *report)
{
    if (!r2n_grow((void **)&dataset->items, capacity, dataset->count + 1,
                  sizeof(*dataset->items))) {
        r2n_free(path);
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                        "no memory for more than %zu items", dataset->count);
    }
    dataset->items[dataset->count++] =
        (r2n_item){.path = path, .record = record, .label = label, .line = line};
    if (label >= dataset->class_count)
        dataset->class_count = label + 1;
    return RES2NET_OK;
}

res2net_status r2n_dataset_read_file(r2n_dataset *dataset, r2n_file_bytes *file, const char *name,
                                     const r2n_dataset_options *options, res2net_report *report)
{
    r2n_dataset_kind kind;
    r2n_text text;
    size_t offset;
    if (file->size > 0 && r2n_text_sniff(file->data, file->size, &offset) == R2N_TEXT_BINARY &&
        r2n_cifar_sniff(file->data, file->size, &kind))
        return r2n_cifar_read(dataset, kind, file, name, options->classes, report);
    res2net_status status =
        r2n_text_open(file->data, file->size, name,
                      "a list of \"path label\" lines or a CIFAR binary (whole records of 3073 or "
                      "3074 bytes with labels in range)",
                      &text, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_list_read(dataset, text.data, text.size, name, options, report);
    r2n_text_close(&text);
    return status;
}

static res2net_status read_source(r2n_dataset *dataset, const char *source,
                                  const r2n_dataset_options *options, res2net_report *report)
{
    r2n_file_bytes file;
    if (r2n_os_is_directory(source))
        return r2n_class_folders_read(dataset, source, options, report);
    res2net_status status = r2n_file_read(source, file_limit, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_dataset_read_file(dataset, &file, r2n_dataset_name(source), options, report);
    r2n_file_release(&file);
    return status;
}

res2net_status r2n_dataset_open(const char *source, const r2n_dataset_options *options,
                                r2n_dataset **out, res2net_report *report)
{
    *out = NULL;
    r2n_dataset *dataset = r2n_allocate_zeroed(1, sizeof(*dataset));
    if (dataset == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, source, -1, "no memory for a data set");
    const res2net_status status = read_source(dataset, source, options, report);
    if (status != RES2NET_OK) {
        r2n_dataset_destroy(dataset);
        return status;
    }
    *out = dataset;
    return RES2NET_OK;
}

const char *r2n_dataset_name(const char *source)
{
    return strcmp(source, "-") == 0 ? "<stdin>" : source;
}

static int is_utf8(const char *path)
{
    const size_t bytes = strlen(path);
    return r2n_utf8_valid_bytes((const uint8_t *)path, bytes) == bytes;
}

int64_t r2n_dataset_find_absent(r2n_dataset *dataset, const char *source, res2net_report *report)
{
    static const char not_utf8[] =
        "; the path is not UTF-8, which file names usually are: save the "
        "list as UTF-8";
    const char *name = r2n_dataset_name(source);
    int64_t absent = 0;
    for (size_t i = 0; i < dataset->count; i++) {
        r2n_item *item = &dataset->items[i];
        item->absent = item->path != NULL && !r2n_os_exists(item->path);
        absent += item->absent;
    }
    if (absent > 0)
        r2n_fail(report, RES2NET_NOT_FOUND, source, -1,
                 "%lld of %zu files do not exist:", (long long)absent, dataset->count);
    for (size_t i = 0; absent > 0 && i < dataset->count; i++) {
        const r2n_item *item = &dataset->items[i];
        if (item->absent && item->line > 0)
            r2n_fail_line(report, RES2NET_NOT_FOUND, name, item->line, "\"%s\" does not exist%s",
                          item->path, is_utf8(item->path) ? "" : not_utf8);
        else if (item->absent)
            r2n_fail(report, RES2NET_NOT_FOUND, item->path, -1, "does not exist");
    }
    return absent;
}

void r2n_dataset_destroy(r2n_dataset *dataset)
{
    if (dataset == NULL)
        return;
    for (size_t i = 0; i < dataset->count; i++)
        r2n_free(dataset->items[i].path);
    r2n_free(dataset->items);
    for (int32_t i = 0; i < dataset->folder_count; i++)
        r2n_free(dataset->folder_names[i]);
    r2n_free(dataset->folder_names);
    r2n_free(dataset->folder_labels);
    r2n_file_release(&dataset->cifar);
    r2n_free(dataset);
}
