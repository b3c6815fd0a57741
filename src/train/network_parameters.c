/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters between the packed layout and the canonical one; first values; transposed weights. */
#include "train/network_internal.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/bf16.h"

/* The row of packed weights of an input channel and tap. */
static int64_t row_of(const r2n_train_convolution *c, int64_t input, int64_t tap)
{
    return tap * c->padded_inputs + input / c->group * c->group_pitch + input % c->group;
}

/* Where canonical element (output, input, tap) is in packed weights. */
static int64_t packed_at(const r2n_train_convolution *c, int64_t output, int64_t input, int64_t tap)
{
    return (output / R2N_TRAIN_LANES * c->k_total + row_of(c, input, tap)) * R2N_TRAIN_LANES +
           output % R2N_TRAIN_LANES;
}

void r2n_network_put(const r2n_network *network, float *block, size_t index, const float *from)
{
    float *to = block + network->ranges[index].first;
    const int32_t convolution = network->spec_convolution[index];
    if (convolution < 0) {
        memcpy(to, from, (size_t)network->specs[index].shape[0] * sizeof *to);
        return;
    }
    const r2n_train_convolution *c = &network->convolutions[convolution];
    for (int64_t output = 0; output < c->outputs; output++)
        for (int64_t input = 0; input < c->inputs; input++)
            for (int64_t tap = 0; tap < c->taps; tap++)
                to[packed_at(c, output, input, tap)] = *from++;
}

void r2n_network_get(const r2n_network *network, const float *block, size_t index, float *to)
{
    const float *from = block + network->ranges[index].first;
    const int32_t convolution = network->spec_convolution[index];
    if (convolution < 0) {
        memcpy(to, from, (size_t)network->specs[index].shape[0] * sizeof *to);
        return;
    }
    const r2n_train_convolution *c = &network->convolutions[convolution];
    for (int64_t output = 0; output < c->outputs; output++)
        for (int64_t input = 0; input < c->inputs; input++)
            for (int64_t tap = 0; tap < c->taps; tap++)
                *to++ = from[packed_at(c, output, input, tap)];
}

r2n_tensor_set *r2n_network_tensors(const r2n_network *network, const float *parameters,
                                    const float *statistics)
{
    r2n_tensor_set *set = r2n_tensor_set_create();
    for (size_t i = 0; i < network->spec_count && set != NULL; i++) {
        const r2n_tensor_spec *spec = &network->specs[i];
        const float *block = spec->trainable ? parameters : statistics;
        if (block == NULL)
            continue;
        float *to = r2n_tensor_set_add(set, spec->name, spec->rank, spec->shape);
        if (to == NULL) {
            r2n_tensor_set_destroy(set);
            return NULL;
        }
        r2n_network_get(network, block, i, to);
    }
    return set;
}

res2net_status r2n_network_load(r2n_network *network, const r2n_tensor_set *set,
                                res2net_report *report)
{
    for (size_t i = 0; i < network->spec_count; i++) {
        const r2n_tensor_spec *spec = &network->specs[i];
        const r2n_tensor *tensor = r2n_tensor_set_find(set, spec->name);
        int64_t count = 1;
        for (int32_t j = 0; j < spec->rank; j++)
            count *= spec->shape[j];
        if (tensor == NULL || tensor->count != count)
            return r2n_fail(report, RES2NET_MISMATCH, NULL, -1,
                            "the tensor %s is missing or of another size", spec->name);
    }
    for (size_t i = 0; i < network->spec_count; i++)
        r2n_network_put(network,
                        network->specs[i].trainable ? network->parameters : network->statistics, i,
                        r2n_tensor_set_find(set, network->specs[i].name)->data);
    return RES2NET_OK;
}

/* ---- first values ---- */

/* Paddle: fan in; torch: fan out (spec 1.6, 1.7). The classifier: uniform in both. */
static void draw(r2n_network *network, size_t index, r2n_random *random, float *values)
{
    const r2n_train_convolution *c = &network->convolutions[network->spec_convolution[index]];
    const int64_t count = (int64_t)c->outputs * c->taps * c->inputs;
    const int paddle = network->graph->family == R2N_FAMILY_PADDLE;
    const double fan = (double)c->taps * (paddle ? c->inputs : c->outputs);
    const double deviation = sqrt(2 / fan), edge = 1 / sqrt((double)c->inputs);
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(c->bias >= 0 ? r2n_random_between(random, -edge, edge)
                                         : deviation * r2n_random_normal(random));
}

static void set_vector(const r2n_network *network, size_t index, float *to)
{
    const r2n_tensor_spec *spec = &network->specs[index];
    const char *suffix = strrchr(spec->name, '.');
    const int is_scale = spec->trainable && strcmp(suffix, ".weight") == 0;
    const int is_variance = strcmp(suffix, ".running_var") == 0;
    for (int64_t j = 0; j < spec->shape[0]; j++)
        to[j] = is_scale || is_variance ? 1 : 0;
}

res2net_status r2n_network_initialise(r2n_network *network, uint64_t seed, res2net_report *report)
{
    for (size_t i = 0; i < network->spec_count; i++) {
        float *block = network->specs[i].trainable ? network->parameters : network->statistics;
        if (network->spec_convolution[i] < 0) {
            set_vector(network, i, block + network->ranges[i].first);
            continue;
        }
        const r2n_train_convolution *c = &network->convolutions[network->spec_convolution[i]];
        r2n_random random = r2n_random_stream(seed, R2N_RANDOM_INITIALISE, 0, i);
        float *values = r2n_allocate((size_t)c->outputs * (size_t)c->k_total, sizeof *values);
        if (values == NULL)
            return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                            "no memory to draw the first weights");
        draw(network, i, &random, values);
        r2n_network_put(network, block, i, values);
        r2n_free(values);
    }
    return RES2NET_OK;
}

/* ---- weights as a gemm reads them ---- */

/* Pairs of rows side by side, as bf16. */
static void convert_rows(const float *from, int64_t rows, uint16_t *to)
{
    for (; rows > 0; rows -= 2, from += 2 * R2N_TRAIN_LANES, to += 2 * R2N_TRAIN_LANES)
        for (int lane = 0; lane < R2N_TRAIN_LANES; lane++) {
            to[2 * lane] = r2n_bf16_from_float(from[lane]);
            to[2 * lane + 1] = r2n_bf16_from_float(from[lane + R2N_TRAIN_LANES]);
        }
}

/* Three weights of a row of the kernel, sixteen lanes each, to six points (kernels.h) `pitch`
 * floats apart: in double and rounded once. */
static void write_points(const float *g0, const float *g1, const float *g2, float *to,
                         int64_t pitch)
{
    for (int lane = 0; lane < R2N_TRAIN_LANES; lane++) {
        const double a = (double)g0[lane], b = (double)g1[lane], c = (double)g2[lane];
        to[lane] = (float)(a / 4);
        to[pitch + lane] = (float)(-(a + b + c) / 6);
        to[2 * pitch + lane] = (float)(-(a - b + c) / 6);
        to[3 * pitch + lane] = (float)((a + 2 * b + 4 * c) / 24);
        to[4 * pitch + lane] = (float)((a - 2 * b + 4 * c) / 24);
        to[5 * pitch + lane] = g2[lane];
    }
}

/* One block of outputs: from [row][column][input][16] to [point][row][input][16]. */
static void transform_block(const float *from, int32_t inputs, float *to)
{
    const int64_t tap = (int64_t)inputs * R2N_TRAIN_LANES, point = R2N_WINOGRAD_ROWS * tap;
    for (int row = 0; row < R2N_WINOGRAD_ROWS; row++)
        for (int64_t i = 0; i < tap; i += R2N_TRAIN_LANES) {
            const float *g = from + 3 * row * tap + i;
            write_points(g, g + tap, g + 2 * tap, to + row * tap + i, point);
        }
}

/* Weights in the form that the forward kernel reads, of blocks [first, last). */
void r2n_network_convert(const r2n_network *network, const r2n_train_convolution *c,
                         int32_t block_first, int32_t block_last)
{
    const int64_t floats = (int64_t)c->k_total * R2N_TRAIN_LANES;
    const int64_t elements = c->winograd ? 2 * floats : floats;
    for (int32_t block = block_first; block < block_last; block++) {
        const float *from = network->parameters + c->first + block * floats;
        void *to = r2n_train_at(network, network->converted, c->converted + block * elements);
        if (c->winograd)
            transform_block(from, c->inputs, to);
        else
            convert_rows(from, c->k_total, to);
    }
}

/* One tap of sixteen inputs, or of fewer: to[output][lane of inputs]. */
static void transpose_f32(const r2n_train_convolution *c, const float *weights, int32_t lanes,
                          float *to)
{
    for (int32_t n = 0; n < c->outputs; n++) {
        const float *from = weights +
                            (int64_t)(n / R2N_TRAIN_LANES) * c->k_total * R2N_TRAIN_LANES +
                            n % R2N_TRAIN_LANES;
        for (int32_t lane = 0; lane < lanes; lane++)
            to[n * R2N_TRAIN_LANES + lane] = from[lane * R2N_TRAIN_LANES];
        for (int32_t lane = lanes; lane < R2N_TRAIN_LANES; lane++)
            to[n * R2N_TRAIN_LANES + lane] = 0;
    }
}

/* Likewise to[pair of outputs][lane of inputs][2]. */
static void transpose_bf16(const r2n_train_convolution *c, const float *weights, int32_t lanes,
                           uint16_t *to)
{
    memset(to, 0, (size_t)c->padded_outputs * R2N_TRAIN_LANES * sizeof *to);
    for (int32_t n = 0; n < c->outputs; n++) {
        const float *from = weights +
                            (int64_t)(n / R2N_TRAIN_LANES) * c->k_total * R2N_TRAIN_LANES +
                            n % R2N_TRAIN_LANES;
        uint16_t *pair = to + (int64_t)(n / 2) * 2 * R2N_TRAIN_LANES + n % 2;
        for (int32_t lane = 0; lane < lanes; lane++)
            pair[2 * lane] = r2n_bf16_from_float(from[lane * R2N_TRAIN_LANES]);
    }
}

/* A row of the kernel of sixteen inputs, or of fewer, turned about: to[point][..][output][lane]. */
static void transpose_points(const r2n_train_convolution *c, const float *const weights[3],
                             int32_t lanes, float *to)
{
    const int64_t point = (int64_t)R2N_WINOGRAD_ROWS * c->outputs * R2N_TRAIN_LANES;
    float g[3][R2N_TRAIN_LANES] = {{0}};
    for (int32_t n = 0; n < c->outputs; n++) {
        const int64_t at =
            (int64_t)(n / R2N_TRAIN_LANES) * c->k_total * R2N_TRAIN_LANES + n % R2N_TRAIN_LANES;
        for (int i = 0; i < 3; i++)
            for (int32_t lane = 0; lane < lanes; lane++)
                g[i][lane] = weights[i][at + lane * R2N_TRAIN_LANES];
        write_points(g[0], g[1], g[2], to + n * R2N_TRAIN_LANES, point);
    }
}

static void transpose_winograd(const r2n_network *network, const r2n_train_transpose *t,
                               const r2n_train_convolution *c, int32_t block, int32_t lanes)
{
    const int64_t slice = (int64_t)c->outputs * R2N_TRAIN_LANES;
    const int64_t block_floats = (int64_t)R2N_WINOGRAD_POINTS * R2N_WINOGRAD_ROWS * slice;
    float *to = (float *)network->transposed + t->first + block * block_floats;
    for (int row = 0; row < R2N_WINOGRAD_ROWS; row++) {
        const float *weights[3];
        for (int column = 0; column < 3; column++) {
            const int64_t tap = (2 - row) * 3 + 2 - column;
            weights[column] =
                network->parameters + c->first +
                (row_of(c, t->first_channel, tap) + (int64_t)block * R2N_TRAIN_LANES) *
                    R2N_TRAIN_LANES;
        }
        transpose_points(c, weights, lanes, to + row * slice);
    }
}

/* to[block of inputs][tap of the piece][output][lane of inputs], or Winograd's points of it, for
 * blocks [first, last). The channels of a piece follow each other without zeros between. */
void r2n_network_transpose(const r2n_network *network, const r2n_train_operation *operation,
                           int32_t block_first, int32_t block_last)
{
    const r2n_train_transpose *t = &operation->transpose;
    const r2n_train_convolution *c = &network->convolutions[operation->of];
    const int64_t slice = (int64_t)c->padded_outputs * R2N_TRAIN_LANES;
    for (int32_t block = block_first; block < block_last; block++) {
        const int32_t left = t->channels - block * R2N_TRAIN_LANES;
        const int32_t lanes = left < R2N_TRAIN_LANES ? left : R2N_TRAIN_LANES;
        if (t->winograd) {
            transpose_winograd(network, t, c, block, lanes);
            continue;
        }
        for (int32_t i = 0; i < t->tap_count; i++) {
            const int64_t row =
                row_of(c, t->first_channel, t->taps[i]) + (int64_t)block * R2N_TRAIN_LANES;
            const float *weights = network->parameters + c->first + row * R2N_TRAIN_LANES;
            void *to = r2n_train_at(network, network->transposed,
                                    t->first + ((int64_t)block * t->tap_count + i) * slice);
            if (network->options.precision == R2N_PRECISION_BF16)
                transpose_bf16(c, weights, lanes, to);
            else
                transpose_f32(c, weights, lanes, to);
        }
    }
}
