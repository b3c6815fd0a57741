/* SPDX-License-Identifier: Apache-2.0 */
#include "train/learning_rate.h"

#include <assert.h>
#include <math.h>

static const double PI = 3.14159265358979323846;

/* ---- what a schedule counts in: its steps, one an iteration or one an epoch ------------------ */

static double steps_an_epoch(const r2n_schedule *schedule)
{
    return schedule->by_epoch ? 1 : (double)schedule->iterations;
}

/* Rounded as Python's round does it: halves to even. */
static double warmup_steps(const r2n_schedule *schedule)
{
    return nearbyint(schedule->warmup_epochs * steps_an_epoch(schedule));
}

/* PaddleClas takes warm-ups of whole iterations only before a cosine or linear decay; the decay of
 * any other fills what is left of the run too. */
static double decay_steps(const r2n_schedule *schedule)
{
    return (double)schedule->epochs * steps_an_epoch(schedule) - warmup_steps(schedule);
}

/* ---- the decays, by how many steps they have made -------------------------------------------- */

static double cosine(const r2n_schedule *schedule, double step)
{
    const double steps = decay_steps(schedule);
    if (steps <= 0)
        return schedule->rate;
    return schedule->minimum +
           (schedule->rate - schedule->minimum) * (1 + cos(PI * step / steps)) / 2;
}

static double linear(const r2n_schedule *schedule, double step)
{
    const double steps = decay_steps(schedule);
    if (steps <= 0)
        return schedule->rate;
    return schedule->minimum + (schedule->rate - schedule->minimum) *
                                   pow(1 - fmin(step, steps) / steps, schedule->power);
}

/* How many of the points, in epochs, lie behind. */
static int32_t points_passed(const r2n_schedule *schedule, double step)
{
    int32_t passed = 0;
    while (passed < schedule->points && step >= schedule->at[passed] * steps_an_epoch(schedule))
        passed++;
    return passed;
}

static double start_rate(const r2n_schedule *schedule)
{
    return schedule->kind == R2N_SCHEDULE_PIECEWISE ? schedule->values[0] : schedule->rate;
}

static double decayed(const r2n_schedule *schedule, double step)
{
    switch (schedule->kind) {
    case R2N_SCHEDULE_COSINE:
        return cosine(schedule, step);
    case R2N_SCHEDULE_LINEAR:
        return linear(schedule, step);
    case R2N_SCHEDULE_STEP:
        return schedule->rate *
               pow(schedule->gamma,
                   floor(step / (schedule->step_epochs * steps_an_epoch(schedule))));
    case R2N_SCHEDULE_MULTI_STEP:
        return schedule->rate * pow(schedule->gamma, points_passed(schedule, step));
    case R2N_SCHEDULE_PIECEWISE:
        return schedule->values[points_passed(schedule, step)];
    case R2N_SCHEDULE_CONSTANT:
        break;
    }
    return schedule->rate;
}

/* After a warm-up the decay begins at its own start: its points move by the warm-up's length. */
static double rate_at_step(const r2n_schedule *schedule, double step)
{
    const double warmup = warmup_steps(schedule);
    if (step < warmup)
        return schedule->warmup_start +
               (start_rate(schedule) - schedule->warmup_start) * step / warmup;
    return decayed(schedule, step - warmup);
}

static double step_of(const r2n_schedule *schedule, int64_t iteration)
{
    assert(schedule->iterations > 0);
    return (double)(schedule->by_epoch ? iteration / schedule->iterations : iteration);
}

double r2n_schedule_rate(const r2n_schedule *schedule, int64_t iteration)
{
    return rate_at_step(schedule, step_of(schedule, iteration));
}

/*
 * Paddle's scheduler has stepped already when its iteration is logged (by epoch it has not). The
 * cosine computes a rate from the one before, and asking for it once more takes one ratio more;
 * the other classes, and a cosine in a warm-up, answer the same as often as they are asked.
 */
double r2n_schedule_logged_rate(const r2n_schedule *schedule, int64_t iteration)
{
    const double step = step_of(schedule, iteration) + (schedule->by_epoch ? 0 : 1);
    const double rate = rate_at_step(schedule, step), steps = decay_steps(schedule);
    if (schedule->kind != R2N_SCHEDULE_COSINE || warmup_steps(schedule) > 0 || step == 0 ||
        steps <= 0)
        return rate;
    if (fmod(step - 1 - steps, 2 * steps) == 0) /* a new rise begins */
        return rate + (schedule->rate - schedule->minimum) * (1 - cos(PI / steps)) / 2;
    return (1 + cos(PI * step / steps)) / (1 + cos(PI * (step - 1) / steps)) *
               (rate - schedule->minimum) +
           schedule->minimum;
}

r2n_schedule_place r2n_schedule_where(const r2n_schedule *schedule, int64_t iteration)
{
    const double step = step_of(schedule, iteration), warmup = warmup_steps(schedule);
    const double inner = fmax(step - warmup, 0);
    const int has_decay = decay_steps(schedule) > 0 || (schedule->kind != R2N_SCHEDULE_COSINE &&
                                                        schedule->kind != R2N_SCHEDULE_LINEAR);
    return (r2n_schedule_place){.warms_up = warmup > 0,
                                .decays = has_decay,
                                .step = (int64_t)step,
                                .rate = rate_at_step(schedule, step),
                                .decay_step = (int64_t)inner,
                                .decay_rate = decayed(schedule, inner)};
}

const char *r2n_schedule_class(const r2n_schedule *schedule)
{
    static const char *const names[] = {[R2N_SCHEDULE_CONSTANT] = "LRScheduler",
                                        [R2N_SCHEDULE_COSINE] = "CosineAnnealingDecay",
                                        [R2N_SCHEDULE_LINEAR] = "PolynomialDecay",
                                        [R2N_SCHEDULE_STEP] = "StepDecay",
                                        [R2N_SCHEDULE_MULTI_STEP] = "MultiStepDecay",
                                        [R2N_SCHEDULE_PIECEWISE] = "PiecewiseDecay"};
    return schedule->warmup_epochs > 0 && (schedule->iterations <= 0 || warmup_steps(schedule) > 0)
               ? "LinearWarmup"
               : names[schedule->kind];
}

/* ---- what no schedule can be ----------------------------------------------------------------- */

#define REFUSE(report, ...) r2n_fail(report, RES2NET_INVALID_ARGUMENT, NULL, -1, __VA_ARGS__)

static res2net_status check_rate(const char *name, double rate, res2net_report *report)
{
    if (isfinite(rate) && rate >= 0)
        return RES2NET_OK;
    return REFUSE(report, "Optimizer.lr.%s: %g is no learning rate; it must be 0 or more", name,
                  rate);
}

static res2net_status check_points(const r2n_schedule *schedule, const char *name,
                                   res2net_report *report)
{
    if (schedule->points < 1 || schedule->points > R2N_SCHEDULE_POINTS)
        return REFUSE(report, "Optimizer.lr.%s has %d entries; 1 to %d are possible", name,
                      (int)schedule->points, (int)R2N_SCHEDULE_POINTS);
    for (int32_t i = 0; i < schedule->points; i++) {
        if (!isfinite(schedule->at[i]) || schedule->at[i] < 0)
            return REFUSE(report, "Optimizer.lr.%s: %g is no number of epochs", name,
                          schedule->at[i]);
        if (i > 0 && schedule->at[i] <= schedule->at[i - 1])
            return REFUSE(report, "Optimizer.lr.%s must grow, but %g comes after %g", name,
                          schedule->at[i], schedule->at[i - 1]);
    }
    return RES2NET_OK;
}

static res2net_status check_gamma(const r2n_schedule *schedule, res2net_report *report)
{
    if (schedule->gamma >= 0 && schedule->gamma <= 1)
        return RES2NET_OK;
    return REFUSE(report, "Optimizer.lr.gamma: %g; it must be from 0 to 1", schedule->gamma);
}

static res2net_status check_piecewise(const r2n_schedule *schedule, res2net_report *report)
{
    res2net_status status = check_points(schedule, "decay_epochs", report);
    for (int32_t i = 0; status == RES2NET_OK && i <= schedule->points; i++)
        status = check_rate("values", schedule->values[i], report);
    return status;
}

static res2net_status check_decay(const r2n_schedule *schedule, res2net_report *report)
{
    res2net_status status = RES2NET_OK;
    switch (schedule->kind) {
    case R2N_SCHEDULE_CONSTANT:
        return RES2NET_OK;
    case R2N_SCHEDULE_COSINE:
        return check_rate("eta_min", schedule->minimum, report);
    case R2N_SCHEDULE_LINEAR:
        status = check_rate("end_lr", schedule->minimum, report);
        if (status == RES2NET_OK && !(isfinite(schedule->power) && schedule->power > 0))
            status = REFUSE(report, "Optimizer.lr.power: %g; it must be above 0", schedule->power);
        return status;
    case R2N_SCHEDULE_STEP:
        if (!isfinite(schedule->step_epochs) || schedule->step_epochs <= 0)
            return REFUSE(report, "Optimizer.lr.step_size: %g epochs; it must be above 0",
                          schedule->step_epochs);
        return check_gamma(schedule, report);
    case R2N_SCHEDULE_MULTI_STEP:
        status = check_points(schedule, "milestones", report);
        return status == RES2NET_OK ? check_gamma(schedule, report) : status;
    case R2N_SCHEDULE_PIECEWISE:
        return check_piecewise(schedule, report);
    }
    return REFUSE(report, "Optimizer.lr.name: schedule %d is not known", (int)schedule->kind);
}

static res2net_status check_warmup(r2n_schedule *schedule, res2net_report *report)
{
    if (!isfinite(schedule->warmup_epochs) || schedule->warmup_epochs < 0)
        return REFUSE(report, "Optimizer.lr.warmup_epoch: %g; it must be 0 or more",
                      schedule->warmup_epochs);
    if (schedule->warmup_epochs == 0)
        return RES2NET_OK;
    const res2net_status status = check_rate("warmup_start_lr", schedule->warmup_start, report);
    if (status != RES2NET_OK)
        return status;
    if (schedule->warmup_start >= start_rate(schedule))
        return REFUSE(report,
                      "Optimizer.lr.warmup_start_lr: a warm-up rises, but %g is not below the rate "
                      "%g that it leads to",
                      schedule->warmup_start, start_rate(schedule));
    if (schedule->warmup_epochs >= (double)schedule->epochs) {
        if (schedule->warmup_epochs > (double)schedule->epochs)
            r2n_fail(report, RES2NET_OK, NULL, -1,
                     "note: Optimizer.lr.warmup_epoch: %g is more than the run's %lld epochs: the "
                     "whole run warms up",
                     schedule->warmup_epochs, (long long)schedule->epochs);
        schedule->warmup_epochs = (double)schedule->epochs;
    }
    return RES2NET_OK;
}

res2net_status r2n_schedule_check(r2n_schedule *schedule, res2net_report *report)
{
    if (schedule->epochs < 1)
        return REFUSE(report, "Global.epochs: %lld; a run has at least one",
                      (long long)schedule->epochs);
    if (schedule->iterations < 0)
        return REFUSE(report, "an epoch of %lld iterations", (long long)schedule->iterations);
    res2net_status status = RES2NET_OK;
    if (schedule->kind != R2N_SCHEDULE_PIECEWISE)
        status = check_rate("learning_rate", schedule->rate, report);
    if (status == RES2NET_OK)
        status = check_decay(schedule, report);
    return status == RES2NET_OK ? check_warmup(schedule, report) : status;
}
