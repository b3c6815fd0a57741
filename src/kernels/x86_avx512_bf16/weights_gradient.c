/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gradient by weights of AVX-512 BF16: one instruction adds the products of two pixels to 16
 * sums, and so wants both pixels' values side by side. They are copied that way: the gradient's of
 * a segment of pixels once for all rows k, the operands' of a tile's rows once for 256 channels.
 *
 * Order of the walk: part by part, chunk by chunk, in segments of at most 512 pixels; in a segment,
 * groups of 16 blocks of the gradient; under a group, the tiles of 14 rows k; under a tile, panels
 * of two blocks. The copy of a group stays in the second-level cache, that of a tile's operands in
 * the first, and a tile's sums in registers over all pixels of the segment. Meanwhile the lines of
 * the next segment are asked for: in a training they come from memory, whose latency would else be
 * waited for in the copies.
 */
#include <immintrin.h>
#include <stddef.h>
#include <string.h>

#include "kernels/gradient_ahead.h"
#include "kernels/gradient_segments.h"
#include "kernels/x86_avx512/weights_gradient_tiles.h"

r2n_kernel_function r2n_weights_gradient_bf16_avx512;

enum {
    SEGMENT = R2N_LISTED_PIXELS,
    PAIRS = SEGMENT / 2,
    PAIR_LANES = 2 * LANES, /* elements of 16 channels of two pixels */
    PANEL_BLOCKS = 2,
    GROUP_BLOCKS = 16,
    MOST_K = 14
};

/* Some rows k of the weights of one source times one or two blocks of 16 channels. */
typedef struct gradient_tile {
    const uint16_t *operands; /* [pairs][16][2], from the tile's first row k on */
    const uint16_t *gradient; /* [pairs][blocks][16][2] */
    int64_t pairs;
    float *output;         /* [k][16] of the first block */
    int64_t output_pitch;  /* floats from block to block */
    const char *prefetch;  /* a hint a pair, */
    int64_t prefetch_step; /* so many bytes apart */
    int32_t adds;          /* to what stands there */
    int32_t last_lanes;    /* channels in the last block, 1 to 16; other lanes get 0 */
} gradient_tile;

typedef void tile_function(const gradient_tile *tile);

/* ---- tiles ---- */

/* GCC 12 does not see that the intrinsic adds in place: it copies sums to and fro. */
#define ADD_PRODUCTS(sum, a, b) __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));

#define MULTIPLY_ADD(i)                                                                            \
    if (i < k_count) {                                                                             \
        const __m512i value = broadcast_pair(a + 2 * (i));                                         \
        ADD_PRODUCTS(s##i##_0, value, g0)                                                          \
        if (blocks > 1)                                                                            \
            ADD_PRODUCTS(s##i##_1, value, g1)                                                      \
    }

ALWAYS_INLINE __m512i broadcast_pair(const uint16_t *from)
{
    int32_t pair;
    memcpy(&pair, from, sizeof pair);
    return _mm512_set1_epi32(pair);
}

/* Half as long a tile as f32's would wait twice as often for what its sums are added to. */
#define PREFETCH(sum, i, block) _mm_prefetch(OUTPUT(i, block), _MM_HINT_T0);

ALWAYS_INLINE void compute(const gradient_tile *tile, const int k_count, const int blocks)
{
    EACH_K(DECLARE)
    EACH_SUM(PREFETCH)
    const uint16_t *a = tile->operands;
    const uint16_t *gradient = tile->gradient;
    const char *prefetch = tile->prefetch;
    const int64_t prefetch_step = tile->prefetch_step;
    for (int64_t left = tile->pairs; left > 0; left--) {
        const __m512i g0 = _mm512_load_si512(gradient);
        const __m512i g1 = blocks > 1 ? _mm512_load_si512(gradient + PAIR_LANES) : g0;
        EACH_K(MULTIPLY_ADD)
        _mm_prefetch(prefetch, _MM_HINT_T1);
        prefetch += prefetch_step;
        a += PAIR_LANES;
        gradient += blocks * PAIR_LANES;
    }
    const __mmask16 last_mask = (__mmask16)((1u << tile->last_lanes) - 1);
    if (tile->adds) {
        EACH_SUM(ADD)
    }
    EACH_SUM(STORE)
}

TILES(TILE, 1)
TILES(TILE, 2)

/* [blocks - 1][k_count - 1] */
static tile_function *const tiles[PANEL_BLOCKS][MOST_K] = {{TILES(NAME, 1)}, {TILES(NAME, 2)}};

/* ---- copies ---- */

/* 16 elements, or so many as the mask says and zeros. */
ALWAYS_INLINE __m512i load(const uint16_t *from, __mmask16 mask, const int all_lanes)
{
    return _mm512_castsi256_si512(all_lanes ? _mm256_loadu_si256((const __m256i *)from)
                                            : _mm256_maskz_loadu_epi16(mask, from));
}

/* Up to 16 channels from `from` on of all pixels, two pixels side by side; zeros where there is no
 * pixel or channel any more. `to_pitch` is from pair to pair. */
ALWAYS_INLINE void pack_lanes(const uint16_t *from, const r2n_pixel_list *list, __mmask16 mask,
                              const int all_lanes, uint16_t *to, int64_t to_pitch)
{
    /* Every second word is the second pixel's. */
    const __m512i order = _mm512_setr_epi32(
        0x200000, 0x210001, 0x220002, 0x230003, 0x240004, 0x250005, 0x260006, 0x270007, 0x280008,
        0x290009, 0x2a000a, 0x2b000b, 0x2c000c, 0x2d000d, 0x2e000e, 0x2f000f);
    int64_t i = 0;
    for (; i + 1 < list->pixels; i += 2) {
        const __m512i first = load(from + list->at[i], mask, all_lanes);
        const __m512i second = load(from + list->at[i + 1], mask, all_lanes);
        _mm512_store_si512(to, _mm512_permutex2var_epi16(first, order, second));
        to += to_pitch;
    }
    if (i < list->pixels)
        _mm512_store_si512(to, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(
                                   load(from + list->at[i], mask, all_lanes))));
}

static void pack(const uint16_t *from, const r2n_pixel_list *list, int32_t channels, uint16_t *to,
                 int64_t to_pitch)
{
    if (channels >= LANES)
        pack_lanes(from, list, 0xffff, 1, to, to_pitch);
    else
        pack_lanes(from, list, (__mmask16)((1u << channels) - 1), 0, to, to_pitch);
}

/* ---- the walk ---- */

typedef struct walk {
    const r2n_weights_gradient_arguments *arguments;
    const uint16_t *block;
    r2n_gradient_segment segment;
    int64_t pairs;
    /* The group, and its gradient: [panels][pairs][blocks of the panel][16][2]. */
    int32_t first_block, blocks;
    uint16_t *gradient;
    r2n_pixel_list *list;
    r2n_gradient_ahead ahead;
} walk;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t pieces(int64_t whole, int64_t most)
{
    return (whole + most - 1) / most;
}

static void pack_gradient(walk *w)
{
    const r2n_view *view = &w->arguments->gradient;
    r2n_pixel_list_fill(w->list, w->arguments, &w->segment, view->image_pitch, view->row_pitch,
                        view->pixel_pitch);
    for (int32_t i = 0; i < w->blocks; i++) {
        const int32_t panel = i / PANEL_BLOCKS * PANEL_BLOCKS;
        const int64_t blocks = smaller(PANEL_BLOCKS, w->blocks - panel);
        const int32_t channel = (w->first_block + i) * LANES;
        pack(w->block + view->offset + channel, w->list, w->arguments->channels - channel,
             w->gradient + (panel * w->pairs + i % PANEL_BLOCKS) * PAIR_LANES, blocks * PAIR_LANES);
    }
}

/* Rows [k, k + k_count) of a source under all panels of the group. */
static void compute_tiles(walk *w, const r2n_gemm_source *source, int32_t k, int32_t k_count)
{
    const r2n_weights_gradient_arguments *a = w->arguments;
    _Alignas(64) uint16_t operands[PAIRS * PAIR_LANES];
    /* The last rows come with some before them: 16 are faster to load than fewer. */
    const int32_t first =
        source->channels < LANES ? 0 : (int32_t)smaller(k, source->channels - LANES);
    gradient_tile tile = {.operands = operands + (ptrdiff_t)(k - first) * 2,
                          .pairs = w->pairs,
                          .output_pitch = (int64_t)a->k_total * LANES,
                          .prefetch_step = w->ahead.step,
                          .adds = w->segment.adds};
    pack(w->block + source->offset + first, w->list, source->channels - first, operands,
         PAIR_LANES);
    for (int32_t panel = 0; panel < w->blocks; panel += PANEL_BLOCKS) {
        const int32_t blocks = (int32_t)smaller(PANEL_BLOCKS, w->blocks - panel);
        const int32_t block = w->first_block + panel;
        tile.gradient = w->gradient + panel * w->pairs * PAIR_LANES;
        tile.output = w->segment.part + ((int64_t)block * a->k_total + source->k_first + k) * LANES;
        tile.last_lanes = (int32_t)smaller(LANES, a->channels - (block + blocks - 1) * LANES);
        tile.prefetch = w->ahead.prefetch;
        tiles[blocks - 1][k_count - 1](&tile);
        r2n_gradient_ahead_used(&w->ahead, w->pairs);
    }
}

static void walk_group(walk *w)
{
    const r2n_weights_gradient_arguments *a = w->arguments;
    pack_gradient(w);
    for (int32_t i = 0; i < a->source_count; i++) {
        const r2n_gemm_source *source = &a->sources[i];
        r2n_pixel_list_fill(w->list, w->arguments, &w->segment, source->image_pitch,
                            source->row_pitch, source->pixel_pitch);
        int32_t k = 0;
        for (int64_t left = pieces(source->channels, MOST_K); left > 0; left--) {
            const int32_t k_count = (int32_t)pieces(source->channels - k, left);
            compute_tiles(w, source, k, k_count);
            k += k_count;
        }
    }
}

static void walk_segment(walk *w, r2n_range range)
{
    w->list->pixels = 0;
    w->pairs = pieces(w->segment.pixels, 2);
    const int64_t first = w->segment.first_pixel + w->segment.pixels;
    const int64_t panels = pieces(range.block_last - range.block_first, PANEL_BLOCKS);
    r2n_gradient_ahead_begin(
        &w->ahead, w->arguments, w->block, sizeof *w->block, first,
        smaller(first + w->segment.pixels, (int64_t)range.row_last * w->arguments->columns),
        r2n_gradient_tile_count(w->arguments, MOST_K) * panels * w->pairs);
    for (int32_t block = range.block_first; block < range.block_last; block += w->blocks) {
        w->first_block = block;
        w->blocks = (int32_t)smaller(GROUP_BLOCKS, range.block_last - block);
        walk_group(w);
    }
}

void r2n_weights_gradient_bf16_avx512(const void *arguments, void *block, r2n_range range)
{
    const r2n_weights_gradient_arguments *a = arguments;
    _Alignas(64) uint16_t gradient[GROUP_BLOCKS * PAIRS * PAIR_LANES];
    r2n_pixel_list list = {.pixels = 0};
    walk w = {.arguments = a, .block = block, .gradient = gradient, .list = &list};
    r2n_gradient_segments segments = r2n_gradient_segments_of(a, range, SEGMENT);
    while (r2n_gradient_next(&segments, &w.segment))
        walk_segment(&w, range);
}
