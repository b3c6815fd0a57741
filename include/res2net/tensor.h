/* SPDX-License-Identifier: Apache-2.0 */
/* A picture tensor, and NumPy files. */
#ifndef RES2NET_TENSOR_H
#define RES2NET_TENSOR_H

#include "res2net/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Float32 [batch][channels][height][width], R, G, B. The library allocates `data`; give it back
 * with `res2net_tensor_free`. */
typedef struct res2net_tensor {
    int32_t batch, channels, height, width;
    float *data;
} res2net_tensor;

RES2NET_API void res2net_tensor_free(res2net_tensor *tensor);

/* Reads a .npy of float32, float64 or uint8, [N][3][H][W] or [3][H][W], as float32. DAMAGED, with
 * the byte, when it is none; INVALID_ARGUMENT for another shape; NOT_FINITE with the first index.
 */
RES2NET_API res2net_status res2net_tensor_read_npy(const char *path, res2net_tensor *out,
                                                   res2net_report *report);

/* Writes float32 values of `rank` dimensions (1 to 8) as .npy: under a temporary name, then
 * renamed. */
RES2NET_API res2net_status res2net_npy_write(const char *path, int32_t rank, const int64_t *shape,
                                             const float *data, res2net_report *report);

#ifdef __cplusplus
}
#endif
#endif
