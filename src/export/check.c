/* SPDX-License-Identifier: Apache-2.0 */
#include "export/check.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "import/import.h"
#include "kernels/cpu_features.h"
#include "weights/metadata.h"

enum { SIDE = 64 }; /* of the picture: the smallest that every network of the catalogue takes */

static const char advice[] =
    "; nothing was kept of the file. This is an error of res2net: please report it with the "
    "model's architecture and the options";

/* ---- the file as a network ------------------------------------------------------------------- */

static res2net_status check_network(const r2n_export_expectation *e, const r2n_imported *got,
                                    res2net_report *report)
{
    const r2n_graph *graph = e->model->graph;
    const int families_differ = graph->architecture.scale > 1; /* else nothing tells them apart */
    if (got->family != graph->family && families_differ)
        return r2n_fail(report, RES2NET_MISMATCH, e->target, -1,
                        "what was written reads back as of the %s family, not the %s family%s",
                        r2n_family_name(got->family), r2n_family_name(graph->family), advice);
    if (got->ends_in_softmax != e->softmax)
        return r2n_fail(report, RES2NET_MISMATCH, e->target, -1,
                        "what was written reads back as ending in %s, not in %s%s",
                        got->ends_in_softmax ? "a softmax" : "logits",
                        e->softmax ? "a softmax" : "logits", advice);
    if (got->weights->count != e->model->weights->count)
        return r2n_fail(report, RES2NET_MISMATCH, e->target, -1,
                        "what was written reads back as %zu tensors (%s), not %zu (%s)%s",
                        got->weights->count, got->architecture.name, e->model->weights->count,
                        graph->architecture.name, advice);
    return RES2NET_OK;
}

/* ---- scales ---------------------------------------------------------------------------------- */

/* What the model has beyond what the file needs does not matter. */
static res2net_status check_scales(const r2n_export_expectation *e, const r2n_imported *got,
                                   res2net_report *report)
{
    const r2n_weights_metadata *mine = &e->model->weights->metadata;
    const r2n_weights_metadata *theirs = &got->weights->metadata;
    if (e->int8 == NULL)
        return RES2NET_OK;
    if (theirs->activation_scales == NULL ||
        theirs->activation_scale_count != mine->activation_scale_count)
        return r2n_fail(report, RES2NET_MISMATCH, e->target, -1,
                        "what was written reads back without a calibration%s", advice);
    for (int32_t i = 0; i < mine->activation_scale_count; i++)
        if (theirs->activation_scales[i] > 0 &&
            (theirs->activation_scales[i] < mine->activation_scales[i] ||
             theirs->activation_scales[i] > mine->activation_scales[i]))
            return r2n_fail(report, RES2NET_MISMATCH, e->target, -1,
                            "what was written reads back with another scale for %s%s",
                            e->model->graph->nodes[i].name, advice);
    return RES2NET_OK;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static res2net_status check_tensors(const r2n_export_expectation *e, const r2n_imported *got,
                                    res2net_report *report)
{
    for (size_t i = 0; i < e->model->weights->count; i++) {
        const r2n_tensor *mine = &e->model->weights->tensors[i];
        const r2n_tensor *theirs = r2n_tensor_set_find(got->weights, mine->name);
        if (theirs == NULL || theirs->count != mine->count ||
            (e->tolerance == 0 &&
             memcmp(theirs->data, mine->data, (size_t)mine->count * sizeof *mine->data) != 0))
            return r2n_fail(report, RES2NET_MISMATCH, e->target, -1,
                            "what was written reads back with another tensor %s%s", mine->name,
                            advice);
    }
    return RES2NET_OK;
}

/* ---- levels ---------------------------------------------------------------------------------- */

typedef struct node_levels {
    int8_t *levels;
    float *worth; /* [channels] */
} node_levels;

static int levels_agree(const node_levels *mine, const node_levels *theirs, size_t count,
                        int32_t channels)
{
    for (int32_t c = 0; c < channels; c++)
        if (!(fabsf(mine->worth[c] - theirs->worth[c]) <= 1e-5f * fabsf(mine->worth[c])))
            return 0;
    return memcmp(mine->levels, theirs->levels, count) == 0;
}

static res2net_status check_node(const r2n_export_expectation *e, const r2n_plan *plan,
                                 int32_t number, size_t count, res2net_report *report)
{
    const r2n_node *node = &e->model->graph->nodes[number];
    const size_t channels = (size_t)node->channels;
    int8_t *levels = r2n_allocate(2 * count, sizeof *levels);
    float *worth = r2n_allocate(2 * channels, sizeof *worth);
    res2net_status status = RES2NET_OK;
    if (levels == NULL || worth == NULL) {
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, e->target, -1,
                          "no memory to check what was written");
    } else {
        const node_levels mine = {levels, worth}, theirs = {levels + count, worth + channels};
        status = r2n_plan_read_levels(e->int8, number, mine.levels, mine.worth, report);
        if (status == RES2NET_OK)
            status = r2n_plan_read_levels(plan, number, theirs.levels, theirs.worth, report);
        if (status == RES2NET_OK && !levels_agree(&mine, &theirs, count, node->channels))
            status = r2n_fail(report, RES2NET_MISMATCH, e->target, -1,
                              "what was written reads back with other levels of %s%s", node->name,
                              advice);
    }
    r2n_free(levels);
    r2n_free(worth);
    return status;
}

/* Of every convolution and the classifier. */
static res2net_status check_levels(const r2n_export_expectation *e, const r2n_plan *plan,
                                   res2net_report *report)
{
    const r2n_graph *graph = e->model->graph;
    res2net_status status = RES2NET_OK;
    for (int32_t i = 0; i < graph->count && status == RES2NET_OK; i++) {
        const r2n_node *node = &graph->nodes[i];
        const int is_linear = node->kind == R2N_NODE_LINEAR;
        if (node->kind != R2N_NODE_CONVOLUTION && !is_linear)
            continue;
        const size_t inputs = (size_t)graph->nodes[node->inputs[0]].channels;
        const size_t taps = is_linear ? 1 : (size_t)node->kernel * (size_t)node->kernel;
        status = check_node(e, plan, i, (size_t)node->channels * inputs * taps, report);
    }
    return status;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Noise of a fixed seed, in (-2, 2): about what normalised pictures hold. */
static void put_noise(float *picture, size_t count)
{
    uint32_t state = 20260101;
    for (size_t i = 0; i < count; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        picture[i] = (float)(int32_t)state * 0x1p-30f;
    }
}

static res2net_status run_plan(const r2n_plan *plan, const float *picture, float *logits,
                               res2net_report *report)
{
    r2n_placement *placement = NULL;
    res2net_status status = r2n_placement_create(plan, 1, SIDE, SIDE, &placement, report);
    if (status != RES2NET_OK)
        return status;
    void *block = r2n_allocate((size_t)r2n_placement_block_bytes(placement), 1);
    if (block == NULL) {
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1,
                          "no memory to run the network that was written");
    } else {
        r2n_placement_clear(placement, block);
        r2n_placement_run(placement, block, picture, logits, 0);
    }
    r2n_free(block);
    r2n_placement_destroy(placement);
    return status;
}

static res2net_status compare(const r2n_export_expectation *e, const float *mine,
                              const float *theirs, res2net_report *report)
{
    float largest = 0, difference = 0;
    const int32_t classes = e->model->graph->architecture.classes;
    for (int32_t i = 0; i < classes; i++) {
        if (!isfinite(mine[i]))
            return r2n_fail(report, RES2NET_NOT_FINITE, e->target, -1,
                            "the model itself answers noise of %dx%d with numbers that are not "
                            "finite: what was written cannot be compared, and was not kept",
                            SIDE, SIDE);
        largest = fmaxf(largest, fabsf(mine[i]));
        difference = isfinite(theirs[i]) ? fmaxf(difference, fabsf(mine[i] - theirs[i])) : INFINITY;
    }
    if (difference <= e->tolerance * largest)
        return RES2NET_OK;
    return r2n_fail(report, RES2NET_MISMATCH, e->target, -1,
                    "the logits of what was written differ from the model's by %.3g of the "
                    "largest, more than %.3g%s",
                    (double)(difference / largest), (double)e->tolerance, advice);
}

/* The model's own answer comes first, and its plan is gone before the file is read; the model's
 * pages, where it lies in a file, make room too. */
static res2net_status own_answer(const r2n_export_expectation *e, const float *picture,
                                 float *logits, res2net_report *report)
{
    const r2n_file_bytes *pages = &e->model->weights->file;
    r2n_plan *plan = NULL;
    if (e->int8 != NULL)
        return run_plan(e->int8, picture, logits, report);
    r2n_file_forget(pages, pages->data, pages->size);
    res2net_status status = r2n_plan_create(e->model->graph, e->model->weights, R2N_PLAN_INFERENCE,
                                            R2N_PRECISION_F32, r2n_isa_default(), &plan, report);
    if (status == RES2NET_OK)
        status = run_plan(plan, picture, logits, report);
    r2n_plan_destroy(plan);
    r2n_file_forget(pages, pages->data, pages->size);
    return status;
}

/* int8 does not run node for node: what a step ends in is rounded once. */
static res2net_status make_plan(const r2n_export_expectation *e, const r2n_graph *graph,
                                const r2n_tensor_set *weights, r2n_plan **out,
                                res2net_report *report)
{
    if (e->int8 != NULL)
        return r2n_plan_create(graph, weights, R2N_PLAN_INFERENCE, R2N_PRECISION_INT8,
                               R2N_ISA_REFERENCE, out, report);
    return r2n_plan_create(graph, weights, R2N_PLAN_UNFUSED, R2N_PRECISION_F32, R2N_ISA_REFERENCE,
                           out, report);
}

static res2net_status check_answers(const r2n_export_expectation *e, const r2n_imported *got,
                                    const float *picture, const float *mine, float *theirs,
                                    res2net_report *report)
{
    r2n_graph *graph = NULL;
    r2n_plan *plan = NULL;
    res2net_status status = r2n_graph_create(&got->architecture, got->family, &graph, report);
    if (status == RES2NET_OK)
        status = make_plan(e, graph, got->weights, &plan, report);
    if (status == RES2NET_OK && e->int8 != NULL)
        status = check_levels(e, plan, report);
    if (status == RES2NET_OK)
        status = run_plan(plan, picture, theirs, report);
    if (status == RES2NET_OK)
        status = compare(e, mine, theirs, report);
    r2n_plan_destroy(plan);
    r2n_graph_destroy(graph);
    return status;
}

/* ---- all ------------------------------------------------------------------------------------- */

static res2net_status check_file(const r2n_export_expectation *e, const char *file,
                                 const float *picture, const float *mine, float *theirs,
                                 res2net_report *report)
{
    r2n_imported got;
    res2net_status status = r2n_import(file, &got, report);
    if (status == RES2NET_OUT_OF_MEMORY)
        return status;
    if (status != RES2NET_OK)
        return r2n_fail(report, status, e->target, -1, "what was written cannot be read back%s",
                        advice);
    status = check_network(e, &got, report);
    if (status == RES2NET_OK)
        status = check_scales(e, &got, report);
    if (status == RES2NET_OK)
        status = check_tensors(e, &got, report);
    if (status == RES2NET_OK && e->tolerance > 0)
        status = check_answers(e, &got, picture, mine, theirs, report);
    r2n_imported_free(&got);
    return status;
}

res2net_status r2n_export_check(const r2n_export_expectation *expected, const char *file,
                                res2net_report *report)
{
    const size_t values = (size_t)3 * SIDE * SIDE;
    const size_t classes = (size_t)expected->model->graph->architecture.classes;
    res2net_status status = RES2NET_OK;
    if (expected->tolerance == 0)
        return check_file(expected, file, NULL, NULL, NULL, report);
    float *picture = r2n_allocate(values + 2 * classes, sizeof *picture);
    if (picture == NULL)
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, expected->target, -1,
                        "no memory to check what was written");
    put_noise(picture, values);
    float *mine = picture + values;
    status = own_answer(expected, picture, mine, report);
    if (status == RES2NET_OK)
        status = check_file(expected, file, picture, mine, mine + classes, report);
    r2n_free(picture);
    return status;
}
