/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a PNM, of each of the six kinds. */
#include <string.h>

#include "fuzz/decode_both.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL || size < 3) {
        free(copy);
        return 0;
    }
    memcpy(copy, data, size);
    copy[0] = 'P';
    for (uint8_t kind = '1'; kind <= '6'; kind++) {
        copy[1] = kind;
        decode_both(copy, size, NULL);
    }
    free(copy);
    return 0;
}
