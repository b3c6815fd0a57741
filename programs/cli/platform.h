/* SPDX-License-Identifier: Apache-2.0 */
/* Everything in the command that asks the operating system. */
#ifndef CLI_PLATFORM_H
#define CLI_PLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Descriptors 0 to 2 are made to exist; SIGINT, SIGTERM, SIGHUP and SIGPIPE are remembered instead
 * of fatal, a file size limit is an error of the write. A second SIGINT, SIGTERM or SIGHUP ends the
 * process at once. */
void platform_start(void);
int platform_interrupted(void);
int platform_pipe_closed(void);
/* Whether those signals also end the waiting of a read() for input that does not come. Off where
 * results are written: a write that a signal cuts short loses them. */
void platform_let_signals_end_reads(int on);

int platform_is_terminal(FILE *stream);
/* A terminal on which a line can be taken back. */
int platform_has_cursor(FILE *stream);
/* Of the terminal; 80 where it does not say. */
int platform_columns(FILE *stream);
/* Whether the environment's locale is a UTF-8 one. */
int platform_has_utf8(void);

/* Never NULL: without memory it says so and exits with EXIT_FAILED. Zeroed. */
void *platform_allocate(size_t count, size_t size);
char *platform_copy_text(const char *text);

typedef enum file_kind {
    FILE_MISSING,
    FILE_PLAIN,
    FILE_FOLDER,
    FILE_STREAM /* a pipe or device: reading may have to wait */
} file_kind;
file_kind platform_file_kind(const char *path);
int64_t platform_file_bytes(const char *path); /* -1 when it cannot be told */

/* 0 when a file of this path could be made, else what errno says: asked before long work. */
int platform_check_writable(const char *path);

/* The paths that match a shell pattern, sorted; each and the array are the caller's (free). */
char **platform_match(const char *pattern, size_t *count);

/* With parents. 0, or what errno says. */
int platform_make_folder(const char *path);

/* From the root, without links or dots; the caller's (free). NULL where the path leads nowhere. */
char *platform_whole_path(const char *path);

/* A file that appears whole or not at all: kept in memory, then written beside its target, then
 * renamed. */
typedef struct atomic_file {
    FILE *stream;
    char *text;
    size_t size;
    char *path;
    char *temporary;
} atomic_file;
int atomic_file_open(atomic_file *file, const char *folder, const char *name); /* 0 or errno */
int atomic_file_close(atomic_file *file); /* 0 or errno; the temporary file is gone either way */

#endif
