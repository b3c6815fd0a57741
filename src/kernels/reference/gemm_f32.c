/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The specification of the f32 batch-reduce matrix product (kernels.h): plain loops, sums in
 * double, one rounding to f32 before the ReLU. Never optimised.
 */
#include "kernels/kernels.h"
#include "kernels/reference/place.h"

enum { LANES = 16 };

r2n_kernel_function r2n_gemm_f32_reference;

static double reduce(const r2n_gemm_arguments *gemm, const float *block, place p)
{
    const float *weights = gemm->weights;
    const int64_t panel = (int64_t)(p.channel / LANES) * gemm->k_total;
    double sum = 0;
    for (int32_t i = 0; i < gemm->source_count; i++) {
        const r2n_gemm_source *source = &gemm->sources[i];
        const int64_t from = index_in_source(source, p);
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
    check_gemm(gemm, range, 1);
    assert((gemm->epilogue.sums == NULL && gemm->epilogue.squares == NULL) ||
           gemm->epilogue.statistics_rows > 0);
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
