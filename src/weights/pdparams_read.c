/* SPDX-License-Identifier: Apache-2.0 */
/* paddle.save of a state dict: one pickle {structured name -> numpy array}. spec 5.2. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "weights/metadata.h"
#include "weights/pdparams.h"
#include "weights/wrappers.h"

enum { RECONSTRUCT = 1, FROM_BUFFER, NDARRAY, DTYPE, OTHER };
enum { NAME_BYTES = 256, MAXIMUM_SLICES = 256 };

const r2n_pickle_global r2n_paddle_globals[] = {
    {"numpy.core.multiarray", "_reconstruct", R2N_PICKLE_ROLE_CALL, RECONSTRUCT},
    {"numpy._core.multiarray", "_reconstruct", R2N_PICKLE_ROLE_CALL, RECONSTRUCT},
    {"numpy.core.numeric", "_frombuffer", R2N_PICKLE_ROLE_CALL, FROM_BUFFER},
    {"numpy._core.numeric", "_frombuffer", R2N_PICKLE_ROLE_CALL, FROM_BUFFER},
    {"numpy.core.multiarray", "scalar", R2N_PICKLE_ROLE_CALL, OTHER},
    {"numpy._core.multiarray", "scalar", R2N_PICKLE_ROLE_CALL, OTHER},
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
                                 const char *name, r2n_stored_tensor *tensor)
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
    if (state != NULL && (state->kind != R2N_PICKLE_TUPLE || state->count < 2))
        return FAIL(reader, RES2NET_DAMAGED, dtype, "tensor \"%s\" has no numpy type", name);
    tensor->big_endian = state != NULL && r2n_pickle_is_text(state->items[1], ">");
    if (state != NULL && !tensor->big_endian && !r2n_pickle_is_text(state->items[1], "<") &&
        !r2n_pickle_is_text(state->items[1], "|"))
        return FAIL(reader, RES2NET_UNSUPPORTED, dtype,
                    "tensor \"%s\" has an unknown order of bytes", name);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!r2n_pickle_is_text(arguments->items[0], types[i].code))
            continue;
        tensor->type = types[i].type;
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

static res2net_status read_shape(r2n_weights_reader *reader, const r2n_pickle_value *shape,
                                 const char *name, r2n_stored_tensor *tensor)
{
    if (shape->kind != R2N_PICKLE_TUPLE)
        return FAIL(reader, RES2NET_DAMAGED, shape, "tensor \"%s\" has no shape", name);
    if (shape->count > R2N_MAXIMUM_RANK)
        return FAIL(reader, RES2NET_LIMIT_EXCEEDED, shape,
                    "tensor \"%s\" has %zu dimensions; at most %d are taken", name, shape->count,
                    (int)R2N_MAXIMUM_RANK);
    for (size_t i = 0; i < shape->count; i++) {
        if (shape->items[i]->kind != R2N_PICKLE_INTEGER)
            return FAIL(reader, RES2NET_DAMAGED, shape, "tensor \"%s\": a size is no number", name);
        tensor->shape[tensor->rank++] = shape->items[i]->integer;
    }
    return RES2NET_OK;
}

/* The parts of an array: two ways in which numpy writes it. */
typedef struct array_parts {
    const r2n_pickle_value *shape, *dtype, *bytes;
    int fortran;
} array_parts;

/* _reconstruct(...) with the state (1, shape, dtype, fortran order, bytes), or, with protocol 5,
 * _frombuffer(bytes, dtype, shape, 'C'). */
static int take_apart(const r2n_pickle_value *array, array_parts *parts)
{
    const r2n_pickle_value *state = array->items[1], *arguments = array->items[0];
    if (array->global->id == RECONSTRUCT) {
        if (state == NULL || state->kind != R2N_PICKLE_TUPLE || state->count != 5 ||
            state->items[3]->kind != R2N_PICKLE_BOOL)
            return 0;
        *parts = (array_parts){state->items[1], state->items[2], state->items[4],
                               state->items[3]->integer != 0};
    } else {
        if (arguments->count != 4)
            return 0;
        *parts = (array_parts){arguments->items[2], arguments->items[1], arguments->items[0],
                               r2n_pickle_is_text(arguments->items[3], "F")};
        if (!parts->fortran && !r2n_pickle_is_text(arguments->items[3], "C"))
            return 0;
    }
    return parts->bytes->kind == R2N_PICKLE_BYTES;
}

static res2net_status read_array(r2n_weights_reader *reader, const char *name,
                                 const r2n_pickle_value *array, r2n_stored_tensor *tensor)
{
    array_parts parts;
    if (!take_apart(array, &parts))
        return FAIL(reader, RES2NET_DAMAGED, array, "tensor \"%s\" is not what numpy writes", name);
    res2net_status status = read_shape(reader, parts.shape, name, tensor);
    if (status == RES2NET_OK)
        status = read_dtype(reader, parts.dtype, name, tensor);
    if (status != RES2NET_OK || tensor->type == R2N_ELEMENT_INTEGER)
        return status;
    if (parts.fortran)
        set_fortran_strides(tensor);
    else
        r2n_stored_strides(tensor);
    int64_t count;
    if (r2n_shape_count(tensor->rank, tensor->shape, &count) &&
        (uint64_t)count != parts.bytes->size / r2n_element_bytes(tensor->type))
        return FAIL(reader, RES2NET_DAMAGED, parts.bytes,
                    "tensor \"%s\" has %lld elements, but %zu bytes are stored for it", name,
                    (long long)count, parts.bytes->size);
    tensor->data = parts.bytes->bytes;
    tensor->bytes = parts.bytes->size;
    tensor->offset = parts.bytes->offset;
    return RES2NET_OK;
}

/* Nested state dicts hold (name, array) instead of the array. */
static const r2n_pickle_value *array_of(const r2n_pickle_value *value)
{
    if (value->kind == R2N_PICKLE_TUPLE && value->count == 2)
        value = value->items[1];
    return is_call(value, RECONSTRUCT) || is_call(value, FROM_BUFFER) ? value : NULL;
}

static int is_tensor(const r2n_pickle_value *value)
{
    return array_of(value) != NULL;
}

static int is_name(const r2n_pickle_value *key)
{
    return key->kind == R2N_PICKLE_TEXT || key->kind == R2N_PICKLE_BYTES;
}

static void copy_name(const r2n_pickle_value *key, char name[NAME_BYTES])
{
    const size_t length = key->size < NAME_BYTES ? key->size : NAME_BYTES - 1;
    memcpy(name, key->bytes, length);
    name[length] = '\0';
}

/* ---- arrays in pieces ---------------------------------------------------------------------- */

/* Protocols 2 and 3 cannot hold 4 GiB: paddle.save writes arrays over 1 GiB in flat pieces
 * "name@@.0", "name@@.1", ..., and under this key what belongs together. */
#define PIECES_KEY "UnpackBigParamInfor@@"

static int is_piece(const char *name)
{
    const char *mark = strstr(name, "@@.");
    return mark != NULL && mark[3] >= '0' && mark[3] <= '9';
}

static res2net_status join(r2n_weights_reader *reader, const r2n_pickle_value *dict,
                           const r2n_pickle_value *key, const r2n_pickle_value *slices,
                           r2n_stored_tensor *whole)
{
    char name[NAME_BYTES], piece_name[NAME_BYTES];
    int64_t count;
    copy_name(key, name);
    if (!r2n_shape_count(whole->rank, whole->shape, &count) ||
        (uint64_t)count > reader->budget / sizeof(float))
        return FAIL(reader, RES2NET_DAMAGED, key,
                    "tensor \"%s\" in pieces: its shape is larger than the file", name);
    float *block = r2n_allocate((size_t)count, sizeof *block);
    if (!r2n_tensor_set_own(reader->set, block))
        return FAIL(reader, RES2NET_OUT_OF_MEMORY, key, "no memory for tensor \"%s\"", name);
    int64_t filled = 0;
    for (size_t i = 0; i < slices->count; i++) {
        r2n_stored_tensor piece = {.name = NULL};
        if (!is_name(slices->items[i]))
            return FAIL(reader, RES2NET_DAMAGED, slices, "tensor \"%s\": a piece has no name",
                        name);
        copy_name(slices->items[i], piece_name);
        const r2n_pickle_value *value = r2n_pickle_member(dict, piece_name);
        const r2n_pickle_value *array = value == NULL ? NULL : array_of(value);
        if (array == NULL)
            return FAIL(reader, RES2NET_DAMAGED, slices,
                        "tensor \"%s\": its piece \"%s\" is missing", name, piece_name);
        const res2net_status status = read_array(reader, piece_name, array, &piece);
        if (status != RES2NET_OK)
            return status;
        if (piece.type == R2N_ELEMENT_INTEGER || piece.rank != 1 ||
            piece.shape[0] > count - filled || piece.shape[0] < 1)
            return FAIL(reader, RES2NET_DAMAGED, array,
                        "tensor \"%s\": its piece \"%s\" does not fit", name, piece_name);
        r2n_elements_widen(piece.type, piece.big_endian, piece.data, piece.shape[0],
                           block + filled);
        filled += piece.shape[0];
    }
    if (filled != count)
        return FAIL(reader, RES2NET_DAMAGED, slices,
                    "tensor \"%s\" has %lld elements, its pieces have %lld", name, (long long)count,
                    (long long)filled);
    reader->budget -= (uint64_t)count * sizeof *block;
    whole->data = (const uint8_t *)block;
    whole->is_ours = 1;
    whole->bytes = (size_t)count * sizeof *block;
    whole->type = R2N_ELEMENT_F32;
    whole->offset = key->offset;
    r2n_stored_strides(whole);
    return r2n_reader_add(reader, whole);
}

/* {name: {"OriginShape": (...), "slices": [names]}} */
static res2net_status join_pieces(r2n_weights_reader *reader, const r2n_pickle_value *dict,
                                  const r2n_pickle_value *table)
{
    size_t slice_count = 0;
    res2net_status status = RES2NET_OK;
    if (table->kind != R2N_PICKLE_DICT)
        return FAIL(reader, RES2NET_DAMAGED, table, "\"" PIECES_KEY "\" is %s",
                    r2n_pickle_kind_name(table->kind));
    for (size_t i = 0; status == RES2NET_OK && i + 1 < table->count; i += 2) {
        const r2n_pickle_value *key = table->items[i];
        const r2n_pickle_value *shape = r2n_pickle_member(table->items[i + 1], "OriginShape");
        const r2n_pickle_value *slices = r2n_pickle_member(table->items[i + 1], "slices");
        r2n_stored_tensor whole = {.name = (const char *)key->bytes, .name_bytes = key->size};
        if (!is_name(key) || shape == NULL || slices == NULL || slices->kind != R2N_PICKLE_LIST)
            return FAIL(reader, RES2NET_DAMAGED, key,
                        "\"" PIECES_KEY "\" is not what Paddle writes");
        slice_count += slices->count;
        if (slice_count > MAXIMUM_SLICES)
            return FAIL(reader, RES2NET_LIMIT_EXCEEDED, key, "tensors in more than %d pieces",
                        (int)MAXIMUM_SLICES);
        status = read_shape(reader, shape, "in pieces", &whole);
        if (status == RES2NET_OK)
            status = join(reader, dict, key, slices, &whole);
    }
    return status;
}

/* ---- the dict ------------------------------------------------------------------------------ */

static res2net_status read_pair(r2n_weights_reader *reader, const r2n_pickle_value *key,
                                const r2n_pickle_value *value, int in_pieces)
{
    char name[NAME_BYTES];
    const r2n_pickle_value *array = array_of(value);
    if (!is_name(key))
        return array == NULL
                   ? RES2NET_OK
                   : FAIL(reader, RES2NET_DAMAGED, key, "a tensor's name is %s, not a text",
                          r2n_pickle_kind_name(key->kind));
    copy_name(key, name);
    if (array != NULL) {
        r2n_stored_tensor tensor = {.name = (const char *)key->bytes, .name_bytes = key->size};
        if (in_pieces && is_piece(name))
            return RES2NET_OK;
        const res2net_status status = read_array(reader, name, array, &tensor);
        return status == RES2NET_OK ? r2n_reader_add(reader, &tensor) : status;
    }
    if (value->kind == R2N_PICKLE_TEXT)
        return r2n_metadata_take(&reader->set->metadata, name, (const char *)value->bytes,
                                 value->size, reader->file, reader->report);
    return RES2NET_OK; /* StructuredToParameterName@@, numbers */
}

res2net_status r2n_read_paddle_dict(r2n_weights_reader *reader, const r2n_pickle_value *dict)
{
    const r2n_pickle_value *table = r2n_pickle_member(dict, PIECES_KEY);
    res2net_status status = RES2NET_OK;
    for (size_t i = 0; status == RES2NET_OK && i + 1 < dict->count; i += 2)
        status = read_pair(reader, dict->items[i], dict->items[i + 1], table != NULL);
    return status == RES2NET_OK && table != NULL ? join_pieces(reader, dict, table) : status;
}

static res2net_status read_root(r2n_weights_reader *reader, const r2n_pickle_value *root)
{
    const r2n_pickle_value *dict;
    if (root->kind == R2N_PICKLE_LIST)
        return FAIL(reader, RES2NET_UNSUPPORTED, root,
                    "a list: this looks like a .pdopt (optimizer state), not weights; its "
                    "neighbour .pdparams holds them");
    if (r2n_pickle_member(root, "metric") != NULL && r2n_pickle_member(root, "epoch") != NULL &&
        root->count <= 8)
        return FAIL(reader, RES2NET_UNSUPPORTED, root,
                    "this looks like a .pdstates (how far a training has come), not weights; its "
                    "neighbour .pdparams holds them");
    const res2net_status status = r2n_unwrap(reader, root, is_tensor, &dict);
    return status == RES2NET_OK ? r2n_read_paddle_dict(reader, dict) : status;
}

res2net_status r2n_read_pdparams(r2n_weights_reader *reader)
{
    r2n_pickle *pickle;
    res2net_status status = r2n_pickle_parse(reader->data, reader->size, reader->file, 0,
                                             r2n_paddle_globals, &pickle, reader->report);
    if (status != RES2NET_OK)
        return status;
    status = read_root(reader, r2n_pickle_root(pickle));
    r2n_pickle_destroy(pickle);
    return status;
}
