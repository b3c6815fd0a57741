/* SPDX-License-Identifier: Apache-2.0 */
#include "image/resize.h"

#include "base/memory.h"
#include "base/report.h"

void r2n_pixels_free(r2n_pixels *pixels)
{
    if (pixels == NULL)
        return;
    r2n_free(pixels->rgb);
    *pixels = (r2n_pixels){0};
}

res2net_status r2n_pixels_allocate(r2n_pixels *pixels, int32_t width, int32_t height,
                                   const char *name, res2net_report *report)
{
    *pixels = (r2n_pixels){0};
    size_t count;
    if (r2n_multiply_checked((size_t)width, (size_t)height, &count))
        pixels->rgb = r2n_allocate(count, 3);
    if (pixels->rgb == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, name, -1,
                        "no memory for a picture of %d x %d pixels", (int)width, (int)height);
    pixels->width = width;
    pixels->height = height;
    return RES2NET_OK;
}

int r2n_resizer_supports(r2n_resizer resizer, r2n_interpolation interpolation)
{
    return interpolation == R2N_INTERPOLATION_BILINEAR ||
           (resizer == R2N_RESIZER_PILLOW && interpolation == R2N_INTERPOLATION_BICUBIC);
}

res2net_status r2n_resize(const r2n_pixels *in, int32_t width, int32_t height, r2n_resizer resizer,
                          r2n_interpolation interpolation, r2n_pixels *out, res2net_report *report)
{
    *out = (r2n_pixels){0};
    if (width < 1 || height < 1)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "cannot resize to %d x %d: both sides must be at least 1", (int)width,
                        (int)height);
    if (!r2n_resizer_supports(resizer, interpolation))
        return r2n_fail(report, RES2NET_UNSUPPORTED, NULL, -1,
                        "this interpolation is not there for this resizer: use bilinear, or "
                        "bicubic with Pillow's resizer");
    res2net_status status = r2n_pixels_allocate(out, width, height, NULL, report);
    if (status != RES2NET_OK)
        return status;
    const r2n_window all = {width, height, 0, 0, width, height};
    const r2n_region region = r2n_region_all(in);
    const size_t row_bytes = (size_t)width * 3;
    status = resizer == R2N_RESIZER_OPENCV
                 ? r2n_resize_opencv(&region, &all, out->rgb, row_bytes, report)
                 : r2n_resize_pillow(&region, &all, interpolation, out->rgb, row_bytes, report);
    if (status != RES2NET_OK)
        r2n_pixels_free(out);
    return status;
}
