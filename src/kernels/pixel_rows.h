/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of 8-bit pixels of three channels: the inner loops of the two resizers (src/image). All
 * arithmetic is on integers and exact, so every ISA gives the same bytes. Rows are read up to their
 * last pixel and written up to their last output, no further, but for the padding said below.
 */
#ifndef R2N_KERNELS_PIXEL_ROWS_H
#define R2N_KERNELS_PIXEL_ROWS_H

#include "kernels/kernels.h"

enum {
    R2N_PIXEL_BITS = 22,    /* of a weight's fraction in weighted sums */
    R2N_PIXEL_BLOCK = 16,   /* rows that are added up are padded to whole blocks of bytes */
    R2N_PIXEL_MULTIPLE = 4, /* weights of an output are padded with zeros to a multiple of this */
    R2N_PIXEL_SHIFT = 4     /* bits that r2n_interpolate_row drops */
};

/* What an output adds up: `count` pixels from `first` on. `first` never falls from output to
 * output. */
typedef struct r2n_pixel_span {
    int32_t first, count;
} r2n_pixel_span;

typedef struct r2n_pixel_filter {
    int32_t outputs;
    int32_t stride; /* weights from one output to the next; a multiple of R2N_PIXEL_MULTIPLE */
    const r2n_pixel_span *spans;
    const int32_t *weights; /* [outputs][stride], zeros from `count` on */
} r2n_pixel_filter;

/* A pixel and its right neighbour. `first` never falls. Where the row has one pixel only, that is
 * the neighbour too. */
typedef struct r2n_pixel_pair {
    int32_t first;
    int16_t share, next_share;
} r2n_pixel_pair;

typedef struct r2n_pixel_kernels {
    /* out[i] = byte((2^21 + sum of weight * pixel) >> 22), byte() clips to 0 .. 255; the sum fits
     * 32 bits */
    void (*filter_row)(const r2n_pixel_filter *filter, const uint8_t *row, int32_t pixels,
                       uint8_t *out);
    /* The same down the rows: `bytes` outputs; rows are padded to blocks, `out` is not. */
    void (*filter_columns)(const uint8_t *const *rows, const int32_t *weights, int32_t count,
                           size_t bytes, uint8_t *out);
    /* out[i] = (pixel * share + next * next_share) >> R2N_PIXEL_SHIFT */
    void (*interpolate_row)(const r2n_pixel_pair *pairs, int32_t outputs, const uint8_t *row,
                            int32_t pixels, int16_t *out);
    /* out[i] = (((top * share) >> 16) + ((bottom * bottom_share) >> 16) + 2) >> 2, which fits */
    void (*mix_rows)(const int16_t *top, const int16_t *bottom, int16_t share, int16_t bottom_share,
                     uint8_t *out, size_t count);
} r2n_pixel_kernels;

extern const r2n_pixel_kernels r2n_pixel_kernels_reference;
#if defined(__x86_64__)
extern const r2n_pixel_kernels r2n_pixel_kernels_avx2;
#endif

/* The best that this CPU has up to the ceiling. */
const r2n_pixel_kernels *r2n_pixel_kernels_for(r2n_isa ceiling);

#endif
