/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a data set: a list or a CIFAR binary, or refused. The first byte chooses the
 * number of classes, another delimiter, and whether labels must be there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/sources.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check(const r2n_dataset *dataset, const r2n_dataset_options *options, size_t size)
{
    uint8_t rgb[3072];
    require(dataset->count > 0);
    for (size_t i = 0; i < dataset->count; i++) {
        const r2n_item *item = &dataset->items[i];
        const int no_label = options->labels_optional && item->path != NULL;
        require(no_label ? item->label == -1
                         : item->label >= 0 && item->label < dataset->class_count);
        require(options->classes == 0 || item->label < options->classes);
        require((item->path == NULL) == (dataset->kind != R2N_DATASET_LIST));
        if (item->path != NULL)
            require(strncmp(item->path, "root/", 5) == 0 || item->path[0] == '/');
        else
            r2n_dataset_cifar_pixels(dataset, i, rgb);
    }
    require(dataset->count <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const r2n_dataset_options options = {.root = "root",
                                         .classes = data[0] >> 2,
                                         .delimiter = data[0] % 2 == 1 ? ", " : NULL,
                                         .labels_optional = data[0] % 4 >= 2};
    res2net_report *report = res2net_report_create();
    r2n_dataset *dataset = r2n_allocate_zeroed(1, sizeof(*dataset));
    r2n_file_bytes file = {.data = data + 1, .size = size - 1, .mapped = 0};
    if (report != NULL && dataset != NULL) {
        if (r2n_dataset_read_file(dataset, &file, "fuzz", &options, report) == RES2NET_OK)
            check(dataset, &options, size);
        else
            require(res2net_report_count(report) > 0);
        dataset->cifar = (r2n_file_bytes){0}; /* the bytes are the fuzzer's */
    }
    r2n_dataset_destroy(dataset);
    res2net_report_destroy(report);
    return 0;
}
