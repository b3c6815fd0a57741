/* SPDX-License-Identifier: Apache-2.0 */
/* The door of the room: res2net/train.h. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/os.h"
#include "train/loop.h"

enum { MOST_CONFIG_BYTES = 1 << 20 };

static const res2net_train_options default_options = {0};

static res2net_status read_config(r2n_training_run *run, const char *path)
{
    r2n_file_bytes file;
    res2net_status status = r2n_file_read(path, MOST_CONFIG_BYTES, &file, run->report);
    if (status != RES2NET_OK)
        return status;
    status =
        r2n_train_config_parse((const char *)file.data, file.size, path, run->options->overrides,
                               run->options->override_count, &run->config, run->report);
    r2n_file_release(&file);
    if (status == RES2NET_DAMAGED || status == RES2NET_MISMATCH ||
        status == RES2NET_LIMIT_EXCEEDED) /* no YAML, or too much of it: the caller's mistake */
        return RES2NET_INVALID_ARGUMENT;
    if (status != RES2NET_OK)
        return status;
    const char *precision = run->options->precision;
    if (precision != NULL && strcmp(precision, "f32") == 0)
        run->config.bf16 = 0;
    else if (precision != NULL && strcmp(precision, "bf16") == 0)
        run->config.bf16 = 1;
    else if (precision != NULL)
        return r2n_fail(run->report, RES2NET_INVALID_ARGUMENT, NULL, -1,
                        "training has no precision \"%s\": f32 or bf16", precision);
    return RES2NET_OK;
}

/* ---- a run ---- */

static res2net_status open_records(r2n_training_run *run)
{
    char events[1280], title[256];
    const char *list = run->config.train.list;
    snprintf(events, sizeof events, "%s/vdl", run->config.output_dir);
    snprintf(title, sizeof title, "%s on %.120s", run->config.architecture.name, list);
    const r2n_records_options options = {.folder = run->folder,
                                         .events = run->config.use_visualdl ? events : NULL,
                                         .title = title,
                                         .schedule_class =
                                             r2n_schedule_class(&run->config.schedule),
                                         .loss_name = "CELoss",
                                         .epochs = run->config.epochs,
                                         .iterations = run->iterations,
                                         .print_step = run->config.print_batch_step,
                                         .resumed = run->config.checkpoints != NULL,
                                         .epoch = run->state.epoch,
                                         .wall_time = (int64_t)time(NULL),
                                         .line = run->options->line,
                                         .context = run->options->context};
    return r2n_records_open(&options, &run->records, run->report);
}

static res2net_status prepare(r2n_training_run *run, const char *config)
{
    res2net_status status = read_config(run, config);
    if (status != RES2NET_OK)
        return status;
    size_t base = strlen(run->config.output_dir);
    while (base > 1 && run->config.output_dir[base - 1] == '/')
        base--;
    const int length = snprintf(run->folder, sizeof run->folder, "%.*s/%s", (int)base,
                                run->config.output_dir, run->config.architecture.name);
    if (length < 0 || (size_t)length >= sizeof run->folder)
        return r2n_fail(run->report, RES2NET_INVALID_ARGUMENT, config, -1,
                        "Global.output_dir is longer than %d characters",
                        (int)sizeof run->folder - 100);
    /* A specification is no name for a folder: -o could not say one with '=' in it. */
    for (char *at = run->folder + base; *at != '\0'; at++)
        if (*at == ':' || *at == '=' || *at == ',')
            *at = '_';
    status = r2n_run_open_data(run);
    return status == RES2NET_OK ? r2n_run_make_network(run) : status;
}

static void say_start(r2n_training_run *run)
{
    char *transforms = r2n_transforms_describe(run->config.train.transforms);
    r2n_records_say(run->records, "%s, %s family, %d classes, seed %lld, %s",
                    run->config.architecture.name,
                    run->config.family == R2N_FAMILY_PADDLE ? "Paddle's" : "torch's",
                    (int)run->config.architecture.classes, (long long)run->config.seed,
                    run->config.bf16 ? "bf16" : "f32");
    r2n_records_say(run->records, "%zu pictures, %lld batches of %d an epoch; %s",
                    run->train->count, (long long)run->iterations, (int)run->config.train.batch,
                    transforms == NULL ? "" : transforms);
    if (run->state.epoch > 0 || run->state.iteration > 0)
        r2n_records_say(run->records, "goes on from %s: epoch %lld, batch %lld",
                        run->config.checkpoints, (long long)run->state.epoch + 1,
                        (long long)run->state.iteration + 1);
    if (run->notice[0] != '\0')
        r2n_records_say(run->records, "%s", run->notice);
    r2n_free(transforms);
}

res2net_status res2net_train(const char *config, const res2net_train_options *options,
                             res2net_training *out, res2net_report *report)
{
    r2n_training_run run = {.options = options == NULL ? &default_options : options,
                            .report = report};
    const double start = r2n_seconds();
    *out = (res2net_training){.best_top1 = -1};
    res2net_status status = prepare(&run, config);
    if (status == RES2NET_OK)
        status = r2n_os_make_directories(run.folder, report);
    if (status == RES2NET_OK)
        status = r2n_run_load_weights(&run);
    if (status == RES2NET_OK)
        status = open_records(&run);
    if (status == RES2NET_OK) {
        say_start(&run);
        status = r2n_run_epochs(&run);
    }
    snprintf(out->folder, sizeof out->folder, "%s", run.folder);
    out->epochs = run.state.epoch;
    out->steps = run.state.steps;
    out->train_loss = run.train_loss;
    out->best_top1 = run.state.best_metric;
    out->best_epoch = run.state.best_epoch;
    out->skipped_steps = run.state.skipped_steps;
    out->seconds = r2n_seconds() - start;
    out->images_per_second =
        run.train_seconds > 0 ? (double)run.train_images / run.train_seconds : 0;
    if (run.loader != NULL) {
        r2n_loader_facts facts;
        r2n_loader_describe(run.loader, &facts);
        out->left_out = facts.left_out;
    }
    const res2net_status closed = r2n_records_close(run.records, report);
    r2n_run_close(&run);
    return status == RES2NET_OK ? closed : status;
}

/* ---- what a run would be ---- */

/* One step over zeros; its seconds, the faster of two. */
static double try_step(r2n_training_run *run)
{
    const r2n_loss_options loss = {.weight = 1};
    const int32_t batch = run->config.train.batch, classes = run->config.architecture.classes;
    int32_t rows, columns;
    double least = 0;
    r2n_loader_picture_size(run->loader, &rows, &columns);
    float *pictures =
        r2n_allocate_zeroed((size_t)batch * (size_t)rows * (size_t)columns, 3 * sizeof(float));
    int32_t *labels = r2n_allocate_zeroed((size_t)batch, sizeof *labels);
    for (int turn = 0; turn < 2 && pictures != NULL && labels != NULL; turn++) {
        const double start = r2n_seconds();
        r2n_network_forward(run->network, pictures, batch, run->logits, run->options->threads);
        (void)r2n_cross_entropy(&loss, batch, classes, run->logits, labels, NULL,
                                run->logit_gradients, NULL);
        r2n_network_backward(run->network, run->logit_gradients, run->options->threads);
        const double took = r2n_seconds() - start;
        least = turn == 0 || took < least ? took : least;
    }
    r2n_free(pictures);
    r2n_free(labels);
    return least;
}

static void describe(r2n_training_run *run, res2net_train_plan *out)
{
    const int64_t floats = r2n_network_parameter_floats(run->network);
    const int states = r2n_optimiser_states(run->config.optimiser.kind);
    char *transforms = r2n_transforms_describe(run->config.train.transforms);
    *out = (res2net_train_plan){
        .family = (res2net_family)run->config.family,
        .classes = run->config.architecture.classes,
        .batch = run->config.train.batch,
        .parameters = r2n_architecture_parameters(&run->config.architecture),
        .train_pictures = (int64_t)run->train->count,
        .eval_pictures = run->eval == NULL ? 0 : (int64_t)run->eval->count,
        .epochs = run->config.epochs,
        .iterations = run->iterations,
        .activation_bytes = r2n_network_activation_bytes(run->network),
        .parameter_bytes = floats * 4,
        .gradient_bytes = floats * 4,
        .state_bytes =
            floats * 4 * (states + (run->averaged != NULL) + (run->accumulated != NULL))};
    snprintf(out->architecture, sizeof out->architecture, "%s", run->config.architecture.name);
    snprintf(out->transforms, sizeof out->transforms, "%s", transforms == NULL ? "" : transforms);
    r2n_loader_picture_size(run->loader, &out->rows, &out->columns);
    out->step_seconds = try_step(run);
    out->seconds = out->step_seconds * (double)out->iterations * (double)out->epochs;
    r2n_free(transforms);
}

res2net_status res2net_train_describe(const char *config, const res2net_train_options *options,
                                      res2net_train_plan *out, res2net_report *report)
{
    r2n_training_run run = {.options = options == NULL ? &default_options : options,
                            .report = report};
    *out = (res2net_train_plan){0};
    res2net_status status = prepare(&run, config);
    if (status == RES2NET_OK)
        status = r2n_network_initialise(run.network, (uint64_t)run.config.seed, report);
    if (status == RES2NET_OK)
        describe(&run, out);
    r2n_run_close(&run);
    return status;
}

res2net_status res2net_train_print(const char *config, const res2net_train_options *options,
                                   char **text, res2net_report *report)
{
    r2n_file_bytes file;
    *text = NULL;
    if (options == NULL)
        options = &default_options;
    const res2net_status status = r2n_file_read(config, MOST_CONFIG_BYTES, &file, report);
    if (status != RES2NET_OK)
        return status;
    const size_t before = res2net_report_count(report);
    *text = r2n_train_config_print((const char *)file.data, file.size, config, options->overrides,
                                   options->override_count, report);
    r2n_file_release(&file);
    if (*text != NULL)
        return RES2NET_OK;
    return res2net_report_count(report) > before ? RES2NET_INVALID_ARGUMENT : RES2NET_OUT_OF_MEMORY;
}

void res2net_text_free(char *text)
{
    r2n_free(text);
}
