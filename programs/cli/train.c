/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net train`: a PaddleClas configuration, from its first step or on from a save. */
#include "diagnostics.h"
#include "exit_status.h"
#include "model_options.h"
#include "platform.h"
#include "progress.h"
#include "text_format.h"
#include "verbs.h"

#include <inttypes.h>
#include <string.h>

static const option_row options[] = {
    {.name = "config",
     .letter = 'c',
     .kind = OPTION_FILE,
     .argument = "CONFIG",
     .help = "a PaddleClas configuration in YAML"},
    {.name = "override",
     .letter = 'o',
     .kind = OPTION_SETTING,
     .argument = "KEY=VALUE",
     .help = "changes the configuration, as in Global.epochs=10; may be given several times"},
    {.name = "print-config",
     .kind = OPTION_FLAG,
     .help = "prints every value that the run would use and where it comes from, and ends"},
    {.name = "dry-run",
     .kind = OPTION_FLAG,
     .help = "opens the data, makes the network, tries a step, tells shapes, memory and time, and "
             "ends; nothing is written"},
    {.name = "override-lr",
     .kind = OPTION_FLAG,
     .help =
         "when a run goes on from a save, the configuration's learning rate wins over the saved "
         "one"},
    THREADS_OPTION,
    {.name = "precision",
     .kind = OPTION_CHOICE,
     .default_note = "the configuration's",
     .choices = "f32|bf16",
     .help = "of the arithmetic; weights and sums stay in f32"},
    ISA_OPTION,
    {.name = NULL},
};

static void show_line(void *context, const char *text)
{
    (void)context;
    progress_hide();
    fprintf(stderr, "%s\n", text);
}

static int show_progress(void *context, const res2net_train_moment *moment)
{
    char what[200];
    if (moment->evaluates)
        snprintf(what, sizeof what,
                 "evaluates epoch %" PRId64 ", %" PRId64 " of %" PRId64 " pictures", moment->epoch,
                 moment->iteration, moment->iterations);
    else
        snprintf(what, sizeof what,
                 "epoch %" PRId64 " of %" PRId64 ", batch %" PRId64 " of %" PRId64
                 ", loss %.4f, %.1f images a second",
                 moment->epoch, moment->epochs, moment->iteration, moment->iterations, moment->loss,
                 moment->images_per_second);
    progress_tell(context, what, moment->seconds_left);
    return platform_interrupted();
}

/* A bad configuration is wrong usage; what it leads to is not. */
static int exit_of(res2net_status status)
{
    return status == RES2NET_INVALID_ARGUMENT || status == RES2NET_UNSUPPORTED
               ? EXIT_USAGE
               : exit_status_of(status);
}

static int finish(const res2net_report *report, res2net_status status)
{
    print_problems(report);
    return exit_of(status);
}

static int print_config(const command_line *line, const res2net_train_options *settings)
{
    char *text = NULL;
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_train_print(option_text(line, "config"), settings, &text, report);
    const int result = finish(report, status);
    if (text != NULL)
        fputs(text, stdout);
    res2net_text_free(text);
    res2net_report_destroy(report);
    return result;
}

static void print_bytes(const char *what, int64_t bytes)
{
    char text[FORMAT_BYTES];
    printf("  %-22s %s\n", what, format_bytes(text, (uint64_t)bytes));
}

static void print_plan(const res2net_train_plan *plan)
{
    printf("%s, %s family, %" PRId32 " classes, %" PRId64 " parameters\n", plan->architecture,
           plan->family == RES2NET_FAMILY_PADDLE ? "Paddle's" : "torch's", plan->classes,
           plan->parameters);
    printf("data      %" PRId64 " pictures to train, %" PRId64 " to evaluate\n",
           plan->train_pictures, plan->eval_pictures);
    printf("pictures  %s\n", plan->transforms);
    printf("batch     %" PRId32 " x 3 x %" PRId32 " x %" PRId32 "\n", plan->batch, plan->rows,
           plan->columns);
    printf("run       %" PRId64 " epochs of %" PRId64 " batches\n", plan->epochs, plan->iterations);
    printf("memory\n");
    print_bytes("parameters", plan->parameter_bytes);
    print_bytes("gradients", plan->gradient_bytes);
    print_bytes("optimiser, averages", plan->state_bytes);
    print_bytes("activations", plan->activation_bytes);
    if (plan->step_seconds > 0)
        printf(
            "time      %.3f s a batch (%.1f images/s) measured on empty pictures; %.2f h for all "
            "epochs, without evaluations\n",
            plan->step_seconds, plan->batch / plan->step_seconds, plan->seconds / 3600);
}

static int dry_run(const command_line *line, const res2net_train_options *settings)
{
    res2net_train_plan plan;
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_train_describe(option_text(line, "config"), settings, &plan, report);
    const int result = finish(report, status);
    if (status == RES2NET_OK)
        print_plan(&plan);
    res2net_report_destroy(report);
    return result;
}

static void print_training(const res2net_training *found)
{
    printf("epochs %" PRId64 ", steps %" PRId64 ", train loss %.5f", found->epochs, found->steps,
           found->train_loss);
    if (found->best_top1 >= 0)
        printf(", best top-1 %.2f %% (epoch %" PRId64 ")", 100 * found->best_top1,
               found->best_epoch);
    printf(", %.1f images/s\n", found->images_per_second);
    printf("%s\n", found->folder);
}

static int train(const command_line *line, const res2net_train_options *settings,
                 progress *progress)
{
    res2net_training found;
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_train(option_text(line, "config"), settings, &found, report);
    progress_clear(progress);
    int result = finish(report, status);
    if (status == RES2NET_OK)
        print_training(&found);
    if (status == RES2NET_OK && found.left_out > 0)
        result = EXIT_SKIPPED;
    res2net_report_destroy(report);
    return result;
}

static int run(const command_line *line)
{
    progress progress = progress_begin("train");
    const res2net_train_options settings = {.overrides = line->settings,
                                            .override_count = line->setting_count,
                                            .precision = option_text(line, "precision"),
                                            .isa = option_text(line, "isa"),
                                            .threads = (int)option_integer(line, "threads"),
                                            .override_rate = option_given(line, "override-lr"),
                                            .line = show_line,
                                            .progress = show_progress,
                                            .context = &progress};
    if (option_text(line, "config") == NULL)
        return usage_error(line->verb, "expected -c CONFIG: a PaddleClas configuration");
    if (option_given(line, "print-config"))
        return print_config(line, &settings);
    return option_given(line, "dry-run") ? dry_run(line, &settings)
                                         : train(line, &settings, &progress);
}

const verb verb_train = {
    .name = "train",
    .operands = "-c CONFIG [-o KEY=VALUE]...",
    .summary = "train, fine-tune and resume from a PaddleClas configuration",
    .description =
        "The folder Global.output_dir/Arch.name gets train.log, results.csv, report.html, and the "
        "saves latest, best_model and epoch_N: .pdparams, .pdopt and .pdstates as PaddleClas has "
        "them, and .r2n for `res2net predict`.\n\n"
        "SIGINT and SIGTERM save `latest` and end the run with status 130; -o "
        "Global.checkpoints=PREFIX goes on from a save as if nothing had been.",
    .examples =
        "  res2net train -c configs/cifar100/Res2Net20_26w_4s.yaml\n"
        "  res2net train -c Res2Net50_26w_4s.yaml -o Global.epochs=10 -o Arch.class_num=10\n"
        "  res2net train -c net.yaml -o Global.checkpoints=output/Res2Net50_26w_4s/latest\n"
        "  res2net train -c net.yaml --dry-run\n",
    .options = options,
    .run = run,
};
