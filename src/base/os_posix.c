/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sched_getaffinity, CPU_COUNT, O_CLOEXEC */
#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/memory.h"
#include "base/report.h"

/* ---- reading ------------------------------------------------------------------------------- */

static res2net_status too_large(const char *path, size_t limit, res2net_report *report)
{
    return r2n_fail(report, RES2NET_LIMIT_EXCEEDED, path, -1,
                    "the file is larger than the limit of %zu bytes", limit);
}

/* Pipes and standard input: the size is not known before the end. `first` are bytes already read.
 */
static res2net_status read_stream(int descriptor, const char *path, size_t limit,
                                  const uint8_t *first, size_t size, r2n_file_bytes *out,
                                  res2net_report *report)
{
    uint8_t *data = NULL;
    size_t capacity = 0;
    if (size > 0 && r2n_grow((void **)&data, &capacity, size, 1))
        memcpy(data, first, size);
    if (size > 0 && data == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to read the file");
    for (;;) {
        if (size == capacity &&
            !r2n_grow((void **)&data, &capacity, size + (size_t)(64 * 1024), 1)) {
            r2n_free(data);
            return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1,
                            "no memory for the %zu bytes read so far", size);
        }
        const ssize_t got = read(descriptor, data + size, capacity - size);
        if (got < 0) {
            /* A handler without SA_RESTART wants waiting to end: Ctrl-C while nothing comes. */
            const int reason = errno;
            r2n_free(data);
            return reason == EINTR ? r2n_fail(report, RES2NET_INTERRUPTED, path, (int64_t)size,
                                              "interrupted by a signal while it was read")
                                   : r2n_fail(report, RES2NET_READ_FAILED, path, (int64_t)size,
                                              "cannot read: %s", strerror(reason));
        }
        if (got == 0)
            break;
        size += (size_t)got;
        if (size > limit) {
            r2n_free(data);
            return too_large(path, limit, report);
        }
    }
    *out = (r2n_file_bytes){.data = data, .size = size, .mapped = 0};
    return RES2NET_OK;
}

/* A named pipe that nobody writes to would be waited for without end. It was opened without
 * waiting; what has a writer is then read as usual. */
static res2net_status read_pipe(int descriptor, const char *path, size_t limit, r2n_file_bytes *out,
                                res2net_report *report)
{
    uint8_t first;
    const ssize_t got = read(descriptor, &first, 1);
    if (got == 0)
        return r2n_fail(report, RES2NET_READ_FAILED, path, -1,
                        "is a pipe that nobody writes to; a file was expected");
    if (got < 0 && errno != EAGAIN)
        return r2n_fail(report, RES2NET_READ_FAILED, path, -1, "cannot read: %s", strerror(errno));
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
    return read_stream(descriptor, path, limit, &first, got > 0 ? 1 : 0, out, report);
}

/* A device has no end, but for /dev/null. A terminal has: what is typed there is read. */
static res2net_status read_device(int descriptor, const char *path, size_t limit,
                                  r2n_file_bytes *out, res2net_report *report)
{
    uint8_t first;
    if (isatty(descriptor) != 1 && read(descriptor, &first, 1) != 0)
        return r2n_fail(report, RES2NET_READ_FAILED, path, -1, "is a device; a file was expected");
    return read_stream(descriptor, path, limit, NULL, 0, out, report);
}

static res2net_status map_or_read(int descriptor, const char *path, size_t limit,
                                  r2n_file_bytes *out, res2net_report *report)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return r2n_fail(report, RES2NET_READ_FAILED, path, -1, "cannot stat: %s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return r2n_fail(report, RES2NET_READ_FAILED, path, -1,
                        "is a directory, a file was expected");
    if (S_ISFIFO(status.st_mode))
        return read_pipe(descriptor, path, limit, out, report);
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
        return read_device(descriptor, path, limit, out, report);
    if (!S_ISREG(status.st_mode) || status.st_size == 0)
        return read_stream(descriptor, path, limit, NULL, 0, out, report);
    if ((uint64_t)status.st_size > limit)
        return too_large(path, limit, report);
    void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED)
        return read_stream(descriptor, path, limit, NULL, 0, out, report);
    *out = (r2n_file_bytes){.data = data, .size = (size_t)status.st_size, .mapped = 1};
    return RES2NET_OK;
}

res2net_status r2n_file_read(const char *path, size_t limit, r2n_file_bytes *out,
                             res2net_report *report)
{
    *out = (r2n_file_bytes){0};
    if (strcmp(path, "-") == 0)
        return read_stream(STDIN_FILENO, "<stdin>", limit, NULL, 0, out, report);
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return r2n_fail(report, errno == ENOENT ? RES2NET_NOT_FOUND : RES2NET_READ_FAILED, path, -1,
                        "cannot open: %s", strerror(errno));
    const res2net_status status = map_or_read(descriptor, path, limit, out, report);
    close(descriptor);
    return status;
}

void r2n_file_release(r2n_file_bytes *file)
{
    if (file->mapped)
        munmap((void *)(uintptr_t)file->data, file->size);
    else
        r2n_free((void *)(uintptr_t)file->data);
    *file = (r2n_file_bytes){0};
}

void r2n_file_forget(const r2n_file_bytes *file, const void *data, size_t bytes)
{
    const uintptr_t begin = (uintptr_t)file->data, from = (uintptr_t)data;
    if (!file->mapped || from < begin || from - begin > file->size ||
        bytes > file->size - (from - begin))
        return;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = from / page * page; /* not before the file: mappings begin at a page */
    madvise((void *)first, (size_t)(from + bytes - first), MADV_DONTNEED);
}

/* ---- writing ------------------------------------------------------------------------------- */

enum { WRITER_BUFFER_BYTES = 256 * 1024, SUFFIX_BYTES = 48 };

struct r2n_file_writer {
    char *path;
    char *temporary;
    int descriptor;
    int error; /* errno of the first failure, 0 while all is well */
    uint64_t position;
    size_t buffered;
    uint8_t buffer[WRITER_BUFFER_BYTES];
};

static void free_writer(r2n_file_writer *writer)
{
    r2n_free(writer->path);
    r2n_free(writer->temporary);
    r2n_free(writer);
}

/* Makes "PATH.res2net-PID-N", with the mode that the umask leaves: mkstemp would make it private,
 * and the umask cannot be asked without changing it for all threads. */
static int create_temporary(r2n_file_writer *writer)
{
    enum { TRIES = 100 };
    static _Atomic unsigned serial;
    for (int i = 0; i < TRIES; i++) {
        snprintf(writer->temporary, strlen(writer->path) + SUFFIX_BYTES, "%s.res2net-%ld-%u",
                 writer->path, (long)getpid(), atomic_fetch_add(&serial, 1));
        const int descriptor =
            open(writer->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (descriptor >= 0 || errno != EEXIST)
            return descriptor;
    }
    return -1;
}

static res2net_status open_writer(const char *path, r2n_file_writer **out, res2net_report *report)
{
    r2n_file_writer *writer = r2n_allocate(1, sizeof *writer);
    if (writer == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to write the file");
    writer->path = r2n_copy_string(path);
    writer->temporary = r2n_allocate(strlen(path) + SUFFIX_BYTES, 1);
    writer->descriptor = -1;
    writer->error = 0;
    writer->position = 0;
    writer->buffered = 0;
    if (writer->path == NULL || writer->temporary == NULL) {
        free_writer(writer);
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to write the file");
    }
    writer->descriptor = create_temporary(writer);
    if (writer->descriptor < 0) {
        const int error = errno;
        free_writer(writer);
        return r2n_fail(report, RES2NET_WRITE_FAILED, path, -1, "cannot create the file: %s",
                        strerror(error));
    }
    *out = writer;
    return RES2NET_OK;
}

/* The rename at the end must not put a file in the place of a link, a pipe or a device: a link is
 * followed, the others are refused. */
res2net_status r2n_writer_open(const char *path, r2n_file_writer **out, res2net_report *report)
{
    struct stat target;
    *out = NULL;
    if (stat(path, &target) == 0 && !S_ISREG(target.st_mode))
        return r2n_fail(report, RES2NET_WRITE_FAILED, path, -1,
                        "is there and is no regular file: give another name");
    if (lstat(path, &target) != 0 || !S_ISLNK(target.st_mode))
        return open_writer(path, out, report);
    char *resolved = realpath(path, NULL);
    if (resolved == NULL && errno == ENOMEM)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to write the file");
    if (resolved == NULL)
        return r2n_fail(report, RES2NET_WRITE_FAILED, path, -1, "is a link that leads nowhere: %s",
                        strerror(errno));
    const res2net_status status = open_writer(resolved, out, report);
    free(resolved);
    return status;
}

static void write_all(r2n_file_writer *writer, const uint8_t *data, size_t bytes)
{
    while (bytes > 0 && writer->error == 0) {
        const ssize_t put = write(writer->descriptor, data, bytes);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            writer->error = errno;
            return;
        }
        data += put;
        bytes -= (size_t)put;
    }
}

static void flush_writer(r2n_file_writer *writer)
{
    write_all(writer, writer->buffer, writer->buffered);
    writer->buffered = 0;
}

void r2n_writer_put(r2n_file_writer *writer, const void *data, size_t bytes)
{
    writer->position += bytes;
    if (bytes > sizeof writer->buffer - writer->buffered)
        flush_writer(writer);
    if (bytes > sizeof writer->buffer) {
        write_all(writer, data, bytes);
        return;
    }
    if (bytes > 0)
        memcpy(writer->buffer + writer->buffered, data, bytes);
    writer->buffered += bytes;
}

uint64_t r2n_writer_position(const r2n_file_writer *writer)
{
    return writer->position;
}

const char *r2n_writer_written(r2n_file_writer *writer)
{
    flush_writer(writer);
    return writer->error == 0 ? writer->temporary : NULL;
}

void r2n_writer_discard(r2n_file_writer *writer)
{
    if (writer == NULL)
        return;
    close(writer->descriptor);
    unlink(writer->temporary);
    free_writer(writer);
}

/* A file that is replaced keeps its mode. 0, or errno. */
static int keep_mode(const r2n_file_writer *writer)
{
    struct stat old;
    if (stat(writer->path, &old) != 0)
        return 0;
    return fchmod(writer->descriptor, old.st_mode & 0777) == 0 ? 0 : errno;
}

static res2net_status close_writer(r2n_file_writer *writer, int synced, res2net_report *report)
{
    flush_writer(writer);
    if (writer->error == 0)
        writer->error = keep_mode(writer);
    if (writer->error == 0 && synced && fsync(writer->descriptor) != 0 && errno != EINVAL)
        writer->error = errno;
    if (writer->error == 0 && rename(writer->temporary, writer->path) != 0)
        writer->error = errno;
    if (writer->error != 0) {
        const res2net_status status =
            r2n_fail(report, RES2NET_WRITE_FAILED, writer->path, -1,
                     "cannot write: %s; the old file, if there was one, is untouched",
                     strerror(writer->error));
        r2n_writer_discard(writer);
        return status;
    }
    close(writer->descriptor);
    free_writer(writer);
    return RES2NET_OK;
}

res2net_status r2n_writer_close(r2n_file_writer *writer, res2net_report *report)
{
    return close_writer(writer, 1, report);
}

res2net_status r2n_writer_close_unsynced(r2n_file_writer *writer, res2net_report *report)
{
    return close_writer(writer, 0, report);
}

/* ---- the machine --------------------------------------------------------------------------- */

double r2n_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double r2n_wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void r2n_local_time(int64_t wall_seconds, char text[R2N_LOCAL_TIME_BYTES])
{
    const time_t seconds = (time_t)wall_seconds;
    struct tm parts;
    if (localtime_r(&seconds, &parts) == NULL ||
        strftime(text, R2N_LOCAL_TIME_BYTES, "%Y/%m/%d %H:%M:%S", &parts) == 0)
        strcpy(text, "----/--/-- --:--:--"); /* years that a tm cannot hold */
}

int r2n_usable_processors(int affinity, double quota)
{
    const int usable = quota > 0 && ceil(quota) < affinity ? (int)ceil(quota) : affinity;
    return usable < 1 ? 1 : usable;
}

r2n_processor_limits r2n_os_processor_limits(void)
{
    r2n_processor_limits limits = {0};
    cpu_set_t set;
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    limits.online = online < 1 ? 1 : (int)online;
    limits.affinity = limits.online;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        limits.affinity = CPU_COUNT(&set);
    const r2n_cgroup_limits group = r2n_cgroup_limits_read("");
    limits.quota = group.quota;
    limits.usable = r2n_usable_processors(limits.affinity, limits.quota);
    limits.memory_limit_bytes = group.memory_bytes;
    return limits;
}

uint64_t r2n_os_memory_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page_bytes = sysconf(_SC_PAGESIZE);
    const uint64_t limit = r2n_cgroup_limits_read("").memory_bytes;
    const uint64_t machine =
        pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0;
    return limit > 0 && (limit < machine || machine == 0) ? limit : machine;
}

void r2n_os_prefer_large_pages(void *block, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    (void)madvise(block, bytes, MADV_HUGEPAGE); /* refused by kernels without them: nothing lost */
#else
    (void)block;
    (void)bytes;
#endif
}

uint64_t r2n_os_peak_memory_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

/* ---- directories --------------------------------------------------------------------------- */

int r2n_os_allow_tiles(void)
{
#if defined(__linux__) && defined(__x86_64__)
    enum { ASK_FOR_STATE = 0x1023, TILE_DATA = 18 }; /* ARCH_REQ_XCOMP_PERM, in no old header */
    return syscall(SYS_arch_prctl, ASK_FOR_STATE, TILE_DATA) == 0;
#else
    return 0;
#endif
}

int r2n_os_is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int r2n_os_is_regular(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

res2net_status r2n_os_make_directories(const char *path, res2net_report *report)
{
    char *part = r2n_copy_string(path);
    if (part == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1, "no memory to make the directory");
    int error = 0;
    for (char *at = part; error == 0 && *at != '\0';) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        const char kept = *at;
        *at = '\0';
        if (*part != '\0' && mkdir(part, 0777) != 0 && !r2n_os_is_directory(part))
            error = errno == 0 ? EEXIST : errno;
        *at = kept;
    }
    r2n_free(part);
    if (error != 0)
        return r2n_fail(report, RES2NET_WRITE_FAILED, path, -1, "cannot make the directory: %s",
                        strerror(error));
    return RES2NET_OK;
}

int r2n_os_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char ***names, size_t *count)
{
    while (*count > 0)
        r2n_free((*names)[--*count]);
    r2n_free(*names);
    *names = NULL;
}

res2net_status r2n_os_list_directory(const char *path, char ***names, size_t *count,
                                     res2net_report *report)
{
    size_t capacity = 0;
    *names = NULL;
    *count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return r2n_fail(report,
                        errno == ENOENT   ? RES2NET_NOT_FOUND
                        : errno == ENOMEM ? RES2NET_OUT_OF_MEMORY
                                          : RES2NET_READ_FAILED,
                        path, -1, "cannot open the directory: %s", strerror(errno));
    for (const struct dirent *item; errno = 0, (item = readdir(directory)) != NULL;) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        char *name = r2n_grow((void **)names, &capacity, *count + 1, sizeof **names)
                         ? r2n_copy_string(item->d_name)
                         : NULL;
        if (name == NULL) {
            closedir(directory);
            free_names(names, count);
            return r2n_fail(report, RES2NET_OUT_OF_MEMORY, path, -1,
                            "no memory for the names in the directory");
        }
        (*names)[(*count)++] = name;
    }
    const int error = errno; /* part of a directory would be taken for all of it */
    closedir(directory);
    if (error != 0) {
        free_names(names, count);
        return r2n_fail(report, RES2NET_READ_FAILED, path, -1, "cannot read the directory: %s",
                        strerror(error));
    }
    if (*count > 1)
        qsort(*names, *count, sizeof **names, compare_names);
    return RES2NET_OK;
}
