/* SPDX-License-Identifier: Apache-2.0 */
/*
 * torch.save's form from before 1.6, which _use_new_zipfile_serialization=False still writes: five
 * pickles (a magic number, the protocol 1001, the writer's machine, the object, the list of storage
 * keys), then for each key an int64 count of elements and the elements.
 *
 * Numbers are little-endian whatever "little_endian" says of the writer's machine: torch converts
 * when it saves and never looks at that entry when it loads.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "formats/byte_cursor.h"
#include "weights/torch_state.h"

enum { PROTOCOL = 1001, SHOWN_KEY_BYTES = 40 };

typedef struct slot {
    r2n_storage_id id;
    r2n_storage storage;
    int filled;
} slot;

typedef struct legacy {
    r2n_weights_reader *reader;
    r2n_byte_cursor cursor;
    slot *slots; /* one for each storage that the object names, sorted by key */
    size_t count;
} legacy;

#define FAIL(l, status, ...)                                                                       \
    r2n_fail((l)->reader->report, status, (l)->reader->file, (int64_t)(l)->cursor.position,        \
             __VA_ARGS__)

int r2n_is_legacy_pth(const uint8_t *data, size_t size)
{
    static const char magic[] = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    if (size < 2 || data[0] != 0x80)
        return 0;
    const size_t at = size > 2 && data[2] == 0x95 ? 11 : 2; /* protocol 4 puts a frame around */
    return size >= at + sizeof magic - 1 && memcmp(data + at, magic, sizeof magic - 1) == 0;
}

static res2net_status next_pickle(legacy *l, r2n_pickle **out)
{
    const size_t start = l->cursor.position;
    const res2net_status status =
        r2n_pickle_parse(l->cursor.data + start, l->cursor.size - start, l->reader->file,
                         (int64_t)start, r2n_torch_allowed, out, l->reader->report);
    if (status == RES2NET_OK)
        r2n_cursor_skip(&l->cursor, r2n_pickle_bytes(*out));
    return status;
}

/* The magic number was looked at by whoever called; the writer's machine does not matter. */
static res2net_status read_preamble(legacy *l)
{
    for (int i = 0; i < 3; i++) {
        r2n_pickle *pickle;
        res2net_status status = next_pickle(l, &pickle);
        if (status != RES2NET_OK)
            return status;
        const r2n_pickle_value *root = r2n_pickle_root(pickle);
        if (i == 1 && (root->kind != R2N_PICKLE_INTEGER || root->integer != PROTOCOL))
            status =
                FAIL(l, RES2NET_UNSUPPORTED,
                     "a PyTorch file from before 1.6 has the protocol %d; this one has another",
                     (int)PROTOCOL);
        r2n_pickle_destroy(pickle);
        if (status != RES2NET_OK)
            return status;
    }
    return RES2NET_OK;
}

/* ---- storages ------------------------------------------------------------------------------ */

static int compare_keys(const r2n_pickle_value *x, const r2n_pickle_value *y)
{
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return x->size == 0 ? 0 : memcmp(x->bytes, y->bytes, x->size);
}

static int compare_slots(const void *a, const void *b)
{
    return compare_keys(((const slot *)a)->id.key, ((const slot *)b)->id.key);
}

static slot *find_slot(const legacy *l, const r2n_pickle_value *key)
{
    const slot wanted = {.id = {.key = key}};
    return l->count == 0 ? NULL
                         : bsearch(&wanted, l->slots, l->count, sizeof *l->slots, compare_slots);
}

static int shown_bytes(const r2n_pickle_value *key)
{
    return (int)(key->size > SHOWN_KEY_BYTES ? SHOWN_KEY_BYTES : key->size);
}

/* A storage may be named many times, but always in the same way. */
static res2net_status collect_slots(legacy *l, const r2n_pickle *object)
{
    size_t named = 0, kept = 0;
    const r2n_pickle_value *const *ids = r2n_pickle_persistent(object, &named);
    l->slots = r2n_allocate_zeroed(named == 0 ? 1 : named, sizeof *l->slots);
    if (l->slots == NULL)
        return FAIL(l, RES2NET_OUT_OF_MEMORY, "no memory for %zu storages", named);
    for (size_t i = 0; i < named; i++)
        if (!r2n_storage_id_read(ids[i], &l->slots[i].id))
            return r2n_fail(l->reader->report, RES2NET_DAMAGED, l->reader->file, ids[i]->offset,
                            "a persistent id that names no storage");
    if (named > 0)
        qsort(l->slots, named, sizeof *l->slots, compare_slots);
    for (size_t i = 0; i < named; i++) {
        const slot *last = kept == 0 ? NULL : &l->slots[kept - 1];
        if (last == NULL || compare_slots(last, &l->slots[i]) != 0)
            l->slots[kept++] = l->slots[i];
        else if (last->id.element_bytes != l->slots[i].id.element_bytes ||
                 last->id.elements != l->slots[i].id.elements)
            return FAIL(l, RES2NET_DAMAGED, "storage \"%.*s\" has two types or sizes",
                        shown_bytes(last->id.key), (const char *)last->id.key->bytes);
    }
    l->count = kept;
    return RES2NET_OK;
}

static res2net_status read_storage(legacy *l, const r2n_pickle_value *key)
{
    const int is_string = key->kind == R2N_PICKLE_TEXT || key->kind == R2N_PICKLE_BYTES;
    slot *s = is_string ? find_slot(l, key) : NULL;
    if (s == NULL || s->filled)
        return r2n_fail(l->reader->report, RES2NET_DAMAGED, l->reader->file, key->offset,
                        "the list of storages has %s",
                        s == NULL ? "a key that no tensor names" : "the same key twice");
    const uint64_t elements = r2n_cursor_u64le(&l->cursor);
    if (!l->cursor.failed && elements != (uint64_t)s->id.elements)
        return FAIL(l, RES2NET_DAMAGED,
                    "storage \"%.*s\" has %" PRId64 " elements here, but %" PRId64
                    " where a tensor names it",
                    shown_bytes(key), (const char *)key->bytes, (int64_t)elements, s->id.elements);
    const size_t left = r2n_cursor_left(&l->cursor);
    if (l->cursor.failed || elements > left / s->id.element_bytes)
        return FAIL(l, RES2NET_DAMAGED,
                    "the file ends within storage \"%.*s\" (%" PRId64
                    " elements of %zu bytes, %zu bytes are left): it is cut off (a download that "
                    "stopped?); fetch it again",
                    shown_bytes(key), (const char *)key->bytes, s->id.elements, s->id.element_bytes,
                    left);
    s->filled = 1;
    s->storage.offset = (int64_t)l->cursor.position;
    s->storage.bytes = (size_t)elements * s->id.element_bytes;
    s->storage.data = r2n_cursor_take(&l->cursor, s->storage.bytes);
    return RES2NET_OK;
}

static res2net_status read_storages(legacy *l, const r2n_pickle_value *keys)
{
    if (keys->kind != R2N_PICKLE_LIST)
        return FAIL(l, RES2NET_DAMAGED, "%s where the list of storages belongs",
                    r2n_pickle_kind_name(keys->kind));
    for (size_t i = 0; i < keys->count; i++) {
        const res2net_status status = read_storage(l, keys->items[i]);
        if (status != RES2NET_OK)
            return status;
    }
    return RES2NET_OK;
}

static res2net_status find(void *context, const r2n_storage_id *id, const char *name,
                           const r2n_pickle_value *place, r2n_storage *out)
{
    const legacy *l = context;
    const slot *s = find_slot(l, id->key);
    if (s == NULL || !s->filled)
        return r2n_fail(l->reader->report, RES2NET_DAMAGED, l->reader->file, place->offset,
                        "tensor \"%s\": the file holds no storage \"%.*s\"", name,
                        shown_bytes(id->key), (const char *)id->key->bytes);
    *out = s->storage;
    return RES2NET_OK;
}

static res2net_status read_object(legacy *l, const r2n_pickle *object, const r2n_pickle *keys)
{
    const r2n_torch_file file = {.reader = l->reader, .find = find, .context = l};
    res2net_status status = collect_slots(l, object);
    if (status == RES2NET_OK)
        status = read_storages(l, r2n_pickle_root(keys));
    if (status == RES2NET_OK && r2n_cursor_left(&l->cursor) > 0)
        status = FAIL(l, RES2NET_DAMAGED, "%zu bytes follow the last storage",
                      r2n_cursor_left(&l->cursor));
    if (status == RES2NET_OK)
        status = r2n_torch_state_read(&file, r2n_pickle_root(object));
    return status;
}

res2net_status r2n_read_legacy_pth(r2n_weights_reader *reader)
{
    legacy l = {.reader = reader, .cursor = r2n_cursor(reader->data, reader->size)};
    r2n_pickle *object = NULL, *keys = NULL;
    res2net_status status = read_preamble(&l);
    if (status == RES2NET_OK)
        status = next_pickle(&l, &object);
    if (status == RES2NET_OK)
        status = next_pickle(&l, &keys);
    if (status == RES2NET_OK)
        status = read_object(&l, object, keys);
    r2n_free(l.slots);
    r2n_pickle_destroy(object);
    r2n_pickle_destroy(keys);
    return status;
}
