/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise steps of AVX-512, of f32 and bf16, 32 channels of a pixel at a time where there are
 * as many. */
#ifndef R2N_KERNELS_X86_AVX512_ELEMENTWISE_H
#define R2N_KERNELS_X86_AVX512_ELEMENTWISE_H

#include "kernels/channel_walk.h"
#include "kernels/x86_avx512/channels.h"

/* What a vector of channels needs in every pixel. */
typedef struct step_lanes {
    __mmask16 mask;
    int scales;
    __m512 scale, shift;
} step_lanes;

CHANNELS_INLINE step_lanes load_step_lanes(const r2n_elementwise_row *r, int32_t c)
{
    const __mmask16 mask = lanes_from(r->channels - c);
    return (step_lanes){.mask = mask,
                        .scales = r->scale != NULL || r->shift != NULL,
                        .scale = r->scale != NULL ? _mm512_maskz_loadu_ps(mask, r->scale + c)
                                                  : _mm512_set1_ps(1),
                        .shift = r->shift != NULL ? _mm512_maskz_loadu_ps(mask, r->shift + c)
                                                  : _mm512_setzero_ps()};
}

CHANNELS_INLINE void compute_pixel(const r2n_elementwise_row *r, int64_t pixel, int32_t c,
                                   const step_lanes *l, const int bf16)
{
    __m512 v = load_channels(r->any_a, pixel * r->a_pitch + c, l->mask, bf16);
    if (l->scales)
        v = _mm512_fmadd_ps(v, l->scale, l->shift);
    if (r->any_b != NULL)
        v = _mm512_add_ps(v, load_channels(r->any_b, pixel * r->b_pitch + c, l->mask, bf16));
    if (r->relu) /* keeps what is not <= 0: positive numbers and NaN */
        v = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ), v);
    store_channels(r->any_output, pixel * r->output_pitch + c, l->mask, v, bf16);
}

CHANNELS_INLINE void compute_row(const r2n_elementwise_row *r, const int bf16)
{
    int32_t c = 0;
    for (; c + LANES < r->channels; c += 2 * LANES) {
        const step_lanes l0 = load_step_lanes(r, c), l1 = load_step_lanes(r, c + LANES);
        for (int32_t i = 0; i < r->columns; i++) {
            prefetch_channels(r->any_a, i * r->a_pitch + c, r->columns * r->a_pitch, bf16);
            if (r->any_b != NULL)
                prefetch_channels(r->any_b, i * r->b_pitch + c, r->columns * r->b_pitch, bf16);
            prefetch_channels(r->any_output, i * r->output_pitch + c, r->columns * r->output_pitch,
                              bf16);
            compute_pixel(r, i, c, &l0, bf16);
            compute_pixel(r, i, c + LANES, &l1, bf16);
        }
    }
    if (c < r->channels) {
        const step_lanes l = load_step_lanes(r, c);
        for (int32_t i = 0; i < r->columns; i++)
            compute_pixel(r, i, c, &l, bf16);
    }
}

#endif
