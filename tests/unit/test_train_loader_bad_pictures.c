/* SPDX-License-Identifier: Apache-2.0 */
/* Bad pictures are left out or end the run, once; what cannot be is refused; the cache keeps what
 * it may. */
#ifdef R2N_HAVE_YAML

#include "loader_fixture.h"

#include <unistd.h>

/* ---- the cache ---- */

static void what_is_cached_is_not_read_again(void **state)
{
    (void)state;
    enum { PICTURE = SIDE * SIDE * 3, FIT = 6 };
    r2n_dataset *dataset = make_set(10, 10, 0);
    r2n_loader_options options = usual(4);
    options.order = R2N_ORDER_LIST;
    options.workers = 1; /* then the first ones are the cached ones */
    options.transforms = varied;
    r2n_loader *loader = make_loader(dataset, &options);
    const epoch_record wanted = take_epoch(loader, 1, 0);
    r2n_loader_facts facts;
    r2n_loader_describe(loader, &facts);
    assert_int_equal(facts.cached, 0);
    r2n_loader_destroy(loader);
    options.cache_bytes = FIT * PICTURE + PICTURE - 1;
    loader = make_loader(dataset, &options);
    take_epoch(loader, 0, 0);
    r2n_loader_describe(loader, &facts);
    assert_int_equal(facts.cached, FIT);
    for (int item = 0; item < FIT; item++)
        unlink(in_folder(picture_name(item)));
    const epoch_record cached = take_epoch(loader, 1, 0);
    expect_same(&wanted, &cached, 0);
    unlink(in_folder(picture_name(FIT)));
    const r2n_batch *batch;
    assert_int_equal(r2n_loader_begin(loader, 1, 1, NULL), RES2NET_OK);
    assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_NOT_FOUND);
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

/* ---- bad pictures ---- */

static void a_bad_picture_ends_the_run_once(void **state)
{
    (void)state;
    static const int workers[] = {1, 2, 5};
    r2n_dataset *dataset = make_set(20, 10, 1 << 7 | 1 << 8 | 1 << 12);
    res2net_report *report = res2net_report_create();
    for (int w = 0; w < 3; w++) {
        r2n_loader_options options = usual(3);
        options.order = R2N_ORDER_LIST;
        options.workers = workers[w];
        r2n_loader *loader = make_loader(dataset, &options);
        const r2n_batch *batch;
        assert_int_equal(r2n_loader_begin(loader, 0, 0, report), RES2NET_OK);
        for (int b = 0; b < 2; b++) {
            assert_int_equal(r2n_loader_next(loader, &batch, report), RES2NET_OK);
            assert_int_equal(batch->images, 3);
        }
        assert_int_equal(r2n_loader_next(loader, &batch, report), RES2NET_BAD_PICTURE);
        assert_null(batch);
        assert_int_equal(loader->started, 0);
        assert_int_equal(res2net_report_count(report), 1);
        assert_string_equal(res2net_report_problem(report, 0)->file, in_folder("7.ppm"));
        expect_problem(report, RES2NET_BAD_PICTURE, "on_bad_image: skip");
        assert_int_equal(r2n_loader_next(loader, &batch, report), RES2NET_BAD_PICTURE);
        assert_int_equal(res2net_report_count(report), 0);
        const r2n_batch *fine;
        assert_int_equal(r2n_loader_begin(loader, 0, 5, report), RES2NET_OK);
        assert_int_equal(r2n_loader_next(loader, &fine, report), RES2NET_OK);
        assert_int_equal(fine->items[0], 15);
        r2n_loader_destroy(loader);
    }
    res2net_report_destroy(report);
    r2n_dataset_destroy(dataset);
}

static void bad_pictures_are_left_out_and_told_once(void **state)
{
    (void)state;
    static const int64_t rest[] = {0, 1, 2, 3, 4, 5, 7, 9, 10};
    static const int32_t images[] = {3, 3, 1, 2};
    r2n_dataset *dataset = make_set(12, 10, 1 << 6 | 1 << 8);
    unlink(in_folder(picture_name(11)));
    res2net_report *report = res2net_report_create();
    r2n_loader_options options = usual(3);
    options.order = R2N_ORDER_LIST;
    options.on_bad_image_skip = 1;
    r2n_loader *loader = make_loader(dataset, &options);
    for (int epoch = 0; epoch < 2; epoch++) {
        int64_t taken = 0;
        assert_int_equal(r2n_loader_begin(loader, epoch, 0, report), RES2NET_OK);
        for (int b = 0; b < 4; b++) {
            const r2n_batch *batch;
            assert_int_equal(r2n_loader_next(loader, &batch, report), RES2NET_OK);
            assert_int_equal(batch->images, images[b]);
            assert_int_equal(batch->left_out, 3 - images[b]);
            for (int i = 0; i < batch->images; i++) {
                assert_int_equal(batch->items[i], rest[taken++]);
                assert_int_equal(batch->labels[i], batch->items[i] % 10);
                assert_true(batch->pictures[i * SIDE * SIDE * 3] ==
                            (float)value_of(batch->items[i], 0));
            }
        }
        r2n_loader_facts facts;
        r2n_loader_describe(loader, &facts);
        assert_int_equal(facts.left_out, 3 * (epoch + 1));
        assert_int_equal(res2net_report_count(report), epoch == 0 ? 3 : 0);
        if (epoch == 0) {
            assert_string_equal(res2net_report_problem(report, 1)->file, in_folder("8.ppm"));
            assert_int_equal(res2net_report_problem(report, 2)->status, RES2NET_NOT_FOUND);
            expect_problem(report, RES2NET_BAD_PICTURE, "the picture is left out");
        }
    }
    r2n_loader_destroy(loader);
    res2net_report_destroy(report);
    r2n_dataset_destroy(dataset);
}

static void a_batch_without_a_picture_is_passed_over(void **state)
{
    (void)state;
    static const int64_t rest[] = {0, 1, 2, 6, 7, 8};
    r2n_dataset *dataset = make_set(12, 10, 0xe38); /* 3 to 5 and 9 to 11 */
    r2n_loader_options options = usual(3);
    options.order = R2N_ORDER_LIST;
    options.on_bad_image_skip = 1;
    options.ahead = 1;
    options.batch_transforms = mixup;
    r2n_loader *loader = make_loader(dataset, &options);
    const epoch_record record = take_epoch(loader, 0, 0), end = take_epoch(loader, 0, 3);
    assert_int_equal(record.batches, 2);
    expect_items(&record, rest, 6);
    assert_int_equal(end.batches, 0);
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

static void an_epoch_without_a_picture_is_an_error(void **state)
{
    (void)state;
    r2n_dataset *dataset = make_set(6, 6, 0x3f);
    res2net_report *report = res2net_report_create();
    r2n_loader_options options = usual(4);
    options.on_bad_image_skip = 1;
    r2n_loader *loader = make_loader(dataset, &options);
    const r2n_batch *batch;
    assert_int_equal(r2n_loader_begin(loader, 0, 0, report), RES2NET_OK);
    assert_int_equal(r2n_loader_next(loader, &batch, report), RES2NET_BAD_PICTURE);
    assert_int_equal(res2net_report_count(report), 7);
    expect_problem(report, RES2NET_BAD_PICTURE, "none of the epoch's 6 pictures");
    r2n_loader_destroy(loader);
    res2net_report_destroy(report);
    r2n_dataset_destroy(dataset);
}

/* ---- refusals ---- */

static void refuse(const r2n_dataset *dataset, const r2n_loader_options *options,
                   res2net_status status, const char *text)
{
    res2net_report *report = res2net_report_create();
    r2n_loader *loader = (r2n_loader *)folder;
    assert_int_equal(r2n_loader_create(dataset, options, &loader, report), status);
    assert_null(loader);
    expect_problem(report, status, text);
    res2net_report_destroy(report);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    r2n_dataset *dataset = make_set(5, 5, 0);
    r2n_loader_options options = usual(0);
    refuse(dataset, &options, RES2NET_INVALID_ARGUMENT, "batch");
    options = usual(2);
    options.transforms = NULL;
    refuse(dataset, &options, RES2NET_INVALID_ARGUMENT, "transforms");
    options = usual(2);
    options.workers = -1;
    refuse(dataset, &options, RES2NET_INVALID_ARGUMENT, "workers");
    options = usual(2);
    options.cache_bytes = -1;
    refuse(dataset, &options, RES2NET_INVALID_ARGUMENT, "cache");
    options = usual(2);
    options.classes = 4;
    refuse(dataset, &options, RES2NET_BAD_LIST, "label 4; expected 0 to 3");
    options = usual(6);
    options.drop_last = 1;
    refuse(dataset, &options, RES2NET_INVALID_ARGUMENT, "drop_last");
    options = usual(1 << 30);
    options.order = (r2n_order)9;
    refuse(dataset, &options, RES2NET_INVALID_ARGUMENT, "order");
    options = usual(1 << 30); /* no room is made for pictures that are not there */
    r2n_loader *loader = make_loader(dataset, &options);
    assert_int_equal(take_epoch(loader, 0, 0).pictures, 5);
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

static res2net_status one_epoch(const r2n_dataset *dataset)
{
    r2n_loader_options options = usual(2);
    options.balanced = 1;
    options.order = R2N_ORDER_PADDLE;
    options.batch_transforms = mixup;
    options.on_bad_image_skip = 1;
    options.cache_bytes = 1 << 20;
    r2n_loader *loader = NULL;
    const r2n_batch *batch;
    res2net_status status = r2n_loader_create(dataset, &options, &loader, NULL);
    if (status == RES2NET_OK)
        status = r2n_loader_begin(loader, 0, 0, NULL);
    while (status == RES2NET_OK) {
        status = r2n_loader_next(loader, &batch, NULL);
        if (batch == NULL)
            break;
    }
    r2n_loader_destroy(loader);
    return status;
}

/* A worker that cannot have a report does without: then the epoch succeeds. */
static void lost_memory_ends_in_out_of_memory(void **state)
{
    (void)state;
    r2n_dataset *dataset = make_set(5, 2, 1);
    const int64_t before = r2n_memory_allocations();
    assert_int_equal(one_epoch(dataset), RES2NET_OK);
    const int64_t needed = r2n_memory_allocations() - before;
    int failures = 0;
    for (int64_t successes = 0; successes < needed; successes++) {
        r2n_memory_fail_after(successes);
        const res2net_status status = one_epoch(dataset);
        r2n_memory_fail_after(-1);
        assert_true(status == RES2NET_OK || status == RES2NET_OUT_OF_MEMORY);
        failures += status == RES2NET_OUT_OF_MEMORY;
    }
    assert_true(failures > needed / 2);
    r2n_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(what_is_cached_is_not_read_again),
        FOLDER_TEST(a_bad_picture_ends_the_run_once),
        FOLDER_TEST(bad_pictures_are_left_out_and_told_once),
        FOLDER_TEST(a_batch_without_a_picture_is_passed_over),
        FOLDER_TEST(an_epoch_without_a_picture_is_an_error),
        FOLDER_TEST(what_cannot_be_is_refused),
        FOLDER_TEST(lost_memory_ends_in_out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_transforms, destroy_transforms);
}

#else

int main(void)
{
    return 0; /* transforms come from YAML */
}

#endif
