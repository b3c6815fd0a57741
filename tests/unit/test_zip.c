/* SPDX-License-Identifier: Apache-2.0 */
#include "expect.h"

#include "formats/crc32.h"
#include "formats/zip_reader.h"
#include "zip_builder.h"

static res2net_report *report;

static int set_up(void **state)
{
    (void)state;
    report = res2net_report_create();
    return report == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    res2net_report_destroy(report);
    return 0;
}

static archive build(int zip64)
{
    archive a = {.size = 0};
    put_local(&a, 0, "b/data.pkl", "hello");
    put_local(&a, 1, "a", "");
    const size_t directory = a.size;
    put_central(&a, 0, "b/data.pkl", "hello", zip64);
    put_central(&a, 1, "a", "", zip64);
    put_end(&a, 2, directory, zip64);
    return a;
}

static void refuse(const archive *a, res2net_status status, const char *problem)
{
    r2n_zip *zip;
    assert_int_equal(r2n_zip_open(a->bytes, a->size, "a.zip", &zip, report), status);
    assert_null(zip);
    expect_problem(report, status, problem);
}

static void crc_is_the_known_one(void **state)
{
    (void)state;
    static const char text[] = "123456789123456789";
    assert_int_equal(r2n_crc32(0, "123456789", 9), 0xCBF43926u);
    assert_int_equal(r2n_crc32(0, "", 0), 0);
    for (size_t cut = 0; cut < sizeof text; cut++)
        assert_int_equal(r2n_crc32(r2n_crc32(0, text, cut), text + cut, sizeof text - cut),
                         r2n_crc32(0, text, sizeof text));
}

static void entries_are_found(void **state)
{
    (void)state;
    for (int zip64 = 0; zip64 < 2; zip64++) {
        const archive a = build(zip64);
        r2n_zip *zip;
        assert_int_equal(r2n_zip_open(a.bytes, a.size, "a.zip", &zip, report), RES2NET_OK);
        assert_int_equal(zip->count, 2);
        assert_string_equal(zip->entries[0].name, "a");
        r2n_zip_entry *entry = r2n_zip_find(zip, "b/data.pkl");
        assert_non_null(entry);
        assert_int_equal(entry->size, 5);
        assert_memory_equal(entry->data, "hello", 5);
        assert_memory_equal(a.bytes + entry->offset, "hello", 5);
        assert_int_equal(r2n_zip_check(zip, entry, report), RES2NET_OK);
        assert_int_equal(r2n_zip_check(zip, r2n_zip_find(zip, "a"), report), RES2NET_OK);
        assert_null(r2n_zip_find(zip, "b"));
        r2n_zip_close(zip);
    }
}

static void a_comment_is_allowed(void **state)
{
    (void)state;
    archive a = build(0);
    a.bytes[a.end + 20] = 4;
    put_bytes(&a, "PK\x05\x06", 4);
    r2n_zip *zip;
    assert_int_equal(r2n_zip_open(a.bytes, a.size, "a.zip", &zip, report), RES2NET_OK);
    r2n_zip_close(zip);
    a.size--;
    refuse(&a, RES2NET_DAMAGED, "no end record");
}

static void damaged_bytes_are_noticed(void **state)
{
    (void)state;
    archive a = build(0);
    r2n_zip *zip;
    assert_int_equal(r2n_zip_open(a.bytes, a.size, "a.zip", &zip, report), RES2NET_OK);
    a.bytes[r2n_zip_find(zip, "b/data.pkl")->offset]++;
    assert_int_equal(r2n_zip_check(zip, r2n_zip_find(zip, "b/data.pkl"), report), RES2NET_DAMAGED);
    expect_problem(report, RES2NET_DAMAGED, "checksum");
    r2n_zip_close(zip);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    for (int zip64 = 0; zip64 < 2; zip64++) {
        archive a = build(zip64);
        r2n_zip *zip;
        for (size_t whole = a.size; a.size > 0;) {
            a.size--;
            assert_int_equal(r2n_zip_open(a.bytes, a.size, "a.zip", &zip, NULL), RES2NET_DAMAGED);
            assert_true(a.size < whole);
        }
    }
}

static void spoilt_fields_are_refused(void **state)
{
    (void)state;
    archive a = build(0);
    a.bytes[a.central[0] + 10] = 8;
    refuse(&a, RES2NET_UNSUPPORTED, "compressed (method 8)");
    a = build(0);
    a.bytes[a.central[0] + 8] = 1;
    refuse(&a, RES2NET_UNSUPPORTED, "encrypted");
    a = build(0);
    a.bytes[a.central[0] + 20]++;
    refuse(&a, RES2NET_DAMAGED, "two sizes differ");
    a = build(0);
    a.bytes[a.central[0] + 22] = a.bytes[a.central[0] + 26] = 0x7F;
    a.bytes[a.central[0] + 20] = a.bytes[a.central[0] + 24] = 0xFF;
    refuse(&a, RES2NET_DAMAGED, "");
    a = build(0);
    a.bytes[a.central[1] + 42] = 1;
    refuse(&a, RES2NET_DAMAGED, "does not agree");
    a = build(0);
    a.bytes[a.central[1] + 45] = 0x7F;
    refuse(&a, RES2NET_DAMAGED, "beyond the end of the file");
    a = build(0);
    a.bytes[a.local[0] + 30] = 'x';
    refuse(&a, RES2NET_DAMAGED, "does not agree");
    a = build(0);
    a.bytes[a.central[0]] = 'x';
    refuse(&a, RES2NET_DAMAGED, "central directory is damaged");
    a = build(0);
    a.bytes[a.central[0] + 46] = 0;
    refuse(&a, RES2NET_DAMAGED, "NUL");
    a = build(0);
    a.bytes[a.end + 8] = a.bytes[a.end + 10] = 200;
    refuse(&a, RES2NET_DAMAGED, "do not fit");
    a = build(0);
    a.bytes[a.end + 18] = 1;
    refuse(&a, RES2NET_DAMAGED, "not inside the file");
    a = build(0);
    a.bytes[a.end + 4] = 1;
    refuse(&a, RES2NET_UNSUPPORTED, "several discs");
    a = build(1);
    a.bytes[a.end - 20]++;
    refuse(&a, RES2NET_DAMAGED, "locator is missing");
    a = build(1);
    a.bytes[a.end - 12]++;
    refuse(&a, RES2NET_DAMAGED, "not where its locator says");
    a = build(1);
    a.bytes[a.central[0] + 46 + 10] = 9;
    refuse(&a, RES2NET_DAMAGED, "zip64 sizes");
    a = build(1);
    a.bytes[a.end - 20 - 56 + 32 + 5] = 9;
    refuse(&a, RES2NET_UNSUPPORTED, "several discs");
}

static void equal_names_are_refused(void **state)
{
    (void)state;
    archive a = {.size = 0};
    put_local(&a, 0, "a", "1");
    put_local(&a, 1, "a", "2");
    const size_t directory = a.size;
    put_central(&a, 0, "a", "1", 0);
    put_central(&a, 1, "a", "2", 0);
    put_end(&a, 2, directory, 0);
    refuse(&a, RES2NET_DAMAGED, "two entries");
}

static res2net_status attempt(void *context)
{
    const archive *a = context;
    r2n_zip *zip;
    const res2net_status status = r2n_zip_open(a->bytes, a->size, "a.zip", &zip, NULL);
    r2n_zip_close(zip);
    return status;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    archive a = build(0);
    expect_every_allocation_may_fail(attempt, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_is_the_known_one),    cmocka_unit_test(entries_are_found),
        cmocka_unit_test(a_comment_is_allowed),    cmocka_unit_test(damaged_bytes_are_noticed),
        cmocka_unit_test(every_cut_is_refused),    cmocka_unit_test(spoilt_fields_are_refused),
        cmocka_unit_test(equal_names_are_refused), cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
