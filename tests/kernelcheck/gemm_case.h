/* SPDX-License-Identifier: Apache-2.0 */
/* Random matrix products of any precision: taps, strides, several sources, gaps, groups, epilogues,
 * batches. */
#ifndef R2N_KERNELCHECK_GEMM_CASE_H
#define R2N_KERNELCHECK_GEMM_CASE_H

#include "kernelcheck/guard.h"
#include "kernelcheck/scene.h"

enum { GEMM_INPUTS = 2, GEMM_SOURCES = 2 * GEMM_INPUTS * 9, GEMM_TEXT_BYTES = 200 };

typedef struct gemm_case {
    r2n_gemm_arguments gemm;
    r2n_gemm_source sources[GEMM_SOURCES];
    scene before;
    r2n_precision precision;
    fill fill;
    int any_channels;             /* of sources, not only what the precision multiplies at once */
    guarded weights, bias, scale; /* scale: int8 */
    char text[GEMM_TEXT_BYTES];
} gemm_case;

/* columns of the output, channels: 0 for any. */
void make_gemm_case(gemm_case *c, random_state *random, r2n_precision precision, fill f,
                    int32_t columns, int32_t channels);
/* More operands than a core's second-level cache holds: the walk has to cut its range. */
void make_large_gemm_case(gemm_case *c, random_state *random, r2n_precision precision);
/* The largest values over 4096 channels: integer sums that no float holds. */
void make_deep_gemm_case(gemm_case *c, random_state *random, r2n_precision precision);
void release_gemm_case(gemm_case *c);

/* For cases of another kind that read as a gemm does: images, rows, columns, precision and fill are
 * set and the scene has begun; this adds one or two tensors, read at one or several taps each. */
void add_gemm_sources(gemm_case *c, random_state *random);

r2n_range whole_gemm(const gemm_case *c);
int64_t source_index(const r2n_gemm_source *source, int32_t image, int32_t row, int32_t column);
/* Where weight k of a channel is in the packed ones. */
int64_t packed_index(const gemm_case *c, int32_t k, int32_t channel);

#endif
