/* SPDX-License-Identifier: Apache-2.0 */
/* Names of files: renamed, given a second time, taken away; directories that are there for a while.
 */
#define _GNU_SOURCE /* O_CLOEXEC, O_DIRECTORY */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/report.h"

res2net_status r2n_os_rename(const char *from, const char *to, res2net_report *report)
{
    if (rename(from, to) == 0)
        return RES2NET_OK;
    return r2n_fail(report, RES2NET_WRITE_FAILED, to, -1, "cannot rename %s to this: %s", from,
                    strerror(errno));
}

static res2net_status copy_file(const char *from, const char *to, res2net_report *report)
{
    r2n_file_bytes file;
    r2n_file_writer *writer;
    res2net_status status = r2n_file_read(from, SIZE_MAX, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_writer_open(to, &writer, report);
    if (status == RES2NET_OK) {
        r2n_writer_put(writer, file.data, file.size);
        status = r2n_writer_close(writer, report);
    }
    r2n_file_release(&file);
    return status;
}

/* By way of a name beside `to`: link() replaces nothing. */
res2net_status r2n_os_link(const char *from, const char *to, res2net_report *report)
{
    static const char tail[] = ".res2net-link";
    char *beside = r2n_allocate(strlen(to) + sizeof tail, 1);
    if (beside == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, to, -1, "no memory to link the file");
    sprintf(beside, "%s%s", to, tail);
    unlink(beside); /* of a process that was killed here */
    res2net_status status;
    if (link(from, beside) != 0) {
        status = copy_file(from, to, report);
        if (status != RES2NET_OK && status != RES2NET_OUT_OF_MEMORY)
            status = RES2NET_WRITE_FAILED;
    } else {
        status = r2n_os_rename(beside, to, report);
        unlink(beside); /* still there where both were names of one file already */
    }
    r2n_free(beside);
    return status;
}

void r2n_os_remove(const char *path)
{
    unlink(path);
}

void r2n_os_sync_folder(const char *path)
{
    const char *end = strrchr(path, '/');
    char *folder =
        end == NULL ? r2n_copy_string(".") : r2n_copy_bytes(path, (size_t)(end - path) + 1);
    const int descriptor = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        close(descriptor);
    }
    r2n_free(folder);
}

res2net_status r2n_os_sync_file(const char *path, res2net_report *report)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    const int failed = descriptor < 0 || (fsync(descriptor) != 0 && errno != EINVAL);
    const int error = errno;
    if (descriptor >= 0)
        close(descriptor);
    return failed ? r2n_fail(report, RES2NET_WRITE_FAILED, path, -1, "cannot write: %s",
                             strerror(error))
                  : RES2NET_OK;
}

/* "PATH.res2net-PID-N", as files that are being written have it. */
res2net_status r2n_os_make_temporary_directory(const char *path, char **made,
                                               res2net_report *report)
{
    enum { TRIES = 100, TAIL_BYTES = 48 };
    static _Atomic unsigned serial;
    const size_t bytes = strlen(path) + TAIL_BYTES;
    *made = r2n_allocate(bytes, 1);
    if (*made == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to make the directory");
    int error = EEXIST;
    for (int i = 0; i < TRIES && error == EEXIST; i++) {
        snprintf(*made, bytes, "%s.res2net-%ld-%u", path, (long)getpid(),
                 atomic_fetch_add(&serial, 1));
        error = mkdir(*made, 0777) == 0 ? 0 : errno;
    }
    if (error == 0)
        return RES2NET_OK;
    r2n_free(*made);
    *made = NULL;
    return r2n_fail(report, RES2NET_WRITE_FAILED, path, -1,
                    "cannot make a directory under a temporary name: %s", strerror(error));
}

void r2n_os_remove_directory(const char *path)
{
    rmdir(path);
}
