/* SPDX-License-Identifier: Apache-2.0 */
/* int8 pools of AVX-512: the maximum of 64 channels at a time, the sum of 16. */
#include <immintrin.h>

#include "kernels/channel_walk.h"

r2n_kernel_function r2n_pool_int8_avx512;

enum { BYTES = 64, SUMS = 16 };

static int64_t cell(const r2n_pool_window *w, int32_t row, int32_t column)
{
    return row * w->row_pitch + column * w->pixel_pitch;
}

static void maximum(const r2n_pool_window *w)
{
    const uint8_t *from = w->any_from;
    for (int32_t c = 0; c < w->channels; c += BYTES) {
        const int32_t left = w->channels - c;
        const __mmask64 mask = left >= BYTES ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;
        __m512i best = _mm512_setzero_si512();
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++)
                best = _mm512_max_epu8(
                    best, _mm512_maskz_loadu_epi8(mask, from + cell(w, row, column) + c));
        _mm512_mask_storeu_epi8((uint8_t *)w->any_to + c, mask, best);
    }
}

static void average(const r2n_pool_window *w)
{
    const uint8_t *from = w->any_from;
    for (int32_t c = 0; c < w->channels; c += SUMS) {
        const int32_t left = w->channels - c;
        const __mmask16 mask = left >= SUMS ? (__mmask16)0xffff : (__mmask16)((1u << left) - 1);
        __m512i sums = _mm512_setzero_si512();
        for (int32_t row = 0; row < w->rows; row++)
            for (int32_t column = 0; column < w->columns; column++)
                sums = _mm512_add_epi32(sums, _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(
                                                  mask, from + cell(w, row, column) + c)));
        __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_set1_ps(w->factor));
        /* The order of operands makes NaN a 0. */
        v = _mm512_max_ps(_mm512_min_ps(_mm512_set1_ps(R2N_INT8_MAXIMUM), v), _mm512_setzero_ps());
        _mm_mask_storeu_epi8((uint8_t *)w->any_to + c, mask,
                             _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
    }
}

void r2n_pool_int8_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_pool_walk(1, maximum, average, arguments, block, range);
}
