/* SPDX-License-Identifier: Apache-2.0 */
/* Files of all formats and of none, told apart by their first bytes. */
#include "fuzz/read_weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read_weights(data, size, 1, R2N_WEIGHTS_UNKNOWN);
    return 0;
}
