/* SPDX-License-Identifier: Apache-2.0 */
/* The official CIFAR binaries: records of one label byte (CIFAR-10) or a coarse and a fine one
 * (CIFAR-100), then 1024 red, 1024 green and 1024 blue bytes, row by row. */
#include <inttypes.h>

#include "data/sources.h"
#include "formats/byte_cursor.h"

enum { PLANE_BYTES = 32 * 32, PIXEL_BYTES = 3 * PLANE_BYTES, COARSE_CLASSES = 20 };

static size_t label_bytes(r2n_dataset_kind kind)
{
    return kind == R2N_DATASET_CIFAR100 ? 2 : 1;
}

static size_t record_bytes(r2n_dataset_kind kind)
{
    return label_bytes(kind) + PIXEL_BYTES;
}

/* -1 where the record is none. */
static int32_t record_label(r2n_byte_cursor *cursor, r2n_dataset_kind kind)
{
    const int32_t first = r2n_cursor_u8(cursor);
    const int32_t label = kind == R2N_DATASET_CIFAR100 ? r2n_cursor_u8(cursor) : first;
    r2n_cursor_skip(cursor, PIXEL_BYTES);
    if (cursor->failed || (kind == R2N_DATASET_CIFAR100 && first >= COARSE_CLASSES))
        return -1;
    return label < (kind == R2N_DATASET_CIFAR100 ? 100 : 10) ? label : -1;
}

static int all_labels_fit(const void *data, size_t size, r2n_dataset_kind kind)
{
    r2n_byte_cursor cursor = r2n_cursor(data, size);
    if (size == 0 || size % record_bytes(kind) != 0)
        return 0;
    while (r2n_cursor_left(&cursor) > 0)
        if (record_label(&cursor, kind) < 0)
            return 0;
    return 1;
}

int r2n_cifar_sniff(const void *data, size_t size, r2n_dataset_kind *kind)
{
    *kind = R2N_DATASET_CIFAR10;
    if (all_labels_fit(data, size, *kind))
        return 1;
    *kind = R2N_DATASET_CIFAR100;
    return all_labels_fit(data, size, *kind);
}

res2net_status r2n_cifar_read(r2n_dataset *dataset, r2n_dataset_kind kind, r2n_file_bytes *file,
                              const char *name, int32_t classes, res2net_report *report)
{
    r2n_byte_cursor cursor = r2n_cursor(file->data, file->size);
    size_t capacity = 0;
    res2net_status result = RES2NET_OK;
    dataset->kind = kind;
    for (int64_t record = 0; r2n_cursor_left(&cursor) > 0; record++) {
        const size_t offset = cursor.position;
        const int32_t label = record_label(&cursor, kind);
        if (label < 0 || (classes > 0 && label >= classes)) {
            result = r2n_fail(report, RES2NET_BAD_LIST, name, (int64_t)offset,
                              "record %" PRId64 " has label %" PRId32 "; expected 0 to %" PRId32,
                              record, label, (classes > 0 ? classes : 100) - 1);
            if (cursor.failed)
                return result;
            continue;
        }
        const res2net_status status =
            r2n_dataset_append(dataset, &capacity, NULL, record, label, -1, report);
        if (status != RES2NET_OK)
            return status;
    }
    if (result != RES2NET_OK)
        return result;
    dataset->cifar = *file;
    *file = (r2n_file_bytes){0};
    return RES2NET_OK;
}

void r2n_dataset_cifar_pixels(const r2n_dataset *dataset, size_t index, uint8_t *rgb)
{
    r2n_byte_cursor cursor = r2n_cursor(dataset->cifar.data, dataset->cifar.size);
    r2n_cursor_seek(&cursor, (uint64_t)dataset->items[index].record * record_bytes(dataset->kind) +
                                 label_bytes(dataset->kind));
    for (int channel = 0; channel < 3; channel++) {
        const uint8_t *plane = r2n_cursor_take(&cursor, PLANE_BYTES);
        for (int i = 0; plane != NULL && i < PLANE_BYTES; i++)
            rgb[3 * i + channel] = plane[i];
    }
}
