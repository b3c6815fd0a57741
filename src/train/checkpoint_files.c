/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A save on the disk. At every moment one of PREFIX.* and PREFIX.previous.* is whole:
 *   1. PREFIX.new.* are written;
 *   2. the files of PREFIX.* get second names PREFIX.previous.*;
 *   3. PREFIX.new.* are renamed to PREFIX.*, one by one, .pdstates last;
 *   4. PREFIX.previous.* are removed.
 * Killed in 1 or 2, PREFIX.* is as before; in 3 it is mixed, which the hashes in .pdstates tell; in
 * 4 it is the new save.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/os.h"
#include "train/checkpoint_internal.h"

const char *r2n_save_ending(r2n_save_file file)
{
    static const char *const endings[R2N_SAVE_FILES] = {".pdparams", ".pdopt", ".ema.pdparams",
                                                        ".r2n", ".pdstates"};
    return endings[file];
}

/* NULL without memory. */
static char *path_of(const char *prefix, const char *stage, r2n_save_file file)
{
    const char *ending = r2n_save_ending(file);
    const size_t bytes = strlen(prefix) + strlen(stage) + strlen(ending) + 1;
    char *path = r2n_allocate(bytes, 1);
    if (path != NULL)
        snprintf(path, bytes, "%s%s%s", prefix, stage, ending);
    return path;
}

int r2n_save_paths_make(const char *prefix, r2n_save_paths *paths)
{
    int there = 1;
    paths->prefix = prefix;
    for (int i = 0; i < R2N_SAVE_FILES; i++) {
        paths->now[i] = path_of(prefix, "", (r2n_save_file)i);
        paths->new[i] = path_of(prefix, R2N_SAVE_NEW, (r2n_save_file)i);
        paths->previous[i] = path_of(prefix, R2N_SAVE_PREVIOUS, (r2n_save_file)i);
        there &= paths->now[i] != NULL && paths->new[i] != NULL && paths->previous[i] != NULL;
    }
    return there;
}

void r2n_save_paths_free(r2n_save_paths *paths)
{
    for (int i = 0; i < R2N_SAVE_FILES; i++) {
        r2n_free(paths->now[i]);
        r2n_free(paths->new[i]);
        r2n_free(paths->previous[i]);
    }
}

/* ---- what belongs together ------------------------------------------------------------------- */

/* Eight bytes a step: saves are hundreds of megabytes. */
static uint64_t hash_of(const uint8_t *data, size_t size)
{
    uint64_t hash = R2N_HASH_START;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, sizeof word);
        hash = r2n_splitmix(hash ^ word);
    }
    return r2n_hash_bytes(hash, data + i, size - i);
}

res2net_status r2n_save_mark_file(const char *path, r2n_save_mark *mark, res2net_report *report)
{
    r2n_file_bytes file;
    const res2net_status status = r2n_file_read(path, SIZE_MAX, &file, report);
    if (status != RES2NET_OK)
        return status;
    *mark = (r2n_save_mark){
        .there = 1, .bytes = (int64_t)file.size, .hash = hash_of(file.data, file.size)};
    r2n_file_release(&file);
    return RES2NET_OK;
}

static res2net_status check_file(const char *path, const r2n_save_mark *wanted,
                                 res2net_report *report)
{
    r2n_save_mark mark;
    const res2net_status status = r2n_save_mark_file(path, &mark, report);
    if (status != RES2NET_OK)
        return status;
    if (mark.bytes == wanted->bytes && mark.hash == wanted->hash)
        return RES2NET_OK;
    return r2n_fail(report, RES2NET_DAMAGED, path, -1,
                    "is not the file that was saved with the .pdstates beside it (a run was killed "
                    "while it saved, or a file was changed): the files of one save are needed, or "
                    "the weights alone as Global.pretrained_model");
}

/* .r2n is not asked for: a run goes on without it. */
static res2net_status check_marks(char *const files[R2N_SAVE_FILES], const r2n_save_marks *marks,
                                  res2net_report *report)
{
    for (int i = 0; i < R2N_SAVE_STATES; i++) {
        if (!marks->files[i].there || i == R2N_SAVE_PREDICT)
            continue;
        const res2net_status status = check_file(files[i], &marks->files[i], report);
        if (status != RES2NET_OK)
            return status;
    }
    return RES2NET_OK;
}

res2net_status r2n_save_check(char *const files[R2N_SAVE_FILES], r2n_run_state *run,
                              r2n_save_marks *marks, res2net_report *report)
{
    static const r2n_save_file needed[] = {R2N_SAVE_WEIGHTS, R2N_SAVE_OPTIMISER, R2N_SAVE_STATES};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!r2n_os_exists(files[needed[i]]))
            return r2n_fail(report, RES2NET_NOT_FOUND, files[needed[i]], -1,
                            "is not there; to go on from a save, its .pdparams, .pdopt and "
                            ".pdstates are needed (Global.checkpoints is their name without the "
                            "ending)");
    const res2net_status status = r2n_states_read(files[R2N_SAVE_STATES], run, marks, report);
    return status == RES2NET_OK && run->has_ours ? check_marks(files, marks, report) : status;
}

int r2n_save_is_broken(res2net_status status)
{
    return status == RES2NET_NOT_FOUND || status == RES2NET_DAMAGED ||
           status == RES2NET_UNSUPPORTED;
}

/* ---- what earlier processes left ------------------------------------------------------------- */

static int begins_with(const char *text, const char *start, const char *next)
{
    const size_t length = strlen(start);
    return strncmp(text, start, length) == 0 && strncmp(text + length, next, strlen(next)) == 0;
}

/* PREFIX.new.* with the writer's own temporary names behind them, and temporary names of
 * PREFIX.previous.*. */
void r2n_save_sweep(const char *prefix)
{
    const char *slash = strrchr(prefix, '/');
    const char *base = slash == NULL ? prefix : slash + 1;
    char **names = NULL;
    size_t count = 0;
    char *folder = slash == NULL ? r2n_copy_string("./")
                                 : r2n_copy_bytes(prefix, (size_t)(slash - prefix) + 1);
    if (folder == NULL || r2n_os_list_directory(folder, &names, &count, NULL) != RES2NET_OK) {
        r2n_free(folder);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const int left = begins_with(names[i], base, R2N_SAVE_NEW ".") ||
                         (begins_with(names[i], base, R2N_SAVE_PREVIOUS ".") &&
                          strstr(names[i] + strlen(base), ".res2net-") != NULL);
        const size_t bytes = strlen(folder) + strlen(names[i]) + 1;
        char *path = left ? r2n_allocate(bytes, 1) : NULL;
        if (path != NULL) {
            snprintf(path, bytes, "%s%s", folder, names[i]);
            r2n_os_remove(path);
        }
        r2n_free(path);
        r2n_free(names[i]);
    }
    r2n_free(names);
    r2n_free(folder);
}

/* ---- the change ------------------------------------------------------------------------------ */

void r2n_save_remove(char *const paths[R2N_SAVE_FILES])
{
    for (int i = R2N_SAVE_FILES - 1; i >= 0; i--) /* .pdstates first: without it nothing is whole */
        r2n_os_remove(paths[i]);
}

/* A save that is mixed must not take the place of the whole one before it; nor must one that cannot
 * be looked at now. */
static int previous_is_needed(const r2n_save_paths *paths)
{
    r2n_run_state run;
    r2n_save_marks marks;
    return r2n_os_exists(paths->previous[R2N_SAVE_STATES]) &&
           r2n_save_check(paths->now, &run, &marks, NULL) != RES2NET_OK &&
           !r2n_save_is_broken(r2n_save_check(paths->previous, &run, &marks, NULL));
}

static res2net_status keep_previous(const r2n_save_paths *paths, res2net_report *report)
{
    res2net_status status = RES2NET_OK;
    r2n_save_remove(paths->previous);
    for (int i = 0; i < R2N_SAVE_FILES && status == RES2NET_OK; i++)
        if (r2n_os_exists(paths->now[i]))
            status = r2n_os_link(paths->now[i], paths->previous[i], report);
    if (status != RES2NET_OK)
        r2n_save_remove(paths->previous);
    else
        r2n_os_sync_folder(paths->prefix);
    return status;
}

/* The first `count` files were renamed and a next one could not be. */
static void roll_back(const r2n_save_paths *paths, int count, res2net_report *report)
{
    for (int i = 0; i < count; i++) {
        if (r2n_os_exists(paths->previous[i]))
            (void)r2n_os_link(paths->previous[i], paths->now[i], report);
        else if (!r2n_os_exists(paths->new[i]))
            r2n_os_remove(paths->now[i]);
    }
}

static res2net_status rename_all(const r2n_save_paths *paths, const r2n_save_marks *marks,
                                 res2net_report *report)
{
    for (int i = 0; i < R2N_SAVE_FILES; i++) {
        if (i < R2N_SAVE_STATES && !marks->files[i].there)
            continue;
        const res2net_status status = r2n_os_rename(paths->new[i], paths->now[i], report);
        if (status != RES2NET_OK) {
            roll_back(paths, i, report);
            return status;
        }
    }
    r2n_os_sync_folder(paths->prefix);
    for (int i = 0; i < R2N_SAVE_STATES; i++)
        if (!marks->files[i].there) /* of an earlier save */
            r2n_os_remove(paths->now[i]);
    return RES2NET_OK;
}

res2net_status r2n_save_commit(const r2n_save_paths *paths, const r2n_save_marks *marks,
                               res2net_report *report)
{
    const int needed = previous_is_needed(paths);
    res2net_status status = needed ? RES2NET_OK : keep_previous(paths, report);
    if (status != RES2NET_OK)
        return status;
    status = rename_all(paths, marks, report);
    if (status == RES2NET_OK || !needed)
        r2n_save_remove(paths->previous);
    return status;
}
