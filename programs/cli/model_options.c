/* SPDX-License-Identifier: Apache-2.0 */
#include "model_options.h"

#include <stdio.h>
#include <string.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "platform.h"
#include "verbs.h"

const char *family_name(res2net_family family)
{
    return family == RES2NET_FAMILY_PADDLE  ? "paddle"
           : family == RES2NET_FAMILY_TORCH ? "torch"
                                            : "unknown";
}

res2net_family family_option(const command_line *line)
{
    return option_is(line, "family", "paddle")  ? RES2NET_FAMILY_PADDLE
           : option_is(line, "family", "torch") ? RES2NET_FAMILY_TORCH
                                                : RES2NET_FAMILY_UNKNOWN;
}

const char *model_path(const command_line *line)
{
    const char *weights = option_text(line, "weights");
    return weights != NULL ? weights : option_text(line, "model");
}

int check_architecture(const command_line *line, const char *name)
{
    res2net_summary summary;
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_summary_create(name, family_option(line), 0, 0, &summary, report);
    if (status == RES2NET_OK)
        res2net_summary_free(&summary);
    else
        print_problems(report);
    res2net_report_destroy(report);
    if (status == RES2NET_OK)
        return EXIT_DONE;
    say("`res2net models` lists the architectures");
    return EXIT_USAGE;
}

/* A bad transforms file is a bad configuration, not a bad model. */
static int load_failure(const res2net_load_options *options, res2net_status status,
                        const res2net_report *report)
{
    for (size_t i = 0; options->transforms != NULL && i < res2net_report_count(report); i++) {
        const res2net_problem *problem = res2net_report_problem(report, i);
        if (strcmp(problem->file, options->transforms) == 0 &&
            problem->status != RES2NET_NOT_FOUND && problem->status != RES2NET_READ_FAILED)
            return EXIT_USAGE;
    }
    return status == RES2NET_INTERRUPTED ? EXIT_INTERRUPTED : EXIT_FAILED;
}

int load_model(const char *path, const res2net_load_options *options, res2net_model **model)
{
    res2net_report *report = res2net_report_create();
    platform_let_signals_end_reads(1);
    const res2net_status status = path != NULL ? res2net_model_load(path, options, model, report)
                                               : res2net_model_load_default(options, model, report);
    int result = EXIT_DONE;
    platform_let_signals_end_reads(0);
    print_problems(report);
    if (status != RES2NET_OK)
        result = load_failure(options, status, report);
    if (status == RES2NET_UNSUPPORTED && path == NULL)
        say("give a model with -m FILE");
    res2net_report_destroy(report);
    return result;
}

static const char *either(const char *given, const char *fallback)
{
    return given != NULL ? given : fallback;
}

int open_model(const command_line *line, res2net_model **model)
{
    const model_fallback nothing = {NULL, NULL, NULL};
    return open_model_or(line, &nothing, model);
}

int open_model_or(const command_line *line, const model_fallback *fallback, res2net_model **model)
{
    const char *architecture = either(option_text(line, "arch"), fallback->architecture);
    const char *path = either(model_path(line), fallback->path);
    *model = NULL;
    if (option_given(line, "model") && option_given(line, "weights"))
        return usage_error(line->verb, "--model and --weights name the same thing: give one");
    if (architecture != NULL) {
        const int checked = check_architecture(line, architecture);
        if (checked != EXIT_DONE)
            return checked;
    }
    if (architecture != NULL && path == NULL)
        return usage_error(line->verb, "--arch %s needs its weights: give -m FILE", architecture);
    const res2net_load_options options = {.architecture = architecture,
                                          .family = family_option(line),
                                          .transforms = option_text(line, "transforms"),
                                          .recipe = fallback->recipe,
                                          .labels = option_text(line, "labels"),
                                          .verify = option_given(line, "verify")};
    return load_model(path, &options, model);
}

/* Weights from a formula have neither labels nor transforms of their own. */
static int create_from_formula(const command_line *line, res2net_model **model)
{
    const char *architecture = option_text(line, "arch");
    const int checked = check_architecture(line, architecture);
    if (checked != EXIT_DONE)
        return checked;
    if (option_given(line, "transforms") || option_given(line, "labels"))
        return usage_error(line->verb, "--transforms and --labels need a model: give -m FILE");
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_model_create(architecture, family_option(line), 0, model, report);
    print_problems(report);
    res2net_report_destroy(report);
    if (status != RES2NET_OK)
        return EXIT_FAILED;
    say("%s: no weights given: %s runs with weights from a formula, its answers mean nothing",
        line->verb->name, architecture);
    return EXIT_DONE;
}

int open_model_or_formula(const command_line *line, res2net_model **model)
{
    *model = NULL;
    if (option_given(line, "arch") && !option_given(line, "model") &&
        !option_given(line, "weights"))
        return create_from_formula(line, model);
    return open_model(line, model);
}

/* The best level of this CPU up to the ceiling; the library falls back in the same way. */
static const char *best_isa_up_to(const char *ceiling, const char **why)
{
    const char *best = NULL;
    const char *name;
    const char *missing;
    *why = NULL;
    for (int i = 0; res2net_system_isa(i, &name, &missing); i++) {
        if (missing == NULL)
            best = name;
        if (strcmp(name, ceiling) == 0) {
            *why = missing;
            break;
        }
    }
    return best;
}

/* "--threads 256", or "RES2NET_THREADS=256" where that is where it comes from. */
static void spell_setting(const command_line *line, const char *option, const char *variable,
                          char *buffer, size_t size)
{
    if (option_given(line, option))
        snprintf(buffer, size, "--%s %s", option, option_text(line, option));
    else
        snprintf(buffer, size, "%s=%s", variable, option_text(line, option));
}

void tell_of_settings(const command_line *line)
{
    /* Threads of a step wait for each other; too many of them spend their time on nothing else. */
    enum { TOO_MANY = 2 };
    res2net_system system;
    const char *why;
    char spelt[64];
    res2net_system_describe(&system);
    if (option_integer(line, "threads") > (int64_t)TOO_MANY * system.usable) {
        spell_setting(line, "threads", "RES2NET_THREADS", spelt, sizeof spelt);
        say("%s: this process may use %d processor%s: so many threads only slow the run down",
            spelt, system.usable, system.usable == 1 ? "" : "s");
    }
    if (option_text(line, "isa") == NULL)
        return;
    const char *best = best_isa_up_to(option_text(line, "isa"), &why);
    if (why != NULL) {
        spell_setting(line, "isa", "RES2NET_ISA", spelt, sizeof spelt);
        say("%s: this CPU lacks it (missing: %s); %s is used", spelt, why, best);
    }
}

res2net_session_options session_settings(const command_line *line, int pictures)
{
    res2net_session_options options = {.threads = (int)option_integer(line, "threads"),
                                       .isa = option_text(line, "isa")};
    if (pictures) {
        options.preset = option_is(line, "preset", "paddle")  ? RES2NET_PRESET_PADDLE
                         : option_is(line, "preset", "torch") ? RES2NET_PRESET_TORCH
                                                              : RES2NET_PRESET_OF_MODEL;
        options.exif = option_is(line, "exif", "apply")    ? RES2NET_EXIF_APPLY
                       : option_is(line, "exif", "ignore") ? RES2NET_EXIF_IGNORE
                                                           : RES2NET_EXIF_OF_PRESET;
        options.resize_short = (int)option_integer(line, "resize-short");
        options.crop = (int)option_integer(line, "crop");
        options.truncated = truncated_option(line);
        options.maximum_pixels = maximum_pixels_option(line);
        options.fast_decode = option_given(line, "fast-decode");
        if (options.fast_decode)
            say("%s: --fast-decode: JPEG pictures are not decoded exactly; answers may differ from "
                "those without it",
                line->verb->name);
    }
    return options;
}

int open_session(const command_line *line, const res2net_model *model, int pictures,
                 res2net_session **session)
{
    res2net_session_options options = session_settings(line, pictures);
    options.precision = option_text(line, "precision");
    res2net_report *report = res2net_report_create();
    const res2net_status status = res2net_session_create(model, &options, session, report);
    print_problems(report);
    res2net_report_destroy(report);
    if (status == RES2NET_OK)
        tell_of_settings(line);
    return exit_status_of(status);
}

const char *isa_in_force(const command_line *line)
{
    const char *why;
    const char *ceiling = option_text(line, "isa");
    res2net_system system;
    if (ceiling != NULL)
        return best_isa_up_to(ceiling, &why);
    res2net_system_describe(&system);
    return system.isa;
}

int run_with_session(const command_line *line, session_work *work)
{
    res2net_model *model;
    res2net_session *session = NULL;
    int result = open_model_or_formula(line, &model);
    if (result == EXIT_DONE)
        result = open_session(line, model, 0, &session);
    if (result == EXIT_DONE)
        result = work(line, model, session);
    res2net_session_destroy(session);
    res2net_model_destroy(model);
    return result;
}
