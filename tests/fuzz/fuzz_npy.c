/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/memory.h"
#include "formats/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    r2n_npy npy;
    if (r2n_npy_parse(data, size, "fuzz", &npy, NULL) != RES2NET_OK) {
        if (npy.data != NULL)
            abort();
        return 0;
    }
    volatile float sum = 0;
    for (int64_t i = 0; i < npy.count; i++)
        sum = sum + npy.data[i];
    r2n_free(npy.data);
    return 0;
}
