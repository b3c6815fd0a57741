/* SPDX-License-Identifier: Apache-2.0 */
/* What a run writes, and how well it does: both need the network as tensors. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "predict/model.h"
#include "train/loop.h"

static res2net_status no_memory(r2n_training_run *run)
{
    return r2n_fail(run->report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to save the weights");
}

/* The weights as predict takes them: with transforms and labels. */
static r2n_tensor_set *weights_of(r2n_training_run *run, int averaged)
{
    r2n_tensor_set *set =
        averaged ? r2n_network_tensors(run->network, run->averaged, run->averaged_statistics)
                 : r2n_network_tensors(run->network, r2n_network_parameters(run->network),
                                       r2n_network_statistics(run->network));
    if (set == NULL)
        return NULL;
    r2n_weights_metadata *metadata = &set->metadata;
    metadata->family = run->config.family;
    metadata->architecture = r2n_copy_string(run->config.architecture.name);
    metadata->recipe_json = run->config.eval_transforms_yaml == NULL
                                ? NULL
                                : r2n_copy_string(run->config.eval_transforms_yaml);
    metadata->labels = run->labels == NULL ? NULL : r2n_copy_string(run->labels);
    return set;
}

const char *r2n_run_state_name(r2n_optimiser_kind kind, int state)
{
    return kind == R2N_OPTIMISER_MOMENTUM ? "velocity" : state == 0 ? "moment1" : "moment2";
}

/* Weights that overflowed in the last step are not worth the save before. */
static res2net_status check_numbers(r2n_training_run *run, const char *name)
{
    const float *parameters = r2n_network_parameters(run->network);
    const float *statistics = r2n_network_statistics(run->network);
    int finite = 1;
    for (int64_t i = 0; i < r2n_network_parameter_floats(run->network); i++)
        finite &= isfinite(parameters[i]) != 0;
    for (int64_t i = 0; i < r2n_network_statistic_floats(run->network); i++)
        finite &= isfinite(statistics[i]) != 0;
    return finite
               ? RES2NET_OK
               : r2n_fail(run->report, RES2NET_NOT_FINITE, NULL, -1,
                          "the weights are no finite numbers any more: %s is not saved, the save "
                          "before stays; a smaller learning rate may help",
                          name);
}

res2net_status r2n_run_save(r2n_training_run *run, const char *name)
{
    char prefix[1280];
    r2n_checkpoint checkpoint = {.architecture = &run->config.architecture,
                                 .family = run->config.family,
                                 .state_count = r2n_optimiser_states(run->config.optimiser.kind),
                                 .schedule = &run->config.schedule,
                                 .rate_factor = run->rate_factor,
                                 .run = run->state};
    const res2net_status checked = check_numbers(run, name);
    if (checked != RES2NET_OK)
        return checked;
    r2n_tensor_set *weights = weights_of(run, 0), *states[R2N_OPTIMISER_STATES] = {NULL};
    r2n_tensor_set *averaged = run->averaged == NULL ? NULL : weights_of(run, 1);
    int there = weights != NULL && (run->averaged == NULL || averaged != NULL);
    snprintf(prefix, sizeof prefix, "%s/%s", run->folder, name);
    for (int i = 0; i < checkpoint.state_count && there; i++) {
        states[i] = r2n_network_tensors(run->network, run->states[i], NULL);
        there = states[i] != NULL;
        checkpoint.states[i] =
            (r2n_optimiser_state){r2n_run_state_name(run->config.optimiser.kind, i), states[i]};
    }
    checkpoint.weights = weights;
    checkpoint.averaged = averaged;
    checkpoint.run.beta1_power = run->progress.beta1_power;
    checkpoint.run.beta2_power = run->progress.beta2_power;
    const res2net_status status =
        there ? r2n_checkpoint_write(prefix, &checkpoint, run->report) : no_memory(run);
    r2n_tensor_set_destroy(weights);
    r2n_tensor_set_destroy(averaged);
    for (int i = 0; i < R2N_OPTIMISER_STATES; i++)
        r2n_tensor_set_destroy(states[i]);
    return status;
}

static int is_interrupted(void *context, int64_t done, int64_t total)
{
    const r2n_training_run *run = context;
    const res2net_train_moment moment = {.epoch = run->state.epoch + 1,
                                         .epochs = run->config.epochs,
                                         .iteration = done,
                                         .iterations = total,
                                         .seconds_left =
                                             done > 0 ? (double)(total - done) / (double)done *
                                                            (r2n_seconds() - run->evaluation_start)
                                                      : 0,
                                         .evaluates = 1};
    return run->options->progress != NULL && run->options->progress(run->options->context, &moment);
}

res2net_status r2n_run_evaluate(r2n_training_run *run, int averaged, res2net_evaluation *out)
{
    res2net_model *model = NULL;
    res2net_session *session = NULL;
    const res2net_load_options load = {.architecture = run->config.architecture.name,
                                       .family = (res2net_family)run->config.family};
    const res2net_session_options settings = {.threads = run->options->threads,
                                              .isa = run->options->isa};
    const res2net_evaluate_options options = {
        .root = run->config.eval.root,
        .delimiter = run->config.eval.delimiter,
        .batch = run->config.eval.batch,
        .on_bad_image = run->config.eval.skip_bad ? RES2NET_BAD_IMAGE_SKIP : RES2NET_BAD_IMAGE_STOP,
        .progress = is_interrupted,
        .progress_context = run};
    r2n_tensor_set *set = weights_of(run, averaged);
    *out = (res2net_evaluation){0};
    run->evaluation_start = r2n_seconds();
    res2net_status status = set == NULL ? no_memory(run)
                                        : r2n_model_from_set(set, "<the network in training>",
                                                             &load, &model, run->report);
    if (status == RES2NET_OK)
        status = res2net_session_create(model, &settings, &session, run->report);
    if (status == RES2NET_OK)
        status = res2net_evaluate(session, run->config.eval.list, &options, out, run->report);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    return status;
}
