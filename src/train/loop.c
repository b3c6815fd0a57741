/* SPDX-License-Identifier: Apache-2.0 */
/* The run: epochs of steps, an evaluation after each, saves. */
#include "train/loop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"

/* ---- a step ---- */

/* Adds the gradients of one of the step's batches; after the last one they are back in their place.
 */
static void gather_gradients(r2n_training_run *run, int is_last)
{
    const int64_t floats = r2n_network_parameter_floats(run->network);
    float *gradients = r2n_network_gradients(run->network);
    for (int64_t i = 0; i < floats; i++)
        run->accumulated[i] += gradients[i];
    if (!is_last)
        return;
    const float share = 1 / (float)run->config.update_freq; /* the loss divided by update_freq */
    for (int64_t i = 0; i < floats; i++) {
        gradients[i] = run->accumulated[i] * share;
        run->accumulated[i] = 0;
    }
}

static double rate_now(const r2n_training_run *run)
{
    return r2n_schedule_rate(&run->config.schedule, run->state.steps) * run->rate_factor;
}

static void average(r2n_training_run *run)
{
    if (run->averaged == NULL)
        return;
    r2n_average_update(run->config.ema_decay, run->averaged, r2n_network_parameters(run->network),
                       r2n_network_parameter_floats(run->network), run->options->threads);
    r2n_average_update(run->config.ema_decay, run->averaged_statistics,
                       r2n_network_statistics(run->network),
                       r2n_network_statistic_floats(run->network), run->options->threads);
}

/* A step whose numbers are not finite is left out, and counted: a run of them ends the training. */
static res2net_status take_step(r2n_training_run *run, double loss)
{
    const double rate = rate_now(run);
    const int finite =
        isfinite(loss) && r2n_network_has_finite_statistics(run->network) &&
        r2n_optimiser_step(&run->config.optimiser, run->ranges, run->range_count, rate,
                           &run->progress, r2n_network_parameters(run->network),
                           r2n_network_gradients(run->network), run->states, run->options->threads);
    run->state.last_rate = rate;
    run->state.steps++;
    if (finite) {
        run->state.bad_streak = 0;
        r2n_network_keep_statistics(run->network);
        average(run);
        return RES2NET_OK;
    }
    run->state.skipped_steps++;
    run->state.bad_streak++;
    r2n_records_say(run->records,
                    "step %lld: the loss, a statistic or a gradient is not finite; the step is "
                    "left out (%lld so far, %lld one after the other)",
                    (long long)run->state.steps, (long long)run->state.skipped_steps,
                    (long long)run->state.bad_streak);
    if (run->state.bad_streak < run->config.stop_after_bad_steps)
        return RES2NET_OK;
    return r2n_fail(run->report, RES2NET_NOT_FINITE, NULL, -1,
                    "%lld steps one after the other gave no finite numbers; the last save is as it "
                    "was: a smaller learning rate may help",
                    (long long)run->state.bad_streak);
}

/* After so many batches of the epoch nothing of a step is left in `accumulated`. */
static int ends_step(const r2n_training_run *run, int64_t batches)
{
    return run->config.update_freq <= 1 || batches % run->config.update_freq == 0;
}

/* One batch: its loss, and a step after the last batch of one. */
static res2net_status learn(r2n_training_run *run, const r2n_batch *batch, double *loss)
{
    const int is_last = ends_step(run, run->state.iteration + 1);
    r2n_network_forward(run->network, batch->pictures, batch->images, run->logits,
                        run->options->threads);
    *loss = r2n_cross_entropy(&run->config.train_loss, batch->images, batch->classes, run->logits,
                              batch->labels, batch->targets, run->logit_gradients, NULL);
    r2n_network_backward(run->network, run->logit_gradients, run->options->threads);
    if (run->accumulated != NULL)
        gather_gradients(run, is_last);
    if (is_last)
        return take_step(run, *loss);
    if (isfinite(*loss) && r2n_network_has_finite_statistics(run->network))
        r2n_network_keep_statistics(run->network); /* each batch's, as PaddleClas */
    return RES2NET_OK;
}

/* A batch that is left out may be the last of a step of several: then the others make it. */
static res2net_status end_step_without(r2n_training_run *run)
{
    if (run->accumulated == NULL || !ends_step(run, run->state.iteration + 1))
        return RES2NET_OK;
    memset(r2n_network_gradients(run->network), 0,
           (size_t)r2n_network_parameter_floats(run->network) * sizeof(float));
    gather_gradients(run, 1);
    return take_step(run, 0);
}

/* ---- an epoch ---- */

typedef struct epoch {
    double loss;          /* of the last batch */
    int64_t batches_done; /* in this process */
    int stop;             /* asked for: at the end of the step */
} epoch;

static double seconds_left(const r2n_training_run *run, const epoch *e)
{
    const double each = e->batches_done > 0 ? run->epoch_seconds / (double)e->batches_done : 0;
    const double left = (double)(run->config.epochs - run->state.epoch) * (double)run->iterations -
                        (double)run->state.iteration;
    return left * each;
}

static int tell(r2n_training_run *run, const r2n_batch *batch, const epoch *e, double took,
                double waited)
{
    const r2n_iteration_record record = {
        .epoch = run->state.epoch + 1,
        .iteration = run->state.iteration - 1,
        .rate = run->state.last_rate,
        .logged_rate = r2n_schedule_logged_rate(&run->config.schedule, run->state.steps - 1) *
                       run->rate_factor,
        .loss = e->loss,
        .average_loss = run->state.epoch_loss / (double)run->state.iteration,
        .batch_seconds = took,
        .reader_seconds = waited,
        .images = batch->images,
        .eta_seconds = seconds_left(run, e)};
    r2n_records_iteration(run->records, &record);
    const res2net_train_moment moment = {
        .epoch = run->state.epoch + 1,
        .epochs = run->config.epochs,
        .iteration = run->state.iteration,
        .iterations = run->iterations,
        .loss = record.average_loss,
        .images_per_second =
            run->epoch_seconds > 0 ? (double)run->epoch_images / run->epoch_seconds : 0,
        .seconds_left = record.eta_seconds};
    return run->options->progress != NULL && run->options->progress(run->options->context, &moment);
}

static res2net_status stop(r2n_training_run *run)
{
    const res2net_status status = r2n_run_save(run, "latest");
    if (status != RES2NET_OK)
        return status;
    r2n_records_say(run->records, "interrupted: saved %s/latest, epoch %lld, batch %lld",
                    run->folder, (long long)run->state.epoch + 1, (long long)run->state.iteration);
    return r2n_fail(run->report, RES2NET_INTERRUPTED, NULL, -1,
                    "interrupted; -o Global.checkpoints=%s/latest goes on from here", run->folder);
}

/* Told, and left out: batch norm over one value has no variance. */
static int is_too_small(r2n_training_run *run, const r2n_batch *batch)
{
    if (!r2n_network_is_too_small(run->network, batch->images))
        return 0;
    r2n_records_say(run->records,
                    "epoch %lld, batch %lld: left out, for a batch norm would see one value of its "
                    "%d picture",
                    (long long)run->state.epoch + 1, (long long)run->state.iteration + 1,
                    (int)batch->images);
    return 1;
}

static res2net_status one_batch(r2n_training_run *run, epoch *e, int *ended)
{
    const r2n_batch *batch;
    const double start = r2n_seconds();
    res2net_status status = r2n_loader_next(run->loader, &batch, run->report);
    const double ready = r2n_seconds();
    *ended = status != RES2NET_OK || batch == NULL;
    if (*ended)
        return status;
    if (!is_too_small(run, batch)) {
        status = learn(run, batch, &e->loss);
        if (status != RES2NET_OK)
            return status;
        if (isfinite(e->loss))
            run->state.epoch_loss += e->loss;
    } else {
        status = end_step_without(run);
        if (status != RES2NET_OK)
            return status;
    }
    const double done = r2n_seconds();
    run->state.iteration++;
    run->epoch_seconds += done - start;
    run->epoch_images += batch->images;
    e->batches_done++;
    e->stop |= tell(run, batch, e, done - start, ready - start);
    if (!ends_step(run, run->state.iteration)) /* saves hold no part of a step */
        return RES2NET_OK;
    if (e->stop)
        return stop(run);
    if (run->config.save_iterations > 0 &&
        run->state.iteration % run->config.save_iterations == 0 &&
        run->state.iteration < run->iterations)
        return r2n_run_save(run, "latest");
    return RES2NET_OK;
}

static res2net_status evaluate(r2n_training_run *run, r2n_epoch_record *record)
{
    res2net_evaluation found = {0};
    res2net_status status = r2n_run_evaluate(run, 0, &found);
    if (status == RES2NET_OK && found.images > 0) {
        record->evaluated = 1;
        record->eval_loss = found.loss;
        record->eval_top1 = (double)found.top1_correct / (double)found.images;
        record->eval_top5 = (double)found.top5_correct / (double)found.images;
    }
    res2net_evaluation_free(&found);
    if (status == RES2NET_OK && run->averaged != NULL) {
        status = r2n_run_evaluate(run, 1, &found);
        if (status == RES2NET_OK && found.images > 0)
            record->average_top1 = (double)found.top1_correct / (double)found.images;
        res2net_evaluation_free(&found);
    }
    return status;
}

static int is_due(const r2n_training_run *run, int64_t epoch, int32_t interval)
{
    return interval > 0 && (epoch % interval == 0 || epoch == run->config.epochs);
}

static res2net_status save_all(r2n_training_run *run, int is_best)
{
    char name[32];
    res2net_status status = RES2NET_OK;
    if (is_best)
        status = r2n_run_save(run, "best_model");
    if (status == RES2NET_OK)
        status = r2n_run_save(run, "latest");
    snprintf(name, sizeof name, "epoch_%lld", (long long)run->state.epoch);
    if (status == RES2NET_OK && run->config.save_interval > 0 &&
        run->state.epoch % run->config.save_interval == 0)
        status = r2n_run_save(run, name);
    return status;
}

/* Evaluates, saves, tells. Interrupted while it evaluates, the epoch is saved as not evaluated. */
static res2net_status end_epoch(r2n_training_run *run)
{
    r2n_loader_facts facts;
    r2n_epoch_record record = {
        .epoch = run->state.epoch + 1,
        .step = run->state.steps,
        .rate = run->state.last_rate,
        .train_loss = run->state.epoch_loss / (double)run->iterations,
        .average_top1 = -1,
        .images_per_second =
            run->epoch_seconds > 0 ? (double)run->epoch_images / run->epoch_seconds : 0,
        .seconds = run->epoch_seconds,
        .skipped_steps = run->state.skipped_steps};
    res2net_status status = RES2NET_OK;
    int is_best = 0;
    if (run->eval != NULL && record.epoch >= run->config.start_eval_epoch &&
        is_due(run, record.epoch, run->config.eval_interval))
        status = evaluate(run, &record);
    if (status != RES2NET_OK && status != RES2NET_INTERRUPTED)
        return status;
    const int interrupted = status == RES2NET_INTERRUPTED;
    const double metric =
        record.average_top1 > record.eval_top1 ? record.average_top1 : record.eval_top1;
    run->state.epoch++;
    run->state.iteration = 0;
    run->state.epoch_loss = 0;
    if (record.evaluated && metric > run->state.best_metric) {
        is_best = 1;
        run->state.best_metric = metric;
        run->state.best_epoch = run->state.epoch;
    }
    r2n_loader_describe(run->loader, &facts);
    record.left_out = facts.left_out;
    record.best_top1 = run->state.best_metric;
    run->train_loss = record.train_loss;
    run->train_seconds += run->epoch_seconds;
    run->train_images += run->epoch_images;
    run->epoch_seconds = 0;
    run->epoch_images = 0;
    /* Before the saves: a resume takes back the row of an epoch that was not saved, but could not
     * write one that is missing. */
    const res2net_status told = r2n_records_epoch(run->records, &record, run->report);
    status = save_all(run, is_best);
    if (status == RES2NET_OK)
        status = told;
    return status == RES2NET_OK && interrupted ? stop(run) : status;
}

res2net_status r2n_run_epochs(r2n_training_run *run)
{
    res2net_status status = RES2NET_OK;
    const int64_t told = run->config.stop_after_epoch;
    while (status == RES2NET_OK && run->state.epoch < run->config.epochs) {
        epoch e = {0};
        if (told > 0 && run->state.epoch >= told) {
            r2n_records_say(run->records,
                            "stopped after epoch %lld of %lld, as Global.stop_after_epoch says; -o "
                            "Global.checkpoints=%s/latest goes on",
                            (long long)run->state.epoch, (long long)run->config.epochs,
                            run->folder);
            break;
        }
        int ended = 0;
        status = r2n_loader_begin(run->loader, run->state.epoch, run->state.iteration, run->report);
        while (status == RES2NET_OK && !ended && run->state.iteration < run->iterations)
            status = one_batch(run, &e, &ended);
        if (status == RES2NET_OK)
            status = end_epoch(run);
    }
    return status;
}
