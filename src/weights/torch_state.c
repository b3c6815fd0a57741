/* SPDX-License-Identifier: Apache-2.0 */
#include "weights/torch_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "weights/wrappers.h"

enum { TENSOR = 1, OLD_TENSOR, TYPED_TENSOR, PARAMETER, SUBCLASS, CLASS, INERT, FIRST_TYPE = 16 };
enum { UNTYPED = 15, NAME_BYTES = 512 };

/* An id for a type: what it is and how wide. */
#define TYPE_ID(type, bytes) (FIRST_TYPE + 16 * (type) + (bytes))
#define MARKER(module, name, id)                                                                   \
    {                                                                                              \
        module, name, R2N_PICKLE_ROLE_MARKER, id                                                   \
    }
#define STORAGE(name, type, bytes) MARKER("torch", name, TYPE_ID(type, bytes))

/* Nothing here is ever run: INERT ones stand in the parts of a checkpoint that are passed over. */
const r2n_pickle_global r2n_torch_allowed[] = {
    {"torch._utils", "_rebuild_tensor", R2N_PICKLE_ROLE_CALL, OLD_TENSOR},
    {"torch._utils", "_rebuild_tensor_v2", R2N_PICKLE_ROLE_CALL, TENSOR},
    {"torch._utils", "_rebuild_tensor_v3", R2N_PICKLE_ROLE_CALL, TYPED_TENSOR},
    {"torch._utils", "_rebuild_parameter", R2N_PICKLE_ROLE_CALL, PARAMETER},
    {"torch._utils", "_rebuild_parameter_with_state", R2N_PICKLE_ROLE_CALL, PARAMETER},
    {"torch._tensor", "_rebuild_from_type_v2", R2N_PICKLE_ROLE_CALL, SUBCLASS},
    {"torch", "Tensor", R2N_PICKLE_ROLE_MARKER, CLASS},
    {"torch.nn.parameter", "Parameter", R2N_PICKLE_ROLE_MARKER, CLASS},
    {"torch.nn.parameter", "Buffer", R2N_PICKLE_ROLE_MARKER, CLASS},
    {"collections", "OrderedDict", R2N_PICKLE_ROLE_DICT, INERT},
    {"collections", "defaultdict", R2N_PICKLE_ROLE_CALL, INERT},
    {"builtins", "set", R2N_PICKLE_ROLE_CALL, INERT},
    {"__builtin__", "set", R2N_PICKLE_ROLE_CALL, INERT},
    STORAGE("FloatStorage", R2N_ELEMENT_F32, 4),
    STORAGE("DoubleStorage", R2N_ELEMENT_F64, 8),
    STORAGE("HalfStorage", R2N_ELEMENT_F16, 2),
    STORAGE("BFloat16Storage", R2N_ELEMENT_BF16, 2),
    STORAGE("LongStorage", R2N_ELEMENT_INTEGER, 8),
    STORAGE("IntStorage", R2N_ELEMENT_INTEGER, 4),
    STORAGE("ShortStorage", R2N_ELEMENT_INTEGER, 2),
    STORAGE("CharStorage", R2N_ELEMENT_INTEGER, 1),
    STORAGE("ByteStorage", R2N_ELEMENT_INTEGER, 1),
    STORAGE("BoolStorage", R2N_ELEMENT_INTEGER, 1),
    STORAGE("UntypedStorage", R2N_ELEMENT_INTEGER, UNTYPED),
    MARKER("torch.storage", "UntypedStorage", TYPE_ID(R2N_ELEMENT_INTEGER, UNTYPED)),
    STORAGE("float32", R2N_ELEMENT_F32, 4),
    STORAGE("float64", R2N_ELEMENT_F64, 8),
    STORAGE("float16", R2N_ELEMENT_F16, 2),
    STORAGE("bfloat16", R2N_ELEMENT_BF16, 2),
    STORAGE("int64", R2N_ELEMENT_INTEGER, 8),
    STORAGE("uint64", R2N_ELEMENT_INTEGER, 8),
    STORAGE("int32", R2N_ELEMENT_INTEGER, 4),
    STORAGE("uint32", R2N_ELEMENT_INTEGER, 4),
    STORAGE("int16", R2N_ELEMENT_INTEGER, 2),
    STORAGE("uint16", R2N_ELEMENT_INTEGER, 2),
    STORAGE("int8", R2N_ELEMENT_INTEGER, 1),
    STORAGE("uint8", R2N_ELEMENT_INTEGER, 1),
    STORAGE("bool", R2N_ELEMENT_INTEGER, 1),
    {"torch", "Size", R2N_PICKLE_ROLE_CALL, INERT},
    {"torch", "device", R2N_PICKLE_ROLE_CALL, INERT},
    {"argparse", "Namespace", R2N_PICKLE_ROLE_CALL, INERT},
    {"numpy.core.multiarray", "scalar", R2N_PICKLE_ROLE_CALL, INERT},
    {"numpy._core.multiarray", "scalar", R2N_PICKLE_ROLE_CALL, INERT},
    {"numpy.core.multiarray", "_reconstruct", R2N_PICKLE_ROLE_CALL, INERT},
    {"numpy._core.multiarray", "_reconstruct", R2N_PICKLE_ROLE_CALL, INERT},
    {"numpy", "ndarray", R2N_PICKLE_ROLE_MARKER, INERT},
    {"numpy", "dtype", R2N_PICKLE_ROLE_CALL, INERT},
    {"_codecs", "encode", R2N_PICKLE_ROLE_LATIN1, INERT},
    {NULL, NULL, R2N_PICKLE_ROLE_MARKER, 0}};

#define FAIL(f, status, value, ...)                                                                \
    r2n_fail((f)->reader->report, status, (f)->reader->file, (value)->offset, __VA_ARGS__)

/* How a tensor is made: a function's id, 0 for none, and its tuple of arguments. */
typedef struct making {
    int function;
    const r2n_pickle_value *arguments;
} making;

static const r2n_pickle_value *argument(const making *call, size_t number, r2n_pickle_kind kind)
{
    const r2n_pickle_value *arguments = call->arguments;
    if (number >= arguments->count || arguments->items[number]->kind != kind)
        return NULL;
    return arguments->items[number];
}

static int is_string(const r2n_pickle_value *value)
{
    return value->kind == R2N_PICKLE_TEXT || value->kind == R2N_PICKLE_BYTES;
}

int r2n_storage_id_read(const r2n_pickle_value *persistent, r2n_storage_id *id)
{
    const r2n_pickle_value *tuple = persistent->items[0];
    if (tuple->kind != R2N_PICKLE_TUPLE || tuple->count < 5 ||
        !r2n_pickle_is_text(tuple->items[0], "storage") ||
        tuple->items[1]->kind != R2N_PICKLE_GLOBAL || tuple->items[1]->global->id < FIRST_TYPE ||
        !is_string(tuple->items[2]) || tuple->items[4]->kind != R2N_PICKLE_INTEGER ||
        tuple->items[4]->integer < 0)
        return 0;
    const int type = tuple->items[1]->global->id - FIRST_TYPE;
    const int untyped = type % 16 == UNTYPED;
    const int viewed = tuple->count > 5 && tuple->items[5]->kind != R2N_PICKLE_NONE;
    *id = (r2n_storage_id){.type = (r2n_element_type)(type / 16),
                           .untyped = untyped,
                           .element_bytes = untyped ? 1 : (size_t)(type % 16),
                           .key = tuple->items[2],
                           .elements = tuple->items[4]->integer,
                           .view = viewed ? tuple->items[5] : NULL};
    return 1;
}

/* ---- tensors ------------------------------------------------------------------------------- */

static int read_sizes(const r2n_pickle_value *tuple, int64_t *sizes)
{
    for (size_t i = 0; i < tuple->count; i++) {
        if (tuple->items[i]->kind != R2N_PICKLE_INTEGER || tuple->items[i]->integer < 0)
            return 0;
        sizes[i] = tuple->items[i]->integer;
    }
    return 1;
}

/* A view of a storage, in elements; torch before 0.4 wrote such. */
static int narrow(const r2n_storage_id *id, r2n_storage *storage)
{
    const r2n_pickle_value *view = id->view;
    if (view == NULL)
        return 1;
    if (view->kind != R2N_PICKLE_TUPLE || view->count != 3 ||
        view->items[1]->kind != R2N_PICKLE_INTEGER || view->items[2]->kind != R2N_PICKLE_INTEGER)
        return 0;
    const int64_t offset = view->items[1]->integer, elements = view->items[2]->integer;
    const uint64_t held = storage->bytes / id->element_bytes;
    if (offset < 0 || elements < 0 || (uint64_t)offset > held ||
        (uint64_t)elements > held - (uint64_t)offset)
        return 0;
    storage->data += (size_t)offset * id->element_bytes;
    storage->offset += offset * (int64_t)id->element_bytes;
    storage->bytes = (size_t)elements * id->element_bytes;
    return 1;
}

static res2net_status find_storage(const r2n_torch_file *f, const making *call, const char *name,
                                   r2n_element_type *type, r2n_storage *storage)
{
    r2n_storage_id id;
    const r2n_pickle_value *persistent = argument(call, 0, R2N_PICKLE_PERSISTENT);
    if (persistent == NULL || !r2n_storage_id_read(persistent, &id))
        return FAIL(f, RES2NET_DAMAGED, call->arguments, "tensor \"%s\" names no storage", name);
    *type = id.type;
    if (call->function == TYPED_TENSOR) {
        const r2n_pickle_value *dtype = argument(call, 6, R2N_PICKLE_GLOBAL);
        if (dtype == NULL || dtype->global->id < FIRST_TYPE)
            return FAIL(f, RES2NET_DAMAGED, call->arguments, "tensor \"%s\" has no torch type",
                        name);
        *type = (r2n_element_type)((dtype->global->id - FIRST_TYPE) / 16);
    }
    if (*type == R2N_ELEMENT_INTEGER)
        return RES2NET_OK;
    const res2net_status status = f->find(f->context, &id, name, call->arguments, storage);
    if (status == RES2NET_OK && !narrow(&id, storage))
        return FAIL(f, RES2NET_DAMAGED, call->arguments,
                    "tensor \"%s\": its view of a storage lies outside of that", name);
    return status;
}

/* torch.Size((2, 3)) is a call with a tuple; mostly there is the tuple alone. */
static const r2n_pickle_value *size_argument(const making *call, size_t number)
{
    const r2n_pickle_value *size = argument(call, number, R2N_PICKLE_CALL);
    if (size == NULL || size->items[0]->count != 1 ||
        size->items[0]->items[0]->kind != R2N_PICKLE_TUPLE)
        return argument(call, number, R2N_PICKLE_TUPLE);
    return size->items[0]->items[0];
}

/* _rebuild_tensor_v2(storage, offset, size, stride, ...) */
static res2net_status add_tensor(const r2n_torch_file *f, const r2n_pickle_value *key,
                                 const making *call)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)(key->size > 400 ? 400 : key->size),
             (const char *)key->bytes);
    r2n_stored_tensor tensor = {
        .name = (const char *)key->bytes, .name_bytes = key->size, .big_endian = f->big_endian};
    r2n_storage storage = {0};
    const res2net_status status = find_storage(f, call, name, &tensor.type, &storage);
    if (status != RES2NET_OK || tensor.type == R2N_ELEMENT_INTEGER)
        return status;
    const r2n_pickle_value *offset = argument(call, 1, R2N_PICKLE_INTEGER);
    const r2n_pickle_value *size = size_argument(call, 2);
    const r2n_pickle_value *stride = argument(call, 3, R2N_PICKLE_TUPLE);
    if (offset == NULL || size == NULL || stride == NULL || size->count != stride->count ||
        size->count > R2N_MAXIMUM_RANK || !read_sizes(size, tensor.shape) ||
        !read_sizes(stride, tensor.stride))
        return FAIL(f, RES2NET_DAMAGED, call->arguments,
                    "tensor \"%s\": its offset, size or stride is not what torch writes", name);
    const size_t bytes = r2n_element_bytes(tensor.type);
    if (offset->integer < 0 || (uint64_t)offset->integer > storage.bytes / bytes)
        return FAIL(f, RES2NET_DAMAGED, call->arguments,
                    "tensor \"%s\" begins at element %" PRId64 " of a storage of %zu", name,
                    offset->integer, storage.bytes / bytes);
    tensor.rank = (int32_t)size->count;
    tensor.data = storage.data + (size_t)offset->integer * bytes;
    tensor.bytes = storage.bytes - (size_t)offset->integer * bytes;
    tensor.offset = storage.offset + offset->integer * (int64_t)bytes;
    return r2n_reader_add(f->reader, &tensor);
}

static int makes_tensor(const making *m)
{
    return m->function == TENSOR || m->function == OLD_TENSOR || m->function == TYPED_TENSOR;
}

/* Takes off _rebuild_parameter(tensor, ...) and _rebuild_from_type_v2(function, class, arguments,
 * state): what is inside makes the tensor. */
static making making_of(const r2n_pickle_value *value)
{
    enum { MOST_WRAPPINGS = 3 };
    for (int i = 0; i < MOST_WRAPPINGS && value != NULL && value->kind == R2N_PICKLE_CALL; i++) {
        making m = {value->global->id, value->items[0]};
        if (m.function == SUBCLASS) {
            const r2n_pickle_value *function = argument(&m, 0, R2N_PICKLE_GLOBAL);
            const r2n_pickle_value *arguments = argument(&m, 2, R2N_PICKLE_TUPLE);
            if (function == NULL || arguments == NULL)
                break;
            m = (making){function->global->id, arguments};
        }
        if (makes_tensor(&m))
            return m;
        value = m.function == PARAMETER ? argument(&m, 0, R2N_PICKLE_CALL) : NULL;
    }
    return (making){0, NULL};
}

static int is_tensor(const r2n_pickle_value *value)
{
    return making_of(value).function != 0;
}

res2net_status r2n_torch_state_read(const r2n_torch_file *f, const r2n_pickle_value *root)
{
    const r2n_pickle_value *dict;
    res2net_status status = r2n_unwrap(f->reader, root, is_tensor, &dict);
    for (size_t i = 0; status == RES2NET_OK && i + 1 < dict->count; i += 2) {
        const r2n_pickle_value *key = dict->items[i];
        const making call = making_of(dict->items[i + 1]);
        if (call.function == 0)
            continue;
        status = is_string(key) ? add_tensor(f, key, &call)
                                : FAIL(f, RES2NET_DAMAGED, key, "a tensor's name is %s, not a text",
                                       r2n_pickle_kind_name(key->kind));
    }
    return status;
}
