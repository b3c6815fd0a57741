/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the next pixels of a gradient by weights will be read from, handed out a hint at a time
 * while these are computed: in a training they come from memory, whose latency would else be waited
 * for. Plain code, compiled for the plainest CPU.
 */
#ifndef R2N_KERNELS_GRADIENT_AHEAD_H
#define R2N_KERNELS_GRADIENT_AHEAD_H

#include "kernels/kernels.h"

enum { R2N_AHEAD_REGIONS = 8 };

typedef struct r2n_gradient_ahead {
    const char *prefetch; /* the next hint, never loaded from; others follow at */
    int64_t step;         /* bytes from hint to hint */
    struct {
        const char *first, *last;
    } regions[R2N_AHEAD_REGIONS];
    int32_t count, at;
} r2n_gradient_ahead;

/* Pixels [first, last), counted over all images, come next; `hints` will be asked for. `block` is
 * the activation block. With no such pixels hints are for memory that is there anyhow. */
void r2n_gradient_ahead_begin(r2n_gradient_ahead *ahead,
                              const r2n_weights_gradient_arguments *arguments, const void *block,
                              int64_t element_bytes, int64_t first, int64_t last, int64_t hints);
/* So many hints were used, from `prefetch` on. */
void r2n_gradient_ahead_used(r2n_gradient_ahead *ahead, int64_t hints);
/* Tiles of at most `most_k` rows of one source each. */
int64_t r2n_gradient_tile_count(const r2n_weights_gradient_arguments *arguments, int32_t most_k);

#endif
