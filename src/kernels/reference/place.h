/* SPDX-License-Identifier: Apache-2.0 */
/* What the matrix products of all precisions share. Only for this folder. */
#ifndef R2N_KERNELS_REFERENCE_PLACE_H
#define R2N_KERNELS_REFERENCE_PLACE_H

#include <assert.h>

#include "kernels/kernels.h"

/* One output element's place in the picture. */
typedef struct place {
    int32_t image, row, column, channel;
} place;

static inline int64_t index_of_pixel(const r2n_view *view, place p)
{
    return view->offset + p.image * view->image_pitch + p.row * view->row_pitch +
           p.column * view->pixel_pitch;
}

static inline int64_t index_in(const r2n_view *view, place p)
{
    return index_of_pixel(view, p) + (p.channel / view->group_channels) * view->group_pitch +
           p.channel % view->group_channels;
}

static inline int64_t index_in_source(const r2n_gemm_source *source, place p)
{
    return source->offset + p.image * source->image_pitch + p.row * source->row_pitch +
           p.column * source->pixel_pitch;
}

/* What every product takes for granted; K comes in multiples of `group`. */
static inline void check_gemm(const r2n_gemm_arguments *gemm, r2n_range range, int32_t group)
{
    const int32_t lanes = 16;
    (void)gemm; /* NDEBUG */
    (void)range;
    (void)group;
    (void)lanes;
    assert(gemm->images > 0 && gemm->rows > 0 && gemm->columns > 0 && gemm->channels > 0);
    assert(gemm->weights != NULL && gemm->epilogue.bias != NULL && gemm->k_total % group == 0);
    assert(gemm->output.groups * gemm->output.group_channels == gemm->channels);
    assert(range.row_first >= 0 && range.row_last <= gemm->images * gemm->rows);
    assert(range.block_first >= 0 && range.block_last <= (gemm->channels + lanes - 1) / lanes);
    for (int32_t i = 0; i < gemm->source_count; i++)
        assert(gemm->sources[i].k_first % group == 0 && gemm->sources[i].channels % group == 0 &&
               gemm->sources[i].k_first >= 0 && gemm->sources[i].channels >= 0 &&
               gemm->sources[i].k_first + gemm->sources[i].channels <= gemm->k_total);
}

#endif
