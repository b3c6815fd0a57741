/* SPDX-License-Identifier: Apache-2.0 */
/* torch.save's old form: pickles and storages one after another. */
#include "fuzz/read_weights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2 && data[0] != 'P')
        fuzz_read_weights(data, size, 0, R2N_WEIGHTS_PTH);
    return 0;
}
