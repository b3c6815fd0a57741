/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of bf16 and bf16x3: 16 channels of a window at a time as floats, its cells in order. */
#include <immintrin.h>
#include <math.h>

#include "kernels/channel_walk.h"
#include "kernels/x86_avx512/bf16.h"

r2n_kernel_function r2n_pool_bf16_avx512;
r2n_kernel_function r2n_pool_bf16x3_avx512;

enum { LANES = 16 };

BF16_INLINE __m512 load_cell(const r2n_pool_window *w, int32_t row, int32_t column, int32_t channel,
                             __mmask16 lanes, const int terms)
{
    const uint16_t *from = w->any_from;
    return load_bf16(from + row * w->row_pitch + column * w->pixel_pitch + channel,
                     w->from_low_pitch, lanes, terms);
}

BF16_INLINE __mmask16 lanes_from(int32_t channels)
{
    return channels >= LANES ? (__mmask16)0xffff : (__mmask16)((1u << channels) - 1);
}

/* `terms`, a constant, is 1 or 2. */
BF16_INLINE void maximum(const r2n_pool_window *w, const int terms)
{
    for (int32_t c = 0; c < w->channels; c += LANES) {
        const __mmask16 lanes = lanes_from(w->channels - c);
        __m512 best = _mm512_set1_ps(-INFINITY);
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++) {
                const __m512 value = load_cell(w, row, column, c, lanes, terms);
                /* MAXPS keeps its second operand of equals and wherever there is a NaN, so that a
                 * NaN that comes has to be put in. */
                best = _mm512_mask_mov_ps(_mm512_max_ps(value, best),
                                          _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q), value);
            }
        store_bf16((uint16_t *)w->any_to + c, w->to_low_pitch, lanes, best, terms);
    }
}

BF16_INLINE void average(const r2n_pool_window *w, const int terms)
{
    for (int32_t c = 0; c < w->channels; c += LANES) {
        const __mmask16 lanes = lanes_from(w->channels - c);
        __m512 sum = _mm512_setzero_ps();
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++)
                sum = _mm512_add_ps(sum, load_cell(w, row, column, c, lanes, terms));
        store_bf16((uint16_t *)w->any_to + c, w->to_low_pitch, lanes,
                   _mm512_mul_ps(sum, _mm512_set1_ps(w->factor)), terms);
    }
}

static void maximum_one(const r2n_pool_window *w)
{
    maximum(w, 1);
}

static void average_one(const r2n_pool_window *w)
{
    average(w, 1);
}

static void maximum_two(const r2n_pool_window *w)
{
    maximum(w, 2);
}

static void average_two(const r2n_pool_window *w)
{
    average(w, 2);
}

void r2n_pool_bf16_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_walk(sizeof(uint16_t), maximum_one, average_one, arguments, block, range);
}

void r2n_pool_bf16x3_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_walk(sizeof(uint16_t), maximum_two, average_two, arguments, block, range);
}
