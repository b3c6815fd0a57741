/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net models`: the catalogue. */
#include <stdio.h>
#include <stdlib.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "json_writer.h"
#include "platform.h"
#include "res2net/res2net.h"
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

static void print_page_value(double value, const char *format, int width)
{
    if (value > 0)
        printf(format, width, value);
    else
        printf("%*s", width, "-");
}

static void print_text(const res2net_catalogue_entry *entries, size_t count)
{
    int name_width = 4;
    for (size_t i = 0; i < count; i++) {
        const int width = snprintf(NULL, 0, "%s", entries[i].name);
        name_width = width > name_width ? width : name_width;
    }
    printf("%-*s  %10s  %8s  %4s  %6s  %6s  %s\n", name_width, "name", "parameters", "GMACs",
           "size", "top-1", "top-5", "origin");
    for (size_t i = 0; i < count; i++) {
        const res2net_catalogue_entry entry = entries[i];
        printf("%-*s  %8.2f M  %8.3f  %4d  ", name_width, entry.name,
               (double)entry.parameters / 1e6, (double)entry.macs / 1e9, entry.picture_size);
        print_page_value(entry.page_top1, "%*.2f", 6);
        fputs("  ", stdout);
        print_page_value(entry.page_top5, "%*.2f", 6);
        printf("  %s\n", entry.origin);
    }
    fputs("\nParameters are the trainable ones and MACs those of one picture of the size, both "
          "counted\nby this program. Accuracy in per cent, as PaddleClas' page says; - where it "
          "says nothing.\n",
          stdout);
    for (size_t i = 0; i < count; i++) {
        const res2net_catalogue_entry entry = entries[i];
        printf("\n%s\n", entry.name);
        if (entry.aliases != NULL && entry.aliases[0] != NULL) {
            fputs("  also     ", stdout);
            for (const char *const *alias = entry.aliases; *alias != NULL; alias++)
                printf("%s%s", alias == entry.aliases ? "" : ", ", *alias);
            fputc('\n', stdout);
        }
        fputs("  weights  ", stdout);
        put_wrapped(stdout, entry.published == NULL ? "none known" : entry.published, 11, 99);
        if (entry.page_millions > 0)
            printf("  page     %.2f M parameters, %.2f GFLOPs\n", entry.page_millions,
                   entry.page_gflops);
        if (entry.note != NULL) {
            fputs("  note     ", stdout);
            put_wrapped(stdout, entry.note, 11, 99);
        }
    }
}

/* What the page does not say is null. */
static void page_member(json_writer *json, const char *key, double value)
{
    json_key(json, key);
    if (value > 0)
        json_double(json, value);
    else
        json_null(json);
}

static void print_json(const res2net_catalogue_entry *entries, size_t count)
{
    json_writer json = json_begin(stdout);
    json_open_array(&json, JSON_ROWS);
    for (size_t i = 0; i < count; i++) {
        const res2net_catalogue_entry entry = entries[i];
        json_open_object(&json, JSON_LINE);
        json_text_member(&json, "name", entry.name);
        json_key(&json, "aliases");
        json_open_array(&json, JSON_LINE);
        for (const char *const *alias = entry.aliases; alias != NULL && *alias != NULL; alias++)
            json_text(&json, *alias);
        json_close_array(&json);
        json_text_member(&json, "origin", entry.origin);
        json_integer_member(&json, "parameters", entry.parameters);
        json_integer_member(&json, "statistics", entry.statistics);
        json_integer_member(&json, "macs", entry.macs);
        json_integer_member(&json, "picture_size", entry.picture_size);
        json_integer_member(&json, "classes", entry.classes);
        page_member(&json, "page_top1", entry.page_top1);
        page_member(&json, "page_top5", entry.page_top5);
        page_member(&json, "page_gflops", entry.page_gflops);
        page_member(&json, "page_millions", entry.page_millions);
        json_text_member(&json, "note", entry.note);
        json_text_member(&json, "published", entry.published);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_end(&json);
}

static int run(const command_line *line)
{
    const size_t count = res2net_catalogue_count();
    res2net_catalogue_entry *entries = platform_allocate(count, sizeof *entries);
    int status = EXIT_DONE;
    for (size_t i = 0; i < count && status == EXIT_DONE; i++) {
        res2net_catalogue_get(i, &entries[i]);
        if (entries[i].macs == 0) {
            say("memory to count the operations of %s could not be had", entries[i].name);
            status = EXIT_FAILED;
        }
    }
    if (status == EXIT_DONE)
        (option_is(line, "format", "json") ? print_json : print_text)(entries, count);
    free(entries);
    return status;
}

const verb verb_models = {
    .name = "models",
    .operands = "",
    .summary = "the architectures that are known by name",
    .description = "Name, counts, the accuracy of PaddleClas' page and where that page is wrong, "
                   "and where weights are published. Any of the names is taken, in any case.",
    .examples = "  res2net models\n"
                "  res2net models --format json\n",
    .options = options,
    .run = run,
};
