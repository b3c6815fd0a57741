/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sigaction, glob, mkstemp, fsync, strdup */
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit_status.h"

static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t pipe_closed;

static void remember_signal(int number)
{
    if (number == SIGPIPE)
        pipe_closed = 1;
    else
        interrupted = 1;
}

static void handle(int number, int flags)
{
    struct sigaction action;
    /* What the parent ignores stays ignored: Ctrl-C for jobs that a shell put into the background.
     */
    if (number == SIGINT && sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        return;
    memset(&action, 0, sizeof action);
    action.sa_handler = remember_signal;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void platform_start(void)
{
    /* A file opened while descriptor 1 is closed would become standard output. Reading from the
     * write end of nothing fails, as it should. */
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF) {
            if (open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY) == -1)
                exit(EXIT_FAILED);
        }
    }
    /* No SA_RESTART: it also ends the waiting for standard input. */
    handle(SIGINT, (int)SA_RESETHAND);
    handle(SIGPIPE, SA_RESTART);
}

int platform_interrupted(void)
{
    return interrupted != 0;
}

int platform_pipe_closed(void)
{
    return pipe_closed != 0;
}

int platform_is_terminal(FILE *stream)
{
    return isatty(fileno(stream)) == 1;
}

int platform_has_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return 0;
}

void *platform_allocate(size_t count, size_t size)
{
    void *block = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
    if (block == NULL) {
        fprintf(stderr, "res2net: memory for %zu times %zu bytes could not be had\n", count, size);
        exit(EXIT_FAILED);
    }
    return block;
}

char *platform_copy_text(const char *text)
{
    const size_t bytes = strlen(text) + 1;
    return memcpy(platform_allocate(bytes, 1), text, bytes);
}

file_kind platform_file_kind(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return FILE_MISSING;
    return S_ISDIR(status.st_mode) ? FILE_FOLDER : FILE_PLAIN;
}

int64_t platform_file_bytes(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (int64_t)status.st_size : -1;
}

int platform_check_writable(const char *path)
{
    char *folder = platform_copy_text(path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        strcpy(folder, path[0] == '\0' ? "" : ".");
    else
        slash[slash == folder] = '\0';
    int failure = 0;
    if (platform_file_kind(path) == FILE_FOLDER)
        failure = EISDIR;
    else if (access(folder, W_OK | X_OK) != 0)
        failure = errno;
    free(folder);
    return failure;
}

char **platform_match(const char *pattern, size_t *count)
{
    glob_t found;
    char **paths = NULL;
    *count = 0;
    if (glob(pattern, 0, NULL, &found) == 0) {
        paths = platform_allocate(found.gl_pathc, sizeof *paths);
        for (size_t i = 0; i < found.gl_pathc; i++)
            paths[i] = platform_copy_text(found.gl_pathv[i]);
        *count = found.gl_pathc;
        globfree(&found);
    }
    return paths;
}

int platform_make_folder(const char *path)
{
    char *copy = platform_copy_text(path);
    int failure = 0;
    for (char *end = copy + (copy[0] == '/'); failure == 0; end++) {
        if (*end != '/' && *end != '\0')
            continue;
        const char kept = *end;
        *end = '\0';
        if (copy[0] != '\0' && mkdir(copy, 0777) != 0 && errno != EEXIST)
            failure = errno;
        *end = kept;
        if (kept == '\0')
            break;
    }
    free(copy);
    if (failure == 0 && platform_file_kind(path) != FILE_FOLDER)
        failure = ENOTDIR;
    if (failure == 0 && access(path, W_OK | X_OK) != 0)
        failure = errno;
    return failure;
}

int atomic_file_open(atomic_file *file, const char *folder, const char *name)
{
    const size_t bytes = strlen(folder) + strlen(name) + 16;
    memset(file, 0, sizeof *file);
    file->path = platform_allocate(bytes, 1);
    file->temporary = platform_allocate(bytes, 1);
    snprintf(file->path, bytes, "%s/%s", folder, name);
    snprintf(file->temporary, bytes, "%s/.%s.XXXXXX", folder, name);
    const int descriptor = mkstemp(file->temporary);
    if (descriptor != -1)
        file->stream = fdopen(descriptor, "w");
    if (file->stream != NULL) {
        /* mkstemp makes it private; the finished file gets what open() would have given it. */
        const mode_t mask = umask(0);
        umask(mask);
        fchmod(descriptor, 0666 & ~mask);
        return 0;
    }
    const int failure = errno;
    if (descriptor != -1) {
        close(descriptor);
        unlink(file->temporary);
    }
    free(file->path);
    free(file->temporary);
    return failure;
}

int atomic_file_close(atomic_file *file)
{
    int failure = 0;
    if (ferror(file->stream))
        failure = EIO;
    if (fflush(file->stream) != 0 || fsync(fileno(file->stream)) != 0)
        failure = errno;
    if (fclose(file->stream) != 0 && failure == 0)
        failure = errno;
    if (failure == 0 && rename(file->temporary, file->path) != 0)
        failure = errno;
    if (failure != 0)
        unlink(file->temporary);
    free(file->path);
    free(file->temporary);
    return failure;
}
