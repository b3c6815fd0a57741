/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net eval`: accuracy over a labelled set. eval_report.c writes what it found. */
#include "diagnostics.h"
#include "eval_report.h"
#include "exit_status.h"
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
    {.name = "root",
     .kind = OPTION_FOLDER,
     .argument = "FOLDER",
     .default_note = "the list's folder",
     .help = "where the list's relative paths begin"},
    {.name = "on-bad-image",
     .kind = OPTION_CHOICE,
     .fallback = "stop",
     .choices = "stop|skip|wrong",
     .help = "an unreadable picture ends the run, is left out, or counts as wrongly answered; exit "
             "status 1 when there was any"},
    {.name = "report",
     .kind = OPTION_FOLDER,
     .argument = "FOLDER",
     .help = "writes per_class.csv, confusion.csv and summary.json there"},
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
     .kind = OPTION_ABSENT,
     .help = "this version reads no configuration files yet; give --list and --root"},
    {.name = "fast-decode",
     .kind = OPTION_ABSENT,
     .help = "this version does not have it yet; JPEG is decoded exactly"},
    {.name = NULL},
};

static int show_progress(void *context, int64_t done, int64_t total)
{
    progress_show(context, done, total);
    return platform_interrupted();
}

static int evaluate(const command_line *line, res2net_session *session, res2net_evaluation *out)
{
    progress progress = progress_begin("eval");
    const res2net_evaluate_options settings = {
        .root = option_text(line, "root"),
        .batch = (int32_t)option_integer(line, "batch"),
        .on_bad_image = option_is(line, "on-bad-image", "skip")    ? RES2NET_BAD_IMAGE_SKIP
                        : option_is(line, "on-bad-image", "wrong") ? RES2NET_BAD_IMAGE_WRONG
                                                                   : RES2NET_BAD_IMAGE_STOP,
        .progress = show_progress,
        .progress_context = &progress};
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_evaluate(session, option_text(line, "list"), &settings, out, report);
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

static int check_usage(const command_line *line)
{
    const char *folder = option_text(line, "report");
    if (option_text(line, "list") == NULL)
        return usage_error(line->verb, "expected --list LIST: the labelled set");
    /* Before hours of work, not after. */
    const int failure = folder == NULL ? 0 : platform_make_folder(folder);
    if (failure == 0)
        return EXIT_DONE;
    say("--report %s: %s", folder, strerror(failure));
    return EXIT_FAILED;
}

static int run(const command_line *line)
{
    res2net_model *model = NULL;
    res2net_session *session = NULL;
    res2net_evaluation found = {0};
    int result = check_usage(line);
    if (result == EXIT_DONE)
        result = open_model(line, &model);
    if (result == EXIT_DONE)
        result = open_session(line, model, 1, &session);
    if (result == EXIT_DONE)
        result = evaluate(line, session, &found);
    if (result == EXIT_DONE)
        result = print_all(line, model, &found);
    res2net_evaluation_free(&found);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    return result;
}

const verb verb_eval = {
    .name = "eval",
    .operands = "--list LIST",
    .summary = "top-1, top-5 and loss over a labelled set",
    .description =
        "Every bad line of a list is reported before anything runs. A picture is never replaced by "
        "another one, and none is counted twice.\n\n"
        "The report's per_class.csv holds a row a class, confusion.csv a row a label and a column "
        "an answer, summary.json what --format json prints.",
    .examples = "  res2net eval -m net.pth --list val_list.txt --root imagenet/\n"
                "  res2net eval -m net.r2n --list test.bin --report report/\n",
    .options = options,
    .run = run,
};
