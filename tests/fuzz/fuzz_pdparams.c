/* SPDX-License-Identifier: Apache-2.0 */
/* Paddle's pickles of arrays. */
#include "fuzz/read_weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read_weights(data, size, 0, R2N_WEIGHTS_PDPARAMS);
    return 0;
}
