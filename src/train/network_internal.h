/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the network share. */
#ifndef R2N_TRAIN_NETWORK_INTERNAL_H
#define R2N_TRAIN_NETWORK_INTERNAL_H

#include "train/network.h"

enum { R2N_TRAIN_LANES = 16 };

/* Values in the block: NHWC with a border of zeros. In bf16 the matrix products take channels in
 * pairs, so that groups of an odd number of channels (the slices of a block, a picture's colours)
 * have a zero behind each, which nothing ever writes. */
typedef struct r2n_train_buffer {
    int32_t rows, columns, channels, border;
    int32_t group, group_pitch; /* channels of a group, and elements from group to group */
    int32_t pixel_pitch;
    int64_t offset; /* elements from the block's start to where its memory begins */
    int64_t elements;
    int32_t of_results;  /* backward: holds gradients of convolutions' results */
    int32_t owner_block; /* backward: the block inside which it is in use, or -1 */
} r2n_train_buffer;

/* Channels [first, first + channels) of a buffer. */
typedef struct r2n_train_segment {
    int32_t buffer, first, channels;
} r2n_train_segment;

/* Where a node's value is, and its gradient: the same channels of another buffer. */
typedef struct r2n_train_value {
    int32_t count; /* 0: nowhere */
    r2n_train_segment segments[R2N_NODE_INPUTS];
} r2n_train_value;

typedef struct r2n_train_convolution {
    int32_t node, input; /* the node and what it reads; LINEAR too */
    int32_t norm;        /* its batch norm, or -1 */
    int32_t raw;         /* buffer of its result before the batch norm; logits for LINEAR */
    int32_t taps, inputs, outputs, kernel, stride;
    int32_t group, group_pitch;            /* of the input's buffer */
    int32_t padded_inputs, padded_outputs; /* with the zeros behind groups */
    int64_t first;                         /* packed weights in the parameters */
    int32_t winograd;  /* f32: its kernel is Winograd's, forward and by its input */
    int64_t converted; /* its weights in another form: element of the room for such, or -1 */
    int32_t bias;      /* LINEAR: place of the bias in the parameters; else -1 */
    int32_t k_total;   /* taps * padded_inputs */
    int32_t frozen;
    size_t first_source; /* of the forward gemm's, in the network's array */
    int32_t source_count;
    int32_t part_images; /* of a part of the weights' gradient */
    int32_t chunk_rows;
} r2n_train_convolution;

typedef struct r2n_train_norm {
    int32_t node, convolution;
    int32_t channels, pixels; /* pixels of one picture */
    int64_t weight, bias;     /* in the parameters */
    int64_t mean, variance;   /* in the statistics */
    int32_t frozen;
    double *sums, *squares; /* [batch][channels], also the backward's sums and products */
    float *batch_mean, *batch_variance, *scale, *shift;
    float *by_gradient, *by_input, *constant;
} r2n_train_norm;

typedef enum r2n_train_kind {
    R2N_TRAIN_KERNEL,        /* over images: the ones that come one after the other make a phase */
    R2N_TRAIN_PICTURE,       /* over images: copies the pictures into the block */
    R2N_TRAIN_SCORES,        /* over images: copies logits out */
    R2N_TRAIN_SEED,          /* over images: copies the logits' gradients into the block */
    R2N_TRAIN_CLEAR,         /* over images: zeroes a value's gradient */
    R2N_TRAIN_FINISH,        /* of a norm, forward: statistics to scale and shift */
    R2N_TRAIN_DIFFERENTIATE, /* of a norm, backward: sums to gradients and factors */
    R2N_TRAIN_CONVERT,       /* of a convolution: its weights to bf16, or Winograd's points */
    R2N_TRAIN_TRANSPOSE,     /* of a convolution: its weights for the gradient by its input */
    R2N_TRAIN_WEIGHTS,       /* of a convolution: parts of the gradient by its weights */
    R2N_TRAIN_ADD_PARTS,     /* of a convolution: their sum */
    R2N_TRAIN_BIAS           /* of the LINEAR */
} r2n_train_kind;

typedef union r2n_train_arguments {
    r2n_gemm_arguments gemm;
    r2n_winograd_arguments winograd;
    r2n_pool_arguments pool;
    r2n_elementwise_arguments elementwise;
    r2n_statistics_arguments statistics;
    r2n_norm_sums_arguments norm_sums;
    r2n_norm_gradient_arguments norm_gradient;
    r2n_pool_gradient_arguments pool_gradient;
    r2n_weights_gradient_arguments weights;
} r2n_train_arguments;

/* One slice of a transposed weights matrix: some taps, and some channels of the input. */
typedef struct r2n_train_transpose {
    int32_t first_channel, channels;
    int32_t taps[9];
    int32_t tap_count;
    int32_t winograd; /* as points of the transformed ones: one tap for each of nine */
    int64_t first;    /* element in the room for transposed weights */
} r2n_train_transpose;

typedef struct r2n_train_operation {
    r2n_train_kind kind;
    int32_t of; /* norm or convolution */
    r2n_operation operation;
    const r2n_kernel *kernel;
    r2n_train_arguments arguments;
    int32_t rows;   /* of one picture, that the kernel's range counts */
    int32_t pixels; /* of one picture */
    int32_t blocks;
    size_t first_source;
    r2n_train_transpose transpose; /* TRANSPOSE, and the gemm that reads what it makes */
    r2n_view view;                 /* CLEAR: with rows, and elements of one in `elements` */
    int64_t elements;              /* ADD_PARTS: floats of a part */
} r2n_train_operation;

typedef struct r2n_train_list {
    r2n_train_operation *operations;
    size_t count, capacity;
} r2n_train_list;

struct r2n_network {
    const r2n_graph *graph;
    r2n_network_options options;
    r2n_shape *shapes;
    r2n_tensor_spec *specs;
    size_t spec_count;
    r2n_parameter_range *ranges; /* [spec_count] */
    int32_t *spec_convolution;   /* [spec_count] convolution whose weight it is, or -1 */

    r2n_train_buffer *buffers;
    size_t buffer_count, buffer_capacity;
    r2n_train_value *values; /* [graph->count] */
    r2n_train_convolution *convolutions;
    int32_t convolution_count;
    r2n_train_norm *norms;
    int32_t norm_count;
    int32_t *convolution_of; /* [graph->count] or -1 */
    int32_t *norm_of;        /* [graph->count] or -1 */
    r2n_gemm_source *sources;
    size_t source_count, source_capacity;

    r2n_train_list forward, backward;
    int64_t block_elements;
    int32_t element_bytes; /* of the block, and of weights that a gemm reads */
    int64_t parameter_floats, statistic_floats, norm_floats, norm_doubles;
    int64_t transposed_elements, converted_elements, part_floats, zero_floats;
    void *block;
    float *parameters, *parameter_gradients, *statistics;
    void *converted;
    float *norm_room;
    double *norm_sums;
    void *transposed;
    float *parts, *zeros;
    int32_t images; /* of the last forward */
};

static inline int32_t r2n_train_blocks(int32_t channels)
{
    return (channels + R2N_TRAIN_LANES - 1) / R2N_TRAIN_LANES;
}

/* network_values.c: shapes, buffers of values, convolutions and norms with their tensors. */
res2net_status r2n_network_place_values(r2n_network *network, res2net_report *report);
/* A new buffer; -1 without memory. Offsets are given out at once. */
int32_t r2n_network_add_buffer(r2n_network *network, int32_t rows, int32_t columns,
                               int32_t channels, int32_t group, int32_t border);
/* So many channels with the zeros that this precision wants behind each group. */
int32_t r2n_train_padded(const r2n_network *network, int32_t channels, int32_t group);
r2n_view r2n_network_view(const r2n_network *network, r2n_train_segment segment);
/* Is the node an addition of a slice and the group before it? Then its slice, else -1. */
int32_t r2n_network_sum_slice(const r2n_graph *graph, int32_t node);

/* network_forward.c, network_backward.c: the lists. Pointers into blocks are set when these are
 * allocated (network.c), so the lists are made after that; `measure` makes them with NULL blocks.
 */
res2net_status r2n_network_list_forward(r2n_network *network, res2net_report *report);
res2net_status r2n_network_list_backward(r2n_network *network, res2net_report *report);

/* network_forward.c */
r2n_pool_arguments r2n_network_pool(const r2n_network *network, int32_t node);
/* Append; NULL without memory. */
r2n_train_operation *r2n_train_append(r2n_train_list *list, r2n_train_kind kind, int32_t of);
r2n_train_operation *r2n_train_append_kernel(r2n_network *network, r2n_train_list *list,
                                             r2n_operation operation,
                                             const r2n_train_arguments *arguments, int32_t rows,
                                             int32_t columns, int32_t channels);

/* A part of the block, or of another room of its precision. */
static inline void *r2n_train_at(const r2n_network *network, void *room, int64_t element)
{
    return (char *)room + element * network->element_bytes;
}

/* network_parameters.c */
void r2n_network_convert(const r2n_network *network, const r2n_train_convolution *c,
                         int32_t block_first, int32_t block_last);
void r2n_network_transpose(const r2n_network *network, const r2n_train_operation *operation,
                           int32_t block_first, int32_t block_last);

#endif
