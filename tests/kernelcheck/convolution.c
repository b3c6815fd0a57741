/* SPDX-License-Identifier: Apache-2.0 */
#include "kernelcheck/convolution.h"

#include "base/memory.h"
#include "kernelcheck/random.h"
#include "kernels/bf16.h"
#include "kernels/precision.h"

enum { CHUNK_PIXELS = 256 };

/* Lays a tensor behind `used` elements, with `border` zero columns and rows as kernels.h says; of
 * two terms a value all low ones behind. */
static r2n_view lay_tensor(int64_t *used, int32_t terms, int32_t images, int32_t rows,
                           int32_t columns, int32_t channels, int32_t border)
{
    const int64_t start = *used;
    r2n_view view = {.pixel_pitch = channels, .groups = 1, .group_channels = channels};
    view.row_pitch = (int64_t)(columns + border) * channels;
    view.image_pitch = (rows + border) * view.row_pitch;
    view.offset = *used + border * (view.row_pitch + channels);
    *used = view.offset + images * view.image_pitch + border * channels;
    *used += -*used & 15;
    if (terms > 1) {
        view.low_pitch = *used - start;
        *used += view.low_pitch;
    }
    return view;
}

static void make_sources(const convolution *c, int32_t input_channels, const r2n_view *input,
                         laid_out *out)
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
                                  .channels = input_channels * (joined ? c->kernel : 1),
                                  .k_first = k};
            k += source->channels;
        }
    out->gemm.k_total = k;
    out->gemm.source_count = count;
}

/* A product of bf16x3 is three: high * high, high * low weights, low * high weights. */
static void triple_sources(const r2n_view *input, laid_out *out)
{
    const int32_t count = out->gemm.source_count;
    for (int32_t i = count - 1; i >= 0; i--) {
        r2n_gemm_source *to = &out->sources[3 * i];
        const r2n_gemm_source source = out->sources[i];
        to[0] = to[1] = to[2] = source;
        to[1].k_first += out->gemm.k_total;
        to[2].offset += input->low_pitch;
    }
    out->gemm.source_count = 3 * count;
    out->gemm.k_total *= 2;
}

static void *make_noise(r2n_precision precision, size_t elements, int are_weights)
{
    const size_t bytes = (size_t)r2n_precision_facts_of(precision)->bytes;
    void *noise = r2n_allocate(elements, bytes);
    random_state random = {42};
    for (size_t i = 0; i < elements && noise != NULL; i++) {
        const float value = random_real(&random);
        if (bytes == sizeof(float))
            ((float *)noise)[i] = value;
        else if (bytes == sizeof(uint16_t))
            ((uint16_t *)noise)[i] = r2n_bf16_from_float(value);
        else if (are_weights)
            ((int8_t *)noise)[i] = (int8_t)(value * R2N_INT8_MAXIMUM);
        else
            ((uint8_t *)noise)[i] = (uint8_t)((1 + value) * 63);
    }
    return noise;
}

/* int8's sums come to bytes of all sizes. */
static void set_scales(laid_out *out)
{
    const float spread = 1.0f / (float)out->gemm.k_total;
    for (int32_t i = 0; i < (out->gemm.channels + 15) / 16 * 16; i++)
        out->scale[i] = spread;
    out->gemm.epilogue.scale = out->scale;
    out->gemm.epilogue.residual_scale = 0.75f;
    out->gemm.epilogue.chain_scale = 0.75f;
    out->gemm.epilogue.value_scale = 0.5f;
}

static void fill_memory(laid_out *out, r2n_precision precision, int64_t elements)
{
    const size_t padded = (size_t)(out->gemm.channels + 15) / 16 * 16;
    out->block = make_noise(precision, (size_t)elements, 0);
    /* Winograd: six points in place of three columns, twice a 3x3 gemm's. */
    out->weights =
        make_noise(precision, 2 * r2n_packed_elements(out->gemm.channels, out->gemm.k_total), 1);
    out->bias = make_noise(R2N_PRECISION_F32, padded, 0);
    out->scale = r2n_allocate(padded, sizeof(float));
    out->gradient = make_noise(R2N_PRECISION_F32,
                               r2n_packed_elements(out->gemm.channels, out->gemm.k_total), 0);
    out->gemm.weights = out->weights;
    out->gemm.epilogue.bias = out->bias;
    if (precision == R2N_PRECISION_INT8 && out->scale != NULL)
        set_scales(out);
}

/* Chunks of about 256 pixels, all of them one part. */
static void set_weights_gradient(laid_out *out)
{
    const r2n_gemm_arguments *gemm = &out->gemm;
    const int32_t rows = gemm->images * gemm->rows;
    const int32_t chunk = (CHUNK_PIXELS + gemm->columns - 1) / gemm->columns;
    out->weights_gradient =
        (r2n_weights_gradient_arguments){.images = gemm->images,
                                         .rows = gemm->rows,
                                         .columns = gemm->columns,
                                         .channels = gemm->channels,
                                         .k_total = gemm->k_total,
                                         .source_count = gemm->source_count,
                                         .sources = out->sources,
                                         .gradient = gemm->output,
                                         .part_rows = (rows + chunk - 1) / chunk * chunk,
                                         .chunk_rows = chunk,
                                         .output = out->gradient};
}

int lay_out_convolution(const convolution *c, r2n_precision precision, int32_t images,
                        laid_out *out)
{
    const r2n_precision_facts *facts = r2n_precision_facts_of(precision);
    const int32_t group = facts->group;
    const int32_t border = c->kernel / 2;
    const int32_t input_channels = (c->input_channels + group - 1) / group * group;
    const int32_t channels = (c->channels + group - 1) / group * group;
    int64_t elements = 0;
    *out = (laid_out){
        .gemm = {.images = images,
                 .rows = c->rows,
                 .columns = c->columns,
                 .channels = channels,
                 .epilogue = {.relu = 1, .residual_there = c->residual, .chain_there = c->chain}}};
    const r2n_view input = lay_tensor(&elements, facts->terms, images, c->rows * c->stride,
                                      c->columns * c->stride, input_channels, border);
    out->gemm.output =
        lay_tensor(&elements, facts->terms, images, c->rows, c->columns, channels, 0);
    if (c->residual)
        out->gemm.epilogue.residual =
            lay_tensor(&elements, facts->terms, images, c->rows, c->columns, channels, 0);
    if (c->chain)
        out->gemm.epilogue.chain =
            lay_tensor(&elements, facts->terms, images, c->rows, c->columns, channels, 1);
    make_sources(c, input_channels, &input, out);
    if (facts->terms > 1)
        triple_sources(&input, out);
    out->gemm.sources = out->sources;
    out->macs = (double)images * c->rows * c->columns * c->channels * c->input_channels *
                c->kernel * c->kernel;
    fill_memory(out, precision, elements);
    out->winograd = (r2n_winograd_arguments){.images = images,
                                             .rows = c->rows,
                                             .columns = c->columns,
                                             .input_channels = c->input_channels,
                                             .channels = c->channels,
                                             .input = input,
                                             .weights = out->weights,
                                             .output = out->gemm.output,
                                             .epilogue = out->gemm.epilogue};
    set_weights_gradient(out);
    if (out->block == NULL || out->weights == NULL || out->bias == NULL || out->scale == NULL ||
        out->gradient == NULL) {
        release_convolution(out);
        return 0;
    }
    return 1;
}

void release_convolution(laid_out *out)
{
    r2n_free(out->block);
    r2n_free(out->weights);
    r2n_free(out->bias);
    r2n_free(out->scale);
    r2n_free(out->gradient);
    out->block = out->weights = NULL;
    out->bias = out->scale = out->gradient = NULL;
}
