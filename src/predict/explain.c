/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/thread_pool.h"
#include "kernels/ceiling.h"
#include "predict/session.h"

enum { TIMED_RUNS = 15 };

void res2net_plan_report_free(res2net_plan_report *plan)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        r2n_free((void *)(uintptr_t)plan->steps[i].shape);
        r2n_free((void *)(uintptr_t)plan->steps[i].refused);
    }
    r2n_free(plan->steps);
    *plan = (res2net_plan_report){0};
}

static res2net_status describe_steps(const r2n_placement *placement, res2net_plan_report *out,
                                     res2net_report *report)
{
    const int32_t count = r2n_placement_step_count(placement);
    out->steps = r2n_allocate_zeroed((size_t)count, sizeof *out->steps);
    for (int32_t i = 0; out->steps != NULL && i < count; i++) {
        r2n_step_facts facts;
        r2n_placement_describe(placement, i, &facts);
        res2net_plan_step *step = &out->steps[i];
        step->name = facts.name;
        step->kernel = facts.kernel;
        step->macs = facts.macs;
        step->shape = r2n_copy_string(facts.shape);
        step->refused = r2n_copy_string(facts.refused);
        out->step_count++;
        if (step->shape == NULL || step->refused == NULL)
            break;
    }
    if (out->step_count < (size_t)count || out->steps[count - 1].refused == NULL) {
        res2net_plan_report_free(out);
        return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory for the explanation");
    }
    return RES2NET_OK;
}

static res2net_status time_steps(res2net_session *session, res2net_plan_report *out,
                                 res2net_report *report)
{
    const size_t floats =
        (size_t)session->batch * 3 * (size_t)session->rows * (size_t)session->columns;
    const size_t logits = (size_t)session->batch * (size_t)session->model->architecture.classes;
    float *input = r2n_allocate_zeroed(floats, sizeof(float));
    float *result = r2n_allocate(logits, sizeof(float));
    double *seconds = r2n_allocate_zeroed(out->step_count, sizeof(double));
    res2net_status status = RES2NET_OK;
    if (input == NULL || result == NULL || seconds == NULL) {
        status = r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to time the steps");
    } else {
        for (size_t i = 0; i < floats; i++)
            input[i] = (float)((i * 2654435761u >> 8) % 4096) / 1024.0f - 2.0f;
        for (int i = 0; i < TIMED_RUNS; i++)
            r2n_placement_time(session->placement, session->block, input, result, session->threads,
                               seconds);
        for (size_t i = 0; i < out->step_count; i++)
            out->steps[i].microseconds = seconds[i] * 1e6;
        out->ceiling_gmacs = r2n_measure_ceiling(session->precision, session->isa, session->threads) * 1e-9;
    }
    r2n_free(input);
    r2n_free(result);
    r2n_free(seconds);
    return status;
}

res2net_status res2net_session_explain(res2net_session *session, int32_t batch, int32_t height,
                                       int32_t width, int timed, res2net_plan_report *out,
                                       res2net_report *report)
{
    *out = (res2net_plan_report){0};
    res2net_status status = r2n_session_fit(session, batch, height, width, report);
    if (status == RES2NET_OK)
        status = describe_steps(session->placement, out, report);
    if (status != RES2NET_OK)
        return status;
    out->memory_bytes = r2n_placement_block_bytes(session->placement);
    out->weights_bytes = r2n_plan_weights_bytes(session->plan);
    out->threads = r2n_thread_pool_size(session->threads);
    if (timed)
        status = time_steps(session, out, report);
    if (status != RES2NET_OK)
        res2net_plan_report_free(out);
    return status;
}
