/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives: every entry lies inside, and is found by its name. */
#include <stdlib.h>

#include "formats/zip_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    r2n_zip *zip;
    if (r2n_zip_open(data, size, "fuzz", &zip, NULL) != RES2NET_OK)
        return 0;
    for (size_t i = 0; i < zip->count; i++) {
        r2n_zip_entry *entry = &zip->entries[i];
        if (r2n_zip_find(zip, entry->name) != entry || entry->offset < 0 ||
            (size_t)entry->offset > size || entry->size > size - (size_t)entry->offset)
            abort();
        r2n_zip_check(zip, entry, NULL);
    }
    r2n_zip_close(zip);
    return 0;
}
