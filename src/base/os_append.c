/* SPDX-License-Identifier: Apache-2.0 */
/* Files that only grow. */
#define _GNU_SOURCE /* O_CLOEXEC, fsync */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/report.h"

struct r2n_appender {
    char *path;
    int descriptor;
    int broken; /* half a piece could not be cut off: more would make it worse */
};

static res2net_status write_failed(const r2n_appender *appender, int error, res2net_report *report)
{
    return r2n_fail(report, RES2NET_WRITE_FAILED, appender->path, -1, "cannot write: %s",
                    strerror(error));
}

/* 0, or errno. */
static int end_last_line(int descriptor, off_t size)
{
    char last = '\n';
    if (size > 0 && pread(descriptor, &last, 1, size - 1) != 1)
        return errno == 0 ? EIO : errno;
    return last == '\n' || write(descriptor, "\n", 1) == 1 ? 0 : errno;
}

static res2net_status check_opened(r2n_appender *appender, int lines, res2net_report *report)
{
    struct stat status;
    if (fstat(appender->descriptor, &status) != 0)
        return write_failed(appender, errno, report);
    if (!S_ISREG(status.st_mode))
        return r2n_fail(report, RES2NET_WRITE_FAILED, appender->path, -1,
                        "is there and is no regular file: give another name");
    errno = 0;
    const int error = lines ? end_last_line(appender->descriptor, status.st_size) : 0;
    return error == 0 ? RES2NET_OK : write_failed(appender, error, report);
}

static void free_appender(r2n_appender *appender)
{
    if (appender->descriptor >= 0)
        close(appender->descriptor);
    r2n_free(appender->path);
    r2n_free(appender);
}

res2net_status r2n_appender_open(const char *path, int lines, r2n_appender **out,
                                 res2net_report *report)
{
    *out = NULL;
    r2n_appender *appender = r2n_allocate_zeroed(1, sizeof *appender);
    char *copy = r2n_copy_string(path);
    if (appender == NULL || copy == NULL) {
        r2n_free(appender);
        r2n_free(copy);
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to write the file");
    }
    appender->path = copy;
    /* O_NONBLOCK: a pipe is refused below, not waited for */
    appender->descriptor =
        open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    const res2net_status status =
        appender->descriptor >= 0 ? check_opened(appender, lines, report)
                                  : r2n_fail(report, RES2NET_WRITE_FAILED, path, -1,
                                             "cannot open the file to append: %s", strerror(errno));
    if (status == RES2NET_OK)
        *out = appender;
    else
        free_appender(appender);
    return status;
}

/* Cuts off what was written of a piece: [start, start + put) if nobody else wrote since. */
static void take_back(r2n_appender *appender, off_t start, size_t put)
{
    struct stat status;
    appender->broken = put > 0 && (fstat(appender->descriptor, &status) != 0 ||
                                   status.st_size != start + (off_t)put ||
                                   ftruncate(appender->descriptor, start) != 0);
}

res2net_status r2n_appender_put(r2n_appender *appender, const void *data, size_t bytes,
                                res2net_report *report)
{
    const uint8_t *at = data;
    size_t put = 0;
    struct stat before;
    if (appender->broken)
        return r2n_fail(report, RES2NET_WRITE_FAILED, appender->path, -1,
                        "an earlier write ended halfway: nothing more is appended");
    if (fstat(appender->descriptor, &before) != 0)
        return write_failed(appender, errno, report);
    while (put < bytes) {
        const ssize_t now = write(appender->descriptor, at + put, bytes - put);
        if (now < 0 && errno == EINTR)
            continue;
        if (now < 0) {
            const int error = errno;
            take_back(appender, before.st_size, put);
            return write_failed(appender, error, report);
        }
        put += (size_t)now;
    }
    return RES2NET_OK;
}

res2net_status r2n_appender_close(r2n_appender *appender, res2net_report *report)
{
    if (appender == NULL)
        return RES2NET_OK;
    int error = 0;
    if (fsync(appender->descriptor) != 0 && errno != EINVAL)
        error = errno;
    if (close(appender->descriptor) != 0 && errno != EINTR && error == 0)
        error = errno;
    appender->descriptor = -1;
    const res2net_status status = error == 0 ? RES2NET_OK : write_failed(appender, error, report);
    free_appender(appender);
    return status;
}
