/* SPDX-License-Identifier: Apache-2.0 */
#include "weights/wrappers.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static size_t count_tensors(const r2n_pickle_value *dict,
                            int (*is_tensor)(const r2n_pickle_value *))
{
    size_t tensors = 0;
    for (size_t i = 0; dict->kind == R2N_PICKLE_DICT && i + 1 < dict->count; i += 2)
        tensors += (size_t)is_tensor(dict->items[i + 1]);
    return tensors;
}

static res2net_status no_tensors(const r2n_weights_reader *reader, const r2n_pickle_value *root)
{
    char keys[256] = "";
    size_t used = 0;
    for (size_t i = 0; root->kind == R2N_PICKLE_DICT && i + 1 < root->count && used < 200; i += 2)
        if (root->items[i]->kind == R2N_PICKLE_TEXT)
            used +=
                (size_t)snprintf(keys + used, sizeof keys - used, "%s%.*s", used == 0 ? "" : ", ",
                                 (int)(root->items[i]->size > 40 ? 40 : root->items[i]->size),
                                 (const char *)root->items[i]->bytes);
    return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, root->offset,
                    "the pickle holds %s without tensors of its own or under state_dict_ema, "
                    "model_ema, state_dict or model%s%s",
                    r2n_pickle_kind_name(root->kind), used == 0 ? "" : "; its keys: ", keys);
}

static res2net_status say_wrapper(r2n_weights_reader *reader, const char *wrapper)
{
    char source[64];
    snprintf(source, sizeof source, "the checkpoint's %s", wrapper);
    r2n_free(reader->set->metadata.source);
    reader->set->metadata.source = r2n_copy_string(source);
    if (reader->set->metadata.source == NULL)
        return r2n_fail(reader->report, RES2NET_OUT_OF_MEMORY, reader->file, -1,
                        "no memory for a name");
    return r2n_fail(reader->report, RES2NET_OK, reader->file, -1,
                    "note: a training checkpoint; the weights under \"%s\" are taken", wrapper);
}

/* timm's order. A checkpoint may also hold tensors beside its state dict (a best accuracy): the
 * wrapper is what counts. */
res2net_status r2n_unwrap(r2n_weights_reader *reader, const r2n_pickle_value *root,
                          int (*is_tensor)(const r2n_pickle_value *), const r2n_pickle_value **dict)
{
    static const char *const names[] = {"state_dict_ema", "model_ema", "state_dict", "model"};
    *dict = root;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const r2n_pickle_value *inner = r2n_pickle_member(root, names[i]);
        if (inner == NULL || count_tensors(inner, is_tensor) == 0)
            continue;
        *dict = inner;
        return say_wrapper(reader, names[i]);
    }
    return count_tensors(root, is_tensor) > 0 ? RES2NET_OK : no_tensors(reader, root);
}
