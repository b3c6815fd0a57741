/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net convert`: any weights file to any format that can be written. */
#include "diagnostics.h"
#include "exit_status.h"
#include "model_options.h"
#include "platform.h"
#include "text_format.h"
#include "verbs.h"

static const option_row options[] = {
    {.name = "arch",
     .kind = OPTION_ARCHITECTURE,
     .argument = "NAME",
     .default_note = "what the file says",
     .help = "the architecture, any case; `res2net models` lists them"},
    {.name = "family",
     .kind = OPTION_CHOICE,
     .choices = "paddle|torch",
     .default_note = "by the tensors' names",
     .help = "whose network the weights were made for"},
    {.name = "keep-family",
     .kind = OPTION_FLAG,
     .help = "writes weights of one family in the other's format, marked so that res2net still "
             "knows; other programs would run a different network"},
    {.name = "transforms",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "a PaddleClas transform_ops list in YAML, stored in a .r2n"},
    {.name = "labels",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "class names, one a line or `number name`, stored in a .r2n"},
    {.name = "licence",
     .kind = OPTION_TEXT,
     .argument = "TEXT",
     .default_note = "what the file says",
     .help = "the weights' licence, stored in a .r2n"},
    {.name = "source",
     .kind = OPTION_TEXT,
     .argument = "TEXT",
     .default_note = "what the file says",
     .help = "where the weights come from, stored in a .r2n"},
    {.name = "packed",
     .kind = OPTION_TEXT,
     .argument = "P,P,...|none",
     .fallback = "f32",
     .help = "what a .r2n also holds for a fast start: the weights as runs of these precisions "
             "read them (f32, bf16, bf16x3, int8); none halves the file, and the answers stay the "
             "same"},
    {.name = "verify", .kind = OPTION_FLAG, .help = "reads OUT back and checks it, checksums too"},
    {.name = NULL},
};

static int load(const command_line *line, res2net_model **model)
{
    const res2net_load_options settings = {.architecture = option_text(line, "arch"),
                                           .family = family_option(line),
                                           .transforms = option_text(line, "transforms"),
                                           .labels = option_text(line, "labels"),
                                           .licence = option_text(line, "licence"),
                                           .source = option_text(line, "source"),
                                           .verify = 1};
    return load_model(line->operands[0], &settings, model);
}

static int save(const command_line *line, const res2net_model *model)
{
    res2net_report *report = res2net_report_create();
    const res2net_save_options settings = {.keep_family = option_given(line, "keep-family"),
                                           .packed = option_text(line, "packed")};
    const res2net_status status = res2net_model_save(model, line->operands[1], &settings, report);
    print_problems(report);
    res2net_report_destroy(report);
    return exit_status_of(status);
}

/* Reads what was written, as the next program will. */
static int read_back(const command_line *line)
{
    const res2net_load_options settings = {.verify = 1};
    res2net_model *model = NULL;
    const int result = load_model(line->operands[1], &settings, &model);
    res2net_model_destroy(model);
    return result;
}

static void tell(const command_line *line, const res2net_model *model)
{
    char parameters[FORMAT_BYTES], read[FORMAT_BYTES], written[FORMAT_BYTES];
    res2net_model_info info;
    res2net_model_describe(model, &info);
    format_bytes(read, (uint64_t)platform_file_bytes(line->operands[0]));
    format_bytes(written, (uint64_t)platform_file_bytes(line->operands[1]));
    say("read %s (%s): %s, %s family, %s parameters, %d classes, %s", line->operands[0], read,
        info.architecture, family_name(info.family), format_count(parameters, info.parameters),
        info.classes, info.has_labels ? "with labels" : "no labels");
    say("wrote %s (%s)%s", line->operands[1], written,
        option_given(line, "verify") ? ", which is read back now" : "");
}

static int run(const command_line *line)
{
    res2net_model *model = NULL;
    const char *architecture = option_text(line, "arch");
    int result = architecture == NULL ? EXIT_DONE : check_architecture(line, architecture);
    if (result == EXIT_DONE)
        result = load(line, &model);
    if (result == EXIT_DONE && platform_interrupted()) {
        say("convert: interrupted; %s is not written", line->operands[1]);
        result = EXIT_INTERRUPTED;
    }
    if (result == EXIT_DONE)
        result = save(line, model);
    if (result == EXIT_DONE)
        tell(line, model);
    if (result == EXIT_DONE && option_given(line, "verify"))
        result = read_back(line);
    res2net_model_destroy(model);
    return result;
}

const verb verb_convert = {
    .name = "convert",
    .operands = "IN OUT",
    .summary = "weights of any format to .r2n, .pdparams or .safetensors",
    .description =
        "IN is told apart by its content: .r2n, .pdparams, .pth, .safetensors, .onnx, or a Paddle "
        "inference model (its folder, .tar, .pdmodel or .json). OUT's extension says what is "
        "written. The checksums of a .r2n are checked. OUT appears whole or not at "
        "all, so it may be IN itself.\n\n"
        "Paddle's weights and those of PyTorch are two different networks with the same tensors. "
        "Writing one in the other's format is refused without --keep-family.",
    .examples =
        "  res2net convert Res2Net50_26w_4s_pretrained.pdparams net.r2n\n"
        "  res2net convert checkpoint.pth net.r2n --labels names.txt --transforms ops.yaml\n"
        "  res2net convert net.r2n net.safetensors\n",
    .options = options,
    .least_operands = 2,
    .most_operands = 2,
    .missing = "expected two files: what is read and what is written",
    .run = run,
};
