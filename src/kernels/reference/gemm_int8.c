/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The specification of the int8 batch-reduce matrix product (kernels.h): exact integer sums, and an
 * epilogue in f32 whose every rounding is written out. Every ISA has these bytes. Never optimised.
 */
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/reference/place.h"

enum { LANES = 16, QUAD = 4 };

r2n_kernel_function r2n_gemm_int8_reference;

/* At most 127 * 127 * 133,000 channels: within 31 bits. */
static int32_t reduce(const r2n_gemm_arguments *gemm, const uint8_t *block, place p)
{
    const int8_t *weights = gemm->weights;
    const int64_t panel = (int64_t)(p.channel / LANES) * gemm->k_total * LANES;
    int32_t sum = 0;
    for (int32_t i = 0; i < gemm->source_count; i++) {
        const r2n_gemm_source *source = &gemm->sources[i];
        const int64_t from = index_in_source(source, p);
        for (int32_t j = 0; j < source->channels; j++) {
            const int32_t k = source->k_first + j;
            const int64_t at =
                panel + (int64_t)(k / QUAD) * QUAD * LANES + p.channel % LANES * QUAD + k % QUAD;
            sum += (int32_t)block[from + j] * (int32_t)weights[at];
        }
    }
    return sum;
}

/* Halves go to the even neighbour; NaN, which no finite scale makes, to 0. */
static uint8_t to_byte(float v)
{
    const float whole = nearbyintf(v);
    if (!(whole > 0))
        return 0;
    return whole < R2N_INT8_MAXIMUM ? (uint8_t)whole : R2N_INT8_MAXIMUM;
}

static void finish(const r2n_gemm_arguments *gemm, uint8_t *block, place p, int32_t sum)
{
    const r2n_epilogue *e = &gemm->epilogue;
    float v = fmaf((float)sum, e->scale[p.channel], e->bias[p.channel]);
    if (e->float_output) {
        uint8_t *to = block + index_of_pixel(&gemm->output, p) + p.channel * (int64_t)sizeof v;
        memcpy(to, &v, sizeof v);
        return;
    }
    if (e->residual_there)
        v = fmaf((float)block[index_in(&e->residual, p)], e->residual_scale, v);
    if (e->relu)
        v = v > 0 ? v : 0;
    block[index_in(&gemm->output, p)] = to_byte(v);
    if (e->chain_there) {
        uint8_t *chain = &block[index_in(&e->chain, p)];
        const float added = v * e->value_scale;
        *chain = to_byte(fmaf((float)*chain, e->chain_scale, added));
    }
}

static void check(const r2n_gemm_arguments *gemm, r2n_range range)
{
    const r2n_epilogue *e = &gemm->epilogue;
    (void)e; /* NDEBUG */
    check_gemm(gemm, range, QUAD);
    assert(e->scale != NULL && e->sums == NULL && e->squares == NULL);
    assert(!e->float_output ||
           (!e->relu && !e->residual_there && !e->chain_there && gemm->output.groups == 1));
}

void r2n_gemm_int8_reference(const void *arguments, void *memory, r2n_range range)
{
    const r2n_gemm_arguments *gemm = arguments;
    uint8_t *block = memory;
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
