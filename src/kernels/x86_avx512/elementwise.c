/* SPDX-License-Identifier: Apache-2.0 */
/* f32 elementwise steps of AVX-512, 16 channels of a pixel at a time. */
#include <immintrin.h>

#include "kernels/channel_walk.h"

r2n_kernel_function r2n_elementwise_f32_avx512;

enum { LANES = 16 };

static __m512 load_or(const float *from, int32_t at, __mmask16 mask, float missing)
{
    return from != NULL ? _mm512_maskz_loadu_ps(mask, from + at) : _mm512_set1_ps(missing);
}

static void compute_row(const r2n_elementwise_row *r)
{
    const int scales = r->scale != NULL || r->shift != NULL;
    for (int32_t c = 0; c < r->channels; c += LANES) {
        const int32_t left = r->channels - c;
        const __mmask16 mask = left >= LANES ? (__mmask16)0xffff : (__mmask16)((1u << left) - 1);
        const __m512 scale = load_or(r->scale, c, mask, 1.0f);
        const __m512 shift = load_or(r->shift, c, mask, 0.0f);
        for (int32_t i = 0; i < r->columns; i++) {
            __m512 v = _mm512_maskz_loadu_ps(mask, r->a + i * r->a_pitch + c);
            if (scales)
                v = _mm512_fmadd_ps(v, scale, shift);
            if (r->b != NULL)
                v = _mm512_add_ps(v, _mm512_maskz_loadu_ps(mask, r->b + i * r->b_pitch + c));
            if (r->relu) /* keeps what is not <= 0: positive numbers and NaN */
                v = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ), v);
            _mm512_mask_storeu_ps(r->output + i * r->output_pitch + c, mask, v);
        }
    }
}

void r2n_elementwise_f32_avx512(const void *arguments, void *block, r2n_range range)
{
    r2n_elementwise_f32_walk(compute_row, arguments, block, range);
}
