/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GRAPH + WEIGHTS -> STEPS.
 *
 * A plan is made once for a graph, its weights, a mode, a precision and an ISA ceiling: it fuses
 * nodes into steps, folds batch norms, decides where values are stored, and packs weights. It does
 * not depend on picture size or batch, is immutable, and is shared by threads.
 *
 * A placement is a plan laid out for one batch and size: offsets of every buffer in one block of
 * memory, kernel arguments, kernels. It is immutable too; the block belongs to a session.
 */
#ifndef R2N_PLAN_PLAN_H
#define R2N_PLAN_PLAN_H

#include "kernels/kernels.h"
#include "model/graph.h"
#include "weights/weights.h"

typedef enum r2n_plan_mode {
    R2N_PLAN_INFERENCE, /* batch norms folded, everything elementwise in an epilogue */
    R2N_PLAN_UNFUSED    /* a step a node, nothing folded: the check of
                           the fused plan */
} r2n_plan_mode;

typedef struct r2n_plan r2n_plan;
typedef struct r2n_placement r2n_placement;

/* The layout of packed sections. To be raised with every change of what is folded or fused, of the
 * packed layout or of the order of steps: old sections are then packed anew. */
enum { R2N_PLAN_SECTION_LAYOUT = 2 };

/* `graph` and `weights` (canonical) must outlive the plan: it may read a packed section in place.
 */
res2net_status r2n_plan_create(const r2n_graph *graph, const r2n_tensor_set *weights,
                               r2n_plan_mode mode, r2n_precision precision, r2n_isa isa,
                               r2n_plan **out, res2net_report *report);
void r2n_plan_destroy(r2n_plan *plan); /* NULL is allowed */
int64_t r2n_plan_weights_bytes(const r2n_plan *plan);
/* The plan's numbers as a section to store beside the weights: points into the plan. */
r2n_packed_section r2n_plan_section(const r2n_plan *plan);

/* int8: the levels that the weights of the convolution or classifier `node` were rounded to, in its
 * tensor's order (NULL: not wanted), and for each output channel what the product of such a level
 * and a level of its input is worth. INTERNAL where no step has the node, OUT_OF_MEMORY. */
res2net_status r2n_plan_read_levels(const r2n_plan *plan, int32_t node, int8_t *levels,
                                    float *worth, res2net_report *report);

/* For `batch` pictures of rows x columns. LIMIT_EXCEEDED when the block would be over 64 GiB. */
res2net_status r2n_placement_create(const r2n_plan *plan, int32_t batch, int32_t rows,
                                    int32_t columns, r2n_placement **out, res2net_report *report);
void r2n_placement_destroy(r2n_placement *placement); /* NULL is allowed */
int64_t r2n_placement_block_bytes(const r2n_placement *placement);

/* Zeroes the borders. Once for a block that held something else before. */
void r2n_placement_clear(const r2n_placement *placement, void *block);

/* input: float32 [batch][3][rows][columns]; logits: float32 [batch][classes]. `block` has
 * block_bytes, 64-byte aligned, cleared. Nothing is allocated. */
void r2n_placement_run(const r2n_placement *placement, void *block, const float *input,
                       float *logits, int threads);

/* ---- step by step, for calibration ---- */

/* What run does, in pieces: the input, then every step in order (r2n_placement_step_count), then
 * the scores. A value can be read from the end of its step until another one is run: buffers are
 * shared. */
void r2n_placement_put_input(const r2n_placement *placement, void *block, const float *input);
void r2n_placement_run_step(const r2n_placement *placement, void *block, int32_t step, int threads);
void r2n_placement_read_logits(const r2n_placement *placement, const void *block, float *logits);

int32_t r2n_plan_step_count(const r2n_plan *plan);
const char *r2n_plan_step_name(const r2n_plan *plan, int32_t step);
/* The node whose value a step writes, and that of the picture. */
int32_t r2n_plan_step_result(const r2n_plan *plan, int32_t step);
int32_t r2n_plan_input(const r2n_plan *plan);
/* The nodes that a step stores and whose values have a scale each in int8: its result or the slices
 * of it, and the hierarchical sum it makes. None for the scores. Returns how many. */
enum { R2N_SCALED_VALUES_OF_STEP = R2N_NODE_INPUTS + 1 };
int32_t r2n_plan_scaled_values(const r2n_plan *plan, int32_t step,
                               int32_t nodes[R2N_SCALED_VALUES_OF_STEP]);

/* Rows of a node's value, over all pictures, and the numbers of one: [columns][channels]. */
int32_t r2n_placement_rows(const r2n_placement *placement, int32_t node);
int32_t r2n_placement_row_values(const r2n_placement *placement, int32_t node);
/* One row as floats, whatever the precision. `node`: a step's result, one of its scaled values, or
 * the picture. */
void r2n_placement_read_row(const r2n_placement *placement, const void *block, int32_t node,
                            int32_t row, float *to);

/* ---- explain ---- */

typedef struct r2n_step_facts {
    const char *name;   /* of the plan */
    const char *kernel; /* of the list */
    char shape[96];
    char refused[256];
    int64_t macs;
} r2n_step_facts;

int32_t r2n_placement_step_count(const r2n_placement *placement);
void r2n_placement_describe(const r2n_placement *placement, int32_t step, r2n_step_facts *facts);
/* Runs once and adds each step's seconds to its minimum so far in seconds[step_count]. */
void r2n_placement_time(const r2n_placement *placement, void *block, const float *input,
                        float *logits, int threads, double *seconds);

#endif
