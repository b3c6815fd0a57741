/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net plan`: what a run does, step by step. */
#include <math.h>
#include <string.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "json_writer.h"
#include "model_options.h"
#include "text_format.h"
#include "verbs.h"

static const option_row options[] = {
    MODEL_OPTIONS,
    {.name = "time", .kind = OPTION_FLAG, .help = "also runs and times each step"},
    {.name = "batch",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .fallback = "1",
     .minimum = 1,
     .maximum = 1024,
     .help = "pictures that run together"},
    {.name = "size",
     .kind = OPTION_SIZE,
     .argument = "N|HxW",
     .minimum = 1,
     .maximum = 16384,
     .default_note = "the architecture's, 224 or 32",
     .help = "the pictures' size"},
    RUN_OPTIONS,
    {.name = "format",
     .kind = OPTION_CHOICE,
     .fallback = "text",
     .choices = "text|json",
     .help = "how the result is written"},
    {.name = NULL},
};

typedef struct run_size {
    int32_t batch, height, width;
} run_size;

/* Multiply-accumulates a second in 1e9; not a number where the step was not timed or has none. */
static double step_gmacs(const res2net_plan_step *step)
{
    return step->microseconds > 0 && step->macs > 0
               ? (double)step->macs / step->microseconds / 1000.0
               : (double)NAN;
}

static double total_microseconds(const res2net_plan_report *plan)
{
    double total = 0;
    for (size_t i = 0; i < plan->step_count; i++)
        total += plan->steps[i].microseconds;
    return total;
}

static int64_t total_macs(const res2net_plan_report *plan)
{
    int64_t total = 0;
    for (size_t i = 0; i < plan->step_count; i++)
        total += plan->steps[i].macs;
    return total;
}

static void print_measured(const res2net_plan_step *step, double ceiling)
{
    const double gmacs = step_gmacs(step);
    printf("  %9.1f", step->microseconds);
    if (isfinite(gmacs) && ceiling > 0)
        printf("  %8.1f  %5.1f%%", gmacs, 100 * gmacs / ceiling);
    else
        printf("  %8s  %6s", "-", "-");
}

static void print_text(const command_line *line, const res2net_model *model, run_size size,
                       const res2net_plan_report *plan)
{
    char a[FORMAT_BYTES], b[FORMAT_BYTES], c[FORMAT_BYTES];
    int name = 4, shape = 5, kernel = 6;
    const int timed = option_given(line, "time");
    res2net_model_info info;
    res2net_model_describe(model, &info);
    for (size_t i = 0; i < plan->step_count; i++) {
        const res2net_plan_step *step = &plan->steps[i];
        name = (int)strlen(step->name) > name ? (int)strlen(step->name) : name;
        shape = (int)strlen(step->shape) > shape ? (int)strlen(step->shape) : shape;
        kernel = (int)strlen(step->kernel) > kernel ? (int)strlen(step->kernel) : kernel;
    }
    printf("%s, %s family, %s, %s, %d thread%s, %dx3x%dx%d\n\n", info.architecture,
           family_name(info.family), option_text(line, "precision"), isa_in_force(line),
           plan->threads, plan->threads == 1 ? "" : "s", size.batch, size.height, size.width);
    printf("%-*s  %-*s  %-*s  %13s%s\n", name, "step", shape, "shape", kernel, "kernel", "MACs",
           timed ? "         us    GMAC/s  ceiling" : "");
    for (size_t i = 0; i < plan->step_count; i++) {
        const res2net_plan_step *step = &plan->steps[i];
        printf("%-*s  %-*s  %-*s  %13s", name, step->name, shape, step->shape, kernel, step->kernel,
               format_count(a, step->macs));
        if (timed)
            print_measured(step, plan->ceiling_gmacs);
        printf("%s%s\n", step->refused[0] == '\0' ? "" : "  not ", step->refused);
    }
    printf("\nsteps    %zu, %s MACs\n", plan->step_count, format_count(c, total_macs(plan)));
    printf("memory   %s of activations, %s of packed weights\n",
           format_bytes(a, (uint64_t)plan->memory_bytes),
           format_bytes(b, (uint64_t)plan->weights_bytes));
    if (timed) {
        const double total = total_microseconds(plan);
        const double gmacs = total > 0 ? (double)total_macs(plan) / total / 1000.0 : 0.0;
        printf("time     %.2f ms for the steps one after the other, %.1f GMAC/s\n", total / 1000.0,
               gmacs);
        if (plan->ceiling_gmacs > 0)
            printf("ceiling  %.1f GMAC/s measured now: the steps reach %.1f%% of it\n",
                   plan->ceiling_gmacs, 100 * gmacs / plan->ceiling_gmacs);
    }
}

/* A number, or null where it was not measured. */
static void measured_member(json_writer *json, const char *key, double value)
{
    json_double_member(json, key, value > 0 ? value : (double)NAN);
}

static void write_step(json_writer *json, const res2net_plan_step *step, double ceiling)
{
    const double gmacs = step_gmacs(step);
    json_open_object(json, JSON_LINE);
    json_text_member(json, "name", step->name);
    json_text_member(json, "shape", step->shape);
    json_text_member(json, "kernel", step->kernel);
    json_text_member(json, "refused", step->refused);
    json_integer_member(json, "macs", step->macs);
    measured_member(json, "microseconds", step->microseconds);
    measured_member(json, "gmacs", gmacs);
    measured_member(json, "percent_of_ceiling", ceiling > 0 ? 100 * gmacs / ceiling : 0.0);
    json_close_object(json);
}

static void print_json(const command_line *line, const res2net_model *model, run_size size,
                       const res2net_plan_report *plan)
{
    json_writer json = json_begin(stdout);
    res2net_model_info info;
    res2net_model_describe(model, &info);
    json_open_object(&json, JSON_ROWS);
    json_text_member(&json, "arch", info.architecture);
    json_text_member(&json, "family", family_name(info.family));
    json_text_member(&json, "precision", option_text(line, "precision"));
    json_text_member(&json, "isa", isa_in_force(line));
    json_integer_member(&json, "threads", plan->threads);
    json_integer_member(&json, "batch", size.batch);
    json_key(&json, "size");
    json_open_array(&json, JSON_LINE);
    json_integer(&json, size.height);
    json_integer(&json, size.width);
    json_close_array(&json);
    json_integer_member(&json, "macs", total_macs(plan));
    json_integer_member(&json, "memory_bytes", plan->memory_bytes);
    json_integer_member(&json, "weights_bytes", plan->weights_bytes);
    measured_member(&json, "microseconds", total_microseconds(plan));
    measured_member(&json, "ceiling_gmacs", plan->ceiling_gmacs);
    json_key(&json, "steps");
    json_open_array(&json, JSON_ROWS);
    for (size_t i = 0; i < plan->step_count; i++)
        write_step(&json, &plan->steps[i], plan->ceiling_gmacs);
    json_close_array(&json);
    json_close_object(&json);
    json_end(&json);
}

static int explain(const command_line *line, const res2net_model *model, res2net_session *session)
{
    res2net_plan_report plan;
    res2net_model_info info;
    run_size size = {.batch = (int32_t)option_integer(line, "batch")};
    res2net_model_describe(model, &info);
    option_size(line, "size", &size.height, &size.width);
    if (size.height == 0)
        size.height = size.width = info.picture_size;
    res2net_report *report = res2net_report_create();
    const res2net_status status = res2net_session_explain(
        session, size.batch, size.height, size.width, option_given(line, "time"), &plan, report);
    print_problems(report);
    res2net_report_destroy(report);
    if (status != RES2NET_OK)
        return exit_status_of(status);
    if (option_is(line, "format", "json"))
        print_json(line, model, size, &plan);
    else
        print_text(line, model, size, &plan);
    res2net_plan_report_free(&plan);
    return EXIT_DONE;
}

static int run(const command_line *line)
{
    return run_with_session(line, explain);
}

const verb verb_plan = {
    .name = "plan",
    .operands = "",
    .summary = "the steps of a run: shape, kernel, why not a better one, time",
    .description = "--arch NAME without a model plans a network with weights from a formula. With "
                   "--time, the ceiling is what this CPU's registers reach, measured in the same "
                   "call.",
    .examples = "  res2net plan\n"
                "  res2net plan --arch Res2Net50_26w_4s --time\n"
                "  res2net plan -m net.r2n --batch 8 --isa avx2 --format json\n",
    .options = options,
    .run = run,
};
