/* SPDX-License-Identifier: Apache-2.0 */
/* Training scripts save more than weights: spec/users.md A4.46. */
#include "weights/wrappers.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum {
    TIMM_WRAPPERS = 4,    /* the first rows: in timm's order, the first one that is there wins */
    WRAPPERS = 12,        /* the others only where they are alone */
    MAXIMUM_WRAPPING = 2, /* a wrapper in a wrapper */
    PATH_BYTES = 64,
    KEY_BYTES = 40
};

static const char *const names[WRAPPERS] = {
    "state_dict_ema", "model_ema",        "state_dict", "model",   "net",        "network",
    "model_state",    "model_state_dict", "params",     "weights", "params_ema", "ema"};

typedef struct search {
    int (*is_tensor)(const r2n_pickle_value *);
    char path[PATH_BYTES]; /* "state_dict", "model.state_dict", ... */
    char rivals[PATH_BYTES * 2];
    int ambiguous;
} search;

/* One pass over a dict: how many tensors it holds itself, and its wrappers (the last one wins). */
static size_t look(const search *s, const r2n_pickle_value *dict,
                   const r2n_pickle_value *found[WRAPPERS])
{
    size_t tensors = 0;
    for (size_t i = 0; i + 1 < dict->count; i += 2) {
        const r2n_pickle_value *value = dict->items[i + 1];
        tensors += (size_t)(s->is_tensor(value) != 0);
        for (size_t n = 0; value->kind == R2N_PICKLE_DICT && n < WRAPPERS; n++)
            if (r2n_pickle_is_text(dict->items[i], names[n]))
                found[n] = value;
    }
    return tensors;
}

static const r2n_pickle_value *find(search *s, const r2n_pickle_value *dict, int depth);

/* What a wrapper leads to; its name then stands before the path. */
static const r2n_pickle_value *enter(search *s, const r2n_pickle_value *wrapper, size_t name,
                                     int depth)
{
    char inner[PATH_BYTES];
    s->path[0] = '\0';
    const r2n_pickle_value *dict = find(s, wrapper, depth - 1);
    if (dict == NULL)
        return NULL;
    snprintf(inner, sizeof inner, "%s", s->path);
    snprintf(s->path, sizeof s->path, "%s%s%.40s", names[name], inner[0] == '\0' ? "" : ".", inner);
    return dict;
}

static const r2n_pickle_value *find(search *s, const r2n_pickle_value *dict, int depth)
{
    const r2n_pickle_value *wrappers[WRAPPERS] = {NULL};
    const r2n_pickle_value *only = NULL;
    char path[PATH_BYTES] = "";
    const size_t tensors = look(s, dict, wrappers);
    for (size_t n = 0; n < WRAPPERS && depth > 0; n++) {
        if (wrappers[n] == NULL)
            continue;
        const r2n_pickle_value *inner = enter(s, wrappers[n], n, depth);
        if (inner == NULL)
            continue;
        if (n < TIMM_WRAPPERS)
            return inner;
        const size_t used = strlen(s->rivals);
        snprintf(s->rivals + used, sizeof s->rivals - used, "%s%s", only == NULL ? "" : ", ",
                 names[n]);
        s->ambiguous |= only != NULL;
        only = inner;
        memcpy(path, s->path, sizeof path);
    }
    memcpy(s->path, path, sizeof path);
    if (only != NULL)
        return only;
    return tensors > 0 ? dict : NULL;
}

static res2net_status no_tensors(const r2n_weights_reader *reader, const r2n_pickle_value *root)
{
    char keys[256] = "";
    size_t used = 0;
    if (root->kind != R2N_PICKLE_DICT)
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, root->offset,
                        "the pickle holds %s where a dict of tensors was expected",
                        r2n_pickle_kind_name(root->kind));
    for (size_t i = 0; i + 1 < root->count && used < sizeof keys - KEY_BYTES - 8; i += 2) {
        const r2n_pickle_value *key = root->items[i];
        if (key->kind == R2N_PICKLE_TEXT)
            used += (size_t)snprintf(
                keys + used, sizeof keys - used, "%s%.*s", used == 0 ? "" : ", ",
                (int)(key->size > KEY_BYTES ? KEY_BYTES : key->size), (const char *)key->bytes);
    }
    return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, root->offset,
                    "the dict holds no tensors of its own or under state_dict_ema, model_ema, "
                    "state_dict or model%s%s",
                    used == 0 ? "; it is empty" : "; its keys: ", keys);
}

res2net_status r2n_unwrap(r2n_weights_reader *reader, const r2n_pickle_value *root,
                          int (*is_tensor)(const r2n_pickle_value *), const r2n_pickle_value **dict)
{
    search s = {.is_tensor = is_tensor};
    char source[PATH_BYTES + 32];
    *dict = root->kind == R2N_PICKLE_DICT ? find(&s, root, MAXIMUM_WRAPPING) : NULL;
    if (*dict == NULL)
        return no_tensors(reader, root);
    if (s.ambiguous)
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, root->offset,
                        "several parts of this checkpoint hold tensors (%s) and it is not clear "
                        "which is the network; in Python: save the one alone",
                        s.rivals);
    if (s.path[0] == '\0')
        return RES2NET_OK;
    snprintf(source, sizeof source, "the checkpoint's %s", s.path);
    r2n_free(reader->set->metadata.source);
    reader->set->metadata.source = r2n_copy_string(source);
    if (reader->set->metadata.source == NULL)
        return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->file, -1,
                        "no memory for a name");
    return r2n_fail(reader->report, RES2NET_OK, reader->file, -1,
                    "note: a training checkpoint; the weights under \"%s\" are taken", s.path);
}
