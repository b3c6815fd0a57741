/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Learning-rate schedules, equal to Paddle's classes to 1e-6 at every step.
 * spec: shared/spec/paddleclas.md 2.4, 2.9.
 */
#ifndef R2N_TRAIN_LEARNING_RATE_H
#define R2N_TRAIN_LEARNING_RATE_H

#include "base/report.h"

typedef enum r2n_schedule_kind {
    R2N_SCHEDULE_CONSTANT,
    R2N_SCHEDULE_COSINE,
    R2N_SCHEDULE_LINEAR, /* polynomial: end_rate, power */
    R2N_SCHEDULE_STEP,
    R2N_SCHEDULE_MULTI_STEP,
    R2N_SCHEDULE_PIECEWISE
} r2n_schedule_kind;

enum { R2N_SCHEDULE_POINTS = 64 };

typedef struct r2n_schedule {
    r2n_schedule_kind kind;
    double rate;                /* learning_rate */
    int64_t epochs, iterations; /* of the run, of an epoch */
    double warmup_epochs;
    double warmup_start;
    int by_epoch;       /* a step an epoch, else an iteration */
    double minimum;     /* eta_min (cosine), end_lr (linear) */
    double power;       /* linear */
    double step_epochs; /* step: step_size in epochs */
    double gamma;       /* step, multi-step */
    int32_t points;     /* piecewise: decay_epochs; multi-step: milestones, in epochs */
    double at[R2N_SCHEDULE_POINTS];
    double values[R2N_SCHEDULE_POINTS + 1]; /* piecewise */
} r2n_schedule;

/* INVALID_ARGUMENT for what no schedule can be; a notice where warm-up is cut to the run's length.
 */
res2net_status r2n_schedule_check(r2n_schedule *schedule, res2net_report *report);
/* The rate of iteration `iteration` (from 0, over all epochs). */
double r2n_schedule_rate(const r2n_schedule *schedule, int64_t iteration);
/* What PaddleClas' log line prints after that iteration: get_lr() after the scheduler stepped. */
double r2n_schedule_logged_rate(const r2n_schedule *schedule, int64_t iteration);
/* What Paddle's scheduler would save of itself before iteration `iteration`: it has made `step`
 * steps and gives `rate`; the decay within a warm-up has a place of its own. */
typedef struct r2n_schedule_place {
    int warms_up; /* it is a LinearWarmup */
    int decays;   /* that has a decay in it, not the plain rate */
    int64_t step;
    double rate;
    int64_t decay_step;
    double decay_rate;
} r2n_schedule_place;
r2n_schedule_place r2n_schedule_where(const r2n_schedule *schedule, int64_t iteration);
/* "CosineAnnealingDecay", "LinearWarmup", ...: Paddle's class, for the log. */
const char *r2n_schedule_class(const r2n_schedule *schedule);

#endif
