/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that asks the operating system. The only files with system calls are os_*.c. */
#ifndef R2N_BASE_OS_H
#define R2N_BASE_OS_H

#include "res2net/status.h"

/* A whole file, read or mapped, read only. */
typedef struct r2n_file_bytes {
    const uint8_t *data;
    size_t size;
    int mapped; /* 1: pages of the file itself; 0: a block of ours */
} r2n_file_bytes;

/* Maps (regular files) or reads (pipes, /dev/null, "-" for standard input) a whole file of at most
 * `limit` bytes. NOT_FOUND, READ_FAILED, LIMIT_EXCEEDED, OUT_OF_MEMORY; INTERRUPTED when a signal
 * whose handler lacks SA_RESTART comes while a pipe is waited for. A directory, another device or a
 * pipe that nobody writes to is READ_FAILED and says so. Mapped bytes must not be changed by
 * another program while in use. */
res2net_status r2n_file_read(const char *path, size_t limit, r2n_file_bytes *out,
                             res2net_report *report);
void r2n_file_release(r2n_file_bytes *file);
/* What lies in [data, data + bytes) of a mapped file need not stay in memory: it is read from the
 * file again where it is looked at. Does nothing to other bytes. */
void r2n_file_forget(const r2n_file_bytes *file, const void *data, size_t bytes);

/* A file written under a temporary name beside its target, then renamed: readers see the old file
 * or the whole new one. */
typedef struct r2n_file_writer r2n_file_writer;
res2net_status r2n_writer_open(const char *path, r2n_file_writer **out, res2net_report *report);
/* Remembers the first failure; `r2n_writer_close` tells it. */
void r2n_writer_put(r2n_file_writer *writer, const void *data, size_t bytes);
uint64_t r2n_writer_position(const r2n_file_writer *writer); /* bytes put so far */
/* The temporary file with all that was put so far, to be read back before it gets its name; points
 * into the writer. NULL after a failure, which `r2n_writer_close` tells. */
const char *r2n_writer_written(r2n_file_writer *writer);
/* Flushes, syncs and renames. The writer is gone afterwards, also on failure. */
res2net_status r2n_writer_close(r2n_file_writer *writer, res2net_report *report);
/* The same without syncing, for a file of a folder that is temporary itself; `r2n_os_sync_file`
 * follows before the folder gets its name. */
res2net_status r2n_writer_close_unsynced(r2n_file_writer *writer, res2net_report *report);
res2net_status r2n_os_sync_file(const char *path, res2net_report *report);
void r2n_writer_discard(r2n_file_writer *writer); /* removes the temporary file; NULL is allowed */

/* A file that only grows: a log. Every put is one write, so that a process that is killed leaves
 * whole pieces. */
typedef struct r2n_appender r2n_appender;
/* Opens the file or makes it. With `lines`, a last line that has no end (a power cut) gets one. */
res2net_status r2n_appender_open(const char *path, int lines, r2n_appender **out,
                                 res2net_report *report);
/* All of the bytes or none: what a full disk took of them is cut off again. */
res2net_status r2n_appender_put(r2n_appender *appender, const void *data, size_t bytes,
                                res2net_report *report);
/* Syncs; the appender is gone afterwards, also on failure. NULL: OK. */
res2net_status r2n_appender_close(r2n_appender *appender, res2net_report *report);

double r2n_seconds(void);      /* a monotonic clock */
double r2n_wall_seconds(void); /* since 1970, UTC */
enum { R2N_LOCAL_TIME_BYTES = 32 };
/* "YYYY/MM/DD HH:MM:SS" of that second in the time zone of this process. */
void r2n_local_time(int64_t wall_seconds, char text[R2N_LOCAL_TIME_BYTES]);

typedef struct r2n_processor_limits {
    int online;   /* processors of the machine */
    int affinity; /* of which this process may use */
    double quota; /* cgroup v2 or v1 CPU quota in processors, or 0 where there is none */
    int usable;   /* what results */
    uint64_t memory_limit_bytes; /* cgroup memory limit, or 0 where there is none */
} r2n_processor_limits;
/* min(affinity, ceil(quota)), at least 1; a quota of 0 is none. */
int r2n_usable_processors(int affinity, double quota);
r2n_processor_limits r2n_os_processor_limits(void);

/* Memory that this process could have at most: the machine's, or the cgroup's limit; 0: unknown. */
uint64_t r2n_os_memory_bytes(void);

int r2n_os_is_directory(const char *path);
int r2n_os_is_regular(const char *path); /* a file that can be read more than once: no pipe */
/* Renames, replacing what is there at once. WRITE_FAILED. */
res2net_status r2n_os_rename(const char *from, const char *to, res2net_report *report);
/* `to` becomes a second name of the file `from`, or a copy where the file system knows no second
 * names; what was there is replaced at once. */
res2net_status r2n_os_link(const char *from, const char *to, res2net_report *report);
void r2n_os_remove(const char *path); /* a file; none there is fine */
/* Makes the names in the folder of `path` last through a power cut, where the system can. */
void r2n_os_sync_folder(const char *path);
/* Makes the directory and those above it; one that is there is fine. */
res2net_status r2n_os_make_directories(const char *path, res2net_report *report);
/* Makes a new directory whose name begins with `path`; *made is the name, r2n_free. WRITE_FAILED,
 * OUT_OF_MEMORY. */
res2net_status r2n_os_make_temporary_directory(const char *path, char **made,
                                               res2net_report *report);
void r2n_os_remove_directory(const char *path); /* an empty one; none there is fine */
/* 0 only where nothing has this name: what exists and cannot be looked at is there. */
int r2n_os_exists(const char *path);
/* Names in a directory, sorted by bytes; "." and ".." left out. Free each name and the array with
 * r2n_free. */
res2net_status r2n_os_list_directory(const char *path, char ***names, size_t *count,
                                     res2net_report *report);

/* Asks for large pages under the part of a block that has room for them: a hint, which the system
 * may not follow. */
void r2n_os_prefer_large_pages(void *block, size_t bytes);

/* Asks for the registers of AMX, which Linux gives to a process once it asked. 1: they may be used,
 * in every thread. */
int r2n_os_allow_tiles(void);

/* Peak resident memory of this process in bytes. */
uint64_t r2n_os_peak_memory_bytes(void);

#endif
