/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net eval`: accuracy over a labelled set. eval_report.c writes what it found. */
#include "diagnostics.h"
#include "eval_report.h"
#include "exit_status.h"
#include "list_options.h"
#include "model_options.h"
#include "platform.h"
#include "progress.h"
#include "verbs.h"

#include <string.h>

static const option_row options[] = {
    MODEL_OPTIONS,
    {.name = "list",
     .kind = OPTION_FILE,
     .argument = "LIST",
     .help = "the labelled set: a list file of `path label` lines, a folder of class folders, or a "
             "CIFAR-10 or CIFAR-100 binary file"},
    LIST_OPTIONS,
    {.name = "on-bad-image",
     .kind = OPTION_CHOICE,
     .fallback = "stop",
     .choices = "stop|skip|wrong",
     .help = "an unreadable picture ends the run, is left out, or counts as wrongly answered; exit "
             "status 1 when there was any"},
    {.name = "report",
     .kind = OPTION_FOLDER,
     .argument = "FOLDER",
     .help = "writes tables, charts, a page of the worst pictures and summary.json there"},
    {.name = "worst",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .fallback = "50",
     .minimum = 0,
     .maximum = RES2NET_MAXIMUM_WORST,
     .help = "how many pictures of the highest loss the report and JSON have"},
    {.name = "format",
     .kind = OPTION_CHOICE,
     .fallback = "text",
     .choices = "text|json",
     .help = "how the result is written"},
    PICTURE_OPTIONS,
    {.name = "batch",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .fallback = "32",
     .minimum = 1,
     .maximum = 1024,
     .help = "pictures that run together"},
    RUN_OPTIONS,
    {.name = "config",
     .letter = 'c',
     .kind = OPTION_FILE,
     .argument = "CONFIG",
     .help = "a PaddleClas configuration in YAML: its Arch, Global.pretrained_model and "
             "DataLoader.Eval stand in for options that are not given"},
    {.name = "override",
     .letter = 'o',
     .kind = OPTION_SETTING,
     .argument = "KEY=VALUE",
     .help = "changes the configuration, as in Arch.class_num=10; may be given several times"},
    FAST_DECODE_OPTION,
    {.name = NULL},
};

static int show_progress(void *context, int64_t done, int64_t total)
{
    progress_show(context, done, total);
    return platform_interrupted();
}

/* --list and --root, or what the configuration says. */
static const char *list_in_force(const command_line *line, const res2net_evaluate_config *config)
{
    const char *list = option_text(line, "list");
    return list != NULL ? list : config->list;
}

static int evaluate(const command_line *line, const res2net_evaluate_config *config,
                    res2net_session *session, res2net_evaluation *out)
{
    progress progress = progress_begin("eval");
    const char *root = option_text(line, "root");
    const int own_batch = option_given(line, "batch") || config->batch == 0;
    const res2net_evaluate_options settings = {
        .root = root != NULL ? root : config->root,
        .delimiter = option_given(line, "delimiter") ? list_delimiter(line) : config->delimiter,
        .batch = own_batch ? (int32_t)option_integer(line, "batch") : config->batch,
        .on_bad_image = option_is(line, "on-bad-image", "skip")    ? RES2NET_BAD_IMAGE_SKIP
                        : option_is(line, "on-bad-image", "wrong") ? RES2NET_BAD_IMAGE_WRONG
                                                                   : RES2NET_BAD_IMAGE_STOP,
        .progress = show_progress,
        .progress_context = &progress,
        .worst = (int32_t)option_integer(line, "worst")};
    res2net_report *report = res2net_report_create();
    platform_let_signals_end_reads(1);
    const res2net_status status =
        res2net_evaluate(session, list_in_force(line, config), &settings, out, report);
    platform_let_signals_end_reads(0);
    progress_clear(&progress);
    print_problems(report);
    res2net_report_destroy(report);
    return exit_status_of(status);
}

static int print_all(const command_line *line, const res2net_model *model,
                     const res2net_evaluation *found)
{
    const char *folder = option_text(line, "report");
    if (option_is(line, "format", "json"))
        eval_print_json(stdout, model, found);
    else
        eval_print_text(stdout, model, found);
    if (folder != NULL && eval_write_report(folder, model, found) != EXIT_DONE)
        return EXIT_FAILED;
    return found->skipped > 0 ? EXIT_SKIPPED : EXIT_DONE;
}

static int check_usage(const command_line *line, const res2net_evaluate_config *config)
{
    const char *folder = option_text(line, "report");
    if (option_given(line, "override") && !option_given(line, "config"))
        return usage_error(line->verb, "-o changes a configuration: give one with -c CONFIG");
    if (list_in_force(line, config) == NULL)
        return usage_error(line->verb, "expected --list LIST: the labelled set%s",
                           option_given(line, "config")
                               ? ", or DataLoader.Eval.dataset.cls_label_path in the configuration"
                               : "");
    /* Before hours of work, not after. */
    const int failure = folder == NULL ? 0 : platform_make_folder(folder);
    if (failure == 0)
        return EXIT_DONE;
    say("--report %s: %s", folder, strerror(failure));
    return EXIT_FAILED;
}

/* A bad configuration is wrong usage; a file that cannot be read is a failed input. */
static int config_failure(res2net_status status)
{
    return status == RES2NET_INVALID_ARGUMENT || status == RES2NET_UNSUPPORTED ||
                   status == RES2NET_DAMAGED || status == RES2NET_LIMIT_EXCEEDED ||
                   status == RES2NET_MISMATCH
               ? EXIT_USAGE
               : exit_status_of(status);
}

static int read_config(const command_line *line, res2net_evaluate_config *config)
{
    const char *path = option_text(line, "config");
    if (path == NULL)
        return EXIT_DONE;
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_evaluate_config_read(path, line->settings, line->setting_count, config, report);
    print_problems(report);
    res2net_report_destroy(report);
    return config_failure(status);
}

static int check_classes(const res2net_evaluate_config *config, const res2net_model *model)
{
    res2net_report *report = res2net_report_create();
    const res2net_status status = res2net_evaluate_config_check(config, model, report);
    print_problems(report);
    res2net_report_destroy(report);
    return config_failure(status);
}

static int is_address(const char *path)
{
    return strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0;
}

static int open_configured_model(const command_line *line, const res2net_evaluate_config *config,
                                 res2net_model **model)
{
    const model_fallback fallback = {.path = config->weights,
                                     .architecture = config->architecture,
                                     .recipe = config->transforms};
    if (config->architecture != NULL && config->weights == NULL && model_path(line) == NULL)
        return usage_error(line->verb, "the configuration has no Global.pretrained_model: give the "
                                       "weights with -m FILE");
    if (config->weights != NULL && model_path(line) == NULL && is_address(config->weights))
        return usage_error(line->verb,
                           "%s: nothing is downloaded here: fetch the weights and give them "
                           "with -m FILE",
                           config->weights);
    const int result = open_model_or(line, &fallback, model);
    return result == EXIT_DONE ? check_classes(config, *model) : result;
}

static int run(const command_line *line)
{
    res2net_model *model = NULL;
    res2net_session *session = NULL;
    res2net_evaluation found = {0};
    res2net_evaluate_config config = {0};
    int result = read_config(line, &config);
    if (result == EXIT_DONE)
        result = check_usage(line, &config);
    if (result == EXIT_DONE)
        result = open_configured_model(line, &config, &model);
    if (result == EXIT_DONE)
        result = open_session(line, model, 1, &session);
    if (result == EXIT_DONE)
        result = evaluate(line, &config, session, &found);
    if (result == EXIT_DONE)
        result = print_all(line, model, &found);
    res2net_evaluation_free(&found);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    res2net_evaluate_config_free(&config);
    return result;
}

const verb verb_eval = {
    .name = "eval",
    .operands = "--list LIST | -c CONFIG",
    .summary = "top-1, top-5, loss, F1 and calibration over a labelled set",
    .description =
        "Every bad line of a list is reported before anything runs. A picture is never replaced by "
        "another one, and none is counted twice.\n\n"
        "The report's per_class.csv holds a row a class, confusion.csv and confusion.svg a row a "
        "label and a column an answer, confused_pairs.csv a row a kind of mistake, calibration.svg "
        "how often answers of a confidence are right, worst.html the pictures of the highest loss, "
        "summary.json what --format json prints.",
    .examples =
        "  res2net eval -m net.pth --list val_list.txt --root imagenet/\n"
        "  res2net eval -m net.r2n --list test.bin --report report/\n"
        "  res2net eval -m net.pdparams -c configs/ImageNet/Res2Net/Res2Net50_26w_4s.yaml\n",
    .options = options,
    .run = run,
};
