/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matrix products of AMX: gemm_walk.c finds the tiles, reduce.h has their sums, and here is the
 * epilogue, on AVX-512, from a buffer that never leaves the first-level cache.
 */
#include <immintrin.h>

#include "kernels/gemm_walk.h"
#include "kernels/x86_amx/reduce.h"
#include "kernels/x86_avx512/bf16.h"

#ifdef R2N_TILES_EMULATED
#define KERNEL(precision) r2n_gemm_##precision##_amx_emulated
#else
#define KERNEL(precision) r2n_gemm_##precision##_amx
#endif

r2n_kernel_function KERNEL(bf16);
r2n_kernel_function KERNEL(bf16x3);
r2n_kernel_function KERNEL(int8);

ALWAYS_INLINE __mmask16 lanes_of(const r2n_tile *tile, int32_t block)
{
    return block + 1 < tile->blocks ? (__mmask16)0xffff : (__mmask16)((1u << tile->last_lanes) - 1);
}

/* The first of a block's channels of a pixel. Pitches count elements of the precision, also where
 * the elements are floats. */
ALWAYS_INLINE char *address(const void *base, int64_t pitch, int32_t pixel, int32_t block,
                            int64_t pitch_bytes, int64_t element_bytes)
{
    return (char *)base + pixel * pitch * pitch_bytes + block * R2N_TILE_LANES * element_bytes;
}

ALWAYS_INLINE const void *sums_at(const tile_sums *sums, int32_t pixel, int32_t block)
{
    return sums->bytes + pixel * SUMS_PITCH_BYTES + block * TILE_ROW_BYTES;
}

/* ---- bf16 and bf16x3 ---- */

/* `terms`, a constant, is 1 or 2. The tile is a copy, or the compiler would have to read its fields
 * again after every store. */
ALWAYS_INLINE void finish_bf16(r2n_tile tile, const tile_sums *sums, const int terms)
{
    const int32_t float_output = tile.epilogue->float_output;
    for (int32_t pixel = 0; pixel < tile.pixels; pixel++)
        for (int32_t block = 0; block < tile.blocks; block++) {
            const __mmask16 lanes = lanes_of(&tile, block);
            __m512 v = _mm512_add_ps(_mm512_load_ps(sums_at(sums, pixel, block)),
                                     _mm512_loadu_ps(tile.bias + block * R2N_TILE_LANES));
            if (tile.any_residual != NULL)
                v = _mm512_add_ps(v, load_bf16(address(tile.any_residual, tile.residual_pitch,
                                                       pixel, block, 2, 2),
                                               tile.residual_low_pitch, lanes, terms));
            if (tile.relu) /* keeps what is not <= 0: positive numbers and NaN */
                v = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLE_UQ), v);
            if (float_output)
                _mm512_mask_storeu_ps(
                    address(tile.any_output, tile.output_pitch, pixel, block, 2, sizeof(float)),
                    lanes, v);
            else
                store_bf16(address(tile.any_output, tile.output_pitch, pixel, block, 2, 2),
                           tile.output_low_pitch, lanes, v, terms);
            if (tile.any_chain != NULL) {
                char *chain = address(tile.any_chain, tile.chain_pitch, pixel, block, 2, 2);
                const int64_t low_pitch = tile.chain_low_pitch;
                store_bf16(chain, low_pitch, lanes,
                           _mm512_add_ps(load_bf16(chain, low_pitch, lanes, terms), v), terms);
            }
        }
}

static void tile_bf16(const r2n_tile *tile)
{
    tile_sums sums;
    reduce(tile->room, tile, &sums, 0);
    finish_bf16(*tile, &sums, 1);
}

static void tile_bf16x3(const r2n_tile *tile)
{
    tile_sums sums;
    reduce(tile->room, tile, &sums, 0);
    finish_bf16(*tile, &sums, 2);
}

/* ---- int8 ---- */

ALWAYS_INLINE __m512 load_bytes(const char *from, __mmask16 lanes)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes, from)));
}

/* The nearest integer, held to 0 .. 127: held first, which is the same and cannot overflow. */
ALWAYS_INLINE void store_bytes(char *to, __mmask16 lanes, __m512 v)
{
    const __m512 held = _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()),
                                      _mm512_set1_ps((float)R2N_INT8_MAXIMUM));
    _mm_mask_storeu_epi8(to, lanes, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(held)));
}

ALWAYS_INLINE void finish_int8(r2n_tile tile, const tile_sums *sums)
{
    const int32_t float_output = tile.epilogue->float_output;
    const __m512 residual_scale = _mm512_set1_ps(tile.epilogue->residual_scale);
    const __m512 chain_scale = _mm512_set1_ps(tile.epilogue->chain_scale);
    const __m512 value_scale = _mm512_set1_ps(tile.epilogue->value_scale);
    for (int32_t pixel = 0; pixel < tile.pixels; pixel++)
        for (int32_t block = 0; block < tile.blocks; block++) {
            const __mmask16 lanes = lanes_of(&tile, block);
            __m512 v =
                _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(sums_at(sums, pixel, block))),
                                _mm512_loadu_ps(tile.scale + block * R2N_TILE_LANES),
                                _mm512_loadu_ps(tile.bias + block * R2N_TILE_LANES));
            if (tile.any_residual != NULL)
                v = _mm512_fmadd_ps(
                    load_bytes(address(tile.any_residual, tile.residual_pitch, pixel, block, 1, 1),
                               lanes),
                    residual_scale, v);
            if (tile.relu)
                v = _mm512_max_ps(v, _mm512_setzero_ps());
            if (float_output)
                _mm512_mask_storeu_ps(
                    address(tile.any_output, tile.output_pitch, pixel, block, 1, sizeof(float)),
                    lanes, v);
            else
                store_bytes(address(tile.any_output, tile.output_pitch, pixel, block, 1, 1), lanes,
                            v);
            if (tile.any_chain != NULL) {
                char *chain = address(tile.any_chain, tile.chain_pitch, pixel, block, 1, 1);
                store_bytes(chain, lanes,
                            _mm512_fmadd_ps(load_bytes(chain, lanes), chain_scale,
                                            _mm512_mul_ps(v, value_scale)));
            }
        }
}

static void tile_int8(const r2n_tile *tile)
{
    tile_sums sums;
    reduce(tile->room, tile, &sums, 1);
    finish_int8(*tile, &sums);
}

/* ---- the kernels ---- */

static void run(r2n_tile_function *function, int32_t element_bytes, const r2n_gemm_arguments *gemm,
                void *block, r2n_range range)
{
    tile_room room = open_room(gemm, element_bytes);
    const r2n_tile_set set = {.panel_blocks = MOST_BLOCKS,
                              .narrow_remainder = 1,
                              .cache_bytes = 1 << 21,
                              .pixels = {MOST_PIXELS, MOST_PIXELS},
                              .any_tile = function,
                              .room = &room};
    r2n_gemm_walk(&set, element_bytes, gemm, block, range);
    if (room.rows > 0)
        TILES_RELEASE();
}

void KERNEL(bf16)(const void *arguments, void *block, r2n_range range)
{
    run(tile_bf16, sizeof(uint16_t), arguments, block, range);
}

void KERNEL(bf16x3)(const void *arguments, void *block, r2n_range range)
{
    run(tile_bf16x3, sizeof(uint16_t), arguments, block, range);
}

void KERNEL(int8)(const void *arguments, void *block, r2n_range range)
{
    run(tile_int8, sizeof(int8_t), arguments, block, range);
}
