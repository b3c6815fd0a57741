/* SPDX-License-Identifier: Apache-2.0 */
#include "kernelcheck/convolution.h"

#include "base/memory.h"
#include "kernelcheck/random.h"

/* Lays a tensor behind `used` floats, with `border` zero columns and rows as kernels.h says. */
static r2n_view lay_tensor(int64_t *used, int32_t images, int32_t rows, int32_t columns,
                           int32_t channels, int32_t border)
{
    r2n_view view = {.pixel_pitch = channels, .groups = 1, .group_channels = channels};
    view.row_pitch = (int64_t)(columns + border) * channels;
    view.image_pitch = (rows + border) * view.row_pitch;
    view.offset = *used + border * (view.row_pitch + channels);
    *used = view.offset + images * view.image_pitch + border * channels;
    *used += -*used & 15;
    return view;
}

static void make_sources(const convolution *c, const r2n_view *input, laid_out *out)
{
    const int32_t border = c->kernel / 2;
    /* The stem's taps of a row follow each other, so they are one source. */
    const int joined = c->kernel > 1 && c->input_channels == 3;
    int32_t k = 0;
    int32_t count = 0;
    for (int32_t row = 0; row < c->kernel; row++)
        for (int32_t column = 0; column < (joined ? 1 : c->kernel); column++) {
            r2n_gemm_source *source = &out->sources[count++];
            *source =
                (r2n_gemm_source){.offset = input->offset + (row - border) * input->row_pitch +
                                            (column - border) * input->pixel_pitch,
                                  .image_pitch = input->image_pitch,
                                  .row_pitch = input->row_pitch * c->stride,
                                  .pixel_pitch = input->pixel_pitch * c->stride,
                                  .channels = c->input_channels * (joined ? c->kernel : 1),
                                  .k_first = k};
            k += source->channels;
        }
    out->gemm.k_total = k;
    out->gemm.source_count = count;
}

int lay_out_convolution(const convolution *c, int32_t images, laid_out *out)
{
    const int32_t border = c->kernel / 2;
    int64_t floats = 0;
    *out = (laid_out){
        .gemm = {.images = images,
                 .rows = c->rows,
                 .columns = c->columns,
                 .channels = c->channels,
                 .epilogue = {.relu = 1, .residual_there = c->residual, .chain_there = c->chain}}};
    const r2n_view input = lay_tensor(&floats, images, c->rows * c->stride, c->columns * c->stride,
                                      c->input_channels, border);
    out->gemm.output = lay_tensor(&floats, images, c->rows, c->columns, c->channels, 0);
    if (c->residual)
        out->gemm.epilogue.residual =
            lay_tensor(&floats, images, c->rows, c->columns, c->channels, 0);
    if (c->chain)
        out->gemm.epilogue.chain = lay_tensor(&floats, images, c->rows, c->columns, c->channels, 1);
    make_sources(c, &input, out);
    out->gemm.sources = out->sources;
    const size_t packed = r2n_packed_elements(c->channels, out->gemm.k_total);
    const size_t padded = (size_t)(c->channels + 15) / 16 * 16;
    out->block = r2n_allocate_zeroed((size_t)floats, sizeof(float));
    out->weights = r2n_allocate_zeroed(packed, sizeof(float));
    out->bias = r2n_allocate_zeroed(padded, sizeof(float));
    out->gemm.weights = out->weights;
    out->gemm.epilogue.bias = out->bias;
    out->macs = (double)images * c->rows * c->columns * c->channels * out->gemm.k_total;
    if (out->block == NULL || out->weights == NULL || out->bias == NULL) {
        release_convolution(out);
        return 0;
    }
    random_state random = {42};
    for (int64_t i = 0; i < floats; i++)
        out->block[i] = random_real(&random);
    for (size_t i = 0; i < packed; i++)
        out->weights[i] = random_real(&random);
    for (int32_t i = 0; i < c->channels; i++)
        out->bias[i] = random_real(&random);
    return 1;
}

void release_convolution(laid_out *out)
{
    r2n_free(out->block);
    r2n_free(out->weights);
    r2n_free(out->bias);
    out->block = out->weights = out->bias = NULL;
}
