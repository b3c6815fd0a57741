/* SPDX-License-Identifier: Apache-2.0 */
/* A placement's insides: place.c makes it, run.c runs it, explain.c tells of it. */
#ifndef R2N_PLAN_PLACEMENT_INTERNAL_H
#define R2N_PLAN_PLACEMENT_INTERNAL_H

#include "plan/plan_internal.h"

typedef union r2n_arguments {
    r2n_gemm_arguments gemm;
    r2n_winograd_arguments winograd;
    r2n_pool_arguments pool;
    r2n_elementwise_arguments elementwise;
} r2n_arguments;

/* Rows of a buffer that one row of a step reads or writes: row * stride - padding and the `kernel`
 * rows from there. */
typedef struct r2n_row_map {
    int32_t stride, padding, kernel;
} r2n_row_map;

/* A row of a step may not begin before the rows of an earlier step that touch the same rows of a
 * buffer are done. */
typedef struct r2n_dependency {
    int32_t step; /* the earlier one */
    r2n_row_map theirs, mine;
} r2n_dependency;

/* Consecutive steps that run as one, band by band. */
typedef struct r2n_band_group {
    int32_t first_step, step_count;
} r2n_band_group;

enum { R2N_BAND_STEPS = 32 }; /* at most, in a group */

typedef struct r2n_placed_step {
    r2n_arguments arguments;
    const r2n_kernel *kernel;
    int32_t rows;                       /* images * output rows: what a range counts */
    int32_t blocks;                     /* of 16 output channels */
    int64_t macs;                       /* of the whole batch */
    int64_t weights;                    /* elements of packed weights */
    const char *packed;                 /* they, or NULL */
    int64_t block_bytes;                /* of them for 16 channels */
    const struct r2n_placed_step *next; /* the step that runs after this one, or NULL */
    int32_t image_rows;                 /* output rows of one image */
    int32_t band_rows;                  /* in a group: rows to do at once */
    int32_t first_dependency, dependency_count;
} r2n_placed_step;

typedef struct r2n_placed_buffer {
    int64_t offset; /* elements from the block's start to where its memory begins */
    int64_t elements;
    r2n_view view; /* of channel 0, without group fields */
} r2n_placed_buffer;

struct r2n_placement {
    const r2n_plan *plan;
    int32_t batch, rows, columns;
    r2n_shape *shapes; /* [graph->count] */
    r2n_placed_buffer *buffers;
    r2n_placed_step *steps;
    r2n_gemm_source *sources;
    r2n_dependency *dependencies;
    r2n_band_group *groups;
    int32_t group_count;
    int32_t band_images; /* images a thread from which on groups run as such: changes no bit */
    int64_t bordered_elements; /* the block's head: buffers with borders */
    int64_t block_elements;
    int32_t input_buffer;
    r2n_view input;  /* of the picture */
    r2n_view logits; /* floats in every precision */
};

/* lay_out.c: sizes and offsets of all buffers. */
res2net_status r2n_placement_lay_out(r2n_placement *placement, res2net_report *report);

/* bands.c: which steps run as groups; after the steps are filled. */
res2net_status r2n_placement_find_groups(r2n_placement *placement, res2net_report *report);

/* Which kernels compute the step. */
static inline r2n_operation r2n_step_operation(const r2n_step *step)
{
    return step->winograd ? R2N_OPERATION_WINOGRAD : step->operation;
}

/* The view of node `node`'s segment `segment`. */
r2n_view r2n_placement_view(const r2n_placement *placement, int32_t node, int32_t segment);

/* pictures.c: rows [first, last), counted over all pictures of `input` (N,C,H,W), to their places
 * in the block; and the scores from there. */
void r2n_placement_put_rows(const r2n_placement *placement, void *block, const float *input,
                            int32_t first, int32_t last);
void r2n_placement_get_logits(const r2n_placement *placement, const void *block, float *logits);

/* run.c: the first of `items` that is thread `thread`'s. */
int32_t r2n_share(int32_t items, int thread, int threads);

/* The range of thread `thread` of `threads` in a step. */
r2n_range r2n_placement_range(const r2n_placed_step *step, int thread, int threads);

#endif
