/* SPDX-License-Identifier: Apache-2.0 */
#include "res2net/tensor.h"

#include <math.h>

#include "base/memory.h"
#include "base/os.h"
#include "formats/npy.h"

enum { CHANNELS = 3 };
static const size_t MAXIMUM_NPY_BYTES = (size_t)1 << 36;

void res2net_tensor_free(res2net_tensor *tensor)
{
    r2n_free(tensor->data);
    *tensor = (res2net_tensor){0};
}

static res2net_status take(const r2n_npy *npy, const char *path, res2net_tensor *out,
                           res2net_report *report)
{
    const int64_t *shape = npy->shape + (npy->rank == 4 ? 1 : 0);
    const int64_t batch = npy->rank == 4 ? npy->shape[0] : 1;
    if ((npy->rank != 3 && npy->rank != 4) || shape[0] != CHANNELS || batch < 1 || shape[1] < 1 ||
        shape[2] < 1 || batch > INT32_MAX || shape[1] > INT32_MAX || shape[2] > INT32_MAX)
        return r2n_fail(
            report, RES2NET_INVALID_ARGUMENT, path, -1,
            "the array must have the shape [N, 3, height, width] or [3, height, width]");
    for (int64_t i = 0; i < npy->count; i++)
        if (!isfinite(npy->data[i]))
            return r2n_fail(report, RES2NET_NOT_FINITE, path, -1,
                            "element %lld of the array is not a finite number", (long long)i);
    *out = (res2net_tensor){.batch = (int32_t)batch,
                            .channels = CHANNELS,
                            .height = (int32_t)shape[1],
                            .width = (int32_t)shape[2],
                            .data = npy->data};
    return RES2NET_OK;
}

res2net_status res2net_tensor_read_npy(const char *path, res2net_tensor *out,
                                       res2net_report *report)
{
    r2n_file_bytes file;
    r2n_npy npy;
    *out = (res2net_tensor){0};
    res2net_status status = r2n_file_read(path, MAXIMUM_NPY_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_npy_parse(file.data, file.size, path, &npy, report);
    r2n_file_release(&file);
    if (status != RES2NET_OK)
        return status;
    status = take(&npy, path, out, report);
    if (status != RES2NET_OK)
        r2n_free(npy.data);
    return status;
}

res2net_status res2net_npy_write(const char *path, int32_t rank, const int64_t *shape,
                                 const float *data, res2net_report *report)
{
    return r2n_npy_write(path, rank, shape, data, report);
}
