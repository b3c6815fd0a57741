/* SPDX-License-Identifier: Apache-2.0 */
/* The native container: docs/format-r2n.md. */
#include <string.h>

#include "base/memory.h"
#include "formats/crc32.h"
#include "formats/json.h"
#include "formats/json_writer.h"
#include "weights/metadata.h"
#include "weights/r2n_format.h"
#include "weights/writer.h"

static uint64_t aligned(uint64_t offset)
{
    return (offset + R2N_FORMAT_ALIGNMENT - 1) / R2N_FORMAT_ALIGNMENT * R2N_FORMAT_ALIGNMENT;
}

static void put_member(r2n_text *text, const char *key, const char *value)
{
    if (value == NULL)
        return;
    r2n_text_put(text, ",");
    r2n_json_put_string(text, key);
    r2n_text_put(text, ":");
    r2n_json_put_string(text, value);
}

/* One name a line -> an array; a line end at the very end begins no further name. */
static void put_labels(r2n_text *text, const char *labels)
{
    if (labels == NULL)
        return;
    r2n_text_put(text, ",\"labels\":[");
    for (const char *at = labels; *at != '\0';) {
        const size_t length = strcspn(at, "\n");
        r2n_text_put(text, at == labels ? "" : ",");
        r2n_json_put_string_bytes(text, at, length);
        at += length + (at[length] == '\n');
    }
    r2n_text_put(text, "]");
}

static void put_scales(r2n_text *text, const r2n_weights_metadata *metadata)
{
    if (metadata->activation_scales == NULL)
        return;
    r2n_text_put(text, ",\"activation_scales\":[");
    for (int32_t i = 0; i < metadata->activation_scale_count; i++) {
        r2n_text_put(text, i == 0 ? "" : ",");
        r2n_json_put_number(text, metadata->activation_scales[i]);
    }
    r2n_text_put(text, "]");
}

/* The recipe is JSON already: it goes in as an object, once it has been read. */
static res2net_status put_recipe(r2n_text *text, const r2n_weights_writer *writer)
{
    const char *recipe = writer->set->metadata.recipe_json;
    r2n_json *json;
    if (recipe == NULL)
        return RES2NET_OK;
    const res2net_status status =
        r2n_json_parse(recipe, strlen(recipe), "<recipe>", 0, &json, writer->report);
    if (status != RES2NET_OK)
        return status;
    const int is_object = r2n_json_root(json)->kind == R2N_JSON_OBJECT;
    r2n_json_destroy(json);
    if (!is_object)
        return r2n_fail(writer->report, RES2NET_INVALID_ARGUMENT, writer->path, -1,
                        "the recipe to store is no JSON object");
    r2n_text_put(text, ",\"recipe\":");
    r2n_text_put(text, recipe);
    return RES2NET_OK;
}

static uint64_t put_tensor(r2n_text *text, const r2n_tensor *tensor, uint64_t offset, int first,
                           int is_draft)
{
    const size_t bytes = (size_t)tensor->count * sizeof(float);
    r2n_text_put(text, first ? "\n{\"name\":" : ",\n{\"name\":");
    r2n_json_put_string(text, tensor->name);
    r2n_text_put(text, ",\"shape\":[");
    for (int32_t i = 0; i < tensor->rank; i++) {
        r2n_text_put(text, i == 0 ? "" : ",");
        r2n_json_put_integer(text, tensor->shape[i]);
    }
    r2n_text_put(text, "],\"offset\":");
    r2n_json_put_integer(text, (int64_t)offset);
    r2n_text_put(text, ",\"crc32\":");
    r2n_json_put_integer(text, is_draft ? UINT32_MAX : r2n_crc32(0, tensor->data, bytes));
    r2n_text_put(text, "}");
    return aligned(offset + bytes);
}

static uint64_t put_section(r2n_text *text, const r2n_packed_section *section, uint64_t offset,
                            int first, int is_draft)
{
    r2n_text_put(text, first ? "\n{\"precision\":" : ",\n{\"precision\":");
    r2n_json_put_string(text, section->precision);
    r2n_text_put(text, ",\"layout\":");
    r2n_json_put_integer(text, section->layout);
    r2n_text_put(text, ",\"steps\":");
    r2n_json_put_integer(text, section->steps);
    r2n_text_put(text, ",\"offset\":");
    r2n_json_put_integer(text, (int64_t)offset);
    r2n_text_put(text, ",\"bytes\":");
    r2n_json_put_integer(text, (int64_t)section->bytes);
    r2n_text_put(text, ",\"crc32\":");
    r2n_json_put_integer(text, is_draft ? UINT32_MAX : r2n_crc32(0, section->data, section->bytes));
    r2n_text_put(text, "}");
    return aligned(offset + section->bytes);
}

/* The metadata's size depends on the offsets' digits, which depend on it: a draft with the longest
 * checksums tells its size without offsets, and the data begin where there is room for any offsets.
 * `data_offset` is 0 for the draft. */
static res2net_status put_metadata(r2n_text *text, const r2n_weights_writer *writer,
                                   uint64_t data_offset, uint64_t *end)
{
    const r2n_tensor_set *set = writer->set;
    r2n_text_put(text, "{\"format\":\"r2n\",\"version\":1");
    put_member(text, "architecture", writer->architecture->name);
    put_member(text, "family", r2n_family_name(writer->family));
    put_member(text, "licence", set->metadata.licence);
    put_member(text, "source", set->metadata.source);
    const res2net_status status = put_recipe(text, writer);
    if (status != RES2NET_OK)
        return status;
    put_labels(text, set->metadata.labels);
    put_scales(text, &set->metadata);
    r2n_text_put(text, ",\"tensors\":[");
    *end = data_offset;
    for (size_t i = 0; i < set->count; i++) {
        const uint64_t offset = *end;
        *end = put_tensor(text, &set->tensors[i], offset, i == 0, data_offset == 0);
    }
    r2n_text_put(text, "\n],\"packed\":[");
    for (size_t i = 0; i < set->packed_count; i++) {
        const uint64_t offset = *end;
        *end = put_section(text, &set->packed[i], offset, i == 0, data_offset == 0);
    }
    r2n_text_put(text, "]}\n");
    return text->failed ? r2n_fail(writer->report, RES2NET_OUT_OF_MEMORY, writer->path, -1,
                                   "no memory for the metadata")
                        : RES2NET_OK;
}

static void put_u32(uint8_t *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static void put_u64(uint8_t *at, uint64_t number)
{
    put_u32(at, (uint32_t)number);
    put_u32(at + 4, (uint32_t)(number >> 32));
}

static void put_header(const r2n_weights_writer *writer, const r2n_text *metadata,
                       uint64_t data_offset, uint64_t file_bytes)
{
    uint8_t header[R2N_FORMAT_HEADER_BYTES] = {0};
    memcpy(header, R2N_FORMAT_MAGIC, sizeof(R2N_FORMAT_MAGIC) - 1);
    put_u32(header + 8, R2N_FORMAT_VERSION);
    put_u32(header + 12, R2N_FORMAT_HEADER_BYTES);
    put_u64(header + 16, R2N_FORMAT_HEADER_BYTES);
    put_u64(header + 24, metadata->size);
    put_u64(header + 32, data_offset);
    put_u64(header + 40, file_bytes);
    put_u32(header + 48, r2n_crc32(0, metadata->data, metadata->size));
    put_u32(header + R2N_FORMAT_HEADER_CRC_AT, r2n_crc32(0, header, R2N_FORMAT_HEADER_CRC_AT));
    r2n_writer_put(writer->file, header, sizeof header);
}

static void pad_to(const r2n_weights_writer *writer, uint64_t offset)
{
    static const uint8_t zeros[R2N_FORMAT_ALIGNMENT];
    while (r2n_writer_position(writer->file) < offset) {
        const uint64_t left = offset - r2n_writer_position(writer->file);
        r2n_writer_put(writer->file, zeros, left < sizeof zeros ? (size_t)left : sizeof zeros);
    }
}

res2net_status r2n_write_r2n(r2n_weights_writer *writer)
{
    enum { NUMBER_BYTES = 20 }; /* the longest offset, in digits */
    r2n_text draft = {0}, metadata = {0};
    uint64_t end = 0;
    res2net_status status = put_metadata(&draft, writer, 0, &end);
    const uint64_t room =
        draft.size + (writer->set->count + writer->set->packed_count) * NUMBER_BYTES;
    const uint64_t data_offset = aligned(R2N_FORMAT_HEADER_BYTES + room);
    r2n_free(draft.data);
    if (status == RES2NET_OK)
        status = put_metadata(&metadata, writer, data_offset, &end);
    if (status == RES2NET_OK) {
        put_header(writer, &metadata, data_offset, end);
        r2n_writer_put(writer->file, metadata.data, metadata.size);
        pad_to(writer, data_offset);
        for (size_t i = 0; i < writer->set->count; i++) {
            const r2n_tensor *tensor = &writer->set->tensors[i];
            r2n_writer_put(writer->file, tensor->data, (size_t)tensor->count * sizeof(float));
            pad_to(writer, aligned(r2n_writer_position(writer->file)));
        }
        for (size_t i = 0; i < writer->set->packed_count; i++) {
            const r2n_packed_section *section = &writer->set->packed[i];
            r2n_writer_put(writer->file, section->data, section->bytes);
            pad_to(writer, aligned(r2n_writer_position(writer->file)));
        }
    }
    r2n_free(metadata.data);
    return status;
}
