/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gradient by weights on tiles: the sums of up to 32 rows k times 32 channels, two tiles of
 * rows times two blocks, over 32 pixels a step. Of a segment of at most 512 pixels the gradient is
 * copied with two pixels side by side, once for all rows k, and the operands with the pixels of a
 * channel side by side, once for 256 channels of the gradient; zeros follow the last pixel up to a
 * whole step.
 *
 * Order of the walk: part by part, chunk by chunk, segment by segment; in a segment, groups of 16
 * blocks of the gradient; under a group, up to 32 rows k; under these, panels of two blocks. The
 * copy of a group stays in the second-level cache and that of the operands in the first. Sums leave
 * their tiles once a segment, for a buffer from which AVX-512 stores or adds them.
 *
 * As in reduce.h both tiles of rows have as many: where the rows k are an odd number, the second
 * tile begins with the last row of the first.
 */
#include <immintrin.h>
#include <stddef.h>

#include "kernels/gradient_segments.h"
#include "kernels/x86_amx/multiply.h"
#include "kernels/x86_amx/tile.h"

#ifdef R2N_TILES_EMULATED
#define WEIGHTS_GRADIENT r2n_weights_gradient_bf16_amx_emulated
#else
#define WEIGHTS_GRADIENT r2n_weights_gradient_bf16_amx
#endif

r2n_kernel_function WEIGHTS_GRADIENT;

enum {
    LANES = 16,
    SEGMENT = R2N_LISTED_PIXELS,
    STEP = 32, /* pixels that one product adds up */
    PAIR_LANES = 2 * LANES,
    STEP_PAIRS = STEP / 2,
    BLOCK_STEP = STEP_PAIRS * PAIR_LANES, /* elements of the gradient's copy: 16 channels, a step */
    MOST_K = 2 * TILE_ROWS,
    K_STEP = MOST_K * STEP, /* elements of the operands' copy, a step */
    OCTET = 8,              /* channels that are transposed at once */
    PANEL_BLOCKS = 2,
    GROUP_BLOCKS = 16
};

typedef struct gradient_walk {
    const r2n_weights_gradient_arguments *arguments;
    const uint16_t *block;
    r2n_gradient_segment segment;
    int32_t steps;
    /* The group. */
    int32_t first_block, blocks;
    r2n_pixel_list *list;
    uint16_t *gradient; /* [blocks of the group][steps][16 pairs][16][2] */
    uint16_t *operands; /* [steps][32 rows k][32 pixels] */
    int32_t tile_rows;  /* of the configuration in use, 0 for none */
} gradient_walk;

/* Some rows k of the weights of one source. */
typedef struct k_rows {
    const r2n_gemm_source *source;
    int32_t k, count;
} k_rows;

/* Of a panel. */
typedef struct gradient_sums {
    _Alignas(64) float values[PANEL_BLOCKS][MOST_K][LANES];
} gradient_sums;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int32_t pieces(int32_t whole, int32_t most)
{
    return whole / most + (whole % most != 0);
}

/* ---- the gradient's copy ---- */

/* Up to 16 channels of a pixel, zeros in the upper half and where `mask` has no bit. */
ALWAYS_INLINE __m512i load_lanes(const uint16_t *from, __mmask16 mask)
{
    return _mm512_castsi256_si512(_mm256_maskz_loadu_epi16(mask, from));
}

/* A block's channels from `from` on; zeros where there is no pixel or channel any more. */
static void pack_lanes(const uint16_t *from, const r2n_pixel_list *list, int32_t channels,
                       uint16_t *to, int32_t pairs)
{
    const __mmask16 mask = (__mmask16)(channels < LANES ? (1u << channels) - 1 : 0xffffu);
    /* Every second word is the second pixel's. */
    const __m512i order = _mm512_setr_epi32(
        0x200000, 0x210001, 0x220002, 0x230003, 0x240004, 0x250005, 0x260006, 0x270007, 0x280008,
        0x290009, 0x2a000a, 0x2b000b, 0x2c000c, 0x2d000d, 0x2e000e, 0x2f000f);
    int32_t pair = 0;
    for (; 2 * pair + 1 < list->pixels; pair++)
        _mm512_store_si512(
            to + pair * PAIR_LANES,
            _mm512_permutex2var_epi16(load_lanes(from + list->at[2 * pair], mask), order,
                                      load_lanes(from + list->at[2 * pair + 1], mask)));
    if (2 * pair < list->pixels) {
        const __m512i last = load_lanes(from + list->at[2 * pair], mask);
        _mm512_store_si512(to + pair * PAIR_LANES,
                           _mm512_cvtepu16_epi32(_mm512_castsi512_si256(last)));
        pair++;
    }
    for (; pair < pairs; pair++)
        _mm512_store_si512(to + pair * PAIR_LANES, _mm512_setzero_si512());
}

static void pack_gradient(gradient_walk *w)
{
    const r2n_view *view = &w->arguments->gradient;
    r2n_pixel_list_fill(w->list, w->arguments, &w->segment, view->image_pitch, view->row_pitch,
                        view->pixel_pitch);
    for (int32_t i = 0; i < w->blocks; i++) {
        const int32_t channel = (w->first_block + i) * LANES;
        pack_lanes(w->block + view->offset + channel, w->list, w->arguments->channels - channel,
                   w->gradient + i * w->steps * BLOCK_STEP, w->steps * STEP_PAIRS);
    }
}

/* ---- the operands' copy ---- */

/* Eight channels of four pixels that are eight apart. */
ALWAYS_INLINE __m512i load_octets(const uint16_t *from, const int64_t *at)
{
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(from + at[0])));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(from + at[8])), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(from + at[16])), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(from + at[24])), 3);
}

/* Four channels of pixels 0 and 1, 2 and 3, 4 and 5, 6 and 7, in each quarter of a register. */
ALWAYS_INLINE void store_rows(uint16_t *to, __m512i a, __m512i b, __m512i c, __m512i d)
{
    const __m512i low_ab = _mm512_unpacklo_epi32(a, b), high_ab = _mm512_unpackhi_epi32(a, b);
    const __m512i low_cd = _mm512_unpacklo_epi32(c, d), high_cd = _mm512_unpackhi_epi32(c, d);
    _mm512_store_si512(to, _mm512_unpacklo_epi64(low_ab, low_cd));
    _mm512_store_si512(to + STEP, _mm512_unpackhi_epi64(low_ab, low_cd));
    _mm512_store_si512(to + 2 * STEP, _mm512_unpacklo_epi64(high_ab, high_cd));
    _mm512_store_si512(to + 3 * STEP, _mm512_unpackhi_epi64(high_ab, high_cd));
}

/* Eight channels from `from` on of 32 pixels, to eight rows of 32 pixels. */
static void transpose_octet(const uint16_t *from, const int64_t *at, uint16_t *to)
{
    const __m512i p0 = load_octets(from, at), p1 = load_octets(from, at + 1);
    const __m512i p2 = load_octets(from, at + 2), p3 = load_octets(from, at + 3);
    const __m512i p4 = load_octets(from, at + 4), p5 = load_octets(from, at + 5);
    const __m512i p6 = load_octets(from, at + 6), p7 = load_octets(from, at + 7);
    store_rows(to, _mm512_unpacklo_epi16(p0, p1), _mm512_unpacklo_epi16(p2, p3),
               _mm512_unpacklo_epi16(p4, p5), _mm512_unpacklo_epi16(p6, p7));
    store_rows(to + 4 * STEP, _mm512_unpackhi_epi16(p0, p1), _mm512_unpackhi_epi16(p2, p3),
               _mm512_unpackhi_epi16(p4, p5), _mm512_unpackhi_epi16(p6, p7));
}

/* The same where there are fewer channels or pixels: of others nothing is read, and they are 0. */
static void transpose_rest(const uint16_t *from, const int64_t *at, int32_t pixels,
                           int32_t channels, uint16_t *to)
{
    const __mmask8 mask = (__mmask8)(channels < OCTET ? (1u << channels) - 1 : 0xffu);
    _Alignas(16) uint16_t filled[STEP * OCTET];
    int64_t filled_at[STEP];
    for (int32_t i = 0; i < STEP; i++) {
        filled_at[i] = (int64_t)i * OCTET;
        _mm_store_si128((__m128i *)(filled + filled_at[i]),
                        i < pixels ? _mm_maskz_loadu_epi16(mask, from + at[i])
                                   : _mm_setzero_si128());
    }
    transpose_octet(filled, filled_at, to);
}

/* The last octet begins earlier where its channels are fewer; only a source of less than eight has
 * not enough. */
static void pack_operands(const gradient_walk *w, const k_rows *rows)
{
    const uint16_t *from = w->block + rows->source->offset + rows->k;
    for (int32_t step = 0; step < w->steps; step++) {
        const int64_t *at = w->list->at + step * STEP;
        const int32_t pixels = (int32_t)w->segment.pixels - step * STEP;
        for (int32_t i = 0; i < rows->count; i += OCTET) {
            const int32_t k = rows->count < OCTET ? 0 : (int32_t)smaller(i, rows->count - OCTET);
            uint16_t *to = w->operands + step * K_STEP + k * STEP;
            if (pixels >= STEP && rows->count >= OCTET)
                transpose_octet(from + k, at, to);
            else
                transpose_rest(from + k, at, pixels, rows->count, to);
        }
    }
}

/* ---- tiles ---- */

static void configure(gradient_walk *w, int32_t tile_rows)
{
    static const int32_t lengths[2] = {TILE_ROW_BYTES, TILE_ROW_BYTES};
    tile_configuration configuration;
    if (w->tile_rows == tile_rows)
        return;
    describe_tiles(&configuration, tile_rows, lengths);
    TILES_CONFIGURE(&configuration);
    w->tile_rows = tile_rows;
}

/* `second` is the row k at which the second tile begins. */
ALWAYS_INLINE void multiply_shape(const gradient_walk *w, int32_t panel, int32_t second,
                                  gradient_sums *sums, const int tiles, const int blocks)
{
    const uint16_t *gradient = w->gradient + panel * w->steps * BLOCK_STEP;
    operands o = {.a0 = (const char *)w->operands,
                  .a1 = (const char *)(w->operands + second * STEP),
                  .a_pitch = TILE_ROW_BYTES,
                  .b0 = (const char *)gradient,
                  .b1 = (const char *)(gradient + (blocks - 1) * w->steps * BLOCK_STEP)};
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    for (int32_t step = 0; step < w->steps; step++) {
        multiply_quickly(&o, tiles, blocks, 0);
        o.a0 += K_STEP * sizeof(uint16_t);
        o.a1 += K_STEP * sizeof(uint16_t);
        o.b0 += BLOCK_STEP * sizeof(uint16_t);
        o.b1 += BLOCK_STEP * sizeof(uint16_t);
    }
    TILE_STORE(0, sums->values[0][0], TILE_ROW_BYTES);
    if (blocks > 1)
        TILE_STORE(1, sums->values[1][0], TILE_ROW_BYTES);
    if (tiles > 1)
        TILE_STORE(2, sums->values[0][second], TILE_ROW_BYTES);
    if (tiles > 1 && blocks > 1)
        TILE_STORE(3, sums->values[1][second], TILE_ROW_BYTES);
}

static void multiply_panel(gradient_walk *w, int32_t panel, int32_t blocks, int32_t k_count,
                           gradient_sums *sums)
{
    const int tiles = k_count > TILE_ROWS ? 2 : 1;
    const int32_t tile_rows = (k_count + tiles - 1) / tiles;
    const int32_t second = k_count - tile_rows;
    configure(w, tile_rows);
    if (tiles > 1 && blocks > 1)
        multiply_shape(w, panel, second, sums, 2, 2);
    else if (tiles > 1)
        multiply_shape(w, panel, second, sums, 2, 1);
    else if (blocks > 1)
        multiply_shape(w, panel, second, sums, 1, 2);
    else
        multiply_shape(w, panel, second, sums, 1, 1);
}

/* ---- the walk ---- */

/* Asks for what the sums of a block will be added to. */
static void prefetch_block(const float *output, int32_t k_count)
{
    for (int32_t k = 0; k < k_count; k++)
        _mm_prefetch(output + k * LANES, _MM_HINT_T0);
}

/* To the packed weights of a block, 0 in the lanes that are no channels. */
static void finish_block(float *output, const float (*sums)[LANES], int32_t k_count,
                         __mmask16 lanes, int adds)
{
    for (int32_t k = 0; k < k_count; k++) {
        __m512 v = _mm512_maskz_load_ps(lanes, sums[k]);
        if (adds)
            v = _mm512_add_ps(_mm512_loadu_ps(output + k * LANES), v);
        _mm512_storeu_ps(output + k * LANES, v);
    }
}

/* These rows k under all panels of the group. */
static void walk_panels(gradient_walk *w, const k_rows *rows)
{
    const r2n_weights_gradient_arguments *a = w->arguments;
    const int64_t pitch = (int64_t)a->k_total * LANES;
    float *output = w->segment.part + w->first_block * pitch +
                    ((int64_t)rows->source->k_first + rows->k) * LANES;
    gradient_sums sums;
    pack_operands(w, rows);
    for (int32_t panel = 0; panel < w->blocks; panel += PANEL_BLOCKS) {
        const int32_t blocks = (int32_t)smaller(PANEL_BLOCKS, w->blocks - panel);
        for (int32_t i = 0; i < blocks; i++)
            prefetch_block(output + i * pitch, rows->count);
        multiply_panel(w, panel, blocks, rows->count, &sums);
        for (int32_t i = 0; i < blocks; i++) {
            const int64_t channels = a->channels - (int64_t)(w->first_block + panel + i) * LANES;
            finish_block(output, sums.values[i], rows->count,
                         (__mmask16)((1u << smaller(LANES, channels)) - 1), w->segment.adds);
            output += pitch;
        }
    }
}

static void walk_group(gradient_walk *w)
{
    const r2n_weights_gradient_arguments *a = w->arguments;
    pack_gradient(w);
    for (int32_t i = 0; i < a->source_count; i++) {
        const r2n_gemm_source *source = &a->sources[i];
        k_rows rows = {.source = source};
        r2n_pixel_list_fill(w->list, w->arguments, &w->segment, source->image_pitch,
                            source->row_pitch, source->pixel_pitch);
        for (int32_t left = pieces(source->channels, MOST_K); left > 0; left--) {
            rows.count = pieces(source->channels - rows.k, left);
            walk_panels(w, &rows);
            rows.k += rows.count;
        }
    }
}

static void walk_segment(gradient_walk *w, r2n_range range)
{
    w->list->pixels = 0;
    w->steps = pieces((int32_t)w->segment.pixels, STEP);
    for (int32_t block = range.block_first; block < range.block_last; block += w->blocks) {
        w->first_block = block;
        w->blocks = (int32_t)smaller(GROUP_BLOCKS, range.block_last - block);
        walk_group(w);
    }
}

void WEIGHTS_GRADIENT(const void *arguments, void *block, r2n_range range)
{
    const r2n_weights_gradient_arguments *a = arguments;
    _Alignas(64) uint16_t gradient[GROUP_BLOCKS * SEGMENT / STEP * BLOCK_STEP];
    _Alignas(64) uint16_t copy[SEGMENT / STEP * K_STEP];
    r2n_pixel_list list = {.pixels = 0};
    gradient_walk w = {
        .arguments = a, .block = block, .gradient = gradient, .operands = copy, .list = &list};
    r2n_gradient_segments segments = r2n_gradient_segments_of(a, range, SEGMENT);
    while (r2n_gradient_next(&segments, &w.segment))
        walk_segment(&w, range);
    if (w.tile_rows > 0)
        TILES_RELEASE();
}
