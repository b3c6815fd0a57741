/* SPDX-License-Identifier: Apache-2.0 */
/* `res2net data split`: a training and a validation list of a labelled set. */
#include <stdlib.h>
#include <string.h>

#include "diagnostics.h"
#include "exit_status.h"
#include "list_options.h"
#include "platform.h"
#include "text_format.h"
#include "verbs.h"

static const option_row options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = OPTION_FOLDER,
     .argument = "FOLDER",
     .help = "where train_list.txt and val_list.txt go, and label_list.txt of class folders"},
    LIST_OPTIONS,
    {.name = "train",
     .kind = OPTION_TEXT,
     .argument = "SHARE",
     .fallback = "0.8",
     .help = "how much of each class goes into train_list.txt"},
    {.name = "seed",
     .kind = OPTION_INTEGER,
     .argument = "N",
     .fallback = "0",
     .minimum = 0,
     .maximum = INT64_MAX,
     .help = "another number, another split"},
    {.name = NULL},
};

static int run(const command_line *line)
{
    const char *folder = option_text(line, "output");
    const char *share = option_text(line, "train");
    char *end;
    char a[FORMAT_BYTES], b[FORMAT_BYTES], c[FORMAT_BYTES];
    const res2net_split_options settings = {.root = option_text(line, "root"),
                                            .delimiter = list_delimiter(line),
                                            .share = strtod(share, &end),
                                            .seed = (uint64_t)option_integer(line, "seed")};
    res2net_split made;
    if (folder == NULL)
        return usage_error(line->verb, "expected -o FOLDER: where the lists go");
    if (*end != '\0' || !(settings.share > 0 && settings.share < 1))
        return usage_error(line->verb, "--train %s: expected a number over 0 and below 1", share);
    const int failure = platform_make_folder(folder);
    if (failure != 0) {
        say("-o %s: %s", folder, strerror(failure));
        return EXIT_FAILED;
    }
    res2net_report *report = res2net_report_create();
    platform_let_signals_end_reads(1);
    const res2net_status status =
        res2net_split_data(line->operands[0], folder, &settings, &made, report);
    platform_let_signals_end_reads(0);
    print_problems(report);
    res2net_report_destroy(report);
    if (status == RES2NET_OK)
        printf("%s pictures of %s classes for training, %s for validation\n",
               format_count(a, made.train), format_count(b, made.classes),
               format_count(c, made.validation));
    return exit_status_of(status);
}

const verb verb_data_split = {
    .name = "data split",
    .operands = "LIST",
    .summary = "a training and a validation list of class folders or a list",
    .description =
        "LIST is a folder of class folders or a list file of `path label` lines. Every class is "
        "split in the same proportion, and has a picture in both lists where it has two. The paths "
        "in the lists are relative to the folder, or to the list's root. Files that are there are "
        "not overwritten.",
    .examples = "  res2net data split photos/ -o photos/\n"
                "  res2net data split all.txt --root photos/ --train 0.9 --seed 7 -o lists/\n",
    .options = options,
    .least_operands = 1,
    .most_operands = 1,
    .missing = "expected LIST: a folder of class folders or a list file",
    .run = run,
};
