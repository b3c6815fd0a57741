/* SPDX-License-Identifier: Apache-2.0 */
/* Safetensors: u64 header length, a JSON header, the tensors' bytes without gaps. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/byte_cursor.h"
#include "formats/json.h"
#include "weights/metadata.h"
#include "weights/reader.h"

enum { MAXIMUM_HEADER = 16 * 1000 * 1000 }; /* the largest network needs 0.2 MB */

static const struct {
    const char *name;
    r2n_element_type type;
    int bytes;
} TYPES[] = {{"F32", R2N_ELEMENT_F32, 4},     {"F16", R2N_ELEMENT_F16, 2},
             {"BF16", R2N_ELEMENT_BF16, 2},   {"F64", R2N_ELEMENT_F64, 8},
             {"I64", R2N_ELEMENT_INTEGER, 8}, {"U64", R2N_ELEMENT_INTEGER, 8},
             {"I32", R2N_ELEMENT_INTEGER, 4}, {"U32", R2N_ELEMENT_INTEGER, 4},
             {"I16", R2N_ELEMENT_INTEGER, 2}, {"U16", R2N_ELEMENT_INTEGER, 2},
             {"I8", R2N_ELEMENT_INTEGER, 1},  {"U8", R2N_ELEMENT_INTEGER, 1},
             {"BOOL", R2N_ELEMENT_INTEGER, 1}};

typedef struct range {
    uint64_t begin, end;
    const r2n_json_value *entry;
} range;

typedef struct state {
    r2n_weights_reader *reader;
    int64_t data_offset;
    r2n_byte_cursor data; /* all tensors' bytes */
    range *ranges;
    size_t range_count;
} state;

#define FAIL(s, status, entry, ...)                                                                \
    r2n_fail((s)->reader->report, status, (s)->reader->file, 8 + (int64_t)(entry)->start,          \
             __VA_ARGS__)

static res2net_status read_shape(state *s, const r2n_json_value *entry, r2n_stored_tensor *tensor)
{
    const r2n_json_value *shape = r2n_json_member(entry, "shape");
    if (shape == NULL || shape->kind != R2N_JSON_ARRAY)
        return FAIL(s, RES2NET_DAMAGED, entry, "tensor \"%s\" has no array \"shape\"", entry->key);
    if (shape->count > R2N_MAXIMUM_RANK)
        return FAIL(s, RES2NET_LIMIT_EXCEEDED, entry,
                    "tensor \"%s\" has %zu dimensions; at most %d are taken", entry->key,
                    shape->count, (int)R2N_MAXIMUM_RANK);
    for (const r2n_json_value *size = shape->first; size != NULL; size = size->next) {
        int64_t number;
        if (!r2n_json_integer(size, &number) || number < 0)
            return FAIL(s, RES2NET_DAMAGED, size,
                        "tensor \"%s\": a size is not a whole number of at least 0", entry->key);
        tensor->shape[tensor->rank++] = number;
    }
    return RES2NET_OK;
}

static res2net_status read_range(state *s, const r2n_json_value *entry, range *r)
{
    const r2n_json_value *offsets = r2n_json_member(entry, "data_offsets");
    int64_t begin, end;
    if (offsets == NULL || offsets->kind != R2N_JSON_ARRAY || offsets->count != 2 ||
        !r2n_json_integer(offsets->first, &begin) || !r2n_json_integer(offsets->first->next, &end))
        return FAIL(s, RES2NET_DAMAGED, entry,
                    "tensor \"%s\" has no \"data_offsets\" of two whole numbers", entry->key);
    if (begin < 0)
        return FAIL(s, RES2NET_DAMAGED, entry,
                    "tensor \"%s\" begins at %" PRId64 ", before the data", entry->key, begin);
    if (begin > end)
        return FAIL(s, RES2NET_DAMAGED, entry,
                    "tensor \"%s\" begins at %" PRId64 " and ends before that, at %" PRId64,
                    entry->key, begin, end);
    if ((uint64_t)end > s->data.size)
        return FAIL(s, RES2NET_DAMAGED, entry,
                    "tensor \"%s\" ends at byte %" PRId64
                    " of the data, but the file holds only %zu: it is cut off, or its header is "
                    "wrong; fetch it again",
                    entry->key, end, s->data.size);
    *r = (range){(uint64_t)begin, (uint64_t)end, entry};
    return RES2NET_OK;
}

static res2net_status read_entry(state *s, const r2n_json_value *entry)
{
    r2n_stored_tensor tensor = {.name = entry->key, .name_bytes = strlen(entry->key)};
    range *r = &s->ranges[s->range_count];
    const r2n_json_value *dtype = r2n_json_member(entry, "dtype");
    size_t type = 0;
    if (dtype == NULL || dtype->kind != R2N_JSON_STRING)
        return FAIL(s, RES2NET_DAMAGED, entry, "tensor \"%s\" has no text \"dtype\"", entry->key);
    while (type < sizeof TYPES / sizeof TYPES[0] && strcmp(TYPES[type].name, dtype->text) != 0)
        type++;
    if (type == sizeof TYPES / sizeof TYPES[0])
        return FAIL(s, RES2NET_UNSUPPORTED, dtype,
                    "tensor \"%s\" has the type \"%.40s\"; F32, F16, BF16, F64 and integers can be "
                    "read",
                    entry->key, dtype->text);
    res2net_status status = read_shape(s, entry, &tensor);
    if (status == RES2NET_OK)
        status = read_range(s, entry, r);
    if (status != RES2NET_OK)
        return status;
    s->range_count++;
    uint64_t bytes = (uint64_t)TYPES[type].bytes;
    for (int32_t i = 0; i < tensor.rank; i++)
        if (__builtin_mul_overflow(bytes, (uint64_t)tensor.shape[i], &bytes))
            return FAIL(s, RES2NET_DAMAGED, entry,
                        "tensor \"%s\": the product of its shape is beyond 64 bits", entry->key);
    if (bytes != r->end - r->begin)
        return FAIL(s, RES2NET_DAMAGED, entry,
                    "tensor \"%s\": its shape needs %" PRIu64
                    " bytes, its data_offsets span %" PRIu64,
                    entry->key, bytes, r->end - r->begin);
    r2n_byte_cursor window = r2n_cursor_window(&s->data, r->begin, bytes);
    tensor.type = TYPES[type].type;
    tensor.data = window.data;
    tensor.bytes = window.size;
    tensor.offset = s->data_offset + (int64_t)r->begin;
    r2n_stored_strides(&tensor);
    return r2n_reader_add(s->reader, &tensor);
}

static int compare_ranges(const void *a, const void *b)
{
    const range *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* The tensors cover the data from its first to its last byte, each byte once. */
static res2net_status check_cover(state *s)
{
    uint64_t at = 0;
    qsort(s->ranges, s->range_count, sizeof *s->ranges, compare_ranges);
    for (size_t i = 0; i < s->range_count; i++) {
        const range *r = &s->ranges[i];
        if (r->begin < at)
            return FAIL(s, RES2NET_DAMAGED, r->entry,
                        "tensor \"%s\" overlaps another: it begins at %" PRIu64 ", before %" PRIu64,
                        r->entry->key, r->begin, at);
        if (r->begin > at)
            return FAIL(s, RES2NET_DAMAGED, r->entry,
                        "there is a hole of %" PRIu64 " bytes before tensor \"%s\"", r->begin - at,
                        r->entry->key);
        at = r->end;
    }
    if (at != s->data.size)
        return r2n_fail(s->reader->report, RES2NET_DAMAGED, s->reader->file,
                        s->data_offset + (int64_t)at, "%" PRIu64 " bytes follow the last tensor",
                        (uint64_t)s->data.size - at);
    return RES2NET_OK;
}

static res2net_status read_metadata(state *s, const r2n_json_value *object)
{
    if (object->kind != R2N_JSON_OBJECT)
        return FAIL(s, RES2NET_DAMAGED, object, "\"__metadata__\" is %s, not an object of texts",
                    r2n_json_kind_name(object->kind));
    for (const r2n_json_value *v = object->first; v != NULL; v = v->next) {
        if (v->kind != R2N_JSON_STRING)
            return FAIL(s, RES2NET_DAMAGED, v, "\"__metadata__\": \"%s\" is %s, not a text", v->key,
                        r2n_json_kind_name(v->kind));
        const res2net_status status =
            r2n_metadata_take(&s->reader->set->metadata, v->key, v->text, v->length,
                              s->reader->file, s->reader->report);
        if (status != RES2NET_OK)
            return status;
    }
    return RES2NET_OK;
}

static res2net_status read_header(state *s, const r2n_json_value *root)
{
    if (root->kind != R2N_JSON_OBJECT)
        return FAIL(s, RES2NET_DAMAGED, root, "the safetensors header is %s, not an object",
                    r2n_json_kind_name(root->kind));
    s->ranges = r2n_allocate(root->count, sizeof *s->ranges);
    if (s->ranges == NULL)
        return FAIL(s, RES2NET_OUT_OF_MEMORY, root, "no memory for %zu tensors", root->count);
    for (const r2n_json_value *entry = root->first; entry != NULL; entry = entry->next) {
        res2net_status status;
        if (strcmp(entry->key, "__metadata__") == 0)
            status = read_metadata(s, entry);
        else if (entry->kind != R2N_JSON_OBJECT)
            status = FAIL(s, RES2NET_DAMAGED, entry, "tensor \"%s\" is %s, not an object",
                          entry->key, r2n_json_kind_name(entry->kind));
        else
            status = read_entry(s, entry);
        if (status != RES2NET_OK)
            return status;
    }
    return check_cover(s);
}

res2net_status r2n_read_safetensors(r2n_weights_reader *reader)
{
    r2n_byte_cursor cursor = r2n_cursor(reader->data, reader->size);
    const uint64_t length = r2n_cursor_u64le(&cursor);
    if (length > MAXIMUM_HEADER)
        return r2n_fail(reader->report, RES2NET_LIMIT_EXCEEDED, reader->file, 0,
                        "the safetensors header claims %" PRIu64 " bytes; at most %d are taken",
                        length, (int)MAXIMUM_HEADER);
    const uint8_t *text = r2n_cursor_take(&cursor, length);
    if (text == NULL)
        return r2n_fail(reader->report, RES2NET_DAMAGED, reader->file, 0,
                        "the safetensors header claims %" PRIu64
                        " bytes, but only %zu follow: the file is cut off; fetch it again",
                        length, r2n_cursor_left(&cursor));
    state s = {.reader = reader, .data_offset = (int64_t)cursor.position};
    s.data = r2n_cursor_window(&cursor, cursor.position, r2n_cursor_left(&cursor));
    r2n_json *document;
    res2net_status status =
        r2n_json_parse(text, (size_t)length, reader->file, 8, &document, reader->report);
    if (status != RES2NET_OK)
        return status;
    status = read_header(&s, r2n_json_root(document));
    r2n_free(s.ranges);
    r2n_json_destroy(document);
    return status;
}
