/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The specification of the batch-reduce matrix products of bf16 and bf16x3 (kernels.h): plain loops
 * over values as floats, sums in double, one rounding to f32 before the ReLU, then to bf16. The two
 * differ only in how many terms the epilogue reads and writes: bf16x3's three products are sources.
 * Never optimised.
 */
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/reference/place.h"
#include "kernels/reference/terms.h"

enum { LANES = 16, PAIR = 2 };

r2n_kernel_function r2n_gemm_bf16_reference;
r2n_kernel_function r2n_gemm_bf16x3_reference;

static double reduce(const r2n_gemm_arguments *gemm, const uint16_t *block, place p)
{
    const uint16_t *weights = gemm->weights;
    const int64_t panel = (int64_t)(p.channel / LANES) * gemm->k_total * LANES;
    double sum = 0;
    for (int32_t i = 0; i < gemm->source_count; i++) {
        const r2n_gemm_source *source = &gemm->sources[i];
        const int64_t from = index_in_source(source, p);
        for (int32_t k = 0; k < source->channels; k++) {
            const int64_t row = source->k_first + k;
            const int64_t at =
                panel + row / PAIR * LANES * PAIR + p.channel % LANES * PAIR + row % PAIR;
            sum += (double)r2n_float_from_bf16(block[from + k]) *
                   (double)r2n_float_from_bf16(weights[at]);
        }
    }
    return sum;
}

static void finish(const r2n_gemm_arguments *gemm, uint16_t *block, place p, double sum)
{
    const r2n_epilogue *epilogue = &gemm->epilogue;
    sum += (double)epilogue->bias[p.channel];
    if (epilogue->residual_there)
        sum += (double)load(&block[index_in(&epilogue->residual, p)], epilogue->residual.low_pitch);
    float value = (float)sum;
    if (epilogue->relu && value <= 0) /* false for NaN, which stays */
        value = 0;
    if (epilogue->float_output) /* pitches count elements of two bytes, channels are floats */
        memcpy(block + index_of_pixel(&gemm->output, p) + (int64_t)p.channel * PAIR, &value,
               sizeof value);
    else
        store(&block[index_in(&gemm->output, p)], gemm->output.low_pitch, value);
    if (epilogue->chain_there) {
        const int64_t low_pitch = epilogue->chain.low_pitch;
        uint16_t *chain = &block[index_in(&epilogue->chain, p)];
        store(chain, low_pitch, load(chain, low_pitch) + value);
    }
}

static void check(const r2n_gemm_arguments *gemm, r2n_range range)
{
    check_gemm(gemm, range, PAIR);
    assert(gemm->epilogue.sums == NULL && gemm->epilogue.squares == NULL);
    assert(gemm->output.groups == 1 || !gemm->epilogue.float_output);
}

void r2n_gemm_bf16_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_gemm_arguments *gemm = arguments;
    uint16_t *block = memory;
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

void r2n_gemm_bf16x3_reference(const void *arguments, void *memory, r2n_range range)
{
    assert(((const r2n_gemm_arguments *)arguments)->output.low_pitch != 0 ||
           ((const r2n_gemm_arguments *)arguments)->epilogue.float_output);
    r2n_gemm_bf16_reference(arguments, memory, range);
}
