/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "weights/reader.h"

static const uint64_t MAXIMUM_FILE_BYTES = (uint64_t)1 << 33;
/* Halves double when widened, and a checkpoint may use a storage twice: beyond this it is an attack
 * on memory. */
static const uint64_t BUDGET_PER_BYTE = 4;

static res2net_status read_format(r2n_weights_reader *reader)
{
    switch (r2n_weights_sniff(reader->data, reader->size)) {
    case R2N_WEIGHTS_PDPARAMS:
        return r2n_read_pdparams(reader);
    case R2N_WEIGHTS_PTH:
        return r2n_read_pth(reader);
    case R2N_WEIGHTS_SAFETENSORS:
        return r2n_read_safetensors(reader);
    case R2N_WEIGHTS_R2N:
        return r2n_read_r2n(reader);
    case R2N_WEIGHTS_UNKNOWN:
        break;
    }
    return r2n_explain_unknown(reader);
}

/* Fills reader->set; whatever happens, the set stays the caller's to destroy. */
static res2net_status read_bytes(r2n_weights_reader *reader)
{
    reader->budget = reader->size * BUDGET_PER_BYTE;
    reader->set->source = reader->data;
    reader->set->source_bytes = reader->size;
    res2net_status status = read_format(reader);
    if (status == RES2NET_OK)
        status = r2n_plain_names(reader);
    if (status == RES2NET_OK && reader->set->count == 0)
        status = r2n_fail(reader->report, RES2NET_MISMATCH, reader->file, -1,
                          "the file holds no float tensors");
    return status;
}

res2net_status r2n_weights_read_memory(const void *data, size_t size, const char *name,
                                       r2n_tensor_set **out, res2net_report *report)
{
    *out = NULL;
    r2n_weights_reader reader = {.data = data, .size = size, .file = name, .report = report};
    reader.set = r2n_tensor_set_create();
    if (reader.set == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory to read the weights");
    const res2net_status status = read_bytes(&reader);
    if (status != RES2NET_OK)
        r2n_tensor_set_destroy(reader.set);
    else
        *out = reader.set;
    return status;
}

res2net_status r2n_weights_verify(const r2n_tensor_set *set, const char *name,
                                  res2net_report *report)
{
    if (set->source == NULL || r2n_weights_sniff(set->source, set->source_bytes) != R2N_WEIGHTS_R2N)
        return RES2NET_OK;
    r2n_weights_reader reader = {.data = set->source,
                                 .size = set->source_bytes,
                                 .file = name,
                                 .report = report,
                                 .budget = UINT64_MAX};
    reader.set = r2n_tensor_set_create();
    const res2net_status status =
        reader.set == NULL
            ? r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory to verify the weights")
            : r2n_verify_r2n(&reader);
    r2n_tensor_set_destroy(reader.set);
    return status;
}

res2net_status r2n_weights_read(const char *path, r2n_tensor_set **out, res2net_report *report)
{
    *out = NULL;
    r2n_weights_reader reader = {.file = path, .report = report};
    reader.set = r2n_tensor_set_create();
    if (reader.set == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to read the weights");
    res2net_status status = r2n_file_read(path, MAXIMUM_FILE_BYTES, &reader.set->file, report);
    if (status == RES2NET_OK) {
        reader.data = reader.set->file.data;
        reader.size = reader.set->file.size;
        status = read_bytes(&reader);
    }
    if (status != RES2NET_OK) {
        r2n_tensor_set_destroy(reader.set);
        return status;
    }
    if (!reader.points_into_file) {
        r2n_file_release(&reader.set->file);
        reader.set->source = NULL;
    }
    *out = reader.set;
    return RES2NET_OK;
}
