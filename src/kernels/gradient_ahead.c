/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gradient_ahead.h"

static int64_t pixel_offset(const r2n_weights_gradient_arguments *a, const r2n_gemm_source *s,
                            int64_t pixel)
{
    const int64_t row = pixel / a->columns;
    return s->offset + row / a->rows * s->image_pitch + row % a->rows * s->row_pitch +
           pixel % a->columns * s->pixel_pitch;
}

/* Does a later source read about the same lines: another tap, other channels of the pixel? */
static int comes_again(const r2n_weights_gradient_arguments *a, int32_t index)
{
    const r2n_gemm_source *s = &a->sources[index];
    for (int32_t i = index + 1; i < a->source_count; i++) {
        const int64_t apart = a->sources[i].offset - s->offset;
        if ((apart < 0 ? -apart : apart) <= 3 * s->row_pitch)
            return 1;
    }
    return 0;
}

int64_t r2n_gradient_tile_count(const r2n_weights_gradient_arguments *a, int32_t most_k)
{
    int64_t count = 0;
    for (int32_t i = 0; i < a->source_count; i++)
        count += (a->sources[i].channels + most_k - 1) / most_k;
    return count;
}

void r2n_gradient_ahead_begin(r2n_gradient_ahead *ahead, const r2n_weights_gradient_arguments *a,
                              const void *block, int64_t element_bytes, int64_t first, int64_t last,
                              int64_t hints)
{
    const r2n_view *view = &a->gradient;
    const r2n_gemm_source gradient = {.offset = view->offset,
                                      .image_pitch = view->image_pitch,
                                      .row_pitch = view->row_pitch,
                                      .pixel_pitch = view->pixel_pitch,
                                      .channels = a->channels};
    int64_t bytes = 0;
    *ahead = (r2n_gradient_ahead){.prefetch = (const char *)a->output};
    if (first >= last || hints <= 0)
        return;
    for (int32_t i = -1; i < a->source_count && ahead->count < R2N_AHEAD_REGIONS; i++) {
        const r2n_gemm_source *s = i < 0 ? &gradient : &a->sources[i];
        if (i >= 0 && comes_again(a, i))
            continue;
        const int64_t end = pixel_offset(a, s, last - 1) + s->channels;
        ahead->regions[ahead->count].first =
            (const char *)block + pixel_offset(a, s, first) * element_bytes;
        ahead->regions[ahead->count].last = (const char *)block + end * element_bytes;
        bytes += ahead->regions[ahead->count].last - ahead->regions[ahead->count].first;
        ahead->count++;
    }
    ahead->prefetch = ahead->regions[0].first;
    ahead->step = (bytes + hints - 1) / hints;
}

void r2n_gradient_ahead_used(r2n_gradient_ahead *ahead, int64_t hints)
{
    ahead->prefetch += ahead->step * hints;
    if (ahead->at < ahead->count && ahead->prefetch >= ahead->regions[ahead->at].last &&
        ++ahead->at < ahead->count)
        ahead->prefetch = ahead->regions[ahead->at].first;
}
