/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which buffer holds which value of a training run, and where tensors are in their blocks.
 *
 * A convolution's result has a buffer of its own, for batch norm backwards reads it again; what
 * comes out of the batch norm (and addition, and ReLU) after it has another, which is a place in
 * the concatenation where one follows. Slices are parts of their parent; a hierarchical sum is made
 * in its slice.
 */
#include "train/network_internal.h"

#include <string.h>

#include "base/memory.h"

static int32_t border_for(const r2n_graph *graph, int32_t node);

int32_t r2n_train_padded(const r2n_network *network, int32_t channels, int32_t group)
{
    const int32_t odd = network->options.precision == R2N_PRECISION_BF16 && group % 2 != 0;
    return channels / group * (group + odd) + channels % group;
}

/* Pixels that lie a multiple of 4096 bytes apart fall on the same lines of the first cache, which
 * holds 8 such: fewer than a tile of pixels has. */
static int32_t pitch_of(const r2n_network *network, int32_t channels, int32_t group)
{
    const int32_t page = 4096, line = 64;
    const int32_t padded = r2n_train_padded(network, channels, group);
    return padded * network->element_bytes % page == 0 ? padded + line / network->element_bytes
                                                       : padded;
}

int32_t r2n_network_add_buffer(r2n_network *network, int32_t rows, int32_t columns,
                               int32_t channels, int32_t group, int32_t border)
{
    const int32_t pitch = pitch_of(network, channels, group);
    if (!r2n_grow((void **)&network->buffers, &network->buffer_capacity, network->buffer_count + 1,
                  sizeof *network->buffers))
        return -1;
    const int64_t row = (int64_t)(columns + border) * pitch;
    const int64_t line = 64 / network->element_bytes; /* elements of a cache line */
    int64_t elements = border * row + (int64_t)network->options.batch * (rows + border) * row +
                       (int64_t)border * pitch;
    elements = (elements + line - 1) / line * line;
    network->buffers[network->buffer_count] =
        (r2n_train_buffer){.rows = rows,
                           .columns = columns,
                           .channels = channels,
                           .border = border,
                           .group = group,
                           .group_pitch = r2n_train_padded(network, group, group),
                           .pixel_pitch = pitch,
                           .offset = network->block_elements,
                           .elements = elements};
    network->block_elements += elements;
    return (int32_t)network->buffer_count++;
}

r2n_view r2n_network_view(const r2n_network *network, r2n_train_segment segment)
{
    const r2n_train_buffer *buffer = &network->buffers[segment.buffer];
    const int64_t pixel = buffer->pixel_pitch;
    const int64_t row = (buffer->columns + buffer->border) * pixel;
    const int scatters = buffer->group_pitch != buffer->group && segment.channels > buffer->group;
    return (r2n_view){.offset = buffer->offset + buffer->border * (row + pixel) +
                                segment.first / buffer->group * buffer->group_pitch +
                                segment.first % buffer->group,
                      .image_pitch = (buffer->rows + buffer->border) * row,
                      .row_pitch = row,
                      .pixel_pitch = pixel,
                      .groups = scatters ? segment.channels / buffer->group : 1,
                      .group_channels = scatters ? buffer->group : segment.channels,
                      .group_pitch = scatters ? buffer->group_pitch : 0};
}

/* ---- values ---- */

int32_t r2n_network_sum_slice(const r2n_graph *graph, int32_t node)
{
    const r2n_node *n = &graph->nodes[node];
    if (n->kind == R2N_NODE_ADD && graph->nodes[n->inputs[0]].kind == R2N_NODE_SLICE)
        return n->inputs[0];
    return -1;
}

/* The only node that uses this one's value, or -1 where there are more. */
static int32_t only_user(const r2n_graph *graph, int32_t node)
{
    int32_t user = -1;
    for (int32_t i = node + 1; i < graph->count; i++)
        for (int32_t j = 0; j < graph->nodes[i].input_count; j++)
            if (graph->nodes[i].inputs[j] == node) {
                if (user >= 0)
                    return -1;
                user = i;
            }
    return user;
}

static int is_kind(const r2n_graph *graph, int32_t node, r2n_node_kind kind)
{
    return node >= 0 && graph->nodes[node].kind == kind;
}

/* Is this the last node of what follows a convolution, whose value is stored? */
static int ends_unit(const r2n_graph *graph, int32_t node)
{
    const int32_t user = only_user(graph, node);
    switch (graph->nodes[node].kind) {
    case R2N_NODE_BATCH_NORM: /* a shortcut's: added, second */
        return !is_kind(graph, user, R2N_NODE_RELU) &&
               !(is_kind(graph, user, R2N_NODE_ADD) && graph->nodes[user].inputs[0] == node);
    case R2N_NODE_RELU:
    case R2N_NODE_POOL:
    case R2N_NODE_GLOBAL_POOL:
    case R2N_NODE_INPUT:
        return 1;
    default:
        return 0;
    }
}

/* The slices that are taken of a value, or the parts that it is put together from, are its groups;
 * else it is one. */
static int32_t group_of(const r2n_graph *graph, int32_t node)
{
    const r2n_node *n = &graph->nodes[node];
    if (n->kind == R2N_NODE_CONCAT)
        return graph->nodes[n->inputs[0]].channels;
    for (int32_t i = node + 1; i < graph->count; i++)
        if (graph->nodes[i].kind == R2N_NODE_SLICE && graph->nodes[i].inputs[0] == node)
            return graph->nodes[i].channels;
    return n->channels;
}

static int32_t new_value_buffer(r2n_network *network, int32_t node, int32_t channels)
{
    const r2n_shape *shape = &network->shapes[node];
    return r2n_network_add_buffer(network, shape->rows, shape->columns, channels,
                                  group_of(network->graph, node), border_for(network->graph, node));
}

/* The widest padding of a convolution that reads the node's value or a part of it. */
static int32_t border_for(const r2n_graph *graph, int32_t node)
{
    int32_t border = 0;
    for (int32_t i = node + 1; i < graph->count; i++) {
        const r2n_node *n = &graph->nodes[i];
        int32_t from = n->inputs[0], wanted = 0;
        if (n->kind != R2N_NODE_CONVOLUTION || n->padding == 0)
            continue;
        wanted = n->padding;
        if (r2n_network_sum_slice(graph, from) >= 0)
            from = r2n_network_sum_slice(graph, from);
        if (graph->nodes[from].kind == R2N_NODE_SLICE)
            from = graph->nodes[from].inputs[0];
        if (from == node && wanted > border)
            border = wanted;
    }
    return border;
}

/* The computed inputs of a concatenation lie side by side; the others stay where they are. */
static int reserve_concatenation(r2n_network *network, int32_t node)
{
    const r2n_node *concat = &network->graph->nodes[node];
    int32_t channels = 0, first = 0;
    for (int32_t j = 0; j < concat->input_count; j++)
        if (ends_unit(network->graph, concat->inputs[j]))
            channels += network->graph->nodes[concat->inputs[j]].channels;
    if (channels == 0)
        return 1;
    const int32_t buffer = new_value_buffer(network, node, channels);
    if (buffer < 0)
        return 0;
    for (int32_t j = 0; j < concat->input_count; j++) {
        const int32_t input = concat->inputs[j];
        if (!ends_unit(network->graph, input))
            continue;
        const int32_t width = network->graph->nodes[input].channels;
        network->values[input] = (r2n_train_value){1, {{buffer, first, width}}};
        first += width;
    }
    return 1;
}

static void add_segment(r2n_train_value *value, r2n_train_segment segment)
{
    r2n_train_segment *last = value->count > 0 ? &value->segments[value->count - 1] : NULL;
    if (last != NULL && last->buffer == segment.buffer &&
        last->first + last->channels == segment.first)
        last->channels += segment.channels;
    else
        value->segments[value->count++] = segment;
}

static int place_value(r2n_network *network, int32_t node)
{
    const r2n_graph *graph = network->graph;
    const r2n_node *n = &graph->nodes[node];
    r2n_train_value *value = &network->values[node];
    const int32_t slice = r2n_network_sum_slice(graph, node);
    if (value->count > 0)
        return 1;
    if (slice >= 0) {
        *value = network->values[slice];
    } else if (n->kind == R2N_NODE_SLICE) {
        r2n_train_segment parent = network->values[n->inputs[0]].segments[0];
        parent.first += n->first_channel;
        parent.channels = n->channels;
        add_segment(value, parent);
    } else if (n->kind == R2N_NODE_CONCAT) {
        for (int32_t j = 0; j < n->input_count; j++)
            add_segment(value, network->values[n->inputs[j]].segments[0]);
    } else if (ends_unit(graph, node)) {
        const int32_t buffer = new_value_buffer(network, node, n->channels);
        if (buffer < 0)
            return 0;
        add_segment(value, (r2n_train_segment){buffer, 0, n->channels});
    }
    return 1;
}

/* ---- convolutions and norms ---- */

static int add_source(r2n_network *network, r2n_train_convolution *c, r2n_gemm_source source)
{
    if (source.channels == 0)
        return 1;
    if (!r2n_grow((void **)&network->sources, &network->source_capacity, network->source_count + 1,
                  sizeof *network->sources))
        return 0;
    network->sources[network->source_count++] = source;
    c->source_count++;
    return 1;
}

/* Taps in rising order, channels inside a tap. The taps of a row are one run where a pixel holds
 * nothing but these channels. */
static int add_sources(r2n_network *network, r2n_train_convolution *c)
{
    const r2n_node *node = &network->graph->nodes[c->node];
    const r2n_train_value *value = &network->values[c->input];
    const int joins = value->count == 1 &&
                      network->buffers[value->segments[0].buffer].channels == c->inputs &&
                      network->buffers[value->segments[0].buffer].pixel_pitch == c->padded_inputs;
    const int32_t columns = joins ? 1 : c->kernel, run = joins ? c->kernel : 1;
    for (int32_t row = 0; row < c->kernel; row++)
        for (int32_t column = 0; column < columns; column++) {
            int32_t k = (row * c->kernel + column) * c->padded_inputs;
            for (int32_t i = 0; i < value->count; i++) {
                const r2n_view view = r2n_network_view(network, value->segments[i]);
                const int32_t channels =
                    r2n_train_padded(network, value->segments[i].channels, c->group);
                const r2n_gemm_source source = {
                    .offset = view.offset + (row - node->padding) * view.row_pitch +
                              (column - node->padding) * view.pixel_pitch,
                    .image_pitch = view.image_pitch,
                    .row_pitch = view.row_pitch * c->stride,
                    .pixel_pitch = view.pixel_pitch * c->stride,
                    .channels = channels * run,
                    .k_first = k};
                if (!add_source(network, c, source))
                    return 0;
                k += channels;
            }
        }
    return 1;
}

static int32_t frozen_stage(const r2n_network *network, int32_t node)
{
    const r2n_node *n = &network->graph->nodes[node];
    return n->kind != R2N_NODE_LINEAR && n->stage + 1 < network->options.frozen_stages;
}

/* Part sizes depend on the layer and the batch the network was made for, never on threads. */
static void choose_parts(const r2n_network *network, r2n_train_convolution *c)
{
    enum { PARTS = 8, PART_PIXELS = 4096, CHUNK_PIXELS = 256 };
    const r2n_shape *shape = &network->shapes[c->node];
    const int32_t batch = network->options.batch;
    const int64_t all = (int64_t)shape->rows * shape->columns * batch;
    int64_t parts = all / PART_PIXELS < 1 ? 1 : all / PART_PIXELS;
    parts = parts > PARTS ? PARTS : parts;
    c->part_images = (int32_t)((batch + parts - 1) / parts);
    const int32_t part_rows = c->part_images * shape->rows;
    const int32_t chunk = CHUNK_PIXELS / shape->columns < 1 ? 1 : CHUNK_PIXELS / shape->columns;
    c->chunk_rows = chunk > part_rows ? part_rows : chunk;
}

/* A 3x3 convolution of stride 1 on one run of channels, where a vector kernel takes it. */
static int takes_winograd(const r2n_network *network, const r2n_train_convolution *c)
{
    const r2n_winograd_arguments there = {.images = 1,
                                          .rows = 1,
                                          .columns = 1,
                                          .input_channels =
                                              c->inputs > c->outputs ? c->inputs : c->outputs,
                                          .channels = c->outputs};
    if (network->options.precision != R2N_PRECISION_F32 || c->kernel != R2N_WINOGRAD_ROWS ||
        c->stride != 1 || network->graph->nodes[c->node].padding != 1 ||
        network->values[c->input].count != 1)
        return 0;
    return r2n_choose_kernel(R2N_OPERATION_WINOGRAD, R2N_PRECISION_F32, network->options.isa,
                             &there, NULL, 0)
               ->isa != R2N_ISA_REFERENCE;
}

static void fill_convolution(r2n_network *network, int32_t node, int32_t index)
{
    const r2n_node *n = &network->graph->nodes[node];
    r2n_train_convolution *c = &network->convolutions[index];
    const int linear = n->kind == R2N_NODE_LINEAR;
    *c = (r2n_train_convolution){.node = node,
                                 .input = n->inputs[0],
                                 .norm = -1,
                                 .kernel = linear ? 1 : n->kernel,
                                 .stride = linear ? 1 : n->stride,
                                 .inputs = network->graph->nodes[n->inputs[0]].channels,
                                 .outputs = n->channels,
                                 .bias = -1,
                                 .frozen = frozen_stage(network, node)};
    c->taps = c->kernel * c->kernel;
    const r2n_train_buffer *from = &network->buffers[network->values[c->input].segments[0].buffer];
    c->group = from->group;
    c->group_pitch = from->group_pitch;
    c->padded_inputs = r2n_train_padded(network, c->inputs, c->group);
    c->padded_outputs = r2n_train_padded(network, c->outputs, c->outputs);
    c->k_total = c->taps * c->padded_inputs;
    c->winograd = takes_winograd(network, c);
    c->converted = -1;
    if (network->options.precision == R2N_PRECISION_BF16 || c->winograd) {
        c->converted = network->converted_elements;
        network->converted_elements += (int64_t)r2n_train_blocks(c->outputs) * R2N_TRAIN_LANES *
                                       (c->winograd ? 2 * c->k_total : c->k_total);
    }
    network->convolution_of[node] = index;
    choose_parts(network, c);
}

static int place_convolutions(r2n_network *network)
{
    const r2n_graph *graph = network->graph;
    for (int32_t i = 0; i < graph->count; i++) {
        const r2n_node *n = &graph->nodes[i];
        if (n->kind == R2N_NODE_CONVOLUTION || n->kind == R2N_NODE_LINEAR) {
            fill_convolution(network, i, network->convolution_count++);
        } else if (n->kind == R2N_NODE_BATCH_NORM) {
            const int32_t convolution = network->convolution_of[n->inputs[0]];
            network->norms[network->norm_count] =
                (r2n_train_norm){.node = i,
                                 .convolution = convolution,
                                 .channels = n->channels,
                                 .pixels = network->shapes[i].rows * network->shapes[i].columns,
                                 .frozen = network->convolutions[convolution].frozen};
            network->convolutions[convolution].norm = network->norm_count;
            network->norm_of[i] = network->norm_count++;
        }
    }
    for (int32_t i = 0; i < network->convolution_count; i++) {
        r2n_train_convolution *c = &network->convolutions[i];
        const r2n_shape *shape = &network->shapes[c->node];
        /* The scores are floats in every precision. */
        const int32_t channels = c->norm >= 0
                                     ? c->outputs
                                     : c->outputs * (int32_t)sizeof(float) / network->element_bytes;
        c->raw =
            r2n_network_add_buffer(network, shape->rows, shape->columns, channels, channels, 0);
        c->first_source = network->source_count;
        if (c->raw < 0 || !add_sources(network, c))
            return 0;
    }
    return 1;
}

/* ---- tensors ---- */

static int64_t padded(int64_t floats)
{
    return (floats + R2N_TRAIN_LANES - 1) / R2N_TRAIN_LANES * R2N_TRAIN_LANES;
}

static int32_t node_of_tensor(const r2n_network *network, const char *name, size_t length)
{
    for (int32_t i = 0; i < network->graph->count; i++) {
        const char *tensor = network->graph->nodes[i].tensor;
        if (strlen(tensor) == length && memcmp(tensor, name, length) == 0)
            return i;
    }
    return -1;
}

/* Gives tensor `index` its place and tells its convolution or norm. */
static void place_tensor(r2n_network *network, size_t index)
{
    const r2n_tensor_spec *spec = &network->specs[index];
    const char *suffix = strrchr(spec->name, '.');
    const int32_t node = node_of_tensor(network, spec->name, (size_t)(suffix - spec->name));
    const int32_t convolution = network->convolution_of[node], norm = network->norm_of[node];
    r2n_parameter_range *range = &network->ranges[index];
    int64_t *end = spec->trainable ? &network->parameter_floats : &network->statistic_floats;
    range->first = *end;
    range->count = padded(spec->shape[0]);
    range->decays = 1;
    range->frozen = frozen_stage(network, node);
    network->spec_convolution[index] = -1;
    if (convolution >= 0 && strcmp(suffix, ".weight") == 0) {
        r2n_train_convolution *c = &network->convolutions[convolution];
        c->first = range->first;
        range->count = (int64_t)r2n_train_blocks(c->outputs) * c->k_total * R2N_TRAIN_LANES;
        network->spec_convolution[index] = convolution;
    } else if (convolution >= 0) {
        network->convolutions[convolution].bias = (int32_t)range->first;
    } else if (strcmp(suffix, ".weight") == 0) {
        network->norms[norm].weight = range->first;
    } else if (strcmp(suffix, ".bias") == 0) {
        network->norms[norm].bias = range->first;
    } else if (strcmp(suffix, ".running_mean") == 0) {
        network->norms[norm].mean = range->first;
    } else {
        network->norms[norm].variance = range->first;
    }
    *end += range->count;
}

static res2net_status no_memory(res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to lay out a network");
}

res2net_status r2n_network_place_values(r2n_network *network, res2net_report *report)
{
    const r2n_graph *graph = network->graph;
    const size_t count = (size_t)graph->count;
    network->values = r2n_allocate_zeroed(count, sizeof *network->values);
    network->convolutions = r2n_allocate_zeroed(count, sizeof *network->convolutions);
    network->norms = r2n_allocate_zeroed(count, sizeof *network->norms);
    network->convolution_of = r2n_allocate(count, sizeof *network->convolution_of);
    network->norm_of = r2n_allocate(count, sizeof *network->norm_of);
    network->specs = r2n_architecture_tensors(&graph->architecture, &network->spec_count);
    network->ranges = r2n_allocate_zeroed(network->spec_count, sizeof *network->ranges);
    network->spec_convolution =
        r2n_allocate(network->spec_count, sizeof *network->spec_convolution);
    if (network->values == NULL || network->convolutions == NULL || network->norms == NULL ||
        network->convolution_of == NULL || network->norm_of == NULL || network->specs == NULL ||
        network->ranges == NULL || network->spec_convolution == NULL)
        return no_memory(report);
    for (size_t i = 0; i < count; i++)
        network->convolution_of[i] = network->norm_of[i] = -1;
    for (int32_t i = 0; i < graph->count; i++)
        if (graph->nodes[i].kind == R2N_NODE_CONCAT && !reserve_concatenation(network, i))
            return no_memory(report);
    for (int32_t i = 0; i < graph->count; i++)
        if (!place_value(network, i))
            return no_memory(report);
    if (!place_convolutions(network))
        return no_memory(report);
    for (size_t i = 0; i < network->spec_count; i++)
        place_tensor(network, i);
    int32_t most = 0;
    for (int32_t i = 0; i < network->norm_count; i++) {
        const int32_t channels = network->norms[i].channels;
        network->norm_floats += 7 * padded(channels);
        network->norm_doubles += 2 * (int64_t)network->options.batch * channels;
        most = channels > most ? channels : most;
    }
    network->zero_floats = padded(most);
    return RES2NET_OK;
}
