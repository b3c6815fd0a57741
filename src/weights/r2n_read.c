/* SPDX-License-Identifier: Apache-2.0 */
/* The native container: docs/format-r2n.md. */
#include <float.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "formats/byte_cursor.h"
#include "formats/crc32.h"
#include "formats/json.h"
#include "formats/json_writer.h"
#include "weights/metadata.h"
#include "weights/r2n_format.h"
#include "weights/reader.h"

typedef struct state {
    r2n_weights_reader *reader;
    r2n_byte_cursor file;
    uint64_t metadata_offset, metadata_bytes, data_offset;
    r2n_json *json;
    uint64_t claimed; /* bytes that entries have spoken of so far */
    int verify;       /* compare the data's checksums too */
} state;

#define FAIL(s, status, value, ...)                                                                \
    r2n_fail((s)->reader->report, status, (s)->reader->file,                                       \
             (int64_t)((s)->metadata_offset + (value)->start), __VA_ARGS__)
#define FAIL_AT(s, status, offset, ...)                                                            \
    r2n_fail((s)->reader->report, status, (s)->reader->file, (int64_t)(offset), __VA_ARGS__)

static res2net_status read_header(state *s)
{
    r2n_byte_cursor cursor = s->file;
    r2n_cursor_skip(&cursor, sizeof(R2N_FORMAT_MAGIC) - 1);
    const uint32_t version = r2n_cursor_u32le(&cursor);
    const uint32_t header_bytes = r2n_cursor_u32le(&cursor);
    s->metadata_offset = r2n_cursor_u64le(&cursor);
    s->metadata_bytes = r2n_cursor_u64le(&cursor);
    s->data_offset = r2n_cursor_u64le(&cursor);
    const uint64_t file_bytes = r2n_cursor_u64le(&cursor);
    const uint32_t metadata_crc = r2n_cursor_u32le(&cursor);
    const uint32_t flags = r2n_cursor_u32le(&cursor);
    const uint32_t reserved = r2n_cursor_u32le(&cursor);
    const uint32_t header_crc = r2n_cursor_u32le(&cursor);
    if (cursor.failed)
        return FAIL_AT(s, RES2NET_DAMAGED, s->file.size,
                       "the file ends inside its header: it is cut off; fetch it again");
    if (version != R2N_FORMAT_VERSION)
        return FAIL_AT(s, RES2NET_UNSUPPORTED, 8,
                       "version %" PRIu32 " of the .r2n format; this program reads version %d",
                       version, (int)R2N_FORMAT_VERSION);
    if (r2n_crc32(0, s->file.data, R2N_FORMAT_HEADER_CRC_AT) != header_crc)
        return FAIL_AT(s, RES2NET_DAMAGED, R2N_FORMAT_HEADER_CRC_AT,
                       "the header's checksum is wrong: the file is damaged; fetch it again");
    if (header_bytes != R2N_FORMAT_HEADER_BYTES || flags != 0 || reserved != 0 ||
        s->metadata_offset < R2N_FORMAT_HEADER_BYTES)
        return FAIL_AT(s, RES2NET_UNSUPPORTED, 12,
                       "the header uses features this program does not know");
    if (file_bytes != s->file.size)
        return FAIL_AT(s, RES2NET_DAMAGED, s->file.size,
                       "the file has %zu bytes, its header says %" PRIu64
                       ": it is cut off or something was added; fetch it again",
                       s->file.size, file_bytes);
    if (s->metadata_bytes > R2N_FORMAT_MAXIMUM_METADATA)
        return FAIL_AT(s, RES2NET_LIMIT_EXCEEDED, 24, "metadata of %" PRIu64 " bytes; at most %d",
                       s->metadata_bytes, (int)R2N_FORMAT_MAXIMUM_METADATA);
    r2n_byte_cursor metadata = r2n_cursor_window(&s->file, s->metadata_offset, s->metadata_bytes);
    if (metadata.failed || s->data_offset % R2N_FORMAT_ALIGNMENT != 0 ||
        s->data_offset > s->file.size || s->data_offset < s->metadata_offset + s->metadata_bytes)
        return FAIL_AT(s, RES2NET_DAMAGED, 16, "metadata and data do not lie inside the file");
    if (r2n_crc32(0, metadata.data, metadata.size) != metadata_crc)
        return FAIL_AT(s, RES2NET_DAMAGED, s->metadata_offset,
                       "the metadata's checksum is wrong: the file is damaged; fetch it again");
    return r2n_json_parse(metadata.data, metadata.size, s->reader->file,
                          (int64_t)s->metadata_offset, &s->json, s->reader->report);
}

/* Finds the bytes that an entry's "offset" speaks of, and compares their checksum when asked. */
static res2net_status locate(state *s, const r2n_json_value *entry, const char *what,
                             uint64_t bytes, uint64_t *offset)
{
    int64_t at, crc;
    if (!r2n_json_integer(r2n_json_member(entry, "offset"), &at) || at < 0 ||
        at % R2N_FORMAT_ALIGNMENT != 0 || (uint64_t)at < s->data_offset ||
        !r2n_json_integer(r2n_json_member(entry, "crc32"), &crc) || crc < 0 || crc > UINT32_MAX)
        return FAIL(s, RES2NET_DAMAGED, entry, "\"%s\" has no valid \"offset\" and \"crc32\"",
                    what);
    const r2n_byte_cursor window = r2n_cursor_window(&s->file, (uint64_t)at, bytes);
    if (window.failed)
        return FAIL(s, RES2NET_DAMAGED, entry,
                    "\"%s\": %" PRIu64 " bytes at %" PRId64 " are not inside the file of %zu bytes",
                    what, bytes, at, s->file.size);
    if (bytes > s->file.size - s->claimed)
        return FAIL(s, RES2NET_DAMAGED, entry, "\"%s\" shares its bytes with another entry", what);
    s->claimed += bytes;
    *offset = (uint64_t)at;
    if (s->verify && r2n_crc32(0, window.data, window.size) != (uint32_t)crc)
        return FAIL_AT(s, RES2NET_DAMAGED, at,
                       "the data of \"%s\" do not have the checksum the file gives: they are "
                       "damaged; fetch the file again",
                       what);
    return RES2NET_OK;
}

static res2net_status read_tensor(state *s, const r2n_json_value *entry)
{
    const r2n_json_value *name = r2n_json_member(entry, "name");
    const r2n_json_value *shape = r2n_json_member(entry, "shape");
    if (name == NULL || name->kind != R2N_JSON_STRING || shape == NULL ||
        shape->kind != R2N_JSON_ARRAY || shape->count > R2N_MAXIMUM_RANK)
        return FAIL(s, RES2NET_DAMAGED, entry, "a tensor has no \"name\" and \"shape\"");
    r2n_stored_tensor tensor = {.name = name->text, .name_bytes = name->length};
    for (const r2n_json_value *size = shape->first; size != NULL; size = size->next)
        if (!r2n_json_integer(size, &tensor.shape[tensor.rank++]))
            return FAIL(s, RES2NET_DAMAGED, size, "tensor \"%s\": a size is no whole number",
                        name->text);
    int64_t count;
    if (!r2n_shape_count(tensor.rank, tensor.shape, &count) ||
        count > INT64_MAX / (int64_t)sizeof(float))
        return FAIL(s, RES2NET_DAMAGED, entry,
                    "tensor \"%s\": its shape has a size below 1 or is too large", name->text);
    uint64_t offset;
    tensor.bytes = (size_t)count * sizeof(float);
    const res2net_status status = locate(s, entry, name->text, tensor.bytes, &offset);
    if (status != RES2NET_OK)
        return status;
    tensor.type = R2N_ELEMENT_F32;
    tensor.data = s->file.data + offset;
    tensor.offset = (int64_t)offset;
    r2n_stored_strides(&tensor);
    return r2n_reader_add(s->reader, &tensor);
}

/* Packed weights for one precision: a section must be well formed; whether it is used is the
 * plan's business. */
static res2net_status read_packed(state *s, const r2n_json_value *entry)
{
    const r2n_json_value *precision = r2n_json_member(entry, "precision");
    r2n_tensor_set *set = s->reader->set;
    r2n_packed_section section = {.steps = -1};
    int64_t bytes;
    uint64_t offset;
    if (precision == NULL || precision->kind != R2N_JSON_STRING ||
        !r2n_json_integer(r2n_json_member(entry, "layout"), &section.layout) ||
        !r2n_json_integer(r2n_json_member(entry, "bytes"), &bytes) || bytes < 0)
        return FAIL(s, RES2NET_DAMAGED, entry,
                    "a packed section has no \"precision\", \"layout\" and \"bytes\"");
    const res2net_status status = locate(s, entry, precision->text, (uint64_t)bytes, &offset);
    if (status != RES2NET_OK)
        return status;
    section.data = s->file.data + offset;
    section.bytes = (size_t)bytes;
    (void)r2n_json_integer(r2n_json_member(entry, "steps"), &section.steps);
    if (precision->length >= sizeof section.precision || section.steps < 0 ||
        (uintptr_t)section.data % R2N_FORMAT_ALIGNMENT != 0)
        return RES2NET_OK; /* of a later version, or of no use where it lies in memory */
    memcpy(section.precision, precision->text, precision->length);
    if (!r2n_grow((void **)&set->packed, &set->packed_capacity, set->packed_count + 1,
                  sizeof *set->packed))
        return FAIL(s, RES2NET_OUT_OF_MEMORY, entry, "no memory for the packed sections");
    set->packed[set->packed_count++] = section;
    set->numbers_unchecked = 1;
    s->reader->points_into_file = 1;
    return RES2NET_OK;
}

static res2net_status read_labels(state *s, const r2n_json_value *labels)
{
    r2n_text text = {0};
    res2net_status status = RES2NET_OK;
    if (labels->kind != R2N_JSON_ARRAY)
        return FAIL(s, RES2NET_DAMAGED, labels, "\"labels\" is no array");
    for (const r2n_json_value *v = labels->first; v != NULL && status == RES2NET_OK; v = v->next) {
        if (v->kind != R2N_JSON_STRING || strchr(v->text, '\n') != NULL)
            status = FAIL(s, RES2NET_DAMAGED, v, "a label is no text of one line");
        else {
            r2n_text_put(&text, v == labels->first ? "" : "\n");
            r2n_text_put_bytes(&text, v->text, v->length);
        }
    }
    if (status == RES2NET_OK && text.failed)
        status = FAIL(s, RES2NET_OUT_OF_MEMORY, labels, "no memory for the labels");
    if (status != RES2NET_OK || labels->count == 0)
        r2n_free(text.data);
    else
        s->reader->set->metadata.labels = text.data;
    return status;
}

/* A calibration for int8: numbers of at least 0 that a float holds. */
static res2net_status read_scales(state *s, const r2n_json_value *scales)
{
    r2n_weights_metadata *metadata = &s->reader->set->metadata;
    if (scales->kind != R2N_JSON_ARRAY || scales->count == 0 ||
        scales->count > R2N_FORMAT_MAXIMUM_SCALES)
        return FAIL(s, RES2NET_DAMAGED, scales,
                    "\"activation_scales\" is no array of 1 to %d numbers",
                    (int)R2N_FORMAT_MAXIMUM_SCALES);
    metadata->activation_scales = r2n_allocate(scales->count, sizeof(float));
    if (metadata->activation_scales == NULL)
        return FAIL(s, RES2NET_OUT_OF_MEMORY, scales, "no memory for the activation scales");
    for (const r2n_json_value *v = scales->first; v != NULL; v = v->next) {
        if (v->kind != R2N_JSON_NUMBER ||
            !(v->number == 0 || (v->number >= (double)FLT_MIN && v->number <= (double)FLT_MAX)))
            return FAIL(s, RES2NET_DAMAGED, v,
                        "an activation scale is neither 0 nor a normal float above it");
        metadata->activation_scales[metadata->activation_scale_count++] = (float)v->number;
    }
    return RES2NET_OK;
}

static res2net_status read_text(state *s, const r2n_json_value *root, const char *member,
                                const char *key)
{
    const r2n_json_value *value = r2n_json_member(root, member);
    if (value == NULL)
        return RES2NET_OK;
    if (value->kind != R2N_JSON_STRING)
        return FAIL(s, RES2NET_DAMAGED, value, "\"%s\" is %s, not a text", member,
                    r2n_json_kind_name(value->kind));
    return r2n_metadata_take(&s->reader->set->metadata, key, value->text, value->length,
                             s->reader->file, s->reader->report);
}

static res2net_status read_metadata(state *s, const r2n_json_value *root)
{
    static const char *const texts[][2] = {{"architecture", R2N_KEY_ARCHITECTURE},
                                           {"family", R2N_KEY_FAMILY},
                                           {"licence", R2N_KEY_LICENCE},
                                           {"source", R2N_KEY_SOURCE}};
    res2net_status status = RES2NET_OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && status == RES2NET_OK; i++)
        status = read_text(s, root, texts[i][0], texts[i][1]);
    const r2n_json_value *labels = r2n_json_member(root, "labels");
    const r2n_json_value *scales = r2n_json_member(root, "activation_scales");
    if (status == RES2NET_OK && labels != NULL)
        status = read_labels(s, labels);
    if (status == RES2NET_OK && scales != NULL)
        status = read_scales(s, scales);
    const r2n_json_value *recipe = r2n_json_member(root, "recipe");
    if (status != RES2NET_OK || recipe == NULL)
        return status;
    if (recipe->kind != R2N_JSON_OBJECT)
        return FAIL(s, RES2NET_DAMAGED, recipe, "\"recipe\" is no object");
    const char *source = (const char *)s->file.data + s->metadata_offset + recipe->start;
    return r2n_metadata_take(&s->reader->set->metadata, R2N_KEY_RECIPE, source,
                             recipe->end - recipe->start, s->reader->file, s->reader->report);
}

static res2net_status read_sections(state *s)
{
    const r2n_json_value *root = r2n_json_root(s->json);
    const r2n_json_value *tensors = r2n_json_member(root, "tensors");
    const r2n_json_value *packed = r2n_json_member(root, "packed");
    if (tensors == NULL || tensors->kind != R2N_JSON_ARRAY)
        return FAIL(s, RES2NET_DAMAGED, root, "the metadata has no array \"tensors\"");
    if (packed != NULL && packed->kind != R2N_JSON_ARRAY)
        return FAIL(s, RES2NET_DAMAGED, packed, "\"packed\" is no array");
    res2net_status status = read_metadata(s, root);
    for (const r2n_json_value *v = tensors->first; v != NULL && status == RES2NET_OK; v = v->next)
        status = read_tensor(s, v);
    if (packed != NULL)
        for (const r2n_json_value *v = packed->first; v != NULL && status == RES2NET_OK;
             v = v->next)
            status = read_packed(s, v);
    return status;
}

static res2net_status read_container(r2n_weights_reader *reader, int verify)
{
    state s = {.reader = reader, .verify = verify};
    s.file = r2n_cursor(reader->data, reader->size);
    res2net_status status = read_header(&s);
    if (status == RES2NET_OK)
        status = read_sections(&s);
    r2n_json_destroy(s.json);
    return status;
}

res2net_status r2n_read_r2n(r2n_weights_reader *reader)
{
    return read_container(reader, 0);
}

res2net_status r2n_verify_r2n(r2n_weights_reader *reader)
{
    return read_container(reader, 1);
}
