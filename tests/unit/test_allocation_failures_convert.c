/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of convert may fail, and every write: the file appears whole or not at all. */
#include "unit/failing_memory.h"
#include "unit/small_model.h"

#include <signal.h>
#include <sys/resource.h>

static char folder[64];
static res2net_model *model;

static const char *const targets[] = {"net.r2n", "net.safetensors", "net.pdparams"};
enum { TARGETS = sizeof targets / sizeof *targets };

static void path_of(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", folder, name);
}

static int set_up(void **state)
{
    (void)state;
    small_folder_make(folder);
    model = small_model(RES2NET_FAMILY_PADDLE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_model_destroy(model);
    small_folder_remove(folder);
    return 0;
}

/* ---- memory ---------------------------------------------------------------------------------- */

typedef struct conversion {
    const char *from;
    const char *to;
} conversion;

static res2net_status convert(void *context, res2net_report *report)
{
    const conversion *c = context;
    const res2net_save_options keep = {.keep_family = 1};
    res2net_model *loaded;
    res2net_status status = res2net_model_load(c->from, NULL, &loaded, report);
    if (status != RES2NET_OK)
        return status;
    status = res2net_model_save(loaded, c->to, &keep, report);
    res2net_model_destroy(loaded);
    return status;
}

/* Each format to each other: where no file is yet, and over one that is there. */
static void conversions(void **state)
{
    (void)state;
    const res2net_save_options keep = {.keep_family = 1};
    for (size_t i = 0; i < TARGETS * TARGETS; i++) {
        char from[128], to[128], name[64];
        path_of("from", from);
        snprintf(from + strlen(from), sizeof from - strlen(from), "_%s", targets[i / TARGETS]);
        path_of(targets[i % TARGETS], to);
        assert_int_equal(res2net_model_save(model, from, &keep, NULL), RES2NET_OK);
        conversion c = {from, to};
        failing_call call = {.name = name, .attempt = convert, .context = &c, .folder = folder};
        for (int fresh = 0; fresh < 2; fresh++) {
            snprintf(name, sizeof name, "%s to %s, %s", targets[i / TARGETS], targets[i % TARGETS],
                     fresh ? "a new file" : "over an old one");
            call.target = fresh ? to : NULL;
            expect_failures_survived(&call, RES2NET_OK);
        }
        unlink(from);
        unlink(to);
    }
}

/* The same through a link: the file it leads to is replaced. */
static void a_link_is_followed(void **state)
{
    (void)state;
    char from[128], to[128], link[128];
    path_of("from.r2n", from);
    path_of("to.r2n", to);
    path_of("link.r2n", link);
    assert_int_equal(res2net_model_save(model, from, NULL, NULL), RES2NET_OK);
    assert_int_equal(res2net_model_save(model, to, NULL, NULL), RES2NET_OK);
    assert_int_equal(symlink("to.r2n", link), 0);
    conversion c = {from, link};
    const failing_call call = {
        .name = "into a link", .attempt = convert, .context = &c, .folder = folder};
    expect_failures_survived(&call, RES2NET_OK);
    unlink(from);
    unlink(to);
    unlink(link);
}

/* ---- the disk -------------------------------------------------------------------------------- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that is full after any number of bytes: the old file stays, nothing else is left. */
static void a_full_disk(void **state)
{
    (void)state;
    const res2net_save_options keep = {.keep_family = 1};
    res2net_report *report = res2net_report_create();
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < TARGETS; i++) {
        char to[128];
        path_of(targets[i], to);
        assert_int_equal(res2net_model_save(model, to, &keep, NULL), RES2NET_OK);
        const uint64_t files = failing_folder_sum(folder);
        r2n_file_bytes whole = expect_file(to);
        const size_t size = whole.size;
        r2n_file_release(&whole);
        assert_true(size > 1000);
        for (size_t room = 0; room < size; room += 1 + size / 40) {
            limit_files(room);
            const res2net_status status = res2net_model_save(model, to, &keep, report);
            limit_files(before.rlim_cur);
            assert_int_equal(status, RES2NET_WRITE_FAILED);
            expect_problem(report, RES2NET_WRITE_FAILED, "untouched");
            if (failing_folder_sum(folder) != files)
                fail_msg("%s: a disk full after %zu bytes left or changed files", targets[i], room);
        }
        assert_int_equal(res2net_model_save(model, to, &keep, report), RES2NET_OK);
        assert_true(failing_folder_sum(folder) == files);
        unlink(to);
    }
    signal(SIGXFSZ, SIG_DFL);
    res2net_report_destroy(report);
}

/* Places that cannot be written to. */
static void no_place(void **state)
{
    (void)state;
    char inside[160], path[128];
    res2net_report *report = res2net_report_create();
    path_of("gone/net.r2n", path);
    assert_int_equal(res2net_model_save(model, path, NULL, report), RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "cannot create");
    assert_int_equal(res2net_model_save(model, "/dev/full.r2n/x.r2n", NULL, report),
                     RES2NET_WRITE_FAILED);
    /* A file where a folder should be; a folder where the file should be. */
    path_of("file", path);
    small_text(path, "x");
    snprintf(inside, sizeof inside, "%s/net.r2n", path);
    assert_int_equal(res2net_model_save(model, inside, NULL, report), RES2NET_WRITE_FAILED);
    unlink(path);
    path_of("folder.r2n", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(res2net_model_save(model, path, NULL, report), RES2NET_WRITE_FAILED);
    rmdir(path);
    path_of("loop.r2n", path);
    assert_int_equal(symlink("loop.r2n", path), 0);
    assert_int_equal(res2net_model_save(model, path, NULL, report), RES2NET_WRITE_FAILED);
    unlink(path);
    res2net_report_destroy(report);
}

/* A folder that vanishes, or turns read-only, between the first byte and the rename. */
static void a_folder_that_vanishes(void **state)
{
    (void)state;
    char place[128], moved[128], path[160];
    r2n_file_writer *writer;
    res2net_report *report = res2net_report_create();
    path_of("place", place);
    path_of("moved", moved);
    snprintf(path, sizeof path, "%s/a.npy", place);
    assert_int_equal(mkdir(place, 0700), 0);
    assert_int_equal(r2n_writer_open(path, &writer, report), RES2NET_OK);
    r2n_writer_put(writer, "abc", 3);
    assert_int_equal(rename(place, moved), 0);
    assert_int_equal(r2n_writer_close(writer, report), RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "cannot write");
    snprintf(path, sizeof path, "%s/a.npy", moved);
    assert_int_not_equal(access(path, F_OK), 0);
    res2net_report_destroy(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversions),
        cmocka_unit_test(a_link_is_followed),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(no_place),
        cmocka_unit_test(a_folder_that_vanishes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
