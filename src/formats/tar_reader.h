/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar archives as Python's tarfile and GNU tar write them: ustar, pax records (path and size) and
 * GNU's long names. Only regular files are listed; folders, links and devices are passed over.
 * Nothing is copied but names: entries are looked at where they lie.
 */
#ifndef R2N_FORMATS_TAR_READER_H
#define R2N_FORMATS_TAR_READER_H

#include "base/report.h"

enum { R2N_TAR_MAXIMUM_ENTRIES = 1 << 12, R2N_TAR_MAXIMUM_NAME = 4096 };

typedef struct r2n_tar_entry {
    char *name; /* NUL-terminated, as in the archive: "folder/inference.pdmodel" */
    const uint8_t *data;
    size_t size;
    int64_t offset; /* of the data in the archive */
} r2n_tar_entry;

typedef struct r2n_tar {
    r2n_tar_entry *entries; /* in the archive's order */
    size_t count, capacity;
} r2n_tar;

/* Does it begin with a header whose checksum is right? */
int r2n_tar_recognises(const void *data, size_t size);
/* `data` must outlive the archive. DAMAGED, UNSUPPORTED (sparse files), LIMIT_EXCEEDED,
 * OUT_OF_MEMORY. */
res2net_status r2n_tar_open(const void *data, size_t size, const char *file, r2n_tar **out,
                            res2net_report *report);
void r2n_tar_close(r2n_tar *tar); /* NULL is allowed */

#endif
