/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net data check`: is a labelled set fit for evaluation and training? */
#include <inttypes.h>

#include "decode_options.h"
#include "diagnostics.h"
#include "exit_status.h"
#include "json_writer.h"
#include "list_options.h"
#include "platform.h"
#include "progress.h"
#include "res2net/res2net.h"
#include "text_format.h"
#include "verbs.h"

static const option_row options[] = {
    LIST_OPTIONS,
    {.name = "classes",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .minimum = 1,
     .maximum = 1000000,
     .default_note = "any label will do",
     .help = "how many classes there are: labels at or above it are bad lines"},
    DECODE_OPTIONS,
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
    printf("unreadable   %s", format_count(a, found->unreadable));
    if (found->absent > 0)
        printf(", of which %s do not exist", format_count(a, found->absent));
    printf("\nbad lines    %s\n", format_count(a, found->bad_lines));
    printf("duplicates   %s", format_count(a, found->duplicates));
    if (found->contradictions > 0)
        printf(", of which %s under another label", format_count(a, found->contradictions));
    printf("\nsame bytes   %s", format_count(a, found->same_bytes));
    if (found->same_bytes_relabeled > 0)
        printf(", of which %s under another label", format_count(a, found->same_bytes_relabeled));
    printf("\nlabels       %d to %d, %d in use\n", found->smallest_label, found->largest_label,
           found->labels_used);
    if (found->empty_classes > 0)
        printf("empty        %s class folders\n", format_count(a, found->empty_classes));
    printf("a label has  %s to %s pictures", format_count(a, found->smallest_class),
           format_count(b, found->largest_class));
    if (imbalance(found) > 0)
        printf(" (1 to %.2f)", imbalance(found));
    printf("\nturned       %s by their EXIF orientation\n",
           format_count(a, found->with_exif_orientation));
    if (found->readable > 0)
        printf("sizes        %dx%d to %dx%d\n", found->smallest.width, found->smallest.height,
               found->largest.width, found->largest.height);
}

static void write_size(json_writer *json, const char *key, const res2net_data_check *found,
                       res2net_picture_size size)
{
    json_key(json, key);
    if (found->readable == 0) {
        json_null(json);
        return;
    }
    json_open_object(json, JSON_LINE);
    json_integer_member(json, "width", size.width);
    json_integer_member(json, "height", size.height);
    json_close_object(json);
}

/* Labels that are in use, and class folders without a file. */
static void write_classes(json_writer *json, const res2net_data_check *found)
{
    json_key(json, "classes");
    json_open_array(json, JSON_ROWS);
    for (int32_t i = 0; i < found->classes; i++) {
        if (found->per_class[i] == 0 && found->class_names == NULL)
            continue;
        json_open_object(json, JSON_LINE);
        json_integer_member(json, "class_id", i);
        if (found->class_names != NULL)
            json_text_member(json, "label", found->class_names[i]);
        json_integer_member(json, "images", found->per_class[i]);
        json_close_object(json);
    }
    json_close_array(json);
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
    json_integer_member(&json, "absent", found->absent);
    json_integer_member(&json, "bad_lines", found->bad_lines);
    json_integer_member(&json, "duplicates", found->duplicates);
    json_integer_member(&json, "contradictions", found->contradictions);
    json_integer_member(&json, "same_bytes", found->same_bytes);
    json_integer_member(&json, "same_bytes_relabeled", found->same_bytes_relabeled);
    json_integer_member(&json, "smallest_label", found->smallest_label);
    json_integer_member(&json, "largest_label", found->largest_label);
    json_integer_member(&json, "labels_used", found->labels_used);
    json_integer_member(&json, "smallest_class", found->smallest_class);
    json_integer_member(&json, "largest_class", found->largest_class);
    json_key(&json, "imbalance");
    if (imbalance(found) > 0)
        json_double(&json, imbalance(found));
    else
        json_null(&json);
    json_integer_member(&json, "empty_classes", found->empty_classes);
    json_integer_member(&json, "with_exif_orientation", found->with_exif_orientation);
    write_size(&json, "smallest_picture", found, found->smallest);
    write_size(&json, "largest_picture", found, found->largest);
    write_classes(&json, found);
    json_key(&json, "problems");
    json_open_array(&json, JSON_ROWS);
    for (size_t i = 0; i < res2net_report_count(report); i++)
        write_problem(&json, res2net_report_problem(report, i));
    json_close_array(&json);
    json_integer_member(&json, "problems_not_listed", (int64_t)res2net_report_dropped(report));
    json_close_object(&json);
    json_end(&json);
}

static int show_progress(void *context, int64_t done, int64_t total)
{
    progress_show(context, done, total);
    return platform_interrupted();
}

/* Bad lines are a fault of the list itself. The same bytes under one label are told, and allowed:
 * real sets have some. */
static int judge(const res2net_data_check *found)
{
    if (found->bad_lines > 0)
        return EXIT_FAILED;
    return found->unreadable > 0 || found->duplicates > 0 || found->same_bytes_relabeled > 0 ||
                   found->empty_classes > 0
               ? EXIT_SKIPPED
               : EXIT_DONE;
}

static int run(const command_line *line)
{
    progress progress = progress_begin("data check");
    const res2net_check_options settings = {
        .root = option_text(line, "root"),
        .delimiter = list_delimiter(line),
        .classes = option_given(line, "classes") ? (int32_t)option_integer(line, "classes") : 0,
        .truncated = truncated_option(line),
        .maximum_pixels = maximum_pixels_option(line),
        .progress = show_progress,
        .progress_context = &progress};
    res2net_data_check found;
    res2net_report *report = res2net_report_create();
    platform_let_signals_end_reads(1);
    const res2net_status status = res2net_check_data(line->operands[0], &settings, &found, report);
    int result = exit_status_of(status);
    platform_let_signals_end_reads(0);
    progress_clear(&progress);
    print_problems(report);
    if (status == RES2NET_OK) {
        if (option_is(line, "format", "json"))
            print_json(&found, report);
        else
            print_text(&found);
        result = judge(&found);
    }
    res2net_data_check_free(&found);
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
        "unreadable or listed twice, when equal pictures have different labels or a class folder "
        "is empty; 3 when the list itself has bad lines, each of which is told.",
    .examples = "  res2net data check val_list.txt --root imagenet/\n"
                "  res2net data check train/ --format json\n",
    .options = options,
    .least_operands = 1,
    .most_operands = 1,
    .missing = "expected LIST: a list file, a folder of class folders or a CIFAR binary file",
    .run = run,
};
