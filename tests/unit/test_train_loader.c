/* SPDX-License-Identifier: Apache-2.0 */
/* Batches depend on seed, epoch and number only, and hold what they say; no more are made than
 * asked for, and nothing is left behind. */
#ifdef R2N_HAVE_YAML

#include "loader_fixture.h"

#include <sched.h>

/* ---- order ---- */

static void every_picture_comes_once_an_epoch(void **state)
{
    (void)state;
    r2n_dataset *dataset = make_set(10, 10, 0);
    static const struct {
        int drop_last, merge_single;
        int batches;
        int32_t images[4];
    } cases[] = {
        {0, 0, 4, {3, 3, 3, 1}}, {0, 1, 3, {3, 3, 4}}, {1, 0, 3, {3, 3, 3}}, {1, 1, 3, {3, 3, 3}}};
    for (int c = 0; c < 4; c++)
        for (r2n_order order = R2N_ORDER_SHUFFLED; order <= R2N_ORDER_LIST; order++) {
            r2n_loader_options options = usual(3);
            options.order = order;
            options.drop_last = cases[c].drop_last;
            options.merge_single = cases[c].merge_single;
            r2n_loader *loader = make_loader(dataset, &options);
            assert_int_equal(r2n_loader_batches(loader), cases[c].batches);
            const epoch_record record = take_epoch(loader, 5, 0);
            unsigned seen = 0;
            assert_int_equal(record.batches, cases[c].batches);
            for (int b = 0; b < record.batches; b++)
                assert_int_equal(record.images[b], cases[c].images[b]);
            for (int i = 0; i < record.pictures; i++)
                seen |= 1u << record.items[i];
            assert_int_equal(record.pictures, cases[c].drop_last ? 9 : 10);
            assert_int_equal(__builtin_popcount(seen), record.pictures);
            r2n_loader_destroy(loader);
        }
    r2n_dataset_destroy(dataset);
}

/* spec/paddleclas.md 3: numpy 1.26, RandomState(0) and RandomState(1), shuffle of range(10). */
static void orders_are_the_known_ones(void **state)
{
    (void)state;
    static const int64_t paddle[2][10] = {{2, 8, 4, 9, 1, 6, 7, 3, 0, 5},
                                          {2, 9, 6, 4, 0, 3, 1, 7, 8, 5}};
    static const int64_t listed[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    r2n_dataset *dataset = make_set(10, 10, 0);
    r2n_loader_options options = usual(3);
    options.order = R2N_ORDER_PADDLE;
    r2n_loader *loader = make_loader(dataset, &options);
    for (int epoch = 0; epoch < 2; epoch++) {
        const epoch_record record = take_epoch(loader, epoch, 0);
        expect_items(&record, paddle[epoch], 10);
    }
    const epoch_record later = take_epoch(loader, 1, 2);
    expect_items(&later, paddle[1] + 6, 4);
    assert_int_equal(r2n_loader_begin(loader, (int64_t)1 << 32, 0, NULL), RES2NET_INVALID_ARGUMENT);
    r2n_loader_destroy(loader);
    options.order = R2N_ORDER_LIST;
    loader = make_loader(dataset, &options);
    const epoch_record record = take_epoch(loader, 3, 0);
    expect_items(&record, listed, 10);
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

/* A run that goes on after an update of the program goes on in the same order. */
static void the_shuffled_order_is_pinned(void **state)
{
    (void)state;
    static const int64_t pinned[2][10] = {{9, 2, 1, 3, 0, 5, 8, 6, 4, 7},
                                          {7, 1, 8, 9, 5, 4, 3, 0, 6, 2}};
    r2n_dataset *dataset = make_set(10, 10, 0);
    r2n_loader_options options = usual(3);
    r2n_loader *loader = make_loader(dataset, &options);
    for (int epoch = 0; epoch < 2; epoch++) {
        const epoch_record record = take_epoch(loader, epoch, 0);
        expect_items(&record, pinned[epoch], 10);
    }
    r2n_loader_destroy(loader);
    options.seed = 8;
    loader = make_loader(dataset, &options);
    const epoch_record other = take_epoch(loader, 0, 0);
    assert_memory_not_equal(other.items, pinned[0], sizeof pinned[0]);
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

/* Six pictures of class 0, two of class 1, four of class 2, none of class 3. */
static void balanced_classes_come_equally_often(void **state)
{
    (void)state;
    static const int32_t labels[12] = {0, 0, 1, 0, 2, 2, 0, 0, 1, 2, 0, 2};
    static const int64_t listed[18] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2, 4, 5, 8, 2, 8};
    r2n_dataset *dataset = make_set(12, 3, 0);
    for (int i = 0; i < 12; i++)
        dataset->items[i].label = labels[i];
    for (r2n_order order = R2N_ORDER_SHUFFLED; order <= R2N_ORDER_LIST; order++) {
        int of_item[12] = {0};
        r2n_loader_options options = usual(6);
        options.order = order;
        options.balanced = 1;
        r2n_loader *loader = make_loader(dataset, &options);
        assert_int_equal(r2n_loader_batches(loader), 3);
        for (int epoch = 0; epoch < 2; epoch++) {
            int of_class[3] = {0};
            const epoch_record record = take_epoch(loader, epoch, 0);
            if (order == R2N_ORDER_LIST && epoch == 0)
                expect_items(&record, listed, 18);
            for (int i = 0; i < record.pictures; i++) {
                of_class[labels[record.items[i]]]++;
                of_item[record.items[i]]++;
            }
            for (int c = 0; c < 3; c++)
                assert_int_equal(of_class[c], 6);
        }
        for (int i = 0; i < 12; i++) /* in two epochs none of a class more often than another */
            assert_int_equal(of_item[i], labels[i] == 0 ? 2 : labels[i] == 1 ? 6 : 3);
        r2n_loader_destroy(loader);
    }
    r2n_dataset_destroy(dataset);
}

/* ---- what is in a batch ---- */

static void batches_hold_what_they_say(void **state)
{
    (void)state;
    r2n_dataset *dataset = make_set(10, 4, 0);
    const r2n_loader_options options = usual(4);
    r2n_loader *loader = make_loader(dataset, &options);
    const r2n_batch *batch;
    int32_t rows, columns;
    r2n_loader_picture_size(loader, &rows, &columns);
    assert_int_equal(rows, SIDE);
    assert_int_equal(columns, SIDE);
    assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(r2n_loader_begin(loader, 0, 0, NULL), RES2NET_OK);
    for (int b = 0; b < 3; b++) {
        assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_OK);
        assert_int_equal(batch->rows, SIDE);
        assert_int_equal(batch->columns, SIDE);
        assert_int_equal(batch->classes, 10);
        assert_null(batch->targets);
        assert_int_equal(batch->left_out, 0);
        for (int i = 0; i < batch->images; i++) {
            const float *picture = batch->pictures + i * SIDE * SIDE * 3;
            assert_int_equal(batch->labels[i], batch->items[i] % 4);
            for (int p = 0; p < SIDE * SIDE * 3; p++)
                assert_true(picture[p] == (float)value_of(batch->items[i], p / 3));
        }
    }
    for (int again = 0; again < 2; again++) {
        assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_OK);
        assert_null(batch);
    }
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

static void mixed_batches_have_targets(void **state)
{
    (void)state;
    r2n_dataset *dataset = make_set(10, 4, 0);
    r2n_loader_options options = usual(5);
    options.batch_transforms = mixup;
    r2n_loader *loader = make_loader(dataset, &options);
    const r2n_batch *batch;
    int between = 0;
    for (int epoch = 0; epoch < 8; epoch++) {
        assert_int_equal(r2n_loader_begin(loader, epoch, 0, NULL), RES2NET_OK);
        assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_OK);
        for (int i = 0; i < batch->images; i++) {
            const float *row = batch->targets + i * batch->classes;
            float sum = 0;
            for (int c = 0; c < batch->classes; c++) {
                between += row[c] > 0 && row[c] < 1;
                sum += row[c];
            }
            assert_true(row[batch->labels[i]] > 0);
            assert_true(sum > 0.9999f && sum < 1.0001f);
        }
    }
    assert_true(between > 0);
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

static void cifar_records_are_read(void **state)
{
    (void)state;
    enum { RECORDS = 5, RECORD = 3073 };
    static uint8_t file[RECORDS * RECORD];
    r2n_dataset *dataset = NULL;
    for (int r = 0; r < RECORDS; r++) {
        file[r * RECORD] = (uint8_t)(9 - r);
        for (int i = 1; i < RECORD; i++) /* zero bytes: no text */
            file[r * RECORD + i] = (uint8_t)((i - 1) / 1024 * 50 + r);
    }
    r2n_transforms *normalise = NULL;
    assert_true(parse("- NormalizeImage: {scale: 1.0, mean: [0, 0, 0], std: [1, 1, 1],"
                      " order: ''}\n",
                      &normalise, NULL));
    const r2n_dataset_options dataset_options = {0};
    assert_int_equal(r2n_dataset_open(write_file("cifar.bin", file, sizeof file), &dataset_options,
                                      &dataset, NULL),
                     RES2NET_OK);
    r2n_loader_options options = usual(2);
    options.transforms = normalise;
    options.cache_bytes = 1 << 20;
    r2n_loader *loader = make_loader(dataset, &options);
    const r2n_batch *batch;
    assert_int_equal(r2n_loader_begin(loader, 0, 0, NULL), RES2NET_OK);
    for (int b = 0; b < 3; b++) {
        assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_OK);
        assert_int_equal(batch->rows, 32);
        assert_int_equal(batch->columns, 32);
        for (int i = 0; i < batch->images; i++) {
            assert_int_equal(batch->labels[i], 9 - batch->items[i]);
            for (int v = 0; v < 3 * 1024; v++)
                assert_true(batch->pictures[i * 3 * 1024 + v] ==
                            (float)(v % 3 * 50 + batch->items[i]));
        }
    }
    r2n_loader_facts facts;
    r2n_loader_describe(loader, &facts);
    assert_int_equal(facts.cached, 0); /* they are in memory anyway */
    r2n_loader_destroy(loader);
    r2n_transforms_destroy(normalise);
    r2n_dataset_destroy(dataset);
}

/* ---- the same for any number of threads, and from anywhere ---- */

static void batches_depend_on_seed_epoch_and_number_only(void **state)
{
    (void)state;
    static const int workers[] = {1, 2, 5};
    r2n_dataset *dataset = make_set(33, 10, (uint64_t)1 << 20);
    r2n_loader_options options = usual(4);
    options.transforms = varied;
    options.batch_transforms = mixup;
    options.merge_single = 1;
    options.on_bad_image_skip = 1;
    options.workers = 1;
    r2n_loader *loader = make_loader(dataset, &options);
    const epoch_record zero = take_epoch(loader, 0, 0), one = take_epoch(loader, 1, 0);
    r2n_loader_destroy(loader);
    assert_int_equal(zero.pictures, 32);
    assert_int_equal(zero.batches, 8);
    for (int b = 0; b < 8; b++)
        assert_true(zero.sums[b] != one.sums[b]);
    for (int w = 0; w < 3; w++)
        for (int ahead = 1; ahead <= 9; ahead += 4) {
            options.workers = workers[w];
            options.ahead = ahead;
            options.cache_bytes = ahead == 5 ? 1 << 20 : 0;
            loader = make_loader(dataset, &options);
            const epoch_record first = take_epoch(loader, 0, 0), part = take_epoch(loader, 1, 5);
            const epoch_record last = take_epoch(loader, 1, 7), none = take_epoch(loader, 0, 8);
            expect_same(&zero, &first, 0);
            expect_same(&one, &part, 5);
            expect_same(&one, &last, 7);
            assert_int_equal(none.batches, 0);
            r2n_loader_destroy(loader);
        }
    r2n_dataset_destroy(dataset);
}

static void chance_differs_by_epoch_and_place(void **state)
{
    (void)state;
    r2n_dataset *dataset = make_set(12, 10, 0);
    for (int i = 1; i < 12; i++) /* the same picture everywhere */
        strcpy(strrchr(dataset->items[i].path, '/'), "/0.ppm");
    r2n_loader_options options = usual(12);
    options.order = R2N_ORDER_LIST;
    options.transforms = varied;
    r2n_loader *loader = make_loader(dataset, &options);
    const r2n_batch *batch;
    uint32_t sums[4][12];
    int same_in_epoch = 0, same_at_place = 0;
    for (int epoch = 0; epoch < 4; epoch++) {
        assert_int_equal(r2n_loader_begin(loader, epoch, 0, NULL), RES2NET_OK);
        assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_OK);
        const size_t floats = (size_t)batch->rows * (size_t)batch->columns * 3;
        for (int i = 0; i < 12; i++) {
            sums[epoch][i] =
                r2n_crc32(0, batch->pictures + (size_t)i * floats, floats * sizeof(float));
            same_in_epoch += sums[epoch][i] == sums[epoch][0];
            same_at_place += sums[epoch][i] == sums[0][i];
        }
    }
    assert_true(same_in_epoch < 24); /* of 48 */
    assert_true(same_at_place < 30); /* 12 are themselves */
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

static void it_stops_and_begins_anew_at_any_time(void **state)
{
    (void)state;
    r2n_dataset *dataset = make_set(30, 10, 0);
    const r2n_batch *batch;
    r2n_loader_options options = usual(4);
    options.transforms = varied;
    options.batch_transforms = mixup;
    options.workers = 5;
    options.ahead = 1;
    r2n_loader *loader = make_loader(dataset, &options);
    r2n_loader_destroy(loader); /* before any epoch */
    loader = make_loader(dataset, &options);
    const epoch_record whole = take_epoch(loader, 2, 0);
    for (int taken = 0; taken <= 8; taken++) {
        assert_int_equal(r2n_loader_begin(loader, 1, 0, NULL), RES2NET_OK);
        for (int b = 0; b < taken; b++)
            assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_OK);
        const epoch_record again = take_epoch(loader, 2, taken % 3);
        expect_same(&whole, &again, taken % 3);
    }
    assert_int_equal(r2n_loader_begin(loader, 1, 9, NULL), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(r2n_loader_begin(loader, -1, 0, NULL), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_INVALID_ARGUMENT);
    assert_int_equal(r2n_loader_begin(loader, 0, 0, NULL), RES2NET_OK);
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

/* How many pictures were made shows in the cache. */
static void no_more_than_asked_for_is_made_ahead(void **state)
{
    (void)state;
    r2n_dataset *dataset = make_set(60, 10, 0);
    r2n_loader_options options = usual(2);
    options.workers = 3;
    options.ahead = 3;
    options.cache_bytes = 1 << 20;
    r2n_loader *loader = make_loader(dataset, &options);
    const r2n_batch *batch;
    r2n_loader_facts facts;
    assert_int_equal(r2n_loader_begin(loader, 0, 0, NULL), RES2NET_OK);
    for (int taken = 0; taken < 30; taken++) {
        for (int i = 0; i < 20; i++) {
            sched_yield();
            r2n_loader_describe(loader, &facts);
            assert_true(facts.cached <= 2 * (taken + 3));
        }
        assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_OK);
        r2n_loader_describe(loader, &facts);
        assert_true(facts.cached >= 2 * (taken + 1));
    }
    r2n_loader_destroy(loader);
    r2n_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(every_picture_comes_once_an_epoch),
        FOLDER_TEST(orders_are_the_known_ones),
        FOLDER_TEST(the_shuffled_order_is_pinned),
        FOLDER_TEST(balanced_classes_come_equally_often),
        FOLDER_TEST(batches_hold_what_they_say),
        FOLDER_TEST(mixed_batches_have_targets),
        FOLDER_TEST(cifar_records_are_read),
        FOLDER_TEST(batches_depend_on_seed_epoch_and_number_only),
        FOLDER_TEST(chance_differs_by_epoch_and_place),
        FOLDER_TEST(it_stops_and_begins_anew_at_any_time),
        FOLDER_TEST(no_more_than_asked_for_is_made_ahead),
    };
    return cmocka_run_group_tests(tests, make_transforms, destroy_transforms);
}

#else

int main(void)
{
    return 0; /* transforms come from YAML */
}

#endif
