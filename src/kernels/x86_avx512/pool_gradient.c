/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients of f32 pools of AVX-512: 16 channels of a window at a time, its cells in order. */
#include <immintrin.h>

#include "kernels/pool_gradient_walk.h"

r2n_kernel_function r2n_pool_gradient_f32_avx512;

enum { LANES = 16 };

static __mmask16 lanes_from(int32_t channels)
{
    return channels >= LANES ? (__mmask16)0xffff : (__mmask16)((1u << channels) - 1);
}

/* The number of the cell that each channel's maximum came from. */
static __m512i find_winners(const r2n_pool_gradient_window *w, int32_t c, __mmask16 mask)
{
    __m512 best = _mm512_maskz_loadu_ps(mask, w->input + c);
    __m512i winner = _mm512_setzero_si512();
    for (int32_t row = 0; row < w->rows; row++)
        for (int32_t column = 0; column < w->columns; column++) {
            const __m512 value = _mm512_maskz_loadu_ps(mask, w->input + row * w->input_row_pitch +
                                                                 column * w->input_pixel_pitch + c);
            /* Not <=: larger, or a NaN on either side, whose first shall stay. */
            const __mmask16 wins = _mm512_mask_cmp_ps_mask(
                _mm512_cmp_ps_mask(best, best, _CMP_ORD_Q), value, best, _CMP_NLE_UQ);
            best = _mm512_mask_mov_ps(best, wins, value);
            winner = _mm512_mask_set1_epi32(winner, wins, row * w->columns + column);
        }
    return winner;
}

static void maximum(const r2n_pool_gradient_window *w)
{
    for (int32_t c = 0; c < w->channels; c += LANES) {
        const __mmask16 mask = lanes_from(w->channels - c);
        const __m512 gradient = _mm512_maskz_loadu_ps(mask, w->gradient + c);
        const __m512i winner = find_winners(w, c, mask);
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++) {
                float *to = w->to + row * w->to_row_pitch + column * w->to_pixel_pitch + c;
                const __mmask16 here = _mm512_mask_cmpeq_epi32_mask(
                    mask, winner, _mm512_set1_epi32(row * w->columns + column));
                const __m512 there = _mm512_maskz_loadu_ps(mask, to);
                _mm512_mask_storeu_ps(to, mask, _mm512_mask_add_ps(there, here, there, gradient));
            }
    }
}

static void average(const r2n_pool_gradient_window *w)
{
    for (int32_t c = 0; c < w->channels; c += LANES) {
        const __mmask16 mask = lanes_from(w->channels - c);
        const __m512 share =
            _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, w->gradient + c), _mm512_set1_ps(w->factor));
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++) {
                float *to = w->to + row * w->to_row_pitch + column * w->to_pixel_pitch + c;
                _mm512_mask_storeu_ps(to, mask,
                                      _mm512_add_ps(_mm512_maskz_loadu_ps(mask, to), share));
            }
    }
}

void r2n_pool_gradient_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_gradient_f32_walk(maximum, average, arguments, block, range);
}
