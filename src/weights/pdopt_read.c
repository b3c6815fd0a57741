/* SPDX-License-Identifier: Apache-2.0 */
#include "weights/pdopt.h"

#include "weights/pdparams.h"

static const uint64_t MAXIMUM_FILE_BYTES = (uint64_t)1 << 33;
static const uint64_t BUDGET_PER_BYTE = 4; /* as for weights: read.c */

static double number_of(const r2n_pickle_value *value)
{
    if (value == NULL)
        return 0;
    return value->kind == R2N_PICKLE_FLOAT     ? value->number
           : value->kind == R2N_PICKLE_INTEGER ? (double)value->integer
                                               : 0;
}

static void read_schedule(const r2n_pickle_value *dict, r2n_saved_schedule *schedule)
{
    const r2n_pickle_value *saved = r2n_pickle_member(dict, "LR_Scheduler");
    *schedule = (r2n_saved_schedule){0};
    if (saved == NULL || saved->kind != R2N_PICKLE_DICT)
        return;
    const r2n_pickle_value *epoch = r2n_pickle_member(saved, "last_epoch");
    if (epoch != NULL && epoch->kind == R2N_PICKLE_INTEGER && epoch->integer > 0)
        schedule->last_epoch = epoch->integer;
    schedule->last_rate = number_of(r2n_pickle_member(saved, "last_lr"));
}

/* PaddleClas keeps a list of optimisers, of which its Res2Net configurations have one. */
static const r2n_pickle_value *only_dict(const r2n_pickle_value *root)
{
    if (root->kind == R2N_PICKLE_LIST && root->count == 1)
        root = root->items[0];
    return root->kind == R2N_PICKLE_DICT ? root : NULL;
}

static res2net_status read_root(r2n_weights_reader *reader, const r2n_pickle_value *root,
                                r2n_saved_schedule *schedule)
{
    const r2n_pickle_value *dict = only_dict(root);
    if (dict == NULL && root->kind == R2N_PICKLE_LIST)
        return r2n_fail(reader->report, RES2NET_UNSUPPORTED, reader->file, root->offset,
                        "the state of %zu optimisers; that of one is taken", root->count);
    if (dict == NULL)
        return r2n_fail(reader->report, RES2NET_DAMAGED, reader->file, root->offset,
                        "this is %s, not the dict of an optimiser's state",
                        r2n_pickle_kind_name(root->kind));
    read_schedule(dict, schedule);
    return r2n_read_paddle_dict(reader, dict);
}

/* Fills reader->set; whatever happens, the set stays the caller's to destroy. */
static res2net_status read_bytes(r2n_weights_reader *reader, r2n_saved_schedule *schedule)
{
    r2n_pickle *pickle;
    reader->budget = reader->size * BUDGET_PER_BYTE;
    res2net_status status = r2n_pickle_parse(reader->data, reader->size, reader->file, 0,
                                             r2n_paddle_globals, &pickle, reader->report);
    if (status != RES2NET_OK)
        return status;
    status = read_root(reader, r2n_pickle_root(pickle), schedule);
    r2n_pickle_destroy(pickle);
    return status == RES2NET_OK ? r2n_plain_names(reader) : status;
}

static res2net_status no_memory(const char *name, res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1, "no memory to read the state");
}

res2net_status r2n_pdopt_read_memory(const void *data, size_t size, const char *name,
                                     r2n_tensor_set **out, r2n_saved_schedule *schedule,
                                     res2net_report *report)
{
    r2n_weights_reader reader = {.data = data, .size = size, .file = name, .report = report};
    *out = NULL;
    *schedule = (r2n_saved_schedule){0};
    reader.set = r2n_tensor_set_create();
    if (reader.set == NULL)
        return no_memory(name, report);
    const res2net_status status = read_bytes(&reader, schedule);
    if (status != RES2NET_OK)
        r2n_tensor_set_destroy(reader.set);
    else
        *out = reader.set;
    return status;
}

res2net_status r2n_pdopt_read(const char *path, r2n_tensor_set **out, r2n_saved_schedule *schedule,
                              res2net_report *report)
{
    r2n_file_bytes file;
    *out = NULL;
    res2net_status status = r2n_file_read(path, MAXIMUM_FILE_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_pdopt_read_memory(file.data, file.size, path, out, schedule, report);
    if (status == RES2NET_OK)
        (*out)->file = file;
    else
        r2n_file_release(&file);
    return status;
}
