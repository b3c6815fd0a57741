/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net export`: a model as a file of another runtime. */
#include "diagnostics.h"
#include "exit_status.h"
#include "model_options.h"
#include "platform.h"
#include "text_format.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_BATCH = 65536, LARGEST_SIDE = 16384 };

static const option_row options[] = {
    MODEL_OPTIONS,
    {.name = "to",
     .kind = OPTION_CHOICE,
     .choices = "onnx|paddle",
     .help = "what is written: an ONNX file, or a folder with a Paddle inference model"},
    {.name = "output", .letter = 'o', .kind = OPTION_FILE, .argument = "PATH", .help = "where"},
    {.name = "batch",
     .kind = OPTION_TEXT,
     .argument = "dynamic|N",
     .fallback = "dynamic",
     .help = "pictures of a run: any number, or always N"},
    {.name = "size",
     .kind = OPTION_TEXT,
     .argument = "dynamic|HxW",
     .fallback = "dynamic",
     .help = "rows and columns of the pictures: any, or always these"},
    {.name = "softmax",
     .kind = OPTION_CHOICE,
     .choices = "on|off",
     .fallback = "on",
     .help = "the last step: on gives \"scores\" that add up to 1, off gives \"logits\""},
    {.name = "opset",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .fallback = "17",
     .minimum = 11,
     .maximum = 28,
     .help = "ONNX: the version of the operators; older runtimes know the lower ones only"},
    {.name = "batch-norm",
     .kind = OPTION_CHOICE,
     .choices = "fold|keep",
     .fallback = "fold",
     .help = "ONNX: folded into the convolutions, as runtimes would do it, or nodes of their own "
             "for further training"},
    {.name = "store",
     .kind = OPTION_CHOICE,
     .choices = "f32|f16|bf16",
     .fallback = "f32",
     .help = "ONNX: the type that weights are stored in; runs stay in f32"},
    {.name = "precision",
     .kind = OPTION_CHOICE,
     .choices = "f32|int8",
     .fallback = "f32",
     .help = "ONNX: int8 writes the calibration of `res2net quantize` as QuantizeLinear and "
             "DequantizeLinear"},
    {.name = NULL},
};

/* "dynamic" is 0. `end` is where the number ended; 0 where there is none from 1 to `most`. */
static int read_number(const char *text, long most, int32_t *number, const char **end)
{
    char *stop;
    if (text[0] < '0' || text[0] > '9')
        return 0;
    const long value = strtol(text, &stop, 10);
    *end = stop;
    *number = (int32_t)value;
    return value >= 1 && value <= most;
}

static int read_batch(const command_line *line, int32_t *batch)
{
    const char *text = option_text(line, "batch"), *end;
    *batch = 0;
    if (strcmp(text, "dynamic") == 0 ||
        (read_number(text, LARGEST_BATCH, batch, &end) && *end == '\0'))
        return EXIT_DONE;
    return usage_error(line->verb, "--batch %s: expected dynamic or a whole number from 1 to %d",
                       text, LARGEST_BATCH);
}

static int read_size(const command_line *line, int32_t *height, int32_t *width)
{
    const char *text = option_text(line, "size"), *end;
    *height = *width = 0;
    if (strcmp(text, "dynamic") == 0)
        return EXIT_DONE;
    if (read_number(text, LARGEST_SIDE, height, &end)) {
        *width = *height;
        if (*end == '\0')
            return EXIT_DONE;
        if (*end == 'x' && read_number(end + 1, LARGEST_SIDE, width, &end) && *end == '\0')
            return EXIT_DONE;
    }
    return usage_error(line->verb,
                       "--size %s: expected dynamic, one side or HEIGHTxWIDTH, such as 224 or "
                       "256x320",
                       text);
}

static int read_settings(const command_line *line, res2net_export_options *settings)
{
    const int to_paddle = option_is(line, "to", "paddle");
    static const char *const onnx_only[] = {"opset", "batch-norm", "store", "precision"};
    const int is_int8 = option_is(line, "precision", "int8");
    if (!option_given(line, "to"))
        return usage_error(line->verb, "--to onnx or --to paddle is missing");
    if (!option_given(line, "output"))
        return usage_error(line->verb, "-o PATH is missing: where to write");
    for (size_t i = 0; i < sizeof onnx_only / sizeof *onnx_only && to_paddle; i++)
        if (option_given(line, onnx_only[i]))
            return usage_error(line->verb, "--%s is for --to onnx only", onnx_only[i]);
    if (is_int8 && option_given(line, "store"))
        return usage_error(line->verb, "--store and --precision int8 exclude each other: int8 "
                                       "stores its weights in 8 bits");
    *settings = (res2net_export_options){
        .format = to_paddle ? RES2NET_EXPORT_PADDLE : RES2NET_EXPORT_ONNX,
        .logits = option_is(line, "softmax", "off"),
        .opset = (int32_t)option_integer(line, "opset"),
        .keep_batch_norm = option_is(line, "batch-norm", "keep"),
        .weights = is_int8                            ? RES2NET_EXPORT_WEIGHTS_INT8
                   : option_is(line, "store", "f16")  ? RES2NET_EXPORT_WEIGHTS_F16
                   : option_is(line, "store", "bf16") ? RES2NET_EXPORT_WEIGHTS_BF16
                                                      : RES2NET_EXPORT_WEIGHTS_F32};
    const int result = read_batch(line, &settings->batch);
    return result == EXIT_DONE ? read_size(line, &settings->height, &settings->width) : result;
}

static int write_file(const command_line *line, const res2net_model *model,
                      const res2net_export_options *settings)
{
    char bytes[FORMAT_BYTES];
    const char *path = option_text(line, "output");
    res2net_report *report = res2net_report_create();
    const res2net_status status = res2net_export(model, path, settings, report);
    print_problems(report);
    res2net_report_destroy(report);
    if (status != RES2NET_OK)
        return exit_status_of(status);
    res2net_model_info info;
    res2net_model_describe(model, &info);
    if (settings->format == RES2NET_EXPORT_ONNX)
        say("wrote %s (%s): %s, %s family, %d classes, %sopset %d, ends in %s", path,
            format_bytes(bytes, (uint64_t)platform_file_bytes(path)), info.architecture,
            family_name(info.family), info.classes,
            settings->weights == RES2NET_EXPORT_WEIGHTS_INT8 ? "int8, " : "", settings->opset,
            settings->logits ? "logits" : "a softmax");
    else
        say("wrote %s: %s, %s family, %d classes, ends in %s", path, info.architecture,
            family_name(info.family), info.classes, settings->logits ? "logits" : "a softmax");
    return EXIT_DONE;
}

static int run(const command_line *line)
{
    res2net_model *model = NULL;
    res2net_export_options settings;
    int result = read_settings(line, &settings);
    if (result == EXIT_DONE)
        result = open_model(line, &model);
    if (result == EXIT_DONE && platform_interrupted()) {
        say("export: interrupted; %s is not written", option_text(line, "output"));
        result = EXIT_INTERRUPTED;
    }
    if (result == EXIT_DONE)
        result = write_file(line, model, &settings);
    res2net_model_destroy(model);
    return result;
}

const verb verb_export = {
    .name = "export",
    .operands = "--to onnx|paddle -o PATH",
    .summary = "an ONNX file or a Paddle inference model",
    .description =
        "Input \"x\" is [batch, 3, height, width], prepared and normalised as predict does it; "
        "output \"scores\" or \"logits\" is [batch, classes]. Architecture, family, preprocessing "
        "and class names go along as metadata. PATH appears whole or not at all.\n\n"
        "--to paddle makes a folder: inference.pdmodel and inference.json (the program in both of "
        "Paddle's forms), inference.pdiparams, inference.pdiparams.info, inference.yml, and "
        "serving_server and serving_client for Paddle Serving. Other files of a folder that is "
        "there stay.",
    .examples = "  res2net export -m net.r2n --to onnx -o net.onnx\n"
                "  res2net export -m net.r2n --to onnx -o net.onnx --batch 1 --size 224x224 "
                "--softmax off\n"
                "  res2net export -m calibrated.r2n --to onnx --precision int8 -o net.int8.onnx\n"
                "  res2net export -m net.r2n --to paddle -o net\n",
    .options = options,
    .run = run,
};
