/* SPDX-License-Identifier: Apache-2.0 */
#include "base/os.h"
#include "train/checkpoint_internal.h"

typedef struct load {
    r2n_save_paths paths;
    char *const *files; /* of the save that is taken */
    const r2n_architecture *architecture;
    r2n_loaded_checkpoint *out;
    res2net_report *report;
} load;

static res2net_status read_weights(const load *l, const char *path,
                                   const r2n_architecture *architecture, r2n_tensor_set **out,
                                   r2n_architecture *found, r2n_family *family)
{
    r2n_tensor_set *set;
    const res2net_status status = r2n_weights_read(path, &set, l->report);
    if (status != RES2NET_OK)
        return status;
    return r2n_weights_canonicalise(set, architecture, R2N_FAMILY_UNKNOWN, path, out, found, family,
                                    l->report);
}

static res2net_status read_one(const load *l, r2n_save_file file)
{
    const char *path = l->files[file];
    r2n_loaded_checkpoint *out = l->out;
    r2n_architecture same;
    r2n_family family;
    if (file == R2N_SAVE_WEIGHTS)
        return read_weights(l, path, l->architecture, &out->weights, &out->architecture,
                            &out->family);
    if (file == R2N_SAVE_AVERAGED)
        return read_weights(l, path, &out->architecture, &out->averaged, &same, &family);
    return r2n_optimiser_read(path, out, l->report);
}

static res2net_status read_all(const load *l, const r2n_save_marks *marks)
{
    const int averaged = l->out->run.has_ours ? marks->files[R2N_SAVE_AVERAGED].there
                                              : r2n_os_exists(l->files[R2N_SAVE_AVERAGED]);
    res2net_status status = read_one(l, R2N_SAVE_WEIGHTS);
    if (status == RES2NET_OK && averaged)
        status = read_one(l, R2N_SAVE_AVERAGED);
    return status == RES2NET_OK ? read_one(l, R2N_SAVE_OPTIMISER) : status;
}

/* The last save where it is whole, else the one before it where that is. What cannot be looked at
 * (no memory, no permission) is told, never passed over. */
static res2net_status choose_save(load *l, r2n_save_marks *marks)
{
    r2n_run_state *run = &l->out->run;
    l->files = l->paths.now;
    const res2net_status now = r2n_save_check(l->paths.now, run, marks, NULL);
    if (now == RES2NET_OK)
        return RES2NET_OK;
    if (!r2n_save_is_broken(now) || !r2n_os_exists(l->paths.previous[R2N_SAVE_STATES]))
        return r2n_save_check(l->paths.now, run, marks, l->report);
    const res2net_status before = r2n_save_check(l->paths.previous, run, marks, NULL);
    if (r2n_save_is_broken(before))
        return r2n_save_check(l->paths.now, run, marks, l->report);
    l->files = l->paths.previous;
    if (before != RES2NET_OK)
        return r2n_save_check(l->paths.previous, run, marks, l->report);
    r2n_fail(l->report, RES2NET_OK, l->paths.prefix, -1,
             "note: the last save is not whole (the run was killed while it saved); the one before "
             "it is taken: %s%s.*",
             l->paths.prefix, R2N_SAVE_PREVIOUS);
    return RES2NET_OK;
}

res2net_status r2n_checkpoint_read(const char *prefix, const r2n_architecture *architecture,
                                   r2n_loaded_checkpoint *out, res2net_report *report)
{
    load l = {.architecture = architecture, .out = out, .report = report};
    r2n_save_marks marks;
    *out = (r2n_loaded_checkpoint){0};
    res2net_status status = RES2NET_OK;
    if (!r2n_save_paths_make(prefix, &l.paths))
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, prefix, -1, "no memory to read a save");
    if (status == RES2NET_OK)
        status = choose_save(&l, &marks);
    if (status == RES2NET_OK)
        status = read_all(&l, &marks);
    if (status != RES2NET_OK)
        r2n_loaded_checkpoint_free(out);
    r2n_save_paths_free(&l.paths);
    return status;
}

void r2n_loaded_checkpoint_free(r2n_loaded_checkpoint *checkpoint)
{
    r2n_tensor_set_destroy(checkpoint->weights);
    r2n_tensor_set_destroy(checkpoint->averaged);
    for (int i = 0; i < 2; i++)
        r2n_tensor_set_destroy(checkpoint->states[i]);
    *checkpoint = (r2n_loaded_checkpoint){0};
}
