/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes bytes as each preset does, cut off files refused and tolerated, and checks what comes
 * out. */
#ifndef R2N_TESTS_FUZZ_DECODE_BOTH_H
#define R2N_TESTS_FUZZ_DECODE_BOTH_H

#include <stdlib.h>

#include "image/image.h"

typedef void fuzz_use(const r2n_pixels *pixels, int torch);

/* Small, so that most of the time goes into the decoders' branches and not into pixels. */
#define FUZZ_LIMITS ((r2n_image_limits){.pixels = 1 << 11, .side = 4096})

/* Always as OpenCV and strictly, then in one of the three other ways, which the bytes choose. `use`
 * may be NULL. */
static inline void decode_both(const uint8_t *data, size_t size, fuzz_use *use)
{
    const r2n_image_limits limits = FUZZ_LIMITS;
    res2net_status strict = RES2NET_OK;
    unsigned choice = (unsigned)size;
    for (size_t i = 0; i < size; i += 1 + size / 16)
        choice = choice * 31 + data[i];
    for (int turn = 0; turn < 2; turn++) {
        const int i = turn == 0 ? 0 : 1 + (int)(choice % 3);
        const int torch = i % 2;
        r2n_pixels pixels;
        const r2n_image_options options = {.limits = limits,
                                           .decoder =
                                               torch ? R2N_DECODER_PILLOW : R2N_DECODER_OPENCV,
                                           .exif = torch ? R2N_EXIF_APPLY : R2N_EXIF_AS_OPENCV,
                                           .tolerate_truncated = i / 2};
        const res2net_status status = r2n_image_decode(data, size, "fuzz", &options, &pixels, NULL);
        if (i == 0)
            strict = status;
        /* Presets agree on what is a picture, and being tolerant refuses nothing more. */
        if ((i == 1 && status != strict) || (i > 1 && strict == RES2NET_OK && status != strict))
            abort();
        if (status != RES2NET_OK) {
            if (pixels.rgb != NULL)
                abort();
            continue;
        }
        if (pixels.width < 1 || pixels.height < 1 ||
            (int64_t)pixels.width * pixels.height > limits.pixels)
            abort();
        volatile unsigned sum = 0;
        for (size_t at = 0; at < (size_t)pixels.width * (size_t)pixels.height * 3; at++)
            sum = sum + pixels.rgb[at];
        if (use != NULL)
            use(&pixels, torch);
        r2n_pixels_free(&pixels);
    }
}

#endif
