/* SPDX-License-Identifier: Apache-2.0 */
/* torch.save's zip archive: NAME/data.pkl tells the tensors, NAME/data/KEY hold the bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "formats/pickle_reader.h"
#include "formats/zip_reader.h"
#include "weights/reader.h"

enum { TENSOR = 1, PARAMETER, INERT, FIRST_STORAGE = 16 };
enum { ENTRY_NAME_BYTES = 512 };

#define STORAGE(name, type)                                                                        \
    {                                                                                              \
        "torch", name, R2N_PICKLE_ROLE_MARKER, FIRST_STORAGE + (type)                              \
    }

/* What a state dict or a training checkpoint is made of. Nothing here is ever run: INERT ones
 * stand in the parts of a checkpoint that are passed over. */
static const r2n_pickle_global ALLOWED[] = {
    {"torch._utils", "_rebuild_tensor_v2", R2N_PICKLE_ROLE_CALL, TENSOR},
    {"torch._utils", "_rebuild_parameter", R2N_PICKLE_ROLE_CALL, PARAMETER},
    {"collections", "OrderedDict", R2N_PICKLE_ROLE_DICT, INERT},
    STORAGE("FloatStorage", R2N_ELEMENT_F32),
    STORAGE("DoubleStorage", R2N_ELEMENT_F64),
    STORAGE("HalfStorage", R2N_ELEMENT_F16),
    STORAGE("BFloat16Storage", R2N_ELEMENT_BF16),
    STORAGE("LongStorage", R2N_ELEMENT_INTEGER),
    STORAGE("IntStorage", R2N_ELEMENT_INTEGER),
    STORAGE("ShortStorage", R2N_ELEMENT_INTEGER),
    STORAGE("CharStorage", R2N_ELEMENT_INTEGER),
    STORAGE("ByteStorage", R2N_ELEMENT_INTEGER),
    STORAGE("BoolStorage", R2N_ELEMENT_INTEGER),
    {"torch", "Size", R2N_PICKLE_ROLE_CALL, INERT},
    {"torch", "device", R2N_PICKLE_ROLE_CALL, INERT},
    {"argparse", "Namespace", R2N_PICKLE_ROLE_CALL, INERT},
    {"numpy.core.multiarray", "scalar", R2N_PICKLE_ROLE_CALL, INERT},
    {"numpy._core.multiarray", "scalar", R2N_PICKLE_ROLE_CALL, INERT},
    {"numpy", "dtype", R2N_PICKLE_ROLE_CALL, INERT},
    {"_codecs", "encode", R2N_PICKLE_ROLE_LATIN1, INERT},
    {NULL, NULL, R2N_PICKLE_ROLE_MARKER, 0}};

typedef struct state {
    r2n_weights_reader *reader;
    r2n_zip *zip;
    char folder[ENTRY_NAME_BYTES]; /* "NAME/", or "" */
} state;

#define FAIL(s, status, value, ...)                                                                \
    r2n_fail((s)->reader->report, status, (s)->reader->file, (value)->offset, __VA_ARGS__)

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

static res2net_status check_archive(state *s, r2n_zip_entry *pickle)
{
    r2n_weights_reader *reader = s->reader;
    if (pickle == NULL)
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, -1,
                        "a zip archive without data.pkl: not a file of torch.save");
    if (find_entry(s, "constants.pkl") != NULL)
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, -1,
                        "a TorchScript program, not weights; in Python: "
                        "torch.save(torch.jit.load(FILE).state_dict(), \"weights.pth\")");
    r2n_zip_entry *order = find_entry(s, "byteorder");
    if (order != NULL && !(order->size == 6 && memcmp(order->data, "little", 6) == 0))
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, order->offset,
                        "the tensors are not little-endian");
    return r2n_zip_check(s->zip, pickle, reader->report);
}

/* ---- tensors ------------------------------------------------------------------------------- */

static int is_call(const r2n_pickle_value *value, int id)
{
    return value->kind == R2N_PICKLE_CALL && value->global->id == id;
}

static const r2n_pickle_value *argument(const r2n_pickle_value *call, size_t number,
                                        r2n_pickle_kind kind)
{
    const r2n_pickle_value *arguments = call->items[0];
    if (number >= arguments->count || arguments->items[number]->kind != kind)
        return NULL;
    return arguments->items[number];
}

static int read_sizes(const r2n_pickle_value *tuple, int64_t *sizes)
{
    for (size_t i = 0; i < tuple->count; i++) {
        if (tuple->items[i]->kind != R2N_PICKLE_INTEGER || tuple->items[i]->integer < 0)
            return 0;
        sizes[i] = tuple->items[i]->integer;
    }
    return 1;
}

/* A storage's id is ('storage', type, key, location, elements). */
static res2net_status find_storage(state *s, const r2n_pickle_value *call, const char *name,
                                   r2n_element_type *type, r2n_zip_entry **entry)
{
    char path[ENTRY_NAME_BYTES];
    const r2n_pickle_value *storage = argument(call, 0, R2N_PICKLE_PERSISTENT);
    const r2n_pickle_value *id = storage == NULL ? NULL : storage->items[0];
    if (id == NULL || id->kind != R2N_PICKLE_TUPLE || id->count < 5 ||
        !r2n_pickle_is_text(id->items[0], "storage") || id->items[1]->kind != R2N_PICKLE_GLOBAL ||
        id->items[1]->global->id < FIRST_STORAGE || id->items[2]->kind != R2N_PICKLE_TEXT)
        return FAIL(s, RES2NET_DAMAGED, call, "tensor \"%s\" names no storage", name);
    *type = (r2n_element_type)(id->items[1]->global->id - FIRST_STORAGE);
    if (*type == R2N_ELEMENT_INTEGER)
        return RES2NET_OK;
    const r2n_pickle_value *key = id->items[2];
    const int length = snprintf(path, sizeof path, "data/%.*s",
                                (int)(key->size > 256 ? 256 : key->size), (const char *)key->bytes);
    *entry = length < 0 || key->size > 256 ? NULL : find_entry(s, path);
    if (*entry == NULL)
        return FAIL(s, RES2NET_DAMAGED, call, "tensor \"%s\": the archive has no entry \"%s\"",
                    name, path);
    return r2n_zip_check(s->zip, *entry, s->reader->report);
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks) */
static res2net_status add_tensor(state *s, const r2n_pickle_value *key,
                                 const r2n_pickle_value *call)
{
    char name[ENTRY_NAME_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)(key->size > 400 ? 400 : key->size),
             (const char *)key->bytes);
    r2n_stored_tensor tensor = {.name = (const char *)key->bytes, .name_bytes = key->size};
    r2n_zip_entry *entry = NULL;
    const res2net_status status = find_storage(s, call, name, &tensor.type, &entry);
    if (status != RES2NET_OK || tensor.type == R2N_ELEMENT_INTEGER)
        return status;
    const r2n_pickle_value *offset = argument(call, 1, R2N_PICKLE_INTEGER);
    const r2n_pickle_value *size = argument(call, 2, R2N_PICKLE_TUPLE);
    const r2n_pickle_value *stride = argument(call, 3, R2N_PICKLE_TUPLE);
    if (offset == NULL || size == NULL || stride == NULL || size->count != stride->count ||
        size->count > R2N_MAXIMUM_RANK || !read_sizes(size, tensor.shape) ||
        !read_sizes(stride, tensor.stride))
        return FAIL(s, RES2NET_DAMAGED, call,
                    "tensor \"%s\": its offset, size or stride is not what torch writes", name);
    const size_t bytes = r2n_element_bytes(tensor.type);
    if (offset->integer < 0 || (uint64_t)offset->integer > entry->size / bytes)
        return FAIL(s, RES2NET_DAMAGED, call,
                    "tensor \"%s\" begins at element %" PRId64 " of a storage of %zu", name,
                    offset->integer, entry->size / bytes);
    tensor.rank = (int32_t)size->count;
    tensor.data = entry->data + (size_t)offset->integer * bytes;
    tensor.bytes = entry->size - (size_t)offset->integer * bytes;
    tensor.offset = entry->offset + offset->integer * (int64_t)bytes;
    return r2n_reader_add(s->reader, &tensor);
}

/* _rebuild_parameter(tensor, requires_grad, hooks): the tensor inside; NULL for other values. */
static const r2n_pickle_value *tensor_call(const r2n_pickle_value *value)
{
    if (is_call(value, PARAMETER))
        value = argument(value, 0, R2N_PICKLE_CALL);
    return value != NULL && is_call(value, TENSOR) ? value : NULL;
}

/* ---- the state dict ------------------------------------------------------------------------ */

static size_t count_tensors(const r2n_pickle_value *dict)
{
    size_t tensors = 0;
    for (size_t i = 0; i + 1 < dict->count; i += 2)
        tensors += tensor_call(dict->items[i + 1]) != NULL;
    return tensors;
}

/* timm's order; a dict that holds tensors itself is none of these. */
static const r2n_pickle_value *unwrap(const r2n_pickle_value *root, const char **wrapper)
{
    static const char *const names[] = {"state_dict_ema", "model_ema", "state_dict", "model"};
    for (size_t i = 0; i < sizeof names / sizeof names[0] && count_tensors(root) == 0; i++) {
        const r2n_pickle_value *inner = r2n_pickle_member(root, names[i]);
        if (inner != NULL && inner->kind == R2N_PICKLE_DICT && count_tensors(inner) > 0) {
            *wrapper = names[i];
            return inner;
        }
    }
    return root;
}

static res2net_status no_tensors(state *s, const r2n_pickle_value *root)
{
    char keys[256] = "";
    size_t used = 0;
    for (size_t i = 0; root->kind == R2N_PICKLE_DICT && i + 1 < root->count && used < 200; i += 2)
        if (root->items[i]->kind == R2N_PICKLE_TEXT)
            used +=
                (size_t)snprintf(keys + used, sizeof keys - used, "%s%.*s", used == 0 ? "" : ", ",
                                 (int)(root->items[i]->size > 40 ? 40 : root->items[i]->size),
                                 (const char *)root->items[i]->bytes);
    return FAIL(s, RES2NET_UNSUPPORTED, root,
                "the pickle holds %s without tensors of its own or under state_dict_ema, "
                "model_ema, state_dict or model%s%s",
                r2n_pickle_kind_name(root->kind), used == 0 ? "" : "; its keys: ", keys);
}

static res2net_status read_root(state *s, const r2n_pickle_value *root)
{
    const char *wrapper = NULL;
    const r2n_pickle_value *dict = root;
    if (root->kind == R2N_PICKLE_DICT)
        dict = unwrap(root, &wrapper);
    if (dict->kind != R2N_PICKLE_DICT || count_tensors(dict) == 0)
        return no_tensors(s, root);
    for (size_t i = 0; i + 1 < dict->count; i += 2) {
        const r2n_pickle_value *key = dict->items[i];
        const r2n_pickle_value *call = tensor_call(dict->items[i + 1]);
        if (call == NULL)
            continue;
        if (key->kind != R2N_PICKLE_TEXT)
            return FAIL(s, RES2NET_DAMAGED, key, "a tensor's name is %s, not a text",
                        r2n_pickle_kind_name(key->kind));
        const res2net_status status = add_tensor(s, key, call);
        if (status != RES2NET_OK)
            return status;
    }
    if (wrapper == NULL)
        return RES2NET_OK;
    char source[64];
    snprintf(source, sizeof source, "the checkpoint's %s", wrapper);
    s->reader->set->metadata.source = r2n_copy_string(source);
    return s->reader->set->metadata.source != NULL
               ? RES2NET_OK
               : FAIL(s, RES2NET_OUT_OF_MEMORY, root, "no memory for a name");
}

res2net_status r2n_read_pth(r2n_weights_reader *reader)
{
    state *s = r2n_allocate_zeroed(1, sizeof *s);
    if (s == NULL)
        return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->file, -1,
                        "no memory to read the file");
    s->reader = reader;
    r2n_pickle *pickle = NULL;
    res2net_status status =
        r2n_zip_open(reader->data, reader->size, reader->file, &s->zip, reader->report);
    if (status == RES2NET_OK) {
        r2n_zip_entry *entry = find_pickle(s);
        status = check_archive(s, entry);
        if (status == RES2NET_OK)
            status = r2n_pickle_parse(entry->data, entry->size, reader->file, entry->offset,
                                      ALLOWED, &pickle, reader->report);
    }
    if (status == RES2NET_OK)
        status = read_root(s, r2n_pickle_root(pickle));
    r2n_pickle_destroy(pickle);
    r2n_zip_close(s->zip);
    r2n_free(s);
    return status;
}
