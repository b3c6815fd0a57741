/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef R2N_PLAN_PLAN_INTERNAL_H
#define R2N_PLAN_PLAN_INTERNAL_H

#include "kernels/precision.h"
#include "plan/plan.h"

/* Channels [first_channel, first_channel + channels) of a buffer. */
typedef struct r2n_segment {
    int32_t buffer;
    int32_t first_channel;
    int32_t channels;
} r2n_segment;

/* Where a node's value is. A concatenation may lie in several places: it is never copied. */
typedef struct r2n_value {
    int32_t count; /* 0: the value exists inside a step only */
    r2n_segment segments[R2N_NODE_INPUTS];
} r2n_value;

/* Channels lie in groups, so that every value that is a part of the buffer begins and ends at a
 * multiple of what the precision multiplies at once; what fills a group up is zero. */
typedef struct r2n_buffer {
    int32_t channels;
    int32_t group_channels; /* of the model, in a group */
    int32_t group_pitch;    /* elements from group to group */
    int32_t holds_floats;   /* the scores: float in every precision */
    int32_t border;   /* zero cells around it, for the widest padded convolution that reads it */
    int32_t shape_of; /* node whose rows and columns it has */
    int32_t first_step, last_step;
} r2n_buffer;

/* One convolution of a step. Two are joined when a block's last 1x1 and its shortcut convolution
 * become one longer sum. */
typedef struct r2n_part {
    int32_t node;       /* CONVOLUTION or LINEAR */
    int32_t batch_norm; /* node folded into it, or -1 */
    int32_t input;      /* node whose value it reads */
    int32_t k;          /* kernel * kernel * input channels */
    int32_t k_first;    /* its first row in the packed weights */
    int32_t rows;       /* its rows there: taps times elements of a pixel, for one term */
} r2n_part;

enum { R2N_STEP_PARTS = 2 };

typedef struct r2n_step {
    r2n_operation operation;
    int32_t result; /* node whose value it writes */
    int32_t relu;
    int32_t part_count; /* gemm */
    r2n_part parts[R2N_STEP_PARTS];
    int32_t residual; /* gemm: node added, or -1 */
    int32_t chain;    /* gemm: hierarchical ADD node whose value it makes in place, or -1 */
    int32_t a, b;     /* pool and elementwise: nodes read; b is -1 for none */
    int32_t k_total;
    int32_t winograd;    /* gemm: computed by R2N_OPERATION_WINOGRAD */
    int64_t first_byte;  /* where its weights or scales begin in the plan's numbers */
    int64_t second_byte; /* where its biases or shifts begin */
    int64_t third_byte;  /* int8 gemm: where its scales begin */
    const void *weights; /* gemm: packed */
    const float *bias;   /* gemm: [blocks * 16] */
    const float *scale;  /* int8 gemm: [blocks * 16]; elementwise batch norm; else NULL */
    const float *shift;  /* elementwise batch norm, else NULL */
    char name[160];
} r2n_step;

struct r2n_plan {
    const r2n_graph *graph;
    r2n_plan_mode mode;
    r2n_precision precision;
    r2n_isa isa;
    r2n_value *values; /* [graph->count] */
    r2n_buffer *buffers;
    int32_t buffer_count;
    r2n_step *steps;
    int32_t step_count;
    const uint8_t *numbers; /* weights, biases, scales, shifts of all steps, at multiples of 64 */
    int64_t number_bytes;
    uint8_t *own_numbers; /* the same block, or NULL where `numbers` are a packed section's */
    const float *scales;  /* int8: [graph->count], what a level of a node's value is worth */
};

/* fuse.c: decides the steps (not their weights). */
res2net_status r2n_plan_fuse(r2n_plan *plan, res2net_report *report);
/* storage.c: values, buffers, borders, lifetimes. */
res2net_status r2n_plan_assign_storage(r2n_plan *plan, res2net_report *report);
/* numbers.c: where each step's numbers lie; those of a packed section of `weights` that fits, else
 * packed now. */
res2net_status r2n_plan_set_numbers(r2n_plan *plan, const r2n_tensor_set *weights,
                                    res2net_report *report);
/* pack_weights.c: folds batch norms, packs a step's weights or scales into `first`, its biases or
 * shifts into `second` (zeroed), an int8 gemm's scales into `third` (zeroed). */
res2net_status r2n_plan_pack_step(const r2n_plan *plan, const r2n_step *step,
                                  const r2n_tensor_set *weights, void *first, float *second,
                                  float *third, res2net_report *report);

/* pack_weights.c: where the channels of a node's value are among the elements of its pixel, into
 * places[channels]. */
void r2n_plan_find_places(const r2n_plan *plan, int32_t node, int32_t *places);

/* round_weights.c, int8: rounds an output channel's weights to multiples of `step`, nearest but for
 * the few that keep their sum. */
void r2n_round_row(float *row, int64_t count, float step);

/* storage.c: where channel `channel` of a buffer is in a pixel, and how many elements the channels
 * of a value's segment, or of a whole value in one piece, take there. */
int32_t r2n_buffer_place(const r2n_buffer *buffer, int32_t channel);
int32_t r2n_segment_elements(const r2n_plan *plan, const r2n_segment *segment);
int32_t r2n_value_elements(const r2n_plan *plan, int32_t node);

/* scales.c, int8: what a level of channel `channel` of a node's value is worth. */
float r2n_plan_channel_scale(const r2n_plan *plan, int32_t node, int32_t channel);
/* Checks that the network can run in the plan's precision and that int8 has its scales. */
res2net_status r2n_plan_check_precision(r2n_plan *plan, const r2n_tensor_set *weights,
                                        res2net_report *report);

#endif
