/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net data check`: is a labelled set fit for evaluation and training? */
#include <inttypes.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "json_writer.h"
#include "res2net/res2net.h"
#include "text_format.h"
#include "verbs.h"

static const option_row options[] = {
    {.name = "root",
     .kind = OPTION_FOLDER,
     .argument = "FOLDER",
     .default_note = "the list's folder",
     .help = "where the list's relative paths begin"},
    {.name = "format",
     .kind = OPTION_CHOICE,
     .fallback = "text",
     .choices = "text|json",
     .help = "how the result is written"},
    {.name = NULL},
};

static double imbalance(const res2net_data_check *found)
{
    return found->smallest_class > 0 ? (double)found->largest_class / (double)found->smallest_class
                                     : 0.0;
}

static void print_text(const res2net_data_check *found)
{
    char a[FORMAT_BYTES], b[FORMAT_BYTES];
    printf("pictures     %s, of which %s readable\n", format_count(a, found->items),
           format_count(b, found->readable));
    printf("unreadable   %s\n", format_count(a, found->unreadable));
    printf("duplicates   %s\n", format_count(a, found->duplicates));
    printf("labels       %d to %d, %d in use\n", found->smallest_label, found->largest_label,
           found->labels_used);
    printf("a label has  %s to %s pictures", format_count(a, found->smallest_class),
           format_count(b, found->largest_class));
    if (imbalance(found) > 0)
        printf(" (1 to %.2f)", imbalance(found));
    printf("\nturned       %s by their EXIF orientation\n",
           format_count(a, found->with_exif_orientation));
}

static void write_problem(json_writer *json, const res2net_problem *problem)
{
    json_open_object(json, JSON_LINE);
    json_text_member(json, "file", problem->file);
    if (problem->line >= 0)
        json_integer_member(json, "line", problem->line);
    if (problem->offset >= 0)
        json_integer_member(json, "byte", problem->offset);
    json_text_member(json, "error", problem->text);
    json_close_object(json);
}

static void print_json(const res2net_data_check *found, const res2net_report *report)
{
    json_writer json = json_begin(stdout);
    json_open_object(&json, JSON_ROWS);
    json_integer_member(&json, "items", found->items);
    json_integer_member(&json, "readable", found->readable);
    json_integer_member(&json, "unreadable", found->unreadable);
    json_integer_member(&json, "duplicates", found->duplicates);
    json_integer_member(&json, "smallest_label", found->smallest_label);
    json_integer_member(&json, "largest_label", found->largest_label);
    json_integer_member(&json, "labels_used", found->labels_used);
    json_integer_member(&json, "smallest_class", found->smallest_class);
    json_integer_member(&json, "largest_class", found->largest_class);
    json_integer_member(&json, "with_exif_orientation", found->with_exif_orientation);
    json_key(&json, "problems");
    json_open_array(&json, JSON_ROWS);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        write_problem(&json, res2net_report_problem(report, i));
    json_close_array(&json);
    json_integer_member(&json, "problems_not_listed", (int64_t)res2net_report_dropped(report));
    json_close_object(&json);
    json_end(&json);
}

static int run(const command_line *line)
{
    res2net_data_check found;
    res2net_report *report = res2net_report_create();
    const res2net_status status =
        res2net_check_data(line->operands[0], option_text(line, "root"), &found, report);
    int result = exit_status_of(status);
    print_problems(report);
    if (status == RES2NET_OK) {
        if (option_is(line, "format", "json"))
            print_json(&found, report);
        else
            print_text(&found);
        result = found.unreadable > 0 || found.duplicates > 0 ? EXIT_SKIPPED : EXIT_DONE;
    }
    res2net_report_destroy(report);
    return result;
}

const verb verb_data_check = {
    .name = "data check",
    .operands = "LIST",
    .summary = "counts, unreadable pictures, duplicates, labels of a labelled set",
    .description =
        "LIST is a list file of `path label` lines, a folder of class folders, or a CIFAR-10 or "
        "CIFAR-100 binary file. Every picture is decoded. Exit status 1 when a picture is "
        "unreadable or listed twice, 3 when the list itself has bad lines.",
    .examples = "  res2net data check val_list.txt --root imagenet/\n"
                "  res2net data check train/ --format json\n",
    .options = options,
    .least_operands = 1,
    .most_operands = 1,
    .missing = "expected LIST: a list file, a folder of class folders or a CIFAR binary file",
    .run = run,
};
