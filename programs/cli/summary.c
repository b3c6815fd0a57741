/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net summary`: the layers of a network. */
#include <inttypes.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "json_writer.h"
#include "model_options.h"
#include "platform.h"
#include "text_format.h"
#include "verbs.h"

static const option_row options[] = {
    MODEL_OPTIONS,
    {.name = "size",
     .kind = OPTION_SIZE,
     .argument = "N|HxW",
     .minimum = 1,
     .maximum = 16384,
     .default_note = "the architecture's, 224 or 32",
     .help = "the picture's size"},
    {.name = "svg",
     .kind = OPTION_FILE,
     .argument = "FILE",
     .help = "also draws the network there"},
    {.name = "format",
     .kind = OPTION_CHOICE,
     .fallback = "text",
     .choices = "text|json",
     .help = "how the result is written"},
    {.name = NULL},
};

/* Bytes of the weights as float32, and of all layers' results for one picture. */
static int64_t weights_bytes(const res2net_summary *summary)
{
    return 4 * (summary->parameters + summary->statistics);
}

static int64_t results_bytes(const res2net_summary *summary)
{
    int64_t floats = 0;
    for (size_t i = 0; i < summary->layer_count; i++) {
        const res2net_layer *layer = &summary->layers[i];
        floats += (int64_t)layer->channels * layer->rows * layer->columns;
    }
    return 4 * floats;
}

static void print_text(const res2net_summary *summary)
{
    char a[FORMAT_BYTES], b[FORMAT_BYTES], c[FORMAT_BYTES];
    int name_width = 5, kind_width = 4;
    for (size_t i = 0; i < summary->layer_count; i++) {
        const int name = snprintf(NULL, 0, "%s", summary->layers[i].name);
        const int kind = snprintf(NULL, 0, "%s", summary->layers[i].kind);
        name_width = name > name_width ? name : name_width;
        kind_width = kind > kind_width ? kind : kind_width;
    }
    printf("%s, %s family, 1x3x%dx%d, %d classes\n\n", summary->architecture,
           family_name(summary->family), summary->height, summary->width, summary->classes);
    printf("%-*s  %-*s  %14s  %12s  %15s\n", name_width, "layer", kind_width, "kind", "result",
           "parameters", "MACs");
    for (size_t i = 0; i < summary->layer_count; i++) {
        const res2net_layer *layer = &summary->layers[i];
        snprintf(c, sizeof c, "%dx%dx%d", layer->channels, layer->rows, layer->columns);
        printf("%-*s  %-*s  %14s  %12s  %15s\n", name_width, layer->name, kind_width, layer->kind,
               c, format_count(a, layer->parameters), format_count(b, layer->macs));
    }
    printf("\nparameters  %s, and %s running means and variances\n",
           format_count(a, summary->parameters), format_count(b, summary->statistics));
    printf("MACs        %s (%.3f G)\n", format_count(a, summary->macs),
           (double)summary->macs / 1e9);
    printf("memory      %s of weights (float32); %s for the results of all layers together, of "
           "which a run\n            keeps a part: `res2net plan` tells how much\n",
           format_bytes(a, (uint64_t)weights_bytes(summary)),
           format_bytes(b, (uint64_t)results_bytes(summary)));
}

static void print_json(const res2net_summary *summary)
{
    json_writer json = json_begin(stdout);
    json_open_object(&json, JSON_ROWS);
    json_text_member(&json, "arch", summary->architecture);
    json_text_member(&json, "family", family_name(summary->family));
    json_key(&json, "size");
    json_open_array(&json, JSON_LINE);
    json_integer(&json, summary->height);
    json_integer(&json, summary->width);
    json_close_array(&json);
    json_integer_member(&json, "classes", summary->classes);
    json_integer_member(&json, "parameters", summary->parameters);
    json_integer_member(&json, "statistics", summary->statistics);
    json_integer_member(&json, "macs", summary->macs);
    json_integer_member(&json, "weights_bytes", weights_bytes(summary));
    json_integer_member(&json, "results_bytes", results_bytes(summary));
    json_key(&json, "layers");
    json_open_array(&json, JSON_ROWS);
    for (size_t i = 0; i < summary->layer_count; i++) {
        const res2net_layer *layer = &summary->layers[i];
        json_open_object(&json, JSON_LINE);
        json_text_member(&json, "name", layer->name);
        json_text_member(&json, "kind", layer->kind);
        json_key(&json, "shape");
        json_open_array(&json, JSON_LINE);
        json_integer(&json, layer->channels);
        json_integer(&json, layer->rows);
        json_integer(&json, layer->columns);
        json_close_array(&json);
        json_integer_member(&json, "parameters", layer->parameters);
        json_integer_member(&json, "macs", layer->macs);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    json_end(&json);
}

/* Draws it where it is asked for. */
static res2net_status draw(const command_line *line, const char *name, const res2net_model *model,
                           int32_t height, int32_t width, res2net_report *report)
{
    const char *path = option_text(line, "svg");
    if (path == NULL)
        return RES2NET_OK;
    const res2net_status status =
        model != NULL
            ? res2net_summary_draw_model(model, height, width, path, report)
            : res2net_summary_draw(name, family_option(line), height, width, path, report);
    if (status == RES2NET_OK)
        say("wrote %s", path);
    return status;
}

/* Of an architecture: needs no weights. */
static int summarise_name(const command_line *line, const char *name, int32_t height, int32_t width,
                          res2net_summary *summary)
{
    const file_kind kind = platform_file_kind(name);
    if (kind == FILE_PLAIN || kind == FILE_STREAM)
        return usage_error(line->verb, "%s is a file: a model is given with -m FILE", name);
    const int checked = check_architecture(line, name);
    if (checked != EXIT_DONE)
        return checked;
    res2net_report *report = res2net_report_create();
    res2net_status status = draw(line, name, NULL, height, width, report);
    if (status == RES2NET_OK)
        status = res2net_summary_create(name, family_option(line), height, width, summary, report);
    print_problems(report);
    res2net_report_destroy(report);
    return exit_status_of(status);
}

static int summarise_model(const command_line *line, int32_t height, int32_t width,
                           res2net_summary *summary)
{
    res2net_model *model;
    int result = open_model(line, &model);
    if (result == EXIT_DONE) {
        res2net_report *report = res2net_report_create();
        res2net_status status = draw(line, NULL, model, height, width, report);
        if (status == RES2NET_OK)
            status = res2net_summary_of_model(model, height, width, summary, report);
        print_problems(report);
        res2net_report_destroy(report);
        result = exit_status_of(status);
    }
    res2net_model_destroy(model);
    return result;
}

static int run(const command_line *line)
{
    int32_t height, width;
    int result;
    res2net_summary summary;
    const int with_file = option_given(line, "model") || option_given(line, "weights");
    const char *name = line->operand_count > 0 ? line->operands[0]
                       : with_file             ? NULL
                                               : option_text(line, "arch");
    option_size(line, "size", &height, &width);
    if (line->operand_count > 0 && (with_file || option_given(line, "arch")))
        return usage_error(line->verb, "%s names an architecture, and so does a model: give one",
                           line->operands[0]);
    result = name != NULL ? summarise_name(line, name, height, width, &summary)
                          : summarise_model(line, height, width, &summary);
    if (result != EXIT_DONE)
        return result;
    if (option_is(line, "format", "json"))
        print_json(&summary);
    else
        print_text(&summary);
    res2net_summary_free(&summary);
    return EXIT_DONE;
}

const verb verb_summary = {
    .name = "summary",
    .operands = "[ARCHITECTURE]",
    .summary = "layers, shapes, parameters and MACs of a model or architecture",
    .description = "Of an architecture by its name, which needs no weights, or of a model.",
    .examples = "  res2net summary Res2Net50_26w_4s\n"
                "  res2net summary -m net.pth --size 288\n"
                "  res2net summary Res2Net50_26w_4s --svg net.svg\n",
    .options = options,
    .most_operands = 1,
    .run = run,
};
