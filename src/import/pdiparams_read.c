/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's combined parameters: tensors one behind the other, without names. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "import/paddle_internal.h"

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

typedef struct parameters_reader {
    r2n_foreign_graph *graph;
    const char *file;
    r2n_byte_cursor cursor;
} parameters_reader;

static res2net_status fail(parameters_reader *r, res2net_status status, size_t at,
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
        r2n_fail(r->graph->report, status, r->file, (int64_t)at, "parameter%s: %s", name, text);
    return r->graph->status;
}

/* The descriptor: 1 = type, 2 = dimensions. */
static int read_descriptor(r2n_protobuf_reader message, uint64_t *type,
                           int64_t shape[R2N_MAXIMUM_RANK], int64_t *rank)
{
    r2n_protobuf_field field;
    *type = UINT64_MAX;
    *rank = 0;
    while (*rank >= 0 && r2n_protobuf_next(&message, &field)) {
        if (field.number == 1)
            *type = field.value;
        if (field.number == 2)
            *rank = r2n_protobuf_integers(&field, shape, *rank, R2N_MAXIMUM_RANK);
    }
    return *rank >= 0 && !message.cursor.failed;
}

static int same_shape(const r2n_paddle_parameter *parameter, const int64_t *shape, int64_t rank)
{
    int same = parameter->rank == rank;
    for (int64_t i = 0; same && i < rank; i++)
        same = parameter->shape[i] == shape[i];
    return same;
}

/* version | levels | (per level: bytes, data) | version | descriptor's size, descriptor | data */
static res2net_status read_one(parameters_reader *r, r2n_paddle_parameter *parameter)
{
    enum { MOST_DESCRIPTOR = 1024 };
    int64_t shape[R2N_MAXIMUM_RANK], rank, count;
    uint64_t type;
    r2n_byte_cursor *cursor = &r->cursor;
    const size_t start = cursor->position;
    const uint32_t version = r2n_cursor_u32le(cursor);
    const uint64_t levels = r2n_cursor_u64le(cursor);
    const uint32_t tensor_version = r2n_cursor_u32le(cursor);
    const uint32_t size = r2n_cursor_u32le(cursor);
    if (!cursor->failed &&
        (version != 0 || levels != 0 || tensor_version != 0 || size > MOST_DESCRIPTOR))
        return fail(r, RES2NET_DAMAGED, start, parameter,
                    "no tensor begins here: the file belongs to another program, or holds "
                    "something else");
    const uint8_t *descriptor = r2n_cursor_take(cursor, size);
    if (cursor->failed)
        return fail(r, RES2NET_DAMAGED, start, parameter, "the file ends before it");
    if (!read_descriptor(r2n_protobuf(descriptor, size, 0), &type, shape, &rank))
        return fail(r, RES2NET_DAMAGED, start, parameter, "its descriptor is damaged");
    if (!same_shape(parameter, shape, rank) || type != parameter->type)
        return fail(r, RES2NET_MISMATCH, start, parameter,
                    "its shape or type in the file of parameters is not the program's: the two "
                    "are not of one export");
    const size_t bytes = element_bytes(type);
    if (bytes == 0 || !r2n_shape_count((int32_t)rank, shape, &count) ||
        (uint64_t)count > r2n_cursor_left(cursor) / bytes)
        return fail(r, RES2NET_DAMAGED, start, parameter,
                    "the file ends within its numbers, or their type is not known");
    const uint8_t *data = r2n_cursor_take(cursor, (uint64_t)count * bytes);
    const r2n_foreign_tensor tensor = {.rank = (int32_t)rank,
                                       .shape = shape,
                                       .type = element_type(type),
                                       .data = data,
                                       .bytes = (size_t)count * bytes,
                                       .integer_count = -1,
                                       .offset = (int64_t)start};
    parameter->value = r2n_foreign_constant(r->graph, &tensor);
    return r->graph->status;
}

res2net_status r2n_read_pdiparams(r2n_foreign_graph *graph, const r2n_paddle_files *files,
                                  r2n_paddle_parameter *parameters, size_t count)
{
    parameters_reader r = {.graph = graph,
                           .file = files->parameters_file,
                           .cursor = r2n_cursor(files->parameters, files->parameters_size)};
    res2net_status status = RES2NET_OK;
    graph->weight_bytes += files->parameters_size;
    if (count > 0)
        qsort(parameters, count, sizeof *parameters, r2n_name_compare);
    for (size_t i = 0; i < count && status == RES2NET_OK; i++) {
        if (i > 0 && r2n_name_compare(&parameters[i].name, &parameters[i - 1].name) == 0)
            return fail(&r, RES2NET_DAMAGED, 0, &parameters[i], "the program declares it twice");
        status = read_one(&r, &parameters[i]);
    }
    if (status == RES2NET_OK && r2n_cursor_left(&r.cursor) > 0)
        status = graph->status =
            r2n_fail(graph->report, RES2NET_MISMATCH, r.file, (int64_t)r.cursor.position,
                     "%zu bytes follow the last of the program's %zu parameters: the two are not "
                     "of one export",
                     r2n_cursor_left(&r.cursor), count);
    return status;
}
