/* SPDX-License-Identifier: Apache-2.0 */
/* Saves and reads of them with too little memory: the old save stays as it was. */
#include "unit/failing_memory.h"

#include "unit/checkpoint_fixture.h"

/* Nothing of this is about power cuts, and the disk is slow. */
__attribute__((visibility("default"))) int fsync(int descriptor)
{
    (void)descriptor;
    return 0;
}

static res2net_status write_it(void *context, res2net_report *report)
{
    const fixture *f = context;
    return r2n_checkpoint_write(in_folder("save"), &f->checkpoint, report);
}

static res2net_status read_it(void *context, res2net_report *report)
{
    r2n_loaded_checkpoint loaded;
    (void)context;
    const res2net_status status = r2n_checkpoint_read(in_folder("save"), NULL, &loaded, report);
    if (status == RES2NET_OK)
        r2n_loaded_checkpoint_free(&loaded);
    return status;
}

static void test_write(void **state)
{
    (void)state;
    fixture *f = fixture_make(1, 2, 1);
    const failing_call call = {.name = "save", .attempt = write_it, .context = f, .folder = folder};
    expect_failures_survived(&call, RES2NET_OK);
    assert_int_equal(expect_save(in_folder("save"), 2, 1), 1);
    fixture_free(f);
}

static void test_read(void **state)
{
    (void)state;
    const failing_call call = {.name = "read", .attempt = read_it, .folder = folder, .stride = 7};
    assert_int_equal(fixture_write(in_folder("save"), 1, 2, 1, NULL), RES2NET_OK);
    expect_failures_survived(&call, RES2NET_OK);
}

/* A mixed save beside a whole one before it: without memory neither is touched, and the older one
 * is not taken for want of memory to look at the newer one. */
static void test_beside_a_previous_one(void **state)
{
    (void)state;
    fixture *f = fixture_make(3, 1, 0);
    static const char *const endings[] = {"pdparams", "pdopt", "r2n", "pdstates"};
    assert_int_equal(fixture_write(in_folder("save"), 2, 1, 0, NULL), RES2NET_OK);
    assert_int_equal(fixture_write(in_folder("save.previous"), 1, 1, 0, NULL), RES2NET_OK);
    const failing_call whole = {
        .name = "read a whole one", .attempt = read_it, .folder = folder, .stride = 7};
    expect_failures_survived(&whole, RES2NET_OK);
    assert_int_equal(expect_save(in_folder("save"), 1, 0), 2);
    unlink(in_folder("save.pdopt"));
    const failing_call mixed = {
        .name = "read a mixed one", .attempt = read_it, .folder = folder, .stride = 7};
    expect_failures_survived(&mixed, RES2NET_OK);
    assert_int_equal(expect_save(in_folder("save"), 1, 0), 1);
    for (int i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, "save.previous.%s", endings[i]);
        assert_true(r2n_os_exists(in_folder(name)));
    }
    assert_int_equal(write_it(f, NULL), RES2NET_OK);
    assert_int_equal(expect_save(in_folder("save"), 1, 0), 3);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {FOLDER_TEST(test_write), FOLDER_TEST(test_read),
                                       FOLDER_TEST(test_beside_a_previous_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
