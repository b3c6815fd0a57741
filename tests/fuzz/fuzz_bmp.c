/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a BMP. */
#include <string.h>

#include "fuzz/decode_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL || size < 2) {
        free(copy);
        return 0;
    }
    memcpy(copy, data, size);
    memcpy(copy, "BM", 2);
    decode_both(copy, size, NULL);
    free(copy);
    return 0;
}
