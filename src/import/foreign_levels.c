/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rounding to int8 as src/export/onnx_quantized.c writes it: a value is held to what our levels
 * reach, becomes levels, and these become numbers again. What is read off is the scale; the network
 * is the one without rounding. Where our int8 rounds, match_levels.c holds the file to.
 */
#include <math.h>

#include "import/foreign_graph.h"

enum { LEVELS = 127, PICTURE_LEVELS = 63 }; /* the picture's a side: kernels/kernels.h */

int32_t r2n_foreign_other_int8(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                               const char *reason)
{
    char name[R2N_FOREIGN_NAME_BYTES];
    r2n_foreign_label_text(label, name);
    return r2n_foreign_refuse(
        graph, RES2NET_UNSUPPORTED, label->offset,
        "%s: a network in int8 is imported only as `res2net export --precision "
        "int8` writes it (%s); take the file from before it was quantised, "
        "and `res2net quantize` for int8",
        name, reason);
}

/* The only number of a constant. */
static int read_number(const r2n_foreign_graph *graph, int32_t value, float *number)
{
    if (!r2n_foreign_is_constant(graph, value))
        return 0;
    const r2n_foreign_value *v = &graph->values[value];
    if (v->type == R2N_ELEMENT_INTEGER || v->count != 1)
        return 0;
    *number = r2n_element_read(v->type, 0, v->data);
    return isfinite(*number) != 0;
}

/* A value in a new form. */
static int32_t stand_for(r2n_foreign_graph *graph, int32_t source, r2n_foreign_form form,
                         float scale)
{
    const int32_t value = r2n_foreign_plain_value(graph, graph->values[source].channels);
    if (value < 0)
        return -1;
    graph->values[value].form = form;
    graph->values[value].source = source;
    graph->values[value].scale = scale;
    return value;
}

static int is_computed(const r2n_foreign_graph *graph, int32_t value, r2n_foreign_form form)
{
    return value >= 0 && !graph->values[value].is_constant && graph->values[value].form == form;
}

int32_t r2n_foreign_hold(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                         int32_t least, int32_t most)
{
    float limits[2];
    if (graph->status != RES2NET_OK)
        return -1;
    if (!is_computed(graph, x, R2N_FOREIGN_COMPUTED) || !read_number(graph, least, &limits[0]) ||
        !read_number(graph, most, &limits[1]))
        return r2n_foreign_unknown(graph, label);
    const int32_t held = stand_for(graph, x, R2N_FOREIGN_HELD, 0);
    if (held >= 0) {
        graph->values[held].least = limits[0];
        graph->values[held].most = limits[1];
    }
    return held;
}

/* One zero of this type. */
static int is_zero(const r2n_foreign_graph *graph, int32_t value, r2n_byte_type type)
{
    return r2n_foreign_is_constant(graph, value) && graph->values[value].byte_type == type &&
           graph->values[value].count == 1 && graph->values[value].data[0] == 0;
}

static int is_near(float number, float expected)
{
    return fabsf(number - expected) <= 1e-5f * fabsf(expected);
}

int32_t r2n_foreign_to_levels(r2n_foreign_graph *graph, const r2n_foreign_label *label, int32_t x,
                              int32_t scale, int32_t zero)
{
    float s;
    if (graph->status != RES2NET_OK)
        return -1;
    if (!is_computed(graph, x, R2N_FOREIGN_HELD))
        return r2n_foreign_other_int8(graph, label,
                                      "there its input is clipped to what the levels reach");
    if (!read_number(graph, scale, &s) || !isnormal(s) || s < 0)
        return r2n_foreign_other_int8(graph, label, "there it has one scale, above 0");
    const r2n_foreign_value held = graph->values[x];
    const int is_picture = is_zero(graph, zero, R2N_SIGNED_BYTES);
    if (!is_picture && !is_zero(graph, zero, R2N_UNSIGNED_BYTES))
        return r2n_foreign_other_int8(graph, label, "there its zero point is a 0 in one byte");
    if (!is_near(held.most, (is_picture ? PICTURE_LEVELS : LEVELS) * s) ||
        !is_near(held.least, is_picture ? -held.most : 0))
        return r2n_foreign_other_int8(graph, label,
                                      "there levels are 0 to 127, the picture's -63 to 63");
    graph->has_levels = 1;
    return stand_for(graph, held.source, R2N_FOREIGN_LEVELS, s);
}

/* Weights: bytes with a scale for each output channel. */
static int32_t weights_from_levels(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                                   int32_t levels, int32_t scale, int64_t axis)
{
    const r2n_foreign_value weights = graph->values[levels];
    if (weights.byte_type != R2N_SIGNED_BYTES || weights.worth >= 0 || weights.rank < 2)
        return r2n_foreign_other_int8(graph, label, "there weights are signed bytes");
    if (!r2n_foreign_is_constant(graph, scale) || axis != 0 ||
        graph->values[scale].type == R2N_ELEMENT_INTEGER || graph->values[scale].rank != 1 ||
        graph->values[scale].count != weights.shape[0])
        return r2n_foreign_other_int8(graph, label,
                                      "there weights have a scale for each output channel");
    const int32_t value = r2n_foreign_plain_value(graph, 0);
    if (value < 0)
        return -1;
    graph->values[value] = weights;
    graph->values[value].worth = scale;
    return value;
}

int32_t r2n_foreign_from_levels(r2n_foreign_graph *graph, const r2n_foreign_label *label,
                                int32_t levels, int32_t scale, int32_t zero, int64_t axis)
{
    float s;
    if (graph->status != RES2NET_OK)
        return -1;
    if (r2n_foreign_is_constant(graph, levels)) {
        if (zero >= 0)
            return r2n_foreign_other_int8(graph, label, "there weights have no zero point");
        return weights_from_levels(graph, label, levels, scale, axis);
    }
    if (!is_computed(graph, levels, R2N_FOREIGN_LEVELS) || !read_number(graph, scale, &s) ||
        !isnormal(s) || s < 0)
        return r2n_foreign_other_int8(graph, label, "there it has levels and one scale, above 0");
    if (!is_zero(graph, zero, R2N_SIGNED_BYTES) && !is_zero(graph, zero, R2N_UNSIGNED_BYTES))
        return r2n_foreign_other_int8(graph, label, "there its zero point is a 0 in one byte");
    const r2n_foreign_value from = graph->values[levels];
    if (from.scale > 0 && (s < from.scale || s > from.scale))
        return r2n_foreign_other_int8(graph, label, "there the scale is that of the rounding");
    return stand_for(graph, from.source, R2N_FOREIGN_ROUNDED, s);
}
