/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program: its disk has room for FULL_DISK more bytes of regular files, and is
 * then full for good, as one that something else fills up; a write that does not fit is cut short,
 * the next one fails. At the end the bytes that were written go to the file FULL_DISK_COUNT, if
 * that is set. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEEN_BY_ALL __attribute__((visibility("default")))

typedef ssize_t write_function(int, const void *, size_t);

static write_function *real_write;
static _Atomic int64_t written;
static int64_t room = INT64_MAX;

__attribute__((constructor)) static void begin(void)
{
    const char *bytes = getenv("FULL_DISK");
    real_write = (write_function *)dlsym(RTLD_NEXT, "write");
    if (bytes != NULL)
        room = strtoll(bytes, NULL, 10);
}

__attribute__((destructor)) static void end(void)
{
    char text[32];
    const char *path = getenv("FULL_DISK_COUNT");
    const int file = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int bytes = snprintf(text, sizeof text, "%" PRId64 "\n", atomic_load(&written));
    if (file >= 0 && real_write(file, text, (size_t)bytes) != bytes)
        _exit(99);
}

SEEN_BY_ALL ssize_t write(int descriptor, const void *data, size_t bytes)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) || bytes == 0)
        return real_write(descriptor, data, bytes);
    const int64_t left = room - atomic_load(&written);
    if (left <= 0) {
        errno = ENOSPC;
        return -1;
    }
    const ssize_t put = real_write(descriptor, data, (int64_t)bytes < left ? bytes : (size_t)left);
    if (put > 0)
        atomic_fetch_add(&written, put);
    return put;
}
