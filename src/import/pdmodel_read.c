/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's ProgramDesc (.pdmodel, __model__): variables, parameters, then operations in order. */
#include <string.h>

#include "base/memory.h"
#include "import/paddle_internal.h"

enum program_field { BLOCKS = 1, VERSION = 4, OPERATION_VERSIONS = 5 };
enum block_field { VARIABLES = 3, OPERATIONS = 4 };
enum variable_field { VARIABLE_NAME = 1, VARIABLE_TYPE = 2, PERSISTABLE = 3 };
enum operation_field { INPUTS = 1, OUTPUTS = 2, TYPE = 3, ATTRIBUTES = 4 };

int r2n_looks_like_pdmodel(const void *data, size_t size)
{
    r2n_protobuf_reader reader = r2n_protobuf(data, size, 0);
    r2n_protobuf_field field;
    int blocks = 0;
    if (!r2n_protobuf_next(&reader, &field) && !reader.cursor.failed)
        return 0;
    if (field.number != BLOCKS || field.kind != R2N_PROTOBUF_BYTES)
        return 0;
    if (!reader.cursor.failed) {
        /* A block begins with its number, 0, and its parent's. */
        r2n_protobuf_reader block = r2n_protobuf_open(&reader, &field);
        r2n_protobuf_field inside;
        blocks = r2n_protobuf_next(&block, &inside) && inside.number == 1 &&
                 inside.kind == R2N_PROTOBUF_VARINT && inside.value == 0;
        while (blocks && r2n_protobuf_next(&reader, &field))
            blocks = field.number == BLOCKS || field.number == VERSION ||
                     field.number == OPERATION_VERSIONS;
        return blocks;
    }
    /* Cut off in the first block: the bytes behind the tag and the size tell. */
    static const uint8_t beginning[] = {0x08, 0x00, 0x10};
    const uint8_t *bytes = data;
    for (size_t at = 2; at < 8 && at + sizeof beginning <= size; at++)
        if ((bytes[at - 1] & 0x80) == 0)
            return memcmp(bytes + at, beginning, sizeof beginning) == 0;
    return 0;
}

typedef struct program {
    r2n_pdmodel_reader reader;
    r2n_paddle_parameter *parameters;
    size_t parameter_count, parameter_capacity;
} program;

static res2net_status refuse(program *p, res2net_status status, uint64_t at, const char *text)
{
    (void)r2n_foreign_refuse(p->reader.graph, status, (int64_t)at, "%s", text);
    return p->reader.graph->status;
}

static res2net_status damaged(program *p, const r2n_protobuf_reader *at)
{
    return refuse(p, RES2NET_DAMAGED, at->start + at->cursor.position,
                  "a Paddle program that ends or breaks off here; fetch it again");
}

static res2net_status no_room(program *p)
{
    return p->reader.names.count < R2N_MAXIMUM_NAMES
               ? refuse(p, RES2NET_OUT_OF_MEMORY, 0, "no memory for the program")
               : refuse(p, RES2NET_LIMIT_EXCEEDED, 0, "the program has more than 262144 names");
}

/* ---- variables ------------------------------------------------------------------------------- */

/* TensorDesc: 1 = type, 2 = dimensions. */
static int read_tensor_type(r2n_protobuf_reader message, r2n_paddle_parameter *parameter)
{
    r2n_protobuf_field field;
    int64_t rank = 0;
    while (rank >= 0 && r2n_protobuf_next(&message, &field)) {
        if (field.number == 1)
            parameter->type = field.value;
        if (field.number == 2)
            rank = r2n_protobuf_integers(&field, parameter->shape, rank, R2N_MAXIMUM_RANK);
    }
    parameter->rank = (int32_t)rank;
    return rank >= 0 && !message.cursor.failed;
}

/* VarType: 1 = kind of variable, 3 = dense tensor {1 = TensorDesc}. Gives the kind. */
static uint64_t read_type(r2n_protobuf_reader message, r2n_paddle_parameter *parameter, int *bad)
{
    r2n_protobuf_field field, inside;
    uint64_t kind = 0;
    while (r2n_protobuf_next(&message, &field)) {
        if (field.number == 1)
            kind = field.value;
        if (field.number != 3 || field.kind != R2N_PROTOBUF_BYTES)
            continue;
        r2n_protobuf_reader tensor = r2n_protobuf_open(&message, &field);
        while (r2n_protobuf_next(&tensor, &inside))
            if (inside.number == 1 && inside.kind == R2N_PROTOBUF_BYTES)
                *bad |= !read_tensor_type(r2n_protobuf_open(&tensor, &inside), parameter);
        *bad |= tensor.cursor.failed;
    }
    *bad |= message.cursor.failed;
    return kind;
}

static res2net_status read_variable(program *p, r2n_protobuf_reader message)
{
    r2n_paddle_parameter parameter = {.value = -1};
    r2n_protobuf_field field;
    uint64_t kind = 0;
    int persistable = 0, bad = 0;
    while (r2n_protobuf_next(&message, &field)) {
        if (field.number == VARIABLE_NAME)
            parameter.name = (r2n_name){field.bytes, field.size};
        if (field.number == PERSISTABLE)
            persistable = field.value != 0;
        if (field.number == VARIABLE_TYPE && field.kind == R2N_PROTOBUF_BYTES)
            kind = read_type(r2n_protobuf_open(&message, &field), &parameter, &bad);
    }
    if (message.cursor.failed || bad || parameter.name.bytes == NULL)
        return damaged(p, &message);
    if (!r2n_name_table_add(&p->reader.names, parameter.name.bytes, parameter.name.size))
        return no_room(p);
    if (!persistable || kind != R2N_PADDLE_DENSE_TENSOR)
        return RES2NET_OK;
    if (!r2n_grow((void **)&p->parameters, &p->parameter_capacity, p->parameter_count + 1,
                  sizeof *p->parameters))
        return no_room(p);
    p->parameters[p->parameter_count++] = parameter;
    return RES2NET_OK;
}

/* ---- operations ------------------------------------------------------------------------------ */

/* Var: 1 = slot, 2 = its variables. */
static int read_slot(r2n_protobuf_reader message, r2n_paddle_slot *slot)
{
    r2n_protobuf_field field;
    slot->count = 0;
    slot->name = (r2n_name){NULL, 0};
    while (r2n_protobuf_next(&message, &field)) {
        if (field.number == 1)
            slot->name = (r2n_name){field.bytes, field.size};
        if (field.number == 2 && slot->count <= R2N_FOREIGN_INPUTS)
            slot->arguments[slot->count++] = (r2n_name){field.bytes, field.size};
    }
    return !message.cursor.failed;
}

static int read_operation_field(r2n_paddle_operation *operation, const r2n_protobuf_reader *message,
                                const r2n_protobuf_field *field)
{
    switch (field->number) {
    case INPUTS:
        return operation->input_count < R2N_PADDLE_SLOTS &&
               read_slot(r2n_protobuf_open(message, field),
                         &operation->inputs[operation->input_count++]);
    case OUTPUTS:
        return operation->output_count < R2N_PADDLE_SLOTS &&
               read_slot(r2n_protobuf_open(message, field),
                         &operation->outputs[operation->output_count++]);
    case TYPE:
        operation->label.type = (const char *)field->bytes;
        operation->label.type_bytes = field->size;
        return 1;
    case ATTRIBUTES:
        if (operation->attribute_count == R2N_PADDLE_ATTRIBUTES)
            return 0;
        operation->attributes[operation->attribute_count++] = r2n_protobuf_open(message, field);
        return 1;
    default:
        return 1;
    }
}

static res2net_status read_operation(program *p, r2n_protobuf_reader message)
{
    r2n_paddle_operation operation;
    r2n_protobuf_field field;
    operation.label = (r2n_foreign_label){.type = "", .name = "", .offset = (int64_t)message.start};
    operation.input_count = operation.output_count = operation.attribute_count = 0;
    while (r2n_protobuf_next(&message, &field))
        if (field.kind == R2N_PROTOBUF_BYTES && !read_operation_field(&operation, &message, &field))
            return refuse(p, RES2NET_DAMAGED, field.at,
                          "an operation with more inputs, outputs or attributes than any of "
                          "Paddle's, or a damaged one");
    if (message.cursor.failed)
        return damaged(p, &message);
    for (int32_t i = 0; i < operation.output_count && operation.label.name_bytes == 0; i++)
        if (operation.outputs[i].count > 0) {
            operation.label.name = (const char *)operation.outputs[i].arguments[0].bytes;
            operation.label.name_bytes = operation.outputs[i].arguments[0].size;
        }
    return r2n_pdmodel_add(&p->reader, &operation);
}

/* ---- the program ----------------------------------------------------------------------------- */

static res2net_status find_block(program *p, r2n_protobuf_reader message,
                                 r2n_protobuf_reader *block)
{
    r2n_protobuf_field field;
    int found = 0;
    while (r2n_protobuf_next(&message, &field))
        if (field.number == BLOCKS && field.kind == R2N_PROTOBUF_BYTES) {
            if (found++ == 0)
                *block = r2n_protobuf_open(&message, &field);
        }
    if (message.cursor.failed)
        return damaged(p, &message);
    if (found != 1)
        return refuse(p, RES2NET_MISMATCH, 0,
                      found == 0 ? "a Paddle program without operations"
                                 : "a Paddle program with conditions or loops (several blocks): no "
                                   "Res2Net");
    return RES2NET_OK;
}

static res2net_status each(program *p, r2n_protobuf_reader block, uint32_t number,
                           res2net_status (*read)(program *p, r2n_protobuf_reader message))
{
    r2n_protobuf_field field;
    res2net_status status = RES2NET_OK;
    while (status == RES2NET_OK && r2n_protobuf_next(&block, &field))
        if (field.number == number && field.kind == R2N_PROTOBUF_BYTES)
            status = read(p, r2n_protobuf_open(&block, &field));
    return status == RES2NET_OK && block.cursor.failed ? damaged(p, &block) : status;
}

static res2net_status read_all(program *p, const r2n_paddle_files *files)
{
    r2n_foreign_graph *graph = p->reader.graph;
    r2n_protobuf_reader block = r2n_protobuf(NULL, 0, 0);
    res2net_status status =
        find_block(p, r2n_protobuf(files->program, files->program_size, 0), &block);
    if (status == RES2NET_OK)
        status = each(p, block, VARIABLES, read_variable);
    if (status == RES2NET_OK && !r2n_name_table_finish(&p->reader.names))
        status = no_room(p);
    if (status == RES2NET_OK)
        status = r2n_read_pdiparams(graph, files, p->parameters, p->parameter_count);
    for (size_t i = 0; i < p->parameter_count && status == RES2NET_OK; i++)
        *r2n_name_table_find(&p->reader.names, p->parameters[i].name.bytes,
                             p->parameters[i].name.size) = p->parameters[i].value;
    if (status == RES2NET_OK)
        status = each(p, block, OPERATIONS, read_operation);
    if (status == RES2NET_OK && (graph->input < 0 || graph->output < 0))
        status = refuse(p, RES2NET_MISMATCH, 0,
                        "the program has no feed or no fetch operation: no inference model");
    return status;
}

res2net_status r2n_read_pdmodel(const r2n_paddle_files *files, r2n_foreign_graph *graph)
{
    program p = {.reader = {.graph = graph}};
    const res2net_status status = read_all(&p, files);
    r2n_name_table_free(&p.reader.names);
    r2n_free(p.parameters);
    return status;
}
