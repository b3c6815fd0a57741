/* SPDX-License-Identifier: Apache-2.0 */
#include "train/checkpoint_internal.h"

typedef struct save {
    const r2n_checkpoint *checkpoint;
    res2net_report *report;
    r2n_save_paths paths;
    r2n_save_marks marks;
} save;

static res2net_status write_weights(const save *s, const char *path, r2n_weights_format format,
                                    const r2n_tensor_set *set)
{
    return r2n_weights_write(path, format, set, s->checkpoint->architecture, s->checkpoint->family,
                             1, s->report);
}

static res2net_status write_one(const save *s, r2n_save_file file, const char *path)
{
    switch (file) {
    case R2N_SAVE_WEIGHTS:
        return write_weights(s, path, R2N_WEIGHTS_PDPARAMS, s->checkpoint->weights);
    case R2N_SAVE_OPTIMISER:
        return r2n_optimiser_write(path, s->checkpoint, s->report);
    case R2N_SAVE_AVERAGED:
        return write_weights(s, path, R2N_WEIGHTS_PDPARAMS, s->checkpoint->averaged);
    case R2N_SAVE_PREDICT:
        return write_weights(s, path, R2N_WEIGHTS_R2N, s->checkpoint->weights);
    case R2N_SAVE_STATES:
    case R2N_SAVE_FILES:
        break;
    }
    return r2n_states_write(path, &s->checkpoint->run, &s->marks, s->report);
}

/* Each file under its new name, .pdstates with what it has to know of the others last. */
static res2net_status write_new(save *s)
{
    res2net_status status = RES2NET_OK;
    for (int i = 0; i < R2N_SAVE_FILES && status == RES2NET_OK; i++) {
        if (i == R2N_SAVE_AVERAGED && s->checkpoint->averaged == NULL)
            continue;
        const char *path = s->paths.new[i];
        status = write_one(s, (r2n_save_file)i, path);
        if (status == RES2NET_OK && i < R2N_SAVE_STATES)
            status = r2n_save_mark_file(path, &s->marks.files[i], s->report);
    }
    return status;
}

res2net_status r2n_checkpoint_write(const char *prefix, const r2n_checkpoint *checkpoint,
                                    res2net_report *report)
{
    save s = {.checkpoint = checkpoint, .report = report};
    res2net_status status = RES2NET_OK;
    if (!r2n_save_paths_make(prefix, &s.paths)) {
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, prefix, -1, "no memory for a save");
    } else {
        r2n_save_sweep(prefix);
        status = write_new(&s);
        if (status == RES2NET_OK)
            status = r2n_save_commit(&s.paths, &s.marks, report);
        if (status != RES2NET_OK)
            r2n_save_remove(s.paths.new);
    }
    r2n_save_paths_free(&s.paths);
    return status;
}
