/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical weights to the packed layout [ceil(channels / 16)][k_total][16]. */
#include "kernels/kernels.h"

#include <assert.h>

enum { LANES = 16 };

static int32_t block_count(int32_t channels)
{
    return channels / LANES + (channels % LANES != 0);
}

size_t r2n_packed_f32_floats(int32_t channels, int32_t k_total)
{
    assert(channels >= 0 && k_total >= 0);
    return (size_t)block_count(channels) * LANES * (size_t)k_total;
}

void r2n_pack_f32(float *packed, int32_t channels, int32_t k_total, int32_t k_first,
                  int32_t k_count, const float *weights, int64_t row_pitch, const float *scale)
{
    assert(k_first >= 0 && k_count >= 0 && k_first + k_count <= k_total);
    for (int32_t block = 0; block < block_count(channels); block++) {
        float *rows = packed + ((int64_t)block * k_total + k_first) * LANES;
        for (int32_t lane = 0; lane < LANES; lane++) {
            const int32_t channel = block * LANES + lane;
            const int there = channel < channels;
            const float *from = there ? weights + channel * row_pitch : NULL;
            const float factor = there && scale != NULL ? scale[channel] : 1.0f;
            for (int32_t k = 0; k < k_count; k++)
                rows[(int64_t)k * LANES + lane] = there ? from[k] * factor : 0.0f;
        }
    }
}
