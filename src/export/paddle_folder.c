/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an inference model appear together. They are made in a temporary folder; where the
 * target is not there, that folder is renamed to it in one step. In a folder that is there, the
 * temporary one lies inside (the same file system), and every file is renamed into its place, the
 * programs last, after old programs were taken away: an old program never stands beside new
 * parameters. Other files of the folder stay as they are.
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "export/paddle_internal.h"

static const char *const subfolders[] = {"serving_server", "serving_client"};

static const char *const files[] = {"serving_client/serving_client_conf.prototxt",
                                    "serving_client/serving_client_conf.stream.prototxt",
                                    "serving_server/serving_server_conf.prototxt",
                                    "serving_server/serving_server_conf.stream.prototxt",
                                    "serving_server/inference.pdiparams",
                                    "inference.yml",
                                    "inference.pdiparams.info",
                                    "inference.pdiparams",
                                    "serving_server/inference.pdmodel",
                                    "inference.json",
                                    "inference.pdmodel"};
enum {
    SUBFOLDERS = sizeof subfolders / sizeof *subfolders,
    FILES = sizeof files / sizeof *files,
    FIRST_PROGRAM = FILES - 3
};

/* "parent/name" in one of the two blocks. */
static const char *join(const r2n_paddle_folder *folder, int block, const char *parent,
                        const char *name)
{
    sprintf(folder->paths[block], "%s/%s", parent, name);
    return folder->paths[block];
}

/* ---- taken away ------------------------------------------------------------------------------ */

static void remove_temporary(const r2n_paddle_folder *folder)
{
    for (int i = 0; i < FILES; i++)
        r2n_os_remove(join(folder, 0, folder->temporary, files[i]));
    for (int i = 0; i < SUBFOLDERS; i++)
        r2n_os_remove_directory(join(folder, 0, folder->temporary, subfolders[i]));
    r2n_os_remove_directory(folder->temporary);
}

void r2n_paddle_folder_discard(r2n_paddle_folder *folder)
{
    if (folder->temporary != NULL)
        remove_temporary(folder);
    r2n_free(folder->temporary);
    r2n_free(folder->target);
    r2n_free(folder->paths[0]);
    r2n_free(folder->paths[1]);
    *folder = (r2n_paddle_folder){.target = NULL};
}

/* ---- opened ---------------------------------------------------------------------------------- */

static res2net_status make_subfolders(const r2n_paddle_folder *folder, const char *parent)
{
    res2net_status status = RES2NET_OK;
    for (int i = 0; i < SUBFOLDERS && status == RES2NET_OK; i++)
        status = r2n_os_make_directories(join(folder, 0, parent, subfolders[i]), folder->report);
    return status;
}

static res2net_status make_temporary(r2n_paddle_folder *folder)
{
    const char *begin = folder->exists ? join(folder, 0, folder->target, "export") : folder->target;
    const res2net_status status =
        r2n_os_make_temporary_directory(begin, &folder->temporary, folder->report);
    return status == RES2NET_OK ? make_subfolders(folder, folder->temporary) : status;
}

static res2net_status make_names(r2n_paddle_folder *folder, const char *path, size_t length)
{
    enum { LONGEST_TAIL = 192 }; /* a temporary folder's and a file's */
    folder->target = r2n_copy_bytes(path, length);
    for (int i = 0; i < 2; i++)
        folder->paths[i] = r2n_allocate(length + LONGEST_TAIL, 1);
    if (folder->target != NULL && folder->paths[0] != NULL && folder->paths[1] != NULL)
        return RES2NET_OK;
    return r2n_fail(folder->report, RES2NET_OUT_OF_MEMORY, path, -1,
                    "no memory for the names of the files");
}

res2net_status r2n_paddle_folder_open(const char *path, r2n_paddle_folder *folder,
                                      res2net_report *report)
{
    size_t length = strlen(path);
    *folder = (r2n_paddle_folder){.report = report, .exists = r2n_os_is_directory(path)};
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 0)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a folder for the inference model must be named");
    res2net_status status = make_names(folder, path, length);
    if (status == RES2NET_OK && !folder->exists && r2n_os_exists(folder->target))
        status = r2n_fail(report, RES2NET_WRITE_FAILED, path, -1,
                          "is there and is no folder; an inference model is a folder of files");
    if (status == RES2NET_OK)
        status = make_temporary(folder);
    if (status != RES2NET_OK)
        r2n_paddle_folder_discard(folder);
    return status;
}

/* ---- filled ---------------------------------------------------------------------------------- */

res2net_status r2n_paddle_folder_file(const r2n_paddle_folder *folder, const char *name,
                                      r2n_file_writer **file)
{
    return r2n_writer_open(join(folder, 0, folder->temporary, name), file, folder->report);
}

const char *r2n_paddle_folder_path(const r2n_paddle_folder *folder, const char *name)
{
    return join(folder, 0, folder->temporary, name);
}

res2net_status r2n_paddle_folder_link(const r2n_paddle_folder *folder, const char *from,
                                      const char *name)
{
    return r2n_os_link(join(folder, 0, folder->temporary, from),
                       join(folder, 1, folder->temporary, name), folder->report);
}

/* ---- closed ---------------------------------------------------------------------------------- */

/* What can be known beforehand to fail fails before anything is changed. */
static res2net_status check_places(const r2n_paddle_folder *folder)
{
    for (int i = 0; i < FILES; i++) {
        const char *place = join(folder, 0, folder->target, files[i]);
        if (r2n_os_is_directory(place))
            return r2n_fail(folder->report, RES2NET_WRITE_FAILED, place, -1,
                            "is a folder where a file of the inference model would be");
    }
    return make_subfolders(folder, folder->target);
}

static res2net_status move_into_folder(const r2n_paddle_folder *folder)
{
    res2net_status status = check_places(folder);
    for (int i = FIRST_PROGRAM; i < FILES && status == RES2NET_OK; i++)
        r2n_os_remove(join(folder, 0, folder->target, files[i]));
    for (int i = 0; i < FILES && status == RES2NET_OK; i++)
        status = r2n_os_rename(join(folder, 0, folder->temporary, files[i]),
                               join(folder, 1, folder->target, files[i]), folder->report);
    if (status == RES2NET_OK)
        r2n_os_sync_folder(join(folder, 0, folder->target, files[FILES - 1]));
    return status;
}

res2net_status r2n_paddle_folder_close(r2n_paddle_folder *folder)
{
    res2net_status status = RES2NET_OK;
    for (int i = 0; i < FILES && status == RES2NET_OK; i++)
        status = r2n_os_sync_file(join(folder, 0, folder->temporary, files[i]), folder->report);
    if (status == RES2NET_OK && folder->exists) {
        status = move_into_folder(folder);
    } else if (status == RES2NET_OK) {
        status = r2n_os_rename(folder->temporary, folder->target, folder->report);
        if (status == RES2NET_OK)
            r2n_os_sync_folder(folder->target);
    }
    r2n_paddle_folder_discard(folder); /* what is left of the temporary one */
    return status;
}
