/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "data/dataset.h"
#include "data/sources.h"

static void expect_names(const char *text, const char *joined, int32_t classes)
{
    char *names;
    int32_t count;
    res2net_report *report = res2net_report_create();
    if (r2n_labels_parse(text, strlen(text), "labels", &names, &count, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    assert_string_equal(names, joined);
    assert_int_equal(count, classes);
    r2n_free(names);
    res2net_report_destroy(report);
}

static void expect_refusal(const void *data, size_t size, int64_t line, const char *part)
{
    char *names = (char *)(uintptr_t) "untouched";
    int32_t count = 5;
    res2net_report *report = res2net_report_create();
    assert_int_equal(r2n_labels_parse(data, size, "labels", &names, &count, report),
                     RES2NET_BAD_LIST);
    assert_null(names);
    assert_int_equal(count, 0);
    const res2net_problem *problem = res2net_report_problem(report, 0);
    if (strstr(problem->text, part) == NULL)
        fail_msg("\"%s\" has no \"%s\"", problem->text, part);
    assert_int_equal(problem->line, line);
    res2net_report_destroy(report);
}

static void expect_bad_text(const char *text, int64_t line, const char *part)
{
    expect_refusal(text, strlen(text), line, part);
}

static void both_forms_are_read(void **state)
{
    (void)state;
    expect_names("cat\ndog\n", "cat\ndog", 2);
    expect_names("0 tench, Tinca tinca\n1 goldfish,\n", "tench, Tinca tinca\ngoldfish,", 2);
    expect_names("\xef\xbb\xbf"
                 "2\tc d\r\n\r\n0 a\r\n1 b",
                 "a\nb\nc d", 3);
    expect_names("0  spaced\n", " spaced", 1);
    expect_names("  cat  \r\n\n\n", "cat", 1);
    expect_names("0\n1\n2\n", "0\n1\n2", 3); /* digits' names */
    expect_names("car\n3 wheeler\nbus\n", "car\n3 wheeler\nbus", 3);
    expect_names("\xe7\x8c\xab\n", "\xe7\x8c\xab", 1);
}

static void indices_may_end_in_a_comma(void **state)
{
    (void)state;
    expect_names("0,tench\n1, gold fish, koi\n", "tench\ngold fish, koi", 2);
    expect_names("1,b\n0,a\n2,c\n", "a\nb\nc", 3);
    expect_bad_text("0,cat\n1,\n", 2, "expected an index");
    expect_names("1,2-xylene\nbenzene\ntoluene\n", "1,2-xylene\nbenzene\ntoluene", 3);
}

static void synsets_before_names_go(void **state)
{
    (void)state;
    expect_names("n01440764 tench, Tinca tinca\nn01443537 goldfish\n",
                 "tench, Tinca tinca\ngoldfish", 2);
    expect_names("n01440764\nn01443537\n", "n01440764\nn01443537", 2);
    expect_names("n01440764 tench\nnut\n", "n01440764 tench\nnut", 2);
    expect_names("n0144076 tench\n", "n0144076 tench", 1);
    expect_names("0 n01440764\n1 n01443537\n", "n01440764\nn01443537", 2);
}

static void dictionaries_are_read(void **state)
{
    (void)state;
    expect_names("{0: 'tench, Tinca tinca',\n 1: \"carpenter's kit\",\n 2: 'the \\'x\\\\'}\n",
                 "tench, Tinca tinca\ncarpenter's kit\nthe 'x\\", 3);
    expect_names("{\n1: 'b',\n0: 'a'\n}\n", "a\nb", 2);
    expect_names("0: tench, Tinca\n1: gold fish\n", "tench, Tinca\ngold fish", 2);
    expect_bad_text("{0: 'a',\n 1: 'b,\n 2: 'c'}\n", 2, "a colon and one name");
    expect_bad_text("{0: 'a', 1: 'b'}\n", 1, "a colon and one name");
    expect_bad_text("0: 'a'\n1: ''\n", 2, "a class without a name");
    expect_bad_text("0: a\n1:\n", 2, "a colon and one name");
    expect_bad_text("{0: 'a',\n 2: 'b'}\n", -1, "class 1 has no name");
    expect_bad_text("{0: 'a',\n 0: 'b'}\n", 2, "already named in line 1");
}

static void json_is_refused_by_name(void **state)
{
    (void)state;
    expect_bad_text("{\"0\": [\"n01440764\", \"tench\"]}", -1, "the file is JSON");
    expect_bad_text("[\"tench\", \"goldfish\"]\n", -1, "the file is JSON");
    expect_names("[unknown]\ncat\n", "[unknown]\ncat", 2);
}

static void utf16_is_converted(void **state)
{
    (void)state;
    char *names;
    int32_t count;
    static const char little[] = "\xff\xfe\x2b\x73\r\0\n\0d\0o\0g\0";
    static const char big[] = "\xfe\xff\x73\x2b\0\n\0d\0o\0g";
    assert_int_equal(r2n_labels_parse(little, 14, "l", &names, &count, NULL), RES2NET_OK);
    assert_string_equal(names, "\xe7\x8c\xab\ndog");
    r2n_free(names);
    assert_int_equal(r2n_labels_parse(big, 12, "l", &names, &count, NULL), RES2NET_OK);
    assert_string_equal(names, "\xe7\x8c\xab\ndog");
    r2n_free(names);
    expect_refusal(big, 11, -1, "UTF-16 text is broken");
}

static void bad_index_lines_are_told(void **state)
{
    (void)state;
    expect_bad_text("0 cat\n1 dog\nx cat\n", 3, "expected an index");
    expect_bad_text("0 cat\nx dog\n", 2, "expected an index");
    expect_bad_text("1 cat\n2 dog\n", -1, "class 0 has no name; 2 classes are named");
    expect_bad_text("0 a\n1 b\n3 d\n", -1, "class 2 has no name");
    expect_bad_text("0 a\n99999999999999999999 b\n", -1, "class 1 has no name");
    expect_bad_text("0 a\n1 b\n1 c\n", 3, "already named in line 2");
    expect_bad_text("0 a\n1\n", 2, "expected an index");
}

static void names_that_would_shift_or_harm_are_refused(void **state)
{
    (void)state;
    expect_bad_text("cat\n\ndog\n", 2, "without a name");
    expect_bad_text("cat\nd\xffog\n", 2, "a byte of value 255");
    expect_bad_text("cat\nd\xc2\x9b"
                    "2J\n",
                    2, "a control character");
    expect_bad_text("c\ra\nb\n", 1, "a byte of value 13");
    expect_bad_text("cat\n\xed\xa0\x80\n", 2, "no UTF-8"); /* a surrogate */
    expect_bad_text("cat\n\xc0\xaf\n", 2, "no UTF-8");     /* overlong */
    expect_bad_text("a\x1b[2J\n", 1, "a byte of value 27");
    expect_refusal("a\0\n", 3, -1, "not text");
    expect_refusal("", 0, -1, "empty");
    expect_refusal("\n\n", 2, -1, "names no class");
    expect_refusal("\xef\xbb\xbf", 3, -1, "names no class");
}

static void files_are_read(void **state)
{
    (void)state;
    char path[] = "/tmp/r2n_labels_XXXXXX";
    char *names;
    int32_t count;
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "0 a\n1 b\n", 8), 8);
    close(descriptor);
    assert_int_equal(r2n_labels_read(path, &names, &count, NULL), RES2NET_OK);
    assert_string_equal(names, "a\nb");
    assert_int_equal(count, 2);
    r2n_free(names);
    unlink(path);
    assert_int_equal(r2n_labels_read(path, &names, &count, NULL), RES2NET_NOT_FOUND);
    assert_null(names);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    char *names;
    int32_t count;
    for (int successes = 0; successes < 2; successes++) {
        r2n_memory_fail_after(successes);
        assert_int_equal(r2n_labels_parse("a\nb\n", 4, "l", &names, &count, NULL),
                         RES2NET_OUT_OF_MEMORY);
        assert_null(names);
    }
    r2n_memory_fail_after(-1);
}

static void imagenets_names_are_built_in(void **state)
{
    (void)state;
    const char *names = r2n_labels_imagenet();
    int lines = 1;
    assert_memory_equal(names, "tench, Tinca tinca\ngoldfish,", 28);
    for (const char *at = names; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
        assert_true(at[1] > ' ');
        if (lines == 9)
            assert_memory_equal(at + 1, "hen\n", 4);
    }
    assert_int_equal(lines, 1000);
    assert_string_equal(strrchr(names, '\n') + 1, "toilet tissue, toilet paper, bathroom tissue");
    expect_names(names, names, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_are_read),
        cmocka_unit_test(indices_may_end_in_a_comma),
        cmocka_unit_test(synsets_before_names_go),
        cmocka_unit_test(dictionaries_are_read),
        cmocka_unit_test(json_is_refused_by_name),
        cmocka_unit_test(utf16_is_converted),
        cmocka_unit_test(bad_index_lines_are_told),
        cmocka_unit_test(names_that_would_shift_or_harm_are_refused),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(imagenets_names_are_built_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
