/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's parameters: tensors one behind the other, without names, or in a file each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "import/paddle_internal.h"

static const uint64_t MAXIMUM_FILE_BYTES = (uint64_t)1 << 33;
enum { MOST_FILES = 4096 }; /* where each parameter has one */

static size_t element_bytes(uint64_t type)
{
    switch (type) {
    case R2N_PADDLE_BOOL:
    case R2N_PADDLE_UINT8:
    case R2N_PADDLE_INT8:
        return 1;
    case R2N_PADDLE_INT16:
    case R2N_PADDLE_FP16:
    case R2N_PADDLE_BF16:
        return 2;
    case R2N_PADDLE_INT32:
    case R2N_PADDLE_FP32:
        return 4;
    case R2N_PADDLE_INT64:
    case R2N_PADDLE_FP64:
        return 8;
    default:
        return 0;
    }
}

static r2n_element_type element_type(uint64_t type)
{
    return type == R2N_PADDLE_FP32   ? R2N_ELEMENT_F32
           : type == R2N_PADDLE_FP16 ? R2N_ELEMENT_F16
           : type == R2N_PADDLE_BF16 ? R2N_ELEMENT_BF16
           : type == R2N_PADDLE_FP64 ? R2N_ELEMENT_F64
                                     : R2N_ELEMENT_INTEGER;
}

/* ---- one tensor ------------------------------------------------------------------------------ */

/* The descriptor: 1 = type, 2 = dimensions. */
static int read_descriptor(r2n_protobuf_reader message, r2n_paddle_record *record)
{
    r2n_protobuf_field field;
    record->type = UINT64_MAX;
    record->rank = 0;
    while (record->rank >= 0 && r2n_protobuf_next(&message, &field)) {
        if (field.number == 1)
            record->type = field.value;
        if (field.number == 2)
            record->rank =
                r2n_protobuf_integers(&field, record->shape, record->rank, R2N_MAXIMUM_RANK);
    }
    return record->rank >= 0 && !message.cursor.failed;
}

/* version | levels | (per level: bytes, data) | version | descriptor's size, descriptor | data */
const char *r2n_paddle_record_head(r2n_byte_cursor *cursor, r2n_paddle_record *record)
{
    enum { MOST_DESCRIPTOR = 1024 };
    const uint32_t version = r2n_cursor_u32le(cursor);
    const uint64_t levels = r2n_cursor_u64le(cursor);
    const uint32_t tensor_version = r2n_cursor_u32le(cursor);
    const uint32_t size = r2n_cursor_u32le(cursor);
    if (!cursor->failed &&
        (version != 0 || levels != 0 || tensor_version != 0 || size > MOST_DESCRIPTOR))
        return "no tensor begins here: the file belongs to another program, or holds something "
               "else";
    const uint8_t *descriptor = r2n_cursor_take(cursor, size);
    if (cursor->failed)
        return "the file ends before it";
    if (!read_descriptor(r2n_protobuf(descriptor, size, 0), record))
        return "its descriptor is damaged";
    record->element = element_type(record->type);
    return NULL;
}

const char *r2n_paddle_record_data(r2n_byte_cursor *cursor, r2n_paddle_record *record)
{
    const size_t bytes = element_bytes(record->type);
    if (bytes == 0 || !r2n_shape_count((int32_t)record->rank, record->shape, &record->count) ||
        (uint64_t)record->count > r2n_cursor_left(cursor) / bytes)
        return "the file ends within its numbers, or their type is not known";
    record->bytes = (size_t)record->count * bytes;
    record->data = r2n_cursor_take(cursor, record->bytes);
    return NULL;
}

/* ---- those of a program ---------------------------------------------------------------------- */

typedef struct parameters_reader {
    r2n_foreign_graph *graph;
    const char *file;
    r2n_byte_cursor cursor;
} parameters_reader;

static res2net_status fail(parameters_reader *r, res2net_status status, int64_t at,
                           const r2n_paddle_parameter *parameter, const char *text)
{
    const r2n_foreign_label label = {
        .type = "",
        .name = (const char *)parameter->name.bytes,
        .name_bytes = parameter->name.size,
    };
    char name[R2N_FOREIGN_NAME_BYTES];
    r2n_foreign_label_text(&label, name);
    r->graph->status =
        r2n_fail(r->graph->report, status, r->file, at, "parameter%s: %s", name, text);
    return r->graph->status;
}

static int same_shape(const r2n_paddle_parameter *parameter, const r2n_paddle_record *record)
{
    int same = parameter->rank == record->rank && parameter->type == record->type;
    for (int64_t i = 0; same && i < record->rank; i++)
        same = parameter->shape[i] == record->shape[i];
    return same;
}

static res2net_status read_one(parameters_reader *r, r2n_paddle_parameter *parameter)
{
    r2n_paddle_record record;
    const int64_t start = (int64_t)r->cursor.position;
    const char *wrong = r2n_paddle_record_head(&r->cursor, &record);
    if (wrong == NULL && !same_shape(parameter, &record))
        return fail(r, RES2NET_MISMATCH, start, parameter,
                    "its shape or type in the file of parameters is not the program's: the two "
                    "are not of one export");
    if (wrong == NULL)
        wrong = r2n_paddle_record_data(&r->cursor, &record);
    if (wrong != NULL)
        return fail(r, RES2NET_DAMAGED, start, parameter, wrong);
    const r2n_foreign_tensor tensor = {.rank = (int32_t)record.rank,
                                       .shape = record.shape,
                                       .type = record.element,
                                       .data = record.data,
                                       .bytes = record.bytes,
                                       .integer_count = -1,
                                       .offset = start};
    parameter->value = r2n_foreign_constant(r->graph, &tensor);
    return r->graph->status;
}

/* Whether the file ends where its last tensor does. */
static res2net_status check_end(parameters_reader *r, size_t count)
{
    if (r2n_cursor_left(&r->cursor) == 0)
        return RES2NET_OK;
    r->graph->status =
        r2n_fail(r->graph->report, RES2NET_MISMATCH, r->file, (int64_t)r->cursor.position,
                 "%zu bytes follow the last of the program's %zu parameters: the "
                 "two are not of one export",
                 r2n_cursor_left(&r->cursor), count);
    return r->graph->status;
}

/* A parameter's own file, which has its name. */
static res2net_status read_own_file(parameters_reader *r, const char *folder,
                                    r2n_paddle_parameter *parameter)
{
    r2n_foreign_graph *graph = r->graph;
    r2n_file_bytes file;
    if (!r2n_name_is_plain(&parameter->name))
        return fail(r, RES2NET_UNSUPPORTED, -1, parameter,
                    "its file would not have a plain name in the model's own folder");
    const size_t room = strlen(folder) + parameter->name.size + 2;
    char *path = r2n_allocate(room, 1);
    if (path == NULL) {
        (void)r2n_foreign_no_memory(graph);
        return graph->status;
    }
    snprintf(path, room, "%s/%.*s", folder, (int)parameter->name.size,
             (const char *)parameter->name.bytes);
    graph->status = r2n_file_read(path, MAXIMUM_FILE_BYTES, &file, graph->report);
    if (graph->status == RES2NET_OK) {
        r->file = path;
        r->cursor = r2n_cursor(file.data, file.size);
        graph->weight_bytes += file.size;
        if (r2n_foreign_own_file(graph, &file) && read_one(r, parameter) == RES2NET_OK)
            (void)check_end(r, 1);
        r->file = folder;
    } else {
        (void)fail(r, graph->status, -1, parameter,
                   "there is no __params__ beside the program, so it has to lie there in a file of "
                   "its own");
    }
    r2n_free(path);
    return graph->status;
}

res2net_status r2n_read_pdiparams(r2n_foreign_graph *graph, const r2n_paddle_files *files,
                                  r2n_paddle_parameter *parameters, size_t count)
{
    const int apart = files->parameters == NULL && files->folder != NULL;
    parameters_reader r = {.graph = graph,
                           .file = apart ? files->folder : files->parameters_file,
                           .cursor = r2n_cursor(files->parameters, files->parameters_size)};
    res2net_status status = RES2NET_OK;
    graph->weight_bytes += files->parameters_size;
    if (apart && count > MOST_FILES)
        return graph->status = r2n_fail(graph->report, RES2NET_LIMIT_EXCEEDED, r.file, -1,
                                        "%zu parameters in a file each; at most %d are read", count,
                                        (int)MOST_FILES);
    if (count > 0)
        qsort(parameters, count, sizeof *parameters, r2n_name_compare);
    for (size_t i = 0; i < count && status == RES2NET_OK; i++) {
        if (i > 0 && r2n_name_compare(&parameters[i].name, &parameters[i - 1].name) == 0)
            return fail(&r, RES2NET_DAMAGED, 0, &parameters[i], "the program declares it twice");
        status =
            apart ? read_own_file(&r, files->folder, &parameters[i]) : read_one(&r, &parameters[i]);
    }
    return status == RES2NET_OK && !apart ? check_end(&r, count) : status;
}
