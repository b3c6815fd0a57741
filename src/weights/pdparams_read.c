/* SPDX-License-Identifier: Apache-2.0 */
/* paddle.save of a state dict: one pickle {structured name -> numpy array}. spec 5.2. */
#include <string.h>

#include "formats/pickle_reader.h"
#include "weights/metadata.h"
#include "weights/reader.h"

enum { RECONSTRUCT = 1, NDARRAY, DTYPE, OTHER };

static const r2n_pickle_global ALLOWED[] = {
    {"numpy.core.multiarray", "_reconstruct", R2N_PICKLE_ROLE_CALL, RECONSTRUCT},
    {"numpy._core.multiarray", "_reconstruct", R2N_PICKLE_ROLE_CALL, RECONSTRUCT},
    {"numpy", "ndarray", R2N_PICKLE_ROLE_MARKER, NDARRAY},
    {"numpy", "dtype", R2N_PICKLE_ROLE_CALL, DTYPE},
    {"_codecs", "encode", R2N_PICKLE_ROLE_LATIN1, OTHER},
    {"builtins", "tuple", R2N_PICKLE_ROLE_TUPLE, OTHER},
    {"__builtin__", "tuple", R2N_PICKLE_ROLE_TUPLE, OTHER},
    {"collections", "OrderedDict", R2N_PICKLE_ROLE_DICT, OTHER},
    {NULL, NULL, R2N_PICKLE_ROLE_MARKER, 0}};

#define FAIL(reader, status, value, ...)                                                           \
    r2n_fail((reader)->report, status, (reader)->file, (value)->offset, __VA_ARGS__)

static int is_call(const r2n_pickle_value *value, int id)
{
    return value->kind == R2N_PICKLE_CALL && value->global->id == id;
}

/* numpy.dtype('f4', ...) with the state (3, '<', ...). */
static res2net_status read_dtype(r2n_weights_reader *reader, const r2n_pickle_value *dtype,
                                 const char *name, r2n_element_type *type)
{
    static const struct {
        const char *code;
        r2n_element_type type;
    } types[] = {
        {"f4", R2N_ELEMENT_F32},     {"f8", R2N_ELEMENT_F64},     {"f2", R2N_ELEMENT_F16},
        {"u2", R2N_ELEMENT_BF16}, /* how Paddle hands bfloat16 to numpy */
        {"i8", R2N_ELEMENT_INTEGER}, {"i4", R2N_ELEMENT_INTEGER}, {"i2", R2N_ELEMENT_INTEGER},
        {"i1", R2N_ELEMENT_INTEGER}, {"u1", R2N_ELEMENT_INTEGER}, {"b1", R2N_ELEMENT_INTEGER}};
    const r2n_pickle_value *arguments = is_call(dtype, DTYPE) ? dtype->items[0] : NULL;
    const r2n_pickle_value *state = is_call(dtype, DTYPE) ? dtype->items[1] : NULL;
    if (arguments == NULL || arguments->count == 0)
        return FAIL(reader, RES2NET_DAMAGED, dtype, "tensor \"%s\" has no numpy type", name);
    if (state != NULL &&
        (state->kind != R2N_PICKLE_TUPLE || state->count < 2 ||
         !(r2n_pickle_is_text(state->items[1], "<") || r2n_pickle_is_text(state->items[1], "|"))))
        return FAIL(reader, RES2NET_UNSUPPORTED, dtype, "tensor \"%s\" is not little-endian", name);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!r2n_pickle_is_text(arguments->items[0], types[i].code))
            continue;
        *type = types[i].type;
        return RES2NET_OK;
    }
    return FAIL(reader, RES2NET_UNSUPPORTED, dtype,
                "tensor \"%s\" has a numpy type other than f4, f2, f8, bfloat16 or integer", name);
}

static void set_fortran_strides(r2n_stored_tensor *tensor)
{
    uint64_t stride = 1; /* wraps only where the shape's product is refused later */
    for (int32_t i = 0; i < tensor->rank; i++) {
        tensor->stride[i] = (int64_t)stride;
        stride *= (uint64_t)tensor->shape[i];
    }
}

/* An array's state is (1, shape, dtype, fortran order, bytes). */
static res2net_status add_array(r2n_weights_reader *reader, const r2n_pickle_value *key,
                                const char *name, const r2n_pickle_value *array)
{
    r2n_stored_tensor tensor = {.name = (const char *)key->bytes, .name_bytes = key->size};
    const r2n_pickle_value *state = array->items[1];
    if (state == NULL || state->kind != R2N_PICKLE_TUPLE || state->count != 5 ||
        state->items[1]->kind != R2N_PICKLE_TUPLE || state->items[3]->kind != R2N_PICKLE_BOOL ||
        state->items[4]->kind != R2N_PICKLE_BYTES)
        return FAIL(reader, RES2NET_DAMAGED, array, "tensor \"%s\" is not what numpy writes", name);
    const r2n_pickle_value *shape = state->items[1];
    if (shape->count > R2N_MAXIMUM_RANK)
        return FAIL(reader, RES2NET_LIMIT_EXCEEDED, array,
                    "tensor \"%s\" has %zu dimensions; at most %d are taken", name, shape->count,
                    (int)R2N_MAXIMUM_RANK);
    for (size_t i = 0; i < shape->count; i++) {
        if (shape->items[i]->kind != R2N_PICKLE_INTEGER)
            return FAIL(reader, RES2NET_DAMAGED, array, "tensor \"%s\": a size is no number", name);
        tensor.shape[tensor.rank++] = shape->items[i]->integer;
    }
    const res2net_status status = read_dtype(reader, state->items[2], name, &tensor.type);
    if (status != RES2NET_OK || tensor.type == R2N_ELEMENT_INTEGER)
        return status;
    if (state->items[3]->integer)
        set_fortran_strides(&tensor);
    else
        r2n_stored_strides(&tensor);
    const r2n_pickle_value *bytes = state->items[4];
    int64_t count;
    if (r2n_shape_count(tensor.rank, tensor.shape, &count) &&
        (uint64_t)count < bytes->size / r2n_element_bytes(tensor.type))
        return FAIL(reader, RES2NET_DAMAGED, bytes,
                    "tensor \"%s\" has %lld elements, but %zu bytes are stored for it", name,
                    (long long)count, bytes->size);
    tensor.data = bytes->bytes;
    tensor.bytes = bytes->size;
    tensor.offset = bytes->offset;
    return r2n_reader_add(reader, &tensor);
}

/* Nested state dicts hold (name, array) instead of the array. */
static const r2n_pickle_value *array_of(const r2n_pickle_value *value)
{
    if (value->kind == R2N_PICKLE_TUPLE && value->count == 2)
        value = value->items[1];
    return is_call(value, RECONSTRUCT) ? value : NULL;
}

static res2net_status read_pair(r2n_weights_reader *reader, const r2n_pickle_value *key,
                                const r2n_pickle_value *value)
{
    char name[256];
    if (key->kind != R2N_PICKLE_TEXT && key->kind != R2N_PICKLE_BYTES)
        return FAIL(reader, RES2NET_DAMAGED, key, "a tensor's name is %s, not a text",
                    r2n_pickle_kind_name(key->kind));
    const size_t length = key->size < sizeof name ? key->size : sizeof name - 1;
    memcpy(name, key->bytes, length);
    name[length] = '\0';
    if (strcmp(name, "UnpackBigParamInfor@@") == 0)
        return FAIL(reader, RES2NET_UNSUPPORTED, key,
                    "tensors of over 1 GiB in several pieces: no Res2Net has such; save again "
                    "with paddle.save(..., protocol=4)");
    const r2n_pickle_value *array = array_of(value);
    if (array != NULL)
        return add_array(reader, key, name, array);
    if (value->kind == R2N_PICKLE_TEXT)
        return r2n_metadata_take(&reader->set->metadata, name, (const char *)value->bytes,
                                 value->size, reader->file, reader->report);
    return RES2NET_OK; /* StructuredToParameterName@@, numbers */
}

res2net_status r2n_read_pdparams(r2n_weights_reader *reader)
{
    r2n_pickle *pickle;
    res2net_status status = r2n_pickle_parse(reader->data, reader->size, reader->file, 0, ALLOWED,
                                             &pickle, reader->report);
    if (status != RES2NET_OK)
        return status;
    const r2n_pickle_value *root = r2n_pickle_root(pickle);
    if (root->kind == R2N_PICKLE_LIST)
        status = FAIL(reader, RES2NET_UNSUPPORTED, root,
                      "a list: this looks like a .pdopt (optimizer state), not weights; its "
                      "neighbour .pdparams holds them");
    else if (root->kind != R2N_PICKLE_DICT)
        status = FAIL(reader, RES2NET_UNSUPPORTED, root,
                      "the pickle holds %s where a dict of tensors was expected",
                      r2n_pickle_kind_name(root->kind));
    for (size_t i = 0; status == RES2NET_OK && i + 1 < root->count; i += 2)
        status = read_pair(reader, root->items[i], root->items[i + 1]);
    r2n_pickle_destroy(pickle);
    return status;
}
