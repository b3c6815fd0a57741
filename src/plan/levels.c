/* SPDX-License-Identifier: Apache-2.0 */
/* int8's weights out of a plan, in the order of their tensor: for those who write them elsewhere.
 */
#include "base/memory.h"
#include "plan/plan_internal.h"

enum { LANES = 16, QUAD = 4 }; /* of the packed layout, kernels.h */

/* Where the channels of what a convolution reads and writes are. */
typedef struct places {
    int32_t *column, *row;
} places;

static const r2n_step *find_part(const r2n_plan *plan, int32_t node, const r2n_part **part)
{
    for (int32_t i = 0; i < plan->step_count; i++)
        for (int32_t j = 0; j < plan->steps[i].part_count; j++)
            if (plan->steps[i].parts[j].node == node) {
                *part = &plan->steps[i].parts[j];
                return &plan->steps[i];
            }
    return NULL;
}

static int8_t packed_level(const r2n_step *step, int32_t row, int32_t k)
{
    const int8_t *packed = step->weights;
    return packed[((int64_t)(row / LANES) * step->k_total + k / QUAD * QUAD) * LANES +
                  row % LANES * QUAD + k % QUAD];
}

static void read_row(const r2n_plan *plan, const r2n_step *step, const r2n_part *part,
                     const places *p, int32_t channel, int8_t *to)
{
    const int32_t inputs = plan->graph->nodes[part->input].channels;
    const int32_t taps = part->k / inputs, tap_rows = part->rows / taps;
    for (int32_t c = 0; c < inputs; c++)
        for (int32_t t = 0; t < taps; t++)
            *to++ =
                packed_level(step, p->row[channel], part->k_first + t * tap_rows + p->column[c]);
}

res2net_status r2n_plan_read_levels(const r2n_plan *plan, int32_t node, int8_t *levels,
                                    float *worth, res2net_report *report)
{
    const r2n_part *part;
    const r2n_step *step = find_part(plan, node, &part);
    if (step == NULL)
        return r2n_fail(report, RES2NET_INTERNAL, NULL, -1, "no step of the plan has %s",
                        plan->graph->nodes[node].name);
    const int32_t channels = plan->graph->nodes[node].channels;
    const int is_scores = step->result == plan->graph->count - 1;
    places p = {
        .column = r2n_allocate((size_t)plan->graph->nodes[part->input].channels, sizeof *p.column),
        .row = r2n_allocate((size_t)channels, sizeof *p.row)};
    if (p.column == NULL || p.row == NULL) {
        r2n_free(p.column);
        r2n_free(p.row);
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the weights");
    }
    r2n_plan_find_places(plan, part->input, p.column);
    r2n_plan_find_places(plan, step->result, p.row);
    for (int32_t n = 0; n < channels; n++) {
        if (levels != NULL)
            read_row(plan, step, part, &p, n, levels + (int64_t)n * part->k);
        worth[n] = step->scale[p.row[n]];
        if (!is_scores)
            worth[n] *= r2n_plan_channel_scale(plan, step->result, n);
    }
    r2n_free(p.column);
    r2n_free(p.row);
    return RES2NET_OK;
}
