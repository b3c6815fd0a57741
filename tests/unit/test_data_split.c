/* SPDX-License-Identifier: Apache-2.0 */
/* Splits of labelled sets: shares, seeds, names that need quotes, what is refused. */
#include "temporary_folder.h"

#include "base/memory.h"
#include "data/dataset.h"
#include "expect.h"
#include "res2net/evaluate.h"

static const char *set_of(int counts[3])
{
    static const char *const classes[] = {"cat", "dog", "été"};
    char name[64];
    assert_int_equal(mkdir(in_folder("set"), 0700), 0);
    for (int label = 0; label < 3; label++) {
        snprintf(name, sizeof name, "set/%s", classes[label]);
        assert_int_equal(mkdir(in_folder(name), 0700), 0);
        for (int i = 0; i < counts[label]; i++) {
            snprintf(name, sizeof name, "set/%s/%d a.jpg", classes[label], i);
            write_text(name, "x");
        }
    }
    assert_int_equal(mkdir(in_folder("out"), 0700), 0);
    return in_folder("set");
}

/* The list read back with the set as its root: all its files are there. */
static r2n_dataset *read_back(const char *name, int32_t counts[3])
{
    char root[128];
    r2n_dataset *dataset;
    snprintf(root, sizeof root, "%s/set", folder);
    const r2n_dataset_options options = {.root = root};
    assert_int_equal(r2n_dataset_open(in_folder(name), &options, &dataset, NULL), RES2NET_OK);
    assert_int_equal(r2n_dataset_find_absent(dataset, name, NULL), 0);
    memset(counts, 0, 3 * sizeof *counts);
    for (size_t i = 0; i < dataset->count; i++)
        counts[dataset->items[i].label]++;
    return dataset;
}

static void remove_lists(void)
{
    assert_int_equal(unlink(in_folder("out/train_list.txt")), 0);
    assert_int_equal(unlink(in_folder("out/val_list.txt")), 0);
    unlink(in_folder("out/label_list.txt"));
}

static void every_class_is_split_by_the_share(void **state)
{
    (void)state;
    int32_t train[3], val[3];
    res2net_split made;
    const res2net_split_options options = {.share = 0.8, .seed = 5};
    char set[128];
    snprintf(set, sizeof set, "%s", set_of((int[]){10, 2, 25}));
    assert_int_equal(res2net_split_data(set, in_folder("out"), &options, &made, NULL), RES2NET_OK);
    r2n_dataset *first = read_back("out/train_list.txt", train);
    r2n_dataset *second = read_back("out/val_list.txt", val);
    assert_true(train[0] == 8 && train[1] == 1 && train[2] == 20);
    assert_true(val[0] == 2 && val[1] == 1 && val[2] == 5);
    assert_true(made.train == 29 && made.validation == 8 && made.classes == 3);
    for (size_t i = 0; i < first->count; i++)
        for (size_t k = 0; k < second->count; k++)
            assert_string_not_equal(first->items[i].path, second->items[k].path);
    r2n_dataset_destroy(first);
    r2n_dataset_destroy(second);
    char *names;
    int32_t count;
    assert_int_equal(r2n_labels_read(in_folder("out/label_list.txt"), &names, &count, NULL),
                     RES2NET_OK);
    assert_string_equal(names, "cat\ndog\nété");
    r2n_free(names);
}

static void the_seed_makes_the_split(void **state)
{
    (void)state;
    r2n_file_bytes lists[3];
    char set[128];
    snprintf(set, sizeof set, "%s", set_of((int[]){40, 40, 40}));
    for (int i = 0; i < 3; i++) {
        res2net_split made;
        const res2net_split_options options = {.share = 0.5, .seed = i == 2 ? 8 : 7};
        assert_int_equal(res2net_split_data(set, in_folder("out"), &options, &made, NULL),
                         RES2NET_OK);
        lists[i] = expect_file(in_folder("out/val_list.txt"));
        remove_lists();
    }
    assert_int_equal(lists[0].size, lists[1].size);
    assert_memory_equal(lists[0].data, lists[1].data, lists[0].size);
    assert_true(lists[2].size != lists[0].size ||
                memcmp(lists[2].data, lists[0].data, lists[0].size) != 0);
    for (int i = 0; i < 3; i++)
        r2n_file_release(&lists[i]);
}

static void odd_names_come_back(void **state)
{
    (void)state;
    static const char *const names[] = {"#1.jpg",  "\"a\".jpg", "\"q\"", " blank ",
                                        "back\\s", "-",         "a\"b c"};
    char name[64];
    int32_t train[3], val[3];
    char set[128];
    res2net_split made;
    snprintf(set, sizeof set, "%s", set_of((int[]){0, 0, 0}));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "set/dog/%s", names[i]);
        write_text(name, "x");
    }
    /* Class folders have their names in front; a list may have them at the line's beginning. */
    static const char list[] = "\"#1.jpg\" 0\n\"\"\"a\"\".jpg\" 0\n\"\"\"q\"\"\" 0\n\" blank \" 0\n"
                               "\"back\\s\" 0\n\"-\" 0\n\"a\"\"b c\" 0\n";
    const res2net_split_options options = {.root = NULL, .share = 0.5};
    write_text("set/dog/list.txt", list);
    assert_int_equal(
        res2net_split_data(in_folder("set/dog/list.txt"), in_folder("out"), &options, &made, NULL),
        RES2NET_OK);
    assert_true(made.train == 4 && made.validation == 3);
    char both[2][256];
    for (int i = 0; i < 2; i++) {
        r2n_dataset *dataset;
        snprintf(both[0], sizeof both[0], "%s/set/dog", folder);
        const r2n_dataset_options there = {.root = both[0]};
        const char *part = in_folder(i == 0 ? "out/train_list.txt" : "out/val_list.txt");
        assert_int_equal(r2n_dataset_open(part, &there, &dataset, NULL), RES2NET_OK);
        assert_int_equal(dataset->count, i == 0 ? 4 : 3);
        assert_int_equal(r2n_dataset_find_absent(dataset, part, NULL), 0);
        r2n_dataset_destroy(dataset);
    }
    remove_lists();
    assert_int_equal(unlink(in_folder("set/dog/list.txt")), 0);
    assert_int_equal(res2net_split_data(set, in_folder("out"), NULL, &made, NULL), RES2NET_OK);
    r2n_dataset_destroy(read_back("out/train_list.txt", train));
    r2n_dataset_destroy(read_back("out/val_list.txt", val));
    assert_true(train[1] == 6 && val[1] == 1);
}

static void what_cannot_be_split_is_refused(void **state)
{
    (void)state;
    res2net_split made;
    const res2net_split_options all = {.share = 1};
    char set[128];
    res2net_report *report = res2net_report_create();
    snprintf(set, sizeof set, "%s", set_of((int[]){2, 2, 2}));
    assert_int_equal(res2net_split_data(set, in_folder("out"), &all, &made, report),
                     RES2NET_INVALID_ARGUMENT);
    expect_problem(report, RES2NET_INVALID_ARGUMENT, "over 0 and below 1");
    assert_int_equal(
        res2net_split_data(write_text("l.txt", "x 0\n"), in_folder("out"), NULL, &made, report),
        RES2NET_NOT_FOUND);
    expect_problem(report, RES2NET_NOT_FOUND, "does not exist");
    write_text("out/val_list.txt", "mine");
    assert_int_equal(res2net_split_data(set, in_folder("out"), NULL, &made, report),
                     RES2NET_WRITE_FAILED);
    expect_problem(report, RES2NET_WRITE_FAILED, "is there already");
    assert_int_equal(access(in_folder("out/train_list.txt"), F_OK), -1);
    assert_int_equal(unlink(in_folder("out/val_list.txt")), 0);
    write_text("set/dog/new\nline.jpg", "x");
    assert_int_equal(res2net_split_data(set, in_folder("out"), NULL, &made, report),
                     RES2NET_BAD_LIST);
    expect_problem(report, RES2NET_BAD_LIST, "a control character, which no list can hold");
    res2net_report_destroy(report);
}

static res2net_status split_once(void *context)
{
    res2net_split made;
    const char *const *paths = context;
    const res2net_status status = res2net_split_data(paths[0], paths[1], NULL, &made, NULL);
    unlink(in_folder("out/train_list.txt"));
    unlink(in_folder("out/val_list.txt"));
    unlink(in_folder("out/label_list.txt"));
    return status;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    char set[128], out[128];
    snprintf(set, sizeof set, "%s", set_of((int[]){3, 2, 1}));
    snprintf(out, sizeof out, "%s", in_folder("out"));
    const char *paths[] = {set, out};
    expect_every_allocation_may_fail(split_once, paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(every_class_is_split_by_the_share),
        FOLDER_TEST(the_seed_makes_the_split),
        FOLDER_TEST(odd_names_come_back),
        FOLDER_TEST(what_cannot_be_split_is_refused),
        FOLDER_TEST(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
