/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of control groups, over made-up /proc and /sys trees: version 2, version 1, both, in and
 * out of containers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/os.h"

typedef struct made_file {
    const char *path; /* below the tree's root; NULL ends a tree */
    const char *text;
} made_file;

enum { MOST_FILES = 16 };

/* What stands in the mount tables of real systems. */
static const char version2_mount[] =
    "24 30 0:22 / /proc rw,nosuid - proc proc rw\n"
    "35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
static const char version1_mounts[] =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

static void remove_upwards(const char *root, const char *path)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%s", root, path);
    unlink(name);
    for (size_t length = strlen(root); strlen(name) > length;) {
        *strrchr(name, '/') = '\0';
        rmdir(name);
    }
}

static r2n_cgroup_limits limits_of(const made_file tree[MOST_FILES])
{
    char root[] = "/tmp/r2n_cgroup_XXXXXX";
    char path[512];
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < MOST_FILES && tree[i].path != NULL; i++) {
        snprintf(path, sizeof path, "%s/%s", root, tree[i].path);
        make_folders(path);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(tree[i].text, file);
        assert_int_equal(fclose(file), 0);
    }
    const r2n_cgroup_limits found = r2n_cgroup_limits_read(root);
    for (size_t i = 0; i < MOST_FILES && tree[i].path != NULL; i++)
        remove_upwards(root, tree[i].path);
    rmdir(root);
    assert_int_not_equal(access(root, F_OK), 0);
    return found;
}

static void check(const made_file tree[MOST_FILES], double quota, uint64_t memory)
{
    const r2n_cgroup_limits found = limits_of(tree);
    assert_true(found.quota == quota);
    assert_int_equal(found.memory_bytes, memory);
}

static void no_limit_is_none(void **state)
{
    (void)state;
    const made_file nothing[MOST_FILES] = {{NULL, NULL}};
    check(nothing, 0, 0);
    const made_file maximum[MOST_FILES] = {
        {"proc/self/mountinfo", version2_mount},
        {"proc/self/cgroup", "0::/user.slice\n"},
        {"sys/fs/cgroup/user.slice/cpu.max", "max 100000\n"},
        {"sys/fs/cgroup/user.slice/memory.max", "max\n"},
    };
    check(maximum, 0, 0);
    const made_file largest[MOST_FILES] = {
        {"proc/self/mountinfo", version1_mounts},
        {"proc/self/cgroup", "4:memory:/\n3:cpu,cpuacct:/\n0::/\n"},
        {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"},
        {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"},
        {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
    };
    check(largest, 0, 0);
}

static void version2_takes_the_smallest_of_all_parents(void **state)
{
    (void)state;
    const made_file tree[MOST_FILES] = {
        {"proc/self/mountinfo", version2_mount},
        {"proc/self/cgroup", "0::/system.slice/docker-1.scope/job\n"},
        {"sys/fs/cgroup/system.slice/docker-1.scope/job/cpu.max", "max 100000\n"},
        {"sys/fs/cgroup/system.slice/docker-1.scope/job/memory.max", "8589934592\n"},
        {"sys/fs/cgroup/system.slice/docker-1.scope/cpu.max", "150000 100000\n"},
        {"sys/fs/cgroup/system.slice/docker-1.scope/memory.max", "2147483648\n"},
        {"sys/fs/cgroup/system.slice/cpu.max", "800000 100000\n"},
        {"sys/fs/cgroup/system.slice/memory.max", "max\n"},
        /* a neighbour's limits are not ours */
        {"sys/fs/cgroup/other.slice/cpu.max", "1000 100000\n"},
        {"sys/fs/cgroup/other.slice/memory.max", "4096\n"},
    };
    check(tree, 1.5, 2147483648u);
}

/* Inside a container with a namespace of its own, the group is "/", its files stand at the mount.
 */
static void version2_in_a_container(void **state)
{
    (void)state;
    const made_file own[MOST_FILES] = {
        {"proc/self/mountinfo", version2_mount},
        {"proc/self/cgroup", "0::/\n"},
        {"sys/fs/cgroup/cpu.max", "50000 100000\n"},
        {"sys/fs/cgroup/memory.max", "1073741824\n"},
    };
    check(own, 0.5, 1073741824);
    const made_file outside[MOST_FILES] = {
        {"proc/self/mountinfo", version2_mount},
        {"proc/self/cgroup", "0::/../../elsewhere\n"},
        {"sys/fs/cgroup/cpu.max", "200000 100000\n"},
    };
    check(outside, 2, 0);
}

static void version1_walks_each_controller(void **state)
{
    (void)state;
    const made_file tree[MOST_FILES] = {
        {"proc/self/mountinfo", version1_mounts},
        {"proc/self/cgroup",
         "9:name=systemd:/\n5:cpuset:/wrong\n4:memory:/a/b\n2:cpu,cpuacct:/c/d\n0::/\n"},
        {"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "250000\n"},
        {"sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "100000\n"},
        {"sys/fs/cgroup/cpu,cpuacct/c/d/cpu.cfs_quota_us", "-1\n"},
        {"sys/fs/cgroup/cpu,cpuacct/c/d/cpu.cfs_period_us", "100000\n"},
        {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
        {"sys/fs/cgroup/memory/a/memory.limit_in_bytes", "536870912\n"},
        {"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "1073741824\n"},
        {"sys/fs/cgroup/cpuset/wrong/cpu.cfs_quota_us", "1000\n"},
    };
    check(tree, 2.5, 536870912);
}

/* Version 1 in a container without a namespace: the names are the host's, the mount's top is the
 * container. And some controllers of version 1 with others of version 2. */
static void version1_in_a_container_and_mixtures(void **state)
{
    (void)state;
    const made_file container[MOST_FILES] = {
        {"proc/self/mountinfo",
         "32 31 0:29 /docker/4f /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
         "35 31 0:32 /docker/4f /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"},
        {"proc/self/cgroup", "4:memory:/docker/4f/inner\n2:cpu:/docker/4f\n"},
        {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n"},
        {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"},
        {"sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "268435456\n"},
    };
    check(container, 3, 268435456);
    const made_file mixed[MOST_FILES] = {
        {"proc/self/mountinfo", version1_mounts},
        {"proc/self/cgroup", "4:memory:/m\n0::/u\n"},
        {"sys/fs/cgroup/unified/u/cpu.max", "400000 100000\n"},
        {"sys/fs/cgroup/memory/m/memory.limit_in_bytes", "134217728\n"},
    };
    check(mixed, 4, 134217728);
}

static void nonsense_is_no_limit(void **state)
{
    (void)state;
    const made_file tree[MOST_FILES] = {
        {"proc/self/mountinfo", "\n - \n1 2 3\nx - cgroup2\n"
                                "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"},
        {"proc/self/cgroup", "\n:\n::\n0::relative\n"},
        {"sys/fs/cgroup/cpu.max", "-5 0\n"},
        {"sys/fs/cgroup/memory.max", "lots\n"},
    };
    check(tree, 0, 0);
}

static void processors_in_use_are_the_smaller_number(void **state)
{
    (void)state;
    const r2n_processor_limits found = r2n_os_processor_limits();
    int wanted = found.affinity;
    if (found.quota > 0 && found.quota <= wanted - 1)
        wanted = (int)found.quota + (found.quota > (int)found.quota);
    assert_true(found.affinity >= 1 && found.affinity <= found.online);
    assert_int_equal(found.usable, wanted < 1 ? 1 : wanted);
    assert_int_equal(r2n_usable_processors(16, 0), 16);
    assert_int_equal(r2n_usable_processors(16, 2), 2);
    assert_int_equal(r2n_usable_processors(16, 1.01), 2);
    assert_int_equal(r2n_usable_processors(16, 0.1), 1);
    assert_int_equal(r2n_usable_processors(2, 64), 2);
    assert_int_equal(r2n_usable_processors(0, 0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_limit_is_none),
        cmocka_unit_test(version2_takes_the_smallest_of_all_parents),
        cmocka_unit_test(version2_in_a_container),
        cmocka_unit_test(version1_walks_each_controller),
        cmocka_unit_test(version1_in_a_container_and_mixtures),
        cmocka_unit_test(nonsense_is_no_limit),
        cmocka_unit_test(processors_in_use_are_the_smaller_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
