/* SPDX-License-Identifier: Apache-2.0 */
/* Without libFuzzer: runs a fuzz target over the files and folders named, here its corpus. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_LIMIT = 64 << 20 };

static int replay_file(const char *path)
{
    r2n_file_bytes file;
    if (r2n_file_read(path, FILE_LIMIT, &file, NULL) != RES2NET_OK) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    /* A block of its own size, so that a sanitizer sees a read past the end. */
    uint8_t *copy = r2n_allocate(file.size, 1);
    if (copy != NULL) {
        if (file.size > 0)
            memcpy(copy, file.data, file.size);
        (void)LLVMFuzzerTestOneInput(copy, file.size);
    }
    r2n_free(copy);
    r2n_file_release(&file);
    return copy == NULL ? -1 : 1;
}

/* Files replayed, or -1. */
static int replay(const char *path)
{
    char **names;
    size_t count;
    int files = 0;
    if (!r2n_os_is_directory(path))
        return replay_file(path);
    if (r2n_os_list_directory(path, &names, &count, NULL) != RES2NET_OK)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char child[4096];
        snprintf(child, sizeof child, "%s/%s", path, names[i]);
        const int more = files < 0 ? 0 : replay_file(child);
        files = more < 0 ? -1 : files + more;
        r2n_free(names[i]);
    }
    r2n_free(names);
    return files;
}

int main(int count, char **paths)
{
    int files = 0;
    for (int i = 1; i < count; i++) {
        const int more = replay(paths[i]);
        if (more <= 0) {
            fprintf(stderr, "%s: nothing to replay\n", paths[i]);
            return 1;
        }
        files += more;
    }
    printf("%d inputs replayed\n", files);
    return files > 0 ? 0 : 1;
}
