/* SPDX-License-Identifier: Apache-2.0 */
/* Folds batch norms into convolutions and packs the weights of a step. */
#include "plan/plan_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static const double EPSILON = 1e-5; /* both families, spec 1.7 */

static res2net_status no_memory(res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the packed weights");
}

static const r2n_tensor *find(const r2n_tensor_set *weights, const r2n_node *node,
                              const char *suffix, int64_t count, res2net_report *report)
{
    char name[R2N_NAME_BYTES + 16];
    snprintf(name, sizeof name, "%s%s", node->tensor, suffix);
    const r2n_tensor *tensor = r2n_tensor_set_find(weights, name);
    if (tensor == NULL || tensor->count != count) {
        r2n_fail(report, RES2NET_MISMATCH, NULL, -1, "the tensor %s is missing or of another size",
                 name);
        return NULL;
    }
    return tensor;
}

/* A batch norm as scale and shift: y = x * scale + shift, worked out in double, rounded once. */
static res2net_status batch_norm_factors(const r2n_tensor_set *weights, const r2n_node *node,
                                         float *scale, float *shift, res2net_report *report)
{
    static const char *const suffixes[4] = {".weight", ".bias", ".running_mean", ".running_var"};
    const float *data[4];
    for (int i = 0; i < 4; i++) {
        const r2n_tensor *tensor = find(weights, node, suffixes[i], node->channels, report);
        if (tensor == NULL)
            return RES2NET_MISMATCH;
        data[i] = tensor->data;
    }
    for (int32_t n = 0; n < node->channels; n++) {
        const double factor = (double)data[0][n] / sqrt((double)data[3][n] + EPSILON);
        scale[n] = (float)factor;
        shift[n] = (float)((double)data[1][n] - (double)data[2][n] * factor);
    }
    return RES2NET_OK;
}

/* One part's weights, ready to be written into the step's matrix. */
typedef struct part_weights {
    const float *weight; /* [channels][inputs][taps] */
    const float *factor; /* [channels], or NULL for 1 */
    int32_t channels, inputs, taps;
    int32_t tap_columns;   /* columns of one tap */
    const int32_t *column; /* [inputs] in a tap */
    const float *worth;    /* int8: [inputs] what a level of the input is worth; else NULL */
    const int32_t *row;    /* [channels] of the matrix */
    int64_t columns;       /* of the matrix */
} part_weights;

/* Sums run tap by tap, then channel by channel. */
static void write_weights(const part_weights *p, float *matrix)
{
    for (int32_t n = 0; n < p->channels; n++) {
        float *row = matrix + p->row[n] * p->columns;
        const float *from = p->weight + (int64_t)n * p->inputs * p->taps;
        const float factor = p->factor != NULL ? p->factor[n] : 1.0f;
        for (int32_t c = 0; c < p->inputs; c++)
            for (int32_t t = 0; t < p->taps; t++) {
                float value = from[c * p->taps + t] * factor;
                if (p->worth != NULL)
                    value *= p->worth[c];
                row[t * p->tap_columns + p->column[c]] = value;
            }
    }
}

void r2n_plan_find_places(const r2n_plan *plan, int32_t node, int32_t *places)
{
    const r2n_value *value = &plan->values[node];
    int32_t channel = 0, before = 0;
    for (int32_t i = 0; i < value->count; i++) {
        const r2n_segment *segment = &value->segments[i];
        const r2n_buffer *buffer = &plan->buffers[segment->buffer];
        const int32_t first = r2n_buffer_place(buffer, segment->first_channel);
        for (int32_t c = 0; c < segment->channels; c++)
            places[channel++] =
                before + (buffer->holds_floats
                              ? c
                              : r2n_buffer_place(buffer, segment->first_channel + c) - first);
        before += r2n_segment_elements(plan, segment);
    }
}

/* What packing a step needs, in one block of numbers. */
typedef struct scratch {
    float *factor, *shift, *worth; /* [channels], [channels], [inputs] */
    int32_t *column, *row;         /* [inputs], [channels] */
} scratch;

static int make_scratch(scratch *s, int32_t channels, int32_t inputs)
{
    *s = (scratch){.factor = r2n_allocate(2 * (size_t)channels, sizeof(float)),
                   .worth = r2n_allocate((size_t)inputs, sizeof(float)),
                   .column = r2n_allocate((size_t)inputs, sizeof(int32_t)),
                   .row = r2n_allocate((size_t)channels, sizeof(int32_t))};
    if (s->factor != NULL)
        s->shift = s->factor + channels;
    return s->factor != NULL && s->worth != NULL && s->column != NULL && s->row != NULL;
}

static void free_scratch(scratch *s)
{
    r2n_free(s->factor);
    r2n_free(s->worth);
    r2n_free(s->column);
    r2n_free(s->row);
}

/* Folds a part's batch norm; its weights go to `matrix` from its first column on, its offsets are
 * added to `bias`, both at the result's places. */
static res2net_status fold_part(const r2n_plan *plan, const r2n_step *step, const r2n_part *part,
                                const r2n_tensor_set *weights, scratch *s, float *matrix,
                                int64_t columns, float *bias, res2net_report *report)
{
    const r2n_node *node = &plan->graph->nodes[part->node];
    part_weights p = {.channels = node->channels,
                      .inputs = plan->graph->nodes[part->input].channels,
                      .column = s->column,
                      .row = s->row,
                      .columns = columns};
    p.taps = part->k / p.inputs;
    p.tap_columns = part->rows / p.taps;
    const r2n_tensor *weight =
        find(weights, node, ".weight", (int64_t)p.channels * part->k, report);
    if (weight == NULL)
        return RES2NET_MISMATCH;
    p.weight = weight->data;
    r2n_plan_find_places(plan, part->input, s->column);
    r2n_plan_find_places(plan, step->result, s->row);
    if (node->kind == R2N_NODE_LINEAR) {
        const r2n_tensor *own = find(weights, node, ".bias", p.channels, report);
        if (own == NULL)
            return RES2NET_MISMATCH;
        for (int32_t n = 0; n < p.channels; n++)
            bias[s->row[n]] += own->data[n];
    }
    if (part->batch_norm >= 0) {
        if (batch_norm_factors(weights, &plan->graph->nodes[part->batch_norm], s->factor, s->shift,
                               report) != RES2NET_OK)
            return RES2NET_MISMATCH;
        p.factor = s->factor;
        for (int32_t n = 0; n < p.channels; n++)
            bias[s->row[n]] += s->shift[n];
    }
    if (plan->precision == R2N_PRECISION_INT8) {
        for (int32_t c = 0; c < p.inputs; c++)
            s->worth[c] = r2n_plan_channel_scale(plan, part->input, c);
        p.worth = s->worth;
    }
    write_weights(&p, matrix);
    return RES2NET_OK;
}

/* Quantises the rows of the matrix; bias and scale in levels of the output, whose channel c has row
 * places[c]. */
static void pack_integers(const r2n_plan *plan, const r2n_step *step, float *matrix,
                          const int32_t *places, int8_t *packed, float *bias, float *scale,
                          float *steps)
{
    const int32_t rows = r2n_value_elements(plan, step->result);
    const int64_t columns = step->k_total;
    const int is_scores = step->result == plan->graph->count - 1;
    const int reads_picture = plan->graph->nodes[step->parts[0].input].kind == R2N_NODE_INPUT;
    for (int32_t n = 0; n < rows; n++) {
        float *row = matrix + n * columns;
        float largest = 0;
        for (int64_t k = 0; k < columns; k++)
            largest = fmaxf(largest, fabsf(row[k]));
        steps[n] = largest > 0 ? largest / R2N_INT8_MAXIMUM : 1.0f;
        scale[n] = steps[n];
        r2n_round_row(row, columns, steps[n]);
        int64_t sum = 0;
        for (int64_t k = 0; k < columns && reads_picture; k++)
            sum += r2n_int8_level(row[k], steps[n]);
        bias[n] -= (float)((double)sum * R2N_INT8_PICTURE_ZERO * steps[n]);
    }
    for (int32_t c = 0; c < plan->graph->nodes[step->result].channels && !is_scores; c++) {
        const float worth = r2n_plan_channel_scale(plan, step->result, c);
        scale[places[c]] /= worth;
        bias[places[c]] /= worth;
    }
    r2n_pack_int8(packed, rows, step->k_total, 0, step->k_total, matrix, columns, steps);
}

static void pack_matrix(const r2n_plan *plan, const r2n_step *step, const float *matrix,
                        int64_t columns, void *packed)
{
    const int32_t rows = r2n_value_elements(plan, step->result);
    for (int32_t i = 0; i < step->part_count; i++) {
        const r2n_part *part = &step->parts[i];
        if (step->winograd)
            r2n_pack_winograd(packed, rows, r2n_value_elements(plan, part->input), matrix);
        else if (plan->precision == R2N_PRECISION_F32)
            r2n_pack_f32(packed, rows, step->k_total, part->k_first, part->rows, matrix, columns,
                         NULL);
        else
            r2n_pack_bf16(packed, rows, step->k_total, part->k_first, part->rows, matrix, columns,
                          NULL, 0);
        if (plan->precision == R2N_PRECISION_BF16X3)
            r2n_pack_bf16(packed, rows, step->k_total, part->k_first + part->rows, part->rows,
                          matrix, columns, NULL, 1);
        matrix += part->rows;
    }
}

static res2net_status pack_gemm(const r2n_plan *plan, const r2n_step *step,
                                const r2n_tensor_set *weights, void *packed, float *bias,
                                float *scale, res2net_report *report)
{
    const int32_t channels = r2n_value_elements(plan, step->result);
    int32_t inputs = 0;
    int64_t columns = 0;
    for (int32_t i = 0; i < step->part_count; i++) {
        const int32_t part_inputs = plan->graph->nodes[step->parts[i].input].channels;
        inputs = part_inputs > inputs ? part_inputs : inputs;
        columns += step->parts[i].rows;
    }
    scratch s;
    res2net_status status = RES2NET_OK;
    const int there = make_scratch(&s, channels, inputs);
    float *matrix = r2n_allocate_zeroed((size_t)channels * (size_t)columns, sizeof(float));
    if (!there || matrix == NULL)
        status = no_memory(report);
    int64_t first = 0;
    for (int32_t i = 0; i < step->part_count && status == RES2NET_OK; i++) {
        status = fold_part(plan, step, &step->parts[i], weights, &s, matrix + first, columns, bias,
                           report);
        first += step->parts[i].rows;
    }
    if (status == RES2NET_OK && plan->precision == R2N_PRECISION_INT8)
        pack_integers(plan, step, matrix, s.row, packed, bias, scale, s.factor);
    else if (status == RES2NET_OK)
        pack_matrix(plan, step, matrix, columns, packed);
    free_scratch(&s);
    r2n_free(matrix);
    return status;
}

res2net_status r2n_plan_pack_step(const r2n_plan *plan, const r2n_step *step,
                                  const r2n_tensor_set *weights, void *first, float *second,
                                  float *third, res2net_report *report)
{
    if (step->operation != R2N_OPERATION_GEMM)
        return batch_norm_factors(weights, &plan->graph->nodes[step->result], first, second,
                                  report);
    return pack_gemm(plan, step, weights, first, second, third, report);
}
