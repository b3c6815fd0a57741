/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs pictures in f32 step by step, counts the values of every node that has a scale in int8, and
 * chooses the scales.
 */
#include "quantize/quantize.h"

#include <pthread.h>

#include "base/memory.h"
#include "base/thread_pool.h"
#include "quantize/histogram.h"

struct r2n_calibration {
    res2net_session *session;
    const r2n_graph *graph;
    r2n_histogram **seen;   /* [graph->count], NULL where a node has no scale */
    r2n_histogram *scratch; /* [threads] */
    int threads;
    float *values; /* a row a thread */
    size_t value_capacity;
    int32_t node; /* being looked at */
    pthread_mutex_t lock;
};

static res2net_status no_memory(res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the calibration");
}

static int add_node(r2n_calibration *c, int32_t node)
{
    c->seen[node] = r2n_allocate(1, sizeof **c->seen);
    if (c->seen[node] == NULL)
        return 0;
    r2n_histogram_clear(c->seen[node]);
    return 1;
}

static int add_nodes(r2n_calibration *c)
{
    const r2n_plan *plan = c->session->plan;
    int32_t nodes[R2N_SCALED_VALUES_OF_STEP];
    int fine = add_node(c, r2n_plan_input(plan));
    for (int32_t step = 0; fine && step < r2n_plan_step_count(plan); step++) {
        const int32_t count = r2n_plan_scaled_values(plan, step, nodes);
        for (int32_t i = 0; fine && i < count; i++)
            fine = add_node(c, nodes[i]);
    }
    return fine;
}

res2net_status r2n_calibration_create(res2net_session *session, r2n_calibration **out,
                                      res2net_report *report)
{
    r2n_calibration *c = r2n_allocate_zeroed(1, sizeof *c);
    *out = NULL;
    if (c == NULL || pthread_mutex_init(&c->lock, NULL) != 0) {
        r2n_free(c);
        return no_memory(report);
    }
    c->session = session;
    c->graph = session->model->graph;
    c->threads = r2n_thread_pool_size(session->threads);
    c->seen = r2n_allocate_zeroed((size_t)c->graph->count, sizeof *c->seen);
    c->scratch = r2n_allocate((size_t)c->threads, sizeof *c->scratch);
    if (c->seen == NULL || c->scratch == NULL || !add_nodes(c)) {
        r2n_calibration_destroy(c);
        return no_memory(report);
    }
    for (int i = 0; i < c->threads; i++)
        r2n_histogram_clear(&c->scratch[i]);
    *out = c;
    return RES2NET_OK;
}

void r2n_calibration_destroy(r2n_calibration *calibration)
{
    if (calibration == NULL)
        return;
    for (int32_t i = 0; calibration->seen != NULL && i < calibration->graph->count; i++)
        r2n_free(calibration->seen[i]);
    r2n_free(calibration->seen);
    r2n_free(calibration->scratch);
    r2n_free(calibration->values);
    pthread_mutex_destroy(&calibration->lock);
    r2n_free(calibration);
}

/* ---- looking ---- */

static void look_at_rows(void *context, r2n_team *team, int thread, int threads)
{
    r2n_calibration *c = context;
    const r2n_placement *placement = c->session->placement;
    const int64_t rows = r2n_placement_rows(placement, c->node);
    const int32_t values = r2n_placement_row_values(placement, c->node);
    r2n_histogram *mine = &c->scratch[thread];
    float *row = c->values + (size_t)thread * (size_t)values;
    (void)team;
    for (int64_t i = rows * thread / threads; i < rows * (thread + 1) / threads; i++) {
        r2n_placement_read_row(placement, c->session->block, c->node, (int32_t)i, row);
        r2n_histogram_add(mine, row, values);
    }
    pthread_mutex_lock(&c->lock);
    r2n_histogram_merge(c->seen[c->node], mine);
    pthread_mutex_unlock(&c->lock);
    r2n_histogram_clear(mine);
}

static res2net_status look_at(r2n_calibration *c, int32_t node, res2net_report *report)
{
    const int32_t values = r2n_placement_row_values(c->session->placement, node);
    if (!r2n_grow((void **)&c->values, &c->value_capacity, (size_t)values * (size_t)c->threads,
                  sizeof *c->values))
        return no_memory(report);
    c->node = node;
    r2n_thread_pool_run(c->threads, look_at_rows, c);
    if (c->seen[node]->strange > 0)
        return r2n_fail(report, RES2NET_NOT_FINITE, NULL, -1,
                        "%s gives numbers that are not finite: the model cannot be calibrated with "
                        "these pictures",
                        c->graph->nodes[node].name);
    return RES2NET_OK;
}

res2net_status r2n_calibration_see(void *calibration, const r2n_picture_group *group,
                                   res2net_report *report)
{
    r2n_calibration *c = calibration;
    res2net_session *session = c->session;
    const r2n_plan *plan = session->plan;
    int32_t nodes[R2N_SCALED_VALUES_OF_STEP];
    res2net_status status =
        r2n_session_fit(session, group->count, group->rows, group->columns, report);
    if (status != RES2NET_OK)
        return status;
    r2n_placement_put_input(session->placement, session->block, group->input);
    status = look_at(c, r2n_plan_input(plan), report);
    for (int32_t step = 0; step < r2n_plan_step_count(plan) && status == RES2NET_OK; step++) {
        r2n_placement_run_step(session->placement, session->block, step, session->threads);
        const int32_t count = r2n_plan_scaled_values(plan, step, nodes);
        for (int32_t i = 0; i < count && status == RES2NET_OK; i++)
            status = look_at(c, nodes[i], report);
    }
    return status;
}

/* ---- choosing ---- */

float *r2n_calibration_scales(const r2n_calibration *calibration, int32_t *count)
{
    const r2n_node *nodes = calibration->graph->nodes;
    float *scales = r2n_allocate_zeroed((size_t)calibration->graph->count, sizeof *scales);
    *count = calibration->graph->count;
    for (int32_t i = 0; scales != NULL && i < *count; i++) {
        const int is_picture = nodes[i].kind == R2N_NODE_INPUT;
        if (calibration->seen[i] == NULL)
            continue;
        scales[i] = r2n_histogram_scale(calibration->seen[i],
                                        is_picture ? R2N_INT8_MAXIMUM - R2N_INT8_PICTURE_ZERO
                                                   : R2N_INT8_MAXIMUM);
        /* A maximum keeps its input's bytes, and is all that is read of them: it decides. */
        if (nodes[i].kind == R2N_NODE_POOL && !nodes[i].pool_is_average)
            scales[nodes[i].inputs[0]] = scales[i];
    }
    return scales;
}
