/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The specification of the f32 batch-reduce matrix product (kernels.h): plain loops, sums in
 * double, one rounding to f32 before the ReLU. Never optimised.
 */
#include "kernels/kernels.h"

#include <assert.h>

enum { LANES = 16 };

r2n_kernel_function r2n_gemm_f32_reference;

/* One output element's place in the picture. */
typedef struct place {
    int32_t image, row, column, channel;
} place;

static int64_t index_in(const r2n_view *view, place p)
{
    return view->offset + p.image * view->image_pitch + p.row * view->row_pitch +
           p.column * view->pixel_pitch + (p.channel / view->group_channels) * view->group_pitch +
           p.channel % view->group_channels;
}

static double reduce(const r2n_gemm_arguments *gemm, const float *block, place p)
{
    const float *weights = gemm->weights;
    const int64_t panel = (int64_t)(p.channel / LANES) * gemm->k_total;
    double sum = 0;
    for (int32_t i = 0; i < gemm->source_count; i++) {
        const r2n_gemm_source *source = &gemm->sources[i];
        const int64_t from = source->offset + p.image * source->image_pitch +
                             p.row * source->row_pitch + p.column * source->pixel_pitch;
        for (int32_t k = 0; k < source->channels; k++) {
            const int64_t at = (panel + source->k_first + k) * LANES + p.channel % LANES;
            sum += (double)block[from + k] * (double)weights[at];
        }
    }
    return sum;
}

static void add_statistics(const r2n_gemm_arguments *gemm, place p, float value)
{
    const r2n_epilogue *epilogue = &gemm->epilogue;
    const int64_t part = (p.image * (int64_t)gemm->rows + p.row) / epilogue->statistics_rows;
    const int64_t at = part * gemm->channels + p.channel;
    if (epilogue->sums != NULL)
        epilogue->sums[at] += (double)value;
    if (epilogue->squares != NULL)
        epilogue->squares[at] += (double)value * (double)value;
}

static void finish(const r2n_gemm_arguments *gemm, float *block, place p, double sum)
{
    const r2n_epilogue *epilogue = &gemm->epilogue;
    sum += (double)epilogue->bias[p.channel];
    if (epilogue->residual_there)
        sum += (double)block[index_in(&epilogue->residual, p)];
    float value = (float)sum;
    if (epilogue->relu && value <= 0) /* false for NaN, which stays */
        value = 0;
    block[index_in(&gemm->output, p)] = value;
    if (epilogue->chain_there)
        block[index_in(&epilogue->chain, p)] += value;
    if (epilogue->sums != NULL || epilogue->squares != NULL)
        add_statistics(gemm, p, value);
}

static void check(const r2n_gemm_arguments *gemm, r2n_range range)
{
    (void)gemm; /* NDEBUG */
    (void)range;
    assert(gemm->images > 0 && gemm->rows > 0 && gemm->columns > 0 && gemm->channels > 0);
    assert(gemm->weights != NULL && gemm->epilogue.bias != NULL);
    assert(gemm->output.groups * gemm->output.group_channels == gemm->channels);
    assert(range.row_first >= 0 && range.row_last <= gemm->images * gemm->rows);
    assert(range.block_first >= 0 && range.block_last <= (gemm->channels + LANES - 1) / LANES);
    assert((gemm->epilogue.sums == NULL && gemm->epilogue.squares == NULL) ||
           gemm->epilogue.statistics_rows > 0);
    for (int32_t i = 0; i < gemm->source_count; i++)
        assert(gemm->sources[i].k_first >= 0 && gemm->sources[i].channels >= 0 &&
               gemm->sources[i].k_first + gemm->sources[i].channels <= gemm->k_total);
}

void r2n_gemm_f32_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_gemm_arguments *gemm = arguments;
    float *block = memory;
    check(gemm, range);
    const int32_t first = range.block_first * LANES;
    const int32_t last =
        range.block_last * LANES < gemm->channels ? range.block_last * LANES : gemm->channels;
    for (int32_t row = range.row_first; row < range.row_last; row++)
        for (int32_t column = 0; column < gemm->columns; column++)
            for (int32_t channel = first; channel < last; channel++) {
                const place p = {row / gemm->rows, row % gemm->rows, column, channel};
                finish(gemm, block, p, reduce(gemm, block, p));
            }
}
