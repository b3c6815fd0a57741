/* SPDX-License-Identifier: Apache-2.0 */
/* Gradients of pools of AVX-512, of f32 and bf16: 16 channels of a window at a time, its cells in
 * order. */
#ifndef R2N_KERNELS_X86_AVX512_POOL_GRADIENT_H
#define R2N_KERNELS_X86_AVX512_POOL_GRADIENT_H

#include "kernels/pool_gradient_walk.h"
#include "kernels/x86_avx512/channels.h"

/* The number of the cell that each channel's maximum came from. */
CHANNELS_INLINE __m512i find_winners(const r2n_pool_gradient_window *w, int32_t c, __mmask16 mask,
                                     const int bf16)
{
    __m512 best = load_channels(w->any_input, c, mask, bf16);
    __m512i winner = _mm512_setzero_si512();
    for (int32_t row = 0; row < w->rows; row++)
        for (int32_t column = 0; column < w->columns; column++) {
            const int64_t at = row * w->input_row_pitch + column * w->input_pixel_pitch + c;
            const __m512 value = load_channels(w->any_input, at, mask, bf16);
            /* Not <=: larger, or a NaN on either side, whose first shall stay. */
            const __mmask16 wins = _mm512_mask_cmp_ps_mask(
                _mm512_cmp_ps_mask(best, best, _CMP_ORD_Q), value, best, _CMP_NLE_UQ);
            best = _mm512_mask_mov_ps(best, wins, value);
            winner = _mm512_mask_set1_epi32(winner, wins, row * w->columns + column);
        }
    return winner;
}

/* Of a maximum. */
CHANNELS_INLINE void give_winners(const r2n_pool_gradient_window *w, const int bf16)
{
    for (int32_t c = 0; c < w->channels; c += LANES) {
        const __mmask16 mask = lanes_from(w->channels - c);
        const __m512 gradient = load_channels(w->any_gradient, c, mask, bf16);
        const __m512i winner = find_winners(w, c, mask, bf16);
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++) {
                const int64_t at = row * w->to_row_pitch + column * w->to_pixel_pitch + c;
                const __mmask16 here = _mm512_mask_cmpeq_epi32_mask(
                    mask, winner, _mm512_set1_epi32(row * w->columns + column));
                const __m512 there = load_channels(w->any_to, at, mask, bf16);
                store_channels(w->any_to, at, mask,
                               _mm512_mask_add_ps(there, here, there, gradient), bf16);
            }
    }
}

/* Of an average. */
CHANNELS_INLINE void give_shares(const r2n_pool_gradient_window *w, const int bf16)
{
    for (int32_t c = 0; c < w->channels; c += LANES) {
        const __mmask16 mask = lanes_from(w->channels - c);
        const __m512 share =
            _mm512_mul_ps(load_channels(w->any_gradient, c, mask, bf16), _mm512_set1_ps(w->factor));
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++) {
                const int64_t at = row * w->to_row_pitch + column * w->to_pixel_pitch + c;
                const __m512 there = load_channels(w->any_to, at, mask, bf16);
                store_channels(w->any_to, at, mask, _mm512_add_ps(there, share), bf16);
            }
    }
}

#endif
