/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net predict`: its options, and how a call goes. predict_run.c does the work. */
#include "predict_run.h"

#include <string.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "list_options.h"
#include "model_options.h"
#include "platform.h"
#include "verbs.h"

static const option_row options[] = {
    MODEL_OPTIONS,
    {.name = "topk",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .fallback = "5",
     .minimum = 1,
     .maximum = 1000000,
     .help = "answers a picture"},
    {.name = "format",
     .kind = OPTION_CHOICE,
     .argument = "NAME",
     .fallback = "text",
     .choices = "text|json|jsonl|csv|paddleclas|paddleclas-whl",
     .help = "how results are written, one of"},
    PICTURE_OPTIONS,
    {.name = "list",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "pictures from a list file of `path` or `path label` lines, a folder of class "
             "folders, or a CIFAR-10 or CIFAR-100 binary file"},
    LIST_OPTIONS,
    {.name = "batch",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .minimum = 1,
     .maximum = 1024,
     .default_note = "8; 10 for paddleclas, as its configurations have it",
     .help = "pictures that run together; the answers are the same with any"},
    RUN_OPTIONS,
    {.name = "on-bad-image",
     .kind = OPTION_CHOICE,
     .choices = "stop|skip",
     .default_note = "stop for one input, skip for many",
     .help = "what an unreadable picture means; exit status 1 when any was skipped"},
    {.name = "input-npy",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "a ready float32 tensor N,3,H,W in place of pictures"},
    {.name = "dump-input",
     .kind = OPTION_FILE,
     .argument = "FILE.npy",
     .help = "writes what goes into the network: N,3,H,W"},
    {.name = "dump-logits",
     .kind = OPTION_FILE,
     .argument = "FILE.npy",
     .help = "writes what comes out of it, before the softmax: N,classes"},
    FAST_DECODE_OPTION,
    {.name = NULL},
};

static void choose_settings(const command_line *line, size_t count, predict_settings *settings)
{
    *settings = (predict_settings){.format = option_text(line, "format"),
                                   .topk = (int32_t)option_integer(line, "topk"),
                                   .batch = (int32_t)option_integer(line, "batch"),
                                   .threads = (int)option_integer(line, "threads"),
                                   .input_npy = option_text(line, "input-npy"),
                                   .dump_input = option_text(line, "dump-input"),
                                   .dump_logits = option_text(line, "dump-logits")};
    if (settings->batch == 0)
        settings->batch = strcmp(settings->format, "paddleclas") == 0 ? 10 : 8;
    settings->skip_bad = option_text(line, "on-bad-image") == NULL
                             ? count > 1
                             : option_is(line, "on-bad-image", "skip");
}

/* Before the work, not after it. */
static int check_dump(const char *option, const char *path)
{
    const int failure = path == NULL ? 0 : platform_check_writable(path);
    if (failure == 0)
        return EXIT_DONE;
    say("%s %s: cannot be written: %s", option, path, strerror(failure));
    return EXIT_FAILED;
}

static int check_usage(const command_line *line)
{
    const int npy = option_text(line, "input-npy") != NULL;
    const int pictures = line->operand_count > 0 || option_text(line, "list") != NULL;
    if (npy && pictures)
        return usage_error(line->verb, "--input-npy takes the place of pictures: give one of them");
    if (!npy && !pictures)
        return usage_error(line->verb, "expected a picture: a file, a folder, a pattern, --list "
                                       "FILE, - for standard input, or --input-npy FILE");
    const int result = check_dump("--dump-input", option_text(line, "dump-input"));
    return result != EXIT_DONE ? result
                               : check_dump("--dump-logits", option_text(line, "dump-logits"));
}

static int run(const command_line *line)
{
    inputs all = {0};
    res2net_model *model = NULL;
    res2net_session *session = NULL;
    predict_settings settings;
    int result = check_usage(line);
    platform_let_signals_end_reads(1);
    if (result == EXIT_DONE)
        result = inputs_gather(line, &all);
    platform_let_signals_end_reads(0);
    if (result == EXIT_DONE)
        result = open_model(line, &model);
    if (result == EXIT_DONE)
        result = open_session(line, model, 1, &session);
    if (result == EXIT_DONE) {
        choose_settings(line, all.count, &settings);
        result = predict_run(&settings, model, session, &all);
    }
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    inputs_free(&all);
    return result;
}

const verb verb_predict = {
    .name = "predict",
    .operands = "INPUT...",
    .summary = "classify pictures",
    .description =
        "INPUT is a picture (JPEG, PNG, WebP, BMP or PNM, told apart by content), a folder (its "
        "pictures by their extensions, in the order of names), a quoted "
        "pattern such as 'photos/*.jpg', or - for the bytes of one picture on standard input.\n\n"
        "Pictures are prepared as the model says, bit for bit as its framework does it, unless "
        "options say otherwise. A picture's answer does not depend on its neighbours, on --batch "
        "or on --threads.",
    .examples = "  res2net predict cat.jpg\n"
                "  res2net predict -m net.pth --labels names.txt --format json photos/\n"
                "  res2net predict --list val.txt --root data --format csv > answers.csv\n"
                "  curl -s URL | res2net predict -\n",
    .options = options,
    .most_operands = ANY_NUMBER,
    .run = run,
};
