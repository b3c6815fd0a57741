/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net doctor`: what the library sees of this machine, and whether it computes rightly here. */
#include <stdlib.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "json_writer.h"
#include "res2net/res2net.h"
#include "terminal_text.h"
#include "text_format.h"
#include "verbs.h"

static const option_row options[] = {
    {.name = "format",
     .kind = OPTION_CHOICE,
     .fallback = "text",
     .choices = "text|json",
     .help = "how the result is written"},
    {.name = NULL},
};

static const char *const variables[] = {"RES2NET_THREADS", "RES2NET_ISA", "RES2NET_MODEL"};
enum { VARIABLE_COUNT = sizeof variables / sizeof variables[0] };

static const char *variable(int index)
{
    const char *value = getenv(variables[index]);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static void print_text(const res2net_system *system, int passed)
{
    char buffer[FORMAT_BYTES];
    const char *name;
    const char *missing;
    printf("version     %s\ncpu         ", system->version);
    put_printable(stdout, system->cpu);
    printf("\nisa         %s is used\n", system->isa);
    for (int i = 0; res2net_system_isa(i, &name, &missing); i++)
        printf("            %-10s %s%s\n", name,
               missing == NULL ? "yes" : "no: ", missing == NULL ? "" : missing);
    for (int i = 0; res2net_system_precision(i, &name, &missing); i++)
        printf("%-12s%-10s %s%s\n", i == 0 ? "precisions" : "", name,
               missing == NULL ? "yes" : "no: ", missing == NULL ? "" : missing);
    printf("processors  %d of the machine, %d allowed by affinity, ", system->online,
           system->affinity);
    if (system->quota > 0)
        printf("a cgroup quota of %.2f, ", system->quota);
    else
        fputs("no cgroup quota, ", stdout);
    printf("%d used\n", system->usable);
    printf("memory      %s\n", system->memory_limit_bytes == 0
                                   ? "no cgroup limit"
                                   : format_bytes(buffer, system->memory_limit_bytes));
    printf("built in    JPEG %s, PNG %s, WebP %s, YAML %s, default model %s\n",
           system->has_jpeg ? "yes" : "NO", system->has_png ? "yes" : "NO",
           system->has_webp ? "yes" : "NO", system->has_yaml ? "yes" : "NO",
           system->has_embedded_model ? "yes" : "NO");
    for (int i = 0; i < VARIABLE_COUNT; i++) {
        if (variable(i) == NULL)
            continue;
        printf("environment %s=", variables[i]);
        put_printable(stdout, variable(i));
        fputc('\n', stdout);
    }
    printf("self-test   %s\n", passed ? "passed" : "FAILED");
}

static void boolean_member(json_writer *json, const char *key, int value)
{
    json_key(json, key);
    json_boolean(json, value);
}

/* `list` is res2net_system_isa or res2net_system_precision. */
static void write_levels(json_writer *json, const char *key,
                         int (*list)(int index, const char **name, const char **missing))
{
    const char *name;
    const char *missing;
    json_key(json, key);
    json_open_array(json, JSON_ROWS);
    for (int i = 0; list(i, &name, &missing); i++) {
        json_open_object(json, JSON_LINE);
        json_text_member(json, "name", name);
        boolean_member(json, "available", missing == NULL);
        json_text_member(json, "missing", missing);
        json_close_object(json);
    }
    json_close_array(json);
}

static void print_json(const res2net_system *system, const res2net_report *report, int passed)
{
    json_writer json = json_begin(stdout);
    json_open_object(&json, JSON_ROWS);
    json_text_member(&json, "version", system->version);
    json_text_member(&json, "cpu", system->cpu);
    json_text_member(&json, "isa", system->isa);
    write_levels(&json, "isa_levels", res2net_system_isa);
    write_levels(&json, "precisions", res2net_system_precision);
    json_integer_member(&json, "processors_online", system->online);
    json_integer_member(&json, "processors_affinity", system->affinity);
    json_key(&json, "processors_quota");
    if (system->quota > 0)
        json_double(&json, system->quota);
    else
        json_null(&json);
    json_integer_member(&json, "threads", system->usable);
    json_key(&json, "memory_limit_bytes");
    if (system->memory_limit_bytes > 0)
        json_integer(&json, (int64_t)system->memory_limit_bytes);
    else
        json_null(&json);
    json_key(&json, "libraries");
    json_open_object(&json, JSON_LINE);
    boolean_member(&json, "jpeg", system->has_jpeg);
    boolean_member(&json, "png", system->has_png);
    boolean_member(&json, "webp", system->has_webp);
    boolean_member(&json, "yaml", system->has_yaml);
    json_close_object(&json);
    boolean_member(&json, "embedded_model", system->has_embedded_model);
    json_key(&json, "environment");
    json_open_object(&json, JSON_LINE);
    for (int i = 0; i < VARIABLE_COUNT; i++)
        json_text_member(&json, variables[i], variable(i));
    json_close_object(&json);
    json_text_member(&json, "self_test", passed ? "passed" : "failed");
    json_key(&json, "problems");
    json_open_array(&json, JSON_ROWS);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        json_text(&json, res2net_report_problem(report, i)->text);
    json_close_array(&json);
    json_close_object(&json);
    json_end(&json);
}

static int run(const command_line *line)
{
    res2net_system system;
    res2net_system_describe(&system);
    res2net_report *report = res2net_report_create();
    const int passed = res2net_self_test(report) == RES2NET_OK;
    if (option_is(line, "format", "json"))
        print_json(&system, report, passed);
    else
        print_text(&system, passed);
    print_problems(report);
    res2net_report_destroy(report);
    return passed ? EXIT_DONE : EXIT_FAILED;
}

const verb verb_doctor = {
    .name = "doctor",
    .operands = "",
    .summary = "CPU, limits, libraries built in, and a self-test",
    .description = "The self-test runs a small network on every instruction set of this CPU and "
                   "compares it with the reference arithmetic. Exit status 3 when it fails.",
    .examples = "  res2net doctor\n"
                "  res2net doctor --format json\n",
    .options = options,
    .run = run,
};
