/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical weights to the packed layout [ceil(channels / 16)][k_total / v][16][v]. */
#include "kernels/kernels.h"

#include <assert.h>
#include <math.h>

#include "kernels/bf16.h"

enum { LANES = 16, PAIR = 2, QUAD = 4 };

static int32_t block_count(int32_t channels)
{
    return channels / LANES + (channels % LANES != 0);
}

size_t r2n_packed_elements(int32_t channels, int32_t k_total)
{
    assert(channels >= 0 && k_total >= 0);
    return (size_t)block_count(channels) * LANES * (size_t)k_total;
}

/* Where row k of a lane is, with `group` rows side by side. */
static int64_t place(int32_t block, int32_t k_total, int32_t k, int32_t lane, int32_t group)
{
    return (int64_t)block * k_total * LANES + (int64_t)(k / group) * LANES * group +
           (int64_t)lane * group + k % group;
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

/* Three weights of a row at the six points. */
static void winograd_points(const float *g, int64_t pitch, double *u)
{
    const double g0 = (double)g[0], g1 = (double)g[pitch], g2 = (double)g[2 * pitch];
    u[0] = g0 / 4;
    u[1] = -(g0 + g1 + g2) / 6;
    u[2] = -(g0 - g1 + g2) / 6;
    u[3] = (g0 + 2 * g1 + 4 * g2) / 24;
    u[4] = (g0 - 2 * g1 + 4 * g2) / 24;
    u[5] = g2;
}

void r2n_pack_winograd(float *packed, int32_t channels, int32_t input_channels,
                       const float *weights)
{
    const int64_t k_total = (int64_t)R2N_WINOGRAD_POINTS * R2N_WINOGRAD_ROWS * input_channels;
    for (int64_t n = 0; n < (int64_t)block_count(channels) * LANES; n++)
        for (int64_t row = 0; row < R2N_WINOGRAD_ROWS; row++)
            for (int64_t c = 0; c < input_channels; c++) {
                double u[R2N_WINOGRAD_POINTS] = {0};
                if (n < channels)
                    winograd_points(weights + (n * R2N_WINOGRAD_ROWS + row) * 3 * input_channels +
                                        c,
                                    input_channels, u);
                float *to = packed + n / LANES * k_total * LANES + n % LANES;
                for (int64_t point = 0; point < R2N_WINOGRAD_POINTS; point++)
                    to[((point * R2N_WINOGRAD_ROWS + row) * input_channels + c) * LANES] =
                        (float)u[point];
            }
}

void r2n_pack_bf16(uint16_t *packed, int32_t channels, int32_t k_total, int32_t k_first,
                   int32_t k_count, const float *weights, int64_t row_pitch, const float *scale,
                   int low)
{
    assert(k_first >= 0 && k_count >= 0 && k_first + k_count <= k_total && k_total % PAIR == 0);
    for (int32_t block = 0; block < block_count(channels); block++)
        for (int32_t lane = 0; lane < LANES; lane++) {
            const int32_t channel = block * LANES + lane;
            const float factor = channel < channels && scale != NULL ? scale[channel] : 1.0f;
            for (int32_t k = 0; k < k_count; k++) {
                const float value =
                    channel < channels ? weights[channel * row_pitch + k] * factor : 0.0f;
                const uint16_t high = r2n_bf16_from_float(value);
                packed[place(block, k_total, k_first + k, lane, PAIR)] =
                    low ? r2n_bf16_from_float(value - r2n_float_from_bf16(high)) : high;
            }
        }
}

int32_t r2n_int8_level(float value, float step)
{
    const float level = nearbyintf(value / step);
    return (int32_t)fminf(fmaxf(level, -R2N_INT8_MAXIMUM), R2N_INT8_MAXIMUM);
}

void r2n_pack_int8(int8_t *packed, int32_t channels, int32_t k_total, int32_t k_first,
                   int32_t k_count, const float *weights, int64_t row_pitch, const float *step)
{
    assert(k_first >= 0 && k_count >= 0 && k_first + k_count <= k_total && k_total % QUAD == 0);
    for (int32_t block = 0; block < block_count(channels); block++)
        for (int32_t lane = 0; lane < LANES; lane++) {
            const int32_t channel = block * LANES + lane;
            for (int32_t k = 0; k < k_count; k++)
                packed[place(block, k_total, k_first + k, lane, QUAD)] =
                    channel < channels
                        ? (int8_t)r2n_int8_level(weights[channel * row_pitch + k], step[channel])
                        : 0;
        }
}
