/* SPDX-License-Identifier: Apache-2.0 */
/* Safetensors with torch's names; what the metadata say goes into __metadata__. */
#include <string.h>

#include "base/memory.h"
#include "formats/json_writer.h"
#include "weights/metadata.h"
#include "weights/writer.h"

static void put_pair(r2n_text *text, const char *key, const char *value)
{
    if (value == NULL)
        return;
    r2n_text_put(text, ",");
    r2n_json_put_string(text, key);
    r2n_text_put(text, ":");
    r2n_json_put_string(text, value);
}

static void put_metadata(r2n_text *text, const r2n_weights_writer *writer)
{
    const r2n_weights_metadata *metadata = &writer->set->metadata;
    r2n_text_put(text, "{\"__metadata__\":{\"format\":\"pt\"");
    put_pair(text, R2N_KEY_ARCHITECTURE, writer->architecture->name);
    put_pair(text, R2N_KEY_FAMILY, r2n_family_name(writer->family));
    put_pair(text, R2N_KEY_RECIPE, metadata->recipe_json);
    put_pair(text, R2N_KEY_LABELS, metadata->labels);
    put_pair(text, R2N_KEY_LICENCE, metadata->licence);
    put_pair(text, R2N_KEY_SOURCE, metadata->source);
    r2n_text_put(text, "}");
}

static void put_tensor(r2n_text *text, const r2n_tensor *tensor, int64_t offset)
{
    r2n_text_put(text, ",");
    r2n_json_put_string(text, tensor->name);
    r2n_text_put(text, ":{\"dtype\":\"F32\",\"shape\":[");
    for (int32_t i = 0; i < tensor->rank; i++) {
        r2n_text_put(text, i == 0 ? "" : ",");
        r2n_json_put_integer(text, tensor->shape[i]);
    }
    r2n_text_put(text, "],\"data_offsets\":[");
    r2n_json_put_integer(text, offset);
    r2n_text_put(text, ",");
    r2n_json_put_integer(text, offset + tensor->count * (int64_t)sizeof(float));
    r2n_text_put(text, "]}");
}

res2net_status r2n_write_safetensors(r2n_weights_writer *writer)
{
    r2n_text text = {0};
    const r2n_tensor_set *set = writer->set;
    int64_t offset = 0;
    put_metadata(&text, writer);
    for (size_t i = 0; i < set->count; i++) {
        put_tensor(&text, &set->tensors[i], offset);
        offset += set->tensors[i].count * (int64_t)sizeof(float);
    }
    r2n_text_put(&text, "}");
    while (text.size % 8 != 0 && !text.failed) /* the data begin at a multiple of 8 */
        r2n_text_put(&text, " ");
    if (!text.failed) {
        const uint64_t length = text.size;
        r2n_writer_put(writer->file, &length, sizeof length);
        r2n_writer_put(writer->file, text.data, text.size);
        for (size_t i = 0; i < set->count; i++)
            r2n_writer_put(writer->file, set->tensors[i].data,
                           (size_t)set->tensors[i].count * sizeof(float));
    }
    const int failed = text.failed;
    r2n_free(text.data);
    return failed ? r2n_fail(writer->report, RES2NET_OUT_OF_MEMORY, writer->path, -1,
                             "no memory for the header")
                  : RES2NET_OK;
}
