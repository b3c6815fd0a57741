/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a PNM; the second one chooses the kind. */
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
    copy[1] = (uint8_t)('1' + (copy[1] + 5) % 6); /* '1' to '6' stay what they are */
    decode_both(copy, size, NULL);
    free(copy);
    return 0;
}
