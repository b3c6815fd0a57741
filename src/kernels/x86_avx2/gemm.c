/* SPDX-License-Identifier: Apache-2.0 */
/*
 * f32 tiles of AVX2: up to 7 pixels x 1 block of 16 channels in registers over the whole reduction,
 * and the epilogue on them. One body, always inlined with a constant size; gemm_walk.c calls the
 * tiles.
 */
#include <immintrin.h>

#include "kernels/winograd_walk.h"

r2n_kernel_function r2n_gemm_f32_avx2;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* X(pixel, its address from the three pointers of a source): offsets an address can hold. */
#define EACH_PIXEL(X)                                                                              \
    X(0, a0)                                                                                       \
    X(1, a0 + pitch)                                                                               \
    X(2, a0 + 2 * pitch)                                                                           \
    X(3, a3)                                                                                       \
    X(4, a0 + 4 * pitch)                                                                           \
    X(5, a3 + 2 * pitch)                                                                           \
    X(6, a6)

#define DECLARE_SUMS(i, address) __m256 s##i##_0 = _mm256_setzero_ps(), s##i##_1 = s##i##_0;

/* X(sum, pixel, half of the block) for every sum in use. */
#define EACH_SUM_OF_PIXEL(X, i)                                                                    \
    if (i < pixels) {                                                                              \
        X(s##i##_0, i, 0)                                                                          \
        X(s##i##_1, i, 1)                                                                          \
    }
#define EACH_SUM(X)                                                                                \
    EACH_SUM_OF_PIXEL(X, 0)                                                                        \
    EACH_SUM_OF_PIXEL(X, 1)                                                                        \
    EACH_SUM_OF_PIXEL(X, 2)                                                                        \
    EACH_SUM_OF_PIXEL(X, 3)                                                                        \
    EACH_SUM_OF_PIXEL(X, 4)                                                                        \
    EACH_SUM_OF_PIXEL(X, 5)                                                                        \
    EACH_SUM_OF_PIXEL(X, 6)

/* One k of one pixel: the value to all lanes, times the block's weights. Seven pixels leave no
 * register for the second half of the weights, so that the multiply-add reads it from memory; a
 * compiler left to itself would load it once and move sums to the stack. */
#define MULTIPLY_ADD(i, address)                                                                   \
    if (i < pixels) {                                                                              \
        const __m256 a = _mm256_broadcast_ss((const float *)(address));                            \
        s##i##_0 = _mm256_fmadd_ps(a, b0, s##i##_0);                                               \
        if (pixels < 7)                                                                            \
            s##i##_1 = _mm256_fmadd_ps(a, b1, s##i##_1);                                           \
        else                                                                                       \
            __asm__("vfmadd231ps %2, %1, %0"                                                       \
                    : "+x"(s##i##_1)                                                               \
                    : "x"(a), "m"(*(const __m256_u *)(b + 32)));                                   \
    }

/* Goes on by one k. The empty statement keeps the compiler from working out each of a few k's
 * addresses ahead, for which there are not enough registers. */
#define ONE_K                                                                                      \
    {                                                                                              \
        const __m256 b0 = _mm256_loadu_ps((const float *)b);                                       \
        const __m256 b1 = pixels < 7 ? _mm256_loadu_ps((const float *)(b + 32)) : b0;              \
        EACH_PIXEL(MULTIPLY_ADD)                                                                   \
        a0 += 4, a3 += 4, a6 += 4, b += 64;                                                        \
        __asm__("" : "+r"(a0), "+r"(a3), "+r"(a6), "+r"(b));                                       \
    }

ALWAYS_INLINE int64_t pixel_offset(const r2n_tile *tile, const r2n_gemm_source *source)
{
    return source->offset + tile->image * source->image_pitch + tile->row * source->row_pitch +
           tile->column * source->pixel_pitch;
}

ALWAYS_INLINE __m256 relu(__m256 v)
{
    /* Keeps what is not <= 0: positive numbers and NaN. */
    return _mm256_and_ps(v, _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NLE_UQ));
}

/* The first `lanes` of eight. */
ALWAYS_INLINE __m256i first_lanes(int lanes)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

ALWAYS_INLINE __m256 load(const float *from, int all_lanes, __m256i mask)
{
    return all_lanes ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, mask);
}

ALWAYS_INLINE void store(float *to, __m256 v, int all_lanes, __m256i mask)
{
    if (all_lanes)
        _mm256_storeu_ps(to, v);
    else
        _mm256_maskstore_ps(to, mask, v);
}

#define AT(base, base_pitch, pixel, half) (base + (pixel) * (base_pitch) + (half)*8)

#define ADD_BIAS(sum, pixel, half) sum = _mm256_add_ps(sum, bias##half);
#define ADD_RESIDUAL(sum, pixel, half)                                                             \
    sum = _mm256_add_ps(                                                                           \
        sum, load(AT(tile->residual, tile->residual_pitch, pixel, half), all_lanes, mask##half));
#define RELU(sum, pixel, half) sum = relu(sum);
#define STORE(sum, pixel, half)                                                                    \
    store(AT(tile->output, tile->output_pitch, pixel, half), sum, all_lanes, mask##half);
#define ADD_CHAIN(sum, pixel, half)                                                                \
    sum = _mm256_add_ps(                                                                           \
        load(AT(tile->chain, tile->chain_pitch, pixel, half), all_lanes, mask##half), sum);
#define STORE_CHAIN(sum, pixel, half)                                                              \
    store(AT(tile->chain, tile->chain_pitch, pixel, half), sum, all_lanes, mask##half);

/* The epilogue's memory side; masked loads and stores are slow on some CPUs, so that only a block
 * with missing channels has them. */
#define FINISH(all)                                                                                \
    {                                                                                              \
        const int all_lanes = (all);                                                               \
        if (tile->residual != NULL) {                                                              \
            EACH_SUM(ADD_RESIDUAL)                                                                 \
        }                                                                                          \
        if (tile->relu) {                                                                          \
            EACH_SUM(RELU)                                                                         \
        }                                                                                          \
        EACH_SUM(STORE)                                                                            \
        if (tile->chain != NULL) {                                                                 \
            /* All loads first: one that overlaps a store's masked lanes would wait. */            \
            EACH_SUM(ADD_CHAIN)                                                                    \
            EACH_SUM(STORE_CHAIN)                                                                  \
        }                                                                                          \
    }

ALWAYS_INLINE void compute(const r2n_tile *tile, const int pixels)
{
    EACH_PIXEL(DECLARE_SUMS)
    const char *prefetch = tile->prefetch;
    const int64_t prefetch_step = tile->prefetch_step;
    for (int32_t i = 0; i < tile->source_count; i++) {
        const r2n_gemm_source *source = &tile->sources[i];
        const int64_t pitch = source->pixel_pitch * (int64_t)sizeof(float);
        const char *a0 = (const char *)(tile->block + pixel_offset(tile, source));
        const char *a3 = pixels > 3 ? a0 + 3 * pitch : a0;
        const char *a6 = pixels > 6 ? a0 + 6 * pitch : a0;
        const char *b = (const char *)(tile->weights + (int64_t)source->k_first * 16);
        int32_t k = source->channels;
        for (; k >= 4; k -= 4) {
            _mm_prefetch(prefetch, _MM_HINT_T1);
            _mm_prefetch(prefetch + 64, _MM_HINT_T1);
            prefetch += prefetch_step;
            ONE_K
            ONE_K
            ONE_K
            ONE_K
        }
        for (; k > 0; k--)
            ONE_K
    }
    const __m256 bias0 = _mm256_loadu_ps(tile->bias);
    const __m256 bias1 = _mm256_loadu_ps(tile->bias + 8);
    EACH_SUM(ADD_BIAS)
    const __m256i mask0 = first_lanes(tile->last_lanes);
    const __m256i mask1 = first_lanes(tile->last_lanes - 8);
    if (tile->last_lanes == 16)
        FINISH(1)
    else
        FINISH(0)
}

#define TILE(pixels)                                                                               \
    static void tile_##pixels(const r2n_tile *tile)                                                \
    {                                                                                              \
        compute(tile, pixels);                                                                     \
    }

TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5) TILE(6) TILE(7)

    const r2n_tile_set r2n_gemm_f32_avx2_tiles = {
        .panel_blocks = 1,
        .cache_bytes = 1 << 20,
        .pixels = {7},
        .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5, tile_6, tile_7}}};

void r2n_gemm_f32_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_gemm_f32_walk(&r2n_gemm_f32_avx2_tiles, arguments, block, range);
}
