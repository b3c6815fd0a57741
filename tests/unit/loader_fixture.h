/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the loader share: sets of small pictures, three lists of transforms, and what
 * an epoch gave. Include it where there is YAML. */
#ifndef R2N_TESTS_LOADER_FIXTURE_H
#define R2N_TESTS_LOADER_FIXTURE_H

#include "unit/expect.h"

#include "formats/crc32.h"
#include "temporary_folder.h"
#include "train/loader_internal.h"

enum { SIDE = 6, MOST = 64 };

static const char plain_text[] = "- DecodeImage: {to_rgb: True, channel_first: False}\n"
                                 "- ResizeImage: {size: [6, 6]}\n"
                                 "- NormalizeImage: {scale: 1.0, mean: [0, 0, 0], std: [1, 1, 1],"
                                 " order: ''}\n";
static const char random_text[] = "- DecodeImage: {to_rgb: True, channel_first: False}\n"
                                  "- RandCropImage: {size: 4}\n"
                                  "- RandFlipImage: {flip_code: 1}\n"
                                  "- NormalizeImage: {scale: 1.0/255.0, mean: [0.5, 0.5, 0.5],"
                                  " std: [0.2, 0.2, 0.2], order: ''}\n";
static const char mixup_text[] = "- MixupOperator: {alpha: 0.2}\n";

static r2n_transforms *plain, *varied;
static r2n_batch_transforms *mixup;

/* 1: `text` is a list of one kind or the other, whose place is not NULL. */
static inline int parse(const char *text, r2n_transforms **transforms, r2n_batch_transforms **batch)
{
    r2n_yaml yaml;
    if (r2n_yaml_open(text, strlen(text), "a list", "list", &yaml, NULL) != RES2NET_OK)
        return 0;
    const yaml_node_t *list = r2n_yaml_node(&yaml, 1);
    const res2net_status status = transforms != NULL
                                      ? r2n_transforms_parse(&yaml, list, transforms, NULL)
                                      : r2n_batch_transforms_parse(&yaml, list, batch, NULL);
    r2n_yaml_close(&yaml);
    return status == RES2NET_OK;
}

static inline int make_transforms(void **state)
{
    (void)state;
    return !parse(plain_text, &plain, NULL) || !parse(random_text, &varied, NULL) ||
           !parse(mixup_text, NULL, &mixup);
}

static inline int destroy_transforms(void **state)
{
    (void)state;
    r2n_transforms_destroy(plain);
    r2n_transforms_destroy(varied);
    r2n_batch_transforms_destroy(mixup);
    return 0;
}

/* ---- a set of small pictures ---- */

/* Pixel p of picture `item`, all channels. */
static inline uint8_t value_of(int64_t item, int p)
{
    return (uint8_t)(item * 3 + p);
}

static const char *picture_name(int64_t item)
{
    static char name[32];
    snprintf(name, sizeof name, "%lld.ppm", (long long)item);
    return name;
}

/* Pictures 0 .. count - 1; the label is the number modulo `classes`. Those with a bit in `bad` are
 * cut off. */
static inline r2n_dataset *make_set(int count, int classes, uint64_t bad)
{
    char lines[MOST * 32] = "";
    r2n_dataset *dataset = NULL;
    for (int item = 0; item < count; item++) {
        char file[16 + SIDE * SIDE * 3] = "P6 6 6 255\n";
        const size_t header = strlen(file);
        for (int i = 0; i < SIDE * SIDE * 3; i++)
            file[header + (size_t)i] = (char)value_of(item, i / 3);
        const size_t size = header + SIDE * SIDE * 3;
        write_file(picture_name(item), file, (bad >> item & 1) != 0 ? size / 2 : size);
        sprintf(lines + strlen(lines), "%s %d\n", picture_name(item), item % classes);
    }
    const r2n_dataset_options options = {0};
    assert_int_equal(r2n_dataset_open(write_text("list.txt", lines), &options, &dataset, NULL),
                     RES2NET_OK);
    return dataset;
}

static inline r2n_loader_options usual(int32_t batch)
{
    return (r2n_loader_options){
        .batch = batch, .classes = 10, .seed = 7, .workers = 2, .ahead = 2, .transforms = plain};
}

static inline r2n_loader *make_loader(const r2n_dataset *dataset, const r2n_loader_options *options)
{
    r2n_loader *loader = NULL;
    res2net_report *report = res2net_report_create();
    if (r2n_loader_create(dataset, options, &loader, report) != RES2NET_OK)
        fail_msg("%s", res2net_report_problem(report, 0)->text);
    res2net_report_destroy(report);
    return loader;
}

/* What an epoch gave, batch by batch. */
typedef struct epoch_record {
    int batches;
    int32_t images[MOST];
    uint32_t sums[MOST]; /* of all that the batch holds */
    int pictures;
    int64_t items[MOST * 4];
} epoch_record;

static inline uint32_t batch_sum(const r2n_batch *batch)
{
    const size_t images = (size_t)batch->images;
    const size_t floats = images * (size_t)batch->rows * (size_t)batch->columns * 3;
    uint32_t sum = r2n_crc32(0, batch->pictures, floats * sizeof(float));
    sum = r2n_crc32(sum, batch->labels, images * sizeof *batch->labels);
    if (batch->targets != NULL)
        sum = r2n_crc32(sum, batch->targets, images * (size_t)batch->classes * sizeof(float));
    return r2n_crc32(sum, batch->items, images * sizeof *batch->items);
}

static inline epoch_record take_epoch(r2n_loader *loader, int64_t epoch, int64_t first)
{
    epoch_record record = {0};
    const r2n_batch *batch;
    assert_int_equal(r2n_loader_begin(loader, epoch, first, NULL), RES2NET_OK);
    for (;;) {
        assert_int_equal(r2n_loader_next(loader, &batch, NULL), RES2NET_OK);
        if (batch == NULL)
            break;
        record.images[record.batches] = batch->images;
        record.sums[record.batches++] = batch_sum(batch);
        for (int i = 0; i < batch->images; i++)
            record.items[record.pictures++] = batch->items[i];
    }
    assert_int_equal(loader->started, 0); /* threads end with the epoch */
    return record;
}

static inline void expect_items(const epoch_record *record, const int64_t *items, int count)
{
    assert_int_equal(record->pictures, count);
    for (int i = 0; i < count; i++)
        assert_int_equal(record->items[i], items[i]);
}

static inline void expect_same(const epoch_record *whole, const epoch_record *part, int first)
{
    assert_int_equal(part->batches, whole->batches - first);
    for (int b = 0; b < part->batches; b++) {
        assert_int_equal(part->images[b], whole->images[first + b]);
        assert_int_equal(part->sums[b], whole->sums[first + b]);
    }
}

#endif
