/* SPDX-License-Identifier: Apache-2.0 */
/* inference.json: parameters, then operations in their order. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "import/pir_internal.h"

enum { MAXIMUM_ID = 1 << 18 };

int r2n_looks_like_pir(const void *data, size_t size)
{
    static const char key[] = "\"base_code\"";
    enum { LOOKED_AT = 256 };
    const uint8_t *bytes = data;
    const size_t end = size < LOOKED_AT ? size : LOOKED_AT;
    if (size == 0 || bytes[0] != '{')
        return 0;
    for (size_t at = 1; at + sizeof key - 1 <= end; at++)
        if (memcmp(bytes + at, key, sizeof key - 1) == 0)
            return 1;
    return 0;
}

typedef struct program {
    r2n_pir_reader reader;
    r2n_paddle_parameter *parameters;
    size_t parameter_count, parameter_capacity;
} program;

static res2net_status refuse(program *p, res2net_status status, const r2n_json_value *at,
                             const char *text)
{
    (void)r2n_foreign_refuse(p->reader.graph, status, at == NULL ? -1 : (int64_t)at->start, "%s",
                             text);
    return p->reader.graph->status;
}

static res2net_status damaged(program *p, const r2n_json_value *at, const char *text)
{
    return refuse(p, RES2NET_DAMAGED, at, text);
}

const r2n_json_value *r2n_pir_attribute(const r2n_json_value *attributes, const char *name)
{
    const r2n_json_value *item =
        attributes != NULL && attributes->kind == R2N_JSON_ARRAY ? attributes->first : NULL;
    for (; item != NULL; item = item->next) {
        const r2n_json_value *key = r2n_json_member(item, "N");
        if (key != NULL && key->kind == R2N_JSON_STRING && strcmp(key->text, name) == 0)
            return r2n_json_member(r2n_json_member(item, "AT"), "D");
    }
    return NULL;
}

/* ---- ids ------------------------------------------------------------------------------------- */

/* {"%": 438}; NULL for what is no id. */
static r2n_pir_id *id_of(const program *p, const r2n_json_value *holder)
{
    int64_t number;
    const r2n_json_value *value = r2n_json_member(holder, "%");
    if (value == NULL || !r2n_json_integer(value, &number) || number < 1 ||
        (size_t)number >= p->reader.id_count)
        return NULL;
    return &p->reader.ids[number];
}

/* One more than the largest id among the results; 0 where one is out of range. */
static size_t count_ids(const r2n_json_value *operations)
{
    size_t count = 1;
    for (const r2n_json_value *op = operations->first; op != NULL; op = op->next) {
        const r2n_json_value *results = r2n_json_member(op, "O");
        if (results == NULL)
            continue;
        const r2n_json_value *one = results->kind == R2N_JSON_ARRAY ? results->first : results;
        for (; one != NULL; one = results->kind == R2N_JSON_ARRAY ? one->next : NULL) {
            int64_t number;
            const r2n_json_value *value = r2n_json_member(one, "%");
            if (value == NULL || !r2n_json_integer(value, &number) || number < 0 ||
                number > MAXIMUM_ID)
                return 0;
            if ((size_t)number >= count)
                count = (size_t)number + 1;
        }
    }
    return count;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static uint64_t type_number(const r2n_json_value *type)
{
    static const struct {
        const char *name;
        uint64_t type;
    } types[] = {{"0.t_f32", R2N_PADDLE_FP32},  {"0.t_f16", R2N_PADDLE_FP16},
                 {"0.t_bf16", R2N_PADDLE_BF16}, {"0.t_f64", R2N_PADDLE_FP64},
                 {"0.t_i64", R2N_PADDLE_INT64}, {"0.t_i32", R2N_PADDLE_INT32},
                 {"0.t_i16", R2N_PADDLE_INT16}, {"0.t_i8", R2N_PADDLE_INT8},
                 {"0.t_ui8", R2N_PADDLE_UINT8}, {"0.t_bool", R2N_PADDLE_BOOL}};
    const r2n_json_value *name = r2n_json_member(type, "#");
    for (size_t i = 0; name != NULL && i < sizeof types / sizeof types[0]; i++)
        if (name->kind == R2N_JSON_STRING && strcmp(name->text, types[i].name) == 0)
            return types[i].type;
    return UINT64_MAX - 1; /* not that of a file either */
}

/* {"#": "0.t_dtensor", "D": [{"#": "0.t_f32"}, [dimensions], ...]} */
static int read_tensor_type(const r2n_json_value *type, r2n_paddle_parameter *parameter)
{
    const r2n_json_value *parts = r2n_json_member(type, "D");
    if (parts == NULL || parts->kind != R2N_JSON_ARRAY || parts->count < 2 ||
        parts->first->next->kind != R2N_JSON_ARRAY || parts->first->next->count > R2N_MAXIMUM_RANK)
        return 0;
    parameter->type = type_number(parts->first);
    for (const r2n_json_value *size = parts->first->next->first; size != NULL; size = size->next)
        if (!r2n_json_integer(size, &parameter->shape[parameter->rank++]))
            return 0;
    return 1;
}

/* {"#": "p", "A": [.., .., .., name], "O": {"%": id, "TT": type}}, or, longer,
 * {"#": "0.parameter", "A": [.. "parameter_name" ..], "O": [...]}. */
static res2net_status read_parameter(program *p, const r2n_json_value *op)
{
    r2n_paddle_parameter parameter = {.value = -1};
    const r2n_json_value *attributes = r2n_json_member(op, "A");
    const r2n_json_value *result = r2n_json_member(op, "O");
    const r2n_json_value *name = r2n_pir_attribute(attributes, "parameter_name");
    if (result != NULL && result->kind == R2N_JSON_ARRAY)
        result = result->first;
    if (name == NULL && attributes != NULL && attributes->kind == R2N_JSON_ARRAY)
        for (name = attributes->first; name != NULL && name->next != NULL;)
            name = name->next;
    const r2n_pir_id *id = id_of(p, result);
    if (name == NULL || name->kind != R2N_JSON_STRING || id == NULL ||
        !read_tensor_type(r2n_json_member(result, "TT"), &parameter))
        return damaged(p, op, "a parameter without a name, an id or a type");
    parameter.name = (r2n_name){(const uint8_t *)name->text, name->length};
    parameter.id = id - p->reader.ids;
    if (!r2n_grow((void **)&p->parameters, &p->parameter_capacity, p->parameter_count + 1,
                  sizeof *p->parameters))
        return refuse(p, RES2NET_OUT_OF_MEMORY, op, "no memory for the parameters");
    p->parameters[p->parameter_count++] = parameter;
    return RES2NET_OK;
}

/* ---- operations ------------------------------------------------------------------------------ */

static int is_parameter(const r2n_json_value *type)
{
    return strcmp(type->text, "p") == 0 || strcmp(type->text, "0.parameter") == 0;
}

static const r2n_json_value *type_of(const r2n_json_value *op)
{
    const r2n_json_value *type = r2n_json_member(op, "#");
    return type != NULL && type->kind == R2N_JSON_STRING ? type : NULL;
}

/* "1.conv2d" and "%439" */
static void take_label(const r2n_json_value *type, char name[24], r2n_pir_operation *operation)
{
    const char *dot = strchr(type->text, '.');
    operation->dialect = dot == type->text + 1 ? type->text[0] - '0' : -1;
    operation->label.type = dot == NULL ? type->text : dot + 1;
    operation->label.type_bytes = strlen(operation->label.type);
    operation->label.name = name;
    operation->label.name_bytes = strlen(name);
    operation->label.offset = (int64_t)type->start;
}

static res2net_status read_operation(program *p, const r2n_json_value *op,
                                     const r2n_json_value *type)
{
    char name[24] = "";
    r2n_pir_operation operation = {.attributes = r2n_json_member(op, "A")};
    const r2n_json_value *operands = r2n_json_member(op, "I");
    const r2n_json_value *results = r2n_json_member(op, "O");
    if ((operands != NULL && operands->kind != R2N_JSON_ARRAY) ||
        (results != NULL && results->kind != R2N_JSON_ARRAY))
        return damaged(p, op, "an operation's operands or results are no list");
    const r2n_json_value *item = operands == NULL ? NULL : operands->first;
    for (; item != NULL && operation.operand_count <= R2N_PIR_OPERANDS; item = item->next)
        operation.operands[operation.operand_count++] = id_of(p, item);
    item = results == NULL ? NULL : results->first;
    for (; item != NULL && operation.result_count <= R2N_PIR_OPERANDS; item = item->next)
        operation.results[operation.result_count++] = id_of(p, item);
    if (operation.result_count > 0 && operation.results[0] != NULL)
        snprintf(name, sizeof name, "%%%td", operation.results[0] - p->reader.ids);
    take_label(type, name, &operation);
    return r2n_pir_add(&p->reader, &operation);
}

/* ---- the program ----------------------------------------------------------------------------- */

static const r2n_json_value *only(const r2n_json_value *array)
{
    return array != NULL && array->kind == R2N_JSON_ARRAY && array->count == 1 ? array->first
                                                                               : NULL;
}

static const r2n_json_value *find_operations(const r2n_json_value *root)
{
    const r2n_json_value *region =
        only(r2n_json_member(r2n_json_member(root, "program"), "regions"));
    const r2n_json_value *operations =
        r2n_json_member(only(r2n_json_member(region, "blocks")), "ops");
    return operations != NULL && operations->kind == R2N_JSON_ARRAY ? operations : NULL;
}

static res2net_status read_parameters(program *p, const r2n_json_value *operations,
                                      const r2n_paddle_files *files)
{
    res2net_status status = RES2NET_OK;
    for (const r2n_json_value *op = operations->first; op != NULL && status == RES2NET_OK;
         op = op->next) {
        const r2n_json_value *type = type_of(op);
        if (type == NULL)
            status = damaged(p, op, "an operation without a type");
        else if (is_parameter(type))
            status = read_parameter(p, op);
    }
    if (status == RES2NET_OK)
        status = r2n_read_pdiparams(p->reader.graph, files, p->parameters, p->parameter_count);
    for (size_t i = 0; i < p->parameter_count && status == RES2NET_OK; i++)
        p->reader.ids[p->parameters[i].id].value = p->parameters[i].value;
    return status;
}

static res2net_status read_all(program *p, const r2n_json_value *root,
                               const r2n_paddle_files *files)
{
    const r2n_json_value *magic = r2n_json_member(r2n_json_member(root, "base_code"), "magic");
    const r2n_json_value *operations = find_operations(root);
    if (magic == NULL || magic->kind != R2N_JSON_STRING || strcmp(magic->text, "pir") != 0)
        return refuse(p, RES2NET_UNSUPPORTED, root,
                      "a JSON text that is no program of Paddle's (inference.json)");
    if (operations == NULL)
        return refuse(p, RES2NET_MISMATCH, root,
                      "a Paddle program without operations, or with conditions or loops");
    p->reader.id_count = count_ids(operations);
    if (p->reader.id_count == 0)
        return damaged(p, operations, "an operation's result has no id, or one beyond 262144");
    p->reader.ids = r2n_allocate_zeroed(p->reader.id_count, sizeof *p->reader.ids);
    if (p->reader.ids == NULL)
        return refuse(p, RES2NET_OUT_OF_MEMORY, operations, "no memory for the program");
    for (size_t i = 0; i < p->reader.id_count; i++)
        p->reader.ids[i].value = -1;
    res2net_status status = read_parameters(p, operations, files);
    for (const r2n_json_value *op = operations->first; op != NULL && status == RES2NET_OK;
         op = op->next) {
        const r2n_json_value *type = type_of(op);
        if (!is_parameter(type))
            status = read_operation(p, op, type);
    }
    if (status == RES2NET_OK && (p->reader.graph->input < 0 || p->reader.graph->output < 0))
        status = refuse(p, RES2NET_MISMATCH, operations,
                        "the program has no input or no fetch operation: no inference model");
    return status;
}

res2net_status r2n_read_pir(const r2n_paddle_files *files, r2n_foreign_graph *graph)
{
    program p = {.reader = {.graph = graph}};
    r2n_json *document;
    graph->status = r2n_json_parse(files->program, files->program_size, graph->file, 0, &document,
                                   graph->report);
    if (graph->status != RES2NET_OK)
        return graph->status;
    const res2net_status status = read_all(&p, r2n_json_root(document), files);
    r2n_json_destroy(document);
    r2n_free(p.reader.ids);
    r2n_free(p.reader.lists);
    r2n_free(p.parameters);
    return status;
}
