/* SPDX-License-Identifier: Apache-2.0 */
/* Our own container. */
#include "fuzz/read_weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read_weights(data, size, 0, R2N_WEIGHTS_R2N);
    return 0;
}
