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
#include "temporary_folder.h"

static r2n_dataset *open_or_fail(const char *source, const char *root, int32_t classes)
{
    r2n_dataset *dataset = NULL;
    res2net_report *report = res2net_report_create();
    const r2n_dataset_options options = {.root = root, .classes = classes};
    if (r2n_dataset_open(source, &options, &dataset, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    res2net_report_destroy(report);
    return dataset;
}

static res2net_report *refusal(const char *source, int32_t classes, res2net_status status)
{
    r2n_dataset *dataset = (r2n_dataset *)folder;
    res2net_report *report = res2net_report_create();
    const r2n_dataset_options options = {.root = "root", .classes = classes};
    assert_int_equal(r2n_dataset_open(source, &options, &dataset, report), status);
    assert_null(dataset);
    assert_true(res2net_report_count(report) > 0);
    return report;
}

static void expect_text(const res2net_report *report, size_t index, const char *part)
{
    assert_true(index < res2net_report_count(report));
    const char *text = res2net_report_problem(report, index)->text;
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" has no \"%s\"", text, part);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void a_list_in_every_hand_is_read(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf"
                               "a.jpg 3\r\n"
                               "# a comment\n"
                               "\n"
                               "my cat (2).jpg \t 12  \n"
                               "   b\xc3\xa9.png\t0\r\n"
                               "\n"
                               "mixed/a\\b.jpg 1\n"
                               "/absolute/c.png 0002";
    r2n_dataset *dataset = open_or_fail(write_text("list.txt", text), "root", 0);
    static const struct {
        const char *path;
        int32_t label;
        int64_t line;
    } wanted[] = {{"root/a.jpg", 3, 1},
                  {"root/my cat (2).jpg", 12, 4},
                  {"root/b\xc3\xa9.png", 0, 5},
                  {"root/mixed/a\\b.jpg", 1, 7},
                  {"/absolute/c.png", 2, 8}};
    assert_int_equal(dataset->kind, R2N_DATASET_LIST);
    assert_int_equal(dataset->count, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < dataset->count; i++) {
        assert_string_equal(dataset->items[i].path, wanted[i].path);
        assert_int_equal(dataset->items[i].label, wanted[i].label);
        assert_int_equal(dataset->items[i].line, wanted[i].line);
        assert_int_equal(dataset->items[i].record, -1);
    }
    assert_int_equal(dataset->class_count, 13);
    assert_null(dataset->folder_names);
    r2n_dataset_destroy(dataset);
}

static void paths_are_joined_with_the_root_or_the_lists_folder(void **state)
{
    (void)state;
    const char *list = write_text("list.txt", "a.jpg 0\n");
    r2n_dataset *dataset = open_or_fail(list, NULL, 0);
    assert_string_equal(dataset->items[0].path, in_folder("a.jpg"));
    r2n_dataset_destroy(dataset);
    dataset = open_or_fail(list, "pictures/", 0);
    assert_string_equal(dataset->items[0].path, "pictures/a.jpg");
    r2n_dataset_destroy(dataset);
    dataset = open_or_fail(list, "", 0);
    assert_string_equal(dataset->items[0].path, "a.jpg");
    r2n_dataset_destroy(dataset);
}

static void every_bad_line_is_told_with_its_number(void **state)
{
    (void)state;
    static const char text[] = "good.jpg 1\n"
                               "no_label.jpg\n"
                               "word.jpg cat\n"
                               "minus.jpg -1\n"
                               "real.jpg 1.0\n"
                               "large.jpg 1000000\n"
                               "huge.jpg 99999999999999999999999999\n"
                               "over.jpg 10\n"
                               " 5\n"
                               "old mac\r1.jpg 4\n"
                               "good.jpg 9\n";
    static const struct {
        int64_t line;
        const char *part;
    } wanted[] = {{2, "no label"},
                  {3, "\"cat\" is no label"},
                  {4, "\"-1\" is no label"},
                  {5, "\"1.0\""},
                  {6, "over 999999"},
                  {7, "over 999999"},
                  {8, "10 classes (0 to 9)"},
                  {9, "no label"},
                  {10, "carriage return"}};
    res2net_report *report = refusal(write_text("list.txt", text), 10, RES2NET_BAD_LIST);
    assert_int_equal(res2net_report_count(report), sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < res2net_report_count(report); i++) {
        expect_text(report, i, wanted[i].part);
        assert_int_equal(res2net_report_problem(report, i)->line, wanted[i].line);
        assert_string_equal(res2net_report_problem(report, i)->file, in_folder("list.txt"));
    }
    res2net_report_destroy(report);
}

static void another_delimiter_splits_as_in_paddleclas(void **state)
{
    (void)state;
    r2n_dataset *dataset;
    res2net_report *report = res2net_report_create();
    const r2n_dataset_options comma = {.root = "root", .delimiter = ",", .classes = 4};
    const r2n_dataset_options colons = {.root = "root", .delimiter = "::", .classes = 4};
    const char *list = write_text("list.txt", "a b.jpg,3\nc 1.jpg, 2 ,left, out\n");
    assert_int_equal(r2n_dataset_open(list, &comma, &dataset, report), RES2NET_OK);
    assert_int_equal(dataset->count, 2);
    assert_string_equal(dataset->items[0].path, "root/a b.jpg");
    assert_int_equal(dataset->items[0].label, 3);
    assert_string_equal(dataset->items[1].path, "root/c 1.jpg");
    assert_int_equal(dataset->items[1].label, 2);
    r2n_dataset_destroy(dataset);
    list = write_text("list.txt", "a::1\nb:2\n::3\nd::\ne::x\nf::\n");
    assert_int_equal(r2n_dataset_open(list, &colons, &dataset, report), RES2NET_BAD_LIST);
    assert_int_equal(res2net_report_count(report), 5);
    expect_text(report, 0, "the delimiter \"::\"");
    expect_text(report, 3, "\"x\" is no label");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(res2net_report_problem(report, i)->line, i + 2);
    res2net_report_destroy(report);
}

static void expect_bad_list(const void *data, size_t size, const char *part)
{
    res2net_report *report = refusal(write_file("list", data, size), 0, RES2NET_BAD_LIST);
    expect_text(report, 0, part);
    res2net_report_destroy(report);
}

static void what_is_no_list_is_refused_by_name(void **state)
{
    (void)state;
    static char long_line[5000];
    memset(long_line, 'a', sizeof long_line);
    memcpy(long_line + sizeof long_line - 3, " 1\n", 3);
    expect_bad_list("", 0, "empty");
    expect_bad_list("\n  \n# nothing\n", 14, "no item");
    expect_bad_list("\xef\xbb\xbf", 3, "no item");
    expect_bad_list("a\0.\0j\0p\0g\0 \0"
                    "0\0",
                    14, "UTF-16");
    expect_bad_list("\x1f\x8b\x08\x00\x01\x02\x03\x04\x05", 9, "not text");
    expect_bad_list("a.jpg 1\n\x1b[2J 2\n", 15, "a control character (a byte of value 27)");
    expect_bad_list("a.jpg 1\n\0", 9, "not text (a byte of value 0)");
    expect_bad_list(long_line, sizeof long_line, "longer than 4096");
    res2net_report *report = refusal(in_folder("absent.txt"), 0, RES2NET_NOT_FOUND);
    res2net_report_destroy(report);
}

/* ---- class folders --------------------------------------------------------------------------- */

static void make_class_folders(void)
{
    assert_int_equal(mkdir(in_folder("dog"), 0700), 0);
    assert_int_equal(mkdir(in_folder("Cat"), 0700), 0);
    assert_int_equal(mkdir(in_folder("empty"), 0700), 0);
    assert_int_equal(mkdir(in_folder(".cache"), 0700), 0);
    assert_int_equal(mkdir(in_folder("dog/more"), 0700), 0);
    write_text("dog/2.jpg", "x");
    write_text("dog/1.JPG", "x");
    write_text("dog/more/3.jpg", "x");
    write_text("dog/.DS_Store", "x");
    write_text("dog/Thumbs.db", "x");
    write_text("dog/more/Desktop.ini", "x");
    write_text("Cat/strange name", "x");
    write_text(".cache/4.jpg", "x");
    write_text("train_list.txt", "x");
}

static void class_folders_are_classes_in_byte_order(void **state)
{
    (void)state;
    make_class_folders();
    r2n_dataset *dataset = open_or_fail(folder, NULL, 3);
    static const char *const paths[] = {"Cat/strange name", "dog/1.JPG", "dog/2.jpg",
                                        "dog/more/3.jpg"};
    static const int32_t labels[] = {0, 1, 1, 1};
    assert_int_equal(dataset->kind, R2N_DATASET_FOLDERS);
    assert_int_equal(dataset->class_count, 3);
    assert_string_equal(dataset->folder_names[0], "Cat");
    assert_string_equal(dataset->folder_names[1], "dog");
    assert_string_equal(dataset->folder_names[2], "empty");
    assert_int_equal(dataset->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(dataset->items[i].path, in_folder(paths[i]));
        assert_int_equal(dataset->items[i].label, labels[i]);
        assert_int_equal(dataset->items[i].line, -1);
    }
    r2n_dataset_destroy(dataset);
}

static void folders_that_are_no_classes_are_refused(void **state)
{
    (void)state;
    res2net_report *report = refusal(folder, 0, RES2NET_BAD_LIST);
    expect_text(report, 0, "no class folders");
    res2net_report_destroy(report);
    make_class_folders();
    report = refusal(folder, 2, RES2NET_BAD_LIST);
    expect_text(report, 0, "3 class folders, but there are 2 classes");
    res2net_report_destroy(report);
    report = refusal(in_folder("dog/more"), 0, RES2NET_BAD_LIST);
    expect_text(report, 0, "outside the class folders");
    res2net_report_destroy(report);
    assert_int_equal(symlink("..", in_folder("Cat/loop")), 0);
    report = refusal(folder, 0, RES2NET_LIMIT_EXCEEDED);
    expect_text(report, 0, "nested deeper");
    res2net_report_destroy(report);
    assert_int_equal(unlink(in_folder("Cat/loop")), 0);
    assert_int_equal(mkdir(in_folder("bell\a"), 0700), 0);
    report = refusal(folder, 0, RES2NET_BAD_LIST);
    expect_text(report, 0, "no class name");
    res2net_report_destroy(report);
}

/* Opens the class folders for the classes "dog", "Cat, Felis", "fox", "empty". */
static r2n_dataset *open_named(int certain, int32_t classes, res2net_status wanted,
                               res2net_report *report)
{
    static const char *const names[] = {"dog", "Cat, Felis", "fox", "empty"};
    r2n_dataset *dataset;
    const r2n_dataset_options options = {
        .classes = classes, .class_names = names, .names_are_certain = certain};
    res2net_report_clear(report);
    assert_int_equal(r2n_dataset_open(folder, &options, &dataset, report), wanted);
    return dataset;
}

static void expect_folder_labels(r2n_dataset *dataset, int32_t cat, int32_t dog, int32_t empty)
{
    assert_int_equal(dataset->items[0].label, cat);
    assert_int_equal(dataset->items[1].label, dog);
    assert_int_equal(dataset->folder_labels[2], empty);
    assert_int_equal(dataset->empty_folders, 1);
    r2n_dataset_destroy(dataset);
}

static void class_folders_are_matched_with_the_names_of_classes(void **state)
{
    (void)state;
    res2net_report *report = res2net_report_create();
    make_class_folders();
    expect_folder_labels(open_named(1, 4, RES2NET_OK, report), 1, 0, 3);
    assert_int_equal(res2net_report_count(report), 1); /* the empty one */
    expect_text(report, 0, "the class folder has no file: class 3 has no picture");
    /* Names that nobody gave for these classes: one unknown, and byte order counts. */
    expect_folder_labels(open_named(0, 3, RES2NET_OK, report), 0, 1, 2);
    assert_null(open_named(1, 3, RES2NET_BAD_LIST, report));
    expect_text(report, 0, "the folder \"empty\" has no class name, though others have");
    /* A second folder of the same class. */
    assert_int_equal(mkdir(in_folder("Cat, Felis"), 0700), 0);
    assert_null(open_named(1, 4, RES2NET_BAD_LIST, report));
    expect_text(report, 0, "the folders \"Cat\" and \"Cat, Felis\" are both of class 1");
    res2net_report_destroy(report);
}

static void fewer_folders_than_classes_are_told(void **state)
{
    (void)state;
    r2n_dataset *dataset;
    const r2n_dataset_options options = {.classes = 9};
    res2net_report *report = res2net_report_create();
    make_class_folders();
    assert_int_equal(r2n_dataset_open(folder, &options, &dataset, report), RES2NET_OK);
    expect_text(report, 0,
                "3 class folders for 9 classes, and their names are no class names: "
                "taken as the classes 0 to 2 in byte order");
    expect_folder_labels(dataset, 0, 1, 2);
    res2net_report_destroy(report);
}

static void a_cifar_binary_among_folders_is_named(void **state)
{
    (void)state;
    write_text("test_batch.bin", "x");
    res2net_report *report = refusal(folder, 0, RES2NET_BAD_LIST);
    expect_text(report, 0,
                "no class folders; expected one folder a class (of CIFAR, give one .bin");
    res2net_report_destroy(report);
}

static void class_folders_without_files_are_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("a"), 0700), 0);
    res2net_report *report = refusal(folder, 0, RES2NET_BAD_LIST);
    expect_text(report, 0, "the class folder has no file");
    expect_text(report, 1, "the class folders have no file");
    res2net_report_destroy(report);
}

/* ---- CIFAR ----------------------------------------------------------------------------------- */

/* `records` records; pixel k of record r is (r + k) mod 256. */
static uint8_t *make_cifar(size_t records, size_t labels, size_t *size)
{
    *size = records * (labels + 3072);
    uint8_t *data = r2n_allocate(*size, 1);
    uint8_t *at = data;
    for (size_t r = 0; r < records; r++) {
        if (labels == 2)
            *at++ = (uint8_t)(r % 20);
        *at++ = (uint8_t)(labels == 2 ? r % 100 : r % 10);
        for (size_t k = 0; k < 3072; k++)
            *at++ = (uint8_t)(r + k);
    }
    return data;
}

static void expect_cifar(size_t labels, r2n_dataset_kind kind, int32_t class_count)
{
    size_t size;
    uint8_t rgb[3072];
    uint8_t *data = make_cifar(120, labels, &size);
    r2n_dataset *dataset = open_or_fail(write_file("batch.bin", data, size), NULL, 0);
    assert_int_equal(dataset->kind, kind);
    assert_int_equal(dataset->count, 120);
    assert_int_equal(dataset->class_count, class_count);
    assert_null(dataset->items[119].path);
    assert_int_equal(dataset->items[119].record, 119);
    assert_int_equal(dataset->items[119].label, labels == 2 ? 19 : 9);
    r2n_dataset_cifar_pixels(dataset, 119, rgb);
    for (size_t pixel = 0; pixel < 1024; pixel++)
        for (size_t channel = 0; channel < 3; channel++)
            assert_int_equal(rgb[3 * pixel + channel], (uint8_t)(119 + 1024 * channel + pixel));
    r2n_dataset_destroy(dataset);
    r2n_free(data);
}

static void cifar_binaries_are_told_by_size_and_labels(void **state)
{
    (void)state;
    expect_cifar(1, R2N_DATASET_CIFAR10, 10);
    expect_cifar(2, R2N_DATASET_CIFAR100, 100);
}

static void bad_cifar_binaries_are_refused(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = make_cifar(12, 1, &size);
    expect_bad_list(data, size - 1, "CIFAR binary");
    res2net_report *report = refusal(write_file("batch.bin", data, size), 9, RES2NET_BAD_LIST);
    expect_text(report, 0, "record 9 has label 9; expected 0 to 8");
    assert_int_equal(res2net_report_problem(report, 0)->offset, 9 * 3073);
    res2net_report_destroy(report);
    data[5 * 3073] = 10;
    expect_bad_list(data, size, "CIFAR binary");
    r2n_free(data);
    data = make_cifar(12, 2, &size);
    data[3 * 3074] = 20; /* a coarse label */
    expect_bad_list(data, size, "CIFAR binary");
    r2n_free(data);
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* Every allocation fails once; then all goes well. The sanitizer sees what is lost. */
static void expect_clean_failures(const char *source)
{
    static const r2n_dataset_options options = {0};
    for (int successes = 0;; successes++) {
        r2n_dataset *dataset = NULL;
        r2n_memory_fail_after(successes);
        const res2net_status status = r2n_dataset_open(source, &options, &dataset, NULL);
        r2n_memory_fail_after(-1);
        if (status == RES2NET_OK) {
            assert_true(successes > 2);
            r2n_dataset_destroy(dataset);
            return;
        }
        assert_int_equal(status, RES2NET_OUT_OF_MEMORY);
        assert_null(dataset);
    }
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    size_t size;
    uint8_t *data = make_cifar(20, 1, &size);
    expect_clean_failures(write_file("batch.bin", data, size));
    r2n_free(data);
    assert_int_equal(unlink(in_folder("batch.bin")), 0);
    expect_clean_failures(write_text("list.txt", "a 0\nb 1\nc 2\nd 1\ne 0\nf 1\ng 2\nh 1\ni 3\n"));
    make_class_folders();
    expect_clean_failures(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(a_list_in_every_hand_is_read),
        FOLDER_TEST(paths_are_joined_with_the_root_or_the_lists_folder),
        FOLDER_TEST(every_bad_line_is_told_with_its_number),
        FOLDER_TEST(another_delimiter_splits_as_in_paddleclas),
        FOLDER_TEST(what_is_no_list_is_refused_by_name),
        FOLDER_TEST(class_folders_are_classes_in_byte_order),
        FOLDER_TEST(folders_that_are_no_classes_are_refused),
        FOLDER_TEST(class_folders_are_matched_with_the_names_of_classes),
        FOLDER_TEST(fewer_folders_than_classes_are_told),
        FOLDER_TEST(a_cifar_binary_among_folders_is_named),
        FOLDER_TEST(class_folders_without_files_are_refused),
        FOLDER_TEST(cifar_binaries_are_told_by_size_and_labels),
        FOLDER_TEST(bad_cifar_binaries_are_refused),
        FOLDER_TEST(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
