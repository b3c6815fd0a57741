/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as EXIF: alone, and as a JPEG. */
#include <stdlib.h>

#include "image/exif_orientation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int orientations[2] = {r2n_exif_tiff_orientation(data, size),
                                 r2n_exif_jpeg_orientation(data, size)};
    for (int i = 0; i < 2; i++)
        if (orientations[i] < 1 || orientations[i] > 8)
            abort();
    return 0;
}
