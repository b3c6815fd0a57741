/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net quantize`: int8 by calibration. quantize_report.c tells what it costs. */
#include "diagnostics.h"
#include "exit_status.h"
#include "list_options.h"
#include "model_options.h"
#include "platform.h"
#include "progress.h"
#include "quantize_report.h"
#include "text_format.h"
#include "verbs.h"

#include <string.h>

static const option_row options[] = {
    MODEL_OPTIONS,
    {.name = "calibrate",
     .kind = OPTION_FILE,
     .argument = "LIST",
     .help = "pictures like those that the model will see: a list file (labels may be missing), a "
             "folder of class folders, or a CIFAR-10 or CIFAR-100 binary file"},
    LIST_OPTIONS,
    {.name = "samples",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .fallback = "512",
     .minimum = 1,
     .maximum = 10000000,
     .help = "pictures of the calibration, spread evenly over the list"},
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_FILE,
     .argument = "OUT.r2n",
     .help = "the calibrated model"},
    {.name = "packed",
     .kind = OPTION_TEXT,
     .argument = "P,P,...|none",
     .fallback = "int8",
     .help = "what OUT also holds for a fast start: the weights as runs of these precisions read "
             "them (f32, bf16, bf16x3, int8)"},
    {.name = "eval",
     .kind = OPTION_FILE,
     .argument = "LIST",
     .default_note = "the pictures of the calibration, where they have labels",
     .help = "the labelled set for top-1 before and after"},
    {.name = "on-bad-image",
     .kind = OPTION_CHOICE,
     .fallback = "stop",
     .choices = "stop|skip",
     .help = "an unreadable picture ends the run, or is left out; exit status 1 when there was "
             "any"},
    {.name = "format",
     .kind = OPTION_CHOICE,
     .fallback = "text",
     .choices = "text|json",
     .help = "how the report is written"},
    PICTURE_OPTIONS,
    FAST_DECODE_OPTION,
    {.name = "batch",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .fallback = "16",
     .minimum = 1,
     .maximum = 1024,
     .help = "pictures that run together; changes no scale"},
    THREADS_OPTION,
    ISA_OPTION,
    {.name = NULL},
};

static int show_progress(void *context, int64_t done, int64_t total)
{
    progress_show(context, done, total);
    return platform_interrupted();
}

static res2net_quantize_options settings_of(const command_line *line, progress *progress)
{
    return (res2net_quantize_options){.root = option_text(line, "root"),
                                      .delimiter = list_delimiter(line),
                                      .batch = (int32_t)option_integer(line, "batch"),
                                      .on_bad_image = option_is(line, "on-bad-image", "skip")
                                                          ? RES2NET_BAD_IMAGE_SKIP
                                                          : RES2NET_BAD_IMAGE_STOP,
                                      .progress = show_progress,
                                      .progress_context = progress};
}

static int calibrate(const command_line *line, const res2net_session_options *session,
                     res2net_model *model, res2net_quantization *found)
{
    progress progress = progress_begin("quantize");
    res2net_quantize_options settings = settings_of(line, &progress);
    res2net_report *report = res2net_report_create();
    settings.samples = (int32_t)option_integer(line, "samples");
    platform_let_signals_end_reads(1);
    const res2net_status status =
        res2net_quantize(model, session, option_text(line, "calibrate"), &settings, found, report);
    platform_let_signals_end_reads(0);
    progress_clear(&progress);
    print_problems(report);
    res2net_report_destroy(report);
    if (status == RES2NET_OK)
        tell_of_settings(line);
    return exit_status_of(status);
}

static int save(const command_line *line, const res2net_model *model)
{
    char bytes[FORMAT_BYTES];
    const char *path = option_text(line, "output");
    const res2net_save_options settings = {.packed = option_text(line, "packed")};
    res2net_report *report = res2net_report_create();
    const res2net_status status = res2net_model_save(model, path, &settings, report);
    print_problems(report);
    res2net_report_destroy(report);
    if (status == RES2NET_OK)
        say("wrote %s (%s)", path, format_bytes(bytes, (uint64_t)platform_file_bytes(path)));
    return exit_status_of(status);
}

static int evaluate(const command_line *line, const res2net_session_options *settings,
                    const res2net_model *model, const char *list, res2net_comparison *found)
{
    static const char *const precisions[2] = {"f32", "int8"};
    res2net_session *sessions[2] = {NULL, NULL};
    res2net_status status = RES2NET_OK;
    progress progress = progress_begin("quantize");
    const res2net_quantize_options options_of_run = settings_of(line, &progress);
    res2net_session_options session = *settings;
    res2net_report *report = res2net_report_create();
    for (int i = 0; i < 2 && status == RES2NET_OK; i++) {
        session.precision = precisions[i];
        status = res2net_session_create(model, &session, &sessions[i], report);
    }
    platform_let_signals_end_reads(1);
    if (status == RES2NET_OK)
        status = res2net_compare(sessions[0], sessions[1], list, &options_of_run, found, report);
    platform_let_signals_end_reads(0);
    progress_clear(&progress);
    print_problems(report);
    res2net_report_destroy(report);
    res2net_session_destroy(sessions[0]);
    res2net_session_destroy(sessions[1]);
    return exit_status_of(status);
}

static int check_usage(const command_line *line)
{
    const char *path = option_text(line, "output");
    const size_t length = path != NULL ? strlen(path) : 0;
    if (option_text(line, "calibrate") == NULL)
        return usage_error(line->verb, "expected --calibrate LIST: pictures like those that the "
                                       "model will see");
    if (path == NULL)
        return usage_error(line->verb, "expected -o OUT.r2n: the calibrated model");
    if (length < 5 || strcmp(path + length - 4, ".r2n") != 0)
        return usage_error(line->verb, "%s: a calibration is kept in .r2n files only", path);
    return EXIT_DONE;
}

static void print_all(const command_line *line, const res2net_quantization *found, const char *list,
                      const res2net_comparison *evaluation)
{
    const char *calibration = option_text(line, "calibrate");
    if (option_is(line, "format", "json"))
        quantize_print_json(stdout, calibration, found, list, evaluation);
    else
        quantize_print_text(stdout, calibration, found, list, evaluation);
}

static int run(const command_line *line)
{
    res2net_model *model = NULL;
    res2net_session_options session;
    res2net_quantization found = {0};
    res2net_comparison evaluation = {0};
    const char *list = option_text(line, "eval");
    int result = check_usage(line);
    if (result == EXIT_DONE)
        result = open_model(line, &model);
    if (result == EXIT_DONE) {
        session = session_settings(line, 1);
        result = calibrate(line, &session, model, &found);
    }
    if (result == EXIT_DONE)
        result = save(line, model);
    if (result == EXIT_DONE && list != NULL)
        result = evaluate(line, &session, model, list, &evaluation);
    if (result == EXIT_DONE) {
        print_all(line, &found, list, list != NULL ? &evaluation : NULL);
        if (found.pictures.skipped + evaluation.skipped > 0)
            result = EXIT_SKIPPED;
    }
    res2net_quantization_free(&found);
    res2net_model_destroy(model);
    return result;
}

const verb verb_quantize = {
    .name = "quantize",
    .operands = "--calibrate LIST -o OUT.r2n",
    .summary = "int8 by calibration, with a report of what it costs",
    .description =
        "Runs pictures in f32, as predict prepares them, and chooses for every value that int8 "
        "stores the scale of the least squared error. OUT holds the model with these scales; "
        "--precision int8 then runs it, and f32 runs it as before. It is written before the report "
        "is made with --eval.\n\n"
        "A few hundred pictures of all classes are enough; labels are used for the report only.",
    .examples = "  res2net quantize -m net.r2n --calibrate train_list.txt --root imagenet/ -o "
                "net8.r2n\n"
                "  res2net predict -m net8.r2n --precision int8 cat.jpg\n",
    .options = options,
    .run = run,
};
