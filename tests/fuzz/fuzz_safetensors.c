/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors: lies in the JSON header about types, shapes and offsets. */
#include "fuzz/read_weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read_weights(data, size, 0, R2N_WEIGHTS_SAFETENSORS);
    return 0;
}
