/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GRAPH -> A NETWORK THAT CAN BE TRAINED: forward with batch statistics, backward, both as lists of
 * kernel calls made once.
 *
 * Parameters live in the gemm's packed layout, so that nothing is reordered for the forward pass
 * and gradients come out in their layout; every tensor begins at a multiple of 16 floats and what
 * fills it up is zero. Blocks: parameters, gradients (same layout), running statistics, and one for
 * activations. Results do not depend on the number of threads. One run at a time.
 */
#ifndef R2N_TRAIN_NETWORK_H
#define R2N_TRAIN_NETWORK_H

#include "kernels/kernels.h"
#include "model/graph.h"
#include "train/optimiser.h"
#include "train/random.h"
#include "weights/weights.h"

typedef struct r2n_network r2n_network;

typedef struct r2n_network_options {
    int32_t batch; /* pictures at most */
    int32_t rows, columns;
    r2n_isa isa;
    r2n_precision precision; /* f32, or bf16: of activations and their gradients, and of weights as
                                they are multiplied; parameters and all else stay f32 */
    int32_t frozen_stages;   /* 0: none; n: the stem and n - 1 stages are not trained, their batch
                                norms use running statistics, and the gradient ends above them */
} r2n_network_options;

/* `graph` must outlive the network. Parameters are zero. LIMIT_EXCEEDED, OUT_OF_MEMORY. */
res2net_status r2n_network_create(const r2n_graph *graph, const r2n_network_options *options,
                                  r2n_network **out, res2net_report *report);
void r2n_network_destroy(r2n_network *network); /* NULL is allowed */

/* Of the blocks beside parameters, gradients and statistics. */
int64_t r2n_network_activation_bytes(const r2n_network *network);

/* Paddle's initialisers (spec 1.6), or for the torch family kaiming fan_out. */
res2net_status r2n_network_initialise(r2n_network *network, uint64_t seed, res2net_report *report);

/* ---- blocks ---- */

int64_t r2n_network_parameter_floats(const r2n_network *network);
float *r2n_network_parameters(r2n_network *network);
float *r2n_network_gradients(r2n_network *network);
int64_t r2n_network_statistic_floats(const r2n_network *network);
float *r2n_network_statistics(r2n_network *network); /* running means and variances */

/* Tensors are those of r2n_architecture_tensors, in its order. */
size_t r2n_network_tensor_count(const r2n_network *network);
const r2n_tensor_spec *r2n_network_tensor(const r2n_network *network, size_t index);
/* Where a tensor is: in a block of parameters where it is trainable, else of statistics. */
r2n_parameter_range r2n_network_range(const r2n_network *network, size_t index);
/* Canonical layout <-> the block that the tensor is in. */
void r2n_network_put(const r2n_network *network, float *block, size_t index, const float *from);
void r2n_network_get(const r2n_network *network, const float *block, size_t index, float *to);

/* Copies of blocks as canonical tensors, with running statistics unless `statistics` is NULL. NULL
 * without memory. */
r2n_tensor_set *r2n_network_tensors(const r2n_network *network, const float *parameters,
                                    const float *statistics);
/* Takes every tensor of a canonical set; the set must have them all. */
res2net_status r2n_network_load(r2n_network *network, const r2n_tensor_set *set,
                                res2net_report *report);

/* ---- a step ---- */

/* pictures [images][rows][columns][3]; logits [images][classes]. 1 <= images <= batch. */
void r2n_network_forward(r2n_network *network, const float *pictures, int32_t images, float *logits,
                         int threads);
/* After a forward: fills the gradients from d loss / d logits [images][classes]. */
void r2n_network_backward(r2n_network *network, const float *logit_gradients, int threads);
/* Takes the last forward's batch statistics into the running ones: kept * 0.9 + 0.1 * new, the
 * variance biased in Paddle's family and unbiased in torch's. Not part of forward, so that a step
 * that is thrown away leaves nothing. */
void r2n_network_keep_statistics(r2n_network *network);

/* Are the last forward's batch statistics numbers? They may overflow where the loss does not. */
int r2n_network_has_finite_statistics(const r2n_network *network);

/* Batch norms that would see one value only in a batch of `images`: BN's variance is 0 there. */
int r2n_network_is_too_small(const r2n_network *network, int32_t images);

#endif
