/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the first, second, ... allocation of a call fail until none is left that could.
 *
 * In a plain build the allocator of the whole process is replaced: allocations of libjpeg, libpng,
 * libwebp, libyaml and the C library fail too, blocks that are not given back are counted, and each
 * call is also tried with every allocation from the n-th on failing. Under a sanitizer, which has
 * an allocator of its own, only the library's own allocations fail (base/memory.h), and the
 * sanitizer looks for leaks.
 */
#ifndef R2N_TESTS_FAILING_MEMORY_H
#define R2N_TESTS_FAILING_MEMORY_H

#include "unit/expect.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "formats/crc32.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define R2N_TEST_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define R2N_TEST_SANITIZED 1
#endif

/* The thread sanitizer is slow and finds nothing here: there, every 17th allocation fails. */
#if defined(__SANITIZE_THREAD__)
enum { FAILING_STRIDE = 17 };
#else
enum { FAILING_STRIDE = 1 };
#endif

typedef enum failing_mode { FAIL_ONCE, FAIL_FROM_THEN_ON } failing_mode;

/* Of the library's own allocations. */
static int64_t failing_start;
static int64_t failing_number;

static inline void failing_arm_ours(int64_t successes)
{
    failing_start = r2n_memory_allocations();
    failing_number = successes;
    r2n_memory_fail_after(successes);
}

/* Whether one failed. */
static inline int failing_disarm_ours(void)
{
    r2n_memory_fail_after(-1);
    return r2n_memory_allocations() - failing_start > failing_number;
}

#ifdef R2N_TEST_SANITIZED

static inline int64_t failing_live_blocks(void)
{
    return 0; /* the sanitizer counts */
}

static inline void failing_arm(int64_t successes, failing_mode mode)
{
    (void)mode;
    failing_arm_ours(successes);
}

static inline int failing_disarm(void)
{
    return failing_disarm_ours();
}

enum { FAILING_MODES = 1 };

#else

/* glibc's own allocator, under the names it has for those who replace it. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *block, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);
extern void __libc_free(void *block);

/* The project hides what is not public; shared libraries must find these. */
#define SEEN_BY_ALL __attribute__((visibility("default")))

static _Atomic int64_t failing_live;
static _Atomic int64_t failing_left = INT64_MAX; /* successes to come; below 0: failed */
static _Atomic int failing_for_good;

static int failing_now(void)
{
    if (atomic_load(&failing_left) == INT64_MAX)
        return 0;
    const int64_t left = atomic_fetch_sub(&failing_left, 1);
    if (left == 0 || (left < 0 && atomic_load(&failing_for_good))) {
        errno = ENOMEM;
        return 1;
    }
    return 0;
}

static void *failing_count(void *block)
{
    if (block != NULL)
        atomic_fetch_add(&failing_live, 1);
    return block;
}

SEEN_BY_ALL void *malloc(size_t bytes)
{
    return failing_now() ? NULL : failing_count(__libc_malloc(bytes));
}

SEEN_BY_ALL void *calloc(size_t count, size_t bytes)
{
    return failing_now() ? NULL : failing_count(__libc_calloc(count, bytes));
}

SEEN_BY_ALL void *realloc(void *block, size_t bytes)
{
    if (failing_now())
        return NULL;
    void *moved = __libc_realloc(block, bytes);
    return block == NULL ? failing_count(moved) : moved;
}

SEEN_BY_ALL void *aligned_alloc(size_t alignment, size_t bytes)
{
    return failing_now() ? NULL : failing_count(__libc_memalign(alignment, bytes));
}

SEEN_BY_ALL void *memalign(size_t alignment, size_t bytes)
{
    return aligned_alloc(alignment, bytes);
}

SEEN_BY_ALL int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    void *got = aligned_alloc(alignment, bytes);
    if (got == NULL)
        return ENOMEM;
    *block = got;
    return 0;
}

SEEN_BY_ALL void free(void *block)
{
    if (block != NULL)
        atomic_fetch_sub(&failing_live, 1);
    __libc_free(block);
}

static inline int64_t failing_live_blocks(void)
{
    return atomic_load(&failing_live);
}

static inline void failing_arm(int64_t successes, failing_mode mode)
{
    atomic_store(&failing_for_good, mode == FAIL_FROM_THEN_ON);
    atomic_store(&failing_left, successes);
}

static inline int failing_disarm(void)
{
    return atomic_exchange(&failing_left, INT64_MAX) < 0;
}

enum { FAILING_MODES = 2 };

#endif

/* What is in a folder: names and contents, in any order. 0 where there is no folder to look at. */
static inline uint64_t failing_folder_sum(const char *folder)
{
    uint64_t sum = 0;
    DIR *directory = folder == NULL ? NULL : opendir(folder);
    if (directory == NULL)
        return 0;
    for (const struct dirent *item; (item = readdir(directory)) != NULL;) {
        char path[PATH_MAX];
        r2n_file_bytes file;
        snprintf(path, sizeof path, "%s/%s", folder, item->d_name);
        const uint32_t name = r2n_crc32(0, item->d_name, strlen(item->d_name));
        uint32_t bytes = 0;
        if (!r2n_os_is_directory(path) &&
            r2n_file_read(path, SIZE_MAX, &file, NULL) == RES2NET_OK) {
            bytes = r2n_crc32(1, file.data, file.size);
            r2n_file_release(&file);
        }
        sum += ((uint64_t)name << 32 | bytes) * 0x9E3779B97F4A7C15u;
    }
    closedir(directory);
    return sum;
}

typedef struct failing_call {
    const char *name;
    /* Makes the call and gives back all that it took. INTERNAL where its answer is wrong. */
    res2net_status (*attempt)(void *context, res2net_report *report);
    void *context;
    const char *folder; /* must be as before after each failure; or NULL */
    const char *target; /* a file of the folder, removed before each attempt; or NULL */
    int64_t stride;     /* every how many-th allocation fails; 0: each */
    /* Faults of kept libraries when they lack memory. */
    int lost_blocks; /* blocks that one of them may lose */
    int ours_only;   /* 1: allocations of libraries do not fail */
} failing_call;

static inline res2net_status failing_attempt(const failing_call *call, res2net_report *report)
{
    if (call->target != NULL)
        unlink(call->target);
    return call->attempt(call->context, report);
}

/* One failure; 0 once there was none to fail. */
static inline int failing_try(const failing_call *call, failing_mode mode, int64_t number,
                              res2net_status expected, int64_t *unharmed)
{
    const int64_t live = failing_live_blocks();
    res2net_report *report = res2net_report_create();
    if (call->target != NULL)
        unlink(call->target);
    const uint64_t files = failing_folder_sum(call->folder);
    if (call->ours_only)
        failing_arm_ours(number);
    else
        failing_arm(number, mode);
    const res2net_status status = call->attempt(call->context, report);
    const int failed = call->ours_only ? failing_disarm_ours() : failing_disarm();
    const int bad = status != RES2NET_OUT_OF_MEMORY && status != expected;
    for (size_t i = 0; bad && i < res2net_report_count(report); i++)
        print_error("%s\n", res2net_report_problem(report, i)->text);
    res2net_report_destroy(report);
    const int64_t kept = failing_live_blocks() - live;
    if (bad)
        fail_msg("%s: allocation %lld failed: %s", call->name, (long long)number,
                 res2net_status_name(status));
    if (kept < 0 || kept > call->lost_blocks)
        fail_msg("%s: allocation %lld failed: %lld blocks were not given back", call->name,
                 (long long)number, (long long)kept);
    if (status != expected && failing_folder_sum(call->folder) != files)
        fail_msg("%s: allocation %lld failed: files were left or changed", call->name,
                 (long long)number);
    *unharmed += failed && status == expected;
    return failed;
}

/*
 * The call must end as it does with all memory it wants (`expected`), or in OUT_OF_MEMORY; must
 * give back every block, leave no file, and work afterwards.
 */
static inline void expect_failures_survived(const failing_call *call, res2net_status expected)
{
    const int64_t stride = (call->stride > 0 ? call->stride : 1) * FAILING_STRIDE;
    /* What is made once and kept (threads, tables of the C library) is made now. */
    for (int i = 0; i < 2; i++) {
        const res2net_status status = failing_attempt(call, NULL);
        if (status != expected)
            fail_msg("%s: %s without any failure", call->name, res2net_status_name(status));
    }
    for (int mode = 0; mode < (call->ours_only ? 1 : FAILING_MODES); mode++) {
        int64_t number = 0, unharmed = 0, tries = 0;
        while (failing_try(call, (failing_mode)mode, number, expected, &unharmed)) {
            number += stride;
            tries++;
        }
        print_message("%s%s: %lld failures (every %lld.), %lld of them without harm\n", call->name,
                      mode == FAIL_ONCE ? "" : ", all from then on", (long long)tries,
                      (long long)stride, (long long)unharmed);
        assert_true(tries > 0);
    }
    assert_int_equal(failing_attempt(call, NULL), expected);
}

#endif
