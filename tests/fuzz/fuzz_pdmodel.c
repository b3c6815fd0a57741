/* SPDX-License-Identifier: Apache-2.0 */
/* .pdmodel with .pdiparams, from the bytes to the matched network. */
#include "fuzz/import_graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4)
        (void)r2n_looks_like_pdmodel(data + 4, size - 4);
    fuzz_read_program(data, size, r2n_read_pdmodel);
    return 0;
}
