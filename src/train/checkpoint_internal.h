/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a save. Only for src/train/checkpoint*.c. */
#ifndef R2N_TRAIN_CHECKPOINT_INTERNAL_H
#define R2N_TRAIN_CHECKPOINT_INTERNAL_H

#include "train/checkpoint.h"

/* In the order in which they are renamed: the last one makes the save. */
typedef enum r2n_save_file {
    R2N_SAVE_WEIGHTS,
    R2N_SAVE_OPTIMISER,
    R2N_SAVE_AVERAGED, /* not in every save */
    R2N_SAVE_PREDICT,
    R2N_SAVE_STATES,
    R2N_SAVE_FILES
} r2n_save_file;

/* Between the prefix and a file's ending. */
#define R2N_SAVE_NEW      ".new"
#define R2N_SAVE_PREVIOUS ".previous"

/* What .pdstates knows of another file. */
typedef struct r2n_save_mark {
    int there;
    int64_t bytes;
    uint64_t hash;
} r2n_save_mark;

typedef struct r2n_save_marks {
    r2n_save_mark files[R2N_SAVE_STATES];
} r2n_save_marks;

/* ---- checkpoint_files.c: names on the disk ---- */

const char *r2n_save_ending(r2n_save_file file); /* ".pdparams", ... */
/* All names of a save: made before it begins, so that it can be given up without memory. */
typedef struct r2n_save_paths {
    const char *prefix;
    char *now[R2N_SAVE_FILES], *new[R2N_SAVE_FILES], *previous[R2N_SAVE_FILES];
} r2n_save_paths;
int r2n_save_paths_make(const char *prefix, r2n_save_paths *paths); /* 0 without memory */
void r2n_save_paths_free(r2n_save_paths *paths); /* also of those that could not be made */
res2net_status r2n_save_mark_file(const char *path, r2n_save_mark *mark, res2net_report *report);
/* Whether a save (paths' now or previous) has the three files that one needs, and all as .pdstates
 * knows them; gives what that says. */
res2net_status r2n_save_check(char *const files[R2N_SAVE_FILES], r2n_run_state *run,
                              r2n_save_marks *marks, res2net_report *report);
/* Whether that answer means files that are missing or not of one save. */
int r2n_save_is_broken(res2net_status status);
/* Removes what an earlier, unfinished save left under PREFIX.new. */
void r2n_save_sweep(const char *prefix);
void r2n_save_remove(char *const files[R2N_SAVE_FILES]);
/* PREFIX.new.* become the save; `marks` say which there are. On failure the old one is. */
res2net_status r2n_save_commit(const r2n_save_paths *paths, const r2n_save_marks *marks,
                               res2net_report *report);

/* ---- checkpoint_states.c: .pdstates ---- */

res2net_status r2n_states_write(const char *path, const r2n_run_state *run,
                                const r2n_save_marks *marks, res2net_report *report);
/* Of PaddleClas' own: metric and epoch, has_ours 0 and no marks. */
res2net_status r2n_states_read(const char *path, r2n_run_state *run, r2n_save_marks *marks,
                               res2net_report *report);
res2net_status r2n_states_read_memory(const void *data, size_t size, const char *name,
                                      r2n_run_state *run, r2n_save_marks *marks,
                                      res2net_report *report);

/* ---- checkpoint_optimiser.c: .pdopt ---- */

res2net_status r2n_optimiser_write(const char *path, const r2n_checkpoint *checkpoint,
                                   res2net_report *report);
/* Fills states, saved_rate, saved_last_epoch; where the run is not ours also its steps and powers.
 */
res2net_status r2n_optimiser_read(const char *path, r2n_loaded_checkpoint *out,
                                  res2net_report *report);

#endif
