/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a network: lays it out, allocates its blocks, and points the lists at them. */
#include "train/network_internal.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const int64_t MOST_BYTES = INT64_C(64) << 30;

/* ---- pointers into the blocks ---- */

static void bind_norms(r2n_network *network)
{
    float *floats = network->norm_room;
    double *doubles = network->norm_sums;
    for (int32_t i = 0; i < network->norm_count; i++) {
        r2n_train_norm *n = &network->norms[i];
        const int64_t room = (int64_t)r2n_train_blocks(n->channels) * R2N_TRAIN_LANES;
        float **const vectors[] = {&n->batch_mean,  &n->batch_variance, &n->scale,   &n->shift,
                                   &n->by_gradient, &n->by_input,       &n->constant};
        for (size_t j = 0; j < sizeof vectors / sizeof *vectors; j++) {
            *vectors[j] = floats;
            floats += room;
        }
        n->sums = doubles;
        n->squares = doubles + (int64_t)network->options.batch * n->channels;
        doubles += 2 * (int64_t)network->options.batch * n->channels;
    }
}

static void bind_kernel(r2n_network *network, r2n_train_operation *o, int is_backward)
{
    r2n_train_arguments *a = &o->arguments;
    const r2n_train_norm *n = o->of >= 0 ? &network->norms[o->of] : NULL;
    const r2n_train_convolution *c = o->of >= 0 ? &network->convolutions[o->of] : NULL;
    switch (o->operation) {
    case R2N_OPERATION_GEMM:
        a->gemm.sources = network->sources + o->first_source;
        a->gemm.weights =
            is_backward         ? r2n_train_at(network, network->transposed, o->transpose.first)
            : c->converted >= 0 ? r2n_train_at(network, network->converted, c->converted)
                                : network->parameters + c->first;
        a->gemm.epilogue.bias =
            !is_backward && c->bias >= 0 ? network->parameters + c->bias : network->zeros;
        break;
    case R2N_OPERATION_WINOGRAD:
        a->winograd.weights = is_backward
                                  ? r2n_train_at(network, network->transposed, o->transpose.first)
                                  : r2n_train_at(network, network->converted, c->converted);
        a->winograd.epilogue.bias = network->zeros;
        break;
    case R2N_OPERATION_ELEMENTWISE:
        a->elementwise.scale = n != NULL ? n->scale : NULL;
        a->elementwise.shift = n != NULL ? n->shift : NULL;
        break;
    case R2N_OPERATION_STATISTICS:
        a->statistics.sums = n->sums;
        a->statistics.squares = n->squares;
        break;
    case R2N_OPERATION_NORM_SUMS:
        a->norm_sums.scale = n->scale;
        a->norm_sums.shift = n->shift;
        a->norm_sums.mean = n->batch_mean;
        a->norm_sums.sums = n->sums;
        a->norm_sums.products = n->squares;
        break;
    case R2N_OPERATION_NORM_GRADIENT:
        a->norm_gradient.scale = n->scale;
        a->norm_gradient.shift = n->shift;
        a->norm_gradient.mean = n->batch_mean;
        a->norm_gradient.by_gradient = n->by_gradient;
        a->norm_gradient.by_input = n->by_input;
        a->norm_gradient.constant = n->constant;
        break;
    case R2N_OPERATION_WEIGHTS_GRADIENT:
        a->weights.sources = network->sources + o->first_source;
        a->weights.output = c->part_images >= network->options.batch
                                ? network->parameter_gradients + c->first
                                : network->parts;
        break;
    case R2N_OPERATION_POOL:
    case R2N_OPERATION_POOL_GRADIENT:
        break;
    }
}

static void bind(r2n_network *network)
{
    bind_norms(network);
    for (size_t i = 0; i < network->forward.count; i++)
        if (network->forward.operations[i].kernel != NULL)
            bind_kernel(network, &network->forward.operations[i], 0);
    for (size_t i = 0; i < network->backward.count; i++)
        if (network->backward.operations[i].kernel != NULL)
            bind_kernel(network, &network->backward.operations[i], 1);
}

/* ---- making ---- */

/* Everything but the blocks. */
static res2net_status lay_out(const r2n_graph *graph, const r2n_network_options *options,
                              r2n_network **out, res2net_report *report)
{
    *out = NULL;
    if (options->batch < 1 || options->batch > 65536)
        return r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "a batch of %d pictures: expected 1 to 65536", (int)options->batch);
    r2n_network *network = r2n_allocate_zeroed(1, sizeof *network);
    if (network == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for a network");
    network->graph = graph;
    network->options = *options;
    network->element_bytes = options->precision == R2N_PRECISION_BF16 ? 2 : (int32_t)sizeof(float);
    network->shapes = r2n_allocate((size_t)graph->count, sizeof *network->shapes);
    res2net_status status =
        network->shapes == NULL
            ? r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for a network")
            : r2n_graph_shapes(graph, options->rows, options->columns, network->shapes, report);
    if (status == RES2NET_OK)
        status = r2n_network_place_values(network, report);
    if (status == RES2NET_OK)
        status = r2n_network_list_forward(network, report);
    if (status == RES2NET_OK)
        status = r2n_network_list_backward(network, report);
    const int64_t bytes = network->block_elements * network->element_bytes;
    if (status == RES2NET_OK && bytes > MOST_BYTES)
        status = r2n_fail(report, RES2NET_LIMIT_EXCEEDED, NULL, -1,
                          "a batch of %d pictures of %d x %d needs %.1f GiB; use a smaller batch",
                          (int)options->batch, (int)options->rows, (int)options->columns,
                          (double)bytes / 1024 / 1024 / 1024);
    if (status != RES2NET_OK) {
        r2n_network_destroy(network);
        return status;
    }
    *out = network;
    return RES2NET_OK;
}

static float *floats(int64_t count)
{
    return r2n_allocate_zeroed((size_t)count + R2N_TRAIN_LANES, sizeof(float));
}

static void *elements(const r2n_network *network, int64_t count)
{
    return r2n_allocate_zeroed((size_t)count + R2N_TRAIN_LANES, (size_t)network->element_bytes);
}

static res2net_status allocate_blocks(r2n_network *network, res2net_report *report)
{
    network->block = elements(network, network->block_elements);
    network->converted = elements(network, network->converted_elements);
    network->parameters = floats(network->parameter_floats);
    network->parameter_gradients = floats(network->parameter_floats);
    network->statistics = floats(network->statistic_floats);
    network->norm_room = floats(network->norm_floats);
    network->norm_sums = r2n_allocate_zeroed((size_t)network->norm_doubles + 1, sizeof(double));
    network->transposed = elements(network, network->transposed_elements);
    network->parts = floats(network->part_floats);
    network->zeros = floats(network->zero_floats);
    if (network->block == NULL || network->parameters == NULL ||
        network->parameter_gradients == NULL || network->statistics == NULL ||
        network->norm_room == NULL || network->norm_sums == NULL || network->transposed == NULL ||
        network->parts == NULL || network->zeros == NULL || network->converted == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                        "no memory to train with a batch of %d pictures of %d x %d: %.2f GiB are "
                        "needed; use a smaller batch",
                        (int)network->options.batch, (int)network->options.rows,
                        (int)network->options.columns,
                        (double)(r2n_network_activation_bytes(network) +
                                 2 * network->parameter_floats * (int64_t)sizeof(float)) /
                            1024 / 1024 / 1024);
    return RES2NET_OK;
}

res2net_status r2n_network_create(const r2n_graph *graph, const r2n_network_options *options,
                                  r2n_network **out, res2net_report *report)
{
    r2n_network *network;
    res2net_status status = lay_out(graph, options, &network, report);
    *out = NULL;
    if (status != RES2NET_OK)
        return status;
    status = allocate_blocks(network, report);
    if (status != RES2NET_OK) {
        r2n_network_destroy(network);
        return status;
    }
    bind(network);
    *out = network;
    return RES2NET_OK;
}

int64_t r2n_network_activation_bytes(const r2n_network *network)
{
    return (network->block_elements + network->transposed_elements + network->converted_elements) *
               network->element_bytes +
           network->part_floats * (int64_t)sizeof(float);
}

void r2n_network_destroy(r2n_network *network)
{
    if (network == NULL)
        return;
    void *const blocks[] = {network->shapes,
                            network->specs,
                            network->ranges,
                            network->spec_convolution,
                            network->buffers,
                            network->values,
                            network->convolutions,
                            network->norms,
                            network->convolution_of,
                            network->norm_of,
                            network->sources,
                            network->forward.operations,
                            network->backward.operations,
                            network->block,
                            network->parameters,
                            network->parameter_gradients,
                            network->statistics,
                            network->converted,
                            network->norm_room,
                            network->norm_sums,
                            network->transposed,
                            network->parts,
                            network->zeros,
                            network};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        r2n_free(blocks[i]);
}

/* ---- what is in it ---- */

int64_t r2n_network_parameter_floats(const r2n_network *network)
{
    return network->parameter_floats;
}

float *r2n_network_parameters(r2n_network *network)
{
    return network->parameters;
}

float *r2n_network_gradients(r2n_network *network)
{
    return network->parameter_gradients;
}

int64_t r2n_network_statistic_floats(const r2n_network *network)
{
    return network->statistic_floats;
}

float *r2n_network_statistics(r2n_network *network)
{
    return network->statistics;
}

size_t r2n_network_tensor_count(const r2n_network *network)
{
    return network->spec_count;
}

const r2n_tensor_spec *r2n_network_tensor(const r2n_network *network, size_t index)
{
    return &network->specs[index];
}

r2n_parameter_range r2n_network_range(const r2n_network *network, size_t index)
{
    return network->ranges[index];
}

int r2n_network_is_too_small(const r2n_network *network, int32_t images)
{
    for (int32_t i = 0; i < network->norm_count; i++)
        if (!network->norms[i].frozen && (int64_t)network->norms[i].pixels * images < 2)
            return 1;
    return 0;
}

int r2n_network_has_finite_statistics(const r2n_network *network)
{
    for (int32_t i = 0; i < network->norm_count; i++)
        for (int32_t j = 0; j < network->norms[i].channels; j++)
            if (!isfinite(network->norms[i].batch_mean[j]) ||
                !isfinite(network->norms[i].batch_variance[j]))
                return 0;
    return 1;
}

void r2n_network_keep_statistics(r2n_network *network)
{
    const double keep = 0.9; /* both families, spec 1.3 */
    for (int32_t i = 0; i < network->norm_count; i++) {
        const r2n_train_norm *n = &network->norms[i];
        const double count = (double)n->pixels * network->images;
        const double unbiased =
            network->graph->family == R2N_FAMILY_TORCH && count > 1 ? count / (count - 1) : 1;
        float *mean = network->statistics + n->mean, *variance = network->statistics + n->variance;
        for (int32_t j = 0; j < n->channels && !n->frozen; j++) {
            mean[j] = (float)(keep * (double)mean[j] + (1 - keep) * (double)n->batch_mean[j]);
            variance[j] = (float)(keep * (double)variance[j] +
                                  (1 - keep) * unbiased * (double)n->batch_variance[j]);
        }
    }
}
