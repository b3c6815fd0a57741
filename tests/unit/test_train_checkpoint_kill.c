/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run may be killed between any two changes of the folder. rename, link and unlink of the C
 * library are replaced: after each of them the folder is copied (by second names: no file of a save
 * is ever changed in place), and from every copy a run must go on from the last save or from the
 * one before it, and save again, killed at every place once more.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "unit/checkpoint_fixture.h"

enum { MAXIMUM_COPIES = 64 };

static char copied[256]; /* folder that is watched, "" for none */
static char copies[256]; /* where its copies go: copies/0, copies/1, ... */
static int copy_count;
static int renames_until_failure = -1; /* then one rename fails; -1: none does */
static int no_links;                   /* a file system without second names */

static void copy_folder(void)
{
    char to[320];
    snprintf(to, sizeof to, "%s/%d", copies, copy_count++);
    assert_true(copy_count < MAXIMUM_COPIES);
    assert_int_equal(mkdir(to, 0777), 0);
    DIR *directory = opendir(copied);
    assert_non_null(directory);
    for (const struct dirent *item; (item = readdir(directory)) != NULL;) {
        char a[640], b[640];
        if (item->d_name[0] == '.')
            continue;
        snprintf(a, sizeof a, "%s/%s", copied, item->d_name);
        snprintf(b, sizeof b, "%s/%s", to, item->d_name);
        assert_int_equal(syscall(SYS_linkat, AT_FDCWD, a, AT_FDCWD, b, 0), 0);
    }
    closedir(directory);
}

static void after_change(void)
{
    const int error = errno;
    if (copied[0] != '\0')
        copy_folder();
    errno = error;
}

/* The project hides what is not public; the library must find these. */
#define SEEN_BY_ALL __attribute__((visibility("default")))

SEEN_BY_ALL int rename(const char *from, const char *to)
{
    if (renames_until_failure >= 0 && renames_until_failure-- == 0) {
        errno = EIO;
        return -1;
    }
    const int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    after_change();
    return result;
}

SEEN_BY_ALL int link(const char *from, const char *to)
{
    if (no_links) {
        errno = EPERM;
        return -1;
    }
    const int result = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
    after_change();
    return result;
}

SEEN_BY_ALL int unlink(const char *path)
{
    const int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (result == 0)
        after_change();
    return result;
}

/* Nothing of this is about power cuts, and the disk is slow. */
SEEN_BY_ALL int fsync(int descriptor)
{
    (void)descriptor;
    return 0;
}

/* ---- killed between two changes -------------------------------------------------------------- */

/* Saves epoch `epoch` in a folder and gives the number of copies that were made on the way:
 * NAME/0, NAME/1, ... */
static int save_watched(const char *where, const char *name, int64_t epoch, int averages)
{
    char prefix[320];
    snprintf(prefix, sizeof prefix, "%s/latest", where);
    snprintf(copies, sizeof copies, "%s", in_folder(name));
    assert_int_equal(mkdir(copies, 0777), 0);
    snprintf(copied, sizeof copied, "%s", where);
    copy_count = 0;
    const res2net_status status = fixture_write(prefix, epoch, 1, averages, NULL);
    copied[0] = '\0';
    assert_int_equal(status, RES2NET_OK);
    assert_int_equal(expect_save(prefix, 1, averages), epoch);
    return copy_count;
}

/* Averages come and go from save to save: the odd ones have them. */
static int64_t epoch_in(const char *name, int number)
{
    char prefix[320];
    r2n_loaded_checkpoint loaded;
    snprintf(prefix, sizeof prefix, "%s/%d/latest", in_folder(name), number);
    const res2net_status status = r2n_checkpoint_read(prefix, NULL, &loaded, NULL);
    if (status != RES2NET_OK)
        fail_msg("%s, copy %d: %s", name, number, res2net_status_name(status));
    const int64_t epoch = loaded.run.epoch;
    expect_loaded(&loaded, 1, epoch % 2 == 1);
    r2n_loaded_checkpoint_free(&loaded);
    return epoch;
}

static void remove_copies(const char *name, int count)
{
    for (int i = 0; i < count; i++) {
        char path[320], file[640];
        snprintf(path, sizeof path, "%s/%d", in_folder(name), i);
        DIR *directory = opendir(path);
        assert_non_null(directory);
        for (const struct dirent *item; (item = readdir(directory)) != NULL;) {
            snprintf(file, sizeof file, "%s/%s", path, item->d_name);
            if (item->d_name[0] != '.')
                assert_int_equal(unlink(file), 0);
        }
        closedir(directory);
        assert_int_equal(rmdir(path), 0);
    }
    assert_int_equal(rmdir(in_folder(name)), 0);
}

static void test_killed_once_and_again(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("run"), 0777), 0);
    assert_int_equal(fixture_write(in_folder("run/latest"), 1, 1, 1, NULL), RES2NET_OK);
    const int first = save_watched(in_folder("run"), "a", 2, 0);
    int64_t last = 1;
    int olds = 0, news = 0;
    for (int i = 0; i < first; i++) {
        const int64_t epoch = epoch_in("a", i);
        assert_true(epoch == last || (last == 1 && epoch == 2));
        last = epoch;
        olds += epoch == 1;
        news += epoch == 2;
    }
    assert_true(olds > 5 && news > 2);
    for (int i = 0; i < first; i += 2) {
        char where[320];
        snprintf(where, sizeof where, "%s/%d", in_folder("a"), i);
        const int64_t before = epoch_in("a", i);
        const int second = save_watched(where, "b", 3, 1);
        last = before;
        for (int k = 0; k < second; k++) {
            const int64_t epoch = epoch_in("b", k);
            assert_true(epoch == last || (last == before && epoch == 3));
            last = epoch;
        }
        assert_int_equal(last, 3);
        remove_copies("b", second);
    }
}

/* The very first save: there is none, or it is whole. */
static void test_killed_in_the_first_save(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("run"), 0777), 0);
    const int count = save_watched(in_folder("run"), "a", 1, 1);
    int whole = 0;
    for (int i = 0; i < count; i++) {
        char prefix[320];
        r2n_loaded_checkpoint loaded;
        snprintf(prefix, sizeof prefix, "%s/%d/latest", in_folder("a"), i);
        const res2net_status status = r2n_checkpoint_read(prefix, NULL, &loaded, NULL);
        assert_true(status == RES2NET_OK || (status == RES2NET_NOT_FOUND && !whole));
        whole = status == RES2NET_OK;
        if (whole)
            r2n_loaded_checkpoint_free(&loaded);
    }
    assert_true(whole);
}

/* ---- renames that fail, file systems that link nothing --------------------------------------- */

static void expect_only_the_save(int files)
{
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (const struct dirent *item; (item = readdir(directory)) != NULL;)
        files -= item->d_name[0] != '.';
    closedir(directory);
    assert_int_equal(files, 0);
}

static void test_renames_that_fail(void **state)
{
    (void)state;
    int failures = 0;
    assert_int_equal(fixture_write(in_folder("save"), 1, 1, 1, NULL), RES2NET_OK);
    for (;; failures++) {
        renames_until_failure = failures;
        const res2net_status status = fixture_write(in_folder("save"), 2, 1, 1, NULL);
        const int failed = renames_until_failure < 0;
        renames_until_failure = -1;
        expect_only_the_save(5);
        if (!failed) {
            assert_int_equal(status, RES2NET_OK);
            break;
        }
        assert_int_equal(status, RES2NET_WRITE_FAILED);
        assert_int_equal(expect_save(in_folder("save"), 1, 1), 1);
    }
    assert_int_equal(failures, 15); /* five files written, kept and renamed */
    assert_int_equal(expect_save(in_folder("save"), 1, 1), 2);
}

static void test_without_links(void **state)
{
    (void)state;
    no_links = 1;
    assert_int_equal(mkdir(in_folder("run"), 0777), 0);
    assert_int_equal(fixture_write(in_folder("run/latest"), 1, 1, 1, NULL), RES2NET_OK);
    const int count = save_watched(in_folder("run"), "a", 2, 0);
    no_links = 0;
    for (int i = 0; i < count; i++)
        epoch_in("a", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_killed_once_and_again), FOLDER_TEST(test_killed_in_the_first_save),
        FOLDER_TEST(test_renames_that_fail), FOLDER_TEST(test_without_links)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
