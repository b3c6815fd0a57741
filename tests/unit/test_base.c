/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/report.h"
#include "base/thread_pool.h"

static void allocation_sizes_are_checked(void **state)
{
    (void)state;
    assert_null(r2n_allocate(SIZE_MAX / 2, 3));
    assert_null(r2n_allocate(SIZE_MAX, 1));
    void *block = r2n_allocate(3, 7);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % R2N_ALIGNMENT, 0);
    r2n_free(block);
    r2n_memory_fail_after(1);
    block = r2n_allocate(1, 1);
    assert_non_null(block);
    assert_null(r2n_allocate(1, 1));
    r2n_free(block);
    r2n_memory_fail_after(-1);
}

static void report_keeps_order_and_counts_what_it_drops(void **state)
{
    (void)state;
    res2net_report *report = res2net_report_create();
    for (int i = 0; i < 5000; i++)
        assert_int_equal(r2n_fail(report, RES2NET_DAMAGED, "a.bin", i, "number %d", i),
                         RES2NET_DAMAGED);
    assert_int_equal(res2net_report_count(report), 4096);
    assert_int_equal(res2net_report_dropped(report), 5000 - 4096);
    const res2net_problem *problem = res2net_report_problem(report, 7);
    assert_string_equal(problem->text, "number 7");
    assert_string_equal(problem->file, "a.bin");
    assert_int_equal(problem->offset, 7);
    assert_int_equal(problem->line, -1);
    res2net_report_clear(report);
    assert_int_equal(r2n_fail_line(report, RES2NET_BAD_LIST, NULL, 3, "x"), RES2NET_BAD_LIST);
    assert_int_equal(res2net_report_problem(report, 0)->line, 3);
    res2net_report_destroy(report);
    assert_string_equal(res2net_status_name(RES2NET_BAD_PICTURE), "RES2NET_BAD_PICTURE");
}

static void files_are_written_whole_or_not_at_all(void **state)
{
    (void)state;
    char folder[] = "/tmp/r2n_test_XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    snprintf(path, sizeof path, "%s/file", folder);
    r2n_file_writer *writer;
    assert_int_equal(r2n_writer_open(path, &writer, NULL), RES2NET_OK);
    r2n_writer_put(writer, "head", 4);
    r2n_writer_put(writer, "tail", 4);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(r2n_writer_close(writer, NULL), RES2NET_OK);
    r2n_file_bytes file;
    assert_int_equal(r2n_file_read(path, 100, &file, NULL), RES2NET_OK);
    assert_int_equal(file.size, 8);
    assert_memory_equal(file.data, "headtail", 8);
    r2n_file_release(&file);
    assert_int_equal(r2n_file_read(path, 7, &file, NULL), RES2NET_LIMIT_EXCEEDED);
    assert_int_equal(r2n_file_read(folder, 100, &file, NULL), RES2NET_READ_FAILED);
    assert_int_equal(r2n_writer_open(path, &writer, NULL), RES2NET_OK);
    r2n_writer_put(writer, "other", 5);
    r2n_writer_discard(writer);
    char **names;
    size_t count;
    assert_int_equal(r2n_os_list_directory(folder, &names, &count, NULL), RES2NET_OK);
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "file");
    r2n_free(names[0]);
    r2n_free(names);
    unlink(path);
    assert_int_equal(r2n_file_read(path, 100, &file, NULL), RES2NET_NOT_FOUND);
    rmdir(folder);
    assert_int_equal(r2n_writer_open("/nonexistent/x", &writer, NULL), RES2NET_WRITE_FAILED);
}

typedef struct counts {
    _Atomic int ran;
    int cells[64];
    int wrong;
} counts;

/* Each thread writes its cell, waits, then checks its neighbour's: the barrier orders memory. */
static void count_task(void *context, r2n_team *team, int thread, int threads)
{
    counts *c = context;
    atomic_fetch_add(&c->ran, 1);
    for (int round = 1; round <= 200; round++) {
        c->cells[thread] = round;
        r2n_team_barrier(team);
        if (c->cells[(thread + 1) % threads] != round)
            c->wrong = 1;
        r2n_team_barrier(team);
    }
}

/* Pipes without a writer are refused at once; links are followed; what is no file stays. */
static void odd_files_are_not_waited_for_nor_replaced(void **state)
{
    (void)state;
    char folder[] = "/tmp/r2n_odd_XXXXXX";
    char pipe_path[64], real_path[64], link_path[64];
    struct stat status;
    r2n_file_bytes file;
    r2n_file_writer *writer;
    assert_non_null(mkdtemp(folder));
    snprintf(pipe_path, sizeof pipe_path, "%s/pipe", folder);
    snprintf(real_path, sizeof real_path, "%s/real", folder);
    snprintf(link_path, sizeof link_path, "%s/link", folder);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(r2n_file_read(pipe_path, 100, &file, NULL), RES2NET_READ_FAILED);
    assert_int_equal(r2n_writer_open(pipe_path, &writer, NULL), RES2NET_WRITE_FAILED);
    assert_null(writer);
    assert_int_equal(symlink("real", link_path), 0);
    assert_int_equal(r2n_writer_open(link_path, &writer, NULL), RES2NET_WRITE_FAILED);
    assert_int_equal(r2n_writer_open(real_path, &writer, NULL), RES2NET_OK);
    assert_int_equal(r2n_writer_close(writer, NULL), RES2NET_OK);
    assert_int_equal(r2n_writer_open(link_path, &writer, NULL), RES2NET_OK);
    r2n_writer_put(writer, "new", 3);
    assert_int_equal(r2n_writer_close(writer, NULL), RES2NET_OK);
    assert_int_equal(lstat(link_path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(stat(real_path, &status), 0);
    assert_int_equal(status.st_size, 3);
    unlink(pipe_path);
    unlink(link_path);
    unlink(real_path);
    rmdir(folder);
}

/* A new file's mode is what the umask leaves, a replaced one keeps its own; nobody's umask moves.
 */
static void modes_are_kept_without_touching_the_umask(void **state)
{
    (void)state;
    char folder[] = "/tmp/r2n_mode_XXXXXX";
    char path[64];
    struct stat status;
    r2n_file_writer *writer;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    const mode_t old = umask(026);
    assert_int_equal(r2n_writer_open(path, &writer, NULL), RES2NET_OK);
    assert_int_equal(r2n_writer_close(writer, NULL), RES2NET_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(chmod(path, 0604), 0);
    assert_int_equal(r2n_writer_open(path, &writer, NULL), RES2NET_OK);
    r2n_writer_put(writer, "new", 3);
    assert_int_equal(r2n_writer_close(writer, NULL), RES2NET_OK);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0604);
    assert_int_equal(status.st_size, 3);
    assert_int_equal(umask(old), 026);
    unlink(path);
    rmdir(folder);
}

static void devices_are_not_read_without_end(void **state)
{
    (void)state;
    r2n_file_bytes file;
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_file_read("/dev/zero", SIZE_MAX, &file, report), RES2NET_READ_FAILED);
    assert_string_equal(res2net_report_problem(report, 0)->text,
                        "is a device; a file was expected");
    assert_int_equal(r2n_file_read("/dev/null", 100, &file, report), RES2NET_OK);
    assert_int_equal(file.size, 0);
    r2n_file_release(&file);
    res2net_report_destroy(report);
}

static void memory_limits_are_known(void **state)
{
    (void)state;
    assert_true(r2n_os_memory_bytes() > (uint64_t)64 << 20);
    assert_true(r2n_os_memory_bytes() >= r2n_os_peak_memory_bytes());
}

static void pool_runs_every_thread_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 5; threads++)
        for (int repeat = 0; repeat < 20; repeat++) {
            counts c = {0};
            r2n_thread_pool_run(threads, count_task, &c);
            assert_int_equal(c.ran, threads);
            assert_int_equal(c.wrong, 0);
        }
    r2n_thread_pool_shutdown();
    counts c = {0};
    r2n_thread_pool_run(3, count_task, &c);
    assert_int_equal(c.ran, 3);
    r2n_thread_pool_shutdown();
}

/* The state letter of each thread of this process but the caller: 'R' runs, 'S' sleeps. Returns how
 * many there are, and how many of them sleep. */
static int count_other_threads(int *asleep)
{
    char **names;
    size_t count;
    int others = 0;
    *asleep = 0;
    assert_int_equal(r2n_os_list_directory("/proc/self/task", &names, &count, NULL), RES2NET_OK);
    for (size_t i = 0; i < count; i++) {
        char path[64], text[512] = "";
        snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", names[i]);
        FILE *file = strtol(names[i], NULL, 10) == (long)getpid() ? NULL : fopen(path, "r");
        if (file != NULL) {
            text[fread(text, 1, sizeof text - 1, file)] = '\0';
            fclose(file);
            const char *state = strrchr(text, ')');
            others++;
            *asleep += state != NULL && state[2] == 'S';
        }
        r2n_free(names[i]);
    }
    r2n_free(names);
    return others;
}

/* Workers that spun would never be seen asleep all at once. */
static void idle_workers_sleep(void **state)
{
    (void)state;
    enum { LOOKS = 1000000 };
    counts c = {0};
    int asleep = 0, others = 0;
    r2n_thread_pool_run(4, count_task, &c);
    for (int i = 0; i < LOOKS && (others == 0 || asleep < others); i++)
        others = count_other_threads(&asleep);
    assert_true(others >= 3); /* sanitizers have a thread of their own */
    assert_int_equal(asleep, others);
    r2n_thread_pool_shutdown();
}

static void *run_a_job(void *argument)
{
    counts c = {0};
    r2n_thread_pool_run(4, count_task, &c);
    *(int *)argument = c.wrong == 0 && c.ran >= 1 && c.ran <= 4;
    return NULL;
}

/* Sessions of several threads share the workers: nobody starts a pool of their own. */
static void callers_share_one_pool(void **state)
{
    (void)state;
    enum { CALLERS = 8 };
    pthread_t callers[CALLERS];
    int fine[CALLERS] = {0}, asleep;
    r2n_thread_pool_shutdown();
    const int before = count_other_threads(&asleep);
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, run_a_job, &fine[i]), 0);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i], NULL);
        assert_int_equal(fine[i], 1);
    }
    counts c = {0};
    r2n_thread_pool_run(4, count_task, &c);
    assert_int_equal(c.ran, 4);
    /* A joined thread may still stand in /proc for a moment. */
    int after = count_other_threads(&asleep);
    for (int i = 0; i < 1000000 && after != before + 3; i++)
        after = count_other_threads(&asleep);
    assert_int_equal(after, before + 3);
    r2n_thread_pool_shutdown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocation_sizes_are_checked),
        cmocka_unit_test(report_keeps_order_and_counts_what_it_drops),
        cmocka_unit_test(files_are_written_whole_or_not_at_all),
        cmocka_unit_test(odd_files_are_not_waited_for_nor_replaced),
        cmocka_unit_test(modes_are_kept_without_touching_the_umask),
        cmocka_unit_test(devices_are_not_read_without_end),
        cmocka_unit_test(memory_limits_are_known),
        cmocka_unit_test(pool_runs_every_thread_once),
        cmocka_unit_test(idle_workers_sleep),
        cmocka_unit_test(callers_share_one_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
