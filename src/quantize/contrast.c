/* SPDX-License-Identifier: Apache-2.0 */
/* The same pictures through two sessions, step by step or as wholes: how far values are apart, and
 * whether answers are the same. Sums are taken in an order that no number of threads changes. */
#include <math.h>

#include "base/memory.h"
#include "base/thread_pool.h"
#include "quantize/quantize.h"

r2n_contrast r2n_contrast_begin(res2net_session *first, res2net_session *second, r2n_energy *steps,
                                res2net_comparison *out)
{
    *out = (res2net_comparison){0};
    return (r2n_contrast){.sessions = {first, second}, .out = out, .steps = steps};
}

double r2n_decibels(r2n_energy energy)
{
    if (energy.noise > 0)
        return 10 * log10(energy.signal / energy.noise);
    return (double)INFINITY;
}

static res2net_status no_memory(res2net_report *report)
{
    return r2n_fail(report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to compare two runs");
}

/* ---- steps ---- */

static void compare_rows(void *context, r2n_team *team, int thread, int threads)
{
    const r2n_contrast *c = context;
    const res2net_session *a = c->sessions[0], *b = c->sessions[1];
    const int64_t rows = r2n_placement_rows(a->placement, c->node);
    const int32_t count = r2n_placement_row_values(a->placement, c->node);
    float *x = c->values + 2 * (size_t)thread * (size_t)count;
    float *y = x + count;
    (void)team;
    for (int64_t row = rows * thread / threads; row < rows * (thread + 1) / threads; row++) {
        r2n_energy sum = {0, 0};
        r2n_placement_read_row(a->placement, a->block, c->node, (int32_t)row, x);
        r2n_placement_read_row(b->placement, b->block, c->node, (int32_t)row, y);
        for (int32_t i = 0; i < count; i++) {
            const double off = (double)x[i] - (double)y[i];
            sum.signal += (double)x[i] * (double)x[i];
            sum.noise += off * off;
        }
        c->rows[row] = sum;
    }
}

static res2net_status compare_step(r2n_contrast *c, int32_t step, res2net_report *report)
{
    const res2net_session *a = c->sessions[0];
    const int threads = r2n_thread_pool_size(a->threads);
    c->node = r2n_plan_step_result(a->plan, step);
    const size_t rows = (size_t)r2n_placement_rows(a->placement, c->node);
    const size_t values = (size_t)r2n_placement_row_values(a->placement, c->node);
    if (!r2n_grow((void **)&c->values, &c->value_capacity, 2 * values * (size_t)threads,
                  sizeof *c->values) ||
        !r2n_grow((void **)&c->rows, &c->row_capacity, rows, sizeof *c->rows))
        return no_memory(report);
    r2n_thread_pool_run(threads, compare_rows, c);
    for (size_t row = 0; row < rows; row++) {
        c->steps[step].signal += c->rows[row].signal;
        c->steps[step].noise += c->rows[row].noise;
    }
    return RES2NET_OK;
}

/* Both plans are of one graph and mode, so their steps are the same. */
static res2net_status run_step_by_step(r2n_contrast *c, const r2n_picture_group *group,
                                       res2net_report *report)
{
    const int32_t steps = r2n_plan_step_count(c->sessions[0]->plan);
    res2net_status status = RES2NET_OK;
    for (int i = 0; i < 2 && status == RES2NET_OK; i++)
        status = r2n_session_fit(c->sessions[i], group->count, group->rows, group->columns, report);
    for (int i = 0; i < 2 && status == RES2NET_OK; i++)
        r2n_placement_put_input(c->sessions[i]->placement, c->sessions[i]->block, group->input);
    for (int32_t step = 0; step < steps && status == RES2NET_OK; step++) {
        for (int i = 0; i < 2; i++)
            r2n_placement_run_step(c->sessions[i]->placement, c->sessions[i]->block, step,
                                   c->sessions[i]->threads);
        status = compare_step(c, step, report);
    }
    for (int i = 0; i < 2 && status == RES2NET_OK; i++)
        r2n_placement_read_logits(c->sessions[i]->placement, c->sessions[i]->block, c->logits[i]);
    return status;
}

/* ---- answers ---- */

/* The class of the best score, the first of equal ones. */
static int32_t best_class(const float *logits, int32_t classes)
{
    int32_t best = 0;
    for (int32_t n = 1; n < classes; n++)
        if (logits[n] > logits[best])
            best = n;
    return best;
}

static void count_label(r2n_contrast *c, int side, int32_t label, const float *logits)
{
    const int32_t classes = c->sessions[0]->model->architecture.classes;
    const int32_t best = best_class(logits, classes);
    const double most = (double)logits[best];
    int32_t better = 0; /* classes that come before the label */
    double sum = 1;     /* the best one's */
    for (int32_t n = 0; n < classes; n++) {
        better += logits[n] > logits[label] || (n < label && logits[n] == logits[label]);
        if (n != best)
            sum += exp((double)logits[n] - most);
    }
    c->out->top1_correct[side] += better < 1;
    c->out->top5_correct[side] += better < 5;
    c->loss[side] += log(sum) + most - (double)logits[label];
}

static void count_picture(r2n_contrast *c, int32_t label, const float *a, const float *b)
{
    const int32_t classes = c->sessions[0]->model->architecture.classes;
    r2n_energy sum = {0, 0};
    c->out->images++;
    c->out->same_answer += best_class(a, classes) == best_class(b, classes);
    for (int32_t n = 0; n < classes; n++) {
        const double off = (double)a[n] - (double)b[n];
        sum.signal += (double)a[n] * (double)a[n];
        sum.noise += off * off;
        c->largest_score = fmax(c->largest_score, fabs((double)a[n]));
        c->largest_difference = fmax(c->largest_difference, fabs(off));
    }
    c->scores.signal += sum.signal;
    c->scores.noise += sum.noise;
    if (label < 0)
        return;
    c->out->labelled++;
    count_label(c, 0, label, a);
    count_label(c, 1, label, b);
}

res2net_status r2n_contrast_see(void *contrast, const r2n_picture_group *group,
                                res2net_report *report)
{
    r2n_contrast *c = contrast;
    const int32_t classes = c->sessions[0]->model->architecture.classes;
    const size_t scores = (size_t)group->count * (size_t)classes;
    res2net_status status = RES2NET_OK;
    for (int i = 0; i < 2; i++)
        if (!r2n_grow((void **)&c->logits[i], &c->logit_capacity[i], scores, sizeof(float)))
            return no_memory(report);
    if (c->steps != NULL)
        status = run_step_by_step(c, group, report);
    for (int i = 0; i < 2 && c->steps == NULL && status == RES2NET_OK; i++)
        status = res2net_session_run(c->sessions[i], group->input, group->count, group->rows,
                                     group->columns, c->logits[i], report);
    for (int32_t i = 0; i < group->count && status == RES2NET_OK; i++)
        count_picture(c, group->labels[i], c->logits[0] + (int64_t)i * classes,
                      c->logits[1] + (int64_t)i * classes);
    return status;
}

void r2n_contrast_end(r2n_contrast *contrast)
{
    res2net_comparison *out = contrast->out;
    for (int i = 0; i < 2; i++)
        out->loss[i] = out->labelled > 0 ? contrast->loss[i] / (double)out->labelled : 0;
    out->signal_to_noise = r2n_decibels(contrast->scores);
    if (contrast->largest_score > 0)
        out->largest_difference = contrast->largest_difference / contrast->largest_score;
    r2n_free(contrast->values);
    r2n_free(contrast->rows);
    r2n_free(contrast->logits[0]);
    r2n_free(contrast->logits[1]);
}
