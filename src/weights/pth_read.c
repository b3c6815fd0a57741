/* SPDX-License-Identifier: Apache-2.0 */
/* torch.save's zip archive: NAME/data.pkl tells the tensors, NAME/data/KEY hold the bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formats/zip_reader.h"
#include "weights/torch_state.h"

enum { ENTRY_NAME_BYTES = 512 };

typedef struct state {
    r2n_weights_reader *reader;
    r2n_zip *zip;
    char folder[ENTRY_NAME_BYTES]; /* "NAME/", or "" */
    int big_endian;
    int has_checksums;
} state;

/* ---- the archive --------------------------------------------------------------------------- */

static r2n_zip_entry *find_entry(const state *s, const char *name)
{
    char path[2 * ENTRY_NAME_BYTES];
    const int length = snprintf(path, sizeof path, "%s%s", s->folder, name);
    return length < 0 || (size_t)length >= sizeof path ? NULL : r2n_zip_find(s->zip, path);
}

/* The pickle is data.pkl in the archive's one folder. */
static r2n_zip_entry *find_pickle(state *s)
{
    static const char wanted[] = "data.pkl";
    for (size_t i = 0; i < s->zip->count; i++) {
        r2n_zip_entry *entry = &s->zip->entries[i];
        const char *slash = strchr(entry->name, '/');
        const size_t folder = slash == NULL ? 0 : (size_t)(slash - entry->name) + 1;
        if (folder >= ENTRY_NAME_BYTES || strcmp(entry->name + folder, wanted) != 0)
            continue;
        memcpy(s->folder, entry->name, folder);
        s->folder[folder] = '\0';
        return entry;
    }
    return NULL;
}

/* An archive without the entry is older than it, and little-endian. */
static res2net_status read_byte_order(state *s)
{
    const r2n_zip_entry *order = find_entry(s, "byteorder");
    if (order == NULL || (order->size == 6 && memcmp(order->data, "little", 6) == 0))
        return RES2NET_OK;
    s->big_endian = order->size == 3 && memcmp(order->data, "big", 3) == 0;
    return s->big_endian ? RES2NET_OK
                         : r2n_fail(s->reader->report, RES2NET_DAMAGED, s->reader->file,
                                    order->offset, "\"byteorder\" is neither little nor big");
}

/* torch.serialization.set_crc32_options(False) leaves zeros in place of all checksums. */
static void find_checksums(state *s)
{
    for (size_t i = 0; i < s->zip->count; i++)
        s->has_checksums |= s->zip->entries[i].crc32 != 0;
}

static res2net_status check_entry(const state *s, r2n_zip_entry *entry)
{
    return s->has_checksums ? r2n_zip_check(s->zip, entry, s->reader->report) : RES2NET_OK;
}

static res2net_status explain_other_archive(const state *s)
{
    static const char *const kinds[][2] = {
        {".npy", "a NumPy .npz archive"},
        {".pth", "weights that were zipped: unpack it and give the file inside"},
        {".pt", "weights that were zipped: unpack it and give the file inside"},
        {".pdparams", "weights that were zipped: unpack it and give the file inside"},
        {".safetensors", "weights that were zipped: unpack it and give the file inside"},
        {".pdiparams", "a Paddle inference model in a zip archive: unpack it and give the folder"}};
    const char *what = "some other archive";
    for (size_t i = 0; i < s->zip->count; i++) {
        const char *name = s->zip->entries[i].name;
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            if (r2n_name_ends_with(name, strlen(name), kinds[k][0]))
                what = kinds[k][1];
    }
    return r2n_fail(s->reader->report, RES2NET_UNSUPPORTED, s->reader->file, -1,
                    "a zip archive without data.pkl: not a file of torch.save, but %s", what);
}

static res2net_status check_archive(state *s, r2n_zip_entry *pickle)
{
    r2n_weights_reader *reader = s->reader;
    if (pickle == NULL)
        return explain_other_archive(s);
    if (find_entry(s, "constants.pkl") != NULL)
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, -1,
                        "a TorchScript program, not weights; in Python: "
                        "torch.save(torch.jit.load(FILE).state_dict(), \"weights.pth\")");
    const res2net_status status = read_byte_order(s);
    if (status != RES2NET_OK)
        return status;
    find_checksums(s);
    return check_entry(s, pickle);
}

static res2net_status find(void *context, const r2n_storage_id *id, const char *name,
                           const r2n_pickle_value *place, r2n_storage *out)
{
    const state *s = context;
    char path[ENTRY_NAME_BYTES];
    const r2n_pickle_value *key = id->key;
    snprintf(path, sizeof path, "data/%.*s", (int)(key->size > 256 ? 256 : key->size),
             (const char *)key->bytes);
    r2n_zip_entry *entry = key->size > 256 ? NULL : find_entry(s, path);
    if (entry == NULL)
        return r2n_fail(s->reader->report, RES2NET_DAMAGED, s->reader->file, place->offset,
                        "tensor \"%s\": the archive has no entry \"%s\"", name, path);
    *out = (r2n_storage){.data = entry->data, .bytes = entry->size, .offset = entry->offset};
    return check_entry(s, entry);
}

static res2net_status read_archive(state *s)
{
    r2n_pickle *pickle;
    r2n_zip_entry *entry = find_pickle(s);
    res2net_status status = check_archive(s, entry);
    if (status == RES2NET_OK)
        status = r2n_pickle_parse(entry->data, entry->size, s->reader->file, entry->offset,
                                  r2n_torch_allowed, &pickle, s->reader->report);
    if (status != RES2NET_OK)
        return status;
    const r2n_torch_file file = {
        .reader = s->reader, .big_endian = s->big_endian, .find = find, .context = s};
    status = r2n_torch_state_read(&file, r2n_pickle_root(pickle));
    r2n_pickle_destroy(pickle);
    return status;
}

static res2net_status read_zip(r2n_weights_reader *reader)
{
    state *s = r2n_allocate_zeroed(1, sizeof *s);
    if (s == NULL)
        return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->file, -1,
                        "no memory to read the file");
    s->reader = reader;
    res2net_status status =
        r2n_zip_open(reader->data, reader->size, reader->file, &s->zip, reader->report);
    if (status == RES2NET_OK)
        status = read_archive(s);
    r2n_zip_close(s->zip);
    r2n_free(s);
    return status;
}

res2net_status r2n_read_pth(r2n_weights_reader *reader)
{
    return r2n_is_legacy_pth(reader->data, reader->size) ? r2n_read_legacy_pth(reader)
                                                         : read_zip(reader);
}
