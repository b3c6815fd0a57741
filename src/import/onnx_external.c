/* SPDX-License-Identifier: Apache-2.0 */
/* Weights beside an ONNX file, as PyTorch's exporter writes them: "model.onnx.data". */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "import/onnx_internal.h"

static const uint64_t MAXIMUM_FILE_BYTES = (uint64_t)1 << 33;

static int open_data(r2n_onnx_reader *reader, const r2n_name *name)
{
    r2n_foreign_graph *graph = reader->graph;
    r2n_file_bytes file;
    char *plain = r2n_copy_bytes(name->bytes, name->size);
    const size_t room = strlen(reader->folder) + name->size + 2;
    char *path = r2n_allocate(room, 1);
    int opened = 0;
    if (plain == NULL || path == NULL) {
        (void)r2n_foreign_no_memory(graph);
    } else {
        snprintf(path, room, "%s/%s", reader->folder, plain);
        const res2net_status status = r2n_file_read(path, MAXIMUM_FILE_BYTES, &file, graph->report);
        if (status == RES2NET_OK) {
            graph->weight_bytes += file.size;
            opened = r2n_foreign_own_file(graph, &file);
        } else {
            (void)r2n_foreign_refuse(graph, status, -1,
                                     "its weights are in \"%.200s\", which has to lie beside it",
                                     plain);
        }
    }
    r2n_free(path);
    if (opened) {
        r2n_free(reader->data_name);
        reader->data_name = plain;
        reader->data_file = graph->file_count - 1;
    } else {
        r2n_free(plain);
    }
    return opened;
}

static int is_open(const r2n_onnx_reader *reader, const r2n_name *name)
{
    return reader->data_name != NULL && strlen(reader->data_name) == name->size &&
           memcmp(reader->data_name, name->bytes, name->size) == 0;
}

const uint8_t *r2n_onnx_external_data(r2n_onnx_reader *reader, const r2n_onnx_external *where,
                                      uint64_t bytes, int64_t offset)
{
    enum { MOST_FILES = 4096 };
    r2n_foreign_graph *graph = reader->graph;
    if (!r2n_name_is_plain(&where->location) || reader->folder == NULL) {
        (void)r2n_foreign_refuse(
            graph, RES2NET_UNSUPPORTED, offset,
            "its weights are in another file%s; they are read from a plain name in the model's "
            "own folder only",
            reader->folder == NULL ? "" : " under a path");
        return NULL;
    }
    if (graph->file_count >= MOST_FILES) {
        (void)r2n_foreign_refuse(graph, RES2NET_LIMIT_EXCEEDED, offset,
                                 "its weights are in more than %d files", (int)MOST_FILES);
        return NULL;
    }
    if (!is_open(reader, &where->location) && !open_data(reader, &where->location))
        return NULL;
    const r2n_file_bytes *file = &graph->files[reader->data_file];
    if (where->offset > file->size || bytes > file->size - where->offset ||
        (where->length != 0 && where->length != bytes)) {
        (void)r2n_foreign_refuse(
            graph, RES2NET_DAMAGED, offset,
            "a tensor of %llu bytes is said to be %llu bytes at %llu of \"%.200s\", which has %zu",
            (unsigned long long)bytes, (unsigned long long)where->length,
            (unsigned long long)where->offset, reader->data_name, file->size);
        return NULL;
    }
    return file->data + where->offset;
}
