/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives: the three forms of names, what is passed over, and damage. */
#include "expect.h"

#include "base/memory.h"
#include "formats/tar_reader.h"
#include "tar_builder.h"

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

static r2n_tar *open_tar(const r2n_text *text)
{
    r2n_tar *tar;
    assert_true(r2n_tar_recognises(text->data, text->size));
    assert_int_equal(r2n_tar_open(text->data, text->size, "a.tar", &tar, report), RES2NET_OK);
    return tar;
}

static void refuse(const r2n_text *text, res2net_status status, const char *problem)
{
    r2n_tar *tar;
    assert_int_equal(r2n_tar_open(text->data, text->size, "a.tar", &tar, report), status);
    assert_null(tar);
    expect_problem(report, status, problem);
}

static void expect_entry(const r2n_tar *tar, size_t number, const char *name, const char *data)
{
    assert_true(number < tar->count);
    assert_string_equal(tar->entries[number].name, name);
    assert_int_equal(tar->entries[number].size, strlen(data));
    assert_memory_equal(tar->entries[number].data, data, strlen(data));
    assert_int_equal(tar->entries[number].offset % 512, 0);
}

static void entries_are_found(void **state)
{
    (void)state;
    r2n_text text = {0};
    tar_put(&text, "", "folder/", '5', "", 0);
    tar_put(&text, "", "folder/a", '0', "hello", 5);
    tar_put(&text, "some/where", "b", '\0', "", 0);
    tar_put(&text, "", "folder/link", '2', "", 0);
    tar_put(&text, "", "c", '7', "0123456789", 10);
    tar_end(&text);
    r2n_text_put(&text, "what follows is not looked at");
    r2n_tar *tar = open_tar(&text);
    assert_int_equal(tar->count, 3);
    expect_entry(tar, 0, "folder/a", "hello");
    expect_entry(tar, 1, "some/where/b", "");
    expect_entry(tar, 2, "c", "0123456789");
    r2n_tar_close(tar);
    r2n_free(text.data);
}

static void long_names_are_read(void **state)
{
    (void)state;
    char name[301];
    char record[400];
    r2n_text text = {0};
    memset(name, 'n', 300);
    name[300] = '\0';
    tar_put(&text, "", "././@LongLink", 'L', name, sizeof name);
    tar_put(&text, "", "nnn", '0', "gnu", 3);
    snprintf(record, sizeof record, "310 path=%s\n", name);
    assert_int_equal(strlen(record), 310);
    tar_put(&text, "", "pax_global_header", 'g', "13 comment=x\n", 13);
    tar_put(&text, "", "PaxHeaders/n", 'x', record, 310);
    tar_put(&text, "", "nnn", '0', "pax", 3);
    tar_put(&text, "", "last", '0', "plain", 5);
    tar_end(&text);
    r2n_tar *tar = open_tar(&text);
    assert_int_equal(tar->count, 3);
    expect_entry(tar, 0, name, "gnu");
    expect_entry(tar, 1, name, "pax");
    expect_entry(tar, 2, "last", "plain");
    r2n_tar_close(tar);
    r2n_free(text.data);
}

/* Sizes beyond eight octal digits: base 256, and pax. */
static void sizes_are_read(void **state)
{
    (void)state;
    r2n_text text = {0};
    tar_put(&text, "", "a", '0', "0123456789", 10);
    memset((uint8_t *)text.data + 124, 0, 12);
    text.data[124] = (char)0x80;
    text.data[135] = 10;
    tar_seal((uint8_t *)text.data);
    const size_t second = text.size;
    tar_put(&text, "", "PaxHeaders/b", 'x', "10 size=4\n", 10);
    tar_put(&text, "", "b", '0', "four", 4);
    memset((uint8_t *)text.data + second + 1024 + 124, '0', 11);
    tar_seal((uint8_t *)text.data + second + 1024);
    tar_end(&text);
    r2n_tar *tar = open_tar(&text);
    assert_int_equal(tar->count, 2);
    expect_entry(tar, 0, "a", "0123456789");
    expect_entry(tar, 1, "b", "four");
    r2n_tar_close(tar);
    r2n_free(text.data);
}

static void damage_is_told(void **state)
{
    (void)state;
    r2n_text text = {0};
    tar_put(&text, "", "a", '0', "0123456789", 10);
    tar_put(&text, "", "b", '0', "0123456789", 10);
    const size_t whole = text.size;
    text.size = whole - 600;
    refuse(&text, RES2NET_DAMAGED, "cut off within a header");
    text.size = whole - 507;
    refuse(&text, RES2NET_DAMAGED, "has 10 bytes, of which 5");
    text.size = whole;
    text.data[1024] = 'c';
    refuse(&text, RES2NET_DAMAGED, "damaged header");
    text.data[1024] = '\0';
    tar_seal((uint8_t *)text.data + 1024);
    refuse(&text, RES2NET_DAMAGED, "no name");
    text.data[1024] = 'b';
    text.data[1024 + 124] = 'x';
    tar_seal((uint8_t *)text.data + 1024);
    refuse(&text, RES2NET_DAMAGED, "damaged header");
    text.data[1024 + 124] = '0';
    text.data[1024 + 156] = 'S';
    tar_seal((uint8_t *)text.data + 1024);
    refuse(&text, RES2NET_UNSUPPORTED, "sparse");
    text.data[1024 + 156] = 'x';
    tar_seal((uint8_t *)text.data + 1024);
    refuse(&text, RES2NET_DAMAGED, "extended header");
    text.data[1024 + 156] = 'L';
    text.data[1024 + 512] = '\0';
    tar_seal((uint8_t *)text.data + 1024);
    refuse(&text, RES2NET_DAMAGED, "empty or very long name");
    r2n_free(text.data);
}

static void too_many_files_are_refused(void **state)
{
    (void)state;
    r2n_text text = {0};
    for (int i = 0; i <= R2N_TAR_MAXIMUM_ENTRIES; i++)
        tar_put(&text, "", "a", '0', "", 0);
    assert_false(text.failed);
    refuse(&text, RES2NET_LIMIT_EXCEEDED, "4096");
    r2n_free(text.data);
}

static res2net_status open_quietly(void *context)
{
    const r2n_text *text = context;
    r2n_tar *tar;
    const res2net_status status = r2n_tar_open(text->data, text->size, "a.tar", &tar, NULL);
    r2n_tar_close(tar);
    return status;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    r2n_text text = {0};
    tar_put(&text, "", "././@LongLink", 'L', "name", 4);
    tar_put(&text, "", "a", '0', "0123456789", 10);
    tar_put(&text, "", "b", '0', "0123456789", 10);
    tar_end(&text);
    expect_every_allocation_may_fail(open_quietly, &text);
    r2n_free(text.data);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(entries_are_found), TEST(long_names_are_read),        TEST(sizes_are_read),
        TEST(damage_is_told),    TEST(too_many_files_are_refused), TEST(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
