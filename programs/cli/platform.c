/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sigaction, glob, open_memstream, fsync, strcasestr */
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit_status.h"

static char output_buffer[1 << 16];
static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t pipe_closed;

static const int interruptions[] = {SIGINT, SIGTERM, SIGHUP};
enum { INTERRUPTIONS = sizeof interruptions / sizeof interruptions[0] };

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
    memset(&action, 0, sizeof action);
    action.sa_handler = remember_signal;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* What the parent ignores stays ignored: Ctrl-C for jobs that a shell put into the background, and
 * the end of the terminal under nohup. The second signal ends the process at once. */
static void handle_interruption(int number)
{
    struct sigaction old;
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        handle(number, SA_RESTART | (int)SA_RESETHAND);
}

void platform_let_signals_end_reads(int on)
{
    for (int i = 0; i < INTERRUPTIONS; i++) {
        struct sigaction action;
        if (sigaction(interruptions[i], NULL, &action) == 0 &&
            action.sa_handler == remember_signal) {
            action.sa_flags = (on ? 0 : SA_RESTART) | (int)SA_RESETHAND;
            sigaction(interruptions[i], &action, NULL);
        }
    }
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
    /* What fails to be written is then told when it is flushed, with the reason. */
    if (!platform_is_terminal(stdout))
        setvbuf(stdout, output_buffer, _IOFBF, sizeof output_buffer);
    for (int i = 0; i < INTERRUPTIONS; i++)
        handle_interruption(interruptions[i]);
    handle(SIGPIPE, SA_RESTART);
    signal(SIGXFSZ, SIG_IGN); /* over `ulimit -f`, write() then fails as on a full disk */
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

int platform_columns(FILE *stream)
{
    struct winsize size;
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

int platform_has_cursor(FILE *stream)
{
    const char *kind = getenv("TERM");
    return platform_is_terminal(stream) && (kind == NULL || strcmp(kind, "dumb") != 0);
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
    return S_ISDIR(status.st_mode)   ? FILE_FOLDER
           : S_ISREG(status.st_mode) ? FILE_PLAIN
                                     : FILE_STREAM;
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
    struct stat status;
    if (platform_file_kind(path) == FILE_FOLDER)
        failure = EISDIR;
    else if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        failure = ENOTSUP; /* a device or a pipe: files are put in place by renaming */
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

char *platform_whole_path(const char *path)
{
    char *whole = realpath(path, NULL);
    if (whole == NULL && errno == ENOMEM) {
        fputs("res2net: memory for a path could not be had\n", stderr);
        exit(EXIT_FAILED);
    }
    return whole;
}

int atomic_file_open(atomic_file *file, const char *folder, const char *name)
{
    const size_t bytes = strlen(folder) + strlen(name) + 48;
    memset(file, 0, sizeof *file);
    file->stream = open_memstream(&file->text, &file->size);
    if (file->stream == NULL)
        return errno;
    file->path = platform_allocate(bytes, 1);
    file->temporary = platform_allocate(bytes, 1);
    snprintf(file->path, bytes, "%s/%s", folder, name);
    snprintf(file->temporary, bytes, "%s/.%s.%ld", folder, name, (long)getpid());
    return 0;
}

/* 0 or errno. */
static int write_whole(int descriptor, const char *text, size_t size)
{
    while (size > 0) {
        const ssize_t put = write(descriptor, text, size);
        if (put < 0 && errno != EINTR)
            return errno;
        if (put > 0) {
            text += put;
            size -= (size_t)put;
        }
    }
    return fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno;
}

/* A file of that name is what a killed process of the same number left. */
static int put_in_place(const atomic_file *file)
{
    unlink(file->temporary);
    const int descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor == -1)
        return errno;
    int failure = write_whole(descriptor, file->text, file->size);
    if (close(descriptor) != 0 && failure == 0)
        failure = errno;
    if (failure == 0 && rename(file->temporary, file->path) != 0)
        failure = errno;
    if (failure != 0)
        unlink(file->temporary);
    return failure;
}

int atomic_file_close(atomic_file *file)
{
    const int lost = ferror(file->stream);
    const int failure = fclose(file->stream) != 0 || lost ? ENOMEM : put_in_place(file);
    free(file->text);
    free(file->path);
    free(file->temporary);
    return failure;
}
