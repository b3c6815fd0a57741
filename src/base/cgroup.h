/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that control groups (cgroup v2, v1, or both) put on this process. */
#ifndef R2N_BASE_CGROUP_H
#define R2N_BASE_CGROUP_H

#include <stdint.h>

typedef struct r2n_cgroup_limits {
    double quota;          /* processors, 0 for no limit */
    uint64_t memory_bytes; /* 0 for no limit */
} r2n_cgroup_limits;

/* The smallest limits of the process's group and of all groups above it, as far as they can be
 * seen. `root` stands before /proc and /sys: "" in earnest, a made-up tree in tests. What cannot be
 * read is no limit. */
r2n_cgroup_limits r2n_cgroup_limits_read(const char *root);

#endif
