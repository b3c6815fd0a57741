/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/self/mountinfo says where the hierarchies are mounted and which group stands there,
 * /proc/self/cgroup which group is ours in each. A group without a limit of its own is held by
 * those above it, so each is asked up to the mount. In a container the names are often those of
 * the host and lead nowhere: then the mount itself is what can be seen, and is asked too.
 */
#include "base/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 4096, LINE_BYTES = 8192 };

typedef struct search {
    const char *root;
    r2n_cgroup_limits found;
} search;

/* One mounted hierarchy. */
typedef struct hierarchy {
    char mount[PATH_BYTES]; /* with the search's root before it */
    char top[PATH_BYTES];   /* the group that stands at the mount */
} hierarchy;

typedef void read_group(search *search, const char *folder);

static int read_small(const char *folder, const char *name, char *text, size_t size)
{
    char path[2 * PATH_BYTES + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    const size_t got = fread(text, 1, size - 1, file);
    fclose(file);
    text[got] = '\0';
    return got > 0;
}

static void take_quota(search *search, double quota, double period)
{
    if (!(quota > 0) || !(period > 0))
        return;
    const double processors = quota / period;
    if (search->found.quota <= 0 || processors < search->found.quota)
        search->found.quota = processors;
}

/* "max" is read as 0; version 1 writes "none" as a number near the largest there is. */
static void take_memory(search *search, const char *text)
{
    const unsigned long long bytes = strtoull(text, NULL, 10);
    if (bytes == 0 || bytes >= 1ULL << 62)
        return;
    if (search->found.memory_bytes == 0 || bytes < search->found.memory_bytes)
        search->found.memory_bytes = bytes;
}

static void read_version2(search *search, const char *folder)
{
    char text[256];
    if (read_small(folder, "cpu.max", text, sizeof text)) {
        char *end;
        const double quota = strtod(text, &end); /* "max 100000" gives no number */
        take_quota(search, quota, end == text ? 0 : strtod(end, NULL));
    }
    if (read_small(folder, "memory.max", text, sizeof text))
        take_memory(search, text);
}

static void read_version1_cpu(search *search, const char *folder)
{
    char quota[64], period[64];
    if (read_small(folder, "cpu.cfs_quota_us", quota, sizeof quota) &&
        read_small(folder, "cpu.cfs_period_us", period, sizeof period))
        take_quota(search, strtod(quota, NULL), strtod(period, NULL)); /* -1: no limit */
}

static void read_version1_memory(search *search, const char *folder)
{
    char text[64];
    if (read_small(folder, "memory.limit_in_bytes", text, sizeof text))
        take_memory(search, text);
}

/* Whether "a,b,c" holds `word`. */
static int has_word(const char *words, const char *word)
{
    const size_t length = strlen(word);
    for (;;) {
        const size_t part = strcspn(words, ",\n");
        if (part == length && strncmp(words, word, length) == 0)
            return 1;
        if (words[part] != ',')
            return 0;
        words += part + 1;
    }
}

static FILE *open_proc(const search *search, const char *name)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/proc/self/%s", search->root, name);
    return fopen(path, "r");
}

/* "31 23 0:28 TOP MOUNT options [tags] - TYPE source CONTROLLERS". `controller` is NULL for
 * version 2. */
static int find_mount(const search *search, const char *controller, hierarchy *out)
{
    char line[LINE_BYTES];
    int found = 0;
    FILE *file = open_proc(search, "mountinfo");
    while (!found && file != NULL && fgets(line, sizeof line, file) != NULL) {
        char top[PATH_BYTES], mount[PATH_BYTES], type[64], controllers[256];
        const char *tail = strstr(line, " - ");
        if (tail == NULL || sscanf(line, "%*s %*s %*s %4095s %4095s", top, mount) != 2 ||
            sscanf(tail, " - %63s %*s %255s", type, controllers) != 2)
            continue;
        found = controller == NULL
                    ? strcmp(type, "cgroup2") == 0
                    : strcmp(type, "cgroup") == 0 && has_word(controllers, controller);
        if (found) {
            snprintf(out->top, sizeof out->top, "%s", top);
            found = snprintf(out->mount, sizeof out->mount, "%s%s", search->root, mount) <
                    (int)sizeof out->mount;
        }
    }
    if (file != NULL)
        fclose(file);
    return found;
}

/* "5:cpu,cpuacct:/group", "0::/group". */
static void find_group(const search *search, const char *controller, char group[PATH_BYTES])
{
    char line[LINE_BYTES];
    FILE *file = open_proc(search, "cgroup");
    strcpy(group, "/");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *controllers = strchr(line, ':');
        char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (path == NULL)
            continue;
        *path++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        if (controller == NULL ? controllers[1] == '\0' : has_word(controllers + 1, controller)) {
            snprintf(group, PATH_BYTES, "%s", path);
            break;
        }
    }
    if (file != NULL)
        fclose(file);
}

/* The group as seen from the mount: "/docker/a/b" below "/docker/a" is "/b". Of a group outside of
 * our namespace, "/../x", only the mount can be seen. */
static const char *below_mount(const char *group, const char *top)
{
    const size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);
    if (strncmp(group, top, length) == 0 && (group[length] == '/' || group[length] == '\0'))
        group += length;
    return strncmp(group, "/..", 3) == 0 && (group[3] == '/' || group[3] == '\0') ? "" : group;
}

static void ask(search *search, const char *controller, read_group *read)
{
    hierarchy hierarchy;
    char group[PATH_BYTES];
    char folder[2 * PATH_BYTES];
    if (!find_mount(search, controller, &hierarchy))
        return;
    find_group(search, controller, group);
    const size_t shortest = strlen(hierarchy.mount);
    snprintf(folder, sizeof folder, "%s%s", hierarchy.mount, below_mount(group, hierarchy.top));
    for (size_t length = strlen(folder); length > shortest; length = strlen(folder)) {
        read(search, folder);
        *strrchr(folder, '/') = '\0';
    }
    read(search, hierarchy.mount);
}

r2n_cgroup_limits r2n_cgroup_limits_read(const char *root)
{
    search search = {.root = root};
    ask(&search, NULL, read_version2);
    ask(&search, "cpu", read_version1_cpu);
    ask(&search, "memory", read_version1_memory);
    return search.found;
}
