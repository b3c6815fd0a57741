/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zip archives of stored (not compressed) entries, as torch.save writes them; zip64 too. The
 * central directory is the truth; every local header is compared with it and every offset checked
 * when the archive is opened. Nothing is copied: entries are looked at where they lie.
 */
#ifndef R2N_FORMATS_ZIP_READER_H
#define R2N_FORMATS_ZIP_READER_H

#include "base/report.h"

enum { R2N_ZIP_MAXIMUM_ENTRIES = 1 << 18 };

typedef struct r2n_zip_entry {
    const char *name; /* NUL-terminated, no NUL inside */
    const uint8_t *data;
    size_t size;
    int64_t offset; /* of the data in the archive */
    uint32_t crc32;
    int checked; /* the CRC has been compared */
} r2n_zip_entry;

typedef struct r2n_zip {
    r2n_zip_entry *entries; /* sorted by name */
    size_t count;
    char *names;
    const char *file; /* for messages; the caller's */
} r2n_zip;

/* `data` and `file` must outlive the archive. DAMAGED, UNSUPPORTED (compressed, encrypted, several
 * discs), LIMIT_EXCEEDED, OUT_OF_MEMORY. */
res2net_status r2n_zip_open(const void *data, size_t size, const char *file, r2n_zip **out,
                            res2net_report *report);
void r2n_zip_close(r2n_zip *zip); /* NULL is allowed */

/* NULL where there is none of that name. */
r2n_zip_entry *r2n_zip_find(const r2n_zip *zip, const char *name);
/* Compares the entry's CRC-32 once; DAMAGED names the entry. */
res2net_status r2n_zip_check(const r2n_zip *zip, r2n_zip_entry *entry, res2net_report *report);

#endif
