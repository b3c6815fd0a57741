/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every pass goes over the same chunks of the same size, whatever the number of threads: chunk n
 * belongs to slot n % SLOTS, and a slot to one thread. Sums are one double a slot, added up in the
 * order of the slots.
 */
#include "train/optimiser.h"

#include <math.h>

#include "base/thread_pool.h"

enum { CHUNK = 16384, SLOTS = 256, LANES = 8 };

/* Products that are used for all entries of a tensor; f32, as Paddle's kernels have them. */
typedef struct factors {
    float rate, scale; /* of the gradient, by ClipGradByGlobalNorm */
    float momentum;
    float decay, l1;
    float keep; /* AdamW: what decoupled decay leaves of a parameter */
    float beta1, beta2, rest1, rest2;
    float step;       /* AdamW: the rate over 1 - beta1^t */
    float correction; /* AdamW: sqrt(1 - beta2^t) */
    float epsilon;
} factors;

typedef struct pass pass;
typedef void chunk_work(pass *p, const r2n_parameter_range *range, int64_t first, int64_t count,
                        int slot);

struct pass {
    const r2n_optimiser_options *options;
    const r2n_parameter_range *ranges;
    size_t range_count;
    float *parameters, *gradients;
    float *states[R2N_OPTIMISER_STATES];
    factors factors;
    chunk_work *work;
    double sums[SLOTS];
};

int r2n_optimiser_states(r2n_optimiser_kind kind)
{
    return kind == R2N_OPTIMISER_ADAMW ? 2 : kind == R2N_OPTIMISER_MOMENTUM ? 1 : 0;
}

/* ---- chunks over the threads ----------------------------------------------------------------- */

static void walk_chunks(void *context, r2n_team *team, int thread, int threads)
{
    pass *p = context;
    int64_t number = 0;
    (void)team;
    for (size_t r = 0; r < p->range_count; r++) {
        const r2n_parameter_range *range = &p->ranges[r];
        if (range->frozen)
            continue;
        for (int64_t done = 0; done < range->count; done += CHUNK, number++) {
            const int slot = (int)(number % SLOTS);
            const int64_t left = range->count - done;
            if (slot % threads == thread)
                p->work(p, range, range->first + done, left < CHUNK ? left : CHUNK, slot);
        }
    }
}

static void run_chunks(pass *p, int threads, chunk_work *work)
{
    p->work = work;
    r2n_thread_pool_run(threads, walk_chunks, p);
}

/* ---- norms ----------------------------------------------------------------------------------- */

/* Squares of f32 cannot overflow a double: the sum is finite where all values are. */
static double sum_of_squares(const float *values, int64_t count)
{
    double lanes[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int k = 0; k < LANES; k++)
            lanes[k] += (double)values[i + k] * (double)values[i + k];
    for (int k = 0; i < count; i++, k++)
        lanes[k] += (double)values[i] * (double)values[i];
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
           ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

static void add_squares(pass *p, const r2n_parameter_range *range, int64_t first, int64_t count,
                        int slot)
{
    (void)range;
    p->sums[slot] += sum_of_squares(p->gradients + first, count);
}

static double squares_of_all(pass *p, int threads)
{
    double sum = 0;
    for (int i = 0; i < SLOTS; i++)
        p->sums[i] = 0;
    run_chunks(p, threads, add_squares);
    for (int i = 0; i < SLOTS; i++)
        sum += p->sums[i];
    return sum;
}

/* ---- clipping -------------------------------------------------------------------------------- */

static void clip_values(pass *p, const r2n_parameter_range *range, int64_t first, int64_t count,
                        int slot)
{
    const float limit = (float)p->options->clip_value;
    float *gradients = p->gradients + first;
    (void)range;
    (void)slot;
    for (int64_t i = 0; i < count; i++) {
        const float below = gradients[i] < limit ? gradients[i] : limit;
        gradients[i] = below > -limit ? below : -limit;
    }
}

/* A tensor's norm is the sum over its chunks, in their order, by one thread. */
static void clip_norm_of(void *context, size_t number)
{
    pass *p = context;
    const r2n_parameter_range *range = &p->ranges[number];
    float *gradients = p->gradients + range->first;
    double squares = 0;
    if (range->frozen)
        return;
    for (int64_t done = 0; done < range->count; done += CHUNK)
        squares += sum_of_squares(gradients + done,
                                  range->count - done < CHUNK ? range->count - done : CHUNK);
    if (sqrt(squares) <= p->options->clip_norm)
        return;
    const float scale = (float)(p->options->clip_norm / sqrt(squares));
    for (int64_t i = 0; i < range->count; i++)
        gradients[i] *= scale;
}

/* 0 where a gradient is not finite. What is left of the gradients is `factors.scale` times what
 * stands in them. */
static int clip(pass *p, int threads)
{
    const r2n_optimiser_options *options = p->options;
    double squares = squares_of_all(p, threads);
    p->factors.scale = 1;
    if (!isfinite(squares))
        return 0;
    if (options->clip_value > 0)
        run_chunks(p, threads, clip_values);
    if (options->clip_norm > 0)
        r2n_thread_pool_each(threads, p->range_count, clip_norm_of, p);
    if (options->clip_global_norm > 0) {
        if (options->clip_value > 0 || options->clip_norm > 0)
            squares = squares_of_all(p, threads);
        if (sqrt(squares) > options->clip_global_norm)
            p->factors.scale = (float)(options->clip_global_norm / sqrt(squares));
    }
    return 1;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static float sign(float value)
{
    return (float)(value > 0) - (float)(value < 0);
}

/* What is taken for the gradient: clipped, and with the regulariser's part. */
static void prepare_gradients(const factors *f, const float *restrict parameters,
                              float *restrict gradients, int64_t count)
{
    if (f->scale != 1)
        for (int64_t i = 0; i < count; i++)
            gradients[i] *= f->scale;
    if (f->decay != 0)
        for (int64_t i = 0; i < count; i++)
            gradients[i] += f->decay * parameters[i];
    if (f->l1 != 0)
        for (int64_t i = 0; i < count; i++)
            gradients[i] += f->l1 * sign(parameters[i]);
}

static void step_sgd(const factors *f, float *restrict parameters, const float *restrict gradients,
                     int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        parameters[i] -= f->rate * gradients[i];
}

static void step_momentum(const factors *f, float *restrict parameters,
                          const float *restrict gradients, float *restrict velocity, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        velocity[i] = f->momentum * velocity[i] + gradients[i];
        parameters[i] -= f->rate * velocity[i];
    }
}

static void step_nesterov(const factors *f, float *restrict parameters,
                          const float *restrict gradients, float *restrict velocity, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        velocity[i] = f->momentum * velocity[i] + gradients[i];
        parameters[i] -= f->rate * (gradients[i] + f->momentum * velocity[i]);
    }
}

static void step_adamw(const factors *f, float *restrict parameters,
                       const float *restrict gradients, float *restrict moment1,
                       float *restrict moment2, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        moment1[i] = f->beta1 * moment1[i] + f->rest1 * gradients[i];
        moment2[i] = f->beta2 * moment2[i] + f->rest2 * gradients[i] * gradients[i];
        const float deviation = sqrtf(moment2[i]) / f->correction + f->epsilon;
        parameters[i] = f->keep * parameters[i] - f->step * (moment1[i] / deviation);
    }
}

static void step_chunk(pass *p, const r2n_parameter_range *range, int64_t first, int64_t count,
                       int slot)
{
    factors f = p->factors;
    float *parameters = p->parameters + first, *gradients = p->gradients + first;
    (void)slot;
    if (!range->decays) {
        f.decay = f.l1 = 0;
        f.keep = 1;
    }
    prepare_gradients(&f, parameters, gradients, count);
    if (p->options->kind == R2N_OPTIMISER_SGD)
        step_sgd(&f, parameters, gradients, count);
    else if (p->options->kind == R2N_OPTIMISER_ADAMW)
        step_adamw(&f, parameters, gradients, p->states[0] + first, p->states[1] + first, count);
    else if (p->options->nesterov)
        step_nesterov(&f, parameters, gradients, p->states[0] + first, count);
    else
        step_momentum(&f, parameters, gradients, p->states[0] + first, count);
}

/* `scale` is the clipping's. 1 - beta and the powers are rounded to f32 as Paddle does it: the same
 * error in both of them cancels, an error in one does not (0.999 differs by 5e-5 of 1 - 0.999). */
static void set_factors(factors *f, const r2n_optimiser_options *options, double rate,
                        const r2n_optimiser_progress *progress)
{
    const int decoupled = options->kind == R2N_OPTIMISER_ADAMW;
    f->rate = (float)rate;
    f->momentum = (float)options->momentum;
    f->decay = decoupled ? 0 : (float)options->decay;
    f->l1 = (float)options->l1;
    if (!decoupled)
        return;
    f->keep = (float)(1 - rate * options->decay);
    f->beta1 = (float)options->beta1;
    f->beta2 = (float)options->beta2;
    f->rest1 = 1 - f->beta1;
    f->rest2 = 1 - f->beta2;
    f->step = f->rate / (1 - (float)progress->beta1_power);
    f->correction = sqrtf(1 - (float)progress->beta2_power);
    f->epsilon = (float)options->epsilon;
}

static double next_power(double power, double beta)
{
    return (double)((float)power * (float)beta);
}

int r2n_optimiser_step(const r2n_optimiser_options *options, const r2n_parameter_range *ranges,
                       size_t range_count, double rate, r2n_optimiser_progress *progress,
                       float *parameters, float *gradients, float *const *states, int threads)
{
    pass p = {.options = options,
              .ranges = ranges,
              .range_count = range_count,
              .parameters = parameters,
              .gradients = gradients};
    for (int i = 0; i < r2n_optimiser_states(options->kind); i++)
        p.states[i] = states[i];
    if (!clip(&p, threads))
        return 0;
    if (progress->steps == 0 || progress->beta1_power >= 1) {
        progress->beta1_power = (double)(float)options->beta1;
        progress->beta2_power = (double)(float)options->beta2;
    }
    set_factors(&p.factors, options, rate, progress);
    run_chunks(&p, threads, step_chunk);
    progress->steps++;
    progress->beta1_power = next_power(progress->beta1_power, options->beta1);
    progress->beta2_power = next_power(progress->beta2_power, options->beta2);
    return 1;
}

/* ---- averages -------------------------------------------------------------------------------- */

typedef struct averaging {
    float keep, take;
    float *average;
    const float *values;
    int64_t count;
} averaging;

static void average_part(void *context, r2n_team *team, int thread, int threads)
{
    const averaging *a = context;
    const int64_t chunks = (a->count + CHUNK - 1) / CHUNK;
    float *restrict average = a->average;
    const float *restrict values = a->values;
    (void)team;
    const int64_t first = chunks * thread / threads * CHUNK;
    const int64_t end = chunks * (thread + 1) / threads * CHUNK;
    for (int64_t i = first; i < (end < a->count ? end : a->count); i++)
        average[i] = a->keep * average[i] + a->take * values[i];
}

void r2n_average_update(double decay, float *average, const float *values, int64_t count,
                        int threads)
{
    averaging a = {.keep = (float)decay,
                   .take = (float)(1 - decay),
                   .average = average,
                   .values = values,
                   .count = count};
    r2n_thread_pool_run(threads, average_part, &a);
}
