/* SPDX-License-Identifier: Apache-2.0 */
/* f32 elementwise steps of AVX2, 8 channels of a pixel at a time. */
#include <immintrin.h>

#include "kernels/channel_walk.h"

r2n_kernel_function r2n_elementwise_f32_avx2;

enum { LANES = 8 };

/* With `whole` known to the compiler, masks are left out where they are not needed: masked stores
 * are slow on some CPUs. */
static inline __attribute__((always_inline)) __m256 load(const float *from, int whole, __m256i mask)
{
    return whole ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, mask);
}

static inline __attribute__((always_inline)) void compute(const r2n_elementwise_row *r, int32_t c,
                                                          int whole)
{
    const int scales = r->scale != NULL || r->shift != NULL;
    const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(r->channels - c),
                                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256 scale = r->scale != NULL ? load(r->scale + c, whole, mask) : _mm256_set1_ps(1.0f);
    const __m256 shift = r->shift != NULL ? load(r->shift + c, whole, mask) : _mm256_setzero_ps();
    for (int32_t i = 0; i < r->columns; i++) {
        __m256 v = load(r->a + i * r->a_pitch + c, whole, mask);
        float *to = r->output + i * r->output_pitch + c;
        if (scales)
            v = _mm256_fmadd_ps(v, scale, shift);
        if (r->b != NULL)
            v = _mm256_add_ps(v, load(r->b + i * r->b_pitch + c, whole, mask));
        if (r->relu) /* keeps what is not <= 0: positive numbers and NaN */
            v = _mm256_and_ps(v, _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NLE_UQ));
        if (whole)
            _mm256_storeu_ps(to, v);
        else
            _mm256_maskstore_ps(to, mask, v);
    }
}

static void compute_row(const r2n_elementwise_row *r)
{
    int32_t c = 0;
    for (; c + LANES <= r->channels; c += LANES)
        compute(r, c, 1);
    if (c < r->channels)
        compute(r, c, 0);
}

void r2n_elementwise_f32_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_elementwise_walk(sizeof(float), compute_row, arguments, block, range);
}
