/* SPDX-License-Identifier: Apache-2.0 */
/*
 * int8 tiles of AVX2: up to 5 pixels x 1 block of 16 channels in registers over the whole
 * reduction, and the epilogue on them. One body, always inlined with a constant size; gemm_walk.c
 * calls the tiles.
 *
 * Exact: VPMADDUBSW's sum of two products is at most 2 * 127 * 127 = 32258 and never saturates;
 * VPMADDWD by ones adds two such in 32 bits. A third sum in 16 bits would not be safe.
 */
#include <immintrin.h>
#include <string.h>

#include "kernels/gemm_walk.h"

r2n_kernel_function r2n_gemm_int8_avx2;

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* X(pixel, its address from the two pointers of a source): offsets an address can hold. */
#define EACH_PIXEL(X)                                                                              \
    X(0, a0)                                                                                       \
    X(1, a0 + pitch)                                                                               \
    X(2, a0 + 2 * pitch)                                                                           \
    X(3, a3)                                                                                       \
    X(4, a0 + 4 * pitch)

#define DECLARE_SUMS(i, address)                                                                   \
    __m256i s##i##_0 = _mm256_setzero_si256(), s##i##_1 = s##i##_0;                                \
    __m256 v##i##_0 = _mm256_setzero_ps(), v##i##_1 = v##i##_0;

/* X(pixel) for every pixel in use. */
#define EACH_PIXEL_IN_USE(X)                                                                       \
    X(0)                                                                                           \
    if (pixels > 1)                                                                                \
        X(1)                                                                                       \
    if (pixels > 2)                                                                                \
        X(2)                                                                                       \
    if (pixels > 3)                                                                                \
        X(3)                                                                                       \
    if (pixels > 4)                                                                                \
    X(4)

/* The empty statement keeps the compiler from adding up the products of several k first, for which
 * there are not enough registers. */
#define ADD_PRODUCTS(sum, a, b)                                                                    \
    {                                                                                              \
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));          \
        __asm__("" : "+x"(sum));                                                                   \
    }

/* Four k of one pixel to all lanes, times the block's weights. */
#define MULTIPLY_ADD(i, address)                                                                   \
    if (i < pixels) {                                                                              \
        const __m256i a = broadcast_four(address);                                                 \
        ADD_PRODUCTS(s##i##_0, a, b0)                                                              \
        if (halves > 1)                                                                            \
            ADD_PRODUCTS(s##i##_1, a, b1)                                                          \
    }

/* Goes on by four k. The empty statement keeps the compiler from working out addresses ahead, for
 * which there are not enough registers. */
#define FOUR_K                                                                                     \
    {                                                                                              \
        const __m256i b0 = _mm256_loadu_si256((const __m256i *)b);                                 \
        const __m256i b1 = halves > 1 ? _mm256_loadu_si256((const __m256i *)(b + 32)) : b0;        \
        EACH_PIXEL(MULTIPLY_ADD)                                                                   \
        a0 += 4, a3 += 4, b += 64;                                                                 \
        __asm__("" : "+r"(a0), "+r"(a3), "+r"(b));                                                 \
    }

ALWAYS_INLINE __m256i broadcast_four(const uint8_t *from)
{
    int32_t four;
    memcpy(&four, from, sizeof four);
    return _mm256_set1_epi32(four);
}

ALWAYS_INLINE const uint8_t *pixel_address(const r2n_tile *tile, const r2n_gemm_source *source)
{
    return (const uint8_t *)tile->any_block + source->offset + tile->image * source->image_pitch +
           tile->row * source->row_pitch + tile->column * source->pixel_pitch;
}

/* ---- the last channels: 1 to 15 bytes ---- */

static uint64_t load_up_to_7(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    if (bytes & 4) {
        uint32_t part;
        memcpy(&part, from, sizeof part);
        value = part;
    }
    for (int i = bytes & 4; i < bytes; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

static __m128i load_some(const uint8_t *from, int bytes)
{
    uint64_t low;
    if (bytes < 8)
        return _mm_cvtsi64_si128((int64_t)load_up_to_7(from, bytes));
    memcpy(&low, from, sizeof low);
    return _mm_set_epi64x((int64_t)load_up_to_7(from + 8, bytes - 8), (int64_t)low);
}

static void store_some(uint8_t *to, __m128i value, int bytes)
{
    uint64_t rest = (uint64_t)_mm_cvtsi128_si64(value);
    if (bytes & 8) {
        memcpy(to, &rest, sizeof rest);
        rest = (uint64_t)_mm_extract_epi64(value, 1);
        to += 8;
    }
    if (bytes & 4) {
        const uint32_t part = (uint32_t)rest;
        memcpy(to, &part, sizeof part);
        rest >>= 32;
        to += 4;
    }
    for (int i = 0; i < (bytes & 3); i++)
        to[i] = (uint8_t)(rest >> (8 * i));
}

/* ---- epilogue ---- */

ALWAYS_INLINE __m128i load_16(const uint8_t *from, int all_lanes, int lanes)
{
    return all_lanes ? _mm_loadu_si128((const __m128i *)from) : load_some(from, lanes);
}

ALWAYS_INLINE void store_16(uint8_t *to, __m128i bytes, int all_lanes, int lanes)
{
    if (all_lanes)
        _mm_storeu_si128((__m128i *)to, bytes);
    else
        store_some(to, bytes, lanes);
}

/* The lower eight bytes as floats. */
ALWAYS_INLINE __m256 to_floats(__m128i bytes)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
}

/* The nearest integer, at most 127; a negative one becomes 0 when it is packed. The order of
 * operands keeps NaN, whose integer is negative. */
ALWAYS_INLINE __m256i to_integer(__m256 v)
{
    return _mm256_cvtps_epi32(_mm256_min_ps(_mm256_set1_ps(R2N_INT8_MAXIMUM), v));
}

/* Two pixels of 16 channels to bytes, 16 of the first and 16 of the second. */
ALWAYS_INLINE __m256i pack(__m256 a0, __m256 a1, __m256 b0, __m256 b1)
{
    const __m256i a = _mm256_packs_epi32(to_integer(a0), to_integer(a1));
    const __m256i b = _mm256_packs_epi32(to_integer(b0), to_integer(b1));
    /* Each half now has four channels of a, four of a1, four of b0, four of b1. */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(a, b), order);
}

#define SCALE(i)                                                                                   \
    {                                                                                              \
        v##i##_0 = _mm256_fmadd_ps(_mm256_cvtepi32_ps(s##i##_0), scale0, bias0);                   \
        v##i##_1 = _mm256_fmadd_ps(_mm256_cvtepi32_ps(s##i##_1), scale1, bias1);                   \
    }
#define ADD_RESIDUAL(i)                                                                            \
    {                                                                                              \
        const __m128i r = load_16(residual + i * tile->residual_pitch, all_lanes, lanes);          \
        v##i##_0 = _mm256_fmadd_ps(to_floats(r), residual_scale, v##i##_0);                        \
        v##i##_1 = _mm256_fmadd_ps(to_floats(_mm_srli_si128(r, 8)), residual_scale, v##i##_1);     \
    }
#define RELU(i) /* NaN becomes 0 */                                                                \
    {                                                                                              \
        v##i##_0 = _mm256_max_ps(v##i##_0, _mm256_setzero_ps());                                   \
        v##i##_1 = _mm256_max_ps(v##i##_1, _mm256_setzero_ps());                                   \
    }
#define ADD_CHAIN(i)                                                                               \
    {                                                                                              \
        const __m128i c = load_16(chain + i * tile->chain_pitch, all_lanes, lanes);                \
        v##i##_0 =                                                                                 \
            _mm256_fmadd_ps(to_floats(c), chain_scale, _mm256_mul_ps(v##i##_0, value_scale));      \
        v##i##_1 = _mm256_fmadd_ps(to_floats(_mm_srli_si128(c, 8)), chain_scale,                   \
                                   _mm256_mul_ps(v##i##_1, value_scale));                          \
    }
#define STORE_TWO(base, base_pitch, i, j)                                                          \
    if (i < pixels) {                                                                              \
        const __m256i bytes = pack(v##i##_0, v##i##_1, v##j##_0, v##j##_1);                        \
        store_16((base) + i * (base_pitch), _mm256_castsi256_si128(bytes), all_lanes, lanes);      \
        if (j < pixels && j != i)                                                                  \
            store_16((base) + j * (base_pitch), _mm256_extracti128_si256(bytes, 1), all_lanes,     \
                     lanes);                                                                       \
    }
#define STORE_ALL(base, base_pitch)                                                                \
    STORE_TWO(base, base_pitch, 0, 1)                                                              \
    STORE_TWO(base, base_pitch, 2, 3)                                                              \
    STORE_TWO(base, base_pitch, 4, 4)
#define STORE_FLOATS(i)                                                                            \
    {                                                                                              \
        float *to = (float *)(output + i * tile->output_pitch);                                    \
        _mm256_maskstore_ps(to, first_lanes(lanes), v##i##_0);                                     \
        _mm256_maskstore_ps(to + 8, first_lanes(lanes - 8), v##i##_1);                             \
    }

/* The first `lanes` of eight. */
ALWAYS_INLINE __m256i first_lanes(int lanes)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/* The epilogue's memory side. */
#define FINISH(all)                                                                                \
    {                                                                                              \
        const int all_lanes = (all);                                                               \
        if (residual != NULL) {                                                                    \
            const __m256 residual_scale = _mm256_set1_ps(tile->epilogue->residual_scale);          \
            EACH_PIXEL_IN_USE(ADD_RESIDUAL)                                                        \
        }                                                                                          \
        if (tile->relu && chain != NULL) { /* the byte of a negative value is 0 anyway */          \
            EACH_PIXEL_IN_USE(RELU)                                                                \
        }                                                                                          \
        STORE_ALL(output, tile->output_pitch)                                                      \
        if (chain != NULL) {                                                                       \
            /* All loads first: one that overlaps an earlier store in part would wait. */          \
            const __m256 chain_scale = _mm256_set1_ps(tile->epilogue->chain_scale);                \
            const __m256 value_scale = _mm256_set1_ps(tile->epilogue->value_scale);                \
            EACH_PIXEL_IN_USE(ADD_CHAIN)                                                           \
            STORE_ALL(chain, tile->chain_pitch)                                                    \
        }                                                                                          \
    }

/* `halves` is 1 where the block's last eight channels are not there. */
ALWAYS_INLINE void compute(const r2n_tile *tile, const int pixels, const int halves)
{
    EACH_PIXEL(DECLARE_SUMS)
    const __m256i ones = _mm256_set1_epi16(1);
    const char *prefetch = tile->prefetch;
    const int64_t prefetch_step = tile->prefetch_step;
    for (int32_t i = 0; i < tile->source_count; i++) {
        const r2n_gemm_source *source = &tile->sources[i];
        const int64_t pitch = source->pixel_pitch;
        const uint8_t *a0 = pixel_address(tile, source);
        const uint8_t *a3 = pixels > 3 ? a0 + 3 * pitch : a0;
        const uint8_t *b = (const uint8_t *)tile->any_weights + (int64_t)source->k_first * 16;
        int32_t k = source->channels;
        for (; k >= 16; k -= 16) {
            _mm_prefetch(prefetch, _MM_HINT_T1);
            _mm_prefetch(prefetch + 64, _MM_HINT_T1);
            prefetch += prefetch_step;
            FOUR_K
            FOUR_K
            FOUR_K
            FOUR_K
        }
        for (; k > 0; k -= 4)
            FOUR_K
    }
    const __m256 scale0 = _mm256_loadu_ps(tile->scale);
    const __m256 scale1 = _mm256_loadu_ps(tile->scale + 8);
    const __m256 bias0 = _mm256_loadu_ps(tile->bias);
    const __m256 bias1 = _mm256_loadu_ps(tile->bias + 8);
    const int lanes = tile->last_lanes;
    uint8_t *output = tile->any_output;
    uint8_t *chain = tile->any_chain;
    const uint8_t *residual = tile->any_residual;
    EACH_PIXEL_IN_USE(SCALE)
    if (tile->epilogue->float_output) {
        EACH_PIXEL_IN_USE(STORE_FLOATS)
        return;
    }
    if (lanes == 16)
        FINISH(1)
    else
        FINISH(0)
}

#define TILE(pixels)                                                                               \
    static void tile_##pixels(const r2n_tile *tile)                                                \
    {                                                                                              \
        if (tile->last_lanes > 8)                                                                  \
            compute(tile, pixels, 2);                                                              \
        else                                                                                       \
            compute(tile, pixels, 1);                                                              \
    }

TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)

static const r2n_tile_set tile_set = {.panel_blocks = 1,
                                      .cache_bytes = 1 << 20,
                                      .pixels = {5},
                                      .tiles = {{tile_1, tile_2, tile_3, tile_4, tile_5}}};

void r2n_gemm_int8_avx2(const void *arguments, void *block, r2n_range range)
{
    r2n_gemm_walk(&tile_set, 1, arguments, block, range);
}
