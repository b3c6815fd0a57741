/* SPDX-License-Identifier: Apache-2.0 */
/* From a configuration to a run that can begin: data, network, weights. */
#include "train/loop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "import/import.h"
#include "kernels/precision.h"
#include "predict/session.h"
#include "weights/metadata.h"

static res2net_status no_memory(r2n_training_run *run)
{
    return r2n_fail(run->report, RES2NET_OUT_OF_MEMORY, NULL, -1, "no memory to train");
}

/* ---- data ---- */

static res2net_status open_set(r2n_training_run *run, const r2n_data_config *data,
                               r2n_dataset **out)
{
    const r2n_dataset_options options = {.root = data->root,
                                         .delimiter = data->delimiter,
                                         .classes = run->config.architecture.classes};
    res2net_status status = r2n_dataset_open(data->list, &options, out, run->report);
    if (status == RES2NET_OK && r2n_dataset_find_absent(*out, data->list, run->report) > 0 &&
        !data->skip_bad)
        status = RES2NET_NOT_FOUND;
    return status;
}

/* Class folders name the classes. */
static res2net_status name_classes(r2n_training_run *run)
{
    const r2n_dataset *set = run->train;
    size_t bytes = 1;
    if (set->folder_names == NULL || set->folder_count != run->config.architecture.classes)
        return RES2NET_OK;
    for (int32_t i = 0; i < set->folder_count; i++)
        bytes += strlen(set->folder_names[i]) + 1;
    run->labels = r2n_allocate_zeroed(bytes, 1);
    if (run->labels == NULL)
        return no_memory(run);
    for (int32_t i = 0; i < set->folder_count; i++) {
        if (i > 0)
            strcat(run->labels, "\n");
        strcat(run->labels, set->folder_names[i]);
    }
    return RES2NET_OK;
}

static res2net_status make_loader(r2n_training_run *run)
{
    const r2n_data_config *data = &run->config.train;
    const r2n_loader_options options = {.batch = data->batch,
                                        .classes = run->config.architecture.classes,
                                        .seed = (uint64_t)run->config.seed,
                                        .order = !data->shuffle       ? R2N_ORDER_LIST
                                                 : data->paddle_order ? R2N_ORDER_PADDLE
                                                                      : R2N_ORDER_SHUFFLED,
                                        .balanced = data->balanced,
                                        .drop_last = data->drop_last,
                                        .merge_single = 1,
                                        .on_bad_image_skip = data->skip_bad,
                                        .workers = data->workers,
                                        .cache_bytes = data->cache_bytes,
                                        .transforms = data->transforms,
                                        .batch_transforms = data->batch_transforms};
    const res2net_status status =
        r2n_loader_create(run->train, &options, &run->loader, run->report);
    if (status != RES2NET_OK)
        return status;
    const int32_t together = run->config.update_freq > 1 ? run->config.update_freq : 1;
    run->iterations = r2n_loader_batches(run->loader) / together * together;
    if (run->iterations == 0)
        return r2n_fail(run->report, RES2NET_BAD_LIST, data->list, -1,
                        "%zu pictures in batches of %d make no step of %d batches: use a smaller "
                        "batch_size or update_freq",
                        run->train->count, (int)data->batch, (int)together);
    run->config.schedule.epochs = run->config.epochs;
    run->config.schedule.iterations = run->iterations / together;
    return r2n_schedule_check(&run->config.schedule, run->report);
}

res2net_status r2n_run_open_data(r2n_training_run *run)
{
    res2net_status status = open_set(run, &run->config.train, &run->train);
    if (status == RES2NET_OK && run->config.eval_during_train && run->config.eval.list != NULL)
        status = open_set(run, &run->config.eval, &run->eval);
    if (status == RES2NET_OK)
        status = name_classes(run);
    return status == RES2NET_OK ? make_loader(run) : status;
}

/* ---- network ---- */

static int is_without_decay(const r2n_train_config *config, const r2n_tensor_spec *spec)
{
    if (config->no_decay_one_dimensional && spec->rank == 1)
        return 1;
    for (int32_t i = 0; i < config->no_decay_count; i++)
        if (strstr(spec->paddle_name, config->no_decay_names[i]) != NULL)
            return 1;
    return 0;
}

static res2net_status list_ranges(r2n_training_run *run)
{
    const size_t count = r2n_network_tensor_count(run->network);
    run->ranges = r2n_allocate(count, sizeof *run->ranges);
    if (run->ranges == NULL)
        return no_memory(run);
    for (size_t i = 0; i < count; i++) {
        const r2n_tensor_spec *spec = r2n_network_tensor(run->network, i);
        if (!spec->trainable)
            continue;
        run->ranges[run->range_count] = r2n_network_range(run->network, i);
        run->ranges[run->range_count++].decays = !is_without_decay(&run->config, spec);
    }
    return RES2NET_OK;
}

static res2net_status allocate_blocks(r2n_training_run *run)
{
    const size_t floats = (size_t)r2n_network_parameter_floats(run->network);
    const size_t statistics = (size_t)r2n_network_statistic_floats(run->network);
    const size_t scores =
        (size_t)(run->config.train.batch + 1) * (size_t)run->config.architecture.classes;
    int there = 1;
    for (int i = 0; i < r2n_optimiser_states(run->config.optimiser.kind); i++) {
        run->states[i] = r2n_allocate_zeroed(floats, sizeof(float));
        there = there && run->states[i] != NULL;
    }
    run->logits = r2n_allocate(scores, sizeof(float));
    run->logit_gradients = r2n_allocate(scores, sizeof(float));
    there = there && run->logits != NULL && run->logit_gradients != NULL;
    if (run->config.ema_decay > 0) {
        run->averaged = r2n_allocate(floats, sizeof(float));
        run->averaged_statistics = r2n_allocate(statistics, sizeof(float));
        there = there && run->averaged != NULL && run->averaged_statistics != NULL;
    }
    if (run->config.update_freq > 1) {
        run->accumulated = r2n_allocate_zeroed(floats, sizeof(float));
        there = there && run->accumulated != NULL;
    }
    return there ? RES2NET_OK : no_memory(run);
}

res2net_status r2n_run_make_network(r2n_training_run *run)
{
    r2n_network_options options = {
        .batch = run->config.train.batch + 1, /* a last single picture joins the batch before it */
        .frozen_stages = run->config.freeze_stages > 0 ? run->config.freeze_stages + 1 : 0};
    r2n_loader_picture_size(run->loader, &options.rows, &options.columns);
    res2net_status status = r2n_session_choose_isa(run->options->isa, &options.isa, run->report);
    if (status == RES2NET_OK && run->config.bf16) {
        const char *missing = r2n_precision_missing(R2N_PRECISION_BF16, options.isa);
        options.precision = R2N_PRECISION_BF16;
        if (missing != NULL)
            status = r2n_fail(run->report, RES2NET_UNSUPPORTED, NULL, -1,
                              "training in bf16 needs %s, which this CPU or the chosen instruction "
                              "set lacks: use f32 (--precision f32, or an AMP section that is off)",
                              missing);
    }
    if (status == RES2NET_OK)
        status = r2n_graph_create(&run->config.architecture, run->config.family, &run->graph,
                                  run->report);
    if (status == RES2NET_OK)
        status = r2n_network_create(run->graph, &options, &run->network, run->report);
    if (status == RES2NET_OK)
        status = list_ranges(run);
    return status == RES2NET_OK ? allocate_blocks(run) : status;
}

/* ---- weights ---- */

static int has_shape(const r2n_tensor *tensor, const r2n_tensor_spec *spec)
{
    if (tensor->rank != spec->rank)
        return 0;
    for (int32_t i = 0; i < spec->rank; i++)
        if (tensor->shape[i] != spec->shape[i])
            return 0;
    return 1;
}

/* A set with another number of classes keeps its own head out: the first values stay. */
static res2net_status take_weights(r2n_training_run *run, const char *path,
                                   const r2n_tensor_set *set, int32_t classes)
{
    for (size_t i = 0; i < r2n_network_tensor_count(run->network); i++) {
        const r2n_tensor_spec *spec = r2n_network_tensor(run->network, i);
        const r2n_tensor *tensor = r2n_tensor_set_find(set, spec->name);
        const int is_head = strncmp(spec->name, "fc.", 3) == 0;
        if (is_head && classes != run->config.architecture.classes)
            continue;
        if (tensor == NULL || !has_shape(tensor, spec))
            return r2n_fail(run->report, RES2NET_MISMATCH, path, -1,
                            "the tensor %s is missing or of another shape", spec->name);
        r2n_network_put(run->network,
                        spec->trainable ? r2n_network_parameters(run->network)
                                        : r2n_network_statistics(run->network),
                        i, tensor->data);
    }
    if (classes != run->config.architecture.classes)
        snprintf(run->notice, sizeof run->notice,
                 "%.600s has %d classes and the run %d: its classifier is left out, ours starts "
                 "from new values",
                 path, (int)classes, (int)run->config.architecture.classes);
    return RES2NET_OK;
}

/* A network that another program wrote: its tensors. What lies beside it is not a run's. */
static res2net_status import_pretrained(r2n_training_run *run, const char *path,
                                        r2n_tensor_set **out)
{
    r2n_imported imported;
    const r2n_family wanted = run->config.family;
    const res2net_status status =
        r2n_import_as(path, &run->config.architecture, &imported, run->report);
    if (status != RES2NET_OK)
        return status;
    if (imported.architecture.scale > 1 && imported.family != R2N_FAMILY_UNKNOWN &&
        imported.family != wanted)
        r2n_fail(run->report, RES2NET_OK, path, -1,
                 "note: the file's operations are those of the %s family, and the run trains the "
                 "%s family's network",
                 r2n_family_name(imported.family), r2n_family_name(wanted));
    *out = imported.weights;
    imported.weights = NULL;
    r2n_imported_free(&imported);
    return RES2NET_OK;
}

static res2net_status load_pretrained(r2n_training_run *run, const char *path)
{
    r2n_tensor_set *in, *set;
    r2n_architecture wanted = run->config.architecture, found;
    r2n_family family;
    res2net_status status = r2n_import_recognises(path) ? import_pretrained(run, path, &in)
                                                        : r2n_weights_read(path, &in, run->report);
    if (status != RES2NET_OK)
        return status;
    status = r2n_weights_canonicalise(in, &wanted, run->config.family, path, &set, &found, &family,
                                      run->report);
    if (status != RES2NET_OK)
        return status;
    status = take_weights(run, path, set, found.classes);
    r2n_tensor_set_destroy(set);
    return status;
}

/* One kind of the optimiser's state; zeros where the file has none. */
static res2net_status take_states(r2n_training_run *run, const r2n_loaded_checkpoint *loaded)
{
    for (int kind = 0; kind < r2n_optimiser_states(run->config.optimiser.kind); kind++) {
        const char *wanted = r2n_run_state_name(run->config.optimiser.kind, kind);
        if (loaded->states[kind] == NULL)
            continue;
        if (strcmp(wanted, loaded->kinds[kind]) != 0)
            return r2n_fail(run->report, RES2NET_MISMATCH, run->config.checkpoints, -1,
                            "the save holds the optimiser's %s, and the configuration's optimiser "
                            "has a %s: go on with the same one, or start from the weights with "
                            "Global.pretrained_model",
                            loaded->kinds[kind], wanted);
        for (size_t i = 0; i < r2n_network_tensor_count(run->network); i++) {
            const r2n_tensor_spec *spec = r2n_network_tensor(run->network, i);
            if (!spec->trainable)
                continue;
            const r2n_tensor *tensor = r2n_tensor_set_find(loaded->states[kind], spec->name);
            if (tensor == NULL || !has_shape(tensor, spec))
                return r2n_fail(run->report, RES2NET_MISMATCH, run->config.checkpoints, -1,
                                "the optimiser's state of %s is missing or of another shape",
                                spec->name);
            r2n_network_put(run->network, run->states[kind], i, tensor->data);
        }
    }
    return RES2NET_OK;
}

static void take_averages(r2n_training_run *run, const r2n_loaded_checkpoint *loaded)
{
    for (size_t i = 0; i < r2n_network_tensor_count(run->network); i++) {
        const r2n_tensor_spec *spec = r2n_network_tensor(run->network, i);
        const r2n_tensor *tensor = r2n_tensor_set_find(loaded->averaged, spec->name);
        if (tensor != NULL && has_shape(tensor, spec))
            r2n_network_put(run->network,
                            spec->trainable ? run->averaged : run->averaged_statistics, i,
                            tensor->data);
    }
}

/* The saved learning rate wins over the configuration's, unless it is told otherwise. */
static void take_rate(r2n_training_run *run, const r2n_loaded_checkpoint *loaded)
{
    const double ours = r2n_schedule_where(&run->config.schedule, run->state.steps).rate;
    const double factor = ours > 0 ? loaded->saved_rate / ours : 1;
    run->rate_factor = 1;
    if (loaded->saved_rate <= 0 || fabs(factor - 1) < 1e-6)
        return;
    if (run->options->override_rate) {
        snprintf(run->notice, sizeof run->notice,
                 "the learning rate is the configuration's, %.8g, not the saved %.8g", ours,
                 loaded->saved_rate);
        return;
    }
    run->rate_factor = factor;
    snprintf(run->notice, sizeof run->notice,
             "the learning rate goes on from the saved %.8g; the configuration's would be %.8g: "
             "--override-lr takes that",
             loaded->saved_rate, ours);
}

static res2net_status resume(r2n_training_run *run)
{
    r2n_loaded_checkpoint loaded;
    res2net_status status = r2n_checkpoint_read(run->config.checkpoints, &run->config.architecture,
                                                &loaded, run->report);
    if (status != RES2NET_OK)
        return status;
    status =
        take_weights(run, run->config.checkpoints, loaded.weights, loaded.architecture.classes);
    if (status == RES2NET_OK)
        status = take_states(run, &loaded);
    if (status == RES2NET_OK) {
        run->state = loaded.run;
        run->progress = (r2n_optimiser_progress){.steps = loaded.run.steps,
                                                 .beta1_power = loaded.run.beta1_power,
                                                 .beta2_power = loaded.run.beta2_power};
        if (!loaded.run.has_ours) { /* Paddle's own tell a metric, not of which epoch */
            run->state.best_epoch = run->state.epoch;
            if (run->config.schedule.by_epoch) /* and then count epochs, not steps */
                run->state.steps *= run->config.schedule.iterations;
        }
        if (run->averaged != NULL && loaded.averaged != NULL)
            take_averages(run, &loaded);
        take_rate(run, &loaded);
    }
    r2n_loaded_checkpoint_free(&loaded);
    return status;
}

res2net_status r2n_run_load_weights(r2n_training_run *run)
{
    const char *pretrained = run->config.pretrained_model != NULL ? run->config.pretrained_model
                                                                  : run->config.arch_pretrained;
    res2net_status status =
        r2n_network_initialise(run->network, (uint64_t)run->config.seed, run->report);
    run->rate_factor = 1;
    run->progress = (r2n_optimiser_progress){.beta1_power = 1, .beta2_power = 1};
    run->state = (r2n_run_state){.best_metric = -1,
                                 .seed = (uint64_t)run->config.seed,
                                 .beta1_power = 1,
                                 .beta2_power = 1,
                                 .has_ours = 1};
    if (status == RES2NET_OK && pretrained != NULL && run->config.checkpoints == NULL)
        status = load_pretrained(run, pretrained);
    if (status == RES2NET_OK && run->averaged != NULL) {
        memcpy(run->averaged, r2n_network_parameters(run->network),
               (size_t)r2n_network_parameter_floats(run->network) * sizeof(float));
        memcpy(run->averaged_statistics, r2n_network_statistics(run->network),
               (size_t)r2n_network_statistic_floats(run->network) * sizeof(float));
    }
    if (status == RES2NET_OK && run->config.checkpoints != NULL)
        status = resume(run);
    return status;
}

void r2n_run_close(r2n_training_run *run)
{
    r2n_loader_destroy(run->loader);
    r2n_network_destroy(run->network);
    r2n_graph_destroy(run->graph);
    r2n_dataset_destroy(run->train);
    r2n_dataset_destroy(run->eval);
    r2n_free(run->labels);
    r2n_free(run->ranges);
    for (int i = 0; i < R2N_OPTIMISER_STATES; i++)
        r2n_free(run->states[i]);
    r2n_free(run->averaged);
    r2n_free(run->averaged_statistics);
    r2n_free(run->accumulated);
    r2n_free(run->logits);
    r2n_free(run->logit_gradients);
    r2n_train_config_free(&run->config);
}
