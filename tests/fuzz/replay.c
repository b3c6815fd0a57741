/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main() for fuzz targets without libFuzzer: runs the target over every file of the folders
 * given, then over seeded mutations of each, so that CI exercises every parser on damaged input.
 *
 *     fuzz_json PATH...           RES2NET_FUZZ_SEED and RES2NET_FUZZ_MUTATIONS override
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAXIMUM_PATH = 4096, MAXIMUM_CHANGES = 8, DEFAULT_MUTATIONS = 1000 };

static uint64_t random_state;

static uint64_t next_random(void)
{
    uint64_t x = random_state += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* Flips, replaces, copies, or cuts: what damage and attackers do. Returns the new size. */
static size_t mutate(uint8_t *data, size_t size)
{
    static const uint8_t interesting[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, '"', '[', '{', '-', '9'};
    const uint64_t changes = 1 + next_random() % MAXIMUM_CHANGES;
    for (uint64_t i = 0; i < changes && size > 0; i++) {
        /* Headers are small: half of all changes go to the first 256 bytes. */
        const size_t reach = next_random() % 2 == 0 && size > 256 ? 256 : size;
        const size_t at = next_random() % reach;
        const size_t from = next_random() % size;
        const size_t length = 1 + next_random() % 8;
        switch (next_random() % 5) {
        case 0:
            data[at] ^= (uint8_t)(1u << next_random() % 8);
            break;
        case 1:
            data[at] = (uint8_t)next_random();
            break;
        case 2:
            data[at] = interesting[next_random() % sizeof interesting];
            break;
        case 3:
            if (at + length <= size && from + length <= size)
                memmove(data + at, data + from, length);
            break;
        default:
            if (next_random() % 8 == 0)
                size = at;
        }
    }
    return size;
}

/* Every input lies in a block of exactly its size: sanitizers see the first byte past it. */
static void run_exact(const uint8_t *data, size_t size)
{
    uint8_t *block = malloc(size == 0 ? 1 : size);
    if (block == NULL)
        abort();
    memcpy(block, data, size);
    LLVMFuzzerTestOneInput(block, size);
    free(block);
}

static uint8_t *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        return NULL;
    const long end = ftell(file);
    rewind(file);
    uint8_t *data = end < 0 ? NULL : malloc((size_t)end + 1);
    *size = data == NULL ? 0 : fread(data, 1, (size_t)end, file);
    fclose(file);
    return data;
}

static int replay_file(const char *path, uint64_t seed, long mutations)
{
    size_t size;
    uint8_t *data = read_whole(path, &size);
    uint8_t *changed = data == NULL ? NULL : malloc(size + 1);
    if (changed == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        free(data);
        return 0;
    }
    run_exact(data, size);
    random_state = seed;
    for (long i = 0; i < mutations; i++) {
        memcpy(changed, data, size);
        run_exact(changed, mutate(changed, size));
    }
    free(changed);
    free(data);
    return 1;
}

/* Files replayed, or -1. A path that is no folder is one file. */
static long replay_path(const char *folder, uint64_t seed, long mutations)
{
    char path[MAXIMUM_PATH];
    long files = 0;
    struct dirent **names;
    const int count = scandir(folder, &names, NULL, alphasort);
    if (count < 0)
        return replay_file(folder, seed, mutations) ? 1 : -1;
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.' && files >= 0) {
            snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
            files = replay_file(path, seed, mutations) ? files + 1 : -1;
        }
        free(names[i]);
    }
    free(names);
    return files;
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 0);
}

int main(int argument_count, char **arguments)
{
    const uint64_t seed = number_from("RES2NET_FUZZ_SEED", 20240607);
    const long mutations = (long)number_from("RES2NET_FUZZ_MUTATIONS", DEFAULT_MUTATIONS);
    for (int i = 1; i < argument_count; i++) {
        printf("%s: seed %llu, %ld mutations a file\n", arguments[i], (unsigned long long)seed,
               mutations);
        fflush(stdout); /* so that the seed is there when the target crashes */
        const long files = replay_path(arguments[i], seed, mutations);
        if (files <= 0) {
            fprintf(stderr, "%s: no files to replay\n", arguments[i]);
            return 1;
        }
        printf("%s: %ld files replayed\n", arguments[i], files);
    }
    return argument_count < 2;
}
