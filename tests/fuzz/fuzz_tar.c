/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives: every entry lies inside; and, as a model, what is in them. Checksums of headers
 * are put right first, so that mutations get past them. */
#include "fuzz/import_graph.h"

#include <stdio.h>

#include "formats/tar_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal(uint8_t *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    r2n_tar *tar;
    r2n_imported imported = {.weights = NULL};
    res2net_report *report = res2net_report_create();
    uint8_t *copy = (uint8_t *)r2n_copy_bytes(data, size);
    if (report == NULL || copy == NULL)
        abort();
    for (size_t at = 0; size >= 512 && at <= size - 512; at += 512)
        if (memcmp(copy + at + 257, "ustar", 5) == 0)
            seal(copy + at);
    if (r2n_tar_open(copy, size, "fuzz", &tar, report) == RES2NET_OK) {
        for (size_t i = 0; i < tar->count; i++) {
            const r2n_tar_entry *entry = &tar->entries[i];
            if (entry->offset < 0 || (size_t)entry->offset > size ||
                entry->size > size - (size_t)entry->offset || entry->name[0] == '\0')
                abort();
        }
        r2n_tar_close(tar);
    } else if (res2net_report_count(report) == 0) {
        abort();
    }
    if (r2n_tar_recognises(copy, size))
        fuzz_check_imported(r2n_import_memory(copy, size, "fuzz", &imported, report), &imported,
                            report);
    res2net_report_destroy(report);
    r2n_free(copy);
    return 0;
}
