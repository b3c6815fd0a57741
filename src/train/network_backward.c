/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backward list: the graph from its end. A value's gradient has the place in a buffer that the
 * value has in its own; the first who adds to it stores. What flows past an addition is the same
 * memory: a block's input gradient begins as its output's.
 *
 * The gradient of a convolution's result, after the batch norm was taken backwards, stands in a
 * buffer with a border of zeros, one for all convolutions of a shape: it is read by the gemm that
 * makes the input's gradient and by the weights', and is free then.
 */
#include "train/network_internal.h"

#include "base/memory.h"

typedef struct backward {
    r2n_network *network;
    uint8_t *begun;       /* [nodes] something is in the node's gradient */
    int32_t *mirror;      /* [buffers of values] buffer of the gradient, or -1 */
    size_t value_buffers; /* how many there are */
    int failed;
} backward;

static r2n_train_operation *append(backward *b, r2n_operation operation,
                                   const r2n_train_arguments *arguments, int32_t of, int32_t rows,
                                   int32_t columns, int32_t channels)
{
    r2n_train_operation *o = r2n_train_append_kernel(b->network, &b->network->backward, operation,
                                                     arguments, rows, columns, channels);
    b->failed |= o == NULL;
    if (o != NULL)
        o->of = of;
    return o;
}

static r2n_train_operation *append_kind(backward *b, r2n_train_kind kind, int32_t of)
{
    r2n_train_operation *o = r2n_train_append(&b->network->backward, kind, of);
    b->failed |= o == NULL;
    return o;
}

/* ---- places ---- */

/* Blocks count from 0; -1 for what is used beyond one block: its result, the stem, the head. */
static int32_t owner_block(const backward *b, int32_t node)
{
    const r2n_node *n = &b->network->graph->nodes[node];
    const int ends_block =
        n->kind == R2N_NODE_RELU && b->network->graph->nodes[n->inputs[0]].kind == R2N_NODE_ADD;
    enum { MOST_BLOCKS = 1000 };
    return n->stage < 0 || ends_block ? -1 : n->stage * MOST_BLOCKS + n->block;
}

/* A buffer of a block that the list is done with, else a new one. */
static int32_t find_buffer(backward *b, const r2n_train_buffer *like, int32_t owner)
{
    r2n_network *network = b->network;
    for (size_t i = b->value_buffers; i < network->buffer_count && owner >= 0; i++) {
        r2n_train_buffer *buffer = &network->buffers[i];
        if (!buffer->of_results && buffer->owner_block > owner && buffer->rows == like->rows &&
            buffer->columns == like->columns && buffer->channels == like->channels &&
            buffer->group == like->group) {
            buffer->owner_block = owner;
            return (int32_t)i;
        }
    }
    const int32_t made =
        r2n_network_add_buffer(network, like->rows, like->columns, like->channels, like->group, 0);
    if (made >= 0)
        network->buffers[made].owner_block = owner;
    return made;
}

static r2n_train_segment gradient_segment(backward *b, int32_t node, int32_t index)
{
    r2n_network *network = b->network;
    r2n_train_segment segment = network->values[node].segments[index];
    int32_t *mirror = &b->mirror[segment.buffer];
    if (*mirror < 0) {
        const r2n_train_buffer like = network->buffers[segment.buffer];
        *mirror = find_buffer(b, &like, owner_block(b, node));
    }
    b->failed |= *mirror < 0;
    segment.buffer = *mirror < 0 ? 0 : *mirror;
    return segment;
}

static r2n_view gradient_view(backward *b, int32_t node, int32_t index)
{
    return r2n_network_view(b->network, gradient_segment(b, node, index));
}

/* The buffer for gradients of results of the convolution's shape. */
static r2n_train_segment result_segment(backward *b, const r2n_train_convolution *c)
{
    r2n_network *network = b->network;
    const r2n_shape *shape = &network->shapes[c->node];
    const int32_t border = c->kernel / 2;
    for (size_t i = b->value_buffers; i < network->buffer_count; i++) {
        const r2n_train_buffer *buffer = &network->buffers[i];
        if (buffer->of_results && buffer->border == border && buffer->rows == shape->rows &&
            buffer->columns == shape->columns && buffer->channels == c->outputs)
            return (r2n_train_segment){(int32_t)i, 0, c->outputs};
    }
    const int32_t made = r2n_network_add_buffer(network, shape->rows, shape->columns, c->outputs,
                                                c->outputs, border);
    if (made >= 0)
        network->buffers[made].of_results = 1;
    b->failed |= made < 0;
    return (r2n_train_segment){made < 0 ? 0 : made, 0, c->outputs};
}

/* ---- convolutions ---- */

/* The taps of one phase: the rows and columns of the input that are `phase` modulo the stride. */
typedef struct phase {
    int32_t row, column;
} phase;

/* Is the tap part of the phase, and how far from it is the result that it leads to? */
static int tap_of_phase(const r2n_train_convolution *c, int32_t tap, int32_t of, int32_t *shift)
{
    const int32_t padding = c->kernel / 2, from = of + padding - tap;
    if ((from % c->stride + c->stride) % c->stride != 0)
        return 0;
    *shift = (from - (from % c->stride + c->stride) % c->stride) / c->stride;
    return 1;
}

static int32_t phase_taps(const r2n_train_convolution *c, phase ph, int32_t *taps)
{
    int32_t count = 0, shift;
    for (int32_t row = 0; row < c->kernel; row++)
        for (int32_t column = 0; column < c->kernel; column++)
            if (tap_of_phase(c, row, ph.row, &shift) && tap_of_phase(c, column, ph.column, &shift))
                taps[count++] = row * c->kernel + column;
    return count;
}

/* The sources of a phase, over the gradient of the result. */
static int add_phase_sources(r2n_network *network, const r2n_train_convolution *c, r2n_view result,
                             phase ph, const r2n_train_transpose *transpose)
{
    for (int32_t i = 0; i < transpose->tap_count; i++) {
        int32_t down = 0, right = 0;
        (void)tap_of_phase(c, transpose->taps[i] / c->kernel, ph.row, &down);
        (void)tap_of_phase(c, transpose->taps[i] % c->kernel, ph.column, &right);
        if (!r2n_grow((void **)&network->sources, &network->source_capacity,
                      network->source_count + 1, sizeof *network->sources))
            return 0;
        network->sources[network->source_count++] = (r2n_gemm_source){
            .offset = result.offset + down * result.row_pitch + right * result.pixel_pitch,
            .image_pitch = result.image_pitch,
            .row_pitch = result.row_pitch,
            .pixel_pitch = result.pixel_pitch,
            .channels = c->padded_outputs,
            .k_first = i * c->padded_outputs};
    }
    return 1;
}

static void clear(backward *b, r2n_view view, int32_t rows, int64_t elements)
{
    r2n_train_operation *o = append_kind(b, R2N_TRAIN_CLEAR, -1);
    if (o == NULL)
        return;
    o->view = view;
    o->rows = rows;
    o->elements = elements;
}

/* One piece of the gradient by a convolution's input: a segment of its value, of which one group
 * where zeros stand behind groups, and one phase. */
typedef struct piece {
    int32_t index; /* of the segment */
    int32_t first; /* channel in it */
    phase ph;
    r2n_train_transpose transpose;
    int32_t rows, columns;
} piece;

enum { MOST_PIECES = R2N_NODE_INPUTS * 4 };

/* Is there something in the gradient of what the node's value is made of? */
static int has_begun(const backward *b, int32_t node)
{
    const int32_t slice = r2n_network_sum_slice(b->network->graph, node);
    return b->begun[slice >= 0 ? slice : node];
}

/* All pieces that have anything in them; their places in the room for transposed weights. */
static int32_t find_pieces(backward *b, const r2n_train_convolution *c, piece *pieces)
{
    const r2n_train_value *value = &b->network->values[c->input];
    const r2n_shape *in = &b->network->shapes[c->input];
    int32_t count = 0, first_channel = 0;
    int64_t elements = 0;
    const int winograd = c->winograd && !has_begun(b, c->input); /* it cannot add */
    for (int32_t i = 0; i < value->count; i++) {
        const int32_t channels = value->segments[i].channels;
        const int32_t width =
            c->group_pitch != c->group && channels > c->group ? c->group : channels;
        for (int32_t first = 0; first < channels; first += width)
            for (int32_t at = 0; at < c->stride * c->stride && count < MOST_PIECES; at++) {
                piece p = {.index = i, .first = first, .ph = {at / c->stride, at % c->stride}};
                p.transpose = (r2n_train_transpose){.first_channel = first_channel + first,
                                                    .channels = width,
                                                    .winograd = winograd,
                                                    .first = elements};
                p.transpose.tap_count = phase_taps(c, p.ph, p.transpose.taps);
                p.rows = (in->rows - p.ph.row + c->stride - 1) / c->stride;
                p.columns = (in->columns - p.ph.column + c->stride - 1) / c->stride;
                if (p.rows <= 0 || p.columns <= 0 || p.transpose.tap_count == 0)
                    continue;
                elements += (int64_t)r2n_train_blocks(width) * p.transpose.tap_count *
                            c->padded_outputs * R2N_TRAIN_LANES * (winograd ? 2 : 1);
                pieces[count++] = p;
            }
        first_channel += channels;
    }
    if (elements > b->network->transposed_elements)
        b->network->transposed_elements = elements;
    return count;
}

static void append_piece(backward *b, const r2n_train_convolution *c, const piece *p, int adds)
{
    r2n_network *network = b->network;
    const r2n_view result = r2n_network_view(network, result_segment(b, c));
    r2n_train_segment segment = gradient_segment(b, c->input, p->index);
    segment.first += p->first;
    segment.channels = p->transpose.channels;
    r2n_view to = r2n_network_view(network, segment);
    const size_t first_source = network->source_count;
    to.offset += p->ph.row * to.row_pitch + p->ph.column * to.pixel_pitch;
    to.row_pitch *= c->stride;
    to.pixel_pitch *= c->stride;
    if (b->failed || !add_phase_sources(network, c, result, p->ph, &p->transpose)) {
        b->failed = 1;
        return;
    }
    r2n_train_arguments arguments = {
        .gemm = {.images = network->options.batch,
                 .rows = p->rows,
                 .columns = p->columns,
                 .channels = p->transpose.channels,
                 .k_total = p->transpose.tap_count * c->padded_outputs,
                 .source_count = p->transpose.tap_count,
                 .sources = network->sources + first_source,
                 .output = to,
                 .epilogue = {.residual_there = adds, .residual = to}}};
    /* The group before gets, through the sum, what this group's input gets. */
    r2n_epilogue *epilogue = &arguments.gemm.epilogue;
    if (r2n_network_sum_slice(network->graph, c->input) >= 0) {
        epilogue->chain_there = 1;
        epilogue->chain = gradient_view(b, network->graph->nodes[c->input].inputs[1], 0);
    }
    if (p->transpose.winograd) {
        const r2n_winograd_arguments winograd = {.images = network->options.batch,
                                                 .rows = p->rows,
                                                 .columns = p->columns,
                                                 .input_channels = c->outputs,
                                                 .channels = p->transpose.channels,
                                                 .input = result,
                                                 .output = to,
                                                 .epilogue = *epilogue};
        arguments.winograd = winograd;
    }
    r2n_train_operation *o =
        append(b, p->transpose.winograd ? R2N_OPERATION_WINOGRAD : R2N_OPERATION_GEMM, &arguments,
               (int32_t)(c - network->convolutions), p->rows, p->columns, p->transpose.channels);
    if (o == NULL)
        return;
    o->transpose = p->transpose;
    o->first_source = first_source;
}

/* Marks the node, and what its value is made of, as begun; was it? */
static int begin(backward *b, int32_t node)
{
    const int32_t slice = r2n_network_sum_slice(b->network->graph, node);
    const int was = has_begun(b, node);
    b->begun[slice >= 0 ? slice : node] = 1;
    return was;
}

static void transpose_weights(backward *b, const r2n_train_convolution *c)
{
    piece pieces[MOST_PIECES];
    const int32_t count = find_pieces(b, c, pieces);
    for (int32_t i = 0; i < count; i++) {
        r2n_train_operation *o =
            append_kind(b, R2N_TRAIN_TRANSPOSE, (int32_t)(c - b->network->convolutions));
        if (o == NULL)
            return;
        o->transpose = pieces[i].transpose;
        o->blocks = r2n_train_blocks(pieces[i].transpose.channels);
    }
}

static void differentiate_inputs(backward *b, const r2n_train_convolution *c)
{
    piece pieces[MOST_PIECES];
    const int32_t count = find_pieces(b, c, pieces);
    const r2n_shape *in = &b->network->shapes[c->input];
    const int adds = begin(b, c->input);
    if (c->kernel < c->stride && !adds) { /* pixels that no tap reaches */
        const r2n_view all = gradient_view(b, c->input, 0);
        clear(b, all, in->rows, in->columns * all.pixel_pitch);
    }
    for (int32_t i = 0; i < count && !b->failed; i++)
        append_piece(b, c, &pieces[i], adds);
}

static void differentiate_weights(backward *b, const r2n_train_convolution *c, r2n_view result)
{
    r2n_network *network = b->network;
    const r2n_shape *shape = &network->shapes[c->node];
    const int32_t index = (int32_t)(c - network->convolutions);
    const int64_t floats = (int64_t)r2n_train_blocks(c->outputs) * c->k_total * R2N_TRAIN_LANES;
    const int32_t parts = (network->options.batch + c->part_images - 1) / c->part_images;
    const r2n_train_arguments w = {.weights = {.images = network->options.batch,
                                               .rows = shape->rows,
                                               .columns = shape->columns,
                                               .channels = c->outputs,
                                               .k_total = c->k_total,
                                               .source_count = c->source_count,
                                               .sources = network->sources + c->first_source,
                                               .gradient = result,
                                               .part_rows = c->part_images * shape->rows,
                                               .chunk_rows = c->chunk_rows,
                                               .part_pitch = floats}};
    r2n_train_operation *o = append(b, R2N_OPERATION_WEIGHTS_GRADIENT, &w, index, shape->rows,
                                    shape->columns, c->outputs);
    if (o == NULL)
        return;
    o->kind = R2N_TRAIN_WEIGHTS;
    o->first_source = c->first_source;
    if (parts > 1) {
        o = append_kind(b, R2N_TRAIN_ADD_PARTS, index);
        if (o != NULL)
            o->elements = floats;
        if (parts * floats > network->part_floats)
            network->part_floats = parts * floats;
    }
}

static int reads_picture(const backward *b, const r2n_train_convolution *c)
{
    return b->network->graph->nodes[c->input].kind == R2N_NODE_INPUT;
}

/* Does anything before the convolution learn? */
static int goes_on(const backward *b, const r2n_train_convolution *c)
{
    if (reads_picture(b, c))
        return 0;
    for (int32_t i = 0; i < b->network->convolution_count; i++) {
        const r2n_train_convolution *other = &b->network->convolutions[i];
        if (other->node < c->node && !other->frozen)
            return 1;
    }
    return 0;
}

/* ---- batch norms ---- */

/* From the gradient of the value that `node` stores back through the norm and its convolution. */
static void differentiate_norm(backward *b, int32_t node, int32_t norm, int32_t mask)
{
    r2n_network *network = b->network;
    const r2n_train_norm *n = &network->norms[norm];
    const r2n_train_convolution *c = &network->convolutions[n->convolution];
    const r2n_shape *shape = &network->shapes[node];
    const r2n_view gradient = gradient_view(b, node, 0);
    const r2n_view input = r2n_network_view(network, (r2n_train_segment){c->raw, 0, c->outputs});
    const r2n_view result = r2n_network_view(network, result_segment(b, c));
    const r2n_train_arguments sums = {
        .norm_sums = {.images = network->options.batch,
                      .rows = shape->rows,
                      .columns = shape->columns,
                      .channels = n->channels,
                      .part_rows = shape->rows,
                      .mask = mask,
                      .gradient = gradient,
                      .input = input,
                      .result = r2n_network_view(network, network->values[node].segments[0])}};
    const r2n_train_arguments whole = {
        .norm_gradient = {.images = network->options.batch,
                          .rows = shape->rows,
                          .columns = shape->columns,
                          .channels = n->channels,
                          .mask = mask == R2N_MASK_OF_RESULT ? R2N_MASK_NONE : mask,
                          .gradient = gradient,
                          .input = input,
                          .output = result}};
    append(b, R2N_OPERATION_NORM_SUMS, &sums, norm, shape->rows, shape->columns, n->channels);
    append_kind(b, R2N_TRAIN_DIFFERENTIATE, norm);
    if (goes_on(b, c))
        transpose_weights(b, c);
    append(b, R2N_OPERATION_NORM_GRADIENT, &whole, norm, shape->rows, shape->columns, n->channels);
    if (goes_on(b, c))
        differentiate_inputs(b, c);
    differentiate_weights(b, c, result);
}

/* ---- nodes ---- */

static void differentiate_pool(backward *b, int32_t node)
{
    const int32_t input = b->network->graph->nodes[node].inputs[0];
    const r2n_shape *from = &b->network->shapes[input];
    const r2n_train_arguments p = {.pool_gradient = {.pool = r2n_network_pool(b->network, node),
                                                     .add = begin(b, input),
                                                     .gradient = gradient_view(b, node, 0),
                                                     .input_gradient = gradient_view(b, input, 0)}};
    append(b, R2N_OPERATION_POOL_GRADIENT, &p, -1, from->rows, from->columns, from->channels);
}

/* A block's end: what comes out goes to the last batch norm and to the shortcut. */
static void differentiate_sum(backward *b, int32_t node)
{
    const r2n_graph *graph = b->network->graph;
    const r2n_node *add = &graph->nodes[graph->nodes[node].inputs[0]];
    const int32_t norm = b->network->norm_of[add->inputs[0]], shortcut = add->inputs[1];
    const r2n_train_segment here = gradient_segment(b, node, 0);
    if (b->failed)
        return;
    /* The shortcut's value: this block's input, or what its own batch norm gave. */
    b->mirror[b->network->values[shortcut].segments[0].buffer] = here.buffer;
    begin(b, shortcut);
    differentiate_norm(b, node, norm, R2N_MASK_OF_RESULT);
}

static void differentiate_linear(backward *b, int32_t node)
{
    r2n_network *network = b->network;
    const int32_t index = network->convolution_of[node];
    const r2n_train_convolution *c = &network->convolutions[index];
    const r2n_train_segment result = result_segment(b, c);
    const r2n_view view = r2n_network_view(network, result);
    r2n_train_operation *o = append_kind(b, R2N_TRAIN_SEED, index);
    if (o == NULL)
        return;
    o->view = view;
    append_kind(b, R2N_TRAIN_BIAS, index);
    if (goes_on(b, c)) {
        transpose_weights(b, c);
        differentiate_inputs(b, c);
    }
    differentiate_weights(b, c, view);
}

/* Does the gradient reach this node? Values of frozen stages get none. */
static int is_frozen(const backward *b, int32_t norm)
{
    return b->network->norms[norm].frozen;
}

static void differentiate_node(backward *b, int32_t node)
{
    const r2n_graph *graph = b->network->graph;
    const r2n_node *n = &graph->nodes[node];
    switch (n->kind) {
    case R2N_NODE_LINEAR:
        differentiate_linear(b, node);
        break;
    case R2N_NODE_POOL:
    case R2N_NODE_GLOBAL_POOL:
        if (b->begun[node])
            differentiate_pool(b, node);
        break;
    case R2N_NODE_RELU:
        if (!b->begun[node])
            break;
        if (graph->nodes[n->inputs[0]].kind == R2N_NODE_ADD) {
            if (!is_frozen(b, b->network->norm_of[graph->nodes[n->inputs[0]].inputs[0]]))
                differentiate_sum(b, node);
        } else if (!is_frozen(b, b->network->norm_of[n->inputs[0]])) {
            differentiate_norm(b, node, b->network->norm_of[n->inputs[0]], R2N_MASK_OF_INPUT);
        }
        break;
    case R2N_NODE_BATCH_NORM: /* a shortcut's */
        if (b->begun[node] && b->network->values[node].count > 0 &&
            !is_frozen(b, b->network->norm_of[node]))
            differentiate_norm(b, node, b->network->norm_of[node], R2N_MASK_NONE);
        break;
    case R2N_NODE_CONCAT: /* its parts have begun with it */
        for (int32_t j = 0; j < n->input_count && b->begun[node]; j++)
            b->begun[n->inputs[j]] = 1;
        break;
    case R2N_NODE_SLICE: /* so has its parent */
        b->begun[n->inputs[0]] |= b->begun[node];
        break;
    case R2N_NODE_INPUT:
    case R2N_NODE_CONVOLUTION:
    case R2N_NODE_ADD:
        break;
    }
}

res2net_status r2n_network_list_backward(r2n_network *network, res2net_report *report)
{
    backward b = {.network = network,
                  .begun = r2n_allocate_zeroed((size_t)network->graph->count, 1),
                  .mirror = r2n_allocate(network->buffer_count + 1, sizeof *b.mirror),
                  .value_buffers = network->buffer_count};
    b.failed = b.begun == NULL || b.mirror == NULL;
    for (size_t i = 0; i < b.value_buffers && !b.failed; i++)
        b.mirror[i] = -1;
    for (int32_t i = network->graph->count - 1; i >= 0 && !b.failed; i--)
        differentiate_node(&b, i);
    r2n_free(b.begun);
    r2n_free(b.mirror);
    return b.failed ? r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                               "no memory for the steps of a network backwards")
                    : RES2NET_OK;
}
