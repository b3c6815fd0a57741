/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters between the packed layout and the canonical one; first values; transposed weights. */
#include "train/network_internal.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

/* Where canonical element (output, input, tap) is in packed weights. */
static int64_t packed_at(const r2n_train_convolution *c, int64_t output, int64_t input, int64_t tap)
{
    return (output / R2N_TRAIN_LANES * c->k_total + tap * c->inputs + input) * R2N_TRAIN_LANES +
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
    const int64_t count = (int64_t)c->outputs * c->k_total;
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

/* ---- transposed weights ---- */

/* to[block of inputs][tap of the piece][output][lane of inputs], for blocks [first, last). */
void r2n_network_transpose(const r2n_network *network, const r2n_train_operation *operation,
                           int32_t block_first, int32_t block_last)
{
    const r2n_train_transpose *t = &operation->transpose;
    const r2n_train_convolution *c = &network->convolutions[operation->of];
    const float *weights = network->parameters + c->first;
    for (int32_t block = block_first; block < block_last; block++) {
        const int32_t left = t->channels - block * R2N_TRAIN_LANES;
        const int32_t lanes = left < R2N_TRAIN_LANES ? left : R2N_TRAIN_LANES;
        for (int32_t i = 0; i < t->tap_count; i++) {
            float *to = network->transposed + t->first +
                        ((int64_t)block * t->tap_count + i) * c->outputs * R2N_TRAIN_LANES;
            const int64_t k = (int64_t)t->taps[i] * c->inputs + t->first_channel +
                              (int64_t)block * R2N_TRAIN_LANES;
            for (int32_t n = 0; n < c->outputs; n++) {
                const float *from =
                    weights + ((int64_t)(n / R2N_TRAIN_LANES) * c->k_total + k) * R2N_TRAIN_LANES +
                    n % R2N_TRAIN_LANES;
                for (int32_t lane = 0; lane < lanes; lane++)
                    to[n * R2N_TRAIN_LANES + lane] = from[lane * R2N_TRAIN_LANES];
                for (int32_t lane = lanes; lane < R2N_TRAIN_LANES; lane++)
                    to[n * R2N_TRAIN_LANES + lane] = 0;
            }
        }
    }
}
