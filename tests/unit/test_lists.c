/* SPDX-License-Identifier: Apache-2.0 */
/* Lists as people and their editors write them: one kind of fault a test. */
#include "temporary_folder.h"

#include "base/memory.h"
#include "data/dataset.h"
#include "data/text_utf16.h"

typedef struct wanted_item {
    const char *path; /* NULL: ends the items */
    int32_t label;
} wanted_item;

static r2n_dataset *open_list(const char *list, const r2n_dataset_options *options)
{
    r2n_dataset *dataset = NULL;
    res2net_report *report = res2net_report_create();
    if (r2n_dataset_open(list, options, &dataset, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    assert_int_equal(res2net_report_count(report), 0);
    res2net_report_destroy(report);
    return dataset;
}

static void expect_items(const void *data, size_t size, const r2n_dataset_options *options,
                         const wanted_item *wanted)
{
    r2n_dataset *dataset = open_list(write_file("list.txt", data, size), options);
    size_t count = 0;
    for (; wanted[count].path != NULL; count++) {
        assert_true(count < dataset->count);
        assert_string_equal(dataset->items[count].path, wanted[count].path);
        assert_int_equal(dataset->items[count].label, wanted[count].label);
    }
    assert_int_equal(dataset->count, count);
    r2n_dataset_destroy(dataset);
}

/* Root "", the usual delimiter. */
static void expect_text(const char *text, const wanted_item *wanted)
{
    const r2n_dataset_options options = {.root = ""};
    expect_items(text, strlen(text), &options, wanted);
}

static void expect_line(const char *text, const char *path, int32_t label)
{
    const wanted_item wanted[] = {{path, label}, {NULL, 0}};
    expect_text(text, wanted);
}

/* The report of a refused list holds a problem with this text at this line (-1: any place). */
static void expect_refusal(const void *data, size_t size, const r2n_dataset_options *options,
                           int64_t line, const char *part)
{
    r2n_dataset *dataset = NULL;
    res2net_report *report = res2net_report_create();
    int found = 0;
    assert_int_equal(
        r2n_dataset_open(write_file("list.txt", data, size), options, &dataset, report),
        RES2NET_BAD_LIST);
    assert_null(dataset);
    for (size_t i = 0; i < res2net_report_count(report); i++) {
        const res2net_problem *problem = res2net_report_problem(report, i);
        found |= strstr(problem->text, part) != NULL && (line < 0 || problem->line == line);
        assert_string_equal(problem->file, in_folder("list.txt"));
    }
    if (!found)
        fail_msg("no \"%s\" in line %lld, but \"%s\"", part, (long long)line,
                 res2net_report_problem(report, 0)->text);
    res2net_report_destroy(report);
}

static void expect_bad_line(const char *text, int64_t line, const char *part)
{
    const r2n_dataset_options options = {.root = "", .classes = 10};
    expect_refusal(text, strlen(text), &options, line, part);
}

/* ---- names --------------------------------------------------------------------------------- */

static void names_may_hold_blanks(void **state)
{
    (void)state;
    expect_line("my cat (2).jpg 0\n", "my cat (2).jpg", 0);
    expect_line("my  cat\t(2).jpg 0\n", "my  cat\t(2).jpg", 0);
    expect_line("1 2 3 4\n", "1 2 3", 4);
}

static void blanks_and_tabs_around_the_label_go(void **state)
{
    (void)state;
    expect_line("a.jpg\t5\n", "a.jpg", 5);
    expect_line("a.jpg \t  \t 5\n", "a.jpg", 5);
    expect_line("  \ta.jpg 5 \t \n", "a.jpg", 5);
}

static void every_line_end_will_do(void **state)
{
    (void)state;
    static const wanted_item two[] = {{"a.jpg", 1}, {"b.jpg", 2}, {NULL, 0}};
    expect_text("a.jpg 1\r\nb.jpg 2\r\n", two);
    expect_text("a.jpg 1\nb.jpg 2", two);
    expect_text("a.jpg 1 \r\n\r\n \t\r\nb.jpg 2\t\r\n", two);
    expect_bad_line("a.jpg 1\rb.jpg 2\r", 1, "a carriage return inside the line");
}

static void quotes_around_a_path_go(void **state)
{
    (void)state;
    expect_line("\"my cat.jpg\" 0\n", "my cat.jpg", 0);
    expect_line("\"a 1\"\t 2\n", "a 1", 2);
    expect_line("\"say \"\"miau\"\".jpg\" 3\n", "say \"miau\".jpg", 3);
    expect_line("\" \" 3\n", " ", 3);
    /* A part of a name. */
    expect_line("\"a\".jpg 4\n", "\"a\".jpg", 4);
    expect_line("it\"s 4\n", "it\"s", 4);
    expect_line("\"half.jpg 4\n", "\"half.jpg", 4);
    expect_line("\"\" 4\n", "\"\"", 4);
    expect_line("'a b' 4\n", "'a b'", 4);
    expect_bad_line("\"my cat.jpg 0\"\n", 1, "no label");
    expect_bad_line("\"my cat.jpg\" cat\n", 1, "\"cat\" is no label");
}

static void a_line_that_begins_with_a_hash_is_a_comment_unless_its_file_exists(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = folder, .classes = 10};
    char path[128];
    static const char text[] = "# from 2019 3\n#\n#old.jpg 3\n#1.jpg 7\na.jpg 1\n";
    snprintf(path, sizeof path, "%s/a.jpg", folder);
    const wanted_item plain[] = {{path, 1}, {NULL, 0}};
    expect_items(text, strlen(text), &options, plain);
    write_text("#1.jpg", "x");
    char other[128];
    snprintf(other, sizeof other, "%s/#1.jpg", folder);
    const wanted_item both[] = {{other, 7}, {path, 1}, {NULL, 0}};
    expect_items(text, strlen(text), &options, both);
    expect_refusal("#1.jpg 10\n", 10, &options, 1, "label 10, but there are 10 classes");
}

static void backslashes_are_turned_where_that_finds_the_file(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = folder};
    assert_int_equal(mkdir(in_folder("xx1"), 0700), 0);
    write_text("xx1/1.jpg", "x");
    write_text("odd\\name.jpg", "x");
    r2n_dataset *dataset =
        open_list(write_text("list.txt",
                             "xx1\\1.jpg 0\nodd\\name.jpg 1\nxx1\\absent.jpg 2\n.\\xx1/1.jpg 3\n"),
                  &options);
    assert_int_equal(dataset->count, 4);
    assert_string_equal(dataset->items[0].path, in_folder("xx1/1.jpg"));
    assert_string_equal(dataset->items[1].path, in_folder("odd\\name.jpg"));
    assert_string_equal(dataset->items[2].path, in_folder("xx1\\absent.jpg"));
    assert_string_equal(dataset->items[3].path, in_folder("./xx1/1.jpg"));
    r2n_dataset_destroy(dataset);
}

static void a_minus_is_a_file_of_that_name(void **state)
{
    (void)state;
    const r2n_dataset_options optional = {.root = "", .labels_optional = 1};
    static const wanted_item minus[] = {{"./-", -1}, {NULL, 0}};
    expect_line("- 0\n", "./-", 0);
    expect_line("\"-\" 0\n", "./-", 0);
    expect_items("-\n", 2, &optional, minus);
    expect_bad_line("-\n", 1, "no label");
}

/* ---- encodings ----------------------------------------------------------------------------- */

static const wanted_item two_names[] = {
    {"\xe7\x8c\xab/\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80.jpg", 1}, {"b.jpg", 2}, {NULL, 0}};

static void a_utf8_mark_goes(void **state)
{
    (void)state;
    expect_text("\xef\xbb\xbf"
                "a.jpg 3\n",
                (const wanted_item[]){{"a.jpg", 3}, {NULL, 0}});
    expect_text("\xef\xbb\xbf# comment\n\xe7\x8c\xab/\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80.jpg 1\n"
                "b.jpg 2",
                two_names);
}

/* "猫/été 😀.jpg 1" CR LF "b.jpg 2" */
static const uint16_t units[] = {0x732b, '/', 0xe9, 't', 0xe9, ' ', 0xd83d, 0xde00,
                                 '.',    'j', 'p',  'g', ' ',  '1', '\r',   '\n',
                                 'b',    '.', 'j',  'p', 'g',  ' ', '2'};

static size_t encode(int big_endian, uint8_t *out)
{
    size_t size = 0;
    for (size_t i = 0; i <= sizeof units / sizeof units[0]; i++) {
        const uint16_t unit = i == 0 ? 0xfeff : units[i - 1];
        out[size++] = (uint8_t)(big_endian ? unit >> 8 : unit);
        out[size++] = (uint8_t)(big_endian ? unit : unit >> 8);
    }
    return size;
}

static void utf16_with_a_mark_is_converted(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = ""};
    uint8_t text[2 * sizeof units];
    for (int big_endian = 0; big_endian <= 1; big_endian++) {
        const size_t size = encode(big_endian, text);
        expect_items(text, size, &options, two_names);
    }
}

static void broken_utf16_is_refused_with_its_place(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = ""};
    uint8_t text[2 * sizeof units];
    const size_t size = encode(0, text);
    expect_refusal(text, size - 1, &options, -1, "UTF-16 text is broken");
    text[2 * 7 + 3] = 0x41; /* the second half of the pair */
    expect_refusal(text, size, &options, -1, "UTF-16 text is broken");
    expect_refusal("\xff\xfe\0\0", 4, &options, -1, "UTF-16 text is broken");
    expect_refusal("\xff\xfe\x00\xdc", 4, &options, -1, "UTF-16 text is broken");
    expect_refusal("a\0.\0j\0p\0g\0 \0"
                   "0\0",
                   14, &options, -1, "UTF-16 text without a byte-order mark");
}

static void the_conversion_keeps_its_bound(void **state)
{
    (void)state;
    static const uint8_t widest[] = {0xff, 0xff, 0x00, 0x08, 0x3d, 0xd8, 0x00, 0xde, 'a', 0};
    static const uint8_t converted[] = {0xef, 0xbf, 0xbf, 0xe0, 0xa0, 0x80,
                                        0xf0, 0x9f, 0x98, 0x80, 'a'};
    uint8_t out[32];
    size_t bad;
    assert_true(r2n_utf16_bound(sizeof widest) >= sizeof converted);
    assert_int_equal(r2n_utf16_to_utf8(widest, sizeof widest, 0, out, &bad), sizeof converted);
    assert_int_equal(bad, sizeof widest);
    assert_memory_equal(out, converted, sizeof converted);
    assert_int_equal(r2n_utf16_to_utf8(widest, 7, 0, out, &bad), 6);
    assert_int_equal(bad, 4);
}

/* ---- labels -------------------------------------------------------------------------------- */

static void labels_that_are_none_are_told(void **state)
{
    (void)state;
    expect_bad_line("a.jpg 0\nb.jpg -1\n", 2, "\"-1\" is no label");
    expect_bad_line("a.jpg 0\nb.jpg +1\n", 2, "\"+1\" is no label");
    expect_bad_line("b.jpg 1e3\n", 1, "\"1e3\" is no label");
    expect_bad_line("b.jpg 0x1\n", 1, "\"0x1\" is no label");
    expect_bad_line("b.jpg 10\n", 1, "label 10, but there are 10 classes (0 to 9)");
    expect_bad_line("b.jpg 1000000\n", 1, "the label is over 999999");
    expect_bad_line("b.jpg 18446744073709551617\n", 1, "the label is over 999999");
    expect_bad_line("b.jpg 0000000000000000000000000000010\n", 1, "label 10, but");
}

static void a_list_without_labels_is_refused_line_by_line(void **state)
{
    (void)state;
    expect_bad_line("a.jpg\nb.jpg\nmy cat.jpg\n", 1, "no label");
    expect_bad_line("a.jpg\nb.jpg\nmy cat.jpg\n", 2, "no label");
    expect_bad_line("a.jpg\nb.jpg\nmy cat.jpg\n", 3, "\"cat.jpg\" is no label");
}

static void labels_may_be_missing_where_nobody_needs_them(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = "", .labels_optional = 1, .classes = 2};
    static const char text[] = "a.jpg\nmy cat.jpg\nb.jpg 700\n\"photo 12\"\n\"c d.jpg\" 3\n# c\n";
    static const wanted_item wanted[] = {{"a.jpg", -1},    {"my cat.jpg", -1}, {"b.jpg", -1},
                                         {"photo 12", -1}, {"c d.jpg", -1},    {NULL, 0}};
    const r2n_dataset_options comma = {.root = "", .labels_optional = 1, .delimiter = ","};
    static const wanted_item columns[] = {{"a b.jpg", -1}, {"c 1", -1}, {NULL, 0}};
    expect_items(text, strlen(text), &options, wanted);
    expect_items("a b.jpg,cat\nc 1\n", 16, &comma, columns);
}

/* ---- another delimiter --------------------------------------------------------------------- */

static void a_delimiter_may_be_in_the_path_too(void **state)
{
    (void)state;
    const r2n_dataset_options comma = {.root = "", .delimiter = ","};
    const r2n_dataset_options tab = {.root = "", .delimiter = "\t"};
    const r2n_dataset_options blank = {.root = "", .delimiter = " "};
    static const char commas[] = "a.jpg,1\nb, c.jpg,2\nd.jpg , 3 , more\n\"e,1,f.jpg\",4,x\n";
    static const wanted_item wanted[] = {
        {"a.jpg", 1}, {"b, c.jpg", 2}, {"d.jpg", 3}, {"e,1,f.jpg", 4}, {NULL, 0}};
    static const wanted_item one[] = {{"a 1.jpg", 5}, {NULL, 0}};
    expect_items(commas, strlen(commas), &comma, wanted);
    expect_items("a 1.jpg\t5\n", 10, &tab, one);
    expect_items("a 1.jpg  5\n", 11, &blank, one);
    expect_refusal("a,\n", 3, &comma, 1, "no label");
    expect_refusal(",1\n", 3, &comma, 1, "no label");
    expect_refusal("a,b,c\n", 6, &comma, 1, "\"b\" is no label");
}

/* ---- reports ------------------------------------------------------------------------------- */

static void more_bad_lines_than_a_report_holds_are_counted(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = ""};
    char *text = r2n_allocate(5000, 2);
    r2n_dataset *dataset;
    res2net_report *report = res2net_report_create();
    for (size_t i = 0; i < 5000; i++)
        memcpy(text + 2 * i, "a\n", 2);
    assert_int_equal(
        r2n_dataset_open(write_file("list.txt", text, 10000), &options, &dataset, report),
        RES2NET_BAD_LIST);
    assert_int_equal(res2net_report_count(report), 4096);
    assert_int_equal(res2net_report_dropped(report), 904);
    assert_int_equal(res2net_report_problem(report, 4095)->line, 4096);
    r2n_free(text);
    res2net_report_destroy(report);
}

static void good_lines_may_be_kept(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = "", .keep_good_lines = 1};
    r2n_dataset *dataset;
    res2net_report *report = res2net_report_create();
    const char *list = write_text("list.txt", "a 1\nb\nc 3\nd x\n\x01 1\n");
    assert_int_equal(r2n_dataset_open(list, &options, &dataset, report), RES2NET_OK);
    assert_int_equal(dataset->count, 2);
    assert_int_equal(dataset->bad_lines, 3);
    assert_int_equal(res2net_report_count(report), 3);
    assert_string_equal(dataset->items[1].path, "c");
    r2n_dataset_destroy(dataset);
    assert_int_equal(r2n_dataset_open(write_text("list.txt", "a\nb\n"), &options, &dataset, report),
                     RES2NET_BAD_LIST);
    res2net_report_destroy(report);
}

static void absent_files_are_told_at_once_with_their_number(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = folder};
    res2net_report *report = res2net_report_create();
    write_text("there.jpg", "x");
    const char *list = write_text("list.txt", "x.jpg 0\nthere.jpg 1\nthere.jpg/y.jpg 2\nz.jpg 3\n");
    r2n_dataset *dataset = open_list(list, &options);
    assert_int_equal(r2n_dataset_find_absent(dataset, list, report), 3);
    assert_int_equal(res2net_report_count(report), 4);
    assert_string_equal(res2net_report_problem(report, 0)->text, "3 of 4 files do not exist:");
    static const int64_t lines[] = {-1, 1, 3, 4};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(res2net_report_problem(report, i)->line, lines[i]);
    assert_true(dataset->items[0].absent && !dataset->items[1].absent);
    r2n_dataset_destroy(dataset);
    res2net_report_destroy(report);
}

static void absent_names_in_another_encoding_are_told_as_such(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = folder};
    res2net_report *report = res2net_report_create();
    write_text("gr\xc3\xbcn.jpg", "x");
    write_text("gr\xfcn.png", "x");
    const char *list = write_text("list.txt", "gr\xfcn.png 0\ngr\xfcn.jpg 1\n\xb0\xa1.jpg 2\n");
    r2n_dataset *dataset = open_list(list, &options);
    assert_int_equal(r2n_dataset_find_absent(dataset, list, report), 2);
    assert_non_null(strstr(res2net_report_problem(report, 1)->text, "save the list as UTF-8"));
    r2n_dataset_destroy(dataset);
    res2net_report_destroy(report);
}

static void repeated_paths_are_told(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = ""};
    res2net_report *report = res2net_report_create();
    r2n_repeats repeats;
    const char *list = write_text("list.txt", "b 1\na 0\nb 2\na 0\nb 1\n");
    r2n_dataset *dataset = open_list(list, &options);
    assert_int_equal(r2n_dataset_find_repeats(dataset, list, 0, &repeats, report), RES2NET_OK);
    assert_int_equal(repeats.same_label, 2);
    assert_int_equal(repeats.other_label, 1);
    assert_int_equal(res2net_report_count(report), 3);
    assert_string_equal(res2net_report_problem(report, 0)->text,
                        "\"a\" is listed again (first in line 2)");
    assert_string_equal(res2net_report_problem(report, 1)->text,
                        "\"b\" is listed again with another label: 2, but 1 in line 1");
    assert_int_equal(res2net_report_problem(report, 1)->line, 3);
    res2net_report_clear(report);
    assert_int_equal(r2n_dataset_find_repeats(dataset, list, 1, &repeats, report), RES2NET_OK);
    assert_int_equal(res2net_report_count(report), 1);
    r2n_dataset_destroy(dataset);
    res2net_report_destroy(report);
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    const r2n_dataset_options options = {.root = folder};
    uint8_t text[2 * sizeof units];
    const size_t size = encode(1, text);
    assert_int_equal(mkdir(in_folder("d"), 0700), 0);
    write_text("d/a", "x");
    const char *lists[] = {write_file("utf16", text, size),
                           write_text("list", "d\\a 0\n\"q\"\"\" 1\n- 2\n#x 3\n")};
    for (size_t i = 0; i < 2; i++)
        for (int successes = 0;; successes++) {
            r2n_dataset *dataset = NULL;
            r2n_memory_fail_after(successes);
            const res2net_status status = r2n_dataset_open(lists[i], &options, &dataset, NULL);
            r2n_memory_fail_after(-1);
            if (status == RES2NET_OK) {
                assert_true(successes > 3);
                r2n_dataset_destroy(dataset);
                break;
            }
            assert_int_equal(status, RES2NET_OUT_OF_MEMORY);
            assert_null(dataset);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(names_may_hold_blanks),
        FOLDER_TEST(blanks_and_tabs_around_the_label_go),
        FOLDER_TEST(every_line_end_will_do),
        FOLDER_TEST(quotes_around_a_path_go),
        FOLDER_TEST(a_line_that_begins_with_a_hash_is_a_comment_unless_its_file_exists),
        FOLDER_TEST(backslashes_are_turned_where_that_finds_the_file),
        FOLDER_TEST(a_minus_is_a_file_of_that_name),
        FOLDER_TEST(a_utf8_mark_goes),
        FOLDER_TEST(utf16_with_a_mark_is_converted),
        FOLDER_TEST(broken_utf16_is_refused_with_its_place),
        FOLDER_TEST(the_conversion_keeps_its_bound),
        FOLDER_TEST(labels_that_are_none_are_told),
        FOLDER_TEST(a_list_without_labels_is_refused_line_by_line),
        FOLDER_TEST(labels_may_be_missing_where_nobody_needs_them),
        FOLDER_TEST(a_delimiter_may_be_in_the_path_too),
        FOLDER_TEST(more_bad_lines_than_a_report_holds_are_counted),
        FOLDER_TEST(good_lines_may_be_kept),
        FOLDER_TEST(absent_files_are_told_at_once_with_their_number),
        FOLDER_TEST(absent_names_in_another_encoding_are_told_as_such),
        FOLDER_TEST(repeated_paths_are_told),
        FOLDER_TEST(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
