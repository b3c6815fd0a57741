/* SPDX-License-Identifier: Apache-2.0 */
/* f32 pools of AVX-512: 16 channels of a window at a time, its cells in order. */
#include <immintrin.h>
#include <math.h>

#include "kernels/channel_walk.h"

r2n_kernel_function r2n_pool_f32_avx512;

enum { LANES = 16 };

static __mmask16 lanes_from(int32_t channels)
{
    return channels >= LANES ? (__mmask16)0xffff : (__mmask16)((1u << channels) - 1);
}

static void maximum(const r2n_pool_window *w)
{
    for (int32_t c = 0; c < w->channels; c += LANES) {
        const __mmask16 mask = lanes_from(w->channels - c);
        __m512 best = _mm512_set1_ps(-INFINITY);
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++) {
                const __m512 value = _mm512_maskz_loadu_ps(mask, w->from + row * w->row_pitch +
                                                                     column * w->pixel_pitch + c);
                /* MAXPS keeps its second operand of equals and wherever there is a NaN, so that a
                 * NaN that comes has to be put in. */
                best = _mm512_mask_mov_ps(_mm512_max_ps(value, best),
                                          _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q), value);
            }
        _mm512_mask_storeu_ps(w->to + c, mask, best);
    }
}

static void average(const r2n_pool_window *w)
{
    for (int32_t c = 0; c < w->channels; c += LANES) {
        const __mmask16 mask = lanes_from(w->channels - c);
        __m512 sum = _mm512_setzero_ps();
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++)
                sum = _mm512_add_ps(sum,
                                    _mm512_maskz_loadu_ps(mask, w->from + row * w->row_pitch +
                                                                    column * w->pixel_pitch + c));
        _mm512_mask_storeu_ps(w->to + c, mask, _mm512_mul_ps(sum, _mm512_set1_ps(w->factor)));
    }
}

void r2n_pool_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_f32_walk(maximum, average, arguments, block, range);
}
