/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that match a graph share. */
#ifndef R2N_IMPORT_MATCH_INTERNAL_H
#define R2N_IMPORT_MATCH_INTERNAL_H

#include "import/foreign_graph.h"
#include "import/readers.h"

typedef struct r2n_matching {
    const r2n_foreign_graph *graph;
    int32_t *uses;  /* [value]: how many operations take it */
    int32_t scores; /* the value before a last softmax */
    /* What is found out by the walk, before the exact comparison: */
    r2n_architecture architecture;
    r2n_family family;
    /* [node of ours]: the operation that computes it. A folded batch norm has its convolution's. */
    const r2n_foreign_operation **found;
    /* Of a network in int8, else NULL: [node of ours]: what a level is worth, 0 where none is. */
    float *scales;
} r2n_matching;

/* MISMATCH: "Conv "x": text" or, without an operation, the text. */
res2net_status r2n_matching_refuse(const r2n_matching *m, const r2n_foreign_operation *operation,
                                   const char *format, ...) RES2NET_PRINTF(3, 4);
/* "convolution", for people. */
const char *r2n_foreign_kind_name(r2n_foreign_kind kind);
/* The convolution below `value`, behind its batch norm if it has one; NULL for another kind. */
const r2n_foreign_operation *r2n_matching_unit(const r2n_matching *m, int32_t value);
/* Of a block's sum: is this input the side of its convolutions, not the shortcut? */
int r2n_matching_is_main(const r2n_matching *m, int32_t value);

/* From the scores back to the picture: stem, blocks, classes, and so the architecture and family.
 */
res2net_status r2n_matching_discover(r2n_matching *m);
/* Every node of the catalogue's graph against the operations. */
res2net_status r2n_matching_compare(r2n_matching *m, const r2n_graph *ours);
/* match_levels.c, for files in int8; of others nothing is looked at. `operation` reads its input
 * `number` as our node `reader` reads its input `input`: is it rounded where ours is, and how? */
res2net_status r2n_matching_take_scale(r2n_matching *m, const r2n_graph *ours, int32_t reader,
                                       int32_t input, const r2n_foreign_operation *operation,
                                       int32_t number);
/* After all: a maximum has its input's scale. */
void r2n_matching_finish_scales(r2n_matching *m, const r2n_graph *ours);
/* What the file's weights for channel `channel` of what the node reads have to be multiplied with,
 * because all channels of a concatenation are read at one scale. */
float r2n_matching_channel_factor(const r2n_matching *m, const r2n_graph *ours,
                                  const r2n_node *node, int32_t channel);

/* The tensors, into a new set. */
res2net_status r2n_matching_take_tensors(const r2n_matching *m, const r2n_graph *ours,
                                         r2n_tensor_set **out);

#endif
